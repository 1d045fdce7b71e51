"""From a prepared builder of TensorFlow Datasets to the examples of a request."""

import functools
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from keras_gans.data import epochs, preprocessing
from keras_gans.data.sources.registry import Examples, Request
from keras_gans.names import did_you_mean

if TYPE_CHECKING:
    import tensorflow_datasets as tfds


def images(builder: "tfds.core.DatasetBuilder", request: Request) -> Examples:
    """Reads the images that a `Request` of `load` asks for, and the names of their classes.

    Args:
        builder: A prepared builder with the feature `image`, or another one of images that its
            `supervised_keys` name; and a feature of one integer for each label.
        request: The `Request`.

    Returns:
        Data set of `uint8` images of one static shape, or of pairs with `int32` classes or with a
        dictionary of those; and a list, a dictionary of lists, or None.
    """
    import tensorflow_datasets as tfds

    labels, channels, image_size = request.labels, request.channels, request.image_size
    features, config = builder.info.features, builder.builder_config
    features = dict(features.items()) if isinstance(features, tfds.features.FeaturesDict) else {}
    names = getattr(config, "classes", None)  # of a folder, whose `labels` may be a path
    image_key, label_key = _keys(builder, features, labels if names is None else bool(labels))
    chosen = _attributes(builder, features, request.attributes) if request.attributes else {}
    data = first(read_split(builder, request.split), request.num_examples)
    shape, dtype = features[image_key].shape, features[image_key].np_dtype
    if len(shape) != 3 or dtype not in (np.uint8, np.uint16):
        raise ValueError(
            f"The images of {builder.name!r} cannot be used. Expected uint8 or uint16 images of "
            f"shape (height, width, channels). Received: shape={shape}, dtype={dtype}"
        )
    if image_size is None and None in shape[:2] and not request.own_size:
        raise ValueError(
            f"The images of {builder.name!r} are not all of one size. Expected `image_size`, in "
            f"pixels. Received: image_size=None"
        )
    height, width = shape[:2] if request.own_size else image_size or shape[:2]
    of_bits = names is None and _is_of_bits(data, image_key)

    def convert(example):
        image = example[image_key]
        if of_bits:
            image *= 255
        image = preprocessing.with_channels(preprocessing.to_8_bits(image), channels)
        if shape[:2] != (height, width):
            image = preprocessing.covering(image, (height, width))
        image = tf.ensure_shape(image, (height, width, channels or shape[-1]))
        if chosen:
            found = {
                name: functools.reduce(dict.__getitem__, path, example) for name, path in paths
            }
            return image, {name: tf.cast(value, tf.int32) for name, value in found.items()}
        return (image, tf.cast(example[label_key], tf.int32)) if labels else image

    paths = [(name, path) for name, (path, _) in chosen.items()]
    if chosen:
        names = {name: getattr(feature, "names", None) for name, (_, feature) in chosen.items()}
    elif labels and names is None:
        names = getattr(features[label_key], "names", None)
    return data.map(convert, num_parallel_calls=tf.data.AUTOTUNE), names


def _attributes(builder, features, wanted):
    """Of each attribute, where it is in an example, and its feature.

    Attributes are the features of one integer or truth value, and those in a feature `attributes`,
    as "celeb_a" has them.
    """
    inner = features.get("attributes")
    places = {name: ((name,), feature) for name, feature in features.items()}
    if hasattr(inner, "items"):
        places |= {name: (("attributes", name), feature) for name, feature in inner.items()}
    known = {name: place for name, place in places.items() if _is_whole(place[1])}
    if not known:
        raise ValueError(
            f"{builder.name!r} has no attributes. Expected a data set with a feature of one "
            f"integer for each, such as 'avatars'. Received: features {sorted(features)}"
        )
    if wanted is True:
        return known
    require_attributes(builder.name, wanted, known)
    return {name: known[name] for name in wanted}


def require_attributes(data_set: str, wanted: Iterable[str], known: Iterable[str]) -> None:
    """Raises ValueError, with the nearest names, for an attribute that a data set does not have."""
    wanted, known = list(wanted), list(known)
    for name in wanted:
        if name not in known:
            raise ValueError(
                f"{data_set!r} has no attribute of that name.{did_you_mean(str(name), known)} "
                f"Expected some of {known}. Received: attributes={wanted!r}"
            )


