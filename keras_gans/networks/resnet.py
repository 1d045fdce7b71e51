"""The residual translator of CycleGAN (Zhu 2017, appendix 7.2; Johnson 2016)."""

import keras
from keras import layers

from keras_gans import checks
from keras_gans.layers import ReflectionPadding2D
from keras_gans.networks import translation


def resnet_generator(
    image_shape,
    out_channels=None,
    width=64,
    blocks=None,
    normalization="instance",
    same_padding=False,
    name="resnet_generator",
):
    """Images to a quarter of their size, through residual blocks, and back.

    In the paper's letters c7s1-64, d128, d256, R256 x `blocks`, u128, u64, c7s1-3. At 256x256 with
    the defaults it has the 11,378,179 parameters of the authors' program; with 6 blocks 7,837,699.

    >>> keras_gans.networks.resnet_generator((64, 96, 3), width=8).output_shape
    (None, 64, 96, 3)

    Args:
        image_shape: `(height, width, channels)` of the images taken: multiples of 4, 16 or more.
            `(None, None, channels)` takes images of all such sizes.
        out_channels: channels of the images made; `None` for as many.
        width: filters of the first convolution; twice and four times as many follow.
        blocks: how many residual blocks; `None` for 9 from 256 pixels on and where the size is
            open, and 6 below, as in the paper.
        normalization: `"instance"`, without parameters of its own; `"instance_affine"`, with a
            gamma and a beta in place of biases, as TensorFlow Addons has it; `"batch"` or `None`.
        same_padding: pad as Keras' "same" does where strides are 2, on the other side than the
            authors' program: for weights of CycleGANs in Keras (`zoo.converters`).
        name: of the model.

    Returns:
        A `keras.Model` from images `(batch, *image_shape)` in [-1, 1] to images
        `(batch, height, width, out_channels)`, float32 in [-1, 1].

    Raises:
        ValueError: for a shape or a number that cannot be built; the nearest sizes that can are
            named.
    """
    shape = checks.image_shape(_sized(image_shape), minimum=16)
    channels = translation.out_channels(out_channels, shape)
    translation.normalization(normalization)
    translation.require_multiple(shape, 4, "The image cannot be halved twice")
    blocks = (9 if min(shape[:2]) >= 256 else 6) if blocks is None else blocks
    checks.count("width", width)

    def convolved(x, filters, size, strides=1, transposed=False):
        layer = translation.convolution(
            filters, size, strides, normalization, transposed=transposed
        )
        return layer(x)

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
        x = convolved(x, factor * width, 3, 2, transposed=True)
        x = activated(layers.Cropping2D(crop)(x))
    last = translation.convolution(channels, 7, bias=True)
    return keras.Model(images, translation.image(last(ReflectionPadding2D(3)(x))), name=name)


def _sized(image_shape):
    """The shape, with the paper's size where both sides are open."""
    if isinstance(image_shape, (list, tuple)) and tuple(image_shape[:2]) == (None, None):
        return (256, 256, *image_shape[2:])
    return image_shape
