"""Files of images of any size and kind in, what an image-to-image generator makes of them out."""

import dataclasses
import functools
import itertools
import os
import time
import warnings
from collections.abc import Iterable
from pathlib import Path

import keras
import numpy as np

from keras_gans import checks, generation, image, latent, networks
from keras_gans.adversarial import AdversarialModel
from keras_gans.data.sources import image_files
from keras_gans.image.files import decode
from keras_gans.image.pixels import from_pillow
from keras_gans.interface import Interface
from keras_gans.metrics.features import hash_of
from keras_gans.metrics.strangeness import Familiar, appearance
from keras_gans.names import did_you_mean, printable
from keras_gans.zoo.inference import inputs
from keras_gans.zoo.inference.generate import Source, source_name
from keras_gans.zoo.inference.page import PREVIEW, ROWS, Gallery
from keras_gans.zoo.inference.shards import Shard
from keras_gans.zoo.inference.tiles import tile_overlap, tile_starts, translate_image
from keras_gans.zoo.loading import backward_generator, backward_role, open_gan

# Formats that can be written, to their suffixes.
FORMATS = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}

# An image counts as unlike those of the training above this strangeness (`metrics.strangeness`).
_STRANGE = 1.25

# Of a generator that takes images of any size: the size the papers train at.
_OPEN_SIDE = 256


@dataclasses.dataclass(frozen=True)
class Translated:
    """What `translate` did.

    Attributes:
        page: the `index.html` that shows it.
        written: paths of the images made.
        skipped: paths of the images that were there already.
        failed: paths of the inputs that could not be translated, to the reason.
        left_out: reasons to names of what is in the folders and no image.
    """

    page: Path
    written: list[Path]
    skipped: list[Path]
    failed: dict[Path, str]
    left_out: dict[str, list[str]] = dataclasses.field(default_factory=dict)


