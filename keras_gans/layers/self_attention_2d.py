"""Self-attention over the pixels of a feature map."""

from typing import Any

import keras
from keras import ops

from keras_gans import checks
from keras_gans.typing import Config, Shape, Tensor


@keras.saving.register_keras_serializable("keras_gans")
class SelfAttention2D(keras.layers.Layer):
    """Adds to each pixel what it finds at other places of the feature map.

    `x + gamma * attention(x)`, with `gamma` 0 at first. Queries have an eighth of the channels,
    values half of them; keys and values are the largest of each 2x2 pixels.

    >>> keras_gans.layers.SelfAttention2D()(np.ones((2, 4, 4, 16))).shape
    TensorShape([2, 4, 4, 16])

    Args:
        **kwargs: of `keras.layers.Layer`, such as `name` and `dtype`.

    Input shape:
        `(batch, height, width, channels)`, even sides that are known, and 8 channels or more.

    Output shape:
        The same.

    Raises:
        ValueError: for fewer channels.

    References:
        Zhang 2019, "Self-Attention Generative Adversarial Networks", section 3; pooling: Brock
        2019, appendix B.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape: Shape) -> None:
        channels = checks.count("channels", input_shape[-1], 8)
        for name, shape in (
            ("query", (channels, channels // 8)),
            ("key", (channels, channels // 8)),
            ("value", (channels, channels // 2)),
            ("output", (channels // 2, channels)),
        ):
            weight = self.add_weight(shape=shape, initializer="glorot_uniform", name=name)
            setattr(self, f"{name}_kernel", weight)
        self.gamma = self.add_weight(shape=(), initializer="zeros", name="gamma")

    def call(self, inputs: Tensor) -> Tensor:
        height, width, channels = inputs.shape[1:]
        query = ops.reshape(
            ops.matmul(inputs, self.query_kernel), (-1, height * width, channels // 8)
        )
        key = self._pooled(ops.matmul(inputs, self.key_kernel))
        value = self._pooled(ops.matmul(inputs, self.value_kernel))
        found = ops.softmax(ops.matmul(query, ops.transpose(key, (0, 2, 1))), axis=-1)
        found = ops.matmul(ops.matmul(found, value), self.output_kernel)
        return inputs + self.gamma * ops.reshape(found, (-1, height, width, channels))

    def _pooled(self, x):
        height, width, channels = x.shape[1:]
        x = ops.max_pool(x, 2, 2, "valid", data_format="channels_last")
        return ops.reshape(x, (-1, (height // 2) * (width // 2), channels))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> Config:
        return super().get_config()
