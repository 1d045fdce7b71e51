"""The kernel distance between two sets of features."""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from keras_gans import checks
from keras_gans.metrics.statistics import require_pair


@dataclasses.dataclass(frozen=True)
class KernelDistance:
    """Result of `kernel_distance`.

    Attributes:
        value: mean over the subsets; may be below 0, because the estimate is unbiased.
        stddev: standard deviation of the estimate over the subsets. The error of `value` is
            smaller.
    """

    value: float
    stddev: float


def kernel_distance(
    real: ArrayLike,
    generated: ArrayLike,
    subset_size: int = 1000,
    num_subsets: int = 100,
    seed: int = 0,
    scale: float = 1.0,
) -> KernelDistance:
    """Kernel distance (Binkowski 2018, section 4): the mean of `mmd` over random subsets.

    Only with unscaled features of InceptionV3 it is KID. Unlike the Frechet distance it has no bias
    for few examples. The kernel grows with the sixth power of the features, so noise may dominate
    the value of raw ones: divide them by one constant, and make that part of the protocol.

    >>> features = np.random.default_rng(0).normal(size=(2, 200, 4))
    >>> found = kernel_distance(features[0], features[1] + 1.0, subset_size=100, num_subsets=10)
    >>> found.value > 5 * found.stddev
    True

    Args:
        real: features of real images, `(number, features)`, `subset_size` or more.
        generated: those of generated images; their number may differ.
        subset_size: examples of each set in a subset, drawn without replacement.
        num_subsets: how many subsets; one if a subset takes all examples of both.
        seed: of the subsets.
        scale: divisor of all features.

    Returns:
        A `KernelDistance`.

    Raises:
        ValueError: for fewer examples than `subset_size`, features that do not fit each other or
            are not finite, and numbers out of range.
    """
    checks.count("subset_size", subset_size, 2)
    checks.count("num_subsets", num_subsets)
    real, generated = require_pair(real, generated)
    if min(len(real), len(generated)) < subset_size:
        raise ValueError(
            "There are fewer examples than a subset takes. Give more, or a smaller `subset_size`. "
            f"Received: {len(real)} real, {len(generated)} generated, subset_size={subset_size}"
        )
    real, generated = _scaled(real, scale), _scaled(generated, scale)
    if len(real) == len(generated) == subset_size:
        num_subsets = 1  # all would be the same
    rng = np.random.default_rng(seed)
    values = [
        _mmd(
            rng.choice(real, subset_size, replace=False),
            rng.choice(generated, subset_size, replace=False),
        )
        for _ in range(num_subsets)
    ]
    return KernelDistance(float(np.mean(values)), float(np.std(values)))


def mmd(real: ArrayLike, generated: ArrayLike, scale: float = 1.0) -> float:
    """Unbiased squared maximum mean discrepancy with the kernel `(x . y / features + 1)^3`.

    The mean kernel among real examples, plus that among generated ones, minus twice that between
    them, without pairs of an example and itself (Gretton 2012, eq. 3). Time and memory grow with
    the square of the number of examples: for many, use `kernel_distance`.

    >>> mmd([[0.0], [1.0]], [[1.0], [1.0]])  # 1 + 8 - 2 * (1 + 8) / 2
    0.0

    Args:
        real: features of real images, `(number, features)`, 2 or more.
        generated: those of generated images; their number may differ.
        scale: divisor of all features.

    Returns:
        A float; may be below 0 by chance if the distributions are equal.

    Raises:
        ValueError: for features that do not fit each other or are not finite.
    """
    real, generated = require_pair(real, generated)
    return float(_mmd(_scaled(real, scale), _scaled(generated, scale)))


def _mmd(x, y):
    return _mean_apart(x) + _mean_apart(y) - 2.0 * _kernel(x, y).mean()


def _mean_apart(x):
    """Mean kernel of pairs of two different examples."""
    return (_kernel(x, x).sum() - _cubed((x * x).sum(axis=1), x).sum()) / (len(x) * (len(x) - 1))


def _kernel(x, y):
    return _cubed(x @ y.T, x)


def _cubed(products, x):
    base = products / x.shape[1] + 1.0
    return base * base * base  # `** 3` takes 5 times as long


def _scaled(features, scale):
    if not 0 < scale < float("inf"):
        raise ValueError(f"`scale` must be above 0 and finite. Received: scale={scale!r}")
    return features / scale
