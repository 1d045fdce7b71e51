"""Real-ESRGAN's degradations: each part against what is known of it, and all of them together."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_gans import data
from keras_gans.data import degradation
from keras_gans.data.degradation import Settings, degrade

RNG = np.random.default_rng(0)
PICTURE = RNG.integers(0, 255, (64, 48, 3)).astype("uint8")
STILL = {
    "first_sinc": 0.0,
    "second_sinc": 0.0,
    "final_sinc": 0.0,
    "second_blur": 0.0,
    "first_sigma": (0.0, 0.0),
    "first_resize": (0, 0, 1),
    "second_resize": (0, 0, 1),
    "gaussian": 1.0,
    "first_noise": (0.0, 0.0),
    "second_noise": (0.0, 0.0),
    "first_jpeg": (100, 100),
    "second_jpeg": (100, 100),
    "kernels": (1, 0, 0, 0, 0, 0),
}


class Drawn(degradation._Draw):
    def __init__(self, seed=(1, 2)):
        super().__init__(seed)


def smooth(height=64, width=48):
    y, x = np.mgrid[:height, :width]
    waves = [120 + 80 * np.sin(y / 9 + k) * np.cos(x / 7) for k in range(3)]
    return np.stack(waves, -1).round().astype("uint8")


def test_it_depends_on_the_seed_alone_and_keeps_the_type():
    tf.random.set_seed(1)
    first, other = (degrade(PICTURE, [7, k]).numpy() for k in (1, 2))
    tf.random.set_seed(2)
    again = degrade(PICTURE, tf.constant([7, 1])).numpy()
    assert first.shape == (16, 12, 3) and first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    floats = degrade(PICTURE / np.float32(127.5) - 1, [7, 1]).numpy()
    assert floats.dtype == np.float32 and np.abs(floats).max() <= 1
    levels = (floats + 1) * 127.5
    np.testing.assert_allclose(levels, levels.round(), atol=1e-3)


@pytest.mark.parametrize("scale, shape", [(1, (64, 48)), (2, (32, 24)), (3, (21, 16))])
def test_the_size_is_that_of_the_scale(scale, shape):
    assert degrade(PICTURE, [0, 3], scale).shape == (*shape, 3)
    assert degrade(PICTURE[..., :1], [0, 3], scale).shape == (*shape, 1)


def test_with_everything_off_it_is_a_resize_and_two_jpegs_of_best_quality():
    picture = smooth()
    made = degrade(picture, [3, 1], 1, **STILL).numpy()
    assert np.abs(made.astype(int) - picture).mean() < 1.5
    small = degrade(picture, [3, 1], 4, **STILL).numpy().astype(int)
    mean = picture.reshape(16, 4, 12, 4, 3).mean((1, 3))
    assert np.abs(small - mean).mean() < 8


def test_in_a_data_set_every_picture_has_its_own():
    pictures = tf.data.Dataset.from_tensors(PICTURE).repeat(8).enumerate()
    made = np.stack([x for x in pictures.map(lambda i, x: degrade(x, tf.stack([0, i])))])
    assert made.shape == (8, 16, 12, 3)
    assert len({x.tobytes() for x in made}) == 8


# ---- kernels


def test_blur_kernels_have_a_sum_of_one_and_their_size():
    for seed in range(20):
        kernel = degradation._blur_kernel(Drawn((seed, 0)), Settings(first_sinc=0.0), "first")
        kernel = kernel.numpy()
        assert kernel.shape == (21, 21) and kernel.min() >= 0
        assert kernel.sum() == pytest.approx(1, abs=1e-5)
        np.testing.assert_allclose(kernel, kernel[::-1, ::-1], atol=1e-6)


def test_an_isotropic_kernel_is_gaussian():
    kernel = degradation._gaussian_like((1.5, 9.0), 0.3, 1.0, False, False).numpy()
    y, x = np.mgrid[-10:11, -10:11]
    expected = np.exp(-(x**2 + y**2) / (2 * 1.5**2))
    np.testing.assert_allclose(kernel, expected, atol=1e-5)


def test_an_anisotropic_kernel_has_the_covariance_of_its_axes():
    angle, sigmas = 0.6, (2.0, 1.0)
    kernel = degradation._gaussian_like(sigmas, angle, 1.0, True, False).numpy()
    kernel /= kernel.sum()
    y, x = np.mgrid[-10:11, -10:11]
    found = [(kernel * a * b).sum() for a, b in ((x, x), (x, y), (y, y))]
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    covariance = turn @ np.diag(np.square(sigmas)) @ turn.T
    expected = [covariance[0, 0], covariance[0, 1], covariance[1, 1]]
    np.testing.assert_allclose(found, expected, atol=0.01)


def test_generalized_and_plateau_kernels_are_those_of_the_appendix():
    generalized = degradation._gaussian_like((2.0, 2.0), 0.0, 0.5, False, False).numpy()
    plateau = degradation._gaussian_like((2.0, 2.0), 0.0, 1.5, False, True).numpy()
    y, x = np.mgrid[-10:11, -10:11]
    distance = (x**2 + y**2) / 4
    np.testing.assert_allclose(generalized, np.exp(-0.5 * distance**0.5), atol=1e-4)
    np.testing.assert_allclose(plateau, 1 / (1 + distance**1.5), atol=1e-4)


def test_a_sinc_filter_passes_low_frequencies_and_stops_high_ones():
    special = pytest.importorskip("scipy.special")

    class Middle(Drawn):
        def uniform(self, low=0.0, high=1.0):
            return tf.constant(1.5)

    kernel = degradation._sinc(Middle(), 10.0, 1.0).numpy()
    y, x = np.mgrid[-10:11, -10:11]
    distance = np.hypot(x, y)
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = 1.5 * special.j1(1.5 * distance) / (2 * np.pi * distance)
    expected[10, 10] = 1.5**2 / (4 * np.pi)
    np.testing.assert_allclose(kernel, expected / expected.sum(), atol=1e-5)
    for frequency, low, high in ((0.3, 0.9, 1.1), (2.8, -0.1, 0.1)):
        assert low < (kernel * np.cos(frequency * x)).sum() < high


def test_filters_mirror_the_edges():
    picture = RNG.uniform(0, 255, (12, 15, 3)).astype("float32")
    kernel = np.zeros((21, 21), "float32")
    kernel[10, 13] = 1.0  # three pixels to the right
    moved = degradation._filtered(picture, kernel).numpy()
    padded = np.pad(picture, [(0, 0), (0, 3), (0, 0)], mode="reflect")
    np.testing.assert_allclose(moved, padded[:, 3:], rtol=1e-6)
    tiny = RNG.uniform(0, 255, (2, 1, 3)).astype("float32")  # smaller than its padding
    assert np.isfinite(degradation._filtered(tiny, kernel)).all()


# ---- noise, and the rest


def noise(grey, gaussian, level):
    picture = np.full((96, 96, 3), 128, "float32")
    changes = {"grey": grey, "gaussian": gaussian}
    changes |= {"first_noise": (level, level), "first_poisson": (level, level)}
    made = degradation._noisy(tf.constant(picture), Drawn(), Settings(**changes), "first")
    return made.numpy() - 128


@pytest.mark.parametrize("gaussian", [0.0, 1.0])
def test_grey_noise_is_the_same_in_all_channels(gaussian):
    level = 10.0 if gaussian else 2.0
    grey, colour = noise(1.0, gaussian, level), noise(0.0, gaussian, level)
    np.testing.assert_allclose(grey[..., 0], grey[..., 1], atol=1e-4)
    assert abs(np.corrcoef(colour[..., 0].ravel(), colour[..., 1].ravel())[0, 1]) < 0.05


def test_gaussian_noise_has_its_standard_deviation():
    assert noise(0.0, 1.0, 10.0).std() == pytest.approx(10.0, rel=0.03)


def test_poisson_noise_has_the_variance_of_its_mean():
    # One level: counts of mean 128 / 255, so that the standard deviation is the root of that.
    found = noise(0.0, 0.0, 0.05)
    assert found.std() == pytest.approx(0.05 * 255 * np.sqrt(128 / 255), rel=0.03)


@pytest.mark.parametrize("quality", [30, 95])
def test_jpeg_is_that_of_pillow_and_does_not_shift_colours(quality):
    picture, file = smooth(), io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    expected = np.asarray(Image.open(file), "float32")
    qualities = (float(quality), float(quality))
    made = degradation._jpeg(tf.constant(picture, "float32"), Drawn(), qualities).numpy()
    assert np.abs(made - expected).max() <= 1
    # TensorFlow's default of decoding is off by 1.2 of 255 in red and blue here.
    assert np.abs((made - picture).mean((0, 1))).max() < 0.5


def test_kinds_are_drawn_as_often_as_their_probabilities_say():
    drawn = [Drawn((0, k)).one_of((2, 1, 1)).numpy() for k in range(400)]
    share = np.bincount(drawn, minlength=3) / 400
    np.testing.assert_allclose(share, [0.5, 0.25, 0.25], atol=0.07)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: degrade(PICTURE[None], [0, 1]), "One image is degraded at a time.*1, 64"),
        (lambda: degrade(PICTURE[..., :2], [0, 1]), "grey or RGB"),
        (lambda: degrade(PICTURE, [0, 1], 0), "`scale`.*0"),
        (lambda: degrade(PICTURE, [0, 1], first_sink=1), "no such setting.*Did you mean"),
        (lambda: degrade(PICTURE, [0, 1], grey=-0.5), "`grey` does not fit.*grey=-0.5"),
        (lambda: degrade(PICTURE, [0, 1], first_sigma=(3, 1)), "the smaller first"),
        (lambda: degrade(PICTURE, [0, 1], first_range=(0, 1)), "`first_range`"),
        (lambda: degrade(PICTURE, [0, 1], kernels=(1, 1)), "6 probabilities"),
        (lambda: degrade(PICTURE, [0, 1], second_resize=(0, 0, 0)), "not all 0"),
        (lambda: Settings.of([1]), "given by name"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        call()


def test_it_is_a_public_name():
    assert data.degrade is degrade
