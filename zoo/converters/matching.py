"""Tensors that have names, and the weights of a network that they belong to."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np


def assign(
    targets: Mapping[str, keras.Variable],
    arrays: Mapping[str, np.ndarray],
    in_keras_order: Callable[[str, np.ndarray, Any], np.ndarray],
    unlike: Callable[[str], Exception],
) -> None:
    """Assigns every tensor to its weight, after all have been compared.

    Args:
        targets: weights by the names of their tensors.
        arrays: the tensors, by the same names.
        in_keras_order: of a name, its tensor and its weight, returns the tensor in the weight's
            order of axes.
        unlike: returns the error to raise, of what does not fit.

    Raises:
        Exception: `unlike(...)`, if a name or a shape is on one side alone; nothing is assigned
            then.
    """
    alone = sorted(targets.keys() - arrays.keys()) or sorted(arrays.keys() - targets.keys())
    if alone:
        raise unlike(f"{alone[0]!r} has no counterpart")
    ready = []
    for name, weight in targets.items():
        array = in_keras_order(name, arrays[name], weight)
        if array.shape != tuple(weight.shape):
            raise unlike(f"{name!r} has shape {array.shape}, not {tuple(weight.shape)}")
        ready.append((weight, array))
    for weight, array in ready:
        weight.assign(array)
