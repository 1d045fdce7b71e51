"""The named directions of a generator's latent space: where they are kept, found and measured."""

import dataclasses
import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_gans import AdversarialModel, checks, data, generation, metrics
from keras_gans import directions as latent_directions
from keras_gans.directions import (
    FEWEST,
    HIDDEN,
    Direction,
    attribute_of,
    holds,
    masks,
    move,
    require_known,
)
from keras_gans.names import did_you_mean
from keras_gans.reading.text import is_file, read_json
from keras_gans.terminal import Progress
from keras_gans.zoo.catalog import presets
from keras_gans.zoo.inference.generate import Source, open_latent_gan, source_name
from keras_gans.zoo.inference.project import data_of
from keras_gans.zoo.loading import is_run

FILE = presets.DIRECTIONS

# Of images, to what is seen in each: names of attributes to an array `(number,)`.
Judge = Callable[[np.ndarray], Mapping[str, ArrayLike]]

_BATCH = 250  # images that are made and looked at together


def directions(source: str | os.PathLike) -> dict[str, Direction]:
    """Returns the directions that a preset or a run comes with.

    >>> directions("dcgan_digits_28")
    {}

    Args:
        source: name or folder of a preset, its address on a hub, or the folder of a run.

    Returns:
        A dictionary of names to `keras_gans.directions.Direction`; empty if there are none.

    Raises:
        ValueError: if there is no such preset or run, or the file is damaged.
    """
    if is_run(source):
        path = Path(source) / FILE
        return latent_directions.read(path) if is_file(path) else {}
    card = presets.card(source)
    if FILE not in card.sha256 and not is_file(card.folder / FILE):
        return {}
    presets.verify_files(card, [FILE])
    return latent_directions.read(card.folder / FILE)


def find_directions(
    source: Source,
    judge: Judge | str | None = None,
    *,
    attributes: Mapping[str, ArrayLike] | None = None,
    latents: np.ndarray | None = None,
    names: Iterable[str] | None = None,
    values: Mapping[str, Sequence[str]] | None = None,
    method: str = "classifier",
    orthogonal: bool = True,
    samples: int = 10_000,
    measured: int = 200,
    seed: int = 0,
    best: bool = False,
    verbose: int = 1,
) -> dict[str, Direction]:
    """Finds directions in latent space along which an attribute changes.

    Images are generated, and a judge says what it sees in each. The direction of an attribute leads
    from the latents whose images lack it to those whose images have it: see
    `keras_gans.directions.find`. What an edit then changes, and what else, is measured on other
    latents.

    >>> gan = keras_gans.zoo.open_gan("dcgan_digits_28")
    >>> def judge(images):
    ...     return {"bold": images.mean(axis=(1, 2, 3)) > -0.75}
    >>> found = find_directions(gan, judge, samples=500, measured=50, verbose=0)
    >>> list(found), found["bold"].changed > 0.5
    (['bold'], True)

    Args:
        source: name of a trained preset, folder of a run, or a GAN.
        judge: function of images, float32 `(number, height, width, channels)` in [-1, 1], that
            returns names of attributes to what is seen in each, `(number,)`: names of values,
            their numbers, or truth values. Or the name of a classifier that comes with the
            library. `None` takes that of the data that the source was trained on.
        attributes: what is seen in the images of `latents`, in the place of a judge. Then edits are
            not measured.
        latents: float array `(number, latent_dim)` to label, in the place of drawn ones.
        names: of the directions wanted, such as `["glasses", "hair:red"]`; `None` for all that
            have enough samples.
        values: names of the values of attributes that the judge returns in numbers.
        method: `"classifier"` or `"means"`; see `keras_gans.directions.find`.
        orthogonal: to the directions of all other attributes.
        samples: latents to draw.
        measured: images to edit along each direction, to measure it; 0 for none.
        seed: of the latents.
        best: see `open_gan`.
        verbose: 1 shows progress, 0 nothing.

    Returns:
        A dictionary of names to `Direction`s. Directions with too few samples are left out, with a
        `UserWarning`.

    Raises:
        ValueError: if an argument does not fit, or a direction that was asked for has no samples.
    """
    checks.count("samples", samples, 2 * FEWEST)
    checks.count("measured", measured, 0)
    gan = open_latent_gan(source, best)
    described = gan.interface(gan.generator_role)
    if latents is None:
        if attributes is not None:
            raise ValueError(
                "Attributes are of images that latents make. Pass these `latents`, too, or a "
                "`judge`. Received: attributes without latents"
            )
        latents = gan.given_latents(samples, seed=seed)
    latents = gan.given_latents(0, checks.floats("latents", latents))
    if attributes is None:
        judge, values = judge_of(judge, source if gan is not source else gan, values)
        classes = generation.classes_left_out(described, len(latents), seed)
        attributes = look(gan, judge, latents, classes, verbose)
    else:
        judge = None
    sides = masks(attributes, values)
    names = _with_samples(sides) if names is None else list(names)
    found = latent_directions.find(
        latents, sides, names, method=method, orthogonal=orthogonal, noise=described.noise
    )
    if judge is None or not measured:
        return found
    # Other latents than those above, whatever their number: other seeds.
    results = measure_edits(
        gan, found, judge, values=values, images=measured, seed=seed + 1, verbose=verbose
    )
    return {
        name: dataclasses.replace(one, changed=results[name][0].changed, kept=results[name][0].kept)
        for name, one in found.items()
    }


