"""The grid ratio: peaks put in by hand, and images without any."""

import numpy as np
import pytest

from keras_gans import metrics
from keras_gans.metrics import grid

RNG = np.random.default_rng(0)
PERIODS = (2, 4, 8)


def images(number=64, side=64):
    """Noise that is stronger at long periods, as photographs have it."""
    noise = RNG.normal(size=(number, side, side))
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)) + 1 / side
    smooth = np.fft.ifft2(np.fft.fft2(noise) / frequency).real
    return np.clip(0.2 * smooth / smooth.std(), -0.8, 0.8)[..., None]


def pattern(period, side=64):
    """A block of random numbers of mean 0, which repeats at no shorter period."""
    block = RNG.uniform(-2, 2, size=(period, period))
    repeated = np.tile(block - block.mean(), (side // period, side // period))
    return 0.04 * repeated[None, :, :, None]


def test_images_without_a_grid_have_about_1():
    assert 0.8 < metrics.grid_ratio(images(300), PERIODS) < 1.5


@pytest.mark.parametrize("period", PERIODS)
def test_a_grid_is_found_at_its_period(period):
    found = {p: metrics.grid_ratio(images() + pattern(period), (p,)) for p in PERIODS}
    assert found[period] > 20
    assert all(value < 3 for p, value in found.items() if p > period)
    assert metrics.grid_ratio(images() + pattern(period), PERIODS) > 20


def test_the_ratio_is_that_of_the_definition():
    """Written out once more, with a discrete Fourier transform as a product of matrices."""
    x = images(5, 48) + pattern(4, 48)
    window = np.sin(np.pi * np.arange(48) / 48) ** 2
    waves = np.exp(-2j * np.pi * np.outer(np.arange(48), np.arange(48)) / 48)
    y = 219 / 255 * (x[..., 0] - x[..., 0].mean(axis=(1, 2), keepdims=True))  # luma's range
    power = np.abs(waves @ (y * np.outer(window, window)) @ waves.T) ** 2
    power = power.mean(axis=0)
    ratios = []
    for i, j in [(0, 1), (0, 3), (1, 0), (3, 0), (1, 1), (1, 3), (3, 1), (3, 3), (1, 2), (2, 1)]:
        row, column = 12 * i, 12 * j
        near = [
            power[(row + a) % 48, (column + b) % 48]
            for a in range(-4, 5)
            for b in range(-4, 5)
            if max(abs(a), abs(b)) > 1
        ]
        assert len(near) == 72
        ratios.append(power[row, column] / np.median(near))
    assert metrics.grid_ratio(x, (4,)) >= max(ratios) * (1 - 1e-4)
    assert metrics.grid_ratio(x, (4,)) == pytest.approx(max(ratios), rel=1e-3)


def test_batches_count_as_one_set():
    x = images(10) + pattern(2)
    spectrum = grid.GridSpectrum(PERIODS)
    for part in np.split(x, [3, 4]):
        spectrum.add(part)
    assert spectrum.ratio() == pytest.approx(metrics.grid_ratio(x, PERIODS))


def test_blur_takes_a_grid_away_and_flat_images_have_none():
    x = images() + pattern(2)
    blurred = (x + np.roll(x, 1, 1)) / 2
    blurred = (blurred + np.roll(blurred, 1, 2)) / 2
    assert metrics.grid_ratio(x, (2,)) > 20
    assert metrics.grid_ratio(blurred, (2,)) < 2
    assert metrics.grid_ratio(np.full((2, 48, 48, 3), 0.3), PERIODS) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("axis", [1, 2])
def test_of_one_period_there_is_a_value_for_each_image(axis):
    smooth = 0.1 * RNG.normal(size=(2, 64, 64, 1))
    places = np.arange(64).reshape([64 if n == axis else 1 for n in range(4)])
    with_grid = smooth + 0.3 * (places % 4 == 0)
    assert (metrics.grid_ratio(smooth) < 2).all()
    assert metrics.grid_ratio(with_grid).shape == (2,)
    assert (metrics.grid_ratio(with_grid) > 20).all()
    assert (metrics.grid_ratio(with_grid, period=3) < 3).all()


@pytest.mark.parametrize(
    ("period", "message"),
    [
        (1, "`period`"),
        (9, "too small for the spectrum.*at least 36.*period=9"),
        ((2, 8), r"too small for the spectrum.*at least 48.*\(1, 32, 32\), period=8"),
        ((2, 1), "`period`"),
        ((2, 4.0), "`period`"),
        ("24", "`period`"),
        ((), "one period or several"),
    ],
)
def test_wrong_periods(period, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        metrics.grid_ratio(np.zeros((1, 32, 32, 3)), period)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((1, 48, 48, 2)), "1 or 3 channels"),
        (np.full((1, 48, 48, 3), 2.0), "out of range"),
        (np.zeros((1, 48, 48, 3), "uint8"), "(?i)float"),
        (np.zeros((48, 48, 3)), "`images`|shape"),
    ],
)
def test_wrong_images(x, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        metrics.grid_ratio(x, PERIODS)
