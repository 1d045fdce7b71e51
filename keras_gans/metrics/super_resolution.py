"""Metrics of super-resolution, by the protocols of its papers."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_gans import checks
from keras_gans.metrics.grid import PERIODS
from keras_gans.metrics.luma import luma
from keras_gans.metrics.perceptual import PerceptualDistance
from keras_gans.metrics.protocol import Measurement
from keras_gans.metrics.similarity import gradient_energy, psnr, require_pair, ssim
from keras_gans.metrics.translation import TranslationEvaluation, first_images, mean_of


def psnr_y(target: ArrayLike, made: ArrayLike, border: int = 4) -> np.ndarray:
    """Peak signal-to-noise ratio of luma in dB, without a border: that of the papers.

    Images are rounded to 8 bits first, as in files, and Y is not.

    >>> image = np.zeros((1, 16, 16, 3))
    >>> psnr_y(image, image).tolist()
    [inf]

    Args:
        target: floats in [-1, 1], `(batch, height, width, channels)`.
        made: likewise.
        border: pixels to leave out at each side; the papers' is the scale.

    Returns:
        Float64 `(batch,)`; infinite for equal images.

    Raises:
        ValueError: for images of different shapes, of integers, out of range, or no larger than
            their border.
    """
    return psnr(*_inner(target, made, border))


def ssim_y(target: ArrayLike, made: ArrayLike, border: int = 4) -> np.ndarray:
    """Structural similarity of luma, without a border: that of the papers. See `psnr_y`.

    >>> image = np.zeros((1, 32, 32, 3))
    >>> ssim_y(image, image).tolist()
    [1.0]

    Args:
        target: floats in [-1, 1], `(batch, height, width, channels)`, 11 pixels or more a side
            inside the border.
        made: likewise.
        border: pixels to leave out at each side.

    Returns:
        Float64 `(batch,)`, 1 for equal images.

    Raises:
        ValueError: as `psnr_y`.
    """
    return ssim(*_inner(target, made, border))


def colour_shift(target: ArrayLike, made: ArrayLike) -> np.ndarray:
    """How far the mean colour of an image is off: the largest difference of a channel, of 255.

    >>> colour_shift(np.zeros((1, 4, 4, 3)), np.full((1, 4, 4, 3), 0.02)).round(6).tolist()
    [2.55]

    Args:
        target: floats in [-1, 1], `(batch, height, width, channels)`.
        made: likewise.

    Returns:
        Float64 `(batch,)`, from 0 to 255.

    Raises:
        ValueError: for images of different shapes, of integers, or out of range.
    """
    target, made = require_pair(target, made)
    shift = made.mean(axis=(1, 2)) - target.mean(axis=(1, 2))
    return 127.5 * np.abs(shift).max(axis=-1)


def _inner(target, made, border):
    """Luma of both, rounded to 8 bits before, without the border."""
    checks.count("border", border, 0)
    target, made = require_pair(target, made)
    if min(target.shape[1:3]) <= 2 * border:
        raise ValueError(
            "The images are no larger than the border that is left out. Expected more than "
            f"{2 * border} pixels a side. Received: shape {target.shape}, border={border}"
        )
    inner = slice(border, -border or None)
    rounded = (np.round((x.clip(-1, 1) + 1.0) * 127.5) / 127.5 - 1.0 for x in (target, made))
    return [luma(x[:, inner, inner]) for x in rounded]


class SuperResolutionEvaluation(TranslationEvaluation):
    """Enlarges the sources of held-out pairs, and compares the results with their targets.

    It measures, each under the name of its protocol, means over the pairs with intervals of 95 %
    over pairs:

    - `psnr_y`, `ssim_y`: on luma, without a border of `scale` pixels, as in the papers;
    - `perceptual`: `PerceptualDistance`;
    - `colour_shift`: of 255;
    - `grid_ratio`: of all results, as for `TranslationEvaluation`, at the period `scale`, too;
    - `sharpness`: the gradient energy of the results divided by that of the targets.

    >>> evaluation = SuperResolutionEvaluation("earth", scale=4, image_size=96)  # doctest: +SKIP
    >>> evaluation.measure(gan)  # doctest: +SKIP

    Args:
        data: name of a data set of `keras_gans.data.load_pairs` with a `scale`, or folder.
        features: a `PerceptualDistance`, or the name of its network.
        split: as for `TranslationEvaluation`.
        num_images: as for `TranslationEvaluation`.
        seed: as for `TranslationEvaluation`.
        **options: of `keras_gans.data.load_pairs`: `scale`, and others such as `image_size`.

    Raises:
        ValueError: without a `scale`, and as `TranslationEvaluation`.
        ImportError: if the package with the network's weights is not installed.
    """

    def __init__(
        self,
        data: Path | str,
        features: PerceptualDistance | str = "efficientnet_lite0_v1",
        split: str = "validation",
        num_images: int | None = None,
        seed: int = 0,
        **options: Any,
    ) -> None:
        if isinstance(features, str):
            features = PerceptualDistance(features)
        self.scale = checks.count("scale", options.get("scale"))
        self.grid_periods = tuple(sorted({*PERIODS, max(self.scale, 2)}))
        super().__init__(data, features, split, num_images, seed, **options)

    def measure(self, source: Any) -> dict[str, Measurement]:
        """Measures an upscaler.

        Args:
            source: an image-to-image GAN, or a function from sources to images `scale` times
                larger, both floats in [-1, 1] and `(number, height, width, channels)`.

        Returns:
            Names of protocols to `Measurement`s.
        """
        enlarge = first_images(source) if hasattr(source, "generate") else source
        distance: Any = self.features
        values: dict[str, list] = {}
        energy, digest, grid = np.zeros(2), hashlib.sha256(), self.grid_spectrum()
        for given, target in self.pairs():
            made = np.clip(np.asarray(enlarge(given), "float32"), -1.0, 1.0)
            digest.update(given.tobytes() + target.tobytes())
            found = {
                "psnr_y": psnr_y(target, made, self.scale),
                "ssim_y": ssim_y(target, made, self.scale),
                "perceptual": distance(target, made),
                "colour_shift": colour_shift(target, made),
            }
            for name, rows in found.items():
                values.setdefault(name, []).append(rows)
            energy += [gradient_energy(made).sum(), gradient_energy(target).sum()]
            grid.add(made)
        self._pairs_sha256 = digest.hexdigest()
        measured = {name: mean_of(np.concatenate(rows), self.seed) for name, rows in values.items()}
        measured["sharpness"] = (float(energy[0] / energy[1]),)
        measured["grid_ratio"] = (grid.ratio(),)
        protocols = {metric: self.protocol(metric) for metric in measured}
        return {
            protocols[n].name: Measurement(protocols[n], *value) for n, value in measured.items()
        }

    def protocol_options(self) -> tuple[Any, ...]:
        """What of the options names the pairs."""
        return (f"x{self.scale}", self.option("image_size"))

    def degradations(self) -> dict[str, dict[str, Measurement]]:
        """Measures what an upscaler must beat: pixels repeated, and bicubic interpolation.

        Returns:
            Names of the two to what `measure` returns.
        """
        ways: dict[str, Callable] = {}
        for method in ("nearest", "bicubic"):
            ways[method] = lambda images, m=method: _resized(images, self.scale, m)
        return {name: self.measure(way) for name, way in ways.items()}


def _resized(images, scale, method):
    import tensorflow as tf

    size = [scale * side for side in images.shape[1:3]]
    return tf.image.resize(images, size, method).numpy()
