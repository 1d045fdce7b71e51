import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans
from keras_gans import networks, replicas, zoo

SHAPE = (16, 16, 1)


def make(synchronized, seed=0):
    keras.utils.set_random_seed(seed)
    pair = [
        networks.dcgan_generator(SHAPE, latent_dim=4, width=4),
        networks.dcgan_discriminator(
            SHAPE,
            width=4,
        ),
    ]
    gan = keras_gans.DCGAN(
        *(map(networks.synchronized, pair) if synchronized else pair), ema_decay=0.9, seed=1
    )
    gan.compile(keras.optimizers.SGD(0.05), keras.optimizers.SGD(0.05))
    return gan


def images(number=24):
    # Halves of a batch that differ, so that their statistics do.
    pixels = np.random.default_rng(0).uniform(-0.2, 0.2, (number, *SHAPE))
    return (pixels + 0.7 * np.sign(np.arange(number) % 8 - 3.5)[:, None, None, None]).astype("f4")


def fit(gan):
    gan.fit(images(), batch_size=8, shuffle=False, verbose=0)
    return [weight.numpy() for weight in gan.weights]


def largest_difference(first, second):
    return max(np.abs(a - b).max() for a, b in zip(first, second, strict=True))


def test_one_replica_and_two_agree_where_batch_normalisation_is_synchronised(two_replicas):
    alone = make(synchronized=False)
    with two_replicas.scope():
        shared, apart = make(synchronized=True), make(synchronized=False)
    expected = fit(alone)
    assert largest_difference(expected, fit(shared)) < 2e-5
    assert largest_difference(expected, fit(apart)) > 1e-3


def test_replicas_that_normalise_apart_share_their_statistics(two_replicas):
    halves = images(8).reshape(2, 4, *SHAPE)
    with two_replicas.scope():
        network = networks.dcgan_discriminator(SHAPE, width=4)
    first = next(x for x in network.layers if isinstance(x, keras.layers.BatchNormalization))
    seen = keras.Model(network.input, first.input)
    features = [seen(half).numpy() for half in halves]
    means, variances = ([f(x, axis=(0, 1, 2)) for x in features] for f in (np.mean, np.var))
    assert np.abs(means[0] - means[1]).max() > 0.01

    def step(half):
        network(half, training=True)
        replicas.share_statistics([network])

    def of_replica(context):
        return tf.constant(halves[context.replica_id_in_sync_group])

    values = two_replicas.experimental_distribute_values_from_function(of_replica)
    tf.function(two_replicas.run)(step, args=(values,))
    # From 0 and 1, a tenth of the way to the mean of what both have seen.
    for weight, expected in (
        (first.moving_mean, 0.1 * np.mean(means, axis=0)),
        (first.moving_variance, 0.9 + 0.1 * np.mean(variances, axis=0)),
    ):
        for value in two_replicas.experimental_local_results(weight.value):
            np.testing.assert_allclose(value, expected, atol=1e-6)


def test_the_copy_computes_the_same_and_says_what_it_is():
    network = networks.conditional_batch_norm_generator(SHAPE, num_classes=3, width=4)
    copy = networks.synchronized(network)
    latents, labels = np.random.default_rng(0).normal(size=(5, 128)), np.arange(5) % 3
    for training in (False, True):
        first, second = (n([latents, labels], training=training).numpy() for n in (network, copy))
        np.testing.assert_allclose(first, second, atol=1e-6)  # another formula of the variance
    assert copy.name == network.name
    flags = [
        layer.get_config()["synchronized"] for layer in copy.layers if "normalization" in layer.name
    ]
    assert flags and all(flags)
    again = keras.Model.from_config(copy.get_config())
    assert again.get_config() == copy.get_config()


def test_states_of_random_layers_are_copied_too():
    network = networks.mlp_discriminator((2,), dropout=0.5)
    copy = networks.synchronized(network)
    points = np.ones((4, 2), "float32")
    first, second = (n(points, training=True).numpy() for n in (network, copy))
    np.testing.assert_array_equal(first, second)
    assert np.abs(first - network(points, training=True).numpy()).max() > 0


@pytest.mark.parametrize("name", ["stochastic", "synchronized"])
def test_no_recipe_can_ask_for_what_takes_networks(name):
    config = zoo.Recipe.read("dcgan_digits_28_quick").config
    config["networks"]["generator"] = {"type": name}
    with pytest.raises(ValueError, match="known `type`"):
        zoo.Recipe(config)


def test_what_is_no_network_of_known_layers_is_refused():
    class Own(keras.Model):
        def call(self, x):
            return x

    for wrong in ("generator", Own(), keras.Sequential([keras.layers.Dense(1)])):
        with pytest.raises(ValueError, match="functional or Sequential.*Received"):
            networks.synchronized(wrong)
