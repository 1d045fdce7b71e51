"""Class-conditional networks: `[latents, labels]` to images, `[images, labels]` to logits.

Labels are integers `(batch,)` from 0 to `num_classes - 1`. Of several named conditions, as
`num_classes={"hair": 5, "glasses": 4}`, each is an input of its own, in that order and under that
name: `[latents, hair, glasses]` to images.
"""

import math
from collections.abc import Mapping, Sequence

import keras
from keras import layers, ops

from keras_gans import checks, interface
from keras_gans.interface import Interface, Label
from keras_gans.layers import ConditionalBatchNormalization, SpectralNormalization
from keras_gans.networks import dcgan, mlp
from keras_gans.networks.augmented import augmented
from keras_gans.typing import Augment, Classes

# What `generate` takes beside conditions, by name.
_TAKEN = "latents images num_images seed seeds truncation batch_size scale output best shard"
_TAKEN += " categorical continuous"


def condition_inputs(num_classes: Classes) -> list[tuple[keras.KerasTensor, int]]:
    """Returns an input for each condition, with its number of classes.

    Raises:
        ValueError: for no condition, or one of a wrong name or number.
    """
    if not isinstance(num_classes, Mapping):
        num_classes = {"labels": checks.count("num_classes", num_classes, 2)}
    for name, count in num_classes.items():
        if not isinstance(name, str) or not name.isidentifier() or name in _TAKEN.split():
            raise ValueError(
                "The name of a condition must be an identifier, such as 'hair', and none that "
                f"`generate` has for something else. Received: {name!r} in "
                f"num_classes={dict(num_classes)}"
            )
        checks.count(f"num_classes ({name})", count, 2)
    if not num_classes:
        raise ValueError(
            "A conditional network needs a condition: `num_classes=10`, or a mapping such as "
            "`num_classes={'hair': 5, 'glasses': 4}`. Received: num_classes={}"
        )
    return [(keras.Input((), dtype="int32", name=n), count) for n, count in num_classes.items()]


def conditional_network(
    first: keras.KerasTensor,
    conditions: Sequence[tuple[keras.KerasTensor, int]],
    output: keras.KerasTensor,
    name: str,
    num_classes: Classes | None,
) -> keras.Model:
    """Returns a network whose interface says the names of its conditions.

    Args:
        first: the input before the conditions: latents or images.
        conditions: as of `condition_inputs`; empty for none.
        output: of the network.
        name: of the network.
        num_classes: as its function was given.
    """
    inputs = [first, *(labels for labels, _ in conditions)] if conditions else first
    network = keras.Model(inputs, output, name=name)
    if not isinstance(num_classes, Mapping):
        return network  # as its shapes say
    found = interface.of(network, scores=first.name == "images")
    ports = [Label(count, name=condition) for condition, count in num_classes.items()]
    return interface.state(network, Interface([found.inputs[0], *ports], found.outputs))


def _label_maps(conditions, grid, channels):
    """Each label as feature maps, learned pixel by pixel."""
    shape = (*grid, checks.count("label_channels", channels))
    return [
        layers.Reshape(shape)(layers.Embedding(count, math.prod(shape))(labels))
        for labels, count in conditions
    ]


def _embedded(conditions, size):
    """Each label as a vector."""
    size = checks.count("embedding_dim", size)
    return [layers.Embedding(count, size)(labels) for labels, count in conditions]


