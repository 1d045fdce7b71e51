"""Resizing of an image that comes in strips, by Pillow."""

import math
from collections.abc import Iterable, Iterator

import numpy as np

# Rows of the result beside those that are kept, whose filters reach beyond the rows at hand: a
# Lanczos filter reaches 3 pixels, of the result where it is smaller.
_BESIDE = 4


def resampled(
    strips: Iterable[np.ndarray], size: tuple[int, int], wanted: tuple[int, int]
) -> Iterator[np.ndarray]:
    """Yields strips of an image at another size, equal to those of the whole (Lanczos).

    >>> image = np.arange(64, dtype="uint8").reshape(8, 8, 1)
    >>> [strip.shape for strip in resampled([image[:4], image[4:]], (8, 8), (4, 4))]
    [(4, 4, 1)]

    Args:
        strips: rows `(number, width, channels)` of `uint8` or `uint16`, from the top.
        size: `(height, width)` of all of them.
        wanted: `(height, width)` of the result.
    """
    ratio = size[0] / wanted[0]
    reach = math.ceil(3 * max(ratio, 1) / ratio) + _BESIDE  # in rows of the result
    kept, first, done = None, 0, 0  # rows at hand, number of the first, rows of the result made
    for strip in strips:
        kept = strip if kept is None else np.concatenate([kept, strip])
        there = first + len(kept)
        ready = wanted[0] if there == size[0] else max(math.floor(there / ratio) - reach, done)
        if ready > done:
            begin, end = max(done - reach, 0), min(ready + reach, wanted[0])
            box = (0, begin * ratio - first, size[1], min(end * ratio - first, len(kept)))
            made = _resized(kept, (wanted[1], end - begin), box)
            yield made[done - begin : ready - begin]
            done = ready
        unneeded = max(math.floor((done - reach) * ratio) - first, 0)
        kept, first = kept[unneeded:], first + unneeded


def _resized(rows, size, box):
    """Part of some rows at a size; the part may begin between two pixels."""
    from PIL import Image

    filter = Image.Resampling.LANCZOS
    if rows.dtype == np.uint8 and rows.shape[2] in (1, 3):
        plain = rows[..., 0] if rows.shape[2] == 1 else rows
        made = np.asarray(Image.fromarray(np.ascontiguousarray(plain)).resize(size, filter, box))
        return made.reshape(size[1], size[0], -1)
    largest = np.iinfo(rows.dtype).max
    bands = [Image.fromarray(np.float32(rows[..., i])) for i in range(rows.shape[2])]
    made = np.stack([np.asarray(band.resize(size, filter, box)) for band in bands], axis=-1)
    return np.rint(made.clip(0, largest)).astype(rows.dtype)
