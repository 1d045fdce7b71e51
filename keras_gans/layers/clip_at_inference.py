"""Clipping at inference only."""

from typing import Any

import keras
from keras import ops

from keras_gans.typing import Config, Shape, Tensor


@keras.saving.register_keras_serializable("keras_gans")
class ClipAtInference(keras.layers.Layer):
    """Clips values to a range, except in training.

    The outputs of a network with a linear output can exceed the range of images. They are clipped
    at inference; not in training, because a clipped pixel has no gradient.

    Example:

    >>> clip = ClipAtInference(0.0, 1.0)
    >>> clip(np.array([-0.5, 0.5, 1.5])).numpy().tolist()
    [0.0, 0.5, 1.0]
    >>> clip(np.array([-0.5, 0.5, 1.5]), training=True).numpy().tolist()
    [-0.5, 0.5, 1.5]

    Args:
        low: smallest output.
        high: largest output, above `low`.
        **kwargs: of `keras.layers.Layer`, such as `name` and `dtype`.

    Input shape:
        Any.

    Output shape:
        That of the input.

    Raises:
        ValueError: if `low` is not below `high`.
    """

    def __init__(self, low: float = -1.0, high: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not low < high:
            raise ValueError(f"`low` must be below `high`. Received: low={low!r}, high={high!r}")
        self.low, self.high = float(low), float(high)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        return inputs if training else ops.clip(inputs, self.low, self.high)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> Config:
        return {**super().get_config(), "low": self.low, "high": self.high}
