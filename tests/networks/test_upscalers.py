"""The networks of super-resolution, and their discriminators."""

import importlib.util
import itertools
import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_gans import export, networks
from keras_gans.layers import SpectralNormalization
from keras_gans.layers.clip_at_inference import ClipAtInference

OPEN = (None, None, 3)
SMALL = {
    "compact_upscaler": {"width": 6, "depth": 2},
    "rrdb_upscaler": {"width": 6, "blocks": 1, "growth": 4},
    "rrdn_upscaler": {"width": 6, "blocks": 1, "dense_blocks": 2, "convolutions": 2, "growth": 4},
    "rdn_upscaler": {"width": 6},
    "srresnet": {"width": 6, "blocks": 1},
}
VARIANTS = [
    ("compact_upscaler", {}, 4),
    ("compact_upscaler", {"scale": 1, "activation": "relu"}, 1),
    ("compact_upscaler", {"scale": 3, "activation": "leaky_relu", "depth": 0}, 3),
    ("compact_upscaler", {"output_scale": 2}, 2),
    ("compact_upscaler", {"output_scale": 3}, 3),
    ("compact_upscaler", {"output_scale": 4, "unit_range": False}, 4),
    ("rrdb_upscaler", {}, 4),
    ("rrdb_upscaler", {"scale": 2}, 2),
    ("rrdb_upscaler", {"scale": 1, "unit_range": False}, 1),
    ("rrdn_upscaler", {}, 4),
    ("rrdn_upscaler", {"scale": 3, "unit_range": False}, 3),
    ("rdn_upscaler", {"scale": 2, "blocks": 1}, 2),
    ("srresnet", {}, 4),
    ("srresnet", {"scale": 2}, 2),
    ("srresnet", {"scale": 8}, 8),
]
every_variant = pytest.mark.parametrize(("name", "options", "scale"), VARIANTS, ids=str)


def small(name, shape=OPEN, seed=1, **options):
    """A network whose weights are all drawn: biases, slopes and statistics too."""
    network = getattr(networks, name)(shape, **{**SMALL.get(name, {}), **options})
    rng = np.random.default_rng(seed)
    for weight in network.weights:
        size = weight.shape
        spread = 1 / np.sqrt(np.prod(size[:-1])) if len(size) > 1 else 0.1
        drawn = rng.normal(0, spread, size)
        weight.assign(np.abs(drawn) + 0.5 if "variance" in weight.name else drawn)
    return network


