"""The presets that come with the library. No TensorFlow here: the command line lists them."""

import dataclasses
import os
from pathlib import Path

from keras_gans.files import sha256
from keras_gans.names import did_you_mean
from keras_gans.reading.text import is_file, is_folder, read_json, read_text, require
from keras_gans.zoo.catalog import addresses, cards

FOLDER = Path(__file__).parent.parent / "presets"
RECIPE, METRICS, TEXT, SAMPLES = "recipe.json", "metrics.json", "README.md", "samples.png"
WEIGHTS = "generator.weights.h5"

# Of the layout of `metrics.json`. Goes up when an older library would read a newer one wrongly.
FORMAT = 2

_AGAIN = "Install the library, or fetch the preset, again."

# What is looked at in its files before it is used; as for `reading.text.require`.
_RECIPE = {
    "description?": str,
    "dtype_policy?": str,
    "model": {"type": str},
    "data": {"name": str, "type?": str},
    "networks": {"generator": {"image_shape": [int], "out_channels?": (int, None)}, ...: dict},
}
_METRICS = {
    "made": dict,
    "numbers": {
        ...: {"value": float, "reference": (float, None), "degradations": {...: (float, None)}},
    },
    "weights": {...: {"parameters": int, "bytes": int}},
    "sha256": {...: str},
}


@dataclasses.dataclass(frozen=True)
class Card:
    """What is known of a preset: what its `README.md`, `recipe.json` and `metrics.json` say.

    Attributes:
        name: of the preset; also of its folder.
        folder: where its files are.
        recipe: everything needed to train it again, as read from `recipe.json`.
        text: the card itself, Markdown.
        metrics: as read from `metrics.json`; empty for a recipe without weights.
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

    @property
    def description(self):
        """One sentence."""
        return self.recipe.get("description", "")

    @property
    def architecture(self):
        """Name of the GAN's class, such as `"DCGAN"`."""
        return self.recipe["model"]["type"]

    @property
    def data(self):
        """Name of the data set it was trained on."""
        return self.recipe["data"]["name"]

    @property
    def image_shape(self):
        """`(height, width, channels)` of the images it makes."""
        generator = self.recipe["networks"]["generator"]
        *size, channels = generator["image_shape"]
        return (*size, generator.get("out_channels") or channels)

    @property
    def conditional(self):
        """Does its generator take labels?"""
        return "num_classes" in self.recipe["networks"]["generator"]

    @property
    def translates(self):
        """Whether it is an image-to-image model."""
        return self.recipe["data"].get("type") == "load_pairs"

    @property
    def parts(self):
        """The networks whose weights come with it: `("generator",)`, and perhaps others."""
        roles = self.recipe["networks"]
        return tuple(r for r in roles if (self.folder / weights_file(r)).exists())

    @property
    def numbers(self):
        """Names of protocols to `{"value", "reference", "degradations"}`."""
        return self.metrics.get("numbers", {})

    @property
    def sha256(self):
        """Names of files to their SHA-256."""
        return self.metrics.get("sha256", {})

    @property
    def made(self):
        """How long it was trained, and on what: `steps`, `minutes`, `cores`, versions."""
        return self.metrics.get("made", {})


def weights_file(role):
    """Where a preset keeps the weights of one of its networks.

    >>> weights_file("discriminator")
    'discriminator.weights.h5'
    """
    return f"{role}.weights.h5"


def list_presets(architecture=None, data=None, size=None, conditional=None, trained=None):
    """Names of the presets that come with the library, sorted.

    >>> keras_gans.zoo.list_presets(architecture="DCGAN", data="digits", trained=True)
    ['dcgan_digits_28']

    Args:
        architecture: only those of that class of GAN, such as `"DCGAN"`.
        data: only those trained on that data set, such as `"fashion_mnist"`.
        size: only those whose images have that many pixels a side, or `(height, width)`.
        conditional: whether the generator takes labels; `None` for either.
        trained: whether weights come with it; `None` for recipes, too.

    Returns:
        A list of names. It is empty where nothing matches all that was asked for.

    Raises:
        ValueError: for an architecture, data set or size that no preset has.
    """
    if isinstance(size, int):
        size = (size, size)
    wanted = {
        "architecture": (architecture, lambda c: c.architecture),
        "data": (data, lambda c: c.data),
        "size": (None if size is None else tuple(size), lambda c: c.image_shape[:2]),
        "conditional": (conditional, lambda c: c.conditional),
        "trained": (trained, lambda c: c.trained),
    }
    asked = {argument: given for argument, given in wanted.items() if given[0] is not None}
    if not asked:
        return _names()
    found = cards = [card(name) for name in _names()]
    for argument, (value, of) in asked.items():
        known = sorted({of(c) for c in cards})
        if value not in known and not isinstance(value, bool):
            guess = did_you_mean(value, known) if isinstance(value, str) else ""
            raise ValueError(
                f"No preset has that {argument}.{guess} Expected one of {known}. "
                f"Received: {argument}={value!r}"
            )
        found = [c for c in found if of(c) == value]
    return [c.name for c in found]


