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


def encoder(latent_dim=CODES, shape=SHAPE, stochastic=True):
    return networks.mlp_encoder(shape, latent_dim, width=12, depth=1, stochastic=stochastic)


def critic(shape=SHAPE, logits=1, activation=None):
    """Of dense layers, which start faster than those of `feature_discriminator`."""
    images = keras.Input(shape)
    features = keras.layers.LeakyReLU(0.2)(keras.layers.Dense(12)(keras.layers.Flatten()(images)))
    head = keras.layers.Dense(logits, activation, dtype="float32")(features)
    return keras.Model(images, [head, features])


def make(**kwargs):
    options = {
        "generator": networks.mlp_generator(SHAPE, latent_dim=CODES, width=12, depth=1),
        "discriminator": critic(),
        "encoder": encoder(),
        "similarity_weight": 0.3,
        "loss": "relativistic_average",
        "seed": 0,
    }
    return keras_gans.VAEGAN(**{**options, **kwargs})


class TestVAEGAN(GANContract):
    def make(self, **kwargs):
        # Its averages over a batch are each replica's own, those of this loss are not.
        return make(**{"loss": "hinge", **kwargs})

    def batches(self, number=3, size=8):
        return tiny.images(number, size)


def test_the_losses_of_algorithm_1():
    gan = make(loss="non_saturating")
    gan.compile(*(keras.optimizers.SGD(0.0) for _ in "gd"), encoder_optimizer="sgd")
    gan.encoder_optimizer.learning_rate = 0.0
    images = tf.constant(tiny.images(1)[0])
    drawn = gan.draw_latents(8, tf.constant([3, 4]))
    gan.latents = lambda like: drawn  # the noise of the codes, too
    logs = gan.train_on_batch(images, return_dict=True)

    means, log_variances = (x.numpy() for x in gan.encoder(images))
    copies = gan.generator(means + np.exp(log_variances) ** 0.5 * drawn)
    real, generated, copied = map(gan.discriminator, (images, gan.generator(drawn), copies))
    one, other, third = (1 / (1 + np.exp(-x[0])) for x in (real, generated, copied))
    fake = (-np.log(1 - other) - np.log(1 - third)) / 2
    np.testing.assert_allclose(logs["discriminator_loss"], np.mean(fake - np.log(one)), rtol=1e-4)
    fooled = np.mean(-np.log(other) - np.log(third)) / 2
    np.testing.assert_allclose(logs["generator_loss"], fooled, rtol=1e-4)
    similarity = 0.5 * np.sum((copied[1] - real[1]) ** 2, axis=1).mean()
    np.testing.assert_allclose(logs["similarity_loss"], similarity, rtol=1e-4)
    np.testing.assert_allclose(logs["weighted_similarity_loss"], 0.3 * similarity, rtol=1e-4)
    # The divergence of two normals (Kingma 2014, appendix B).
    prior = -0.5 * (1 + log_variances - means**2 - np.exp(log_variances)).sum(axis=1)
    np.testing.assert_allclose(logs["prior_loss"], prior.mean(), rtol=1e-4)


def test_features_are_a_map_of_the_plain_discriminator():
    shape = (16, 16, 3)
    network = networks.feature_discriminator(shape, width=4, level=1)
    assert [tuple(x.shape) for x in network.outputs] == [(None, 1), (None, 8, 8, 4)]
    last = networks.feature_discriminator(shape, width=4)
    assert tuple(last.outputs[1].shape) == (None, 4, 4, 8)
    images = tf.random.stateless_normal((2, *shape), (0, 1))
    logits, features = last(images)
    head = last.get_layer("logits")
    row = tf.reshape(features, (2, -1))
    np.testing.assert_allclose(logits, row @ head.kernel + head.bias, atol=1e-5)
    for level in (0, 3):
        with pytest.raises(ValueError, match=f"Received: level={level}"):
            networks.feature_discriminator(shape, width=4, level=level)


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"encoder": encoder(6)}, r"means \(batch, 5\).*None, 6"),
        ({"encoder": encoder(stochastic=False)}, "not such as VAEGAN takes.*`stochastic`"),
        ({"encoder": encoder(shape=(8, 8, 1))}, "the encoder takes images of another shape"),
        ({"discriminator": networks.mlp_discriminator(SHAPE)}, "feature_discriminator"),
        ({"discriminator": critic(logits=2)}, r"features.*Received: outputs \[\(None, 2\)"),
        ({"discriminator": critic(activation="sigmoid")}, "take logits"),
        ({"discriminator": critic((8, 8, 1))}, "discriminator takes images of another shape"),
        ({"similarity_weight": -1.0}, "similarity_weight=-1.0"),
    ],
)
def test_what_does_not_fit(wrong, message):
    with pytest.raises(ValueError, match=message):
        make(**wrong)
