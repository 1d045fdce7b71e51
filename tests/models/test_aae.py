import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans
import tiny
from contract import GANContract
from tiny import SHAPE

networks = keras_gans.networks
STYLE, CLASSES = 4, 3


def judge(size):
    return networks.mlp_discriminator((size,), width=8, depth=1)


def encoder(latent_dim=STYLE, **kwargs):
    return networks.mlp_encoder(SHAPE, latent_dim, width=12, depth=1, **kwargs)


def make(kind=keras_gans.AAE, **kwargs):
    size = STYLE if kind is keras_gans.AAE else STYLE + CLASSES
    options = {
        "generator": networks.mlp_generator(SHAPE, size, width=12, depth=1),
        "discriminator": judge(STYLE),
        "encoder": encoder(size, categorical=size - STYLE),
        "loss": "relativistic_pairing",
        "reconstruction_weight": 3.0,
        "seed": 0,
    }
    options |= {"class_discriminator": judge(CLASSES)} if size > STYLE else {}
    return kind(**{**options, **kwargs})


class TestAAE(GANContract):
    def make(self, **kwargs):
        return make(**kwargs)

    def batches(self, number=3, size=8):
        return tiny.images(number, size)

    # The last of the classes below has all that this one has, and more.
    test_one_replica_and_two_agree = None
    test_half_precision_stays_finite_and_trains = None
    test_saved_and_reloaded_it_goes_on_bit_for_bit = None
    test_generate_repeats_itself_from_a_seed = None


class TestCategoricalAAE(GANContract):
    def make(self, **kwargs):
        return make(keras_gans.CategoricalAAE, **kwargs)

    def batches(self, number=3, size=8):
        return tiny.images(number, size)

    test_one_replica_and_two_agree = None
    test_half_precision_stays_finite_and_trains = None
    test_saved_and_reloaded_it_goes_on_bit_for_bit = None
    test_logs_carry_exactly_the_tracked_names_as_means = None


class TestSemiSupervisedAAE(GANContract):
    def make(self, **kwargs):
        return make(keras_gans.SemiSupervisedAAE, **kwargs)

    def batches(self, number=3, size=8):
        images, labels = tiny.pairs(number, size)
        labels[:, 1::2] = -1
        return images, labels


def still(gan):
    gan.compile(*(keras.optimizers.SGD(0.0) for _ in "gd"), encoder_optimizer="sgd")
    gan.encoder_optimizer.learning_rate = 0.0
    return gan


def test_the_losses_worked_out():
    """The error of a copy; and log D of codes of the prior and of images, of both kinds."""
    gan = still(make(keras_gans.CategoricalAAE, loss="non_saturating"))
    images = tf.constant(tiny.images(1)[0])
    drawn = gan.draw_latents(8, tf.constant([3, 4]))
    gan.latents = lambda like: drawn
    logs = gan.train_on_batch(images, return_dict=True)

    style, classes = gan.encoder(images)
    codes = [style, np.exp(classes) / np.exp(classes).sum(axis=1, keepdims=True)]
    copies = gan.generator(np.concatenate(codes, axis=1))
    prior = tf.split(drawn, [STYLE, CLASSES], axis=1)
    np.testing.assert_allclose(prior[1].numpy().sum(axis=1), 1.0)
    np.testing.assert_allclose(
        logs["reconstruction_loss"], 3.0 * np.mean((copies - images) ** 2), rtol=1e-5
    )
    discriminator, fooled = 0.0, 0.0
    for network, real, fake in zip((gan.discriminator, gan.class_discriminator), prior, codes):
        real, fake = (tf.sigmoid(network(tf.constant(x))).numpy() for x in (real, fake))
        discriminator += np.mean(-np.log(real) - np.log(1 - fake))
        fooled += np.mean(-np.log(fake))
    np.testing.assert_allclose(logs["discriminator_loss"], discriminator, rtol=1e-5)
    np.testing.assert_allclose(logs["encoder_loss"], fooled, rtol=1e-5)


