"""From presets of the zoo to exhibits of a gallery: the zoo knows no export, nor export the zoo."""

import numpy as np
from PIL import Image

from keras_gans import export, zoo
from keras_gans.data import fashion_mnist
from keras_gans.zoo.presets import weights_file

_EXAMPLES = 6  # pictures that a translator offers to begin with
_GAP = 2  # pixels between the images of `samples.png`


def of_preset(name):
    """The generators of a preset, as a gallery shows them.

    >>> (exhibit,) = of_preset("dcgan_digits_28")
    >>> exhibit.name, exhibit.facts[0]
    ('dcgan_digits_28', ('GAN', 'DCGAN'))

    Args:
        name: of a trained preset.

    Returns:
        A list of `export.gallery.Exhibit`: two of a CycleGAN whose way back comes along.
    """
    card = zoo.card(name)
    return [_exhibit(card, part) for part in card.parts if part.endswith("generator")]


def _exhibit(card, part):
    back = part != "generator"
    labelled = card.conditional and card.data == "fashion_mnist"
    # InfoGAN's latents end in codes, which the generator alone does not tell.
    model = zoo.Recipe(card.recipe, card.name).config["model"]
    return export.gallery.Exhibit(
        name=f"{card.name}.{part}" if back else card.name,
        generator=zoo.load(card.name, part),
        description=card.description + (" The way back." if back else ""),
        picture=card.folder / "samples.png",
        facts=_facts(card, part),
        class_names=fashion_mnist.CLASSES if labelled else None,
        examples=_sources(card, back) if card.translates else (),
        **{key: model[key] for key in ("categorical", "continuous") if key in model},
    )


def _facts(card, part):
    facts = [("GAN", card.architecture), ("Data", card.data)]
    # Of a translator, what was measured of its direction.
    given = zoo.Recipe(card.recipe, card.name).config["data"].get("direction")
    for protocol, found in card.numbers.items():
        if given is not None and (f"_{given}_" in protocol) != (part == "generator"):
            continue
        floor = found["floor"]
        beside = "" if floor is None else f" (other real images: {floor:.3g})"
        facts.append((protocol, f"{found['value']:.3g}{beside}"))
    licence = card.text.partition("\n## Data and licence\n")[2].partition("\n## ")[0]
    facts.append(("Data and licence", " ".join(licence.replace("`", "").split())))
    return [*facts, ("SHA-256 of the weights", card.sha256[weights_file(part)])]


def _sources(card, back):
    """What the samples of a translator were made of: a column of its picture."""
    height, width, _ = card.image_shape
    with Image.open(card.folder / "samples.png") as samples:
        pixels = np.asarray(samples.convert("RGB"))
    columns = (pixels.shape[1] + _GAP) // (width + _GAP)
    left = back * (columns // 2) * (width + _GAP)
    tops = range(0, pixels.shape[0], height + _GAP)[:_EXAMPLES]
    return [pixels[top : top + height, left : left + width] for top in tops]
