import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.layers import DiffAugment

IMAGES = np.random.default_rng(0).uniform(-1, 1, (5, 16, 8, 3)).astype("float32")
MANY = 600


def augment(x, *policy, seed=3, jit_compile=None):
    """What a new layer makes of `x` in its first call; the same draws for the same seed.

    XLA draws other numbers from a seed than TensorFlow's kernels do.
    """
    layer = DiffAugment(seed=seed, **({"policy": policy} if policy else {}))
    layer.build(x.shape)
    call = tf.function(lambda x: layer(x, training=True), jit_compile=jit_compile)
    return (call if jit_compile else call.python_function)(tf.constant(x)).numpy()


def test_inference_is_left_alone():
    layer = DiffAugment(seed=1)
    np.testing.assert_array_equal(layer(IMAGES), IMAGES)
    np.testing.assert_array_equal(layer(IMAGES, training=False), IMAGES)
    assert layer.seed_and_calls.numpy().tolist() == [1, 0]
    assert np.abs(layer(IMAGES, training=True) - IMAGES).max() > 0.1
    assert layer.seed_and_calls.numpy().tolist() == [1, 1]


def test_brightness_is_one_number_for_each_example():
    flat = np.full((MANY, 4, 4, 3), 0.25, "float32")  # no colour and no contrast to change
    change = augment(flat, "color") - 0.25
    np.testing.assert_allclose(
        change, np.broadcast_to(change[:, :1, :1, :1], change.shape), atol=1e-6
    )
    change = change[:, 0, 0, 0]
    assert -0.5 <= change.min() < -0.48 and 0.48 < change.max() <= 0.5
    assert abs(change.mean()) < 4 * 12**-0.5 / MANY**0.5
    assert len(np.unique(change)) > 0.99 * MANY


def numbers_of_color(batch, channels):
    """Brightness, saturation and contrast of each example, measured at images made for it."""
    ramp = np.linspace(-1, 1, 16).reshape(1, 4, 4, 1)
    grey = np.repeat(ramp, batch, 0).repeat(channels, 3).astype("float32")
    y = augment(grey, "color")
    for channel in range(channels):  # grey stays grey, whatever the saturation
        np.testing.assert_allclose(y[..., channel], y[..., 0], atol=1e-6)
    brightness = y.mean((1, 2, 3))  # of a mean of 0
    contrast = (y[:, 3, 3, 0] - y[:, 0, 0, 0]) / 2
    straight = brightness[:, None, None, None] + contrast[:, None, None, None] * grey
    np.testing.assert_allclose(y, straight, atol=1e-5)
    if channels == 1:
        return brightness, None, contrast
    pure = np.zeros_like(grey) + np.array([1, 0, -1], "float32")
    y = augment(pure, "color")
    np.testing.assert_allclose(
        y.mean(3), np.broadcast_to(brightness[:, None, None], (batch, 4, 4)), atol=1e-5
    )
    return brightness, (y[:, 0, 0, 0] - y[:, 0, 0, 2]) / 2 / contrast, contrast


def test_ranges_of_color():
    brightness, saturation, contrast = numbers_of_color(MANY, 3)
    assert 0 <= saturation.min() < 0.04 and 1.96 < saturation.max() <= 2 + 1e-5
    assert 0.5 - 1e-5 <= contrast.min() < 0.52 and 1.48 < contrast.max() <= 1.5 + 1e-5
    numbers = np.stack([brightness, saturation, contrast])
    assert np.abs(np.corrcoef(numbers) - np.eye(3)).max() < 0.2  # drawn apart


@pytest.mark.parametrize("channels", [1, 3])
def test_color_is_brightness_then_saturation_then_contrast(channels):
    x = IMAGES[..., :channels]
    numbers = numbers_of_color(len(x), channels)
    b, s, c = (0 if n is None else n[:, None, None, None] for n in numbers)
    y = x + b
    if channels == 3:
        y = (y - y.mean(3, keepdims=True)) * s + y.mean(3, keepdims=True)
    y = (y - y.mean((1, 2, 3), keepdims=True)) * c + y.mean((1, 2, 3), keepdims=True)
    np.testing.assert_allclose(augment(x, "color"), y, atol=2e-5)


