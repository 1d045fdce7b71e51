"""The pair of R3GAN, Huang et al. 2024 (arXiv:2501.05441): residual, without normalisation."""

import math
from collections.abc import Sequence

import keras
from keras import layers

from keras_gans import checks
from keras_gans.networks import dcgan
from keras_gans.networks.augmented import augmented
from keras_gans.typing import Augment

_SLOPE = 0.2  # of the leaky ReLUs


def r3gan_generator(
    image_shape: Sequence[int],
    latent_dim: int = 64,
    width: int = 16,
    max_width: int = 256,
    blocks: int = 1,
    expansion: int = 2,
    groups: int = 1,
    name: str = "r3gan_generator",
) -> keras.Model:
    """A generator of residual blocks (Huang 2024, section 4, configuration E).

    At each size residual blocks, then bilinear upsampling; no normalisation. Every residual branch
    is initialized to 0. Made for `loss="relativistic_pairing"` with `r1_penalty` and `r2_penalty`.
    Unlike the authors' it starts from a dense layer, where they scale the channels of a learned
    map, and ends in tanh, so that images lie in [-1, 1].

    >>> keras_gans.networks.r3gan_generator((28, 28, 1)).output_shape
    (None, 28, 28, 1)

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        latent_dim: length of a latent; 64 is the authors'.
        width: channels at the image's size; each smaller size has twice as many.
        max_width: the most channels a size may have.
        blocks: residual blocks at each size; the authors have 2.
        expansion: how many times wider a block is inside; 2 is the authors'.
        groups: of the 3x3 convolutions; the authors have about channels / 16, which is fast on a
            GPU, and slow on a CPU.
        name: of the model.

    Returns:
        A `keras.Model` from `(batch, latent_dim)` to images `(batch, *image_shape)`, float32 in
        [-1, 1].

    Raises:
        ValueError: for a shape or a number that cannot be built.
    """
    grids, widths = dcgan.plan(image_shape, width, max_width)
    depth = len(grids) * checks.count("blocks", blocks)
    x = inputs = keras.Input((checks.count("latent_dim", latent_dim),), name="latents")
    smallest = (*grids[-1], widths[-1])
    x = layers.Reshape(smallest)(layers.Dense(math.prod(smallest))(x))
    for level in reversed(range(len(grids))):
        for _ in range(blocks):
            x = _block(x, expansion, groups, depth)
        if level:
            x = layers.UpSampling2D(2, interpolation="bilinear")(x)
            x = _project(dcgan.cropped(x, grids[level - 1]), widths[level - 1])
    x = layers.Conv2D(image_shape[2], 1)(x)
    images = layers.Activation("tanh", dtype="float32", name="images")(x)
    return keras.Model(inputs, images, name=name)


def r3gan_discriminator(
    image_shape: Sequence[int],
    width: int = 16,
    max_width: int = 256,
    blocks: int = 1,
    expansion: int = 2,
    groups: int = 1,
    augment: Augment = (),
    name: str = "r3gan_discriminator",
) -> keras.Model:
    """The discriminator of R3GAN: residual blocks and average pooling down to one logit.

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        width: channels at the image's size; each smaller size has twice as many.
        max_width: the most channels a size may have.
        blocks: residual blocks at each size, as for `r3gan_generator`.
        expansion: how many times wider a block is inside.
        groups: of the 3x3 convolutions.
        augment: for few images, as of `dcgan_discriminator`.
        name: of the model.

    Returns:
        A `keras.Model` from images `(batch, *image_shape)` to logits `(batch, 1)`, float32.

    Raises:
        ValueError: for a shape or a number that cannot be built.
    """
    grids, widths = dcgan.plan(image_shape, width, max_width)
    depth = len(grids) * checks.count("blocks", blocks)
    x = inputs = keras.Input(image_shape, name="images")
    x = layers.Conv2D(widths[0], 1)(augmented(x, augment))
    for level in range(len(grids)):
        for _ in range(blocks):
            x = _block(x, expansion, groups, depth)
        if level < len(grids) - 1:
            x = layers.AveragePooling2D(2, padding="same")(_project(x, widths[level + 1]))
    # One number a channel, of the whole grid.
    x = layers.DepthwiseConv2D(grids[-1], use_bias=False)(x)
    return keras.Model(inputs, dcgan.logits(layers.Flatten()(x)), name=name)


def _block(x, expansion, groups, depth):
    """1x1, 3x3 and 1x1 convolutions beside the identity; `depth` blocks in all.

    The last convolution starts at 0, and the others as He 2015 divided by depth^(1/4): so many
    branches then change the first steps as much as one would (Zhang 2019, Fixup).
    """
    channels = x.shape[-1]
    inner = channels * checks.count("expansion", expansion)

    def activated(x):
        return layers.LeakyReLU(_SLOPE)(x)

    def scaled():
        scale = 2.0 / (1.0 + _SLOPE**2) / math.sqrt(depth)
        return keras.initializers.VarianceScaling(scale, "fan_in", "untruncated_normal")

    y = activated(layers.Conv2D(inner, 1, kernel_initializer=scaled())(x))
    y = layers.Conv2D(
        inner, 3, padding="same", groups=checks.count("groups", groups), kernel_initializer=scaled()
    )(y)
    y = layers.Conv2D(channels, 1, use_bias=False, kernel_initializer="zeros")(activated(y))
    return layers.Add()([x, y])


def _project(x, channels):
    """Changes the number of channels, if it is not this one already."""
    return x if x.shape[-1] == channels else layers.Conv2D(channels, 1, use_bias=False)(x)
