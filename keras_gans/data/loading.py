"""`load`: from the name of a data set to batches, in an order that a resumed run repeats."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gans.data import arguments, epochs, few_labels, naming, preprocessing, sources

_NAMES = "_keras_gans_class_names"


def load(
    name: str | os.PathLike,
    *,
    batch_size: int = 64,
    split: str = "train",
    image_size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    labels: bool | str | os.PathLike = False,
    attributes: bool | Sequence[str] = False,
    captions: bool | Sequence[str] = False,
    labels_per_class: int | None = None,
    shuffle: bool = True,
    seed: int = 0,
    first_epoch: int | None = None,
    drop_remainder: bool = True,
    num_examples: int | None = None,
    data_dir: str | os.PathLike | None = None,
    on_error: str = "raise",
    **options: Any,
) -> tf.data.Dataset:
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
    - `"font_digits"`: 5,250 digits drawn with fonts, 28x28x1, placed as MNIST's. Options `per_font`
      (images of each digit in each font, 25) and `source` (a folder of fonts in place of the 21
      that come with matplotlib).
    - `"emoji"`: 3,511 emoji, 64x64x3, on white, in `train`, `validation` and `test`; of two npm
      packages, see `keras_gans.data.sources.emoji_styles`. Options `style` ("google", Noto, by
      default; or "twitter", Twemoji) and `source`.
    - `"chorales"`: bars of Bach's chorales for four voices, as piano rolls, see `keras_gans.music`:
      16 steps, 48 pitches and 4 voices in place of height, width and channels; in `train`,
      `validation` and `test`. Install `keras-gans[music]`. Options `transpose` (semitones: each bar
      in all keys up to so far above and below, too, 0) and `source` (a folder of scores in
      MusicXML).
    - `"avatars"`: 20,000 drawn faces of any size (64 by default), all of whose attributes are
      known: `long_hair`, `hair`, `skin`, `glasses`, `beard`, `mouth`, `eyes`, `brows`, `clothes`,
      `clothes_colour`, `background`, `age`; in `train`, `validation` and `test`. Install
      `keras-gans[faces]`. Options `attribute` (that of `labels=True`), `hold_out` (combinations of
      values, such as `{"hair": "blonde", "glasses": "sunglasses"}`, that only the faces of the
      split `held_out` have), `faces` (how many there are in `train`), `people_seed`, `wordings`
      (of captions: "seen", or "held_out": in orders and phrases that seen ones never have) and
      `style` (the name of any style of DiceBear; attributes are known of "avataaars" and
      "pixel-art", and captions are written of "avataaars").
    - `"pixel_faces"`: the same of faces of 16x16 pixels.
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

    >>> from keras_gans import data
    >>> ring = data.load("ring", batch_size=100, labels=True, seed=3)
    >>> points, modes = next(iter(ring))
    >>> points.shape, points.dtype.name, modes.dtype.name
    (TensorShape([100, 2]), 'float32', 'int32')
    >>> data.steps_per_epoch(ring)
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
        attributes: Whether to give `(images, attributes)`, a dictionary from the name of each
            attribute to its values; or a list of the names of those that are wanted. Attributes
            are features of one integer, or truth values as "celeb_a" has them.
        captions: Whether to give `(images, captions)`, a text for each image; or a list of the
            names of the attributes that captions may name. Each image has several, written by a
            grammar from its attributes, and an epoch takes one of them.
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
        `labels=True` of pairs with `int32` classes `(batch_size,)`, with `attributes` of pairs
        with a dictionary of those, with `captions` of pairs with texts `(batch_size,)`.

    Raises:
        ValueError: If an argument does not fit, or, for a folder, an image cannot be read.
        FileNotFoundError: If a folder does not exist.
        OSError: If the disk is full or fails.
        ImportError: If the set is in a package that is not installed.
        RuntimeError: If a set cannot be downloaded.
    """
    size = None if image_size is None else arguments.sides(image_size)
    labels = labels if isinstance(labels, str | os.PathLike) else bool(labels)
    arguments.check_flags(shuffle=shuffle, drop_remainder=drop_remainder)
    arguments.check_common(
        batch_size, seed, first_epoch, num_examples, channels, on_error, (None, 1, 3)
    )
    attributes = _checked_names("attributes", attributes)
    captions = _checked_names("captions", captions)
    _check_one_kind(labels, labels_per_class, attributes, captions)
    source = naming.find(name, paired=False)
    arguments.check_options(name, options, source.options, load)
    check_fixed(source, image_size, channels, labels)
    request = sources.Request(
        name=name,
        split=split,
        image_size=size,
        channels=channels,
        labels=labels,
        attributes=attributes,
        captions=captions,
        num_examples=num_examples,
        seed=int(seed),
        data_dir=arguments.folder_of(data_dir),
        on_error=on_error,
        options=options,
    )
    with arguments.readable(name):
        examples, names = source.read(request)
    _check_found(name, examples, attributes, captions)
    epoch, count, size = _epoch(
        examples, batch_size, labels, labels_per_class, shuffle, request.seed, drop_remainder
    )
    batches = epochs.numbered_epochs(epoch, count, size, first_epoch, drop_remainder)
    setattr(batches, _NAMES, names if labels or attributes else None)
    return batches


