"""Images at the edges of the library: floats inside, `uint8` and files outside.

Inside, images are floats in [-1, 1] of shape `(batch, height, width, channels)`. These functions
are the one place where that range meets 0 to 255, and where a picture becomes a file.

>>> import numpy as np
>>> from keras_gans import image
>>> images = np.zeros((6, 28, 28, 1), "float32")
>>> image.grid(images).shape
(58, 88, 1)
"""

import math
import os
from pathlib import Path

import numpy as np

from keras_gans.files import atomic, in_memory

# Pillow's modes by number of channels.
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}

# Suffixes of the files that `animate` writes.
ANIMATIONS = ("gif", "webp", "mp4")

# The largest side that these formats can note.
_LARGEST = {"gif": 65535, "webp": 16383}

# How far outside [-1, 1] counts as rounding: one ulp of bfloat16 at 1, which is 2**-7.
_SLACK = 2.0**-7


def to_uint8(images):
    """Turns floats in [-1, 1] into `uint8`.

    -1 becomes 0 and 1 becomes 255, rounded to the nearest, so `to_uint8(from_uint8(x))` is `x`.
    A value outside [-1, 1] by more than the rounding of half precision is an error and not
    clipped: it mostly means images in [0, 1] or [0, 255], or a generator without `tanh`.

    >>> to_uint8(np.array([-1.0, 0.0, 1.0])).tolist()
    [0, 128, 255]

    Args:
        images: Array or tensor of floats in [-1, 1], of any shape.

    Returns:
        NumPy array of `uint8`, of the same shape.

    Raises:
        ValueError: If `images` are no floats, or hold NaN or values outside [-1, 1].
    """
    images = np.asarray(images)
    if images.dtype.name == "bfloat16":  # not a float to NumPy
        images = images.astype("float32")
    if images.dtype.kind != "f":
        raise ValueError(
            f"`to_uint8` got images of an unsuitable dtype. Expected floats in [-1, 1]; turn "
            f"uint8 images into such floats with `from_uint8`. Received: dtype={images.dtype}"
        )
    if images.size == 0:
        return np.zeros(images.shape, "uint8")
    # Half precision is too coarse for 256 levels times 127.5.
    images = images.astype("float32", copy=False)
    low, high = images.min(), images.max()  # NaN wins both
    if not (low >= -1 - _SLACK and high <= 1 + _SLACK):
        raise ValueError(
            f"`to_uint8` got values outside [-1, 1]. Expected finite floats in [-1, 1]; rescale "
            f"the images, or pass them through `np.clip(images, -1, 1)` if they come from a "
            f"network that does not end in tanh. Received: values from {low} to {high}"
        )
    return np.rint((np.clip(images, -1, 1) + 1) * 127.5).astype("uint8")


def from_uint8(images):
    """Turns `uint8` into floats in [-1, 1].

    >>> from_uint8(np.array([0, 255], "uint8")).tolist()
    [-1.0, 1.0]

    Args:
        images: Array or tensor of `uint8`, of any shape.

    Returns:
        NumPy array of `float32` in [-1, 1], of the same shape.

    Raises:
        ValueError: If `images` are not `uint8`.
    """
    images = np.asarray(images)
    if images.dtype != np.uint8:
        raise ValueError(
            f"`from_uint8` got images of an unsuitable dtype. Expected uint8; floats in [-1, 1] "
            f"need no conversion. Received: dtype={images.dtype}"
        )
    return images.astype("float32") / np.float32(127.5) - np.float32(1)


def grid(images, columns=None, padding=2):
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
    images = _as_uint8(images)
    if images.ndim != 4 or 0 in images.shape or images.shape[-1] not in _MODES:
        raise ValueError(
            f"`grid` got no batch of images. Expected shape (n, height, width, channels) with 1, "
            f"3 or 4 channels and no empty axis; add the missing axis with `np.expand_dims`. "
            f"Received: shape={images.shape}"
        )
    if columns is not None and not _is_whole(columns, 1):
        raise ValueError(
            f"`grid` cannot lay images out in that many columns. Expected `columns` of at least "
            f"1, or None for a near-square grid. Received: columns={columns!r}"
        )
    if not _is_whole(padding, 0):
        raise ValueError(
            f"`grid` cannot lay images out with that padding. Expected `padding` of 0 pixels or "
            f"more. Received: padding={padding!r}"
        )
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


