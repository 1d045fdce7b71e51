"""Labels of a request: one for each image, one for all, or none, and then in turn or drawn."""

from collections.abc import Mapping, Sequence

import tensorflow as tf

from keras_gans import latent
from keras_gans.export.graph.limits import in_classes, of_each, one_for_each
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
    ports: Sequence[Label], given: Mapping[str, tf.Tensor], number: tf.Tensor, seed: tf.Tensor
) -> dict[str, tf.Tensor]:
    """Returns a label for each image, by name.

    Those that are not given are `generation.classes_left_out`, as `generate` of a conditional GAN
    has them: in turn, or of several conditions drawn from the seed, an int64 scalar.
    """
    counts = [port.num_classes for port in ports]
    if len(ports) > 1:
        left_out = latent.classes(number, counts, tf.bitcast(seed, "int32"))
    else:
        left_out = [tf.range(number) % count for count in counts]
    chosen = {}
    for port, others in zip(ports, left_out):
        values = given[port.name]
        found = of_each(values, number, tf.constant(0))
        chosen[port.name] = tf.where(tf.size(values) > 0, found, others)
    return chosen
