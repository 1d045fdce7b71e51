"""Data for a training: `load(name)` returns a `tf.data.Dataset` of what `name` names.

>>> from keras_gans import data
>>> points = data.load("ring", batch_size=256)
>>> points.element_spec.shape
TensorShape([256, 2])

`load_pairs(name)` does the same for images of two domains, and `load_domains(name)` for images of
two domains that have no example in common. `class_names(dataset)` and
`steps_per_epoch(dataset)` return what is known of a data set of theirs; `class_names_of(name)` and
`licence_of(name)` what is known of a name, without loading anything.

`sources` holds one source a file and a registry of them, `naming` finds what a name means,
`prepared` reads what was prepared, `preprocessing` resizes and crops, `epochs` orders and batches,
and `loading`, `pairs` and `domains` put them together.
"""

import importlib

from keras_gans.names import moved_module

# Where the public names are; imported when asked for, so that `sources` needs no TensorFlow.
_HOMES = {
    "class_names": "loading",
    "class_names_of": "sources",
    "degrade": "degradation",
    "grid_centers": "sources.synthetic",
    "licence_of": "sources",
    "load": "loading",
    "load_domains": "domains",
    "load_pairs": "pairs",
    "ring_centers": "sources.synthetic",
    "steps_per_epoch": "epochs",
}
_MODULES = ("domains", "loading", "pairs", "sources")
# Modules under the names that they had.
_MOVED = ("earth", "emoji_styles", "folder", "paired_folder")

__all__ = [*_HOMES, "sources"]


def __getattr__(name):
    if name in _HOMES:
        return getattr(importlib.import_module(f"keras_gans.data.{_HOMES[name]}"), name)
    if name in _MODULES:
        return importlib.import_module(f"keras_gans.data.{name}")
    if name in _MOVED:
        return moved_module(f"keras_gans.data.{name}", f"keras_gans.data.sources.{name}")
    raise AttributeError(f"module 'keras_gans.data' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
