"""Networks that are told a class: `[latents, labels]` to images, `[images, labels]` to logits.

Labels are integers `(batch,)` from 0 to `num_classes - 1`.
"""

import math

import keras
from keras import layers, ops

from keras_gans import checks
from keras_gans.layers import ConditionalBatchNormalization, SpectralNormalization
from keras_gans.networks import dcgan, mlp


def _labels(num_classes):
    checks.count("num_classes", num_classes, 2)
    return keras.Input((), dtype="int32", name="labels")


def conditional_mlp_generator(
    image_shape,
    num_classes,
    latent_dim=128,
    embedding_dim=16,
    width=128,
    depth=2,
    output_activation=None,
    name="conditional_mlp_generator",
):
    """`mlp_generator` on latents and an embedded label, side by side (Mirza 2014, figure 1).

    >>> network = keras_gans.networks.conditional_mlp_generator((2,), num_classes=8)
    >>> [tuple(x.shape) for x in network.inputs], network.output_shape
    ([(None, 128), (None,)], (None, 2))

    Args:
        image_shape: shape of one example, as for `mlp_generator`.
        num_classes: how many classes there are.
        latent_dim: length of a latent.
        embedding_dim: length of the vector that a label becomes.
        width: units of each hidden layer.
        depth: number of hidden layers.
        output_activation: of the last layer, as for `mlp_generator`.
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
    image_shape,
    num_classes,
    embedding_dim=16,
    width=128,
    depth=2,
    dropout=0.0,
    name="conditional_mlp_discriminator",
):
    """`mlp_discriminator` on an example and an embedded label, side by side (Mirza 2014).

    Args:
        image_shape: shape of one example, as for `mlp_generator`.
        num_classes: how many classes there are.
        embedding_dim: length of the vector that a label becomes.
        width: units of each hidden layer.
        depth: number of hidden layers.
        dropout: as for `mlp_discriminator`.
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
    image_shape,
    num_classes,
    latent_dim=128,
    label_channels=16,
    width=64,
    max_width=512,
    depth=None,
    kernel_size=4,
    name="conditional_dcgan_generator",
):
    """`dcgan_generator` whose smallest feature map has an embedded label as extra channels.

    >>> network = keras_gans.networks.conditional_dcgan_generator((28, 28, 1), num_classes=10)
    >>> network.output_shape
    (None, 28, 28, 1)

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        num_classes: how many classes there are.
        latent_dim: length of a latent.
        label_channels: channels that a label becomes.
        width: filters of the last hidden layer; each layer before it has twice as many.
        max_width: the most filters a layer may have.
        depth: how many times the grid is halved or doubled; `None` for as often as its shorter
            side stays 4 or more.
        kernel_size: of the transposed convolutions, in pixels.
        name: of the model.

    Returns:
        A `keras.Model` from `[(batch, latent_dim), (batch,)]` to images `(batch, *image_shape)`,
        float32 in [-1, 1].
    """
    latents = keras.Input((checks.count("latent_dim", latent_dim),), name="latents")
    labels, grid = _labels(num_classes), dcgan.smallest_grid(image_shape, width, max_width, depth)
    x = dcgan.normalized(dcgan.dense_grid(latents, grid))
    x = layers.Concatenate()([x, _label_maps(labels, num_classes, grid[:2], label_channels)])
    images = dcgan.upsampled(x, image_shape, width, max_width, depth, kernel_size)
    return keras.Model([latents, labels], images, name=name)


def conditional_batch_norm_generator(
    image_shape,
    num_classes,
    latent_dim=128,
    width=64,
    max_width=512,
    depth=None,
    kernel_size=4,
    name="conditional_batch_norm_generator",
):
    """`dcgan_generator` with conditional batch normalisation (Miyato 2018, section 4).

    The label chooses each layer's gains and offsets, and enters nowhere else.

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        num_classes: how many classes there are.
        latent_dim: length of a latent.
        width: filters of the last hidden layer; each layer before it has twice as many.
        max_width: the most filters a layer may have.
        depth: how many times the grid is halved or doubled; `None` for as often as its shorter
            side stays 4 or more.
        kernel_size: of the transposed convolutions, in pixels.
        name: of the model.

    Returns:
        A `keras.Model` from `[(batch, latent_dim), (batch,)]` to images `(batch, *image_shape)`,
        float32 in [-1, 1].
    """
    latents = keras.Input((checks.count("latent_dim", latent_dim),), name="latents")
    labels = _labels(num_classes)

    def normalized(x):
        return layers.ReLU()(ConditionalBatchNormalization(num_classes)([x, labels]))

    x = normalized(
        dcgan.dense_grid(latents, dcgan.smallest_grid(image_shape, width, max_width, depth))
    )
    images = dcgan.upsampled(x, image_shape, width, max_width, depth, kernel_size, normalized)
    return keras.Model([latents, labels], images, name=name)


