"""Class-conditional networks: `[latents, labels]` to images, `[images, labels]` to logits.

Labels are integers `(batch,)` from 0 to `num_classes - 1`.
"""

import math
from collections.abc import Sequence

import keras
from keras import layers, ops

from keras_gans import checks
from keras_gans.layers import ConditionalBatchNormalization, SpectralNormalization
from keras_gans.networks import dcgan, mlp


def _labels(num_classes):
    checks.count("num_classes", num_classes, 2)
    return keras.Input((), dtype="int32", name="labels")


def _label_maps(labels, num_classes, grid, channels):
    """A label as feature maps, learned pixel by pixel."""
    shape = (*grid, checks.count("label_channels", channels))
    return layers.Reshape(shape)(layers.Embedding(num_classes, math.prod(shape))(labels))


def conditional_mlp_generator(
    image_shape: Sequence[int],
    num_classes: int,
    latent_dim: int = 128,
    embedding_dim: int = 16,
    width: int = 128,
    depth: int = 2,
    output_activation: str | None = None,
    name: str = "conditional_mlp_generator",
) -> keras.Model:
    """`mlp_generator` on latents concatenated with an embedded label (Mirza 2014, figure 1).

    >>> network = keras_gans.networks.conditional_mlp_generator((2,), num_classes=8)
    >>> [tuple(x.shape) for x in network.inputs], network.output_shape
    ([(None, 128), (None,)], (None, 2))

    Args:
        image_shape: shape of one example, as for `mlp_generator`.
        num_classes: number of classes.
        latent_dim: length of a latent.
        embedding_dim: length of a label's embedding.
        width, depth, output_activation: see `mlp_generator`.
        name: of the model.

    Returns:
        A `keras.Model` from `[(batch, latent_dim), (batch,)]` to `(batch, *image_shape)`.
    """
    latents, labels = keras.Input((latent_dim,), name="latents"), _labels(num_classes)
    embedded = layers.Embedding(num_classes, checks.count("embedding_dim", embedding_dim))(labels)
    inner = mlp.mlp_generator(
        image_shape, latent_dim + embedding_dim, width, depth, output_activation
    )
    images = inner(layers.Concatenate()([latents, embedded]))
    return keras.Model([latents, labels], images, name=name)


def conditional_mlp_discriminator(
    image_shape: Sequence[int],
    num_classes: int,
    embedding_dim: int = 16,
    width: int = 128,
    depth: int = 2,
    dropout: float = 0.0,
    name: str = "conditional_mlp_discriminator",
) -> keras.Model:
    """`mlp_discriminator` on an example concatenated with an embedded label (Mirza 2014).

    Args:
        image_shape: shape of one example, as for `mlp_generator`.
        num_classes: number of classes.
        embedding_dim: length of a label's embedding.
        width, depth, dropout: see `mlp_discriminator`.
        name: of the model.

    Returns:
        A `keras.Model` from `[(batch, *image_shape), (batch,)]` to logits `(batch, 1)`.
    """
    shape = mlp.data_shape(image_shape)
    images, labels = keras.Input(shape, name="images"), _labels(num_classes)
    embedded = layers.Embedding(num_classes, checks.count("embedding_dim", embedding_dim))(labels)
    inner = mlp.mlp_discriminator((math.prod(shape) + embedding_dim,), width, depth, dropout)
    logits = inner(layers.Concatenate()([layers.Flatten()(images), embedded]))
    return keras.Model([images, labels], logits, name=name)


def conditional_dcgan_generator(
    image_shape: Sequence[int],
    num_classes: int,
    latent_dim: int = 128,
    label_channels: int = 16,
    width: int = 64,
    max_width: int = 512,
    depth: int | None = None,
    kernel_size: int = 4,
    name: str = "conditional_dcgan_generator",
) -> keras.Model:
    """`dcgan_generator` whose smallest feature map has an embedded label as extra channels.

    >>> network = keras_gans.networks.conditional_dcgan_generator((28, 28, 1), num_classes=10)
    >>> network.output_shape
    (None, 28, 28, 1)

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        num_classes: number of classes.
        latent_dim: length of a latent.
        label_channels: channels of a label's embedding.
        width, max_width, depth, kernel_size: see `dcgan_generator`.
        name: of the model.

    Returns:
        A `keras.Model` from `[(batch, latent_dim), (batch,)]` to images `(batch, *image_shape)`,
        float32 in [-1, 1].
    """
    backbone = dcgan.Backbone(image_shape, width, max_width, depth, kernel_size)
    latents = keras.Input((checks.count("latent_dim", latent_dim),), name="latents")
    labels = _labels(num_classes)
    x = dcgan.normalized(backbone.dense(latents))
    maps = _label_maps(labels, num_classes, backbone.grids[-1], label_channels)
    images = backbone.upsampled(layers.Concatenate()([x, maps]))
    return keras.Model([latents, labels], images, name=name)


