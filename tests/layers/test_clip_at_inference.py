import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.layers.clip_at_inference import ClipAtInference

X = np.array([[-3.0, -1.0, 0.25, 1.5]], "float32")


def test_clips_what_is_made_and_not_what_is_learned(tmp_path):
    inputs = keras.Input((4,))
    model = keras.Model(inputs, ClipAtInference(-1, 1)(inputs))
    model.save(tmp_path / "model.keras")
    for network in (model, keras.models.load_model(tmp_path / "model.keras")):
        np.testing.assert_array_equal(network(X), [[-1.0, -1.0, 0.25, 1.0]])
        np.testing.assert_array_equal(network(X, training=True), X)


def test_gradients_of_training_are_whole():
    images = tf.Variable(X)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(ClipAtInference(0, 1)(images, training=True))
    np.testing.assert_array_equal(tape.gradient(loss, images), np.ones_like(X))


@pytest.mark.parametrize(("low", "high"), [(1, 1), (1, -1), (float("nan"), 1)])
def test_bad_range(low, high):
    with pytest.raises(ValueError, match=f"below `high`. Received: low={low}, high={high}"):
        ClipAtInference(low, high)
