"""Patch discriminators (Isola 2017, section 3.2.2 and appendix 6.1.2)."""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gans import checks
from keras_gans.networks import translation

# Side of the patch that a logit sees, in pixels, to the number of convolutions of stride 2.
RECEPTIVE_FIELDS = {1: 0, 16: 1, 34: 2, 70: 3, 142: 4, 286: 5}


def patch_discriminator(
    image_shape: Sequence[int],
    condition_shape: Sequence[int] | None = None,
    receptive_field: int = 70,
    width: int = 64,
    normalization: str | None = "batch",
    name: str = "patch_discriminator",
) -> keras.Model:
    """A discriminator with a map of logits, one for each of many overlapping patches.

    Convolutions 4x4, all but the last two of stride 2; LeakyReLU 0.2; a normalisation everywhere
    but at the first and the last. A receptive field of 1 is the paper's PixelGAN, of 1x1
    convolutions. Of 70, with batch normalisation and a condition, it has the 2,768,705 parameters
    of the authors' Pix2Pix, with instance normalisation and none the 2,764,737 of their CycleGAN.

    >>> keras_gans.networks.patch_discriminator((256, 256, 3)).output_shape
    (None, 30, 30, 1)

    Args:
        image_shape: `(height, width, channels)`.
        condition_shape: shape of the condition, such as Pix2Pix's source image: the same height
            and width. The model then takes `[conditions, images]`.
        receptive_field: side of a patch in pixels: 1, 16, 34, 70, 142 or 286, and no larger than
            the image. 70 is the papers' at 256x256; 34 is in proportion at 128x128.
        width: filters of the first convolution; each later one has twice as many, 8 times at most.
        normalization: `"batch"`, `"instance"`, `"instance_affine"` or `None`, as for
            `resnet_generator`.
        name: of the model.

    Returns:
        A `keras.Model` from images `(batch, *image_shape)` to logits
        `(batch, rows, columns, 1)`, float32.

    Raises:
        ValueError: for a patch larger than the image, and numbers or shapes that cannot be built.
    """
    shape = checks.image_shape(image_shape, minimum=4)
    translation.normalization(normalization)
    checks.count("width", width)
    strided = _strided(shape, receptive_field)
    images = keras.Input(shape, name="images")
    inputs, x = images, images
    if condition_shape is not None:
        condition = keras.Input(_beside(condition_shape, shape), name="condition")
        inputs, x = [condition, images], layers.Concatenate()([condition, images])

    if not strided:
        size, pad = 1, lambda x: x
        plan = [(width, 1, False), (2 * width, 1, True)]
    else:
        # Not Keras' "same", which pads odd sizes unevenly.
        size, pad = 4, lambda x: layers.ZeroPadding2D(1)(x)
        plan = [(width * min(2**n, 8), 2, n > 0) for n in range(strided)]
        plan.append((width * min(2**strided, 8), 1, True))
    for filters, strides, normalize in plan:
        kind = normalization if normalize else None
        x = translation.convolution(filters, size, strides, kind)(pad(x))
        x = layers.LeakyReLU(0.2)(translation.normalized(x, kind))
    # The PixelGAN of the authors' program has no last bias where it normalises by batch.
    bias = bool(strided) or normalization != "batch"
    last = translation.convolution(
        1, size, normalize=None if bias else "batch", dtype="float32", name="logits"
    )
    return keras.Model(inputs, last(pad(x)), name=name)


def _strided(shape, receptive_field):
    known = list(RECEPTIVE_FIELDS)
    if isinstance(receptive_field, bool) or receptive_field not in known:
        raise ValueError(
            f"`receptive_field` must be one of {known}. Received: receptive_field="
            f"{receptive_field!r}"
        )
    if receptive_field > min(shape[:2]):
        fits = max(field for field in known if field <= min(shape[:2]))
        raise ValueError(
            "The patch is larger than the image, so no logit would cover a whole patch. The "
            f"largest that fits is receptive_field={fits}. "
            f"Received: receptive_field={receptive_field}, image_shape={shape}"
        )
    return RECEPTIVE_FIELDS[receptive_field]


def _beside(condition_shape, shape):
    condition = checks.image_shape(condition_shape)
    if condition[:2] != shape[:2]:
        raise ValueError(
            "Images and conditions are concatenated, so both must have one height and "
            f"width. Received: condition_shape={condition}, image_shape={shape}"
        )
    return condition
