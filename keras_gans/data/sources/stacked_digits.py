"""Stacked MNIST: three digits as the colour channels of one image, a thousand classes.

References:
    Metz et al., 2017, "Unrolled Generative Adversarial Networks", section 3.3.1.
"""

import numpy as np
import tensorflow as tf

NUM_EXAMPLES = 50_000


def stack(digits, number, seed):
    """Draws images of three digits each.

    Args:
        digits: Data set of pairs of `uint8` digits `(height, width, 1)` and their classes.
        number: How many images; each of its digits is drawn evenly from all.
        seed: Integer that fixes the draw.

    Returns:
        `tf.data.Dataset` of pairs `(height, width, 3)`, `uint8`, and `int32` from 0 to 999: the
        digits of the first, second and third channel, read as one number.
    """
    images, classes = zip(*digits.as_numpy_iterator())
    images, classes = np.stack(images)[..., 0], np.array(classes, "int32")
    chosen = np.random.default_rng(seed).integers(len(images), size=(number, 3), dtype="int32")

    def look_up(three):
        # The digits are kept once, and each triple as three numbers.
        image = tf.transpose(tf.gather(images, three), (1, 2, 0))
        return image, tf.tensordot(tf.gather(classes, three), [100, 10, 1], 1)

    triples = tf.data.Dataset.from_tensor_slices(chosen)
    return triples.map(look_up, num_parallel_calls=tf.data.AUTOTUNE)
