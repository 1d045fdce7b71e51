import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans
import tiny
from contract import GANContract
from tiny import SHAPE

networks = keras_gans.networks
CODES = 5


def encoder(shape=SHAPE, latent_dim=CODES, **kwargs):
    return networks.mlp_encoder(shape, latent_dim, width=12, depth=1, **kwargs)


def critic(shape=SHAPE, latent_dim=CODES, depth=1, width=12):
    """Of dense layers, which start faster than those of `joint_discriminator`."""
    images, codes = keras.Input(shape), keras.Input((latent_dim,))
    row = keras.layers.Concatenate()([keras.layers.Flatten()(images), codes])
    for _ in range(depth):
        row = keras.layers.LeakyReLU(0.2)(keras.layers.Dense(width)(row))
    return keras.Model([images, codes], keras.layers.Dense(1, dtype="float32")(row))


def make(kind=keras_gans.BiGAN, **kwargs):
    options = {
        "generator": networks.mlp_generator(SHAPE, latent_dim=CODES, width=12),
        "discriminator": critic(),
        "encoder": encoder(stochastic=kind is keras_gans.ALI),
        "penalties": {"r1_penalty": 0.5},
        "loss": "least_squares",
        "seed": 0,
    }
    return kind(**{**options, **kwargs})


class TestBiGAN(GANContract):
    def make(self, **kwargs):
        return make(**kwargs)

    def batches(self, number=3, size=8):
        return tiny.images(number, size)


class TestALI(TestBiGAN):
    def make(self, **kwargs):
        return make(keras_gans.ALI, **kwargs)

    # What does not depend on the kind of the encoder is tested once.
    test_half_precision_stays_finite_and_trains = None
    test_generate_repeats_itself_from_a_seed = None
    test_config_round_trip = None
    test_logs_carry_exactly_the_tracked_names_as_means = None
    test_saved_and_reloaded_it_goes_on_bit_for_bit = None


def test_the_losses_are_those_of_the_paper():
    """log D of each kind of pair, from the networks alone; G and E exchange the labels."""
    gan = make(loss="non_saturating", penalties=None)
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
    images, latents = tf.constant(tiny.images(1)[0]), gan.draw_latents(8, tf.constant([3, 4]))
    gan.latents = lambda like: latents
    logs = gan.train_on_batch(images, return_dict=True)

    def probability(images, codes):
        return tf.sigmoid(gan.discriminator([images, codes])).numpy()

    encoded = probability(images, gan.encoder(images))
    generated = probability(gan.generator(latents), latents)
    discriminator = -np.log(encoded) - np.log(1 - generated)
    others = -np.log(1 - encoded) - np.log(generated)
    np.testing.assert_allclose(logs["discriminator_loss"], discriminator.mean(), rtol=1e-5)
    np.testing.assert_allclose(logs["generator_loss"], others.mean(), rtol=1e-5)


def test_a_penalty_is_of_the_gradient_at_image_and_code():
    """Of a linear discriminator, whose gradient is its weights."""
    linear = critic(depth=0)
    gan = make(discriminator=linear, penalties={"r1_penalty": 2.0})
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
    logs = gan.train_on_batch(tiny.images(1)[0], return_dict=True)
    weights = linear.layers[-1].kernel.numpy()
    np.testing.assert_allclose(logs["r1_penalty"], (weights**2).sum(), rtol=1e-5)


def test_a_stochastic_encoder_draws_codes_of_its_mean_and_variance():
    gan = make(keras_gans.ALI)
    head = gan.encoder.get_layer("log_variances")
    head.kernel.assign(tf.zeros_like(head.kernel))
    head.bias.assign(np.log([4.0, 1e-12, 1.0, 1.0, 1.0]))  # variances
    images = np.repeat(tiny.images(1, size=1)[0], 4000, axis=0)
    drawn, mean = gan.codes(images).numpy(), gan.encode(images[:1])[0]
    np.testing.assert_allclose(drawn.mean(axis=0), mean, atol=0.1)
    np.testing.assert_allclose(drawn.std(axis=0), [2.0, 0.0, 1.0, 1.0, 1.0], atol=0.05)


