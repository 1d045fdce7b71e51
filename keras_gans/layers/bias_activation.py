"""Bias, leaky ReLU with a gain, and a limit: what follows a convolution of StyleGAN2."""

import math
from typing import Any

import keras
from keras import ops

from keras_gans import checks
from keras_gans.typing import Config, Shape, Tensor

_SLOPE = 0.2
_GAIN = math.sqrt(2.0)  # keeps the second moment of a normal input, nearly


def require_activation(activation: str | None) -> str | None:
    """Returns an activation that equalized layers have. Raises ValueError for another one."""
    if activation not in (None, "leaky_relu"):
        raise ValueError(
            "`activation` must be 'leaky_relu', of slope 0.2 and gain sqrt(2), or None. "
            f"Received: activation={activation!r}"
        )
    return activation


def activated(x: Tensor, bias: Tensor | None, activation: str | None) -> Tensor:
    """Adds a bias; then leaky ReLU of slope 0.2 times sqrt(2), or nothing."""
    if activation is None:
        return x if bias is None else x + bias
    # The gain comes first, which changes no value. It keeps converters from adding a noise map of
    # the layer before and the bias into one constant of the feature map's whole size.
    x = x * _GAIN
    return ops.leaky_relu(x if bias is None else x + bias * _GAIN, _SLOPE)


@keras.saving.register_keras_serializable("keras_gans")
class BiasActivation(keras.layers.Layer):
    """Adds a bias for each channel, then leaky ReLU times sqrt(2), a limit, and a gain.

    `gain * clip(sqrt(2) * leaky_relu(x + bias), -clamp, clamp)`, slope 0.2.

    >>> x = np.array([[1.0, -1.0, 9.0]])
    >>> keras_gans.layers.BiasActivation(clamp=5.0)(x).numpy().round(3)
    array([[ 1.414, -0.283,  5.   ]], dtype=float32)

    Args:
        activation: `"leaky_relu"`, or `None` for the bias, limit and gain alone.
        clamp: largest absolute value before the gain, above 0; it keeps float16 finite. `None` for
            no limit.
        gain: of the output, such as sqrt(1/2) where two branches are added.
        **kwargs: of `keras.layers.Layer`, such as `name` and `dtype`.

    Input shape:
        `(batch, ..., channels)`.

    Output shape:
        The same.

    References:
        Karras 2020, "Analyzing and Improving the Image Quality of StyleGAN", appendix B; the limit:
        "Training Generative Adversarial Networks with Limited Data", appendix D.1.
    """

    def __init__(
        self,
        activation: str | None = "leaky_relu",
        clamp: float | None = None,
        gain: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.activation = require_activation(activation)
        self.clamp = None if clamp is None else checks.positive("clamp", clamp)
        self.gain = checks.positive("gain", gain)

    def build(self, input_shape: Shape) -> None:
        self.bias = self.add_weight(shape=input_shape[-1:], initializer="zeros", name="bias")

    def call(self, inputs: Tensor) -> Tensor:
        x = activated(inputs, self.bias, self.activation)
        x = x if self.clamp is None else ops.clip(x, -self.clamp, self.clamp)
        return x if self.gain == 1.0 else x * self.gain

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> Config:
        own = {"activation": self.activation, "clamp": self.clamp, "gain": self.gain}
        return {**super().get_config(), **own}
