"""Texts of a request, strings: one for each image, one for all, or none, and then examples."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gans import text
from keras_gans.export.graph.limits import of_each, one_for_each
from keras_gans.interface import Text


def specs(ports: Sequence[Text]) -> list[tf.TensorSpec]:
    """Returns what a signature takes for each input of texts."""
    return [tf.TensorSpec((None,), tf.string, name=port.name) for port in ports]


def examples(ports: Sequence[Text]) -> dict[str, Any]:
    """Returns a text for each input to try a signature with, arrays `(1,)` by name."""
    texts = {port.name: [*port.examples, *port.vocabulary][0] for port in ports}
    return {name: np.array([one.encode()], object) for name, one in texts.items()}


def requirements(
    ports: Sequence[Text], given: Mapping[str, tf.Tensor], number: tf.Tensor
) -> list[tf.Operation]:
    """Returns the checks of all texts of a request for a number of images."""
    made = [one_for_each(given[port.name], number, port.name) for port in ports]
    for port in ports:
        if not port.examples:
            says = f"There are no examples of `{port.name}`. Expected a text or more."
            made.append(tf.debugging.Assert(tf.size(given[port.name]) > 0, [says]))
    return made


def numbers(ports: Sequence[Text], given: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Returns the numbers of the words of texts by name, int32 `(number, max_length)`."""
    return {
        port.name: text.in_graph(given[port.name], port.vocabulary, port.max_length)
        for port in ports
    }


def for_each_image(
    ports: Sequence[Text], given: Mapping[str, tf.Tensor], number: tf.Tensor
) -> dict[str, tf.Tensor]:
    """Returns the numbers of words for each image, by name; of texts not given, of examples."""
    found, chosen = numbers(ports, given), {}
    for port in ports:
        known = [port.encode(example) for example in port.examples] or [[0] * port.max_length]
        rows = of_each(found[port.name], number, tf.zeros(port.max_length, "int32"))
        in_turn = tf.gather(tf.constant(known, "int32"), tf.range(number) % len(known))
        chosen[port.name] = tf.where(tf.size(given[port.name]) > 0, rows, in_turn)
    return chosen
