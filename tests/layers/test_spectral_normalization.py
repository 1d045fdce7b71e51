import json
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.layers import SpectralNormalization

REFERENCE = json.loads(
    (pathlib.Path(__file__).parents[1] / "reference" / "tensorflow_addons.json").read_text()
)

# Each layer with the shape of its input, and its kernel's axes in the order that makes the
# matrix of the paper: rows are output channels.
WRAPPED = {
    "Dense": (lambda: keras.layers.Dense(5), (6,), (1, 0), 1),
    "Conv1D": (lambda: keras.layers.Conv1D(5, 3), (8, 4), (2, 0, 1), 1),
    "Conv2D": (lambda: keras.layers.Conv2D(5, 3), (6, 6, 4), (3, 0, 1, 2), 1),
    "Conv2D of 2 groups": (lambda: keras.layers.Conv2D(6, 3, groups=2), (6, 6, 4), (3, 0, 1, 2), 1),
    "Conv3D": (lambda: keras.layers.Conv3D(3, 2), (4, 4, 4, 2), (4, 0, 1, 2, 3), 1),
    "Conv1DTranspose": (lambda: keras.layers.Conv1DTranspose(5, 3), (8, 4), (1, 0, 2), 1),
    "Conv2DTranspose": (lambda: keras.layers.Conv2DTranspose(5, 3), (4, 4, 3), (2, 0, 1, 3), 1),
    "DepthwiseConv2D": (
        lambda: keras.layers.DepthwiseConv2D(3, depth_multiplier=2),
        (6, 6, 4),
        (2, 3, 0, 1),
        2,
    ),
    "Embedding": (lambda: keras.layers.Embedding(7, 4), (3,), (1, 0), 1),
}


def example(name, power_iterations=1):
    make, shape, order, row_axes = WRAPPED[name]
    layer = SpectralNormalization(make(), power_iterations=power_iterations)
    layer.build((None, *shape))
    kernel = layer.layer.embeddings if name == "Embedding" else layer.layer.kernel
    generator = np.random.default_rng(1)
    kernel.assign(generator.normal(size=kernel.shape))
    integers = generator.integers(0, 7, (2, *shape)).astype("int32")
    x = integers if name == "Embedding" else generator.normal(size=(2, *shape)).astype("float32")

    def matrix():
        moved = np.transpose(kernel.numpy(), order)
        return moved.reshape(np.prod(moved.shape[:row_axes]), -1)

    return layer, kernel, matrix, x


@pytest.mark.parametrize("name", sorted(WRAPPED))
def test_agrees_with_singular_values_and_keeps_the_kernel(name):
    layer, kernel, matrix, x = example(name)
    raw = kernel.numpy()
    for _ in range(150):
        y = layer(x, training=True)
    np.testing.assert_array_equal(kernel.numpy(), raw)
    left, sigmas, _right = np.linalg.svd(matrix())
    assert layer.vector_u.shape == (1, len(matrix()))
    assert abs(left[:, 0] @ layer.vector_u.numpy()[0]) == pytest.approx(1.0, abs=1e-5)

    kernel.assign(raw / sigmas[0])
    expected = layer.layer(x)
    kernel.assign(raw)
    np.testing.assert_allclose(y, expected, atol=1e-5)
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)
    assert np.abs(layer.layer(x) - expected).max() > 1e-2  # it did something


@pytest.mark.parametrize("number", range(3))
def test_agrees_with_tensorflow_addons(number):
    # Theirs divides the kernel that the last call left. Power iteration does not see a factor, so
    # after any number of calls the two agree, though ours divides the raw kernel each time.
    case = REFERENCE["spectral_normalization"][number]
    inner = getattr(keras.layers, case["layer"])(**case["arguments"])
    layer = SpectralNormalization(inner, power_iterations=case["power_iterations"])
    x = np.array(case["input"], "float32")
    layer.build(x.shape)
    inner.set_weights([np.array(case["kernel"]), np.array(case["bias"])])
    layer.vector_u.assign(case["u"])
    expected = dict(zip(case["number_of_calls"], case["calls"]))
    for call in range(1, max(expected) + 1):
        y = layer(x, training=True)
        if call in expected:
            np.testing.assert_allclose(y, expected[call]["output"], atol=3e-6)
            np.testing.assert_allclose(layer.vector_u, expected[call]["u"], atol=1e-6)


