import numpy as np
import pytest

from keras_gans import data
from keras_gans.metrics import class_coverage, mode_coverage

CENTERS = data.grid_centers()


def test_the_true_distribution_covers_all():
    points = next(iter(data.load("grid", batch_size=10_000))).numpy()
    found = mode_coverage(points, CENTERS, 0.05)
    assert (found.modes, found.total) == (25, 25)
    # Within 3 standard deviations of a normal in the plane: 1 - exp(-9 / 2).
    assert found.high_quality == pytest.approx(1 - np.exp(-4.5), abs=0.003)
    assert 0 <= found.kl < 0.005


def test_near_is_within_three_deviations():
    for away, good in ((2.9, 1.0), (3.1, 0.0)):
        points = CENTERS[:1] + np.array([[away * 0.05, 0.0]])
        found = mode_coverage(points, CENTERS, 0.05)
        assert (found.modes, found.high_quality) == (int(good), good)
    assert mode_coverage(points, CENTERS, 0.05, threshold=3.2).modes == 1


def test_bad_samples_count_neither_for_modes_nor_for_the_divergence():
    points = np.concatenate([CENTERS[[0, 0, 1, 1]], CENTERS[2:4] + 0.5])
    found = mode_coverage(points, CENTERS, 0.05)
    assert (found.modes, found.high_quality) == (2, pytest.approx(4 / 6))
    assert found.kl == pytest.approx(np.log(25 / 2))


def test_a_diverged_generator_is_a_result():
    points = np.array([[np.nan, 0.0], [np.inf, 1.0], CENTERS[3]])
    found = mode_coverage(points, CENTERS, 0.05)
    assert (found.modes, found.high_quality) == (1, pytest.approx(1 / 3))
    found = mode_coverage(points[:2], CENTERS, 0.05)
    assert (found.modes, found.high_quality) == (0, 0.0) and np.isnan(found.kl)


@pytest.mark.parametrize(
    ("classes", "modes", "kl"),
    [
        (np.arange(10), 10, 0.0),
        (np.zeros(7, "int64"), 1, np.log(10)),
        ([0, 1, 2, 3, 4] * 3, 5, np.log(2)),
        ([0, 0, 0, 1], 2, 0.75 * np.log(7.5) + 0.25 * np.log(2.5)),
    ],
)
def test_classes_worked_out_by_hand(classes, modes, kl):
    found = class_coverage(classes, 10)
    assert (found.modes, found.total, found.high_quality) == (modes, 10, 1.0)
    assert found.kl == pytest.approx(kl, abs=1e-12)


def test_the_divergence_is_never_below_0():
    # 49 times 1 / 49 is not 1 in float64.
    assert class_coverage(np.arange(49), 49).kl == 0.0


@pytest.mark.parametrize(
    "call",
    [
        lambda: mode_coverage(np.zeros((3, 3)), CENTERS, 0.05),
        lambda: mode_coverage(np.zeros((0, 2)), CENTERS, 0.05),
        lambda: mode_coverage(np.zeros(2), CENTERS, 0.05),
        lambda: mode_coverage(CENTERS, CENTERS[:0], 0.05),
        lambda: mode_coverage(CENTERS, CENTERS * np.nan, 0.05),
        lambda: mode_coverage(CENTERS, CENTERS, 0.0),
        lambda: mode_coverage(CENTERS, CENTERS, 0.05, threshold=-1),
        lambda: class_coverage([0, 10], 10),
        lambda: class_coverage([0.0], 10),
        lambda: class_coverage([0], 0),
        lambda: class_coverage([], 10),
        lambda: class_coverage(np.zeros(0, "int64"), 10),
    ],
)
def test_bad_input(call):
    with pytest.raises(ValueError, match="Received"):
        call()
