"""Classifiers that come with the library: small, trained on real images, usable offline.

Each has a folder with its recipe, weights in float16, measurements and a card.
`python -m keras_gans.metrics.classifiers NAME` trains it again.
"""

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from keras_gans import files
from keras_gans.names import did_you_mean
from keras_gans.reading.text import read_json, regular, require

FOLDER = Path(__file__).parent
RECIPE, METRICS, WEIGHTS = "recipe.json", "metrics.json", "classifier.weights.h5"
# What `metrics.json` holds the SHA-256 of.
FILES = (RECIPE, "README.md", WEIGHTS)


def names() -> list[str]:
    """Returns the names of the classifiers, sorted.

    >>> names()
    ['avatars_cnn_v1', 'digits_cnn_v1', 'fashion_mnist_cnn_v1']
    """
    return sorted(path.parent.name for path in FOLDER.glob(f"*/{RECIPE}"))


def folder(name: str) -> Path:
    """Returns the folder of a classifier.

    Raises:
        ValueError: if there is none of that name.
    """
    if name not in names():
        raise ValueError(
            f"There is no classifier of that name.{did_you_mean(name, names())} "
            f"Expected one of {names()}. Received: {name!r}"
        )
    return FOLDER / name


def heads(recipe: Mapping[str, Any]) -> dict[str, int]:
    """Returns the names of the outputs of logits of a recipe's network, and their sizes.

    A recipe has `classes`, a number, or `attributes`: names to values, and each value to the
    drawings that stand for it. An attribute's logits are of the drawings, so that the network tells
    more than the values.

    >>> heads({"attributes": {"glasses": {"none": [""], "clear": ["thin", "thick"]}}})
    {'glasses': 3}
    """
    if "attributes" not in recipe:
        return {"logits": recipe["classes"]}
    attributes = recipe["attributes"].items()
    return {name: sum(map(len, values.values())) for name, values in attributes}


def verify(path: Path, names: Iterable[str] | None = None) -> dict[str, str]:
    """Checks a classifier's files against the SHA-256 in its `metrics.json`.

    Args:
        path: the folder.
        names: of the files to check; `None` for all.

    Returns:
        A dictionary of SHA-256 by file name.

    Raises:
        ValueError: if a file is damaged or missing; the message names it.
    """
    expected = _json(path / METRICS)["sha256"]
    for name in FILES if names is None else names:
        with _readable(path / name):
            found = files.sha256(regular(path / name))
        if found != expected.get(name):
            raise ValueError(
                "A file of a classifier is damaged: its SHA-256 is another than the one in "
                f"{METRICS}. Expected {expected.get(name)}. Install the library again. "
                f"Received: {path / name} with {found}"
            )
    return expected


def load(name: str) -> tuple:
    """Loads a classifier.

    >>> network, recipe, sha256 = load("digits_cnn_v1")
    >>> [output.shape for output in network.outputs]
    [(None, 64), (None, 10)]

    Args:
        name: one of `names()`.

    Returns:
        A `keras.Model` with the outputs `[features, logits]`, the recipe, and the SHA-256 of the
        weights.

    Raises:
        ValueError: if there is none of that name, or one of its files is damaged.
    """
    from keras_gans.building import preserving_random_state
    from keras_gans.metrics.classifiers import training  # it needs what this file defines
    from keras_gans.reading import hdf5

    path = folder(name)
    hashes = verify(path, (RECIPE, WEIGHTS))  # what is loaded: a card may be edited
    recipe = _json(path / RECIPE)
    with preserving_random_state("float32"):
        network = training.build(recipe)
    return hdf5.load(network, path / WEIGHTS), recipe, hashes[WEIGHTS]


# What is looked at in a file before it is used.
_KINDS = {
    METRICS: {"sha256": {...: str}},
    RECIPE: {
        "image_shape?": [int],
        "classes?": int,
        "attributes?": {...: {...: [str]}},
        "shares?": {...: [float]},
        "hidden_by?": {...: [str]},
        "style?": str,
        "network": {"filters": list, "features": int, "dropout": float},
        "data": {"name": str, "held_out": str},
    },
}


def _json(path):
    with _readable(path):
        found = read_json(path, "Install the library again.")
        require(found, _KINDS[path.name], path.name)
    return found


@contextlib.contextmanager
def _readable(path):
    try:
        yield
    except (OSError, ValueError) as error:
        raise ValueError(
            "A file of a classifier is missing or cannot be read. Install the library again. "
            f"Received: {path}, {error}"
        ) from error
