import keras
import numpy as np
import tensorflow as tf

import keras_gans
from contract import GANContract, assert_same, sgd

networks = keras_gans.networks
SHAPE = (16, 16, 1)


def images(number, size=8, seed=0):
    rng = np.random.default_rng(seed)
    return np.tanh(rng.normal(size=(number, size, *SHAPE))).astype("float32")


class TestDCGAN(GANContract):
    """With the networks of the paper; but statistics of a batch are each replica's own."""

    def make(self, **kwargs):
        return keras_gans.DCGAN(
            networks.dcgan_generator(SHAPE, latent_dim=5, width=4),
            networks.dcgan_discriminator(SHAPE, width=4),
            loss=keras_gans.losses.get("least_squares", real_label=0.9),
            **{"seed": 0, **kwargs},
        )

    def batches(self, number=3, size=8):
        return images(number, size)

    def test_one_replica_and_two_agree(self, two_replicas, tmp_path):
        PlainDCGAN().test_one_replica_and_two_agree(two_replicas, tmp_path)


class PlainDCGAN(TestDCGAN):
    """Without batch normalisation, and with a penalty."""

    def make(self, **kwargs):
        return keras_gans.DCGAN(
            networks.mlp_generator(SHAPE, latent_dim=5, width=12),
            networks.dcgan_discriminator(SHAPE, width=4, batch_normalization=False),
            loss="hinge",
            penalties={"r1_penalty": 0.5, "r2_penalty": 0.1},
            **{"seed": 0, **kwargs},
        )

    def test_one_replica_and_two_agree(self, two_replicas, tmp_path):
        GANContract.test_one_replica_and_two_agree(self, two_replicas, tmp_path)


def make(cls=keras_gans.DCGAN, **kwargs):
    generator = networks.dcgan_generator(SHAPE, latent_dim=5, width=4)
    return cls(generator, networks.dcgan_discriminator(SHAPE, width=4), seed=0, **kwargs)


def counted(network):
    calls, call = [], network.call

    def counting(*args, **kwargs):
        calls.append(args[0].shape[0])
        return call(*args, **kwargs)

    network.call = counting
    return calls


def test_one_generator_pass_serves_both_steps():
    passes = {}
    for cls in (keras_gans.DCGAN, keras_gans.GAN):
        gan = make(cls)
        gan.compile(sgd(), sgd(), run_eagerly=True)
        generator, discriminator = counted(gan.generator), counted(gan.discriminator)
        gan.train_on_batch(images(1)[0])
        passes[cls.__name__] = len(generator), len(discriminator)
        assert set(discriminator) == {8}  # real and generated images in batches of their own
    assert passes == {"DCGAN": (1, 3), "GAN": (2, 3)}


def test_a_step_is_that_of_a_loop_written_by_hand():
    gan = make()
    generator, discriminator = map(keras.models.clone_model, (gan.generator, gan.discriminator))
    generator.set_weights(gan.generator.get_weights())
    discriminator.set_weights(gan.discriminator.get_weights())
    latents = [np.random.default_rng(i).normal(size=(8, 5)).astype("float32") for i in range(3)]
    queue = iter(latents)
    gan.latents = lambda like: tf.constant(next(queue))
    gan.compile(sgd(), sgd(), run_eagerly=True)
    batches = images(3)
    for real in batches:
        gan.train_on_batch(real)

    cross_entropy = tf.nn.sigmoid_cross_entropy_with_logits
    for real, z in zip(batches, latents):
        with tf.GradientTape(persistent=True) as tape:
            fake = generator(z, training=True)
            real_logits = discriminator(real, training=True)
            fake_logits = discriminator(fake, training=True)
            loss = tf.reduce_mean(cross_entropy(tf.ones_like(real_logits), real_logits))
            loss += tf.reduce_mean(cross_entropy(tf.zeros_like(fake_logits), fake_logits))
        variables = discriminator.trainable_variables
        for variable, gradient in zip(variables, tape.gradient(loss, variables)):
            variable.assign_sub(0.05 * gradient)
        with tape:
            logits = discriminator(fake, training=True)
            loss = tf.reduce_mean(cross_entropy(tf.ones_like(logits), logits))
        variables = generator.trainable_variables
        for variable, gradient in zip(variables, tape.gradient(loss, variables)):
            variable.assign_sub(0.05 * gradient)
    assert_same(gan.generator.get_weights(), generator.get_weights(), atol=1e-6)
    assert_same(gan.discriminator.get_weights(), discriminator.get_weights(), atol=1e-6)


def test_each_side_gets_better_at_what_it_is_for():
    """On one batch and one draw of latents, with the other side as it was."""
    gan = make()
    gan.compile(keras.optimizers.SGD(0.01), keras.optimizers.SGD(0.01), run_eagerly=True)
    real = images(1)[0]
    latents = tf.random.stateless_normal((8, 5), (1, 2))
    gan.latents = lambda like: latents

    def losses():
        fake = gan.generator(latents, training=True)
        d = gan.discriminator_losses(tf.constant(real), fake)["discriminator_loss"]
        return float(tf.reduce_mean(d)), float(
            tf.reduce_mean(gan.generator_losses(tf.constant(real), fake)["generator_loss"])
        )

    step, changes = gan.step, {}

    def watched(side, tape, values):
        before = losses()
        step(side, tape, values)
        changes[side] = np.subtract(losses(), before)

    gan.step = watched
    gan.train_on_batch(real)
    assert changes["discriminator"][0] < 0 < changes["discriminator"][1]
    assert changes["generator"][1] < 0 < changes["generator"][0]


def test_the_optimizers_are_the_papers_unless_named():
    gan = make()
    gan.compile()
    for optimizer in (gan.generator_optimizer, gan.discriminator_optimizer):
        assert isinstance(optimizer, keras.optimizers.Adam) and optimizer.beta_1 == 0.5
        assert float(optimizer.learning_rate.numpy()) == np.float32(2e-4)


def test_every_loss_and_penalty_trains():
    for name in keras_gans.losses.names():
        gan = make(loss=name)
        gan.compile(run_eagerly=True)
        assert np.isfinite(gan.train_on_batch(images(1)[0])).all()
    penalties = dict.fromkeys(keras_gans.penalties.names(), 1.0)
    gan = PlainDCGAN().make()
    gan = keras_gans.DCGAN(gan.generator, gan.discriminator, penalties=penalties)
    gan.compile()
    logs = gan.train_on_batch(images(1)[0], return_dict=True)
    assert set(penalties) < set(logs) and all(np.isfinite(v) for v in logs.values())


def test_it_trains_with_xla_as_without():
    one, other = make(), make()
    other.set_weights(one.get_weights())
    # XLA turns the same random bits into other normal numbers, so both get the same latents.
    latents = tf.random.stateless_normal((8, 5), (1, 2))
    one.latents = other.latents = lambda like: latents
    one.compile(sgd(), sgd())
    other.compile(sgd(), sgd(), jit_compile=True)
    for batch in images(2):
        one.train_on_batch(batch)
        other.train_on_batch(batch)
    assert_same(one.get_weights(), other.get_weights(), atol=1e-4)
