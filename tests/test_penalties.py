import numpy as np
import pytest
import tensorflow as tf

from keras_gans import networks, penalties

SEED = (5, 6)
rng = np.random.default_rng(0)
REAL = rng.normal(size=(4, 3)).astype("float32")
FAKE = rng.normal(size=(4, 3)).astype("float32")
W = np.array([[3.0], [0.0], [4.0]], "float32")  # of length 5


def linear(x, training):
    return tf.reshape(x, (-1, 3)) @ W


def quadratic(x, training):
    """Slope at x is x."""
    return 0.5 * tf.reduce_sum(x**2, axis=-1, keepdims=True)


def test_a_linear_discriminator_has_one_slope():
    np.testing.assert_allclose(
        penalties.gradient_penalty(linear, REAL, FAKE, SEED), [16.0] * 4, rtol=1e-5
    )
    np.testing.assert_allclose(
        penalties.gradient_penalty(linear, REAL, FAKE, SEED, target=2.0), [9.0] * 4, rtol=1e-5
    )
    np.testing.assert_allclose(
        penalties.dragan_penalty(linear, REAL, FAKE, SEED), [16.0] * 4, rtol=1e-5
    )
    np.testing.assert_allclose(penalties.r1_penalty(linear, REAL), [12.5] * 4, rtol=1e-5)
    np.testing.assert_allclose(penalties.r2_penalty(linear, REAL, FAKE), [12.5] * 4, rtol=1e-5)


def test_each_example_has_a_slope_of_its_own():
    np.testing.assert_allclose(
        penalties.r1_penalty(quadratic, REAL), 0.5 * (REAL**2).sum(1), rtol=1e-5
    )
    np.testing.assert_allclose(
        penalties.r2_penalty(quadratic, REAL, FAKE), 0.5 * (FAKE**2).sum(1), rtol=1e-5
    )


def places(penalty, real, fake, seed=SEED):
    """Where a penalty looks."""
    seen = []

    def watched(x, training):
        assert training is True
        seen.append(x.numpy())
        return tf.reduce_sum(x, axis=list(range(1, len(x.shape))))[:, None]

    penalty(watched, tf.constant(real), tf.constant(fake), seed)
    return seen[0]


def test_wgan_gp_mixes_by_one_even_number_an_example():
    shape = (5000, 2, 2, 1)
    mix = places(penalties.gradient_penalty, np.ones(shape, "f"), np.zeros(shape, "f"))
    assert (mix == mix[:, :1, :1]).all()
    first = np.sort(mix[:, 0, 0, 0])
    assert first[0] >= 0.0 and first[-1] <= 1.0
    # Kolmogorov-Smirnov distance from U[0, 1]; 1.95 / sqrt(n) is its 0.1 % point.
    assert np.abs(first - (np.arange(5000) + 0.5) / 5000).max() < 1.95 / np.sqrt(5000)


def test_the_place_is_on_the_line_between_real_and_generated():
    x = places(penalties.gradient_penalty, REAL, FAKE)
    mix = (x - FAKE) / (REAL - FAKE)
    np.testing.assert_allclose(mix, np.repeat(mix[:, :1], 3, axis=1), rtol=1e-3)
    np.testing.assert_allclose(
        penalties.gradient_penalty(quadratic, REAL, FAKE, SEED),
        (np.linalg.norm(x, axis=1) - 1) ** 2,
        rtol=1e-4,
    )


def test_dragan_stays_within_half_a_deviation_of_the_data():
    real = 10.0 + 2.0 * rng.normal(size=(2000, 3)).astype("float32")
    away = places(penalties.dragan_penalty, real, real) - real
    assert away.min() >= 0.0 and away.max() <= 0.5 * real.std()
    # Mean of the product of two independent even numbers is a quarter.
    assert away.mean() == pytest.approx(0.25 * 0.5 * real.std(), rel=0.05)


@pytest.mark.parametrize("name", penalties.names())
def test_no_slope_is_no_nan(name):
    weight = tf.Variable(np.zeros((3, 1), "float32"))
    with tf.GradientTape() as tape:
        values = penalties.get(name)(lambda x, training: x @ weight, REAL, FAKE, SEED)
    assert np.isfinite(values).all() and np.isfinite(tape.gradient(values, weight)).all()


@pytest.mark.parametrize("name", penalties.names())
def test_its_gradient_is_that_of_finite_differences(name):
    start = rng.normal(size=(3, 4)).astype("float32")

    def value(weights):
        def discriminator(x, training):
            return tf.reduce_sum(tf.tanh(x @ weights) ** 2, axis=1, keepdims=True)

        return tf.reduce_sum(penalties.get(name)(discriminator, REAL64, FAKE64, SEED))

    REAL64, FAKE64 = tf.constant(REAL, "float64"), tf.constant(FAKE, "float64")
    weights = tf.Variable(start.astype("float64"))
    with tf.GradientTape() as tape:
        total = value(weights)
    gradient = tape.gradient(total, weights).numpy()
    direction = rng.normal(size=start.shape)
    up, down = (value(weights + step * direction) for step in (2e-3, -2e-3))
    difference = float(up - down) / 4e-3
    assert difference == pytest.approx((gradient * direction).sum(), rel=2e-3)


@pytest.mark.parametrize("name", penalties.names())
def test_no_example_changes_the_penalty_of_another(name):
    if name == "dragan_penalty":
        pytest.skip("its noise has the batch's deviation")
    discriminator = networks.mlp_discriminator((3,), width=8)
    other = REAL.copy()
    other[1:] += 1.0
    a, b = (
        penalties.get(name)(discriminator, tf.constant(r), tf.constant(FAKE), SEED)
        for r in (REAL, other)
    )
    assert float(a[0]) == pytest.approx(float(b[0]), rel=1e-5)


@pytest.mark.parametrize("name", penalties.names())
@pytest.mark.parametrize("shape", [(2, 5), (2, 16, 16, 3)])
def test_vectors_and_images_in_half_precision_too(name, shape):
    import keras

    keras.config.set_dtype_policy("mixed_float16")
    discriminator = networks.mlp_discriminator(shape[1:], width=8)
    real, fake = (tf.random.normal(shape) for _ in range(2))
    values = penalties.get(name)(discriminator, real, fake, SEED)
    assert values.shape == (2,) and values.dtype == tf.float32 and np.isfinite(values).all()


def test_unknown_names():
    with pytest.raises(ValueError, match="Did you mean 'r1_penalty'.*Received: 'r1'"):
        penalties.get("r1")
