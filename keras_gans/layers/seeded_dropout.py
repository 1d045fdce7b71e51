"""Dropout that can be asked for, when images are made, by a seed."""

import contextlib

import keras
from keras import ops

from keras_gans import checks
from keras_gans.layers.seeded_layer import SeededLayer


@keras.saving.register_keras_serializable("keras_gans")
class SeededDropout(SeededLayer):
    """Drops values in training, other ones on every replica; and elsewhere where a seed is given.

    Kept values are divided by the share kept, as in Keras. `keras.layers.Dropout` draws the same
    mask on every replica, and outside of training drops nothing, or, called with `training=True`,
    something new each time. Here noise at inference is a function of a seed, as Pix2Pix needs it
    (Isola 2017, section 3.1); `networks.stochastic` gives one to all layers of a generator.

    >>> x = np.ones((1, 6))
    >>> layer = keras_gans.layers.SeededDropout(0.5, seed=1)
    >>> bool((layer(x) == x).numpy().all())
    True
    >>> with layer.seeded([0, 5]):
    ...     sorted({float(v) for v in layer(x).numpy().ravel()})
    [0.0, 2.0]

    Args:
        rate: share of values dropped, in [0, 1).
        seed: integer from which training's numbers are drawn; `None` draws it, too.
        **kwargs: of `keras.layers.Layer`.

    Input shape:
        Any, floats.

    Output shape:
        The same.

    Raises:
        ValueError: for a rate that is no such share.
    """

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.rate = checks.share("rate", rate)
        self._given = None

    @contextlib.contextmanager
    def seeded(self, seed):
        """Within it, calls drop by a stateless seed, two integers, whatever `training` is.

        The count of training's calls stays as it is.
        """
        self._given = seed
        try:
            yield
        finally:
            self._given = None

    def call(self, inputs, training=False):
        seed = self._given
        if seed is None:
            if not training:
                return inputs
            seed, _ = self.next_seed()
        import tensorflow as tf  # here, so that a trained network runs without it

        draws = tf.random.stateless_uniform(tf.shape(inputs), seed, alg="philox")
        return inputs * ops.cast(draws >= self.rate, inputs.dtype) / (1.0 - self.rate)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}
