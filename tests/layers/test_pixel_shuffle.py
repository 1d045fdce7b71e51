import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.layers import PixelShuffle


@pytest.mark.parametrize("factor", [2, 3])
def test_agrees_with_depth_to_space(factor):
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 2 * factor**2)).astype("float32")
    np.testing.assert_array_equal(PixelShuffle(factor)(x), tf.nn.depth_to_space(x, factor))


def test_numbers_worked_out_on_paper():
    # Two pixels beside each other, with the 2 x 2 blocks [[0, 1], [2, 3]] and [[4, 5], [6, 7]] of
    # a first channel, and ten times that in a second.
    first = np.arange(8).reshape(1, 1, 2, 4)
    x = np.stack([first, 10 * first], axis=-1).reshape(1, 1, 2, 8).astype("float32")
    y = PixelShuffle(2)(x).numpy()[0]
    np.testing.assert_array_equal(y[..., 0], [[0, 1, 4, 5], [2, 3, 6, 7]])
    np.testing.assert_array_equal(y[..., 1], [[0, 10, 40, 50], [20, 30, 60, 70]])


def test_factor_1_changes_nothing():
    x = np.random.default_rng(0).normal(size=(1, 2, 3, 4)).astype("float32")
    np.testing.assert_array_equal(PixelShuffle(1)(x), x)


def test_an_unknown_size_of_the_image_is_no_obstacle():
    inputs = keras.Input((None, None, 4))
    model = keras.Model(inputs, PixelShuffle(2)(inputs))
    assert model.output_shape == (None, None, None, 1)
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 4)).astype("float32")
    np.testing.assert_array_equal(model.predict(x, verbose=0), tf.nn.depth_to_space(x, 2))


@pytest.mark.parametrize("factor", [0, -2, 1.5, True])
def test_bad_factor(factor):
    with pytest.raises(ValueError, match=f"at least 1. Received: factor={factor}"):
        PixelShuffle(factor)


@pytest.mark.parametrize("channels", [6, None])
def test_bad_channels(channels):
    with pytest.raises(ValueError, match=r"multiple of 4.*Received: factor=2, shape"):
        PixelShuffle(2).build((None, 4, 4, channels))


def test_bad_rank():
    with pytest.raises(ValueError, match=r"expected ndim=4, found ndim=2"):
        PixelShuffle(2)(np.zeros((4, 4), "float32"))
