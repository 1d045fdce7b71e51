"""Data for a training: `load(name)` gives a `tf.data.Dataset`, from whatever `name` names.

>>> from keras_gans import data
>>> points = data.load("ring", batch_size=256)
>>> points.element_spec.shape
TensorShape([256, 2])

`load_pairs(name)` does the same for images of two domains.

`class_names(dataset)` and `steps_per_epoch(dataset)` say what a data set of theirs holds.

One file holds one source: `digits`, `fashion_mnist`, `folder` and `synthetic`; of pairs, `earth`,
`emoji_styles` and `paired_folder`. `builders` is what they share of TensorFlow Datasets,
`image_files` reads the files of folders, and `loading` and `pairs` make batches of them.
"""

from keras_gans.data.loading import class_names, load, steps_per_epoch
from keras_gans.data.pairs import load_pairs
from keras_gans.data.synthetic import grid_centers, ring_centers

__all__ = ["class_names", "grid_centers", "load", "load_pairs", "ring_centers", "steps_per_epoch"]
