"""Edits of images: the same latent, moved along directions of attributes."""

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_gans import checks, generation, image
from keras_gans import directions as latent_directions
from keras_gans.directions import Direction, move
from keras_gans.files import atomic
from keras_gans.interface import Interface
from keras_gans.zoo.inference.directions import directions as directions_of
from keras_gans.zoo.inference.generate import (
    Source,
    draw_latents,
    drawn_classes,
    open_latent_gan,
    require_fits,
    source_name,
)
from keras_gans.zoo.inference.project import Projection, project

PAIRS, STRIP, LATENTS, REPORT = "edited.png", "strip.png", "latents.npy", "edit.json"

_STRENGTHS = (-1.0, -0.5, 0.0, 0.5, 1.0, 1.5)


@dataclasses.dataclass(frozen=True)
class Edited:
    """What `edit` made. Images are floats in [-1, 1], `(number, height, width, channels)`.

    Attributes:
        before: the images as they were.
        after: the images with the changes.
        latents: float32 `(number, latent_dim)`, of `before`.
        moved: the same of `after`, for `gan.generate(latents=...)`.
        changes: as they were asked for.
        strip: images `(number, len(strengths), height, width, channels)`: the changes at several
            strengths.
        strengths: of the strip, as multiples of the changes.
        projection: how the latent of an image was found, as of `project`; `None` for seeds and
            latents.
    """

    before: np.ndarray
    after: np.ndarray
    latents: np.ndarray
    moved: np.ndarray
    changes: dict[str, Any]
    strip: np.ndarray
    strengths: tuple[float, ...]
    projection: Projection | None = None

    def save(self, directory: str | Path, **about: Any) -> Path:
        """Writes `edited.png` (pairs before, after), `strip.png`, `latents.npy` and `edit.json`.

        Args:
            directory: folder; made if missing.
            **about: what else the JSON is to say.

        Returns:
            The folder, as `pathlib.Path`.
        """
        directory, shape = Path(directory), self.before.shape[1:]
        rows = {
            PAIRS: np.stack([self.before, self.after], axis=1),
            STRIP: self.strip,
        }
        for name, images in rows.items():
            pixels = image.to_uint8(images.reshape(-1, *shape))
            pixels = image.enlarge(pixels, image.visible_scale(shape))
            image.save(pixels, directory / name, columns=images.shape[1])
        with atomic(directory / LATENTS) as file, file.open("wb") as opened:
            np.save(opened, self.moved)
        report = {**about, "changes": self.changes, "strengths": self.strengths}
        if self.projection is not None:
            report |= {
                "distances": self.projection.distances,
                "strangeness": self.projection.strangeness,
            }
        with atomic(directory / REPORT) as file:
            file.write_text(json.dumps(report, indent=2) + "\n")
        return directory


