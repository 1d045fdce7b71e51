"""Batch normalisation at inference, whose statistics depend on the truncation of the latents."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_gans import checks
from keras_gans.typing import Config, Shape, Tensor


@keras.saving.register_keras_serializable("keras_gans")
class TruncatedBatchNormalization(keras.layers.Layer):
    """Normalises by stored statistics of latents of one truncation, for BigGAN-deep.

    Latents that are truncated more make feature maps of other means and variances. The authors
    measured these for truncations of 0, 0.02, ..., 1, and published them with the weights. Factors
    and offsets are linear in a condition vector, `1 + kernel condition`, or learned numbers.

    Between two truncations the statistics are mixed. As in the program that the published images
    were made with, the share `coefficient` of the *lower* one is the distance from it: 0.43 is
    `0.5 s[21] + 0.5 s[22]`, but 0.435 is `0.75 s[21] + 0.25 s[22]`.

    >>> layer = keras_gans.layers.TruncatedBatchNormalization(truncation=0.5)
    >>> layer([np.ones((2, 4, 4, 3)), np.ones((2, 8))]).shape
    TensorShape([2, 4, 4, 3])

    Args:
        truncation: of the latents, from 0 to 1.
        stats: how many truncations there are statistics of.
        conditional: is there a condition vector?
        epsilon: added to the variance.
        **kwargs: of `keras.layers.Layer`, such as `name` and `dtype`.

    Input shape:
        `[(batch, height, width, channels), (batch, size)]`; without a condition the first alone.

    Output shape:
        `(batch, height, width, channels)`. In training, too, the statistics are the stored ones.

    Raises:
        ValueError: for a truncation outside of 0 to 1.

    References:
        Brock 2019, "Large Scale GAN Training for High Fidelity Natural Image Synthesis", section
        3.1 and appendix B.
    """

    def __init__(
        self,
        truncation: float = 1.0,
        stats: int = 51,
        conditional: bool = True,
        epsilon: float = 1e-4,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.truncation = checks.weight("truncation", truncation)
        self.stats = checks.count("stats", stats, 2)
        self.conditional = conditional
        self.epsilon = checks.positive("epsilon", epsilon)
        if self.truncation > 1.0:
            raise ValueError(
                "There are statistics of truncations from 0 to 1. "
                f"Received: truncation={truncation}"
            )

    def build(self, input_shape: Any) -> None:
        channels = (input_shape[0] if self.conditional else input_shape)[-1]
        shape = (self.stats, channels)
        self.means = self.add_weight(
            shape=shape, initializer="zeros", trainable=False, name="means"
        )
        self.variances = self.add_weight(
            shape=shape, initializer="ones", trainable=False, name="variances"
        )
        if self.conditional:
            shape = (input_shape[1][-1], channels)
            self.scale = self.add_weight(shape=shape, initializer="glorot_uniform", name="scale")
            self.offset = self.add_weight(shape=shape, initializer="glorot_uniform", name="offset")
        else:
            self.scale = self.add_weight(shape=(channels,), initializer="ones", name="scale")
            self.offset = self.add_weight(shape=(channels,), initializer="zeros", name="offset")

    def call(self, inputs: Tensor | Sequence[Tensor]) -> Tensor:
        scale, offset, x = self.scale, self.offset, inputs
        if self.conditional:
            x, condition = inputs
            scale = _of_channels(1.0 + ops.matmul(condition, self.scale))
            offset = _of_channels(ops.matmul(condition, self.offset))
        mean, variance = self._chosen(self.means), self._chosen(self.variances)
        return (x - mean) * ops.rsqrt(variance + self.epsilon) * scale + offset

    def _chosen(self, statistics):
        # Divided by a rounded step: 0.58 / 0.02 is a little less than 29, as in the program.
        rest, lower = math.modf(self.truncation / (1.0 / (self.stats - 1)))
        lower = int(lower)
        if rest == 0.0:
            return statistics[lower]
        return statistics[lower] * rest + statistics[lower + 1] * (1.0 - rest)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        return tuple(input_shape[0] if self.conditional else input_shape)

    def get_config(self) -> Config:
        own = {
            "truncation": self.truncation,
            "stats": self.stats,
            "conditional": self.conditional,
            "epsilon": self.epsilon,
        }
        return {**super().get_config(), **own}


def _of_channels(factors):
    return ops.reshape(factors, (-1, 1, 1, factors.shape[-1]))
