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
    found = _sizes(network, labels)
    if len(found) != 1:
        raise ValueError(
            f"The number of classes cannot be read off the network {network.name!r}: labels must "
            "go through `keras.layers.Embedding` or `ConditionalBatchNormalization` layers, all of "
            f"one size; or say `num_classes=...`. Received: sizes {sorted(found) or 'none'}"
        )
    return found.pop()


def require_room(network, classes):
    """Raises ValueError if a layer of a network looks labels up in fewer classes."""
    found = _sizes(network)
    if found and max(found) < classes:
        raise ValueError(
            f"The network {network.name!r} knows fewer classes than there are labels. Build it "
            f"with `num_classes={classes}`. Received: num_classes={classes}, layers of "
            f"{sorted(found)} classes"
        )


def _sizes(network, labels=None):
    """The numbers of classes of the layers that look labels up, or one input of labels."""
    if labels is None:
        layers = network._flatten_layers(include_self=False, recursive=True)
    else:
        # Those that the labels go into, and what is inside of these.
        layers = [
            inner
            for node in labels._keras_history.operation._outbound_nodes
            for inner in node.operation._flatten_layers(include_self=True, recursive=True)
        ]
    return {
        layer.input_dim if isinstance(layer, keras.layers.Embedding) else layer.num_classes
        for layer in layers
        if isinstance(layer, keras.layers.Embedding) or hasattr(layer, "num_classes")
    }


def require(labels, classes, number=None):
    """Checks labels that a user gives, and returns them as an int32 array `(number,)`.

    A column `(number, 1)` or one-hot rows `(number, classes)` are turned into such an array.

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
    array = _of_rows(array, classes)
    if array.dtype.kind not in "iu":
        raise ValueError(
            "Labels are integers, the numbers of the classes. Convert numbers with "
            "`labels.astype('int32')`, and names with "
            f"`names, labels = np.unique(labels, return_inverse=True)`. Received: {array.dtype}"
        )
    if array.ndim != 1 or (number is not None and len(array) != number):
        raise ValueError(
            "There must be one label for each image. Expected shape "
            f"({'num_images' if number is None else number},), or one-hot rows of "
            f"{classes}. Received: shape {array.shape}"
        )
    require_range(array, classes)
    return array.astype("int32")


def _of_rows(array, classes):
    """The labels that a column or one-hot rows mean; anything else as it is."""
    if array.ndim != 2 or array.dtype.kind not in "iufb":
        return array
    if array.shape[1] == 1:
        return array[:, 0]
    one_hot = array.shape[1] == classes and (array == np.eye(classes)[array.argmax(axis=1)]).all()
    return array.argmax(axis=1) if one_hot else array


def require_range(labels, classes):
    """Raises ValueError unless all integers of an array are in [0, classes)."""
    wrong = labels[(labels < 0) | (labels >= classes)]
    if wrong.size:
        raise ValueError(
            f"A label is out of range. Expected 0 to {classes - 1}, for {classes} classes. "
            f"Received: {wrong[0]}"
        )
