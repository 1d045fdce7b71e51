import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from reference import real_esrgan as script

from keras_gans.layers.bicubic_reduction import BicubicReduction

REFERENCE = np.load(pathlib.Path(script.__file__).with_suffix(".npz"))
FRACTIONS = {"bicubic_1_2": (1, 2), "bicubic_3_4": (3, 4), "bicubic_1_4": (1, 4)}


def enlarged(image):
    return np.repeat(np.repeat(image, 4, axis=0), 4, axis=1)[None]


@pytest.mark.parametrize("name", script.RATIOS)
def test_agrees_with_ncnn(name):
    numerator, denominator = FRACTIONS[name]
    assert numerator / denominator == script.RATIOS[name]
    made = BicubicReduction(numerator, denominator)(enlarged(REFERENCE["noise"]))
    np.testing.assert_allclose(made[0], REFERENCE[name], atol=1e-6)


def test_half_in_numbers_worked_out_on_paper():
    # At half way between two pixels the cubic of -3/4 gives them 19/32 each, and their neighbours
    # -3/32 each; beyond the edge stands the edge once more.
    x = np.zeros((1, 8, 8, 1), "float32")
    x[0, :, 2] = 32.0
    row = BicubicReduction(1, 2)(x).numpy()[0, 1, :, 0]
    np.testing.assert_allclose(row, [-3, 19, 0, 0], atol=1e-5)
    x[0, :, 2], x[0, :, 3] = 0.0, 32.0
    row = BicubicReduction(1, 2)(x).numpy()[0, 1, :, 0]
    np.testing.assert_allclose(row, [0, 19, -3, 0], atol=1e-5)
    x[0, :, 3], x[0, :, 0] = 0.0, 32.0
    row = BicubicReduction(1, 2)(x).numpy()[0, 1, :, 0]
    np.testing.assert_allclose(row, [19 - 3, 0, 0, 0], atol=1e-5)


@pytest.mark.parametrize(("numerator", "denominator"), [(1, 2), (3, 4), (1, 8), (2, 5), (7, 8)])
def test_a_flat_image_stays_flat_and_a_slope_a_slope(numerator, denominator):
    side = 3 * denominator
    x = np.broadcast_to(np.arange(side, dtype="float32")[:, None, None], (side, side, 2))[None]
    layer = BicubicReduction(numerator, denominator)
    made = layer(np.stack([np.full(x.shape, 0.25)[0], x[0]])).numpy()
    assert made.shape == (2, 3 * numerator, 3 * numerator, 2)
    np.testing.assert_allclose(made[0], 0.25, atol=1e-6)
    # Keys' cubic keeps no slope exact unless it is -1/2; at pixels that are as far from each other
    # as the phases repeat, the step is exact, away from the edges.
    inner = made[1, numerator : 2 * numerator, 0, 0]
    np.testing.assert_allclose(
        inner.mean(),
        (np.arange(3 * numerator).mean() + 0.5) * denominator / numerator - 0.5,
        atol=1e-4,
    )


def test_sizes_may_be_open_and_the_dtype_is_that_of_the_policy(tmp_path):
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, BicubicReduction(3, 4)(inputs))
    assert model.output_shape == (None, None, None, 3) and not model.weights
    x = enlarged(REFERENCE["noise"])
    np.testing.assert_allclose(model.predict(x, verbose=0)[0], REFERENCE["bicubic_3_4"], atol=1e-6)
    with pytest.raises(ValueError, match=r"multiples of 4.*Received: denominator=4, shape \(1, 6"):
        model(x[:, :6])
    model.save(tmp_path / "model.keras")
    twin = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(twin(x), model(x))
    half = BicubicReduction(3, 4, dtype="mixed_float16")(tf.constant(x))
    assert half.dtype == "float16"
    np.testing.assert_allclose(half[0], REFERENCE["bicubic_3_4"], atol=2e-3)


@pytest.mark.parametrize(
    ("ratio", "message"),
    [
        ((0, 2), "`numerator`"),
        ((1, 2.0), "`denominator`"),
        ((2, 4), "lowest terms"),
        ((4, 3), "below 1"),
        ((1, 1), "below 1"),
    ],
)
def test_bad_fractions(ratio, message):
    with pytest.raises(ValueError, match=f"(?s){message}.*Received"):
        BicubicReduction(*ratio)


def test_bad_sides():
    with pytest.raises(ValueError, match="multiples of 4.*Received: denominator=4"):
        BicubicReduction(3, 4)(keras.Input((8, 10, 3)))
