import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans
from contract import GANContract, sgd
from keras_gans.models.wgan import Clip
from tiny import SHAPE, images

networks = keras_gans.networks


def mlps(**kwargs):
    return (
        networks.mlp_generator(SHAPE, latent_dim=5, width=12),
        networks.mlp_discriminator(SHAPE, width=12, **kwargs),
    )


class TestWGAN(GANContract):
    parts = 2

    def make(self, **kwargs):
        return keras_gans.WGAN(*mlps(), critic_steps=2, clip=0.02, **{"seed": 0, **kwargs})

    def batches(self, number=3, size=8):
        return images(number, size)


class TestWGANGP(TestWGAN):
    def make(self, **kwargs):
        options = {"critic_steps": 2, "penalty_weight": 3.0}
        return keras_gans.WGANGP(*mlps(), **options, **{"seed": 0, **kwargs})

    def test_one_replica_and_two_agree(self, two_replicas, tmp_path, monkeypatch):
        # Where on its line an example is looked at is each replica's own draw: all halfway here.
        halfway = lambda shape, seed: tf.fill(shape, 0.5)  # noqa: E731
        monkeypatch.setattr(keras_gans.penalties, "_uniform", halfway)
        super().test_one_replica_and_two_agree(two_replicas, tmp_path)


def linear_pair():
    """A critic w.x, and a generator that answers the sum of a latent three times."""
    inputs, latents = keras.Input((3,)), keras.Input((2,))
    critic = keras.Model(inputs, keras.layers.Dense(1, use_bias=False)(inputs))
    generator = keras.Model(latents, keras.layers.Dense(3, use_bias=False)(latents))
    w = np.array([[0.3], [-0.2], [0.1]], "float32")
    critic.set_weights([w])
    generator.set_weights([np.ones((2, 3), "float32")])
    return generator, critic, w


def test_the_algorithm_worked_out_by_hand():
    """Two critic steps on fresh halves, clipped after each; then a step of the generator."""
    generator, critic, w = linear_pair()
    gan = keras_gans.WGAN(generator, critic, critic_steps=2, clip=0.15)
    gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1), run_eagerly=True)
    z = [np.array([row], "float32") for row in ([0.5, -1.5], [1.0, 0.5], [0.2, 0.1])]
    queue = iter(z)
    gan.latents = lambda like: tf.constant(next(queue))
    x = np.array([[0.2, 0.4, -0.6], [-0.5, 0.1, 0.9]], "float32")
    gan.train_on_batch(x)

    for real, latent in zip(x, z):
        fake = latent @ np.ones((2, 3))
        w = np.clip(w - 0.1 * (fake - real[None]).T, -0.15, 0.15)
    np.testing.assert_allclose(critic.get_weights()[0], w, atol=1e-6)
    assert (np.abs(w) == 0.15).any()  # the clipping took part
    # -f(g(z)) has the gradient -z' w' with respect to the generator's matrix.
    expected = np.ones((2, 3)) + 0.1 * z[2].T @ w.T
    np.testing.assert_allclose(generator.get_weights()[0], expected, atol=1e-6)


def test_every_weight_of_the_critic_is_clipped_and_none_of_the_generators():
    generator = networks.dcgan_generator(SHAPE, latent_dim=5, width=4)
    critic = networks.dcgan_discriminator(SHAPE, width=4)  # batch normalisation is the paper's
    gan = keras_gans.WGAN(generator, critic, critic_steps=2)
    gan.compile(keras.optimizers.SGD(1.0), keras.optimizers.SGD(1.0))
    gan.train_on_batch(images(1)[0])
    assert all(np.abs(v.numpy()).max() <= np.float32(0.01) for v in critic.trainable_variables)
    assert max(np.abs(v.numpy()).max() for v in generator.trainable_variables) > 0.02


def test_without_clipping_weights_go_where_they_want():
    gan = keras_gans.WGAN(*mlps(), critic_steps=2, clip=None)
    gan.compile(sgd(), keras.optimizers.SGD(1.0))
    gan.train_on_batch(images(1)[0])
    assert max(np.abs(v.numpy()).max() for v in gan.discriminator.trainable_variables) > 0.1


def test_clipping_survives_saving(tmp_path):
    gan = keras_gans.WGAN(*mlps(), critic_steps=2, clip=0.02)
    gan.compile()
    gan.save(tmp_path / "gan.keras")
    twin = keras.models.load_model(tmp_path / "gan.keras")
    assert all(v.constraint.limit == 0.02 for v in twin.variables_of("discriminator"))


def test_the_penalty_worked_out_by_hand():
    """The slope of w.x is w everywhere: the penalty is lambda (|w| - 1)^2."""
    generator, critic, w = linear_pair()
    gan = keras_gans.WGANGP(generator, critic, critic_steps=1, penalty_weight=7.0)
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.1), run_eagerly=True)
    z = np.array([[0.5, -1.5]], "float32")
    gan.latents = lambda like: tf.constant(z)
    x = np.array([[0.2, 0.4, -0.6]], "float32")
    logs = gan.train_on_batch(x, return_dict=True)
    norm = np.linalg.norm(w)
    np.testing.assert_allclose(logs["gradient_penalty"], 7.0 * (norm - 1) ** 2, rtol=1e-5)
    fake = z @ np.ones((2, 3))
    np.testing.assert_allclose(logs["discriminator_loss"], ((fake - x) @ w).item(), rtol=1e-5)
    expected = w - 0.1 * ((fake - x).T + 7.0 * 2 * (norm - 1) * w / norm)
    np.testing.assert_allclose(critic.get_weights()[0], expected, rtol=1e-5)


