"""Minibatch standard deviation: one more channel that says how varied a group of images is."""

import math
from typing import Any

import keras
from keras import ops

from keras_gans import checks
from keras_gans.typing import Config, Shape, Tensor


@keras.saving.register_keras_serializable("keras_gans")
class MinibatchStdDev(keras.layers.Layer):
    """Appends constant channels: how much the examples of a group differ.

    For each value of an example the standard deviation over the group, `sqrt(variance + 1e-8)`,
    then the mean over all values: one number for each group, appended as one channel to each of
    its examples. With several `features` the channels are divided into as many equal parts, and
    each part has a mean and a channel of its own. Nothing is learned. It goes near the end of a
    discriminator.

    A batch of n falls into `n // group_size` groups, but at least one, and the example at place i
    belongs to group `i % groups`, as in the authors' program. Where n does not divide, some groups
    hold more than `group_size`; a batch smaller than `group_size` is one group. So no example is
    ever alone in its group, where the standard deviation is 0, unless it is alone in its batch.

    Real and generated examples must pass in batches of their own. On several replicas the batch
    is that of each replica. Gradient penalties, which ask for one slope for each example, count
    the other examples' share too.

    Example:

    >>> x = np.array([[1.0], [5.0], [3.0], [5.0]])
    >>> layer = keras_gans.layers.MinibatchStdDev(group_size=2)
    >>> layer(x).numpy().round(3)  # groups (1, 3) and (5, 5)
    array([[1., 1.],
           [5., 0.],
           [3., 1.],
           [5., 0.]], dtype=float32)

    Args:
        group_size: examples in a group, from 2; 4 is the authors' choice. `None` for the whole
            batch.
        features: channels to append.
        **kwargs: of `keras.layers.Layer`, such as `name` and `dtype`.

    Input shape:
        `(batch, ..., channels)`, all but the batch known.

    Output shape:
        `(batch, ..., channels + features)`.

    Raises:
        ValueError: for a group of less than 2, an input whose size is not known, or channels that
            do not divide into `features` parts.

    References:
        Karras 2018, "Progressive Growing of GANs for Improved Quality, Stability, and Variation",
        section 3.
    """

    def __init__(self, group_size: int | None = 4, features: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        whole = isinstance(group_size, int) and not isinstance(group_size, bool)
        if group_size is not None and (not whole or group_size < 2):
            raise ValueError(
                "The standard deviation of one example is always 0, so `group_size` must be an "
                f"integer of at least 2. Received: group_size={group_size!r}"
            )
        self.group_size = group_size
        self.features = checks.count("features", features)

    def build(self, input_shape: Shape) -> None:
        if len(input_shape) < 2 or None in input_shape[1:]:
            raise ValueError(
                "The standard deviation is taken over examples of a known size, shape "
                "`(batch, ..., channels)`. Give the `keras.Input` a fixed size. Received: shape "
                f"{tuple(input_shape)}"
            )
        if input_shape[-1] % self.features:
            raise ValueError(
                "The channels are divided into equal parts, one for each feature. Expected "
                f"`features` that divide {input_shape[-1]}. Received: features={self.features}"
            )

    def call(self, inputs: Tensor) -> Tensor:
        number = ops.shape(inputs)[0]
        groups = 1 if self.group_size is None else ops.maximum(number // self.group_size, 1)
        group = ops.arange(number, dtype="int32") % groups
        together = ops.equal(ops.expand_dims(group, 1), ops.expand_dims(group, 0))
        # A row averages over its group: batch x batch numbers, and any batch size will do.
        averaging = ops.cast(together, "float32")
        averaging = averaging / ops.sum(averaging, axis=1, keepdims=True)

        pixels, channels = math.prod(inputs.shape[1:-1]), inputs.shape[-1]
        x = ops.reshape(ops.cast(inputs, "float32"), (-1, pixels * channels))
        x = x - ops.matmul(averaging, x)
        std_dev = ops.sqrt(ops.matmul(averaging, ops.square(x)) + 1e-8)
        std_dev = ops.reshape(std_dev, (-1, pixels, self.features, channels // self.features))
        std_dev = ops.cast(ops.mean(std_dev, axis=(1, 3)), inputs.dtype)
        std_dev = ops.reshape(std_dev, (-1, *[1] * (len(inputs.shape) - 2), self.features))
        return ops.concatenate([inputs, std_dev * ops.ones_like(inputs[..., :1])], axis=-1)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], input_shape[-1] + self.features)

    def get_config(self) -> Config:
        own = {"group_size": self.group_size, "features": self.features}
        return {**super().get_config(), **own}
