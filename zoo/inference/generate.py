"""From seeds, labels and codes to images, in files and a grid."""

import dataclasses
import itertools
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_gans import checks, generation, image
from keras_gans import labels as class_labels
from keras_gans.adversarial import AdversarialModel
from keras_gans.interface import Interface, Label, Latents
from keras_gans.names import renamed
from keras_gans.zoo.inference.shards import Shard, take
from keras_gans.zoo.loading import open_gan

# Of the images that one call makes, which are in memory together.
_MOST_BYTES = 2**31

Source = str | os.PathLike | AdversarialModel
Classes = int | str | Sequence[int | str]  # one or several, by number or by name


@dataclasses.dataclass(frozen=True)
class Generated:
    """What `generate` wrote.

    Attributes:
        files: paths of the images, in the order of the grid.
        grid: path of the picture of all.
    """

    files: list[Path]
    grid: Path


@renamed(out="output")
def generate(
    source: Source,
    seeds: Iterable[int] = range(36),
    *,
    latents: np.ndarray | None = None,
    labels: Classes | None = None,
    categorical: Sequence[int] | None = None,
    continuous: Sequence[float] | None = None,
    truncation: float | None = None,
    scale: int = 1,
    output: str | Path = "generated",
    best: bool = False,
    shard: Shard | None = None,
    **inputs: Any,
) -> Generated:
    """Makes an image for each seed, and for each seed and class, as PNG files and a grid.

    The image of a seed is that of `gan.generate(1, seed=seed)`, in any company: all are made in
    batches, but each seed's latents are drawn alone. In the grid a row is a seed and a column a
    class; where there is one class, or none, the grid is near-square. Of a generator with several
    conditions a column is a class of each that is given, such as `hair=["blonde", "red"]`; the
    others are drawn for each seed, evenly. With several outputs, each has its own column.

    >>> made = generate("conditional_gan_digits_28", seeds=range(5), labels=[3, 7])
    >>> made.files[1].name
    'seed0000_label7.png'

    Args:
        source: name of a trained preset, folder of a run, or a GAN.
        seeds: integers.
        latents: float array `(number, latent_dim)` to use instead of seeds.
        labels: classes to make of each seed, by a generator that takes `labels`, as numbers or
            names; `None` for all.
        categorical: classes of the code of an InfoGAN, likewise; `None` draws one for each seed.
        continuous: its continuous codes, the same for all images; `None` draws them.
        truncation: see `latent.sample`.
        scale: pixels of a file for a pixel of an image, across and down.
        output: folder to write to.
        best: see `open_gan`.
        shard: `(3, 16)` makes the third of sixteen parts of the images, with a grid of their own;
            `None` all.
        **inputs: by the name of a condition, the classes to make of each seed, as numbers or
            names; of an input of numbers, such as the `psi` of StyleGAN2, one for all or one for
            each seed; of any other input, an array with a row for each seed. `gan.interface()`
            says which there are.

    Returns:
        `Generated`.

    Raises:
        ValueError: before anything is written, for what `source` does not take: labels out of
            range, or of a generator without; or if it is image-to-image, or makes no images.
    """
    _require_one(latents, truncation)
    gan = open_latent_gan(source, best)
    described = gan.interface(gan.generator_role)
    options = {"labels": labels, "categorical": categorical, "continuous": continuous, **inputs}
    generation.require_options(described, options, type(gan).__name__)
    columns = columns_of(described, options)
    if latents is None:
        seeds = list(seeds)
        names = [f"seed{seed:04d}" for seed in seeds]
        latents = draw_latents(gan, seeds, truncation)
        drawn = drawn_classes(described, columns, seeds)
    else:
        latents = gan.given_latents(0, _finite(latents))
        names = [f"latent{number:04d}" for number in range(len(latents))]
        drawn = generation.classes_left_out(described, len(latents))
        drawn = {name: classes for name, classes in drawn.items() if name not in columns[0]}
    part = take(list(range(len(names))), shard)
    if not part:
        raise ValueError(
            "Nothing is left for this part. Expected at most as many parts as seeds or latents. "
            f"Received: shard={shard} of {len(names)}"
        )
    rows = len(names)
    latents, names = latents[part], [names[place] for place in part]
    of_rows = [p.name for p in described.inputs if not isinstance(p, (Latents, Label))]
    options |= drawn
    for port in described.numbers:  # one for all, or one for each row
        if options.get(port.name) is not None:
            options[port.name] = generation.numbers(port, options[port.name], rows)
    for name in (*of_rows, *drawn):
        if options.get(name) is not None:
            options[name] = np.asarray(options[name])[part]
    files = [
        names[row] + _suffix(described, {**column, **{n: options[n][row] for n in drawn}})
        for row, column in itertools.product(range(len(names)), columns)
    ]
    require_fits(len(files) * len(described.images), largest_image(gan), scale)
    images = make(gan, latents, columns, options)
    images = {name: image.to_uint8(made) for name, made in images.items()}
    grid = "grid.png" if shard is None else f"grid-{shard[0]}-of-{shard[1]}.png"
    return _write(images, files, len(columns), scale, Path(output), grid)


