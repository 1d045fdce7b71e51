"""What several replicas of one training must agree on."""

import numpy as np
import tensorflow as tf


def require_scope(name, owner, strategy):
    """Raises ValueError unless all variables of a network or optimizer were made by a strategy."""
    for variable in owner.variables:
        value = getattr(variable, "value", variable)
        if isinstance(value, tf.Variable) and not strategy.extended.variable_created_in_scope(
            value
        ):
            raise ValueError(
                f"`{name}` was made outside of this strategy's scope, so that replicas could not "
                "share it. Make networks, GAN and optimizers, and compile, in one "
                "`with strategy.scope():`; `fit` and what comes after may be outside. "
                f"Received: {variable.path}, which {type(strategy).__name__} has not made"
            )


def require_examples(batch, strategy):
    """Raises ValueError for a batch that leaves a replica without an example."""
    shape, replicas = np.shape(tf.nest.flatten(batch)[0]), strategy.num_replicas_in_sync
    size = shape[0] if shape else 1
    if size < replicas:
        raise ValueError(
            "Each replica needs an example of every batch, and batches are those of all replicas "
            "together. Use larger batches, and drop the remainder of an epoch "
            f"(`drop_remainder=True`). Received: a batch of {size} for {replicas} replicas"
        )


def require_supported(model, optimizer):
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


def number():
    """How many replicas share a batch, seen from within one of them."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def mean(values):
    """The mean over all replicas of a tensor or a list of them, which gradients go through."""
    if number() == 1:
        return values
    return tf.distribute.get_replica_context().all_reduce("MEAN", values)


def all_or_none_finite(gradients):
    """Gradients that are NaN on every replica if on any one they are not finite.

    Keras' `LossScaleOptimizer` leaves a step out by what its own replica sees, or the first.
    """
    if number() == 1:
        return gradients
    # Those of embeddings come as slices.
    gradients = [g if g is None else tf.convert_to_tensor(g) for g in gradients]
    # Zero times what is not finite is NaN, and the mean of a NaN and of zeros is one.
    zeros = [tf.reduce_sum(0.0 * tf.cast(g, "float32")) for g in gradients if g is not None]
    zero = mean(tf.add_n(zeros))
    return [g if g is None else g + tf.cast(zero, g.dtype) for g in gradients]


def share_statistics(networks):
    """Makes what networks keep besides what they learn the mean of all replicas'.

    Each replica normalises by its own part of the batch, unless the layers are synchronised
    (`networks.synchronized`), and would keep moving statistics of that part alone.
    """
    if number() == 1:
        return
    weights = [w for n in networks for w in n.non_trainable_weights if "float" in w.dtype]
    if weights:
        # Copies: what is read from a variable is on no device, which workers' strategy refuses.
        for weight, value in zip(weights, mean([tf.identity(w) for w in weights])):
            weight.assign(value)
