"""The refiner of SimGAN (Shrivastava 2017)."""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gans import checks
from keras_gans.networks import translation


def refiner(
    image_shape: Sequence[int | None],
    width: int = 64,
    blocks: int = 4,
    name: str = "refiner",
) -> keras.Model:
    """An image-to-image network that changes pixels and keeps the layout: no strides, no pooling.

    A convolution of 3x3, residual blocks of two convolutions of 3x3, and a convolution of 1x1, all
    of the images' size. Without downsampling each output pixel follows from the inputs near by: no
    farther than `1 + 2 * blocks` pixels.

    >>> keras_gans.networks.refiner((35, 55, 1), width=8).output_shape
    (None, 35, 55, 1)

    Args:
        image_shape: `(height, width, channels)` of inputs and outputs; `(None, None, channels)`
            takes images of all sizes.
        width: filters of every convolution but the last.
        blocks: how many residual blocks.
        name: of the model.

    Returns:
        A `keras.Model` from images `(batch, *image_shape)` in [-1, 1] to images of the same shape,
        float32 in [-1, 1].

    Raises:
        ValueError: for a shape or a number that cannot be built.

    References:
        Shrivastava 2017, "Learning from Simulated and Unsupervised Images through Adversarial
        Training", section 2 and the supplement.
    """
    checks.count("width", width)
    checks.count("blocks", blocks)
    channels = checks.image_shape(translation.sized(image_shape), minimum=4)[2]

    def convolved(x):
        layer = layers.Conv2D(width, 3, padding="same", kernel_initializer="he_normal")
        return layer(x)

    images = keras.Input(image_shape, name="images")
    x = layers.ReLU()(convolved(images))
    for _ in range(blocks):
        y = convolved(layers.ReLU()(convolved(x)))
        x = layers.ReLU()(layers.Add()([x, y]))
    return keras.Model(images, translation.image(layers.Conv2D(channels, 1)(x)), name=name)