def shifted(image, down, right):
    """The image moved, with 0 behind it."""
    height, width = image.shape[:2]
    y = np.zeros_like(image)
    y[max(down, 0) : height + down, max(right, 0) : width + right] = image[
        max(-down, 0) : height - down, max(-right, 0) : width - right
    ]
    return y


def test_translation_moves_by_up_to_an_eighth_and_leaves_0():
    image = np.arange(1, 16 * 8 * 2 + 1, dtype="float32").reshape(16, 8, 2)
    known = {(d, r): shifted(image, d, r) for d in range(-2, 3) for r in range(-1, 2)}
    seen = []
    for moved in augment(np.repeat(image[None], MANY, 0), "translation"):
        seen += [move for move, expected in known.items() if np.array_equal(moved, expected)]
    assert len(seen) == MANY  # each is one of them
    counts = np.array([seen.count(move) for move in known])
    assert counts.min() > MANY / 15 / 2 and counts.max() < MANY / 15 * 2


def test_translation_moves_one_pixel_to_one_place():
    pixel = np.zeros((MANY, 8, 24, 1), "float32")
    pixel[:, 4, 12] = 0.7
    _, rows, columns, _ = np.nonzero(augment(pixel, "translation"))
    assert len(rows) == MANY
    assert (set(rows), set(columns)) == ({3, 4, 5}, set(range(9, 16)))


