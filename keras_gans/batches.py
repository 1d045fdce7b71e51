"""What may come into a training, and what is said of what may not."""

import itertools
import math
import types

import keras
import numpy as np
import tensorflow as tf

from keras_gans import checks
from keras_gans.image import range as image_range
from keras_gans.layers import InstanceNormalization, ReflectionPadding2D


def real_images(data, shape, owner):
    """The real images of a batch, float32.

    Args:
        data: a batch as Keras hands it over: a tensor, or a tuple that holds one.
        shape: of one of the generator's images.
        owner: name of the class that takes them, for the message.

    Raises:
        ValueError: for anything the generator could not have made: other parts beside the images,
            another rank or size, integers.
    """
    data = _parts(data, "image")
    if len(data) != 1:
        raise ValueError(
            f"{owner} trains on images alone, and each batch holds {len(data)} things. Leave the "
            "others out: `fit(images)`, or of a data set of tuples "
            f"`data.map(lambda images, *others: images)`. Received: {len(data)} things in a batch"
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


def labelled_images(data, shape, owner, classes):
    """The real images and the labels of a batch, float32 and int32.

    Labels may also be columns `(batch, 1)`, as a pandas Series becomes, or one-hot rows.

    Args:
        data: as for `real_images`, a pair.
        shape: of one of the generator's images.
        owner: name of the class that takes them, for the message.
        classes: how many classes there are.

    Raises:
        ValueError: as `real_images`; for labels that are missing, no integers, or not one for
            each image. Their range is not looked at.
    """
    data = _parts(data, "image", "label")
    if len(data) != 2:
        raise ValueError(
            f"{owner} trains on pairs `(images, labels)`. Load them with `labels=True`, or pass "
            f"`fit(images, labels)`. Received: {len(data)} thing(s) in a batch"
        )
    real, given = real_images(data[0], shape, owner), tf.convert_to_tensor(data[1])
    given = _class_numbers(given, classes)
    if not given.dtype.is_integer:
        raise ValueError(
            "Labels are integers, the numbers of the classes. Convert numbers with "
            "`tf.cast(labels, 'int32')`, and names with "
            "`names, labels = np.unique(labels, return_inverse=True)`. "
            f"Received: {given.dtype.name}"
        )
    if given.shape.rank != 1 or not given.shape.is_compatible_with(real.shape[:1]):
        raise ValueError(
            "There must be one label for each image. Expected shape (batch,), or one-hot rows "
            f"(batch, {classes}). Received: shape {tuple(given.shape)} beside images "
            f"{tuple(real.shape)}"
        )
    return real, tf.cast(given, "int32")


def image_pairs(data, source_shape, target_shape, owner):
    """The sources and the targets of a batch, both float32.

    Args:
        data: as for `real_images`, a pair.
        source_shape: of one of the images that the generator takes.
        target_shape: of one of the images that it makes.
        owner: name of the class that takes them, for the message.

    Raises:
        ValueError: as `real_images`; for anything but a pair of as many images.
    """
    data = _parts(data)
    if len(data) != 2:
        raise ValueError(
            f"{owner} trains on pairs `(source, target)` of images. Load them with "
            "`keras_gans.data.load_pairs`, or pass `fit(sources, targets)`. "
            f"Received: {len(data)} thing(s) in a batch"
        )
    shapes = (source_shape, target_shape)
    source, target = (real_images(part, shape, owner) for part, shape in zip(data, shapes))
    if not source.shape[:1].is_compatible_with(target.shape[:1]):
        raise ValueError(
            "There must be one target for each source. "
            f"Received: {source.shape[0]} sources, {target.shape[0]} targets"
        )
    return source, target


def within(labels, low, high):
    """The labels of a batch, which stop the step unless each is in [low, high].

    In the graph: a graphics card looks a wrong label up, and finds zeros.
    """
    wrong = f"A label is out of range. Expected {low} to {high}."
    asserted = [
        tf.debugging.assert_greater_equal(labels, low, wrong),
        tf.debugging.assert_less_equal(labels, high, wrong),
    ]
    with tf.control_dependencies([operation for operation in asserted if operation is not None]):
        return tf.identity(labels)


def _class_numbers(given, classes):
    """Labels `(batch,)` of columns `(batch, 1)` or one-hot rows; others as they are.

    In the graph a row that is not one-hot stops the step.
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
    """What a batch holds, as a list. Keras packs arrays as (x,) or (x, None, None).

    Of a dictionary, what these names say, as the features of TensorFlow Datasets are called.
    """
    if isinstance(data, (tuple, list)) and len(data) == 1 and isinstance(data[0], dict):
        (data,) = data
    if isinstance(data, dict):
        if not names or not set(names) <= set(data):
            wanted = " and ".join(map(repr, names)) or "a pair of images, no dictionary"
            raise ValueError(
                f"A batch is a dictionary without what is trained on. Expected {wanted}. Make "
                "tensors of it: `data.map(lambda batch: batch[name])`, or a tuple of several. "
                f"Received: a dictionary of {sorted(data)}"
            )
        found = [data[name] for name in names]
        if tf.as_dtype(found[0].dtype) == tf.uint8:
            found[0] = tf.cast(found[0], "float32") / 127.5 - 1.0
        return found
    return (
        [part for part in data if part is not None] if isinstance(data, (tuple, list)) else [data]
    )


def require_range(real):
    """Raises ValueError unless values are finite and those of images in [-1, 1].

    Vectors have no range: a generator of points does not end in tanh.
    """
    low, high = float(tf.reduce_min(real)), float(tf.reduce_max(real))
    finite = math.isfinite(low) and math.isfinite(high)
    if not finite or (len(real.shape) == 4 and not (low >= -1.001 and high <= 1.001)):
        raise ValueError(
            "The data are out of range. Expected finite values, images in [-1, 1]. Of 0 to 255 "
            "make `images / 127.5 - 1.0`. "
            f"Received: values from {low:.6g} to {high:.6g}"
        )


def check_range(images):
    """As `require_range`, and warns if images look like values in [0, 1]."""
    require_range(images)
    warn_of_half_range(images)


def warn_of_half_range(images):
    """Warns if no value of a batch of images is negative."""
    if len(images.shape) == 4:
        low, high = float(tf.reduce_min(images)), float(tf.reduce_max(images))
        image_range.warn_of_half_range(low, high, stacklevel=4)


def in_parts(call, inputs, batch_size):
    """What a network makes of whole arrays, part by part, as one float32 NumPy array.

    Not `predict`, which all workers of a strategy would have to call together.

    Args:
        call: from where a part begins, and the list of it of every input, to a tensor.
        inputs: arrays of one length.
        batch_size: length of a part.
    """
    made = []
    for start in range(0, len(inputs[0]), checks.count("batch_size", batch_size)):
        part = [tf.convert_to_tensor(array[start : start + batch_size]) for array in inputs]
        made.append(np.asarray(call(start, part)))
    return np.concatenate(made).astype("float32")


# Layers that treat each example by itself, and hold no state that a call moves.
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
    ReflectionPadding2D,
)


def in_one_pass(network, *batches):
    """What a network makes, in training, of several batches of one shape: a list.

    They pass together, which is faster, where every layer is known to treat each example by
    itself; else, as with batch normalisation, one after another. A gradient then has fewer parts,
    which TensorFlow adds up in any order: the sum of three is not the same bits every time.
    """
    if all(isinstance(x, _EACH_EXAMPLE) for x in getattr(network, "operations", [network])):
        return tf.split(network(tf.concat(batches, axis=0), training=True), len(batches))
    return [network(batch, training=True) for batch in batches]


def require_parts(batch, parts, name):
    """Raises ValueError if the known size of a batch does not divide into so many parts."""
    if batch.shape[0] is not None and batch.shape[0] % parts:
        raise ValueError(
            f"The batch (of each replica) does not divide into `{name}` equal ones. Choose a "
            f"batch size that is a multiple of {parts}. "
            f"Received: a batch of {batch.shape[0]}, {name}={parts}"
        )


def split(batch, parts, name):
    """Cuts a batch into equal ones.

    The last batch of an epoch, whose size is not known before, is filled up with its own first
    examples if it does not divide. A graph for batches of one size that does not is an error.
    """
    if not tf.executing_eagerly():
        require_parts(batch, parts, name)
    if parts > 1 and (batch.shape[0] is None or batch.shape[0] % parts):
        number = tf.shape(batch)[0]
        batch = tf.gather(batch, tf.range(-(-number // parts) * parts) % number)
    return tf.split(batch, parts)


def look(x, y, batch_size):
    """The first batch of what `fit` is given, and the data with that batch still to come.

    Returns:
        `(batches, x)`: a list of the first batch, followed by a smaller last one where that is
        known; empty for data that can only be read in training. `x` is to be trained on.

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
        return [], x  # another library's: its shapes are checked when traced
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
    """The first batch of a data set, and a data set that goes on from there.

    To begin an iteration moves on what a data set keeps: the seeds of its shuffles, and the number
    of its epoch. So the iteration that gave the first batch is also the first to train on.
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
    numbers = iter(tf.data.Dataset.counter())  # of the iterations: the first goes on

    def iteration(_):
        first = tf.cast(numbers.get_next() == 0, "int64")  # to take -1 is to take all
        return begun.take(-first).concatenate(data.take(first - 1))

    whole = tf.data.Dataset.from_tensors(0).flat_map(iteration)
    if (length := data.cardinality()) != tf.data.UNKNOWN_CARDINALITY:
        whole = whole.apply(tf.data.experimental.assert_cardinality(length))
    numpy = keras.tree.map_structure(np.asarray, batch)
    return numpy, whole.with_options(data.options())
