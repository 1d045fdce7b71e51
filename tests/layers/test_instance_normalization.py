import json
import pathlib

import keras
import numpy as np
import pytest

from keras_gans.layers import InstanceNormalization

REFERENCE = json.loads(
    (pathlib.Path(__file__).parents[1] / "reference" / "tensorflow_addons.json").read_text()
)


@pytest.mark.parametrize("number", range(4))
def test_agrees_with_tensorflow_addons(number):
    case = REFERENCE["instance_normalization"][number]
    x = np.array(case["input"], "float32")
    layer = InstanceNormalization(**case["arguments"])
    layer.build(x.shape)
    layer.set_weights([np.array(w) for w in case["weights"]])
    np.testing.assert_allclose(layer(x), case["output"], atol=3e-6)


def test_agrees_with_group_normalization_of_one_channel_a_group():
    case = REFERENCE["group_normalization"][0]
    x = np.array(case["input"], "float32")
    layer = InstanceNormalization(epsilon=case["arguments"]["epsilon"])
    np.testing.assert_allclose(layer(x), case["output"], atol=3e-6)
    np.testing.assert_allclose(
        layer(x), keras.layers.GroupNormalization(-1, epsilon=1e-3)(x), atol=3e-6
    )


@pytest.mark.parametrize("shape", [(2, 9, 3), (2, 4, 5, 3), (2, 3, 4, 2, 3)])
def test_mean_0_and_variance_1_whatever_the_number_of_axes(shape):
    x = np.random.default_rng(0).normal(5.0, 3.0, shape).astype("float32")
    y = InstanceNormalization()(x).numpy().reshape(2, -1, 3)
    np.testing.assert_allclose(y.mean(axis=1), 0.0, atol=1e-5)
    np.testing.assert_allclose(y.var(axis=1), 1.0, atol=1e-4)


def test_statistics_are_float32_under_mixed_float16():
    # Squares of values above 255 overflow float16, and 1000 + 0.1 is not a float16 at all.
    keras.config.set_dtype_policy("mixed_float16")
    x = 1000.0 + 0.1 * np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")
    y = InstanceNormalization()(x)
    assert y.dtype == "float16"
    values = x.astype("float64")
    mean, variance = (f(values, axis=(1, 2), keepdims=True) for f in (np.mean, np.var))
    np.testing.assert_allclose(y, (values - mean) / np.sqrt(variance + 1e-5), atol=5e-3)


def test_an_unknown_size_of_the_image_is_no_obstacle():
    inputs = keras.Input((None, None, 2))
    model = keras.Model(inputs, InstanceNormalization()(inputs))
    x = np.random.default_rng(0).normal(size=(1, 3, 4, 2)).astype("float32")
    np.testing.assert_allclose(model(x), InstanceNormalization()(x), atol=1e-6)


@pytest.mark.parametrize("axis", [0, 1.0, True, "channels"])
def test_bad_axis(axis):
    with pytest.raises(ValueError, match=r"channel axis.*Received: axis="):
        InstanceNormalization(axis=axis)


@pytest.mark.parametrize("epsilon", [0, -1e-5])
def test_bad_epsilon(epsilon):
    with pytest.raises(ValueError, match=f"above 0.*Received: epsilon={epsilon}"):
        InstanceNormalization(epsilon=epsilon)


@pytest.mark.parametrize("shape", [(4, 3), (4, 1, 1, 3), (4,)])
def test_nothing_to_normalise_over(shape):
    with pytest.raises(ValueError, match=r"nothing to normalise.*Received: shape"):
        InstanceNormalization().build(shape)


def test_an_axis_the_input_does_not_have():
    with pytest.raises(ValueError, match=r"nothing to normalise.*axis=3"):
        InstanceNormalization(axis=3).build((None, 8, 3))


def test_unknown_channels():
    with pytest.raises(ValueError, match=r"number of channels must be known.*Received"):
        InstanceNormalization().build((None, 8, 8, None))
