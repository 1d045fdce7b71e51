"""Depth to space: turns channels into pixels."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_gans import checks
from keras_gans.typing import Config, Shape, Tensor


@keras.saving.register_keras_serializable("keras_gans")
class PixelShuffle(keras.layers.Layer):
    """Turns `factor ** 2` channels into a `factor` times larger image.

    Input channel `(dy * factor + dx) * channels + c` becomes channel c of the pixel at row dy and
    column dx of each block: the order of `tf.nn.depth_to_space`. PyTorch's `PixelShuffle` counts
    `(c * factor + dy) * factor + dx` instead; to import such a convolution, reorder its filters by
    `pytorch_channels`.

    A convolution and this layer are a transposed convolution whose kernel size is a multiple of
    `factor`, so that each pixel is written equally often.

    Example:

    >>> x = np.arange(4.0).reshape(1, 1, 1, 4)
    >>> keras_gans.layers.PixelShuffle(2)(x).numpy()[0, :, :, 0]
    array([[0., 1.],
           [2., 3.]], dtype=float32)

    Args:
        factor: how many times larger each side becomes, 1 or more.
        **kwargs: of `keras.layers.Layer`, such as `name` and `dtype`.

    Input shape:
        `(batch, height, width, factor ** 2 * channels)`.

    Output shape:
        `(batch, factor * height, factor * width, channels)`.

    Raises:
        ValueError: for a factor below 1, or channels that are not a multiple of its square.

    References:
        Shi 2016, "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel
        Convolutional Neural Network", equation 4.
    """

    def __init__(self, factor: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = checks.count("factor", factor)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        number, height, width, channels = input_shape
        if channels is None or channels % self.factor**2:
            raise ValueError(
                f"Each pixel of the output takes a channel: their number must be known, and a "
                f"multiple of {self.factor**2} (`factor ** 2`). Change the filters of the layer "
                f"before. Received: factor={self.factor}, shape {tuple(input_shape)}"
            )
        height, width = (None if s is None else s * self.factor for s in (height, width))
        return (number, height, width, channels // self.factor**2)

    def build(self, input_shape: Shape) -> None:
        self.compute_output_shape(input_shape)  # raises for a wrong shape

    def call(self, inputs: Tensor) -> Tensor:
        # One transposition of four axes: TFLite's fast kernels take no more. Rows of the image
        # move into the batch; a pixel's column within its block is in the last axis already.
        height, width = ops.shape(inputs)[1:3]
        factor, channels = self.factor, inputs.shape[-1] // self.factor**2
        x = ops.reshape(inputs, (-1, width, factor, factor * channels))
        x = ops.transpose(x, (0, 2, 1, 3))
        return ops.reshape(x, (-1, height * factor, width * factor, channels))

    def get_config(self) -> Config:
        return {**super().get_config(), "factor": self.factor}


def pytorch_channels(factor: int, channels: int) -> np.ndarray:
    """Returns the order of the channels of PyTorch's `PixelShuffle` for this layer.

    For a convolution before a pixel shuffle, whose kernel and bias have the filters last, or for
    one after a pixel unshuffle, whose kernel has them third.

    >>> pytorch_channels(2, 3).tolist()
    [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]

    Args:
        factor: of the shuffle.
        channels: of the enlarged image.

    Returns:
        Array `(factor ** 2 * channels,)` of integers: `kernel[..., order]` gives here what `kernel`
        gives in PyTorch.
    """
    there = np.arange(channels * factor**2).reshape(channels, factor, factor)
    return there.transpose(1, 2, 0).ravel()
