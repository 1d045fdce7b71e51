"""What the readers of image files share, inside a TensorFlow graph."""

import tensorflow as tf


def require(condition: tf.Tensor, says: str) -> tf.Operation:
    """Refuses a file, unless a condition holds."""
    return tf.debugging.Assert(condition, [says])


def first_bytes(encoded: tf.Tensor, number: int) -> tf.Tensor:
    """The first bytes as int64, with zeros behind a file that is shorter."""
    return tf.cast(tf.io.decode_raw(encoded, tf.uint8, fixed_length=number), "int64")


def number(digits: tf.Tensor) -> tf.Tensor:
    """An integer from its bytes, the lowest first."""
    digits = tf.cast(digits, "int64")
    return tf.reduce_sum(digits * 256 ** tf.range(tf.size(digits, tf.int64)))


def on_white(colours: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
    """Integers of 0 to 255 over white paper, rounded as Pillow does, as uint8."""
    return tf.cast((colours * alpha + 255 * (255 - alpha) + 127) // 255, "uint8")


def color_table(content: tf.Tensor, order: str) -> tf.Tensor:
    """256 colours from the bytes of a table, entries such as "BGR"; what it lacks is black."""
    given = tf.reshape(tf.io.decode_raw(content, tf.uint8), (-1, len(order)))
    colours = tf.gather(given, [order.index(channel) for channel in "RGB"], axis=1)
    return tf.pad(colours, [[0, 256 - tf.shape(colours)[0]], [0, 0]])
