"""Epochs: their order, how a training resumes at one, and their batches.

The examples of an epoch depend on a seed and the number of the epoch alone.
"""

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from keras_gans.data import preprocessing

# Sets up to this size are kept in memory, decoded, as uint8.
_CACHE_BYTES = 2**30

# Larger sets are shuffled through a buffer of this size. Their files were already shuffled when
# they were written.
_BUFFER_BYTES = 2**28

_STEPS = "_keras_gans_steps_per_epoch"

# From the number of an epoch, a scalar `int64` tensor, to its examples or batches.
Epoch = Callable[[tf.Tensor], tf.data.Dataset]


def steps_per_epoch(dataset: tf.data.Dataset) -> int:
    """Returns the number of batches in an epoch of a data set made by `load` or `load_pairs`.

    Keras needs it for an endless one:

    >>> from keras_gans import data
    >>> points = data.load("normal", batch_size=100, first_epoch=7)
    >>> data.steps_per_epoch(points)
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


def cached(examples: tf.data.Dataset, least: int = 1) -> tuple[tf.data.Dataset, int]:
    """Keeps a set in memory if it fits.

    Args:
        examples: `tf.data.Dataset` of known cardinality.
        least: The smallest size of the buffer.

    Returns:
        The set, to be read by all epochs and all iterators, and the size of the buffer that is to
        shuffle it.
    """
    count = int(examples.cardinality())
    size = sum(
        spec.shape.num_elements() * spec.dtype.size
        for spec in tf.nest.flatten(examples.element_spec)
    )
    if count * size <= _CACHE_BYTES:
        return examples.cache(), count
    return examples, min(count, max(least, _BUFFER_BYTES // size))


def shuffled(
    examples: tf.data.Dataset, buffer: int, seed: int, number: tf.Tensor
) -> tf.data.Dataset:
    """Returns the examples in an order that depends on `seed` and `number` alone.

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


def numbered_epochs(
    epoch: Epoch, count: int, batch_size: int, first_epoch: int | None, drop_remainder: bool
) -> tf.data.Dataset:
    """Puts epochs one after the other, each made from its number.

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


def stored(
    domains: Sequence[tf.data.Dataset],
    paired: bool,
    size: tuple[int, int],
    augment: bool,
    shuffle: bool,
    seed: int,
) -> tuple[Epoch, int]:
    """Makes epochs of pairs from stored images.

    Args:
        domains: One data set of tuples `(a, b)`, or one of tuples `(image,)` for each domain.
        paired: Whether pairs stay aligned; False gives each domain an order of its own.
        size: Height and width of the images.
        augment: Whether they are cropped and flipped at random.
        shuffle: Whether every epoch has an order of its own.
        seed: Integer.

    Returns:
        Function from an epoch's number to its pairs, and the length of an epoch.
    """
    if len(domains) == 1 and not paired:
        a = domains[0].map(lambda a, b: (a,))
        b = domains[0].map(lambda a, b: (b,))
        if not shuffle:
            # In one order they would be aligned.
            half = len(b) // 2
            b = b.skip(half).concatenate(b.take(half))
        domains = [a, b]
    count = max(len(domain) for domain in domains)
    of_domains = [
        _passes(domain, count, index, size, augment, shuffle, seed)
        for index, domain in enumerate(domains)
    ]
    if len(of_domains) == 1:
        return of_domains[0], count

    def order(number):
        both = tf.data.Dataset.zip(tuple(epoch(number) for epoch in of_domains))
        return both.map(lambda a, b: (a[0], b[0]))

    return order, count


def _passes(examples, length, domain, size, augment, shuffle, seed):
    """Makes epochs of `length` examples: as many passes over the data as that takes."""
    passes = -(-length // len(examples))
    examples, buffer = cached(examples.enumerate())

    def one_pass(number):
        number = 2 * number + domain  # Each domain has numbers of its own.
        data = shuffled(examples, buffer, seed, number) if shuffle else examples

        def finish(index, images):
            if not augment:
                return images
            return preprocessing.jitter(images, size, seeds(seed, number, index))

        return data.map(finish, num_parallel_calls=tf.data.AUTOTUNE)

    def order(number):
        numbers = tf.data.Dataset.range(number * passes, (number + 1) * passes)
        return numbers.flat_map(one_pass).take(length)

    return order


def seeds(seed: int, number: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
    """Returns two integers for one example of one epoch."""
    both = tf.stack([tf.constant(seed, tf.int64), tf.cast(number, tf.int64)])
    return tf.random.fold_in(both, index, alg="philox")
