"""How much one request may ask for, and the checks inside a graph that hold a request to it.

`tf.debugging` assertions under `control_dependencies` also fire in TF Serving, before the work
begins.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gans import checks
from keras_gans.export import signatures
from keras_gans.interface import Image

# A generator of images of any size gets them at the size the papers train at.
OPEN_SIDE = 256
# One that enlarges images of any size gets each at its own: a small one, to count by.
_ENLARGED_SIDE = 64
TOGETHER = "pixels of all images of a request"


@dataclasses.dataclass(frozen=True)
class Limits:
    """How much one request may ask for; more is an error, before the work begins.

    Attributes:
        images: made at once.
        pixels: height times width of an image sent.
        total_pixels: of all images sent together, or made of them, if those are more.
    """

    images: int
    pixels: int
    total_pixels: int


def limits(
    generator: keras.Model,
    max_images: int | None = None,
    max_pixels: int = 2**22,
    max_total_pixels: int | None = None,
) -> Limits:
    """Returns the `Limits` of a generator.

    By default as many images as make 2**20 pixels, at most 256, and together four times the pixels
    of one.
    """
    if max_images is None:
        area = sum(
            int(np.prod([side or _open_side(port) for side in port.shape[:-1]]))
            for port in signatures.interface_of(generator).outputs
        )
        max_images = min(max(2**20 // area, 1), 256)
    checks.count("max_pixels", max_pixels)
    if max_total_pixels is None:
        max_total_pixels = 4 * max_pixels
    checks.count("max_total_pixels", max_total_pixels, max_pixels)
    return Limits(checks.count("max_images", max_images), max_pixels, max_total_pixels)


def _open_side(port: Any) -> int:
    scale = port.scale if isinstance(port, Image) else 1
    return OPEN_SIDE if scale == 1 else round(_ENLARGED_SIDE * scale)


# ---- checks inside the graph


def at_most(limit: int, number: tf.Tensor, what: str) -> tf.Operation:
    """Requires a number to be at most a limit."""
    return tf.debugging.assert_less_equal(
        number, tf.constant(limit, number.dtype), f"This model takes at most {limit} {what}."
    )


def at_least_one(number: tf.Tensor) -> tf.Operation:
    """Requires images or rows."""
    return tf.debugging.assert_positive(number, "Expected at least one image or row.")


def in_classes(given: tf.Tensor, classes: int) -> tf.Operation:
    """Requires labels or codes in [0, classes)."""
    inside = tf.reduce_all((given >= 0) & (given < classes))
    says = f"A label or code is out of range. Expected 0 to {classes - 1}."
    return tf.debugging.Assert(inside, [says, given], summarize=8)


def in_words(given: tf.Tensor, words: int) -> tf.Operation:
    """Requires numbers of words in [0, words]."""
    inside = tf.reduce_all((given >= 0) & (given <= words))
    says = f"The number of a word is out of range. Expected 0 to {words}."
    return tf.debugging.Assert(inside, [says, given], summarize=8)


def one_for_each(values: tf.Tensor, number: tf.Tensor, name: str) -> tf.Operation:
    """Requires as many values as images, or one for all, or none."""
    size = tf.size(values)
    fits = (size <= 1) | tf.equal(size, number)
    says = f"Expected as many `{name}` as images, or one for all, or an empty list."
    return tf.debugging.Assert(fits, [says, size])


def of_each(values: tf.Tensor, number: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    """Returns a row for each image, of as many rows, of one for all, or of none.

    Args:
        values: what `one_for_each` admits.
        number: of images.
        other: a row that stands for the images where there is none.
    """
    places = tf.minimum(tf.range(number), tf.maximum(tf.shape(values)[0] - 1, 0))
    return tf.gather(tf.concat([values, other[None]], 0), places)


def truncates(truncation: tf.Tensor) -> tf.Operation:
    """Requires a truncation of 0 or more, finite."""
    inside = tf.reduce_all((truncation >= 0.0) & (truncation < np.inf))
    says = "`truncation` is 0, for none, or the largest size of a coordinate: above 0 and finite."
    return tf.debugging.Assert(inside, [says, truncation], summarize=8)


def after(made: Sequence[tf.Operation], given: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Returns what a request gives, to be used once all checks are made."""
    with tf.control_dependencies(made):
        return {name: tf.identity(value) for name, value in given.items()}
