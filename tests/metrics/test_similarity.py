import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from keras_gans import image
from keras_gans.metrics import gradient_energy, l1, ms_ssim, ms_ssim_diversity, psnr, ssim

RNG = np.random.default_rng(0)


def smooth(number, height, width, channels, sigma=2.0):
    """Blobs in [-1, 1]."""
    noise = scipy.ndimage.gaussian_filter(
        RNG.normal(size=(number, height, width, channels)), (0, sigma, sigma, 0)
    )
    return (noise / np.abs(noise).max(axis=(1, 2, 3), keepdims=True)).astype("float32")


def noisy(images, stddev=0.2):
    noise = RNG.normal(0, stddev, images.shape).astype("float32")
    return np.clip(images + noise, -1, 1)


def maps(x, y):
    """Luminance and contrast-structure of two planes in [0, 2], by loops over the window."""
    axis = np.arange(11) - 5
    window = np.exp(-(axis[:, None] ** 2 + axis**2) / (2 * 1.5**2))
    window /= window.sum()
    c1, c2 = (0.01 * 2) ** 2, (0.03 * 2) ** 2
    luminance, structure = [], []
    for i in range(x.shape[0] - 10):
        for j in range(x.shape[1] - 10):
            a, b = x[i : i + 11, j : j + 11], y[i : i + 11, j : j + 11]
            m, n = (window * a).sum(), (window * b).sum()
            v, w = (window * (a - m) ** 2).sum(), (window * (b - n) ** 2).sum()
            c = (window * (a - m) * (b - n)).sum()
            luminance.append((2 * m * n + c1) / (m * m + n * n + c1))
            structure.append((2 * c + c2) / (v + w + c2))
    return np.array(luminance), np.array(structure)


def ssim_by_loops(x, y):
    values = []
    for channel in range(x.shape[-1]):
        luminance, structure = maps(*(z[..., channel].astype("float64") + 1 for z in (x, y)))
        values.append((luminance * structure).mean())
    return np.mean(values)


def ms_ssim_by_loops(x, y, weights):
    values = []
    for channel in range(x.shape[-1]):
        a, b = (z[..., channel].astype("float64") + 1 for z in (x, y))
        product = 1.0
        for scale, weight in enumerate(weights):
            luminance, structure = maps(a, b)
            last = scale == len(weights) - 1
            product *= ((luminance if last else 1.0) * structure).mean() ** weight
            if not last:
                half = (a.shape[0] // 2, 2, a.shape[1] // 2, 2)
                a, b = (z.reshape(half).mean(axis=(1, 3)) for z in (a, b))
        values.append(product)
    return np.mean(values)


def test_l1_and_psnr_by_hand():
    x = np.zeros((2, 2, 2, 1))
    y = x.copy()
    y[1] = np.array([0.5, -0.5, 0.0, 1.0]).reshape(2, 2, 1)
    np.testing.assert_allclose(l1(x, y), [0.0, 0.5])
    # Mean square 1.5 / 4, peak 2.
    np.testing.assert_allclose(psnr(x, y), [np.inf, 10 * np.log10(4 / 0.375)])
    assert psnr(x - 1, x + 1)[0] == 0.0  # as far apart as images can be


def test_psnr_is_that_of_tensorflow_and_of_8_bits():
    x, y = smooth(3, 12, 12, 3), smooth(3, 12, 12, 3)
    np.testing.assert_allclose(psnr(x, y), tf.image.psnr(x, y, max_val=2.0), rtol=1e-5)
    x8, y8 = image.to_uint8(x), image.to_uint8(y)
    expected = tf.image.psnr(x8, y8, max_val=255)
    np.testing.assert_allclose(
        psnr(image.from_uint8(x8), image.from_uint8(y8)), expected, rtol=1e-5
    )


@pytest.mark.parametrize("shape", [(3, 20, 16, 1), (2, 11, 13, 3)])
def test_ssim_against_loops(shape):
    x = smooth(*shape)
    y = noisy(x)
    expected = [ssim_by_loops(a, b) for a, b in zip(x, y)]
    assert min(expected) > 0.1 and max(expected) < 0.95
    np.testing.assert_allclose(ssim(x, y), expected, atol=1e-5)
    np.testing.assert_allclose(ssim(x, x), 1.0, atol=1e-6)


def test_ssim_is_that_of_8_bits():
    # Not so without moving to [0, 2]: means of opposite signs would count as opposed.
    x = smooth(3, 24, 24, 3)
    x8, y8 = image.to_uint8(x), image.to_uint8(noisy(x))
    expected = tf.image.ssim(x8, y8, max_val=255).numpy()
    found = ssim(image.from_uint8(x8), image.from_uint8(y8))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    unmoved = tf.image.ssim(image.from_uint8(x8), image.from_uint8(y8), max_val=2.0).numpy()
    assert np.abs(unmoved - expected).max() > 0.01


@pytest.mark.parametrize(
    ("side", "weights"),
    [
        (16, [1.0]),
        (24, [0.0448 / 0.3304, 0.2856 / 0.3304]),
        (48, [0.0448 / 0.6305, 0.2856 / 0.6305, 0.3001 / 0.6305]),
    ],
)
def test_ms_ssim_against_loops(side, weights):
    x = smooth(2, side, side, 2)
    y = noisy(x)
    expected = [ms_ssim_by_loops(a, b, weights) for a, b in zip(x, y)]
    assert min(expected) > 0.2 and max(expected) < 0.99
    np.testing.assert_allclose(ms_ssim(x, y, scales=len(weights)), expected, atol=1e-5)


def test_five_scales_are_the_papers():
    x = smooth(2, 176, 176, 1)
    y = noisy(x)
    expected = tf.image.ssim_multiscale(x + 1, y + 1, 2.0).numpy()
    np.testing.assert_allclose(ms_ssim(x, y), expected, atol=1e-6)
    weights = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]
    assert ms_ssim(x, y)[0] == pytest.approx(ms_ssim_by_loops(x[0], y[0], weights), abs=1e-5)


