import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_gans import data, image
from keras_gans.metrics import FeatureNetwork, features, resize_clean, resize_legacy


def pairs_of_means(images):
    """Features and probabilities that are easily worked out."""
    mean = images.mean(axis=(1, 2, 3))
    share = (mean + 1) / 2
    return np.stack([mean, mean**2], axis=1), np.stack([share, 1 - share], axis=1)


def ramp(number, shape=(4, 4, 1)):
    levels = np.linspace(-1, 1, number, dtype="float32")
    return np.broadcast_to(levels[:, None, None, None], (number, *shape)).copy()


@pytest.mark.parametrize("batch_size", [1, 3, 7, 100])
def test_a_callable_in_batches(batch_size):
    sizes = []

    def call(images):
        sizes.append(len(images))
        assert images.dtype == np.float32
        return pairs_of_means(images)

    network = features.wrap(call, "means", image_shape=(4, 4, 1), batch_size=batch_size)
    assert isinstance(network, FeatureNetwork)
    assert (network.num_features, network.num_classes, network.sha256) == (None, None, None)
    found, probabilities = network(ramp(7).astype("float64"))
    assert sum(sizes) == 7 and max(sizes) <= batch_size
    mean = np.linspace(-1, 1, 7)
    np.testing.assert_allclose(found, np.stack([mean, mean**2], 1), atol=1e-6)
    np.testing.assert_allclose(probabilities, np.stack([mean + 1, 1 - mean], 1) / 2, atol=1e-6)
    assert found.dtype == probabilities.dtype == np.float32
    assert (network.num_features, network.num_classes) == (2, 2)


def test_a_data_set_in_its_batches():
    network = features.wrap(pairs_of_means, "means", image_shape=(4, 4, 1), batch_size=2)
    images = ramp(7)
    for dataset in (
        tf.data.Dataset.from_tensor_slices(images).batch(3),
        tf.data.Dataset.from_tensor_slices((images, np.arange(7))).batch(3),
        [images[:5], images[5:]],
    ):
        for found, whole in zip(network.extract(dataset), network(images)):
            np.testing.assert_array_equal(found, whole)
    with pytest.raises(ValueError, match="no images.*Received"):
        network.extract([])


def small_model(seed=0):
    keras.utils.set_random_seed(seed)
    inputs = x = keras.Input((6, 5, 3))
    x = keras.layers.Dropout(0.5)(keras.layers.Conv2D(4, 3)(x))
    return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x))


def test_a_model_is_called_in_inference_and_hashed():
    model = small_model()
    network = features.wrap(model, "small", data="nothing/train")
    assert (network.name, network.data, network.image_shape) == (
        "small",
        "nothing/train",
        (6, 5, 3),
    )
    assert (network.num_features, network.num_classes) == (4, None)
    images = np.random.default_rng(0).uniform(-1, 1, (3, 6, 5, 3)).astype("float32")
    found, probabilities = network(images)
    assert probabilities is None
    # The mean of a valid 3x3 convolution, by hand: dropout is off.
    kernel, bias = model.layers[1].get_weights()
    windows = np.lib.stride_tricks.sliding_window_view(images, (3, 3), axis=(1, 2))
    by_hand = np.einsum("nhwcij,ijcf->nhwf", windows, kernel).mean(axis=(1, 2)) + bias
    np.testing.assert_allclose(found, by_hand, atol=1e-5)
    same, other = features.wrap(small_model(), "same"), features.wrap(small_model(1), "other")
    assert network.sha256 == same.sha256 != other.sha256 and len(network.sha256) == 64


