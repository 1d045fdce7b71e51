"""The presets that come with the library. No TensorFlow here: the command line lists them."""

import contextlib
import dataclasses
import functools
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from keras_gans.files import sha256
from keras_gans.interface import Interface
from keras_gans.names import did_you_mean
from keras_gans.reading.text import is_file, is_folder, read_json, read_text, require
from keras_gans.zoo.catalog import addresses, cards, heads, interfaces, origins

FOLDER = Path(__file__).parent.parent / "presets"
RECIPE, METRICS, TEXT, SAMPLES = "recipe.json", "metrics.json", "README.md", "samples.png"
INTERFACE, ORIGIN = interfaces.FILE, origins.FILE
WEIGHTS, DIRECTIONS = "generator.weights.h5", "directions.npz"

# Of the layout of `metrics.json`. Goes up when an older library would read a newer one wrongly.
FORMAT = 2

_AGAIN = "Install the library, or fetch the preset, again."

# What is looked at in its files before it is used; as for `reading.text.require`.
_RECIPE = {
    "description?": str,
    "dtype_policy?": str,
    "model": {"type": str},
    "data": {"name": str, "type?": str},
    "networks": {...: dict},
}
# And of a preset without `interface.json`, whose recipe says what its generator takes and makes.
_OLD = {
    "networks": {
        "generator": {"image_shape": [(int, None)], "out_channels?": (int, None)},
        ...: dict,
    }
}
_METRICS = {
    "made": dict,
    "numbers": {
        ...: {"value": float, "reference": (float, None), "degradations": {...: (float, None)}},
    },
    "weights": {...: {"parameters": int, "bytes": int}},
    "sha256": {...: str},
    "measured?": {...: str},
}


