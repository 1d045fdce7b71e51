"""Which process of a distributed training writes files."""

import keras
import tensorflow as tf


def writes(model: keras.Model) -> bool:
    """Returns whether this process writes files: of several workers only the first does."""
    return is_chief(model.distribute_strategy)


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Returns whether this is the first process of a training, or the only one."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return True
    if resolver.task_type == "worker" and "chief" not in resolver.cluster_spec().jobs:
        return resolver.task_id == 0
    return resolver.task_type == "chief"
