"""Image files of any size and kind in, and films, larger ones out."""

import dataclasses
import functools
import math
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import keras
import numpy as np

from keras_gans import AdversarialModel, image
from keras_gans.data.sources import image_files
from keras_gans.files import atomic
from keras_gans.image.files import UnreadableImageError, encode, opened, suffixes
from keras_gans.image.pixels import to_pillow
from keras_gans.image.strips import PngWriter
from keras_gans.metrics.features import hash_of
from keras_gans.names import did_you_mean, printable
from keras_gans.terminal import Progress, say
from keras_gans.zoo.inference import films, inputs, mixing, pictures
from keras_gans.zoo.inference.generate import Source, source_name
from keras_gans.zoo.inference.page import ROWS, Gallery
from keras_gans.zoo.inference.resampling import resampled
from keras_gans.zoo.inference.shards import Shard
from keras_gans.zoo.inference.upscaler import Upscaler, of_network, scale_of
from keras_gans.zoo.loading import is_run, load, scales

# Formats that can be written, to their suffixes.
FORMATS = {
    "png": ".png",
    "jpeg": ".jpg",
    "webp": ".webp",
    "tiff": ".tif",
    "gif": ".gif",
    "avif": ".avif",
}
_OF_SUFFIX = {suffix: name for name, suffix in FORMATS.items()}
_OF_SUFFIX |= {".jpeg": "jpeg", ".tiff": "tiff", ".mp4": "mp4"}
_ANIMATED = ("GIF", "WEBP", "PNG", "TIFF", "AVIF", "MP4")

# The longest side of a format, and the most pixels of those that are encoded in memory.
_LONGEST = {"jpeg": 65500, "webp": 16383, "gif": 65535, "avif": 65535, "mp4": 16384}
_WHOLE = 2**27

# How each is encoded.
_OPTIONS = {
    "jpeg": {"quality": 95, "subsampling": 0},
    "webp": {"quality": 95, "method": 4},
    "tiff": {"compression": "tiff_adobe_deflate"},
    "avif": {"quality": 90},
    "gif": {},
    "png": {},
}

# Another network, and its share of the weights.
Mixture = tuple[Source | keras.Model, float]

_LARGEST_SCALE = 16
# What is shown of an image on the page: pixels a side of it, before it was enlarged.
_SHOWN = 256


@dataclasses.dataclass(frozen=True)
class Upscaled:
    """What `upscale` did.

    Attributes:
        page: the `index.html` that shows it.
        written: paths of the images made.
        skipped: paths of the images that were there already.
        failed: paths of the inputs that could not be enlarged, to the reason.
        left_out: reasons to names of what is in the folders and no image.
        tiles: in words, how images are cut.
    """

    page: Path
    written: list[Path]
    skipped: list[Path]
    failed: dict[Path, str]
    left_out: dict[str, list[str]]
    tiles: str


