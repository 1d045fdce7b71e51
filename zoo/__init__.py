"""The zoo: recipes, trained generators, and the training that made them.

`list_presets`, `card` and `verify` answer without TensorFlow; the rest loads it when called.
"""

if __name__ != "keras_gans.zoo":
    raise ImportError(
        "The folder `zoo` is the source of the package `keras_gans.zoo`, and works under that "
        f"name only. Use `import keras_gans.zoo`. Received: import {__name__}"
    )

import importlib

from keras_gans.names import moved_module
from keras_gans.zoo.catalog.presets import Card, card, list_presets, verify

_LAZY = {
    "import_file": "importing",
    "Recipe": "runs.recipe",
    "load": "loading",
    "open_gan": "loading",
    "restore": "loading",
    "train": "training",
    "strategy": "runs.strategies",
    "evaluate": "evaluating",
    "publish": "publishing",
    "save_preset": "publishing",
    "generate": "inference.generate",
    "interpolate": "inference.interpolate",
    "project": "inference.project",
    "age": "inference.age",
    "edit": "inference.edit",
    "directions": "inference.directions",
    "find_directions": "inference.directions",
    "measure_edits": "inference.directions",
    "save_directions": "inference.directions",
    "Styled": "inference.styles",
    "mix_styles": "inference.styles",
    "walk_styles": "inference.styles",
    "style_directions": "inference.styles",
    "project_style": "inference.styles",
    "translate": "inference.translate",
    "translate_image": "inference.tiles",
    "upscale": "inference.upscale",
    "upscale_image": "inference.upscale",
}
# Modules under the names that they had.
_MOVED = {"convert": "converters.pix2pix_cyclegan", "hubs": "catalog.addresses"}

__all__ = ["Card", "card", "converters", "list_presets", "verify", *_LAZY]


def __getattr__(name):
    if name in _LAZY:
        return getattr(importlib.import_module(f"keras_gans.zoo.{_LAZY[name]}"), name)
    if name == "converters":
        return importlib.import_module("keras_gans.zoo.converters")
    if name in _MOVED:
        return moved_module(f"keras_gans.zoo.{name}", f"keras_gans.zoo.{_MOVED[name]}")
    raise AttributeError(f"module 'keras_gans.zoo' has no attribute {name!r}")
