"""Image files for an upscaler: rows of colours and alpha as floats, and what else a file says."""

import dataclasses
import functools
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_gans.image.files import UnknownRangeError, opened, unreadable
from keras_gans.image.strips import SIGNATURE

if TYPE_CHECKING:
    from PIL import Image

_ROWS = 256  # looked at together

_ORIENTATION, _DETAILS, _WIDTH, _HEIGHT = 0x0112, 0x8769, 0xA002, 0xA003  # tags of EXIF


@dataclasses.dataclass(frozen=True)
class Header:
    """What the beginning of a file says, before anything is decoded.

    Attributes:
        width: in pixels, as it is shown.
        height: in pixels, as it is shown.
        format: Pillow's name, such as `"PNG"`.
        frames: how many.
        bits: of each channel: 16 of a PNG that has so many, and of 16-bit grey; else 8.
    """

    width: int
    height: int
    format: str
    frames: int
    bits: int


def header(path: Path) -> Header:
    """Reads the header of an image file.

    Raises:
        UnreadableImageError: A `ValueError`, if it is no image.
    """
    with opened(path) as file:
        width, height = file.size
        # To look for notes at the end of a PNG would decode it.
        noted = {} if file.format == "PNG" and "exif" not in file.info else file.getexif()
        if noted.get(_ORIENTATION, 1) in (5, 6, 7, 8):
            width, height = height, width
        deep = _is_deep_png(path) or file.mode.startswith("I")
        frames = getattr(file, "n_frames", 1) if file.format != "MPO" else 1
        return Header(width, height, file.format, frames, 16 if deep else 8)


def _is_deep_png(path: Path) -> bool:
    with path.open("rb") as file:
        beginning = file.read(25)
    return beginning.startswith(SIGNATURE) and len(beginning) == 25 and beginning[24] == 16


class Picture:
    """A decoded image, of which rows are read.

    Args:
        pixels: `Image.Image`, or an array `(height, width, channels)` of `uint8` or `uint16` with
            1 channel (grey), 2 (grey with alpha), 3 or 4.
        icc: colour profile.
        exif: without the leading `Exif`, and without an orientation.

    Attributes:
        shape: `(height, width)`.
        alpha: has it an alpha channel?
        grey: has every pixel the same value in its channels of colour?
        channels: of the file that is made of it.
        bits: 8 or 16.
    """

    def __init__(self, pixels: Any, icc: bytes | None = None, exif: bytes | None = None) -> None:
        self.pixels, self.icc, self.exif = pixels, icc, exif
        if isinstance(pixels, np.ndarray):
            self.shape, self.channels = pixels.shape[:2], pixels.shape[2]
            self.bits = 8 * pixels.itemsize
        else:
            self.shape, self.bits = (pixels.height, pixels.width), 8
            self.channels = len(pixels.getbands())
        self.alpha = self.channels in (2, 4)

    @functools.cached_property
    def grey(self) -> bool:
        """A grey image must not come out tinted."""
        starts = range(0, self.shape[0], _ROWS) if self.channels > 2 else ()
        parts = (self._stored(start, min(start + _ROWS, self.shape[0])) for start in starts)
        return all((part[..., :1] == part[..., 1:3]).all() for part in parts)

    def rows(self, first: int, last: int) -> np.ndarray:
        """Returns some rows: floats `(last - first, width, channels)` in [-1, 1]."""
        half = np.float32((2**self.bits - 1) / 2)
        return self._stored(first, last).astype("float32") / half - np.float32(1)

    def _stored(self, first, last):
        if isinstance(self.pixels, np.ndarray):
            return self.pixels[first:last]
        part = np.asarray(self.pixels.crop((0, first, self.pixels.width, last)))
        return part.reshape(last - first, self.shape[1], self.channels)


