"""The distances between two sets of features that every evaluation measures, with intervals."""

import numpy as np

from keras_gans.metrics.bootstrap import bootstrap
from keras_gans.metrics.frechet import frechet_distance
from keras_gans.metrics.kernel import kernel_distance

_MANY_FEATURES = 512  # with more, a bootstrap of the Frechet distance takes minutes


def distances(real: np.ndarray, made: np.ndarray, seed: int = 0) -> dict[str, tuple[float, ...]]:
    """Returns the Frechet and the kernel distance with the ends of their intervals.

    >>> rng = np.random.default_rng(0)
    >>> found = distances(rng.normal(size=(50, 2)), rng.normal(1.0, size=(50, 2)))
    >>> [len(values) for values in found.values()]
    [3, 3]

    Args:
        real: features of real images, `(number, features)`.
        made: those of generated images, as many.
        seed: of resamples and subsets.

    Returns:
        `frechet` to its value and the ends of its bootstrap interval, which are left out of more
        than 512 features; `kernel` to its value, and that minus and plus one standard deviation
        over 50 subsets of 1,000 images, or of all.

    Raises:
        ValueError: as `frechet_distance` and `kernel_distance`.
    """
    found: dict[str, tuple[float, ...]] = {"frechet": (frechet_distance(real, made),)}
    if made.shape[1] <= _MANY_FEATURES:
        interval = bootstrap(frechet_distance, real, made, num_resamples=20, seed=seed)
        found["frechet"] = (interval.value, max(interval.low, 0.0), interval.high)
    size = min(1000, len(made))
    kernel = kernel_distance(real, made, subset_size=size, num_subsets=50, seed=seed)
    spread = kernel.value - kernel.stddev, kernel.value + kernel.stddev
    return {**found, "kernel": (kernel.value, *spread)}
