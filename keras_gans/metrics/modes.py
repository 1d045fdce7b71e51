"""Mode coverage: how much of a distribution with known modes a generator covers."""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from keras_gans import checks, labels


@dataclasses.dataclass(frozen=True)
class ModeCoverage:
    """Result of `mode_coverage` and `class_coverage`.

    Attributes:
        modes: number of modes with at least one sample.
        total: number of modes.
        high_quality: fraction of the samples that count for a mode.
        kl: Kullback-Leibler divergence in nats from the uniform distribution over the modes to
            that of the samples that count; NaN if none does.
    """

    modes: int
    total: int
    high_quality: float
    kl: float


def mode_coverage(
    samples: ArrayLike, centers: ArrayLike, stddev: float, threshold: float = 3.0
) -> ModeCoverage:
    """Counts the modes of a mixture of Gaussians that samples cover.

    A sample is of high quality if it lies within `threshold` standard deviations of its nearest
    centre. A mode is covered if it is the nearest of at least one such sample (Srivastava 2017,
    VEEGAN, section 4).

    >>> centers = keras_gans.data.ring_centers()
    >>> mode_coverage(centers[:3], centers, stddev=0.02).modes
    3

    Args:
        samples: points, `(number, dimensions)`. Those that are not finite do not count.
        centers: of the modes, `(modes, dimensions)`.
        stddev: standard deviation of a mode along each axis.
        threshold: how many standard deviations away a sample may be.

    Returns:
        A `ModeCoverage`.

    Raises:
        ValueError: for arrays that are empty or do not fit each other, and centres that are not
            finite.
    """
    samples, centers = np.asarray(samples, "float64"), np.asarray(centers, "float64")
    if samples.ndim != 2 or not len(samples) or samples.shape[1:] != centers.shape[1:]:
        raise ValueError(
            "Samples and centres must be points of one space, (number, dimensions). "
            f"Received: samples of shape {samples.shape}, centers of shape {centers.shape}"
        )
    if not len(centers) or not np.isfinite(centers).all():
        raise ValueError(
            "There must be at least one centre, and all must be finite. Give those of the "
            f"training distribution. Received: centers={centers.tolist()}"
        )
    if not stddev > 0 or not threshold > 0:
        raise ValueError(
            "`stddev` and `threshold` must be above 0. "
            f"Received: stddev={stddev}, threshold={threshold}"
        )
    finite = samples[np.isfinite(samples).all(axis=1)]
    distances = np.linalg.norm(finite[:, None] - centers[None], axis=-1)
    good = distances.min(axis=1, initial=np.inf) <= threshold * stddev
    found = np.bincount(distances.argmin(axis=1)[good], minlength=len(centers))
    return _coverage(found, len(samples))


def class_coverage(classes: ArrayLike, num_modes: int) -> ModeCoverage:
    """Counts the modes that a classifier finds in generated images.

    For Stacked MNIST, three digits that are classified one by one form one of 1,000 classes (Metz
    2017, section 3.3.1).

    >>> class_coverage([0, 0, 2, 2], num_modes=4)
    ModeCoverage(modes=2, total=4, high_quality=1.0, kl=0.6931471805599453)

    Args:
        classes: integers `(number,)` from 0 to `num_modes - 1`.
        num_modes: how many modes there are.

    Returns:
        A `ModeCoverage`; every image counts.

    Raises:
        ValueError: for no classes, and for classes that are no integers or out of range.
    """
    if not np.size(classes):
        raise ValueError(
            "There are no images to count. Give the class of at least one. "
            f"Received: classes of shape {np.shape(classes)}"
        )
    classes = labels.require(classes, checks.count("num_modes", num_modes))
    return _coverage(np.bincount(classes, minlength=num_modes), len(classes))


def _coverage(found, number):
    counted = int(found.sum())
    shares = found[found > 0] / max(counted, 1)
    kl = (shares * np.log(shares * len(found))).sum()  # rounding may make it negative
    kl = max(float(kl), 0.0) if counted else float("nan")
    return ModeCoverage(int((found > 0).sum()), len(found), counted / number, kl)