def test_the_classes_are_learned_from_the_images_with_a_label():
    gan = still(make(keras_gans.SemiSupervisedAAE))
    images, labels = (array[0] for array in tiny.pairs(1))
    labels[3:] = -1
    logs = gan.train_on_batch(images, labels, return_dict=True)
    logits = gan.class_logits(images).numpy()[:3]
    right = np.log(np.exp(logits).sum(axis=1)) - logits[range(3), labels[:3]]
    np.testing.assert_allclose(logs["supervised_loss"], right.mean(), rtol=1e-5)
    share = (logits.argmax(axis=1) == labels[:3]).mean()
    np.testing.assert_allclose(logs["accuracy"], share, rtol=1e-6)
    np.testing.assert_array_equal(gan.classify(images)[:3], logits.argmax(axis=1))
    assert gan.evaluate(images[:3], labels[:3], verbose=0) == pytest.approx(share)


def test_codes_get_the_distribution_of_the_prior_and_images_are_copied():
    """Of points on a curve: without the discriminator the codes keep their own distribution."""
    angles = np.random.default_rng(0).uniform(0, 2 * np.pi, 1024)
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype("float32")

    def trained(rate):
        gan = keras_gans.AAE(
            networks.mlp_generator((2,), latent_dim=1, width=32),
            networks.mlp_discriminator((1,), width=32),
            networks.mlp_encoder((2,), latent_dim=1, width=32),
            seed=0,
        )
        adam = keras.optimizers.Adam
        gan.compile(adam(0.005), adam(rate), encoder_optimizer=adam(0.002))
        gan.encoder.set_weights([3.0 * w for w in gan.encoder.get_weights()])
        gan.fit(points, batch_size=128, epochs=25, verbose=0)
        codes = np.sort(gan.encode(points)[:, 0])
        normal = np.sort(np.random.default_rng(1).normal(size=1024))
        error = np.mean((gan.reconstruct(points) - points) ** 2)
        return np.mean(np.abs(codes - normal)), error  # Wasserstein distance of the codes

    (distance, error), (control, _) = trained(0.005), trained(0.0)
    assert distance < 0.3 < control
    assert error < 0.2  # 0.5 for the mean


def test_a_class_and_a_style_make_an_image():
    gan = make(keras_gans.CategoricalAAE, ema_decay=0.9)
    images = tiny.images(1, size=3)[0]
    codes = gan.encode(images)
    np.testing.assert_allclose(codes[:, STYLE:].sum(axis=1), 1.0, rtol=1e-5)
    np.testing.assert_array_equal(gan.classify(images), codes[:, STYLE:].argmax(axis=1))
    other = codes.copy()
    other[:, STYLE:] = np.eye(CLASSES)[2]
    np.testing.assert_array_equal(
        gan.reconstruct(images, categorical=2), gan.generate(latents=other)
    )


@pytest.mark.parametrize(
    "kind, wrong, message",
    [
        ("AAE", {"encoder": encoder(5)}, r"latents \(batch, 4\).*None, 5"),
        ("AAE", {"encoder": encoder(stochastic=True)}, "not such as AAE takes"),
        ("AAE", {"discriminator": judge(5)}, "generator 4, discriminator 5"),
        ("AAE", {"discriminator": networks.mlp_discriminator(SHAPE)}, "must take `latents`"),
        ("AAE", {"loss": "none"}, "No adversarial loss"),
        ("CategoricalAAE", {"encoder": encoder(7)}, r"class_logits \(batch, 3\)"),
        ("CategoricalAAE", {"class_discriminator": judge(4)}, r"generator 7.* 4 \+ 4"),
        ("CategoricalAAE", {"discriminator": judge(6), "class_discriminator": judge(1)}, "1"),
    ],
)
def test_networks_that_do_not_fit(kind, wrong, message):
    with pytest.raises(ValueError, match=message):
        make(getattr(keras_gans, kind), **wrong)


def test_a_recipe_of_a_categorical_code():
    from keras_gans.zoo.catalog import interfaces

    shape = {"image_shape": [16, 16, 1], "latent_dim": 7}
    networks_ = {"generator": shape, "encoder": {"categorical": 3, **shape}}
    found = interfaces.of_recipe({"networks": networks_, "model": {"type": "CategoricalAAE"}})
    gan = make(keras_gans.CategoricalAAE)
    assert found["generator"] == gan.interface() and found["encoder"] == gan.interface("encoder")
    assert found["generator"].options == ("categorical",)
