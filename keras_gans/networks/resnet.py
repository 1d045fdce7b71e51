"""The residual translator of CycleGAN (Zhu 2017, appendix 7.2; Johnson 2016)."""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gans import checks
from keras_gans.layers import ReflectionPadding2D
from keras_gans.networks import translation


def resnet_generator(
    image_shape: Sequence[int | None],
    out_channels: int | None = None,
    width: int = 64,
    blocks: int | None = None,
    normalization: str | None = "instance",
    same_padding: bool = False,
    upsampling: str = "transposed",
    name: str = "resnet_generator",
) -> keras.Model:
    """An image-to-image network: downsampling by 4, residual blocks, upsampling by 4.

    In the paper's letters c7s1-64, d128, d256, R256 x `blocks`, u128, u64, c7s1-3. At 256x256 with
    the defaults it has the 11,378,179 parameters of the authors' program; with 6 blocks 7,837,699.

    >>> keras_gans.networks.resnet_generator((64, 96, 3), width=8).output_shape
    (None, 64, 96, 3)

    Args:
        image_shape: `(height, width, channels)` of the inputs: multiples of 4, 16 or more.
            `(None, None, channels)` takes images of all such sizes.
        out_channels: channels of the outputs; `None` for as many as the inputs have.
        width: filters of the first convolution; twice and four times as many follow.
        blocks: how many residual blocks; `None` for 9 from 256 pixels on and where the size is
            not fixed, and 6 below, as in the paper.
        normalization: `"instance"`, without parameters of its own; `"instance_affine"`, with a
            gamma and a beta in place of biases, as TensorFlow Addons has it; `"batch"` or `None`.
        same_padding: pad as Keras' "same" does where strides are 2, on the other side than the
            authors' program: for weights of CycleGANs in Keras (`zoo.converters`).
        upsampling: `"transposed"`, as in the paper, `"balanced"`, `"resize"` or `"subpixel"`, as
            for `unet_generator`: all but the first leave less of a grid.
        name: of the model.

    Returns:
        A `keras.Model` from images `(batch, *image_shape)` in [-1, 1] to images
        `(batch, height, width, out_channels)`, float32 in [-1, 1].

    Raises:
        ValueError: for a shape or a number that cannot be built; the nearest sizes that can are
            named.
    """
    shape = checks.image_shape(translation.sized(image_shape), minimum=16)
    channels = translation.out_channels(out_channels, shape)
    translation.normalization(normalization)
    translation.upsampling(upsampling)
    translation.require_multiple(shape, 4, "The image cannot be downsampled twice")
    blocks = (9 if min(shape[:2]) >= 256 else 6) if blocks is None else blocks
    checks.count("width", width)

    def convolved(x, filters, size, strides=1):
        return translation.convolution(filters, size, strides, normalization)(x)

    def activated(x):
        return layers.ReLU()(translation.normalized(x, normalization))

    # Keras' "same" pads below and right only where strides are 2, and crops there.
    pad, crop = (((0, 1), (0, 1)), ((0, 1), (0, 1))) if same_padding else (1, ((1, 0), (1, 0)))

    images = keras.Input(image_shape, name="images")
    x = activated(convolved(ReflectionPadding2D(3)(images), width, 7))
    for factor in (2, 4):
        x = activated(convolved(layers.ZeroPadding2D(pad)(x), factor * width, 3, 2))
    for _ in range(checks.count("blocks", blocks)):
        y = activated(convolved(ReflectionPadding2D(1)(x), 4 * width, 3))
        y = convolved(ReflectionPadding2D(1)(y), 4 * width, 3)
        x = layers.Add()([x, translation.normalized(y, normalization)])
    for factor in (2, 1):
        x = activated(
            translation.doubled(x, upsampling, factor * width, 3, normalization, crop=crop)
        )
    last = translation.convolution(channels, 7, bias=True)
    return keras.Model(images, translation.image(last(ReflectionPadding2D(3)(x))), name=name)
