import math

import keras
import numpy as np
import pytest
from scipy import stats

from keras_gans import labels, latent


def test_a_seed_is_its_latents_and_fewer_are_the_first_of_more():
    many = latent.sample(100, 7, seed=3)
    assert many.shape == (100, 7) and many.dtype == np.float32
    for number in (1, 3, 64):
        np.testing.assert_array_equal(latent.sample(number, 7, seed=3), many[:number])
    # The numbers themselves, so that no version moves a seed to other images unnoticed.
    np.testing.assert_allclose(
        latent.sample(1, 3, seed=0)[0], [-1.6970340, -0.4813768, -0.6622369], atol=1e-5
    )


def test_other_seeds_are_other_latents():
    seeds = (0, 1, -1, 2**32, 2**32 + 1, 2**63 - 1, -(2**63), None, None)
    drawn = {latent.sample(1, 4, seed=seed).tobytes() for seed in seeds}
    assert len(drawn) == len(seeds)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint32", "int64", "uint64"])
def test_an_integer_of_numpy_is_the_same_seed(dtype):
    np.testing.assert_array_equal(
        latent.sample(2, 3, seed=np.array(5, dtype)[()]), latent.sample(2, 3, seed=5)
    )


def test_they_are_standard_normal():
    values = latent.sample(5000, 4, seed=1).ravel()
    assert stats.kstest(values, "norm").pvalue > 0.01
    lengths = np.linalg.norm(latent.sample(1000, 512, seed=1), axis=1)
    assert np.abs(lengths / np.sqrt(512) - 1).max() < 0.15  # the shell they are called after


@pytest.mark.parametrize("bound", [0.3, 1.0, 2.5])
def test_truncated_they_are_a_truncated_normal(bound):
    values = latent.sample(5000, 4, seed=1, truncation=bound)
    assert np.abs(values).max() <= bound
    assert stats.kstest(values.ravel(), stats.truncnorm(-bound, bound).cdf).pvalue > 0.01
    np.testing.assert_array_equal(latent.sample(9, 4, seed=1, truncation=bound), values[:9])
    # 1 - 2 b phi(b) / (2 Phi(b) - 1), the variance in closed form.
    density = np.exp(-0.5 * bound**2) / np.sqrt(2 * np.pi)
    variance = 1 - 2 * bound * density / math.erf(bound / np.sqrt(2))
    assert values.var() == pytest.approx(variance, rel=0.03)


def test_a_bound_that_is_never_met_leaves_a_whole_normal():
    for bound in (100, 1e300):
        values = latent.sample(5000, 4, seed=1, truncation=bound).ravel()
        assert stats.kstest(values, "norm").pvalue > 0.01


def test_lerp_is_straight():
    start, end = np.array([0.0, 2.0]), np.array([4.0, 0.0])
    np.testing.assert_allclose(
        latent.lerp(start, end, 5), [[0, 2], [1, 1.5], [2, 1], [3, 0.5], [4, 0]], atol=1e-6
    )
    np.testing.assert_allclose(latent.lerp(start, end, [0.25]), [[1, 1.5]], atol=1e-6)


def test_slerp_turns_evenly_and_meets_both_ends():
    start, end = latent.sample(2, 64, seed=0)
    way = latent.slerp(start, end, 9)
    np.testing.assert_allclose(way[[0, -1]], [start, end], atol=1e-6)
    unit = way / np.linalg.norm(way, axis=1, keepdims=True)
    angles = np.arccos((unit[1:] * unit[:-1]).sum(1))
    np.testing.assert_allclose(angles, angles.mean(), rtol=1e-3)
    lengths = np.linalg.norm(way, axis=1)
    np.testing.assert_allclose(np.diff(lengths), np.diff(lengths).mean(), atol=1e-4)


def test_slerp_between_equal_lengths_keeps_the_length():
    start, end = latent.sample(2, 64, seed=0)
    end *= np.linalg.norm(start) / np.linalg.norm(end)
    lengths = np.linalg.norm(latent.slerp(start, end, 7), axis=1)
    np.testing.assert_allclose(lengths, np.linalg.norm(start), rtol=1e-5)


def test_slerp_of_a_right_angle_by_hand():
    way = latent.slerp([2.0, 0.0], [0.0, 2.0], 3)
    np.testing.assert_allclose(way[1], [np.sqrt(2), np.sqrt(2)], atol=1e-6)


def test_slerp_stays_in_the_shell_where_lerp_leaves_it():
    start, end = latent.sample(2, 512, seed=0)
    middle = [np.linalg.norm(move(start, end, [0.5])[0]) for move in (latent.slerp, latent.lerp)]
    assert middle[0] == pytest.approx(np.sqrt(512), rel=0.1)
    assert middle[1] == pytest.approx(np.sqrt(512 / 2), rel=0.1)


