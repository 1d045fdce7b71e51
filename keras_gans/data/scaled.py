"""Pairs for super-resolution: an image, and the same `scale` times smaller."""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from keras_gans.data import arguments, degradation, epochs, naming, preprocessing, sources
from keras_gans.data.sources.registry import Epochs, Request, Source

# Images of unknown size, of which so many are shuffled at a time. Files were already shuffled when
# they were written.
_BUFFER = 256


def find(name: str | os.PathLike) -> Source:
    """Returns the source that a name means: one of images, or of two domains."""
    paired = isinstance(name, str) and name not in sources.names(paired=False)
    return naming.find(name, paired=paired and name in sources.names(paired=True))


def read(source: Source, direction: str, request: Request) -> Epochs:
    """Returns the epochs of the images that a `Request` asks for, `uint8` crops, and their length.

    Args:
        source: As `find` returns it.
        direction: `"a_to_b"` for the second images of two domains, `"b_to_a"` for the first.
        request: The `Request`.

    Raises:
        ValueError: If a crop does not fit into the images.
    """
    if source.paired:
        pairs: Any = source.read(request)
        of = 1 if direction == "a_to_b" else 0

        def order(number):
            return pairs[0](number).map(lambda *pair: pair[of])

        return order, pairs[1]
    is_folder = source.name not in sources.names()
    size = request.image_size if is_folder and "class_names" in source.options else None
    own = dataclasses.replace(request, own_size=True, image_size=size)
    examples, _ = source.read(own)
    return _crops(examples, request)


def _crops(examples, request):
    """Epochs of crops of images, one of each."""
    size, spec = request.image_size, examples.element_spec
    if spec.shape.rank != 3 or spec.dtype != tf.uint8:
        raise ValueError(
            "Pictures are enlarged, not points. Expected a data set of images. Received: "
            f"name={str(request.name)!r} with examples of shape {spec.shape}"
        )
    if any(have is not None and have < want for have, want in zip(spec.shape[:2], size)):
        raise ValueError(
            "The images are smaller than the crops that are trained on. Expected `image_size` of "
            f"at most {tuple(spec.shape[:2])}. Received: image_size={size}"
        )
    known = None not in spec.shape
    count = int(examples.cardinality())
    examples = examples.enumerate()
    examples, buffer = epochs.cached(examples) if known else (examples, min(count, _BUFFER))

    def order(number):
        data = examples
        if request.shuffle:
            data = epochs.shuffled(examples, buffer, request.seed, number)

        def crop(index, image):
            with tf.control_dependencies(_fits(image, size)):
                if not request.augment:
                    return preprocessing.central(image, size)
                seeds = epochs.seeds(request.seed, number, index)
                return preprocessing.jitter((image,), size, seeds)[0]

        return data.map(crop, num_parallel_calls=tf.data.AUTOTUNE)

    return order, count


def _fits(image, size):
    wrong = f"A picture is smaller than the crops of {size[0]}x{size[1]} pixels."
    return [tf.debugging.assert_greater_equal(tf.shape(image)[:2], size, wrong)]


class Reduction:
    """Makes batches of pairs of crops.

    Args:
        scale: How many times smaller the sources are.
        degrade: Whether they are degraded, or arguments of `degrade` to replace.
        size: Height and width of the crops.
        paired: As `load_pairs` was given it.
        seed: Integer from which degradations are drawn.

    Raises:
        ValueError: If an argument does not fit.
    """

    def __init__(
        self,
        scale: int,
        degrade: bool | Mapping[str, Any],
        size: tuple[int, int],
        paired: bool,
        seed: int,
    ) -> None:
        arguments.check_whole(scale=scale, least=1)
        if any(side % scale for side in size):
            raise ValueError(
                f"The images cannot be made {scale} times smaller. Expected an `image_size` whose "
                f"sides are multiples of `scale`. Received: image_size={size}, scale={scale}"
            )
        if not paired:
            raise ValueError(
                "With `scale` each source is made of its target, so they are paired. Leave "
                f"`paired` out. Received: paired={paired!r}, scale={scale}"
            )
        self.scale, self.seed = int(scale), seed
        self.settings = None
        if degrade is not False:
            given = {} if degrade is True else degrade
            self.settings = degradation.Settings.of(given)

    def __call__(
        self, crops: tf.data.Dataset, number: tf.Tensor, batch_size: int, drop_remainder: bool
    ) -> tf.data.Dataset:
        """Returns the batches of an epoch's crops, in [-1, 1].

        Args:
            crops: Data set of `uint8` images of one size.
            number: Of the epoch, a scalar `int64` tensor.
            batch_size: Examples in a batch.
            drop_remainder: Whether a batch that is not full is left out.
        """
        parallel = {"num_parallel_calls": tf.data.AUTOTUNE}

        def floats(low, high):
            return preprocessing.to_float(low), preprocessing.to_float(high)

        def reduced(high):
            return floats(preprocessing.reduced(high, self.scale), high)

        def degraded(index, high):
            # Not the numbers that drew the crop.
            seeds = epochs.seeds(self.seed + 1, number, index)
            low = degradation.degrade(high, seeds, self.scale, settings=self.settings)
            return floats(low, high)

        if self.settings is None:
            return crops.batch(batch_size, drop_remainder=drop_remainder).map(reduced, **parallel)
        data = crops.enumerate().map(degraded, **parallel)
        return data.batch(batch_size, drop_remainder=drop_remainder)
