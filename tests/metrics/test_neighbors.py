import numpy as np
import pytest
import scipy.spatial

from keras_gans.metrics import memorization_score, nearest_neighbors
from keras_gans.metrics.neighbors import squared_distances

RNG = np.random.default_rng(0)


def test_blocks_cover_all_distances():
    x, y = RNG.normal(size=(700, 5)), RNG.normal(size=(300, 5))
    found = np.full((700, 300), np.nan)
    for rows, block in squared_distances(x, y):
        found[rows] = block
    expected = scipy.spatial.distance.cdist(x, y, "sqeuclidean")
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize(("number", "k"), [(1, 1), (7, 7), (5000, 1), (5000, 4)])
def test_against_the_tree_of_scipy(number, k):
    queries, references = RNG.normal(size=(300, 6)), RNG.normal(size=(number, 6))
    distances, indices = scipy.spatial.KDTree(references).query(queries, k=range(1, k + 1))
    found = nearest_neighbors(queries, references, k)
    np.testing.assert_allclose(found[0], distances, rtol=1e-12)
    np.testing.assert_array_equal(found[1], indices)


def test_references_may_come_in_batches_of_any_size():
    queries, references = RNG.normal(size=(9, 2, 2, 3)), RNG.normal(size=(50, 2, 2, 3))
    expected = nearest_neighbors(queries, references, k=3)
    for cuts in ([1, 2, 30], range(2, 50, 2)):
        found = nearest_neighbors(queries, iter(np.split(references, list(cuts))), k=3)
        np.testing.assert_allclose(found[0], expected[0], rtol=1e-12)
        np.testing.assert_array_equal(found[1], expected[1])


def test_datasets_of_batches():
    import tensorflow as tf

    queries, references = (RNG.normal(size=(n, 3)).astype("float32") for n in (4, 20))
    dataset = tf.data.Dataset.from_tensor_slices(references).batch(8)
    found = nearest_neighbors(tf.constant(queries), dataset)
    np.testing.assert_array_equal(found[1], nearest_neighbors(queries, references)[1])
    labelled = tf.data.Dataset.from_tensor_slices((references, range(20))).batch(8)
    with pytest.raises(ValueError, match="labels.*Received"):
        nearest_neighbors(queries, labelled)


def test_copies_are_at_0_and_near_ones_keep_their_digits():
    references = RNG.normal(size=(3000, 64)) + 100
    queries = references[[2999, 0, 1234]].copy()
    queries[1, 0] += 1e-9  # a product of vectors of length 800 would lose it
    distances, indices = nearest_neighbors(queries, references)
    assert indices[:, 0].tolist() == [2999, 0, 1234]
    np.testing.assert_allclose(distances[:, 0], [0, 1e-9, 0], rtol=1e-4)


def test_copies_of_the_training_set_are_found():
    training, held_out = RNG.normal(size=(400, 8)), RNG.normal(size=(400, 8))
    found = memorization_score(training[:100] + 1e-3, training, held_out)
    assert (found.share, found.number) == (1.0, 400) and found.ratio < 0.01
    found = memorization_score(held_out[:100], training, held_out)
    assert found.share == 0.0 and found.ratio == np.inf


def test_half_copied():
    points = RNG.normal(size=(3, 400, 8))
    queries = np.concatenate([points[0][:200], points[2][:200]])
    # Copies are nearer to the training set, and so are half of the others.
    assert memorization_score(queries, *points[:2]).share == pytest.approx(0.75, abs=0.06)


@pytest.mark.parametrize(("training", "held_out"), [(300, 300), (900, 100), (100, 900)])
def test_without_memorisation_either_is_as_near(training, held_out):
    found = [
        memorization_score(*(rng.normal(size=(n, 3)) for n in (300, training, held_out)))
        for rng in map(np.random.default_rng, range(30))
    ]
    assert np.mean([f.share for f in found]) == pytest.approx(0.5, abs=0.03)
    assert np.mean([f.ratio for f in found]) == pytest.approx(1.0, abs=0.05)
    assert found[0].number == min(training, held_out)


def test_what_is_in_both_sets_counts_half():
    x = RNG.normal(size=(20, 3))
    found = memorization_score(x, x, x[::-1])
    assert (found.share, found.ratio) == (0.5, 1.0)


def test_ratio_by_hand():
    found = memorization_score([[0.0], [1.0], [10.0]], [[1.0], [12.0]], [[-4.0], [9.0]])
    # 1 / 4, 0 / 5 and 2 / 1.
    assert (found.ratio, found.share) == (pytest.approx(0.25), pytest.approx(2 / 3))


def test_the_seed_chooses():
    x, y, z = (RNG.normal(size=(n, 3)) for n in (50, 200, 30))
    assert memorization_score(x, y, z) == memorization_score(x, y, z, seed=0)
    assert memorization_score(x, y, z) != memorization_score(x, y, z, seed=1)


@pytest.mark.parametrize(
    "call",
    [
        lambda: nearest_neighbors(np.zeros((3, 2)), np.zeros((4, 2)), k=5),
        lambda: nearest_neighbors(np.zeros((3, 2)), np.zeros((4, 2)), k=0),
        lambda: nearest_neighbors(np.zeros((3, 2)), np.zeros((4, 3))),
        lambda: nearest_neighbors(np.zeros((3, 2, 2)), np.zeros((4, 4))),
        lambda: nearest_neighbors(np.zeros(3), np.zeros(3)),
        lambda: nearest_neighbors(np.zeros((0, 3)), np.zeros((2, 3))),
        lambda: nearest_neighbors(np.zeros((1, 3)), []),
        lambda: nearest_neighbors(np.zeros((1, 3)), [[0.0, 0.0, 0.0]]),
        lambda: nearest_neighbors(np.zeros((1, 3)), [np.zeros((2, 3)), np.zeros((2, 4))]),
        lambda: nearest_neighbors(np.full((1, 3), np.nan), np.zeros((2, 3))),
        lambda: nearest_neighbors(np.zeros((1, 3)), np.full((2, 3), np.inf)),
        lambda: memorization_score(np.zeros((1, 3)), np.zeros((2, 3)), np.zeros((0, 3))),
        lambda: memorization_score(np.zeros((1, 3)), np.zeros((2, 4)), np.zeros((2, 3))),
        lambda: memorization_score(np.zeros((1, 3)), [], np.zeros((2, 3))),
    ],
)
def test_bad_input(call):
    with pytest.raises(ValueError, match="Received"):
        call()
