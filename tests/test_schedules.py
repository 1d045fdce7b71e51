import keras
import numpy as np
import pytest

from keras_gans.schedules import LinearDecay


def test_constant_then_a_straight_line_to_nothing():
    rate = LinearDecay(2e-4, constant_steps=100, decay_steps=50)
    found = [float(rate(step)) for step in (0, 99, 100, 110, 125, 150, 151, 10_000)]
    assert found == pytest.approx([2e-4, 2e-4, 2e-4, 1.6e-4, 1e-4, 0, 0, 0], abs=1e-10)


def test_it_is_saved_with_its_optimizer():
    optimizer = keras.optimizers.Adam(LinearDecay(1e-3, 0, 7))
    twin = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert twin.get_config() == optimizer.get_config()
    np.testing.assert_allclose(twin.learning_rate, 1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 1, 1), "initial_learning_rate=0.0"),
        ((1e-3, -1, 1), "constant_steps=-1"),
        ((1e-3, 1, 0), "decay_steps=0"),
        ((1e-3, 1, 1.5), "decay_steps=1.5"),
    ],
)
def test_what_it_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        LinearDecay(*arguments)