def noise(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype("float32")


def trained(network):
    return sum(int(np.prod(w.shape)) for w in network.trainable_weights)


def convolution(taken, made, size=3, bias=True):
    return taken * made * size**2 + made * bias


# ---- numbers of parameters, of the authors' programs


def test_the_compact_upscaler_of_animevideov3():
    # 17 convolutions and PReLUs of 64, and one to the 48 channels of 4x4 pixels.
    expected = convolution(3, 64) + 16 * convolution(64, 64) + 17 * 64 + convolution(64, 48)
    assert trained(networks.compact_upscaler(OPEN)) == expected == 621_424
    # realesr-general-x4v3 has 32 in the middle.
    assert trained(networks.compact_upscaler(OPEN, depth=32)) == 1_213_296


def dense_block(width=64, growth=32):
    return sum(convolution(width + n * growth, growth if n < 4 else width) for n in range(5))


@pytest.mark.parametrize(
    ("blocks", "scale", "parameters"), [(23, 4, 16_697_987), (6, 4, 4_467_779), (1, 2, None)]
)
def test_the_rrdb_upscalers(blocks, scale, parameters):
    first = convolution(3 * {4: 1, 2: 4}[scale], 64)
    expected = first + 3 * blocks * dense_block() + 4 * convolution(64, 64) + convolution(64, 3)
    assert parameters in (None, expected)
    assert trained(networks.rrdb_upscaler(OPEN, scale, blocks=blocks)) == expected


def test_the_upscalers_of_idealo():
    expected = convolution(3, 64) + 30 * dense_block() + convolution(64, 64)
    expected += convolution(64, 48) + convolution(3, 3)
    assert trained(networks.rrdn_upscaler(OPEN)) == expected == 7_260_740
    expected = convolution(3, 64) + 2 * convolution(64, 64)
    expected += 2 * (convolution(64, 4) + convolution(68, 64, 1)) + convolution(128, 64, 1)
    expected += convolution(64, 64, 5) + convolution(64, 32) + convolution(32, 48)
    assert trained(networks.rdn_upscaler(OPEN)) == expected + convolution(48, 3) == 233_451


@pytest.mark.parametrize(("scale", "doublings"), [(2, 1), (4, 2), (8, 3)])
def test_srresnet(scale, doublings):
    normalized = convolution(64, 64, bias=False) + 2 * 64
    expected = convolution(3, 64, 9) + 64 + 16 * (2 * normalized + 64) + normalized
    expected += doublings * (convolution(64, 256) + 64) + convolution(64, 3, 9)
    assert trained(networks.srresnet(OPEN, scale)) == expected
    assert scale != 4 or expected == 1_548_547


def test_the_unet_discriminator():
    down = sum(convolution(a, 2 * a, 4, bias=False) for a in (64, 128, 256))
    up = sum(convolution(2 * a, a, bias=False) for a in (256, 128, 64))
    expected = convolution(3, 64) + down + up + 2 * 64 * 64 * 9 + convolution(64, 1)
    network = networks.unet_discriminator(OPEN)
    assert trained(network) == expected == 4_376_897
    normalized = [x.layer for x in network.layers if isinstance(x, SpectralNormalization)]
    assert [x.filters for x in normalized] == [128, 256, 512, 256, 128, 64, 64, 64]
    assert not any(x.use_bias for x in normalized)


def test_the_srgan_discriminator():
    filters = [64, 64, 128, 128, 256, 256, 512, 512]
    expected = convolution(3, 64)
    for taken, made in itertools.pairwise(filters):
        expected += convolution(taken, made, bias=False) + 2 * made
    expected += 6 * 6 * 512 * 1024 + 1024 + 1024 + 1
    assert trained(networks.srgan_discriminator((96, 96, 3))) == expected == 23_563_649


# ---- sizes and ranges


@every_variant
def test_images_of_any_size_become_larger_ones_in_range(name, options, scale):
    network = small(name, **options)
    assert network.output_shape == (None, None, None, 3)
    for sides in ((8, 12), (16, 4)):
        made = network(noise(2, *sides, 3)).numpy()
        assert made.shape == (2, scale * sides[0], scale * sides[1], 3)
        assert np.abs(made).max() <= 1.0 and made.std() > 0.05
    # Of a known size it is the same network.
    known = getattr(networks, name)((8, 12, 3), **{**SMALL[name], **options})
    assert known.output_shape == (None, 8 * scale, 12 * scale, 3)
    known.set_weights(network.get_weights())
    np.testing.assert_allclose(known(noise(1, 8, 12, 3)), network(noise(1, 8, 12, 3)), atol=1e-6)


@every_variant
def test_files_and_channels(name, options, scale, tmp_path):
    network = small(name, (None, None, 1), **options)
    x = noise(1, 8, 4, 1)
    network.save(tmp_path / "network.keras")
    twin = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(twin(x), network(x))
    assert twin.output_shape[-1] == 1


@pytest.mark.parametrize("name", SMALL)
def test_what_is_out_of_range_is_clipped_but_in_training(name):
    network = small(name, seed=3)
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 1.0
    x = noise(1, 8, 8, 3)
    last = [x for x in network.layers if isinstance(x, layers.Conv2D)][-1]
    last.set_weights([30 * w for w in last.get_weights()])
    clip = next(x for x in network.layers if isinstance(x, ClipAtInference))
    whole = keras.Model(network.input, clip.input)(x).numpy()
    whole = 2 * whole - 1 if clip.low == 0 else whole
    assert np.abs(whole).max() > 1.5
    np.testing.assert_allclose(network(x), np.clip(whole, -1, 1), atol=1e-6)
    if name != "srresnet":  # batch normalisation is another in training
        np.testing.assert_allclose(network(x, training=True), whole, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["compact_upscaler", "rrdb_upscaler", "rrdn_upscaler"])
def test_the_range_inside_is_that_of_the_authors_program(name):
    inside, outside = (small(name, unit_range=unit) for unit in (True, False))
    unit = np.random.default_rng(0).uniform(0, 1, (1, 8, 8, 3)).astype("float32")
    expected = outside(unit, training=True).numpy()  # a network without rescalings, on [0, 1]
    made = inside(2 * unit - 1, training=True).numpy()
    np.testing.assert_allclose((made + 1) / 2, expected, atol=1e-5)


def test_images_and_logits_are_float32_under_mixed_float16():
    keras.config.set_dtype_policy("mixed_float16")
    made = {name: getattr(networks, name)(OPEN, **SMALL[name]) for name in SMALL}
    made["reduced"] = networks.compact_upscaler(OPEN, width=4, depth=1, output_scale=3)
    made["unet"] = networks.unet_discriminator(OPEN, width=4)
    made["srgan"] = networks.srgan_discriminator((16, 16, 3), width=4, units=4)
    for name, network in made.items():
        found = network(noise(2, 16, 16, 3), training=True)
        assert network.output.dtype == found.dtype == "float32", name
        assert np.isfinite(found).all(), name


# ---- how trainings start


def test_an_untrained_compact_upscaler_repeats_pixels():
    network = networks.compact_upscaler(OPEN)
    x = noise(1, 16, 16, 3)
    repeated = np.repeat(np.repeat(x, 4, axis=1), 4, axis=2)
    assert np.abs(network(x, training=True) - repeated).mean() < 0.2
    # And yet its features have not faded on the way, as they would with PyTorch's weights.
    features = keras.Model(network.input, network.get_layer("body_33").output)(x)
    first = keras.Model(network.input, network.get_layer("body_1").output)(x)
    assert 0.3 < np.std(features) / np.std(first) < 3.0


def test_an_untrained_block_of_rrdb_adds_little():
    network = networks.rrdb_upscaler(OPEN, width=32, blocks=4)
    x = noise(1, 16, 16, 3)
    first = keras.Model(network.input, network.get_layer("conv_first").output)(x)
    body = keras.Model(network.input, network.get_layer("conv_body").input)(x)
    # A block adds a fifth of what goes through its dense blocks, which add little.
    error = np.abs(body - 1.2**4 * first).max()
    assert 0 < error < 0.2 * np.std(first)


# ---- how far a pixel reaches


def reach(network, sides, row):
    """Rows of the input, relative to its own, that a row of the output depends on."""
    for layer in network.layers:  # nothing cancels, and no slope is too small to be seen
        if isinstance(layer, layers.Conv2D):
            layer.set_weights([np.full(w.shape, 0.1) for w in layer.get_weights()])
    images = tf.Variable(np.full((1, *sides, 1), 0.5, "float32"))
    with tf.GradientTape() as tape:
        made = network(images, training=True)
        middle = made.shape[1] // sides[0] * (sides[0] // 2)
        chosen = made[0, middle + row, made.shape[2] // 2, 0]
    rows = np.nonzero(tape.gradient(chosen, images).numpy()[0, :, :, 0].any(axis=1))[0]
    return rows.min() - sides[0] // 2, rows.max() - sides[0] // 2


@pytest.mark.parametrize(("depth", "output_scale"), [(1, None), (3, None), (2, 2), (2, 3)])
def test_the_documented_reach_of_the_compact_upscaler(depth, output_scale):
    options = {"width": 2, "depth": depth, "output_scale": output_scale}
    network = networks.compact_upscaler((None, None, 1), **options)
    reaches = [reach(network, (24, 24), row) for row in range(output_scale or 4)]
    radius = depth + 2 + (output_scale is not None)
    assert (min(low for low, _ in reaches), max(high for _, high in reaches)) == (-radius, radius)


@pytest.mark.parametrize(("scale", "times"), [(4, 1), (2, 2)])
def test_the_documented_reach_of_the_rrdb_upscaler(scale, times):
    network = networks.rrdb_upscaler((None, None, 1), scale, width=2, blocks=1, growth=1)
    reaches = [reach(network, (96, 8), row) for row in range(scale)]
    radius = times * (15 * 1 + 4)
    low, high = min(low for low, _ in reaches), max(high for _, high in reaches)
    assert -radius <= low and high <= radius + times - 1 and high - low >= 2 * radius - times


def test_the_documented_reach_of_the_rrdn_upscaler():
    options = {"blocks": 2, "dense_blocks": 2, "convolutions": 1, "width": 2, "growth": 1}
    network = networks.rrdn_upscaler((None, None, 1), **options)
    reaches = [reach(network, (40, 8), row) for row in range(4)]
    assert (min(low for low, _ in reaches), max(high for _, high in reaches)) == (-12, 12)


# ---- discriminators


@pytest.mark.parametrize("skip_connections", [True, False])
def test_the_unet_discriminator_judges_each_pixel(skip_connections):
    network = small("unet_discriminator", width=4, skip_connections=skip_connections)
    for sides in ((16, 24), (8, 8)):
        logits = network(noise(2, *sides, 3))
        assert logits.shape == (2, *sides, 1) and np.std(logits) > 0
    added = sum(isinstance(x, layers.Add) for x in network.layers)
    assert added == 3 * skip_connections


def test_spectral_normalisation_bounds_every_kernel():
    network = networks.unet_discriminator(OPEN, width=4)
    for layer in network.layers:
        if isinstance(layer, SpectralNormalization):
            layer.layer.kernel.assign(3.0 * layer.layer.kernel)
    before = network(noise(1, 16, 16, 3)).numpy()
    # Three times the kernel is the same network.
    for layer in network.layers:
        if isinstance(layer, SpectralNormalization):
            layer.layer.kernel.assign(layer.layer.kernel / 3.0)
    np.testing.assert_allclose(network(noise(1, 16, 16, 3)), before, atol=1e-5)


def test_the_srgan_discriminator_takes_one_size_or_any():
    fixed = networks.srgan_discriminator((17, 40, 3), width=4, units=8)
    assert fixed(noise(2, 17, 40, 3)).shape == (2, 1)
    free = networks.srgan_discriminator(OPEN, width=4, units=8, batch_normalization=False)
    assert free(noise(2, 16, 24, 3)).shape == free(noise(2, 32, 16, 3)).shape == (2, 1)
    kinds = [sum(isinstance(x, layers.BatchNormalization) for x in n.layers) for n in (fixed, free)]
    assert kinds == [7, 0]


# ---- export and backends


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("compact_upscaler", {}),
        ("compact_upscaler", {"output_scale": 3}),
        ("rrdb_upscaler", {"scale": 2}),
        ("rrdn_upscaler", {}),
        ("srresnet", {"scale": 2}),
    ],
    ids=str,
)
def test_tflite_needs_builtins_alone(name, options, tmp_path):
    network = small(name, (8, 8, 3), **options)
    path = export.tflite(network, tmp_path / "n.tflite", precision="float32", check=False)
    assert export.check(path, network, num_examples=2).largest < 2e-5