@pytest.mark.parametrize("name", ["Dense", "Conv2D", "Conv2DTranspose"])
def test_gradient_agrees_with_finite_differences(name):
    # Once u and v are the singular vectors, their own change does not count (to first order), and
    # the gradient with u and v as constants is that of W / sigma(W).
    keras.config.set_dtype_policy("float64")
    layer, kernel, matrix, x = example(name)
    for _ in range(300):
        layer(x, training=True)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.sin(layer(x, training=True)))
    gradient = tape.gradient(loss, kernel.value).numpy()
    raw = kernel.numpy()

    def exact(values):
        kernel.assign(values)
        kernel.assign(values / np.linalg.svd(matrix())[1][0])
        return float(tf.reduce_sum(tf.sin(layer.layer(x))))

    generator, step = np.random.default_rng(2), 1e-5
    for _ in range(5):
        direction = generator.normal(size=raw.shape)
        difference = (exact(raw + step * direction) - exact(raw - step * direction)) / (2 * step)
        assert difference == pytest.approx(np.sum(gradient * direction), rel=1e-6, abs=1e-7)
    # The output does not depend on the kernel's length, so the loss does not either.
    assert np.sum(gradient * raw) == pytest.approx(0.0, abs=1e-9)


def test_gradient_takes_u_and_v_as_constants():
    # Far from the singular vectors, where their change would count.
    layer, kernel, _matrix, x = example("Dense")
    w, u = kernel.numpy(), np.array([1.0, 0.0, 0.0, 0.0, 0.0])
    layer.vector_u.assign(u[None])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x, training=True))
    v = w @ u / np.linalg.norm(w @ u)
    u = v @ w / np.linalg.norm(v @ w)
    sigma = v @ w @ u
    slope = np.repeat(x.sum(axis=0)[:, None], 5, axis=1)  # of the loss, by W / sigma
    expected = slope / sigma - np.sum(slope * w) / sigma**2 * np.outer(v, u)
    np.testing.assert_allclose(tape.gradient(loss, kernel.value), expected, atol=1e-5)


def test_several_passes_under_one_tape_add_up():
    layer, kernel, _matrix, x = example("Dense")
    for _ in range(100):
        layer(x, training=True)

    @tf.function
    def slopes(x):
        with tf.GradientTape(persistent=True) as tape:
            first = tf.reduce_sum(layer(x, training=True) ** 2)
            second = tf.reduce_sum(layer(2.0 * x, training=True) ** 2)
            both = first + second
        return [tape.gradient(loss, kernel.value) for loss in (first, second, both)]

    first, second, both = slopes(tf.constant(x))
    np.testing.assert_allclose(both, first + second, rtol=1e-4, atol=1e-6)
    assert np.abs(first).max() > 1e-2


def test_a_slope_of_the_slope_as_a_gradient_penalty_takes_it():
    layer, kernel, _matrix, x = example("Dense")
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = layer(x, training=True)
        penalty = tf.reduce_sum(inner.gradient(y, x) ** 2)
    slope = tape.gradient(penalty, kernel.value)
    assert np.isfinite(slope).all() and np.abs(slope).max() > 1e-3


def test_power_iterations_are_steps_of_one_call():
    fast, _, _, x = example("Conv2D", power_iterations=4)
    slow, _, _, _ = example("Conv2D")
    slow.vector_u.assign(fast.vector_u)
    fast(x, training=True)
    for _ in range(4):
        slow(x, training=True)
    np.testing.assert_allclose(fast.vector_u, slow.vector_u, atol=1e-6)


def test_only_training_moves_u():
    layer, _, _, x = example("Dense")
    before = layer.vector_u.numpy()
    layer(x)
    np.testing.assert_array_equal(layer.vector_u.numpy(), before)
    layer(x, training=True)
    assert np.abs(layer.vector_u.numpy() - before).max() > 1e-4


@pytest.mark.parametrize("seed", range(5))
def test_the_first_step_is_sane(seed):
    keras.utils.set_random_seed(seed)
    layer = SpectralNormalization(keras.layers.Conv2D(64, 4, use_bias=False))
    layer.build((None, 8, 8, 32))
    assert np.linalg.norm(layer.vector_u) == pytest.approx(1.0, abs=1e-5)
    matrix = layer.layer.kernel.numpy().reshape(-1, 64)
    estimate = np.linalg.norm(matrix @ layer.vector_u.numpy()[0])
    true = np.linalg.svd(matrix)[1][0]
    assert 0.95 * true < estimate <= true * (1 + 1e-5)

    keras.utils.set_random_seed(seed)
    twin = SpectralNormalization(keras.layers.Conv2D(64, 4, use_bias=False))
    twin.build((None, 8, 8, 32))
    np.testing.assert_array_equal(layer.vector_u.numpy(), twin.vector_u.numpy())


def test_built_late_inside_fit():
    # Keras builds such a model in a scope without values: u must wait for the kernel.
    model = keras.Sequential([SpectralNormalization(keras.layers.Dense(3)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 5)), np.ones((4, 1)), verbose=0)
    u = model.layers[0].vector_u.numpy()
    assert np.linalg.norm(u) == pytest.approx(1.0, abs=1e-5)


