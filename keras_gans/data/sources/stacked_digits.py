"""Stacked MNIST: three digits as the colour channels of one image, a thousand classes.

References:
    Metz et al., 2017, "Unrolled Generative Adversarial Networks", section 3.3.1.
"""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from keras_gans.data.sources import digits
from keras_gans.data.sources.registry import Examples, Request, Source

if TYPE_CHECKING:
    import tensorflow as tf

NUM_EXAMPLES = 50_000


def read(request: Request) -> Examples:
    """Returns the images of a `Request`, and the names of their classes."""
    single, _ = digits.read(dataclasses.replace(request, labels=True, num_examples=None))
    stacked = stack(single, request.num_examples or NUM_EXAMPLES, request.seed)
    if not request.labels:
        stacked = stacked.map(lambda image, label: image)
    return stacked, SOURCE.class_names


def stack(digits: "tf.data.Dataset", number: int, seed: int) -> "tf.data.Dataset":
    """Draws images of three digits each.

    Args:
        digits: Data set of pairs of `uint8` digits `(height, width, 1)` and their classes.
        number: How many images; each of its digits is drawn evenly from all.
        seed: Integer that fixes the draw.

    Returns:
        `tf.data.Dataset` of pairs `(height, width, 3)`, `uint8`, and `int32` from 0 to 999: the
        digits of the first, second and third channel, read as one number.
    """
    import tensorflow as tf

    # In batches, of which Python sees few.
    images, classes = map(np.concatenate, zip(*digits.batch(500).as_numpy_iterator()))
    images = images[..., 0]
    chosen = np.random.default_rng(seed).integers(len(images), size=(number, 3), dtype="int32")

    def look_up(three):
        # The digits are kept once, and each triple as three numbers.
        image = tf.transpose(tf.gather(images, three), (1, 2, 0))
        return image, tf.tensordot(tf.gather(classes, three), [100, 10, 1], 1)

    triples = tf.data.Dataset.from_tensor_slices(chosen)
    return triples.map(look_up, num_parallel_calls=tf.data.AUTOTUNE)


SOURCE = Source(
    name="stacked_digits",
    content="three of the digits as red, green and blue, 28x28x3, of 1,000 classes",
    origin="the digits",
    licence=digits.SOURCE.licence,
    splits=digits.SOURCE.splits,
    read=read,
    fixed="The digits are stacked as they are, 28x28x3.",
    labels={"label": tuple(f"{number:03}" for number in range(1000))},
)
