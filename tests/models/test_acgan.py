import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans
from contract import GANContract, sgd
from tiny import SHAPE, pairs

networks = keras_gans.networks


def make(**kwargs):
    return keras_gans.ACGAN(
        networks.conditional_mlp_generator(SHAPE, 3, latent_dim=5, width=12),
        networks.acgan_discriminator(SHAPE, 3, width=4, batch_normalization=False),
        **kwargs,
    )


class TestACGAN(GANContract):
    def make(self, **kwargs):
        options = {"class_weight": 0.5, "loss": "hinge", "penalties": {"r1_penalty": 0.5}}
        return make(**options, **{"seed": 0, **kwargs})

    def batches(self, number=3, size=8):
        return pairs(number, size)


def test_a_discriminator_that_knows_nothing():
    """All logits 0: log 2 a source, log 3 a class, and of both there are two for D."""
    gan = make(class_weight=2.0)
    for layer in gan.discriminator.layers[-2:]:
        layer.set_weights([np.zeros_like(w) for w in layer.get_weights()])
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
    images, labels = (array[0] for array in pairs(1))
    logs = gan.train_on_batch(images, labels, return_dict=True)
    expected = {
        "discriminator_loss": 2 * np.log(2),
        "discriminator_class_loss": 2.0 * 2 * np.log(3),
        "generator_loss": np.log(2),
        "generator_class_loss": 2.0 * np.log(3),
    }
    assert set(logs) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(logs[name], value, rtol=1e-5)


def test_each_side_goes_down_its_own_losses():
    """The step of each side against gradients taken apart, from the equations of section 3."""
    gan = make(class_weight=0.5, seed=0)
    gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1), run_eagerly=True)
    z = tf.random.stateless_normal((8, 5), (1, 2))
    gan.latents = lambda like: z
    images, labels = (tf.constant(array[0]) for array in pairs(1))
    generator, discriminator = map(keras.models.clone_model, (gan.generator, gan.discriminator))
    generator.set_weights(gan.generator.get_weights())
    discriminator.set_weights(gan.discriminator.get_weights())
    gan.train_on_batch(images, labels)

    def log_likelihoods(x, real):
        logits, classes = discriminator(x)
        source = tf.math.log(tf.sigmoid(logits if real else -logits))
        right = tf.gather(tf.nn.log_softmax(classes), labels, batch_dims=1)
        return tf.reduce_mean(source), tf.reduce_mean(right)

    with tf.GradientTape(persistent=True) as tape:
        fake = generator([z, labels])
        (s_real, c_real), (s_fake, c_fake) = log_likelihoods(images, 1), log_likelihoods(fake, 0)
        up = s_real + s_fake + 0.5 * (c_real + c_fake)
    slopes = tape.gradient(up, discriminator.trainable_variables)
    for v, slope in zip(discriminator.trainable_variables, slopes):
        v.assign_add(0.1 * tf.convert_to_tensor(slope))
    with tape:
        s_fake, c_fake = log_likelihoods(fake, 1)
        up = s_fake + 0.5 * c_fake
    slopes = tape.gradient(up, generator.trainable_variables)
    for v, slope in zip(generator.trainable_variables, slopes):
        v.assign_add(0.1 * tf.convert_to_tensor(slope))
    for network, ours in ((discriminator, gan.discriminator), (generator, gan.generator)):
        for a, b in zip(network.get_weights(), ours.get_weights()):
            np.testing.assert_allclose(a, b, atol=1e-5)


def test_one_generator_pass_serves_both_steps():
    gan = make()
    gan.compile(sgd(), sgd(), run_eagerly=True)
    passes, call = [], gan.generator.call
    gan.generator.call = lambda *args, **kwargs: passes.append(1) or call(*args, **kwargs)
    gan.train_on_batch(*(array[0] for array in pairs(1)))
    assert len(passes) == 1


def test_a_relativistic_loss_gets_its_real_logits():
    gan = make(loss="relativistic_pairing")
    gan.compile()
    logs = gan.train_on_batch(*(array[0] for array in pairs(1)), return_dict=True)
    assert all(np.isfinite(v) for v in logs.values())


def test_a_discriminator_without_the_second_head():
    generator = networks.conditional_mlp_generator(SHAPE, 3)
    for wrong in (
        networks.dcgan_discriminator(SHAPE, width=4),
        networks.acgan_discriminator(SHAPE, 4, width=4),
    ):
        with pytest.raises(ValueError, match=r"heads.*logits \(batch, 1\), classes \(batch, 3\)"):
            keras_gans.ACGAN(generator, wrong)


def test_a_generator_without_labels():
    with pytest.raises(ValueError, match=r"must take `\[latents, labels\]`"):
        keras_gans.ACGAN(
            networks.mlp_generator(SHAPE), networks.acgan_discriminator(SHAPE, 3, width=4)
        )
