"""Penalties that are added to the loss of a side.

Gradient penalties of the discriminator are interchangeable: each takes `(discriminator, real, fake,
seed)` and returns float32, one value for each example, not yet weighted. `discriminator` is any
function `discriminator(images, training=True)` that returns logits, so a conditional one is
wrapped: `lambda images, training: network([images, labels], training=training)`. Penalties of the
generator take `(generator, latents, seed)`, and return the same.

The gradient at one example is defined only if its logit depends on that example alone: with batch
normalisation in the discriminator these penalties mean something else (Gulrajani 2017, section
4).
"""

from collections.abc import Callable

import tensorflow as tf

from keras_gans.names import did_you_mean
from keras_gans.typing import Callee

__all__ = [
    "dragan_penalty",
    "get",
    "gradient_penalty",
    "jacobian_clamping",
    "names",
    "path_lengths",
    "r1_penalty",
    "r2_penalty",
    "side",
    "squared_slopes",
]


def _squared_slope(discriminator, images):
    """Returns the squared norm of the logits' gradient at each image, float32 `(batch,)`."""
    images = tf.convert_to_tensor(images)
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = discriminator(images, training=True)
    return squared_slopes(tape, logits, images)


def _distance_from(target, squared):
    # The derivative of a square root at 0 is infinite, and 0 * inf is NaN.
    return (tf.sqrt(squared + 1e-12) - target) ** 2


def _column(images):
    """Returns the shape of one number for each example, which broadcasts over `images`."""
    return tf.concat([tf.shape(images)[:1], tf.ones(len(images.shape) - 1, "int32")], axis=0)


def _uniform(shape, seed):
    # The algorithm is named, as XLA and each kind of device choose another one by default.
    return tf.random.stateless_uniform(shape, seed, alg="philox")


def gradient_penalty(
    discriminator: Callee, real: tf.Tensor, fake: tf.Tensor, seed: tf.Tensor, target: float = 1.0
) -> tf.Tensor:
    """Penalizes gradient norms other than `target`, between real and fake (Gulrajani 2017).

    `(||grad D(x)|| - target)^2` at `x = mix * real + (1 - mix) * fake`, with `mix` from U[0, 1],
    one for each example (algorithm 1).

    Args:
        discriminator: called as `discriminator(images, training=True)`, returns logits.
        real: float tensor `(batch, ...)`.
        fake: float tensor of the same shape.
        seed: stateless seed, two integers.
        target: the gradient norm without a penalty.

    Returns:
        float32, shape `(batch,)`. The paper's weight for it is 10.
    """
    mix = tf.cast(_uniform(_column(real), seed), real.dtype)
    between = mix * real + (1.0 - mix) * tf.cast(fake, real.dtype)
    return _distance_from(target, _squared_slope(discriminator, between))


def dragan_penalty(
    discriminator: Callee,
    real: tf.Tensor,
    fake: tf.Tensor | None,
    seed: tf.Tensor,
    target: float = 1.0,
) -> tf.Tensor:
    """Penalizes gradient norms other than `target`, near real data (Kodali 2017, DRAGAN).

    As `gradient_penalty`, at `x = real + mix * 0.5 * std * noise`, with `mix` from U[0, 1] for
    each example, `noise` from U[0, 1] for each value, and `std` the standard deviation of the
    batch, as in the authors' program.

    Args:
        discriminator: called as `discriminator(images, training=True)`, returns logits.
        real: float tensor `(batch, ...)`.
        fake: not used.
        seed: stateless seed, two integers.
        target: the gradient norm without a penalty.

    Returns:
        float32, shape `(batch,)`. The paper's weight for it is 10.
    """
    mix_seed, noise_seed = tf.unstack(tf.random.split(seed, 2, alg="philox"))
    mix = tf.cast(_uniform(_column(real), mix_seed), real.dtype)
    noise = tf.cast(_uniform(tf.shape(real), noise_seed), real.dtype)
    nearby = real + mix * 0.5 * tf.math.reduce_std(real) * noise
    return _distance_from(target, _squared_slope(discriminator, nearby))


def r1_penalty(
    discriminator: Callee,
    real: tf.Tensor,
    fake: tf.Tensor | None = None,
    seed: tf.Tensor | None = None,
) -> tf.Tensor:
    """Returns half the squared gradient norm at real examples (Mescheder 2018, eq. 9).

    Args:
        discriminator: called as `discriminator(images, training=True)`, returns logits.
        real: float tensor `(batch, ...)`.
        fake: not used.
        seed: not used.

    Returns:
        float32, shape `(batch,)`. Its weight is the paper's gamma.
    """
    return 0.5 * _squared_slope(discriminator, real)