def enlarge(images, scale):
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
    if not _is_whole(scale, 1):
        raise ValueError(
            f"`enlarge` makes squares of whole pixels. Expected `scale` to be an integer of at "
            f"least 1. Received: scale={scale!r}"
        )
    if images.ndim < 3:
        raise ValueError(
            f"`enlarge` got no images. Expected shape (..., height, width, channels). "
            f"Received: shape={images.shape}"
        )
    return np.repeat(np.repeat(images, scale, axis=-3), scale, axis=-2)


def visible_scale(image_shape, pixels=112):
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
    if len(sides) != 2 or not all(_is_whole(side, 1) for side in sides):
        raise ValueError(
            f"`visible_scale` needs the size of the images. Expected (height, width, ...) in "
            f"pixels. Received: image_shape={image_shape!r}"
        )
    return max(1, round(pixels / min(image_shape[:2])))


def side_by_side(columns):
    """Puts batches of images beside each other, for `grid(..., columns=len(columns))`.

    >>> side_by_side([np.zeros((2, 8, 8, 1)), np.ones((2, 8, 8, 3))]).shape
    (4, 8, 8, 3)

    Args:
        columns: Batches of as many images, of one height and width; those with one channel become
            grey in three where others have three.

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
    channels = max(column.shape[-1] for column in columns)
    columns = [np.repeat(c, channels, -1) if c.shape[-1] == 1 else c for c in columns]
    if len({column.shape for column in columns}) != 1:
        raise ValueError(
            "Only batches of as many images of one size can stand side by side. "
            f"Received: shapes {[column.shape for column in columns]}"
        )
    return np.stack(columns, axis=1).reshape(-1, *columns[0].shape[1:])


def save(images, path, columns=None, padding=2):
    """Writes one image, or a batch as a grid, to a file.

    The file appears under its name only when it is complete, so whoever watches the folder never
    reads half a picture, and a killed process leaves the previous one. Missing parent folders
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
    """
    images = _as_uint8(images)
    if images.ndim == 4:
        images = grid(images, columns, padding)
    picture = _to_pillow(images)
    path = Path(path)
    kind = _format(path)
    if kind == "JPEG" and picture.mode == "RGBA":
        raise ValueError(
            f"JPEG cannot hold an alpha channel. Expected 1 or 3 channels; save as `.png` or "
            f"drop the fourth channel. Received: path={str(path)!r}, shape={images.shape}"
        )
    with in_memory(path) as file:
        # 4:2:0 chroma would blur the seams of small samples.
        options = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}
        _encode(picture, file, kind, **options)
    return path


def animate(frames, path, duration=100, hold=1000):
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
        ImportError: If what writes MP4 is not installed.
    """
    from PIL import Image

    if isinstance(frames, str | os.PathLike):
        raise ValueError(
            f"`animate` got one path. Expected a list of frames. Received: frames={str(frames)!r}"
        )
    frames, path = list(frames), Path(path)
    kind = path.suffix.lower().removeprefix(".")
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

    def pictures():
        # One at a time: a long training has more frames than memory may hold.
        size = None
        for number, frame in enumerate(frames):
            if isinstance(frame, str | os.PathLike):
                with Image.open(frame) as file:
                    grey = file.mode in ("1", "L")
                    picture = file.convert("L" if grey else "RGB")
            else:
                picture = _to_pillow(_as_uint8(frame))
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

    if kind == "mp4":
        return _film(pictures(), path, duration, hold)
    rest = pictures()
    first = next(rest)
    times = [duration] * (len(frames) - 1) + [hold]
    options = {"lossless": True} if kind == "webp" else {}
    with in_memory(path) as file:
        first.save(
            file,
            format=kind.upper(),
            save_all=True,
            append_images=rest,
            duration=times if len(times) > 1 else hold,
            loop=0,
            **options,
        )
    return path


def _encode(picture, file, kind, **options):
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


def _is_whole(value, least):
    """Whether a value is an integer, not a boolean, of at least `least`."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return whole and value >= least


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


def _as_uint8(images):
    images = np.asarray(images)
    return images if images.dtype == np.uint8 else to_uint8(images)


def _to_pillow(image):
    from PIL import Image

    if image.ndim != 3 or 0 in image.shape or image.shape[-1] not in _MODES:
        raise ValueError(
            f"That is no image. Expected shape (height, width, channels) with 1, 3 or 4 channels "
            f"and no empty axis. Received: shape={image.shape}"
        )
    return Image.fromarray(np.ascontiguousarray(image[..., 0] if image.shape[-1] == 1 else image))


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
