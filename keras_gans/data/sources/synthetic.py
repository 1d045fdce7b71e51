"""Small distributions with a known density, on which mode collapse can be counted.

References:
    - Metz et al., 2017, "Unrolled Generative Adversarial Networks", arXiv:1611.02163: the ring.
    - Dumoulin et al., 2017, "Adversarially Learned Inference", arXiv:1606.00704: the grid.
    - Srivastava et al., 2017, "VEEGAN", arXiv:1705.07761: both as a measure of mode collapse.
"""

import numpy as np

NUM_EXAMPLES = 50_000

# Points of the splits are independent draws.
SPLITS = {"train": 0, "test": 1}


def ring_centers(modes=8, radius=2.0):
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


def grid_centers(side=5, spacing=2.0):
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


def normal(rng, count, mean=4.0, stddev=0.5):
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


def ring(rng, count, modes=8, radius=2.0, stddev=0.02):
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


def grid(rng, count, side=5, spacing=2.0, stddev=0.05):
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


SETS = {"normal": normal, "ring": ring, "grid": grid}


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
