"""ESRGAN's generator as idealo's program builds it: RRDN."""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gans import checks
from keras_gans.layers.pixel_shuffle import PixelShuffle
from keras_gans.networks import upscaling


def rrdn_upscaler(
    image_shape: Sequence[int | None],
    scale: int = 4,
    width: int = 64,
    blocks: int = 10,
    dense_blocks: int = 3,
    convolutions: int = 4,
    growth: int = 32,
    unit_range: bool = True,
    name: str = "rrdn_upscaler",
) -> keras.Model:
    """Residual blocks of dense blocks, and one pixel shuffle near the end.

    It differs from `rrdb_upscaler` in its ReLUs and in its end: all that is learned is at the size
    of the input but for one small convolution, so that it takes less time and memory. With the
    defaults it has the 7,260,740 parameters of UpscalerJS' `esrgan-thick` at scale 4. Layers have
    the names of idealo's program.

    Each pixel of the output depends on up to `(convolutions + 1) * dense_blocks * blocks + 4`
    pixels to every side of its own in the input.

    >>> options = {"width": 8, "blocks": 1, "growth": 4}
    >>> keras_gans.networks.rrdn_upscaler((16, 20, 3), **options).output_shape
    (None, 64, 80, 3)

    Args:
        image_shape: `(height, width, channels)` of the inputs. `(None, None, channels)` takes
            images of any size.
        scale: how many times larger each side becomes, 1 or more.
        width: filters of the convolutions outside the dense blocks; `G0` in that program.
        blocks: residual blocks; `T`.
        dense_blocks: in each residual block; `D`.
        convolutions: of each dense block, before the one that returns to `width`; `C`.
        growth: filters that each of these adds; `G`.
        unit_range: compute in [0, 1], as UpscalerJS does and its weights expect. Images are in
            [-1, 1] either way, at both ends.
        name: of the model.

    Returns:
        A `keras.Model` from images `(batch, *image_shape)` in [-1, 1] to images
        `(batch, scale * height, scale * width, channels)`, float32. They are clipped to [-1, 1]
        unless `training=True`: where clipped, there would be no gradient.

    Raises:
        ValueError: for a shape or a number that cannot be built.

    References:
        Wang 2018, "ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks", section
        3.1; github.com/idealo/image-super-resolution.
    """
    shape = upscaling.image_shape(image_shape)
    checks.count("scale", scale)
    checks.count("width", width)
    checks.count("dense_blocks", dense_blocks)
    checks.count("convolutions", convolutions)
    checks.count("growth", growth)

    images = keras.Input(shape, name="images")
    x = upscaling.taken(images, unit_range)
    start = x = upscaling.convolution(width, name="Pre_blocks_conv")(x)
    for block in range(1, checks.count("blocks", blocks) + 1):
        y = x
        for part in range(1, dense_blocks + 1):
            y = _dense_block(y, convolutions, growth, f"{block}_{part}")
        x = upscaling.added(x, y)
    x = layers.Add()([upscaling.convolution(width, name="post_blocks_conv")(x), start])
    x = upscaling.convolution(shape[2] * scale**2, name="PreShuffle")(x)
    x = upscaling.convolution(shape[2], name="SR")(PixelShuffle(scale)(x))
    return keras.Model(images, upscaling.made(x, unit_range), name=name)


def _dense_block(x, convolutions, growth, name):
    """Each convolution sees all that came before it in the block."""
    together = upscaling.dense(x, convolutions, growth, 2 * upscaling.SMALL, f"F_{name}")
    y = upscaling.convolution(x.shape[-1], gain=upscaling.SMALL, name=f"LFF_{name}")(together)
    return upscaling.added(x, y)
