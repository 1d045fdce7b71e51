"""Clipping that training does not see."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_gans")
class ClipAtInference(keras.layers.Layer):
    """Keeps values within a range, except in training.

    A network without a squashing activation at its end leaves the range of images here and there.
    What it makes is clipped; while it learns it is not, since a clipped pixel has no gradient that
    would bring it back.

    Example:

    >>> clip = ClipAtInference(0.0, 1.0)
    >>> clip(np.array([-0.5, 0.5, 1.5])).numpy().tolist()
    [0.0, 0.5, 1.0]
    >>> clip(np.array([-0.5, 0.5, 1.5]), training=True).numpy().tolist()
    [-0.5, 0.5, 1.5]

    Args:
        low: the smallest value that comes out.
        high: the largest one, above `low`.
        **kwargs: of `keras.layers.Layer`, such as `name` and `dtype`.

    Input shape:
        Any.

    Output shape:
        That of the input.

    Raises:
        ValueError: if `low` is not below `high`.
    """

    def __init__(self, low=-1.0, high=1.0, **kwargs):
        super().__init__(**kwargs)
        if not low < high:
            raise ValueError(f"`low` must be below `high`. Received: low={low!r}, high={high!r}")
        self.low, self.high = float(low), float(high)

    def call(self, inputs, training=False):
        return inputs if training else ops.clip(inputs, self.low, self.high)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "low": self.low, "high": self.high}
