"""Labels of a request: one for each image, one for all, or none, and then in turn."""

from collections.abc import Mapping, Sequence

import tensorflow as tf

from keras_gans.export.graph.limits import in_classes, one_for_each
from keras_gans.interface import Label


def specs(ports: Sequence[Label]) -> list[tf.TensorSpec]:
    """Returns what a signature takes for each input of labels."""
    return [tf.TensorSpec((None,), tf.int32, name=port.name) for port in ports]


def requirements(
    ports: Sequence[Label], given: Mapping[str, tf.Tensor], number: tf.Tensor
) -> list[tf.Operation]:
    """Returns the checks of all labels of a request for a number of images."""
    made = []
    for port in ports:
        made.append(in_classes(given[port.name], port.num_classes))
        made.append(one_for_each(given[port.name], number, port.name))
    return made


def for_each_image(
    ports: Sequence[Label], given: Mapping[str, tf.Tensor], number: tf.Tensor
) -> dict[str, tf.Tensor]:
    """Returns a label for each image, by name.

    Those that are not given are in turn, as `generate` of a conditional GAN has them.
    """
    chosen = {}
    for port in ports:
        values = given[port.name]
        in_turn, size = tf.range(number) % port.num_classes, tf.size(values)
        padded = tf.concat([values, [0]], 0)
        found = tf.gather(padded, tf.minimum(tf.range(number), tf.maximum(size - 1, 0)))
        chosen[port.name] = tf.where(size > 0, found, in_turn)
    return chosen
