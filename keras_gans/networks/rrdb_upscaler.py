"""The generator of ESRGAN (Wang 2018, section 3.1) and Real-ESRGAN (Wang 2021): `RRDBNet`."""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gans import checks
from keras_gans.layers.pixel_unshuffle import PixelUnshuffle
from keras_gans.networks import upscaling

# By how much the image is made smaller and deeper first: the network enlarges 4 times.
UNSHUFFLED = {1: 4, 2: 2, 4: 1}
_GAIN = 2 / (1 + 0.2**2)  # of He 2015, for the leaky ReLU


def rrdb_upscaler(
    image_shape: Sequence[int | None],
    scale: int = 4,
    width: int = 64,
    blocks: int = 23,
    growth: int = 32,
    unit_range: bool = True,
    name: str = "rrdb_upscaler",
) -> keras.Model:
    """Residual blocks of dense blocks, at the size of the input, and twice nearest upsampling.

    A block is three dense blocks of five convolutions, without normalisation. With the defaults it
    has the 16,697,987 parameters of `RealESRGAN_x4plus`, with 6 blocks the 4,467,779 of
    `x4plus_anime_6B`. For scales 2 and 1 the image is first made 2 or 4 times smaller and deeper
    (Wang 2021, section 3.3).

    Each pixel of the output depends on up to `15 * blocks + 4` pixels to every side of its own in
    the input (at scale 2, twice as many; at 1, four times).

    >>> keras_gans.networks.rrdb_upscaler((16, 20, 3), width=8, blocks=1, growth=4).output_shape
    (None, 64, 80, 3)

    Args:
        image_shape: `(height, width, channels)` of the inputs; at scale 2 multiples of 2, at
            scale 1 of 4. `(None, None, channels)` takes images of all such sizes.
        scale: how many times larger each side becomes: 1, 2 or 4.
        width: filters of the convolutions outside the dense blocks.
        blocks: how many.
        growth: filters that each convolution of a dense block adds.
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
    factor = UNSHUFFLED[upscaling.one_of("scale", scale, list(UNSHUFFLED))]
    upscaling.require_multiple(shape, factor, f"At scale {scale} blocks of pixels are taken")
    checks.count("width", width)
    checks.count("growth", growth)

    images = keras.Input(shape, name="images")
    x = upscaling.taken(images, unit_range)
    x = PixelUnshuffle(factor)(x) if factor > 1 else x
    start = x = upscaling.convolution(width, name="conv_first")(x)
    for number in range(checks.count("blocks", blocks)):
        y = x
        for part in (1, 2, 3):
            y = _dense_block(y, growth, f"body_{number}_rdb{part}")
        x = upscaling.added(x, y)
    x = layers.Add()([start, upscaling.convolution(width, name="conv_body")(x)])
    for step in ("conv_up1", "conv_up2", "conv_hr"):
        x = x if step == "conv_hr" else layers.UpSampling2D(2)(x)
        x = upscaling.leaky(upscaling.convolution(width, gain=_GAIN, name=step)(x))
    x = upscaling.convolution(shape[2], name="conv_last")(x)
    return keras.Model(images, upscaling.made(x, unit_range), name=name)


def _dense_block(x, growth, name):
    """Each convolution sees all that came before it in the block (Wang 2018, figure 4)."""
    seen = [x]
    for number in range(1, 6):
        together = layers.Concatenate()(seen) if len(seen) > 1 else x
        filters = growth if number < 5 else x.shape[-1]
        gain = 2 * upscaling.SMALL
        y = upscaling.convolution(filters, gain=gain, name=f"{name}_conv{number}")(together)
        seen.append(upscaling.leaky(y) if number < 5 else y)
    return upscaling.added(x, seen[-1])