def _with_samples(sides):
    """Names of the directions that have samples enough on both sides; warns of the others."""
    few = [n for n, side in sides.items() if min(side.sum(), (~side).sum()) < FEWEST]
    if few and len(few) < len(sides):
        warnings.warn(
            f"There are too few samples for some directions, which are left out. Expected at least "
            f"{FEWEST} with the value and {FEWEST} without it; draw more. Received: {few}",
            stacklevel=3,
        )
        return [name for name in sides if name not in few]
    return list(sides)


def look(
    gan: AdversarialModel,
    judge: Judge,
    latents: np.ndarray,
    classes: Mapping[str, np.ndarray] | None = None,
    verbose: int = 0,
) -> dict[str, np.ndarray]:
    """Returns what a judge sees in the images of latents.

    Args:
        gan: that makes the images.
        judge: a function, as for `find_directions`.
        latents: float32 `(number, latent_dim)`.
        classes: names of the generator's inputs of labels to a class for each latent.
        verbose: 1 shows progress, 0 nothing.

    Returns:
        Names of attributes to arrays `(number,)`.
    """
    progress, found = Progress(len(latents), "images", verbose), []
    described = gan.interface(gan.generator_role)
    for start in range(0, len(latents), _BATCH):
        part = slice(start, start + _BATCH)
        labels = {name: array[part] for name, array in (classes or {}).items()}
        made = gan.generate(latents=latents[part], **labels)
        seen = judge(generation.first_images(described, made))
        if not isinstance(seen, Mapping) or not seen:
            raise ValueError(
                "A judge returns a dictionary of names of attributes to a value for each image. "
                f"Received: a {type(seen).__name__}"
            )
        found.append(seen)
        progress.update(min(start + _BATCH, len(latents)))
    return {name: np.concatenate([np.asarray(seen[name]) for seen in found]) for name in found[0]}


def judge_of(
    judge: Judge | str | None, source: Any, values: Mapping[str, Sequence[str]] | None = None
) -> tuple[Judge, Mapping[str, Sequence[str]] | None]:
    """Returns the function that a judge is, and the names of the values that it returns in numbers.

    Args:
        judge: as for `find_directions`.
        source: of the images.
        values: names of values, where they are given.

    Raises:
        ValueError: if there is no such judge, or none of the source's data.
    """
    if callable(judge):
        return judge, values
    known = metrics.classifiers.names()
    if judge is None:
        judge = None if isinstance(source, AdversarialModel) else _usual(source)
        if judge is None:
            raise ValueError(
                "There is no classifier of the data that this was trained on. Pass a `judge`, a "
                "function of images that returns names of attributes to a value for each image, or "
                f"one of {known}. Received: {source_name(source)}, judge=None"
            )
    if judge not in known:
        raise ValueError(
            f"There is no judge of that name.{did_you_mean(judge, known)} Expected a function of "
            f"images, or one of {known}. Received: judge={judge!r}"
        )
    recipe = read_json(metrics.classifiers.folder(judge) / metrics.classifiers.RECIPE)
    if "attributes" in recipe:
        return _of_attributes(judge), values
    network = metrics.features.load(judge)
    classes = data.class_names_of(network.data.partition("/")[0])
    named = {"class": [str(name) for name in classes or range(network.num_classes)]}

    def classify(images):
        return {"class": network(images)[1].argmax(axis=1)}

    return classify, {**named, **(values or {})}


def _of_attributes(name):
    """The judge that a classifier of several attributes is."""
    reader = metrics.AttributeReader(name)

    def read(images):
        found = reader.read(images)
        return {
            attribute: np.where(
                found.visible[attribute], np.array(list(values))[found.values[attribute]], HIDDEN
            )
            for attribute, values in found.attributes.items()
            if len(values) > 1
        }

    return read


