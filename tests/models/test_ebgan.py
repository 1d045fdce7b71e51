import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans
from contract import GANContract, sgd
from tiny import SHAPE, images

networks = keras_gans.networks


def pair(**kwargs):
    return (
        networks.mlp_generator(SHAPE, latent_dim=5, width=12),
        networks.autoencoder_discriminator(
            SHAPE, code_dim=6, width=4, batch_normalization=False, **kwargs
        ),
    )


class TestEBGAN(GANContract):
    def make(self, **kwargs):
        return keras_gans.EBGAN(*pair(), margin=0.7, pull_away_weight=0.3, **{"seed": 0, **kwargs})

    def batches(self, number=3, size=8):
        return images(number, size)


def test_the_energy_is_the_mean_square_of_the_error():
    gan = keras_gans.EBGAN(*pair())
    x = images(1)[0]
    copies, codes = gan.discriminator(x)
    energy, found = gan.energy(tf.constant(x))
    expected = ((np.asarray(copies) - x) ** 2).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(energy, expected, rtol=1e-5)
    np.testing.assert_allclose(found, codes, rtol=1e-5)


def test_the_pull_away_term_is_that_of_all_pairs():
    codes = np.random.default_rng(0).normal(size=(7, 3)).astype("float32")
    terms = [
        (a @ b / np.linalg.norm(a) / np.linalg.norm(b)) ** 2
        for i, a in enumerate(codes)
        for j, b in enumerate(codes)
        if i != j
    ]
    gan = keras_gans.EBGAN(*pair())
    np.testing.assert_allclose(gan.pull_away(codes), sum(terms) / (7 * 6), rtol=1e-5)
    np.testing.assert_allclose(gan.pull_away(np.eye(3, dtype="float32")), 0.0, atol=1e-6)
    np.testing.assert_allclose(gan.pull_away(np.ones((4, 3), "float32")), 1.0, rtol=1e-5)


def test_a_step_worked_out_by_hand():
    """The auto-encoder copies x as a x, so that its energy is the mean of ((a - 1) x)^2."""
    inputs, latents = keras.Input((2,)), keras.Input((1,))
    scale = keras.layers.Dense(2, use_bias=False)
    copies = keras.layers.Dense(2, use_bias=False, trainable=False)
    codes = scale(inputs)
    discriminator = keras.Model(inputs, [copies(codes), codes])
    scale.set_weights([0.4 * np.eye(2)])
    copies.set_weights([np.eye(2)])
    generator = keras.Model(latents, keras.layers.Dense(2, use_bias=False)(latents))
    generator.set_weights([np.array([[0.5, -0.5]])])
    x, z = np.array([[1.0, 2.0]], "float32"), np.array([[2.0]], "float32")
    for margin, pushed in ((0.1, False), (1.0, True)):
        scale.set_weights([0.4 * np.eye(2)])
        gan = keras_gans.EBGAN(generator, discriminator, margin=margin, pull_away_weight=0)
        gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.1), run_eagerly=True)
        gan.latents = lambda like: tf.constant(z)
        logs = gan.train_on_batch(x, return_dict=True)
        g = np.array([[1.0, -1.0]])
        energies = 0.36 * (x**2).mean(), 0.36 * (g**2).mean()  # 0.9 and 0.36
        expected = energies[0] + max(0.0, margin - energies[1])
        np.testing.assert_allclose(logs["discriminator_loss"], expected, rtol=1e-5)
        # The slope of mean((x A - x)^2) at A = 0.4 is x' (0.4 - 1) x, with two pixels to a mean.
        slope = x.T @ (-0.6 * x) - pushed * g.T @ (-0.6 * g)
        np.testing.assert_allclose(scale.get_weights()[0], 0.4 * np.eye(2) - 0.1 * slope, atol=1e-6)


def test_without_the_term_nothing_is_logged_of_it():
    gan = keras_gans.EBGAN(*pair(), pull_away_weight=0)
    gan.compile(sgd(), sgd())
    logs = gan.train_on_batch(images(1)[0], return_dict=True)
    assert set(logs) == {"discriminator_loss", "generator_loss"}


def test_a_discriminator_that_is_no_auto_encoder():
    generator = networks.mlp_generator(SHAPE)
    for wrong in (
        networks.mlp_discriminator(SHAPE),
        networks.autoencoder_discriminator((32, 32, 1), width=4),
    ):
        with pytest.raises(ValueError, match="auto-encoder of the generator's images.*Received"):
            keras_gans.EBGAN(generator, wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"margin": 0.0}, "`margin` must be a number above 0. Received: margin=0.0"),
        ({"margin": "1"}, "`margin` must be a number above 0. Received: margin='1'"),
        ({"pull_away_weight": -0.1}, "0 or more. Received: pull_away_weight=-0.1"),
    ],
)
def test_bad_numbers(wrong, message):
    with pytest.raises(ValueError, match=message):
        keras_gans.EBGAN(*pair(), **wrong)


def test_one_image_has_nobody_to_be_pulled_away_from():
    gan = keras_gans.EBGAN(*pair())
    gan.compile()
    with pytest.raises(ValueError, match="batches of at least 2.*Received: a batch of 1"):
        gan.fit(images(1, 1)[0], verbose=0)
