"""Fully connected networks, for points, vectors and small images (Goodfellow 2014)."""

import math
from collections.abc import Sequence

import keras
from keras import layers

from keras_gans import checks
from keras_gans.layers import InstanceNoise, MinibatchDiscrimination


def data_shape(shape: int | Sequence[int]) -> tuple[int, ...]:
    """Returns the shape of one example as a tuple; a number is the length of a vector."""
    shape = tuple(shape) if isinstance(shape, (list, tuple)) else (shape,)
    if not shape:
        raise ValueError(
            "An example needs at least one axis; single numbers have the shape (1,). "
            f"Received: image_shape={shape}"
        )
    return tuple(checks.count("image_shape", side) for side in shape)


def mlp_generator(
    image_shape: Sequence[int],
    latent_dim: int = 128,
    width: int = 128,
    depth: int = 2,
    output_activation: str | None = None,
    noise: float = 0.0,
    name: str = "mlp_generator",
) -> keras.Model:
    """A generator of dense layers with ReLU.

    >>> keras_gans.networks.mlp_generator((2,), latent_dim=8).output_shape
    (None, 2)

    Args:
        image_shape: shape of one example: `(height, width, channels)` for images, `(2,)` for
            points of a plane.
        latent_dim: length of a latent.
        width: units of each hidden layer.
        depth: number of hidden layers.
        output_activation: of the last layer. `None` is tanh for images, which lie in [-1, 1], and
            linear for anything else.
        noise: standard deviation of the noise that each hidden layer adds to what it returns, in
            training only; 0 for none.
        name: of the model.

    Returns:
        A `keras.Model` from `(batch, latent_dim)` to `(batch, *image_shape)`.
    """
    shape = data_shape(image_shape)
    if output_activation is None:
        output_activation = "tanh" if len(shape) == 3 else "linear"
    x = inputs = keras.Input((checks.count("latent_dim", latent_dim),), name="latents")
    for _ in range(checks.count("depth", depth)):
        x = layers.Dense(checks.count("width", width), activation="relu")(x)
        x = InstanceNoise(noise)(x) if checks.weight("noise", noise) else x
    x = layers.Dense(math.prod(shape))(x)
    if len(shape) > 1:
        x = layers.Reshape(shape)(x)
    # Float32 whatever the policy: images are compared, saved and differentiated in it.
    outputs = layers.Activation(output_activation, dtype="float32", name="images")(x)
    return keras.Model(inputs, outputs, name=name)


def mlp_discriminator(
    image_shape: Sequence[int],
    width: int = 128,
    depth: int = 2,
    dropout: float = 0.0,
    minibatch_kernels: int = 0,
    name: str = "mlp_discriminator",
) -> keras.Model:
    """A discriminator of dense layers with LeakyReLU(0.2).

    Args:
        image_shape: shape of one example, as for `mlp_generator`.
        width: units of each hidden layer.
        depth: number of hidden layers.
        dropout: dropout rate after each hidden layer, in [0, 1).
            Goodfellow 2014, section 5, trained its discriminator so.
        minibatch_kernels: features of `layers.MinibatchDiscrimination` to put before the logit;
            0 for none.
        name: of the model.

    Returns:
        A `keras.Model` from `(batch, *image_shape)` to logits `(batch, 1)`.
    """
    x = inputs = keras.Input(data_shape(image_shape), name="images")
    checks.share("dropout", dropout)
    if len(inputs.shape) > 2:
        x = layers.Flatten()(x)
    for _ in range(checks.count("depth", depth)):
        x = layers.Dense(checks.count("width", width))(x)
        x = layers.LeakyReLU(0.2)(x)
        if dropout:
            x = layers.Dropout(dropout)(x)
    if checks.count("minibatch_kernels", minibatch_kernels, 0):
        x = MinibatchDiscrimination(minibatch_kernels)(x)
    return keras.Model(inputs, layers.Dense(1, dtype="float32", name="logits")(x), name=name)
