"""A low-pass filter after upsampling, which takes away the grid that it leaves."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_gans.typing import Shape, Tensor

# The binomial filter of three pixels; at a period of two pixels its response is 0.
_TAPS = np.array([0.25, 0.5, 0.25])


@keras.saving.register_keras_serializable("keras_gans")
class Blur2D(keras.layers.Layer):
    """Smooths images by [1, 2, 1] / 4 along rows and along columns.

    A pattern that repeats every two pixels becomes its mean, up to the border, because the images
    are padded by reflection. So a transposed convolution of stride 2 before this layer leaves no
    grid. It has no weights.

    Example:

    >>> x = np.array([1.0, 3.0, 1.0, 3.0]).reshape(1, 1, 4, 1) * np.ones((1, 2, 1, 1))
    >>> keras_gans.layers.Blur2D()(x).numpy()[0, 0, :, 0]
    array([2., 2., 2., 2.], dtype=float32)

    Args:
        **kwargs: of `keras.layers.Layer`, such as `name` and `dtype`.

    Input shape:
        `(batch, height, width, channels)`, 2 pixels or more a side.

    Output shape:
        That of the input.

    Raises:
        ValueError: for images with a side of 1 pixel, or an unknown number of channels.

    References:
        Zhang 2019, "Making Convolutional Networks Shift-Invariant Again", section 3.2; Karras 2019,
        "A Style-Based Generator Architecture for Generative Adversarial Networks", appendix C.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        _, height, width, channels = input_shape
        if channels is None or 1 in (height, width):
            raise ValueError(
                "Blur needs a known number of channels, and images of 2 pixels or more a side, "
                f"which it pads by reflection. Received: shape {tuple(input_shape)}"
            )
        return tuple(input_shape)

    def build(self, input_shape: Shape) -> None:
        self.compute_output_shape(input_shape)  # raises for a wrong shape

    def call(self, inputs: Tensor) -> Tensor:
        kernel = np.outer(_TAPS, _TAPS)[:, :, None, None].repeat(inputs.shape[-1], axis=2)
        kernel = ops.convert_to_tensor(kernel.astype("float32"), dtype=inputs.dtype)
        x = ops.pad(inputs, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
        return ops.depthwise_conv(x, kernel)
