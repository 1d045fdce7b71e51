"""What every layer keeps to: its config, its file, its dtypes, and no TensorFlow in a generator."""

import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans
from keras_gans import layers

IMAGES = (4, 5, 8)

# No argument is a default, so that a config that forgets one is noticed.
CASES = {
    "AdaptiveAugment": lambda: layers.AdaptiveAugment(
        ["geometric", "cutout"], probability=0.5, target=0.4, every=2, kimg=3.0, seed=3
    ),
    "BiasActivation": lambda: layers.BiasActivation(None, clamp=0.5, gain=2.0),
    "ConditionalBatchNormalization": lambda: layers.ConditionalBatchNormalization(
        3, momentum=0.5, epsilon=0.1
    ),
    "DiffAugment": lambda: layers.DiffAugment(("cutout", "color"), seed=3),
    "EqualizedConv2D": lambda: layers.EqualizedConv2D(3, 1, down=2, use_bias=False, gain=2.0),
    "EqualizedDense": lambda: layers.EqualizedDense(3, "leaky_relu", lr_multiplier=0.1, bias=1.0),
    "EqualizedEmbedding": lambda: layers.EqualizedEmbedding(3, 5),
    "FilteredResampling2D": lambda: layers.FilteredResampling2D([1, 2, 1], up=2, gain=3.0),
    "InstanceNoise": lambda: layers.InstanceNoise(0.2, decay_steps=7, seed=3),
    "InstanceNormalization": lambda: layers.InstanceNormalization(
        axis=1, epsilon=0.1, center=False, gamma_initializer="normal"
    ),
    "LearnedConstant": lambda: layers.LearnedConstant((2, 3, 4)),
    "MinibatchDiscrimination": lambda: layers.MinibatchDiscrimination(
        3, 2, kernel_initializer="he_normal"
    ),
    "MinibatchStdDev": lambda: layers.MinibatchStdDev(group_size=2),
    "ModulatedConv2D": lambda: layers.ModulatedConv2D(3, 5, up=2, demodulate=False),
    "NoiseInjection": lambda: layers.NoiseInjection("random", seed=3),
    "PixelNormalization": lambda: layers.PixelNormalization(epsilon=0.1),
    "PixelShuffle": lambda: layers.PixelShuffle(factor=1),
    "ReflectionPadding2D": lambda: layers.ReflectionPadding2D(((0, 1), (2, 3))),
    "ReplayPool": lambda: layers.ReplayPool(size=3),
    "SeededDropout": lambda: layers.SeededDropout(0.2, seed=3),
    "SelfAttention2D": lambda: layers.SelfAttention2D(ratio=4, spectral_normalization=False),
    "SpectralNormalization": lambda: layers.SpectralNormalization(
        keras.layers.Conv2D(3, 2, bias_initializer="ones"), power_iterations=3
    ),
    "StyleTruncation": lambda: layers.StyleTruncation(3, psi=0.5, cutoff=2),
    "TruncatedBatchNormalization": lambda: layers.TruncatedBatchNormalization(
        0.5, stats=11, conditional=False, epsilon=0.1
    ),
}
# Others take a pair, or labels; draw anew at each call; or do not look at what they are given.
IN_A_MODEL = sorted(
    set(CASES)
    - {"ConditionalBatchNormalization", "EqualizedEmbedding", "ModulatedConv2D"}
    - {"LearnedConstant", "NoiseInjection", "ReplayPool"}
)
OF_VECTORS = ("EqualizedDense", "MinibatchDiscrimination", "StyleTruncation")


TRAINING = (
    "adaptive_augment",
    "diff_augment",
    "instance_noise",
    "noise_injection",
    "replay_pool",
    "seeded_dropout",
    "seeded_layer",
)


def inputs_of(name):
    shape = (8,) if name in OF_VECTORS else IMAGES
    return shape, np.random.default_rng(0).normal(size=(6, *shape)).astype("float32")


def model_of(name):
    inputs = keras.Input(inputs_of(name)[0])
    return keras.Model(inputs, CASES[name]()(inputs))


def test_every_public_layer_has_a_case():
    assert sorted(CASES) == sorted(layers.__all__)
    assert keras_gans.layers is layers


@pytest.mark.parametrize("name", sorted(CASES))
def test_config_round_trip(name):
    layer = CASES[name]()
    config = layer.get_config()
    twin = type(layer).from_config(layer.get_config())
    assert twin.get_config() == config
    assert keras.saving.get_registered_name(type(layer)) == f"keras_gans>{name}"


@pytest.mark.parametrize("name", IN_A_MODEL)
def test_saved_and_reloaded_it_computes_the_same(name, tmp_path):
    model, (_, x) = model_of(name), inputs_of(name)
    model.set_weights([w + 1 for w in model.get_weights()])  # not what a new one would have
    model(x, training=True)
    model.save(tmp_path / "model.keras")
    twin = keras.models.load_model(tmp_path / "model.keras")
    for training in (False, True, True, False):
        np.testing.assert_array_equal(model(x, training=training), twin(x, training=training))
    for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", IN_A_MODEL)
def test_shapes_are_those_announced(name):
    model, (shape, x) = model_of(name), inputs_of(name)
    assert model(x).shape == (6, *model.output_shape[1:])
    layer = CASES[name]()
    assert layer.compute_output_shape((None, *shape)) == model.output_shape


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("name", IN_A_MODEL)
def test_mixed_precision_stays_in_the_compute_dtype(name, policy):
    full = model_of(name)
    keras.config.set_dtype_policy(policy)
    model, (_, x) = model_of(name), inputs_of(name)
    assert all(v.dtype in ("float32", "int32") for v in model.variables)
    if model.get_weights():
        model.set_weights(full.get_weights())
    y = model(x)
    assert y.dtype == model.output.dtype == policy.removeprefix("mixed_")
    tolerance = 0.02 if policy == "mixed_float16" else 0.1
    np.testing.assert_allclose(tf.cast(y, "float32"), full(x), atol=tolerance, rtol=tolerance)
    y = model(1000.0 * x, training=True)  # the square of 1000 is beyond float16
    assert np.isfinite(tf.cast(y, "float32")).all()


@pytest.mark.parametrize("name", IN_A_MODEL)
def test_gradients_reach_the_input_inside_a_graph(name):
    model, (_, x) = model_of(name), inputs_of(name)

    @tf.function(jit_compile=False)
    def slope(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(model(x, training=True) ** 3)
        return tape.gradient(loss, x)

    slopes = slope(tf.constant(x)).numpy()
    assert np.isfinite(slopes).all() and np.abs(slopes).max() > 0


def test_layers_of_generators_do_not_mention_tensorflow():
    for path in pathlib.Path(layers.__file__).parent.glob("*.py"):
        imports = "import tensorflow" in path.read_text()
        assert imports == (path.stem in TRAINING), path.name


@pytest.mark.parametrize("batch", [1, None])
def test_layers_of_generators_need_no_more_than_the_builtins_of_tflite(batch, tmp_path):
    x = inputs = keras.Input((8, 8, 4), batch_size=batch)
    x = layers.SpectralNormalization(keras.layers.Conv2D(8, 3))(layers.ReflectionPadding2D(2)(x))
    x = layers.PixelShuffle(2)(layers.InstanceNormalization()(x))
    keras.Model(inputs, x).export(tmp_path / "model", verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "model"))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]  # or it raises
    assert len(converter.convert()) > 1000
