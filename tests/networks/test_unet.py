import json
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from reference import image_to_image_parameters as script

from keras_gans.layers import InstanceNormalization, SeededDropout
from keras_gans.networks import resnet_generator, stochastic, unet_generator

REFERENCE = json.loads(pathlib.Path(script.__file__).with_suffix(".json").read_text())


def cases(part):
    return [case for case in REFERENCE[part] if case["kind"] == "unet"]


def kinds(model, *wanted):
    return [layer for layer in model.layers if isinstance(layer, wanted)]


@pytest.mark.parametrize("case", cases("counted"), ids=str)
def test_as_many_parameters_as_in_pytorch(case):
    side = 2 ** case["depth"]
    taken, made = case.get("channels", [3, 3])
    model = unet_generator((side, side, taken), made, normalization=case["norm"])
    assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == case["parameters"]


def test_the_published_number_of_parameters():
    (paper,) = [c for c in cases("counted") if "channels" not in c and c["parameters"] > 54.41e6]
    assert (paper["depth"], paper["parameters"]) == (8, 54_413_955)


@pytest.mark.parametrize("case", cases("small"), ids=str)
def test_agrees_with_pytorch(case):
    taken, made = case["channels"]
    model = unet_generator(
        (*case["sides"], taken),
        made,
        width=script.WIDTH,
        max_width=8 * script.WIDTH,
        dropout=0.0,
        normalization=case["norm"],
    )
    script.require_agreement(model, case)


@pytest.mark.parametrize(
    ("sides", "depth"),
    [
        ((256, 256), 8),
        ((128, 128), 7),
        ((64, 64), 6),
        ((32, 32), 5),
        ((256, 512), 8),
        ((512, 512), 8),
        ((128, 256), 7),
        ((96, 320), 5),
    ],
)
def test_halved_as_often_as_both_sides_allow(sides, depth):
    model = unet_generator((*sides, 1), 2, width=1, max_width=2)
    assert model.output_shape == (None, *sides, 2)
    assert len(kinds(model, layers.Conv2D)) == len(kinds(model, layers.Conv2DTranspose)) == depth
    smallest = min(min(layer.output.shape[1:3]) for layer in kinds(model, layers.Conv2D))
    assert smallest == min(sides) // 2**depth


def test_depth_can_be_given():
    model = unet_generator((40, 32, 3), width=1, depth=3)
    assert model.output_shape == (None, 40, 32, 3) and len(kinds(model, layers.Conv2D)) == 3


@pytest.mark.parametrize(
    ("depth", "dropped"), [(7, [4, 8, 16]), (5, [4, 8, 16]), (3, [4]), (2, [])]
)
def test_dropout_at_the_three_sizes_next_to_the_innermost(depth, dropped):
    side = max(2**depth, 32)
    dropped = [n * side // 2**depth for n in dropped]
    model = unet_generator((side, side, 3), width=1, depth=depth, dropout=0.25)
    layers_ = kinds(model, SeededDropout)
    assert [layer.output.shape[1] for layer in layers_] == dropped
    assert {layer.rate for layer in layers_} <= {0.25}
    assert not kinds(unet_generator((32, 32, 3), width=1, dropout=0.0), SeededDropout)


def test_normalisations_and_where_they_are_not():
    def number(name, *wanted):
        return len(kinds(unet_generator((32, 32, 3), width=1, normalization=name), *wanted))

    both = (layers.BatchNormalization, InstanceNormalization)
    # Down, all but the first and the innermost of 5; up, all but the last.
    assert number("batch", layers.BatchNormalization) == number("batch", *both) == 3 + 4
    assert number("instance", InstanceNormalization) == number("instance", *both) == 3 + 4
    assert number(None, *both) == 0


def test_affine_instance_normalisation_has_offsets_in_place_of_biases():
    plain, affine = (
        unet_generator((32, 32, 3), width=1, normalization=name)
        for name in ("instance", "instance_affine")
    )
    assert [w.name for w in affine.weights].count("bias") == 1
    # A factor and an offset for each normalised channel, and no bias, nor at the other two sizes:
    # the first and the innermost, of 1 and of 16.
    more = (2 + 4 + 8) + (8 + 4 + 2 + 1) - (1 + 16)
    assert affine.count_params() - plain.count_params() == more


def test_weights_start_as_in_the_paper():
    model = unet_generator((64, 64, 3), width=32)
    for layer in kinds(model, layers.Conv2D, layers.Conv2DTranspose):
        kernel = layer.kernel.numpy()
        # Six standard errors of so many numbers.
        assert kernel.std() == pytest.approx(0.02, rel=6 / np.sqrt(2 * kernel.size))
        assert abs(kernel.mean()) < 6 * 0.02 / np.sqrt(kernel.size)
    norms = kinds(model, layers.BatchNormalization)
    gains = np.concatenate([layer.gamma.numpy() for layer in norms])
    assert gains.mean() == pytest.approx(1.0, abs=0.01) and 0.017 < gains.std() < 0.023
    assert {(layer.momentum, layer.epsilon) for layer in norms} == {(0.9, 1e-5)}


def test_images_are_float32_and_finite_under_mixed_float16():
    keras.config.set_dtype_policy("mixed_float16")
    model = unet_generator((32, 32, 3), width=4)
    assert model.outputs[0].dtype == "float32"
    x = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype("float32")
    for training in (False, True):
        made = model(x, training=training)
        assert made.dtype == "float32" and np.abs(made).max() <= 1.0


def test_inputs_and_outputs_have_names():
    model = unet_generator((32, 32, 3), width=1, name="up_and_down")
    assert (model.name, [x.name for x in model.inputs]) == ("up_and_down", ["images"])


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((40, 64, 3), {}, r"downsampled 5 times.*multiples of 32.*\(32, 64\) or \(64, 64\)"),
        ((255, 256, 3), {}, r"multiples of 32.*\(224, 256\) or \(256, 256\)"),
        ((100, 60, 3), {}, r"multiples of 32.*\(96, 32\) or \(128, 64\)"),
        (
            (96, 96, 3),
            {"depth": 6},
            r"6 times.*multiples of 64.*\(64, 64\) or \(128, 128\)",
        ),
        ((32, 32, 3), {"depth": 6}, r"multiples of 64.*sizes are \(64, 64\)\."),
        ((16, 32, 3), {}, "at least 32"),
        ((32, 32), {}, "`image_shape`"),
        ((32, 32, 3), {"depth": 1}, "`depth`"),
        ((32, 32, 3), {"depth": 5.0}, "`depth`"),
        ((32, 32, 3), {"out_channels": 0}, "`out_channels`"),
        ((32, 32, 3), {"width": 0}, "`width`"),
        ((32, 32, 3), {"max_width": True}, "`max_width`"),
        ((32, 32, 3), {"dropout": 1.0}, "`dropout`"),
        ((32, 32, 3), {"normalization": "btach"}, "mean 'batch'"),
    ],
)
def test_bad_input(shape, options, message):
    with pytest.raises(ValueError, match=f"(?s){message}.*Received"):
        unet_generator(shape, **options)


