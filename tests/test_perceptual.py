"""The perceptual loss: against sums by hand, with networks that are easy to compute."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.perceptual import PerceptualLoss


def network():
    """Two maps that can be computed by hand: twice the image, and its mean over 2x2 pixels."""
    images = keras.Input((None, None, 3), name="images")
    double = keras.layers.Rescaling(2.0, name="double")(images)
    pooled = keras.layers.AveragePooling2D(2, name="pooled")(double)
    features = keras.layers.GlobalAveragePooling2D(name="features")(pooled)
    return keras.Model(images, features)


def images(seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, size=(2, 3, 4, 4, 3)).astype("float32")


def directions(x):
    return x / np.sqrt((x**2).sum(-1, keepdims=True) + 1e-6)


@pytest.mark.parametrize("normalize", [True, False])
def test_the_loss_is_that_of_the_equation(normalize):
    target, made = images()
    loss = PerceptualLoss(network(), ["double", "pooled"], [1.0, 0.25], normalize)
    maps = [2 * x for x in (target, made)]
    pooled = [x.reshape(3, 2, 2, 2, 2, 3).mean((2, 4)) for x in maps]
    expected = 0
    for weight, (a, b) in zip((1.0, 0.25), (maps, pooled)):
        if normalize:
            a, b = directions(a), directions(b)
            expected += weight * ((a - b) ** 2).sum(-1).mean((1, 2))
        else:
            expected += weight * ((a - b) ** 2).mean((1, 2, 3))
    found = loss(target, made)
    assert found.dtype == "float32" and found.shape == (3,)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_equal_and_empty_images_have_finite_gradients():
    loss = PerceptualLoss(network(), "double")
    made = tf.Variable(tf.zeros((1, 4, 4, 3)))
    with tf.GradientTape() as tape:
        value = loss(tf.zeros((1, 4, 4, 3)), made)
    assert value.numpy() == 0 and np.isfinite(tape.gradient(value, made)).all()


def test_its_network_is_a_copy_that_is_not_trained():
    x = inputs = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(2, 3, name="edges")(x)
    whole = keras.Model(inputs, keras.layers.Conv2D(5, 3, name="later")(x))
    loss = PerceptualLoss(whole, ["edges"])
    assert whole.trainable and not loss.network.trainable_variables
    assert loss.network.count_params() == 3 * 3 * 3 * 2 + 2
    kept = loss.network.get_weights()
    whole.set_weights([w + 1 for w in whole.get_weights()])
    for before, after in zip(kept, loss.network.get_weights()):
        np.testing.assert_array_equal(before, after)
    twin = PerceptualLoss.from_config(loss.get_config())
    assert twin.get_config() == loss.get_config()


two = keras.Input((4, 4, 3)), keras.Input((4, 4, 3))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((network(), ["doubel"]), "(?s)no such layer.*Did you mean.*double.*Received: 'doubel'"),
        ((network(), ["features"]), "compares maps.*Received: 'features'"),
        ((network(), []), "one or more layers"),
        ((network(), [3]), "Expected their names"),
        ((network(), ["double"], [1.0, 2.0]), "one weight.*weights=\\[1.0, 2.0\\]"),
        ((network(), ["double"], [-1.0]), "`weights`"),
        (("efficientnet", ["double"]), "must be a `keras.Model`"),
        ((keras.Model(two, keras.layers.Add(name="sum")(two)), ["sum"]), "takes images alone"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        PerceptualLoss(*arguments)
