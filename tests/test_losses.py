import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans import losses


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-np.asarray(x, "float64")))


REAL = np.array([[2.0], [-1.0], [0.5]])
FAKE = np.array([[-0.5], [1.5], [0.0]])


def expected(name):
    """From the papers' formulas, in float64 and without their stable forms."""
    r, f = REAL[:, 0], FAKE[:, 0]
    relative_r, relative_f = r - f.mean(), f - r.mean()
    return {
        "non_saturating": (
            -np.log(sigmoid(r)) - np.log(1 - sigmoid(f)),
            -np.log(sigmoid(f)),
        ),
        "minimax": (-np.log(sigmoid(r)) - np.log(1 - sigmoid(f)), np.log(1 - sigmoid(f))),
        "least_squares": (0.5 * (r - 1) ** 2 + 0.5 * f**2, 0.5 * (f - 1) ** 2),
        "hinge": (np.maximum(0, 1 - r) + np.maximum(0, 1 + f), -f),
        "wasserstein": (f - r, -f),
        "relativistic_average": (
            -np.log(sigmoid(relative_r)) - np.log(1 - sigmoid(relative_f)),
            -np.log(1 - sigmoid(relative_r)) - np.log(sigmoid(relative_f)),
        ),
        "relativistic_pairing": (-np.log(sigmoid(r - f)), -np.log(sigmoid(f - r))),
    }[name]


@pytest.mark.parametrize("name", losses.names())
def test_the_papers_formulas(name):
    loss = losses.get(name)
    discriminator, generator = expected(name)
    np.testing.assert_allclose(loss.discriminator(REAL, FAKE), discriminator, rtol=1e-6)
    np.testing.assert_allclose(loss.generator(FAKE, REAL), generator, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "discriminator", "generator"),
    [
        ("non_saturating", np.log(4), np.log(2)),
        ("minimax", np.log(4), -np.log(2)),
        ("least_squares", 0.5, 0.5),
        ("hinge", 2.0, 0.0),
        ("wasserstein", 0.0, 0.0),
        ("relativistic_average", np.log(4), np.log(4)),
        ("relativistic_pairing", np.log(2), np.log(2)),
    ],
)
def test_where_the_discriminator_cannot_tell(name, discriminator, generator):
    loss, zero = losses.get(name), np.zeros((2, 1))
    np.testing.assert_allclose(loss.discriminator(zero, zero), [discriminator] * 2, rtol=1e-6)
    np.testing.assert_allclose(loss.generator(zero, zero), [generator] * 2, rtol=1e-6)


@pytest.mark.parametrize("name", losses.names())
@pytest.mark.parametrize("shape", [(3,), (3, 1), (3, 4, 4, 1)])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_one_float32_value_an_example(name, shape, dtype):
    loss = losses.get(name)
    logits = tf.ones(shape, dtype)
    for value in (loss.discriminator(logits, logits), loss.generator(logits, logits)):
        assert value.shape == (3,) and value.dtype == tf.float32


@pytest.mark.parametrize("name", losses.names())
def test_a_map_of_logits_counts_as_its_mean(name):
    loss = losses.get(name)
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(2, 3, 4, 4, 1))
    whole = loss.discriminator(real, fake)
    pixels = [loss.discriminator(real[:, i, j], fake[:, i, j]) for i in range(4) for j in range(4)]
    np.testing.assert_allclose(whole, np.mean(pixels, axis=0), rtol=1e-5)


@pytest.mark.parametrize("name", losses.names())
def test_sure_logits_and_their_slopes_stay_finite(name):
    loss = losses.get(name)
    real, fake = tf.constant([[1e4], [-1e4]]), tf.constant([[-1e4], [1e4]])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([real, fake])
        values = loss.discriminator(real, fake), loss.generator(fake, real)
    for value in values:
        assert np.isfinite(value).all()
        for slope in tape.gradient(value, [real, fake]):
            assert slope is None or np.isfinite(slope).all()