def _require_one(latents, truncation):
    if latents is not None and truncation is not None:
        raise ValueError(
            "Truncation is of latents that are drawn, and these are given: use "
            "`latent.truncate` on them, or leave one out. "
            f"Received: latents and truncation={truncation}"
        )


def _write(images, rows, columns, scale, out, grid_name):
    """Writes images as files and as a grid.

    Args:
        images: names of outputs to `uint8` images, one for each of `rows`.
        rows: names of the files, but for the output.
        columns: of the grid, for one output.
        scale: pixels of a file for a pixel of an image.
        out: folder.
        grid_name: of the file of the grid.
    """
    ends = [f"_{name}" for name in images] if len(images) > 1 else [""]
    files = [
        image.save(image.enlarge(made[None], scale)[0], out / f"{row}{end}.png")
        for row, of_row in zip(rows, zip(*images.values()))
        for end, made in zip(ends, of_row)
    ]
    beside = image.side_by_side(generation.same_size(list(images.values())))
    across = columns * len(images)
    grid = image.enlarge(beside, scale)
    return Generated(
        files, image.save(grid, out / grid_name, columns=across if across > 1 else None)
    )


# ---- what a generator is given


def columns_of(
    described: Interface, options: Mapping[str, Any], every: bool = False
) -> list[dict[str, int]]:
    """What is made of each seed: for each column of a grid, the classes by the names of inputs.

    >>> from keras_gans.interface import Image, Label, Latents
    >>> size, hair = Label(9, name="size"), Label(2, ("black", "red"), "hair")
    >>> two = Interface([Latents(4), hair, size], [Image(8, 8, 1)])
    >>> columns_of(two, {"size": [7, 8]})
    [{'size': 7}, {'size': 8}]
    >>> columns_of(two, {"hair": "red", "size": [7, 8]})
    [{'hair': 1, 'size': 7}, {'hair': 1, 'size': 8}]

    Args:
        described: the generator's interface.
        options: names of inputs of labels, or `"categorical"`, to a class or classes, as numbers
            or names. Labels that are `None` or missing stand for all classes; but of several
            conditions they are no columns: see `drawn_classes`.
        every: whether those of several conditions stand for all classes, too.

    Returns:
        A list of dicts; `[{}]` for a generator without labels.

    Raises:
        ValueError: for classes that an input does not have, or columns of several codes.
    """
    classes = {}
    for port in described.labels:
        asked = options.get(port.name)
        if asked is None:
            if len(described.labels) > 1 and not every:
                continue
            asked = range(port.num_classes)
        single = np.ndim(asked) == 0
        classes[port.name] = generation.choose(port, [asked] if single else list(asked)).tolist()
    if (asked := options.get("categorical")) is not None:
        if (number := len(described.codes.categorical)) != 1:
            raise ValueError(
                "Columns of `categorical` need a generator with one such code. Make images of "
                "several with `gan.generate(categorical=...)`. "
                f"Received: a generator with {number}"
            )
        asked = [asked] if np.ndim(asked) == 0 else list(asked)
        class_labels.require(asked, described.codes.categorical[0])
        classes["categorical"] = asked
    return [dict(zip(classes, chosen)) for chosen in itertools.product(*classes.values())]


def drawn_classes(
    described: Interface, columns: Sequence[Mapping[str, int]], seeds: Sequence[int]
) -> dict[str, np.ndarray]:
    """The classes of conditions that are no columns, which `gan.generate(1, seed=seed)` draws.

    Args:
        described: the generator's interface.
        columns: as of `columns_of`.
        seeds: integers.

    Returns:
        Names of conditions to arrays of a class for each seed.
    """
    left = [port.name for port in described.labels if port.name not in columns[0]]
    found = [generation.classes_left_out(described, 1, seed) for seed in seeds if left]
    return {name: np.concatenate([classes[name] for classes in found]) for name in left}