def _usual(source):
    """Name of the classifier of the data that a preset or a run was trained on."""
    trained_on = data_of(source)
    return metrics.usual_reader(trained_on) or metrics.usual_features(trained_on)


# ---- what edits do


@dataclasses.dataclass(frozen=True)
class Edits:
    """What edits of many images by one strength did.

    Attributes:
        strength: of all of them.
        images: how many were edited, of those without the value.
        changed: share of them whose value changed.
        kept: share of the other attributes that stayed as they were, on average; `None` where the
            judge sees no others.
        others: names of the other attributes to the share of the images in which each changed.
    """

    strength: float
    images: int
    changed: float
    kept: float | None
    others: dict[str, float]


def measure_edits(
    source: Source,
    found: Mapping[str, Direction],
    judge: Judge | str | None = None,
    *,
    strengths: Sequence[float] = (1.0,),
    replace: bool = True,
    values: Mapping[str, Sequence[str]] | None = None,
    images: int = 200,
    seed: int = 1,
    best: bool = False,
    verbose: int = 1,
) -> dict[str, list[Edits]]:
    """Measures what edits along directions change, and what else changes with it.

    Args:
        source: as for `find_directions`.
        found: names to `Direction`s.
        judge: as for `find_directions`.
        strengths: to edit by.
        replace: give images the value, in the place of the one that is there; otherwise add the
            strengths along the direction.
        values: as for `find_directions`.
        images: how many to edit along each direction, of the first ones drawn that lack the value;
            fewer where there are not as many among five times as many.
        seed: of the latents. Take another than that of `find_directions`.
        best: see `open_gan`.
        verbose: 1 shows progress, 0 nothing.

    Returns:
        Names of the directions to a list of `Edits`, one for each strength.

    Raises:
        ValueError: if an argument does not fit, or the judge does not see such an attribute.
    """
    gan = open_latent_gan(source, best)
    judge, values = judge_of(judge, source, values)
    latents = gan.given_latents(5 * checks.count("images", images), seed=seed)
    described = gan.interface(gan.generator_role)
    classes = generation.classes_left_out(described, len(latents), seed)
    before = look(gan, judge, latents, classes)
    sides, noise = masks(before, values), described.noise
    progress, results = Progress(len(found), "directions", verbose), {}

    def edits(name, strength):
        rows = np.flatnonzero(~sides[name])[:images]
        moved = move(latents[rows], found, {name: True if replace else 1.0}, noise, strength)
        labels = {port: array[rows] for port, array in classes.items()}
        after = (
            look(gan, judge, moved, labels) if len(rows) else {n: a[:0] for n, a in before.items()}
        )
        attribute = attribute_of(name)
        others = {
            other: _differ(seen[rows], after[other])
            for other, seen in before.items()
            if other != attribute
        }
        changed = _share(holds(name, after, values))
        kept = 1 - float(np.mean(list(others.values()))) if others else None
        return Edits(strength, len(rows), changed, kept, others)

    for number, name in enumerate(found, 1):
        require_known(name, sides)
        results[name] = [edits(name, strength) for strength in strengths]
        progress.update(number, name)
    return results


def _differ(before, after):
    """Share of the images in which an attribute changed, of those where it is seen both times."""
    if before.dtype.kind == "U":
        seen = (before != HIDDEN) & (after != HIDDEN)
        before, after = before[seen], after[seen]
    return _share(before != after)


def _share(found):
    """Share of an array of truth values; NaN of none."""
    return float(np.mean(found)) if len(found) else float("nan")


# ---- where they are kept


def save_directions(folder: str | Path, found: Mapping[str, Direction]) -> Path:
    """Writes directions into the folder of a run or a preset, where `directions` finds them.

    The `metrics.json` of a preset gets the SHA-256 of the file.

    Args:
        folder: of the run or preset.
        found: names to `Direction`s.

    Returns:
        The `pathlib.Path` of the file.

    Raises:
        ValueError: if it is neither, or a preset without weights.
    """
    if is_run(folder):
        return latent_directions.write(Path(folder) / FILE, found)
    card = presets.card(folder)
    if not card.sha256:
        presets.verify_files(card, [FILE])  # says that it is a recipe
    path = latent_directions.write(card.folder / FILE, found)
    from keras_gans.zoo import publishing  # here: it needs all that evaluates

    publishing.refresh(card.folder)
    return path