def upscale(
    source: Source | keras.Model,
    files: str | Path | Iterable[str | Path],
    output: str | Path = "upscaled",
    *,
    scale: float | None = None,
    mix_with: Mixture | None = None,
    format: str | None = None,
    strength: float = 1.0,
    keep_colours: bool = True,
    tile: int | None = None,
    margin: int | None = None,
    precision: str = "float32",
    max_pixels: int = 2**31,
    best: bool = False,
    overwrite: bool = False,
    shard: Shard | None = None,
    verbose: int = 1,
) -> Upscaled:
    """Enlarges image files and films, and writes a page with a slider between before and after.

    Images are cut into tiles that share margins, which are cut off again: no seam is blended. A
    PNG is written in strips, so that its size does not matter for memory. Formats, colours,
    transparency and animations are as docs/upscale.md says.

    What is in `output` already is skipped, so that the same call goes on where it was stopped.

    >>> done = keras_gans.zoo.upscale("realesrgan_animevideo_x4", "photographs")  # doctest: +SKIP
    >>> done.written  # doctest: +SKIP
    [PosixPath('upscaled/a.jpg'), PosixPath('upscaled/b.png')]

    Args:
        source: name of a preset, folder of one or of a run, a GAN, or a network: one that takes
            images of any size and makes larger ones.
        files: path of an image, of a film or of a folder of images, or several of these. Images
            keep their names, if these are not too long, and those of a folder their subfolders.
            A film becomes an MP4, without its sound, frame by frame.
        output: folder to write to.
        scale: how many times larger each side becomes, from 1 to 16. One that the network lacks is
            reached by resampling what it makes. `None` for the network's own.
        mix_with: `(other, share)` to enlarge by a network between two, whose weights are
            `(1 - share) * source + share * other`. `other` is as `source`, and of the same
            architecture: the network that `source` was trained further from, or the reverse.
        format: of images, one of `FORMATS`, such as `"png"`; `None` for the format of each, or
            PNG for one that is not written.
        strength: 1 for the network's image, 0 for bicubic interpolation, or a mixture.
        keep_colours: correct the network's shift of colours, by the blurred difference between the
            image and what was made of it, reduced.
        tile: side of a tile in pixels; `None` for one that takes a gigabyte at most.
        margin: pixels of a tile to every side that are cut off; `None` for as many as the network
            looks at or, where these are too many, 32 or 48.
        precision: `"bfloat16"` lets convolutions compute in it: twice as fast on a processor that
            has it, and a little less exact; docs/upscale.md says how much.
        max_pixels: most pixels of an image that is made, or of a frame of a film; a larger one is
            refused before anything of it is decoded.
        best: see `open_gan`; with `mix_with`, of those of the two that are runs.
        overwrite: enlarge again what is in `output` already.
        shard: `(3, 16)` for the third of sixteen parts of the images, so that as many machines
            share the work; `None` for all.
        verbose: 1 shows progress and what was done to each image, 0 nothing.

    Returns:
        An `Upscaled`. A file that cannot be read, enlarged or written is noted there, and the
        others are done.

    Raises:
        ValueError: before anything is written, if there are no images, two would be written to one
            file, one would be written over an input, what is in `output` was made in another way,
            the network does not enlarge images, or the two to mix differ, with the first
            difference of their layers.
        FileNotFoundError: if a file is missing.
        ModuleNotFoundError: if the weights are in a package that is not installed, or the one that
            reads films is not.
        OSError: if the disk is full, or `output` may not be written to.
    """
    output = Path(output)
    _require_possible(output, format, scale, max_pixels)
    mixing.require_share(mix_with)
    found = inputs.find(files, output, _suffix_for(format), "upscale", films.SUFFIXES)
    targets, failed = found.shard(shard), dict(found.failed)
    network, scale = _network(source, scale, best, mix_with)
    upscaler = of_network(network, tile, margin, strength, keep_colours, precision)
    settings = {
        "generator": hash_of(network)[:16],
        "scale": scale,
        # 0 and 1 are the one and the other network, which "generator" tells apart.
        "mix_with": mix_with[1] if mix_with and mix_with[1] not in (0, 1) else None,
        "strength": strength,
        "keep_colours": keep_colours,
        "tile": upscaler.tile,
        "margin": upscaler.margin,
        "precision": precision,
    }
    gallery = Gallery(output, shard)
    skipped = {n: output / n for n in targets if not overwrite and (output / n).is_file()}
    gallery.require_same(settings, skipped)
    asked = {name: path for name, path in targets.items() if name not in skipped}
    headers, refused = _headers(asked, scale, max_pixels, output)
    failed |= refused
    if refused and not headers and not skipped:
        reasons = [f"{printable(str(path))} ({why})" for path, why in failed.items()]
        raise ValueError(
            "None of these images can be enlarged. Expected others, or other options. "
            f"Received: {', '.join(reasons[:3])}"
        )
    work = _Work(gallery, upscaler, scale, settings, _tiles_in_words(upscaler))
    if verbose and headers:
        say(work.tiles)
    written = work.all({n: (asked[n], about) for n, about in headers.items()}, failed, verbose)
    total = len(targets) + sum(map(len, found.left_out.values()))
    if verbose and (line := image_files.summary(found.left_out, total)):
        say(line)
    name = _name(source)
    if mix_with is not None:
        name += f", mixed with {mix_with[1]:g} of {_name(mix_with[0])}"
    page = gallery.write_page(f"Upscaled by {name}", failed, "upscaled")
    return Upscaled(page, written, [*skipped.values()], failed, found.left_out, work.tiles)


