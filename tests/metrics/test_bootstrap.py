import numpy as np
import pytest
from scipy.stats import binom

from keras_gans.metrics import (
    Interval,
    bootstrap,
    bootstrap_mean,
    density_coverage,
    frechet_distance,
    precision_recall,
)


def gap(real, generated):
    return generated.mean() - real.mean()


def coverage(metric, draw, truth, trials, **arguments):
    """Shares of intervals that lie above the truth, hold it, and lie below it."""
    found = []
    for seed in range(trials):
        interval = bootstrap(metric, *draw(np.random.default_rng(seed)), seed=seed, **arguments)
        found.append(int(interval.low <= truth) + int(interval.high < truth))
    return np.bincount(found, minlength=3) / trials


@pytest.mark.parametrize(("level", "resamples"), [(0.9, 20), (0.5, 39)])
def test_coverage_of_a_difference_of_means(level, resamples):
    def draw(rng):
        return rng.exponential(size=60), rng.exponential(size=40) + 0.5

    above, holds, below = coverage(gap, draw, 0.5, 400, level=level, num_resamples=resamples)
    # 400 trials: the standard error is 0.015 to 0.025.
    assert holds == pytest.approx(level, abs=0.06)
    assert above == pytest.approx(below, abs=0.08)


def test_coverage_of_a_metric_that_repeats_bias():
    # Squared length of the mean of 30 normals in 20 dimensions, without the origin: the mean is
    # 20 / 30 + 1. In resamples repeats add another 20 / 30.
    def metric(real, generated):
        return np.square(generated.mean(axis=0)).sum()

    def draw(rng):
        return np.zeros((2, 1)), rng.normal(size=(30, 20)) + np.eye(20)[0]

    truth = 20 / 30 + 1
    assert coverage(metric, draw, truth, 300)[1] == pytest.approx(0.9, abs=0.06)
    # Plainly, the resamples are too high: by another 20 / 30, as far as this sample tells.
    _, generated = draw(np.random.default_rng(0))
    rng = np.random.default_rng(1)
    plain = [metric(None, generated[rng.integers(30, size=30)]) for _ in range(4000)]
    bias = np.mean(plain) - metric(None, generated)
    assert bias == pytest.approx(generated.var(axis=0).sum() / 30, rel=0.05)


def test_width_against_the_closed_form():
    rng = np.random.default_rng(0)
    real, generated = rng.normal(size=2000), rng.normal(size=500)
    found = bootstrap(gap, real, generated, num_resamples=2000)
    half = 1.645 * np.sqrt(real.var() / 2000 + generated.var() / 500)
    assert found.value == gap(real, generated)
    assert found.high - found.value == pytest.approx(half, rel=0.06)
    assert found.value - found.low == pytest.approx(half, rel=0.06)


def test_ends_are_reflected():
    # Resamples of 0 and 1 give squares skewed to the right; their tail says how far the truth may
    # lie below the value.
    generated = np.random.default_rng(0).exponential(size=30)
    found = bootstrap(lambda r, g: np.exp(g.mean()), generated, generated, num_resamples=999)
    assert found.value - found.low > 1.1 * (found.high - found.value)


def test_examples_stay_whole_and_seeds_count():
    images = np.arange(5)[:, None, None, None] * np.ones((5, 2, 2, 1))
    seen = []

    def metric(real, generated):
        seen.append((real, generated))
        return float(generated.mean())

    first = bootstrap(metric, images, images[:4] + 10)
    assert len(seen) == 21
    for real, generated in seen:
        assert real.shape == (5, 2, 2, 1) and generated.shape == (4, 2, 2, 1)
        assert (real == real[:, :1, :1]).all() and set(generated.ravel()) <= {10, 11, 12, 13}
    assert any(len(set(generated[:, 0, 0, 0])) < 4 for _, generated in seen[1:])
    assert any(len(set(real[:, 0, 0, 0])) < 5 for real, _ in seen[1:])
    assert first == bootstrap(metric, images, images[:4] + 10, seed=0)
    assert first != bootstrap(metric, images, images[:4] + 10, seed=1)
    assert isinstance(first, Interval) and first.value == 11.5


