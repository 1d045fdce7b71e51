"""A dense layer whose kernel is scaled as it runs: equalized learning rate."""

import math
from typing import Any

import keras
from keras import ops

from keras_gans import checks
from keras_gans.layers.bias_activation import activated, require_activation
from keras_gans.typing import Config, Shape, Tensor


@keras.saving.register_keras_serializable("keras_gans")
class EqualizedDense(keras.layers.Layer):
    """A dense layer with equalized learning rate.

    The kernel is drawn from a standard normal divided by `lr_multiplier`, and multiplied by
    `lr_multiplier / sqrt(inputs)` as the layer runs, the bias by `lr_multiplier`. So Adam, whose
    steps do not depend on the scale of a gradient, moves all layers equally fast in proportion to
    what they do; and `lr_multiplier` is a learning rate of this layer's own.

    >>> layer = keras_gans.layers.EqualizedDense(3, activation="leaky_relu", lr_multiplier=0.01)
    >>> layer(np.ones((2, 8))).shape
    TensorShape([2, 3])

    Args:
        units: outputs.
        activation: `"leaky_relu"` (slope 0.2, times sqrt(2)), or `None`.
        lr_multiplier: factor on the learning rate of this layer; 0.01 in a mapping network.
        bias: what the bias is at first, as it acts.
        **kwargs: of `keras.layers.Layer`, such as `name` and `dtype`.

    Input shape:
        `(batch, inputs)`.

    Output shape:
        `(batch, units)`.

    References:
        Karras 2018, "Progressive Growing of GANs for Improved Quality, Stability, and Variation",
        section 4.1.
    """

    def __init__(
        self,
        units: int,
        activation: str | None = None,
        lr_multiplier: float = 1.0,
        bias: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = checks.count("units", units)
        self.activation = require_activation(activation)
        self.lr_multiplier = checks.positive("lr_multiplier", lr_multiplier)
        self.initial_bias = bias

    def build(self, input_shape: Shape) -> None:
        inputs = input_shape[-1]
        self.kernel = self.add_weight(
            shape=(inputs, self.units),
            initializer=keras.initializers.RandomNormal(stddev=1.0 / self.lr_multiplier),
            name="kernel",
        )
        self.bias = self.add_weight(
            shape=(self.units,),
            initializer=keras.initializers.Constant(self.initial_bias / self.lr_multiplier),
            name="bias",
        )

    def call(self, inputs: Tensor) -> Tensor:
        scale = self.lr_multiplier / math.sqrt(self.kernel.shape[0])
        x = ops.matmul(inputs, self.kernel * scale)
        return activated(x, self.bias * self.lr_multiplier, self.activation)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> Config:
        own = {
            "units": self.units,
            "activation": self.activation,
            "lr_multiplier": self.lr_multiplier,
            "bias": self.initial_bias,
        }
        return {**super().get_config(), **own}