def r2_penalty(
    discriminator: Callee, real: tf.Tensor | None, fake: tf.Tensor, seed: tf.Tensor | None = None
) -> tf.Tensor:
    """Returns half the squared gradient norm at generated examples (Mescheder 2018, eq. 10).

    Args:
        discriminator: called as `discriminator(images, training=True)`, returns logits.
        real: not used.
        fake: float tensor `(batch, ...)`.
        seed: not used.

    Returns:
        float32, shape `(batch,)`. Its weight is the paper's gamma.
    """
    return 0.5 * _squared_slope(discriminator, fake)


def squared_slopes(tape: tf.GradientTape, logits: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
    """Returns the squared norm of the logits' gradient at each image, float32 `(batch,)`.

    Args:
        tape: that watches the images and recorded how the logits came about.
        logits: float tensor `(batch, ...)`.
        images: float tensor `(batch, ...)`.
    """
    slope = tf.cast(tape.gradient(logits, images), "float32")
    return tf.reduce_sum(slope**2, axis=list(range(1, len(slope.shape))))


def path_lengths(synthesis: Callee, styles: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """Returns how fast each image changes with its styles (Karras 2020, section 3.2).

    `||J' y||`, with J the derivative of the image by the styles and y a random image, whose values
    are `noise` by the square root of the number of pixels; of several styles the root of the mean
    square. Path length regularization keeps it near its moving average (equation 4).

    Args:
        synthesis: called as `synthesis(styles, training=True)`, returns images.
        styles: float tensor `(batch, num_styles, size)`.
        noise: standard normal, of the shape of the images.

    Returns:
        float32, shape `(batch,)`.
    """
    with tf.GradientTape() as tape:
        tape.watch(styles)
        images = tf.cast(synthesis(styles, training=True), "float32")
        pixels = tf.cast(tf.reduce_prod(tf.shape(images)[1:3]), "float32")
        product = tf.reduce_sum(images * noise) / tf.sqrt(pixels)
    slope = tf.cast(tape.gradient(product, styles), "float32")
    squared = tf.reduce_mean(tf.reduce_sum(slope**2, axis=2), axis=1)
    return tf.sqrt(squared + 1e-12)  # the derivative of a square root at 0 is infinite


def jacobian_clamping(
    generator: Callee,
    latents: tf.Tensor,
    seed: tf.Tensor,
    smallest: float = 1.0,
    largest: float = 20.0,
    step: float = 1.0,
) -> tf.Tensor:
    """Bounds how fast an image changes with its latent (Odena 2018, algorithm 1).

    For `Q = ||G(z) - G(z')|| / ||z - z'||`, with z' a step of length `step` from z in a random
    direction: `(max(Q, largest) - largest)^2 + (min(Q, smallest) - smallest)^2`
    (arXiv:1802.08768, section 4).

    Args:
        generator: called as `generator(latents, training=True)`, returns images.
        latents: float tensor `(batch, latent_dim)`.
        seed: stateless seed, two integers.
        smallest: the smallest Q without a penalty; the paper's lambda_min.
        largest: the largest Q without a penalty; the paper's lambda_max.
        step: the paper's epsilon.

    Returns:
        float32, shape `(batch,)`.
    """
    direction = tf.random.stateless_normal(tf.shape(latents), seed, alg="philox")
    direction = tf.math.l2_normalize(direction, axis=-1)
    images = [generator(z, training=True) for z in (latents, latents + step * direction)]
    difference = tf.cast(images[1], "float32") - tf.cast(images[0], "float32")
    squared = tf.reduce_sum(difference**2, axis=list(range(1, len(difference.shape))))
    change = tf.sqrt(squared + 1e-12) / step
    return (tf.maximum(change, largest) - largest) ** 2 + (
        tf.minimum(change, smallest) - smallest
    ) ** 2


_PENALTIES = {
    "dragan_penalty": dragan_penalty,
    "gradient_penalty": gradient_penalty,
    "jacobian_clamping": jacobian_clamping,
    "r1_penalty": r1_penalty,
    "r2_penalty": r2_penalty,
}
_OF_THE_GENERATOR = ("jacobian_clamping",)


def side(name: str) -> str:
    """Returns the side whose loss a penalty is added to: `"generator"` or `"discriminator"`.

    >>> side("r1_penalty")
    'discriminator'
    """
    get(name)
    return "generator" if name in _OF_THE_GENERATOR else "discriminator"


def names() -> list[str]:
    """Returns the names of the penalties, sorted."""
    return sorted(_PENALTIES)


def get(name: str) -> Callable[..., tf.Tensor]:
    """Returns a penalty by name.

    Raises:
        ValueError: if no penalty has that name.
    """
    if not isinstance(name, str) or name not in _PENALTIES:
        raise ValueError(
            f"No penalty of that name.{did_you_mean(name, _PENALTIES)} Expected one of {names()}. "
            f"Received: {name!r}"
        )
    return _PENALTIES[name]
