"""Similarity of two images, and sharpness of one. Images in [-1, 1].

All but `ms_ssim_diversity` return one float64 for each image.
"""

import numpy as np
from numpy.typing import ArrayLike

from keras_gans import batches, checks
from keras_gans.image import range as image_range

# Weights of the scales, finest first (Wang 2003, section 3.2).
_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_WINDOW = 11
# How many images TensorFlow gets at once: it takes about ten times their memory.
_CHUNK = 64
# How far outside [-1, 1] counts as rounding: one ulp of bfloat16 at 1.
_SLACK = 2.0**-7


def l1(target: ArrayLike, made: ArrayLike) -> np.ndarray:
    """Mean absolute difference of each image: of pixels in [-1, 1], so from 0 to 2.

    >>> l1(np.zeros((1, 2, 2, 1)), np.full((1, 2, 2, 1), 0.5)).tolist()
    [0.5]

    Args:
        target: floats in [-1, 1], `(batch, height, width, channels)`.
        made: likewise.

    Returns:
        Float64 `(batch,)`.

    Raises:
        ValueError: for images of different shapes, of integers, or out of range.
    """
    target, made = require_pair(target, made)
    return np.abs(target - made).mean(axis=(1, 2, 3))


def psnr(target: ArrayLike, made: ArrayLike) -> np.ndarray:
    """Peak signal-to-noise ratio of each image in dB, `10 log10(2^2 / mean squared difference)`.

    The peak is the width of the range, 2, so the values equal those of 8-bit images.

    >>> psnr(np.zeros((1, 2, 2, 1)), np.full((1, 2, 2, 1), 0.2)).round(6).tolist()
    [20.0]

    Args:
        target: floats in [-1, 1], `(batch, height, width, channels)`.
        made: likewise.

    Returns:
        Float64 `(batch,)`; infinite for equal images.

    Raises:
        ValueError: for images of different shapes, of integers, or out of range.
    """
    target, made = require_pair(target, made)
    with np.errstate(divide="ignore"):
        return 10.0 * np.log10(4.0 / np.square(target - made).mean(axis=(1, 2, 3)))


def ssim(target: ArrayLike, made: ArrayLike) -> np.ndarray:
    """Structural similarity of each image (Wang 2004, section III, eq. 13).

    By `tf.image.ssim`: an 11x11 Gaussian window with a standard deviation of 1.5 wherever it
    fits, K1 = 0.01, K2 = 0.03, and the mean over the channels. It compares means too, so pixels are
    shifted to [0, 2] first: the values equal those of 8-bit images.

    >>> ssim(np.zeros((1, 16, 16, 3)), np.zeros((1, 16, 16, 3))).tolist()
    [1.0]

    Args:
        target: floats in [-1, 1], `(batch, height, width, channels)`, 11 pixels or more a side.
        made: likewise.

    Returns:
        Float64 `(batch,)`, 1 for equal images, and computed in float32.

    Raises:
        ValueError: for images of different shapes, too small, of integers, or out of range.
    """
    import tensorflow as tf

    target, made = require_pair(target, made)
    _require_scales(target, 1)
    return _in_chunks(lambda x, y: tf.image.ssim(x, y, 2.0), target, made)


def ms_ssim(target: ArrayLike, made: ArrayLike, scales: int = 5) -> np.ndarray:
    """Structural similarity over several scales, of each image (Wang 2003, eq. 7).

    By `tf.image.ssim_multiscale`, with the settings of `ssim` and the paper's weights. Each scale
    downsamples the image by 2, and five need 176 pixels a side. For fewer scales, the weights of
    the finest are divided by their sum. Values of different `scales` are not comparable.

    >>> images = np.random.default_rng(0).uniform(-1, 1, size=(2, 1, 28, 28, 1))
    >>> bool(ms_ssim(images[0], images[1], scales=2)[0] < 0.2)
    True

    Args:
        target: floats in [-1, 1], `(batch, height, width, channels)`, at least
            `11 * 2^(scales - 1)` pixels a side.
        made: likewise.
        scales: how many, from 1 to 5.

    Returns:
        Float64 `(batch,)`, 1 for equal images, 0 if structures are opposite.

    Raises:
        ValueError: for images of different shapes, too small, of integers, or out of range.
    """
    import tensorflow as tf

    target, made = require_pair(target, made)
    weights = _WEIGHTS[: _require_scales(target, scales)]
    # The paper's weights sum to 1.0001: all five are used as printed.
    total = sum(weights) if scales < len(_WEIGHTS) else 1.0
    weights = [weight / total for weight in weights]
    return _in_chunks(lambda x, y: tf.image.ssim_multiscale(x, y, 2.0, weights), target, made)


