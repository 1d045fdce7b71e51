"""Ranges and dtypes: floats in [-1, 1] and `uint8` from 0 to 255, for NumPy."""

import warnings

import numpy as np
from numpy.typing import ArrayLike

# How far outside [-1, 1] counts as rounding: one ulp of bfloat16 at 1, which is 2**-7.
_SLACK = 2.0**-7
# So many images without a negative value are not bright by chance.
ENOUGH = 8


def to_uint8(images: ArrayLike) -> np.ndarray:
    """Turns floats in [-1, 1] into `uint8`.

    -1 becomes 0 and 1 becomes 255, rounded to the nearest, so `to_uint8(from_uint8(x))` is `x`.
    A value outside [-1, 1] by more than the rounding of half precision is an error and is not
    clipped: it mostly means images in [0, 255], or a generator without `tanh`.

    >>> to_uint8(np.array([-1.0, 0.0, 1.0])).tolist()
    [0, 128, 255]

    Args:
        images: Array or tensor of floats in [-1, 1], of any shape.

    Returns:
        NumPy array of `uint8`, of the same shape.

    Raises:
        ValueError: If `images` are not floats, or hold NaN or values outside [-1, 1].
    """
    images = np.asarray(images)
    if images.dtype.name == "bfloat16":  # not a float to NumPy
        images = images.astype("float32")
    if images.dtype.kind != "f":
        raise ValueError(
            f"`to_uint8` got images of an unsuitable dtype. Expected floats in [-1, 1]; turn "
            f"uint8 images into such floats with `from_uint8`. Received: dtype={images.dtype}"
        )
    if images.size == 0:
        return np.zeros(images.shape, "uint8")
    # Half precision is too coarse for 256 levels times 127.5.
    images = images.astype("float32", copy=False)
    low, high = images.min(), images.max()  # both are NaN if any value is
    if not (low >= -1 - _SLACK and high <= 1 + _SLACK):
        raise ValueError(
            f"`to_uint8` got values outside [-1, 1]. Expected finite floats in [-1, 1]; rescale "
            f"the images, or pass them through `np.clip(images, -1, 1)` if they come from a "
            f"network that does not end in tanh. Received: values from {low} to {high}"
        )
    return np.rint((np.clip(images, -1, 1) + 1) * 127.5).astype("uint8")


def from_uint8(images: ArrayLike) -> np.ndarray:
    """Turns `uint8` into floats in [-1, 1].

    >>> from_uint8(np.array([0, 255], "uint8")).tolist()
    [-1.0, 1.0]

    Args:
        images: Array or tensor of `uint8`, of any shape.

    Returns:
        NumPy array of `float32` in [-1, 1], of the same shape.

    Raises:
        ValueError: If `images` are not `uint8`.
    """
    images = np.asarray(images)
    if images.dtype != np.uint8:
        raise ValueError(
            f"`from_uint8` got images of an unsuitable dtype. Expected uint8; floats in [-1, 1] "
            f"need no conversion. Received: dtype={images.dtype}"
        )
    return images.astype("float32") / np.float32(127.5) - np.float32(1)


def as_uint8(images: ArrayLike) -> np.ndarray:
    """Returns `uint8` images as they are, and floats in [-1, 1] through `to_uint8`.

    Eight images or more without a negative value get a `UserWarning`; fewer may all be bright.
    """
    images = np.asarray(images)
    if images.dtype == np.uint8:
        return images
    converted = to_uint8(images)
    if images.ndim == 4 and len(images) >= ENOUGH:
        warn_of_half_range(float(images.min()), float(images.max()), stacklevel=4)
    return converted


def warn_of_half_range(low: float, high: float, stacklevel: int = 3) -> None:
    """Warns if values of a batch of images look like those of [0, 1].

    None is negative, some are near 0 and some in the upper half. So the grey images of a generator
    at the start of its training, and bright ones, get no warning.

    Args:
        low: The smallest value.
        high: The largest value.
        stacklevel: Of `warnings.warn`: by default the caller of the caller.
    """
    if 0.0 <= low < 0.1 and high > 0.5:
        warnings.warn(
            "No value of these images is negative. Images lie in [-1, 1], where -1 is black and 0 "
            "is grey. Of images in [0, 1] make `images * 2 - 1`. "
            f"Received: values from {low:.4g} to {high:.4g}",
            stacklevel=stacklevel,
        )
