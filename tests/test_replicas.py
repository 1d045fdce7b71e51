"""What is refused before a training on several replicas begins, and what they agree on."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans
from keras_gans import networks, replicas


def pair():
    return networks.mlp_generator((2,), width=4), networks.mlp_discriminator((2,), width=4)


def gan(parts=None, optimizers=()):
    made = keras_gans.GAN(*(parts or pair()))
    made.compile(*optimizers)
    return made


def adams():
    return [keras.optimizers.Adam(1e-3) for _ in range(2)]


POINTS = np.zeros((8, 2), "float32")


def test_networks_from_outside_of_the_scope(two_replicas):
    parts = pair()
    with (
        two_replicas.scope(),
        pytest.raises(
            ValueError, match="`generator` was created outside.*MirroredStrategy did not"
        ),
    ):
        gan(parts)


def test_networks_from_a_scope_in_a_gan_from_outside(two_replicas):
    with two_replicas.scope():
        parts = pair()
    with pytest.raises(
        ValueError, match="`generator` was created outside of this strategy's scope"
    ):
        gan(parts)


def test_optimizers_from_outside_of_the_scope(two_replicas):
    optimizers = adams()
    with (
        two_replicas.scope(),
        pytest.raises(ValueError, match="`generator_optimizer` was created outside.*iteration"),
    ):
        gan(optimizers=optimizers)


def test_fit_in_a_scope_that_the_gan_is_not_of(two_replicas):
    outside = gan()
    with two_replicas.scope(), pytest.raises(ValueError, match="`generator` was created outside"):
        outside.fit(POINTS, batch_size=4, verbose=0)


def test_compiled_and_trained_outside_of_the_scope_it_was_made_in(two_replicas):
    with two_replicas.scope():
        made, optimizers = keras_gans.GAN(*pair()), adams()
    made.compile(*optimizers)
    made.fit(POINTS, batch_size=4, verbose=0)
    # Counted once a step, not once a replica.
    assert made.generator_optimizer.iterations.numpy() == 2


def test_a_batch_smaller_than_the_replicas(two_replicas):
    with two_replicas.scope():
        made = gan()
    with pytest.raises(ValueError, match="Received: a batch of 1 for 2 replicas"):
        made.fit(POINTS, batch_size=1, verbose=0)
    with pytest.raises(ValueError, match="Received: a batch of 1 for 2 replicas"):  # the last one
        made.fit(POINTS[:5], batch_size=4, verbose=0)


def test_gradients_are_finite_on_all_replicas_or_on_none(two_replicas):
    def checked(broken):
        own = tf.distribute.get_replica_context().replica_id_in_sync_group
        value = tf.where(tf.equal(own, broken), np.float32("inf"), 3.0)
        rows = tf.IndexedSlices(tf.stack([value]), [1], [2])  # of an embedding: 0, value
        found = replicas.all_or_none_finite([tf.stack([1.0, 2.0]), None, rows])
        return [g for g in found if g is not None]

    def run(broken):
        found = tf.function(two_replicas.run)(checked, args=(broken,))
        return [[x.numpy() for x in two_replicas.experimental_local_results(g)] for g in found]

    whole, last = run(-1)
    assert [x.tolist() for x in whole] == [[1, 2]] * 2
    assert [x.tolist() for x in last] == [[0, 3]] * 2
    for broken in (0, 1):
        assert not any(np.isfinite(x).any() for pair in run(broken) for x in pair)
