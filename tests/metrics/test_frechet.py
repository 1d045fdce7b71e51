import numpy as np
import pytest
import scipy.linalg

from keras_gans.metrics import FeatureStatistics, frechet_distance


def test_two_normals_in_closed_form():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400_000, 2))
    # Moved by (3, 4) and twice as wide along one axis: 25 + (2 - 1)^2.
    distance = frechet_distance(x, x * [2.0, 1.0] + [3.0, 4.0])
    assert distance == pytest.approx(26.0, rel=0.01)
    assert frechet_distance(x, x) == pytest.approx(0.0, abs=1e-9)


def with_moments(mean, covariance):
    """Points whose mean and covariance (of n - 1) are exactly the given ones."""
    size = len(mean)
    corners = np.concatenate([np.eye(size), -np.eye(size)]) * np.sqrt((2 * size - 1) / 2)
    return corners @ np.linalg.cholesky(covariance).T + mean


def test_diagonal_covariances():
    x = with_moments([0.0, 1.0, 2.0], np.diag([1.0, 4.0, 9.0]))
    y = with_moments([1.0, 1.0, 0.0], np.diag([4.0, 4.0, 1.0]))
    # Gap 1 + 0 + 4; differences of the standard deviations (1 - 2)^2 + 0 + (3 - 1)^2.
    assert frechet_distance(x, y) == pytest.approx(10.0, rel=1e-12)


def test_full_covariances():
    a, b = np.array([[2.0, 1.0], [1.0, 2.0]]), np.array([[5.0, -3.0], [-3.0, 5.0]])
    # Both have eigenvectors (1, 1) and (1, -1): standard deviations 3^.5, 1; 2^.5, 8^.5.
    expected = (3**0.5 - 2**0.5) ** 2 + (1 - 8**0.5) ** 2 + 0.5
    x, y = with_moments([0.0, 0.0], a), with_moments([0.5, 0.5], b)
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-12)
    # Not sharing eigenvectors: of 2x2 matrices tr((AB)^.5) = (tr(AB) + 2 det(AB)^.5)^.5.
    c = np.array([[1.0, 0.5], [0.5, 4.0]])
    root = np.sqrt(np.trace(a @ c) + 2 * np.sqrt(np.linalg.det(a @ c)))
    expected = np.trace(a + c) - 2 * root
    y = with_moments([0.0, 0.0], c)
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("examples", [200, 10])  # fewer than features: singular covariances
def test_against_the_matrix_root_of_scipy(examples):
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(20, 20))
    x, y = rng.normal(size=(examples, 20)) @ mixing, rng.normal(size=(examples, 20)) + 0.3
    a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = scipy.linalg.sqrtm(a @ b + (1e-12 if examples < 20 else 0) * np.eye(20)).real
    gap = x.mean(axis=0) - y.mean(axis=0)
    expected = gap @ gap + np.trace(a + b - 2 * root)
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-4)
    assert frechet_distance(y, x) == pytest.approx(frechet_distance(x, y), rel=1e-9)


@pytest.mark.parametrize(
    ("real", "generated"),
    [
        (np.zeros((5, 2)), np.zeros((5, 3))),
        (np.zeros(5), np.zeros(5)),
        (np.zeros((1, 2)), np.zeros((5, 2))),
        (np.zeros((5, 2)), np.zeros((1, 2))),
        (FeatureStatistics(), np.zeros((5, 2))),
        (np.zeros((5, 2)), FeatureStatistics(3)),
        (np.zeros((5, 2)), np.full((5, 2), np.nan)),
    ],
)
def test_bad_input(real, generated):
    with pytest.raises(ValueError, match="Received"):
        frechet_distance(real, generated)