def edit(
    source: Source,
    what: int | Sequence[int] | np.ndarray | str | os.PathLike,
    changes: Mapping[str, Any],
    *,
    strength: float = 1.0,
    strengths: Sequence[float] = _STRENGTHS,
    directions: Mapping[str, Direction] | str | os.PathLike | None = None,
    labels: Any = None,
    steps: int = 500,
    best: bool = False,
    verbose: int = 1,
    **inputs: Any,
) -> Edited:
    """Changes attributes of images, and leaves the rest as it is, as far as the generator can.

    A value takes the place of the one that is there. A strength is a step along a direction, of any
    size: 1 is as far as the mean of the latents without the value is from the mean of those with
    it, and an image that clearly lacks it may need 2 or 3. Each latent keeps its length. A change
    of a condition, an input of labels, makes another image of the same latent.

    >>> gan = keras_gans.zoo.open_gan("dcgan_digits_28")
    >>> def judge(images):
    ...     return {"bold": images.mean(axis=(1, 2, 3)) > -0.75}
    >>> found = keras_gans.zoo.find_directions(gan, judge, samples=500, measured=0, verbose=0)
    >>> made = edit(gan, range(5), {"bold": +1}, directions=found)
    >>> bool((made.after.mean(axis=(1, 2, 3)) > made.before.mean(axis=(1, 2, 3))).all())
    True

    Args:
        source: name of a trained preset, folder of a run, or a GAN.
        what: a seed or several, as for `generate`; latents, float array `(number, latent_dim)`; or
            an image, as the path of a file or as floats `(height, width, channels)`, whose latent
            `project` finds first, with a warning if it is unlike what the generator draws.
        changes: names of attributes to values, `{"glasses": "round", "beard": "none"}`; or names of
            directions to strengths, `{"glasses": +1, "hair:red": 0.5}`; or names of the generator's
            conditions to classes.
        strength: of all changes: 0.5 goes half of the way, 2 twice as far.
        strengths: multiples of the changes that the strip shows. A condition changes where they are
            above 0.
        directions: names to directions, or the path of a file of them. `None` takes those that the
            source comes with: `zoo.directions(source)`.
        labels: class of the images, or one for each, for a generator that takes `labels`.
        steps: of the search for the latent of an image.
        best: see `open_gan`.
        verbose: 1 shows the progress of that search, 0 nothing.
        **inputs: classes of other conditions, by their names.

    Returns:
        An `Edited`.

    Raises:
        ValueError: for an attribute or a value that has no direction, with the nearest names; a
            source without directions; or an argument that does not fit.
        FileNotFoundError: if there is no image file of that name.
    """
    steps_of_strip = tuple(float(s) for s in checks.floats("strengths", strengths).reshape(-1))
    strength = float(checks.floats("strength", strength).reshape(()))
    gan = open_latent_gan(source, best)
    described = gan.interface(gan.generator_role)
    options = {"labels": labels, **inputs}
    generation.require_options(described, options, type(gan).__name__)
    conditions, along = _split(described, changes)
    known = _known(source, gan, directions, along, described)
    if along:
        latent_directions.resolve(along, known)
    latents, given, projection = _latents(gan, source, what, options, steps, best, verbose)
    require_fits(len(latents) * (len(steps_of_strip) + 2), described.images[0].shape, 1)

    def make(factor):
        by = factor * strength
        moved = move(latents, known, along, described.noise, by) if along else latents
        made = gan.generate(latents=moved, **given | (conditions if factor > 0 else {}))
        return generation.first_images(described, made), moved

    after, moved = make(1.0)
    return Edited(
        before=make(0.0)[0],
        after=after,
        latents=latents,
        moved=moved,
        changes=dict(changes),
        strip=np.stack([make(factor)[0] for factor in steps_of_strip], axis=1),
        strengths=steps_of_strip,
        projection=projection,
    )


def _split(described: Interface, changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Changes of conditions, and those along directions."""
    if not isinstance(changes, Mapping) or not changes:
        raise ValueError(
            "What is to be changed is a dictionary of names to strengths or values, such as "
            f"{{'glasses': 1.0}} or {{'glasses': 'round'}}. Received: changes={changes!r}"
        )
    ports = {port.name for port in described.labels}
    conditions = {name: value for name, value in changes.items() if name in ports}
    return conditions, {n: value for n, value in changes.items() if n not in ports}


def _known(source, gan, given, along, described):
    """The directions to move along, by their names."""
    if not along:
        return {}
    if isinstance(given, Mapping):
        return given
    if given is not None:
        return latent_directions.read(given)
    known = {} if source is gan else directions_of(source)
    if not known:
        conditions = [port.name for port in described.labels]
        raise ValueError(
            "There are no directions of this generator yet. Find some with `keras-gans edit SOURCE "
            "--find` or `zoo.find_directions`, and pass them as `directions`"
            + (f"; or change its conditions, {conditions}" if conditions else "")
            + f". Received: {source_name(source)}, changes={along}"
        )
    return known


def _latents(gan, source, what, options, steps, best, verbose):
    """Latents, the options that were given with them, and a `Projection` or `None`."""
    described = gan.interface(gan.generator_role)
    options = {name: value for name, value in options.items() if value is not None}
    if _is_image(what):
        label = options.get("labels") if set(options) <= {"labels"} else options
        found = project(source, what, label=label, steps=steps, best=best, verbose=verbose)
        alone = {} if found.label is None else {described.labels[0].name: found.label}
        return found.latent, found.label if isinstance(found.label, dict) else alone, found
    array = np.asarray(what)
    if array.dtype.kind == "f" and array.size:
        return gan.given_latents(0, np.atleast_2d(array)), options, None
    if array.dtype.kind not in "iu" or array.ndim > 1:
        raise ValueError(
            "What is edited is a seed or several, latents (number, latent_dim), or an image: the "
            "path of a file or floats (height, width, channels). "
            f"Received: {type(what).__name__}, {array.dtype} of shape {array.shape}"
        )
    seeds = [int(seed) for seed in array.reshape(-1)]
    latents = draw_latents(gan, seeds)
    # The image that `gan.generate(1, seed=seed)` makes, its conditions included.
    return latents, {**drawn_classes(described, [options], seeds), **options}, None


def _is_image(what):
    return isinstance(what, (str, os.PathLike)) or np.ndim(what) == 3
