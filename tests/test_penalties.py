import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans import networks, penalties

SEED = (5, 6)
rng = np.random.default_rng(0)
REAL = rng.normal(size=(4, 3)).astype("float32")
FAKE = rng.normal(size=(4, 3)).astype("float32")
OF_THE_SLOPE = [n for n in penalties.names() if penalties.side(n) == "discriminator"]
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


def test_the_slope_of_an_image_is_over_all_of_its_values():
    images = np.random.default_rng(1).normal(size=(3, 4, 2, 3)).astype("float32")

    def whole(x, training):
        return 0.5 * tf.reduce_sum(x**2, axis=[1, 2, 3])[:, None]

    expected = 0.5 * (images.reshape(3, -1) ** 2).sum(1)
    np.testing.assert_allclose(penalties.r1_penalty(whole, images), expected, rtol=1e-5)
    np.testing.assert_allclose(penalties.r2_penalty(whole, None, images), expected, rtol=1e-5)
    # At one place only, so that the place is known: mixing images with themselves.
    np.testing.assert_allclose(
        penalties.gradient_penalty(whole, images, images, SEED),
        (np.sqrt(2 * expected) - 1) ** 2,
        rtol=1e-4,
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


def test_the_mix_is_that_of_the_seed():
    mix = tf.random.stateless_uniform((4, 1), SEED, alg="philox").numpy()
    place = mix * REAL + (1 - mix) * FAKE
    np.testing.assert_allclose(
        places(penalties.gradient_penalty, REAL, FAKE), place, rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(
        penalties.gradient_penalty(quadratic, REAL, FAKE, SEED),
        (np.linalg.norm(place, axis=1) - 1) ** 2,
        rtol=1e-4,
    )


@pytest.mark.parametrize("penalty", [penalties.gradient_penalty, penalties.dragan_penalty])
def test_a_seed_is_its_places(penalty):
    first, again, other = (places(penalty, REAL, FAKE, seed) for seed in ((1, 2), (1, 2), (1, 3)))
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()


def test_dragan_stays_within_half_a_deviation_of_the_data():
    real = 10.0 + 2.0 * rng.normal(size=(2000, 3)).astype("float32")
    away = places(penalties.dragan_penalty, real, real) - real
    assert away.min() >= 0.0 and away.max() <= 0.5 * real.std()
    # Mean of the product of two independent even numbers is a quarter.
    assert away.mean() == pytest.approx(0.25 * 0.5 * real.std(), rel=0.05)
    # The mean of their squared product is a ninth; of the square of one number, a third.
    assert (away**2).mean() == pytest.approx((0.5 * real.std()) ** 2 / 9, rel=0.05)
    # An example's values share one mix, so they are correlated, but not one number:
    # (1/3 * 1/4 - 1/16) / (1/9 - 1/16) = 3/7.
    assert np.corrcoef(away[:, 0], away[:, 1])[0, 1] == pytest.approx(3 / 7, abs=0.06)


def test_dragan_has_one_deviation_for_the_whole_batch():
    # Each image is of one colour: the standard deviation within an image is 0, between them not.
    real = np.repeat([[-1.0], [1.0]], 1000, axis=0).astype("float32") * np.ones((1, 3), "f")
    away = places(penalties.dragan_penalty, real, real) - real
    assert 0.4 < away.max() <= 0.5 + 1e-6
    same = np.full((4, 3), 0.25, "float32")
    np.testing.assert_array_equal(places(penalties.dragan_penalty, same, same), same)


@pytest.mark.parametrize("name", OF_THE_SLOPE)
def test_no_slope_is_no_nan(name):
    weight = tf.Variable(np.zeros((3, 1), "float32"))
    with tf.GradientTape() as tape:
        values = penalties.get(name)(lambda x, training: x @ weight, REAL, FAKE, SEED)
    assert np.isfinite(values).all() and np.isfinite(tape.gradient(values, weight)).all()


@pytest.mark.parametrize("name", OF_THE_SLOPE)
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


# Not DRAGAN's: its noise has the standard deviation of the batch.
@pytest.mark.parametrize("name", ["gradient_penalty", "r1_penalty", "r2_penalty"])
def test_no_example_changes_the_penalty_of_another(name):
    discriminator = networks.mlp_discriminator((3,), width=8)
    others = [images.copy() for images in (REAL, FAKE)]
    for images in others:
        images[1:] += 1.0
    a, b = (
        penalties.get(name)(discriminator, *map(tf.constant, pair), SEED)
        for pair in ((REAL, FAKE), others)
    )
    assert float(a[0]) == pytest.approx(float(b[0]), rel=1e-5)
    assert (np.abs(a - b)[1:] > 0).any()


@pytest.mark.parametrize("name", OF_THE_SLOPE)
@pytest.mark.parametrize("shape", [(2, 5), (2, 16, 16, 3)])
def test_vectors_and_images_in_half_precision_too(name, shape):
    keras.config.set_dtype_policy("mixed_float16")
    discriminator = networks.mlp_discriminator(shape[1:], width=8)
    real, fake = (tf.random.normal(shape) for _ in range(2))
    values = penalties.get(name)(discriminator, real, fake, SEED)
    assert values.shape == (2,) and values.dtype == tf.float32 and np.isfinite(values).all()
    keras.config.set_dtype_policy("float32")
    single = networks.mlp_discriminator(shape[1:], width=8)
    single.set_weights(discriminator.get_weights())
    exact = penalties.get(name)(single, real, fake, SEED)
    np.testing.assert_allclose(values, exact, rtol=0.03, atol=1e-3)


def test_unknown_names():
    with pytest.raises(ValueError, match="Did you mean 'r1_penalty'.*Received: 'r1'"):
        penalties.get("r1")
    for name in (None, 1, ["r1_penalty"]):
        with pytest.raises(ValueError, match="Expected one of .*'r2_penalty'"):
            penalties.get(name)
    assert all(penalties.get(name).__name__ == name for name in penalties.names())


def test_jacobian_clamping_of_a_linear_generator_is_known():
    """A generator that multiplies by c changes by c for each unit of its latent."""
    latents = rng.normal(size=(4, 6)).astype("float32")

    def times(factor):
        return lambda z, training: factor * z

    for factor, expected in ((0.25, 0.75**2), (5.0, 0.0), (23.0, 3.0**2)):
        values = penalties.jacobian_clamping(times(factor), latents, SEED)
        np.testing.assert_allclose(values, [expected] * 4, rtol=1e-4, atol=1e-6)
    doubled = penalties.jacobian_clamping(times(23.0), latents, SEED, step=0.5)
    np.testing.assert_allclose(doubled, [9.0] * 4, rtol=1e-3)


def test_jacobian_clamping_of_an_image_that_does_not_change_has_a_finite_slope():
    latents = tf.ones((2, 3))
    weight = tf.Variable(0.0)
    with tf.GradientTape() as tape:
        loss = penalties.jacobian_clamping(lambda z, training: weight * z, latents, SEED)
    assert np.isfinite(tape.gradient(loss, weight).numpy())


def test_every_penalty_has_a_side():
    sides = {name: penalties.side(name) for name in penalties.names()}
    assert sides.pop("jacobian_clamping") == "generator"
    assert set(sides.values()) == {"discriminator"}
