"""From a file of another program to a preset: `keras-gans zoo import FILE`."""

import dataclasses
import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_gans import generation, image, interface
from keras_gans.files import atomic_folder, sha256
from keras_gans.interface import Interface
from keras_gans.names import did_you_mean
from keras_gans.reading.text import is_folder
from keras_gans.zoo.catalog import origins, presets
from keras_gans.zoo.publishing import (
    require_free,
    store_weights,
    write_card,
    write_interfaces,
)

# Families to the function that builds their networks, and what cards say. The module of the same
# name in `converters` has a function `convert`, from a path to a network and its arguments.
# `seeds`: do latents come from NumPy's RandomState, as in NVIDIA's programs?
_NOT_KNOWN = {"name": f"{origins.NOT_KNOWN}, that of whoever trained it", "of": "the file"}
_FAMILIES: Mapping[str, Mapping[str, Any]] = {
    "stylegan2": {
        "type": "stylegan2_generator",
        "architecture": "StyleGAN2",
        "options": (),
        "seeds": True,
        "choice": {"psi": 0.7},
        "flags": " --psi 0.7",
        "licence": {
            **_NOT_KNOWN,
            "note": "NVIDIA's own files are for research and evaluation, not for business.",
        },
    },
    "biggan": {
        "type": "biggan_deep_generator",
        "architecture": "BigGAN-deep",
        "options": ("truncation",),
        "seeds": False,
        "choice": {},
        "flags": " --labels 0-2 --truncation 2",
        "licence": _NOT_KNOWN,
    },
}
_SUFFIXES = {".pkl": "stylegan2", ".pt": "stylegan2", ".bin": "biggan", "": "biggan"}
_MOST_PIXELS = 2**18  # of the picture of samples


def import_file(
    path: str | Path,
    folder: str | Path,
    family: str | None = None,
    licence: str | None = None,
    overwrite: bool = False,
    truncation: float | None = None,
) -> Path:
    """Makes a preset of a file of another program. Nothing in the file is run.

    >>> folder = import_file("ffhq.pkl", "my_faces")  # doctest: +SKIP

    The folder has the generator's weights in float32, its interface, a picture of a few seeds, and
    a card that says where they come from. What works with a preset works with it: `generate`,
    `interpolate`, `export`. Seeds give the images that they give in the program of the file.

    Args:
        path: of the file.
        folder: to write; its name is that of the preset.
        family: the kind of the networks: `"stylegan2"` or `"biggan"`. `None` goes by the file's
            name; BigGAN's is a folder.
        licence: of the weights, for the card.
        overwrite: replace the preset that is there. Otherwise that is an error.
        truncation: of BigGAN, as of `networks.biggan_deep_generator`; `None` for 1.

    Returns:
        The `pathlib.Path` of the folder.

    Raises:
        FileNotFoundError: if there is no such file.
        FileExistsError: if something is there that may not be replaced.
        ValueError: for an unknown family, or as its converter does: the file is damaged, of
            another network, or names what no network needs.
    """
    path, folder = Path(path), Path(folder)
    converter = _family(path, family)
    kind = _FAMILIES[converter]
    given = {} if truncation is None else {"truncation": truncation}
    if unknown := sorted(given.keys() - set(kind["options"])):
        raise ValueError(
            f"{kind['architecture']} takes no {unknown} when it is imported. Leave it out; its "
            f"`generate` takes {sorted(kind['choice'])}. Received: {given}"
        )
    require_free(folder, presets.ORIGIN, overwrite)
    module = importlib.import_module(f"keras_gans.zoo.converters.{converter}")
    network, arguments = module.convert(path, **given)
    described = interface.of(network)
    if kind["seeds"]:
        described = _with_their_seeds(described)
    interface.state(network, described)
    weights = Path(path, module.WEIGHTS) if is_folder(path) else path
    published = {
        "origin": origins.IMPORTED,
        "description": f"A generator of {kind['architecture']}, imported from {path.name}.",
        "architecture": kind["architecture"],
        "data": "unknown",
        "networks": {"generator": {"type": kind["type"], **arguments}},
        "source": {"file": weights.name, "sha256": sha256(weights), "converter": converter},
        "licence": {"name": licence, "of": "the file"} if licence else dict(kind["licence"]),
    }
    with atomic_folder(folder.resolve()) as partial:
        partial.mkdir()
        (partial / presets.ORIGIN).write_text(json.dumps(published, indent=2) + "\n")
        about = store_weights(network, partial, "generator", float16=False)
        write_interfaces(partial, {"generator": described})
        _picture(network, described, kind["choice"], partial / presets.SAMPLES)
        text = _text(folder.name, path.name, kind, described)
        write_card(partial, folder.name, text, {}, {}, about)
    return folder


def _family(path: Path, family: str | None) -> str:
    suffix = path.suffix.lower()
    found = _SUFFIXES.get(suffix) if suffix or is_folder(path) else None
    found = found if family is None else family
    if found not in _FAMILIES:
        raise ValueError(
            f"The kind of these networks is not known.{did_you_mean(str(found), _FAMILIES)} "
            f"Expected `family` to be one of {list(_FAMILIES)}, or a file that ends in one of "
            f"{[s for s in _SUFFIXES if s]}, or the folder of a BigGAN. "
            f"Received: {path}, family={family!r}"
        )
    return found


def _with_their_seeds(described: Interface) -> Interface:
    """The interface with latents that a seed gives in the program of the file."""
    if described.latents is None:
        return described
    return described.with_input(dataclasses.replace(described.latents, random_state=True))


def _picture(
    network: keras.Model, described: Interface, choice: Mapping[str, Any], path: Path
) -> None:
    """A grid of the first seeds."""
    height, width, _ = described.images[0].shape
    number = int(np.clip(_MOST_PIXELS // ((height or 1) * (width or 1)), 4, 16))
    latents = np.concatenate([generation.draw(described, 1, seed=seed) for seed in range(number)])
    made = generation.run(network, generation.fill(described, number, latents, choice), 4)
    image.save(image.to_uint8(made[0]), path)


def _text(name: str, file: str, kind: Mapping[str, Any], described: Interface) -> str:
    """The card: what is known."""
    shape = described.images[0].shape
    return f"""# {name}

![The first seeds]({presets.SAMPLES})

A generator of {kind["architecture"]}, imported from `{file}`: {shape[0]}x{shape[1]} pixels,
{shape[2]} channels. It was compared with nothing but itself: no images of the program of the file
were at hand. On what data it was trained, the file does not say.

```bash
keras-gans generate {name} --seeds 0-8{kind["flags"]}
keras-gans export {name} --format tflite,onnx,web --output exported
```
"""
