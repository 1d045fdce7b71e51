import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans import checks
from keras_gans.layers import ConditionalBatchNormalization

X = np.random.default_rng(0).normal(2.0, 3.0, (6, 4, 5, 3)).astype("float32")
LABELS = np.array([0, 2, 2, 1, 0, 2], "int32")
GAMMA = np.array([[1, 2, 3], [-1, 0, 4], [0.5, 5, -2]], "float32")
BETA = np.array([[0, 1, 2], [7, 8, 9], [-1, -2, -3]], "float32")


def trained(x=X, **kwargs):
    layer = ConditionalBatchNormalization(3, **kwargs)
    layer.build([x.shape, (None,)])
    layer.gamma.assign(GAMMA)
    layer.beta.assign(BETA)
    return layer


def normalized(x, epsilon=1e-5):
    axes = tuple(range(x.ndim - 1))
    return (x - x.mean(axes)) / np.sqrt(x.var(axes) + epsilon)


@pytest.mark.parametrize("x", [X, X[:, 0, 0], X[:, 0]], ids=["images", "vectors", "sequences"])
@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_each_example_has_the_numbers_of_its_class(x, dtype):
    y = trained(x, epsilon=0.1)([x, LABELS.astype(dtype)], training=True).numpy()
    for example, label, z in zip(y, LABELS, normalized(x, 0.1), strict=True):
        np.testing.assert_allclose(example, GAMMA[label] * z + BETA[label], atol=2e-5)


def test_a_new_layer_only_normalises():
    layer = ConditionalBatchNormalization(3)
    np.testing.assert_allclose(layer([X, LABELS], training=True), normalized(X), atol=1e-5)
    assert layer.gamma.shape == layer.beta.shape == (3, 3)
    assert [v.path.split("/")[-1] for v in layer.trainable_variables] == ["gamma", "beta"]


@pytest.mark.parametrize("label", [0, 1, 2])
def test_a_batch_of_one_class_passes_as_through_batch_normalization(label):
    plain = keras.layers.BatchNormalization(momentum=0.7, epsilon=0.01)
    plain.build(X.shape)
    plain.gamma.assign(GAMMA[label])
    plain.beta.assign(BETA[label])
    layer, labels = trained(momentum=0.7, epsilon=0.01), np.full(6, label)
    for training in (False, True, True, False):
        expected = plain(X, training=training)
        np.testing.assert_allclose(layer([X, labels], training=training), expected, atol=1e-5)


def test_inference_uses_the_moving_statistics():
    layer = trained(momentum=0.75)
    layer([X, LABELS], training=True)
    axes = (0, 1, 2)
    mean, variance = 0.25 * X.mean(axes), 0.75 + 0.25 * X.var(axes)
    other = X[:2] - 5.0  # its own statistics would be others
    y = layer([other, LABELS[1:3]])
    expected = GAMMA[2] * (other - mean) / np.sqrt(variance + 1e-5) + BETA[2]
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(layer([other, LABELS[1:3]]), y)


def test_gradients_reach_the_present_classes_and_the_features():
    layer, x, labels = trained(), tf.constant(X), np.array([0, 0, 2, 2, 0, 2])
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(layer([x, labels], training=True) ** 2)
    slopes = tape.gradient(loss, [x, layer.gamma.value, layer.beta.value])
    to_x, to_gamma, to_beta = (tf.convert_to_tensor(slope).numpy() for slope in slopes)
    z = normalized(X)
    y = GAMMA[labels][:, None, None] * z + BETA[labels][:, None, None]
    for label in range(3):  # of y = gamma * z + beta: 2 y z and 2 y, summed over the class
        own = labels == label
        np.testing.assert_allclose(
            to_gamma[label], (2 * y * z)[own].sum((0, 1, 2)), rtol=1e-3, atol=2e-3
        )
        np.testing.assert_allclose(
            to_beta[label], (2 * y)[own].sum((0, 1, 2)), rtol=1e-3, atol=2e-3
        )
    assert not to_gamma[1].any() and not to_beta[1].any() and to_gamma[2].all()
    assert np.abs(to_x).max() > 0.01
    # Normalised features do not change when all move alike.
    np.testing.assert_allclose(to_x.sum((0, 1, 2)), 0.0, atol=1e-3)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_stays_near_and_finite(policy):
    layer = trained(dtype=policy)
    assert all(v.dtype == "float32" for v in layer.variables)
    y = layer([X, LABELS], training=True)
    assert y.dtype == policy.removeprefix("mixed_")
    tolerance = 0.03 if policy == "mixed_float16" else 0.2
    expected = trained()([X, LABELS], training=True)
    np.testing.assert_allclose(tf.cast(y, "float32"), expected, atol=tolerance, rtol=tolerance)
    y = layer([1000.0 * X, LABELS], training=True)  # the square of 1000 is beyond float16
    np.testing.assert_allclose(tf.cast(y, "float32"), expected, atol=tolerance, rtol=tolerance)


