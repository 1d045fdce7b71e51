"""Metrics of super-resolution: by hand, in closed form, and on pairs of a folder."""

import numpy as np
import pytest
from PIL import Image

from keras_gans import image, metrics
from keras_gans.metrics import super_resolution

RNG = np.random.default_rng(0)


def test_luma_is_that_of_matlab():
    """`rgb2ycbcr` of MATLAB's documentation: 16 + (65.481 R + 128.553 G + 24.966 B)."""
    colours = np.array([[0, 0, 0], [255, 255, 255], [255, 0, 0], [10, 200, 30]])
    pixels = colours.reshape(1, 1, 4, 3) / 127.5 - 1
    expected = 16 + colours / 255 @ [65.481, 128.553, 24.966]
    found = super_resolution.luma(pixels).ravel() * 127.5 + 127.5
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    grey = super_resolution.luma(pixels[..., :1] * 0 + 1.0).ravel() * 127.5 + 127.5
    np.testing.assert_allclose(grey, 235.0)


def test_psnr_y_is_of_luma_and_leaves_the_border_out():
    target = np.zeros((1, 20, 20, 3))
    made = target.copy()
    made[:, 4:-4, 4:-4] += 10 / 127.5
    made[:, :4] = 1.0  # left out
    shift = 10 / 255 * (65.481 + 128.553 + 24.966)
    expected = 20 * np.log10(255 / shift)
    found = metrics.psnr_y(target, made)
    # 8 bits: 127.5 and 137.5 are rounded to even numbers.
    assert found.item() == pytest.approx(expected, abs=0.01)
    assert metrics.psnr_y(target, made, border=0) < found - 10


def test_ssim_y_is_that_of_luma():
    target, made = (np.round(RNG.uniform(0, 255, (1, 32, 32, 3))) / 127.5 - 1 for _ in range(2))
    inner = [super_resolution.luma(x[:, 4:-4, 4:-4]) for x in (target, made)]
    np.testing.assert_allclose(metrics.ssim_y(target, made), metrics.ssim(*inner), rtol=1e-6)
    assert metrics.ssim_y(target, target).item() == pytest.approx(1.0)


def test_colour_shift_is_the_largest_of_a_channel():
    target = RNG.uniform(-0.5, 0.5, (2, 8, 8, 3))
    made = target + np.array([0.01, -0.04, 0.0])
    np.testing.assert_allclose(metrics.colour_shift(target, made), 0.04 * 127.5)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda x: metrics.psnr_y(x, x, border=16), "no larger than the border.*border=16"),
        (lambda x: metrics.psnr_y(x, x, border=-1), "`border`"),
        (lambda x: metrics.ssim_y(x, x, border=12), "too small for the window"),
        (lambda x: metrics.psnr_y(x, x[..., :1]), "do not have the same shape"),
        (lambda x: metrics.colour_shift(x, x + 3), "out of range"),
        (lambda x: metrics.psnr_y(x[..., :2], x[..., :2]), "1 or 3 channels"),
        (lambda x: metrics.perceptual_distance(x, x, "vgg"), "No network of that name.*'vgg'"),
        (lambda x: metrics.perceptual_distance(x, x, "random_cnn_v1", ["x"]), "no such layer"),
        (lambda x: metrics.SuperResolutionEvaluation("earth", "random_cnn_v1"), "`scale`"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        call(np.zeros((1, 32, 32, 3)))


def test_perceptual_distance_is_zero_for_equal_images_and_grows_with_noise():
    images = np.tanh(RNG.normal(size=(3, 32, 32, 3)))
    noisy = [np.clip(images + s * RNG.normal(size=images.shape), -1, 1) for s in (0.05, 0.5)]
    distance = metrics.PerceptualDistance("random_cnn_v1", batch_size=2)
    found = [distance(images, x) for x in (images, *noisy)]
    assert found[0].tolist() == [0, 0, 0] and found[1].dtype == "float64"
    assert (found[0] < found[1]).all() and (found[1] < found[2]).all()
    assert distance.name == "random_cnn_v1" and len(distance.sha256) == 64
    alone = metrics.perceptual_distance(images[2:], noisy[1][2:], "random_cnn_v1")
    np.testing.assert_allclose(alone, found[2][2:], rtol=1e-5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures")
    for split, number in (("train", 1), ("val", 3)):
        (path / split).mkdir()
        for name in range(number):
            small = RNG.integers(0, 255, (14, 12, 3)).astype("uint8")
            Image.fromarray(small).resize((60, 70)).save(path / split / f"{name}.png")
    return path


@pytest.fixture(scope="module")
def evaluation(folder, tmp_path_factory):
    return metrics.SuperResolutionEvaluation(
        folder,
        "random_cnn_v1",
        scale=2,
        image_size=48,
        data_dir=str(tmp_path_factory.mktemp("data")),
    )


def test_an_evaluation_measures_pairs_under_the_names_of_protocols(evaluation):
    sources, targets = next(evaluation.pairs())
    assert sources.shape == (3, 24, 24, 3) and targets.shape == (3, 48, 48, 3)
    nearest = lambda x: x.repeat(2, 1).repeat(2, 2)  # noqa: E731
    found = {m.protocol.metric: m for m in evaluation.measure(nearest).values()}
    made = nearest(sources)
    for name, function in (("psnr_y", metrics.psnr_y), ("ssim_y", metrics.ssim_y)):
        assert float(found[name]) == pytest.approx(function(targets, made, 2).mean(), rel=1e-6)
    distance = metrics.perceptual_distance(targets, made, "random_cnn_v1").mean()
    assert float(found["perceptual"]) == pytest.approx(distance, rel=1e-5)
    energy = [metrics.gradient_energy(x).sum() for x in (made, targets)]
    assert float(found["sharpness"]) == pytest.approx(energy[0] / energy[1], rel=1e-6)
    assert float(found["grid_ratio"]) == pytest.approx(metrics.grid_ratio(made, (2, 4, 8)))
    (real,) = evaluation.reference().values()
    assert float(real) == pytest.approx(metrics.grid_ratio(targets, (2, 4, 8)))
    assert real.protocol == found["grid_ratio"].protocol and real.protocol.lower_is_better
    protocol = found["perceptual"].protocol
    assert protocol.name.startswith("perceptual3_random_cnn_v1_on_pictures")
    assert protocol.name.endswith("_validation_x2_48") and protocol.lower_is_better
    assert not found["psnr_y"].protocol.lower_is_better


def test_bicubic_is_measured_beside(evaluation):
    found = evaluation.degradations()
    assert sorted(found) == ["bicubic", "nearest"]
    values = {n: {m.protocol.metric: float(m) for m in v.values()} for n, v in found.items()}
    assert values["bicubic"]["psnr_y"] > values["nearest"]["psnr_y"]
    sources, targets = next(evaluation.pairs())
    bicubic = np.stack(
        [
            np.asarray(Image.fromarray(x).resize((48, 48), Image.Resampling.BICUBIC))
            for x in image.to_uint8(sources)
        ]
    )
    near = metrics.psnr_y(targets, image.from_uint8(bicubic), 2).mean()
    assert values["bicubic"]["psnr_y"] == pytest.approx(near, abs=0.1)  # other edges