@pytest.mark.parametrize(
    ("name", "options"),
    [("compact_upscaler", {"output_scale": 3}), ("rrdb_upscaler", {"scale": 2}), ("srresnet", {})],
)
def test_onnx_of_any_size(name, options, tmp_path):
    pytest.importorskip("tf2onnx")
    runtime = pytest.importorskip("onnxruntime")
    network = small(name, **options)
    path = export.onnx(network, tmp_path / "n.onnx", check=False)
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for sides in ((8, 8), (12, 20)):
        x = noise(1, *sides, 3)
        (made,) = session.run(None, {"images": x})
        np.testing.assert_allclose(made, network(x), atol=2e-5)


PROGRAM = """
import json, sys
import keras, numpy as np
from keras_gans import networks

assert keras.backend.backend() == sys.argv[1]
found = np.load(sys.argv[2])
for case, (name, options) in enumerate(json.loads(sys.argv[3])):
    network = getattr(networks, name)((None, None, 3), **options)
    network.set_weights([found[f"{case} {i}"] for i in range(len(network.weights))])
    made = keras.ops.convert_to_numpy(network(found["x"]))
    print(name, options, np.abs(made - found[f"{case}"]).max())
    np.testing.assert_allclose(made, found[f"{case}"], atol=2e-5)
"""


