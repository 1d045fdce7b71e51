"""The U-Net discriminator of Real-ESRGAN (Wang 2021, section 3.3; Schönfeld 2020)."""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gans import checks
from keras_gans.layers import SpectralNormalization
from keras_gans.networks import upscaling

_DEPTH = 3
_GAIN = 2 / (1 + 0.2**2)  # of He 2015, for the leaky ReLU


def unet_discriminator(
    image_shape: Sequence[int | None],
    width: int = 64,
    skip_connections: bool = True,
    unit_range: bool = True,
    name: str = "unet_discriminator",
) -> keras.Model:
    """A logit for each pixel, from three sizes of the image, with spectral normalisation.

    Down by convolutions 4x4 of stride 2, up by bilinear upsampling and convolutions 3x3, with a
    skip at each size; every convolution but the first and the last has its kernel divided by its
    largest singular value (`layers.SpectralNormalization`), and no bias. With the defaults it has
    the 4,376,897 parameters of the authors' program.

    >>> keras_gans.networks.unet_discriminator((32, 40, 3), width=8).output_shape
    (None, 32, 40, 1)

    Args:
        image_shape: `(height, width, channels)`: multiples of 8. `(None, None, channels)` takes
            images of all such sizes.
        width: filters of the first convolution; each smaller size has twice as many.
        skip_connections: whether the encoder's feature maps are added to the decoder's.
        unit_range: compute with images in [0, 1], as the authors' program does and its weights
            expect. Images are in [-1, 1] either way.
        name: of the model.

    Returns:
        A `keras.Model` from images `(batch, *image_shape)` in [-1, 1] to logits
        `(batch, height, width, 1)`, float32.

    Raises:
        ValueError: for a shape or a number that cannot be built.
    """
    shape = upscaling.image_shape(image_shape)
    of = 2**_DEPTH
    upscaling.require_multiple(shape, of, f"The image cannot be downsampled {_DEPTH} times")
    checks.count("width", width)

    def normalized(x, filters, size=3, **options):
        convolution = upscaling.convolution(filters, size, _GAIN, use_bias=False, **options)
        return upscaling.leaky(SpectralNormalization(convolution)(x))

    images = keras.Input(shape, name="images")
    x = upscaling.taken(images, unit_range)
    x = upscaling.leaky(upscaling.convolution(width, gain=_GAIN)(x))
    skips = []
    for level in range(1, _DEPTH + 1):
        skips.append(x)
        x = normalized(x, width * 2**level, 4, strides=2)
    for level in reversed(range(_DEPTH)):
        x = layers.UpSampling2D(2, interpolation="bilinear")(x)
        x = normalized(x, width * 2**level)
        if skip_connections:
            x = layers.Add()([x, skips[level]])
    for _ in range(2):
        x = normalized(x, width)
    logits = upscaling.convolution(1, dtype="float32", name="logits")
    return keras.Model(images, logits(x), name=name)
