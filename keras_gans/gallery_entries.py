"""From presets of the zoo to entries of a gallery: the zoo knows no export, nor export the zoo."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from keras_gans import export, zoo
from keras_gans.interface import Interface
from keras_gans.zoo.catalog import presets
from keras_gans.zoo.inference.options import interfaces_of

_EXAMPLES = 6  # pictures that a translator offers to begin with
_GAP = 2  # pixels between the images of `samples.png`


def of_preset(name: str) -> list[export.gallery.Entry]:
    """Returns the generators of a preset, as a gallery shows them.

    >>> (entry,) = of_preset("dcgan_digits_28")
    >>> entry.name, entry.facts[0]
    ('dcgan_digits_28', ('GAN', 'DCGAN'))

    Args:
        name: of a trained preset.

    Returns:
        A list of entries: two of a CycleGAN whose backward generator comes along.
    """
    card = zoo.card(name)
    return [_entry(card, part) for part in card.parts if part in card.interfaces]


def for_page(source: Path | str) -> dict[str, Any]:
    """Returns what the page of one generator shows beside it: arguments of `export.web`.

    >>> for_page("conditional_gan_fashion_mnist_28")["class_names"][9]
    'boot'

    Args:
        source: name of a trained preset, or folder of a run.

    Returns:
        A dict: `class_names`, where the data set has some; `directions`, where `source` comes with
        named ones; and `examples` for an image-to-image generator, where the samples of `source`
        show what it was given.
    """
    run = Path(source)
    if (run / "config.json").is_file():
        recipe = zoo.Recipe.read(run / "config.json")
        samples = max((run / "samples").glob("epoch_*.png"), default=None)
    else:
        card = zoo.card(source)
        if not card.recipe:
            return {"class_names": None, "examples": []}
        recipe, samples = zoo.Recipe(card.recipe, card.name), card.folder / presets.SAMPLES
    described = next(iter(interfaces_of(source).values()))
    shown = {"class_names": _class_names(described), **_directions(source)}
    return shown | ({"examples": _sources(recipe, samples)} if described.takes_image else {})


def _entry(card: zoo.Card, part: str) -> export.gallery.Entry:
    back = part != next(iter(card.interfaces))
    recipe, samples = zoo.Recipe(card.recipe, card.name), card.folder / presets.SAMPLES
    return export.gallery.Entry(
        name=f"{card.name}.{part}" if back else card.name,
        generator=zoo.load(card.name, part),
        description=card.description + (" The backward generator." if back else ""),
        picture=samples,
        facts=_facts(card, part),
        measured=_measured(card, recipe, part),
        class_names=_class_names(card.interface(part)),
        **({} if back else _directions(card.folder)),
        examples=_sources(recipe, samples, back) if card.translates else (),
    )


def _directions(source: Path | str) -> dict[str, Any]:
    """The argument `directions`, of what comes with named directions."""
    found = zoo.directions(source)
    return {"directions": found} if found else {}


def _class_names(described: Interface) -> list[str] | None:
    """The names of the classes of the only input of labels, if they are known."""
    names = [list(port.names) for port in described.labels if port.names]
    return names[0] if len(names) == len(described.labels) == 1 else None


def _facts(card: zoo.Card, part: str) -> list[tuple[str, str]]:
    return [
        ("GAN", card.architecture),
        ("Data", card.data),
        ("Data and licence", card.licence),
        ("SHA-256 of the weights", card.sha256[presets.weights_file(part)]),
    ]


def _measured(card: zoo.Card, recipe: zoo.Recipe, part: str) -> list[tuple[str, str]]:
    """Protocols and what they found; of a translator, those of its direction."""
    direction, rows = recipe.config["data"].get("direction"), []
    forward = part == next(iter(card.interfaces))
    for protocol, found in card.numbers.items():
        if direction is not None and (f"_{direction}_" in protocol) != forward:
            continue
        reference = found["reference"]
        beside = "" if reference is None else f" (other real images: {reference:.3g})"
        rows.append((protocol, f"{found['value']:.3g}{beside}"))
    return rows


def _sources(recipe: zoo.Recipe, samples: Path | None, back: bool = False) -> list[np.ndarray]:
    """What the samples of an image-to-image generator were made of: a column of their picture."""
    height, width, _ = next(iter(recipe.config["networks"].values()))["image_shape"]
    if samples is None or not samples.is_file() or None in (height, width):
        return []
    with Image.open(samples) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    rows, columns = ((n + _GAP) / (size + _GAP) for n, size in zip(pixels.shape, (height, width)))
    if rows % 1 or columns % 1:  # not of images of this size
        return []
    left = back * (int(columns) // 2) * (width + _GAP)
    tops = range(0, pixels.shape[0], height + _GAP)[:_EXAMPLES]
    return [pixels[top : top + height, left : left + width] for top in tops]