@pytest.mark.parametrize("name", losses.names())
def test_half_precision_logits_are_reckoned_with_in_float32(name):
    # The square of 400 is past float16's largest number, 65504.
    wide = np.array([[400.0, 0.5], [-400.0, 3.0]], "float16")
    loss = losses.get(name)
    for method in (loss.discriminator, loss.generator):
        half = method(tf.constant(wide), tf.constant(-wide))
        single = method(tf.constant(wide, "float32"), tf.constant(-wide, "float32"))
        np.testing.assert_array_equal(half, single)


@pytest.mark.parametrize("name", losses.names())
def test_each_side_pulls_the_logits_its_own_way(name):
    """Down the loss: real up and fake down for the discriminator, fake up for the generator."""
    loss = losses.get(name)
    # Between the labels 0 and 1: least squares pulls back what lies beyond them.
    real, fake = tf.constant([[0.3], [0.6]]), tf.constant([[0.1], [0.4]])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([real, fake])
        values = loss.discriminator(real, fake), loss.generator(fake, real)
    on_real, on_fake = tape.gradient(values[0], [real, fake])
    assert (on_real.numpy() < 0).all() and (on_fake.numpy() > 0).all()
    assert (tape.gradient(values[1], fake).numpy() < 0).all()


def slope(loss, logit):
    fake = tf.constant([[logit]])
    with tf.GradientTape() as tape:
        tape.watch(fake)
        value = loss.generator(fake)
    return float(tape.gradient(value, fake)[0, 0])


def test_minimax_saturates_where_non_saturating_does_not():
    # Of a fake that the discriminator is sure of: -s(f) is nearly 0, s(f) - 1 nearly -1.
    assert slope(losses.get("minimax"), -8.0) == pytest.approx(-sigmoid(-8.0), rel=1e-4)
    assert slope(losses.get("non_saturating"), -8.0) == pytest.approx(sigmoid(-8.0) - 1, rel=1e-4)


def best_logit(loss):
    """Of a discriminator that sees as many real as generated examples at one place."""
    logit = tf.Variable([[0.3]])
    for _ in range(400):
        with tf.GradientTape() as tape:
            value = loss.discriminator(logit, logit)
        logit.assign_sub(0.5 * tape.gradient(value, logit))
    return float(logit.numpy()[0, 0])


def test_one_sided_smoothing_moves_the_best_answer_as_worked_out():
    # D* = 0.9 p / (p + q) (Salimans 2016, section 3.4): 0.45 where p = q.
    smooth = losses.get("non_saturating", real_label=0.9)
    assert sigmoid(best_logit(smooth)) == pytest.approx(0.45, abs=1e-4)
    assert sigmoid(best_logit(losses.get("non_saturating"))) == pytest.approx(0.5, abs=1e-4)
    # The generator's own target is left alone.
    np.testing.assert_array_equal(
        smooth.generator(FAKE), losses.get("non_saturating").generator(FAKE)
    )


def test_labels_of_least_squares_are_the_papers_a_and_b():
    loss = losses.get("least_squares", real_label=0.8, fake_label=-1.0)
    np.testing.assert_allclose(
        loss.discriminator([[0.5]], [[0.25]]), [0.5 * 0.3**2 + 0.5 * 1.25**2], rtol=1e-6
    )


def labels_drawn(loss, shape=(20_000, 1)):
    """The labels, read off a loss that is linear in them: at a logit l, -label * l + constant."""
    logits = tf.fill(shape, 2.0)
    zero = tf.zeros(shape)
    real = (np.log1p(np.exp(2.0)) - (loss.discriminator(logits, zero, (3, 4)) - np.log(2))) / 2
    fake = (np.log1p(np.exp(2.0)) - (loss.discriminator(zero, logits, (3, 4)) - np.log(2))) / 2
    return np.asarray(real), np.asarray(fake)


def test_soft_labels_are_drawn_evenly_between_their_ends():
    real, fake = labels_drawn(losses.get("non_saturating", real_label=(0.7, 1.2)))
    assert real.min() > 0.699 and real.max() < 1.201
    assert real.mean() == pytest.approx(0.95, abs=0.01)
    assert real.std() == pytest.approx(0.5 / np.sqrt(12), abs=0.005)  # of a uniform distribution
    np.testing.assert_allclose(fake, 0.0, atol=1e-5)