def translate(
    source: Source,
    files: str | Path | Iterable[str | Path],
    output: str | Path = "translated",
    *,
    format: str = "png",
    backward: bool = False,
    stochastic: bool = False,
    seed: int | None = None,
    resized: bool = False,
    overlap: int | None = None,
    batch_size: int = 8,
    best: bool = False,
    overwrite: bool = False,
    shard: Shard | None = None,
    verbose: int = 1,
) -> Translated:
    """Translates image files, and writes a page that shows them beside what was made of them.

    An image that is larger than those the generator was built for is cut into tiles of that size
    (`translate_image`), which keeps the scale it was trained at; a smaller one is mirrored at its
    edges. A generator that enlarges images by some scale makes a file that is larger by that scale.
    Formats, colours and transparency are as docs/translate.md says.

    What is in `output` already is skipped, so that the same call goes on where it was stopped.

    >>> done = keras_gans.zoo.translate("runs/maps", ["a.jpg", "b.png"])  # doctest: +SKIP
    >>> done.written  # doctest: +SKIP
    [PosixPath('translated/a.png'), PosixPath('translated/b.png')]

    Args:
        source: folder of a run, name of a trained preset, or an image-to-image GAN.
        files: path of an image or of a folder of images, or several of either. Images keep their
            names, if these are not too long, and those of a folder their subfolders.
        output: folder to write to.
        format: `"png"`, `"jpeg"` or `"webp"`.
        backward: with a `CycleGAN`, from Y to X; or another GAN with a backward generator.
        stochastic: with the noise of the generator's dropout.
        seed: of this noise, 0 or more. An image gets the same for the same seed and `batch_size`,
            whatever other images there are. `None` draws one.
        resized: do not cut into tiles: resize each image to the generator's size, and back.
        overlap: of tiles: see `translate_image`.
        batch_size: tiles to translate at once.
        best: see `open_gan`.
        overwrite: translate again what is in `output` already.
        shard: `(3, 16)` translates the third of sixteen parts of the images, so that as many
            machines share the work; `None` all.
        verbose: 1 prints a line for each image, 0 none.

    Returns:
        A `Translated`. A file that cannot be read, translated or written is noted there, and the
        others are done.

    Raises:
        ValueError: before anything is written, if there are no images, two would be written to one
            file, one would be written over an input, what is in `output` was made in another way,
            or `source` does not do what is asked.
        FileNotFoundError: if a file is missing.
        OSError: if the disk is full, or `output` may not be written to.
    """
    output = Path(output)
    _require_possible(source, output, format, stochastic, seed, batch_size)
    found = inputs.find(files, output, lambda path: FORMATS[format], "translate")
    targets, failed, left_out = found.shard(shard), found.failed, found.left_out

    forward, back = _generators(source, backward, best)
    settings = {
        "generator": hash_of(forward.network)[:16],
        "stochastic": stochastic,
        "seed": seed,
        "resized": resized,
        "overlap": None if resized else tile_overlap(forward.tile, overlap),
    }
    gallery, written = Gallery(output, shard), []
    skipped = {n: output / n for n in targets if not overwrite and (output / n).is_file()}
    gallery.require_same(settings, skipped)
    how = {"resized": resized, "overlap": overlap, "batch_size": batch_size}
    work = _Work(gallery, forward, back, settings, format, how).with_noise(stochastic, seed)
    for number, (name, path) in enumerate(targets.items()):
        if name in skipped:
            continue
        started = time.perf_counter()
        make = functools.partial(work.translate, path, name, beside=number < ROWS)
        said, made = inputs.attempt(make)
        if made:
            written.append(output / name)
        else:
            failed[path] = said
        if verbose:
            seconds = time.perf_counter() - started
            said = printable(f"{path}: {said} ({seconds:.1f} s)")
            print(f"[{number + 1}/{len(targets)}] {said}")
    total = len(targets) + sum(map(len, left_out.values()))
    if verbose and (line := image_files.summary(left_out, total)):
        print(line)
    _warn_of(work.strange, len(written))
    page = gallery.write_page(f"Translated by {source_name(source)}", failed)
    return Translated(page, written, list(skipped.values()), failed, left_out)


def _require_possible(source, output, format, stochastic, seed, batch_size):
    """Raises ValueError for what cannot be, before a GAN is opened."""
    if format not in FORMATS:
        raise ValueError(
            f"Images cannot be written in that format.{did_you_mean(str(format), FORMATS)} "
            f"Expected one of {list(FORMATS)}. Received: format={format!r}"
        )
    if seed is not None:
        checks.count("seed", seed, 0)
        if not stochastic:
            raise ValueError(
                "Without noise there is nothing for a seed to fix. Ask for noise with "
                f"`stochastic=True`, or leave the seed out. Received: seed={seed}"
            )
    checks.count("batch_size", batch_size)
    if not isinstance(source, (str, os.PathLike, AdversarialModel)):
        raise ValueError(
            "That is nothing to translate by. Expected the folder of a run, the name of a preset, "
            f"or an image-to-image GAN. Received: source={source!r}"
        )
    inputs.require_folder(output)


