"""One image of any size, by a network that takes images of one size."""

import itertools
import math
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from keras_gans import checks


def translate_image(
    translate: Callable[[np.ndarray], np.ndarray],
    image: np.ndarray,
    tile_shape: Sequence[int],
    overlap: int | None = None,
    batch_size: int = 8,
    scale: float = 1,
) -> np.ndarray:
    """Translates an image in tiles that overlap, and blends them.

    The tiles are spread evenly, so that neighbours share `overlap` pixels or a few more. Each is
    weighted by a Hann window, and the weights of all tiles at a pixel are scaled to add up to 1:
    what is the same in two tiles stays as it is, and where they differ one fades into the other.
    A side that is shorter than a tile is mirrored about its ends until it is as long, and cut
    back afterwards.

    >>> image = np.random.default_rng(0).uniform(-1, 1, (50, 90, 3))
    >>> negative = translate_image(np.negative, image, (32, 32))
    >>> bool(np.allclose(negative, -image, atol=1e-6))
    True

    Args:
        translate: maps float32 images `(number, *tile_shape, channels)` to as many of that height
            and width times `scale`, with any number of channels.
        image: floats `(height, width, channels)`.
        tile_shape: `(height, width)` of a tile.
        overlap: pixels that neighbours share at least, up to half a tile. `None` for a quarter of
            a tile's shorter side.
        batch_size: tiles to translate at once.
        scale: height and width of what `translate` makes over those of what it takes.

    Returns:
        float32 array `(scale * height, scale * width, channels made)`, the sides rounded.

    Raises:
        ValueError: for no image, an unsuitable overlap, or a `translate` that makes another size.
    """
    image = np.asarray(image)
    image = image.astype("float32") if image.dtype.kind in "fiub" or not image.size else image
    if image.ndim != 3 or 0 in image.shape or image.dtype != "float32":
        raise ValueError(
            "That is no image. Expected numbers of shape (height, width, channels) and no empty "
            f"axis. Received: shape {image.shape}, dtype {image.dtype}"
        )
    if not callable(translate):
        raise ValueError(
            "`translate` must map images to images. Expected a function or a network. "
            f"Received: translate={translate!r}"
        )
    overlap = tile_overlap(tile_shape, overlap)
    scale = Fraction(checks.positive("scale", scale)).limit_denominator(256)
    padded, before = _padded(image, tile_shape, scale.denominator)
    axes = []
    for side, tile in zip(padded.shape, tile_shape):
        # Where a tile begins in what is made is a whole number, too.
        step = scale.denominator
        starts = [start // step * step for start in tile_starts(side, tile, overlap)]
        places, large = [int(start * scale) for start in starts], int(tile * scale)
        weights = _weights(int(side * scale), large, places)
        taken = [slice(start, start + tile) for start in starts]
        axes.append(list(zip(taken, [slice(p, p + large) for p in places], weights)))
    places = list(itertools.product(*axes))
    blended = None
    for first in range(0, len(places), checks.count("batch_size", batch_size)):
        part = places[first : first + batch_size]
        tiles = np.stack([padded[rows, columns] for (rows, _, _), (columns, _, _) in part])
        made = np.asarray(translate(tiles))
        wanted = (len(tiles), *(int(side * scale) for side in tile_shape))
        if made.ndim != 4 or made.shape[:3] != wanted:
            same = "the same height and width" if scale == 1 else f"{float(scale):g} times the size"
            raise ValueError(
                f"`translate` must make as many images of {same}. Expected "
                f"shape {(*wanted, 'channels')}. Received: shape {made.shape}"
            )
        if blended is None:
            sides = (int(side * scale) for side in padded.shape[:2])
            blended = np.zeros((*sides, made.shape[3]), "float32")
        for ((_, rows, down), (_, columns, across)), tile in zip(part, made):
            blended[rows, columns] += (down[:, None] * across)[..., None] * tile
    top, left = (int(n * scale) for n in before)
    height, width = (round(side * scale) for side in image.shape[:2])
    return blended[top : top + height, left : left + width]


def _padded(image, tile_shape, step):
    """An image mirrored at its ends to a tile or more, and by how much at its top and left.

    `step`: what its sides beyond a tile, and the pixels before it, are multiples of.
    """
    around = []
    for side, tile in zip(image.shape, tile_shape):
        lacking = tile - side if side < tile else (tile - side) % step
        first = lacking // 2 // step * step
        around.append((first, lacking - first))
    return np.pad(image, [*around, (0, 0)], mode="reflect"), [first for first, _ in around]


def tile_overlap(tile_shape: Sequence[int], overlap: int | None = None) -> int:
    """The overlap, a quarter of a tile's shorter side unless given.

    >>> tile_overlap((128, 256))
    32

    Raises:
        ValueError: if it is negative or more than half a tile.
    """
    if not isinstance(tile_shape, (tuple, list)) or len(tile_shape) != 2:
        raise ValueError(
            "A tile has two sides. Expected `tile_shape` to be (height, width). "
            f"Received: tile_shape={tile_shape!r}"
        )
    shorter = min(checks.count(f"tile_shape ({n})", v) for n, v in zip("hw", tile_shape))
    if overlap is None:
        return shorter // 4
    if checks.count("overlap", overlap, 0) > shorter // 2:
        raise ValueError(
            f"Tiles of {tile_shape[1]}x{tile_shape[0]} pixels can share half of that at most. "
            f"Expected an `overlap` from 0 to {shorter // 2}. Received: overlap={overlap}"
        )
    return overlap


def tile_starts(length: int, tile: int, overlap: int) -> list[int]:
    """Where along an axis the fewest tiles begin that cover it and share `overlap` or more.

    >>> tile_starts(100, 40, 10)
    [0, 30, 60]

    Raises:
        ValueError: if the overlap leaves a tile nothing of its own.
    """
    if overlap >= tile:
        raise ValueError(
            "Tiles that share all of their pixels do not move on. Expected an `overlap` below "
            f"{tile}. Received: overlap={overlap}"
        )
    if length <= tile:
        return [0]
    number = math.ceil((length - overlap) / (tile - overlap))
    return np.rint(np.linspace(0, length - tile, number)).astype(int).tolist()


def _weights(length, tile, starts):
    """Of each tile along an axis; those of all tiles add up to 1 at every place."""
    # Halves of a pixel, so that no weight is 0: at the image's own edges one tile has them all.
    window = np.sin(np.pi * (np.arange(tile) + 0.5) / tile) ** 2
    total = np.zeros(length)
    for start in starts:
        total[start : start + tile] += window
    return [(window / total[start : start + tile]).astype("float32") for start in starts]


def cuts(length: int, tile: int, margin: int, step: int = 1) -> list[tuple[int, int, int]]:
    """Where along an axis tiles begin, and what is kept of each.

    All tiles are of one size and inside the image. Of each, what is nearer than `margin` to an end
    that is not the image's own is cut off.

    >>> cuts(100, 40, 8)
    [(0, 0, 32), (24, 32, 56), (48, 56, 68), (60, 68, 100)]

    Args:
        length: of the axis; a multiple of `step`.
        tile: length of a tile; a multiple of `step`. A shorter axis has one tile, as long as it.
        margin: pixels that a network looks at beyond those that it makes.
        step: what the beginnings must be multiples of.

    Returns:
        A list of `(start, first, last)`: the tile begins at `start`, and its pixels from `first`
        to before `last` are kept, counted from the beginning of the axis.

    Raises:
        ValueError: if the margins leave a tile nothing of its own.
    """
    move = (tile - 2 * margin) // step * step
    if length <= tile:
        return [(0, 0, length)]
    if move < 1:
        raise ValueError(
            "The margins of a tile leave nothing of it. Expected a `tile` of at least "
            f"{2 * margin + step} pixels, or a smaller `margin`. "
            f"Received: tile={tile}, margin={margin}"
        )
    starts = [*range(0, length - tile, move), length - tile]
    firsts = [0, *(start + margin for start in starts[1:])]
    return list(zip(starts, firsts, [*firsts[1:], length]))