def conditional_mlp_generator(
    image_shape: Sequence[int],
    num_classes: Classes,
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
        num_classes: number of classes; or a mapping of names of conditions to their numbers.
        latent_dim: length of a latent.
        embedding_dim: length of a label's embedding.
        width, depth, output_activation: see `mlp_generator`.
        name: of the model.

    Returns:
        A `keras.Model` from `[(batch, latent_dim), (batch,)]` to `(batch, *image_shape)`.
    """
    latents, conditions = keras.Input((latent_dim,), name="latents"), condition_inputs(num_classes)
    embedded = _embedded(conditions, embedding_dim)
    size = latent_dim + embedding_dim * len(embedded)
    inner = mlp.mlp_generator(image_shape, size, width, depth, output_activation)
    images = inner(layers.Concatenate()([latents, *embedded]))
    return conditional_network(latents, conditions, images, name, num_classes)


def conditional_mlp_discriminator(
    image_shape: Sequence[int],
    num_classes: Classes,
    embedding_dim: int = 16,
    width: int = 128,
    depth: int = 2,
    dropout: float = 0.0,
    name: str = "conditional_mlp_discriminator",
) -> keras.Model:
    """`mlp_discriminator` on an example concatenated with an embedded label (Mirza 2014).

    Args:
        image_shape: shape of one example, as for `mlp_generator`.
        num_classes: number of classes; or a mapping of names of conditions to their numbers.
        embedding_dim: length of a label's embedding.
        width, depth, dropout: see `mlp_discriminator`.
        name: of the model.

    Returns:
        A `keras.Model` from `[(batch, *image_shape), (batch,)]` to logits `(batch, 1)`.
    """
    shape = mlp.data_shape(image_shape)
    images, conditions = keras.Input(shape, name="images"), condition_inputs(num_classes)
    embedded = _embedded(conditions, embedding_dim)
    size = math.prod(shape) + embedding_dim * len(embedded)
    inner = mlp.mlp_discriminator((size,), width, depth, dropout)
    logits = inner(layers.Concatenate()([layers.Flatten()(images), *embedded]))
    return conditional_network(images, conditions, logits, name, num_classes)


def conditional_dcgan_generator(
    image_shape: Sequence[int],
    num_classes: Classes,
    latent_dim: int = 128,
    label_channels: int = 16,
    width: int = 64,
    max_width: int = 512,
    depth: int | None = None,
    kernel_size: int = 4,
    upsampling: str = "transposed",
    name: str = "conditional_dcgan_generator",
) -> keras.Model:
    """`dcgan_generator` whose smallest feature map has an embedded label as extra channels.

    >>> network = keras_gans.networks.conditional_dcgan_generator((28, 28, 1), num_classes=10)
    >>> network.output_shape
    (None, 28, 28, 1)

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        num_classes: number of classes; or a mapping of names of conditions to their numbers.
        latent_dim: length of a latent.
        label_channels: channels of a label's embedding.
        width, max_width, depth, kernel_size, upsampling: see `dcgan_generator`.
        name: of the model.

    Returns:
        A `keras.Model` from `[(batch, latent_dim), (batch,)]` to images `(batch, *image_shape)`,
        float32 in [-1, 1].
    """
    backbone = dcgan.Backbone(image_shape, width, max_width, depth, kernel_size)
    latents = keras.Input((checks.count("latent_dim", latent_dim),), name="latents")
    conditions = condition_inputs(num_classes)
    x = dcgan.normalized(backbone.dense(latents))
    maps = _label_maps(conditions, backbone.grids[-1], label_channels)
    images = backbone.upsampled(layers.Concatenate()([x, *maps]), upsampling=upsampling)
    return conditional_network(latents, conditions, images, name, num_classes)


def conditional_batch_norm_generator(
    image_shape: Sequence[int],
    num_classes: Classes,
    latent_dim: int = 128,
    width: int = 64,
    max_width: int = 512,
    depth: int | None = None,
    kernel_size: int = 4,
    upsampling: str = "transposed",
    name: str = "conditional_batch_norm_generator",
) -> keras.Model:
    """`dcgan_generator` with conditional batch normalisation (Miyato 2018, section 4).

    The label selects the gamma and the beta of each layer, and enters nowhere else. Several
    conditions do so one after the other, each in a layer of its own.

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        num_classes: number of classes; or a mapping of names of conditions to their numbers.
        latent_dim: length of a latent.
        width, max_width, depth, kernel_size, upsampling: see `dcgan_generator`.
        name: of the model.

    Returns:
        A `keras.Model` from `[(batch, latent_dim), (batch,)]` to images `(batch, *image_shape)`,
        float32 in [-1, 1].
    """
    backbone = dcgan.Backbone(image_shape, width, max_width, depth, kernel_size)
    latents = keras.Input((checks.count("latent_dim", latent_dim),), name="latents")
    conditions = condition_inputs(num_classes)

    def normalized(x):
        for labels, count in conditions:
            x = ConditionalBatchNormalization(count)([x, labels])
        return layers.ReLU()(x)

    images = backbone.upsampled(
        normalized(backbone.dense(latents)), normalized, upsampling=upsampling
    )
    return conditional_network(latents, conditions, images, name, num_classes)


def conditional_dcgan_discriminator(
    image_shape: Sequence[int],
    num_classes: Classes,
    label_channels: int = 1,
    width: int = 64,
    max_width: int = 512,
    depth: int | None = None,
    kernel_size: int = 4,
    batch_normalization: bool = True,
    dropout: float = 0.0,
    augment: Augment = (),
    name: str = "conditional_dcgan_discriminator",
) -> keras.Model:
    """`dcgan_discriminator` on an image with an embedded label as extra channels.

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        num_classes: number of classes; or a mapping of names of conditions to their numbers.
        label_channels: channels of a label's embedding, each as large as the image.
        width, max_width, depth, kernel_size, batch_normalization, dropout, augment: see
            `dcgan_discriminator`.
        name: of the model.

    Returns:
        A `keras.Model` from `[(batch, *image_shape), (batch,)]` to logits `(batch, 1)`, float32.
    """
    backbone = dcgan.Backbone(image_shape, width, max_width, depth, kernel_size)
    images, conditions = backbone.images(), condition_inputs(num_classes)
    maps = _label_maps(conditions, backbone.grids[0], label_channels)
    x = layers.Concatenate()([augmented(images, augment), *maps])
    x = backbone.features(x, batch_normalization, dropout)
    return conditional_network(images, conditions, dcgan.logits(x), name, num_classes)


def projection_discriminator(
    image_shape: Sequence[int],
    num_classes: Classes,
    width: int = 64,
    max_width: int = 512,
    depth: int | None = None,
    kernel_size: int = 4,
    spectral_normalization: bool = True,
    augment: Augment = (),
    name: str = "projection_discriminator",
) -> keras.Model:
    """A discriminator conditional by an inner product (Miyato 2018, equation 3 and figure 1d).

    The logit is `v(y) . phi(x) + psi(phi(x))`: phi are convolutions summed over the grid, v(y) an
    embedding of the label, psi a dense layer. Each of several conditions has an embedding and a
    product, and the logit is the sum of all. Spectral normalisation is on every layer, the
    embedding included, as in the paper; there is no batch normalisation.

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        num_classes: number of classes; or a mapping of names of conditions to their numbers.
        width, max_width, depth, kernel_size: see `dcgan_discriminator`.
        spectral_normalization: `False` for layers without it, where a gradient penalty bounds the
            slope.
        augment: see `dcgan_discriminator`.
        name: of the model.

    Returns:
        A `keras.Model` from `[(batch, *image_shape), (batch,)]` to logits `(batch, 1)`, float32.
    """
    backbone = dcgan.Backbone(image_shape, width, max_width, depth, kernel_size)
    images, conditions = backbone.images(), condition_inputs(num_classes)

    def wrap(layer):
        return SpectralNormalization(layer) if spectral_normalization else layer

    x = augmented(images, augment)
    x = backbone.downsampled(x, False, wrap)
    phi = layers.Activation("linear", dtype="float32")(ops.sum(x, axis=(1, 2)))
    embedded = [
        wrap(layers.Embedding(count, phi.shape[-1], dtype="float32"))(labels)
        for labels, count in conditions
    ]
    psi = wrap(layers.Dense(1, dtype="float32"))(phi)
    products = [layers.Dot(axes=1, dtype="float32")([phi, v]) for v in embedded]
    logits = layers.Add(dtype="float32", name="logits")([psi, *products])
    return conditional_network(images, conditions, logits, name, num_classes)