@dataclasses.dataclass(frozen=True)
class Card:
    """What is known of a preset: what its `README.md`, `recipe.json` and `metrics.json` say.

    A preset whose weights others made has an `origin.json` in the place of a recipe.

    Attributes:
        name: of the preset; also of its folder.
        folder: where its files are.
        recipe: everything needed to train it again, as read from `recipe.json`; empty for weights
            that others made.
        text: the card itself, Markdown.
        metrics: as read from `metrics.json`; empty for a recipe without weights.
        stated: the interfaces in `interface.json`; `None` for a preset of an earlier version, whose
            recipe says them. `interfaces` holds them either way.
        published: as read from `origin.json`: where weights that others made come from, and their
            licence. Empty for those that a recipe makes.
    """

    name: str
    folder: Path
    recipe: dict[str, Any]
    text: str
    metrics: dict[str, Any]
    stated: dict[str, Interface] | None = None
    published: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def trained(self) -> bool:
        """Does it come with weights? If not, it is a recipe to train, or needs a package."""
        return bool(self.parts)

    @property
    def origin(self) -> str:
        """Where its weights come from.

        `"trained"`: here, by its recipe. `"converted"`: published by others, and shipped.
        `"package"`: published by others, and read from an installed package. `"recipe"`: there are
        none yet.
        """
        if self.published:
            return self.published["origin"]
        return origins.TRAINED if self.parts else origins.RECIPE

    @property
    def licence(self) -> str:
        """Licence of the weights, and of the data where that is known."""
        if self.published:
            licence = self.published["licence"]
            return " ".join(
                filter(None, [f"{licence['name']} ({licence['of']}).", licence.get("note")])
            )
        part = self.text.partition("\n## Data and licence\n")[2].partition("\n## ")[0]
        return " ".join(part.replace("`", "").split())

    @property
    def licences(self) -> dict[str, str]:
        """Licences in short: of the `"weights"` and of the `"data"`, if its card's head says them.

        >>> keras_gans.zoo.card("dcgan_pixel_faces_16").licences
        {'weights': 'apache-2.0', 'data': 'CC0-1.0'}
        """
        said = heads.read(self.text)
        found = {"weights": said.get(heads.LICENSE), "data": said.get(heads.DATA_LICENSE)}
        return {of: licence for of, licence in found.items() if licence}

    @property
    def shelf(self) -> str:
        """What it is for: `"use"`, `"learn"` or `"compare"`; empty if its card does not say."""
        return heads.read(self.text).get(heads.SHELF, "")

    @property
    def description(self) -> str:
        """One sentence."""
        return (self.published or self.recipe).get("description", "")

    @property
    def architecture(self) -> str:
        """Name of the GAN's class, such as `"DCGAN"`."""
        return self.published["architecture"] if self.published else self.recipe["model"]["type"]

    @property
    def data(self) -> str:
        """Name of the data set it was trained on."""
        return (self.published or self.recipe["data"])["data" if self.published else "name"]

    @property
    def networks(self) -> dict[str, dict[str, Any]]:
        """Names of its networks, to the function that builds each and its arguments."""
        return (self.published or self.recipe)["networks"]

    def require_recipe(self) -> dict[str, Any]:
        """Returns the recipe.

        Raises:
            ValueError: for a preset whose weights others made.
        """
        if not self.recipe:
            raise ValueError(
                "This preset has no recipe: others trained it, and its generator is all there is. "
                "Load it with `keras_gans.zoo.load`, or use it with `keras-gans upscale`. "
                f"Received: {self.name!r}, of the origin {self.origin!r}"
            )
        return self.recipe

    @functools.cached_property
    def interfaces(self) -> dict[str, Interface]:
        """Names of the networks that make something, to what each takes and makes."""
        return self.stated or interfaces.of_recipe(self.recipe)

    def interface(self, role: str | None = None) -> Interface:
        """Returns what a network takes and makes.

        >>> keras_gans.zoo.card("infogan_digits_28").interface().codes.categorical
        (10,)

        Args:
            role: name of the network; `None` for the first, which makes the images.

        Raises:
            ValueError: for a network that makes nothing, or is not there.
        """
        role = next(iter(self.interfaces)) if role is None else role
        if role not in self.interfaces:
            raise ValueError(
                f"This preset has no such network.{did_you_mean(role, self.interfaces)} Expected "
                f"one of {list(self.interfaces)}. Received: {self.name!r}, role={role!r}"
            )
        return self.interfaces[role]

    @property
    def image_shape(self) -> tuple[int | None, int | None, int]:
        """`(height, width, channels)` of the images it makes; `None` for any size."""
        made = self.interface().images or self.interface().outputs
        return made[0].shape

    @property
    def conditional(self) -> bool:
        """Does its generator take labels?"""
        return bool(self.interface().labels)

    @property
    def translates(self) -> bool:
        """Whether its generator takes images (image-to-image)."""
        return self.interface().takes_image

    @property
    def parts(self) -> tuple[str, ...]:
        """The networks whose weights come with it: `("generator",)`, and perhaps others."""
        return tuple(r for r in self.networks if (self.folder / weights_file(r)).exists())

    @property
    def numbers(self) -> dict[str, dict[str, Any]]:
        """Names of protocols to `{"value", "reference", "degradations"}`."""
        return self.metrics.get("numbers", {})

    @property
    def sha256(self) -> dict[str, str]:
        """Names of files to their SHA-256."""
        return self.metrics.get("sha256", {})

    @property
    def outdated(self) -> bool:
        """Are its numbers of other weights than those in the folder, or of unknown ones?"""
        measured = self.metrics.get("measured", {})
        return bool(self.numbers) and any(
            measured.get(file) != self.sha256.get(file) for file in self.metrics["weights"]
        )

    @property
    def made(self) -> dict[str, Any]:
        """How long it was trained, and on what: `steps`, `minutes`, `cores`, versions."""
        return self.metrics.get("made", {})


def weights_file(role: str) -> str:
    """Where a preset keeps the weights of one of its networks.

    >>> weights_file("discriminator")
    'discriminator.weights.h5'
    """
    return f"{role}.weights.h5"


