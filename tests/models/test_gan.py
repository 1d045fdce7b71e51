import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans
from contract import GANContract, sgd

networks = keras_gans.networks


def images(number, size=8, shape=(16, 16, 1), seed=0):
    rng = np.random.default_rng(seed)
    return np.tanh(rng.normal(size=(number, size, *shape))).astype("float32")


class TestGAN(GANContract):
    parts = 2

    def make(self, **kwargs):
        return keras_gans.GAN(
            networks.mlp_generator((16, 16, 1), latent_dim=5, width=12),
            networks.mlp_discriminator((16, 16, 1), width=12),
            discriminator_steps=2,
            loss=keras_gans.losses.get("minimax", real_label=0.9),
            penalties={"r1_penalty": 0.5},
            **{"seed": 0, **kwargs},
        )

    def batches(self, number=3, size=8):
        return images(number, size)


class TestDropoutResumesExactly(TestGAN):
    """Keras does not save the state of a layer's random numbers; the base class does."""

    def make(self, **kwargs):
        return keras_gans.GAN(
            networks.mlp_generator((16, 16, 1), latent_dim=5, width=12),
            networks.mlp_discriminator((16, 16, 1), width=12, dropout=0.3),
            discriminator_steps=2,
            loss="least_squares",
            **{"seed": 0, **kwargs},
        )

    @pytest.mark.skip(reason="Dropout draws the same mask on every replica, another on one")
    def test_one_replica_and_two_agree(self):
        pass


def small(**kwargs):
    return keras_gans.GAN(
        networks.mlp_generator((16, 16, 1), latent_dim=5, width=12),
        networks.mlp_discriminator((16, 16, 1), width=12),
        **kwargs,
    )


def test_each_of_k_steps_and_the_generators_step_draw_fresh_latents():
    gan = small(discriminator_steps=3, seed=0)
    gan.compile(sgd(), sgd(), run_eagerly=True)
    drawn, steps = [], []
    latents, step = gan.latents, gan.step
    gan.latents = lambda like: drawn.append(latents(like)) or drawn[-1]
    gan.step = lambda side, tape, losses: steps.append(side) or step(side, tape, losses)
    gan.train_on_batch(images(1, 12)[0])
    assert steps == ["discriminator"] * 3 + ["generator"]
    assert [d.shape for d in drawn] == [(4, 5)] * 4
    assert len({d.numpy().tobytes() for d in drawn}) == 4


def test_every_image_of_a_batch_is_used_once():
    gan = small(discriminator_steps=2, seed=0)
    gan.compile(sgd(), sgd(), run_eagerly=True)
    seen, losses = [], gan.discriminator_losses
    gan.discriminator_losses = lambda real, fake: seen.append(real.numpy()) or losses(real, fake)
    batch = images(1, 8)[0]
    gan.train_on_batch(batch)
    np.testing.assert_array_equal(np.concatenate(seen), batch)


def test_a_discriminator_step_is_the_gradient_worked_out_by_hand():
    """One linear logit, one image: the step is lr * (1 - D(x)) x - lr * D(g) g."""
    inputs = keras.Input((3,))
    discriminator = keras.Model(inputs, keras.layers.Dense(1, use_bias=False)(inputs))
    latents = keras.Input((2,))
    generator = keras.Model(latents, keras.layers.Dense(3, use_bias=False)(latents))
    w = np.array([[0.3], [-0.2], [0.1]], "float32")
    discriminator.set_weights([w])
    generator.set_weights([np.ones((2, 3), "float32")])
    gan = keras_gans.GAN(generator, discriminator)
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.1), run_eagerly=True)
    z = np.array([[0.5, -1.5]], "float32")
    gan.latents = lambda like: tf.constant(z)
    x = np.array([[0.2, 0.4, -0.6]], "float32")
    gan.train_on_batch(x)

    def sigmoid(a):
        return 1 / (1 + np.exp(-a))

    g = z @ np.ones((2, 3))
    expected = w + 0.1 * ((1 - sigmoid(x @ w)) * x - sigmoid(g @ w) * g).T
    np.testing.assert_allclose(discriminator.get_weights()[0], expected, atol=1e-6)


def test_averages_follow_the_warmed_up_rule():
    gan = small(ema_decay=0.5, seed=0)
    gan.compile(sgd(), sgd())
    average = gan.generator.get_weights()
    for n, batch in enumerate(images(3), start=1):
        gan.train_on_batch(batch)
        decay = min(0.5, (1 + n) / (10 + n))
        new = gan.generator.get_weights()
        average = [decay * a + (1 - decay) * v for a, v in zip(average, new)]
    for a, b in zip(average, gan.ema_generator.get_weights()):
        np.testing.assert_allclose(a, b, atol=1e-6)
    assert gan.inference_generator is gan.ema_generator
    assert not gan.ema_generator.trainable_variables


