"""DCGAN discriminators with more heads than the logit: for classes, codes or features."""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gans import checks
from keras_gans.networks import dcgan


def acgan_discriminator(
    image_shape: Sequence[int],
    num_classes: int,
    width: int = 64,
    max_width: int = 512,
    depth: int | None = None,
    kernel_size: int = 4,
    batch_normalization: bool = True,
    dropout: float = 0.0,
    name: str = "acgan_discriminator",
) -> keras.Model:
    """`dcgan_discriminator` with a second head for the class (Odena 2017, section 3).

    >>> network = keras_gans.networks.acgan_discriminator((28, 28, 1), num_classes=10)
    >>> network.output_shape
    [(None, 1), (None, 10)]

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        num_classes: number of classes.
        width, max_width, depth, kernel_size, batch_normalization: see `dcgan_discriminator`.
        dropout: dropout rate before the heads, in [0, 1); the paper has 0.5 after every layer.
        name: of the model.

    Returns:
        A `keras.Model` from images `(batch, *image_shape)` to
        `[logits (batch, 1), class logits (batch, num_classes)]`, float32.
    """
    checks.count("num_classes", num_classes, 2)
    backbone = dcgan.Backbone(image_shape, width, max_width, depth, kernel_size)
    images = backbone.images()
    x = backbone.features(images, batch_normalization, dropout)
    heads = [dcgan.logits(x), dcgan.logits(x, num_classes, "class_logits")]
    return keras.Model(images, heads, name=name)


def infogan_discriminator(
    image_shape: Sequence[int],
    categorical: Sequence[int] = (10,),
    continuous: int = 2,
    width: int = 64,
    max_width: int = 512,
    depth: int | None = None,
    kernel_size: int = 4,
    code_units: int = 128,
    batch_normalization: bool = True,
    name: str = "infogan_discriminator",
) -> keras.Model:
    """`dcgan_discriminator` with Q, which predicts the codes, as heads (Chen 2016, appendix C.1).

    Q shares all convolutions, and has a dense layer of its own with batch normalisation before its
    heads.

    >>> network = keras_gans.networks.infogan_discriminator((28, 28, 1))
    >>> network.output_shape
    [(None, 1), (None, 10), (None, 2)]

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        categorical: number of classes of each categorical code.
        continuous: how many continuous codes.
        width, max_width, depth, kernel_size, batch_normalization: see `dcgan_discriminator`.
        code_units: units of Q's own layer.
        name: of the model.

    Returns:
        A `keras.Model` from images `(batch, *image_shape)` to `[logits (batch, 1), class logits
        (batch, k) for each categorical code, means (batch, continuous)]`, float32.
    """
    backbone = dcgan.Backbone(image_shape, width, max_width, depth, kernel_size)
    images = backbone.images()
    x = backbone.features(images, batch_normalization)
    q = layers.Dense(checks.count("code_units", code_units), use_bias=not batch_normalization)(x)
    if batch_normalization:
        q = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(q)
    q = layers.LeakyReLU(0.2)(q)
    heads = [dcgan.logits(x)]
    for number, k in enumerate(checks.counts("categorical", categorical, 2)):
        heads.append(dcgan.logits(q, k, f"class_logits_{number}"))
    if checks.count("continuous", continuous, 0):
        heads.append(dcgan.logits(q, continuous, "means"))
    return keras.Model(images, heads, name=name)


def semi_supervised_discriminator(
    image_shape: Sequence[int],
    num_classes: int,
    width: int = 64,
    max_width: int = 512,
    depth: int | None = None,
    kernel_size: int = 4,
    noise: float = 0.1,
    dropout: float = 0.5,
    name: str = "semi_supervised_discriminator",
) -> keras.Model:
    """A classifier that also returns its last features (Salimans 2016, section 5).

    The convolutions of DCGAN without batch normalisation, with Gaussian noise on the image and
    dropout on the features, the layer before the class logits.

    >>> network = keras_gans.networks.semi_supervised_discriminator((28, 28, 1), num_classes=10)
    >>> network.output_shape[0]
    (None, 10)

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        num_classes: number of classes.
        width, max_width, depth, kernel_size: see `dcgan_discriminator`.
        noise: standard deviation of the noise on the image in training, 0 or more.
        dropout: dropout rate before the class logits, in [0, 1).
        name: of the model.

    Returns:
        A `keras.Model` from images `(batch, *image_shape)` to
        `[class logits (batch, num_classes), features (batch, n)]`, float32.
    """
    checks.count("num_classes", num_classes, 2)
    backbone = dcgan.Backbone(image_shape, width, max_width, depth, kernel_size)
    x = images = backbone.images()
    if checks.weight("noise", noise):
        x = layers.GaussianNoise(noise)(x)
    x = backbone.downsampled(x, batch_normalization=False)
    features = layers.Flatten(dtype="float32", name="features")(x)
    x = layers.Dropout(dropout)(features) if checks.share("dropout", dropout) else features
    classes = dcgan.logits(x, num_classes, "class_logits")
    return keras.Model(images, [classes, features], name=name)


def feature_discriminator(
    image_shape: Sequence[int],
    width: int = 64,
    max_width: int = 512,
    depth: int | None = None,
    kernel_size: int = 4,
    batch_normalization: bool = True,
    level: int | None = None,
    name: str = "feature_discriminator",
) -> keras.Model:
    """`dcgan_discriminator` that also returns one of its feature maps (Larsen 2016, section 3.1).

    >>> network = keras_gans.networks.feature_discriminator((32, 32, 3), level=2)
    >>> network.output_shape
    [(None, 1), (None, 8, 8, 128)]

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        width, max_width, depth, kernel_size, batch_normalization: see `dcgan_discriminator`.
        level: which feature map, from 1: that after so many downsampling steps. `None` for the
            last.
        name: of the model.

    Returns:
        A `keras.Model` from images `(batch, *image_shape)` to `[logits (batch, 1), features
        (batch, height, width, filters)]`, float32.

    Raises:
        ValueError: for a shape or a number that cannot be built.
    """
    plain = dcgan.dcgan_discriminator(
        image_shape, width, max_width, depth, kernel_size, batch_normalization
    )
    maps = [layer.output for layer in plain.layers if isinstance(layer, layers.LeakyReLU)]
    level = len(maps) if level is None else checks.count("level", level)
    if level > len(maps):
        raise ValueError(
            f"The discriminator has {len(maps)} downsampling steps. Expected `level` of 1 to "
            f"{len(maps)}. Received: level={level}"
        )
    features = layers.Activation("linear", dtype="float32", name="features")(maps[level - 1])
    return keras.Model(plain.inputs, [plain.output, features], name=name)