@dataclasses.dataclass(frozen=True)
class _Work:
    """What is done to each image of a folder."""

    gallery: Gallery
    forward: "_Translator"
    back: "_Translator | None"
    settings: dict
    format: str
    how: dict  # of `_Translator.apply`
    seed: int | None = None
    notes: tuple[str, ...] = ()
    strange: dict[str, float] = dataclasses.field(default_factory=dict)  # of names of images

    def with_noise(self, stochastic, seed):
        """The same with the noise of dropout, if it is wanted."""
        if not stochastic:
            return self
        network = networks.stochastic(self.forward.network)
        notes = ()
        if seed is None:
            seed = latent.new_seed()
            notes = (f"seed {seed}",)
        forward = dataclasses.replace(self.forward, network=network)
        return dataclasses.replace(self, forward=forward, seed=seed, notes=notes)

    def translate(self, path, name, beside):
        """Writes what is made of an image, and says in words what was done.

        Args:
            path: of the image.
            name: of what is made of it, relative to the folder.
            beside: keep pictures that the page shows beside it, too.
        """
        pixels, alpha, remarks = _read(path, self.forward.described.image.channels)
        remarks = [_how(pixels.shape, self.forward.tile, self.settings), *remarks, *self.notes]
        made, strangeness = self.forward.apply(pixels, self.seed, **self.how)
        if strangeness > _STRANGE:
            self.strange[name] = strangeness
            remarks.append(f"unlike the training images ({strangeness:.1f})")
        shown = {"input": pixels[..., :3]} if beside else {}
        if beside and self.back is not None:
            shown["reconstruction"], _ = self.back.apply(made, **self.how)
        if alpha is not None:
            if alpha.shape != made.shape[:2]:
                alpha = image.resize(alpha[..., None], made.shape[:2])[..., 0]
            made = _transparent(made, alpha, on_white=self.format == "jpeg")
            remarks.append(
                "on white, as JPEG has no alpha" if self.format == "jpeg" else "alpha kept"
            )
        # The image comes last: where there is one, all that belongs to it is there.
        shown = {kind: _small(picture) for kind, picture in shown.items()}
        self.gallery.note(name, path, pixels.shape, remarks, shown, self.settings)
        image.save(made, self.gallery.folder / name)
        return ", ".join(remarks)


# ---- by which generator


@dataclasses.dataclass(frozen=True)
class _Translator:
    """A generator that takes images, and what it takes and makes."""

    network: keras.Model
    described: Interface
    familiar: Familiar | None = None  # what its inputs in the training looked like

    @property
    def tile(self):
        """`(height, width)` of the images that it is to be given."""
        taken = self.described.image
        return taken.height or _OPEN_SIDE, taken.width or _OPEN_SIDE

    def require_files(self):
        """Raises ValueError unless it makes of an image that a file can hold another such."""
        taken, made = self.described.image, self.described.images
        scaled = made and taken.height and made[0].height
        even = not scaled or (made[0].height * taken.width == made[0].width * taken.height)
        if (
            len(self.described.inputs) > 1
            or taken.channels not in (1, 3, 4)
            or not made
            or not even
        ):
            raise ValueError(
                "Image files cannot be translated by this generator. Expected one from images with "
                "1, 3 or 4 channels alone to images of the same proportions. "
                f"Received: {self.network.name!r} from "
                f"{[port.shape for port in self.described.inputs]} to "
                f"{[port.shape for port in self.described.outputs]}"
            )
        return self

    def apply(self, pixels, seed=None, *, resized, overlap, batch_size):
        """What it makes of an image `(height, width, channels)`; both are `uint8`.

        And how strange its tiles are, by the median: see `Familiar`; 0 where nothing is known.
        """
        parts, tile, scale = itertools.count(), self.tile, self.described.scale
        strange = [] if self.familiar else [0.0]

        def call(tiles):
            if self.familiar:
                strange.extend(self.familiar.strangeness(appearance(tiles)))
            drawn = None if seed is None else _part_seed(seed, next(parts))
            return generation.translate(self.network, tiles, len(tiles), drawn)

        if resized:
            made = call(image.from_uint8(_resized(pixels, tile[:2]))[None])[0]
            size = self.described.size_of_output(*pixels.shape[:2])
            return image.resize(image.to_uint8(made), size), float(np.median(strange))
        made = translate_image(call, image.from_uint8(pixels), tile, overlap, batch_size, scale)
        return image.to_uint8(made), float(np.median(strange))


