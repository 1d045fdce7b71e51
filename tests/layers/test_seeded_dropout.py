import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.layers import SeededDropout

ONES = np.ones((64, 8, 8, 1), "float32")


def test_inference_is_left_alone():
    layer = SeededDropout(0.5)
    np.testing.assert_array_equal(layer(3.0 * ONES), 3.0 * ONES)
    assert layer.seed_and_calls.numpy()[1] == 0


def test_training_drops_its_share_anew_at_every_call_and_keeps_the_mean():
    layer = SeededDropout(0.2, seed=1)
    first, second = (layer(2.0 * ONES, training=True).numpy() for _ in range(2))
    for dropped in (first, second):
        np.testing.assert_allclose(np.unique(dropped), [0.0, 2.0 / 0.8], rtol=1e-6)
        assert (dropped == 0).mean() == pytest.approx(0.2, abs=4 * 0.4 / 64)  # 4,096 values
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.07
    np.testing.assert_array_equal(first, SeededDropout(0.2, seed=1)(2.0 * ONES, training=True))
    assert np.abs(first - SeededDropout(0.2, seed=2)(2.0 * ONES, training=True)).max() > 1


@pytest.mark.parametrize("training", [False, True])
def test_a_given_seed_fixes_the_mask_and_leaves_the_state_alone(training):
    layer = SeededDropout(0.5, seed=1)
    expected = [SeededDropout(0.5, seed=1)(ONES, training=True)]

    def seeded(seed):
        with layer.seeded(seed):
            return layer(ONES, training=training).numpy()

    made = seeded([3, 4])
    np.testing.assert_array_equal(made, seeded(np.array([3, 4], "int32")))
    assert (made == 0).mean() == pytest.approx(0.5, abs=4 * 0.5 / 64)
    for other in (seeded([3, 5]), seeded([4, 4])):
        assert abs(np.corrcoef(made.ravel(), other.ravel())[0, 1]) < 0.07
    assert layer.seed_and_calls.numpy().tolist() == [1, 0]
    np.testing.assert_array_equal(layer(ONES), ONES)
    np.testing.assert_array_equal(layer(ONES, training=True), expected[0])


def test_the_mask_of_an_example_does_not_know_the_batch():
    layer = SeededDropout(0.5)
    with layer.seeded([3, 4]):
        whole, part = layer(ONES).numpy(), layer(ONES[:5]).numpy()
    np.testing.assert_array_equal(part, whole[:5])
    assert not (whole[0] == whole[1]).all()


def test_a_seed_is_gone_after_an_error():
    layer = SeededDropout(0.5)
    with pytest.raises(KeyError), layer.seeded([3, 4]):
        raise KeyError
    np.testing.assert_array_equal(layer(ONES), ONES)


def test_gradients_pass_where_values_do():
    layer, x = SeededDropout(0.5), tf.ones((1, 50))
    with tf.GradientTape() as tape, layer.seeded([1, 2]):
        tape.watch(x)
        y = layer(x)
    np.testing.assert_array_equal(tape.gradient(y, x), y)  # 0, or 2 = 1 / (1 - rate)


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])
def test_saved_and_reloaded_it_goes_on(suffix, tmp_path):
    def make(seed):
        inputs = keras.Input(ONES.shape[1:])
        return keras.Model(inputs, SeededDropout(0.3, seed=seed)(inputs))

    model, path = make(5), tmp_path / f"model{suffix}"
    for _ in range(3):
        model(ONES, training=True)
    if suffix == ".keras":
        model.save(path)
        twin = keras.models.load_model(path)
        assert twin.layers[-1].rate == 0.3
    else:
        model.save_weights(path)
        twin = make(6)
        twin.load_weights(path)
    for _ in range(2):
        np.testing.assert_array_equal(model(ONES, training=True), twin(ONES, training=True))


def test_replicas_draw_apart_and_count_together(two_replicas):
    with two_replicas.scope():
        layer = SeededDropout(0.5, seed=5)
        layer.build(ONES.shape)

    @tf.function
    def call():
        return two_replicas.run(lambda: layer(ONES, training=True))

    for number in range(1, 4):
        first, second = (r.numpy().ravel() for r in two_replicas.experimental_local_results(call()))
        assert abs(np.corrcoef(first, second)[0, 1]) < 0.07
        counts = two_replicas.experimental_local_results(layer.seed_and_calls.value)
        assert [c.numpy().tolist() for c in counts] == [[5, number]] * 2


def test_float16_stays_float16():
    layer = SeededDropout(0.5, dtype="mixed_float16")
    y = layer(ONES, training=True)
    assert y.dtype == "float16" and set(np.unique(y)) == {0.0, 2.0}


@pytest.mark.parametrize("rate", [1.0, -0.1, float("nan"), True, "half"])
def test_bad_rate(rate):
    with pytest.raises(ValueError, match=f"`rate`.*Received: rate={rate!r}"):
        SeededDropout(rate)


@pytest.mark.parametrize("seed", [-1, 2**31, 1.0, True])
def test_bad_seed(seed):
    with pytest.raises(ValueError, match=f"`seed`.*Received: seed={seed}"):
        SeededDropout(0.5, seed=seed)
