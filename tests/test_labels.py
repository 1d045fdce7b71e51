import keras
import numpy as np
import pytest

from keras_gans import labels, networks


def test_one_integer_is_for_all():
    assert labels.require(2, 3, 4).tolist() == [2, 2, 2, 2]
    assert labels.require(np.int64(2), 3, 1).dtype == np.int32


def test_integers_of_any_width_are_labels():
    for dtype in ("uint8", "int16", "int64"):
        given = labels.require(np.array([0, 2], dtype), 3)
        assert given.tolist() == [0, 2] and given.dtype == np.int32


def test_an_unsigned_label_does_not_wrap_around():
    with pytest.raises(ValueError, match="Received: 255"):
        labels.require(np.array([255], "uint8"), 3)


@pytest.mark.parametrize(
    "given",
    [
        [[2], [0], [1]],
        np.eye(3)[[2, 0, 1]],
        np.eye(3, dtype=bool)[[2, 0, 1]],
        np.array([[2], [0], [1]], "uint8"),
    ],
)
def test_columns_and_one_hot_rows(given):
    assert labels.require(given, 3, 3).tolist() == [2, 0, 1]


def test_advice_on_labels_of_other_types():
    with pytest.raises(ValueError, match=r"`labels.astype\('int32'\)`.*np.unique\(labels"):
        labels.require(np.array([1.0, 0.0]), 3)
    assert labels.require(np.array([1.0, 0.0]).astype("int32"), 3).tolist() == [1, 0]
    names, numbers = np.unique(["shoe", "bag"], return_inverse=True)
    assert names[labels.require(numbers, 2)].tolist() == ["shoe", "bag"]


@pytest.mark.parametrize("wrong", [None, [], [[0, 1]], [0.0], ["0"], [True], [3], [-1]])
def test_bad_labels(wrong):
    with pytest.raises(ValueError, match="Received"):
        labels.require(wrong, 3, 1)


def test_the_number_of_classes_of_a_network():
    assert labels.num_classes(networks.conditional_dcgan_generator((16, 16, 1), 7, width=4)) == 7
    assert labels.num_classes(networks.projection_discriminator((16, 16, 1), 7, width=4)) == 7
    network = networks.conditional_batch_norm_generator((16, 16, 1), 7, width=4)
    assert labels.num_classes(network) == 7


def test_a_network_that_does_not_say():
    with pytest.raises(ValueError, match="cannot be read from.*num_classes=.*sizes none"):
        labels.num_classes(networks.mlp_generator((2,)))
    inputs = keras.Input((), dtype="int32")
    two = [keras.layers.Embedding(size, 4)(inputs) for size in (3, 5)]
    with pytest.raises(ValueError, match=r"Received: sizes \[3, 5\]"):
        labels.num_classes(keras.Model(inputs, keras.layers.Add()(two)))
