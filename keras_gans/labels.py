"""Classes of images as integer labels, from 0 up."""

import keras
import numpy as np
from numpy.typing import ArrayLike

from keras_gans import checks


def num_classes(network: keras.Model, labels: keras.KerasTensor | None = None) -> int:
    """Returns the number of classes of a network's labels.

    It is read from the layers that embed a label: `keras.layers.Embedding`, and
    `layers.ConditionalBatchNormalization`.

    >>> num_classes(keras_gans.networks.conditional_mlp_generator((2,), num_classes=8))
    8

    Args:
        network: a `keras.Model` with an input for labels.
        labels: which of several inputs of labels, one of `network.inputs`; `None` for the only one.

    Raises:
        ValueError: if there is no such layer, or several of different sizes.
    """
    checks.a_network("network", network)
    found = _sizes(network, labels)
    if len(found) != 1:
        raise ValueError(
            f"The number of classes cannot be read from the network {network.name!r}: labels must "
            "go through `keras.layers.Embedding` or `ConditionalBatchNormalization` layers, all of "
            f"one size; or pass `num_classes=...`. Received: sizes {sorted(found) or 'none'}"
        )
    return found.pop()


def require_room(
    network: keras.Model, classes: int, labels: keras.KerasTensor | None = None
) -> None:
    """Raises ValueError if a network, or one input of labels, has room for fewer classes."""
    found = _sizes(network, labels)
    if found and max(found) < classes:
        raise ValueError(
            f"The network {network.name!r} has fewer classes than the labels. Build it "
            f"with `num_classes={classes}`. Received: num_classes={classes}, layers of "
            f"{sorted(found)} classes"
        )


def _sizes(network, labels=None):
    """Returns the sizes of the layers that embed labels, or one input of labels."""
    if labels is None:
        layers = network._flatten_layers(include_self=False, recursive=True)
    else:
        # The layers that take the labels, and the layers inside of these.
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


def require(
    labels: ArrayLike, classes: int, number: int | None = None, name: str = "labels"
) -> np.ndarray:
    """Returns checked labels as an int32 array `(number,)`.

    A column `(number, 1)` or one-hot rows `(number, classes)` are converted.

    >>> require(3, classes=10, number=2)
    array([3, 3], dtype=int32)

    Args:
        labels: integers in [0, classes), shape `(number,)`; or one integer, for all.
        classes: number of classes.
        number: number of labels expected; `None` for any.
        name: of the input, for errors.

    Raises:
        ValueError: for labels that are no integers, out of range, or of another shape.
    """
    of = "" if name == "labels" else f" for {name!r}"
    array = np.asarray(labels)
    if array.ndim == 0 and number is not None:
        array = np.full(checks.count("num_images", number), array)
    array = _of_rows(array, classes)
    if array.dtype.kind not in "iu":
        raise ValueError(
            "Labels are integers, the numbers of the classes. Convert numbers with "
            "`labels.astype('int32')`, and names with "
            f"`names, labels = np.unique(labels, return_inverse=True)`. Received: {array.dtype}{of}"
        )
    if array.ndim != 1 or (number is not None and len(array) != number):
        raise ValueError(
            "There must be one label for each image. Expected shape "
            f"({'num_images' if number is None else number},), or one-hot rows of "
            f"{classes}. Received: shape {array.shape}{of}"
        )
    require_range(array, classes, name)
    return array.astype("int32")


def _of_rows(array, classes):
    """Returns the labels of a column or of one-hot rows; anything else unchanged."""
    if array.ndim != 2 or array.dtype.kind not in "iufb":
        return array
    if array.shape[1] == 1:
        return array[:, 0]
    one_hot = array.shape[1] == classes and (array == np.eye(classes)[array.argmax(axis=1)]).all()
    return array.argmax(axis=1) if one_hot else array


def require_range(labels: np.ndarray, classes: int, name: str = "labels") -> None:
    """Raises ValueError, with the name of the input, unless all integers are in [0, classes)."""
    wrong = labels[(labels < 0) | (labels >= classes)]
    if wrong.size:
        raise ValueError(
            f"A label is out of range. Expected 0 to {classes - 1}, for {classes} classes. "
            f"Received: {wrong[0]}{'' if name == 'labels' else f' for {name!r}'}"
        )
