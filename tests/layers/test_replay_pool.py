import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.layers import ReplayPool


def column(*values):
    return np.array(values, "float32")[:, None]


def one_by_one(pool, size, batch, seed, probability=0.5):
    """The algorithm of CycleGAN's program, image for image, with the layer's coins and places."""
    coins, places = tf.random.stateless_uniform((2, len(batch)), seed).numpy()
    returned = []
    for image, coin, place in zip(batch, coins, places):
        if len(pool) < size:
            pool.append(image)
            returned.append(image)
        elif coin < probability:
            place = int(place * size)
            returned.append(pool[place])
            pool[place] = image
        else:
            returned.append(image)
    return np.array(returned)


@pytest.mark.parametrize("size", [1, 3, 8, 50])
@pytest.mark.parametrize("number", [1, 2, 5, 11])  # straddles the boundary, outnumbers the pool
@pytest.mark.parametrize("in_graph", [False, True])
def test_agrees_with_the_algorithm_image_for_image(size, number, in_graph):
    layer, pool = ReplayPool(size), []
    call = tf.function(lambda x, seed: layer(x, seed)) if in_graph else layer
    layer.build((None, 2))
    for step in range(12):
        batch = np.arange(number)[:, None] + np.array([[100.0 * step, -1.0]], "float32")
        seed = tf.constant([3, step])
        expected = one_by_one(pool, size, batch.astype("float32"), seed)
        np.testing.assert_array_equal(call(tf.constant(batch, "float32"), seed), expected)
        assert layer.count.numpy() == len(pool)
        np.testing.assert_array_equal(layer.images.numpy()[: len(pool)], pool)


def test_each_image_may_be_exchanged():
    layer, pool = ReplayPool(4, probability=1.0), []
    for step in range(3):
        batch, seed = column(*range(10 * step, 10 * step + 3)), tf.constant([1, step])
        expected = one_by_one(pool, 4, batch, seed, 1.0)
        np.testing.assert_array_equal(layer(batch, seed), expected)
        np.testing.assert_array_equal(layer.images.numpy()[: len(pool)], pool)
    assert ReplayPool.from_config(layer.get_config()).probability == 1.0


@pytest.mark.parametrize("probability", [0, 1.1, -0.5, True, "half", float("nan")])
def test_what_is_no_probability(probability):
    with pytest.raises(ValueError, match="above 0 and at most 1. Received: probability="):
        ReplayPool(4, probability=probability)


def test_half_of_the_time_an_old_image_comes_back():
    layer = ReplayPool(50)
    ages, step = [], 0
    for step in range(400):
        batch = column(*[step] * 5)
        returned = layer(tf.constant(batch), seed=tf.constant([step, 1]))
        if step >= 10:  # 50 images have been stored
            ages.extend(step - returned.numpy().ravel())
    ages = np.array(ages)
    old = np.mean(ages > 0)
    # 1,950 coins have a standard deviation of 0.011; 4 % of the old ones are of the same batch.
    assert abs(old - 0.48) < 0.045
    # An image stays until its place is drawn: 50 swaps, so 100 images, so 20 batches.
    assert ages[ages > 0].mean() == pytest.approx(20.0, rel=0.15)


def test_size_0_is_no_pool():
    layer = ReplayPool(0)
    x = column(1.0, 2.0)
    np.testing.assert_array_equal(layer(x, seed=(0, 0)), x)
    assert layer.weights == []


def test_nothing_to_train_and_no_gradient():
    layer, x = ReplayPool(2), tf.constant(column(1.0, 2.0))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, seed=(0, 0))
    assert tape.gradient(y, x) is None
    assert layer.trainable_variables == [] and len(layer.non_trainable_variables) == 2


def test_mixed_precision_keeps_images_as_they_are():
    keras.config.set_dtype_policy("mixed_float16")
    layer = ReplayPool(2)
    x = column(1.0001, 2.0001)  # not in float16
    y = layer(tf.constant(x), seed=(0, 0))
    assert y.dtype == "float32" and layer.images.dtype == "float32"
    np.testing.assert_array_equal(y, x)
    np.testing.assert_array_equal(layer.images.numpy(), x)
    assert layer(tf.constant(x, "float16"), seed=(0, 1)).dtype == "float16"


def test_saved_and_reloaded_it_remembers(tmp_path):
    class Holder(keras.Model):
        def __init__(self):
            super().__init__()
            self.pool = ReplayPool(3)
            self.pool.build((None, 1))
            self.built = True

    model, twin = Holder(), Holder()
    model.pool(column(1.0, 2.0), seed=(0, 0))
    model.save_weights(tmp_path / "pool.weights.h5")
    twin.load_weights(tmp_path / "pool.weights.h5")
    for step in range(4):
        x = column(*(10 * step + np.arange(3.0)))
        returned = [m.pool(x, seed=(1, step)).numpy() for m in (model, twin)]
        np.testing.assert_array_equal(*returned)


def test_two_replicas_keep_one_pool_and_agree_with_one_replica(two_replicas):
    alone = ReplayPool(5)
    alone.build((None, 1))
    with two_replicas.scope():
        shared = ReplayPool(5)
        shared.build((None, 1))

    @tf.function
    def call(batch, seed):
        def one(batch, seed):
            replica = tf.distribute.get_replica_context().replica_id_in_sync_group
            return shared(batch, tf.random.experimental.stateless_fold_in(seed, replica))

        return two_replicas.run(one, (batch, seed))

    batches = np.arange(48.0, dtype="float32").reshape(12, 4, 1)
    for step, halves in enumerate(
        two_replicas.experimental_distribute_dataset(
            tf.data.Dataset.from_tensor_slices(batches.reshape(48, 1)).batch(4)
        )
    ):
        seed = tf.constant([2, step])
        parts = two_replicas.experimental_local_results(call(halves, seed))
        expected = alone(
            tf.constant(batches[step]), tf.random.experimental.stateless_fold_in(seed, 0)
        )
        np.testing.assert_array_equal(np.concatenate(parts), expected)
        for variable, one in zip(shared.weights, alone.weights, strict=True):
            for copy in two_replicas.experimental_local_results(variable.value):
                np.testing.assert_array_equal(copy.numpy(), one.numpy())


@pytest.mark.parametrize("size", [-1, 1.5, True, None])
def test_bad_size(size):
    with pytest.raises(ValueError, match=f"integer of at least 0. Received: size={size}"):
        ReplayPool(size)


@pytest.mark.parametrize("shape", [(None, None, 4, 3), (None,)])
def test_bad_shape(shape):
    with pytest.raises(ValueError, match=r"one known size.*Received: shape"):
        ReplayPool().build(shape)
