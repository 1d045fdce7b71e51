"""Gaussian noise in training: on the inputs of a discriminator, or between the layers of G."""

from typing import Any

import keras

from keras_gans import checks
from keras_gans.layers.seeded_layer import SeededLayer
from keras_gans.typing import Config, Tensor


@keras.saving.register_keras_serializable("keras_gans")
class InstanceNoise(SeededLayer):
    """Adds Gaussian noise in training, with linear decay: for the input of a discriminator.

    The distributions of real and generated images lie on low-dimensional manifolds that hardly
    overlap, so that a discriminator can separate them perfectly, and its gradient is of no use to
    the generator. Noise on both makes them overlap. Generators have it between their layers, by
    their argument `noise`.

    The standard deviation decays linearly from `stddev` to 0 over `decay_steps` *training calls*
    of this layer. One training step of a GAN usually calls its discriminator three times (real,
    generated, and again for the generator), so for a decay over n steps pass three times n; count
    a critic's extra steps and penalties too.

    Each call and each replica draws its own noise. The seed and the number of calls are a weight,
    so that a saved and reloaded model continues the decay. At inference the layer does nothing, on
    any backend of Keras; noise is drawn with TensorFlow.

    Example:

    >>> x = np.zeros((1, 2, 2, 1))
    >>> layer = keras_gans.layers.InstanceNoise(0.1)
    >>> layer(x).numpy().any(), layer(x, training=True).numpy().any()
    (np.False_, np.True_)

    Args:
        stddev: standard deviation of the noise at the first call, in units of the input; 0 or more.
        decay_steps: number of training calls until the noise is 0; `None` for no decay.
        seed: integer from which the noise is drawn; `None` draws one.
        **kwargs: of `keras.layers.Layer`, such as `name` and `dtype`.

    Input shape:
        Any.

    Output shape:
        The same.

    Raises:
        ValueError: for a negative standard deviation, or a decay over less than one call.

    References:
        Sønderby 2017, "Amortised MAP Inference for Image Super-resolution"; Arjovsky &
        Bottou 2017, "Towards Principled Methods for Training Generative Adversarial Networks",
        section 3.
    """

    def __init__(
        self,
        stddev: float = 0.1,
        decay_steps: int | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.stddev = checks.weight("stddev", stddev)
        self.decay_steps = decay_steps
        if decay_steps is not None:
            self.decay_steps = checks.count("decay_steps", decay_steps)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if not training:
            return inputs
        import tensorflow as tf  # here, so that a trained network runs without it

        seed, calls = self.next_seed()
        stddev = self.stddev
        if self.decay_steps is not None:
            remaining = 1.0 - tf.cast(calls, "float32") / float(self.decay_steps)
            stddev = stddev * tf.maximum(remaining, 0.0)
        noise = stddev * tf.random.stateless_normal(tf.shape(inputs), seed, alg="philox")
        return inputs + tf.cast(noise, inputs.dtype)

    def get_config(self) -> Config:
        return {**super().get_config(), "stddev": self.stddev, "decay_steps": self.decay_steps}