def test_many_images_are_done_a_few_at_a_time():
    x = smooth(150, 12, 12, 1)
    y = noisy(x)
    found = ssim(x, y)
    assert found.shape == (150,) and found.dtype == "float64"
    for number in (0, 63, 64, 127, 128, 149):
        one = slice(number, number + 1)
        assert found[number] == pytest.approx(ssim(x[one], y[one])[0], abs=1e-6)


def test_diversity_is_the_mean_of_pairs_of_two_images():
    x = smooth(3, 24, 24, 1)
    pairs = [ms_ssim(x[[i]], x[[j]], 2)[0] for i, j in ((0, 1), (0, 2), (1, 2))]
    found = ms_ssim_diversity(x, num_pairs=600, scales=2)
    # Never an image with itself, which would be 1; each pair as often.
    assert found == pytest.approx(np.mean(pairs), abs=0.1 * np.ptp(pairs) + 1e-6)
    alike = noisy(np.repeat(x[:1], 5, axis=0), 0.05)
    assert ms_ssim_diversity(alike, scales=2) > 0.5 > found
    x = smooth(20, 24, 24, 1)
    assert ms_ssim_diversity(x, 5, scales=2) == ms_ssim_diversity(x, 5, seed=0, scales=2)
    assert ms_ssim_diversity(x, 5, scales=2) != ms_ssim_diversity(x, 5, seed=1, scales=2)


def test_gradient_energy_by_hand():
    x = np.zeros((2, 2, 3, 1))
    x[1] = np.array([[0.0, 0.5, 1.0], [0.0, 0.5, 0.0]])[..., None]
    # Down: 0, 0, 1. Across: 1/4, 1/4, 1/4, 1/4.
    np.testing.assert_allclose(gradient_energy(x), [0.0, 1 / 3 + 1 / 4])
    sharp = noisy(smooth(1, 20, 20, 3))
    blurred = scipy.ndimage.gaussian_filter(sharp, (0, 1, 1, 0))
    assert gradient_energy(blurred) < gradient_energy(sharp) / 2
    np.testing.assert_allclose(gradient_energy(sharp), gradient_energy(sharp[:, ::-1, ::-1]))


def test_half_precision_images():
    x = smooth(2, 12, 12, 1)
    for dtype in ("float16", tf.bfloat16.as_numpy_dtype):
        assert l1(x.astype(dtype), x).max() < 0.01
        assert ssim(x.astype(dtype), x).min() > 0.98


Z = np.zeros((2, 12, 12, 3), "float32")


@pytest.mark.parametrize("metric", [l1, psnr, ssim, lambda x, y: ms_ssim(x, y, scales=1)])
@pytest.mark.parametrize(
    ("target", "made", "says"),
    [
        (Z, Z[:1], "same shape"),
        (Z, Z[:, :11], "Resize"),
        (Z, Z[..., :1], "grey"),
        (Z[0], Z[0], "expand_dims"),
        (Z[:0], Z[:0], "at least 1"),
        (Z.astype("uint8"), Z, "target.*from_uint8"),
        (Z, Z.astype("int32"), "made.*from_uint8"),
        (Z, Z + 1.1, "range"),
        (Z - 255, Z, "range"),
        (Z * np.nan, Z, "range"),
    ],
)
def test_bad_images(metric, target, made, says):
    with pytest.raises(ValueError, match=f"(?s){says}.*Received"):
        metric(target, made)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: ssim(Z[:, :10], Z[:, :10]), "None fits"),
        (lambda: ms_ssim(Z[:, :10], Z[:, :10]), "None fits"),
        (lambda: ms_ssim(np.zeros((1, 175, 200, 1)), np.zeros((1, 175, 200, 1))), "`scales=4`"),
        (lambda: ms_ssim(np.zeros((1, 28, 28, 1)), np.zeros((1, 28, 28, 1))), "`scales=2`"),
        (lambda: ms_ssim(Z, Z, scales=0), "scales"),
        (lambda: ms_ssim(Z, Z, scales=6), "5 scales"),
        (lambda: ms_ssim_diversity(Z, num_pairs=0, scales=1), "num_pairs"),
        (lambda: ms_ssim_diversity(Z[:1], scales=1), "two images"),
        (lambda: ms_ssim_diversity(Z), "`scales=1`"),
        (lambda: gradient_energy(Z[:, :1]), "neighbour"),
        (lambda: gradient_energy(Z + 3), "range"),
        (lambda: gradient_energy(Z[0]), "expand_dims"),
    ],
)
def test_bad_input(call, says):
    with pytest.raises(ValueError, match=f"(?s){says}.*Received"):
        call()
