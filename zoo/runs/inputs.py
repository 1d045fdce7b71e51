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
    described = {}
    for place, role in enumerate(roles):
        features = None if role is None else _appearances(recipe, place)
        if features is not None:
            described[role] = Familiar.of(features).arrays()
    arrays: dict[str, Any] = {
        f"{r}.{part}": a for r, parts in described.items() for part, a in parts.items()
    }
    if arrays:
        with atomic(path) as partial, partial.open("wb") as file:
            np.savez_compressed(file, **arrays)
    return bool(arrays)


def _appearances(recipe, place):
    # Without augmentation, whose resizing makes images smoother than those that users have.
    arguments = {n: value for n, value in recipe.config["data"].items() if n != "type"}
    dataset = data.load_pairs(**arguments | {"augment": False})
    found, left = (
        [],
        min(_MOST, data.steps_per_epoch(dataset) * recipe.config["data"]["batch_size"]),
    )
    if left < _LEAST:
        return None
    for pair in dataset.as_numpy_iterator():
        images = pair[place][:left]
        if images.shape[-1] not in (1, 3) or min(images.shape[1:3]) < SMALLEST:
            return None
        found.append(appearance(images))
        left -= len(images)
        if not left:
            return np.concatenate(found)


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
