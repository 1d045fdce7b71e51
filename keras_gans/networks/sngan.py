"""The residual pairs of SNGAN (Miyato 2018, arXiv:1802.05957) and SAGAN (Zhang 2018).

Both are made for `loss="hinge"` and Adam with beta_1 = 0. Miyato takes a rate of 2e-4 for both
sides and 5 steps of the discriminator (section 4, setting C); Zhang one step, with rates of 1e-4
for the generator and 4e-4 for the discriminator (section 3).
"""

import math
from collections.abc import Sequence

import keras
from keras import layers, ops

from keras_gans import checks
from keras_gans.layers import (
    ConditionalBatchNormalization,
    SelfAttention2D,
    SpectralNormalization,
)
from keras_gans.networks import dcgan
from keras_gans.networks.augmented import augmented
from keras_gans.networks.conditional import condition_inputs, conditional_network
from keras_gans.typing import Augment, Classes


def sngan_generator(
    image_shape: Sequence[int],
    num_classes: Classes | None = None,
    latent_dim: int = 128,
    width: int = 256,
    max_width: int | None = None,
    depth: int | None = None,
    attention: int | None = None,
    spectral_normalization: bool = False,
    name: str = "sngan_generator",
) -> keras.Model:
    """The residual generator of SNGAN (Miyato 2018, appendix B.4).

    A dense layer to the smallest map, a residual block with upsampling for each doubling of the
    size, batch normalisation, and a convolution. With classes the batch normalisations are
    conditional (Miyato 2018, "cGANs with Projection Discriminator"). The defaults are those for
    CIFAR-10; `width=64, max_width=1024` those for ImageNet at 128x128.

    >>> network = keras_gans.networks.sngan_generator((32, 32, 3))
    >>> network.output_shape, sum(int(np.prod(w.shape)) for w in network.trainable_weights)
    ((None, 32, 32, 3), 4276739)

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        num_classes: number of classes; or a mapping of names of conditions to their numbers.
            `None` for a network without labels.
        latent_dim: length of a latent.
        width: channels at the image's size; each smaller size has twice as many.
        max_width: the most channels a size may have; `None` for `width`, everywhere.
        depth: number of doublings; `None` for as many as start from a shorter side of 4 to 7.
        attention: size of the map, its shorter side, that gets `layers.SelfAttention2D`; `None`
            for none.
        spectral_normalization: whether the layers have it, as in SAGAN.
        name: of the model.

    Returns:
        A `keras.Model` from `(batch, latent_dim)`, or that and labels `(batch,)`, to images
        `(batch, *image_shape)`, float32 in [-1, 1].

    Raises:
        ValueError: for a shape or a number that cannot be built, or an attention at a size that
            there is not.
    """
    grids, widths = _plan(image_shape, width, max_width, depth)
    _require_size(attention, grids[:-1])
    wrap = _wrapper(spectral_normalization)
    latents = keras.Input((checks.count("latent_dim", latent_dim),), name="latents")
    conditions = [] if num_classes is None else condition_inputs(num_classes)

    def normalized(x):
        for labels, count in conditions:
            x = ConditionalBatchNormalization(count)([x, labels])
        return layers.ReLU()(x) if conditions else dcgan.normalized(x)

    smallest = (*grids[-1], widths[-1])
    x = layers.Reshape(smallest)(wrap(layers.Dense(math.prod(smallest)))(latents))
    for level in reversed(range(len(grids) - 1)):
        x = _drawn(x, grids[level], widths[level], normalized, wrap)
        if min(grids[level]) == attention:
            x = SelfAttention2D(spectral_normalization=spectral_normalization)(x)
    x = wrap(_convolution(image_shape[2], 3))(dcgan.normalized(x))
    images = layers.Activation("tanh", dtype="float32", name="images")(x)
    return conditional_network(latents, conditions, images, name, num_classes)


def sngan_discriminator(
    image_shape: Sequence[int],
    num_classes: Classes | None = None,
    width: int = 128,
    max_width: int | None = None,
    depth: int | None = 2,
    flat_blocks: int = 2,
    attention: int | None = None,
    augment: Augment = (),
    name: str = "sngan_discriminator",
) -> keras.Model:
    """The residual discriminator of SNGAN: spectral normalisation on every layer.

    Residual blocks that halve the size, `flat_blocks` that do not, a sum over the map, and a dense
    layer; with classes also the projection of Miyato 2018, equation 3. The defaults are those for
    CIFAR-10; `width=64, max_width=1024, depth=5, flat_blocks=1` those for ImageNet at 128x128.

    >>> network = keras_gans.networks.sngan_discriminator((32, 32, 3))
    >>> sum(int(np.prod(w.shape)) for w in network.trainable_weights)
    1053825

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        num_classes: number of classes; or a mapping of names of conditions to their numbers.
            `None` for a network without labels.
        width: channels of the first block; each further halving has twice as many.
        max_width: the most channels a block may have; `None` for `width`, everywhere.
        depth: number of halvings; `None` for as many as leave the shorter side at 4 or more.
        flat_blocks: number of blocks after them.
        attention: size of the map, its shorter side, that gets `layers.SelfAttention2D`; `None`
            for none.
        augment: for few images, as of `dcgan_discriminator`.
        name: of the model.

    Returns:
        A `keras.Model` from images `(batch, *image_shape)`, or these and labels `(batch,)`, to
        logits `(batch, 1)`, float32.

    Raises:
        ValueError: for a shape or a number that cannot be built, or an attention at a size that
            there is not.
    """
    grids, widths = _plan(image_shape, width, max_width, depth)
    _require_size(attention, grids[1:])
    images = keras.Input(image_shape, name="images")
    conditions = [] if num_classes is None else condition_inputs(num_classes)
    x = augmented(images, augment)
    for level, channels in enumerate(widths[:-1]):
        x = _judged(x, channels, halved=True, first=level == 0)
        if min(grids[level + 1]) == attention:
            x = SelfAttention2D()(x)
    for _ in range(checks.count("flat_blocks", flat_blocks, 0)):
        x = _judged(x, x.shape[-1], halved=False)
    x = layers.ReLU()(x)
    phi = layers.Activation("linear", dtype="float32")(ops.sum(x, axis=(1, 2)))
    logits = [SpectralNormalization(layers.Dense(1, dtype="float32"))(phi)]
    for labels, count in conditions:
        embedding = layers.Embedding(count, phi.shape[-1], dtype="float32")
        rows = SpectralNormalization(embedding)(labels)
        logits.append(layers.Dot(axes=1, dtype="float32")([phi, rows]))
    output = layers.Add(dtype="float32")(logits) if len(logits) > 1 else logits[0]
    output = layers.Identity(dtype="float32", name="logits")(output)
    return conditional_network(images, conditions, output, name, num_classes)


