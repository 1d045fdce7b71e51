"""Nearest neighbours, and a test for generators that copy their training set."""

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import ArrayLike

from keras_gans import checks

# How many rows of distances, and how many references, are computed at a time.
_ROWS, _REFERENCES = 256, 2048


def squared_distances(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Squared Euclidean distances between vectors, some rows of `x` at a time, in float64.

    `|x|^2 - 2 x . y + |y|^2` is one matrix product, which is fast but loses digits of small
    distances: that of equal vectors may be +-1e-15 of their squared length.

    >>> [(rows, block.tolist()) for rows, block in squared_distances(np.eye(2), np.zeros((1, 2)))]
    [(slice(0, 2, None), [[1.0], [1.0]])]

    Args:
        x: float64 `(number, features)`.
        y: float64 `(other number, features)`.

    Yields:
        Pairs of a slice of rows of `x`, and a block `(rows, other number)`, which the caller may
        write to. Memory grows with `len(x) + len(y)`, and not with their product.
    """
    x = np.column_stack([x, (x * x).sum(axis=1), np.ones(len(x))])
    y = np.column_stack([-2.0 * y, np.ones(len(y)), (y * y).sum(axis=1)]).T
    for start in range(0, len(x), _ROWS):
        rows = slice(start, min(start + _ROWS, len(x)))
        yield rows, x[rows] @ y


def nearest_neighbors(
    queries: ArrayLike, references: ArrayLike | Iterable[ArrayLike], k: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Finds the nearest references of each query, by Euclidean distance, in float64.

    Images are compared pixel by pixel, which is sensitive to a shift by one pixel: give features of
    a network to find images that look similar.

    >>> distances, indices = nearest_neighbors(np.array([[3.0, 4.0]]), np.zeros((5, 2)) - [[1, 0]])
    >>> distances.tolist(), nearest_neighbors(np.eye(2), np.eye(2)[::-1])[1].tolist()
    ([[5.656854249492381]], [[1], [0]])

    Args:
        queries: `(number, ...)`, vectors or images.
        references: an array `(number, ...)`; or an iterable of such arrays (a `tf.data.Dataset` of
            batches), which is read once and not kept.
        k: number of neighbours.

    Returns:
        Distances and indices, both `(number of queries, k)`, nearest first. An index counts
        all references in order. Among equal distances the choice is arbitrary. Memory grows with
        the number of queries, not with that of the references.

    Raises:
        ValueError: for shapes that differ, values that are not finite, and fewer references than
            `k`.
    """
    checks.count("k", k)
    queries, shape = _vectors(queries, "queries")
    # Around their mean, vectors are shorter, and their differences keep more digits.
    center = queries.mean(axis=0)
    queries = queries - center
    distances = np.full((len(queries), k), np.inf)
    indices = np.full((len(queries), k), -1)
    number = 0
    for batch in [references] if hasattr(references, "shape") else references:
        batch, _ = _vectors(batch, "references", shape)
        for start in range(0, len(batch), _REFERENCES):
            part = batch[start : start + _REFERENCES] - center
            _update_nearest(queries, part, number + start, distances, indices)
        number += len(batch)
    if number < k:
        raise ValueError(
            "There are fewer references than `k` neighbours. Give more, or a smaller `k`. "
            f"Received: {number} references, k={k}"
        )
    return distances, indices


def _update_nearest(queries, references, offset, distances, indices):
    """Updates the nearest references found so far with a few more, in place."""
    k = distances.shape[1]
    for rows, block in squared_distances(queries, references):
        near = min(k, len(references))
        found = np.argpartition(block, near - 1, axis=1)[:, :near]
        # Computed again from differences, which lose no digits: equal vectors are at 0.
        exact = np.stack(
            [np.linalg.norm(queries[rows] - references[column], axis=1) for column in found.T], 1
        )
        both = np.concatenate([distances[rows], exact], axis=1)
        numbers = np.concatenate([indices[rows], found + offset], axis=1)
        order = np.argsort(both, axis=1, kind="stable")[:, :k]
        distances[rows] = np.take_along_axis(both, order, axis=1)
        indices[rows] = np.take_along_axis(numbers, order, axis=1)


@dataclasses.dataclass(frozen=True)
class Memorization:
    """Result of `memorization_score`.

    Attributes:
        ratio: median over the queries of the distance to the nearest training image, divided by
            that to the nearest held-out one. About 1 without memorization; 0 for copies.
        share: fraction of the queries that are nearer to a training image than to any held-out
            one; equal distances count half. About 0.5 without memorization; 1 for copies.
        number: of images in each of the two sets, after the larger one was reduced.
    """

    ratio: float
    share: float
    number: int


def memorization_score(
    queries: ArrayLike, training: ArrayLike, held_out: ArrayLike, seed: int = 0
) -> Memorization:
    """Measures whether generated images are nearer to the training set than to held-out images.

    Training and held-out images come from one distribution, and the larger set is reduced to the
    size of the other, at random. So samples of a generator that learned the distribution, and not
    the images, are equally often nearer to either. Goodfellow 2014 (figure 2) shows the nearest
    training images to look for copies. Meehan 2020 has another test, which compares how far
    generated and held-out images are from the training set.

    >>> points = np.random.default_rng(0).normal(size=(3, 100, 2))
    >>> memorization_score(points[0], training=points[0], held_out=points[1]).share
    1.0

    Args:
        queries: generated images or their features, `(number, ...)`.
        training: images that the generator was trained on, or their features.
        held_out: images that it was not trained on, or their features.
        seed: of the choice that reduces the larger set.

    Returns:
        A `Memorization`. If few training images are left, copies of the others are not found.

    Raises:
        ValueError: for shapes that differ, values that are not finite, and empty sets.
    """
    queries, shape = _vectors(queries, "queries")
    training, _ = _vectors(training, "training images", shape)
    held_out, _ = _vectors(held_out, "held-out images", shape)
    number = min(len(training), len(held_out))
    rng = np.random.default_rng(seed)
    near, far = (
        nearest_neighbors(queries, rng.choice(images, number, replace=False))[0][:, 0]
        for images in (training, held_out)
    )
    # Copies of both have 0 / 0, which counts as 1; far / 0 is infinite.
    ratios = np.divide(near, far, out=np.where(near > 0, np.inf, 1.0), where=far > 0)
    share = np.mean(near < far) + np.mean(near == far) / 2
    return Memorization(float(np.median(ratios)), float(share), number)


def _vectors(array, name, shape=None):
    """A batch of anything as float64 vectors, and the shape of one of its examples."""
    if isinstance(array, (tuple, dict)):
        raise ValueError(
            f"The {name} must be an array. Drop labels: `data.map(lambda image, label: image)`. "
            f"Received: {type(array).__name__} of length {len(array)}"
        )
    array = np.asarray(array, "float64")
    wanted = array.shape[1:] if shape is None else shape
    if array.ndim < 2 or not array.size or array.shape[1:] != wanted:
        expected = "..." if shape is None else ", ".join(map(str, shape))
        raise ValueError(
            f"The {name} have another shape. Expected (number, {expected}), "
            f"at least 1. Received: shape {array.shape}"
        )
    if not np.isfinite(array).all():
        raise ValueError(
            f"The {name} must be finite. Check their source. "
            f"Received: {np.count_nonzero(~np.isfinite(array))} values that are not"
        )
    return array.reshape(len(array), -1), array.shape[1:]