def test_the_shipped_classifier_of_digits():
    network = features.load("digits_cnn_v1")
    assert (network.name, network.data) == ("digits_cnn_v1", "digits/train[80%:]")
    assert (network.image_shape, network.num_features, network.num_classes) == ((28, 28, 1), 64, 10)
    assert network.sha256[:8] in repr(network) and "digits_cnn_v1" in repr(network)
    batches = data.load("digits", split="train[:4%]", labels=True, batch_size=100)
    found, probabilities = network.extract(batches)
    assert found.shape == (200, 64) and probabilities.shape == (200, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    # Normalised by the training set's statistics: near mean 0 and variance 1, and not clipped at 0.
    assert np.abs(found.mean(axis=0)).max() < 0.7 and 0.3 < (found < 0).mean() < 0.7
    assert 0.5 < found.var(axis=0).mean() < 2
    # bfloat16 images of a mixed policy are floats too.
    images = next(iter(batches))[0]
    rounded = np.asarray(tf.cast(images, "bfloat16"))
    np.testing.assert_allclose(network(rounded)[0], network(images)[0], atol=0.3)


def test_loading_leaves_a_training_alone():
    """A policy of half precision does not reach the features, nor do they draw its seeds."""
    images = next(iter(data.load("digits", split="train[:1%]", batch_size=20)))
    expected, _ = features.load("digits_cnn_v1")(images)
    keras.config.set_dtype_policy("mixed_float16")
    keras.utils.set_random_seed(5)
    next_weights = keras.layers.Dense(3)
    next_weights.build((None, 2))
    keras.utils.set_random_seed(5)
    found, _ = features.load("digits_cnn_v1")(images)
    np.testing.assert_array_equal(found, expected)
    assert keras.config.dtype_policy().name == "mixed_float16"
    again = keras.layers.Dense(3)
    again.build((None, 2))
    np.testing.assert_array_equal(*(np.array(x.kernel) for x in (next_weights, again)))


def test_unknown_names():
    with pytest.raises(ValueError, match="Did you mean 'digits_cnn_v1'.*Received: 'digit_cnn_v1'"):
        features.load("digit_cnn_v1")
    with pytest.raises(ValueError, match="has its own weights.*Received"):
        features.load("digits_cnn_v1", weights="some.h5")


def grey(**changes):
    return features.wrap(pairs_of_means, "grey", image_shape=(4, 4, 1), **changes)


def colour():
    return features.wrap(lambda x: x.mean(axis=(1, 2)), "colour", image_shape=(None, None, 3))


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (
            lambda: grey()(np.zeros((2, 4, 4, 3), "float32")),
            "takes grey images and these are in colour",
        ),
        (
            lambda: colour()(np.zeros((2, 4, 4, 1), "float32")),
            "takes colour images and these are grey",
        ),
        (lambda: grey()(np.zeros((2, 8, 8, 1), "float32")), "image_size"),
        (lambda: grey()(np.zeros((4, 4, 1), "float32")), "np.expand_dims"),
        (lambda: grey()(np.zeros((0, 4, 4, 1), "float32")), "at least one"),
        (lambda: grey()(np.zeros((2, 4, 4, 1), "uint8")), "from_uint8"),
        (lambda: grey()(np.zeros((2, 4, 4, 1), "int64")), "from_uint8"),
        (lambda: grey()(255 * ramp(4)), "out of range"),
        (lambda: grey()(np.nan * ramp(4)), "out of range"),
        (lambda: grey(batch_size=0), "batch_size"),
        (lambda: features.wrap(pairs_of_means, "x"), "image_shape"),
        (lambda: features.wrap(pairs_of_means, "x", image_shape=(4, 4)), "image_shape"),
        (lambda: features.wrap("digits_cnn_v1", "x", image_shape=(4, 4, 1)), "callable"),
    ],
)
def test_bad_input(call, match):
    with pytest.raises(ValueError, match=f"(?s){match}.*Received"):
        call()


@pytest.mark.parametrize(
    ("answer", "match"),
    [
        (np.zeros((3, 2, 2, 8)), "Pool them"),
        (np.zeros(3), "Pool them"),
        (np.full((3, 2), np.nan), "finite"),
        (np.zeros((2, 2)), "one row"),
        ((np.zeros((3, 2)), np.full((3, 2), np.inf)), "finite"),
        ((np.zeros((3, 2)), np.full((3, 2), 0.6)), "softmax"),
        ((np.zeros((3, 2)), np.array([[-1.0, 2.0]] * 3)), "softmax"),
        ((np.zeros((3, 2)),) * 3, "features and probabilities"),
    ],
)
def test_bad_answers(answer, match):
    network = features.wrap(lambda images: answer, "bad", image_shape=(4, 4, 1))
    with pytest.raises(ValueError, match=f"(?s){match}.*Received"):
        network(ramp(3))


