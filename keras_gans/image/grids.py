"""Many images as one: grids, columns side by side, and pixels enlarged."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from keras_gans import checks
from keras_gans.image.range import as_uint8


def grid(images: ArrayLike, columns: int | None = None, padding: int = 2) -> np.ndarray:
    """Lays a batch of images out as one picture, row by row.

    Between the images, and where the last row is not full, the picture is white.

    >>> grid(np.zeros((10, 8, 8, 3), "uint8"), columns=5, padding=1).shape
    (17, 44, 3)

    Args:
        images: Array or tensor of shape `(n, height, width, channels)` with 1, 3 or 4 channels:
            floats in [-1, 1] or `uint8`.
        columns: Images in a row. By default the smallest number that makes the grid at least
            as wide as it is high, counted in images.
        padding: Pixels between neighbours. There are none around the outside.

    Returns:
        NumPy array of `uint8` and shape `(grid_height, grid_width, channels)`.

    Raises:
        ValueError: If `images` are no such batch, or `columns` or `padding` are unsuitable.
    """
    images = as_uint8(images)
    if images.ndim != 4 or 0 in images.shape or images.shape[-1] not in (1, 3, 4):
        raise ValueError(
            f"`grid` got no batch of images. Expected shape (n, height, width, channels) with 1, "
            f"3 or 4 channels and no empty axis; add the missing axis with `np.expand_dims`. "
            f"Received: shape={images.shape}"
        )
    if columns is not None:
        checks.count("columns", columns)
    checks.count("padding", padding, minimum=0)
    count, height, width, channels = images.shape
    columns = min(columns, count) if columns else math.ceil(math.sqrt(count))
    rows = -(-count // columns)
    cells = np.full((rows * columns, height + padding, width + padding, channels), 255, "uint8")
    cells[:count, :height, :width] = images
    cells = cells.reshape(rows, columns, height + padding, width + padding, channels)
    picture = cells.transpose(0, 2, 1, 3, 4).reshape(
        rows * (height + padding), columns * (width + padding), channels
    )
    # Every cell carries its padding below and to the right: the last ones are outside.
    return picture[: picture.shape[0] - padding, : picture.shape[1] - padding]


def enlarge(images: ArrayLike, scale: int) -> np.ndarray:
    """Makes every pixel a square of so many: what is small can be seen, and stays what it is.

    >>> enlarge(np.zeros((28, 28, 1), "uint8"), 4).shape
    (112, 112, 1)

    Args:
        images: Array or tensor of shape `(..., height, width, channels)`.
        scale: How many times as wide and high; an integer of at least 1.

    Returns:
        NumPy array `(..., scale * height, scale * width, channels)`, of the same values.

    Raises:
        ValueError: If `scale` is no such number, or `images` are none.
    """
    images = np.asarray(images)
    checks.count("scale", scale)
    if images.ndim < 3:
        raise ValueError(
            f"`enlarge` got no images. Expected shape (..., height, width, channels). "
            f"Received: shape={images.shape}"
        )
    return np.repeat(np.repeat(images, scale, axis=-3), scale, axis=-2)


def visible_scale(image_shape: Sequence[int], pixels: int = 112) -> int:
    """By how much to `enlarge` images so that their shorter side has about so many pixels.

    >>> visible_scale((28, 28, 1)), visible_scale((64, 64, 3)), visible_scale((256, 256, 3))
    (4, 2, 1)

    Args:
        image_shape: `(height, width, ...)`.
        pixels: Of the shorter side, as they should be at least about.

    Returns:
        Integer, 1 or more.

    Raises:
        ValueError: If the shape has no height and width in pixels.
    """
    sides = tuple(image_shape[:2]) if isinstance(image_shape, tuple | list) else ()
    whole = all(isinstance(side, int | np.integer) and side >= 1 for side in sides)
    if len(sides) != 2 or not whole:
        raise ValueError(
            f"`visible_scale` needs the size of the images. Expected (height, width, ...) in "
            f"pixels. Received: image_shape={image_shape!r}"
        )
    return max(1, round(pixels / min(image_shape[:2])))


def side_by_side(columns: Sequence[ArrayLike]) -> np.ndarray:
    """Puts batches of images beside each other, for `grid(..., columns=len(columns))`.

    >>> side_by_side([np.zeros((2, 8, 8, 1)), np.ones((2, 8, 8, 3))]).shape
    (4, 8, 8, 3)

    Args:
        columns: Batches of as many images, of one height and width; those with one channel become
            grey in three where others have three, and of four channels three are shown.

    Returns:
        Array `(n * len(columns), height, width, channels)`: the first image of each batch, then
        the second of each, and so on.

    Raises:
        ValueError: If the batches do not fit each other.
    """
    columns = [np.asarray(column) for column in columns]
    if not columns or any(column.ndim != 4 for column in columns):
        raise ValueError(
            f"`side_by_side` got no batches of images. Expected one or more of shape "
            f"(n, height, width, channels). Received: shapes {[c.shape for c in columns]}"
        )
    columns = [np.asarray(column)[..., :3] for column in columns]
    channels = max(column.shape[-1] for column in columns)
    columns = [np.repeat(c, channels, -1) if c.shape[-1] == 1 else c for c in columns]
    if len({column.shape for column in columns}) != 1:
        raise ValueError(
            "Only batches of as many images of one size can stand side by side. "
            f"Received: shapes {[column.shape for column in columns]}"
        )
    return np.stack(columns, axis=1).reshape(-1, *columns[0].shape[1:])
