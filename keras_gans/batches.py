"""Checks and conversions of training batches."""

import itertools
import math
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gans import checks, text
from keras_gans.data.preprocessing import to_float
from keras_gans.image import range as image_range
from keras_gans.interface import Text
from keras_gans.layers import InstanceNormalization, PixelShuffle, ReflectionPadding2D
from keras_gans.typing import Callee, Classes, Shape


def real_images(data: Any, shape: Shape, owner: str) -> tf.Tensor:
    """Returns the real images of a batch, float32.

    Args:
        data: a batch as Keras passes it: a tensor, or a tuple of one.
        shape: of the generator's images, without the batch.
        owner: name of the GAN's class, for the error.

    Raises:
        ValueError: for a batch of more than images, or images of another shape or of integers
            than the generator's.
    """
    data = _parts(data, "image")
    if len(data) != 1:
        raise ValueError(
            f"{owner} trains on images alone, and each batch has {len(data)} elements. Leave the "
            "others out: `fit(images)`, or for a data set of tuples "
            f"`data.map(lambda images, *others: images)`. Received: {len(data)} elements in a batch"
        )
    (real,) = data
    real = tf.convert_to_tensor(real)
    if real.shape.rank is None or not real.shape[1:].is_compatible_with(shape):
        raise ValueError(
            "The data do not have the shape of the generator's images. Expected "
            f"(batch, {', '.join(map(str, shape))}). Received: shape {tuple(real.shape)}"
        )
    if not real.dtype.is_floating:
        raise ValueError(
            "Images must be floats in [-1, 1]. Convert arrays with `keras_gans.image.from_uint8`, "
            "and in a data set `tf.cast(images, 'float32') / 127.5 - 1.0`. "
            f"Received: {real.dtype.name}"
        )
    return tf.cast(real, "float32")


def labelled_images(data: Any, shape: Shape, owner: str, classes: Classes) -> tuple[tf.Tensor, ...]:
    """Returns the real images and the labels of a batch, float32 and int32.

    Labels may also be columns `(batch, 1)`, as of a pandas Series, or one-hot rows.

    Args:
        data: as for `real_images`, a pair; of several conditions `(images, labels by name)`.
        shape: of the generator's images, without the batch.
        owner: name of the GAN's class, for the error.
        classes: number of classes; or names of conditions to their numbers.

    Returns:
        The images, and the labels; of several conditions, those of each, in the order of `classes`.

    Raises:
        ValueError: as `real_images`; for labels that are missing, no integers, or not one for
            each image, and for names that are missing or not among the conditions. Their range is
            not checked.
    """
    conditions = classes if isinstance(classes, Mapping) else {"labels": classes}
    plain = list(conditions) == ["labels"]
    data = _unpacked(data)
    real, *given = _parts(data, "image", *(["label"] if plain else conditions))
    if isinstance(data, Mapping) and not plain:
        given = [dict(zip(conditions, given))]
    if len(given) != 1:
        pair = "(images, labels)" if plain else f"(images, {{{_listed(conditions)}}})"
        how = "`labels=True`" if plain else f"`attributes={list(conditions)}`"
        raise ValueError(
            f"{owner} trains on pairs `{pair}`. Load them with {how}, or pass "
            f"`fit{pair}`. Received: {1 + len(given)} element(s) in a batch"
        )
    real = real_images(real, shape, owner)
    labels = _by_name(given[0], conditions, owner)
    return real, *(_labels(labels[name], n, real, name) for name, n in conditions.items())