def test_a_model_that_answers_maps():
    inputs = keras.Input((6, 5, 3))
    with pytest.raises(ValueError, match="Pool them.*Received: an output of shape .None, 4, 3, 2"):
        features.wrap(keras.Model(inputs, keras.layers.Conv2D(2, 3)(inputs)), "maps")


def test_another_number_of_features():
    network = features.wrap(lambda x: np.zeros((len(x), len(x))), "x", (4, 4, 1), batch_size=2)
    with pytest.raises(ValueError, match="Expected 2. Received: 1"):
        network(ramp(3))


# ---- resizing


def test_clean_is_pillow_channel_by_channel():
    images = np.random.default_rng(0).uniform(-1, 1, (2, 9, 7, 3)).astype("float32")
    found = resize_clean(images, 5)
    assert found.shape == (2, 5, 5, 3) and found.dtype == np.float32
    levels = image.to_uint8(images)
    for n, c in np.ndindex(2, 3):
        plane = Image.fromarray(levels[n, :, :, c].astype("float32"))
        assert plane.mode == "F"
        expected = np.asarray(plane.resize((5, 5), Image.Resampling.BICUBIC)).clip(0, 255)
        np.testing.assert_array_equal(found[n, :, :, c], expected)
    np.testing.assert_array_equal(resize_clean(levels, 5), found)


@pytest.mark.parametrize("resize", [resize_clean, resize_legacy])
def test_a_constant_stays(resize):
    for size in (3, 299):
        found = resize(np.full((1, 17, 20, 2), 0.5, "float32"), size)
        assert found.shape == (1, size, size, 2)
        np.testing.assert_allclose(found, np.rint(1.5 * 127.5), atol=1e-3)


def test_a_checkerboard_becomes_grey_or_aliases():
    board = np.indices((64, 64)).sum(axis=0) % 2 * 2.0 - 1.0
    board = board[None, :, :, None].astype("float32")
    # Antialiasing sees both colours; without it, each second pixel is read and all are equal.
    np.testing.assert_allclose(resize_clean(board, 8)[:, 2:-2, 2:-2], 127.5, atol=1)
    np.testing.assert_array_equal(resize_legacy(board, 32), 0)


def test_clean_clips_what_overshoots_and_rounds_nothing():
    edge = np.full((1, 8, 8, 1), 20, "uint8")
    edge[:, :, 4:] = 255
    found = resize_clean(edge, 32)
    assert found.min() < 19 and found.max() == 255  # above 20, which is no limit, it may overshoot
    assert np.abs(found - found.round()).max() > 0.1


def test_legacy_by_hand():
    images = np.array([[0, 100], [40, 200]], "uint8")[None, :, :, None]
    # Pixel i is read at i / 2; the last stays at the edge.
    rows = [[0, 50, 100, 100], [20, 85, 150, 150], [40, 120, 200, 200], [40, 120, 200, 200]]
    np.testing.assert_allclose(resize_legacy(images, 4)[0, :, :, 0], rows, atol=1e-4)


@pytest.mark.parametrize("resize", [resize_clean, resize_legacy])
@pytest.mark.parametrize(
    ("images", "size"),
    [
        (np.zeros((4, 4, 3), "uint8"), 8),
        (np.zeros((0, 4, 4, 3), "uint8"), 8),
        (np.zeros((1, 4, 4, 3), "int32"), 8),
        (np.full((1, 4, 4, 3), 2.0), 8),
        (np.zeros((1, 4, 4, 3), "uint8"), 0),
        (np.zeros((1, 4, 4, 3), "uint8"), 8.0),
    ],
)
def test_bad_images_to_resize(resize, images, size):
    with pytest.raises(ValueError, match="Received"):
        resize(images, size)
