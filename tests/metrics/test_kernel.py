import numpy as np
import pytest

from keras_gans.metrics import KernelDistance, kernel_distance, mmd

RNG = np.random.default_rng(0)


def by_loops(x, y):
    def k(a, b):
        return (sum(p * q for p, q in zip(a, b)) / len(a) + 1) ** 3

    def apart(z):
        pairs = [k(a, b) for i, a in enumerate(z) for j, b in enumerate(z) if i != j]
        return sum(pairs) / len(pairs)

    between = [k(a, b) for a in x for b in y]
    return apart(x) + apart(y) - 2 * sum(between) / len(between)


@pytest.mark.parametrize(("m", "n"), [(6, 6), (3, 7), (2, 2)])
def test_against_loops(m, n):
    x, y = RNG.normal(size=(m, 3)), RNG.normal(1.0, 2.0, size=(n, 3))
    assert mmd(x, y) == pytest.approx(by_loops(x.tolist(), y.tolist()), rel=1e-12)
    assert mmd(y, x) == pytest.approx(mmd(x, y), rel=1e-12)
    expected = by_loops((x / 7).tolist(), (y / 7).tolist())
    assert mmd(x, y, scale=7) == pytest.approx(expected, rel=1e-10)


def test_without_bias():
    # Features of one number with different means a, b and variance 1. The kernel is
    # sum of C(3, p) E[x^p] E[y^p], so the distance is sum of C(3, p) (E[x^p] - E[y^p])^2:
    # a = 0: moments 0, 1, 0; b = 1: moments 1, 2, 4.
    expected = 3 * 1 + 3 * 1 + 16
    values = [
        mmd(rng.normal(size=(20, 1)), rng.normal(size=(20, 1)) + 1)
        for rng in map(np.random.default_rng, range(2000))
    ]
    error = np.std(values) / np.sqrt(2000)
    assert error < 1 and abs(np.mean(values) - expected) < 3 * error
    same = [
        mmd(rng.normal(size=(20, 1)), rng.normal(size=(20, 1)))
        for rng in map(np.random.default_rng, range(2000))
    ]
    assert abs(np.mean(same)) < 3 * np.std(same) / np.sqrt(2000)
    assert min(same) < 0


def test_one_subset_of_all_is_the_whole():
    x, y = RNG.normal(size=(30, 4)), RNG.normal(0.5, size=(30, 4))
    found = kernel_distance(x, y, subset_size=30, num_subsets=3)
    assert found.value == pytest.approx(mmd(x, y), rel=1e-10)
    assert found.stddev == pytest.approx(0.0, abs=1e-12)
    # Of one subset there is no spread.
    assert kernel_distance(x, y, subset_size=5, num_subsets=1).stddev == 0.0


def test_subsets_spread_around_the_whole_and_obey_the_seed():
    x, y = RNG.normal(size=(200, 4)), RNG.normal(0.5, size=(150, 4))
    found = kernel_distance(x, y, subset_size=50, num_subsets=400)
    assert abs(found.value - mmd(x, y)) < 4 * found.stddev / 20
    assert 0.01 < found.stddev < 1
    assert found == kernel_distance(x, y, subset_size=50, num_subsets=400, seed=0)
    assert found != kernel_distance(x, y, subset_size=50, num_subsets=400, seed=1)
    assert isinstance(found, KernelDistance)
    scaled = kernel_distance(x, y, subset_size=50, num_subsets=400, scale=3.0)
    same = kernel_distance(x / 3, y / 3, subset_size=50, num_subsets=400)
    assert scaled.value == pytest.approx(same.value, rel=1e-12)


def test_subsets_are_drawn_without_repeats():
    # Each subset holds every example: a repeat would leave another out, and change the value.
    # Of the others, which are all the same, one is always left out.
    x, same = np.eye(6) * 5, np.zeros((7, 6))
    for pair in ((x, same), (same, x)):
        found = kernel_distance(*pair, subset_size=6, num_subsets=50)
        assert found.stddev == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    "call",
    [
        lambda: kernel_distance(np.zeros((9, 2)), np.zeros((10, 2)), subset_size=10),
        lambda: kernel_distance(np.zeros((10, 2)), np.zeros((9, 2)), subset_size=10),
        lambda: kernel_distance(np.zeros((9, 2)), np.zeros((9, 2)), subset_size=1),
        lambda: kernel_distance(np.zeros((9, 2)), np.zeros((9, 2)), 5, num_subsets=0),
        lambda: kernel_distance(np.zeros((9, 2)), np.zeros((9, 2)), 5, scale=0.0),
        lambda: kernel_distance(np.zeros((9, 2)), np.zeros((9, 2)), 5, scale=np.nan),
        lambda: kernel_distance(np.zeros((9, 2)), np.zeros((9, 3)), 5),
        lambda: mmd(np.zeros((1, 2)), np.zeros((9, 2))),
        lambda: mmd(np.zeros((2, 2)), np.full((9, 2), np.inf)),
        lambda: mmd(np.zeros((2, 2)), np.zeros((9, 2)), scale=-1.0),
        lambda: mmd(np.zeros((2, 2, 2)), np.zeros((9, 2))),
    ],
)
def test_bad_input(call):
    with pytest.raises(ValueError, match="Received"):
        call()