def upscale_image(
    source: Source | keras.Model,
    pixels: np.ndarray,
    scale: float | None = None,
    *,
    mix_with: Mixture | None = None,
    strength: float = 1.0,
    keep_colours: bool = True,
    tile: int | None = None,
    margin: int | None = None,
    precision: str = "float32",
) -> np.ndarray:
    """Enlarges one image, in tiles.

    >>> image = np.zeros((20, 30, 3), "uint8")
    >>> keras_gans.zoo.upscale_image("realesrgan_animevideo_x4", image, scale=2).shape
    (40, 60, 3)

    Args:
        source: as for `upscale`.
        pixels: `(height, width, channels)` with 1 channel (grey), 2 (grey with alpha), 3 or 4, of
            `uint8` or `uint16`.
        scale: as for `upscale`, and so are the others.

    Returns:
        Array of the same type and channels, the sides times `scale`, rounded.

    Raises:
        ValueError: for no image, a network that does not enlarge images, or two that cannot be
            mixed.
    """
    pixels = np.asarray(pixels)
    if (
        pixels.ndim != 3
        or 0 in pixels.shape
        or pixels.shape[2] > 4
        or pixels.dtype not in (np.uint8, np.uint16)
    ):
        raise ValueError(
            "That is no image. Expected uint8 or uint16 of shape (height, width, channels), with 1 "
            "to 4 channels; floats in [-1, 1] become such by `keras_gans.image.to_uint8`. "
            f"Received: {pixels.dtype} of shape {pixels.shape}"
        )
    _require_scale(scale)
    mixing.require_share(mix_with)
    network, scale = _network(source, scale, False, mix_with)
    upscaler = of_network(network, tile, margin, strength, keep_colours, precision)
    return _whole(upscaler, pictures.Picture(pixels), scale, int)


# ---- what is refused before anything is decoded


def _require_possible(output, format, scale, max_pixels):
    if format is not None and format not in FORMATS:
        raise ValueError(
            f"Images cannot be written in that format.{did_you_mean(str(format), FORMATS)} "
            f"Expected one of {list(FORMATS)}, or None for that of each image. "
            f"Received: format={format!r}"
        )
    if format == "avif" and ".avif" not in suffixes():
        raise ValueError(
            "This Pillow writes no AVIF. Install a newer one (`pip install -U pillow`), or choose "
            "another format. Received: format='avif'"
        )
    _require_scale(scale)
    if isinstance(max_pixels, bool) or not isinstance(max_pixels, int) or max_pixels < 1:
        raise ValueError(
            f"`max_pixels` must be an integer of at least 1. Received: max_pixels={max_pixels!r}"
        )
    inputs.require_folder(output)


def _require_scale(scale):
    number = isinstance(scale, (int, float)) and not isinstance(scale, bool)
    if scale is not None and not (number and 1 <= scale <= _LARGEST_SCALE):
        raise ValueError(
            f"`scale` must be a number from 1 to {_LARGEST_SCALE}: how many times larger each side "
            f"becomes. To make images smaller needs no network. Received: scale={scale!r}"
        )


def _suffix_for(format):
    def suffix(path):
        own = path.suffix.lower()
        if films.is_film(path):
            return ".mp4"
        if format is not None:
            return path.suffix if _OF_SUFFIX.get(own) == format else FORMATS[format]
        return path.suffix if own in _OF_SUFFIX and own in suffixes() else ".png"

    return suffix


def _headers(targets, scale, max_pixels, output):
    """Headers of the images that can be made, and reasons why the others cannot."""
    headers, refused = {}, {}
    for name, path in targets.items():
        try:
            about = (films if films.is_film(path) else pictures).header(path)
            _require_size(name, about, scale, max_pixels)
            headers[name] = about
        except UnreadableImageError as error:
            refused[path] = error.advice
        except ValueError as error:
            refused[path] = str(error)
    _require_room(output, {name: _size(about, scale) for name, about in headers.items()})
    return headers, refused


def _size(about, scale):
    return round(about.height * scale), round(about.width * scale)


