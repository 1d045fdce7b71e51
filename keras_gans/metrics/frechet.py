"""The Frechet distance between two sets of features."""

import numpy as np
from numpy.typing import ArrayLike

from keras_gans.metrics.statistics import FeatureStatistics


def frechet_distance(
    real: ArrayLike | FeatureStatistics, generated: ArrayLike | FeatureStatistics
) -> float:
    """Squared Frechet distance of normals fitted to two sets of features (Heusel 2017, eq. 6).

    `|m - m'|^2 + Tr(C + C' - 2 (C C')^(1/2))`, in float64. The trace of the root is that of
    `(S C' S)^(1/2)` with `S = C^(1/2)`. All matrices are symmetric, so singular covariances (more
    features than examples) are no problem. Only features of InceptionV3 make it FID.

    >>> frechet_distance([[0.0], [2.0]], [[1.0], [7.0]])  # (1 - 4)^2 + (1.41 - 4.24)^2
    17.0

    Args:
        real: features of real images, `(number, features)`, 2 or more; or the
            their `FeatureStatistics`, if they are too many to keep or are used again.
        generated: those of generated images; their number may differ.

    Returns:
        A float, 0 or more. It is biased upwards for few examples: compare equal numbers.

    Raises:
        ValueError: for arrays of other shapes, or values that are not finite.
    """
    real = _statistics(real)
    generated = _statistics(generated, real.num_features)
    gap = real.mean - generated.mean
    covariances = real.covariance, generated.covariance
    values, vectors = np.linalg.eigh(covariances[0])
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    overlap = np.linalg.eigvalsh(root @ covariances[1] @ root)
    trace = sum(map(np.trace, covariances)) - 2.0 * np.sqrt(np.maximum(overlap, 0.0)).sum()
    return float(max(gap @ gap + trace, 0.0))


def _statistics(features, num_features=None):
    statistics = FeatureStatistics(num_features)
    if isinstance(features, FeatureStatistics):
        statistics.merge(features)
    else:
        statistics.update(features)
    return statistics
