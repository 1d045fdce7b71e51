import keras
import numpy as np
import pytest

from keras_gans.layers import MinibatchStdDev


def by_hand(x, groups):
    """Karras 2018, section 3, for lists of the examples of each group."""
    result = np.zeros(len(x))
    for group in groups:
        result[group] = np.sqrt(x[group].var(axis=0) + 1e-8).mean()
    channel = np.broadcast_to(result.reshape(-1, *[1] * (x.ndim - 1)), (*x.shape[:-1], 1))
    return np.concatenate([x, channel], axis=-1)


@pytest.mark.parametrize(
    ("number", "groups"),
    [
        (8, [[0, 2, 4, 6], [1, 3, 5, 7]]),
        (4, [[0, 1, 2, 3]]),
        (9, [[0, 2, 4, 6, 8], [1, 3, 5, 7]]),  # not divisible: one more in the first
        (7, [list(range(7))]),  # not twice four: all in one
        (3, [[0, 1, 2]]),  # fewer than a group
        (1, [[0]]),
    ],
)
def test_agrees_with_a_loop_over_groups(number, groups):
    x = np.random.default_rng(0).normal(2.0, 3.0, (number, 3, 2, 5)).astype("float32")
    np.testing.assert_allclose(MinibatchStdDev(4)(x), by_hand(x, groups), atol=1e-5)


def test_numbers_worked_out_on_paper():
    # One group of two: standard deviations |1 - 3| / 2 = 1 and |0 - 4| / 2 = 2, on average 1.5.
    y = MinibatchStdDev()(np.array([[1.0, 0.0], [3.0, 4.0]], "float32"))
    np.testing.assert_allclose(y, [[1.0, 0.0, 1.5], [3.0, 4.0, 1.5]], atol=1e-6)


def test_the_same_in_a_model_of_unknown_batch_size():
    inputs = keras.Input((3, 2, 5))
    model = keras.Model(inputs, MinibatchStdDev()(inputs))
    for number in (4, 6):
        x = np.random.default_rng(0).normal(size=(number, 3, 2, 5)).astype("float32")
        y = model.predict(x, verbose=0)
        np.testing.assert_allclose(y, MinibatchStdDev()(x), atol=1e-6)


@pytest.mark.parametrize("size", [1, 0, -4, 2.0, True])
def test_bad_group_size(size):
    with pytest.raises(ValueError, match=f"at least 2. Received: group_size={size}"):
        MinibatchStdDev(size)


@pytest.mark.parametrize("shape", [(None,), (None, None, 4, 3)])
def test_bad_shape(shape):
    with pytest.raises(ValueError, match=r"known size.*Received: shape"):
        MinibatchStdDev().build(shape)
