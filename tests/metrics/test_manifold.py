import math

import numpy as np
import pytest

from keras_gans.metrics import density_coverage, precision_recall

RNG = np.random.default_rng(0)


def by_loops(real, generated, k):
    """What all four numbers are the means of, from their definitions."""

    def radius(z, i):
        return sorted(math.dist(z[i], z[j]) for j in range(len(z)) if j != i)[k - 1]

    real_radii = [radius(real, i) for i in range(len(real))]
    generated_radii = [radius(generated, i) for i in range(len(generated))]
    inside = np.array([[math.dist(x, y) <= r for y in generated] for x, r in zip(real, real_radii)])
    back = np.array(
        [[math.dist(x, y) <= r for x in real] for y, r in zip(generated, generated_radii)]
    )
    return inside.any(axis=0), back.any(axis=0), inside.sum(axis=0) / k, inside.any(axis=1)


@pytest.mark.parametrize(("m", "n", "k"), [(40, 40, 3), (25, 60, 5), (30, 12, 1), (300, 20, 2)])
def test_against_loops(m, n, k):
    rng = np.random.default_rng(m)
    real, generated = rng.normal(size=(m, 3)), rng.normal(1.0, 0.8, size=(n, 3))
    hits = by_loops(real, generated, k)
    precision, recall, density, coverage = (part.mean() for part in hits)
    assert 0 < recall < 1 and 0 < coverage < 1
    found = precision_recall(real, generated, k)
    assert (found.precision, found.recall) == (pytest.approx(precision), pytest.approx(recall))
    np.testing.assert_array_equal(found.precise, hits[0])
    np.testing.assert_array_equal(found.recalled, hits[1])
    found = density_coverage(real, generated, k)
    assert (found.density, found.coverage) == (pytest.approx(density), pytest.approx(coverage))
    np.testing.assert_allclose(found.densities, hits[2])
    np.testing.assert_array_equal(found.covered, hits[3])


@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_copies_lie_on_the_edges_and_count(offset):
    x = RNG.normal(size=(600, 16)) + offset  # more than one block
    found = precision_recall(x, x[::-1])
    assert (found.precision, found.recall) == (1.0, 1.0)
    # In each ball are its own example and its k neighbours, the last of them on the edge.
    found = density_coverage(x, x[::-1], neighbors=4)
    assert (found.density, found.coverage) == (5 / 4, 1.0)


def test_repeats_make_balls_of_no_size():
    real = np.repeat(RNG.normal(size=(20, 8)), 5, axis=0)
    found = precision_recall(real, real[::5] + 1e-3, neighbors=3)
    assert found.precision == 0.0
    assert precision_recall(real, real[::5], neighbors=3).precision == 1.0


def test_missing_modes_and_broken_images_are_told_apart():
    modes = np.repeat(np.eye(4) * 100, 50, axis=0)
    real, generated = (modes + RNG.normal(size=modes.shape) for _ in range(2))
    lost = precision_recall(real, generated[:100])
    assert lost.precision > 0.7 and lost.recall < 0.55
    broken = generated.copy()
    broken[::2] += 50
    found = precision_recall(real, broken)
    assert found.precision < 0.55
    assert density_coverage(real, generated[:100]).coverage < 0.55


def test_one_outlier_fools_precision_and_not_density():
    real = np.concatenate([RNG.normal(size=(100, 2)), [[40.0, 0.0]]])
    generated = RNG.normal(20.0, size=(50, 2))
    assert precision_recall(real, generated).precision == 1.0
    assert density_coverage(real, generated).density == pytest.approx(1 / 5)


@pytest.mark.parametrize("k", [1, 5])
def test_expected_values_for_one_distribution(k):
    # Naeem 2020: density 1; coverage 1 - (n - 1)...(n - k) / ((2n - 1)...(2n - k)).
    n = 100
    found = [
        density_coverage(rng.normal(size=(n, 4)), rng.normal(size=(n, 4)), k)
        for rng in map(np.random.default_rng, range(100))
    ]
    expected = 1 - np.prod([(n - i) / (2 * n - i) for i in range(1, k + 1)])
    assert np.mean([f.density for f in found]) == pytest.approx(1.0, abs=0.03)
    assert np.mean([f.coverage for f in found]) == pytest.approx(expected, abs=0.015)


def test_one_generated_image_has_a_density():
    found = density_coverage([[0.0], [1.0], [3.0]], [[0.5]], neighbors=1)
    assert (found.density, found.coverage) == (2.0, 2 / 3)


@pytest.mark.parametrize("metric", [precision_recall, density_coverage])
@pytest.mark.parametrize(
    ("real", "generated", "neighbors"),
    [
        (np.zeros((3, 2)), np.zeros((9, 2)), 3),
        (np.zeros((9, 2)), np.zeros((0, 2)), 3),
        (np.zeros((9, 2)), np.zeros((9, 3)), 3),
        (np.zeros((9, 2)), np.zeros((9, 2)), 0),
        (np.zeros((9, 2)), np.zeros((9, 2)), 1.5),
        (np.zeros((9, 2)), np.full((9, 2), np.nan), 3),
        (np.zeros((9, 2, 2, 1)), np.zeros((9, 2, 2, 1)), 3),
    ],
)
def test_bad_input(metric, real, generated, neighbors):
    with pytest.raises(ValueError, match="Received"):
        metric(real, generated, neighbors)


def test_generated_images_need_neighbours_for_recall():
    with pytest.raises(ValueError, match="Received: 9 real, 3 generated"):
        precision_recall(np.zeros((9, 2)), np.zeros((3, 2)), 3)
