"""Noise on feature maps, the same for all channels, with a learned strength."""

from typing import Any

import keras
from keras import ops

from keras_gans.layers.seeded_layer import SeededLayer
from keras_gans.typing import Config, Shape, Tensor

NOISES = ("const", "random", "none")


def require_noise(noise: str) -> str:
    """Returns the name of a kind of noise. Raises ValueError for another one."""
    if noise not in NOISES:
        raise ValueError(f"`noise` must be one of {NOISES}. Received: noise={noise!r}")
    return noise


@keras.saving.register_keras_serializable("keras_gans")
class NoiseInjection(SeededLayer):
    """Adds `strength * noise` to every channel of a feature map, `strength` being learned.

    From it StyleGAN draws what is different in every photograph of the same face: hairs, pores. In
    training each example gets new noise. At inference it is one stored map for all, so that the
    same latent always gives the same image, or what `noise` says.

    >>> layer = keras_gans.layers.NoiseInjection()
    >>> x = np.zeros((1, 4, 4, 2))
    >>> layer(x).numpy().any()  # the strength is 0 at first
    np.False_

    Args:
        noise: at inference: `"const"`, the stored map; `"random"`, new noise for each example,
            drawn with TensorFlow as in training; or `"none"`.
        seed: integer from which noise is drawn; `None` draws one.
        **kwargs: of `keras.layers.Layer`, such as `name` and `dtype`.

    Input shape:
        `(batch, height, width, channels)`, all but the batch known.

    Output shape:
        The same.

    Raises:
        ValueError: for another kind of noise, or a map whose size is not known.

    References:
        Karras 2019, "A Style-Based Generator Architecture for Generative Adversarial Networks",
        section 2.
    """

    def __init__(self, noise: str = "const", seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed=seed, **kwargs)
        self.noise = require_noise(noise)

    def build(self, input_shape: Shape) -> None:
        super().build(input_shape)
        if None in input_shape[1:]:
            raise ValueError(
                "The stored noise has the size of the feature map, which must be known. Give the "
                f"`keras.Input` a fixed size. Received: shape {tuple(input_shape)}"
            )
        self.strength = self.add_weight(shape=(), initializer="zeros", name="strength")
        self.map = self.add_weight(
            shape=(*input_shape[1:3], 1),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            trainable=False,
            name="map",
        )

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if training or self.noise == "random":
            return inputs + self._drawn(inputs) * self.strength
        return inputs if self.noise == "none" else inputs + self.map * self.strength

    def _drawn(self, inputs):
        import tensorflow as tf  # here, so that a trained network runs without it

        shape = (tf.shape(inputs)[0], *inputs.shape[1:3], 1)
        noise = tf.random.stateless_normal(shape, self.next_seed()[0], alg="philox")
        return ops.cast(noise, inputs.dtype)

    def get_config(self) -> Config:
        return {**super().get_config(), "noise": self.noise}
