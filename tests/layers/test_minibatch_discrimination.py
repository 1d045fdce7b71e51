import keras
import numpy as np
import pytest

from keras_gans.layers import MinibatchDiscrimination


def by_hand(x, tensor):
    """Salimans 2016, section 3.2, term by term."""
    number, (_, kernels, _dim) = len(x), tensor.shape
    matrices = np.einsum("na,abc->nbc", x, tensor)
    features = np.zeros((number, kernels))
    for i in range(number):
        for b in range(kernels):
            for j in range(number):
                features[i, b] += np.exp(-np.abs(matrices[i, b] - matrices[j, b]).sum())
    return np.concatenate([x, features], axis=1)


@pytest.mark.parametrize("number", [1, 5])
def test_agrees_with_a_loop_over_all_pairs(number):
    x = np.random.default_rng(0).normal(size=(number, 4)).astype("float32")
    layer = MinibatchDiscrimination(num_kernels=3, kernel_dim=2)
    y = layer(x)
    tensor = layer.kernel.numpy().reshape(4, 3, 2)
    np.testing.assert_allclose(y, by_hand(x, tensor), atol=1e-5)


def test_copies_score_the_size_of_the_batch_and_strangers_1():
    layer = MinibatchDiscrimination(2, 3)
    np.testing.assert_allclose(layer(np.ones((7, 4), "float32"))[:, 4:], 7.0, atol=1e-6)
    strangers = 1e4 * np.random.default_rng(0).normal(size=(7, 4)).astype("float32")
    np.testing.assert_allclose(layer(strangers)[:, 4:], 1.0, atol=1e-6)


def test_float16_measures_distances_in_float32():
    keras.config.set_dtype_policy("mixed_float16")
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    layer = MinibatchDiscrimination(3, 2)
    y = layer(x)
    assert y.dtype == "float16"
    expected = by_hand(x, layer.kernel.numpy().reshape(4, 3, 2))
    np.testing.assert_allclose(y, expected, rtol=5e-3, atol=5e-3)


@pytest.mark.parametrize("arguments", [{"num_kernels": 0}, {"kernel_dim": -1}, {"kernel_dim": 2.0}])
def test_bad_numbers(arguments):
    with pytest.raises(ValueError, match=f"{next(iter(arguments))}.*at least 1. Received: "):
        MinibatchDiscrimination(**arguments)


@pytest.mark.parametrize("shape", [(None, 4, 4, 3), (None, None), (8,)])
def test_bad_shape(shape):
    with pytest.raises(ValueError, match=r"Flatten.*Received: shape"):
        MinibatchDiscrimination().build(shape)
