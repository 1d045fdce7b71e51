"""The Frechet distance between two sets of features."""

import numpy as np


def frechet_distance(real, generated):
    """Squared Frechet distance of the normals that fit two sets of features (Heusel 2017, eq. 6).

    `|m - m'|^2 + Tr(C + C' - 2 (C C')^(1/2))`, in float64. The trace of the root is that of
    `(S C' S)^(1/2)` with `S = C^(1/2)`: symmetric matrices throughout, so that singular
    covariances (more features than examples) do no harm. Only features of InceptionV3 make it FID.

    >>> frechet_distance([[0.0], [2.0]], [[1.0], [7.0]])  # (1 - 4)^2 + (1.41 - 4.24)^2
    17.0

    Args:
        real: features of real images, `(number, features)`, 2 or more.
        generated: features of generated images; their number may differ.

    Returns:
        A float, 0 or more. It is biased upwards for few examples: compare equal numbers.

    Raises:
        ValueError: for arrays of other shapes, or values that are not finite.
    """
    real, generated = (np.asarray(array, "float64") for array in (real, generated))
    for array in (real, generated):
        if array.ndim != 2 or len(array) < 2 or array.shape[1] != real.shape[1]:
            raise ValueError(
                "Features must be two arrays (number, features) with the same features and at "
                f"least 2 examples each. Received: shapes {real.shape} and {generated.shape}"
            )
        if not np.isfinite(array).all():
            raise ValueError(
                "Features must be finite. Look at the images they were computed from. "
                f"Received: {np.count_nonzero(~np.isfinite(array))} that are not"
            )
    gap = real.mean(axis=0) - generated.mean(axis=0)
    covariances = [np.atleast_2d(np.cov(array, rowvar=False)) for array in (real, generated)]
    values, vectors = np.linalg.eigh(covariances[0])
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    overlap = np.linalg.eigvalsh(root @ covariances[1] @ root)
    trace = sum(map(np.trace, covariances)) - 2.0 * np.sqrt(np.maximum(overlap, 0.0)).sum()
    return float(max(gap @ gap + trace, 0.0))