def images_and_texts(
    data: Any, shape: Shape, port: Text, owner: str
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the real images and the numbers of the words of a batch, float32 and int32.

    Args:
        data: as for `real_images`, a pair of images and texts: strings `(batch,)`, or the numbers
            of their words `(batch, max_length)`.
        shape: of the generator's images, without the batch.
        port: the generator's input of texts.
        owner: name of the GAN's class, for the error.

    Raises:
        ValueError: as `real_images`; for texts that are missing, of another type or shape.
        tf.errors.InvalidArgumentError: for strings as `keras_gans.text.in_graph`.
    """
    data = _parts(data, "image", port.name)
    if len(data) != 2:
        raise ValueError(
            f"{owner} trains on pairs `(images, texts)`. Load them with `captions=True`, or pass a "
            "data set of pairs. "
            f"Received: {len(data)} element(s) in a batch"
        )
    real, given = real_images(data[0], shape, owner), tf.convert_to_tensor(data[1])
    fits = given.shape.rank == 1 if given.dtype == tf.string else given.dtype.is_integer
    if fits and given.dtype != tf.string:
        fits = given.shape[1:].is_compatible_with(port.shape) and given.shape.rank == 2
    if not fits or not given.shape[:1].is_compatible_with(real.shape[:1]):
        raise ValueError(
            "There must be one text for each image. Expected strings (batch,), or the numbers of "
            f"their words (batch, {port.max_length}), which `{owner}.tokens` returns. "
            f"Received: {given.dtype.name} of shape {tuple(given.shape)} beside images "
            f"{tuple(real.shape)}"
        )
    if given.dtype == tf.string:
        given = text.in_graph(given, port.vocabulary, port.max_length)
    return real, tf.cast(given, "int32")


def _listed(conditions):
    return ", ".join(f"{name!r}: ..." for name in conditions)


def _by_name(given, conditions, owner):
    """Returns a batch's labels by the names of the conditions; a single one needs no name."""
    if not isinstance(given, Mapping):
        if len(conditions) == 1:
            return dict.fromkeys(conditions, given)
        found = f"labels of the type {type(given).__name__}"
    elif set(given) == set(conditions):
        return given
    else:
        missing = [name for name in conditions if name not in given]
        extra = sorted(set(given) - set(conditions))
        found = f"names {list(given)}; missing: {missing or 'none'}, not known: {extra or 'none'}"
    raise ValueError(
        f"The labels of this {owner} have names. Expected a dictionary with labels for each of "
        f"{list(conditions)}, in any order, and no others: `fit(images, {{{_listed(conditions)}}})`"
        f", or of a data set `data.map(lambda images, labels: (images, {{...}}))`. "
        f"Received: {found}"
    )


def _labels(given, classes, real, name):
    """Returns checked labels of one condition, int32 `(batch,)`."""
    of = "" if name == "labels" else f" for {name!r}"
    given = _class_numbers(tf.convert_to_tensor(given), classes)
    if not given.dtype.is_integer:
        raise ValueError(
            "Labels are integers, the numbers of the classes. Convert numbers with "
            "`tf.cast(labels, 'int32')`, and names with "
            "`names, labels = np.unique(labels, return_inverse=True)`. "
            f"Received: {given.dtype.name}{of}"
        )
    if given.shape.rank != 1 or not given.shape.is_compatible_with(real.shape[:1]):
        raise ValueError(
            "There must be one label for each image. Expected shape (batch,), or one-hot rows "
            f"(batch, {classes}). Received: shape {tuple(given.shape)}{of} beside images "
            f"{tuple(real.shape)}"
        )
    return tf.cast(given, "int32")


def image_pairs(
    data: Any,
    source_shape: Shape,
    target_shape: Shape,
    owner: str,
    loader: str = "load_pairs",
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the sources and the targets of a batch, both float32.

    Args:
        data: as for `real_images`, a pair.
        source_shape: of the generator's inputs, without the batch.
        target_shape: of the generator's outputs, without the batch.
        owner: name of the GAN's class, for the error.
        loader: function of `keras_gans.data` that gives such pairs, for the error.

    Raises:
        ValueError: as `real_images`; for anything but as many sources as targets.
    """
    data = _parts(data)
    if len(data) != 2:
        raise ValueError(
            f"{owner} trains on pairs `(source, target)` of images. Load them with "
            f"`keras_gans.data.{loader}`, or pass `fit(sources, targets)`. "
            f"Received: {len(data)} element(s) in a batch"
        )
    shapes = (source_shape, target_shape)
    source, target = (real_images(part, shape, owner) for part, shape in zip(data, shapes))
    if not source.shape[:1].is_compatible_with(target.shape[:1]):
        raise ValueError(
            "There must be one target for each source. "
            f"Received: {source.shape[0]} sources, {target.shape[0]} targets"
        )
    return source, target


def within(labels: tf.Tensor, low: int, high: int) -> tf.Tensor:
    """Returns the labels of a batch; raises an error unless each is in [low, high].

    The check is part of the graph: on a GPU a label out of range would get an embedding of zeros.
    """
    wrong = f"A label is out of range. Expected {low} to {high}."
    asserted = [
        tf.debugging.assert_greater_equal(labels, low, wrong),
        tf.debugging.assert_less_equal(labels, high, wrong),
    ]
    with tf.control_dependencies([operation for operation in asserted if operation is not None]):
        return tf.identity(labels)


def _class_numbers(given, classes):
    """Returns labels `(batch,)` for columns `(batch, 1)` or one-hot rows; others unchanged.

    In a graph, a row that is not one-hot raises an error at its step.
    """
    if given.shape.rank != 2 or given.shape[1] not in (1, classes) or given.dtype == tf.string:
        return given
    if given.shape[1] == 1:
        return given[:, 0]
    numbers = tf.argmax(given, axis=1, output_type="int32")
    one_hot = tf.reduce_all(given == tf.one_hot(numbers, classes, dtype=given.dtype))
    wrong = f"Labels in rows must be one-hot: a 1 for the class, among {classes}, and zeros."
    if tf.executing_eagerly():
        if not one_hot:
            raise ValueError(f"{wrong} Received: rows such as {given[0].numpy().tolist()}")
        return numbers
    with tf.control_dependencies([tf.debugging.Assert(one_hot, [wrong])]):
        return tf.identity(numbers)


def _parts(data, *names):
    """Returns the elements of a batch as a list. Keras packs arrays as (x,) or (x, None, None).

    From a dictionary it takes these names, which are those of TensorFlow Datasets' features.
    """
    data = _unpacked(data)
    if isinstance(data, dict):
        if not names or not set(names) <= set(data):
            wanted = " and ".join(map(repr, names)) or "a pair of images, not a dictionary"
            raise ValueError(
                f"A batch is a dictionary that lacks the training data. Expected {wanted}. Convert "
                "it: `data.map(lambda batch: batch[name])`, or a tuple of several. "
                f"Received: a dictionary of {sorted(data)}"
            )
        found = [data[name] for name in names]
        if tf.as_dtype(found[0].dtype) == tf.uint8:
            found[0] = to_float(found[0])
        return found
    return (
        [part for part in data if part is not None] if isinstance(data, (tuple, list)) else [data]
    )


def _unpacked(data):
    """A batch; of a tuple with one dictionary, the dictionary."""
    single = isinstance(data, (tuple, list)) and len(data) == 1 and isinstance(data[0], dict)
    return data[0] if single else data


def require_range(real: tf.Tensor) -> None:
    """Raises ValueError unless values are finite and those of images in [-1, 1].

    Vectors may have any range: a generator of points does not end in tanh.
    """
    low, high = float(tf.reduce_min(real)), float(tf.reduce_max(real))
    finite = math.isfinite(low) and math.isfinite(high)
    if not finite or (len(real.shape) == 4 and not (low >= -1.001 and high <= 1.001)):
        raise ValueError(
            "The data are out of range. Expected finite values, and images in [-1, 1]. Convert "
            "0 to 255 by `images / 127.5 - 1.0`. "
            f"Received: values from {low:.6g} to {high:.6g}"
        )


def check_range(images: tf.Tensor) -> None:
    """As `require_range`, and warns if images seem to be in [0, 1]."""
    require_range(images)
    warn_of_half_range(images)


def warn_of_half_range(images: tf.Tensor) -> None:
    """Warns if values of a batch of images look like those of [0, 1]."""
    if len(images.shape) == 4:
        low, high = float(tf.reduce_min(images)), float(tf.reduce_max(images))
        image_range.warn_of_half_range(low, high, stacklevel=4)


def in_parts(
    call: Callable[[int, list[tf.Tensor]], tf.Tensor], inputs: Sequence[np.ndarray], batch_size: int
) -> np.ndarray:
    """Returns a network's outputs for arrays, batch by batch, as one float32 NumPy array.

    Not by `predict`, which all workers of a strategy would have to call together.

    Args:
        call: takes the index of a batch's first example and a list of the batch of each input, and
            returns a tensor.
        inputs: arrays of the same length.
        batch_size: length of a batch.
    """
    made = []
    for start in range(0, len(inputs[0]), checks.count("batch_size", batch_size)):
        part = [tf.convert_to_tensor(array[start : start + batch_size]) for array in inputs]
        made.append(np.asarray(call(start, part)))
    return np.concatenate(made).astype("float32")


# Layers that process each example independently, without state that a call changes.
_EACH_EXAMPLE = (
    keras.layers.InputLayer,
    keras.layers.Dense,
    keras.layers.Conv2D,
    keras.layers.Conv2DTranspose,
    keras.layers.UpSampling2D,
    keras.layers.ZeroPadding2D,
    keras.layers.Cropping2D,
    keras.layers.Flatten,
    keras.layers.Reshape,
    keras.layers.Activation,
    keras.layers.ReLU,
    keras.layers.LeakyReLU,
    keras.layers.Add,
    keras.layers.Concatenate,
    InstanceNormalization,
    PixelShuffle,
    ReflectionPadding2D,
)


def in_one_pass(network: Callee, *batches: tf.Tensor) -> list[tf.Tensor]:
    """Returns a network's training outputs for several batches of one shape, as a list.

    If every layer is known to process each example independently, the batches are concatenated,
    which is faster; otherwise, as with batch normalisation, they pass one after another. Gradients
    then have fewer terms, which TensorFlow adds in any order: a sum of three is not bit for bit
    the same every time.
    """
    if all(isinstance(x, _EACH_EXAMPLE) for x in getattr(network, "operations", [network])):
        return tf.split(network(tf.concat(batches, axis=0), training=True), len(batches))
    return [network(batch, training=True) for batch in batches]


def require_parts(batch: tf.Tensor, parts: int, name: str) -> None:
    """Raises ValueError if a batch of known size does not split into equal parts."""
    if batch.shape[0] is not None and batch.shape[0] % parts:
        raise ValueError(
            f"The batch (of each replica) does not split into `{name}` equal parts. Choose a "
            f"batch size that is a multiple of {parts}. "
            f"Received: a batch of {batch.shape[0]}, {name}={parts}"
        )


def split(batch: tf.Tensor, parts: int, name: str) -> list[tf.Tensor]:
    """Splits a batch into equal parts.

    A last batch of an epoch that does not split evenly is padded with its own first examples. In a
    graph for batches of a fixed size this is an error.
    """
    if not tf.executing_eagerly():
        require_parts(batch, parts, name)
    if parts > 1 and (batch.shape[0] is None or batch.shape[0] % parts):
        number = tf.shape(batch)[0]
        batch = tf.gather(batch, tf.range(-(-number // parts) * parts) % number)
    return tf.split(batch, parts)


def look(x: Any, y: Any, batch_size: int | None) -> tuple[list, Any]:
    """Returns the first batch of the data of `fit`, and data that still begin with this batch.

    Returns:
        `(batches, x)`: a list of the first batch, and of a smaller last one if that is known;
        empty for data that can only be read in training. `x` is the data to train on.

    Raises:
        ValueError: for data without a batch.
    """
    if isinstance(x, tf.data.Dataset):
        batch, x = _begun(x)
        return [batch], x
    if isinstance(x, keras.utils.PyDataset):
        return [x[0]], x
    if isinstance(x, types.GeneratorType):
        batch = next(x, None)
        if batch is None:
            raise ValueError(_EMPTY + f"Received: {x}")
        return [batch], (batch for batch in itertools.chain([batch], x))
    data = x if y is None else (x, y)
    arrays = keras.tree.flatten(data)
    if not all(hasattr(array, "shape") and hasattr(array, "__array__") for array in arrays):
        return [], x  # of another library: its shapes are checked when traced
    if not len(arrays[0]):
        raise ValueError(_EMPTY + f"Received: shape {tuple(arrays[0].shape)}")
    size = batch_size or 32
    last = (len(arrays[0]) - 1) // size * size
    parts = [slice(0, size)] + [slice(last, None)] * bool(last)
    return [
        keras.tree.map_structure(lambda array, part=part: np.asarray(array)[part], data)
        for part in parts
    ], x


_EMPTY = "There is nothing to train on. Expected at least one batch. "


def _begun(data):
    """Returns the first batch of a data set, and a data set that continues this iteration.

    Starting an iteration changes the state of a data set: the seeds of its shuffles, and the number
    of its epoch. So the iteration of the first batch is also the first to train on.
    """
    iterator = iter(data)
    batch = next(iterator, None)
    if batch is None:
        raise ValueError(_EMPTY + f"Received: {data}")

    def go_on(_):
        return iterator.get_next_as_optional()

    def is_there(optional):
        return optional.has_value()

    def value(optional):
        return optional.get_value()

    rest = tf.data.Dataset.counter().map(go_on).take_while(is_there).map(value)
    begun = tf.data.Dataset.from_tensors(batch).concatenate(rest)
    numbers = iter(tf.data.Dataset.counter())  # of the iterations: the first one continues

    def iteration(_):
        first = tf.cast(numbers.get_next() == 0, "int64")  # to take -1 is to take all
        return begun.take(-first).concatenate(data.take(first - 1))

    whole = tf.data.Dataset.from_tensors(0).flat_map(iteration)
    if (length := data.cardinality()) != tf.data.UNKNOWN_CARDINALITY:
        whole = whole.apply(tf.data.experimental.assert_cardinality(length))
    numpy = keras.tree.map_structure(np.asarray, batch)
    return numpy, whole.with_options(data.options())
