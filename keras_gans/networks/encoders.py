"""Encoders: images to the latents of a generator, their codes."""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gans import checks
from keras_gans.interface import Array, Interface, Latents, Port, of, state
from keras_gans.networks import dcgan
from keras_gans.networks.mlp import data_shape
from keras_gans.typing import Tensor


def dcgan_encoder(
    image_shape: Sequence[int],
    latent_dim: int = 128,
    width: int = 64,
    max_width: int = 512,
    depth: int | None = None,
    kernel_size: int = 4,
    batch_normalization: bool = True,
    stochastic: bool = False,
    categorical: int = 0,
    name: str = "dcgan_encoder",
) -> keras.Model:
    """An encoder: the convolutions of `dcgan_discriminator`, down to a latent.

    >>> keras_gans.networks.dcgan_encoder((28, 28, 1), latent_dim=64).output_shape
    (None, 64)
    >>> keras_gans.networks.dcgan_encoder((28, 28, 1), 64, stochastic=True).output_shape
    [(None, 64), (None, 64)]
    >>> keras_gans.networks.dcgan_encoder((28, 28, 1), 64, categorical=10).output_shape
    [(None, 54), (None, 10)]

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        latent_dim: length of a latent.
        width, max_width, depth, kernel_size, batch_normalization: see `dcgan_discriminator`.
        stochastic: whether a code is drawn from a normal, so that there are two outputs: its mean
            and the logarithm of its variance.
        categorical: number of classes of a categorical code, the last coordinates of a latent; the
            encoder then returns their logits as a second output. 0 for none.
        name: of the model.

    Returns:
        A `keras.Model` from images `(batch, *image_shape)` in [-1, 1] to latents
        `(batch, latent_dim)`, float32, of any length; stochastic to `[means, log_variances]`, both
        `(batch, latent_dim)`; with a categorical code to `[latents (batch, latent_dim -
        categorical), class logits (batch, categorical)]`.

    Raises:
        ValueError: for a shape or a number that cannot be built.
    """
    backbone = dcgan.Backbone(image_shape, width, max_width, depth, kernel_size)
    images = backbone.images()
    x = backbone.features(images, batch_normalization)
    return _encoder(images, x, latent_dim, stochastic, categorical, name)


def mlp_encoder(
    image_shape: Sequence[int],
    latent_dim: int = 128,
    width: int = 128,
    depth: int = 2,
    stochastic: bool = False,
    categorical: int = 0,
    name: str = "mlp_encoder",
) -> keras.Model:
    """An encoder of dense layers with LeakyReLU(0.2).

    >>> keras_gans.networks.mlp_encoder((2,), latent_dim=8).output_shape
    (None, 8)

    Args:
        image_shape: shape of one example: `(height, width, channels)` for images, `(2,)` for
            points of a plane.
        latent_dim: length of a latent.
        width: units of each hidden layer.
        depth: number of hidden layers.
        stochastic, categorical: see `dcgan_encoder`.
        name: of the model.

    Returns:
        A `keras.Model` as of `dcgan_encoder`.

    Raises:
        ValueError: for a number that cannot be built.
    """
    x = images = keras.Input(data_shape(image_shape), name="images")
    if len(images.shape) > 2:
        x = layers.Flatten()(x)
    for _ in range(checks.count("depth", depth)):
        x = layers.LeakyReLU(0.2)(layers.Dense(checks.count("width", width))(x))
    return _encoder(images, x, latent_dim, stochastic, categorical, name)


def _encoder(
    images: Tensor, x: Tensor, latent_dim: int, stochastic: bool, categorical: int, name: str
) -> keras.Model:
    """Returns an encoder with its heads on features `x`, which says what they mean."""
    heads = outputs(latent_dim, stochastic, categorical)
    made = [layers.Dense(p.shape[0], dtype="float32", name=p.name)(x) for p in heads]
    network = keras.Model(images, made if len(made) > 1 else made[0], name=name)
    return state(network, Interface(of(network).inputs, heads))


def outputs(latent_dim: int, stochastic: bool = False, categorical: int = 0) -> list[Port]:
    """Returns what an encoder of these arguments makes.

    >>> [port.name for port in outputs(8, stochastic=True)]
    ['means', 'log_variances']

    Raises:
        ValueError: for a latent without room for the categorical code, or one that is drawn.
    """
    size = checks.count("latent_dim", latent_dim)
    if checks.count("categorical", categorical, 0) == 1 or categorical >= size:
        raise ValueError(
            "A categorical code has at least 2 classes, and a latent holds at least one coordinate "
            f"beside it. Received: latent_dim={latent_dim}, categorical={categorical}"
        )
    if stochastic and categorical:
        raise ValueError(
            "An encoder returns the normal of a code, or its classes. Expected `stochastic` or "
            f"`categorical`. Received: stochastic={stochastic}, categorical={categorical}"
        )
    if stochastic:
        return [Latents(size, name="means"), Array((size,), "log_variances")]
    classes = [Array((categorical,), "class_logits")] if categorical else []
    return [Latents(size - categorical), *classes]
