"""Penalties on the discriminator's slope.

They are interchangeable: each takes `(discriminator, real, fake, seed)` and answers float32, one
value for each example, without its weight. `discriminator` is anything that is called as
`discriminator(images, training=True)` and answers logits, so a conditional one is wrapped:
`lambda images, training: network([images, labels], training=training)`.

A slope for each example exists only while no example sees another: batch normalisation in the
discriminator gives these penalties another meaning (Gulrajani 2017, section 4).
"""

import tensorflow as tf

from keras_gans.names import did_you_mean

__all__ = ["dragan_penalty", "get", "gradient_penalty", "names", "r1_penalty", "r2_penalty"]


def _squared_slope(discriminator, images):
    """Squared Euclidean norm of the logits' gradient at each of `images`, float32 `(batch,)`."""
    images = tf.convert_to_tensor(images)
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = discriminator(images, training=True)
    slope = tf.cast(tape.gradient(logits, images), "float32")
    return tf.reduce_sum(slope**2, axis=list(range(1, len(slope.shape))))


def _distance_from(target, squared):
    # The slope of a square root at 0 is infinite, and 0 * inf is NaN.
    return (tf.sqrt(squared + 1e-12) - target) ** 2


def _column(images):
    """The shape of one number for each example, ready to broadcast over `images`."""
    return tf.concat([tf.shape(images)[:1], tf.ones(len(images.shape) - 1, "int32")], axis=0)


def _uniform(shape, seed):
    # One algorithm by name: left to itself, XLA and each kind of device choose their own.
    return tf.random.stateless_uniform(shape, seed, alg="philox")


def gradient_penalty(discriminator, real, fake, seed, target=1.0):
    """Holds the slope at `target` between real and generated (Gulrajani 2017, algorithm 1).

    `(||grad D(x)|| - target)^2` at `x = mix * real + (1 - mix) * fake`, with `mix` from U[0, 1],
    one for each example.

    Args:
        discriminator: called as `discriminator(images, training=True)`, answers logits.
        real: float tensor `(batch, ...)`.
        fake: float tensor of the same shape.
        seed: stateless seed, two integers.
        target: the slope wanted.

    Returns:
        float32, shape `(batch,)`. The paper's weight for it is 10.
    """
    mix = tf.cast(_uniform(_column(real), seed), real.dtype)
    between = mix * real + (1.0 - mix) * tf.cast(fake, real.dtype)
    return _distance_from(target, _squared_slope(discriminator, between))


def dragan_penalty(discriminator, real, fake, seed, target=1.0):
    """Holds the slope at `target` around the real data (Kodali 2017, DRAGAN).

    As `gradient_penalty`, at `x = real + mix * 0.5 * deviation * noise`, with `mix` from U[0, 1]
    for each example, `noise` from U[0, 1] for each value, and the batch's standard deviation,
    as the authors' program draws it.

    Args:
        discriminator: called as `discriminator(images, training=True)`, answers logits.
        real: float tensor `(batch, ...)`.
        fake: not looked at.
        seed: stateless seed, two integers.
        target: the slope wanted.

    Returns:
        float32, shape `(batch,)`. The paper's weight for it is 10.
    """
    mix_seed, noise_seed = tf.unstack(tf.random.split(seed, 2, alg="philox"))
    mix = tf.cast(_uniform(_column(real), mix_seed), real.dtype)
    noise = tf.cast(_uniform(tf.shape(real), noise_seed), real.dtype)
    nearby = real + mix * 0.5 * tf.math.reduce_std(real) * noise
    return _distance_from(target, _squared_slope(discriminator, nearby))


def r1_penalty(discriminator, real, fake=None, seed=None):
    """Half the squared slope at real examples (Mescheder 2018, eq. 9).

    Args:
        discriminator: called as `discriminator(images, training=True)`, answers logits.
        real: float tensor `(batch, ...)`.
        fake: not looked at.
        seed: not looked at.

    Returns:
        float32, shape `(batch,)`. Its weight is the paper's gamma.
    """
    return 0.5 * _squared_slope(discriminator, real)


def r2_penalty(discriminator, real, fake, seed=None):
    """Half the squared slope at generated examples (Mescheder 2018, eq. 10).

    Args:
        discriminator: called as `discriminator(images, training=True)`, answers logits.
        real: not looked at.
        fake: float tensor `(batch, ...)`.
        seed: not looked at.

    Returns:
        float32, shape `(batch,)`. Its weight is the paper's gamma.
    """
    return 0.5 * _squared_slope(discriminator, fake)


_PENALTIES = {
    "dragan_penalty": dragan_penalty,
    "gradient_penalty": gradient_penalty,
    "r1_penalty": r1_penalty,
    "r2_penalty": r2_penalty,
}


def names():
    """The names that `get` knows, sorted."""
    return sorted(_PENALTIES)


def get(name):
    """Finds a penalty by name.

    Raises:
        ValueError: if no penalty has that name.
    """
    if not isinstance(name, str) or name not in _PENALTIES:
        raise ValueError(
            f"No penalty of that name.{did_you_mean(name, _PENALTIES)} Expected one of {names()}. "
            f"Received: {name!r}"
        )
    return _PENALTIES[name]
