"""Metrics of translated images, in comparison with their targets."""

import dataclasses
import hashlib
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from keras_gans import checks, data, generation
from keras_gans.adversarial import AdversarialModel
from keras_gans.metrics import features as feature_networks
from keras_gans.metrics import perceptual
from keras_gans.metrics.bootstrap import bootstrap_mean
from keras_gans.metrics.distances import distances
from keras_gans.metrics.grid import PERIODS, GridSpectrum, fitting_periods
from keras_gans.metrics.perceptual import PerceptualDistance
from keras_gans.metrics.protocol import Measurement, Protocol
from keras_gans.metrics.similarity import gradient_energy, l1, psnr, ssim
from keras_gans.names import deprecated

_BATCH = 32
_PAIRED = {"l1": l1, "psnr": psnr, "ssim": ssim}


class TranslationEvaluation:
    """Translates held-out sources, and compares the results with their targets.

    It measures, each under the name of its protocol:

    - `l1`, `psnr`, `ssim`: means over the pairs; the intervals, of 95 %, are `bootstrap_mean`'s
      over pairs;
    - `sharpness`: the gradient energy of the results divided by that of the targets. 1 is equally
      sharp; less is blurred, more is noisy;
    - `frechet`, `kernel`: distances between the features of all results and of all targets, with
      the intervals of `distances`. Of a few hundred pairs and 1,280 features the Frechet distance
      is mostly its bias, the kernel distance has none;
    - `perceptual`: the mean `PerceptualDistance` of a result and its target, at their own size, if
      the features are of a network that `PerceptualDistance` knows by name. It hardly notices
      that a result is a little brighter or darker: see there, and read `l1` beside it;
    - `grid_ratio`: of all results, at those periods of 2, 4 and 8 pixels for which they are large
      enough. The targets' own is in `reference`: as much is no grid.

    >>> evaluation = TranslationEvaluation("earth", image_size=128)  # doctest: +SKIP
    >>> evaluation.measure(gan)  # doctest: +SKIP
    >>> evaluation.measure(lambda sources: sources)  # the input copied  # doctest: +SKIP

    Args:
        data: name of a data set of `keras_gans.data.load_pairs`, or folder of pairs.
        features: a `FeatureNetwork`, or the name of one. For several, see `Evaluations`.
        split: of the pairs, which the generator should not have been trained on.
        num_images: number of pairs; `None` for all of the split.
        seed: of resamples.
        **options: of `keras_gans.data.load_pairs`, such as `image_size` and `direction`.

    Raises:
        ValueError: for fewer pairs than `num_images`, and as `load_pairs`.
    """

    grid_periods: tuple[int, ...] = PERIODS

    def __init__(
        self,
        data: Path | str,
        features: feature_networks.FeatureNetwork | PerceptualDistance | str = "random_cnn_v1",
        split: str = "validation",
        num_images: int | None = None,
        seed: int = 0,
        **options: Any,
    ) -> None:
        if isinstance(features, str):
            features = feature_networks.load(features)
        self.features, self.data, self.split = features, data, split
        self._distance = perceptual.of(features)
        self.options, self.seed = options, seed
        loaded = self._load()
        size = len(loaded)
        self.num_images = checks.count("num_images", size if num_images is None else num_images, 2)
        if size < self.num_images:
            raise ValueError(
                "There are fewer pairs than the protocol takes. Give a smaller `num_images`, or "
                f"another split. Received: num_images={num_images}, {size} pairs in {split!r}"
            )
        # No more than is measured: a set that is read to its end every time. Of one that was left
        # in the middle, tf.data's cache once gave the first batch alone in a later pass.
        if self.num_images < size:
            loaded = self._load(num_examples=self.num_images)
        self._batches = loaded.unbatch().batch(_BATCH)
        self._target_features: np.ndarray | None = None
        self._pairs_sha256: str | None = None

    def measure(self, source: Any) -> dict[str, Measurement]:
        """Measures a translator.

        Args:
            source: an image-to-image GAN, of whose outputs the first image counts, or a function
                from sources to images, both floats in [-1, 1] and `(number, height, width,
                channels)`.

        Returns:
            Names of protocols to `Measurement`s.
        """
        translate = first_images(source) if isinstance(source, AdversarialModel) else source
        values, features, energies, real = {n: [] for n in _PAIRED}, [], [], []
        digest, grid = hashlib.sha256(), self.grid_spectrum()
        for given, target in self.pairs():
            made = np.clip(np.asarray(translate(given)), -1.0, 1.0)
            grid.add(made)
            for name, function in _PAIRED.items():
                values[name].append(function(target, made))
            energies.append(np.stack([gradient_energy(made), gradient_energy(target)]))
            if self._distance is not None:
                values.setdefault("perceptual", []).append(self._distance(target, made))
            features.append(self.features(made)[0])
            if self._target_features is None:
                real.append(self.features(target)[0])
            digest.update(given.tobytes() + target.tobytes())
        self._pairs_sha256 = digest.hexdigest()
        if self._target_features is None:
            self._target_features = np.concatenate(real)
        made, reference = np.concatenate(features), self._target_features
        found = {name: mean_of(np.concatenate(rows), self.seed) for name, rows in values.items()}
        energy, of_targets = np.concatenate(energies, axis=1).sum(axis=1)
        found["sharpness"] = (energy / of_targets,)
        found |= distances(reference, made, self.seed)
        found["grid_ratio"] = (grid.ratio(),)
        protocols = {metric: self.protocol(metric) for metric in found}
        return {protocols[n].name: Measurement(protocols[n], *value) for n, value in found.items()}

    def protocol(self, metric: str) -> Protocol:
        """Returns the `Protocol` of a metric in this evaluation, after its pairs were read."""
        seers = {"frechet": self.features, "kernel": self.features, "perceptual": self._distance}
        seer = seers.get(metric)
        where = (Path(str(self.data)).name, self.split, *self.protocol_options())
        return Protocol(
            metric,
            self.num_images,
            "pixels" if seer is None else seer.name,
            None if seer is None else seer.sha256,
            self._pairs_sha256,
            " ".join(map(str, where)),
        )

    def protocol_options(self) -> tuple[Any, ...]:
        """What of the options names the pairs."""
        pair = self.options.get("pair")
        kind = () if pair is None else (pair,)
        return *kind, self.option("direction"), self.option("image_size")

    def grid_spectrum(self) -> GridSpectrum:
        """Returns an empty `GridSpectrum` with the periods that fit the targets."""
        _, target = next(self.pairs())
        return GridSpectrum(fitting_periods(min(target.shape[1:3]), self.grid_periods))

    def reference(self) -> dict[str, Measurement]:
        """Measures the targets by what needs no other correct targets: their `grid_ratio`.

        Returns:
            As `measure`.
        """
        grid, digest = self.grid_spectrum(), hashlib.sha256()
        for given, target in self.pairs():
            grid.add(target)
            digest.update(given.tobytes() + target.tobytes())
        self._pairs_sha256 = digest.hexdigest()
        protocol = self.protocol("grid_ratio")
        return {protocol.name: Measurement(protocol, grid.ratio())}

    def degradations(self) -> dict[str, dict[str, Measurement]]:
        """Measures what a translator must beat: the sources as they are, and a single colour.

        The colour is the mean of the targets that are measured, which is slightly better than the
        mean of the training images would be.

        Returns:
            Names of the two to what `measure` returns. The sources are left out where they have
            another shape than the targets.
        """
        count, total = 0, 0.0
        for _, target in self.pairs():
            count, total = count + len(target), total + target.mean(axis=(1, 2)).sum(axis=0)
        mean = (total / count).astype("float32")

        def one_colour(images):
            return np.broadcast_to(mean, (*images.shape[:3], len(mean)))

        found = {"mean colour": self.measure(one_colour)}
        source, target = next(self.pairs())
        if source.shape == target.shape:
            found["input copied"] = self.measure(lambda x: x)
        return found

    def floor(self) -> dict[str, Measurement]:
        """Deprecated: `reference`."""
        deprecated("TranslationEvaluation.floor", "TranslationEvaluation.reference")
        return self.reference()

    def yardsticks(self) -> dict[str, dict[str, Measurement]]:
        """Deprecated: `degradations`."""
        deprecated("TranslationEvaluation.yardsticks", "TranslationEvaluation.degradations")
        return self.degradations()

    def backward(self) -> "TranslationEvaluation":
        """Returns the evaluation of the same pairs from the targets to the sources."""
        other = {"a_to_b": "b_to_a", "b_to_a": "a_to_b"}[self.option("direction")]
        options = {**self.options, "direction": other}
        return type(self)(
            self.data, self.features, self.split, self.num_images, self.seed, **options
        )

    def option(self, name: str) -> Any:
        """Returns an option of `load_pairs`, or its default."""
        return self.options.get(name, inspect.signature(data.load_pairs).parameters[name].default)

    def _load(self, **fewer):
        return data.load_pairs(
            self.data,
            split=self.split,
            batch_size=1,
            augment=False,
            shuffle=False,
            drop_remainder=False,
            **{**self.options, **fewer},
        )

    def pairs(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Returns batches of the pairs that are measured, `(sources, targets)` as NumPy arrays."""
        return self._batches.as_numpy_iterator()


def first_images(gan: AdversarialModel) -> Callable[[np.ndarray], np.ndarray]:
    """Returns what a GAN makes of images, as a function: its first output that is images."""
    described = gan.interface(gan.generator_role)

    return lambda images: generation.first_images(described, gan.generate(images))


def mean_of(values: np.ndarray, seed: int) -> tuple[float, ...]:
    """Returns the mean over pairs and its interval; no interval if a PSNR is infinite."""
    if not np.isfinite(values).all():
        return (float(values.mean()),)
    return dataclasses.astuple(bootstrap_mean(values, level=0.95, seed=seed))