@pytest.mark.parametrize(("side", "reach"), [(3, 0), (4, 1), (8, 1), (15, 2), (28, 4)])
def test_translation_is_rounded_to_whole_pixels(side, reach):
    pixel = np.zeros((MANY, side, 8, 1), "float32")
    pixel[:, side // 2] = 1.0
    _, rows, _, _ = np.nonzero(augment(pixel, "translation"))
    assert set(rows - side // 2) == set(range(-reach, reach + 1))


def test_cutout_is_a_rectangle_of_half_the_sides_clipped_at_the_border():
    y = augment(np.full((20 * MANY, 4, 6, 2), 0.5, "float32"), "cutout")
    assert set(np.unique(y)) == {0.0, 0.5}
    np.testing.assert_array_equal(y[..., 0], y[..., 1])
    cut = y[..., 0] == 0
    rows, columns = cut.any(2), cut.any(1)
    np.testing.assert_array_equal(cut, rows[:, :, None] & columns[:, None])
    # Half of 4 is 2: its middle lies on one of 5 lines between pixels. Half of 6 is 3: its middle
    # is one of 6 pixels.
    tall = {"1000", "1100", "0110", "0011", "0001"}
    wide = {"110000", "111000", "011100", "001110", "000111", "000011"}
    pairs = [
        ("".join(r), "".join(c))
        for r, c in zip(rows.astype(int).astype(str), columns.astype(int).astype(str))
    ]
    assert {r for r, _ in pairs} == tall and {c for _, c in pairs} == wide
    assert len(set(pairs)) == 30
    for row in tall:
        assert sum(r == row for r, _ in pairs) == pytest.approx(4 * MANY, rel=0.15)
    for column in wide:
        assert sum(c == column for _, c in pairs) == pytest.approx(20 * MANY / 6, rel=0.15)


def test_color_comes_first_and_cutout_last_whatever_the_order_of_the_list():
    colored = augment(IMAGES, "color")  # the first of any policy has the same draws
    both = augment(IMAGES, "cutout", "color")
    np.testing.assert_array_equal(both, augment(IMAGES, "color", "cutout"))
    np.testing.assert_array_equal(both, np.where(both == 0, 0, colored))
    assert 0.1 < (both == 0).mean() <= 0.25
    both = augment(IMAGES, "translation", "color")
    np.testing.assert_array_equal(both, augment(IMAGES, "color", "translation"))
    for moved, image in zip(both, colored, strict=True):
        moves = [(d, r) for d in range(-2, 3) for r in range(-1, 2)]
        assert any(np.array_equal(moved, shifted(image, *move)) for move in moves)
    both = augment(IMAGES, "cutout", "translation")
    np.testing.assert_array_equal(both, np.where(both == 0, 0, augment(IMAGES, "translation")))
    np.testing.assert_array_equal(
        augment(IMAGES), augment(IMAGES, "cutout", "translation", "color")
    )
    assert DiffAugment(["cutout", "color", "cutout"]).policy == ["color", "cutout"]
    assert DiffAugment("color").policy == ["color"]


@pytest.mark.parametrize("policy", ["color", "translation", "cutout"])
def test_each_example_and_each_call_draws_anew(policy):
    same = np.repeat(IMAGES[:1], 64, 0)
    layer = DiffAugment([policy], seed=1)
    first, second = (layer(same, training=True).numpy() for _ in range(2))
    assert len(np.unique(first.reshape(64, -1), axis=0)) > 10
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, augment(same, policy, seed=1))
    assert not np.array_equal(first, augment(same, policy, seed=2))


def test_layers_without_a_seed_draw_their_own():
    keras.utils.set_random_seed(7)
    first, second = (DiffAugment() for _ in range(2))
    assert first.seed != second.seed
    keras.utils.set_random_seed(7)
    assert DiffAugment().seed == first.seed


POLICIES = [("color",), ("translation",), ("cutout",), ()]


def back(x, weights, policy, jit_compile=False):
    """The gradient of `sum(weights * augmented)`."""
    layer = DiffAugment(seed=3, **({"policy": policy} if policy else {}))
    layer.build(x.shape)

    @tf.function(jit_compile=jit_compile)
    def slopes(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(weights * layer(x, training=True))
        return tape.gradient(y, x)

    return slopes(tf.constant(x)).numpy()


@pytest.mark.parametrize("policy", POLICIES)
def test_gradient_is_that_of_a_linear_map(policy):
    weights, step = np.random.default_rng(1).normal(size=(2, *IMAGES.shape)).astype("float32")
    difference = augment(IMAGES + step, *policy) - augment(IMAGES, *policy)
    slopes = back(IMAGES, weights, policy)
    np.testing.assert_allclose(
        (slopes * step).sum((1, 2, 3)), (weights * difference).sum((1, 2, 3)), rtol=1e-4, atol=1e-3
    )
    np.testing.assert_allclose(back(2 * IMAGES, weights, policy), slopes, atol=1e-5)


def test_gradient_of_a_translation_is_the_translation_back():
    image = np.arange(1, 129, dtype="float32").reshape(1, 16, 8, 1).repeat(20, 0)
    weights = np.random.default_rng(1).normal(size=image.shape).astype("float32")
    slopes, moved = back(image, weights, ("translation",)), augment(image, "translation")
    moves = []
    for i in range(20):
        for move in np.ndindex(5, 3):
            down, right = move[0] - 2, move[1] - 1
            if np.array_equal(moved[i], shifted(image[i], down, right)):
                moves.append((down, right))
                np.testing.assert_array_equal(slopes[i], shifted(weights[i], -down, -right))
    assert len(moves) == 20 and len(set(moves)) > 5


@pytest.mark.parametrize(
    ("policy", "jit_compile"), [*((policy, False) for policy in POLICIES), ((), True)]
)
def test_second_derivatives_as_r1_takes_them(policy, jit_compile):
    # y = A x + b, score = y' y, slopes g = 2 A' y, penalty g' g: its gradient is 4 A' A g.
    layer = DiffAugment(seed=3, **({"policy": policy} if policy else {}))
    layer.build(IMAGES.shape)

    @tf.function(jit_compile=jit_compile)
    def penalty(x):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                score = tf.reduce_sum(layer(x, training=True) ** 2)
            slopes = inner.gradient(score, x)
            total = tf.reduce_sum(slopes**2)
        return slopes, outer.gradient(total, x)

    slopes, second = (tensor.numpy() for tensor in penalty(tf.constant(IMAGES)))
    y = augment(IMAGES, *policy, jit_compile=jit_compile)
    np.testing.assert_allclose(slopes, back(IMAGES, 2 * y, policy, jit_compile), atol=1e-4)
    forth = augment(IMAGES + slopes, *policy, jit_compile=jit_compile) - y
    expected = 4 * back(IMAGES, forth, policy, jit_compile)
    np.testing.assert_allclose(second, expected, rtol=1e-3, atol=1e-2)
    assert np.abs(second).max() > 1


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])
def test_saved_and_reloaded_it_goes_on(suffix, tmp_path):
    def make(seed):
        inputs = keras.Input(IMAGES.shape[1:])
        return keras.Model(inputs, DiffAugment(["color", "cutout"], seed=seed)(inputs))

    model, path = make(5), tmp_path / f"model{suffix}"
    for _ in range(3):
        model(IMAGES, training=True)
    if suffix == ".keras":
        model.save(path)
        twin = keras.models.load_model(path)
        assert twin.layers[-1].get_config() == model.layers[-1].get_config()
    else:
        model.save_weights(path)
        twin = make(6)
        twin.load_weights(path)
    for _ in range(2):
        np.testing.assert_array_equal(model(IMAGES, training=True), twin(IMAGES, training=True))


