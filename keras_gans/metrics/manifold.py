"""Precision and recall, density and coverage: separate measures of quality and variety."""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from keras_gans import checks
from keras_gans.metrics.neighbors import squared_distances
from keras_gans.metrics.statistics import require_pair


@dataclasses.dataclass(frozen=True)
class PrecisionRecall:
    """Result of `precision_recall`, each value from 0 to 1.

    Attributes:
        precision: fraction of the generated images that lie among the real ones (quality).
        recall: fraction of the real images that lie among the generated ones (variety).
        precise: for each generated image, whether it lies among the real ones.
        recalled: for each real image, whether it lies among the generated ones.
    """

    precision: float
    recall: float
    precise: np.ndarray = dataclasses.field(repr=False, compare=False)
    recalled: np.ndarray = dataclasses.field(repr=False, compare=False)


@dataclasses.dataclass(frozen=True)
class DensityCoverage:
    """Result of `density_coverage`.

    Attributes:
        density: mean number of balls of real images that contain a generated one, divided by the
            number of neighbours; may exceed 1 where generated images are concentrated.
        coverage: fraction of the real images whose ball contains a generated one, from 0 to 1.
        densities: of each generated image; `density` is their mean.
        covered: for each real image, whether its ball contains a generated one.
    """

    density: float
    coverage: float
    densities: np.ndarray = dataclasses.field(repr=False, compare=False)
    covered: np.ndarray = dataclasses.field(repr=False, compare=False)


def precision_recall(real: ArrayLike, generated: ArrayLike, neighbors: int = 3) -> PrecisionRecall:
    """Improved precision and recall (Kynkaanniemi 2019, eq. 1 and 2).

    Each image has a ball that reaches to its k-th nearest neighbour in its own set, itself not
    counted. Precision is the fraction of generated images inside the ball of a real one; recall is
    that of real images inside the ball of a generated one. Distances equal to a radius, up to
    rounding, are inside. An outlier has a large ball; `density_coverage` is robust against that.

    >>> real, generated = [[0.0], [1.0], [2.0]], [[0.5], [0.6], [9.0]]
    >>> precision_recall(real, generated, neighbors=1).precision
    0.6666666666666666

    Args:
        real: features of real images, `(number, features)`, more than `neighbors`.
        generated: those of generated images. Their number may differ, but changes the values.
        neighbors: k. The paper takes 3, and 50,000 images of each kind.

    Returns:
        A `PrecisionRecall`. Time grows with the product of the numbers, memory with the numbers.

    Raises:
        ValueError: for features of different numbers, not finite, or too few.
    """
    real, generated, slack = _prepare(real, generated, neighbors)
    balls, others = (_squared_radii(x, neighbors) + slack for x in (real, generated))
    precise, recalled = np.zeros(len(generated), bool), np.zeros(len(real), bool)
    for rows, distances in squared_distances(real, generated):
        precise |= (distances <= balls[rows, None]).any(axis=0)
        recalled[rows] = (distances <= others).any(axis=1)
    return PrecisionRecall(float(precise.mean()), float(recalled.mean()), precise, recalled)


def density_coverage(real: ArrayLike, generated: ArrayLike, neighbors: int = 5) -> DensityCoverage:
    """Density and coverage (Naeem 2020, section 3.2): only real images have balls.

    It is robust against outliers among the real images, which count once, and among the generated
    ones, which have no balls. For two sets from one distribution density is about 1, and
    coverage about `1 - 0.5^neighbors` (0.97 for 5) if their numbers are equal.

    >>> density_coverage([[0.0], [1.0], [3.0]], [[0.5], [0.6]], neighbors=1)
    DensityCoverage(density=2.0, coverage=0.6666666666666666)

    Args:
        real: features of real images, `(number, features)`, more than `neighbors`.
        generated: those of generated images. Their number may differ, but changes the values.
        neighbors: k. The paper takes 5.

    Returns:
        A `DensityCoverage`. Time grows with the product of the numbers, memory with the numbers.

    Raises:
        ValueError: for features of different numbers, not finite, or too few.
    """
    real, generated, slack = _prepare(real, generated, neighbors, minimum=1)
    balls = _squared_radii(real, neighbors) + slack
    around, covered = np.zeros(len(generated), int), np.zeros(len(real), bool)
    for rows, distances in squared_distances(real, generated):
        inside = distances <= balls[rows, None]
        around += np.count_nonzero(inside, axis=0)
        covered[rows] = inside.any(axis=1)
    density = float(around.sum() / (neighbors * len(generated)))
    return DensityCoverage(density, float(covered.mean()), around / neighbors, covered)


def _prepare(real, generated, neighbors, minimum=None):
    """Centres both sets at the mean of the real ones; returns a bound on rounding errors too.

    Generated images that equal real ones lie exactly on the edge of balls. Rounding must not decide
    whether they are inside.
    """
    checks.count("neighbors", neighbors)
    real, generated = require_pair(real, generated, 1)
    if len(real) <= neighbors or len(generated) < (minimum or neighbors + 1):
        raise ValueError(
            "There are too few examples for so many neighbours of each. Give more, or "
            f"fewer `neighbors`. Received: {len(real)} real, {len(generated)} generated, "
            f"neighbors={neighbors}"
        )
    center = real.mean(axis=0)
    real, generated = real - center, generated - center
    longest = max((x * x).sum(axis=1).max() for x in (real, generated))
    terms = real.shape[1] + 2  # of the sum that makes a squared distance
    return real, generated, 8.0 * np.finfo("float64").eps * terms * longest


def _squared_radii(x, neighbors):
    """Returns the squared distance of each example to its k-th nearest neighbour."""
    radii = np.empty(len(x))
    for rows, distances in squared_distances(x, x):
        own = np.arange(rows.start, rows.stop)
        distances[own - rows.start, own] = np.inf
        distances.partition(neighbors - 1, axis=1)
        radii[rows] = distances[:, neighbors - 1]
    return radii