def test_the_encoder_finds_the_latents_of_a_fixed_generator():
    """On points: E and D learn, G stays, and E becomes its inverse as the paper proves."""
    points = networks.mlp_generator((2,), latent_dim=2, width=8, depth=1)
    points.set_weights([w * 1.5 for w in points.get_weights()])
    found = networks.mlp_encoder((2,), latent_dim=2, width=32, depth=1)
    points.trainable = False
    judge = critic((2,), 2, depth=2, width=32)
    gan = make(generator=points, discriminator=judge, encoder=found, loss="non_saturating")
    gan.compile(keras.optimizers.Adam(0.005, 0.5), keras.optimizers.Adam(0.005, 0.5))
    made = gan.generate(64 * 64, seed=1)

    def error():
        return np.mean((gan.reconstruct(made[:500]) - made[:500]) ** 2) / np.var(made)

    before = error()
    gan.fit(made, batch_size=64, epochs=10, verbose=0)
    assert before > 0.5 and error() < before / 4


def test_codes_and_reconstructions():
    gan = make(ema_decay=0.9)
    images = tiny.images(1, size=3)[0]
    found = gan.encode(images, batch_size=2)
    assert found.shape == (3, CODES) and found.dtype == "float32"
    np.testing.assert_allclose(found, gan.ema_encoder(images), atol=1e-6)
    np.testing.assert_array_equal(gan.reconstruct(images), gan.generate(latents=found))


@pytest.mark.parametrize(
    "images, message",
    [
        (np.zeros((3, 8, 8, 1)), r"do not fit the generator.*Received: shape \(3, 8, 8, 1\)"),
        (np.zeros((3, *SHAPE), "uint8"), "Images must be floats.*Received: uint8"),
        (np.full((3, *SHAPE), 255.0), "out of range.*255"),
        (np.zeros(SHAPE), "do not fit the generator"),
        (np.full((1, *SHAPE), np.nan), "out of range"),
    ],
)
def test_images_that_cannot_be_encoded(images, message):
    gan = make()
    for call in (gan.encode, gan.reconstruct):
        with pytest.raises(ValueError, match=message):
            call(images)


@pytest.mark.parametrize(
    "kind, wrong, message",
    [
        ("BiGAN", {"encoder": encoder(latent_dim=6)}, r"latents \(batch, 5\).*None, 6"),
        ("BiGAN", {"encoder": encoder(stochastic=True)}, "not such as BiGAN takes.*`stochastic`"),
        ("ALI", {"encoder": encoder()}, r"means \(batch, 5\), log_variances \(batch, 5\)"),
        ("BiGAN", {"encoder": encoder((8, 8, 1))}, r"the encoder takes images.*encoder takes \(8"),
        ("BiGAN", {"encoder": networks.mlp_generator((5,), 5)}, "encoder takes"),
        ("BiGAN", {"encoder": networks.conditional_mlp_discriminator(SHAPE, 3)}, "must take"),
        ("BiGAN", {"discriminator": networks.mlp_discriminator(SHAPE)}, r"\[images, latents\]"),
        (
            "BiGAN",
            {"discriminator": networks.joint_discriminator(SHAPE, 6, width=4)},
            "latents of another length.*generator 5, discriminator 6",
        ),
    ],
)
def test_networks_that_do_not_fit(kind, wrong, message):
    with pytest.raises(ValueError, match=message):
        make(getattr(keras_gans, kind), **wrong)


def test_an_encoder_whose_codes_are_bounded():
    images = keras.Input(SHAPE)
    codes = keras.layers.Dense(CODES, activation="tanh")(keras.layers.Flatten()(images))
    with pytest.raises(ValueError, match="no bounds.*remove the activation"):
        make(encoder=keras.Model(images, codes))
