"""One image of any size, by a network that takes images of one size."""

import itertools
import math

import numpy as np

from keras_gans import checks


def translate_image(translate, image, tile_shape, overlap=None, batch_size=8):
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
            and width, with any number of channels.
        image: floats `(height, width, channels)`.
        tile_shape: `(height, width)` of a tile.
        overlap: pixels that neighbours share at least, up to half a tile. `None` for a quarter of
            a tile's shorter side.
        batch_size: tiles to translate at once.

    Returns:
        float32 array `(height, width, channels made)`.

    Raises:
        ValueError: for no image, an unsuitable overlap, or a `translate` that changes the size.
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
    lacking = [max(tile - side, 0) for side, tile in zip(image.shape, tile_shape)]
    before = [n // 2 for n in lacking]
    around = [(first, n - first) for first, n in zip(before, lacking)]
    padded = np.pad(image, [*around, (0, 0)], mode="reflect")

    axes = []
    for side, tile in zip(padded.shape, tile_shape):
        starts = tile_starts(side, tile, overlap)
        slices = [slice(start, start + tile) for start in starts]
        axes.append(list(zip(slices, _weights(side, tile, starts))))
    places = list(itertools.product(*axes))
    blended = None
    for first in range(0, len(places), checks.count("batch_size", batch_size)):
        part = places[first : first + batch_size]
        tiles = np.stack([padded[rows, columns] for (rows, _), (columns, _) in part])
        made = np.asarray(translate(tiles))
        if made.ndim != 4 or made.shape[:3] != tiles.shape[:3]:
            raise ValueError(
                "`translate` must make as many images of the same height and width. Expected "
                f"shape {(*tiles.shape[:3], 'channels')}. Received: shape {made.shape}"
            )
        if blended is None:
            blended = np.zeros((*padded.shape[:2], made.shape[3]), "float32")
        for ((rows, down), (columns, across)), tile in zip(part, made):
            blended[rows, columns] += (down[:, None] * across)[..., None] * tile
    return blended[
        before[0] : before[0] + image.shape[0],
        before[1] : before[1] + image.shape[1],
    ]


def tile_overlap(tile_shape, overlap=None):
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


def tile_starts(length, tile, overlap):
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
