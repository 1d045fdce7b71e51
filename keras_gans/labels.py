"""Classes of images as integer labels, from 0 up."""

import keras
import numpy as np

from keras_gans import checks


def num_classes(network, labels=None):
    """The number of classes that a network's labels are told apart in.

    Read from the layers that look a label up: `keras.layers.Embedding`, and
    `layers.ConditionalBatchNormalization`.

    >>> num_classes(keras_gans.networks.conditional_mlp_generator((2,), num_classes=8))
    8

    Args:
        network: a `keras.Model` with an input for labels.
        labels: which of several inputs of labels, one of `network.inputs`; `None` for the only one.

    Raises:
        ValueError: if no layer, or layers of unlike sizes, look labels up.
    """
    if labels is None:
        layers = network._flatten_layers(include_self=False, recursive=True)
    else:
        # Those that the labels go into, and what is inside of these.
        nodes = labels._keras_history.operation._outbound_nodes
        layers = [
            inner
            for node in nodes
            for inner in node.operation._flatten_layers(include_self=True, recursive=True)
        ]
    found = {
        layer.input_dim if isinstance(layer, keras.layers.Embedding) else layer.num_classes
        for layer in layers
        if isinstance(layer, keras.layers.Embedding) or hasattr(layer, "num_classes")
    }
    if len(found) != 1:
        raise ValueError(
            f"The number of classes cannot be read off the network {network.name!r}: labels must "
            "go through `keras.layers.Embedding` or `ConditionalBatchNormalization` layers, all of "
            f"one size; or say `num_classes=...`. Received: sizes {sorted(found) or 'none'}"
        )
    return found.pop()


def require(labels, classes, number=None):
    """Checks labels that a user gives, and returns them as an int32 array `(number,)`.

    >>> require(3, classes=10, number=2)
    array([3, 3], dtype=int32)

    Args:
        labels: integers in [0, classes), shape `(number,)`; or one integer, for all.
        classes: how many classes there are.
        number: how many labels there must be; `None` for any.

    Raises:
        ValueError: for labels that are no integers, out of range, or of another shape.
    """
    array = np.asarray(labels)
    if array.ndim == 0 and number is not None:
        array = np.full(checks.count("num_images", number), array)
    if array.dtype.kind not in "iu":
        raise ValueError(
            "Labels are integers, the numbers of the classes. Convert them with "
            f"`.astype('int32')`. Received: {array.dtype}"
        )
    if array.ndim != 1 or (number is not None and len(array) != number):
        raise ValueError(
            "There must be one label for each image. Expected shape "
            f"({'num_images' if number is None else number},); of one-hot rows take "
            f"`argmax(axis=1)`. Received: shape {array.shape}"
        )
    require_range(array, classes)
    return array.astype("int32")


def require_range(labels, classes):
    """Raises ValueError unless all integers of an array are in [0, classes)."""
    wrong = labels[(labels < 0) | (labels >= classes)]
    if wrong.size:
        raise ValueError(
            f"A label is out of range. Expected 0 to {classes - 1}, for {classes} classes. "
            f"Received: {wrong[0]}"
        )
