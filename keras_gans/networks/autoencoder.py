"""The auto-encoder that judges by how well it copies."""

import keras
from keras import layers

from keras_gans import checks
from keras_gans.networks import dcgan


def autoencoder_discriminator(
    image_shape,
    code_dim=64,
    width=64,
    max_width=512,
    depth=None,
    kernel_size=4,
    batch_normalization=True,
    name="autoencoder_discriminator",
):
    """A convolutional auto-encoder of DCGAN's halves (Zhao 2016, figure 1 and appendix).

    >>> network = keras_gans.networks.autoencoder_discriminator((28, 28, 1))
    >>> network.output_shape
    [(None, 28, 28, 1), (None, 64)]

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        code_dim: length of the code: short, or the auto-encoder copies anything.
        width: filters next to the image; each layer further in has twice as many.
        max_width: the most filters a layer may have.
        depth: how many times the grid is halved or doubled; `None` for as often as its shorter
            side stays 4 or more.
        kernel_size: of the convolutions, in pixels.
        batch_normalization: whether to normalise the inner layers.
        name: of the model.

    Returns:
        A `keras.Model` from images `(batch, *image_shape)` to `[reconstructions
        (batch, *image_shape) in [-1, 1], codes (batch, code_dim)]`, float32.
    """
    shape = checks.image_shape(image_shape, minimum=16)
    images = keras.Input(shape, name="images")
    x = dcgan.downsampled(images, width, max_width, depth, kernel_size, batch_normalization)
    codes = layers.Dense(checks.count("code_dim", code_dim), dtype="float32", name="codes")(
        layers.Flatten()(x)
    )

    def rectified(x):
        return layers.ReLU()(x)

    normalize = dcgan.normalized if batch_normalization else rectified
    x = normalize(dcgan.dense_grid(codes, dcgan.smallest_grid(shape, width, max_width, depth)))
    copy = dcgan.upsampled(
        x, shape, width, max_width, depth, kernel_size, normalize, name="reconstructions"
    )
    return keras.Model(images, [copy, codes], name=name)
