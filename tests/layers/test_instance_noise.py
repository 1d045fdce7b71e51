import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.layers import InstanceNoise

ZEROS = np.zeros((64, 8, 8, 1), "float32")


def test_inference_is_left_alone():
    layer = InstanceNoise(0.5)
    np.testing.assert_array_equal(layer(ZEROS + 3.0), ZEROS + 3.0)
    assert layer.seed_and_calls.numpy()[1] == 0


def test_noise_is_normal_and_new_at_every_call():
    layer = InstanceNoise(0.5, seed=1)
    first, second = (layer(ZEROS, training=True).numpy() for _ in range(2))
    for noise in (first, second):
        assert abs(noise.mean()) < 4 * 0.5 / 64  # 4,096 values
        assert noise.std() == pytest.approx(0.5, rel=0.05)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.07
    np.testing.assert_array_equal(first, InstanceNoise(0.5, seed=1)(ZEROS, training=True))
    assert np.abs(first - InstanceNoise(0.5, seed=2)(ZEROS, training=True)).max() > 0.1


def test_layers_without_a_seed_draw_their_own():
    keras.utils.set_random_seed(7)
    first, second = (InstanceNoise() for _ in range(2))
    assert first.seed != second.seed
    keras.utils.set_random_seed(7)
    assert InstanceNoise().seed == first.seed


def test_deviation_falls_in_a_line_to_0_and_stays_there():
    layer = InstanceNoise(0.4, decay_steps=4, seed=0)
    call = tf.function(lambda x: layer(x, training=True))
    found = [call(ZEROS).numpy().std() for _ in range(6)]
    np.testing.assert_allclose(found, [0.4, 0.3, 0.2, 0.1, 0.0, 0.0], rtol=0.06)


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])
def test_saved_and_reloaded_it_goes_on(suffix, tmp_path):
    def make(seed):
        inputs = keras.Input(ZEROS.shape[1:])
        return keras.Model(inputs, InstanceNoise(0.5, decay_steps=9, seed=seed)(inputs))

    model, path = make(5), tmp_path / f"model{suffix}"
    for _ in range(3):
        model(ZEROS, training=True)
    if suffix == ".keras":
        model.save(path)
        twin = keras.models.load_model(path)
    else:
        model.save_weights(path)
        twin = make(6)
        twin.load_weights(path)
    for _ in range(2):
        np.testing.assert_array_equal(model(ZEROS, training=True), twin(ZEROS, training=True))


def test_replicas_draw_apart_and_count_together(two_replicas):
    with two_replicas.scope():
        layer = InstanceNoise(0.5, decay_steps=10, seed=5)
        layer.build(ZEROS.shape)

    @tf.function
    def call():
        return two_replicas.run(lambda: layer(ZEROS, training=True))

    for number in range(1, 4):
        first, second = (r.numpy().ravel() for r in two_replicas.experimental_local_results(call()))
        assert abs(np.corrcoef(first, second)[0, 1]) < 0.07
        counts = two_replicas.experimental_local_results(layer.seed_and_calls.value)
        assert [c.numpy().tolist() for c in counts] == [[5, number]] * 2
    alone = InstanceNoise(0.5, decay_steps=10, seed=5)
    for _ in range(3):
        last = alone(ZEROS, training=True)
    np.testing.assert_allclose(first, last.numpy().ravel(), atol=1e-6)


@pytest.mark.parametrize("stddev", [-0.1, "much", float("nan"), None])
def test_bad_deviation(stddev):
    with pytest.raises(ValueError, match=r"number of 0 or more. Received: stddev="):
        InstanceNoise(stddev)


@pytest.mark.parametrize("steps", [0, -3, 1.5, True])
def test_bad_decay(steps):
    with pytest.raises(ValueError, match=f"at least 1.*Received: decay_steps={steps}"):
        InstanceNoise(decay_steps=steps)


@pytest.mark.parametrize("seed", [-1, 2**31, 0.5])
def test_bad_seed(seed):
    with pytest.raises(ValueError, match=f"`seed` must be.*Received: seed={seed}"):
        InstanceNoise(seed=seed)
