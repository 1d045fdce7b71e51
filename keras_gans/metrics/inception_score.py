"""The Inception Score, from the probabilities of a classifier."""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from keras_gans import checks


@dataclasses.dataclass(frozen=True)
class InceptionScore:
    """Result of `inception_score`: from 1 (all images alike) to the number of classes.

    Attributes:
        value: mean over the parts.
        stddev: standard deviation over the parts; 0 for a single part.
    """

    value: float
    stddev: float


def inception_score(probabilities: ArrayLike, splits: int = 10) -> InceptionScore:
    """Inception Score, `exp(E KL(p(y|x) || p(y)))` (Salimans 2016, section 4).

    It is high if each image is clearly of one class, and there are many classes. It uses no real
    images, and does not measure variety within a class. Papers report it for the 1,000 ImageNet
    classes of InceptionV3 only.

    >>> inception_score(np.eye(4), splits=1)
    InceptionScore(value=4.0, stddev=0.0)

    Args:
        probabilities: of the classes for each generated image, `(number, classes)`; rows sum to 1.
        splits: number of parts that are scored separately, each of consecutive images. Shuffle
            images that are sorted by class. Small parts score too low: papers use 5,000 images.

    Returns:
        An `InceptionScore`.

    Raises:
        ValueError: for rows that are not probabilities, and fewer images than parts.
    """
    probabilities = _require(probabilities)
    checks.count("splits", splits)
    if len(probabilities) < splits:
        raise ValueError(
            "There are fewer images than parts. Give more, or fewer `splits`. "
            f"Received: {len(probabilities)} images, splits={splits}"
        )
    parts = []
    for part in range(splits):
        start, end = (len(probabilities) * edge // splits for edge in (part, part + 1))
        statistics = ScoreStatistics(splits=1)
        statistics.update(probabilities[start:end])
        parts.append(statistics.result().value)
    return InceptionScore(float(np.mean(parts)), float(np.std(parts)))


class ScoreStatistics:
    """The Inception Score of images that come in batches.

    `E KL(p(y|x) || p(y))` is the entropy of the mean minus the mean entropy, so sums suffice:
    memory grows with parts times classes, and not with the number of images. Images go to the parts
    in turn.

    >>> statistics = ScoreStatistics(splits=1)
    >>> for batch in np.eye(4)[:, None]:
    ...     statistics.update(batch)
    >>> statistics.result()
    InceptionScore(value=4.0, stddev=0.0)

    Args:
        splits: number of parts that are scored separately.
    """

    def __init__(self, splits: int = 10) -> None:
        self.splits = checks.count("splits", splits)
        self.number = 0
        self._sums = None  # of the probabilities, by part
        self._negentropies = np.zeros(splits)

    def update(self, probabilities: ArrayLike) -> None:
        """Adds one batch `(number, classes)`.

        Raises:
            ValueError: for rows that are not probabilities, or another number of classes.
        """
        probabilities = _require(probabilities)
        if self._sums is None:
            self._sums = np.zeros((self.splits, probabilities.shape[1]))
        if probabilities.shape[1] != self._sums.shape[1]:
            raise ValueError(
                "The number of classes changed from one batch to another. Expected "
                f"{self._sums.shape[1]}. Received: shape {probabilities.shape}"
            )
        parts = (self.number + np.arange(len(probabilities))) % self.splits
        np.add.at(self._sums, parts, probabilities)
        np.add.at(self._negentropies, parts, _negentropy(probabilities))
        self.number += len(probabilities)

    def result(self) -> InceptionScore:
        """Returns the `InceptionScore` of the images so far.

        Raises:
            ValueError: for fewer images than parts.
        """
        if self.number < self.splits:
            raise ValueError(
                "There are fewer images than parts. Give more, or fewer `splits`. "
                f"Received: {self.number} images, splits={self.splits}"
            )
        numbers = (self.number + np.arange(self.splits)[::-1]) // self.splits
        divergence = self._negentropies / numbers - _negentropy(self._sums / numbers[:, None])
        scores = np.exp(np.maximum(divergence, 0.0))  # rounding may fall below 0
        return InceptionScore(float(scores.mean()), float(scores.std()))


def _negentropy(probabilities):
    """Sum of p log p over the classes, where 0 log 0 is 0."""
    return (probabilities * np.log(np.where(probabilities > 0, probabilities, 1.0))).sum(axis=-1)


def _require(probabilities):
    array = np.asarray(probabilities, "float64")
    if array.ndim != 2 or not array.size:
        raise ValueError(
            "There must be one row of probabilities for each image, (number, classes). "
            f"Received: shape {array.shape}"
        )
    sums = array.sum(axis=1)
    if not ((array >= 0).all() and (np.abs(sums - 1) <= 1e-3).all()):  # false of NaN
        raise ValueError(
            "The rows are not probabilities. Expected numbers of at least 0 that sum to 1. Apply "
            "`keras.ops.softmax` to the logits of a classifier. "
            f"Received: values from {array.min():.6g} to {array.max():.6g}, rows that sum to "
            f"{sums.min():.6g} to {sums.max():.6g}"
        )
    return array / sums[:, None]  # half precision rounds the probabilities
