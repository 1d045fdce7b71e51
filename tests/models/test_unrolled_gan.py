import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans
from contract import GANContract, assert_same, sgd
from tiny import SHAPE, images

networks = keras_gans.networks


class TestUnrolledGAN(GANContract):
    def make(self, **kwargs):
        return keras_gans.UnrolledGAN(
            networks.mlp_generator(SHAPE, latent_dim=5, width=12),
            networks.mlp_discriminator(SHAPE, width=12),
            unrolled_steps=2,
            loss="least_squares",
            **{"seed": 0, **kwargs},
        )

    def batches(self, number=3, size=8):
        return images(number, size)


def softplus(a):
    return np.log1p(np.exp(-np.abs(a))) + np.maximum(a, 0)


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


class NumPySGD:
    def __init__(self, rate, momentum=0.0, nesterov=False):
        self.rate, self.momentum, self.nesterov, self.velocity = rate, momentum, nesterov, 0.0

    def __call__(self, w, g):
        self.velocity = self.momentum * self.velocity - self.rate * g
        return w + (
            self.momentum * self.velocity - self.rate * g if self.nesterov else self.velocity
        )


class NumPyAdam:
    """Kingma 2015, algorithm 1, with Keras' place for epsilon."""

    def __init__(self, rate, beta_1, beta_2, epsilon):
        self.settings, self.m, self.v, self.t = (rate, beta_1, beta_2, epsilon), 0.0, 0.0, 0

    def __call__(self, w, g):
        rate, beta_1, beta_2, epsilon = self.settings
        self.t += 1
        self.m = beta_1 * self.m + (1 - beta_1) * g
        self.v = beta_2 * self.v + (1 - beta_2) * g * g
        rate *= np.sqrt(1 - beta_2**self.t) / (1 - beta_1**self.t)
        return w - rate * self.m / (np.sqrt(self.v) + epsilon)


OPTIMIZERS = {
    "sgd": (lambda: keras.optimizers.SGD(0.3), lambda: NumPySGD(0.3)),
    "momentum": (
        lambda: keras.optimizers.SGD(0.3, momentum=0.8),
        lambda: NumPySGD(0.3, 0.8),
    ),
    "nesterov": (
        lambda: keras.optimizers.SGD(0.3, momentum=0.8, nesterov=True),
        lambda: NumPySGD(0.3, 0.8, True),
    ),
    "adam": (
        lambda: keras.optimizers.Adam(0.1, beta_1=0.5, beta_2=0.9, epsilon=0.01),
        lambda: NumPyAdam(0.1, 0.5, 0.9, 0.01),
    ),
}


@pytest.mark.parametrize("kind", OPTIMIZERS)
@pytest.mark.parametrize("steps", [0, 1, 3])
def test_the_gradient_goes_through_the_unrolled_optimizer(kind, steps):
    """D(x) = w x and G(z) = t z, numbers alone: the step is the slope that differences find.

    Three steps in a row, so that the unrolled optimizer starts from slots that are not 0.
    """
    inputs, latents = keras.Input((1,)), keras.Input((1,))
    discriminator = keras.Model(inputs, keras.layers.Dense(1, use_bias=False)(inputs))
    generator = keras.Model(latents, keras.layers.Dense(1, use_bias=False)(latents))
    w, t = 0.7, 1.3
    discriminator.set_weights([np.array([[w]])])
    generator.set_weights([np.array([[t]])])
    gan = keras_gans.UnrolledGAN(generator, discriminator, unrolled_steps=steps)
    keras_optimizer, numpy_optimizer = OPTIMIZERS[kind]
    gan.compile(keras.optimizers.SGD(0.2), keras_optimizer(), run_eagerly=True)
    x, z = np.array([[0.4], [-1.1], [0.8]]), np.array([[0.9], [0.3], [-0.5]])
    gan.latents = lambda like: tf.constant(z, "float32")
    real_optimizer = numpy_optimizer()

    def slope_of_discriminator(w, t):
        return (-sigmoid(-w * x) * x + sigmoid(w * t * z) * t * z).mean()

    for _ in range(3):
        gan.train_on_batch(x.astype("float32"))

        def loss_of_generator(t, later=w):
            optimizer = numpy_optimizer()
            optimizer.__dict__.update(real_optimizer.__dict__)
            for _ in range(steps):
                later = optimizer(later, slope_of_discriminator(later, t))
            return softplus(-later * t * z).mean()

        slope = (loss_of_generator(t + 1e-5) - loss_of_generator(t - 1e-5)) / 2e-5
        w, t = real_optimizer(w, slope_of_discriminator(w, t)), t - 0.2 * slope
        np.testing.assert_allclose(generator.get_weights()[0], [[t]], atol=1e-5)
        np.testing.assert_allclose(discriminator.get_weights()[0], [[w]], atol=1e-5)


def test_the_discriminator_moves_as_if_nothing_had_been_unrolled():
    gans = [
        keras_gans.UnrolledGAN(
            networks.mlp_generator(SHAPE, latent_dim=5, width=12),
            networks.dcgan_discriminator(SHAPE, width=4),
            unrolled_steps=steps,
        )
        for steps in (0, 3)
    ]
    gans[1].set_weights(gans[0].get_weights())
    z = tf.random.stateless_normal((8, 5), (1, 2))
    for gan in gans:
        gan.latents = lambda like: z
        gan.compile()
        gan.train_on_batch(images(1)[0])
    assert_same(*(g.discriminator.get_weights() for g in gans), atol=1e-6)
    assert_same(
        *([v.numpy() for v in g.discriminator_optimizer.variables] for g in gans), atol=1e-6
    )
    pairs = zip(*(g.generator.get_weights() for g in gans))
    assert max(np.abs(a - b).max() for a, b in pairs) > 1e-5


def test_a_weight_without_a_gradient_does_no_harm():
    """Adam divides by the root of 0 there, whose slope is infinite."""
    inputs = keras.Input(SHAPE)
    x = keras.layers.Dense(4, activation="relu", bias_initializer="ones")(
        keras.layers.Flatten()(inputs)
    )
    discriminator = keras.Model(inputs, keras.layers.Dense(1)(x))
    discriminator.layers[-2].set_weights([np.zeros((256, 4)), np.array([1.0, 1.0, -1.0, -1.0])])
    gan = keras_gans.UnrolledGAN(networks.mlp_generator(SHAPE, width=12), discriminator)
    gan.compile()
    gan.train_on_batch(images(1)[0])
    assert all(np.isfinite(w).all() for w in gan.get_weights())


@pytest.mark.parametrize("steps", [-1, 1.5, True])
def test_bad_numbers_of_steps(steps):
    with pytest.raises(ValueError, match="unrolled_steps.*at least 0. Received"):
        keras_gans.UnrolledGAN(
            networks.mlp_generator(SHAPE), networks.mlp_discriminator(SHAPE), unrolled_steps=steps
        )


@pytest.mark.parametrize(
    "optimizer",
    [
        keras.optimizers.RMSprop(1e-3),
        keras.optimizers.Adam(1e-3, clipnorm=1.0),
        keras.optimizers.AdamW(1e-3),
    ],
)
def test_optimizers_whose_step_is_not_known(optimizer):
    gan = TestUnrolledGAN().make()
    with pytest.raises(ValueError, match="`keras.optimizers.SGD` or `Adam`.*Received"):
        gan.compile(sgd(), optimizer)
    gan.compile(optimizer, sgd())  # the generator's may be any
