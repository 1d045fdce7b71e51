"""`load`: from the name of a data set to batches, in an order that a resumed run repeats."""

import contextlib
import errno
import inspect
import os
from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import logging

from keras_gans.data.sources import few_labels, image_files, synthetic
from keras_gans.names import did_you_mean

# Sets up to this size are kept in memory, decoded, as uint8.
_CACHE_BYTES = 2**30

# Larger sets are shuffled through a buffer of this size. Their files were already shuffled when
# they were written.
_BUFFER_BYTES = 2**28

_OURS = ("digits", "fashion_mnist", "stacked_digits", "emoji", *synthetic.SETS)
_STEPS = "_keras_gans_steps_per_epoch"
_NAMES = "_keras_gans_class_names"

# Errors of a disk, by what can be done about them.
_OF_DISKS = {
    errno.ENOSPC: "free some space, or name another disk by `data_dir`",
    errno.EDQUOT: "free some of your quota, or name another disk by `data_dir`",
    errno.EROFS: "name a folder that can be written to by `data_dir`",
    errno.EACCES: "ask for the right to it or, to write elsewhere, name a folder by `data_dir`",
    errno.EMFILE: "close some files, or raise the limit by `ulimit -n`",
}


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
      packages, see `keras_gans.data.sources.emoji_styles`. Options `style` ("google", Noto, by
      default; or "twitter", Twemoji) and `source`.
    - any image data set of TensorFlow Datasets: `"cifar10"`, `"celeb_a"`,
      `"cycle_gan/horse2zebra"`, ...
    - a folder of images, searched with its subfolders; `pathlib.Path`, or a string that names no
      data set, such as `"./digits"`. Subfolders `train`, `val` and `test` are its splits. Option
      `class_names`: a list of the classes that are wanted, in the order of their numbers.
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
        image_size: Height and width of the images, or an integer for squares. They are resized
            (bicubic, antialiased) until they cover this size, then cropped about the centre. None
            keeps the size, which is possible where all images of a set are of one size, and not
            for a folder.
        channels: 1 for grey or 3 for RGB images. None keeps what the set has; a folder has RGB.
        labels: Whether to give `(images, classes)` instead of `images`. The classes of a folder
            are all its subfolders, in alphabetical order, or those of a CSV file with the columns
            `file` and `label`, whose path is given instead of True; those of "ring" and "grid" are
            the modes; those of "stacked_digits" the three digits read as one number. For a set of
            TensorFlow Datasets it may be the name of a feature, such as "coarse_label".
            `class_names` says what the numbers stand for.
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
            cannot be read. A warning of the log counts what was left out, and says why.
        **options: What only this data set understands; see above.

    Returns:
        `tf.data.Dataset` of `float32` images in [-1, 1], of shape
        `(batch_size, height, width, channels)`, or of points `(batch_size, dimensions)`; with
        `labels=True` of pairs with `int32` classes `(batch_size,)`.

    Raises:
        ValueError: If an argument does not fit, or, for a folder, an image cannot be read.
        FileNotFoundError: If a folder does not exist.
        OSError: If the disk is full or fails.
        ImportError: If the set is in a package that is not installed.
        RuntimeError: If a set cannot be downloaded.
    """
    size = None if image_size is None else sides(image_size)
    labels = labels if isinstance(labels, str | os.PathLike) else bool(labels)
    names = None
    check_flags(shuffle=shuffle, drop_remainder=drop_remainder)
    check_common(batch_size, seed, first_epoch, num_examples, channels, on_error, (None, 1, 3))

    if isinstance(name, str) and name in synthetic.SETS:
        if image_size or channels:
            raise ValueError(
                f"{name!r} is a set of points, not of images. Leave `image_size` and `channels` "
                f"out. Received: image_size={image_size}, channels={channels}"
            )
        _check_labels(name, labels)
        examples = _points(name, split, seed, num_examples, labels, options)
    elif isinstance(name, str) and name == "stacked_digits":
        from keras_gans.data.sources import stacked_digits

        _check_labels(name, labels)
        digits = _builder("digits", None, None, data_dir, on_error, False, options)
        digits, _ = _images(digits, split, None, None, True, None)
        number = num_examples or stacked_digits.NUM_EXAMPLES
        examples = stacked_digits.stack(digits, number, int(seed))
        if image_size or channels:
            raise ValueError(
                f"The digits are stacked as they are, 28x28x3. Leave `image_size` and `channels` "
                f"out. Received: image_size={image_size}, channels={channels}"
            )
        if not labels:
            examples = examples.map(lambda image, label: image)
        names = [f"{number:03}" for number in range(1000)]
    else:
        with readable(name):
            builder = _builder(name, size, channels, data_dir, on_error, labels, options)
        examples, names = _images(builder, split, size, channels, labels, num_examples)

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

    batches = numbered_epochs(epoch, count, batch_size, first_epoch, drop_remainder)
    setattr(batches, _NAMES, names if labels else None)
    return batches


def class_names(dataset):
    """Names of the classes of a data set made by `load` with labels: item k is class k.

    >>> stacked = load("stacked_digits", labels=True, num_examples=64)  # doctest: +SKIP
    >>> class_names(stacked)[123]  # doctest: +SKIP
    '123'

    Args:
        dataset: `tf.data.Dataset` as it was given, before `map` and the like.

    Returns:
        List of strings: the subfolders of a folder, the labels of a CSV file, or the names that
        TensorFlow Datasets has.

    Raises:
        ValueError: If `dataset` does not come straight from `load`, or its classes have no names.
    """
    names = getattr(dataset, _NAMES, None)
    if names is None:
        raise ValueError(
            f"The names of the classes of this data set are not known. Expected a data set of "
            f"images as `keras_gans.data.load` gave it with `labels=True`; ask before calling "
            f"`map`, `take` and the like. Received: {dataset!r}"
        )
    return list(names)


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
    if not isinstance(split, str) or split not in synthetic.SPLITS:
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


def _builder(name, image_size, channels, data_dir, on_error, labels, options):
    """The prepared TensorFlow Datasets builder that `name` means."""
    from keras_gans.data.sources import builders

    path = meaning(name, _OURS)
    data_dir = folder_of(data_dir)
    if name == "digits":
        from keras_gans.data.sources.digits import Digits

        check_options(name, options, [])
        return builders.prepare(lambda: Digits(data_dir=data_dir))
    if name == "fashion_mnist":
        from keras_gans.data.sources import fashion_mnist

        check_options(name, options, ["source"])
        source = fashion_mnist.find(**options)
        if source is not None:
            config = fashion_mnist.config(source)
            return builders.prepare(
                lambda: fashion_mnist.FashionMNIST(data_dir=data_dir, config=config)
            )
    if name == "emoji":
        from keras_gans.data.sources import emoji_styles

        check_options(name, options, ["style", "source"])
        size = image_size or (emoji_styles.SIZE,) * 2
        options = {"style": emoji_styles.STYLES[0], **options}
        return emoji_styles.builder(size, channels or 3, data_dir, **options)
    if path is None:
        check_options(name, options, [])
        return download(name, data_dir)

    from keras_gans.data.sources import folder

    check_options(name, options, ["class_names"])
    config = folder.config(path, image_size, channels or 3, on_error, labels, **options)
    builder = builders.prepare(lambda: folder.Folder(data_dir=data_dir, config=config))
    folder.warn_of_left_out(builder)
    if labels:
        folder.warn_of_empty(config)
    return builder


def meaning(name, ours):
    """The path of the folder that a name means, or None if it means a data set.

    Args:
        name: Text or path.
        ours: Names of the data sets that this library adds.

    Raises:
        ValueError: If it means nothing, or both a folder and a set that would be downloaded.
        FileNotFoundError: If it is the path of a folder that does not exist.
    """
    if not isinstance(name, str | os.PathLike) or not str(name):
        raise ValueError(
            f"That names no data set. Expected a name such as {ours[0]!r}, or the path of a "
            f"folder of images. Received: name={name!r}"
        )
    path = Path(name)
    with contextlib.suppress(RuntimeError):  # there is no such user
        path = path.expanduser()
    if not isinstance(name, str):
        return path
    if name in ours:
        if image_files.is_folder(path):
            logging.warning(
                "%r is read as the data set of that name, not as the folder: that is %r.",
                name,
                f"./{name}",
            )
        return None
    if in_tfds(name):
        if not image_files.is_folder(path):
            return None
        version = "" if ":" in name else ":*.*.*"
        raise ValueError(
            f"There are a folder and a data set of TensorFlow Datasets of that name. Expected "
            f"'./{name}' for the folder, or '{name}{version}' for the data set. "
            f"Received: name={name!r}"
        )
    # A path from the root is none of a data set; `check_folder` says what is wrong with it.
    if not path.is_absolute() and not os.path.lexists(path):
        raise unknown(name, ours)
    return path


def folder_of(data_dir):
    """`data_dir` as text; None stays None."""
    if not isinstance(data_dir, str | os.PathLike | None):
        raise ValueError(
            f"`data_dir` does not fit. Expected the path of a folder, or None. "
            f"Received: data_dir={data_dir!r}"
        )
    return None if data_dir is None else os.fspath(data_dir)


@contextlib.contextmanager
def readable(name):
    """Says of an error of the disk, or of the network behind it, what happened to a data set."""
    try:
        yield
    except OSError as error:
        if not error.errno or error.errno not in errno.errorcode:
            raise  # in words of ours, or of a package that reads from the network
        do = _OF_DISKS.get(error.errno, "look after the disk or the network that holds it")
        # With the number, Python picks the kind of OSError.
        raise OSError(
            error.errno,
            f"The data set {os.fspath(name)!r} could not be read or prepared "
            f"({error.strerror or error}). What was complete before is whole; {do}. "
            f"Received: {error.filename or name!r}",
        ) from error


def in_tfds(name):
    """Whether TensorFlow Datasets has a set of that name, as "set", "set/config" or "set:1.0.0"."""
    import tensorflow_datasets as tfds

    known = tfds.list_builders(with_community_datasets=False)
    return name.split("/")[0].split(":")[0] in known


def unknown(name, ours=_OURS):
    """The error of a name that means nothing; `ours` are the sets that this library adds."""
    import tensorflow_datasets as tfds

    known = [*ours, *tfds.list_builders(with_community_datasets=False)]
    folders = [entry.name for entry in os.scandir() if entry.is_dir()]
    kind = ValueError if Path(name).name == name else FileNotFoundError
    return kind(
        f"There is no data set and no folder of that name."
        f"{did_you_mean(Path(name).parts[0], known + folders)} "
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

    from keras_gans.data.sources import builders

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
            if getattr(error, "errno", None) in _OF_DISKS:
                raise
            raise RuntimeError(
                f"The data set {name!r} could not be downloaded and prepared. Expected a network "
                f"connection, or the prepared set in {builder.data_dir}. Try again with a "
                f"connection, or prepare the set where there is one (`tfds build {name}`), copy "
                f"it there and pass `data_dir`. "
                f"Received: {type(error).__name__}: {error}"
            ) from error
    return builder


def _images(builder, split, image_size, channels, labels, num_examples):
    """The `uint8` images of a builder, and the names of its classes.

    Returns:
        Data set of images of one static shape, or of pairs with `int32` classes; and a list, or
        None.
    """
    import tensorflow_datasets as tfds

    features, config = builder.info.features, builder.builder_config
    features = dict(features.items()) if isinstance(features, tfds.features.FeaturesDict) else {}
    names = getattr(config, "classes", None)  # of a folder, whose `labels` may be a path
    image_key, label_key = _keys(builder, features, labels if names is None else bool(labels))
    data = first(read_split(builder, split), num_examples)
    shape, dtype = features[image_key].shape, features[image_key].np_dtype
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
    height, width = image_size or shape[:2]
    of_bits = names is None and _is_of_bits(data, image_key)

    def convert(example):
        image = example[image_key]
        if of_bits:
            image *= 255
        if dtype == np.uint16:
            image = tf.cast(tf.round(tf.cast(image, tf.float32) / 257.0), tf.uint8)
        image = with_channels(image, channels)
        if shape[:2] != (height, width):
            image = _covering(image, (height, width))
        image = tf.ensure_shape(image, (height, width, channels or shape[-1]))
        return (image, tf.cast(example[label_key], tf.int32)) if labels else image

    if labels and names is None:
        names = getattr(features[label_key], "names", None)
    return data.map(convert, num_parallel_calls=tf.data.AUTOTUNE), names


def _is_of_bits(examples, key):
    """Whether images hold 0 and 1, as those of "dsprites" and "binarized_mnist" do."""
    tops = [example[key].max() for example in examples.take(64).as_numpy_iterator()]
    return max(tops) == 1


def _keys(builder, features, labels):
    """The names of the features that hold the images and the classes."""
    import tensorflow_datasets as tfds

    # Of a set whose features have names of their own, what its authors meant for training.
    supervised = builder.info.supervised_keys or (None, None)
    supervised = [key if isinstance(key, str) else None for key in supervised[:2]]
    image = "image" if "image" in features else supervised[0]
    if not isinstance(features.get(image), tfds.features.Image):
        raise ValueError(
            f"{builder.name!r} is no image data set: it has no feature 'image'. Expected a data "
            f"set of images. Received: features {sorted(features) if features else None}"
        )
    if not labels:
        return image, None
    suitable = [
        k for k, f in features.items() if f.shape == () and np.dtype(f.np_dtype).kind in "iub"
    ]
    if labels is True:
        labels = "label" if "label" in features else supervised[1]
        if labels not in suitable:
            hint = f" Or name one of {suitable} by `labels`." if suitable else ""
            raise _no_labels(builder.name, hint)
    elif labels not in suitable:
        raise ValueError(
            f"{builder.name!r} has no classes of that name.{did_you_mean(labels, suitable)} "
            f"Expected a feature of one integer: {suitable}. Received: labels={labels!r}"
        )
    return image, labels


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
    except (ValueError, KeyError, AssertionError, AttributeError, TypeError) as error:
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


def _covering(image, size):
    """A `uint8` image, resized until it covers `(height, width)` and cropped about the centre."""
    have = tf.cast(tf.shape(image)[:2], tf.float32)
    scale = tf.reduce_max(tf.constant(size, tf.float32) / have)
    target = tf.maximum(tf.cast(tf.round(have * scale), tf.int32), size)
    top, left = (target[0] - size[0]) // 2, (target[1] - size[1]) // 2
    return resized(image, target)[top : top + size[0], left : left + size[1]]


def _flat(dataset):
    return tf.nest.flatten(dataset.element_spec)


def _no_labels(name, hint=""):
    return ValueError(
        f"{name!r} has no classes. Expected `labels=False`, or a data set with classes; those of "
        f"a folder are its subfolders, and every image must be in one, or the path of a CSV file "
        f"is given by `labels`.{hint} Received: labels=True"
    )


def _check_labels(name, labels):
    if not isinstance(labels, bool):
        raise ValueError(
            f"The classes of {name!r} are not chosen by name. Expected True or False. "
            f"Received: labels={labels!r}"
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


def sides(image_size):
    """`(height, width)` in pixels, of these or of one integer for a square.

    Raises:
        ValueError: If it is neither.
    """
    found = tuple(image_size) if isinstance(image_size, tuple | list) else (image_size, image_size)
    whole = all(isinstance(n, int | np.integer) and not isinstance(n, bool) for n in found)
    if len(found) != 2 or not whole or min(found) < 1:
        raise ValueError(
            f"`image_size` does not fit. Expected a number of pixels, 1 or more, or a height and a "
            f"width. Received: image_size={image_size!r}"
        )
    return tuple(int(n) for n in found)


def check_flags(**flags):
    """Raises ValueError unless all are booleans: the text "no" would mean yes."""
    for name, value in flags.items():
        if not isinstance(value, bool | np.bool_ | int) or value not in (0, 1):
            raise ValueError(
                f"`{name}` does not fit. Expected True or False. Received: {name}={value!r}"
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
