"""Checks and operations for training on several replicas."""

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
import tensorflow as tf


def require_scope(name: str, owner: Any, strategy: tf.distribute.Strategy) -> None:
    """Raises ValueError unless all variables of `owner` were created in a strategy's scope."""
    for variable in owner.variables:
        value = getattr(variable, "value", variable)
        if isinstance(value, tf.Variable) and not strategy.extended.variable_created_in_scope(
            value
        ):
            raise ValueError(
                f"`{name}` was created outside of this strategy's scope, so that replicas cannot "
                "share it. Create networks, GAN and optimizers, and compile, in one "
                "`with strategy.scope():`; `fit` and what comes after may be outside. "
                f"Received: {variable.path}, which {type(strategy).__name__} did not create"
            )


def require_examples(batch: Any, strategy: tf.distribute.Strategy) -> None:
    """Raises ValueError for a batch with fewer examples than replicas."""
    shape, replicas = np.shape(tf.nest.flatten(batch)[0]), strategy.num_replicas_in_sync
    size = shape[0] if shape else 1
    if size < replicas:
        raise ValueError(
            "Each replica needs an example of every batch, and batches are those of all replicas "
            "together. Use larger batches, and drop the remainder of an epoch "
            f"(`drop_remainder=True`). Received: a batch of {size} for {replicas} replicas"
        )


def require_supported(model: keras.Model, optimizer: keras.optimizers.Optimizer) -> None:
    """Raises ValueError for what Keras 3 cannot do on several replicas."""
    if model.distribute_strategy.num_replicas_in_sync == 1:
        return
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    for name, set_ in {
        "gradient_accumulation_steps": inner.gradient_accumulation_steps,
        "ema_overwrite_frequency": inner.use_ema and inner.ema_overwrite_frequency,
        "steps_per_execution": model.steps_per_execution > 1,
        "jit_compile": model.jit_compile,
    }.items():
        if set_:
            raise ValueError(
                f"Keras 3 cannot train on several replicas with `{name}`. Leave it out, or train "
                f"on one. Received: {name}={set_}"
            )


def number() -> int:
    """Returns the number of replicas; called within one of them."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def mean(values: Any) -> Any:
    """Returns the mean over replicas of a tensor or a list of tensors; gradients pass."""
    if number() == 1:
        return values
    return tf.distribute.get_replica_context().all_reduce("MEAN", values)


def gathered(values: tf.Tensor) -> tf.Tensor:
    """Returns the examples of all replicas, in their order; gradients pass.

    Args:
        values: `(batch, ...)`, of as many examples on each replica.

    Returns:
        `(batch * number of replicas, ...)`.
    """
    if number() == 1:
        return values
    context = tf.distribute.get_replica_context()
    own = tf.one_hot(context.replica_id_in_sync_group, number(), dtype=values.dtype)
    placed = tf.tensordot(own, values, axes=0)  # zeros in the places of the others
    return tf.concat(tf.unstack(context.all_reduce("SUM", placed)), axis=0)


def all_or_none_finite(gradients: list[tf.Tensor | None]) -> list[tf.Tensor | None]:
    """Returns gradients that are NaN on all replicas if they are not finite on one.

    Keras' `LossScaleOptimizer` looks at the gradients of its own replica, or of the first one, to
    skip a step.
    """
    if number() == 1:
        return gradients
    # Gradients of embeddings are slices.
    gradients = [g if g is None else tf.convert_to_tensor(g) for g in gradients]
    # 0 * inf is NaN, and the mean of NaN and zeros is NaN.
    zeros = [tf.reduce_sum(0.0 * tf.cast(g, "float32")) for g in gradients if g is not None]
    zero = mean(tf.add_n(zeros))
    return [g if g is None else g + tf.cast(zero, g.dtype) for g in gradients]


def share_statistics(networks: Iterable[keras.Model]) -> None:
    """Averages the non-trainable weights of networks over replicas, such as moving statistics.

    Each replica normalises by its own part of the batch, unless layers are synchronized
    (`networks.synchronized`), and its moving statistics would be of that part alone.
    """
    if number() == 1:
        return
    weights = [w for n in networks for w in n.non_trainable_weights if "float" in w.dtype]
    if weights:
        # Copies: a variable's value is on no device, which the multi-worker strategy refuses.
        for weight, value in zip(weights, mean([tf.identity(w) for w in weights])):
            weight.assign(value)
