import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.layers import PixelShuffle
from keras_gans.layers.pixel_shuffle import pytorch_channels
from keras_gans.layers.pixel_unshuffle import PixelUnshuffle


def drawn(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_agrees_with_space_to_depth_and_undoes_the_shuffle(factor):
    x = drawn(2, 3 * factor, 4 * factor, 5)
    expected = x if factor == 1 else tf.nn.space_to_depth(x, factor)
    np.testing.assert_array_equal(PixelUnshuffle(factor)(x), expected)
    np.testing.assert_array_equal(PixelShuffle(factor)(PixelUnshuffle(factor)(x)), x)


def test_sizes_may_be_open():
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, PixelUnshuffle(2)(inputs))
    assert model.output_shape == (None, None, None, 12)
    x = drawn(2, 4, 6, 3)
    np.testing.assert_array_equal(model.predict(x, verbose=0), tf.nn.space_to_depth(x, 2))
    with pytest.raises(ValueError, match=r"multiples of 2.*Received: factor=2, shape \(1, 5"):
        model(drawn(1, 5, 6, 3))


def test_pytorch_deals_channels_out_in_another_order():
    # The definition in PyTorch's documentation, channels first: (c, dy, dx).
    channels, factor = 3, 2
    image = drawn(4, 6, channels)
    blocks = image.transpose(2, 0, 1).reshape(channels, 2, factor, 3, factor)
    there = blocks.transpose(0, 2, 4, 1, 3).reshape(channels * factor**2, 2, 3).transpose(1, 2, 0)
    here = PixelUnshuffle(factor)(image[None]).numpy()[0]
    order = pytorch_channels(factor, channels)
    np.testing.assert_array_equal(there[..., order], here)
    np.testing.assert_array_equal(PixelShuffle(factor)(there[None][..., order])[0], image)


def test_config_and_file(tmp_path):
    inputs = keras.Input((4, 4, 2))
    model = keras.Model(inputs, PixelUnshuffle(4)(inputs))
    model.save(tmp_path / "model.keras")
    twin = keras.models.load_model(tmp_path / "model.keras")
    assert twin.layers[-1].factor == 4
    np.testing.assert_array_equal(twin(drawn(1, 4, 4, 2)), model(drawn(1, 4, 4, 2)))


@pytest.mark.parametrize("factor", [0, 1.5, True])
def test_bad_factor(factor):
    with pytest.raises(ValueError, match=f"at least 1. Received: factor={factor}"):
        PixelUnshuffle(factor)


@pytest.mark.parametrize("sides", [(4, 5), (5, None)])
def test_bad_sides(sides):
    with pytest.raises(ValueError, match=r"multiples of 2.*Pad it.*Received: factor=2, shape"):
        PixelUnshuffle(2)(keras.Input((*sides, 3)))
