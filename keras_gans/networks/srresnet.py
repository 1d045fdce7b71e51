"""SRResNet, the generator of SRGAN (Ledig 2017, section 2.1.1 and figure 4)."""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gans import checks
from keras_gans.layers import PixelShuffle
from keras_gans.networks import upscaling

_STEPS = {2: 1, 4: 2, 8: 3}
_GAIN = 2 / (1 + 0.25**2)  # of He 2015, for a PReLU at its start


def srresnet(
    image_shape: Sequence[int | None],
    scale: int = 4,
    width: int = 64,
    blocks: int = 16,
    name: str = "srresnet",
) -> keras.Model:
    """Residual blocks with batch normalisation, and a pixel shuffle for each doubling.

    In the paper's letters k9n64s1, B x (k3n64s1, k3n64s1), k3n64s1, twice k3n256s1 and a pixel
    shuffle, k9n3s1. As in the authors' framework, Lasagne, a PReLU has a slope for each channel,
    and a convolution before batch normalisation no bias: with the defaults 1,548,547 trainable
    parameters. It computes from [0, 1] to [-1, 1], as in section 3.2, and its end is linear, as in
    figure 4.

    >>> keras_gans.networks.srresnet((16, 20, 3), width=8, blocks=1).output_shape
    (None, 64, 80, 3)

    Args:
        image_shape: `(height, width, channels)` of the inputs. `(None, None, channels)` takes
            images of any size.
        scale: how many times larger each side becomes: 2, 4 (the paper's) or 8.
        width: filters of each convolution.
        blocks: how many residual blocks.
        name: of the model.

    Returns:
        A `keras.Model` from images `(batch, *image_shape)` in [-1, 1] to images
        `(batch, scale * height, scale * width, channels)`, float32. They are clipped to [-1, 1]
        unless `training=True`: where clipped, there would be no gradient.

    Raises:
        ValueError: for a shape or a number that cannot be built.
    """
    shape = upscaling.image_shape(image_shape)
    steps = _STEPS[upscaling.one_of("scale", scale, list(_STEPS))]
    checks.count("width", width)

    def normalized(x, gain=1.0):
        x = upscaling.convolution(width, gain=gain, use_bias=False)(x)
        return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)

    images = keras.Input(shape, name="images")
    x = upscaling.taken(images, unit_range=True)
    start = x = upscaling.prelu(upscaling.convolution(width, 9, _GAIN)(x))
    for _ in range(checks.count("blocks", blocks)):
        y = normalized(upscaling.prelu(normalized(x, _GAIN)))
        x = layers.Add()([x, y])
    x = layers.Add()([start, normalized(x)])
    for _ in range(steps):
        x = upscaling.convolution(4 * width, gain=_GAIN)(x)
        x = upscaling.prelu(PixelShuffle(2)(x))
    x = upscaling.convolution(shape[2], 9)(x)
    return keras.Model(images, upscaling.made(x, unit_range=False), name=name)
