"""From seeds, labels and codes to images, in files and a grid."""

import dataclasses
import itertools
import math
from pathlib import Path

import numpy as np

from keras_gans import checks, image, models
from keras_gans import labels as class_labels
from keras_gans.adversarial import AdversarialModel
from keras_gans.models.image_to_image import ImageToImage
from keras_gans.models.labelled import Labelled
from keras_gans.zoo.loading import open_gan

# Of the images that one call makes, which are in memory together, some of them twice.
_MOST_BYTES = 2**31


@dataclasses.dataclass(frozen=True)
class Generated:
    """What `generate` wrote.

    Attributes:
        files: paths of the images, in the order of the grid.
        grid: path of the picture of all.
    """

    files: list
    grid: Path


def generate(
    source,
    seeds=range(36),
    *,
    latents=None,
    labels=None,
    categorical=None,
    continuous=None,
    truncation=None,
    scale=1,
    out="generated",
    best=False,
):
    """Makes an image for each seed, and for each seed and class, as PNG files and a grid.

    The image of a seed is that of `gan.generate(1, seed=seed)`, in any company: all are made in
    batches, but each seed's latents are drawn alone. In the grid a row is a seed and a column a
    class; where there is one class, or none, the grid is near-square.

    >>> made = generate("conditional_gan_digits_28", seeds=range(5), labels=[3, 7])
    >>> made.files[1].name
    'seed0000_label7.png'

    Args:
        source: name of a trained preset, folder of a run, or a GAN.
        seeds: integers.
        latents: float array `(number, latent_dim)` to use instead of seeds.
        labels: classes to make of each seed, by a GAN that takes labels; `None` for all.
        categorical: classes of the code of an InfoGAN, likewise; `None` draws one for each seed.
        continuous: its continuous codes, the same for all images; `None` draws them.
        truncation: see `latent.sample`.
        scale: pixels of a file for a pixel of an image, across and down.
        out: folder to write to.
        best: see `open_gan`.

    Returns:
        `Generated`.

    Raises:
        ValueError: before anything is written, for what `source` does not take: labels out of
            range, or of a generator without; or if it makes images of images, or none.
    """
    if latents is not None and truncation is not None:
        raise ValueError(
            "Truncation is of latents that are drawn, and these are given: use "
            "`latent.truncate` on them, or leave one out. "
            f"Received: latents and truncation={truncation}"
        )
    gan = open_latent_gan(source, best)
    if latents is None:
        names = [f"seed{seed:04d}" for seed in seeds]
        latents = draw_latents(gan, seeds, truncation)
    else:
        latents = gan.given_latents(0, _finite(latents))
        names = [f"latent{number:04d}" for number in range(len(latents))]
    options, kind, columns = {}, None, [None]
    if isinstance(gan, Labelled) or labels is not None:
        kind, columns = "labels", require_classes(gan, labels)
    if categorical is not None or continuous is not None:
        _require_codes(gan, categorical, continuous)
        options = {} if continuous is None else {"continuous": continuous}
        if categorical is not None:
            kind, columns = "categorical", list(categorical)
    if kind is not None:
        options[kind] = np.tile(columns, len(latents))
        suffixes = [f"_{kind.removesuffix('s')}{column}" for column in columns]
        names = ["".join(pair) for pair in itertools.product(names, suffixes)]
    require_fits(len(names), gan.inference_generator.output_shape[1:], scale)
    images = gan.generate(latents=latents.repeat(len(columns), axis=0), **options)
    pixels, out = image.enlarge(image.to_uint8(images), scale), Path(out)
    files = [image.save(p, out / f"{name}.png") for p, name in zip(pixels, names)]
    in_rows = len(columns) if len(columns) > 1 else None
    return Generated(files, image.save(pixels, out / "grid.png", columns=in_rows))


