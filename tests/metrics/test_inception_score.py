import numpy as np
import pytest
import scipy.special
import scipy.stats

from keras_gans.metrics import ScoreStatistics, inception_score

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("classes", [2, 10, 37])
def test_ends_of_the_scale(classes):
    # Certain and evenly spread: the number of classes. Uncertain, or always one class: 1.
    sure = np.tile(np.eye(classes), (20, 1))
    found = inception_score(sure, splits=10)
    assert found.value == pytest.approx(classes, rel=1e-12)
    assert found.stddev == pytest.approx(0.0, abs=1e-12)
    for rows in (np.full((50, classes), 1 / classes), sure[np.zeros(50, int)]):
        found = inception_score(rows)
        assert (found.value, found.stddev) == (pytest.approx(1.0, abs=1e-12), pytest.approx(0.0))
        assert found.value >= 1.0


def test_against_the_divergences_of_scipy():
    p = scipy.special.softmax(RNG.normal(size=(103, 7)) * 2, axis=1)
    values = []
    for start, end in ((0, 34), (34, 68), (68, 103)):
        mean = p[start:end].mean(axis=0)
        values.append(np.exp(np.mean([scipy.stats.entropy(row, mean) for row in p[start:end]])))
    found = inception_score(p, splits=3)
    assert found.value == pytest.approx(np.mean(values), rel=1e-12)
    assert found.stddev == pytest.approx(np.std(values), rel=1e-9)


def test_parts_are_consecutive():
    # Made class by class: each part sees one class, which is the trap the docstring names.
    assert inception_score(np.repeat(np.eye(10), 5, axis=0), splits=10).value == pytest.approx(1)


@pytest.mark.parametrize("splits", [1, 4])
@pytest.mark.parametrize("cuts", [[], [1, 2], range(3, 50, 3)])
def test_batches_are_dealt_in_turn(splits, cuts):
    p = RNG.dirichlet(np.ones(6), size=50)
    statistics = ScoreStatistics(splits)
    for batch in np.split(p, list(cuts)):
        statistics.update(batch)
    parts = [inception_score(p[part::splits], splits=1).value for part in range(splits)]
    found = statistics.result()
    assert found.value == pytest.approx(np.mean(parts), rel=1e-12)
    assert found.stddev == pytest.approx(np.std(parts), abs=1e-12)
    assert statistics.number == 50


def test_memory_does_not_grow():
    def size(statistics):
        return sum(x.nbytes for x in vars(statistics).values() if isinstance(x, np.ndarray))

    statistics, sizes = ScoreStatistics(), set()
    for _ in range(20):
        statistics.update(RNG.dirichlet(np.ones(6), size=50))
        sizes.add(size(statistics))
    assert sizes == {8 * (10 * 6 + 10)}


def test_half_precision_is_close_enough():
    p = scipy.special.softmax(RNG.normal(size=(200, 10)) * 3, axis=1)
    found = inception_score(p.astype("float16"), splits=1).value
    assert found == pytest.approx(inception_score(p, splits=1).value, rel=1e-3)


def streamed(*batches, splits=1):
    statistics = ScoreStatistics(splits)
    for batch in batches:
        statistics.update(batch)
    return statistics.result()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: inception_score(RNG.normal(size=(20, 5))), "softmax"),
        (lambda: inception_score(np.full((20, 5), 0.3)), "softmax"),
        (lambda: inception_score([[1.5, -0.5]] * 20), "softmax"),
        (lambda: inception_score([[np.nan, 1.0]] * 20), "softmax"),
        (lambda: inception_score(np.full(5, 0.2)), "one row"),
        (lambda: inception_score(np.zeros((0, 5))), "one row"),
        (lambda: inception_score(np.eye(5)), "fewer"),
        (lambda: inception_score(np.eye(5), splits=0), "splits"),
        (lambda: ScoreStatistics(0), "splits"),
        (lambda: streamed(), "fewer"),
        (lambda: streamed(np.eye(3), splits=4), "fewer"),
        (lambda: streamed(np.eye(3), np.eye(4)), "Expected 3"),
        (lambda: streamed(np.ones((3, 3))), "softmax"),
    ],
)
def test_bad_input(call, says):
    with pytest.raises(ValueError, match=f"(?s){says}.*Received"):
        call()
