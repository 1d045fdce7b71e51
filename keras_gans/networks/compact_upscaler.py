"""The compact upscaler of Real-ESRGAN (`SRVGGNetCompact`), for videos, phones and browsers."""

from collections.abc import Sequence
from math import gcd

import keras
from keras import layers

from keras_gans import checks
from keras_gans.layers import PixelShuffle
from keras_gans.layers.bicubic_reduction import BicubicReduction
from keras_gans.networks import upscaling

# Gains of He 2015 for each activation: a variance of 2 / (1 + slope^2) keeps that of the features.
# PyTorch's default is a sixth of that: features fade over the convolutions, and a training stays
# for hundreds of steps at the enlarged image that the network adds to.
_ACTIVATIONS = {
    "prelu": (upscaling.prelu, 2 / (1 + 0.25**2)),
    "relu": (lambda x, name: layers.ReLU(name=name)(x), 2.0),
    "leaky_relu": (lambda x, name: layers.LeakyReLU(0.1, name=name)(x), 2 / (1 + 0.1**2)),
}
_LAST_GAIN = 0.01  # so that an untrained network makes the image, enlarged, and little else


def compact_upscaler(
    image_shape: Sequence[int | None],
    scale: int = 4,
    width: int = 64,
    depth: int = 16,
    activation: str = "prelu",
    output_scale: int | None = None,
    unit_range: bool = True,
    name: str = "compact_upscaler",
) -> keras.Model:
    """A plain row of convolutions at the size of the input, and a pixel shuffle at its end.

    It adds to the image, enlarged by repeating pixels (`SRVGGNetCompact` of Wang 2021's program).
    With the defaults it has the 621,424 parameters of `realesr-animevideov3`; with a depth of 32
    those of `realesr-general-x4v3`.

    Each pixel of the output depends on `depth + 2` pixels to every side of its own in the input;
    on one more with `output_scale`. Tiles with such a margin can be cut without a seam.

    >>> keras_gans.networks.compact_upscaler((None, None, 3), width=8, depth=2).output_shape
    (None, None, None, 3)

    Args:
        image_shape: `(height, width, channels)` of the inputs. `(None, None, channels)` takes
            images of any size.
        scale: how many times larger each side becomes, from 1.
        width: filters of each convolution.
        depth: convolutions between the first and the last.
        activation: `"prelu"`, with a slope per channel, `"relu"` or `"leaky_relu"`.
        output_scale: how many times larger the images made are, below `scale`: they are reduced by
            `layers.bicubic_reduction`, as the authors do for scales that they did not train.
            `None` for `scale`.
        unit_range: compute in [0, 1], as the authors' program does and its weights expect. Images
            are in [-1, 1] either way, at both ends; `False` saves the two rescalings and starts
            new trainings around 0.
        name: of the model.

    Returns:
        A `keras.Model` from images `(batch, *image_shape)` in [-1, 1] to images
        `(batch, scale * height, scale * width, channels)`, float32. They are clipped to [-1, 1]
        unless `training=True`: where clipped, there would be no gradient.

    Raises:
        ValueError: for a shape or a number that cannot be built.
    """
    shape = upscaling.image_shape(image_shape)
    checks.count("scale", scale)
    checks.count("width", width)
    checks.count("depth", depth, 0)
    activated, gain = _ACTIVATIONS[upscaling.one_of("activation", activation, list(_ACTIVATIONS))]

    images = keras.Input(shape, name="images")
    start = x = upscaling.taken(images, unit_range)
    for number in range(0, 2 * depth + 1, 2):  # the authors' modules are numbered so
        x = upscaling.convolution(width, gain=gain, name=f"body_{number}")(x)
        x = activated(x, name=f"body_{number + 1}")
    last = f"body_{2 * depth + 2}"
    x = upscaling.convolution(shape[2] * scale**2, gain=_LAST_GAIN, name=last)(x)
    x = layers.Add()([PixelShuffle(scale)(x), layers.UpSampling2D(scale)(start)])
    x = _reduced(x, scale, output_scale)
    return keras.Model(images, upscaling.made(x, unit_range), name=name)


def _reduced(x, scale, output_scale):
    """What was enlarged `scale` times, at another scale."""
    if output_scale is None or checks.count("output_scale", output_scale) == scale:
        return x
    if output_scale > scale:
        raise ValueError(
            "`output_scale` must be at most `scale`: larger images would need another network. "
            f"Received: output_scale={output_scale}, scale={scale}"
        )
    common = gcd(output_scale, scale)
    return BicubicReduction(output_scale // common, scale // common, dtype="float32")(x)