def _require_size(name, about, scale, max_pixels):
    height, width = _size(about, scale)
    kind = _OF_SUFFIX[Path(name).suffix.lower()]
    animated = about.frames if _frames(kind, about) and kind != "mp4" else 1
    if height * width * animated > max_pixels:
        raise ValueError(
            f"It would become {width}x{height} pixels"
            f"{f' in {animated} frames' if animated > 1 else ''}, more than `max_pixels` of "
            f"{max_pixels:,}. Choose a smaller scale, or raise the limit"
        )
    longest = _LONGEST.get(kind, 2**31)
    whole = kind != "png" or animated > 1
    if kind == "mp4" and max(height, width) > longest:
        raise ValueError(
            f"It would become {width}x{height} pixels, too many for a film: a side may have "
            f"{longest:,}. Choose a smaller scale"
        )
    if max(height, width) > longest or (whole and height * width > _WHOLE):
        raise ValueError(
            f"It would become {width}x{height} pixels, too many for {kind}: a side may have "
            f"{longest:,}, and all that is not PNG is encoded in memory, up to {_WHOLE:,} pixels. "
            "Choose `format='png'` (`--format png`), which is written in strips"
        )


def _frames(kind, about):
    return about.frames > 1 and kind.upper() in _ANIMATED


def _require_room(output, sizes):
    """Raises OSError if not even well compressed images would fit on the disk."""
    least = sum(height * width for height, width in sizes.values()) // 20
    there = next(p for p in (output, *output.absolute().parents) if p.exists())
    free = shutil.disk_usage(there).free
    if least > free:
        raise OSError(
            f"The disk has no room for what would be made. Expected {least / 1e6:,.0f} MB at least "
            "to be free. Free some, choose another `output`, a smaller scale, or another format. "
            f"Received: {free / 1e6:,.0f} MB free in {there}"
        )


# ---- by which network


def _network(source, scale, best, mix_with):
    """The network, and the scale asked for or else its own."""
    if mix_with is None:
        network = _loaded(source, scale, best)
    else:
        network = _between(source, *mix_with, scale, best)
    own = scale_of(network)
    return network, own if scale is None else scale


def _between(source, other, share, scale, best):
    """The network between two."""
    runs = [is_run(one) for one in (source, other)]
    # A preset has no best checkpoint, which loading says if neither is a run.
    best = [best and (run or not any(runs)) for run in runs]
    # Another scale is another network, with the same weights: compared is each one's own.
    first, second = _loaded(source, None, best[0]), _loaded(other, None, best[1])
    scale_of(first)  # one that enlarges nothing is to be called that, and not unlike the other
    mixing.require_alike(first, second)
    if share == 1:
        return _loaded(other, scale, best[1])
    network = _loaded(source, scale, best[0])
    return mixing.mixed(network, first, second, share) if share else network


def _loaded(source, scale, best):
    """A network, for a scale or the next larger one, if it has such."""
    if isinstance(source, AdversarialModel):
        return source.inference_generator
    if isinstance(source, keras.Model):
        return source
    known = scales(source)
    enough = [own for own in known if scale is not None and own >= scale]
    wanted = None if scale is None else min(enough, default=max(known))
    return load(source, best=best, scale=wanted if len(known) > 1 else None)


def _name(source):
    return source.name if isinstance(source, keras.Model) else source_name(source)


def _tiles_in_words(upscaler):
    side, margin = upscaler.tile, upscaler.margin
    words = f"Tiles of {side}x{side} pixels, of which {margin} to every side are cut off: "
    if upscaler.exact:
        return words + "as many as the network looks at, so that no seam is left"
    return words + (
        "the network looks farther, so that tiles differ a little where they meet; a larger "
        "margin takes longer (the card of a preset says how much)"
    )


# ---- one image


