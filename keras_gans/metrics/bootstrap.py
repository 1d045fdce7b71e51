"""Intervals for metrics: how much a value would vary with other images of the same number."""

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from keras_gans import checks


@dataclasses.dataclass(frozen=True)
class Interval:
    """Result of `bootstrap` and `bootstrap_mean`.

    Attributes:
        value: the metric, or the mean, of the given examples.
        low: lower end of the interval.
        high: upper end.
    """

    value: float
    low: float
    high: float


def bootstrap(
    metric: Callable[[np.ndarray, np.ndarray], float],
    real: ArrayLike,
    generated: ArrayLike,
    num_resamples: int = 20,
    level: float = 0.9,
    seed: int = 0,
) -> Interval:
    """Returns an interval for a metric, by resampling both sets with replacement (Efron 1979).

    In a fraction `level` of all cases the interval contains the mean of the metric over sets of
    *this* size. A protocol with a fixed number of images needs this value, not the one for
    infinitely many images.

    Repeated examples bias many metrics: the Frechet distance and `mmd` of resampled sets are too
    high. So only the differences of the resamples from their own mean are used: if a resample is
    `d` above it, the true value may be `d` below the measured one (a centred basic interval). If
    repeats change more than the mean, no such interval is valid: `precision_recall`,
    `density_coverage` and `memorization_score` use nearest neighbours, and a repeated example has
    one at distance 0. For these, use the spread over several seeds of the generator, or
    `bootstrap_mean` of their values for each image.

    >>> rng = np.random.default_rng(3)
    >>> found = bootstrap(
    ...     keras_gans.metrics.frechet_distance,
    ...     rng.normal(size=(500, 2)),
    ...     rng.normal(size=(500, 2)) + [1.0, 0.0],
    ... )
    >>> found.low < 1.0 < found.high
    True

    Args:
        metric: a function `metric(real, generated)` that returns one number.
        real: an array `(number, ...)`.
        generated: an array `(number, ...)`.
        num_resamples: number of resamples. A `level` of 0.9 needs 19 or more, 0.95 needs 39; ten
            times as many make the ends of the interval more precise.
        level: fraction of cases in which the interval contains the true value, between 0 and 1.
            With few images, or a metric that is far from normal, the real fraction is smaller.
        seed: of the resampling.

    Returns:
        An `Interval`. It does not cover the spread over seeds of the training, which is larger.

    Raises:
        ValueError: for a metric that returns anything but one finite number, numbers out of range,
            too few resamples for the level, and sets that are not arrays.
    """
    tail = _tail(num_resamples, level)
    real, generated = _array(real, "real"), _array(generated, "generated")
    value = _number(metric(real, generated))
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(num_resamples):
        drawn = [x[rng.integers(len(x), size=len(x))] for x in (real, generated)]
        values.append(_number(metric(*drawn)))
    ends = np.quantile(values, [1 - tail, tail], method="weibull") - np.mean(values)
    return Interval(value, *(float(value - end) for end in ends))


def bootstrap_mean(
    values: ArrayLike, num_resamples: int = 199, level: float = 0.9, seed: int = 0
) -> Interval:
    """Returns an interval for the mean of one number for each image, by resampling the numbers.

    The ends are quantiles of the means of the resamples, so those of fractions stay between 0 and
    1. Equal numbers give an interval of width 0.

    >>> hits = np.arange(100) < 80
    >>> found = bootstrap_mean(hits)
    >>> found.value, 0.7 < found.low < 0.8 < found.high < 0.9
    (0.8, True)

    Args:
        values: `(number,)`, 2 or more, one for each image; booleans count as 0 and 1.
        num_resamples: as for `bootstrap`.
        level: as for `bootstrap`.
        seed: of the resampling.

    Returns:
        An `Interval`. It does not cover what all numbers depend on, such as the images that they
        were compared with.

    Raises:
        ValueError: for numbers out of range, too few resamples for the level, and values that are
            not a vector of finite numbers.
    """
    tail = _tail(num_resamples, level)
    array = np.asarray(values)
    array = _array(array * 1 if array.dtype == bool else array, "values")
    if array.ndim != 1 or not np.isfinite(array).all():
        raise ValueError(
            "`values` must be one finite number for each image, of shape (number,). "
            f"Received: shape {array.shape}, {np.count_nonzero(~np.isfinite(array))} not finite"
        )
    rng = np.random.default_rng(seed)
    means = [array[rng.integers(len(array), size=len(array))].mean() for _ in range(num_resamples)]
    ends = np.quantile(means, [tail, 1 - tail], method="weibull")
    return Interval(float(array.mean()), *map(float, ends))


def _tail(num_resamples, level):
    """Returns the fraction beyond each end of an interval; refuses too few resamples for it."""
    checks.count("num_resamples", num_resamples)
    if isinstance(level, bool) or not isinstance(level, (int, float)) or not 0 < level < 1:
        raise ValueError(f"`level` must be between 0 and 1. Received: level={level!r}")
    # Of n sorted values the i-th is the quantile i / (n + 1): there is none beyond both ends.
    needed = round(2 / (1 - level) - 1, 6)
    if num_resamples < needed:
        raise ValueError(
            f"There are too few resamples for that level. Expected at least "
            f"{int(np.ceil(needed))}. Received: num_resamples={num_resamples}, level={level}"
        )
    return (1 - level) / 2


def _array(examples, name):
    array = np.asarray(examples)
    if array.dtype.kind not in "fiu" or array.ndim < 1 or len(array) < 2:
        raise ValueError(
            f"`{name}` must be an array of numbers with 2 or more examples along its first axis. "
            f" Received: {type(examples).__name__} of shape {array.shape}"
        )
    return array


def _number(value):
    if np.ndim(value) or not isinstance(value, (int, float, np.number)) or not np.isfinite(value):
        raise ValueError(
            "The metric must return one finite number. Select one of several: "
            "`lambda real, generated: kernel_distance(real, generated).value`. "
            f"Received: {value!r}"
        )
    return float(value)
