"""Dropout that can be applied at inference, with a seed."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
from keras import ops

from keras_gans import checks
from keras_gans.layers.seeded_layer import SeededLayer
from keras_gans.typing import Config, Tensor


@keras.saving.register_keras_serializable("keras_gans")
class SeededDropout(SeededLayer):
    """Dropout in training, different on each replica, and at inference if a seed is given.

    Kept values are divided by `1 - rate`, as in Keras. `keras.layers.Dropout` draws the same
    mask on every replica, and at inference drops nothing, or, called with `training=True`, a new
    mask each time. Here noise at inference is a function of a seed, as Pix2Pix needs it
    (Isola 2017, section 3.1); `networks.stochastic` gives one to all layers of a generator.

    >>> x = np.ones((1, 6))
    >>> layer = keras_gans.layers.SeededDropout(0.5, seed=1)
    >>> bool((layer(x) == x).numpy().all())
    True
    >>> with layer.seeded([0, 5]):
    ...     sorted({float(v) for v in layer(x).numpy().ravel()})
    [0.0, 2.0]

    Args:
        rate: dropout rate, in [0, 1).
        seed: integer from which the masks of training are drawn; `None` draws one.
        **kwargs: of `keras.layers.Layer`.

    Input shape:
        Any, floats.

    Output shape:
        The same.

    Raises:
        ValueError: for a rate out of range.
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.rate = checks.share("rate", rate)
        self._given = None

    @contextlib.contextmanager
    def seeded(self, seed: Tensor) -> Iterator[None]:
        """Applies dropout with a stateless seed, two integers, to all calls within the block.

        These do not count as training calls.
        """
        self._given = seed
        try:
            yield
        finally:
            self._given = None

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        seed = self._given
        if seed is None:
            if not training:
                return inputs
            seed, _ = self.next_seed()
        import tensorflow as tf  # here, so that a trained network runs without it

        draws = tf.random.stateless_uniform(tf.shape(inputs), seed, alg="philox")
        return inputs * ops.cast(draws >= self.rate, inputs.dtype) / (1.0 - self.rate)

    def get_config(self) -> Config:
        return {**super().get_config(), "rate": self.rate}
