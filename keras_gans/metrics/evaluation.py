"""Everything that is measured of a generator's images, in one pass through a feature network."""

import dataclasses
import hashlib
import json
import zipfile
from pathlib import Path

import numpy as np
from absl import logging

from keras_gans import checks, data, generation, image
from keras_gans.adversarial import AdversarialModel
from keras_gans.files import atomic, cache_folder
from keras_gans.metrics import features as feature_networks
from keras_gans.metrics.bootstrap import bootstrap, bootstrap_mean
from keras_gans.metrics.frechet import frechet_distance
from keras_gans.metrics.inception_score import inception_score
from keras_gans.metrics.kernel import kernel_distance
from keras_gans.metrics.manifold import density_coverage, precision_recall
from keras_gans.metrics.modes import class_coverage
from keras_gans.metrics.neighbors import memorization_score, nearest_neighbors
from keras_gans.metrics.protocol import Measurement, Protocol
from keras_gans.metrics.similarity import fitting_scales, ms_ssim, random_pairs

# Data sets with a classifier of their own: it, the split that generated images are held against,
# and another split, whose images make the floor.
_USUAL = {
    "digits": ("digits_cnn_v1", "train[:50%]", "train[50%:]"),
    "fashion_mnist": ("fashion_mnist_cnn_v1", "test", "train"),
}
_BATCH = 500
_PAIRS = 200  # that MS-SSIM looks at
_SURE = 0.9  # probability above which a classifier counts as sure
_MANY_FEATURES = 512  # a bootstrap of covariances of more takes minutes
# Of `_values`: goes up when floors and yardsticks that are kept would lack something.
_VERSION = 2


def usual_features(data):
    """Name of the feature network that classifies a data set, or `None`.

    >>> usual_features("digits")
    'digits_cnn_v1'
    """
    return _USUAL.get(data if isinstance(data, str) else None, (None,))[0]


@dataclasses.dataclass(frozen=True)
class _Seen:
    """Images as a feature network sees them."""

    features: np.ndarray
    probabilities: np.ndarray | None
    asked: np.ndarray | None = None  # the classes that a GAN was asked for