def test_a_map_of_logits_has_one_label_an_example():
    # Labels drawn for each of 16 places would average out to a quarter of the deviation.
    loss = losses.get("non_saturating", real_label=(0.7, 1.2), fake_label=(0.0, 0.3))
    for labels, width in zip(labels_drawn(loss, (5000, 4, 4, 1)), (0.5, 0.3)):
        assert labels.std() == pytest.approx(width / np.sqrt(12), rel=0.05)


def test_flipped_labels_come_as_often_as_asked_on_both_sides():
    real, fake = labels_drawn(losses.get("non_saturating", real_label=0.9, flip=0.1))
    for labels, usual, other in ((real, 0.9, 0.0), (fake, 0.0, 0.9)):
        flipped = np.isclose(labels, other, atol=1e-4)
        assert np.isclose(labels[~flipped], usual, atol=1e-4).all()
        assert flipped.mean() == pytest.approx(0.1, abs=0.01)
    assert np.corrcoef(real < 0.5, fake > 0.5)[0, 1] == pytest.approx(0.0, abs=0.03)


def test_random_labels_follow_the_seed():
    loss = losses.get("least_squares", real_label=(0.7, 1.2))
    first, again, other = (
        loss.discriminator(REAL, FAKE, seed) for seed in ((1, 2), (1, 2), (1, 3))
    )
    np.testing.assert_array_equal(first, again)
    assert (np.asarray(first) != np.asarray(other)).any()
    with pytest.raises(ValueError, match="need a seed"):
        loss.discriminator(REAL, FAKE)


@pytest.mark.parametrize("name", losses.names())
def test_serialisation(name):
    labels = {"real_label": (0.7, 0.9), "fake_label": 0.05, "flip": 0.1}
    arguments = {} if name in ("hinge", "relativistic_pairing", "wasserstein") else labels
    loss = losses.get(name, **arguments)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(loss)))
    twin = keras.saving.deserialize_keras_object(config)
    assert type(twin) is type(loss) and twin.get_config() == arguments
    np.testing.assert_array_equal(
        twin.discriminator(REAL, FAKE, (1, 2)), loss.discriminator(REAL, FAKE, (1, 2))
    )


def test_a_loss_is_handed_back_and_a_number_of_numpy_is_a_number():
    loss = losses.get("minimax", real_label=np.float32(0.5), flip=np.float64(0.25))
    assert losses.get(loss) is loss
    assert loss.get_config() == {"real_label": 0.5, "fake_label": 0.0, "flip": 0.25}


def test_only_relativistic_losses_look_at_real_logits():
    relativistic = [name for name in losses.names() if losses.get(name).relativistic]
    assert relativistic == ["relativistic_average", "relativistic_pairing"]
    for name in relativistic:
        with pytest.raises(ValueError, match="compares generated examples with real ones"):
            losses.get(name).generator(FAKE)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: losses.get("hing"), "Did you mean 'hinge'.*Received: 'hing'"),
        (lambda: losses.get(3), "Expected one of"),
        (lambda: losses.get(["hinge"]), "Expected one of"),
        (lambda: losses.get(losses.get("hinge"), flip=0.1), "Expected one of"),
        (lambda: losses.get("wasserstein", flip=0.1), "no argument 'flip'.*Expected none"),
        (lambda: losses.get("hinge", real_label=0.9), "no argument 'real_label'"),
        (lambda: losses.get("minimax", flip=0.5), "0 <= flip < 0.5"),
        (lambda: losses.get("minimax", flip=-0.1), "0 <= flip < 0.5"),
        (lambda: losses.get("minimax", flip="often"), "Received: flip='often'"),
        (lambda: losses.get("minimax", real_label="one"), "must be a number, or a pair"),
        (lambda: losses.get("minimax", real_label=True), "must be a number, or a pair"),
        (lambda: losses.get("minimax", real_label=float("nan")), "must be a number, or a pair"),
        (lambda: losses.get("minimax", real_label=["a", "b"]), "must be a number, or a pair"),
        (lambda: losses.get("minimax", real_label=(1.2, 0.7)), "low < high"),
        (lambda: losses.get("minimax", fake_label=(0.1, 0.2, 0.3)), "`fake_label`"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
