"""`uint8` pixels: resizing and composing. TensorFlow's versions for `tf.data` and for exported
graphs are in `data/preprocessing.py` and `export/graph/`; tests hold them to these.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image


def to_pillow(pixels: np.ndarray) -> "Image.Image":
    """Returns `uint8` pixels `(height, width, channels)` as Pillow's image.

    Args:
        pixels: NumPy array of `uint8` with 1, 3 or 4 channels.

    Returns:
        `PIL.Image.Image` in the mode "L", "RGB" or "RGBA".

    Raises:
        ValueError: If the shape is another one.
    """
    from PIL import Image

    if pixels.ndim != 3 or 0 in pixels.shape or pixels.shape[-1] not in (1, 3, 4):
        raise ValueError(
            f"That is no image. Expected shape (height, width, channels) with 1, 3 or 4 channels "
            f"and no empty axis. Received: shape={pixels.shape}"
        )
    plain = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
    return Image.fromarray(np.ascontiguousarray(plain))


def from_pillow(image: "Image.Image") -> np.ndarray:
    """Returns Pillow's image as `uint8` pixels `(height, width, channels)`."""
    return np.asarray(image).reshape(image.height, image.width, -1)


def resize(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resizes one image: bicubic, with antialiasing.

    >>> resize(np.zeros((8, 8, 3), "uint8"), (4, 6)).shape
    (4, 6, 3)

    Args:
        pixels: NumPy array of `uint8` and shape `(height, width, channels)`.
        size: Height and width of the result in pixels.

    Returns:
        NumPy array of `uint8` and shape `(*size, channels)`.

    Raises:
        ValueError: If `pixels` are no image.
    """
    from PIL import Image

    height, width = size
    return from_pillow(to_pillow(pixels).resize((width, height), Image.Resampling.BICUBIC))


def fit(image: "Image.Image", size: tuple[int, int]) -> np.ndarray:
    """Resizes an image until it covers `size` (bicubic, antialiased), and crops about the centre.

    Args:
        image: `PIL.Image.Image` in the mode "L" or "RGB".
        size: Height and width of the result in pixels.

    Returns:
        NumPy array of `uint8` and shape `(height, width, channels)`.
    """
    from PIL import Image, ImageOps

    height, width = size
    # Pillow's `fit` resizes and crops at once, without rounding the longer side.
    return from_pillow(ImageOps.fit(image, (width, height), Image.Resampling.BICUBIC))


def on_white(colors: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Composes an image with transparent parts on white.

    >>> on_white(np.array([[[10, 20, 30]]], "uint8"), np.array([[[0]]], "uint8")).tolist()
    [[[255, 255, 255]]]

    Args:
        colors: NumPy array of `uint8` and shape `(height, width, channels)`.
        alpha: NumPy array of `uint8` and shape `(height, width, 1)`; 255 is opaque.

    Returns:
        NumPy array of `uint8`, as large as `colors`; rounded to the nearest.
    """
    alpha = alpha.astype("uint16")
    # 255 * 255 + 127 fits into 16 bits, and with 255 odd there are no ties.
    return ((colors * alpha + 255 * (255 - alpha) + 127) // 255).astype("uint8")