def filled(colors: np.ndarray, alpha: np.ndarray, steps: int) -> np.ndarray:
    """Gives invisible pixels the colour of the nearest visible one.

    What a file stores there, often black, would be seen in the edges that a network makes.

    >>> colors = np.array([[[1.0], [9.0], [9.0], [9.0]]])
    >>> filled(colors, np.array([[1.0, -1.0, -1.0, -1.0]]), steps=2)[0, :, 0].tolist()
    [1.0, 1.0, 1.0, 0.0]

    Args:
        colors: floats `(height, width, channels)`.
        alpha: floats `(height, width)`; -1 is invisible.
        steps: pixels from a visible one up to which it is done. Those farther away become 0.

    Returns:
        As `colors`.
    """
    known = alpha > -1
    if known.all():
        return colors
    colors = np.where(known[..., None], colors, 0).astype(colors.dtype)
    for step in range(steps):
        if known.all() or not known.any():
            break
        moves = [(0, 1), (0, -1), (1, 0), (-1, 0)]
        # Steps to the corners every other time, which makes the distance nearly Euclid's.
        moves += [(1, 1), (1, -1), (-1, 1), (-1, -1)] if step % 2 else []
        before, source = known.copy(), colors.copy()
        for down, right in moves:
            there, here = _overlap(down, right)
            new = before[there] & ~known[here]
            colors[here][new] = source[there][new]
            known[here] |= new
    return colors


def _overlap(down, right):
    """Where an image and the same moved by some pixels lie on each other."""
    cut = {-1: (slice(1, None), slice(None, -1)), 0: (slice(None), slice(None))}
    cut[1] = cut[-1][::-1]
    rows, columns = cut[down], cut[right]
    return (rows[0], columns[0]), (rows[1], columns[1])


# ---- files


def read(path: Path, about: Header) -> Picture:
    """Decodes the first frame of an image file.

    Raises:
        UnreadableImageError: A `ValueError`, if the file is damaged.
    """
    if about.bits == 16 and about.format == "PNG":
        return _deep_png(path)
    with opened(path) as file:
        return _picture(file)


def frames(path: Path) -> Iterator[Picture]:
    """Yields each frame of an animation, or page of a document."""
    from PIL import ImageSequence

    with opened(path) as file:
        for frame in ImageSequence.Iterator(file):
            yield _picture(frame.copy())  # the next one takes its place


def _picture(file: "Image.Image") -> Picture:
    from PIL import ImageOps

    icc = file.info.get("icc_profile")
    if file.mode == "F":
        raise UnknownRangeError("pixels are floating-point numbers")
    # Each copy of a large scan takes 4 bytes for a pixel.
    turned = file.getexif().get(_ORIENTATION, 1) != 1
    image = ImageOps.exif_transpose(file) if turned else file
    exif = _exif(file)  # now: it takes the orientation away
    if file.mode.startswith("I"):
        return Picture(_deep(image), icc, exif)
    grey = image.mode in ("1", "L", "LA", "La")
    seen = image.has_transparency_data
    mode = ("LA" if seen else "L") if grey else ("RGBA" if seen else "RGB")
    # A profile of inks or of another model says nothing of RGB.
    icc = icc if image.mode in ("L", "LA", "RGB", "RGBA", "P") else None
    image.load()
    return Picture(image if image.mode == mode else image.convert(mode), icc, exif)


def _deep(image):
    pixels = np.asarray(image)
    if pixels.min() < 0 or pixels.max() > 65535:
        raise UnknownRangeError(f"pixels from {pixels.min()} to {pixels.max()}")
    return pixels.astype("uint16")[..., None]


def _deep_png(path):
    """Pillow reads 8 bits of such."""
    import tensorflow as tf

    try:
        pixels = tf.io.decode_png(path.read_bytes(), dtype=tf.uint16).numpy()
    except tf.errors.InvalidArgumentError as error:
        raise unreadable(path, error) from error
    with opened(path) as file:
        turned = file.getexif().get(_ORIENTATION, 1)
        icc, exif = file.info.get("icc_profile"), _exif(file)
    return Picture(_turned(pixels, turned), icc, exif)


def _turned(pixels, orientation):
    """Pixels as `ImageOps.exif_transpose` turns them."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    mirrored = {2: (0, 1), 3: (1, 1), 4: (1, 0), 6: (0, 1), 7: (1, 1), 8: (1, 0)}
    down, right = mirrored.get(orientation, (0, 0))
    return np.ascontiguousarray(pixels[:: -1 if down else 1, :: -1 if right else 1])


def _exif(file):
    """What a camera noted, without the orientation and the size, which no longer hold."""
    if file.format == "TIFF":
        return None  # its notes are the layout of the file as well
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            noted = file.getexif()
            noted.pop(_ORIENTATION, None)
            details = noted.get_ifd(_DETAILS)
            for tag in (_WIDTH, _HEIGHT):
                details.pop(tag, None)
            if not len(noted) and not details:
                return None
            return noted.tobytes().removeprefix(b"Exif\0\0")
        except Exception:  # damaged notes are no reason to lose the image
            return None