class Evaluation:
    """Holds generated images against real ones.

    >>> evaluation = Evaluation("digits", num_images=200)
    >>> evaluation.protocol("frechet").name
    'frechet200_digits_cnn_v1'
    >>> noise = np.random.default_rng(0).uniform(-1, 1, (200, 28, 28, 1))
    >>> found, real = evaluation.measure(noise), evaluation.floor()
    >>> name = evaluation.protocol("frechet").name
    >>> real[name].better_than(found[name])
    True

    What is measured, each under the name of its protocol:

    - `frechet` (`frechet_distance`; its interval is a bootstrap's), `kernel` (`kernel_distance`;
      its interval is one deviation over the subsets), `precision` and `recall` (3 neighbours),
      `density` and `coverage` (5 neighbours; the intervals of these four are `bootstrap_mean`'s,
      over the images that hit or are hit, with the balls as they are);
    - of images that are as large as the real ones, 11 pixels or more a side: `ms_ssim_diversity`,
      the mean `ms_ssim` of 200 random pairs of any classes, over as many scales as fit;
    - with a network that classifies: `classifier_score` (`inception_score`), `classes` (how many
      are found, `class_coverage`), `sure` (share of images with a class of probability above 0.9);
    - of a GAN that takes labels: `asked`, the share of images that the network gives the label
      that was asked for.

    Through InceptionV3 they are called `fid`, `kid` and `inception_score`.

    Features of the real images are kept in a folder, by the SHA-256 of the images and of the
    network's weights, and not computed again. Memory holds the features of all images, which the
    neighbours and the kernel need, and of images one batch and those 200 pairs.

    Args:
        data: name of a data set of `keras_gans.data.load`, or folder of images.
        features: a `FeatureNetwork`, or the name of one. `None` takes the data set's own
            classifier: `digits` and `fashion_mnist` have one.
        split: of the real images that generated ones are held against. `None` takes the test
            images of Fashion-MNIST, and the first half of `train` of anything else.
        floor_split: of other real images, for `floor` and `yardsticks`.
        num_images: how many images of each kind; `None` for 10,000, or as many as both splits have.
        seed: of latents, resamples and subsets.
        cache_dir: folder of what is kept; `None` for the environment variable `KERAS_GANS_CACHE`,
            or `~/.cache/keras_gans`.
        **options: of `keras_gans.data.load`, such as `image_size`.

    Raises:
        ValueError: for data without a feature network of its own, if none is given, and for fewer
            images than asked for.
    """

    def __init__(
        self,
        data,
        features=None,
        split=None,
        floor_split=None,
        num_images=None,
        seed=0,
        cache_dir=None,
        **options,
    ):
        usual = _USUAL.get(data if isinstance(data, str) else None)
        if features is None and usual is None:
            raise ValueError(
                "This data set has no feature network of its own. Give one as `features`: a name "
                "such as 'inception_v3', or `metrics.features.wrap(model, name=...)`. Expected "
                f"data of {sorted(_USUAL)}, or `features`. Received: data={str(data)!r}"
            )
        if features is None or isinstance(features, str):
            features = feature_networks.load(features or usual[0])
        self.features, self.data, self.options = features, data, options
        network, first, second = usual or (None, "train[:50%]", "train[50%:]")
        self.split, self.floor_split = split or first, floor_split or second
        self._classes = usual is not None
        resized = {n: options[n] for n in ("image_size", "channels") if options.get(n) is not None}
        home = network == features.name and self.split == first and not resized
        where = (Path(str(data)).name, self.split, *resized.values())
        self._where = "" if home else " ".join(map(str, where))
        sizes = [self._size(s) for s in (self.split, self.floor_split)]
        if num_images is None:
            num_images = min(10_000, *sizes)
        self.num_images = checks.count("num_images", num_images, 10)
        if min(sizes) < num_images:
            raise ValueError(
                "There are fewer real images than the protocol takes. Give a smaller `num_images`, "
                f"or other splits. Received: num_images={num_images}, {sizes[0]} images in "
                f"{self.split!r}, {sizes[1]} in {self.floor_split!r}"
            )
        self.seed = seed
        self.cache_dir = Path(cache_dir or cache_folder())
        self._reference = self._reference_sha256 = self._shape = None

    # ---- what users call

    def protocol(self, metric):
        """The `Protocol` that a metric has here."""
        self._read_reference()
        seen_by, where = (self.features.name, self.features.sha256), self._where
        if metric == "ms_ssim_diversity":  # of pixels: no network has a usual reference for it
            seen_by = (f"{self._scales}_scales", None)
            where = where or f"{Path(str(self.data)).name} {self.split}"
        return Protocol(metric, self.num_images, *seen_by, self._reference_sha256, where)

    def measure(self, source):
        """Measures generated images.

        Args:
            source: a GAN, from which as many images as the protocol takes are drawn; an array
                `(number, height, width, channels)` of floats in [-1, 1]; or an iterable of such
                batches, as a `tf.data.Dataset`. Of more images the first ones count.

        Returns:
            Names of protocols to `Measurement`s.

        Raises:
            ValueError: for fewer images than the protocol takes, and what are no such images.
        """
        self._read_reference()
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

    def floor(self):
        """What other real images measure: the best that can be expected. As `measure`."""
        return self._kept("floor", lambda: self.measure(self._real(self.floor_split)))

    def yardsticks(self):
        """What real images measure that something was done to, so that a number means something.

        Returns:
            Names of what was done to `measure`'s results: a class left out (where there are
            labels), normal noise of deviation 0.1 and 0.2, a mean over 3x3 pixels, and a tenth of
            the images shown ten times.
        """

        def changed(change):
            return lambda: self.measure(change(batch) for batch in self._real(self.floor_split))

        rng = np.random.default_rng(self.seed)
        cases = {
            f"noise of {stddev}": changed(
                lambda x, stddev=stddev: np.clip(rng.normal(x, stddev), -1, 1).astype("float32")
            )
            for stddev in (0.1, 0.2)
        }
        cases["blurred, 3x3"] = changed(_blurred)
        cases["a tenth of the images, ten times"] = lambda: self.measure(self._repeated())
        if self._classes:
            cases["class 0 missing"] = lambda: self.measure(self._without(0))
        return {name: self._kept(name, case) for name, case in cases.items()}

    def memorization(self, source, training="train", num_images=100):
        """Holds generated images against the training set.

        Args:
            source: as for `measure`.
            training: split that the generator was trained on.
            num_images: how many generated images to look at.

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
            self._read_reference()
            score = memorization_score(
                found, self.features(trained)[0], self._reference.features, seed=self.seed
            )
        rms = distances[:, 0] / np.sqrt(made[0].size)
        return NearestImages(made, near, alike, rms, score)

    @property
    def image_shape(self):
        """`(height, width, channels)` of the real images."""
        return next(iter(self._batches(self.split))).shape[1:]

    # ---- images

    def _batches(self, split, labels=False):
        options = {"shuffle": False, "drop_remainder": False, "batch_size": _BATCH}
        batches = data.load(self.data, split=split, labels=labels, **options, **self.options)
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
        """Batches of images, or of images and their labels: the first of each of both."""
        if isinstance(source, AdversarialModel):
            described = source.interface(source.generator_role)
            latents = source.given_latents(self.num_images, seed=self.seed)
            # All classes alike, in no order; of several inputs of labels, all their combinations.
            counts = [port.num_classes for port in described.labels]
            classes = np.arange(self.num_images) % int(np.prod(counts))
            classes = np.random.default_rng(self.seed).permutation(classes)
            labels = np.unravel_index(classes, counts) if counts else ()
            for start in range(0, self.num_images, _BATCH):
                part = slice(start, start + _BATCH)
                given = {port.name: x[part] for port, x in zip(described.labels, labels)}
                made = source.generate(latents=latents[part], batch_size=_BATCH, **given)
                images = generation.first_images(described, made)
                yield (images, labels[0][part]) if counts else images
            return
        if hasattr(source, "ndim"):
            source = np.split(source, range(_BATCH, len(source), _BATCH))
        for batch in source:
            yield np.asarray(batch[0] if isinstance(batch, (tuple, list)) else batch)

    def _repeated(self):
        few = _first(self._real(self.floor_split), -(-self.num_images // 10))
        return np.concatenate([few] * 10)[: self.num_images]

    def _without(self, missing):
        """Real images of all classes but one; where they do not suffice, the first ones again."""
        kept, number = [], 0
        while number < self.num_images:
            for images, classes in self._batches(self.floor_split, labels=True):
                kept.append(images[classes != missing])
                number += len(kept[-1])
                if number >= self.num_images:
                    break
        return np.concatenate(kept)[: self.num_images]

    # ---- what is seen of them

    def _see(self, batches, paired=()):
        """What the network sees; `paired` gets the images whose numbers are its keys."""
        features, shares, asked, number = [], [], [], 0
        for batch in batches:
            images, labels = batch if isinstance(batch, tuple) else (batch, None)
            room = self.num_images - number
            one, two = self.features(images[:room])
            features.append(one)
            shares.append(two)
            asked.append(None if labels is None else labels[:room])
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
        columns = (features, shares, asked)
        return _Seen(*(None if c[0] is None else np.concatenate(c) for c in columns))

    def _values(self, made):
        """Names of metrics to value and interval."""
        real = self._reference
        pair, seed = (real.features, made.features), self.seed
        values = {}
        if made.features.shape[1] <= _MANY_FEATURES:
            found = bootstrap(frechet_distance, *pair, num_resamples=20, seed=seed)
            values["frechet"] = (found.value, max(found.low, 0.0), found.high)
        else:
            values["frechet"] = (frechet_distance(*pair),)
        size = min(1000, self.num_images)
        found = kernel_distance(*pair, subset_size=size, num_subsets=50, seed=seed)
        spread = (found.value - found.stddev, found.value + found.stddev)
        values["kernel"] = (found.value, *spread)
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
            values["sure"] = (float((made.probabilities.max(axis=1) > _SURE).mean()),)
            if made.asked is not None:
                values["asked"] = (float((classes == made.asked).mean()),)
        return values

    def _mean(self, values):
        return dataclasses.astuple(bootstrap_mean(values, seed=self.seed))

    @property
    def _scales(self):
        """Of MS-SSIM, as many as fit into the real images; 0 for none."""
        return fitting_scales(min(self._shape[:2]))

    # ---- what is kept

    def _read_reference(self):
        if self._reference is not None:
            return
        digest = hashlib.sha256()
        for batch in self._real(self.split):
            digest.update(image.to_uint8(batch).tobytes())
            self._shape = batch.shape[1:]
        self._reference_sha256 = digest.hexdigest()
        path = self._path("reference.npz")
        if path is not None and path.exists():
            try:
                # Opened here, or NumPy leaves a damaged file open.
                with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                    shares = file["probabilities"]
                    self._reference = _Seen(file["features"], shares if shares.size else None)
                    return
            except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
                logging.warning("Features kept in %s are damaged: made again. (%s)", path, error)
        seen = self._see(self._real(self.split))
        if path is not None:
            shares = np.zeros(0) if seen.probabilities is None else seen.probabilities
            with atomic(path) as partial, partial.open("wb") as file:
                np.savez(file, features=seen.features, probabilities=shares)
        self._reference = seen

    def _kept(self, name, make):
        """Measurements that are made once for each protocol."""
        self._read_reference()
        key = f"{name} of {self.floor_split}, seed {self.seed}, version {_VERSION}"
        path = self._path("yardsticks.json")
        kept = json.loads(path.read_text()) if path is not None and path.exists() else {}
        if key not in kept:
            kept[key] = {n: m.to_json() for n, m in make().items()}
            if path is not None:
                with atomic(path) as partial:
                    partial.write_text(json.dumps(kept))
        return {n: Measurement.from_json(m) for n, m in kept[key].items()}

    def _path(self, file):
        """Where a file about these real images and this network is kept; `None` for nowhere."""
        if self.features.sha256 is None:
            return None  # a function may answer otherwise tomorrow
        parts = (self._reference_sha256, self.features.name, self.features.sha256, self.num_images)
        key = hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
        return self.cache_dir / f"{self.features.name}_{key}" / file


@dataclasses.dataclass(frozen=True)
class NearestImages:
    """What `Evaluation.memorization` finds.

    Attributes:
        images: generated ones.
        nearest: for each the nearest training image, pixel by pixel.
        alike: for each the nearest training image, by the network's features.
        rms: root mean square difference from `images` to `nearest`, of a range of 2.
        score: a `Memorization`, against as many images that were not trained on; `None` if the
            split that was trained on holds the reference too.
    """

    images: np.ndarray
    nearest: np.ndarray
    alike: np.ndarray
    rms: np.ndarray
    score: object

    def picture(self, number=12):
        """Three rows as one image, uint8: generated ones, nearest pixels, nearest features."""
        rows = [part[:number] for part in (self.images, self.nearest, self.alike)]
        return image.grid(np.concatenate(rows), columns=len(rows[0]))


def _cut(batches, number):
    """The first images of batches."""
    for batch in batches:
        yield batch[:number]
        number -= len(batch)
        if number <= 0:
            return


def _first(batches, number):
    images = (batch[0] if isinstance(batch, tuple) else batch for batch in batches)
    return np.concatenate(list(_cut(images, number)))


def _blurred(images):
    """Each pixel as the mean of the 3x3 around it, the edge repeated."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    height, width = images.shape[1:3]
    shifts = [padded[:, i : i + height, j : j + width] for i in range(3) for j in range(3)]
    return np.mean(shifts, axis=0, dtype="float32")


def _overlap(training, reference):
    """May two splits share images? Only unlike names, without parts of one another, may not."""
    return training.split("[")[0] == reference.split("[")[0] or "+" in training + reference
