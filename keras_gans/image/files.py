"""Files of one image: what Pillow reads, and how one is written.

What Pillow reads is an image, by the suffix of its name or, where the suffix says nothing, by its
content.
"""

import contextlib
import os
import stat
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from keras_gans.files import in_memory
from keras_gans.image.grids import grid
from keras_gans.image.pixels import fit, from_pillow, on_white, to_pillow
from keras_gans.image.range import as_uint8

if TYPE_CHECKING:
    from PIL import Image

# Reasons why a file is not read as an image.
NOT_IMAGES, DAMAGED, TOO_LARGE = "not images", "damaged", "too large"
RANGE, NOT_READABLE = "of an unknown range of values", "not readable"
CHANNELS = "without a fourth channel"
BROKEN = "links to nothing"

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}  # of Pillow, by the number of channels

# What Pillow only recognizes (stubs, films), or reads by starting another program (PostScript).
_NOT_READ = {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"}


class UnreadableImageError(ValueError):
    """An image file cannot be read.

    Attributes:
        reason: One of the reasons above.
        advice: What was found, and what to do.
    """

    def __init__(self, path: Any, reason: str, found: str, advice: str, cause: Exception) -> None:
        self.reason = reason
        self.advice = f"{found}. {advice} ({type(cause).__name__}: {cause})"
        shown = os.fspath(path) if isinstance(path, os.PathLike) else path
        super().__init__(
            f"An image cannot be read: {found}. {advice}; or leave such files out by "
            f"`on_error='skip'`. Received: {shown!r} ({type(cause).__name__}: {cause})"
        )


# ---- which files are images


def suffixes() -> set[str]:
    """Returns the suffixes of files that are read as images, such as ".jpg"."""
    from PIL import Image

    formats = set(_formats()) | {"MPO"}  # which is registered under JPEG
    return {suffix for suffix, name in Image.registered_extensions().items() if name in formats}


def is_folder(path: Path | str) -> bool:
    """Returns whether there is a folder at a path that can be reached."""
    return stat.S_ISDIR(mode(path))


def mode(path: Path | str) -> int:
    """Returns the mode of what is at a path, links followed; 0 if nothing can be reached."""
    try:
        return Path(path).stat().st_mode
    except (OSError, ValueError):
        return 0


def why_not(file: Path, known: set[str]) -> str | None:
    """Returns the reason why a file is no image, or None if it is one.

    Args:
        file: Path of the file.
        known: What `suffixes` returns.
    """
    from PIL import Image

    if not mode(file):
        return BROKEN if file.is_symlink() else NOT_READABLE
    if not stat.S_ISREG(mode(file)):
        return NOT_IMAGES
    if file.suffix.lower() in known:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(file, formats=_certain()):
                return None
    except PermissionError:
        return NOT_READABLE
    except Image.DecompressionBombError:
        return None  # it is an image, and `decode` says what is wrong with it
    except Exception:  # of any kind, as in `decode`
        return NOT_IMAGES


def _formats():
    from PIL import Image

    Image.init()
    return [name for name in Image.OPEN if name not in _NOT_READ]


def _certain():
    """The formats with a signature at the beginning; others accept any content."""
    from PIL import Image

    return [name for name in _formats() if Image.OPEN[name][1] is not None]


def _beginning(file):
    """The first 16 bytes, which the formats look at."""
    if hasattr(file, "read"):
        file.seek(0)
        return file.read(16)
    with Path(file).open("rb") as opened:
        return opened.read(16)


def _is_of_an_image(beginning):
    from PIL import Image

    return len(beginning) == 16 and any(Image.OPEN[name][1](beginning) for name in _certain())


# ---- reading


def read(path: Path | str, size: tuple[int, int], channels: int) -> np.ndarray:
    """Reads one image file at a size: `decode`, then `fit`.

    Args:
        path: Path of the file.
        size: Height and width of the result in pixels.
        channels: 1 or 3.

    Returns:
        NumPy array of `uint8` and shape `(height, width, channels)`.

    Raises:
        UnreadableImageError: A `ValueError`, if the file cannot be read.
    """
    return fit(decode(path, channels), size)


def decode(path: Path | str | IO[bytes], channels: int) -> "Image.Image":
    """Reads one image file at its own size.

    The orientation that a camera noted is applied, transparent parts become white, 16-bit grey is
    scaled, and of an animation the first frame is taken.

    Four channels are those of the file, colours and alpha as they are: for networks to which the
    fourth says something else. A file without an alpha channel is refused then.

    Args:
        path: Path of the file, or a file opened for reading bytes.
        channels: 1, 3 or 4.

    Returns:
        `PIL.Image.Image` in the mode "L", "RGB" or "RGBA".

    Raises:
        UnreadableImageError: A `ValueError`, if a file is missing, damaged, too large or no image.
        OSError: If the disk or the network that holds the file fails.
    """
    if not hasattr(path, "read") and not isinstance(path, str | os.PathLike):
        raise ValueError(f"That is no path. Expected the path of an image. Received: {path!r}")
    if channels not in _MODES:
        raise ValueError(
            f"Images are read in grey, RGB or RGBA. Expected `channels` to be 1, 3 or 4. "
            f"Received: channels={channels!r}"
        )
    with opened(path) as file:
        from PIL import ImageOps

        return _to_mode(ImageOps.exif_transpose(file), _MODES[channels])


@contextlib.contextmanager
def opened(path: Path | str | IO[bytes]) -> "Iterator[Image.Image]":
    """Yields what Pillow opens, and turns what goes wrong into errors that say what to do.

    Args:
        path: Path of the file, or a file opened for reading bytes.

    Yields:
        `PIL.Image.Image`, not yet decoded.

    Raises:
        UnreadableImageError: A `ValueError`, if a file is missing, damaged, too large or no image.
        OSError: If the disk or the network that holds the file fails.
    """
    from PIL import Image

    try:
        if not hasattr(path, "read") and mode(path) and not stat.S_ISREG(mode(path)):
            raise FileNotFoundError("it is no file")  # a pipe would be waited for
        with warnings.catch_warnings():
            # Damaged EXIF, a very large image, a doubtful palette: the image can still be used.
            warnings.simplefilter("ignore")
            with Image.open(path, formats=_formats()) as file:
                yield file
    except (MemoryError, GeneratorExit):
        raise
    # Everything else: each of Pillow's decoders has errors of its own for a damaged file, among
    # them SyntaxError, struct.error and zlib.error.
    except Exception as error:
        ours = isinstance(error, (PermissionError, FileNotFoundError))
        if getattr(error, "errno", None) and not ours:
            raise  # of the disk: no other file would fare better
        raise unreadable(path, error) from error


class UnknownRangeError(Exception):
    """Pixels of which nobody knows what is black and what is white."""


class FourthChannelError(Exception):
    """Pixels without the fourth channel that a network takes."""


def unreadable(path: Any, error: Exception) -> UnreadableImageError:
    """Returns the error of an image file, by what Pillow said of it."""
    from PIL import Image

    do = "Expected a complete image file; remove or replace it"
    if isinstance(error, Image.DecompressionBombError):
        reason = TOO_LARGE
        what = f"it has more than the {2 * Image.MAX_IMAGE_PIXELS} pixels that Pillow reads"
        do = "Expected a smaller one: shrink it or, if you trust it, raise the limit by "
        do += "`PIL.Image.MAX_IMAGE_PIXELS`"
    elif isinstance(error, Image.UnidentifiedImageError) and not _is_of_an_image(
        beginning := _beginning(path)
    ):
        reason = NOT_IMAGES
        what = "it is no image that Pillow reads" if beginning else "the file is empty"
    elif isinstance(error, (PermissionError, FileNotFoundError)):
        reason, what = NOT_READABLE, "it cannot be opened"
        do = "Expected a file that exists and may be read"
    elif isinstance(error, UnknownRangeError):
        reason, what = RANGE, "it does not say which values are black and white"
        do = "Expected 8 bits, or 16 without a sign; convert it"
    elif isinstance(error, FourthChannelError):
        reason, what = CHANNELS, "it has no fourth channel"
        do = "Expected RGB and alpha: write what the network takes as its fourth channel as alpha"
    else:
        reason, what = DAMAGED, "it is damaged"
    return UnreadableImageError(path, reason, what, do, error)


def _to_mode(image, mode):
    from PIL import Image

    if mode == "RGBA":
        if image.mode != mode:
            raise FourthChannelError(f"its mode is {image.mode}")
        return image
    if image.mode.startswith("I"):
        # Pillow would clip 16 bits at 255, and not scale.
        pixels = np.asarray(image).astype(np.float64)
        if pixels.min() < 0 or pixels.max() > 65535:
            raise UnknownRangeError(f"pixels from {pixels.min():g} to {pixels.max():g}")
        image = Image.fromarray(np.rint(pixels / 257).astype(np.uint8))
    elif image.mode == "F":
        raise UnknownRangeError("pixels are floating-point numbers")
    elif image.has_transparency_data:
        pixels = from_pillow(image.convert("RGBA"))
        image = to_pillow(on_white(pixels[..., :3], pixels[..., 3:]))
    return image.convert(mode)


# ---- writing


def save(images: ArrayLike, path: Path | str, columns: int | None = None, padding: int = 2) -> Path:
    """Writes one image, or a batch as a grid, to a file.

    The file appears under its name only when it is complete, so a program that watches the folder
    never reads half a picture, and a killed process leaves the previous one. Missing parent folders
    are made. One channel is saved as grey.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> save(np.zeros((16, 28, 28, 1), "float32"), folder / "samples.png").name
    'samples.png'

    Args:
        images: Array or tensor of shape `(height, width, channels)`, or
            `(n, height, width, channels)` for a grid, with 1, 3 or 4 channels: floats in
            [-1, 1] or `uint8`.
        path: Where to write. The suffix gives the format: `.png`, `.jpg`, `.webp` or another
            that Pillow writes.
        columns: Images in a row of the grid; see `grid`.
        padding: Pixels between the images of the grid; see `grid`.

    Returns:
        The `pathlib.Path` written.

    Raises:
        ValueError: If `images` are no images, or the format is unknown or cannot hold them.
        IsADirectoryError: If `path` is a folder.
    """
    path = file_to_write(path, "samples.png")
    kind = _format(path)
    images = as_uint8(images)
    if images.ndim == 4:
        images = grid(images, columns, padding)
    picture = to_pillow(images)
    if kind == "JPEG" and picture.mode == "RGBA":
        raise ValueError(
            f"JPEG cannot hold an alpha channel. Expected 1 or 3 channels; save as `.png` or "
            f"drop the fourth channel. Received: path={str(path)!r}, shape={images.shape}"
        )
    with in_memory(path) as file:
        # 4:2:0 chroma would blur the seams of small samples.
        options = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}
        encode(picture, file, kind, **options)
    return path