@pytest.mark.parametrize("size", [5, None])
def test_it_computes_the_same_in_a_graph(size):
    eager, layer = DiffAugment(seed=4), DiffAugment(seed=4)
    layer.build(IMAGES.shape)
    call = tf.function(
        lambda x: layer(x, training=True), [tf.TensorSpec((size, *IMAGES.shape[1:]))]
    )
    for _ in range(3):
        np.testing.assert_allclose(call(IMAGES), eager(IMAGES, training=True), atol=1e-6)
    assert layer.seed_and_calls.numpy().tolist() == [4, 3]


def test_compiled_it_counts_and_draws_anew():
    layer = DiffAugment(["translation"], seed=4)
    layer.build(IMAGES.shape)
    call = tf.function(lambda x: layer(x, training=True), jit_compile=True)
    results = [call(IMAGES).numpy() for _ in range(4)]
    assert layer.seed_and_calls.numpy().tolist() == [4, 4]
    known = [(d, r) for d in range(-2, 3) for r in range(-1, 2)]
    for moved, image in zip(np.concatenate(results), np.tile(IMAGES, (4, 1, 1, 1)), strict=True):
        assert any(np.array_equal(moved, shifted(image, *move)) for move in known)
    assert all(not np.array_equal(a, b) for a, b in itertools.pairwise(results))


def test_replicas_draw_apart_and_count_together(two_replicas):
    with two_replicas.scope():
        layer = DiffAugment(seed=5)
        layer.build(IMAGES.shape)

    @tf.function
    def call():
        return two_replicas.run(lambda: layer(IMAGES, training=True))

    alone = DiffAugment(seed=5)
    for number in range(1, 4):
        first, second = (r.numpy() for r in two_replicas.experimental_local_results(call()))
        assert np.abs(first - second).reshape(5, -1).max(1).min() > 0.05  # every example
        counts = two_replicas.experimental_local_results(layer.seed_and_calls.value)
        assert [c.numpy().tolist() for c in counts] == [[5, number]] * 2
        np.testing.assert_allclose(first, alone(IMAGES, training=True), atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_stays_near_and_finite(policy):
    layer = DiffAugment(seed=3, dtype=policy)
    y = layer(IMAGES, training=True)
    assert y.dtype == policy.removeprefix("mixed_")
    np.testing.assert_allclose(tf.cast(y, "float32"), augment(IMAGES), atol=0.02)
    large = np.full((2, 16, 16, 3), 1000.0, "float32")  # its sum is beyond float16
    y = tf.cast(DiffAugment(["color"], dtype=policy)(large, training=True), "float32")
    np.testing.assert_allclose(y, large, rtol=0.01)


def test_unknown_policy():
    message = (
        r"No augmentation of that name. Did you mean 'color' or .* Expected some of .*'cutout'"
    )
    with pytest.raises(ValueError, match=message + r".*Received: policy=\('colour',\)"):
        DiffAugment(("colour",))
    with pytest.raises(ValueError, match=r"that name. Expected.*Received: policy=\['color', 7\]"):
        DiffAugment(["color", 7])


@pytest.mark.parametrize("policy", [(), []])
def test_empty_policy(policy):
    with pytest.raises(ValueError, match="Expected some of .*'translation'") as error:
        DiffAugment(policy)
    assert f"Received: policy={policy!r}" in str(error.value)


@pytest.mark.parametrize("seed", [-1, 2**31, 0.5, True])
def test_bad_seed(seed):
    with pytest.raises(ValueError, match=f"`seed` must be.*Received: seed={seed}"):
        DiffAugment(seed=seed)


@pytest.mark.parametrize("shape", [(6, 4), (6, 4, 4), (6, 2, 4, 4, 3), (None, None, 8, 3)])
def test_bad_shape(shape):
    with pytest.raises(ValueError, match="Only images are augmented") as error:
        DiffAugment().build(shape)
    assert f"Received: shape {shape}" in str(error.value)
