"""`load_pairs`: images of two domains, as Pix2Pix and CycleGAN need them.

References:
    - Isola et al., 2017, "Image-to-Image Translation with Conditional Adversarial Networks",
      section 6.2 (random jitter and mirroring), arXiv:1611.07004.
    - Zhu et al., 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
      Networks", arXiv:1703.10593.
"""

import functools
import os
import re
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from keras_gans.data import arguments, epochs, naming, preprocessing, scaled, sources


def load_pairs(
    name: str | os.PathLike,
    *,
    batch_size: int = 1,
    image_size: int | tuple[int, int] = 256,
    split: str = "train",
    direction: str = "a_to_b",
    paired: bool = True,
    augment: bool = True,
    channels: int = 3,
    shuffle: bool = True,
    seed: int = 0,
    first_epoch: int | None = None,
    drop_remainder: bool = True,
    num_examples: int | None = None,
    data_dir: str | os.PathLike | None = None,
    on_error: str = "raise",
    scale: int | None = None,
    degrade: bool | Mapping[str, Any] = False,
    **options: Any,
) -> tf.data.Dataset:
    """Loads images of two domains as batches for a training.

    `name` is one of

    - `"earth"`: crops of a relief map (a) and of satellite images (b), which come with
      `pip install 'keras-gans[earth]'`; options `max_scale` (2.0), `latitude` and `source`; see
      `keras_gans.data.sources.earth`. With `latitude=True` the relief map has a fourth channel,
      which says how far north each row is: from -1 at the south pole to 1 at the north pole.
    - `"day_night"`: the same of the Earth by day (a) and by night (b), from the npm package
      `three-globe`. `source`, or the environment variable `KERAS_GANS_NODE_MODULES`, names the
      folder `node_modules`.
    - `"emoji_styles"`: emoji as Google (a) and Twitter (b) draw them, from two npm packages;
      option `source`; see `keras_gans.data.sources.emoji_styles`.
    - `"avatars"`: drawn faces (see `load`), the same person twice. Option `pair`: `"glasses"`
      (without as a, with as b), `"smile"` (serious, smiling), `"age"` (young, old), `"drawing"`
      (line drawing, face) or `"parts"` (map of the parts, face); and `hold_out`, `faces` (10,000
      pairs in `train`), `people_seed` as of `load`.
    - any set of TensorFlow Datasets that has the splits `trainA`, `trainB`, `testA`, `testB`:
      `"cycle_gan/horse2zebra"`, ...; only with `paired=False`.
    - a folder of images, in any of the layouts of `keras_gans.data.sources.paired_folder`;
      `pathlib.Path`, or a string that names no data set.

    Epochs are those of `load`: with `first_epoch=None` the k-th iteration, counted from 0, is
    epoch k; with `first_epoch=n` the data set is endless and gives epoch n, n + 1, and so on. The
    examples of an epoch, with their crops and flips, depend on `seed` and its number alone.

    >>> # pairs = load_pairs("earth", image_size=128, direction="b_to_a", first_epoch=12)

    With `scale`, for super-resolution, the target is an image, and the source the same `scale`
    times smaller (bicubic, antialiased). `name` may then also be any data set of `load`, or a
    folder of pictures, of which crops are cut at their own resolution, at random places for the
    training; large pictures are cut into tiles of about 480 pixels when they are prepared. Of a set
    of two domains the images are those of the target. With `degrade`, the source is degraded as
    photographs from the internet are: see `keras_gans.data.degrade`.

    >>> # pairs = load_pairs("~/photographs", scale=4, image_size=96, batch_size=16)

    Args:
        name: Name of a data set, or folder of images; see above.
        batch_size: Examples in a batch. Under `tf.distribute` this is the global batch.
        image_size: Height and width of the images; an integer for squares.
        split: `"train"`, or the name of a held-out split; which there are depends on the set.
            The slices of TensorFlow Datasets, `"train[:80%]"`, are understood, but not for
            "earth" and "day_night".
        direction: `"a_to_b"`, or `"b_to_a"` to make b the source and a the target.
        paired: True for aligned pairs. False gives each domain in a random order of its own in
            every epoch, which is as long as the larger domain; the smaller one goes round again,
            in a new order. Of paired data the two images are then from independent places.
        augment: Whether training images are varied, in every epoch otherwise: stored at 286/256
            of the size, cropped at random, and every second one flipped left and right, both
            images of a pair alike. The crops of "earth" and "day_night" are at random places and
            scales in any case, and this adds the flips. Splits other than `train`, or parts of it,
            are never varied, whatever `augment` says.
        channels: 1 for grey or 3 for RGB images.
        shuffle: Whether every epoch has an order of its own. False gives the order on disk; in
            the training split of "earth" and "day_night" every epoch is of new crops in any case.
        seed: Integer, 0 or more, that fixes orders, crops and flips.
        first_epoch: None, or the epoch with which an endless data set begins; see above.
        drop_remainder: Whether to leave out the last batch of an epoch if it is not full.
        num_examples: Use only the first so many examples of the split, of each domain. In the
            training split of "earth" and "day_night": how many crops an epoch has, 4,000 by
            default.
        data_dir: Folder for prepared data; by default that of TensorFlow Datasets.
        on_error: `"raise"` or `"skip"`: what to do about a file in a folder of images that
            cannot be read, or of which with `scale` no crop can be cut.
        scale: None, or how many times smaller the source is than the target, whose size is
            `image_size`; both sides must be multiples of it.
        degrade: With `scale`, whether to degrade the sources; or arguments of
            `keras_gans.data.degrade` to replace, such as `{"second_blur": 0.5}`. Held-out splits
            are degraded too, always alike.
        **options: What only this data set understands; see above.

    Returns:
        `tf.data.Dataset` of pairs `(source, target)`, both `float32` in [-1, 1] and of shape
        `(batch_size, height, width, channels)`; with `scale` the sources `(batch_size,
        height / scale, width / scale, channels)`. `steps_per_epoch` knows its length.

    Raises:
        ValueError: If an argument does not fit, or an image cannot be read.
        FileNotFoundError: If a folder or a file in it does not exist.
        ImportError: If the set is in a package that is not installed.
        RuntimeError: If a set cannot be downloaded.
    """
    arguments.check_common(batch_size, seed, first_epoch, num_examples, channels, on_error)
    arguments.check_flags(
        paired=paired, augment=augment, shuffle=shuffle, drop_remainder=drop_remainder
    )
    if direction not in ("a_to_b", "b_to_a"):
        raise ValueError(
            f"`direction` is unknown. Expected 'a_to_b' or 'b_to_a'. "
            f"Received: direction={direction!r}"
        )
    size = arguments.sides(image_size)
    augment = bool(augment) and _is_training(split)
    if scale is None and degrade is not False:
        raise ValueError(
            "Only the sources of super-resolution are degraded. Give a `scale`, or leave `degrade` "
            f"out. Received: degrade={degrade!r}, scale=None"
        )
    if scale is None:
        source = naming.find(name, paired=True)
    else:
        source = scaled.find(name)
        reduce = scaled.Reduction(scale, degrade, size, paired, int(seed))
    arguments.check_options(name, options, source.options, load_pairs)
    request = sources.Request(
        name=name,
        split=split,
        image_size=size,
        stored_size=preprocessing.stored_size(size, augment),
        channels=channels,
        num_examples=num_examples,
        seed=int(seed),
        paired=bool(paired),
        augment=augment,
        shuffle=bool(shuffle),
        data_dir=arguments.folder_of(data_dir),
        on_error=on_error,
        options=options,
    )
    with arguments.readable(name):
        read = source.read if scale is None else functools.partial(scaled.read, source, direction)
        order, count = read(request)
    if drop_remainder and batch_size > count:
        raise arguments.too_large(batch_size, f"{count}, or `drop_remainder=False`")

    def to_floats(a, b):
        a, b = preprocessing.to_float(a), preprocessing.to_float(b)
        return (a, b) if direction == "a_to_b" else (b, a)

    def epoch(number):
        if scale is not None:
            return reduce(order(number), number, batch_size, drop_remainder)
        data = order(number).batch(batch_size, drop_remainder=drop_remainder)
        return data.map(to_floats, num_parallel_calls=tf.data.AUTOTUNE)

    return epochs.numbered_epochs(epoch, count, batch_size, first_epoch, drop_remainder)


def _is_training(split):
    return isinstance(split, str) and bool(re.match(r"train\b", split))