X = np.random.default_rng(0).normal(size=(10, 2))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"level": 0.0}, "level"),
        ({"level": 1}, "level"),
        ({"level": True}, "level"),
        ({"num_resamples": 18}, "at least 19"),
        ({"level": 0.95}, "at least 39"),
        ({"num_resamples": 0}, "num_resamples"),
        ({"real": X[:1]}, "array"),
        ({"generated": np.float64(3)}, "array"),
        ({"generated": "abc"}, "array"),
        ({"metric": precision_recall}, "one finite number"),
        ({"metric": lambda r, g: np.zeros(2)}, "one finite number"),
        ({"metric": lambda r, g: np.nan}, "one finite number"),
        ({"metric": lambda r, g: None}, "one finite number"),
    ],
)
def test_bad_input(arguments, says):
    arguments = {"metric": frechet_distance, "real": X, "generated": X, **arguments}
    with pytest.raises(ValueError, match=f"(?s){says}.*Received"):
        bootstrap(**arguments)


@pytest.mark.parametrize(("level", "enough"), [(0.9, 19), (0.95, 39), (0.99, 199), (0.8, 9)])
def test_just_enough_resamples(level, enough):
    assert bootstrap(gap, X, X, num_resamples=enough, level=level).value == 0.0
    with pytest.raises(ValueError, match=f"at least {enough}"):
        bootstrap(gap, X, X, num_resamples=enough - 1, level=level)


def test_a_mean_of_hits_against_the_binomial_distribution():
    for number, share in ((400, 0.8), (400, 0.02)):
        found = bootstrap_mean(np.arange(number) < number * share, num_resamples=4999)
        ends = binom(number, share).ppf([0.05, 0.95]) / number
        assert found.value == pytest.approx(share)
        assert [found.low, found.high] == pytest.approx(ends, abs=1.01 / number)


def test_a_mean_of_numbers_against_the_normal_distribution():
    values = np.random.default_rng(0).normal(3.0, 2.0, size=1000)
    found = bootstrap_mean(values, num_resamples=4999, level=0.95)
    half = 1.96 * values.std() / np.sqrt(1000)
    assert found.value == values.mean()
    assert [found.low, found.high] == pytest.approx(
        [found.value - half, found.value + half], abs=0.05 * half
    )
    assert found == bootstrap_mean(values, num_resamples=4999, level=0.95, seed=0)
    assert found != bootstrap_mean(values, num_resamples=4999, level=0.95, seed=1)


def test_no_hit_and_only_hits():
    assert bootstrap_mean(np.zeros(10, bool)) == Interval(0.0, 0.0, 0.0)
    assert bootstrap_mean(np.ones(10, bool)) == Interval(1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("metric", "moving", "values"),
    [
        (precision_recall, "generated", "precise"),
        (precision_recall, "real", "recalled"),
        (density_coverage, "generated", "densities"),
    ],
)
def test_intervals_hold_the_value_for_more_images_among_the_same_balls(metric, moving, values):
    rng = np.random.default_rng(0)
    still = rng.normal(size=(60, 2))

    def draw(number):
        return rng.normal(0.5, 1.2, size=(number, 2))

    def measured(moved):
        pair = (still, moved) if moving == "generated" else (moved, still)
        return getattr(metric(*pair), values)

    truth = measured(draw(4000)).mean()
    holds = []
    for seed in range(300):
        found = bootstrap_mean(measured(draw(150)), seed=seed)
        holds.append(found.low <= truth <= found.high)
    assert np.mean(holds) == pytest.approx(0.9, abs=0.05)  # standard error 0.017


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (np.zeros((3, 2)), r"shape \(3, 2\)"),
        ([1.0], "2 or more examples"),
        ([1.0, np.nan], "1 not finite"),
        ("abc", "array"),
    ],
)
def test_no_values_for_a_mean(values, says):
    with pytest.raises(ValueError, match=f"(?s){says}"):
        bootstrap_mean(values)
    with pytest.raises(ValueError, match="at least 19"):
        bootstrap_mean([0.0, 1.0], num_resamples=18)
