"""The grid that upsampling leaves in images: peaks of the spectrum at periods of 2, 4 and 8."""

import math
from collections.abc import Sequence
from typing import overload

import numpy as np
from numpy.typing import ArrayLike

from keras_gans import checks
from keras_gans.metrics.luma import luma

PERIODS = (2, 4, 8)  # of one, two and three steps of upsampling by 2

# Places of the spectrum around a frequency, in each direction. A Hann window spreads a line over
# three of them, so the nearest are left out.
_NEAR, _FAR = 2, 4
# So many periods a side are needed to keep the surroundings off the mean, at frequency 0.
_LEAST = 6


@overload
def grid_ratio(images: ArrayLike, period: int = 4) -> np.ndarray: ...
@overload
def grid_ratio(images: ArrayLike, period: Sequence[int]) -> float: ...
def grid_ratio(images: ArrayLike, period: int | Sequence[int] = 4) -> np.ndarray | float:
    """How far the pattern of a period stands out of the spectrum that surrounds it.

    Upsampling by transposed convolutions or a pixel shuffle leaves a grid of the period of its
    scale, and of its powers after several steps. Of several periods, such as `(2, 4, 8)`, one ratio
    is returned of the whole set of images:

    1. luma, without its mean, under a Hann window in both directions;
    2. the mean over the images of its power spectrum in two dimensions;
    3. at each frequency `(i / period, j / period)`, the power divided by the median of that of the
       72 frequencies that are 2 to 4 places away along rows or columns;
    4. the largest of all.

    Photographs and satellite images have about 1.2, drawings with straight outlines up to 5. With
    few images it is larger, by chance.

    Of one period, one ratio is returned for each image. The power at the frequency `1 / period`,
    along its rows and along its columns, is divided by the mean of its neighbours, and the larger
    of both is taken.

    >>> noise = np.random.default_rng(0).normal(0, 0.1, (99, 48, 48, 1))
    >>> grid = np.tile([[-0.1, 0.1], [0.1, 0.1]], (24, 24))[..., None]
    >>> bool(grid_ratio(noise, (2, 4, 8)) < 2), bool(grid_ratio(noise + grid, (2, 4, 8)) > 100)
    (True, True)
    >>> grid_ratio(noise, period=2).shape
    (99,)

    Args:
        images: floats in [-1, 1], `(batch, height, width, channels)`; for several periods at least
            6 times the largest a side, for one 4 times.
        period: of the grid in pixels, 2 or more; or several.

    Returns:
        For several periods a float, for one float64 `(batch,)`.

    Raises:
        ValueError: for other images, or images that are too small.
    """
    if isinstance(period, Sequence):
        if not period:
            raise ValueError(f"Give one period or several. Received: period={period!r}")
        spectrum = GridSpectrum(checks.counts("period", period, 2))
        spectrum.add(images)
        return spectrum.ratio()
    checks.count("period", period, 2)
    y = luma(images)[..., 0]
    _require_size(y.shape, 4, period)
    return np.maximum(_peak(y, period), _peak(y.swapaxes(1, 2), period))


class GridSpectrum:
    """Gathers the spectrum of images in batches; see `grid_ratio`.

    Args:
        periods: of the grid in pixels.
    """

    def __init__(self, periods: Sequence[int] = PERIODS) -> None:
        self.periods = tuple(periods)
        self._power, self._count = np.zeros(()), 0

    def add(self, images: ArrayLike) -> None:
        """Adds a batch of images, of the size of those before."""
        y = luma(images)[..., 0]
        _require_size(y.shape, _LEAST, max(self.periods))
        side = math.lcm(*self.periods)
        height, width = (n // side * side or n for n in y.shape[1:])
        y = y[:, :height, :width]
        y = y - y.mean(axis=(1, 2), keepdims=True)
        window = np.outer(_hann(height), _hann(width))
        self._power = self._power + np.square(np.abs(np.fft.fft2(y * window))).sum(axis=0)
        self._count += len(y)

    def ratio(self) -> float:
        """Returns the largest ratio of all periods."""
        power = self._power / self._count
        return max(self._peak(power, period) for period in self.periods)

    @staticmethod
    def _peak(power, period):
        around = np.arange(-_FAR, _FAR + 1)
        far = np.maximum.outer(np.abs(around), np.abs(around)) >= _NEAR
        least = 1e-6 * power.mean() + 1e-12  # of flat images
        found = []
        for i, j in np.ndindex(period, period):
            if math.gcd(i, j, period) > 1:  # a frequency of a shorter period, or 0
                continue
            rows, columns = (
                (n * size // period + around) % size for n, size in zip((i, j), power.shape)
            )
            near = power[np.ix_(rows, columns)]
            found.append(near[_FAR, _FAR] / (np.median(near[far]) + least))
        return float(max(found))


def fitting_periods(side: int, periods: Sequence[int] = PERIODS) -> tuple[int, ...]:
    """Returns the periods for which images of so many pixels a side are large enough.

    >>> fitting_periods(32)
    (2, 4)
    """
    return tuple(period for period in periods if side >= _LEAST * period)


def _require_size(shape, times, period):
    if min(shape[1:3]) < times * period:
        raise ValueError(
            "The images are too small for the spectrum around a grid. Expected at least "
            f"{times * period} pixels a side. Received: shape {tuple(shape)}, period={period}"
        )


def _hann(length):
    return np.hanning(length + 1)[:-1]


def _peak(y, period):
    """The power at a period over that of its neighbours, along the last axis."""
    width = y.shape[-1] // period * period
    y = y[..., :width]
    y = (y - y.mean(axis=-1, keepdims=True)) * _hann(width)
    power = np.square(np.abs(np.fft.rfft(y, axis=-1))).mean(axis=1)
    place = width // period
    # A Hann window spreads a line over three places.
    near = [place + step for step in (-4, -3, -2, 2, 3, 4) if 0 < place + step < power.shape[-1]]
    least = 1e-6 * power.mean(axis=-1) + 1e-12  # of a flat image
    return power[:, place] / (power[:, near].mean(axis=1) + least)