@dataclasses.dataclass(frozen=True)
class _Work:
    """What is done to each image."""

    gallery: Gallery
    upscaler: Upscaler
    scale: float
    settings: dict[str, Any]
    tiles: str

    def all(self, asked, failed, verbose):
        """Makes all images; those that fail are noted in `failed`."""
        counts = {
            name: self.upscaler.tiles((about.height, about.width))
            * (about.frames if _frames(_OF_SUFFIX[Path(name).suffix.lower()], about) else 1)
            for name, (_, about) in asked.items()
        }
        progress, done, written = Progress(sum(counts.values()), "tiles", verbose), 0, []
        for number, (name, (path, about)) in enumerate(asked.items()):
            started = time.perf_counter()
            report = _Report(progress, done, printable(str(path)))
            make = functools.partial(self.one, path, name, about, number < ROWS, report)
            said, made = inputs.attempt(make)
            if made:
                written.append(self.gallery.folder / name)
            else:
                failed[path] = said
            done += counts[name]
            if verbose:
                seconds = time.perf_counter() - started
                say(f"[{number + 1}/{len(asked)}] {path}: {said} ({seconds:.1f} s)")
        return written

    def one(self, path, name, about, shown, report):
        """Writes the image made of a file, and says in words what was done."""
        kind = _OF_SUFFIX[Path(name).suffix.lower()]
        height, width = _size(about, self.scale)
        remarks = [f"to {width}x{height}"]
        if self.scale != self.upscaler.scale:
            remarks.append(f"scale {self.scale:g} by resampling of {self.upscaler.scale}")
        target = self.gallery.folder / name
        seen = _Seen(self.scale) if shown else None
        with atomic(target) as partial:
            if kind == "mp4":
                remarks += self._film(path, about, partial, report, seen)
            elif _frames(kind, about):
                remarks.append(f"{about.frames} frames")
                self._animation(path, kind, partial, report, seen)
            else:
                if about.frames > 1:
                    remarks.append(f"first of {about.frames} frames")
                picture = pictures.read(path, about)
                remarks += self._still(picture, kind, partial, report, seen)
            parts = seen.parts if seen and seen.parts else {}
            self.gallery.note(
                name, path, (about.height, about.width), remarks, parts, self.settings
            )
        return ", ".join(remarks)

    def _still(self, picture, kind, partial, report, seen):
        strips = _seen(self._strips(picture, report), seen, picture)
        if kind == "png":
            with partial.open("wb") as file:
                _write_png(file, strips, picture, self.scale)
            return []
        pixels, remarks = np.concatenate(list(strips)), []
        if picture.bits == 16 and not (kind == "tiff" and picture.channels == 1):
            pixels = np.rint(pixels / 257).astype("uint8")
            remarks.append("8 bits, as this format has no 16 here")
        if picture.alpha and kind == "jpeg":
            pixels = image.on_white(pixels[..., :-1], pixels[..., -1:])
            remarks.append("on white, as JPEG has no alpha")
        # Pillow takes no notes into a TIFF whose own tags they repeat.
        exif = b"Exif\0\0" + picture.exif if picture.exif and kind != "tiff" else None
        options = {"icc_profile": picture.icc, "exif": exif} | _OPTIONS[kind]
        with partial.open("wb") as file:
            made = _pillow(pixels)
            encode(made, file, kind.upper(), **{n: v for n, v in options.items() if v is not None})
        return remarks

    def _animation(self, path, kind, partial, report, seen):
        times, loop = _timing(path)

        def frames():
            for number, picture in enumerate(pictures.frames(path)):
                report.frame(number, self.upscaler.tiles(picture.shape))
                strips = self._strips(picture, report)
                if number == 0:
                    strips = _seen(strips, seen, picture)
                made = _pillow(np.concatenate(list(strips)))
                yield made.convert("RGBA") if made.mode == "LA" else made

        made = frames()
        first = next(made)
        # Pillow goes through the frames of a PNG twice.
        others = list(made) if kind == "png" else made
        options = {"save_all": True, "append_images": others, **_OPTIONS[kind]}
        if kind != "tiff":
            options |= {"duration": times, "loop": loop}
        if kind == "gif":
            options["disposal"] = 2
        with partial.open("w+b") as file:  # a TIFF is read again for each page
            encode(first, file, kind.upper(), **options)

    def _film(self, path, about, partial, report, seen):
        rate, count = films.rate(path), 0
        with films.writer(partial, rate, *_size(about, self.scale)) as write:
            for count, frame in enumerate(films.frames(path), 1):
                picture = pictures.Picture(frame)
                # Counted from times, of which one more may come.
                if count <= about.frames:
                    report.frame(count - 1, self.upscaler.tiles(picture.shape))
                strips = self._strips(picture, report if count <= about.frames else int)
                strips = _seen(strips, seen, picture) if count == 1 else strips
                write(np.concatenate(list(strips)))
        return [f"{count} frames, {float(rate):.5g} a second, without the sound"]

    def _strips(self, picture, report) -> Iterator[np.ndarray]:
        return _scaled(self.upscaler, picture, self.scale, report)


