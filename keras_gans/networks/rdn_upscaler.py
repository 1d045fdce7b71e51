"""Residual dense network (Zhang 2018), with the end that idealo's program gives it."""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gans import checks
from keras_gans.networks import upscaling


def rdn_upscaler(
    image_shape: Sequence[int | None],
    scale: int = 4,
    width: int = 64,
    blocks: int = 2,
    convolutions: int = 1,
    growth: int = 4,
    unit_range: bool = True,
    name: str = "rdn_upscaler",
) -> keras.Model:
    """Dense blocks with a residual each, fused at the end, and nearest upsampling.

    With the defaults it has the 233,451 parameters of UpscalerJS' `esrgan-slim` at scale 4; the
    paper has 16 blocks of 8 convolutions with a growth of 64, and a pixel shuffle. Layers have the
    names of idealo's program.

    >>> keras_gans.networks.rdn_upscaler((16, 20, 3), width=8).output_shape
    (None, 64, 80, 3)

    Args:
        image_shape: `(height, width, channels)` of the inputs. `(None, None, channels)` takes
            images of any size.
        scale: how many times larger each side becomes, 1 or more.
        width: filters of the convolutions outside the dense blocks; `G0` in that program.
        blocks: dense blocks; `D`.
        convolutions: of each dense block, before the one that returns to `width`; `C`.
        growth: filters that each of these adds; `G`.
        unit_range: compute in [0, 1]. Images are in [-1, 1] either way, at both ends.
        name: of the model.

    Returns:
        A `keras.Model` from images `(batch, *image_shape)` in [-1, 1] to images
        `(batch, scale * height, scale * width, channels)`, float32. They are clipped to [-1, 1]
        unless `training=True`: where clipped, there would be no gradient.

    Raises:
        ValueError: for a shape or a number that cannot be built.

    References:
        Zhang 2018, "Residual Dense Network for Image Super-Resolution", section 3;
        github.com/idealo/image-super-resolution.
    """
    shape = upscaling.image_shape(image_shape)
    checks.count("scale", scale)
    checks.count("width", width)
    checks.count("convolutions", convolutions)
    checks.count("growth", growth)

    images = keras.Input(shape, name="images")
    start = upscaling.convolution(width, name="F_m1")(upscaling.taken(images, unit_range))
    x, made = upscaling.convolution(width, name="F_0")(start), []
    for block in range(1, checks.count("blocks", blocks) + 1):
        together = upscaling.dense(x, convolutions, growth, 2.0, f"F_{block}")
        y = upscaling.convolution(width, 1, gain=upscaling.SMALL, name=f"LFF_{block}")(together)
        x = layers.Add()([y, x])
        made.append(x)
    together = layers.Concatenate()(made) if blocks > 1 else x
    x = upscaling.convolution(width, 1, name="GFF_1")(together)
    x = layers.Add()([upscaling.convolution(width, name="GFF_2")(x), start])
    for step, filters, size in (("UPN1", 64, 5), ("UPN2", 32, 3)):
        x = layers.ReLU()(upscaling.convolution(filters, size, gain=2.0, name=step)(x))
    x = upscaling.convolution(shape[2] * scale**2, name="UPN3")(x)
    x = upscaling.convolution(shape[2], name="SR")(layers.UpSampling2D(scale)(x))
    return keras.Model(images, upscaling.made(x, unit_range), name=name)
