"""A GAN of three sides, an encoder beside the usual two, goes through the contract."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans
from contract import GANContract, sgd
from keras_gans.adversarial import AdversarialModel
from keras_gans.interface import Array, Image, Interface, Latents

networks = keras_gans.networks
SHAPE = (16, 16, 1)


@keras.saving.register_keras_serializable("tests")
class LatentRegression(AdversarialModel):
    """A GAN whose third side learns, after each step, which latents an image was made of."""

    side_names = ("generator", "discriminator", "encoder")
    averaged_sides = ("generator", "encoder")
    tracked = ("discriminator_loss", "generator_loss", "latent_loss")

    def __init__(self, generator, discriminator, encoder, **kwargs):
        sides = {
            "generator": {"generator": generator},
            "discriminator": {"discriminator": discriminator},
            "encoder": {"encoder": encoder},
        }
        super().__init__(sides=sides, **kwargs)
        self.adversarial_loss = keras_gans.losses.get("non_saturating")

    def default_optimizer(self):
        return sgd()

    def train_step(self, data):
        real = self.images(data)
        latents = self.latents(real)
        with tf.GradientTape() as generator_tape:
            fake = self.generator(latents, training=True)
            fooled = self.adversarial_loss.generator(self.discriminator(fake, training=True))
        with tf.GradientTape() as tape:
            logits = [self.discriminator(images, training=True) for images in (real, fake)]
            loss = self.adversarial_loss.discriminator(*logits, self.next_seed())
        self.step("discriminator", tape, {"discriminator_loss": loss})
        self.step("generator", generator_tape, {"generator_loss": fooled})
        with tf.GradientTape() as tape:
            found = tf.cast(self.encoder(fake, training=True), "float32")
            loss = tf.reduce_mean((found - latents) ** 2, axis=-1)
        self.step("encoder", tape, {"latent_loss": loss})
        self.update_averages()
        return self.get_metrics_result()


def make(**kwargs):
    images = keras.Input(SHAPE)
    encoder = keras.Model(images, keras.layers.Dense(5)(keras.layers.Flatten()(images)))
    return LatentRegression(
        networks.mlp_generator(SHAPE, latent_dim=5, width=12),
        networks.mlp_discriminator(SHAPE, width=12),
        encoder,
        **{"seed": 0, **kwargs},
    )


class TestThreeSides(GANContract):
    def make(self, **kwargs):
        return make(**kwargs)

    def batches(self, number=3, size=8):
        rng = np.random.default_rng(0)
        return np.tanh(rng.normal(size=(number, size, *SHAPE))).astype("float32")


def test_every_side_has_the_optimizer_given_by_its_name():
    gan = make()
    given = {f"{side}_optimizer": keras.optimizers.SGD(0.1) for side in gan.sides}
    gan.compile(**given)
    assert all(getattr(gan, name) is optimizer for name, optimizer in given.items())


def test_averages_are_kept_of_the_sides_that_the_class_names():
    gan = make(ema_decay=0.9)
    assert gan.in_use("encoder") is gan.ema_encoder
    assert gan.in_use("discriminator") is gan.discriminator


def test_each_network_says_what_it_takes_and_makes():
    gan = make()
    assert gan.interface() == Interface([Latents(5)], [Image(*SHAPE)])
    assert gan.interface("discriminator") == Interface([Image(*SHAPE)], [Array((1,))])
    assert gan.interface("encoder") == Interface([Image(*SHAPE)], [Array((5,))])
    with pytest.raises(ValueError, match=r"has no such network\. Did you mean 'encoder'"):
        gan.interface("encoders")


def test_an_interface_that_is_given_is_kept_and_saved():
    stated = Interface([Image(*SHAPE, name="face")], [Array((5,), name="latents")])
    gan = make(interfaces={"encoder": stated})
    assert gan.interface("encoder") == stated
    twin = LatentRegression.from_config(gan.get_config())
    assert twin.interface("encoder") == stated


@pytest.mark.parametrize(
    ("interfaces", "message"),
    [
        ({"coder": Interface([Image(*SHAPE)], [Array((5,))])}, "names networks"),
        ({"encoder": Interface([Image(8, 8, 1)], [Array((5,))])}, "does not fit its interface"),
        ({"encoder": Interface([Image(*SHAPE)], [Array((4,))])}, "does not fit its interface"),
    ],
)
def test_an_interface_that_does_not_fit_is_refused(interfaces, message):
    with pytest.raises(ValueError, match=message):
        make(interfaces=interfaces)


def test_a_side_without_networks_is_refused():
    class Hollow(LatentRegression):
        def __init__(self):
            side = {"generator": networks.mlp_generator(SHAPE, latent_dim=5, width=4)}
            AdversarialModel.__init__(self, sides={"generator": side, "encoder": {}})

    with pytest.raises(ValueError, match="Each side needs its networks"):
        Hollow()


def test_an_optimizer_of_no_side_or_of_two_is_refused():
    gan = make()
    with pytest.raises(ValueError, match=r"no such side.*encoder_optimizer"):
        gan.compile(decoder_optimizer="adam")
    shared = keras.optimizers.SGD(0.1)
    with pytest.raises(ValueError, match="keeps the moments of one side"):
        gan.compile(shared, encoder_optimizer=shared)


def test_a_network_of_two_sides_is_refused():
    class Twice(LatentRegression):
        def __init__(self, network):
            sides = {side: {"generator": network} for side in self.side_names}
            AdversarialModel.__init__(self, sides=sides)

    with pytest.raises(ValueError, match="belongs to one side"):
        Twice(networks.mlp_generator(SHAPE, latent_dim=5, width=4))