def test_defaults_are_the_papers():
    gan = keras_gans.WGAN(*mlps())
    gan.compile()
    assert (gan.critic_steps, gan.clip) == (5, 0.01)
    for optimizer in (gan.generator_optimizer, gan.discriminator_optimizer):
        assert type(optimizer) is keras.optimizers.RMSprop
        assert float(optimizer.learning_rate.numpy()) == np.float32(5e-5)
    gan = keras_gans.WGANGP(*mlps())
    gan.compile()
    assert (gan.critic_steps, gan.penalty_weight) == (5, 10.0)
    optimizer = gan.discriminator_optimizer
    assert type(optimizer) is keras.optimizers.Adam
    assert (optimizer.beta_1, optimizer.beta_2) == (0.0, 0.9)
    assert float(optimizer.learning_rate.numpy()) == np.float32(1e-4)


def test_each_step_draws_fresh_latents():
    gan = keras_gans.WGAN(*mlps(), critic_steps=4, seed=0)
    gan.compile(sgd(), sgd(), run_eagerly=True)
    drawn, latents = [], gan.latents
    gan.latents = lambda like: drawn.append(latents(like)) or drawn[-1]
    gan.train_on_batch(images(1)[0])
    assert [d.shape for d in drawn] == [(2, 5)] * 5
    assert len({d.numpy().tobytes() for d in drawn}) == 5


@pytest.mark.slow
def test_the_critic_finds_the_wasserstein_distance():
    """N(0, 1) and N(1.5, 1) are 1.5 apart, and WGAN-GP's critic says so."""
    inputs = keras.Input((1,))
    moved = keras.initializers.Constant(1.5)
    shift = keras.layers.Dense(1, kernel_initializer="ones", bias_initializer=moved)
    generator = keras.Model(inputs, shift(inputs))
    critic = networks.mlp_discriminator((1,), width=64)
    gan = keras_gans.WGANGP(generator, critic, critic_steps=1, seed=0)
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.9))
    x = np.random.default_rng(0).normal(size=(256 * 600, 1)).astype("float32")
    history = gan.fit(x, batch_size=256, epochs=2, verbose=0).history
    # The optimum of the penalised game lies a little above: slopes over 1 pay until
    # lambda * 2 * (slope - 1) = 1.5 / 1.5.
    assert -history["discriminator_loss"][-1] == pytest.approx(1.5, abs=0.15)


# ---- bad input


def test_a_batch_that_does_not_divide():
    gan = keras_gans.WGAN(*mlps(), critic_steps=3)
    gan.compile()
    with pytest.raises(ValueError, match="multiple of 3.*Received: a batch of 8, critic_steps=3"):
        gan.fit(images(1)[0], batch_size=8, verbose=0)


@pytest.mark.parametrize("cls", [keras_gans.WGAN, keras_gans.WGANGP])
@pytest.mark.parametrize(
    "last", [keras.layers.Dense(1, activation="sigmoid"), keras.layers.Activation("tanh")]
)
def test_a_critic_that_squashes(cls, last):
    inputs = keras.Input(SHAPE)
    x = keras.layers.Dense(1)(keras.layers.Flatten()(inputs))
    critic = keras.Model(inputs, last(x))
    with pytest.raises(ValueError, match="linear output.*Received.*(sigmoid|tanh)"):
        cls(networks.mlp_generator(SHAPE), critic)


@pytest.mark.parametrize("nested", [False, True])
def test_a_critic_that_normalises_over_the_batch(nested):
    critic = networks.dcgan_discriminator(SHAPE, width=4)
    if nested:
        inputs = keras.Input(SHAPE)
        critic = keras.Model(inputs, critic(inputs))
    with pytest.raises(ValueError, match="batch_normalization=False.*LayerNormalization.*Received"):
        keras_gans.WGANGP(networks.mlp_generator(SHAPE), critic)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"critic_steps": 0}, "critic_steps"),
        ({"critic_steps": 2.0}, "critic_steps"),
        ({"clip": 0.0}, "Received: clip=0.0"),
        ({"clip": -1.0}, "clip"),
    ],
)
def test_bad_numbers(arguments, message):
    with pytest.raises(ValueError, match=message):
        keras_gans.WGAN(*mlps(), **arguments)


def test_a_penalty_of_no_weight():
    with pytest.raises(ValueError, match="Received: penalty_weight=0"):
        keras_gans.WGANGP(*mlps(), penalty_weight=0)


def test_clip_by_itself():
    assert Clip(0.5)(tf.constant([-2.0, 0.1, 3.0])).numpy().tolist() == [-0.5, np.float32(0.1), 0.5]
    assert Clip.from_config(Clip(0.5).get_config()).limit == 0.5
