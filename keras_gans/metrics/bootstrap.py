"""How far a metric would move with other images of the same number."""

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from keras_gans import checks


@dataclasses.dataclass(frozen=True)
class Interval:
    """What `bootstrap` and `bootstrap_mean` find.

    Attributes:
        value: the metric, or the mean, of what was given.
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
    """An interval for a metric, from sets drawn again with replacement (Efron 1979).

    The interval holds, in a share `level` of all cases, the mean of the metric over sets of *this*
    size. That is what a protocol with a fixed number of images asks for, and not the value for
    infinitely many.

    Repeats bias many metrics: the Frechet distance and `mmd` of resampled sets are too high. So
    only the deviations of the resamples from their own mean are used: if they lie `d` above it,
    the truth may lie `d` below the value (the basic interval, centred). Where repeats change more
    than the mean, no interval of this kind is right: `precision_recall`, `density_coverage` and
    `memorization_score` measure to nearest neighbours, which repeats put at a distance of 0. For
    those, take the spread over several seeds of the generator, or `bootstrap_mean` of their hits.

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
        num_resamples: how often both sets are drawn again. A `level` of 0.9 takes 19 or more, of
            0.95 39; ten times as many make the ends of the interval steadier.
        level: share of the cases in which the interval holds the truth, between 0 and 1. With few
            images, or a metric that is far from normal, it holds it less often.
        seed: of the draws.

    Returns:
        An `Interval`. It tells nothing of other trainings, whose seeds move a metric further.

    Raises:
        ValueError: for a metric that returns anything but one finite number, numbers out of range,
            too few resamples for the level, and sets that are no arrays.
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
    """An interval for the mean of one number an image, from the numbers drawn again.

    The ends are quantiles of the means of the resamples, so that shares of hits stay within 0 and
    1. Equal numbers (no hit at all) make an interval without width.

    >>> hits = np.arange(100) < 80
    >>> found = bootstrap_mean(hits)
    >>> found.value, 0.7 < found.low < 0.8 < found.high < 0.9
    (0.8, True)

    Args:
        values: `(number,)`, 2 or more, each of another image; truth values count as 0 and 1.
        num_resamples: as for `bootstrap`.
        level: as for `bootstrap`.
        seed: of the draws.

    Returns:
        An `Interval`. It tells nothing of what all the numbers depend on, such as the images that
        they were compared with.

    Raises:
        ValueError: for numbers out of range, too few resamples for the level, and values that are
            no vector of finite numbers.
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
    """The share beyond either end of an interval, which so many resamples can tell."""
    checks.count("num_resamples", num_resamples)
    if isinstance(level, bool) or not isinstance(level, (int, float)) or not 0 < level < 1:
        raise ValueError(f"`level` must be between 0 and 1. Received: level={level!r}")
    # Of n sorted deviations the i-th is the quantile i / (n + 1): beyond both ends is nothing.
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
            f"`{name}` must be an array of numbers with 2 examples or more along its first axis, "
            f"to draw from. Received: {type(examples).__name__} of shape {array.shape}"
        )
    return array


def _number(value):
    if np.ndim(value) or not isinstance(value, (int, float, np.number)) or not np.isfinite(value):
        raise ValueError(
            "The metric must return one finite number. Pick it out of what has several: "
            "`lambda real, generated: kernel_distance(real, generated).value`. "
            f"Received: {value!r}"
        )
    return float(value)
