"""Films, frame by frame, by the ffmpeg that the package imageio-ffmpeg brings along."""

import contextlib
import logging
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import numpy as np

from keras_gans.zoo.inference.pictures import Header

# Files that are read; what is made of them is MP4.
SUFFIXES = {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi"}

# Of ffmpeg: local files only, whatever a file names; square pixels; H.264 whose quality hardly
# suffers, with colours as players expect them of large pictures.
_READING = ["-protocol_whitelist", "file,pipe"]
_SQUARE = "scale=iw*sar:ih,setsar=1"
_WRITING = ["-crf", "17", "-vf", "scale=out_color_matrix=bt709", "-colorspace", "bt709"]

_UNWRITTEN = (
    "ffmpeg could not write the film to its end. Is the disk full? It may have said so above"
)


def is_film(path: Path) -> bool:
    """Returns whether a path has the suffix of a film."""
    return path.suffix.lower() in SUFFIXES


def header(path: Path) -> Header:
    """Reads size and number of frames of a film.

    Raises:
        ModuleNotFoundError: if imageio-ffmpeg is not installed.
        ValueError: if it is no film, or does not say how many frames it has.
    """
    width, height, rate, seconds = _about(path)
    return Header(width, height, "MP4", max(round(seconds * rate), 1), 8)


def rate(path: Path) -> Fraction:
    """Returns how many frames a second a film has; of one without a constant rate, the mean."""
    return _about(path)[2]


def frames(path: Path) -> Iterator[np.ndarray]:
    """Yields the frames, at `rate`: `uint8` of shape `(height, width, 3)`.

    Raises:
        ValueError: if the film is damaged, so that a tenth of its frames is missing.
    """
    about, found = header(path), 0
    with contextlib.closing(_reader(path, ["-r", str(rate(path))])) as reader:
        try:
            _begun(reader)
            for frame in reader:
                found += 1
                yield np.frombuffer(frame, "uint8").reshape(about.height, about.width, 3)
        except RuntimeError as error:
            raise _unreadable(error) from error
    if found < 0.9 * about.frames - 1:
        raise _unreadable(f"it has {found} of about {about.frames} frames")


@contextlib.contextmanager
def writer(path: Path, rate: Fraction, height: int, width: int) -> Iterator:
    """Yields a function that appends a frame to an MP4 (H.264), which is checked at the end.

    Sides of an odd number of pixels, which H.264 in 4:2:0 has not, get one more.

    Raises:
        OSError: if ffmpeg cannot write it.
    """
    odd = [(0, height % 2), (0, width % 2), (0, 0)]
    about = {"fps": rate, "codec": "libx264", "quality": None, "macro_block_size": 1}
    about |= {"ffmpeg_log_level": "error", "output_params": [*_WRITING]}
    made = _ffmpeg().write_frames(path, (width + width % 2, height + height % 2), **about)
    with contextlib.closing(made):
        made.send(None)

        def write(frame):
            try:
                made.send(np.pad(frame, odd, mode="edge").tobytes())
            except OSError as error:  # of the pipe, whose end ffmpeg has closed
                raise OSError(_UNWRITTEN) from error

        yield write
    try:
        _about(path)  # its table of contents is written last: a full disk leaves none
    except ValueError as error:
        raise OSError(_UNWRITTEN) from error


def _about(path: Path) -> tuple[int, int, Fraction, float]:
    """Width, height, frames a second, and seconds."""
    with contextlib.closing(_reader(path)) as reader:
        try:
            about = _begun(reader)
        except Exception as error:  # its parser fails in many ways at what is no film
            raise _unreadable(error) from error
    if not about["fps"] or not about["duration"]:
        raise _unreadable("it does not say how many frames a second it has, or how long it is")
    shown = about["fps"]  # rounded: 23.98 is 24 * 1000 / 1001
    exact = Fraction(math.ceil(shown) * 1000, 1001)
    near = abs(float(exact) - shown) < 0.006
    return (
        *about["size"],
        exact if near else Fraction(shown).limit_denominator(100),
        about["duration"],
    )


def _reader(path, options=()):
    output = ["-vf", _SQUARE, *options]
    return _ffmpeg().read_frames(path.resolve(), input_params=[*_READING], output_params=output)


def _begun(reader):
    """What the film says of itself, without a warning where it is turned or made square."""
    log = logging.getLogger("imageio_ffmpeg")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        return next(reader)
    finally:
        log.setLevel(level)


def _ffmpeg() -> ModuleType:
    try:
        import imageio_ffmpeg
    except ImportError as error:
        raise ModuleNotFoundError(
            "Films are read and written by the package imageio-ffmpeg. Install it with "
            f"`pip install 'keras-gans[video]'`. Received: {error}"
        ) from error
    return imageio_ffmpeg


def _unreadable(found):
    lines = [line.strip() for line in str(found).splitlines() if line.strip()] or ["nothing"]
    return ValueError(
        "The film cannot be read: it is damaged, or none. Expected a complete film that ffmpeg "
        f"reads; remove or replace it. Received: {lines[-1]}"
    )
