"""Latents from seeds, inside a TensorFlow graph: bit for bit those of `keras_gans.latent`."""

import numpy as np
import tensorflow as tf

from keras_gans.interface import Codes

NO_CODES = Codes()


def latents(
    number: tf.Tensor, dim: int, seed: tf.Tensor, truncation: tf.Tensor, codes: Codes = NO_CODES
) -> tf.Tensor:
    """Returns latents as `generate` of a GAN draws them.

    Args:
        number: how many, an int32 scalar.
        dim: length of each, codes included; a Python integer.
        seed: int64 scalar.
        truncation: float64 scalar; 0 for the whole normal.
        codes: drawn evenly.

    Returns:
        float32 tensor `(number, dim)`.
    """
    halves = tf.bitcast(seed, "int32")  # `latent.halves`: the low one first
    shape = (number, dim)
    whole = tf.random.stateless_normal(shape, halves, alg="philox")
    uniform = tf.random.stateless_uniform(shape, halves, dtype="float64", alg="philox")
    root = np.sqrt(2.0)
    inside = tf.math.erf(tf.minimum(truncation, 30.0) / root)
    values = root * tf.math.erfinv((2.0 * uniform - 1.0) * inside)
    bounded = tf.cast(tf.clip_by_value(values, -truncation, truncation), "float32")
    drawn = tf.where(truncation > 0.0, bounded, whole)
    if codes.size:
        drawn = tf.concat([drawn[:, : dim - codes.size], _codes(number, halves, codes)], -1)
    return tf.ensure_shape(drawn, (None, dim))


def _codes(number: tf.Tensor, halves: tf.Tensor, codes: Codes) -> tf.Tensor:
    """As `InfoGAN.draw_latents`, whose first seed is that of the noise."""
    seeds = tf.unstack(tf.random.split(halves, 2 + len(codes.categorical), alg="philox"))
    parts = [
        tf.one_hot(tf.random.stateless_uniform((number,), s, 0, k, "int32", alg="philox"), k)
        for s, k in zip(seeds[1:-1], codes.categorical)
    ]
    shape = (number, codes.continuous)
    parts.append(tf.random.stateless_uniform(shape, seeds[-1], -1.0, 1.0, alg="philox"))
    return tf.concat(parts, -1)
