"""What the inputs of a training looked like, so that a strange image is recognized."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_gans import data
from keras_gans.files import atomic
from keras_gans.metrics.strangeness import SMALLEST, Familiar, appearance
from keras_gans.reading import npz
from keras_gans.reading.stored import explained
from keras_gans.zoo.runs.recipe import Recipe

FILE = "inputs.npz"

# How many training images are looked at, and the least from which a covariance is known.
_MOST, _LEAST = 1000, 300


def write(path: Path, recipe: Recipe, roles: Sequence[str | None]) -> bool:
    """Writes what the inputs of image-to-image generators look like in the training.

    Args:
        path: file to write.
        recipe: whose data are read, in the order of its first epoch.
        roles: name of the network that takes the first images of the pairs, and of the one that
            takes the second, or `None`.

    Returns:
        Whether it was written: not of data that are no pairs, of images that `appearance` does not
        describe, and of fewer than 300, from which too little is known.
    """
    if recipe.config["data"]["type"] != "load_pairs":
        return False
    places = {role: place for place, role in enumerate(roles) if role is not None}
    found = _appearances(recipe, places) if places else {}
    described = {role: Familiar.of(features).arrays() for role, features in found.items()}
    arrays: dict[str, Any] = {
        f"{r}.{part}": a for r, parts in described.items() for part, a in parts.items()
    }
    if arrays:
        with atomic(path) as partial, partial.open("wb") as file:
            np.savez_compressed(file, **arrays)
    return bool(arrays)


def _appearances(recipe, places):
    """Descriptions of images, by the networks that take them; of one pass through the data."""
    # Without augmentation, whose resizing makes images smoother than those that users have.
    arguments = {n: value for n, value in recipe.config["data"].items() if n != "type"}
    dataset = data.load_pairs(**arguments | {"augment": False})
    left = min(_MOST, data.steps_per_epoch(dataset) * recipe.config["data"]["batch_size"])
    if left < _LEAST:
        return {}
    specs = {role: dataset.element_spec[place].shape for role, place in places.items()}
    found = {role: [] for role, shape in specs.items() if _is_described(shape)}
    for pair in dataset.as_numpy_iterator() if found else ():
        for role, parts in found.items():
            parts.append(appearance(pair[places[role]][:left]))
        left -= min(len(pair[0]), left)
        if not left:
            break
    return {role: np.concatenate(parts) for role, parts in found.items()}


def _is_described(shape):
    return shape[-1] in (1, 3) and min(shape[1:3]) >= SMALLEST


def read(path: Path) -> dict[str, Familiar]:
    """Returns what `write` wrote, by the names of networks; empty where there is no file.

    Raises:
        ValueError: if the file is damaged.
    """
    if not path.exists():
        return {}
    with npz.opened(path) as stored:
        roles = {name.rpartition(".")[0] for name in stored}
        with explained(path, npz.DAMAGED):
            found = {name: array.read() for name, array in stored.items()}
            return {
                role: Familiar(
                    found[f"{role}.mean"],
                    found[f"{role}.covariance"],
                    float(found[f"{role}.usual"]),
                )
                for role in roles
            }
