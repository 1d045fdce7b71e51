"""The zoo: recipes, trained generators, and the training that made them.

`list_presets`, `card` and `verify` answer without TensorFlow; the rest loads it when called.
"""

if __name__ != "keras_gans.zoo":
    raise ImportError(
        "The folder `zoo` is the source of the package `keras_gans.zoo`, and works under that "
        f"name only. Use `import keras_gans.zoo`. Received: import {__name__}"
    )

import importlib

from keras_gans.zoo.presets import Card, card, list_presets, verify

_LAZY = {
    "Recipe": "recipe",
    "load": "loading",
    "open_gan": "loading",
    "restore": "loading",
    "train": "training",
    "strategy": "strategies",
    "evaluate": "evaluating",
    "publish": "publishing",
    "save_preset": "publishing",
    "interpolate": "interpolating",
    "project": "projecting",
    "translate": "translating",
    "translate_image": "tiling",
}

__all__ = ["Card", "card", "convert", "list_presets", "verify", *_LAZY]


def __getattr__(name):
    if name in _LAZY:
        return getattr(importlib.import_module(f"keras_gans.zoo.{_LAZY[name]}"), name)
    if name == "convert":
        return importlib.import_module("keras_gans.zoo.convert")
    raise AttributeError(f"module 'keras_gans.zoo' has no attribute {name!r}")
