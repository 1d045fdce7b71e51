import numpy as np
import pytest

from keras_gans.metrics import FeatureStatistics, frechet_distance
from keras_gans.metrics.statistics import require_features, require_pair

RNG = np.random.default_rng(0)


def of(*batches, num_features=None):
    statistics = FeatureStatistics(num_features)
    for batch in batches:
        statistics.update(batch)
    return statistics


def test_by_hand():
    # (1, 0), (3, 0), (5, 6): means 3 and 2; differences from them -2, 0, 2 and -2, -2, 4.
    statistics = of([[1.0, 0.0]], [[3.0, 0.0], [5.0, 6.0]])
    assert statistics.number == 3
    np.testing.assert_allclose(statistics.mean, [3, 2], rtol=1e-15)
    np.testing.assert_allclose(statistics.covariance, [[4, 6], [6, 12]], rtol=1e-15)


@pytest.mark.parametrize("cuts", [[], [1], [2, 3, 90], range(1, 100)])
def test_batches_do_not_matter_even_far_from_0(cuts):
    x = RNG.normal(size=(100, 5)) @ RNG.normal(size=(5, 5))
    statistics = of(*np.split(x + 1e6, list(cuts)))
    np.testing.assert_allclose(statistics.mean - 1e6, x.mean(axis=0), atol=1e-9)
    # A sum of squares without centring would be off by about 1e-4 here.
    np.testing.assert_allclose(statistics.covariance, np.cov(x, rowvar=False), atol=1e-8)


def test_float32_batches_are_summed_in_float64():
    x = (RNG.normal(size=(1000, 2)) + 300).astype("float32")
    expected = np.cov(x.astype("float64"), rowvar=False)
    np.testing.assert_allclose(of(*np.split(x, 10)).covariance, expected, rtol=1e-10)


def test_merge_equals_one_pass_and_leaves_the_other_alone():
    x, y = RNG.normal(size=(7, 3)), RNG.normal(2.0, 3.0, size=(20, 3))
    first, second = of(x), of(y)
    first.merge(second)
    both = np.concatenate([x, y])
    assert (first.number, second.number) == (27, 20)
    np.testing.assert_allclose(first.mean, both.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(first.covariance, np.cov(both, rowvar=False), rtol=1e-12)
    np.testing.assert_allclose(second.covariance, np.cov(y, rowvar=False), rtol=1e-12)


def test_merge_with_nothing():
    statistics = FeatureStatistics()
    statistics.merge(FeatureStatistics())
    assert statistics.number == 0
    statistics.merge(of([[1.0], [2.0]]))
    statistics.merge(FeatureStatistics(1))
    assert (statistics.number, statistics.mean.tolist()) == (2, [1.5])
    # What was merged into an empty one is a copy.
    first, second = FeatureStatistics(), of([[1.0], [2.0]])
    first.merge(second)
    first.update([[9.0]])
    assert second.mean.tolist() == [1.5]


def test_what_is_handed_out_cannot_change_the_statistics():
    statistics = of([[1.0], [2.0]])
    statistics.mean[:] = 7
    statistics.covariance[:] = 7
    assert (statistics.mean.tolist(), statistics.covariance.tolist()) == ([1.5], [[0.5]])


def test_frechet_distance_takes_them_for_either():
    x, y = RNG.normal(size=(50, 4)), RNG.normal(0.5, 2.0, size=(60, 4))
    expected = frechet_distance(x, y)
    for real, generated in [(of(x[:9], x[9:]), y), (x, of(y)), (of(x), of(y[:1], y[1:]))]:
        assert frechet_distance(real, generated) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: of(np.zeros((2, 3, 3, 8))), "GlobalAveragePooling2D"),
        (lambda: of(np.zeros(3)), "row"),
        (lambda: of(np.zeros((0, 3))), "too few"),
        (lambda: of(np.zeros((3, 0))), "at least 1"),
        (lambda: of([[0.0], [np.nan]]), "finite"),
        (lambda: of([[0.0], [np.inf]]), "finite"),
        (lambda: of(np.zeros((2, 3)), np.zeros((2, 4))), "Expected 3"),
        (lambda: of(np.zeros((2, 3)), num_features=4), "Expected 4"),
        (lambda: FeatureStatistics(0), "num_features"),
        (lambda: of(np.zeros((1, 3))).covariance, "too few"),
        (lambda: FeatureStatistics().mean, "too few"),
        (lambda: of(np.zeros((2, 3))).merge(of(np.zeros((2, 4)))), "one network"),
        (lambda: FeatureStatistics(3).merge(FeatureStatistics(4)), "one network"),
        (lambda: of(np.zeros((2, 3))).merge(np.zeros((2, 3))), "update"),
        (lambda: require_features(np.zeros((3, 2)), minimum=4), "at least 4"),
        (lambda: require_pair(np.zeros((3, 2)), np.zeros((3, 1))), "generated"),
        (lambda: require_pair([[np.nan], [0.0]], np.zeros((3, 1))), "real"),
    ],
)
def test_bad_input(call, says):
    with pytest.raises(ValueError, match=f"(?s){says}.*Received"):
        call()