def test_a_kernel_of_zeros_passes_and_recovers():
    layer, kernel, matrix, x = example("Dense")
    raw = kernel.numpy()
    kernel.assign(np.zeros_like(raw))
    with tf.GradientTape() as tape:
        y = layer(x, training=True)
    np.testing.assert_array_equal(y, np.zeros((2, 5)))
    assert np.isfinite(tape.gradient(y, kernel.value)).all()
    kernel.assign(raw)
    for _ in range(100):
        layer(x, training=True)
    y = layer(x) - layer.layer.bias
    np.testing.assert_allclose(y, x @ raw / np.linalg.svd(matrix())[1][0], atol=1e-5)


def test_float16_keeps_u_in_float32():
    keras.config.set_dtype_policy("mixed_float16")
    layer, _, matrix, x = example("Conv2D")
    for _ in range(100):
        layer(x, training=True)
    assert layer.vector_u.dtype == "float32"
    assert layer(x).dtype == "float16"
    left, _sigmas, _right = np.linalg.svd(matrix())
    assert abs(left[:, 0] @ layer.vector_u.numpy()[0]) == pytest.approx(1.0, abs=1e-3)


def test_it_has_the_dtype_of_what_it_wraps():
    keras.config.set_dtype_policy("mixed_float16")
    layer = SpectralNormalization(keras.layers.Dense(3, dtype="float32"))
    assert layer(np.ones((2, 3), "float32")).dtype == "float32"


def test_activity_regularizers_are_still_heard():
    layer = SpectralNormalization(keras.layers.Dense(3, activity_regularizer="l2"))
    layer(np.ones((2, 3), "float32"), training=True)
    assert len(layer.losses) == 1 and float(layer.losses[0]) > 0


def test_a_frozen_layer_stays_frozen():
    layer, kernel, _matrix, x = example("Dense")
    layer.trainable = False
    raw = kernel.numpy()
    layer(x, training=True)
    assert layer.trainable_variables == []
    np.testing.assert_array_equal(kernel.numpy(), raw)


def test_two_replicas_agree_with_one(two_replicas):
    def make():
        keras.utils.set_random_seed(4)
        inputs = keras.Input((6, 6, 2))
        x = SpectralNormalization(keras.layers.Conv2D(4, 3, activation="relu"))(inputs)
        x = SpectralNormalization(keras.layers.Dense(1))(keras.layers.Flatten()(x))
        optimizer = keras.optimizers.SGD(0.1)
        model = keras.Model(inputs, x)
        optimizer.build(model.trainable_variables)
        return model, optimizer

    def step(model, optimizer, x):
        with tf.GradientTape() as tape:  # two passes, as D makes them
            loss = model(x, training=True) ** 2 + tf.sin(model(x + 1.0, training=True))
            loss = tf.reduce_sum(loss) / 8.0
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)

    x = np.random.default_rng(0).normal(size=(8, 6, 6, 2)).astype("float32")
    alone, optimizer = make()
    with two_replicas.scope():
        shared, shared_optimizer = make()
    shared.set_weights(alone.get_weights())

    @tf.function
    def shared_step(x):
        two_replicas.run(step, (shared, shared_optimizer, x))

    distributed = two_replicas.experimental_distribute_dataset(
        tf.data.Dataset.from_tensors(x).repeat(3).unbatch().batch(8)
    )
    for batch in distributed:
        shared_step(batch)
    for _ in range(3):
        tf.function(step)(alone, optimizer, tf.constant(x))
    for a, b in zip(alone.variables, shared.variables, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-5)
        copies = [c.numpy() for c in two_replicas.experimental_local_results(b.value)]
        np.testing.assert_array_equal(*copies)
    assert len(alone.variables) == 6


def test_bad_number_of_iterations():
    for number in (0, -1, 1.5, True):
        with pytest.raises(ValueError, match=r"at least 1.*Received: power_iterations="):
            SpectralNormalization(keras.layers.Dense(1), power_iterations=number)


def test_what_is_not_a_layer():
    with pytest.raises(ValueError, match=r"Only a layer can be wrapped.*Received: layer=3"):
        SpectralNormalization(3)


@pytest.mark.parametrize(
    "make",
    [
        keras.layers.ReLU,
        lambda: keras.layers.SeparableConv2D(2, 3),
        lambda: SpectralNormalization(keras.layers.Dense(1)),
        lambda: keras.layers.Dense(3, lora_rank=1),
    ],
)
def test_a_layer_without_one_kernel(make):
    with pytest.raises(ValueError, match=r"no matrix to normalise.*Received: layer="):
        SpectralNormalization(make()).build((None, 8, 8, 3))
