"""The convolutional pair of Radford 2015, for images of any size from 16 up."""

import math

import keras
from keras import layers

from keras_gans import checks
from keras_gans.layers import DiffAugment

_SMALLEST = 4  # a grid is halved while its shorter side stays at least this


def pyramid(height, width, depth=None):
    """Sizes from the image down: each half of the one before, rounded up.

    >>> pyramid(28, 28)
    [(28, 28), (14, 14), (7, 7)]
    >>> pyramid(28, 28, depth=3)[-1]
    (4, 4)
    """
    if depth is not None and 2 ** checks.count("depth", depth) > min(height, width) // 2:
        raise ValueError(
            "The image cannot be halved that often: the smallest grid has 2 or more a side. Give "
            f"a smaller `depth`. Received: depth={depth} for {height}x{width}"
        )
    grids = [(height, width)]
    while len(grids) <= depth if depth else min(grids[-1]) >= 2 * _SMALLEST:
        grids.append(tuple((side + 1) // 2 for side in grids[-1]))
    return grids


def _weights():
    """Zero-centred normal with deviation 0.02 (Radford 2015, section 4); a new one a layer."""
    return keras.initializers.RandomNormal(stddev=0.02)


def _normalized(x, activation):
    # Momentum 0.9 and epsilon 1e-5 are the common ones of DCGAN programs; Keras' 0.99 would lag
    # hundreds of steps behind a generator that moves as fast as these do.
    return activation(layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x))


def dcgan_generator(
    image_shape,
    latent_dim=128,
    width=64,
    max_width=512,
    depth=None,
    kernel_size=4,
    name="dcgan_generator",
):
    """The generator of DCGAN: latents to images through strided transposed convolutions.

    The grid starts at 4 to 7 a side and doubles up to the image: 7, 14, 28 or 4, 8, 16, 32. Where
    a side is odd, a row or column is cut after doubling, so that the sizes mirror those of
    `dcgan_discriminator`. Batch normalisation and ReLU follow every layer but the last, which
    ends in tanh (Radford 2015, section 3). The kernel is 4 wide where the paper's figure shows 5:
    a multiple of the stride, so that every pixel is written by equally many weights.

    >>> keras_gans.networks.dcgan_generator((28, 28, 1)).output_shape
    (None, 28, 28, 1)

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        latent_dim: length of a latent.
        width: filters of the last hidden layer; each layer before it has twice as many.
        max_width: the most filters a layer may have.
        depth: how many times the grid is halved or doubled; `None` for as often as its shorter
            side stays 4 or more.
        kernel_size: of the transposed convolutions, in pixels.
        name: of the model.

    Returns:
        A `keras.Model` from `(batch, latent_dim)` to images `(batch, *image_shape)`, float32 in
        [-1, 1].

    Raises:
        ValueError: for a shape or a number that cannot be built.
    """
    x = inputs = keras.Input((checks.count("latent_dim", latent_dim),), name="latents")
    x = dense_grid(x, smallest_grid(image_shape, width, max_width, depth))
    images = upsampled(normalized(x), image_shape, width, max_width, depth, kernel_size)
    return keras.Model(inputs, images, name=name)


def smallest_grid(image_shape, width, max_width, depth):
    """`(height, width, filters)` of the first feature map of a generator."""
    grids = pyramid(*checks.image_shape(image_shape, minimum=16)[:2], depth)
    checks.count("width", width)
    checks.count("max_width", max_width)
    return (*grids[-1], min(width * 2 ** (len(grids) - 2), max_width))


def dense_grid(x, grid):
    """Vectors as feature maps of the shape `grid`, by a dense layer."""
    x = layers.Dense(math.prod(grid), use_bias=False, kernel_initializer=_weights())(x)
    return layers.Reshape(grid)(x)


def normalized(x):
    """Batch normalisation and ReLU."""
    return _normalized(x, layers.ReLU())


def upsampled(
    x, image_shape, width, max_width, depth, kernel_size, normalize=normalized, name="images"
):
    """The smallest feature map, normalised, as float32 images in [-1, 1]."""
    checks.count("kernel_size", kernel_size, 2)
    height, columns, channels = image_shape
    grids = pyramid(height, columns, depth)
    filters = [min(width * 2**level, max_width) for level in range(len(grids) - 1)]
    for level in reversed(range(len(grids) - 1)):
        last = level == 0
        x = layers.Conv2DTranspose(
            channels if last else filters[level - 1],
            kernel_size,
            strides=2,
            padding="same",
            use_bias=last,
            kernel_initializer=_weights(),
        )(x)
        surplus = [(0, 2 * small - large) for small, large in zip(grids[level + 1], grids[level])]
        if any(cut for _, cut in surplus):
            x = layers.Cropping2D(surplus)(x)
        if not last:
            x = normalize(x)
    # Float32 whatever the policy: images are compared, saved and differentiated in it.
    return layers.Activation("tanh", dtype="float32", name=name)(x)


def dcgan_discriminator(
    image_shape,
    width=64,
    max_width=512,
    depth=None,
    kernel_size=4,
    batch_normalization=True,
    dropout=0.0,
    augment=(),
    name="dcgan_discriminator",
):
    """The discriminator of DCGAN: strided convolutions down to one logit.

    LeakyReLU with slope 0.2 everywhere, batch normalisation everywhere but at the first layer,
    no pooling and no hidden dense layer (Radford 2015, section 3). The logit is not squashed: the
    losses work on logits.

    >>> keras_gans.networks.dcgan_discriminator((28, 28, 1)).output_shape
    (None, 1)

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        width: filters of the first layer; each later one has twice as many.
        max_width: the most filters a layer may have.
        depth: how many times the grid is halved or doubled; `None` for as often as its shorter
            side stays 4 or more.
        kernel_size: of the convolutions, in pixels.
        batch_normalization: `False` for the critics that must judge each image by itself, as
            gradient penalties ask.
        dropout: share of values dropped before the logit in training, in [0, 1).
        augment: policies of `layers.DiffAugment` to put in front, such as
            `("translation", "cutout")`: for few images.
        name: of the model.

    Returns:
        A `keras.Model` from images `(batch, *image_shape)` to logits `(batch, 1)`, float32.

    Raises:
        ValueError: for a shape or a number that cannot be built.
    """
    x = inputs = keras.Input(checks.image_shape(image_shape, minimum=16), name="images")
    if augment:
        x = DiffAugment(augment)(x)
    x = layers.Flatten()(downsampled(x, width, max_width, depth, kernel_size, batch_normalization))
    if checks.share("dropout", dropout):
        x = layers.Dropout(dropout)(x)
    return keras.Model(inputs, logits(x), name=name)


def downsampled(
    x, width, max_width, depth, kernel_size, batch_normalization, wrap=lambda layer: layer
):
    """Images as the smallest feature map: strided convolutions, each through `wrap`."""
    checks.count("width", width)
    checks.count("max_width", max_width)
    checks.count("kernel_size", kernel_size, 2)
    for level in range(len(pyramid(*x.shape[1:3], depth)) - 1):
        normalize = batch_normalization and level > 0
        convolution = layers.Conv2D(
            min(width * 2**level, max_width),
            kernel_size,
            strides=2,
            padding="same",
            use_bias=not normalize,
            kernel_initializer=_weights(),
        )
        activation = layers.LeakyReLU(0.2)
        x = wrap(convolution)(x)
        x = _normalized(x, activation) if normalize else activation(x)
    return x


def logits(x, number=1, name="logits"):
    """Float32 logits, whatever the policy."""
    return layers.Dense(number, kernel_initializer=_weights(), dtype="float32", name=name)(x)