def sagan_generator(
    image_shape: Sequence[int],
    num_classes: Classes | None = None,
    latent_dim: int = 128,
    width: int = 64,
    max_width: int = 1024,
    attention: int = 32,
    name: str = "sagan_generator",
) -> keras.Model:
    """The generator of SAGAN: `sngan_generator` with attention, and spectral normalisation.

    The defaults are those of the paper, for ImageNet at 128x128 (`num_classes=1000`).

    Args:
        image_shape, num_classes, latent_dim, width, max_width: see `sngan_generator`.
        attention: size of the map that gets `layers.SelfAttention2D`; the paper's best are 32 and
            64 (table 1).
        name: of the model.

    Returns:
        As `sngan_generator`.

    Raises:
        ValueError: as `sngan_generator`.
    """
    return sngan_generator(
        image_shape,
        num_classes,
        latent_dim,
        width,
        max_width,
        attention=attention,
        spectral_normalization=True,
        name=name,
    )


def sagan_discriminator(
    image_shape: Sequence[int],
    num_classes: Classes | None = None,
    width: int = 64,
    max_width: int = 1024,
    attention: int = 32,
    augment: Augment = (),
    name: str = "sagan_discriminator",
) -> keras.Model:
    """The discriminator of SAGAN: `sngan_discriminator` down to a map of 4x4, with attention.

    Args:
        image_shape, num_classes, width, max_width, augment: see `sngan_discriminator`.
        attention: size of the map that gets `layers.SelfAttention2D`.
        name: of the model.

    Returns:
        As `sngan_discriminator`.

    Raises:
        ValueError: as `sngan_discriminator`.
    """
    return sngan_discriminator(
        image_shape,
        num_classes,
        width,
        max_width,
        depth=None,
        flat_blocks=1,
        attention=attention,
        augment=augment,
        name=name,
    )


def _plan(image_shape, width, max_width, depth):
    return dcgan.plan(image_shape, width, width if max_width is None else max_width, depth)


def _require_size(attention, grids):
    sizes = [min(grid) for grid in grids]
    if attention is not None and attention not in sizes:
        raise ValueError(
            f"There is no map of that size to attend over. Expected one of {sizes}, or "
            f"`attention=None`. Received: attention={attention!r}"
        )


def _wrapper(spectral_normalization):
    return SpectralNormalization if spectral_normalization else lambda layer: layer


def _convolution(channels, kernel_size):
    """A convolution whose weights start as the authors' program draws them."""
    scale = 2.0 if kernel_size > 1 else 1.0  # of Glorot's variance: a ReLU follows the larger ones
    initializer = keras.initializers.VarianceScaling(scale, "fan_avg", "uniform")
    return layers.Conv2D(channels, kernel_size, padding="same", kernel_initializer=initializer)


def _drawn(x, grid, channels, normalized, wrap):
    """Returns what a residual block of the generator makes of a map: a larger one."""

    def doubled(x):
        return dcgan.cropped(layers.UpSampling2D(2)(x), grid)

    y = wrap(_convolution(channels, 3))(doubled(normalized(x)))
    y = wrap(_convolution(channels, 3))(normalized(y))
    return layers.Add()([y, wrap(_convolution(channels, 1))(doubled(x))])


def _judged(x, channels, halved, first=False):
    """Returns what a residual block of the discriminator makes of a map.

    The first takes images, which no ReLU may cut, and pools before its shortcut's convolution.
    """

    def pooled(x):
        return layers.AveragePooling2D(2, padding="same")(x) if halved else x

    def shortcut(x):
        same = not halved and x.shape[-1] == channels
        return x if same else SpectralNormalization(_convolution(channels, 1))(x)

    inner = channels if first else x.shape[-1]
    y = SpectralNormalization(_convolution(inner, 3))(x if first else layers.ReLU()(x))
    y = pooled(SpectralNormalization(_convolution(channels, 3))(layers.ReLU()(y)))
    return layers.Add()([y, shortcut(pooled(x)) if first else pooled(shortcut(x))])