def test_relativistic_generator_sees_real_images():
    gan = small(loss="relativistic_average", seed=0)
    gan.compile()
    assert np.isfinite(gan.train_on_batch(images(1)[0], return_dict=True)["generator_loss"])


def test_two_replicas_draw_different_latents(two_replicas):
    with two_replicas.scope():
        gan = small(seed=0)
    pair = two_replicas.run(lambda: (gan.latents(tf.zeros((4, 1))), gan.next_seed()))
    latents, seeds = (two_replicas.experimental_local_results(v) for v in pair)
    assert np.abs(latents[0] - latents[1]).min() > 0
    assert (seeds[0].numpy() != seeds[1].numpy()).any()


def test_the_base_class_wants_a_train_step():
    gan = keras_gans.AdversarialModel(
        {"generator": networks.mlp_generator((1,))},
        {"discriminator": networks.mlp_discriminator((1,))},
    )
    gan.compile()
    with pytest.raises(NotImplementedError, match="does not define `train_step`"):
        gan.train_on_batch(np.zeros((4, 1), "float32"))


# ---- bad input


def test_networks_of_unlike_sizes():
    with pytest.raises(ValueError, match=r"do not fit.*Received: .*\(16, 16, 1\).*\(32, 32, 1\)"):
        keras_gans.GAN(networks.mlp_generator((16, 16, 1)), networks.mlp_discriminator((32, 32, 1)))


def test_networks_of_unlike_channels():
    with pytest.raises(ValueError, match="do not fit"):
        keras_gans.DCGAN(
            networks.dcgan_generator((16, 16, 1)), networks.dcgan_discriminator((16, 16, 3))
        )


def test_latents_that_do_not_fit():
    with pytest.raises(ValueError, match=r"do not fit the generator. Expected .*5\).*\(2, 6\)"):
        small().generate(latents=np.zeros((2, 6)))


def test_discriminator_without_one_logit():
    inputs = keras.Input((4,))
    two = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    with pytest.raises(ValueError, match="one logit"):
        keras_gans.GAN(networks.mlp_generator((4,)), two)


def test_unbuilt_network():
    unbuilt = keras.Sequential([keras.layers.Dense(1)])
    with pytest.raises(ValueError, match=r"`discriminator` must be a `keras.Model` whose weights"):
        keras_gans.GAN(networks.mlp_generator((4,)), unbuilt)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.full((8, 16, 16, 1), 200.0, "float32"), "out of range.*from 200 to 200"),
        (np.full((8, 16, 16, 1), np.nan, "float32"), "out of range"),
        (np.zeros((8, 16, 16, 1), "uint8"), "floats in .*from_uint8.*Received: uint8"),
        (np.zeros((8, 16, 16), "float32"), r"do not have the shape.*Received: shape \(8, 16, 16\)"),
        (np.zeros((8, 16, 16, 3), "float32"), "do not have the shape"),
    ],
)
@pytest.mark.parametrize("kind", ["array", "dataset"])
def test_images_that_no_generator_made(bad, message, kind):
    gan = small()
    gan.compile()
    before = [w.copy() for w in gan.get_weights()]
    data = bad if kind == "array" else tf.data.Dataset.from_tensors(bad)
    with pytest.raises(ValueError, match=message):
        gan.fit(data, verbose=0)
    assert all((a == b).all() for a, b in zip(before, gan.get_weights()))


def test_labels_where_none_are_wanted():
    gan = small()
    gan.compile()
    with pytest.raises(ValueError, match="trains on images alone"):
        gan.fit(images(1)[0], np.zeros(8), verbose=0)


def test_batch_that_does_not_divide():
    gan = small(discriminator_steps=3)
    gan.compile()
    message = "multiple of 3.*Received: a batch of 8, discriminator_steps=3"
    with pytest.raises(ValueError, match=message):
        gan.fit(tf.data.Dataset.from_tensor_slices(images(2)), verbose=0)
    with pytest.raises(ValueError, match="a batch of 8"):
        gan.fit(images(1, 14)[0], batch_size=8, verbose=0)


@pytest.mark.parametrize("steps", [0, -1, 1.5])
def test_bad_discriminator_steps(steps):
    with pytest.raises(ValueError, match="discriminator_steps"):
        small(discriminator_steps=steps)


def test_bad_ema_decay():
    with pytest.raises(ValueError, match=r"ema_decay.*Received: ema_decay=1.0"):
        small(ema_decay=1.0)


