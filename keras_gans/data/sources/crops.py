"""Random crops, and tiles, of two large images on one grid; see `earth` for what is on them."""

import functools
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from keras_gans.data import epochs, preprocessing

# Of so many random crops the first is taken that has enough land. Sea alone teaches little, and
# two thirds of the crops would be that.
_CANDIDATES = 8
_LEAST_LAND = 0.15

# The held-out splits are tiled once at each of so many scales.
_SCALES = 5


class Crops:
    """The bands of one split in memory, and crops of them.

    Args:
        bands: From west to east, pairs of NumPy arrays `(height, width, 3)` of `uint8`.
        land: Function from the first image of a pair to where it shows land.
        image_size: `(height, width)` of the crops as they are given.
        channels: 1 or 3.
        max_scale: The largest crop has so many times the height and width of `image_size` in the
            source's pixels, or as many as the bands allow. The smallest has `image_size`.
        latitudes: None, or degrees north of the top and of the bottom of the bands: then crops of
            the first map have a last channel of latitudes, as `with_latitude` writes them.

    Raises:
        ValueError: If a crop does not fit into the bands.
    """

    def __init__(
        self,
        bands: Sequence[tuple[np.ndarray, np.ndarray]],
        land: Callable[[np.ndarray], np.ndarray],
        image_size: tuple[int, int],
        channels: int,
        max_scale: float,
        latitudes: tuple[float, float] | None = None,
    ):
        a, b = (np.concatenate(maps, axis=1) for maps in zip(*bands))
        widths = [band.shape[1] for band, _ in bands]
        fits = min(a.shape[0] / image_size[0], max(widths) / image_size[1])
        if fits < 1:
            raise ValueError(
                f"A crop does not fit into the band of longitudes of the split. Expected "
                f"`image_size` of at most {(a.shape[0], max(widths))}. Received: "
                f"image_size={tuple(image_size)}"
            )
        self.image_size, self.channels, self.latitudes = image_size, channels, latitudes
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
            counts = np.pad(
                land(a).cumsum(0, dtype=np.int32).cumsum(1, dtype=np.int32), [(1, 0)] * 2
            )
            self._counts = tf.constant(counts)

    def random(
        self, seeds: tf.Tensor, domains: str = "ab", flip: bool = True
    ) -> tuple[tf.Tensor, ...]:
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

    def tiles(self) -> tf.data.Dataset:
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

    def cut(
        self, box: tf.Tensor, domains: str = "ab", flip: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, ...]:
        """The crop in a box of `(top, left, height, width)`, resized (bicubic, antialiased)."""
        top, left, height, width = tf.unstack(box)
        first = self.channels * "ab".index(domains[0])
        last = first + self.channels * len(domains)
        images = self._maps[top : top + height, left : left + width, first:last]
        images = preprocessing.resized(images, self.image_size)
        if flip is not None:
            images = tf.cond(flip, lambda: tf.reverse(images, [1]), lambda: images)
        images = tf.ensure_shape(images, (*self.image_size, last - first))
        cut = tf.split(images, len(domains), axis=-1)
        if self.latitudes and domains[0] == "a":
            cut[0] = with_latitude(cut[0], self._latitudes(top, height))
        return tuple(cut)

    def _latitudes(self, top, height):
        """Degrees north of the middle of each row of a crop `(height, 1)`."""
        north, south = self.latitudes
        rows = self.image_size[0]
        middles = (tf.range(rows, dtype=tf.float32) + 0.5) / rows
        downs = tf.cast(top, tf.float32) + middles * tf.cast(height, tf.float32)
        return north + (downs * ((south - north) / (self._counts.shape[0] - 1)))[:, None]

    def _land(self, boxes):
        """Share of land in each of some boxes."""
        top, left, height, width = tf.unstack(boxes, axis=1)

        def counts(y, x):
            return tf.gather_nd(self._counts, tf.stack([y, x], axis=1))

        bottom, right = top + height, left + width
        land = counts(bottom, right) - counts(top, right) - counts(bottom, left) + counts(top, left)
        return land / (height * width)


def with_latitude(image: tf.Tensor, degrees: tf.Tensor | float) -> tf.Tensor:
    """Gives a map a last channel, which says how far north its places are.

    -90 degrees become 0 and 90 become 255; so [-1, 1] in a training are the poles.

    >>> with_latitude(np.zeros((2, 2, 3), "uint8"), 45.0)[0, 0].numpy()
    array([  0,   0,   0, 191], dtype=uint8)

    Args:
        image: `uint8` `(height, width, channels)`.
        degrees: degrees north, from -90 to 90: one number, or an array `(height, 1)`.

    Returns:
        `uint8` `(height, width, channels + 1)`.
    """
    image = tf.convert_to_tensor(image, tf.uint8)
    levels = tf.cast(tf.round((tf.cast(degrees, tf.float32) + 90.0) * (255 / 180)), tf.uint8)
    return tf.concat([image, tf.broadcast_to(levels, image.shape[:2])[..., None]], axis=-1)


def drawn(crops: Crops, count: int, paired: bool, augment: bool, seed: int) -> epochs.Epoch:
    """Makes epochs of `count` random crops, that depend on `seed` and the epoch alone."""

    def draw(number, index):
        if paired:
            return crops.random(epochs.seeds(seed, number, index), "ab", augment)
        # Two numbers for an example, so that the places are independent.
        (a,) = crops.random(epochs.seeds(seed, number, 2 * index), "a", augment)
        (b,) = crops.random(epochs.seeds(seed, number, 2 * index + 1), "b", augment)
        return a, b

    def epoch(number):
        draw_one = functools.partial(draw, number)
        return tf.data.Dataset.range(count).map(draw_one, num_parallel_calls=tf.data.AUTOTUNE)

    return epoch


def _below(uniform, limits):
    """Whole numbers from 0 up to, and without, the limits, from numbers in [0, 1)."""
    numbers = tf.cast(uniform * tf.cast(limits, tf.float32), tf.int32)
    return tf.minimum(numbers, limits - 1)  # In float32 the product can round up.


def _spread(length, side):
    """First pixels of sides over a length, from end to end, each half over the next."""
    number = max(2 * length // side - 1, 0)
    return np.linspace(0, length - side, number).round().astype(int).tolist()
