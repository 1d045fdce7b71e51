"""DCGAN discriminators that say more than "real": the class, the codes, features."""

import keras
from keras import layers

from keras_gans import checks
from keras_gans.networks import dcgan


def acgan_discriminator(
    image_shape,
    num_classes,
    width=64,
    max_width=512,
    depth=None,
    kernel_size=4,
    batch_normalization=True,
    dropout=0.0,
    name="acgan_discriminator",
):
    """`dcgan_discriminator` with a second head for the class (Odena 2017, section 3).

    >>> network = keras_gans.networks.acgan_discriminator((28, 28, 1), num_classes=10)
    >>> network.output_shape
    [(None, 1), (None, 10)]

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        num_classes: how many classes there are.
        width: filters of the first layer; each later one has twice as many.
        max_width: the most filters a layer may have.
        depth: how many times the grid is halved or doubled; `None` for as often as its shorter
            side stays 4 or more.
        kernel_size: of the convolutions, in pixels.
        batch_normalization: `False` for critics that must judge each image by itself.
        dropout: share of values dropped before the heads in training, in [0, 1); the paper has
            0.5 after every layer.
        name: of the model.

    Returns:
        A `keras.Model` from images `(batch, *image_shape)` to
        `[logits (batch, 1), class logits (batch, num_classes)]`, float32.
    """
    checks.count("num_classes", num_classes, 2)
    images = keras.Input(checks.image_shape(image_shape, minimum=16), name="images")
    x = dcgan.downsampled(images, width, max_width, depth, kernel_size, batch_normalization)
    x = layers.Flatten()(x)
    if checks.share("dropout", dropout):
        x = layers.Dropout(dropout)(x)
    heads = [dcgan.logits(x), dcgan.logits(x, num_classes, "class_logits")]
    return keras.Model(images, heads, name=name)


def infogan_discriminator(
    image_shape,
    categorical=(10,),
    continuous=2,
    width=64,
    max_width=512,
    depth=None,
    kernel_size=4,
    code_units=128,
    batch_normalization=True,
    name="infogan_discriminator",
):
    """`dcgan_discriminator` with Q, which reads the codes, as heads (Chen 2016, appendix C.1).

    Q shares all convolutions and has a dense layer of its own, normalised over the batch, before
    its heads.

    >>> network = keras_gans.networks.infogan_discriminator((28, 28, 1))
    >>> network.output_shape
    [(None, 1), (None, 10), (None, 2)]

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        categorical: number of classes of each categorical code.
        continuous: how many continuous codes.
        width: filters of the first layer; each later one has twice as many.
        max_width: the most filters a layer may have.
        depth: how many times the grid is halved or doubled; `None` for as often as its shorter
            side stays 4 or more.
        kernel_size: of the convolutions, in pixels.
        code_units: units of Q's own layer.
        batch_normalization: `False` for critics that must judge each image by itself.
        name: of the model.

    Returns:
        A `keras.Model` from images `(batch, *image_shape)` to `[logits (batch, 1), class logits
        (batch, k) for each categorical code, means (batch, continuous)]`, float32.
    """
    images = keras.Input(checks.image_shape(image_shape, minimum=16), name="images")
    x = dcgan.downsampled(images, width, max_width, depth, kernel_size, batch_normalization)
    x = layers.Flatten()(x)
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
    image_shape,
    num_classes,
    width=64,
    max_width=512,
    depth=None,
    kernel_size=4,
    noise=0.1,
    dropout=0.5,
    name="semi_supervised_discriminator",
):
    """A classifier that also shows the features it decides by (Salimans 2016, section 5).

    The convolutions of DCGAN without batch normalisation, with Gaussian noise on the image and
    dropout on the features, the layer before the class logits.

    >>> network = keras_gans.networks.semi_supervised_discriminator((28, 28, 1), num_classes=10)
    >>> network.output_shape[0]
    (None, 10)

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        num_classes: how many classes there are.
        width: filters of the first layer; each later one has twice as many.
        max_width: the most filters a layer may have.
        depth: how many times the grid is halved or doubled; `None` for as often as its shorter
            side stays 4 or more.
        kernel_size: of the convolutions, in pixels.
        noise: standard deviation of the noise on the image in training.
        dropout: share of features dropped before the class logits in training, in [0, 1).
        name: of the model.

    Returns:
        A `keras.Model` from images `(batch, *image_shape)` to
        `[class logits (batch, num_classes), features (batch, n)]`, float32.
    """
    checks.count("num_classes", num_classes, 2)
    x = images = keras.Input(checks.image_shape(image_shape, minimum=16), name="images")
    if noise:
        x = layers.GaussianNoise(noise)(x)
    x = dcgan.downsampled(x, width, max_width, depth, kernel_size, False)
    features = layers.Flatten(dtype="float32", name="features")(x)
    x = layers.Dropout(dropout)(features) if checks.share("dropout", dropout) else features
    classes = dcgan.logits(x, num_classes, "class_logits")
    return keras.Model(images, [classes, features], name=name)
