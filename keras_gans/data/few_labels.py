"""Batches for semi-supervised learning: few examples have a label, and those come often."""

import numpy as np
import tensorflow as tf


def choose(examples, per_class):
    """The first examples of each class, which keep their label.

    Args:
        examples: Data set of pairs `(image, class)`.
        per_class: How many of each class.

    Returns:
        NumPy arrays of images and of `int32` classes.

    Raises:
        ValueError: If a class has fewer.
    """
    images, classes, seen = [], [], {}
    batches = examples.batch(500).as_numpy_iterator()  # of which Python sees few
    for image, label in (pair for batch in batches for pair in zip(*batch)):
        seen[int(label)] = seen.get(int(label), 0) + 1
        if seen[int(label)] <= per_class:
            images.append(image)
            classes.append(label)
    scarce = {label: count for label, count in sorted(seen.items()) if count < per_class}
    if scarce:
        raise ValueError(
            f"A class has fewer examples than are to keep their label. Expected `labels_per_class` "
            f"of at most {min(scarce.values())}. "
            f"Received: labels_per_class={per_class}, class {next(iter(scarce))} has "
            f"{next(iter(scarce.values()))}"
        )
    return np.stack(images), np.array(classes, "int32")


def hide(image, label):
    """A pair without its label: -1 stands for none."""
    return image, tf.fill(tf.shape(label), -1)


def interleave(batches, few, seed, epoch):
    """Puts one example with a label before each of a batch's examples.

    Args:
        batches: Data set of batches of pairs without labels.
        few: What `choose` returns; drawn from evenly, again and again.
        seed: Integer.
        epoch: Number of the epoch, which with `seed` fixes the draw.

    Returns:
        Data set of batches twice as large: labelled, unlabelled, labelled, and so on.
    """
    images, classes = few

    def mix(number, batch):
        state = tf.random.fold_in(tf.stack([tf.cast(seed, "int64"), epoch]), number)
        chosen = tf.random.stateless_uniform(
            tf.shape(batch[1]), state, 0, len(classes), "int32", alg="philox"
        )

        def pairs(labelled, unlabelled):
            mixed = tf.stack([tf.gather(labelled, chosen), unlabelled], axis=1)
            return tf.reshape(mixed, tf.concat([[-1], tf.shape(unlabelled)[1:]], 0))

        return pairs(images, batch[0]), pairs(classes, batch[1])

    shapes = [(2 * spec.shape[0], *spec.shape[1:]) for spec in batches.element_spec]
    return (
        batches.enumerate()
        .map(mix)
        .map(lambda *pair: tuple(tf.ensure_shape(part, shape) for part, shape in zip(pair, shapes)))
    )
