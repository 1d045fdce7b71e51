"""Noise at inference, for generators whose only noise is dropout."""

import contextlib

import keras

from keras_gans.layers import SeededDropout


def stochastic(generator: keras.Model) -> keras.Model:
    """Returns a model of a generator that applies its dropout at inference, with a seed.

    All layers but `layers.SeededDropout` run in inference mode, batch normalisation too.

    >>> generator = keras_gans.networks.unet_generator((32, 32, 3), width=4)
    >>> twin = keras_gans.networks.stochastic(generator)
    >>> twin([np.zeros((1, 32, 32, 3)), np.array([0, 7])]).shape
    TensorShape([1, 32, 32, 3])

    Args:
        generator: a `keras.Model` with a `layers.SeededDropout`.

    Returns:
        A `keras.Model` from `[images, seed]` to images; the seed is two int32 numbers for the whole
        batch. It shares the generator's weights.

    Raises:
        ValueError: for a generator without such a layer, or another backend of Keras than
            TensorFlow, which draws the noise.
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "Noise at inference is drawn with TensorFlow, in its graphs. Start Python with "
            "KERAS_BACKEND=tensorflow, or use the generator as it is. "
            f"Received: {keras.backend.backend()}"
        )
    images = keras.Input(generator.input_shape[1:], name="images")
    seed = keras.Input(batch_shape=(2,), dtype="int32", name="seed")
    noisy = _Noisy(generator)
    if not noisy.dropouts:
        raise ValueError(
            "The generator has no noise, as it has no `layers.SeededDropout`. Build "
            f"it with `unet_generator(dropout=0.5)`. Received: {generator.name!r}"
        )
    name = f"stochastic_{generator.name}"
    return keras.Model([images, seed], noisy(images, seed), name=name)


class _Noisy(keras.layers.Layer):
    """A generator, called with a seed for its dropout."""

    def __init__(self, generator):
        super().__init__(dtype=generator.dtype_policy)
        self.generator = generator
        self.dropouts = [x for x in generator.layers if isinstance(x, SeededDropout)]

    def call(self, images, seed):
        import tensorflow as tf  # here, so that a trained network runs without it

        with contextlib.ExitStack() as given:
            for number, layer in enumerate(self.dropouts):
                # Folded, not added, so that no layer repeats a mask of another one.
                folded = tf.random.experimental.stateless_fold_in(seed, number, alg="philox")
                given.enter_context(layer.seeded(folded))
            return self.generator(images, training=False)

    def compute_output_shape(self, images_shape, seed_shape):
        return self.generator.compute_output_shape(images_shape)
