"""A discriminator of pairs: an image, and a latent."""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gans import checks
from keras_gans.networks import dcgan


def joint_discriminator(
    image_shape: Sequence[int],
    latent_dim: int = 128,
    width: int = 64,
    max_width: int = 512,
    depth: int | None = None,
    kernel_size: int = 4,
    units: int = 512,
    batch_normalization: bool = True,
    dropout: float = 0.0,
    name: str = "joint_discriminator",
) -> keras.Model:
    """Tells pairs of an image and a latent apart (Donahue 2016, Dumoulin 2016).

    The image passes the convolutions of `dcgan_discriminator`, the latent two dense layers, and
    what comes of both, in a row, two more: only together do they say whether they belong to each
    other (Dumoulin 2016, section 2.6 and its tables of networks).

    >>> keras_gans.networks.joint_discriminator((28, 28, 1), latent_dim=32).input_shape
    [(None, 28, 28, 1), (None, 32)]

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        latent_dim: length of a latent.
        width, max_width, depth, kernel_size, batch_normalization: see `dcgan_discriminator`.
        units: of each dense layer.
        dropout: dropout rate before each dense layer of both, in [0, 1).
        name: of the model.

    Returns:
        A `keras.Model` from `[images (batch, *image_shape), latents (batch, latent_dim)]` to logits
        `(batch, 1)`, float32.

    Raises:
        ValueError: for a shape or a number that cannot be built.
    """
    backbone = dcgan.Backbone(image_shape, width, max_width, depth, kernel_size)
    checks.share("dropout", dropout)
    checks.count("units", units)
    images = backbone.images()
    x = latents = keras.Input((checks.count("latent_dim", latent_dim),), name="latents")
    for _ in range(2):
        x = layers.LeakyReLU(0.2)(layers.Dense(units)(x))
    x = layers.Concatenate()([backbone.features(images, batch_normalization), x])
    for _ in range(2):
        x = layers.Dropout(dropout)(x) if dropout else x
        x = layers.LeakyReLU(0.2)(layers.Dense(units)(x))
    return keras.Model([images, latents], dcgan.logits(x), name=name)
