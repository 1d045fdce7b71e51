"""The pair of StyleGAN2, Karras 2020 (arXiv:1912.04958), with the conditions of its ADA.

The generator is three things in a row, each usable apart: `get_layer("mapping")`, from latents to
a style `w`; `get_layer("truncation")`, from one `w` to a vector for each layer, moved towards the
average; `get_layer("synthesis")`, from those vectors to images.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from keras_gans import checks
from keras_gans.layers import (
    BiasActivation,
    EqualizedConv2D,
    EqualizedDense,
    EqualizedEmbedding,
    FilteredResampling2D,
    LearnedConstant,
    MinibatchStdDev,
    ModulatedConv2D,
    NoiseInjection,
    PixelNormalization,
    StyleTruncation,
)
from keras_gans.layers.clip_at_inference import ClipAtInference
from keras_gans.layers.noise_injection import require_noise
from keras_gans.networks.augmented import augmented
from keras_gans.typing import Augment, Tensor

_SMALLEST = 4  # pixels of the shorter side where the generator starts
_BASE = 32768  # channels times pixels of the shorter side, the authors'


def stylegan2_generator(
    image_shape: Sequence[int],
    latent_dim: int = 512,
    style_dim: int = 512,
    num_classes: int | None = None,
    width: int | None = None,
    max_width: int = 512,
    mapping_layers: int = 8,
    noise: str | None = "const",
    psi: float | None = 1.0,
    cutoff: int | None = None,
    clamp: float | None = None,
    name: str = "stylegan2_generator",
) -> keras.Model:
    """The generator of StyleGAN2: mapping, truncation, and synthesis with skip connections.

    Dense layers map a latent to a style. From a learned 4x4 map, modulated convolutions draw larger
    and larger ones; at each size an image is added to the upsampled one before. Images are linear
    in training, and clipped to [-1, 1] at inference.

    >>> network = keras_gans.networks.stylegan2_generator((32, 32, 3), width=4, max_width=8)
    >>> network.output_shape
    (None, 32, 32, 3)
    >>> synthesis = network.get_layer("synthesis")  # a style for each of its layers
    >>> synthesis.input_shape
    (None, 8, 512)

    Args:
        image_shape: `(height, width, channels)`; powers of two, from 8.
        latent_dim: length of a latent.
        style_dim: length of a style.
        num_classes: for a class-conditional generator, of `[latents, labels]`; `None` for one
            without classes.
        width: channels at the image's size; each smaller size has twice as many. `None` for the
            authors': 32768 by the shorter side, 128 at 256x256.
        max_width: the most channels a size may have.
        mapping_layers: dense layers of the mapping network.
        noise: at inference, as of `layers.NoiseInjection`: `"const"`, `"random"` or `"none"`; in
            training it is random. `None` builds the network without layers of noise.
        psi: truncation at inference, as of `layers.StyleTruncation`; `None` makes it a further,
            last input: float32 `(batch,)`, one for each image. See also `networks.truncated`.
        cutoff: how many of the first styles are truncated; `None` for all.
        clamp: largest absolute value of a feature map, for float16: 256 in the authors' program.
        name: of the model.

    Returns:
        A `keras.Model` from latents `(batch, latent_dim)`, or from a list of latents, int32 labels
        `(batch,)` if there are classes, and `psi` if it is an input, to images
        `(batch, *image_shape)`, float32, in [-1, 1] at inference.

    Raises:
        ValueError: for sizes that are no powers of two, or a number that cannot be built.

    References:
        Karras 2020, "Analyzing and Improving the Image Quality of StyleGAN", figures 2 and 7;
        classes: Karras 2020, "Training Generative Adversarial Networks with Limited Data",
        appendix D.1.
    """
    mapping = _mapping(
        checks.count("latent_dim", latent_dim), style_dim, num_classes, mapping_layers
    )
    synthesis = _synthesis(image_shape, style_dim, width, max_width, noise, clamp)
    fixed = 1.0 if psi is None else psi
    truncation = StyleTruncation(
        synthesis.input_shape[1], fixed, cutoff, dtype="float32", name="truncation"
    )
    clip = ClipAtInference(dtype="float32", name="images")
    return _in_a_row(
        mapping, truncation, synthesis, clip, {} if psi is None else {"psi": None}, name
    )


def _in_a_row(mapping, truncation, synthesis, last, given, name):
    """The parts of a generator as one network.

    Args:
        given: `psi` and `cutoff` for the truncation, `None` for its own; where there is no `psi`
            in it, that becomes an input.
    """
    inputs = [keras.Input(x.shape[1:], dtype=x.dtype, name=x.name) for x in mapping.inputs]
    w = mapping(inputs if len(inputs) > 1 else inputs[0])
    if "psi" not in given:
        inputs.append(keras.Input((), dtype="float32", name="psi"))
        given = {**given, "psi": inputs[-1]}
    images = last(synthesis(truncation(w, **given)))
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], images, name=name)


def stylegan2_discriminator(
    image_shape: Sequence[int],
    num_classes: int | None = None,
    width: int | None = None,
    max_width: int = 512,
    residual: bool = True,
    mapping_layers: int = 8,
    group_size: int | None = 4,
    features: int = 1,
    clamp: float | None = None,
    augment: Augment = (),
    name: str = "stylegan2_discriminator",
) -> keras.Model:
    """The discriminator of StyleGAN2: residual blocks, and the standard deviation of groups.

    With classes, the logit is the inner product of the features and what a mapping network makes of
    the class, by the square root of their number.

    >>> network = keras_gans.networks.stylegan2_discriminator((32, 32, 3), width=4, max_width=8)
    >>> network.output_shape
    (None, 1)

    Args:
        image_shape: `(height, width, channels)`; powers of two, from 8.
        num_classes: for a class-conditional discriminator, of `[images, labels]`.
        width, max_width: see `stylegan2_generator`.
        residual: has each block a shortcut? The authors' networks for CIFAR-10 have none.
        mapping_layers: dense layers of the mapping network of classes.
        group_size, features: of `layers.MinibatchStdDev`; 0 features leave it out.
        clamp: largest absolute value of a feature map, for float16.
        augment: as of `dcgan_discriminator`; `"bgc"` makes it that of StyleGAN2-ADA.
        name: of the model.

    Returns:
        A `keras.Model` from images `(batch, *image_shape)`, or `[images, labels]`, to logits
        `(batch, 1)`, float32.

    Raises:
        ValueError: for sizes that are no powers of two, or a number that cannot be built.

    References:
        Karras 2020, "Analyzing and Improving the Image Quality of StyleGAN", figure 7.
    """
    grids, widths = _plan(image_shape, width, max_width)
    x = images = keras.Input(image_shape, name="images")
    x = augmented(x, augment)
    x = _activated(x, widths[-1], 1, "from_rgb", clamp)
    for level in reversed(range(1, len(grids))):
        x = _block(x, widths[level - 1], f"b{min(grids[level])}", residual, clamp)
    block = f"b{min(grids[0])}"
    if checks.count("features", features, 0):
        x = MinibatchStdDev(group_size, features, dtype="float32", name=f"{block}_std_dev")(x)
    x = _activated(x, widths[0], 3, f"{block}_conv", clamp, dtype="float32")
    x = layers.Flatten(dtype="float32")(x)
    x = EqualizedDense(widths[0], "leaky_relu", dtype="float32", name=f"{block}_fc")(x)
    if num_classes is None:
        logits = EqualizedDense(1, dtype="float32", name="logits")(x)
        return keras.Model(images, logits, name=name)
    x = EqualizedDense(widths[0], dtype="float32", name=f"{block}_out")(x)
    mapping = _mapping(0, widths[0], num_classes, mapping_layers)
    labels = keras.Input((), dtype="int32", name="labels")
    product = layers.Dot(axes=1, dtype="float32")([x, mapping(labels)])
    scale = 1.0 / math.sqrt(widths[0])
    logits = layers.Rescaling(scale, dtype="float32", name="logits")(product)
    return keras.Model([images, labels], logits, name=name)


def truncated(
    generator: keras.Model, psi: float | None = None, cutoff: int | None = None
) -> keras.Model:
    """Returns a StyleGAN2 generator with another truncation, which shares the weights.

    >>> generator = keras_gans.networks.stylegan2_generator((8, 8, 1), width=4)
    >>> typical = keras_gans.networks.truncated(generator, psi=0.5)
    >>> chosen = keras_gans.networks.truncated(generator)
    >>> chosen([np.zeros((2, 512)), np.array([0.5, 1.0])]).shape
    TensorShape([2, 8, 8, 1])

    Args:
        generator: of `stylegan2_generator`.
        psi: as of `layers.StyleTruncation`; `None` makes it a further, last input: float32
            `(batch,)`, one for each image.
        cutoff: how many of the first styles are truncated; `None` for the generator's own.

    Returns:
        A `keras.Model` from the generator's inputs, and `psi` where it is `None`, to its images.

    Raises:
        ValueError: for a generator that has no styles, or a `psi` or `cutoff` out of range.
    """
    mapping, truncation, synthesis = parts(generator)
    given: dict[str, Any] = {"cutoff": cutoff} if cutoff is not None else {}
    if psi is not None:
        given["psi"] = float(checks.floats("psi", psi))
    # What follows the synthesis, such as clipping, is the generator's own.
    name = f"truncated_{generator.name}"
    return _in_a_row(mapping, truncation, synthesis, generator.layers[-1], given, name)


def parts(generator: keras.Model) -> tuple[keras.Model, StyleTruncation, keras.Model]:
    """Returns the mapping network, the truncation and the synthesis network of a generator.

    Raises:
        ValueError: for a generator that has no styles.
    """
    found = {layer.name: layer for layer in getattr(generator, "layers", ())}
    names = ("mapping", "truncation", "synthesis")
    if not all(name in found for name in names):
        raise ValueError(
            "Only a generator with styles has a mapping and a synthesis network. Expected one of "
            f"`networks.stylegan2_generator`. Received: {getattr(generator, 'name', generator)!r}"
        )
    mapping, truncation, synthesis = (found[name] for name in names)
    return mapping, truncation, synthesis


def _plan(image_shape, width, max_width):
    """Returns the sizes from the smallest to the image, and their channels."""
    *sides, _ = checks.image_shape(image_shape, minimum=2 * _SMALLEST)
    if any(side & (side - 1) for side in sides):
        raise ValueError(
            "StyleGAN2 doubles its images from 4 pixels on, so that height and width must be "
            "powers of two, from 8; they may differ. Crop or resize the images. "
            f"Received: image_shape={tuple(image_shape)}"
        )
    shorter = min(sides)
    width = max(_BASE // shorter, 1) if width is None else checks.count("width", width)
    checks.count("max_width", max_width)
    factors = [2**level for level in range((shorter // _SMALLEST).bit_length())]
    grids = [tuple(side // factor for side in sides) for factor in factors]
    return grids[::-1], [min(width * factor, max_width) for factor in factors][::-1]


def _mapping(latent_dim, style_dim, num_classes, depth):
    """Dense layers from a normalised latent, a normalised embedded class, or both in a row."""
    inputs, vectors = [], []
    if latent_dim:
        inputs.append(keras.Input((latent_dim,), name="latents"))
        vectors.append(inputs[-1])
    if num_classes is not None:
        inputs.append(keras.Input((), dtype="int32", name="labels"))
        embedding = EqualizedEmbedding(num_classes, style_dim, dtype="float32", name="embedding")
        vectors.append(embedding(inputs[-1]))
    x = [PixelNormalization(dtype="float32")(vector) for vector in vectors]
    x = layers.Concatenate(dtype="float32")(x) if len(x) > 1 else x[0]
    for number in range(checks.count("mapping_layers", depth)):
        x = EqualizedDense(
            checks.count("style_dim", style_dim),
            "leaky_relu",
            lr_multiplier=0.01,
            dtype="float32",
            name=f"fc{number}",
        )(x)
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], x, name="mapping")


def _synthesis(image_shape, style_dim, width, max_width, noise, clamp):
    """From a style for each layer to images, not clipped."""
    grids, widths = _plan(image_shape, width, max_width)
    if noise is not None:
        require_noise(noise)
    styles = keras.Input((2 * len(grids), style_dim), name="styles")
    w = ops.unstack(styles, 2 * len(grids), axis=1)
    x, image = LearnedConstant((*grids[0], widths[0]), name="constant")(styles), None
    for level, (grid, channels) in enumerate(zip(grids, widths)):
        block = f"b{min(grid)}"
        if level:
            x = _styled(x, w[2 * level - 1], channels, f"{block}_conv0", noise, clamp, up=2)
        x = _styled(x, w[2 * level], channels, f"{block}_conv1", noise, clamp)
        convolution = ModulatedConv2D(image_shape[2], 1, demodulate=False, name=f"{block}_to_rgb")
        y = convolution([x, w[2 * level + 1]])
        y = BiasActivation(None, clamp, dtype="float32", name=f"{block}_to_rgb_bias")(y)
        if image is not None:
            upsample = FilteredResampling2D(up=2, dtype="float32", name=f"{block}_upsample")
            y = layers.Add(dtype="float32", name=f"{block}_image")([upsample(image), y])
        image = y
    return keras.Model(styles, image, name="synthesis")


def _styled(x: Tensor, w, channels, name, noise, clamp, up=1) -> Tensor:
    """A modulated convolution, noise, bias and activation."""
    x = ModulatedConv2D(channels, up=up, name=name)([x, w])
    if noise is not None:
        x = NoiseInjection(noise, name=f"{name}_noise")(x)
    return BiasActivation(clamp=clamp, name=f"{name}_bias")(x)


def _activated(x, channels, size, name, clamp, down=1, gain=1.0, dtype=None):
    """A convolution, bias and activation."""
    x = EqualizedConv2D(channels, size, down, use_bias=False, dtype=dtype, name=name)(x)
    return BiasActivation(clamp=clamp, gain=gain, dtype=dtype, name=f"{name}_bias")(x)


def _block(x, channels, name, residual, clamp):
    """Two convolutions, the second of which halves the image, beside a shortcut."""
    gain = math.sqrt(0.5) if residual else 1.0  # of two branches that are added
    y = _activated(x, x.shape[-1], 3, f"{name}_conv0", clamp)
    y = _activated(y, channels, 3, f"{name}_conv1", clamp, down=2, gain=gain)
    if not residual:
        return y
    shortcut = EqualizedConv2D(channels, 1, 2, use_bias=False, gain=gain, name=f"{name}_skip")
    return layers.Add(name=f"{name}_sum")([shortcut(x), y])
