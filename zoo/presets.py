"""The presets that come with the library. No TensorFlow here: the command line lists them."""

import dataclasses
import json
from pathlib import Path

from keras_gans.files import sha256
from keras_gans.names import did_you_mean

FOLDER = Path(__file__).parent / "presets"
WEIGHTS = "generator.weights.h5"


@dataclasses.dataclass(frozen=True)
class Card:
    """What is known of a preset.

    Attributes:
        name: of the preset; also of its folder.
        folder: where its files are.
        recipe: everything needed to train it again, as read from `recipe.json`.
        text: the card itself, Markdown.
        metrics: each number with its protocol; empty for a recipe without weights.
    """

    name: str
    folder: Path
    recipe: dict
    text: str
    metrics: dict

    @property
    def trained(self):
        """Does it come with weights? If not, it is a recipe to train."""
        return (self.folder / WEIGHTS).exists()


def list_presets():
    """Names of all presets, sorted.

    >>> "dcgan_digits_28" in keras_gans.zoo.list_presets()
    True
    """
    return sorted(path.parent.name for path in FOLDER.glob("*/recipe.json"))


def card(name):
    """The card of a preset.

    >>> keras_gans.zoo.card("dcgan_digits_28").recipe["model"]["type"]
    'DCGAN'

    Args:
        name: one of `list_presets()`.

    Returns:
        A `Card`.

    Raises:
        ValueError: if there is no such preset.
    """
    known = list_presets()
    if name not in known:
        raise ValueError(
            f"There is no preset of that name.{did_you_mean(name, known)} Expected one of {known}, "
            f"as `keras-gans zoo list` shows them. Received: {name!r}"
        )
    folder = FOLDER / name
    texts = {
        file: (folder / file).read_text() if (folder / file).exists() else ""
        for file in ("README.md", "metrics.json", "recipe.json")
    }
    parsed = {}
    for file in ("recipe.json", "metrics.json"):
        try:
            parsed[file] = json.loads(texts[file] or "{}")
        except json.JSONDecodeError as error:
            raise ValueError(
                f"A file of the preset {name!r} is damaged: it is not JSON. Install the library "
                f"again. Received: {folder / file}, {error}"
            ) from error
    return Card(name, folder, parsed["recipe.json"], texts["README.md"], parsed["metrics.json"])


def verify(name):
    """Checks every file of a trained preset against the SHA-256 in its `metrics.json`.

    Args:
        name: one of `list_presets()`.

    Returns:
        The names of the files checked.

    Raises:
        ValueError: if a file is damaged, missing or unlisted, or the preset has no weights.
    """
    preset = card(name)
    expected = preset.metrics.get("sha256", {})
    if not expected:
        raise ValueError(
            "This preset is a recipe: no weights come with it. Train it with "
            f"`keras-gans train {name}`. Received: {name!r}"
        )
    present = {path.name for path in preset.folder.iterdir()} - {"metrics.json"}
    for file in sorted(present | set(expected)):
        path = preset.folder / file
        if file not in expected or file not in present:
            state = "is not listed in metrics.json" if file in present else "is missing"
            raise ValueError(
                f"A file of the preset {name!r} {state}. Expected {sorted(expected)}. Install the "
                f"library again. Received: {path}"
            )
        if sha256(path) != expected[file]:
            raise ValueError(
                f"A file of the preset {name!r} is damaged: its SHA-256 is another than the one in "
                f"metrics.json. Expected {expected[file]}. Install the library again. "
                f"Received: {path} with {sha256(path)}"
            )
    return sorted(expected)