def _finite(latents):
    """Latents as an array, if they are numbers."""
    latents = np.asarray(latents)
    if latents.dtype.kind not in "fiu" or not np.isfinite(latents).all():
        raise ValueError(
            "Latents are finite real numbers, such as `latent.sample` draws. "
            f"Received: {latents.dtype}, shape {latents.shape}"
        )
    return latents


def open_latent_gan(source, best=False):
    """The GAN of a source, if it makes images of latents.

    Args:
        source: name of a trained preset, folder of a run, or a GAN.
        best: see `open_gan`.

    Raises:
        ValueError: if it makes images of images, or no images.
    """
    gan = source if isinstance(source, AdversarialModel) else open_gan(source, best)
    if isinstance(gan, ImageToImage):
        raise ValueError(
            "This generator makes images of images: it has no latents, and no seeds. Use "
            f"`keras-gans translate`, or `zoo.translate`. Received: {source_name(source)}, a "
            f"{type(gan).__name__}"
        )
    shape = tuple(gan.inference_generator.output_shape)
    if len(shape) != 4 or shape[-1] not in (1, 3, 4):
        raise ValueError(
            "This generator makes no images that a file can hold. Expected outputs (batch, "
            f"height, width, 1, 3 or 4). Received: {source_name(source)} with {shape}"
        )
    return gan


def require_fits(number, shape, scale):
    """Raises ValueError unless so many images, enlarged, are small enough to be made at once.

    >>> require_fits(36, (28, 28, 1), scale=4)

    Args:
        number: of images.
        shape: `(height, width, channels)` of one.
        scale: pixels for a pixel, across and down.
    """
    checks.count("scale", scale)
    size = number * math.prod(shape) * max(scale**2, 4)  # of float32 as it is, or enlarged of uint8
    if size > _MOST_BYTES:
        raise ValueError(
            "That is too much to make at once. Ask for fewer images, or a smaller `scale`. "
            f"Expected at most {_MOST_BYTES / 2**30:.0f} GB of pixels. Received: {number:,} images "
            f"of {shape[0]}x{shape[1]} pixels, scale={scale}: {size / 2**30:,.0f} GB"
        )


def source_name(source):
    """What a preset, a run or a GAN is called."""
    return source.name if isinstance(source, AdversarialModel) else Path(source).resolve().name


def draw_latents(gan, seeds, truncation=None):
    """The latents `(number, latent_dim)` that `gan.generate(1, seed=seed)` draws for each seed."""
    seeds = list(seeds)
    if not seeds:
        raise ValueError(f"There are no seeds. Expected at least one. Received: {seeds}")
    return np.concatenate([gan.given_latents(1, None, truncation, seed) for seed in seeds])


def require_classes(gan, labels=None):
    """The classes asked for, or all that a GAN has; `[None]` for one that takes no labels.

    Raises:
        ValueError: for labels that a GAN does not take.
    """
    if not isinstance(gan, Labelled):
        if labels is None:
            return [None]
        hint = ""
        if isinstance(gan, models.InfoGAN):
            hint = " An InfoGAN has codes: `--categorical`, or `categorical=...`."
        raise ValueError(
            f"This generator takes no labels. Leave `labels` out.{hint} "
            f"Received: a {type(gan).__name__}, labels={labels}"
        )
    if labels is None:
        return list(range(gan.num_classes))
    labels = [labels] if isinstance(labels, int) else list(labels)
    class_labels.require(labels, gan.num_classes)
    return labels


def _require_codes(gan, categorical, continuous):
    if not isinstance(gan, models.InfoGAN):
        raise ValueError(
            "This generator has no codes. Expected an InfoGAN; leave `categorical` and "
            f"`continuous` out. Received: a {type(gan).__name__}"
        )
    if categorical is not None and len(gan.categorical) != 1:
        raise ValueError(
            "Columns of `categorical` need a generator with one such code. Make images of several "
            "with `gan.generate(categorical=...)`. "
            f"Received: a generator with {len(gan.categorical)}"
        )