def make(
    gan: AdversarialModel,
    latents: np.ndarray,
    columns: Sequence[Mapping[str, int]],
    options: Mapping[str, Any] | None = None,
) -> dict[str, np.ndarray]:
    """Makes the images of each latent, one for each column.

    Args:
        gan: whose generator takes latents.
        latents: `(number, latent_dim)`.
        columns: as of `columns_of`.
        options: of `gan.generate`, for all columns alike: continuous codes, and arrays with a row
            for each latent.

    Returns:
        Names of the outputs that are images to float arrays `(number * len(columns), ...)`, the
        columns of the first latent first.
    """
    options = {n: v for n, v in (options or {}).items() if v is not None and n not in columns[0]}
    others = {
        n: np.repeat(v, len(columns), axis=0) for n, v in options.items() if n != "continuous"
    }
    chosen = {name: np.tile([c[name] for c in columns], len(latents)) for name in columns[0]}
    continuous = {n: v for n, v in options.items() if n == "continuous"}
    made = gan.generate(
        latents=latents.repeat(len(columns), axis=0), **others, **chosen, **continuous
    )
    return generation.images_of(gan.interface(gan.generator_role), made)


def largest_image(gan: AdversarialModel) -> tuple[int, int, int]:
    """`(height, width, channels)` that hold every image which a generator makes."""
    shapes = [port.shape for port in gan.interface(gan.generator_role).images]
    return tuple(max(sides) for sides in zip(*shapes))


def _suffix(described, classes):
    """The part of a file's name that tells the images of a seed apart, and says what they are."""
    found, ports = [], {port.name: port for port in described.labels}
    for name in (*ports, *(set(classes) - set(ports))):
        names = ports[name].names if name in ports else None
        # As files have been called: `label7`, of the input `labels`.
        if name == "labels" or not names or not re.fullmatch(r"[\w-]+", names[classes[name]]):
            found.append(f"_{'label' if name == 'labels' else name}{classes[name]}")
        else:
            found.append(f"_{name}-{names[classes[name]]}")
    return "".join(found)


def _finite(latents):
    """Latents as an array, if they are numbers."""
    latents = np.asarray(latents)
    if latents.dtype.kind not in "fiu" or not np.isfinite(latents).all():
        raise ValueError(
            "Latents are finite real numbers, such as `latent.sample` draws. "
            f"Received: {latents.dtype}, shape {latents.shape}"
        )
    return latents


def open_latent_gan(source: Source, best: bool = False) -> AdversarialModel:
    """The GAN of a source, if it makes images from latents.

    Args:
        source: name of a trained preset, folder of a run, or a GAN.
        best: see `open_gan`.

    Raises:
        ValueError: if it is image-to-image, or makes no images.
    """
    gan = source if isinstance(source, AdversarialModel) else open_gan(source, best)
    described = gan.interface(gan.generator_role)
    if not described.takes_latents:
        raise ValueError(
            "This generator makes images from images: it has no latents, and no seeds. Use "
            f"`keras-gans translate`, or `zoo.translate`. Received: {source_name(source)}, a "
            f"{type(gan).__name__}"
        )
    if not described.images or None in described.images[0].shape:
        raise ValueError(
            "This generator makes no images that a file can hold. Expected outputs (batch, "
            f"height, width, 1, 3 or 4). Received: {source_name(source)} with "
            f"{gan.inference_generator.output_shape}"
        )
    return gan


def require_fits(number: int, shape: Sequence[int], scale: int) -> None:
    """Raises ValueError unless so many images, enlarged, are small enough to be made at once.

    >>> require_fits(36, (28, 28, 1), scale=4)

    Args:
        number: of images.
        shape: `(height, width, channels)` of one.
        scale: pixels for a pixel, across and down.
    """
    checks.count("scale", scale)
    # As float32; and as uint8: as they are, enlarged beside each other, and in the grid.
    size = number * math.prod(shape) * (5 + 2 * scale**2)
    if size > _MOST_BYTES:
        raise ValueError(
            "That is too much to make at once. Ask for fewer images, or a smaller `scale`. "
            f"Expected at most {_MOST_BYTES / 2**30:.0f} GB of pixels. Received: {number:,} images "
            f"of {shape[0]}x{shape[1]} pixels, scale={scale}: {size / 2**30:,.0f} GB"
        )


def source_name(source: Source) -> str:
    """What a preset, a run or a GAN is called."""
    return source.name if isinstance(source, AdversarialModel) else Path(source).resolve().name


def draw_latents(
    gan: AdversarialModel, seeds: Iterable[int], truncation: float | None = None
) -> np.ndarray:
    """The latents `(number, latent_dim)` that `gan.generate(1, seed=seed)` draws for each seed."""
    seeds = list(seeds)
    if not seeds:
        raise ValueError(f"There are no seeds. Expected at least one. Received: {seeds}")
    return np.concatenate([gan.given_latents(1, None, truncation, seed) for seed in seeds])