def conditional_batch_norm_generator(
    image_shape: Sequence[int],
    num_classes: int,
    latent_dim: int = 128,
    width: int = 64,
    max_width: int = 512,
    depth: int | None = None,
    kernel_size: int = 4,
    name: str = "conditional_batch_norm_generator",
) -> keras.Model:
    """`dcgan_generator` with conditional batch normalisation (Miyato 2018, section 4).

    The label selects the gamma and the beta of each layer, and enters nowhere else.

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        num_classes: number of classes.
        latent_dim: length of a latent.
        width, max_width, depth, kernel_size: see `dcgan_generator`.
        name: of the model.

    Returns:
        A `keras.Model` from `[(batch, latent_dim), (batch,)]` to images `(batch, *image_shape)`,
        float32 in [-1, 1].
    """
    backbone = dcgan.Backbone(image_shape, width, max_width, depth, kernel_size)
    latents = keras.Input((checks.count("latent_dim", latent_dim),), name="latents")
    labels = _labels(num_classes)

    def normalized(x):
        return layers.ReLU()(ConditionalBatchNormalization(num_classes)([x, labels]))

    images = backbone.upsampled(normalized(backbone.dense(latents)), normalized)
    return keras.Model([latents, labels], images, name=name)


def conditional_dcgan_discriminator(
    image_shape: Sequence[int],
    num_classes: int,
    label_channels: int = 1,
    width: int = 64,
    max_width: int = 512,
    depth: int | None = None,
    kernel_size: int = 4,
    batch_normalization: bool = True,
    dropout: float = 0.0,
    name: str = "conditional_dcgan_discriminator",
) -> keras.Model:
    """`dcgan_discriminator` on an image with an embedded label as extra channels.

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        num_classes: number of classes.
        label_channels: channels of a label's embedding, each as large as the image.
        width, max_width, depth, kernel_size, batch_normalization, dropout: see
            `dcgan_discriminator`.
        name: of the model.

    Returns:
        A `keras.Model` from `[(batch, *image_shape), (batch,)]` to logits `(batch, 1)`, float32.
    """
    backbone = dcgan.Backbone(image_shape, width, max_width, depth, kernel_size)
    images, labels = backbone.images(), _labels(num_classes)
    maps = _label_maps(labels, num_classes, backbone.grids[0], label_channels)
    x = layers.Concatenate()([images, maps])
    x = backbone.features(x, batch_normalization, dropout)
    return keras.Model([images, labels], dcgan.logits(x), name=name)


def projection_discriminator(
    image_shape: Sequence[int],
    num_classes: int,
    width: int = 64,
    max_width: int = 512,
    depth: int | None = None,
    kernel_size: int = 4,
    spectral_normalization: bool = True,
    name: str = "projection_discriminator",
) -> keras.Model:
    """A discriminator conditional by an inner product (Miyato 2018, equation 3 and figure 1d).

    The logit is `v(y) . phi(x) + psi(phi(x))`: phi are convolutions summed over the grid, v(y) an
    embedding of the label, psi a dense layer. Spectral normalisation is on every layer, the
    embedding included, as in the paper; there is no batch normalisation.

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        num_classes: number of classes.
        width, max_width, depth, kernel_size: see `dcgan_discriminator`.
        spectral_normalization: `False` for layers without it, where a gradient penalty bounds the
            slope.
        name: of the model.

    Returns:
        A `keras.Model` from `[(batch, *image_shape), (batch,)]` to logits `(batch, 1)`, float32.
    """
    backbone = dcgan.Backbone(image_shape, width, max_width, depth, kernel_size)
    images, labels = backbone.images(), _labels(num_classes)

    def wrap(layer):
        return SpectralNormalization(layer) if spectral_normalization else layer

    x = backbone.downsampled(images, False, wrap)
    phi = layers.Activation("linear", dtype="float32")(ops.sum(x, axis=(1, 2)))
    v = wrap(layers.Embedding(num_classes, phi.shape[-1], dtype="float32"))(labels)
    psi = wrap(layers.Dense(1, dtype="float32"))(phi)
    logits = layers.Add(dtype="float32", name="logits")(
        [psi, layers.Dot(axes=1, dtype="float32")([phi, v])]
    )
    return keras.Model([images, labels], logits, name=name)
