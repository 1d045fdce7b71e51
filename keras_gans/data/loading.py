"""`load`: from the name of a data set to batches, in an order that a resumed run repeats."""

import inspect
import os
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_gans.data import few_labels, synthetic
from keras_gans.names import did_you_mean

# Sets up to this size are kept in memory, decoded, as uint8.
_CACHE_BYTES = 2**30

# Larger sets are shuffled through a buffer of this size. Their files were already shuffled when
# they were written.
_BUFFER_BYTES = 2**28

_OURS = ("digits", "fashion_mnist", "stacked_digits", "emoji", *synthetic.SETS)
_STEPS = "_keras_gans_steps_per_epoch"


def load(
    name,
    *,
    batch_size=64,
    split="train",
    image_size=None,
    channels=None,
    labels=False,
    labels_per_class=None,
    shuffle=True,
    seed=0,
    first_epoch=None,
    drop_remainder=True,
    num_examples=None,
    data_dir=None,
    on_error="raise",
    **options,
):
    """Loads a data set as batches for a training.

    `name` is one of

    - `"digits"`: 5,000 MNIST digits, 28x28x1, that come with `pip install 'keras-gans[digits]'`
      and need no download. All are in the split `train`; `"train[:80%]"` and `"train[80%:]"`
      divide them.
    - `"fashion_mnist"`: 60,000 and 10,000 pictures of clothes, 28x28x1, in `train` and `test`;
      read from the Debian package `dataset-fashion-mnist`, or from the folder given by
      `source=...` or by the environment variable `KERAS_GANS_FASHION_MNIST`; else downloaded.
    - `"stacked_digits"`: 28x28x3, three of the digits as red, green and blue: 1,000 classes, for
      counting modes.
    - `"emoji"`: 3,511 emoji, 64x64x3, on white, in `train`, `validation` and `test`; of two npm
      packages, see `keras_gans.data.emoji_styles`. Options `style` ("google", Noto, by default; or
      "twitter", Twemoji) and `source`.
    - any image data set of TensorFlow Datasets: `"cifar10"`, `"celeb_a"`,
      `"cycle_gan/horse2zebra"`, ...
    - a folder of images, searched with its subfolders; `pathlib.Path`, or a string that names no
      data set.
    - `"normal"` (1-D; options `mean`, `stddev`), `"ring"` (2-D; `modes`, `radius`, `stddev`) or
      `"grid"` (2-D; `side`, `spacing`, `stddev`): points of a known distribution, not scaled.

    With `first_epoch=None` the data set is finite: one iteration is one epoch, and the k-th
    iteration, counted from 0, gives epoch k. With `first_epoch=n` it is endless and gives epoch
    n, n + 1, and so on. The order of an epoch depends on `seed` and its number alone, not on
    TensorFlow's global seed or on what was iterated before: a training that goes on at epoch n
    sees exactly what it would have seen without the interruption.

    >>> ring = load("ring", batch_size=100, labels=True, seed=3)
    >>> points, modes = next(iter(ring))
    >>> points.shape, points.dtype.name, modes.dtype.name
    (TensorShape([100, 2]), 'float32', 'int32')
    >>> steps_per_epoch(ring)
    500

    A folder of photographs, to be resumed at epoch 12:

    >>> # load("~/photographs", image_size=64, first_epoch=12)

    Args:
        name: Name of a data set, or folder of images; see above.
        batch_size: Examples in a batch. Under `tf.distribute` this is the global batch.
        split: Part of the set, in the notation of TensorFlow Datasets: `"train"`, `"test"`,
            `"train[:80%]"`, `"train+test"`.
        image_size: Images are resized (bicubic, antialiased) until their shorter side has this
            many pixels, then cropped to a square about the centre. None keeps the size, which
            is possible where all images of a set are of one size, and not for a folder.
        channels: 1 for grey or 3 for RGB images. None keeps what the set has; a folder has RGB.
        labels: Whether to give `(images, classes)` instead of `images`. The classes of a folder
            are its subfolders, in alphabetical order; those of "ring" and "grid" are the modes;
            those of "stacked_digits" the three digits read as one number.
        labels_per_class: For semi-supervised learning: only the first so many examples of each
            class, in the order on disk, keep their label. Every second example of a batch is then
            drawn from those, and the others are of the whole split, with the label -1. An epoch
            is one pass over the whole split.
        shuffle: Whether every epoch has an order of its own. False gives the order on disk.
        seed: Integer, 0 or more, that fixes the orders, and the points of a synthetic set.
        first_epoch: None, or the epoch with which an endless data set begins; see above.
        drop_remainder: Whether to leave out the last batch of an epoch if it is not full. The
            shuffling makes it other examples in every epoch.
        num_examples: Use only the first so many examples of the split, in the order on disk. For
            a synthetic set, "stacked_digits" among them: how many there are, 50,000 by default.
        data_dir: Folder for prepared data; by default that of TensorFlow Datasets,
            `~/tensorflow_datasets` or `$TFDS_DATA_DIR`.
        on_error: `"raise"` or `"skip"`: what to do about a file in a folder of images that
            cannot be read. Skipped files are counted in a warning of the log.
        **options: What only this data set understands; see above.

    Returns:
        `tf.data.Dataset` of `float32` images in [-1, 1], of shape
        `(batch_size, height, width, channels)`, or of points `(batch_size, dimensions)`; with
        `labels=True` of pairs with `int32` classes `(batch_size,)`.

    Raises:
        ValueError: If an argument does not fit, or, for a folder, an image cannot be read.
        FileNotFoundError: If a folder does not exist.
        ImportError: If the set is in a package that is not installed.
        RuntimeError: If a set cannot be downloaded.
    """
    if image_size is not None:
        _check(image_size=image_size, least=1)
    check_common(batch_size, seed, first_epoch, num_examples, channels, on_error, (None, 1, 3))

    if isinstance(name, str) and name in synthetic.SETS:
        if image_size or channels:
            raise ValueError(
                f"{name!r} is a set of points, not of images. Leave `image_size` and `channels` "
                f"out. Received: image_size={image_size}, channels={channels}"
            )
        examples = _points(name, split, seed, num_examples, labels, options)
    elif isinstance(name, str) and name == "stacked_digits":
        from keras_gans.data import stacked_digits

        digits = _builder("digits", split, None, None, data_dir, on_error, options)
        digits = _images(digits, split, None, None, True, None)
        number = num_examples or stacked_digits.NUM_EXAMPLES
        examples = stacked_digits.stack(digits, number, int(seed))
        if image_size or channels:
            raise ValueError(
                f"The digits are stacked as they are, 28x28x3. Leave `image_size` and `channels` "
                f"out. Received: image_size={image_size}, channels={channels}"
            )
        if not labels:
            examples = examples.map(lambda image, label: image)
    else:
        builder = _builder(name, split, image_size, channels, data_dir, on_error, options)
        examples = _images(builder, split, image_size, channels, labels, num_examples)

    few, full = None, batch_size
    if labels_per_class is not None:
        _check(labels_per_class=labels_per_class, least=1)
        if not labels or batch_size % 2 or not drop_remainder:
            raise ValueError(
                f"With `labels_per_class` every second example has a label. Expected "
                f"`labels=True`, an even `batch_size` and `drop_remainder=True`. Received: "
                f"labels={labels}, batch_size={batch_size}, drop_remainder={drop_remainder}"
            )
        few = few_labels.choose(examples, labels_per_class)
        examples, batch_size = examples.map(few_labels.hide), batch_size // 2

    count = int(examples.cardinality())
    if drop_remainder and batch_size > count:
        most = f"{count}, or `drop_remainder=False`" if few is None else f"{2 * count}"
        raise too_large(full, most)
    examples, buffer = cached(examples, batch_size)

    def epoch(number):
        data = shuffled(examples, buffer, int(seed), number) if shuffle else examples
        data = data.batch(batch_size, drop_remainder=drop_remainder)
        if few is not None:
            data = few_labels.interleave(data, few, int(seed), number)
        # In batches: sixty times fewer calls than image by image, and the cache stays uint8.
        return data.map(to_float, num_parallel_calls=tf.data.AUTOTUNE)

    return numbered_epochs(epoch, count, batch_size, first_epoch, drop_remainder)