def ms_ssim_diversity(
    images: ArrayLike, num_pairs: int = 100, seed: int = 0, scales: int = 5
) -> float:
    """Mean `ms_ssim` of random pairs of images: lower is more varied (Odena 2017, section 4.2).

    The paper uses 100 pairs of images of one class, and compares with the value of real images,
    because noise is varied too.

    >>> ms_ssim_diversity(np.zeros((5, 32, 32, 1)), num_pairs=4, scales=2)
    1.0

    Args:
        images: floats in [-1, 1], `(number, height, width, channels)`, 2 or more.
        num_pairs: how many pairs, each of two different images.
        seed: of the pairs.
        scales: as in `ms_ssim`.

    Returns:
        A float.

    Raises:
        ValueError: for fewer than 2 images, and as `ms_ssim`.
    """
    checks.count("num_pairs", num_pairs)
    images = require_images(images, "images")
    if len(images) < 2:
        raise ValueError(
            f"A pair takes two images. Give more. Received: images of shape {images.shape}"
        )
    first, second = random_pairs(len(images), num_pairs, seed)
    return float(ms_ssim(images[first], images[second], scales).mean())


def random_pairs(number: int, num_pairs: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns indices of the first and the second images of pairs of different images."""
    rng = np.random.default_rng(seed)
    first = rng.integers(number, size=num_pairs)
    return first, (first + rng.integers(1, number, size=num_pairs)) % number


def fitting_scales(side: int) -> int:
    """Returns how many scales of `ms_ssim` fit images with so many pixels on the shorter side.

    >>> fitting_scales(28), fitting_scales(176), fitting_scales(8)
    (2, 5, 0)
    """
    return sum(side >= _WINDOW << scale for scale in range(len(_WEIGHTS)))


def gradient_energy(images: ArrayLike) -> np.ndarray:
    """Sharpness: the mean squared difference of neighbouring pixels, of each image.

    The mean over vertical neighbours plus that over horizontal ones. Blur decreases it and noise
    increases it, so compare with real images of the same size.

    >>> gradient_energy(np.array([-1.0, 0.0, 1.0]).reshape(1, 1, 3, 1) * np.ones((1, 3, 1, 1)))
    array([1.])

    Args:
        images: floats in [-1, 1], `(batch, height, width, channels)`, 2 pixels or more a side.

    Returns:
        Float64 `(batch,)`.

    Raises:
        ValueError: for images without a batch axis, too small, of integers, or out of range.
    """
    images = require_images(images, "images")
    if min(images.shape[1:3]) < 2:
        raise ValueError(
            "The images are too small. A pixel needs a neighbour: 2 pixels or more a side. "
            f"Received: shape {images.shape}"
        )
    return sum(np.square(np.diff(images, axis=axis)).mean(axis=(1, 2, 3)) for axis in (1, 2))


def require_images(images: ArrayLike, name: str) -> np.ndarray:
    """Returns a batch of images in [-1, 1] as float64; raises ValueError for anything else."""
    array = np.asarray(images)
    # NumPy does not know that bfloat16 is a float.
    if array.dtype.kind != "f" and array.dtype.name != "bfloat16":
        raise ValueError(
            f"The {name} must be floats in [-1, 1]. Convert them with "
            f"`keras_gans.image.from_uint8`. Received: {array.dtype}"
        )
    if array.ndim != 4 or not array.size:
        raise ValueError(
            f"The {name} must be a batch (batch, height, width, channels) of at least 1. Add the "
            f"missing axis with `np.expand_dims`. Received: shape {array.shape}"
        )
    low, high = float(array.min()), float(array.max())
    if not (low >= -1 - _SLACK and high <= 1 + _SLACK):  # false of NaN
        raise ValueError(
            f"The {name} are out of range. Expected finite values in [-1, 1]; clip the outputs of "
            f"networks that do not end in tanh. Received: values from {low:.6g} to {high:.6g}"
        )
    array = array.astype("float64")
    if len(array) >= image_range.ENOUGH:  # fewer may all be bright
        batches.warn_of_half_range(array)
    return array


def require_pair(target: ArrayLike, made: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Returns two batches of images of one shape; raises ValueError for others."""
    target, made = require_images(target, "target images"), require_images(made, "made images")
    if target.shape != made.shape:
        unlike = target.shape[:3] == made.shape[:3]
        advice = "Convert grey or colour to the other" if unlike else "Resize or cut one of them"
        raise ValueError(
            f"The images do not have the same shape. {advice}. "
            f"Received: target {target.shape}, made {made.shape}"
        )
    return target, made


def _require_scales(images, scales):
    """Returns `scales` if a window fits into the coarsest."""
    checks.count("scales", scales)
    if scales > len(_WEIGHTS):
        raise ValueError(f"There are weights for {len(_WEIGHTS)} scales. Received: scales={scales}")
    fit = fitting_scales(min(images.shape[1:3]))
    if scales > fit:
        advice = f"`scales={fit}` fit" if fit else "None fits"
        raise ValueError(
            f"The images are too small for the window of {_WINDOW} pixels. Expected at least "
            f"{_WINDOW << (scales - 1)} pixels a side for {scales} scale(s). {advice}. "
            f"Received: shape {images.shape}, scales={scales}"
        )
    return scales


def _in_chunks(similarity, target, made):
    """Applies a TensorFlow function of images in [0, 2] to a few at a time."""
    return np.concatenate(
        [
            similarity(
                (target[start : start + _CHUNK] + 1.0).astype("float32"),
                (made[start : start + _CHUNK] + 1.0).astype("float32"),
            )
            .numpy()
            .astype("float64")
            for start in range(0, len(target), _CHUNK)
        ]
    )
