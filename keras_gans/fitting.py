"""Checks of the arguments of `fit`, before anything is trained."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from keras_gans import checks


def require_possible(model: keras.Model, x: Any, arguments: Mapping[str, Any]) -> None:
    """Raises ValueError for arguments that would fail later, or have no effect.

    Args:
        model: an `AdversarialModel`.
        x: the data.
        arguments: other arguments of `fit`, by name.
    """
    if not model.compiled:
        raise ValueError(
            "A GAN trains with the optimizers that `compile` gives its sides. Call `compile()` "
            f"first. Received: {model.name!r}, not compiled"
        )
    if x is None:
        raise ValueError("`fit` needs data: `fit(images)`. Received: x=None")
    if (batch_size := arguments.get("batch_size")) is not None:
        checks.count("batch_size", batch_size)
    checks.count("epochs", arguments.get("epochs", 1), 0)
    for name in ("class_weight", "sample_weight"):
        if arguments.get(name) is not None:
            raise ValueError(
                f"The losses of a GAN weigh all examples equally, so `{name}` would have no "
                "effect. Leave it out; to give some examples more weight, repeat them in the data. "
                f"Received: {name} of type {type(arguments[name]).__name__}"
            )
    if not arguments.get("steps_per_epoch") and _is_endless(x):
        raise ValueError(
            "The data set is infinite, so an epoch would never end. Give its number of batches: "
            "`fit(data, steps_per_epoch=100)`; for the infinite sets of `keras_gans.data`, "
            f"`keras_gans.data.steps_per_epoch(data)`. Received: {x}"
        )
    validated = arguments.get("validation_data") is not None or arguments.get("validation_split")
    callbacks = arguments.get("callbacks")
    for callback in keras.tree.flatten(getattr(callbacks, "callbacks", callbacks)):
        _require_monitor(callback, model.tracked, validated)


def _is_endless(x):
    if isinstance(x, tf.data.Dataset):
        return int(x.cardinality()) == tf.data.INFINITE_CARDINALITY
    return isinstance(x, keras.utils.PyDataset) and x.num_batches is None


def _require_monitor(callback, tracked, validated):
    """Raises ValueError for a callback of Keras that monitors what a GAN never logs."""
    kinds = keras.callbacks.EarlyStopping, keras.callbacks.ReduceLROnPlateau
    best = isinstance(callback, keras.callbacks.ModelCheckpoint) and callback.save_best_only
    if not (isinstance(callback, kinds) or best):
        return
    kind, monitor = type(callback).__name__, callback.monitor
    if monitor == "loss" or (monitor.startswith("val_") and not validated):
        raise ValueError(
            f"`{kind}` monitors a log that this GAN does not have. Expected one of "
            f"{list(tracked)}, or what another callback logs, such as "
            f"`keras_gans.callbacks.Evaluate`. Received: monitor={monitor!r}"
        )
    if getattr(callback, "mode", None) == "auto" and callback.monitor_op is None:
        raise ValueError(
            f"`{kind}` cannot know whether {monitor!r} should decrease or increase. Add "
            f"`mode='min'`, or `mode='max'` for an accuracy. "
            f"Received: monitor={monitor!r}, mode='auto'"
        )