def steps_per_epoch(dataset):
    """Number of batches in an epoch of a data set made by `load` or `load_pairs`.

    Keras must be told of an endless one:

    >>> points = load("normal", batch_size=100, first_epoch=7)
    >>> steps_per_epoch(points)
    500
    >>> # gan.fit(points, steps_per_epoch=500, initial_epoch=7, epochs=10)

    Args:
        dataset: `tf.data.Dataset` as it was given, before `map` and the like.

    Returns:
        Number of batches.

    Raises:
        ValueError: If `dataset` does not come straight from one of them.
    """
    steps = getattr(dataset, _STEPS, None)
    if steps is None:
        raise ValueError(
            f"The number of steps of this data set is not known. Expected a data set as `load` or "
            f"`load_pairs` of `keras_gans.data` gave it; ask before calling `map`, `take` and the "
            f"like. "
            f"Received: {dataset!r}"
        )
    return steps


def cached(examples, least=1):
    """Keeps a set in memory if it fits.

    Args:
        examples: `tf.data.Dataset` of known cardinality.
        least: The smallest size of the buffer.

    Returns:
        The set, to be read by all epochs and all iterators, and the size of the buffer that is to
        shuffle it.
    """
    count = int(examples.cardinality())
    size = sum(spec.shape.num_elements() * spec.dtype.size for spec in _flat(examples))
    if count * size <= _CACHE_BYTES:
        return examples.cache(), count
    return examples, min(count, max(least, _BUFFER_BYTES // size))


def shuffled(examples, buffer, seed, number):
    """The examples in an order that depends on `seed` and `number` alone.

    Args:
        examples: `tf.data.Dataset`.
        buffer: As `cached` gives it.
        seed: Integer.
        number: Scalar `int64` tensor, in a function of a data set.

    Returns:
        `tf.data.Dataset`.
    """
    # `shuffle` mixes the graph's seed with its own. In the graph of the epoch's function both are
    # ours, so TensorFlow's global seed has no say. It takes them modulo 2**31 - 1, and compares a
    # graph's seed of 0 with the symbolic `number`, which fails.
    tf.compat.v1.set_random_seed(seed % (2**31 - 2) + 1)
    return examples.shuffle(buffer, seed=number, reshuffle_each_iteration=False)


def numbered_epochs(epoch, count, batch_size, first_epoch, drop_remainder):
    """Strings epochs together, each made from its number.

    Args:
        epoch: Function from the number, a scalar `int64` tensor, to the batches of that epoch.
        count: Number of examples in an epoch.
        batch_size: Examples in a batch.
        first_epoch: None for a finite data set, of which the k-th iteration is epoch k; or the
            number with which an endless one begins.
        drop_remainder: Whether a batch that is not full is left out.

    Returns:
        `tf.data.Dataset` that `steps_per_epoch` knows.
    """
    if first_epoch is None:
        # Every new iterator draws the next number. Pinned to the processor, where tf.data runs.
        with tf.device("CPU:0"):
            iterations = tf.Variable(-1, dtype=tf.int64, trainable=False)
        numbers = tf.data.Dataset.from_tensors(0).map(lambda _: iterations.assign_add(1))
    else:
        numbers = tf.data.Dataset.range(first_epoch, np.iinfo(np.int64).max)

    steps = count // batch_size if drop_remainder else -(-count // batch_size)
    cardinality = steps if first_epoch is None else tf.data.INFINITE_CARDINALITY
    data = numbers.flat_map(epoch).apply(tf.data.experimental.assert_cardinality(cardinality))
    options = tf.data.Options()
    # Its tuner now and then waits for seconds, both cores idle, when an iterator is deleted, and
    # has made nothing here faster (docs/benchmarks.md).
    options.autotune.enabled = False
    # The policy AUTO would look for one file per worker.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    data = data.with_options(options).prefetch(tf.data.AUTOTUNE)
    setattr(data, _STEPS, steps)
    return data


def to_float(images, *labels):
    """Scales `uint8` images to floats in [-1, 1]; anything else stays as it is."""
    if images.dtype == tf.uint8:
        images = tf.cast(images, tf.float32) / 127.5 - 1.0
    return (images, *labels) if labels else images


def _points(name, split, seed, num_examples, labels, options):
    if split not in synthetic.SPLITS:
        raise ValueError(
            f"{name!r} has no such split. Expected one of {list(synthetic.SPLITS)}; choose the "
            f"number of points by `num_examples`. Received: split={split!r}"
        )
    draw = synthetic.SETS[name]
    check_options(name, options, list(inspect.signature(draw).parameters)[2:])
    rng = np.random.default_rng([seed, synthetic.SPLITS[split]])
    points, modes = draw(rng, num_examples or synthetic.NUM_EXAMPLES, **options)
    if labels and modes is None:
        raise _no_labels(name)
    return tf.data.Dataset.from_tensor_slices((points, modes) if labels else points)


def _builder(name, split, image_size, channels, data_dir, on_error, options):
    """The prepared TensorFlow Datasets builder that `name` means."""
    from keras_gans.data import builders

    if not isinstance(name, str | os.PathLike) or not str(name):
        raise ValueError(
            f"That names no data set. Expected a name such as 'digits' or 'cifar10', or the path "
            f"of a folder of images. Received: name={name!r}"
        )
    data_dir = None if data_dir is None else os.fspath(data_dir)
    if name == "digits":
        from keras_gans.data.digits import Digits

        check_options(name, options, [])
        return builders.prepare(lambda: Digits(data_dir=data_dir))
    if name == "fashion_mnist":
        from keras_gans.data import fashion_mnist

        check_options(name, options, ["source"])
        source = fashion_mnist.find(**options)
        if source is not None:
            config = fashion_mnist.config(source)
            return builders.prepare(
                lambda: fashion_mnist.FashionMNIST(data_dir=data_dir, config=config)
            )
    if name == "emoji":
        from keras_gans.data import emoji_styles

        check_options(name, options, ["style", "source"])
        size = (image_size or emoji_styles.SIZE,) * 2
        options = {"style": emoji_styles.STYLES[0], **options}
        return emoji_styles.builder(size, channels or 3, data_dir, **options)
    check_options(name, options, [])
    if isinstance(name, str) and in_tfds(name):
        return download(name, data_dir)
    path = Path(name).expanduser()
    if isinstance(name, str) and not path.exists() and Path(name).name == name:
        raise unknown(name)

    from keras_gans.data import folder

    config = folder.config(path, image_size, channels or 3, on_error)
    builder = builders.prepare(lambda: folder.Folder(data_dir=data_dir, config=config))
    folder.warn_of_skipped(builder, path)
    return builder


def in_tfds(name):
    """Whether TensorFlow Datasets has a set of that name, as "set", "set/config" or "set:1.0.0"."""
    import tensorflow_datasets as tfds

    known = tfds.list_builders(with_community_datasets=False)
    return name.split("/")[0].split(":")[0] in known


def unknown(name, ours=_OURS):
    """The error of a name that means nothing; `ours` are the sets that this library adds."""
    import tensorflow_datasets as tfds

    known = [*ours, *tfds.list_builders(with_community_datasets=False)]
    return ValueError(
        f"There is no data set and no folder of that name.{did_you_mean(name, known)} "
        f"Expected one of {', '.join(map(repr, ours))}, an image data set of TensorFlow Datasets, "
        f"or the path of a folder of images. Received: name={name!r}"
    )


def download(name, data_dir):
    """A builder of TensorFlow Datasets, downloaded and prepared if it is not yet.

    Raises:
        ValueError: If the configuration or version is unknown.
        RuntimeError: If it cannot be downloaded or prepared.
    """
    import tensorflow_datasets as tfds

    from keras_gans.data import builders

    # Not through `builders.prepare`: a download may take hours, and should show its progress.
    try:
        builder = tfds.builder(name, data_dir=data_dir, try_gcs=False)
    except ValueError as error:  # An unknown configuration or version.
        raise ValueError(f"{error}. Received: name={name!r}") from error
    if not builders.is_prepared(builder):
        try:
            builder.download_and_prepare()
        # Everything: the network, the site behind it and the archive it sends fail in ways of
        # their own, and all that can be done about it is the same.
        except Exception as error:
            raise RuntimeError(
                f"The data set {name!r} could not be downloaded and prepared. Expected a network "
                f"connection, or the prepared set in {builder.data_dir}. Try again with a "
                f"connection, or prepare the set where there is one (`tfds build {name}`), copy "
                f"it there and pass `data_dir`. "
                f"Received: {type(error).__name__}: {error}"
            ) from error
    return builder


def _images(builder, split, image_size, channels, labels, num_examples):
    """Data set of `uint8` images of one static shape, or of pairs with `int32` classes."""
    import tensorflow_datasets as tfds

    features = builder.info.features
    if not isinstance(features, dict | tfds.features.FeaturesDict) or "image" not in features:
        raise ValueError(
            f"{builder.name!r} is no image data set: it has no feature 'image'. Expected a data "
            f"set of images. Received: features {sorted(features) if features else None}"
        )
    if labels and "label" not in features:
        raise _no_labels(builder.name)
    data = first(read_split(builder, split), num_examples)
    shape, dtype = features["image"].shape, features["image"].np_dtype
    if len(shape) != 3 or dtype not in (np.uint8, np.uint16):
        raise ValueError(
            f"The images of {builder.name!r} cannot be used. Expected uint8 or uint16 images of "
            f"shape (height, width, channels). Received: shape={shape}, dtype={dtype}"
        )
    if image_size is None and None in shape[:2]:
        raise ValueError(
            f"The images of {builder.name!r} are not all of one size. Expected `image_size`, in "
            f"pixels. Received: image_size=None"
        )
    height, width = (image_size, image_size) if image_size else shape[:2]

    def convert(example):
        image = example["image"]
        if dtype == np.uint16:
            image = tf.cast(tf.round(tf.cast(image, tf.float32) / 257.0), tf.uint8)
        image = with_channels(image, channels)
        if image_size is not None and shape[:2] != (height, width):
            image = _resize(image, image_size)
        image = tf.ensure_shape(image, (height, width, channels or shape[-1]))
        return (image, tf.cast(example["label"], tf.int32)) if labels else image

    return data.map(convert, num_parallel_calls=tf.data.AUTOTUNE)


def read_split(builder, split):
    """The examples of a prepared builder, in the order on disk.

    Args:
        builder: The builder.
        split: In the notation of TensorFlow Datasets.

    Returns:
        `tf.data.Dataset` of known cardinality.

    Raises:
        ValueError: If there is no such split, or it is empty.
    """
    import tensorflow_datasets as tfds

    # Files in one fixed order: the shuffling, with its seed, is ours.
    config = tfds.ReadConfig(try_autocache=False)
    try:
        data = builder.as_dataset(split=split, shuffle_files=False, read_config=config)
        count = int(data.cardinality())
    except (ValueError, KeyError, AssertionError) as error:
        raise no_split(builder, split) from error
    if count < 1:
        raise no_split(builder, split)
    return data


def first(examples, num_examples):
    """The first so many examples of a set; None means all.

    Raises:
        ValueError: If there are fewer.
    """
    if num_examples is None:
        return examples
    count = int(examples.cardinality())
    if num_examples > count:
        raise ValueError(
            f"The split has fewer examples than asked for. Expected `num_examples` of at most "
            f"{count}. Received: num_examples={num_examples}"
        )
    return examples.take(num_examples)


def with_channels(image, channels):
    """An image in grey (1) or RGB (3); None keeps what it has."""
    if channels is None or image.shape[-1] == channels:
        return image
    if image.shape[-1] == 4:  # On white, as paper is.
        alpha = tf.cast(image[..., 3:], tf.float32) / 255.0
        rgb = tf.cast(image[..., :3], tf.float32)
        image = tf.cast(tf.round(rgb * alpha + 255.0 * (1.0 - alpha)), tf.uint8)
    if image.shape[-1] == 3 and channels == 1:
        return tf.image.rgb_to_grayscale(image)
    return tf.repeat(image, channels, axis=-1) if image.shape[-1] == 1 else image


def resized(image, size):
    """A `uint8` image at another `(height, width)`: bicubic, antialiased."""
    image = tf.image.resize(tf.cast(image, tf.float32), size, "bicubic", antialias=True)
    # Bicubic overshoots at edges.
    return tf.cast(tf.round(tf.clip_by_value(image, 0.0, 255.0)), tf.uint8)


def _resize(image, size):
    shape = tf.cast(tf.shape(image)[:2], tf.float32)
    target = tf.cast(tf.round(shape * (float(size) / tf.reduce_min(shape))), tf.int32)
    top, left = (target[0] - size) // 2, (target[1] - size) // 2
    return resized(image, target)[top : top + size, left : left + size]


def _flat(dataset):
    return tf.nest.flatten(dataset.element_spec)


def _no_labels(name):
    return ValueError(
        f"{name!r} has no classes. Expected `labels=False`, or a data set with classes; those of "
        f"a folder are its subfolders, and every image must be in one. Received: labels=True"
    )


def no_split(builder, split, sizes=None):
    """The error of an unknown split; `sizes` are the numbers of examples by split."""
    if sizes is None:
        sizes = {name: info.num_examples for name, info in builder.info.splits.items()}
    return ValueError(
        f"{builder.name!r} has no such split, or it is empty. Expected one of {list(sizes)} "
        f"(examples: {sizes}), or a part such as 'train[:80%]'. Received: split={split!r}"
    )


def check_common(
    batch_size, seed, first_epoch, num_examples, channels, on_error, known_channels=(1, 3)
):
    """Checks the arguments that `load` and `load_pairs` have in common.

    Raises:
        ValueError: If one does not fit.
    """
    _check(batch_size=batch_size, least=1)
    _check(seed=seed, least=0)
    if first_epoch is not None:
        _check(first_epoch=first_epoch, least=0)
    if num_examples is not None:
        _check(num_examples=num_examples, least=1)
    if channels not in known_channels:
        raise ValueError(
            f"Images cannot be given that many channels. Expected `channels` to be one of "
            f"{known_channels}: 1 is grey, 3 is RGB. Received: channels={channels!r}"
        )
    if on_error not in ("raise", "skip"):
        raise ValueError(
            f"`on_error` is unknown. Expected 'raise' or 'skip'. Received: on_error={on_error!r}"
        )


def too_large(batch_size, most):
    """The error of a batch that the data set cannot fill."""
    return ValueError(
        f"A batch is larger than the data set, so there is not one full batch. Expected "
        f"`batch_size` of at most {most}. Received: batch_size={batch_size}"
    )


def _check(*, least, **argument):
    ((name, value),) = argument.items()
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < least:
        raise ValueError(
            f"`{name}` does not fit. Expected a whole number, {least} or more. "
            f"Received: {name}={value!r}"
        )


def check_options(name, options, known, function=load):
    """Checks that a data set has the options it is given.

    Args:
        name: The name of the set.
        options: Dictionary of what was given.
        known: Names of the options of this set.
        function: The function that was called: its own arguments may have been meant.

    Raises:
        ValueError: If an option is not known.
    """
    for option in options:
        if option not in known:
            hint = did_you_mean(option, {*known, *inspect.signature(function).parameters})
            raise ValueError(
                f"The data set {str(name)!r} has no option of that name.{hint} Expected "
                f"{', '.join(f'`{k}`' for k in known) or 'no options of its own'}. "
                f"Received: {option}={options[option]!r}"
            )
