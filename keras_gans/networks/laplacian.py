"""Networks of a Laplacian pyramid: one for each level (Denton 2015)."""

from collections.abc import Sequence

import keras
from keras import layers, ops

from keras_gans import checks
from keras_gans.layers.clip_at_inference import ClipAtInference
from keras_gans.networks import dcgan
from keras_gans.typing import Tensor


def downsampled(images: Tensor) -> Tensor:
    """Returns images of half the height and width: means of two by two pixels."""
    return layers.AveragePooling2D(2, dtype="float32")(images)


def upsampled(images: Tensor) -> Tensor:
    """Returns images of twice the height and width, by bilinear interpolation."""
    return layers.UpSampling2D(2, interpolation="bilinear", dtype="float32")(images)


def levels_of(network: keras.Model) -> list[keras.Model]:
    """Returns the networks of the levels that a network is joined of, the coarsest first."""
    return [layer for layer in network.layers if isinstance(layer, keras.Model)]


def laplacian_pyramid(levels: Sequence[keras.Model], name: str = "pyramid") -> keras.Model:
    """Joins the generators of the levels of a pyramid into one, which samples coarse to fine.

    The image of a level is upsampled, and the next level's generator adds to it what is finer
    (Denton 2015, equation 5).

    >>> pyramid = keras_gans.networks.laplacian_pyramid([
    ...     keras_gans.networks.dcgan_generator((16, 16, 1), latent_dim=8, width=4),
    ...     keras_gans.networks.laplacian_level_generator((32, 32, 1), latent_dim=8, width=4),
    ... ])
    >>> pyramid.input_shape, pyramid.output_shape
    ((None, 16), (None, 32, 32, 1))

    Args:
        levels: generators, the coarsest first: latents to images, and then, twice as large each,
            `[latents, images of the level before, upsampled]` to what is to be added. All have
            latents of one length.
        name: of the model.

    Returns:
        A `keras.Model` from `(batch, number of levels * latent_dim)` to the images of the finest
        level, float32, clipped to [-1, 1] at inference. A level is a layer of it.

    Raises:
        ValueError: for levels that are out of order, or do not fit each other.
    """
    levels = list(levels)
    _require_order(levels)
    latent_dim = levels[0].inputs[0].shape[-1]
    latents = keras.Input((len(levels) * latent_dim,), name="latents")
    parts = ops.split(latents, len(levels), axis=-1) if len(levels) > 1 else [latents]
    images = levels[0](parts[0])
    for level, part in zip(levels[1:], parts[1:]):
        low = upsampled(images)
        images = layers.Add(dtype="float32")([low, level([part, low])])
    images = ClipAtInference(dtype="float32", name="images")(images)
    return keras.Model(latents, images, name=name)


def _require_order(levels):
    """Raises ValueError unless generators are the levels of a pyramid, the coarsest first."""
    for number, level in enumerate(levels):
        checks.network(f"levels[{number}]", level)
    made = [tuple(level.outputs[0].shape)[1:] for level in levels]
    taken = [[tuple(tensor.shape)[1:] for tensor in level.inputs] for level in levels]
    if not levels or not _fit(made, taken):
        raise ValueError(
            "The levels of a pyramid come coarsest first, each twice as large as the one before: "
            "the first makes images of latents, the others of `[latents, images]` of their own "
            "size, all with one `latent_dim`. Order them so. "
            f"Received: images of {made}, made of {taken}"
        )
    names = [level.name for level in levels]
    if len(set(names)) < len(names):
        raise ValueError(
            "Each level of a pyramid is a layer with a name of its own. Build each with another "
            f"`name`. Received: {names}"
        )


def _fit(made, taken):
    """Do images and inputs have the shapes of a pyramid's levels?"""
    latents, first = taken[0][0], made[0]
    if len(latents) != 1 or len(first) != 3:
        return False
    height, width, channels = first
    shapes = [(height * 2**n, width * 2**n, channels) for n in range(len(made))]
    return made == shapes and taken == [[latents], *([latents, shape] for shape in shapes[1:])]


