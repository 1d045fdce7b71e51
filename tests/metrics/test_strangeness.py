import numpy as np
import pytest

from keras_gans.metrics.strangeness import Familiar, appearance

RNG = np.random.default_rng(0)


def test_appearance_is_what_its_words_say():
    """Of an image worked out by hand: left half -1, right half 1, in grey."""
    image = np.ones((1, 16, 16, 1), "float32")
    image[:, :, :8] = -1
    found = appearance(image)[0]
    expected = [0, np.log(1.01), -1, -1, 0, 1, 1]
    for side in (16, 8, 4, 2):  # one edge of height 2 between `side - 1` differences a row
        expected += [np.log(0.003)] * 2
        expected += [np.log(2 / (side - 1) + 0.003), np.log(2 / np.sqrt(side - 1) + 0.003)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_colours_are_opponent():
    """Of constant colours: lightness, red against green, both against blue."""
    colors = np.array([[1, 1, 1], [1, -1, 0], [0.5, 0.5, -1]], "float32")
    images = np.broadcast_to(colors[:, None, None], (3, 16, 16, 3))
    expected = [[1, 0, 0], [0, 1, 0], [0, 0, 0.75]]
    np.testing.assert_allclose(appearance(images)[:, :3], expected, atol=1e-6)


def test_distances_are_those_of_mahalanobis():
    features = RNG.normal(size=(5000, 3)) @ RNG.normal(size=(3, 3)) + [1, 2, 3]
    familiar = Familiar.of(features)
    covariance = np.cov(features.T)
    covariance += np.diag(0.1 * np.diag(covariance) + 0.0009)
    apart = features - features.mean(axis=0)
    distances = np.sqrt(np.einsum("ni,ij,nj->n", apart, np.linalg.inv(covariance), apart))
    strange = familiar.strangeness(features)
    np.testing.assert_allclose(strange, distances / np.quantile(distances, 0.99), rtol=1e-6)
    stored = {name: array.astype("float32") for name, array in familiar.arrays().items()}
    np.testing.assert_allclose(Familiar(**stored).strangeness(features), strange, rtol=1e-4)


def test_what_varies_in_no_direction_is_compared_too():
    features = np.tile([1.0, 2.0], (400, 1))
    assert Familiar.of(features).strangeness([[1.0, 2.0], [1.0, 2.5]])[1] > 1


@pytest.mark.parametrize("shape", [(16, 16, 3), (1, 16, 16, 2), (1, 15, 16, 3), (0,)])
def test_images_that_are_not_described(shape):
    with pytest.raises(ValueError, match=r"appearance.*Expected shape.*Received: shape"):
        appearance(np.zeros(shape))


def test_features_of_others_are_refused():
    familiar = Familiar.of(RNG.normal(size=(100, 4)))
    with pytest.raises(ValueError, match="another number of features. Expected 4"):
        familiar.strangeness(np.zeros((1, 5)))
    with pytest.raises(ValueError, match="finite"):
        familiar.strangeness([[np.nan] * 4])
