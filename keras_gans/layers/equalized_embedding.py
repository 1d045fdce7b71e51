"""A learned vector for each class, scaled as it runs."""

import math
from typing import Any

import keras
from keras import ops

from keras_gans import checks
from keras_gans.typing import Config, Shape, Tensor


@keras.saving.register_keras_serializable("keras_gans")
class EqualizedEmbedding(keras.layers.Layer):
    """A vector for each class: an `EqualizedDense` of one-hot labels, without the zeros.

    >>> layer = keras_gans.layers.EqualizedEmbedding(10, 4)
    >>> layer(np.array([7, 7, 2])).shape
    TensorShape([3, 4])

    Args:
        num_classes: of the labels.
        units: length of a vector.
        **kwargs: of `keras.layers.Layer`, such as `name` and `dtype`.

    Input shape:
        `(batch,)`, integers in [0, num_classes).

    Output shape:
        `(batch, units)`.

    References:
        Karras 2020, "Training Generative Adversarial Networks with Limited Data", appendix D.1.
    """

    def __init__(self, num_classes: int, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_classes = checks.count("num_classes", num_classes, 2)
        self.units = checks.count("units", units)

    def build(self, input_shape: Shape) -> None:
        self.kernel = self.add_weight(
            shape=(self.num_classes, self.units),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            name="kernel",
        )
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")

    def call(self, inputs: Tensor) -> Tensor:
        rows = ops.take(self.kernel, ops.cast(inputs, "int32"), axis=0)
        return rows * (1.0 / math.sqrt(self.num_classes)) + self.bias

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape, self.units)

    def get_config(self) -> Config:
        return {**super().get_config(), "num_classes": self.num_classes, "units": self.units}