def laplacian_level_generator(
    image_shape: Sequence[int],
    latent_dim: int = 64,
    width: int = 32,
    name: str = "laplacian_level_generator",
) -> keras.Model:
    """The generator of one level: what a low-pass image lacks, from latents and that image.

    Two strided convolutions, the latents as further channels of the smallest feature map, and two
    transposed convolutions with skip connections. The paper's has two hidden convolutions at full
    size and one channel of noise (section 3.2); this one costs a fraction of it.

    Args:
        image_shape: `(height, width, channels)` of the level, multiples of 4.
        latent_dim: length of a latent.
        width: filters at half the size; twice as many at a quarter.
        name: of the model.

    Returns:
        A `keras.Model` from `[latents (batch, latent_dim), images (batch, *image_shape)]` to
        residuals `(batch, *image_shape)`, float32, of any size.
    """
    shape = _level_shape(image_shape)
    latents = keras.Input((checks.count("latent_dim", latent_dim),), name="latents")
    low = keras.Input(shape, name="images")
    half = _convolution(low, checks.count("width", width))
    quarter = _convolution(half, 2 * width)
    grid = (shape[0] // 4, shape[1] // 4, width)
    noise = layers.Dense(grid[0] * grid[1] * width, use_bias=False)(latents)
    x = layers.Concatenate()([quarter, layers.Reshape(grid)(noise)])
    x = layers.ReLU()(layers.Conv2D(2 * width, 3, padding="same")(x))
    x = layers.ReLU()(layers.Conv2DTranspose(width, 4, strides=2, padding="same")(x))
    x = layers.Concatenate()([x, half])
    x = layers.ReLU()(layers.Conv2DTranspose(width, 4, strides=2, padding="same")(x))
    x = layers.Concatenate()([x, low])
    residuals = layers.Conv2D(shape[2], 3, padding="same", dtype="float32", name="residuals")(x)
    return keras.Model([latents, low], residuals, name=name)


def _level_shape(image_shape):
    shape = checks.image_shape(image_shape, minimum=8)
    if shape[0] % 4 or shape[1] % 4:
        raise ValueError(
            "A level of a pyramid is divided by 4 on its way down. Expected multiples of 4. "
            f"Received: image_shape={shape}"
        )
    return shape


def _convolution(x, filters):
    return layers.LeakyReLU(0.2)(layers.Conv2D(filters, 4, strides=2, padding="same")(x))


def laplacian_generator(
    image_shape: Sequence[int],
    levels: int = 3,
    latent_dim: int = 192,
    width: int = 32,
    max_width: int = 256,
    name: str = "laplacian_generator",
) -> keras.Model:
    """A generator for each level of a pyramid, joined: `laplacian_pyramid`.

    The coarsest level is a `dcgan_generator`, the others are `laplacian_level_generator`s.

    >>> network = keras_gans.networks.laplacian_generator((64, 64, 3), latent_dim=192)
    >>> network.input_shape, network.output_shape
    ((None, 192), (None, 64, 64, 3))

    Args:
        image_shape: `(height, width, channels)` of the finest level.
        levels: number of levels; the coarsest has 16 pixels a side or more.
        latent_dim: length of a latent; each level takes an equal part of it.
        width: filters at half the size of each level.
        max_width: the most filters a layer of the coarsest level may have.
        name: of the model.

    Returns:
        A `keras.Model` from latents `(batch, latent_dim)` to images `(batch, *image_shape)`,
        float32 in [-1, 1].

    Raises:
        ValueError: for a shape that cannot be halved so often, or latents that cannot be shared
            equally.
    """
    coarsest, *others = level_shapes(image_shape, levels)
    part, rest = divmod(checks.count("latent_dim", latent_dim), levels)
    if rest or not part:
        raise ValueError(
            "Each level takes an equal part of a latent. Expected a multiple of `levels`. "
            f"Received: latent_dim={latent_dim}, levels={levels}"
        )
    networks = [
        dcgan.dcgan_generator(coarsest, part, width, max_width, name=_name(coarsest)),
        *(laplacian_level_generator(s, part, width, name=_name(s)) for s in others),
    ]
    return laplacian_pyramid(networks, name=name)


def laplacian_discriminator(
    image_shape: Sequence[int],
    levels: int = 3,
    width: int = 32,
    max_width: int = 256,
    batch_normalization: bool = False,
    name: str = "laplacian_discriminator",
) -> keras.Model:
    """A discriminator for each level of a pyramid, in one model.

    Each is a `dcgan_discriminator`. From the second level on it sees an image and, as further
    channels, the low-pass image that it was made from, and compares both (Denton 2015, section
    3.1).

    >>> network = keras_gans.networks.laplacian_discriminator((64, 64, 3))
    >>> [tensor.shape[1:] for tensor in network.inputs]
    [(16, 16, 3), (32, 32, 3), (32, 32, 3), (64, 64, 3), (64, 64, 3)]

    Args:
        image_shape, levels, max_width: see `laplacian_generator`.
        width: filters of the first layer of each level.
        batch_normalization: see `dcgan_discriminator`.
        name: of the model.

    Returns:
        A `keras.Model` from images of the coarsest level and, of each other one, images and
        low-pass images, to a list of logits `(batch, 1)`, float32. A level is a layer of it.
    """
    inputs, logits = [], []
    for number, shape in enumerate(level_shapes(image_shape, levels)):
        given = [keras.Input(shape, name=f"images_{shape[0]}")]
        given += [keras.Input(shape, name=f"low_{shape[0]}")] if number else []
        backbone = dcgan.Backbone(shape, width, max_width)
        own = [keras.Input(shape, name=name) for name in ("images", "low")[: len(given)]]
        x = layers.Concatenate()(own) if number else own[0]
        x = dcgan.logits(backbone.features(x, batch_normalization))
        level = keras.Model(own if number else own[0], x, name=_name(shape))
        logits.append(level(given if number else given[0]))
        inputs += given
    return keras.Model(inputs, logits if len(logits) > 1 else logits[0], name=name)


def level_shapes(image_shape: Sequence[int], levels: int) -> list[tuple[int, int, int]]:
    """Returns the shapes of the levels of a pyramid, the coarsest first.

    >>> level_shapes((64, 64, 3), 3)
    [(16, 16, 3), (32, 32, 3), (64, 64, 3)]

    Raises:
        ValueError: for a shape that cannot be halved so often.
    """
    height, width, channels = checks.image_shape(image_shape, minimum=16)
    part = 2 ** (checks.count("levels", levels) - 1)
    if height % part or width % part or min(height, width) // part < 16:
        raise ValueError(
            "The coarsest level of a pyramid has 16 pixels a side or more, and each level twice as "
            "many. Give a larger image or fewer `levels`. "
            f"Received: levels={levels} for {height}x{width}"
        )
    steps = [2**n for n in reversed(range(levels))]
    return [(height // step, width // step, channels) for step in steps]


def _name(shape):
    return f"level_{shape[0]}"
