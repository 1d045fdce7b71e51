"""What may come into a training, and what is said of what may not."""

import math

import keras
import numpy as np
import tensorflow as tf

from keras_gans import checks
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
    data = _parts(data)
    if not isinstance(data, list) or len(data) != 1:
        raise ValueError(
            f"{owner} trains on images alone, and each batch holds {len(data)} things. Drop the "
            "labels: `data.map(lambda image, label: image)`. "
            f"Received: {type(data).__name__} of length {len(data)}"
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
            "Images must be floats in [-1, 1]. Convert them with "
            f"`keras_gans.image.from_uint8`. Received: {real.dtype.name}"
        )
    return tf.cast(real, "float32")


def labelled_images(data, shape, owner):
    """The real images and the labels of a batch, float32 and int32.

    Args:
        data: as for `real_images`, a pair.
        shape: of one of the generator's images.
        owner: name of the class that takes them, for the message.

    Raises:
        ValueError: as `real_images`; for labels that are missing, no integers, or not one for
            each image. Their range is not looked at.
    """
    data = _parts(data)
    if not isinstance(data, list) or len(data) != 2:
        raise ValueError(
            f"{owner} trains on pairs `(images, labels)`. Load them with `labels=True`, or pass "
            f"`fit(images, labels)`. Received: {len(data)} thing(s) in a batch"
        )
    real, given = real_images(data[0], shape, owner), tf.convert_to_tensor(data[1])
    if not given.dtype.is_integer:
        raise ValueError(
            "Labels are integers, the numbers of the classes. Convert them with "
            f"`tf.cast(labels, 'int32')`. Received: {given.dtype.name}"
        )
    if given.shape.rank != 1 or not given.shape.is_compatible_with(real.shape[:1]):
        raise ValueError(
            "There must be one label for each image. Expected shape (batch,); of one-hot rows "
            f"take `tf.argmax(labels, axis=1)`. Received: shape {tuple(given.shape)} beside "
            f"images {tuple(real.shape)}"
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
    if not isinstance(data, list) or len(data) != 2:
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


def _parts(data):
    """What a batch holds, as a list. Keras packs arrays as (x,) or (x, None, None)."""
    if isinstance(data, dict):
        return data
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
            "The data are out of range. Expected finite values, images in [-1, 1] "
            "(`keras_gans.image.from_uint8` converts 0 to 255). "
            f"Received: values from {low:.6g} to {high:.6g}"
        )


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


def split(batch, parts, name):
    """Cuts a batch into equal ones. Raises ValueError if it does not divide."""
    if batch.shape[0] is not None and batch.shape[0] % parts:
        raise ValueError(
            f"The batch (of each replica) does not divide into `{name}` equal ones. Choose a "
            f"batch size that is a multiple of {parts}, and drop the remainder of an epoch. "
            f"Received: a batch of {batch.shape[0]}, {name}={parts}"
        )
    return tf.split(batch, parts)


def sample(x, y, batch_size):
    """The first batch of what `fit` is given, and the last one where its size is known."""
    if isinstance(x, tf.data.Dataset):
        return list(x.take(1).as_numpy_iterator())
    if isinstance(x, keras.utils.PyDataset):
        return [x[0]]
    if isinstance(x, (np.ndarray, tf.Tensor)):
        size = batch_size or 32
        last = (len(x) - 1) // size * size
        batches = [x[:size], x[last:]] if last else [x]
        return batches if y is None else [(batch, y[: len(batch)]) for batch in batches]
    return []  # generators can be read only once: their shapes are checked when traced
