"""Small distributions with a known density, on which mode collapse can be counted.

References:
    - Metz et al., 2017, "Unrolled Generative Adversarial Networks", arXiv:1611.02163: the ring.
    - Dumoulin et al., 2017, "Adversarially Learned Inference", arXiv:1606.00704: the grid.
    - Srivastava et al., 2017, "VEEGAN", arXiv:1705.07761: both as a measure of mode collapse.
"""

import functools
import inspect
from collections.abc import Callable

import numpy as np

from keras_gans.data.sources.registry import Examples, Request, Source

NUM_EXAMPLES = 50_000

# Points of the splits are independent draws.
SPLITS = {"train": 0, "test": 1}


def ring_centers(modes: int = 8, radius: float = 2.0) -> np.ndarray:
    """Centres of the modes of the set "ring", equally spaced on a circle.

    >>> ring_centers().shape
    (8, 2)

    Args:
        modes: Number of modes.
        radius: Radius of the circle.

    Returns:
        NumPy array of `float32` and shape `(modes, 2)`: the coordinates.

    Raises:
        ValueError: If there are no modes, or `radius` is no number.
    """
    _check_count(modes=modes)
    _check_numbers(radius=radius)
    angles = 2 * np.pi * np.arange(modes) / modes
    return (radius * np.stack([np.cos(angles), np.sin(angles)], axis=-1)).astype("float32")


def grid_centers(side: int = 5, spacing: float = 2.0) -> np.ndarray:
    """Centres of the modes of the set "grid", a square around the origin.

    >>> centers = grid_centers()
    >>> centers.shape, centers.min().item(), centers.max().item()
    ((25, 2), -4.0, 4.0)

    Args:
        side: Number of modes along one side.
        spacing: Distance of neighbours.

    Returns:
        NumPy array of `float32` and shape `(side * side, 2)`: the coordinates.

    Raises:
        ValueError: If there are no modes, or `spacing` is no number.
    """
    _check_count(side=side)
    _check_numbers(spacing=spacing)
    axis = spacing * (np.arange(side) - (side - 1) / 2)
    return (
        np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2).astype("float32")
    )


def normal(
    rng: np.random.Generator, count: int, mean: float = 4.0, stddev: float = 0.5
) -> tuple[np.ndarray, np.ndarray | None]:
    """Draws from a normal distribution.

    Args:
        rng: `numpy.random.Generator`.
        count: Number of points.
        mean: Mean.
        stddev: Standard deviation.

    Returns:
        Array of `float32` and shape `(count, 1)`, and None: there are no labels.
    """
    _check_numbers(mean=mean)
    _check_stddev(stddev)
    return rng.normal(mean, stddev, (count, 1)).astype("float32"), None


def ring(
    rng: np.random.Generator, count: int, modes: int = 8, radius: float = 2.0, stddev: float = 0.02
) -> tuple[np.ndarray, np.ndarray]:
    """Draws from Gaussians on a ring; the defaults are those of public code for Metz et al., 2017.

    Args:
        rng: `numpy.random.Generator`.
        count: Number of points.
        modes: Number of Gaussians.
        radius: Radius of the ring.
        stddev: Standard deviation of each Gaussian along each axis.

    Returns:
        Array of `float32` and shape `(count, 2)`, and array of `int32` and shape `(count,)`: the
        index of each point's centre in `ring_centers`.
    """
    return _mixture(rng, count, ring_centers(modes, radius), stddev)


def grid(
    rng: np.random.Generator, count: int, side: int = 5, spacing: float = 2.0, stddev: float = 0.05
) -> tuple[np.ndarray, np.ndarray]:
    """Draws from Gaussians on a square grid; the defaults are those of Dumoulin et al., 2017.

    Args:
        rng: `numpy.random.Generator`.
        count: Number of points.
        side: Number of Gaussians along one side.
        spacing: Distance of neighbours.
        stddev: Standard deviation of each Gaussian along each axis.

    Returns:
        Array of `float32` and shape `(count, 2)`, and array of `int32` and shape `(count,)`: the
        index of each point's centre in `grid_centers`.
    """
    return _mixture(rng, count, grid_centers(side, spacing), stddev)


def read(draw: Callable, request: Request) -> Examples:
    """Returns the points of a `Request`, and None: their classes have no names.

    Args:
        draw: `normal`, `ring` or `grid`.
        request: The `Request`.
    """
    import tensorflow as tf

    from keras_gans.data.prepared import no_labels

    name, split = request.name, request.split
    if not isinstance(split, str) or split not in SPLITS:
        raise ValueError(
            f"{name!r} has no such split. Expected one of {list(SPLITS)}; choose the "
            f"number of points by `num_examples`. Received: split={split!r}"
        )
    rng = np.random.default_rng([request.seed, SPLITS[split]])
    points, modes = draw(rng, request.num_examples or NUM_EXAMPLES, **request.options)
    if request.labels and modes is None:
        raise no_labels(name)
    parts = (points, modes) if request.labels else points
    return tf.data.Dataset.from_tensor_slices(parts), None


def _mixture(rng, count, centers, stddev):
    _check_stddev(stddev)
    labels = rng.integers(len(centers), size=count, dtype="int32")
    noise = rng.normal(0.0, stddev, (count, 2))
    return (centers[labels] + noise).astype("float32"), labels


def _check_count(**argument):
    ((name, value),) = argument.items()
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(
            f"There is no such number of modes. Expected `{name}` to be an integer, 1 or more. "
            f"Received: {name}={value!r}"
        )


def _check_numbers(**argument):
    ((name, value),) = argument.items()
    if not isinstance(value, int | float | np.number) or not np.isfinite(value):
        raise ValueError(
            f"`{name}` does not fit. Expected a finite number. Received: {name}={value!r}"
        )


def _check_stddev(stddev):
    _check_numbers(stddev=stddev)
    if stddev < 0:
        raise ValueError(
            f"A standard deviation cannot be negative. Expected `stddev` of 0 or more. "
            f"Received: stddev={stddev}"
        )


def _source(name, draw, content):
    options = list(inspect.signature(draw).parameters.values())[2:]
    return Source(
        name=name,
        content=content,
        origin="a random generator",
        licence="none needed: drawn here",
        splits=tuple(SPLITS),
        read=functools.partial(read, draw),
        options={option.name: option.default for option in options},
        fixed=f"{name!r} is a set of points, not of images.",
    )


NORMAL = _source("normal", normal, "numbers, `(batch, 1)`")
RING = _source("ring", ring, "8 Gaussians on a circle, `(batch, 2)`")
GRID = _source("grid", grid, "25 Gaussians on a square, `(batch, 2)`")
