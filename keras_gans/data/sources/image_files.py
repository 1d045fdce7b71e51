"""Image files: which there are in a folder, and what is in one.

What Pillow reads is an image, by the ending of its name or, where the ending says nothing, by its
content. What is not read is never left out in silence: `find` notes it, with the reason.
"""

import collections
import dataclasses
import os
import stat
import warnings
from pathlib import Path

import numpy as np

from keras_gans.names import did_you_mean

# Reasons to leave a file out, as `summary` words them.
NOT_IMAGES, DAMAGED, TOO_LARGE = "not images", "damaged", "too large"
RANGE, NOT_READABLE = "of an unknown range of values", "not readable"
BROKEN, CIRCLES = "links to nothing", "links in a circle"

# What Pillow only recognizes (stubs, films), or reads by starting another program (PostScript).
_NOT_READ = {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"}

# Names that a summary shows for each reason.
_SHOWN = 3


class UnreadableImageError(ValueError):
    """An image file cannot be read.

    Attributes:
        reason: one of the reasons above.
        advice: what was found, and what to do.
    """

    def __init__(self, path, reason, found, advice, cause):
        self.reason = reason
        self.advice = f"{found}. {advice} ({type(cause).__name__}: {cause})"
        super().__init__(
            f"An image cannot be read: {found}. {advice}; or leave such files out by "
            f"`on_error='skip'`. Received: {os.fspath(path)!r} ({type(cause).__name__}: {cause})"
        )


@dataclasses.dataclass
class Found:
    """What `find` found in a folder; all names are relative to it, with "/", and sorted.

    Attributes:
        files: names of the images.
        folders: names of the folders below, those without images, too.
        left_out: reasons to names of what was left out; those of folders end in "/".
    """

    files: list = dataclasses.field(default_factory=list)
    folders: list = dataclasses.field(default_factory=list)
    left_out: dict = dataclasses.field(default_factory=lambda: collections.defaultdict(list))


def find(path, deep=True, on_error="raise", skip=lambda folder: False):
    """Lists the images of a folder and of those below. Links are followed.

    Hidden files and folders are passed over: macOS leaves `._name.jpg` beside `name.jpg`, which is
    no image.

    Args:
        path: `pathlib.Path` of the folder.
        deep: Whether to look into the folders below.
        on_error: `"raise"`, or `"skip"` to note a folder that cannot be read among those left out.
        skip: Function of the `pathlib.Path` of a folder below: True to pass it over.

    Returns:
        A `Found`.

    Raises:
        ValueError: If a folder cannot be read.
    """
    found, known, waiting = Found(), suffixes(), [(Path(path), "", frozenset())]
    while waiting:
        folder, within, above = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                inside = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            if on_error == "raise":
                raise ValueError(
                    f"A folder cannot be read, and its images would be missing. Expected a folder "
                    f"that may be opened; or leave it out by `on_error='skip'`. "
                    f"Received: {str(folder)!r} ({type(error).__name__}: {error.strerror})"
                ) from error
            found.left_out[NOT_READABLE].append(within or "./")
            continue
        above = above | {os.path.realpath(folder)}
        for entry in inside:
            file, name = Path(entry.path), within + entry.name
            if not (is_folder(file) if entry.is_symlink() else entry.is_dir()):
                plain = entry.is_file(follow_symlinks=False) and file.suffix.lower() in known
                reason = None if plain else why_not(file, known)
                (found.left_out[reason] if reason else found.files).append(name)
            elif os.path.realpath(file) in above:
                found.left_out[CIRCLES].append(f"{name}/")
            elif not skip(file):
                found.folders.append(name)
                if deep:
                    waiting.append((file, f"{name}/", above))
    for names in (found.files, found.folders, *found.left_out.values()):
        names.sort()
    return found


def is_folder(path):
    """Whether there is a folder at a path, for all that can be seen."""
    return stat.S_ISDIR(mode(path))


def mode(path):
    """What is at a path, links followed; 0 for nothing that can be reached."""
    try:
        return Path(path).stat().st_mode
    except (OSError, ValueError):
        return 0


def why_not(file, known):
    """The reason why a file is no image, or None if it is one; `known` are the `suffixes`."""
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


def suffixes():
    """Endings of the names of files that are read as images, such as ".jpg"; a set."""
    from PIL import Image

    formats = set(_formats()) | {"MPO"}  # which is registered under JPEG
    return {suffix for suffix, name in Image.registered_extensions().items() if name in formats}


def _formats():
    from PIL import Image

    Image.init()
    return [name for name in Image.OPEN if name not in _NOT_READ]


def _certain():
    """The formats that begin in a way of their own; others take whatever they are given."""
    from PIL import Image

    return [name for name in _formats() if Image.OPEN[name][1] is not None]


def _begins_like_an_image(path):
    from PIL import Image

    with Path(path).open("rb") as file:
        beginning = file.read(16)
    whole = len(beginning) == 16  # what the formats look at
    return whole and any(Image.OPEN[name][1](beginning) for name in _certain())


def summary(left_out, total):
    """One line that says what was left out.

    >>> summary({"not images": ["a.txt", "b.txt"], "damaged": ["c.jpg"]}, 120)
    '3 of 120 files were left out: 2 not images (a.txt, b.txt), 1 damaged (c.jpg)'

    Args:
        left_out: Reasons to names.
        total: How many files there are, these among them.

    Returns:
        The line; "" if nothing was left out.
    """
    parts = []
    for reason, names in left_out.items():
        shown = [name if name.isprintable() else repr(name) for name in names[:_SHOWN]]
        shown += ["..."] * (len(names) > _SHOWN)
        parts += [f"{len(names)} {reason} ({', '.join(shown)})"] * bool(names)
    number = sum(map(len, left_out.values()))
    return f"{number} of {total} files were left out: {', '.join(parts)}" if parts else ""


def check_folder(path):
    """Raises an error unless `path`, a `pathlib.Path`, is a folder."""
    if not mode(path):
        near = [p.name for p in path.parent.iterdir()] if is_folder(path.parent) else []
        raise FileNotFoundError(
            f"The folder of images does not exist.{did_you_mean(path.name, near)} Expected the "
            f"path of a folder, or the name of a data set. Received: {str(path)!r}"
        )
    if not is_folder(path):
        raise NotADirectoryError(
            f"That is a file. Expected the path of a folder of images. Received: {str(path)!r}"
        )


def read(path, size, channels):
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


def decode(path, channels):
    """Reads one image file at its own size.

    The orientation that a camera noted is applied, transparent parts become white, 16-bit grey is
    scaled, and of an animation the first frame is taken.

    Args:
        path: Path of the file.
        channels: 1 or 3.

    Returns:
        `PIL.Image.Image` in the mode "L" or "RGB".

    Raises:
        UnreadableImageError: A `ValueError`, if a file is missing, damaged, too large or no image.
        OSError: If the disk or the network that holds the file fails.
    """
    from PIL import Image, ImageOps

    if not isinstance(path, str | os.PathLike):
        raise ValueError(f"That is no path. Expected the path of an image. Received: {path!r}")
    if channels not in (1, 3):
        raise ValueError(
            f"Images are read in grey or RGB. Expected `channels` to be 1 or 3. "
            f"Received: channels={channels!r}"
        )
    try:
        if mode(path) and not stat.S_ISREG(mode(path)):
            raise FileNotFoundError("it is no file")  # a pipe would be waited for
        with warnings.catch_warnings():
            # Damaged EXIF, a very large image, a doubtful palette: the image can still be used.
            warnings.simplefilter("ignore")
            with Image.open(path, formats=_formats()) as file:
                image = ImageOps.exif_transpose(file)
                return _to_mode(image, "L" if channels == 1 else "RGB")
    except MemoryError:
        raise
    # Everything else: each of Pillow's decoders has errors of its own for a damaged file, among
    # them SyntaxError, struct.error and zlib.error.
    except Exception as error:
        ours = isinstance(error, (PermissionError, FileNotFoundError))
        if getattr(error, "errno", None) and not ours:
            raise  # of the disk: no other file would fare better
        raise _unreadable(path, error) from error


class _UnknownRangeError(Exception):
    """Pixels of which nobody knows what is black and what is white."""


def _unreadable(path, error):
    """The error of an image file, by what Pillow said of it."""
    from PIL import Image

    empty = mode(path) and Path(path).stat().st_size == 0
    do = "Expected a complete image file; remove or replace it"
    if isinstance(error, Image.DecompressionBombError):
        reason = TOO_LARGE
        what = f"it has more than the {2 * Image.MAX_IMAGE_PIXELS} pixels that Pillow reads"
        do = "Expected a smaller one: shrink it or, if you trust it, raise the limit by "
        do += "`PIL.Image.MAX_IMAGE_PIXELS`"
    elif isinstance(error, Image.UnidentifiedImageError) and not _begins_like_an_image(path):
        reason, what = (
            NOT_IMAGES,
            "the file is empty" if empty else "it is no image that Pillow reads",
        )
    elif isinstance(error, (PermissionError, FileNotFoundError)):
        reason, what = NOT_READABLE, "it cannot be opened"
        do = "Expected a file that exists and may be read"
    elif isinstance(error, _UnknownRangeError):
        reason, what = RANGE, "it does not say which values are black and white"
        do = "Expected 8 bits, or 16 without a sign; convert it"
    else:
        reason, what = DAMAGED, "it is damaged"
    return UnreadableImageError(path, reason, what, do, error)


def fit(image, size):
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
    image = ImageOps.fit(image, (width, height), Image.Resampling.BICUBIC)
    return np.asarray(image).reshape(height, width, -1)


def _to_mode(image, mode):
    from PIL import Image

    if image.mode.startswith("I"):
        # Pillow would clip 16 bits at 255, and not scale.
        pixels = np.asarray(image).astype(np.float64)
        if pixels.min() < 0 or pixels.max() > 65535:
            raise _UnknownRangeError(f"pixels from {pixels.min():g} to {pixels.max():g}")
        image = Image.fromarray(np.rint(pixels / 257).astype(np.uint8))
    elif image.mode == "F":
        raise _UnknownRangeError("pixels are floating-point numbers")
    elif image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image)
    return image.convert(mode)