def _is_whole(feature):
    return feature.shape == () and np.dtype(feature.np_dtype).kind in "iub"


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
    suitable = [name for name, feature in features.items() if _is_whole(feature)]
    if labels is True:
        labels = "label" if "label" in features else supervised[1]
        if labels not in suitable:
            hint = f" Or name one of {suitable} by `labels`." if suitable else ""
            raise no_labels(builder.name, hint)
    elif labels not in suitable:
        raise ValueError(
            f"{builder.name!r} has no classes of that name.{did_you_mean(labels, suitable)} "
            f"Expected a feature of one integer: {suitable}. Received: labels={labels!r}"
        )
    return image, labels


def read_split(builder: "tfds.core.DatasetBuilder", split: str) -> tf.data.Dataset:
    """Returns the examples of a prepared builder, in the order on disk.

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


def first(examples: tf.data.Dataset, num_examples: int | None) -> tf.data.Dataset:
    """Returns the first so many examples of a set; None means all.

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


def no_labels(name: str, hint: str = "") -> ValueError:
    """Returns the error of classes that a data set does not have."""
    return ValueError(
        f"{name!r} has no classes. Expected `labels=False`, or a data set with classes; those of "
        f"a folder are its subfolders, and every image must be in one, or the path of a CSV file "
        f"is given by `labels`.{hint} Received: labels=True"
    )


def no_split(
    builder: "tfds.core.DatasetBuilder", split: str, sizes: Mapping[str, int] | None = None
) -> ValueError:
    """Returns the error of an unknown split; `sizes` are the numbers of examples by split."""
    if sizes is None:
        sizes = {name: info.num_examples for name, info in builder.info.splits.items()}
    return ValueError(
        f"{builder.name!r} has no such split, or it is empty. Expected one of {list(sizes)} "
        f"(examples: {sizes}), or a part such as 'train[:80%]'. Received: split={split!r}"
    )


def pairs(builder: "tfds.core.DatasetBuilder", request: Request) -> tuple[epochs.Epoch, int]:
    """Makes the epochs of pairs that a `Request` of `load_pairs` asks for.

    Args:
        builder: A prepared builder with the features `a` and `b` in every split, or the feature
            `image` in splits whose names end in A and in B.
        request: The `Request`.

    Returns:
        Function from an epoch's number to its pairs of `uint8` images, and the length of an epoch.
    """
    size, augment = request.image_size, request.augment
    domains = _domains(builder, request)
    return epochs.stored(domains, request.paired, size, augment, request.shuffle, request.seed)


def _domains(builder, request):
    """The `uint8` images of a split: one data set of pairs, or one data set for each domain."""
    split, num_examples = request.split, request.num_examples
    if {"a", "b"} <= set(builder.info.features or ()):
        data = first(read_split(builder, split), num_examples)
        return [_converted(data, "ab", request)]
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
    if request.paired:
        raise ValueError(
            f"The two domains of {builder.name!r} are not paired. Expected `paired=False`. "
            f"Received: paired={request.paired!r}"
        )
    domains = []
    for domain in "AB":
        # "train[:50%]" is "trainA[:50%]".
        part = re.sub(r"(^|(?<=\+))\w+", rf"\g<0>{domain}", str(split))
        try:
            data = read_split(builder, part)
        except ValueError as error:
            raise no_split(builder, split, both) from error
        data = first(data, num_examples)
        domains.append(_converted(data, ["image"], request))
    return domains


def _converted(data, keys, request):
    size, channels = request.stored_size, request.channels

    def convert(example):
        images = [preprocessing.with_channels(example[key], channels) for key in keys]
        for number, image in enumerate(images):
            if image.shape[:2] != size:
                image = preprocessing.resized(image, size)
            images[number] = tf.ensure_shape(image, (*size, channels))
        return tuple(images)

    return data.map(convert, num_parallel_calls=tf.data.AUTOTUNE)