def test_bad_penalties():
    with pytest.raises(ValueError, match="Did you mean 'r1_penalty'"):
        small(penalties={"r1": 1.0})
    with pytest.raises(ValueError, match="above 0"):
        small(penalties={"r1_penalty": 0.0})


def test_validation_is_refused_before_training():
    gan = small()
    gan.compile()
    with pytest.raises(ValueError, match="nothing to evaluate on held-out data"):
        gan.fit(images(1)[0], validation_data=images(1)[0], verbose=0)
    with pytest.raises(ValueError, match="nothing to evaluate"):
        gan.evaluate(images(1)[0], verbose=0)


def test_compile_refuses_what_a_gan_does_not_take():
    gan, adam = small(), keras.optimizers.Adam()
    with pytest.raises(ValueError, match="takes no `loss`"):
        gan.compile(loss="mse")
    with pytest.raises(ValueError, match="each side needs its own"):
        gan.compile(adam, adam)


@pytest.mark.parametrize(
    "setting",
    [
        {"steps_per_execution": 2},
        {"jit_compile": True},
        {"generator_optimizer": keras.optimizers.SGD(0.1, gradient_accumulation_steps=2)},
    ],
)
def test_what_replicas_cannot_do_is_said_at_once(two_replicas, setting):
    with two_replicas.scope():
        gan = small()
        with pytest.raises(ValueError, match="Keras 3 cannot train on several replicas with"):
            gan.compile(**setting)


class TestLazyPenalties(GANContract):
    """A penalty of each side, at every second step and at every third."""

    def make(self, **kwargs):
        return keras_gans.DCGAN(
            networks.mlp_generator((16, 16, 1), latent_dim=5, width=12),
            networks.mlp_discriminator((16, 16, 1), width=12),
            penalties={
                "r1_penalty": {"weight": 0.5, "every": 2},
                "jacobian_clamping": {"weight": 0.1, "every": 3},
            },
            **{"seed": 0, **kwargs},
        )

    def batches(self, number=3, size=8):
        return images(number, size)

    @pytest.mark.skip(reason="Each replica takes steps of its latents in directions of its own")
    def test_one_replica_and_two_agree(self):
        pass


def test_a_lazy_penalty_is_the_same_on_one_replica_and_two(two_replicas):
    """With spectral normalization, whose state the penalty's pass must not move on replicas."""

    def trained():
        images_in = keras.Input((16, 16, 1))
        dense = keras_gans.layers.SpectralNormalization(keras.layers.Dense(1))
        gan = keras_gans.DCGAN(
            networks.mlp_generator((16, 16, 1), latent_dim=5, width=12),
            keras.Model(images_in, dense(keras.layers.Flatten()(images_in))),
            penalties={"r1_penalty": {"weight": 0.5, "every": 2}},
            seed=0,
        )
        gan.compile(sgd(), sgd())
        return gan

    alone = trained()
    with two_replicas.scope():
        shared = trained()
    shared.set_weights(alone.get_weights())
    data = tf.data.Dataset.from_tensor_slices(images(4))
    for gan in (alone, shared):
        gan.fit(data, verbose=0)
    for a, b in zip(alone.get_weights(), shared.get_weights()):
        np.testing.assert_allclose(a, b, atol=2e-5)


@pytest.mark.parametrize("run_eagerly", [True, False])
def test_a_lazy_penalty_is_taken_every_kth_step_with_k_times_its_weight(run_eagerly):
    def logged(every):
        keras.utils.set_random_seed(0)
        gan = small(seed=0, penalties={"r1_penalty": {"weight": 0.5, "every": every}})
        gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0), run_eagerly=run_eagerly)
        values = []
        for batch in images(5):
            gan.reset_metrics()
            values.append(float(gan.train_on_batch(batch, return_dict=True)["r1_penalty"]))
        return values

    always, lazy = logged(1), logged(2)
    np.testing.assert_allclose(lazy[::2], [2 * value for value in always[::2]], rtol=1e-5)
    assert lazy[1::2] == [0.0, 0.0] and min(always) > 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"r1_penalty": {"weight": 1.0, "steps": 2}}, "has a `weight`, and optionally `every`"),
        ({"r1_penalty": {"every": 2}}, "has a `weight`"),
        ({"r1_penalty": {"weight": 1.0, "every": 0}}, "at least 1"),
        ({"r1_penalty": {"weight": 0.0, "every": 2}}, "above 0"),
        ({"r3_penalty": 1.0}, "Did you mean"),
    ],
)
def test_a_penalty_that_is_wrong_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        small(penalties=given)
