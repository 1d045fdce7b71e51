import numpy as np
import pytest

from keras_gans.layers import ReflectionPadding2D


@pytest.mark.parametrize(
    ("padding", "pairs"),
    [
        (2, ((2, 2), (2, 2))),
        ((1, 3), ((1, 1), (3, 3))),
        ([[0, 3], [2, 0]], ((0, 3), (2, 0))),
        ((1, (0, 2)), ((1, 1), (0, 2))),
        (0, ((0, 0), (0, 0))),
    ],
)
def test_agrees_with_numpy(padding, pairs):
    x = np.random.default_rng(0).normal(size=(2, 4, 5, 3)).astype("float32")
    layer = ReflectionPadding2D(padding)
    assert layer.padding == pairs
    expected = np.pad(x, ((0, 0), *pairs, (0, 0)), mode="reflect")
    np.testing.assert_array_equal(layer(x), expected)
    assert layer.compute_output_shape((None, None, 5, 3))[1:3] == (None, expected.shape[2])


@pytest.mark.parametrize(
    "padding", [-1, 1.5, True, "same", (1,), (1, 2, 3), (1, -2), ((1, 2, 3), 1)]
)
def test_bad_padding(padding):
    with pytest.raises(ValueError, match=r"`\(height, width\)`.*Received: padding="):
        ReflectionPadding2D(padding)


@pytest.mark.parametrize("shape", [(1, 3, 9, 1), (1, 9, 3, 1)])
def test_padding_as_large_as_the_image(shape):
    with pytest.raises(ValueError, match=r"larger than the padding.*Received: padding=.*shape"):
        ReflectionPadding2D(3)(np.zeros(shape, "float32"))


def test_bad_rank():
    with pytest.raises(ValueError, match=r"expected ndim=4, found ndim=3"):
        ReflectionPadding2D(1)(np.zeros((4, 4, 3), "float32"))
