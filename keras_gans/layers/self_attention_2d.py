"""Self-attention over the places of a feature map."""

from typing import Any

import keras
from keras import layers, ops

from keras_gans import checks
from keras_gans.layers.spectral_normalization import SpectralNormalization
from keras_gans.typing import Config, Shape, Tensor


@keras.saving.register_keras_serializable("keras_gans")
class SelfAttention2D(layers.Layer):
    """Adds to each place of a feature map what it attends to at all places.

    `x + gamma * o(sum over places j of softmax_j(f(x_i) . g(x_j)) h(x_j))`: f, g, h and o are 1x1
    convolutions without bias, to a `ratio`-th of the channels (f, g), to half of them (h), and back
    (o). Gamma is learned and starts at 0, so that the network begins with what is near. As in the
    authors' program, g and h are pooled to half the size (maximum of 2x2), which is a quarter of
    the work.

    >>> layer = keras_gans.layers.SelfAttention2D(spectral_normalization=False)
    >>> x = np.random.default_rng(0).normal(size=(2, 8, 8, 16)).astype("float32")
    >>> bool(np.all(layer(x) == x)), layer.count_params()  # gamma is 0
    (True, 321)

    Args:
        ratio: how many times fewer channels f and g have; the paper's is 8.
        spectral_normalization: whether the convolutions have it, as in the paper.
        **kwargs: of `keras.layers.Layer`, such as `name` and `dtype`.

    Input shape:
        `(batch, height, width, channels)`, of 2 or more a side, and `ratio` channels or more.

    Output shape:
        The same.

    Raises:
        ValueError: for a ratio below 1, or maps of too few places or channels.

    References:
        Zhang 2018, "Self-Attention Generative Adversarial Networks", section 3, arXiv:1805.08318.
    """

    def __init__(self, ratio: int = 8, spectral_normalization: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ratio = checks.count("ratio", ratio)
        self.spectral_normalization = bool(spectral_normalization)

    def build(self, input_shape: Shape) -> None:
        shape = tuple(input_shape)
        small = len(shape) != 4 or any(side is not None and side < 2 for side in shape[1:3])
        if small or shape[-1] is None or shape[-1] < max(self.ratio, 2):
            raise ValueError(
                "Self-attention needs a feature map of 2 or more places a side, and as many "
                f"channels as its ratio. Expected (batch, height, width, {self.ratio} or more). "
                f"Received: shape {shape}"
            )
        channels, few = shape[-1], shape[-1] // self.ratio
        self.query, self.key = self._convolution(few, "f"), self._convolution(few, "g")
        self.value = self._convolution(channels // 2, "h")
        self.back = self._convolution(channels, "o")
        for convolution in (self.query, self.key, self.value):
            convolution.build(shape)
        self.back.build((*shape[:-1], channels // 2))
        self.gamma = self.add_weight(shape=(), initializer="zeros", name="gamma")

    def _convolution(self, channels, name):
        initializer = keras.initializers.GlorotUniform()
        convolution = layers.Conv2D(
            channels, 1, use_bias=False, kernel_initializer=initializer, dtype=self.dtype_policy
        )
        if self.spectral_normalization:
            return SpectralNormalization(convolution, name=name)
        convolution.name = name
        return convolution

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        size = ops.shape(inputs)
        options = {"training": training} if self.spectral_normalization else {}

        def places(x):
            return ops.reshape(x, (size[0], -1, x.shape[-1]))

        query = places(self.query(inputs, **options))
        key = places(ops.max_pool(self.key(inputs, **options), 2))
        value = places(ops.max_pool(self.value(inputs, **options), 2))
        # Products of two activations are soon beyond float16.
        query, key = ops.cast(query, "float32"), ops.cast(key, "float32")
        products = ops.matmul(query, ops.transpose(key, (0, 2, 1)))
        attention = ops.cast(ops.softmax(products), value.dtype)
        found = ops.reshape(ops.matmul(attention, value), (*size[:3], value.shape[-1]))
        return inputs + ops.cast(self.gamma, inputs.dtype) * self.back(found, **options)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "ratio": self.ratio,
            "spectral_normalization": self.spectral_normalization,
        }
