"""The generator of BigGAN-deep, Brock 2019 (arXiv:1809.11096, appendix B)."""

import itertools
from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from keras_gans import checks
from keras_gans.layers import SelfAttention2D, TruncatedBatchNormalization

# Channels over `width` at each size, from 4 pixels up, where they are not as many as fit under 16.
_FACTORS = {256: (16, 16, 8, 8, 4, 2, 1), 512: (16, 16, 8, 8, 4, 2, 1, 1)}


def biggan_deep_generator(
    image_shape: Sequence[int],
    num_classes: int,
    latent_dim: int = 128,
    class_dim: int = 128,
    width: int = 128,
    blocks: Sequence[Sequence[int]] | None = None,
    attention: int | None = None,
    truncation: float = 1.0,
    stats: int = 51,
    epsilon: float = 1e-4,
    name: str = "biggan_deep_generator",
) -> keras.Model:
    """A class-conditional generator of residual bottleneck blocks, for published weights.

    Latent and embedded class side by side condition every normalisation. Each block has four
    convolutions, the middle ones with a quarter of the channels; where channels become fewer, the
    shortcut keeps the first ones. It is made for inference: its normalisations have stored
    statistics, of latents of one truncation.

    >>> network = keras_gans.networks.biggan_deep_generator((32, 32, 3), 10, width=8)
    >>> network.output_shape
    (None, 32, 32, 3)

    Args:
        image_shape: `(side, side, channels)`, the side a power of two from 16.
        num_classes: number of classes.
        latent_dim: length of a latent.
        class_dim: length of an embedded class.
        width: channels at the image's size, and what those of others are multiples of.
        blocks: for each, whether it doubles the size, and the channels before and after over
            `width`: `(True, 16, 8)`. `None` for those of the paper.
        attention: before which block there is self-attention; `None` for the first at 64x64, or
            at half the image's size if that is smaller.
        truncation: 0 to 1: latents are multiplied by it, and the statistics are those of it, see
            `layers.TruncatedBatchNormalization`. The authors' latents are normal and at most 2:
            `latent.sample(..., truncation=2)`.
        stats: how many truncations there are statistics of.
        epsilon: of the normalisations.
        name: of the model.

    Returns:
        A `keras.Model` from `[latents (batch, latent_dim), labels (batch,)]` to images
        `(batch, *image_shape)`, float32 in [-1, 1].

    Raises:
        ValueError: for a shape, blocks or a number that cannot be built.
    """
    side, blocks = _planned(image_shape, blocks)
    options: dict[str, Any] = {"truncation": truncation, "stats": stats, "epsilon": epsilon}
    latents = keras.Input((checks.count("latent_dim", latent_dim),), name="latents")
    labels = keras.Input((), dtype="int32", name="labels")
    classes = checks.count("num_classes", num_classes, 2)
    embedded = layers.Embedding(classes, checks.count("class_dim", class_dim), name="embedding")(
        labels
    )
    # As the authors draw them: a normal that is truncated at 2, times the truncation.
    shorter = latents if truncation == 1.0 else layers.Rescaling(truncation)(latents)
    condition = layers.Concatenate()([shorter, embedded])
    first = blocks[0][1] * checks.count("width", width)
    x = layers.Dense(16 * first, name="from_latents")(condition)
    x = layers.Reshape((4, 4, first))(x)
    attention = _attention(side, blocks) if attention is None else attention
    for number, (doubles, before, after) in enumerate(blocks):
        if number == attention:
            x = SelfAttention2D(name="attention")(x)
        block = f"block_{number}"
        x = _block(x, condition, doubles, before * width, after * width, block, options)
    x = TruncatedBatchNormalization(conditional=False, name="normalization", **options)(x)
    x = layers.Conv2D(image_shape[2], 3, padding="same", name="to_rgb")(layers.ReLU()(x))
    images = layers.Activation("tanh", dtype="float32", name="images")(x)
    return keras.Model([latents, labels], images, name=name)


def _planned(image_shape, blocks):
    """The side of the images, and the blocks, checked."""
    height, width, _ = checks.image_shape(image_shape, minimum=16)
    if height != width or height & (height - 1):
        raise ValueError(
            "BigGAN-deep makes square images whose side is a power of two, from 16. "
            f"Received: image_shape={tuple(image_shape)}"
        )
    if blocks is None:
        sizes = [4 << level for level in range((height // 4).bit_length())]
        factors = _FACTORS.get(height, [min(16, height // size) for size in sizes])
        pairs = list(itertools.pairwise(factors))
        blocks = [block for a, b in pairs for block in ((False, a, a), (True, a, b))]
    blocks = [(bool(doubles), int(before), int(after)) for doubles, before, after in blocks]
    fits = all(a[2] == b[1] for a, b in itertools.pairwise(blocks))
    whole = all(after in (before, before / 2) for _, before, after in blocks)
    if not fits or not whole or 4 << sum(block[0] for block in blocks) != height:
        raise ValueError(
            "Blocks must follow each other, keep or halve their channels, and double 4 pixels to "
            f"the image's {height}. Received: blocks={blocks}"
        )
    return height, blocks


def _attention(side, blocks):
    """Before which block the size is 64, or half the image's."""
    size = 4
    for number, (doubles, _, _) in enumerate(blocks):
        if size == min(64, side // 2):
            return number
        size *= 2 if doubles else 1
    return None


def _block(x, condition, doubles, before, after, name, options):
    """Four convolutions beside a shortcut."""

    def activated(y, number):
        y = TruncatedBatchNormalization(name=f"{name}_bn_{number}", **options)([y, condition])
        return layers.ReLU()(y)

    def convolved(y, filters, size, number):
        return layers.Conv2D(filters, size, padding="same", name=f"{name}_conv_{number}")(y)

    y = convolved(activated(x, 0), before // 4, 1, 0)
    y = activated(y, 1)
    y = layers.UpSampling2D(2)(y) if doubles else y
    y = convolved(y, before // 4, 3, 1)
    y = convolved(activated(y, 2), before // 4, 3, 2)
    y = convolved(activated(y, 3), after, 1, 3)
    x = x[..., :after] if after < before else x
    x = layers.UpSampling2D(2)(x) if doubles else x
    return layers.Add(name=f"{name}_sum")([x, y])