def _checked_names(argument, given):
    """The names of the attributes that are wanted, True for all, or False."""
    if isinstance(given, bool | np.bool_):
        return bool(given)
    if isinstance(given, str) or not all(isinstance(name, str) for name in given):
        raise ValueError(
            f"`{argument}` does not fit. Expected True, False or a list of names of attributes, "
            f"such as ['hair', 'glasses']. Received: {argument}={given!r}"
        )
    return tuple(given)


def _check_one_kind(labels, labels_per_class, attributes, captions):
    """Images come with one kind of thing, at most."""
    plain = bool(labels) or labels_per_class is not None
    if plain + bool(attributes) + bool(captions) > 1:
        others = [n for n, v in (("attributes", attributes), ("captions", captions)) if v]
        raise ValueError(
            "Images come with one label or with attributes or captions. Expected `labels` and "
            f"`labels_per_class` to be left out beside {' or '.join(others)}, and one of those. "
            f"Received: attributes={attributes!r}, captions={captions!r}, labels={labels!r}, "
            f"labels_per_class={labels_per_class!r}"
        )


def _check_found(name, examples, attributes, captions):
    """Raises ValueError for attributes or captions that a data set does not have."""
    spec = examples.element_spec
    if attributes and not isinstance(spec, tuple):
        raise ValueError(
            f"{str(name)!r} has no attributes. Expected `attributes=False`, or a data set with "
            f"attributes, such as 'avatars'. Received: attributes={attributes!r}"
        )
    if captions and not (isinstance(spec, tuple) and getattr(spec[1], "dtype", 0) == tf.string):
        raise ValueError(
            f"{str(name)!r} has no captions. Expected `captions=False`, or 'avatars'; of images "
            "and texts of your own, `tf.data.Dataset.from_tensor_slices((images, texts))`. "
            f"Received: captions={captions!r}"
        )


def check_fixed(
    source: sources.Source,
    image_size: int | tuple[int, int] | None,
    channels: int | None,
    labels: bool | str | os.PathLike = False,
) -> None:
    """Raises ValueError for what cannot be chosen of a source with one form; see `load`."""
    if not source.fixed:
        return
    if image_size or channels:
        raise ValueError(
            f"{source.fixed} Leave `image_size` and `channels` out. "
            f"Received: image_size={image_size}, channels={channels}"
        )
    if not isinstance(labels, bool):
        raise ValueError(
            f"The classes of {source.name!r} are not chosen by name. Expected True or False. "
            f"Received: labels={labels!r}"
        )


def _epoch(examples, batch_size, labels, labels_per_class, shuffle, seed, drop_remainder):
    """Function from an epoch's number to its batches, and how many examples of which batch size.

    With few labels, half of a batch is of the examples, and the other half of those with a label.
    """
    few, full = None, batch_size
    captions = tf.string in [getattr(s, "dtype", 0) for s in tf.nest.flatten(examples.element_spec)]
    if labels_per_class is not None:
        arguments.check_whole(labels_per_class=labels_per_class, least=1)
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
        raise arguments.too_large(full, most)
    examples, buffer = epochs.cached(examples, batch_size)

    def epoch(number):
        data = epochs.shuffled(examples, buffer, seed, number) if shuffle else examples
        data = data.batch(batch_size, drop_remainder=drop_remainder)
        if few is not None:
            data = few_labels.interleave(data, few, seed, number)
        if captions:
            data = data.enumerate().map(lambda place, pair: _one_caption(seed, number, place, pair))
        # In batches: sixty times fewer calls than image by image, and the cache stays uint8.
        return data.map(preprocessing.to_float, num_parallel_calls=tf.data.AUTOTUNE)

    return epoch, count, batch_size


def _one_caption(seed, number, place, pair):
    """One of the captions `(batch, several)` of each image, which the place in training decides."""
    images, texts = pair
    seeds, shape = epochs.seeds(seed, number, place), tf.shape(texts)
    chosen = tf.random.stateless_uniform(shape[:1], seeds, 0, shape[1], "int32", alg="philox")
    return images, tf.gather(texts, chosen, batch_dims=1)


def class_names(dataset: tf.data.Dataset) -> list[str] | dict[str, list[str] | None]:
    """Returns the names of the classes of a data set made by `load` with labels: item k is class k.

    >>> stacked = load("stacked_digits", labels=True, num_examples=64)  # doctest: +SKIP
    >>> class_names(stacked)[123]  # doctest: +SKIP
    '123'

    Args:
        dataset: `tf.data.Dataset` as it was given, before `map` and so on.

    Returns:
        List of strings: the subfolders of a folder, the labels of a CSV file, or the names that
        TensorFlow Datasets has. With `attributes`, a dictionary from the name of each attribute to
        such a list, or None.

    Raises:
        ValueError: If `dataset` does not come straight from `load`, or its classes have no names.
    """
    names = getattr(dataset, _NAMES, None)
    if names is None:
        raise ValueError(
            f"The names of the classes of this data set are not known. Expected a data set of "
            f"images as `keras_gans.data.load` gave it with `labels=True`; ask before calling "
            f"`map`, `take` and so on. Received: {dataset!r}"
        )
    return dict(names) if isinstance(names, Mapping) else list(names)
