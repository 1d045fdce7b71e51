"""The end of a network, wherever the activation stands."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_gans import checks
from keras_gans.layers import SpectralNormalization


def dense(**kwargs):
    return layers.Dense(1, **kwargs)


def conv(**kwargs):
    return layers.Conv2D(1, 3, **kwargs)


SQUASHED = {
    "argument": lambda x, _: dense(activation="sigmoid")(x),
    "layer": lambda x, _: layers.Activation("sigmoid")(dense()(x)),
    "operation": lambda x, _: ops.sigmoid(dense()(x)),
    "function of a Lambda": lambda x, _: layers.Lambda(ops.sigmoid)(dense()(x)),
    "before float32": lambda x, _: layers.Activation("linear", dtype="float32")(
        dense(activation="sigmoid")(x)
    ),
    "before a cast": lambda x, _: ops.cast(dense(activation="sigmoid")(x), "float32"),
    "before a reshape": lambda x, _: layers.Reshape((1, 1))(dense(activation="sigmoid")(x)),
    "before ops.reshape": lambda x, _: ops.reshape(dense(activation="sigmoid")(x), (-1, 1)),
    "before dropout": lambda x, _: layers.Dropout(0.1)(dense(activation="sigmoid")(x)),
    "before flattening": lambda _, y: layers.Flatten()(conv(activation="sigmoid")(y)),
    "before pooling": lambda _, y: layers.GlobalAveragePooling2D()(conv(activation="sigmoid")(y)),
    "before a mean": lambda _, y: ops.mean(conv(activation="sigmoid")(y), axis=(1, 2)),
    "in a model": lambda x, _: keras.Sequential([keras.Input((4,)), dense(activation="sigmoid")])(
        x
    ),
    "in a wrapper": lambda x, _: layers.SpectralNormalization(dense(activation="sigmoid"))(x),
    "in our wrapper": lambda x, _: SpectralNormalization(dense(activation="sigmoid"))(x),
}
OPEN = {
    "linear": lambda x, _: dense()(x),
    "named linear": lambda x, _: layers.Activation("linear")(dense()(x)),
    "rescaled": lambda x, _: layers.Rescaling(2.0, -1.0)(dense(activation="sigmoid")(x)),
    "computed with": lambda x, _: ops.sigmoid(dense()(x)) * 2.0 - 1.0,
    "normalised": lambda x, _: layers.LayerNormalization()(dense(activation="sigmoid")(x)),
    "unknown function": lambda x, _: dense(activation=lambda value: 3.0 * value)(x),
    "an input": lambda x, _: x,
}


@pytest.fixture
def inputs():
    return keras.Input((4,)), keras.Input((8, 8, 1))


@pytest.mark.parametrize("end", SQUASHED.values(), ids=SQUASHED)
def test_a_sigmoid_at_the_end_is_found(inputs, end):
    assert checks.ending(end(*inputs))[1:] == ("sigmoid", (0.0, 1.0))


@pytest.mark.parametrize("end", OPEN.values(), ids=OPEN)
def test_what_has_no_known_range_is_left_alone(inputs, end):
    assert checks.ending(end(*inputs)) is None


NAMES = (
    "sigmoid hard_sigmoid softmax sparsemax tanh hard_tanh softsign softplus squareplus "
    "exponential relu relu6 log_sigmoid log_softmax gelu silu hard_silu mish elu celu selu "
    "leaky_relu"
)


@pytest.mark.parametrize("name", NAMES.split())
def test_ranges_hold_what_keras_computes(name):
    """As an argument, as a layer and as an operation; values by Keras itself."""
    activation = keras.activations.get(name)
    values = np.random.default_rng(0).normal(size=(200, 5)).astype("float32") * 10
    found = np.asarray(activation(ops.convert_to_tensor(values)))
    x = keras.Input((5,))
    ends = [layers.Dense(5, activation=name)(x), layers.Activation(name)(x)]
    if hasattr(ops, name):
        ends.append(getattr(ops, name)(x))
    for output in ends:
        low, high = checks.ending(output)[2]
        assert low <= found.min() and found.max() <= high


WRONG = [None, "1", True, float("nan"), float("inf"), -1.0, [1.0]]


@pytest.mark.parametrize("value", WRONG)
def test_numbers_that_are_none(value):
    for check in (checks.weight, checks.positive, checks.count, checks.share):
        with pytest.raises(ValueError, match="`size` must be .*Received: size="):
            check("size", value)


def test_numbers_of_numpy_are_numbers():
    assert checks.count("size", np.int64(3)) == 3
    assert checks.weight("size", np.float32(0.5)) == checks.positive("size", 0.5) == 0.5
    assert checks.counts("sizes", [2, 3]) == (2, 3)
    with pytest.raises(ValueError, match=r"`sizes` must be a tuple.*Received: sizes=10"):
        checks.counts("sizes", 10)
