"""Instance noise: blurs real and generated images for the discriminator until they overlap."""

import keras

from keras_gans.layers.seeded_layer import SeededLayer


@keras.saving.register_keras_serializable("keras_gans")
class InstanceNoise(SeededLayer):
    """Adds Gaussian noise to a discriminator's input in training, less and less of it.

    Images lie on thin sheets that hardly meet, and a discriminator can part them perfectly and
    teach nothing. Noise on both real and generated images makes the two overlap.

    The deviation falls in a straight line from `stddev` to 0 over `decay_steps` *training calls*
    of this layer. One training step of a GAN usually calls its discriminator three times (real,
    generated, and again for the generator), so for a decay over n steps pass three times n; count
    a critic's extra steps and penalties too.

    Each call and each replica draws noise of its own. The seed and the number of calls are a
    weight, so that a saved and reloaded model goes on with the noise where it stopped. At
    inference the layer does nothing, on any backend of Keras; noise itself is drawn with
    TensorFlow.

    Example:

    >>> x = np.zeros((1, 2, 2, 1))
    >>> layer = keras_gans.layers.InstanceNoise(0.1)
    >>> layer(x).numpy().any(), layer(x, training=True).numpy().any()
    (np.False_, np.True_)

    Args:
        stddev: deviation of the noise at the first call, in the units of the input; from 0.
        decay_steps: number of training calls until there is none, or `None` to keep it up.
        seed: integer from which the noise is drawn; `None` draws it, too.
        **kwargs: of `keras.layers.Layer`, such as `name` and `dtype`.

    Input shape:
        Any.

    Output shape:
        The same.

    Raises:
        ValueError: for a negative deviation, or a decay over less than one call.

    References:
        Sønderby 2017, "Amortised MAP Inference for Image Super-resolution"; Arjovsky &
        Bottou 2017, "Towards Principled Methods for Training Generative Adversarial Networks",
        section 3.
    """

    def __init__(self, stddev=0.1, decay_steps=None, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        if isinstance(stddev, bool) or not isinstance(stddev, (int, float)) or not stddev >= 0:
            raise ValueError(
                "The deviation of noise must be a number of at least 0. Received: "
                f"stddev={stddev!r}"
            )
        whole = isinstance(decay_steps, int) and not isinstance(decay_steps, bool)
        if decay_steps is not None and not (whole and decay_steps >= 1):
            raise ValueError(
                "`decay_steps` must be an integer of at least 1, a number of training calls, or "
                f"None for noise that stays. Received: decay_steps={decay_steps!r}"
            )
        self.stddev, self.decay_steps = float(stddev), decay_steps

    def call(self, inputs, training=False):
        if not training:
            return inputs
        import tensorflow as tf  # here, so that a trained network runs without it

        seed, calls = self.next_seed()
        stddev = self.stddev
        if self.decay_steps is not None:
            share = 1.0 - tf.cast(calls, "float32") / float(self.decay_steps)
            stddev = stddev * tf.maximum(share, 0.0)
        noise = stddev * tf.random.stateless_normal(tf.shape(inputs), seed, alg="philox")
        return inputs + tf.cast(noise, inputs.dtype)

    def get_config(self):
        return {**super().get_config(), "stddev": self.stddev, "decay_steps": self.decay_steps}