def _generators(source, backward, best):
    """The translator asked for, and the one that leads back or `None`."""
    gan = source if isinstance(source, AdversarialModel) else open_gan(source, best)
    described, role = gan.interface(gan.generator_role), backward_role(gan)
    if not described.takes_image:
        raise ValueError(
            "This generator makes images from latents, not from images. Expected a Pix2Pix, a "
            "CycleGAN or another image-to-image GAN; use `keras-gans generate`, or the GAN's "
            f"`generate`. Received: {source}, a {type(gan).__name__}"
        )
    familiar = getattr(gan, "familiar", {})
    forward = _Translator(gan.inference_generator, described, familiar.get(gan.generator_role))
    back = backward_generator(gan)
    if back is not None:
        back = _Translator(back, gan.interface(role), familiar.get(role))
    if not backward:
        return forward.require_files(), back
    if back is None:
        which = "It has none" if role is None else "This preset comes without a backward generator"
        raise ValueError(
            f"There is no generator to translate backward with. {which}. Expected the run of a "
            f"CycleGAN; leave `backward` out. Received: {source}, a {type(gan).__name__}"
        )
    return back.require_files(), forward


def _part_seed(seed, part):
    return latent.halves(np.random.SeedSequence([seed, part]).generate_state(1)[0])


def _warn_of(strange, number):
    """Warns of images that are unlike those of the training."""
    if not strange:
        return
    first = sorted(strange, key=strange.get, reverse=True)[:3]
    warnings.warn(
        f"{len(strange)} of {number} images are unlike those that the generator was trained to "
        "take, by their colours, contrast and texture, and what was made of them may mean nothing. "
        "Expected images such as those on the preset's card or in the run's `samples`. Received, "
        "with how many times as far from the mean of the training images they are as 99 of 100 of "
        f"these: {', '.join(f'{printable(name)} ({strange[name]:.1f})' for name in first)}"
        f"{', ...' if len(strange) > len(first) else ''}",
        stacklevel=3,
    )


# ---- one image


def _read(path, channels):
    """Pixels `(height, width, channels)`, alpha or `None`, and what is to be said of the file."""
    from PIL import Image, ImageOps

    pixels = from_pillow(decode(path, channels))
    alpha, remarks = None, []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as `decode` does
        with Image.open(path) as file:
            if (frames := getattr(file, "n_frames", 1)) > 1:
                remarks.append(f"first of {frames} frames")
            # What `decode` scales has its transparency ignored there, too.
            if channels < 4 and file.has_transparency_data and not file.mode.startswith("I"):
                alpha = np.asarray(ImageOps.exif_transpose(file).convert("RGBA"))[..., 3]
    return pixels, alpha, remarks


def _resized(pixels, size):
    """Colours and a fourth channel apart: it is no alpha, by which Pillow would weight them."""
    parts = (pixels[..., :3], pixels[..., 3:]) if pixels.shape[-1] == 4 else (pixels,)
    return np.concatenate([image.resize(part, size) for part in parts], axis=-1)


def _how(shape, tile, settings):
    """What is done to an image of a shape, in words; sizes are width x height."""
    size, wanted = (f"{x[1]}x{x[0]}" for x in (shape, tile))
    if size == wanted:
        return "whole"
    if settings["resized"]:
        return f"resized from {size}"
    overlap, words = settings["overlap"], []
    if shape[0] < tile[0] or shape[1] < tile[1]:
        words.append(f"padded from {size}")
    rows, columns = (len(tile_starts(*axis, overlap)) for axis in zip(shape, tile))
    if rows * columns > 1:
        words.append(f"tiled {columns}x{rows}, overlap {overlap}")
    return ", ".join(words)


def _transparent(pixels, alpha, on_white):
    colors, alpha = np.broadcast_to(pixels, (*pixels.shape[:2], 3)), alpha[..., None]
    if not on_white:
        return np.concatenate([colors, alpha], axis=-1)
    return image.on_white(colors, alpha)


def _small(pixels):
    scale = min(1, PREVIEW / max(pixels.shape[:2]))
    return image.resize(pixels, [max(round(side * scale), 1) for side in pixels.shape[:2]])
