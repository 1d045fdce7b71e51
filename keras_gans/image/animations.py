"""Many frames as one file: GIF, WebP and MP4."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from keras_gans.files import atomic, in_memory
from keras_gans.image.files import file_to_write
from keras_gans.image.pixels import to_pillow
from keras_gans.image.range import as_uint8

if TYPE_CHECKING:
    from PIL import Image

# Suffixes of the files that `animate` writes.
ANIMATIONS = ("gif", "webp", "mp4")

# The largest side that these formats can note.
_LARGEST = {"gif": 65535, "webp": 16383}


def animate(
    frames: Sequence[ArrayLike | Path | str],
    path: Path | str,
    duration: float = 100,
    hold: float = 1000,
) -> Path:
    """Writes an animation: how samples change over a training, or along a walk through latents.

    GIF and WebP repeat endlessly; whether a film (MP4) does is up to its player. As with `save`,
    the file appears only when it is complete.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> frames = [np.full((8, 8, 3), value, "uint8") for value in (0, 128, 255)]
    >>> animate(frames, folder / "training.gif").name
    'training.gif'

    Args:
        frames: List of images of one size, each an array of shape `(height, width, channels)`
            (`uint8`, or floats in [-1, 1]) or the path of an image file.
        path: Where to write: `.gif`, `.webp` (lossless) or `.mp4`. A GIF has at most 256 colours a
            frame. MP4 (H.264) needs `pip install 'keras-gans[video]'`; a side of an odd number of
            pixels gets one more, white.
        duration: Time of a frame, in milliseconds. GIF counts in steps of 10.
        hold: Time of the last frame, in milliseconds: the end result should be seen. In an MP4 it
            is rounded to whole frames.

    Returns:
        The `pathlib.Path` written.

    Raises:
        ValueError: If there are no frames, they are unlike in size, or `path` names another
            format.
        FileNotFoundError: If a frame's file is missing.
        IsADirectoryError: If `path` is a folder.
        ImportError: If what writes MP4 is not installed.
    """
    path = file_to_write(path, "samples.gif")
    frames, kind = _checked(frames, path, duration, hold)
    pictures = _pictures(frames, kind)
    if kind == "mp4":
        return _film(pictures, path, duration, hold)
    first = next(pictures)
    times = [duration] * (len(frames) - 1) + [hold]
    options = {"lossless": True} if kind == "webp" else {}
    with in_memory(path) as file:
        first.save(
            file,
            format=kind.upper(),
            save_all=True,
            append_images=pictures,
            duration=times if len(times) > 1 else hold,
            loop=0,
            **options,
        )
    return path


def _checked(frames, path, duration, hold):
    """The frames as a list and the format, or ValueError if the arguments do not fit."""
    if isinstance(frames, str | os.PathLike):
        raise ValueError(
            f"`animate` got one path. Expected a list of frames. Received: frames={str(frames)!r}"
        )
    if not isinstance(frames, Iterable):
        raise ValueError(
            f"`animate` got no list. Expected a list of frames, each an image or the path of an "
            f"image file. Received: frames={frames!r}"
        )
    frames, kind = list(frames), path.suffix.lower().removeprefix(".")
    if kind not in ANIMATIONS:
        raise ValueError(
            f"`animate` cannot write that format. Expected a path that ends in `.mp4`, `.gif` or "
            f"`.webp`. Received: path={str(path)!r}"
        )
    if not frames:
        raise ValueError(
            f"`animate` got nothing to show. Expected at least one frame. Received: {frames!r}"
        )
    if not all(
        isinstance(n, int | float | np.number) and 10 <= n < 2**31 for n in (duration, hold)
    ):
        raise ValueError(
            f"`animate` got an unsuitable time. Expected milliseconds, 10 or more. "
            f"Received: duration={duration!r}, hold={hold!r}"
        )
    return frames, kind


def _pictures(frames: list, kind: str) -> "Iterator[Image.Image]":
    """The frames as Pillow's images, one at a time: a long training has more than memory holds."""
    size = None
    for number, frame in enumerate(frames):
        picture = _picture(frame)
        size = size or picture.size
        if kind != "mp4" and max(size) > _LARGEST[kind]:
            raise ValueError(
                f"`animate` got frames that are too large. Expected at most {_LARGEST[kind]} "
                f"pixels a side in {kind}. Received: {size[0]}x{size[1]} pixels"
            )
        if picture.size != size:
            raise ValueError(
                f"`animate` got frames of unlike sizes. Expected every frame as large as the "
                f"first, {size[0]}x{size[1]} pixels. Received: frame {number} of "
                f"{picture.size[0]}x{picture.size[1]} pixels"
            )
        yield picture


def _picture(frame):
    from PIL import Image

    if not isinstance(frame, str | os.PathLike):
        return to_pillow(as_uint8(frame))
    with Image.open(frame) as file:
        return file.convert("L" if file.mode in ("1", "L") else "RGB")


def _film(pictures, path, duration, hold):
    """Writes Pillow's pictures as H.264, which every player reads in 4:2:0 only."""
    try:
        import imageio.v2 as imageio
        import imageio_ffmpeg  # noqa: F401  what imageio calls, which it would miss too late
    except ImportError as error:
        raise ImportError(
            "MP4 needs the packages imageio and imageio-ffmpeg. Install them with "
            f"`pip install 'keras-gans[video]'`, or write `.gif` or `.webp`. Received: {error}"
        ) from error
    with atomic(path) as file:
        # Blocks of 2 pixels: half as many have a colour. By default it would blur up to 15 more.
        options = {"fps": 1000 / duration, "codec": "libx264", "macro_block_size": 2}
        with imageio.get_writer(file, format="FFMPEG", **options) as writer:
            for picture in pictures:
                pixels = np.asarray(picture.convert("RGB"))
                odd = [(0, side % 2) for side in pixels.shape[:2]]
                pixels = np.pad(pixels, (*odd, (0, 0)), constant_values=255)
                writer.append_data(pixels)
            for _ in range(round(hold / duration) - 1):
                writer.append_data(pixels)
    return path