def test_slerp_of_nearly_one_direction_and_of_batches():
    start = np.array([1.0, 0.0])
    np.testing.assert_allclose(latent.slerp(start, start * 3, [0.5])[0], [2.0, 0.0], atol=1e-6)
    near = np.array([1.0, 1e-4])
    np.testing.assert_allclose(latent.slerp(start, near, [0.5])[0], [1.0, 5e-5], atol=1e-7)
    starts, ends = latent.sample(2 * 3, 8, seed=0).reshape(2, 3, 8)
    assert latent.slerp(starts, ends, 5).shape == (5, 3, 8)
    np.testing.assert_allclose(
        latent.slerp(starts, ends, 5)[:, 1], latent.slerp(starts[1], ends[1], 5), atol=1e-6
    )


def test_averages_and_arithmetic():
    a, b, c = np.eye(3, dtype="float32")
    np.testing.assert_allclose(latent.average([a, b]), [0.5, 0.5, 0.0])
    np.testing.assert_allclose(latent.combine([a, [b, c]], [[a, a]]), [0.0, 0.5, 0.5])
    np.testing.assert_allclose(latent.combine([a]), a)


def test_truncation_towards_a_centre():
    z = np.array([[2.0, -2.0]])
    np.testing.assert_allclose(latent.truncate(z, 0.5), [[1.0, -1.0]])
    np.testing.assert_allclose(latent.truncate(z, 0.0, center=[1.0, 3.0]), [[1.0, 3.0]])


@pytest.mark.parametrize(
    "call",
    [
        lambda: latent.sample(0, 4),
        lambda: latent.sample(4, 0),
        lambda: latent.sample(4, 2.0),
        lambda: latent.sample(True, 4),
        lambda: latent.sample(4, 4, seed=1.5),
        lambda: latent.sample(4, 4, seed=True),
        lambda: latent.sample(4, 4, seed=2**63),
        lambda: latent.sample(4, 4, seed=-(2**63) - 1),
        lambda: latent.sample(4, 4, truncation=0.0),
        lambda: latent.sample(4, 4, truncation=-1.0),
        lambda: latent.sample(4, 4, truncation=np.inf),
        lambda: latent.sample(4, 4, truncation=np.nan),
        lambda: latent.lerp([1.0], [1.0, 2.0], 3),
        lambda: latent.lerp([1.0], [2.0], 1),
        lambda: latent.lerp([1.0], [2.0], 3.0),
        lambda: latent.lerp([1.0], [2.0], True),
        lambda: latent.slerp([1.0, 0.0], [1.0, 0.0, 0.0], 3),
        lambda: latent.slerp([1.0, 0.0], [-1.0, 0.0], 3),
        lambda: latent.slerp([0.0, 0.0], [1.0, 0.0], 3),
        lambda: latent.average([1.0, 2.0]),
        lambda: latent.average(np.zeros((0, 3))),
        lambda: latent.combine([]),
        lambda: latent.combine([[1.0, 2.0], [3.0]]),
        lambda: latent.combine([[1.0, 2.0]], [[3.0]]),
        lambda: latent.combine([1.0, 2.0]),
        lambda: latent.truncate([[1.0]], 1.5),
        lambda: latent.truncate([[1.0]], -0.1),
        lambda: latent.truncate([[1.0]], "0.5"),
        lambda: latent.truncate("latents", 0.5),
        lambda: latent.truncate([[1.0, 2.0]], 0.5, [0.0, 0.0, 0.0]),
        lambda: latent.truncate([[1.0]], 0.5, "center"),
        lambda: latent.lerp("here", "there", 3),
        lambda: latent.lerp([1.0], [2.0], "three"),
        lambda: latent.lerp([1.0], [2.0], [0.0, np.nan]),
        lambda: latent.lerp([1e300], [2.0], 3),
        lambda: latent.slerp([1j], [2.0], 3),
        lambda: latent.average("latents"),
        lambda: latent.average([[1.0], [2.0, 3.0]]),
        lambda: latent.average(None),
        lambda: latent.combine("latents"),
        lambda: latent.combine(3),
        lambda: latent.combine([["a", "b"]]),
        lambda: latent.combine([[1.0]], minus=None),
        lambda: latent.dim("dcgan_digits_28"),
        lambda: latent.dim(keras.Sequential([keras.layers.Dense(3)])),
        lambda: labels.num_classes(None),
        lambda: labels.num_classes([3]),
    ],
)
def test_bad_input(call):
    with pytest.raises(ValueError, match="Received"):
        call()
