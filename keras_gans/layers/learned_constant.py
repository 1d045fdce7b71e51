"""A learned feature map from which a synthesis network starts."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_gans import checks
from keras_gans.typing import Config, Shape, Tensor


@keras.saving.register_keras_serializable("keras_gans")
class LearnedConstant(keras.layers.Layer):
    """A learned feature map, the same for each example; of its input it takes the batch alone.

    >>> keras_gans.layers.LearnedConstant((4, 4, 8))(np.zeros((2, 16))).shape
    TensorShape([2, 4, 4, 8])

    Args:
        shape: `(height, width, channels)`.
        **kwargs: of `keras.layers.Layer`, such as `name` and `dtype`.

    Input shape:
        `(batch, ...)`.

    Output shape:
        `(batch, height, width, channels)`.

    References:
        Karras 2019, "A Style-Based Generator Architecture for Generative Adversarial Networks",
        section 2.
    """

    def __init__(self, shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shape = checks.image_shape(shape)

    def build(self, input_shape: Shape) -> None:
        self.constant = self.add_weight(
            shape=self.shape,
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            name="constant",
        )

    def call(self, inputs: Tensor) -> Tensor:
        repeats = (ops.shape(inputs)[0], 1, 1, 1)
        return ops.tile(ops.expand_dims(self.constant, 0), repeats)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], *self.shape)

    def get_config(self) -> Config:
        return {**super().get_config(), "shape": list(self.shape)}