def list_presets(
    architecture: str | None = None,
    data: str | None = None,
    size: int | Sequence[int] | None = None,
    conditional: bool | None = None,
    trained: bool | None = None,
    origin: str | None = None,
    shelf: str | None = None,
) -> list[str]:
    """Names of the presets that come with the library, sorted.

    >>> keras_gans.zoo.list_presets(architecture="DCGAN", data="digits", trained=True)
    ['dcgan_digits_28']

    Args:
        architecture: only those of that class of GAN, such as `"DCGAN"`.
        data: only those trained on that data set, such as `"fashion_mnist"`.
        size: only those whose images have that many pixels a side, or `(height, width)`.
        conditional: whether the generator takes labels; `None` for either.
        trained: whether weights come with it; `None` for recipes, too.
        origin: only those whose weights come from there: see `Card.origin`.
        shelf: only those that are for that: see `Card.shelf`.

    Returns:
        A list of names. It is empty where nothing matches all that was asked for.

    Raises:
        ValueError: for an architecture, data set, size, origin or shelf that no preset has.
    """
    if isinstance(size, int):
        size = (size, size)
    wanted = {
        "architecture": (architecture, lambda c: c.architecture),
        "data": (data, lambda c: c.data),
        "size": (None if size is None else tuple(size), lambda c: c.image_shape[:2]),
        "conditional": (conditional, lambda c: c.conditional),
        "trained": (trained, lambda c: c.trained),
        "origin": (origin, lambda c: c.origin),
        "shelf": (shelf, lambda c: c.shelf),
    }
    asked = {argument: given for argument, given in wanted.items() if given[0] is not None}
    if not asked:
        return _names()
    found = cards = [card(name) for name in _names()]
    for argument, (value, of) in asked.items():
        known = sorted({of(c) for c in cards} - {(None, None)})  # which is any size
        if value not in known and not isinstance(value, bool):
            guess = did_you_mean(value, known) if isinstance(value, str) else ""
            raise ValueError(
                f"No preset has that {argument}.{guess} Expected one of {known}. "
                f"Received: {argument}={value!r}"
            )
        found = [c for c in found if of(c) == value]
    return [c.name for c in found]


def by_shelf(cards: Iterable[Card]) -> list[Card]:
    """Sorts cards by what their presets are for, in the order of `heads.SHELVES`, then by name."""
    order = [*heads.SHELVES, ""]
    return sorted(cards, key=lambda c: (order.index(c.shelf), c.name))


def card(name: str | os.PathLike) -> Card:
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
    published = _published(folder)
    recipe, metrics = {} if published else _json(folder / RECIPE), _json(folder / METRICS)
    _require(folder / METRICS, metrics, {"format?": int})
    if metrics.get("format", FORMAT) > FORMAT:
        raise ValueError(
            f"The preset {name!r} was made for a newer version of this library. Expected format "
            f"{FORMAT} or less. Update: `pip install -U keras-gans`. "
            f"Received: format={metrics['format']} in {folder / METRICS}"
        )
    _require(folder / RECIPE, recipe, {} if published else _RECIPE)
    if isinstance(numbers := metrics.get("numbers"), dict):
        metrics["numbers"] = {name: cards.renamed(found) for name, found in numbers.items()}
    _require(folder / METRICS, metrics, _METRICS if metrics else {})
    _require(folder / METRICS, metrics, {"made": cards.MADE} if metrics.get("made") else {})
    stated = None
    if _is_there(folder / INTERFACE):
        content = _json(folder / INTERFACE)
        with _damaged(folder / INTERFACE):
            stated = interfaces.read(content, (published or recipe)["networks"])
    if recipe and (stated is None or "image_shape" in recipe["networks"].get("generator", {})):
        _require_shape(folder / RECIPE, recipe)
    text = read_text(folder / TEXT) if _is_there(folder / TEXT) else ""
    with _damaged(folder / TEXT):
        heads.require_shelf(text)
    return Card(name, folder, recipe, text, metrics, stated, published)


def _published(folder):
    """What `origin.json` says; an empty dictionary if there is none."""
    published, path = _json(folder / ORIGIN), folder / ORIGIN
    if _is_there(path):
        _require(path, published, origins.FIELDS)
        with _damaged(path):
            origins.require(published)
    return published


