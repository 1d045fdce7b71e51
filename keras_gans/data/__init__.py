"""Data for a training: `load(name)` gives a `tf.data.Dataset`, from whatever `name` names.

>>> from keras_gans import data
>>> points = data.load("ring", batch_size=256)
>>> points.element_spec.shape
TensorShape([256, 2])

One file holds one source: `digits`, `fashion_mnist`, `folder` and `synthetic`. `builders` is what
they share of TensorFlow Datasets, and `loading` makes batches of them all.
"""

from keras_gans.data.loading import load, steps_per_epoch
from keras_gans.data.synthetic import grid_centers, ring_centers

__all__ = ["grid_centers", "load", "ring_centers", "steps_per_epoch"]