def file_to_write(path: Path | str, example: str) -> Path:
    """Returns `path` as a `pathlib.Path` if a file can be written there, as far as can be seen.

    Args:
        path: What was given as a path.
        example: Name of a file, for the message.

    Raises:
        ValueError: If it is no path.
        IsADirectoryError: If it is a folder.
    """
    if not isinstance(path, str | os.PathLike) or isinstance(os.fspath(path), bytes):
        raise ValueError(
            f"That is no path. Expected the path of a file to write, such as {example!r}. "
            f"Received: path={path!r}"
        )
    if is_folder(path):
        raise IsADirectoryError(
            f"That is a folder. Expected the path of a file to write, such as "
            f"{str(Path(path) / example)!r}. Received: path={str(path)!r}"
        )
    return Path(path)


def encode(picture: "Image.Image", file: IO[bytes], kind: str, **options: Any) -> None:
    """Writes Pillow's image in a format. What the format cannot hold is a ValueError."""
    try:
        picture.save(file, format=kind, **options)
    # Pillow's encoders have errors of their own for what a format cannot hold.
    except (KeyError, OSError, RuntimeError, ValueError) as error:
        if getattr(error, "errno", None):
            raise  # of the disk
        size = f"{picture.width}x{picture.height} pixels in mode {picture.mode}"
        raise ValueError(
            f"The picture cannot be written in the format {kind}. Expected one that can hold it, "
            f"such as `.png`, or a smaller picture. Received: {size} ({error})"
        ) from error


def _format(path):
    from PIL import Image

    known = Image.registered_extensions()
    kind = known.get(path.suffix.lower())
    if kind not in Image.SAVE:
        raise ValueError(
            f"The file's name does not tell a format that can be written. Expected a suffix such "
            f"as `.png`, `.jpg`, `.webp` or `.gif`. Received: path={str(path)!r}"
        )
    return kind
