"""Checks of features, and their mean and covariance from batches."""

import numpy as np
from numpy.typing import ArrayLike

from keras_gans import checks


def require_features(
    features: ArrayLike, name: str = "features", minimum: int = 2, num_features: int | None = None
) -> np.ndarray:
    """Checks features that a user gives, and returns them as a float64 array.

    >>> require_features([[1, 2], [3, 4]]).dtype
    dtype('float64')

    Args:
        features: `(number, features)`.
        name: their name in the error.
        minimum: least number of examples.
        num_features: required number of features; `None` for any.

    Raises:
        ValueError: for arrays of another shape, too few examples, and values that are not finite.
    """
    array = np.asarray(features, "float64")
    if array.ndim != 2:
        advice = (
            "Pool the maps of a convolutional network first, with "
            "`keras.layers.GlobalAveragePooling2D`"
            if array.ndim > 2
            else "Put one example in each row"
        )
        raise ValueError(
            f"The {name} must be vectors. Expected shape (number, features). {advice}. "
            f"Received: shape {array.shape}"
        )
    wanted = array.shape[1] if num_features is None else num_features
    if not array.shape[1] or array.shape[1] != wanted:
        raise ValueError(
            f"The {name} have another number of features. Expected {wanted or 'at least 1'}. "
            f"Compute all of them with one network. Received: shape {array.shape}"
        )
    if len(array) < minimum:
        raise ValueError(
            f"There are too few {name}. Expected at least {minimum} example(s). "
            f"Received: shape {array.shape}"
        )
    if not np.isfinite(array).all():
        raise ValueError(
            f"The {name} must be finite. Look at the images they were computed from. "
            f"Received: {np.count_nonzero(~np.isfinite(array))} values that are not"
        )
    return array


def require_pair(
    real: ArrayLike, generated: ArrayLike, minimum: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Checks features of real and generated images, and returns both as float64 arrays.

    Raises:
        ValueError: as `require_features`, and if their numbers of features differ.
    """
    real = require_features(real, "features of real images", minimum)
    return real, require_features(generated, "features of generated images", minimum, real.shape[1])


class FeatureStatistics:
    """Computes mean and covariance of features from batches, in float64.

    Batches are combined by the pairwise update of Chan, Golub and LeVeque (1983, "Algorithms for
    computing the sample variance"), so a mean far from 0 loses no digits. Memory grows with the
    square of the number of features, and not with the number of examples.

    >>> statistics = FeatureStatistics()
    >>> for batch in ([[0.0], [2.0]], [[4.0]]):
    ...     statistics.update(batch)
    >>> statistics.number, statistics.mean.tolist(), statistics.covariance.tolist()
    (3, [2.0], [[4.0]])

    Args:
        num_features: required number of features; `None` for that of the first batch.

    Attributes:
        number: of examples so far.
    """

    def __init__(self, num_features: int | None = None) -> None:
        if num_features is not None:
            checks.count("num_features", num_features)
        self.num_features = num_features
        self.number = 0
        self._mean = self._squares = None

    def update(self, features: ArrayLike) -> None:
        """Adds one batch `(number, features)` of at least 1.

        Raises:
            ValueError: for another shape or number of features, and values that are not finite.
        """
        features = require_features(features, minimum=1, num_features=self.num_features)
        mean = features.mean(axis=0)
        centred = features - mean
        self._join(len(features), mean, centred.T @ centred)

    def merge(self, other: "FeatureStatistics") -> None:
        """Adds the examples of another `FeatureStatistics`, which is not changed.

        Raises:
            ValueError: for another object, or another number of features.
        """
        if not isinstance(other, FeatureStatistics):
            raise ValueError(
                "Only `FeatureStatistics` can be merged. Add features with `update`. "
                f"Received: {type(other).__name__}"
            )
        sizes = {self.num_features, other.num_features} - {None}
        if len(sizes) > 1:
            raise ValueError(
                "Statistics of different features cannot be merged. Compute the features with one "
                f"network. Received: {self.num_features} and {other.num_features} features"
            )
        if other.number:
            self._join(other.number, other._mean, other._squares)

    def _join(self, number, mean, squares):
        if not self.number:
            self.num_features = len(mean)
            self._mean, self._squares = np.zeros_like(mean), np.zeros_like(squares)
        total = self.number + number
        gap = mean - self._mean
        self._mean = self._mean + gap * (number / total)
        self._squares = self._squares + squares
        self._squares += np.outer(gap, gap) * (self.number * number / total)
        self.number = total

    @property
    def mean(self) -> np.ndarray:
        """Float64 `(features,)`."""
        self._require(1)
        return self._mean.copy()

    @property
    def covariance(self) -> np.ndarray:
        """Float64 `(features, features)`, unbiased: divided by `number - 1`."""
        self._require(2)
        return self._squares / (self.number - 1)

    def _require(self, minimum):
        if self.number < minimum:
            raise ValueError(
                f"There are too few examples. Expected at least {minimum}; give more with "
                f"`update`. Received: {self.number}"
            )
