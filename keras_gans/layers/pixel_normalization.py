"""Pixel normalisation: every feature vector gets a second moment of 1."""

from typing import Any

import keras
from keras import ops

from keras_gans import checks
from keras_gans.typing import Config, Shape, Tensor


@keras.saving.register_keras_serializable("keras_gans")
class PixelNormalization(keras.layers.Layer):
    """Divides each vector of the last axis by its root mean square.

    `x / sqrt(mean(x^2) + epsilon)`: of a feature map each pixel on its own, of `(batch, size)` each
    example. Nothing is learned, and no mean is subtracted.

    >>> keras_gans.layers.PixelNormalization()(np.array([[3.0, 4.0]])).numpy().round(3)
    array([[0.849, 1.131]], dtype=float32)

    Args:
        epsilon: added to the mean square.
        **kwargs: of `keras.layers.Layer`, such as `name` and `dtype`.

    Input shape:
        Any.

    Output shape:
        The same.

    References:
        Karras 2018, "Progressive Growing of GANs for Improved Quality, Stability, and Variation",
        section 4.2.
    """

    def __init__(self, epsilon: float = 1e-8, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.epsilon = checks.positive("epsilon", epsilon)

    def call(self, inputs: Tensor) -> Tensor:
        x = ops.cast(inputs, "float32")
        mean = ops.mean(ops.square(x), axis=-1, keepdims=True)
        return ops.cast(x * ops.rsqrt(mean + self.epsilon), inputs.dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> Config:
        return {**super().get_config(), "epsilon": self.epsilon}
