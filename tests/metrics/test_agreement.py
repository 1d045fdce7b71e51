import numpy as np
import pytest

from keras_gans import metrics


def test_pixels_agree_on_one_side_of_mid_grey():
    first = np.array([-1.0, -0.1, 0.1, 1.0]).reshape(1, 2, 2, 1)
    second = np.array([-0.2, 0.2, 0.9, -1.0]).reshape(1, 2, 2, 1)
    assert metrics.pixel_agreement(first, second) == 0.5
    assert metrics.pixel_agreement(first, second, threshold=-0.15) == 0.75
    assert metrics.pixel_agreement(first, -first) == 0.0


def test_shares_of_equal_values():
    first = {"hair": [0, 1, 2, 2], "skin": [1, 1, 0, 0]}
    second = {"skin": [1, 1, 1, 0], "hair": [2, 0, 1, 2]}
    assert metrics.attribute_agreement(first, second) == {"hair": 0.25, "skin": 0.75}


@pytest.mark.parametrize(
    "first, second",
    [
        (np.zeros((2, 4, 4, 1)), np.zeros((2, 4, 4, 3))),
        (np.zeros((2, 4, 4, 1)), np.zeros((1, 4, 4, 1))),
        (np.zeros((0, 4, 4, 1)), np.zeros((0, 4, 4, 1))),
        (np.zeros((4, 4)), np.zeros((4, 4))),
    ],
)
def test_images_that_are_no_pairs(first, second):
    with pytest.raises(ValueError, match="two batches of one shape"):
        metrics.pixel_agreement(first, second)


@pytest.mark.parametrize(
    "first, second",
    [
        ({"hair": [0, 1]}, {"hair": [0]}),
        ({"hair": [0, 1]}, {"skin": [0, 1]}),
        ({"hair": []}, {"hair": []}),
    ],
)
def test_values_that_are_no_pairs(first, second):
    with pytest.raises(ValueError, match="same attributes of both"):
        metrics.attribute_agreement(first, second)