# The twin that draws noise.

X = np.random.default_rng(3).uniform(-1, 1, (3, 32, 32, 3)).astype("float32")


@pytest.fixture(name="generator")
def trained():
    """Gains large enough for noise to show, and moving statistics that are not the first ones."""
    model = unet_generator((32, 32, 3), width=4)
    rng = np.random.default_rng(0)
    for layer in kinds(model, layers.Conv2D, layers.Conv2DTranspose):
        kernel = layer.kernel.shape
        layer.kernel.assign(rng.normal(0, 1.5 / np.sqrt(np.prod(kernel[:3])), kernel))
    model(X, training=True)
    return model


def translated(twin, seed, images=X):
    return twin([images, np.array(seed, "int32")]).numpy()


def test_a_twin_shares_the_weights_and_draws_by_its_seed(generator):
    twin = stochastic(generator)
    assert [id(w) for w in twin.weights] == [id(w) for w in generator.weights]
    assert [x.name for x in twin.inputs] == ["images", "seed"]
    assert tuple(twin.inputs[1].shape) == (2,) and twin.inputs[1].dtype == "int32"
    before = [w.numpy() for w in generator.weights]
    plain, made = generator(X).numpy(), translated(twin, [5, 1])
    np.testing.assert_array_equal(made, translated(twin, [5, 1]))
    for other in (plain, translated(twin, [6, 1]), translated(twin, [5, 2])):
        assert np.abs(made - other).mean() > 0.01
    # Neither the averages nor the count of training's draws have moved, nor the generator's noise.
    for weight, value in zip(generator.weights, before):
        np.testing.assert_array_equal(weight, value)
    np.testing.assert_array_equal(generator(X), plain)
    last = kinds(generator, layers.Conv2DTranspose)[-1]
    last.kernel.assign(0.5 * last.kernel)
    assert np.abs(translated(twin, [5, 1]) - made).max() > 0.01


def test_noise_of_an_image_is_its_own_and_does_not_know_the_batch(generator):
    twin = stochastic(generator)
    same = translated(twin, [5, 1], np.repeat(X[:1], 3, axis=0))
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(same[i] - same[j]).mean() > 0.01
    whole = translated(twin, [5, 1])
    for number in (1, 2):
        np.testing.assert_allclose(translated(twin, [5, 1], X[:number]), whole[:number], atol=1e-5)


def test_everything_but_dropout_runs_as_at_inference(generator):
    # With masks that keep everything, only batch statistics could make a difference.
    twin = stochastic(generator)
    for layer in kinds(generator, SeededDropout):
        layer.rate = 0.0
    np.testing.assert_allclose(translated(twin, [5, 1]), generator(X), atol=1e-6)


def test_layers_draw_apart_whatever_the_seed():
    inputs = keras.Input((64, 64, 4))
    apart = [SeededDropout(0.5)(inputs) for _ in range(2)]
    twin = stochastic(keras.Model(inputs, layers.Concatenate()(apart)))
    ones = np.ones((1, 64, 64, 4), "float32")
    drawn = [np.split(translated(twin, [seed, 0], ones), 2, -1) for seed in (4, 5)]
    masks = np.reshape(drawn, (4, -1))
    # 16,384 fair coins each: correlations have a deviation of 1 / 128.
    assert np.abs(np.corrcoef(masks) - np.eye(4)).max() < 5 / 128


def test_a_twin_in_a_graph_and_of_a_generator_from_a_file(generator, tmp_path):
    made = translated(stochastic(generator), [5, 1])
    generator.save(tmp_path / "generator.keras")
    loaded = stochastic(keras.models.load_model(tmp_path / "generator.keras"))
    np.testing.assert_allclose(translated(loaded, [5, 1]), made, atol=1e-6)
    run = tf.function(lambda x, seed: loaded([x, seed]))
    np.testing.assert_allclose(run(X, tf.constant([5, 1])), made, atol=1e-5)


@pytest.mark.parametrize(
    "generator",
    [unet_generator((32, 32, 1), width=1, dropout=0.0), resnet_generator((16, 16, 1), width=1)],
)
def test_a_generator_without_noise_has_no_twin(generator):
    with pytest.raises(ValueError, match=f"no noise.*Received: '{generator.name}'"):
        stochastic(generator)
