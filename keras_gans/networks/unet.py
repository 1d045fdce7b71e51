"""The U-Net of Pix2Pix (Isola 2017, appendix 6.1.1)."""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gans import checks
from keras_gans.layers import SeededDropout
from keras_gans.networks import translation

_DEEPEST, _SHALLOWEST = 8, 5


def unet_generator(
    image_shape: Sequence[int],
    out_channels: int | None = None,
    width: int = 64,
    max_width: int = 512,
    depth: int | None = None,
    dropout: float = 0.5,
    normalization: str | None = "batch",
    upsampling: str = "transposed",
    name: str = "unet_generator",
) -> keras.Model:
    """An image-to-image U-Net: down to a few pixels and up again, with a skip at every size.

    Convolutions 4x4 of stride 2; LeakyReLU 0.2 in the encoder, ReLU in the decoder; a normalisation
    after all but the first, the innermost and the last one. At 256x256 with the defaults
    it has the 54,413,955 parameters of the authors' program.

    >>> keras_gans.networks.unet_generator((64, 96, 3), out_channels=1, width=8).output_shape
    (None, 64, 96, 1)

    Args:
        image_shape: `(height, width, channels)` of the inputs, 32 or more a side.
        out_channels: channels of the outputs; `None` for as many as the inputs have.
        width: filters at the first size; each smaller size has twice as many.
        max_width: the most filters a size may have.
        depth: number of downsampling steps; both sides must be multiples of `2 ** depth`. `None`
            for as many as possible, from 5 to 8, the paper's at 256x256.
        dropout: dropout rate at the three sizes next to the innermost, as in the authors' program
            at 256x256: the paper's only noise (section 3.1). In training, and by
            `networks.stochastic`. With few sizes these are large feature maps, where noise
            becomes texture that is missing without it: below a depth of 7 use 0.
        normalization: `"batch"`, `"instance"`, `"instance_affine"` or `None`, as for
            `resnet_generator`. For batches of one image use `"instance"`: batch normalisation would
            train with the statistics of one image, and be used with moving averages.
        upsampling: how each step up doubles the size. `"transposed"`, as in the paper, leaves a
            grid in the images (docs/models/pix2pix.md); `"balanced"` is the same layer, whose
            weights are kept from making one in training (`BalancedKernel`); `"resize"` repeats
            pixels before a convolution 3x3; `"subpixel"` is a convolution 3x3 and
            `layers.PixelShuffle`, initialized without a grid.
        name: of the model.

    Returns:
        A `keras.Model` from images `(batch, *image_shape)` in [-1, 1] to images
        `(batch, height, width, out_channels)`, float32 in [-1, 1].

    Raises:
        ValueError: for a shape or a number that cannot be built; the nearest sizes that can are
            named.
    """
    shape = checks.image_shape(image_shape, minimum=32)
    channels = translation.out_channels(out_channels, shape)
    translation.normalization(normalization)
    translation.upsampling(upsampling)
    checks.count("width", width)
    checks.count("max_width", max_width)
    depth = _halvings(shape) if depth is None else checks.count("depth", depth, 2)
    translation.require_multiple(shape, 2**depth, f"The image cannot be downsampled {depth} times")
    filters = [min(width * 2**level, max_width) for level in range(depth)]
    noisy = range(max(depth - 4, 1), depth - 1) if checks.share("dropout", dropout) else ()
    innermost = depth - 1

    images = keras.Input(shape, name="images")
    x = _halved(images, filters[0], normalization)
    skips = [x]
    for level in range(1, depth):
        x = _halved(layers.LeakyReLU(0.2)(x), filters[level], normalization)
        if level != innermost:
            x = translation.normalized(x, normalization)
        skips.append(x)
    skips.pop()
    for level in range(innermost, 0, -1):
        x = translation.doubled(layers.ReLU()(x), upsampling, filters[level - 1], 4, normalization)
        x = translation.normalized(x, normalization)
        if level in noisy:
            x = SeededDropout(dropout)(x)
        x = layers.Concatenate()([skips.pop(), x])
    x = translation.doubled(layers.ReLU()(x), upsampling, channels, 4, normalization, bias=True)
    return keras.Model(images, translation.image(x), name=name)


def _halvings(shape):
    """Returns how many times both sides can be divided by 2."""
    depth = 0
    while depth < _DEEPEST and all(side % 2 ** (depth + 1) == 0 for side in shape[:2]):
        depth += 1
    return max(depth, _SHALLOWEST)  # too few is an error, which names the nearest sizes


def _halved(x, filters, normalize):
    return translation.convolution(filters, 4, 2, normalize, padding="same")(x)