def _scaled(upscaler, picture, scale, report):
    strips = upscaler.strips(picture, report)
    if scale == upscaler.scale:
        return strips
    height, width = (side * upscaler.scale for side in picture.shape)
    size = tuple(max(round(side * scale), 1) for side in picture.shape)
    return resampled(strips, (height, width), size)


def _whole(upscaler, picture, scale, report):
    return np.concatenate(list(_scaled(upscaler, picture, scale, report)))


class _Report:
    """Progress over all images: `report(done)` counts the tiles of one."""

    def __init__(self, progress: Progress, before: int, note: str) -> None:
        self.progress, self.before, self.note = progress, before, note

    def frame(self, number: int, tiles: int) -> None:
        """A new frame begins, whose tiles are counted from 1 again."""
        self.before += tiles * bool(number)

    def __call__(self, done: int) -> None:
        self.progress.update(self.before + done, self.note)


class _Seen:
    """A part of an image before and after, for the page."""

    def __init__(self, scale: float) -> None:
        self.scale = scale
        self.rows: list[np.ndarray] = []
        self.parts: dict[str, np.ndarray] = {}

    def choose(self, shape: tuple[int, int]) -> None:
        """Chooses the part of an image of `(height, width)`: its middle."""
        sides = [min(side, _SHOWN) for side in shape]
        starts = [(whole - side) // 2 for whole, side in zip(shape, sides)]
        self.before = [slice(s, s + n) for s, n in zip(starts, sides)]
        ends = [math.floor((s + n) * self.scale) for s, n in zip(starts, sides)]
        self.after = [slice(math.ceil(s * self.scale), end) for s, end in zip(starts, ends)]

    def look(self, place: int, strip: np.ndarray) -> None:
        """Keeps what is to be shown of a strip that begins at row `place`."""
        rows, columns = self.after
        first, last = max(rows.start - place, 0), rows.stop - place
        if last > 0 and first < len(strip):
            self.rows.append(strip[first:last, columns])

    def finish(self, picture: pictures.Picture) -> None:
        """Makes `parts` of what was kept."""
        rows, columns = self.before
        before = picture.rows(rows.start, rows.stop)[:, columns]
        before = np.rint((before + 1) * 127.5).astype("uint8")
        after = np.concatenate(self.rows)
        after = after if after.dtype == np.uint8 else (after // 257).astype("uint8")
        self.parts = {"before": _shown(before), "after": _shown(after)}


def _shown(pixels):
    return (
        image.on_white(pixels[..., :-1], pixels[..., -1:]) if pixels.shape[2] in (2, 4) else pixels
    )


def _seen(strips, seen, picture):
    """The strips, of which a part is kept for the page."""
    place = 0
    if seen is not None:
        seen.choose(picture.shape)
    for strip in strips:
        if seen is not None:
            seen.look(place, strip)
        place += len(strip)
        yield strip
    if seen is not None:
        seen.finish(picture)


def _write_png(file: IO[bytes], strips, picture, scale):
    height, width = (max(round(side * scale), 1) for side in picture.shape)
    about = {"bits": picture.bits, "icc": picture.icc, "exif": picture.exif}
    with PngWriter(file, width, height, picture.channels, **about) as writer:
        for strip in strips:
            writer.write(strip)


def _pillow(pixels):
    """Pillow's image of what `to_pillow` does not take, too: grey with alpha, and 16-bit grey."""
    from PIL import Image

    if pixels.dtype == np.uint16:
        return Image.fromarray(np.ascontiguousarray(pixels[..., 0]))
    return Image.fromarray(pixels, "LA") if pixels.shape[2] == 2 else to_pillow(pixels)


def _timing(path):
    """Milliseconds of each frame, and how often an animation repeats; 0 is without an end."""
    from PIL import ImageSequence

    with opened(path) as file:
        times = []
        for frame in ImageSequence.Iterator(file):
            frame.load()  # a WebP says it then
            times.append(round(frame.info.get("duration", 100)))
        return times, file.info.get("loop", 0)
