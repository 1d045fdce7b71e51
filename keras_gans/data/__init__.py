"""Data for a training: `load(name)` gives a `tf.data.Dataset`, from whatever `name` names.

>>> from keras_gans import data
>>> points = data.load("ring", batch_size=256)
>>> points.element_spec.shape
TensorShape([256, 2])

`load_pairs(name)` does the same for images of two domains.

`class_names(dataset)` and `steps_per_epoch(dataset)` say what a data set of theirs holds.

`sources` holds one source a file; `loading` and `pairs` make batches of them.
"""

from keras_gans.data.loading import class_names, load, steps_per_epoch
from keras_gans.data.pairs import load_pairs
from keras_gans.data.sources.synthetic import grid_centers, ring_centers
from keras_gans.names import moved_module

__all__ = ["class_names", "grid_centers", "load", "load_pairs", "ring_centers", "steps_per_epoch"]

# Modules under the names that they had.
_MOVED = ("earth", "emoji_styles", "folder", "paired_folder")


def __getattr__(name):
    if name in _MOVED:
        return moved_module(f"keras_gans.data.{name}", f"keras_gans.data.sources.{name}")
    raise AttributeError(f"module 'keras_gans.data' has no attribute {name!r}")
