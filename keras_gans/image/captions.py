"""Images with a text below each."""

import textwrap
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from keras_gans.image.grids import enlarge, visible_scale
from keras_gans.image.range import as_uint8

_SIZE = 10  # of the letters, in pixels
_LINE = 12  # from one line to the next
_LETTER = 5.2  # mean width of a letter


def captioned(images: ArrayLike, texts: Sequence[str], pixels: int = 128) -> np.ndarray:
    """Writes a text below each image of a batch, in black on white.

    >>> captioned(np.zeros((2, 64, 64, 3), "uint8"), ["red hair", "a face"]).shape
    (2, 142, 128, 3)

    Args:
        images: array `(n, height, width, channels)`: floats in [-1, 1] or `uint8`.
        texts: one for each image.
        pixels: of the shorter side, as it should be at least about: images are enlarged to it.

    Returns:
        NumPy array of `uint8`, `(n, height, width, 3)`, higher than the images by as many lines
        as the longest text needs.

    Raises:
        ValueError: unless there is a text for each image.
    """
    from PIL import Image, ImageDraw, ImageFont

    images = as_uint8(images)
    if len(images) != len(texts):
        raise ValueError(
            "There must be one text for each image. "
            f"Received: {len(images)} images, {len(texts)} texts"
        )
    images = enlarge(images, visible_scale(images.shape[1:], pixels))[..., :3]
    images = np.repeat(images, 3, axis=-1) if images.shape[-1] == 1 else images
    height, width = images.shape[1:3]
    lines = [textwrap.wrap(text, max(int(width / _LETTER), 4)) for text in texts]
    band = max(map(len, lines)) * _LINE + 2
    font, made = ImageFont.load_default(_SIZE), []
    for image, of_image in zip(images, lines):
        canvas = Image.new("RGB", (width, height + band), "white")
        canvas.paste(Image.fromarray(image), (0, 0))
        draw = ImageDraw.Draw(canvas)
        for number, line in enumerate(of_image):
            draw.text((2, height + 1 + number * _LINE), line, fill="black", font=font)
        made.append(np.asarray(canvas))
    return np.stack(made)