@pytest.mark.slow  # starts another process, with another backend
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_make_the_same(backend, tmp_path):
    python = os.environ.get(f"KERAS_GANS_{backend.upper()}_PYTHON")  # as for test_backends.py
    if python is None and importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    cases = [(name, {**SMALL[name], **options}) for name, options, _ in VARIANTS]
    cases.append(("unet_discriminator", {"width": 4}))
    found = {"x": noise(1, 8, 16, 3)}
    for case, (name, options) in enumerate(cases):
        network = small(name, **options)
        found[f"{case}"] = network(found["x"]).numpy()
        found |= {f"{case} {i}": w for i, w in enumerate(network.get_weights())}
    np.savez(tmp_path / "found.npz", **found)
    arguments = [backend, tmp_path / "found.npz", json.dumps(cases)]
    environment = {**os.environ, "KERAS_BACKEND": backend}
    subprocess.run(
        [python or sys.executable, "-c", PROGRAM, *arguments], env=environment, check=True
    )


# ---- bad input


@pytest.mark.parametrize(
    ("name", "shape", "options", "message"),
    [
        ("compact_upscaler", (8, 8), {}, "`image_shape`"),
        ("compact_upscaler", (0, 8, 3), {}, "height"),
        ("compact_upscaler", (8, None, None), {}, "channels"),
        ("compact_upscaler", OPEN, {"scale": 0}, "`scale`"),
        ("compact_upscaler", OPEN, {"scale": 2.5}, "`scale`"),
        ("compact_upscaler", OPEN, {"width": 0}, "`width`"),
        ("compact_upscaler", OPEN, {"depth": -1}, "`depth`"),
        ("compact_upscaler", OPEN, {"activation": "gelu"}, "'prelu', 'relu', 'leaky_relu'"),
        ("compact_upscaler", OPEN, {"output_scale": 5}, "at most `scale`"),
        ("compact_upscaler", OPEN, {"output_scale": 1.5}, "`output_scale`"),
        ("rrdb_upscaler", OPEN, {"scale": 3}, "one of 1, 2, 4"),
        ("rrdb_upscaler", OPEN, {"scale": True}, "one of 1, 2, 4"),
        ("rrdb_upscaler", (9, 8, 3), {"scale": 2}, "multiples of 2.*Pad"),
        ("rrdb_upscaler", (None, 6, 3), {"scale": 1}, "multiples of 4"),
        ("rrdb_upscaler", OPEN, {"blocks": 0}, "`blocks`"),
        ("rrdb_upscaler", OPEN, {"growth": 0}, "`growth`"),
        ("rrdn_upscaler", OPEN, {"scale": 0}, "`scale`"),
        ("rrdn_upscaler", OPEN, {"dense_blocks": 0}, "`dense_blocks`"),
        ("rdn_upscaler", OPEN, {"blocks": 0}, "`blocks`"),
        ("rdn_upscaler", OPEN, {"convolutions": 1.5}, "`convolutions`"),
        ("srresnet", OPEN, {"scale": 3}, "one of 2, 4, 8"),
        ("srresnet", OPEN, {"blocks": "16"}, "`blocks`"),
        ("unet_discriminator", (12, 16, 3), {}, "multiples of 8"),
        ("unet_discriminator", OPEN, {"width": 0}, "`width`"),
        ("srgan_discriminator", (15, 16, 3), {}, "at least 16"),
        ("srgan_discriminator", OPEN, {"units": 0}, "`units`"),
    ],
)
def test_bad_input(name, shape, options, message):
    with pytest.raises(ValueError, match=f"{message}.*Received"):
        getattr(networks, name)(shape, **options)