def model_of(layer):
    inputs = [keras.Input(X.shape[1:]), keras.Input((), dtype="int32")]
    return keras.Model(inputs, layer(inputs))


def test_saved_and_reloaded_it_goes_on(tmp_path):
    model = model_of(ConditionalBatchNormalization(3, momentum=0.5, epsilon=0.1))
    model.layers[-1].gamma.assign(GAMMA)
    model.layers[-1].beta.assign(BETA)
    model([X, LABELS], training=True)
    model.save(tmp_path / "model.keras")
    twin = keras.models.load_model(tmp_path / "model.keras")
    assert twin.layers[-1].get_config() == model.layers[-1].get_config()
    assert (twin.layers[-1].num_classes, twin.layers[-1].momentum) == (3, 0.5)
    assert twin.layers[-1].epsilon == 0.1
    for training in (False, True, True, False):
        expected = model([X, LABELS], training=training)
        np.testing.assert_array_equal(twin([X, LABELS], training=training), expected)


def test_shapes_are_those_announced():
    layer = ConditionalBatchNormalization(3)
    assert layer.compute_output_shape([(None, 4, 5, 3), (None,)]) == (None, 4, 5, 3)
    model = model_of(layer)
    assert model.output_shape == (None, 4, 5, 3)
    assert model([X, LABELS]).shape == X.shape


@pytest.mark.parametrize("jit_compile", [False, True])
def test_it_computes_the_same_in_a_graph(jit_compile):
    layer, twin = trained(), trained()
    call = tf.function(lambda x, y: layer([x, y], training=True), jit_compile=jit_compile)
    np.testing.assert_allclose(call(X, LABELS), twin([X, LABELS], training=True), atol=1e-5)
    for a, b in zip(layer.variables, twin.variables, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_a_critic_with_it_is_recognised_as_batch_normalised():
    with pytest.raises(ValueError, match="batch normalisation"):
        checks.no_batch_normalization(model_of(ConditionalBatchNormalization(3)))


@pytest.mark.parametrize("number", [1, 0, 2.0, "10", None, True])
def test_bad_num_classes(number):
    with pytest.raises(ValueError, match=r"`num_classes` must be an integer of at least 2. Rec"):
        ConditionalBatchNormalization(number)


@pytest.mark.parametrize("inputs", [X, [X], [X, LABELS, LABELS]])
def test_not_a_pair(inputs):
    with pytest.raises(ValueError, match=r"takes `\[examples, labels\]`.*Received: shapes \["):
        ConditionalBatchNormalization(3)(inputs)


@pytest.mark.parametrize("labels", [LABELS.astype("float32"), LABELS > 0])
def test_labels_that_are_no_integers(labels):
    with pytest.raises(ValueError, match=f"Labels are integers.*Received: .*{labels.dtype}"):
        ConditionalBatchNormalization(3)([X, labels])


def test_labels_declared_as_floats():
    inputs = [keras.Input(X.shape[1:]), keras.Input(())]
    model = keras.Model(inputs, ConditionalBatchNormalization(3)(inputs))
    with pytest.raises(ValueError, match="Labels are integers.*Received: .*float32"):
        model([X, LABELS])


@pytest.mark.parametrize("shape", [(6, 1), (6, 3), ()])
def test_labels_of_another_shape(shape):
    with pytest.raises(ValueError, match=r"takes `\[examples, labels\]`") as error:
        ConditionalBatchNormalization(3)([X, np.zeros(shape, "int32")])
    assert f"Received: shapes [{X.shape}, {shape}]" in str(error.value)