def card(name):
    """The card of a preset.

    >>> keras_gans.zoo.card("dcgan_digits_28").architecture
    'DCGAN'

    Args:
        name: one of `list_presets()`; the folder of a preset of your own; or the address of one
            on a hub, `hf://owner/name` or `kaggle://owner/model/framework/variation`, which is
            fetched with that hub's own client unless it is in its cache.

    Returns:
        A `Card`.

    Raises:
        ValueError: if there is no such preset, a file of it is damaged, or it was made for a newer
            version.
        ModuleNotFoundError: for an address whose client is not installed.
    """
    folder = _folder(name)
    name = addresses.name_of(name) if addresses.is_address(name) else folder.name
    recipe, metrics = _json(folder / RECIPE), _json(folder / METRICS)
    _require(folder / METRICS, metrics, {"format?": int})
    if metrics.get("format", FORMAT) > FORMAT:
        raise ValueError(
            f"The preset {name!r} was made for a newer version of this library. Expected format "
            f"{FORMAT} or less. Update: `pip install -U keras-gans`. "
            f"Received: format={metrics['format']} in {folder / METRICS}"
        )
    _require(folder / RECIPE, recipe, _RECIPE)
    shape = recipe["networks"]["generator"]["image_shape"]
    if len(shape) != 3:
        raise ValueError(
            "A file of a preset is damaged: 'networks.generator.image_shape' must be three "
            f"integers, (height, width, channels), not {shape}. {_AGAIN} "
            f"Received: {folder / RECIPE}"
        )
    if isinstance(numbers := metrics.get("numbers"), dict):
        metrics["numbers"] = {name: cards.renamed(found) for name, found in numbers.items()}
    _require(folder / METRICS, metrics, _METRICS if metrics else {})
    _require(folder / METRICS, metrics, {"made": cards.MADE} if metrics.get("made") else {})
    text = read_text(folder / TEXT) if _is_there(folder / TEXT) else ""
    return Card(name, folder, recipe, text, metrics)


def _is_there(path):
    """Is anything at that path, be it a file or not?"""
    return os.path.lexists(path)


def _json(path):
    return read_json(path, _AGAIN) if _is_there(path) else {}


def _require(path, content, kinds):
    try:
        require(content, kinds, path.name)
    except ValueError as error:
        raise ValueError(
            f"A file of a preset is damaged: {error} in {path}. {_AGAIN} Received: {path}"
        ) from error


def _names():
    return sorted(path.parent.name for path in FOLDER.glob(f"*/{RECIPE}"))


def _folder(name):
    """Where the files of a preset are."""
    if addresses.is_address(name):
        return addresses.fetch(name)
    known = _names()
    if str(name) in known:
        return FOLDER / str(name)
    folder = Path(name)
    if is_file(folder / RECIPE):
        return folder.resolve()
    if is_folder(folder):
        raise ValueError(
            f"There is no preset in that folder. Expected {RECIPE}, {TEXT}, {WEIGHTS} and "
            f"{METRICS}, as `keras_gans.zoo.save_preset` writes them. Received: {folder}"
        )
    raise ValueError(
        f"There is no preset of that name.{did_you_mean(str(name), known)} Expected one of "
        f"{known}, as `keras-gans zoo list` shows them, or the folder of a preset, or its address "
        f"(hf://..., kaggle://...). Received: {str(name)!r}"
    )


def verify(name):
    """Checks every file of a trained preset against the SHA-256 in its `metrics.json`.

    Also that the numbers on the card are those of `metrics.json`.

    Args:
        name: as for `card`.

    Returns:
        The names of the files checked.

    Raises:
        ValueError: if a file is damaged, missing or unlisted, the card says other numbers, or the
            preset has no weights.
    """
    preset = card(name)
    expected = preset.sha256
    if not expected:
        raise ValueError(
            "This preset is a recipe: no weights come with it. Train it with "
            f"`keras-gans train {preset.name}`. Received: {preset.name!r}"
        )
    # A hub's client may keep hidden files there, and other presets in folders.
    files = (p.name for p in preset.folder.iterdir() if p.is_file() and p.name[0] != ".")
    present = set(files) - {METRICS}
    for file in sorted(present | set(expected)):
        path = preset.folder / file
        if file not in expected or file not in present:
            state = f"is not listed in {METRICS}" if file in present else "is missing"
            raise ValueError(
                f"A file of the preset {preset.name!r} {state}. Expected {sorted(expected)}. "
                f"Install the library, or fetch the preset, again. Received: {path}"
            )
        if sha256(path) != expected[file]:
            raise ValueError(
                f"A file of the preset {preset.name!r} is damaged: its SHA-256 is another than the "
                f"one in {METRICS}. Expected {expected[file]}. Install the library, or fetch the "
                f"preset, again. Received: {path} with {sha256(path)}"
            )
    if cards.facts_in(preset.text) != cards.facts(preset):
        raise ValueError(
            f"The card of the preset {preset.name!r} says other numbers than {METRICS}. Expected, "
            f"between its marks, what `keras_gans.zoo.catalog.cards.facts` makes of {METRICS}. "
            f"Publish it again. Received: {preset.folder / TEXT}"
        )
    return sorted(expected)