def conditional_dcgan_discriminator(
    image_shape,
    num_classes,
    label_channels=1,
    width=64,
    max_width=512,
    depth=None,
    kernel_size=4,
    batch_normalization=True,
    dropout=0.0,
    name="conditional_dcgan_discriminator",
):
    """`dcgan_discriminator` on an image with an embedded label as extra channels.

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        num_classes: how many classes there are.
        label_channels: channels that a label becomes, each as large as the image.
        width: filters of the first layer; each later one has twice as many.
        max_width: the most filters a layer may have.
        depth: how many times the grid is halved or doubled; `None` for as often as its shorter
            side stays 4 or more.
        kernel_size: of the convolutions, in pixels.
        batch_normalization: `False` for critics that must judge each image by itself.
        dropout: share of values dropped before the logit in training, in [0, 1).
        name: of the model.

    Returns:
        A `keras.Model` from `[(batch, *image_shape), (batch,)]` to logits `(batch, 1)`, float32.
    """
    shape = checks.image_shape(image_shape, minimum=16)
    images, labels = keras.Input(shape, name="images"), _labels(num_classes)
    maps = _label_maps(labels, num_classes, shape[:2], label_channels)
    x = layers.Concatenate()([images, maps])
    x = dcgan.downsampled(x, width, max_width, depth, kernel_size, batch_normalization)
    x = layers.Flatten()(x)
    if checks.share("dropout", dropout):
        x = layers.Dropout(dropout)(x)
    return keras.Model([images, labels], dcgan.logits(x), name=name)


def projection_discriminator(
    image_shape,
    num_classes,
    width=64,
    max_width=512,
    depth=None,
    kernel_size=4,
    spectral_normalization=True,
    name="projection_discriminator",
):
    """A discriminator told the class by an inner product (Miyato 2018, equation 3 and figure 1d).

    The logit is `v(y) . phi(x) + psi(phi(x))`: phi are convolutions summed over the grid, v(y) an
    embedding of the label, psi a dense layer. Spectral normalisation is on every layer, the
    embedding included, as in the paper; there is no batch normalisation.

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        num_classes: how many classes there are.
        width: filters of the first layer; each later one has twice as many.
        max_width: the most filters a layer may have.
        depth: how many times the grid is halved or doubled; `None` for as often as its shorter
            side stays 4 or more.
        kernel_size: of the convolutions, in pixels.
        spectral_normalization: `False` to leave the layers as they are, where a penalty holds the
            slope.
        name: of the model.

    Returns:
        A `keras.Model` from `[(batch, *image_shape), (batch,)]` to logits `(batch, 1)`, float32.
    """
    shape = checks.image_shape(image_shape, minimum=16)
    images, labels = keras.Input(shape, name="images"), _labels(num_classes)

    def wrap(layer):
        return SpectralNormalization(layer) if spectral_normalization else layer

    x = dcgan.downsampled(images, width, max_width, depth, kernel_size, False, wrap)
    phi = layers.Activation("linear", dtype="float32")(ops.sum(x, axis=(1, 2)))
    v = wrap(layers.Embedding(num_classes, phi.shape[-1], dtype="float32"))(labels)
    psi = wrap(layers.Dense(1, dtype="float32"))(phi)
    logits = layers.Add(dtype="float32", name="logits")(
        [psi, layers.Dot(axes=1, dtype="float32")([phi, v])]
    )
    return keras.Model([images, labels], logits, name=name)


def _label_maps(labels, num_classes, grid, channels):
    """A label as feature maps, learned pixel by pixel."""
    shape = (*grid, checks.count("label_channels", channels))
    return layers.Reshape(shape)(layers.Embedding(num_classes, math.prod(shape))(labels))
