"""The discriminator of SRGAN (Ledig 2017, section 2.1.1 and figure 4)."""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gans import checks
from keras_gans.networks import upscaling

_GAIN = 2 / (1 + 0.2**2)  # of He 2015, for the leaky ReLU


def srgan_discriminator(
    image_shape: Sequence[int | None],
    width: int = 64,
    units: int = 1024,
    batch_normalization: bool = True,
    name: str = "srgan_discriminator",
) -> keras.Model:
    """Eight convolutions as in VGG, four of them of stride 2, and two dense layers: one logit.

    In the paper's letters k3n64s1, k3n64s2, k3n128s1, ..., k3n512s2, 1024 units, 1. LeakyReLU 0.2;
    batch normalisation everywhere but at the first, and then no bias. With the defaults at the
    paper's 96x96 it has 23,563,649 trainable parameters.

    The paper's sigmoid is in the loss: this returns logits. ESRGAN (Wang 2018, section 3.2) trains
    the same network with a relativistic loss in place of it, which compares the logits of real
    and made images.

    >>> keras_gans.networks.srgan_discriminator((32, 48, 3), width=8, units=16).output_shape
    (None, 1)

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side. With `(None, None, channels)`
            it takes images of any such size: the last features are averaged over the image, where
            a known size gives each place weights of its own, as the paper has it.
        width: filters of the first convolution; the last two have 8 times as many.
        units: of the dense layer.
        batch_normalization: as in the paper. `False` for losses that look at each image alone,
            such as gradient penalties.
        name: of the model.

    Returns:
        A `keras.Model` from images `(batch, *image_shape)` in [-1, 1] to logits `(batch, 1)`,
        float32.

    Raises:
        ValueError: for a shape or a number that cannot be built.
    """
    shape = upscaling.image_shape(image_shape)
    checks.image_shape(tuple(16 if side is None else side for side in shape), minimum=16)
    checks.count("width", width)

    x = images = keras.Input(shape, name="images")
    for number in range(8):
        normalize = batch_normalization and number > 0
        filters, strides = width * 2 ** (number // 2), 1 + number % 2
        x = upscaling.convolution(filters, gain=_GAIN, strides=strides, use_bias=not normalize)(x)
        if normalize:
            x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
        x = upscaling.leaky(x)
    x = layers.GlobalAveragePooling2D()(x) if None in shape else layers.Flatten()(x)
    x = upscaling.leaky(layers.Dense(checks.count("units", units))(x))
    return keras.Model(images, layers.Dense(1, dtype="float32", name="logits")(x), name=name)
