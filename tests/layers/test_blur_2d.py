import keras
import numpy as np
import pytest
from scipy import ndimage

from keras_gans.layers import Blur2D

RNG = np.random.default_rng(0)


def test_agrees_with_scipy():
    x = RNG.normal(size=(2, 5, 7, 3)).astype("float32")
    expected = x
    for axis in (1, 2):
        # SciPy's "mirror" does not repeat the border.
        expected = ndimage.correlate1d(expected, [0.25, 0.5, 0.25], axis=axis, mode="mirror")
    np.testing.assert_allclose(Blur2D()(x), expected, atol=1e-6)


def test_what_repeats_every_two_pixels_becomes_its_mean_up_to_the_border():
    block = RNG.normal(size=(2, 2, 3)).astype("float32")
    made = Blur2D()(np.tile(block, (3, 4, 1))[None]).numpy()
    np.testing.assert_allclose(
        made, np.broadcast_to(block.mean(axis=(0, 1)), made.shape), atol=1e-6
    )


def test_sizes_may_be_open_and_the_dtype_is_that_of_the_policy():
    inputs = keras.Input((None, None, 2))
    model = keras.Model(inputs, Blur2D()(inputs))
    assert model.output_shape == (None, None, None, 2) and not model.weights
    x = RNG.normal(size=(1, 2, 6, 2)).astype("float32")
    np.testing.assert_allclose(model(x), Blur2D()(x), atol=1e-6)
    half = Blur2D(dtype="mixed_float16")(x)
    assert half.dtype == "float16"
    np.testing.assert_allclose(half, Blur2D()(x), atol=4e-3)


@pytest.mark.parametrize("shape", [(2, 1, 4, 3), (2, 4, 1, 3)])
def test_a_side_of_one_pixel_cannot_be_reflected(shape):
    with pytest.raises(ValueError, match=r"2 pixels or more.*Received: shape"):
        Blur2D()(np.zeros(shape, "float32"))
