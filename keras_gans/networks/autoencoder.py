"""The auto-encoder whose reconstruction error is EBGAN's energy."""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gans import checks
from keras_gans.networks import dcgan


def autoencoder_discriminator(
    image_shape: Sequence[int],
    code_dim: int = 64,
    width: int = 64,
    max_width: int = 512,
    depth: int | None = None,
    kernel_size: int = 4,
    batch_normalization: bool = True,
    name: str = "autoencoder_discriminator",
) -> keras.Model:
    """A convolutional auto-encoder of DCGAN's halves (Zhao 2016, figure 1 and appendix).

    >>> network = keras_gans.networks.autoencoder_discriminator((28, 28, 1))
    >>> network.output_shape
    [(None, 28, 28, 1), (None, 64)]

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        code_dim: length of the code; a long one lets the auto-encoder copy any image.
        width, max_width, depth, kernel_size: of both halves; see `dcgan_discriminator`.
        batch_normalization: whether it follows the inner layers.
        name: of the model.

    Returns:
        A `keras.Model` from images `(batch, *image_shape)` to `[reconstructions
        (batch, *image_shape) in [-1, 1], codes (batch, code_dim)]`, float32.
    """
    backbone = dcgan.Backbone(image_shape, width, max_width, depth, kernel_size)
    images = backbone.images()
    x = backbone.downsampled(images, batch_normalization)
    codes = layers.Dense(checks.count("code_dim", code_dim), dtype="float32", name="codes")(
        layers.Flatten()(x)
    )

    def rectified(x):
        return layers.ReLU()(x)

    normalize = dcgan.normalized if batch_normalization else rectified
    x = normalize(backbone.dense(codes))
    copy = backbone.upsampled(x, normalize, name="reconstructions")
    return keras.Model(images, [copy, codes], name=name)
