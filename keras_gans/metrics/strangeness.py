"""How unlike the images of a training an image is, by its colours, contrast and texture."""

import numpy as np
from numpy.typing import ArrayLike

from keras_gans.metrics.statistics import FeatureStatistics, require_features

# Opponent colours: lightness, red against green, and both against blue.
_OPPONENT = np.array([[1 / 3, 1 / 3, 1 / 3], [0.5, -0.5, 0], [0.25, 0.25, -0.5]], "float32")
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_SCALES = 4
SMALLEST = 2**_SCALES  # side of an image, in pixels
# Added to each variance, relative to it: covariance is known from hundreds of images alone. And the
# square of a difference that counts for little, for what hardly varies, such as a white background.
_RIDGE, _SMALL = 0.1, 0.03**2


def appearance(images: ArrayLike) -> np.ndarray:
    """Returns a description of images that needs no trained network.

    Of each channel, of RGB as opponent colours: mean, logarithm of the standard deviation, five
    quantiles, and at four scales, each half as fine, the logarithms of the mean absolute and the
    root mean square difference of neighbours, horizontally and vertically.

    >>> appearance(np.zeros((2, 32, 32, 3), "float32")).shape
    (2, 69)

    Args:
        images: floats in [-1, 1], `(number, height, width, channels)` with 1 or 3 channels and
            sides of at least 16.

    Returns:
        float64 `(number, 23 * channels)`.

    Raises:
        ValueError: for another shape.
    """
    images = np.asarray(images, "float32")
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or min(images.shape[1:3]) < SMALLEST:
        raise ValueError(
            "The appearance of these images cannot be described. Expected shape (number, height, "
            f"width, channels), with 1 or 3 channels and sides of at least {SMALLEST}. "
            f"Received: shape {images.shape}"
        )
    if images.shape[-1] == 3:
        images = images @ _OPPONENT.T
    number, channels = len(images), images.shape[-1]
    flat = images.reshape(number, -1, channels)
    quantiles = np.quantile(flat, _QUANTILES, axis=1).transpose(1, 0, 2)
    found = [flat.mean(axis=1), np.log(flat.std(axis=1) + 0.01), quantiles.reshape(number, -1)]
    for _ in range(_SCALES):
        for axis in (1, 2):
            apart = np.diff(images, axis=axis).reshape(number, -1, channels)
            found.append(np.log(np.abs(apart).mean(axis=1) + 0.003))
            found.append(np.log(np.sqrt((apart**2).mean(axis=1)) + 0.003))
        images = _halved(images)
    return np.concatenate(found, axis=1).astype("float64")


def _halved(images):
    height, width = (side // 2 * 2 for side in images.shape[1:3])
    pairs = images[:, :height:2, :width] + images[:, 1:height:2, :width]
    return (pairs[:, :, ::2] + pairs[:, :, 1::2]) / 4


class Familiar:
    """What a set of images looks like, and how strange others are beside it.

    The Mahalanobis distance to the mean of the set's features, in units of the distance that 99 of
    100 images of the set stay within.

    >>> rng = np.random.default_rng(0)
    >>> familiar = Familiar.of(rng.normal(size=(1000, 5)))
    >>> strange = familiar.strangeness(rng.normal(size=(1000, 5)))
    >>> float(np.mean(strange > 1)) < 0.03, familiar.strangeness([[30.0, 0, 0, 0, 0]])[0] > 5
    (True, np.True_)

    Args:
        mean: `(features,)`.
        covariance: `(features, features)`.
        usual: the distance that 99 of 100 stay within.
    """

    def __init__(self, mean: ArrayLike, covariance: ArrayLike, usual: float) -> None:
        self.mean = np.asarray(mean, "float64")
        self.covariance = np.asarray(covariance, "float64")
        self.usual = float(usual)
        ridge = np.diag(_RIDGE * np.diag(self.covariance) + _SMALL)
        values, vectors = np.linalg.eigh(self.covariance + ridge)
        self._whiten = vectors / np.sqrt(values)

    @classmethod
    def of(cls, features: ArrayLike) -> "Familiar":
        """Returns the description of a set of images.

        Args:
            features: `(number, features)`, such as `appearance` returns. At least three times as
                many images as features should be there: of fewer, the covariance is too narrow.

        Raises:
            ValueError: for another shape, or values that are not finite.
        """
        features = require_features(features)
        statistics = FeatureStatistics()
        statistics.update(features)
        found = cls(statistics.mean, statistics.covariance, 1.0)
        found.usual = float(np.quantile(found.strangeness(features), 0.99))
        return found

    def strangeness(self, features: ArrayLike) -> np.ndarray:
        """Returns how strange images are, `(number,)`: above 1 is one in a hundred of the set.

        Args:
            features: `(number, features)`.

        Raises:
            ValueError: for another number of features, or values that are not finite.
        """
        features = require_features(features, minimum=1, num_features=len(self.mean))
        distances = np.linalg.norm((features - self.mean) @ self._whiten, axis=1)
        return distances / (self.usual + np.finfo("float32").tiny)

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns what `from_arrays` takes, to be stored: float32."""
        found = {"mean": self.mean, "covariance": self.covariance, "usual": self.usual}
        return {name: np.asarray(value, "float32") for name, value in found.items()}