def _require_shape(path, recipe):
    """Raises ValueError unless a recipe says what its generator makes."""
    _require(path, recipe, _OLD)
    shape = recipe["networks"]["generator"]["image_shape"]
    if len(shape) != 3:
        raise ValueError(
            "A file of a preset is damaged: 'networks.generator.image_shape' must be three "
            f"integers, (height, width, channels), not {shape}. {_AGAIN} "
            f"Received: {path}"
        )


def _is_there(path):
    """Is anything at that path, be it a file or not?"""
    return os.path.lexists(path)


def _json(path):
    return read_json(path, _AGAIN) if _is_there(path) else {}


def _require(path, content, kinds):
    with _damaged(path):
        require(content, kinds, path.name)


@contextlib.contextmanager
def _damaged(path):
    """Says which file of a preset it is that cannot be used."""
    try:
        yield
    except ValueError as error:
        raise ValueError(
            f"A file of a preset is damaged: {error} in {path}. {_AGAIN} Received: {path}"
        ) from error


def _names():
    return sorted(
        {path.parent.name for kind in (RECIPE, ORIGIN) for path in FOLDER.glob(f"*/{kind}")}
    )


def _folder(name):
    """Where the files of a preset are."""
    if addresses.is_address(name):
        return addresses.fetch(name)
    known = _names()
    if str(name) in known:
        return FOLDER / str(name)
    folder = Path(name)
    if is_file(folder / RECIPE) or is_file(folder / ORIGIN):
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


def verify(name: str | os.PathLike) -> list[str]:
    """Checks every file of a trained preset against the SHA-256 in its `metrics.json`.

    Also that the numbers on the card are those of `metrics.json` and, where the weights are in a
    package, the file there.

    Args:
        name: as for `card`.

    Returns:
        The names of the files checked.

    Raises:
        ValueError: if a file is damaged, missing or unlisted, the card says other numbers, or the
            preset has no weights.
        ModuleNotFoundError: if the package with the weights is not installed.
    """
    preset = card(name)
    # A hub's client may keep hidden files there, and other presets in folders.
    files = (p.name for p in preset.folder.iterdir() if p.is_file() and p.name[0] != ".")
    verify_files(preset, {*files, *preset.sha256} - {METRICS})
    if cards.facts_in(preset.text) != cards.facts(preset):
        raise ValueError(
            f"The card of the preset {preset.name!r} says other numbers than {METRICS}. Expected, "
            f"between its marks, what `keras_gans.zoo.catalog.cards.facts` makes of {METRICS}. "
            f"Publish it again. Received: {preset.folder / TEXT}"
        )
    if preset.origin == origins.PACKAGE:
        origins.locate(preset.published)
    return sorted(preset.sha256)


def verify_files(preset: Card, files: Iterable[str]) -> None:
    """Checks some files of a trained preset against the SHA-256 in its `metrics.json`.

    Args:
        preset: its card.
        files: names of those that are about to be used.

    Raises:
        ValueError: if a file is damaged, missing or unlisted, or the preset has no weights.
    """
    expected = preset.sha256
    if not expected:
        raise ValueError(
            "This preset is a recipe: no weights come with it. Train it with "
            f"`keras-gans train {preset.name}`. Received: {preset.name!r}"
        )
    for file in sorted(files):
        path = preset.folder / file
        if file not in expected or not path.is_file():
            state = "is missing" if file in expected else f"is not listed in {METRICS}"
            raise ValueError(
                f"A file of the preset {preset.name!r} {state}. Expected {sorted(expected)}. "
                f"Install the library, or fetch the preset, again. Received: {path}"
            )
        if (found := sha256(path)) != expected[file]:
            raise ValueError(
                f"A file of the preset {preset.name!r} is damaged: its SHA-256 is another than the "
                f"one in {METRICS}. Expected {expected[file]}. Install the library, or fetch the "
                f"preset, again. Received: {path} with {found}"
            )
