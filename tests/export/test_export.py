import os
import subprocess
import sys
import types
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import keras_gans
from keras_gans import export
from keras_gans.networks import translation
from tiny import full_disk

networks = keras_gans.networks


def convolutional(policy="float32"):
    """Odd sizes, transposed convolutions, batch normalisation whose statistics are not 0 and 1."""
    keras.config.set_dtype_policy(policy)
    generator = moved(networks.dcgan_generator((17, 30, 3), latent_dim=6, width=8))
    keras.config.set_dtype_policy("float32")
    return generator


def moved(generator):
    """With weights as large as trained ones."""
    rng = np.random.default_rng(0)
    generator.set_weights(
        [w + 0.3 * np.abs(rng.normal(size=w.shape)) for w in generator.get_weights()]
    )
    return generator


def with_our_layers(policy="float32"):
    """Images to images, through the layers that a translating generator contains."""
    keras.config.set_dtype_policy(policy)
    ours = keras_gans.layers
    inputs = keras.Input((16, 16, 3))
    x = ours.ReflectionPadding2D(1)(inputs)
    x = ours.SpectralNormalization(layers.Conv2D(16, 3, strides=2))(x)
    x = layers.ReLU()(ours.InstanceNormalization()(x))
    x = ours.PixelShuffle(2)(x)
    x = layers.Conv2D(3, 3, padding="same", activation="tanh")(x)
    keras.config.set_dtype_policy("float32")
    return keras.Model(inputs, x)


def cropped():
    """Keras layers alone, cut to an odd size."""
    inputs = keras.Input((5,))
    x = layers.Reshape((4, 4, 8))(layers.Dense(128, activation="relu")(inputs))
    x = layers.BatchNormalization()(layers.Conv2DTranspose(6, 4, strides=2, padding="same")(x))
    x = layers.Cropping2D(((0, 1), (1, 0)))(x)
    return keras.Model(inputs, layers.Conv2D(1, 3, padding="same", activation="tanh")(x))


GENERATORS = {
    "conditional": lambda: moved(networks.conditional_dcgan_generator((16, 16, 1), 3, 6, width=4)),
    "conditional_batch_norm": lambda: told_apart(
        networks.conditional_batch_norm_generator((16, 16, 1), 3, 6, width=4)
    ),
    "convolutional": convolutional,
    "with our layers": with_our_layers,
    "cropped": cropped,
}


def floats(generator, path, **options):
    """A SavedModel of `serving_default` alone: the others stand in test_saved_model.py."""
    return export.saved_model(generator, path, floats_only=True, **options)


class Calls(layers.Layer):
    """A layer of one function, which draws or cannot be converted."""

    def __init__(self, function, **kwargs):
        super().__init__(**kwargs)
        self.function = function

    def call(self, inputs):
        return self.function(inputs)


def calling(function, **kwargs):
    inputs = keras.Input((4,))
    return keras.Model(inputs, Calls(function, **kwargs)(inputs))


def told_apart(generator):
    """Another gain for each class: new layers have the same for all."""
    for layer in generator.layers:
        if hasattr(layer, "gamma") and len(layer.gamma.shape) == 2:
            layer.gamma.assign(layer.gamma + np.arange(3)[:, None])
    return generator


@pytest.mark.parametrize("make", GENERATORS.values(), ids=GENERATORS)
def test_a_saved_model_makes_the_same_images(tmp_path, make):
    generator = make()
    report = export.check(floats(generator, tmp_path / "m"), generator)
    assert report.format == "SavedModel" and report.largest < 1e-5


@pytest.mark.parametrize("make", GENERATORS.values(), ids=GENERATORS)
@pytest.mark.parametrize(("precision", "bound"), [("float32", 2e-5), ("float16", 0.02)])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_tflite_makes_the_same_images(tmp_path, make, precision, bound, batch_size):
    generator = make()
    path = export.tflite(
        generator, tmp_path / "g.tflite", batch_size=batch_size, precision=precision
    )
    report = export.check(path, generator, num_examples=8)
    assert report.largest < bound and report.batch_size == batch_size
    assert (report.largest > 1e-6) == (precision == "float16")  # the weights were really halved


def test_float16_halves_the_file(tmp_path):
    generator = networks.dcgan_generator((28, 28, 1), width=32)
    half, full = (
        export.tflite(generator, tmp_path / f"{p}.tflite", precision=p)
        for p in ("float16", "float32")
    )
    assert half.stat().st_size < 0.6 * full.stat().st_size


def test_the_signature_is_named_and_takes_any_batch(tmp_path):
    generator = convolutional()
    loaded = tf.saved_model.load(str(floats(generator, tmp_path / "m")))
    serve = loaded.signatures["serving_default"]
    assert serve.structured_input_signature[1]["latents"].shape.as_list() == [None, 6]
    for number in (1, 5):
        images = serve(latents=tf.zeros((number, 6)))["images"]
        assert images.shape == (number, 17, 30, 3) and images.dtype == tf.float32
    translating = tf.saved_model.load(str(floats(with_our_layers(), tmp_path / "t")))
    assert "images" in translating.signatures["serving_default"].structured_input_signature[1]


def test_labels_are_an_input_of_their_own(tmp_path):
    generator = GENERATORS["conditional"]()
    path = floats(generator, tmp_path / "m")
    serve = tf.saved_model.load(str(path)).signatures["serving_default"]
    latents, labels = np.ones((2, 6), "float32"), np.array([0, 2], "int32")
    images = serve(latents=tf.constant(latents), labels=tf.constant(labels))["images"]
    np.testing.assert_allclose(images, generator([latents, labels]), atol=1e-6)
    assert np.abs(images[0] - images[1]).max() > 1e-4  # the same latent, another class
    path = export.tflite(generator, tmp_path / "g.tflite", batch_size=2, precision="float32")
    interpreter = export.checking._interpreter(path.read_bytes())
    run = interpreter.get_signature_runner("serving_default")
    np.testing.assert_allclose(run(latents=latents, labels=labels)["images"], images, atol=1e-5)


def test_tflite_has_the_same_names(tmp_path):
    for make, name in ((convolutional, "latents"), (with_our_layers, "images")):
        path = export.tflite(make(), tmp_path / f"{name}.tflite", batch_size=2)
        interpreter = export.checking._interpreter(path.read_bytes())
        assert interpreter.get_signature_list() == {
            "serving_default": {"inputs": [name], "outputs": ["images"]}
        }
        run = interpreter.get_signature_runner("serving_default")
        shape = run.get_input_details()[name]["shape"]
        assert shape[0] == 2
        assert run(**{name: np.zeros(shape, "float32")})["images"].dtype == np.float32


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("make", [convolutional, with_our_layers])
def test_a_mixed_precision_generator_becomes_tflite(tmp_path, policy, make):
    generator = make(policy)
    policies = [layer.dtype_policy.name for layer in generator._flatten_layers()]
    path = export.tflite(generator, tmp_path / "g.tflite", precision="float32")
    # What was written is what the same weights make in float32 ...
    single = make()
    single.set_weights(generator.get_weights())
    assert export.check(path, single).largest < 2e-5
    # ... which is what is compared with, and the generator stays as it was.
    generator.predict(export.signatures.examples(generator, 1, 0).popitem()[1], verbose=0)
    assert export.check(path, generator).largest < 2e-5
    assert [layer.dtype_policy.name for layer in generator._flatten_layers()] == policies


def test_weights_in_half_precision(tmp_path):
    generator = convolutional("float16")
    with pytest.raises(ValueError, match="Received: weights in float16"):
        export.tflite(generator, tmp_path / "g.tflite")
    assert export.check(floats(generator, tmp_path / "m"), generator).largest < 0.01


def test_a_half_precision_generator_exports_float32_images(tmp_path):
    generator = convolutional("mixed_float16")
    path = floats(generator, tmp_path / "m")
    assert export.check(path, generator).largest < 0.01
    images = tf.saved_model.load(str(path)).signatures["serving_default"](latents=tf.zeros((2, 6)))
    assert images["images"].dtype == tf.float32


def labelled(policy="float32"):
    keras.config.set_dtype_policy(policy)
    generator = moved(networks.conditional_dcgan_generator((16, 16, 1), 3, 6, width=8))
    keras.config.set_dtype_policy("float32")
    return generator


def noisy_when_asked(policy="float32"):
    """Images to images, with dropout: its SavedModel has a copy of it, with noise by a seed."""
    keras.config.set_dtype_policy(policy)
    generator = networks.unet_generator((32, 32, 3), width=4, depth=3)
    keras.config.set_dtype_policy("float32")
    rng = np.random.default_rng(0)
    generator.set_weights([w + 0.1 * rng.random(w.shape) for w in generator.get_weights()])
    return generator


@pytest.mark.parametrize(
    "policy", ["mixed_float16", pytest.param("mixed_bfloat16", marks=pytest.mark.by_hand)]
)
@pytest.mark.parametrize("make", [labelled, noisy_when_asked])
@pytest.mark.parametrize("suffix", ["", ".tflite", ".onnx"])
def test_every_format_of_a_mixed_precision_generator_computes_in_float32(
    tmp_path, suffix, make, policy
):
    if suffix == ".onnx":
        pytest.importorskip("onnxruntime")
        pytest.importorskip("tf2onnx")
    generator, single = make(policy), make()
    single.set_weights(generator.get_weights())
    policies = [layer.dtype_policy.name for layer in generator._flatten_layers()]
    options = {".tflite": {"precision": "float32"}}.get(suffix, {})
    write = {"": export.saved_model, ".tflite": export.tflite, ".onnx": export.onnx}[suffix]
    path = write(generator, tmp_path / f"g{suffix}", **options)
    assert export.check(path, single).largest < 2e-5
    assert export.check(path, generator).largest < 2e-5  # no coarser than the formats are
    assert [layer.dtype_policy.name for layer in generator._flatten_layers()] == policies
    if suffix:
        return
    for signature in tf.saved_model.load(str(path)).signatures.values():
        graph = signature.graph.as_graph_def()
        inner = [node for function in graph.library.function for node in function.node_def]
        types = {value.type for node in [*graph.node, *inner] for value in node.attr.values()}
        assert not types & {tf.float16.as_datatype_enum, tf.bfloat16.as_datatype_enum}


def upsampling_every_way():
    """Images to images, twice down and up again in the ways that leave no grid."""
    inputs = keras.Input((16, 16, 3))
    x = layers.AveragePooling2D(8)(inputs)
    for upsampling in ("balanced", "resize", "subpixel"):
        x = translation.doubled(x, upsampling, 3, 4, bias=True)
    return keras.Model(inputs, translation.image(x))


@pytest.mark.parametrize("suffix", ["", ".tflite", ".onnx"])
def test_every_format_upsamples_in_every_way(tmp_path, suffix):
    if suffix == ".onnx":
        pytest.importorskip("onnxruntime")
        pytest.importorskip("tf2onnx")
    generator = upsampling_every_way()
    rng = np.random.default_rng(0)
    generator.set_weights([rng.normal(0, 0.3, w.shape) for w in generator.get_weights()])
    options = {".tflite": {"precision": "float32"}}.get(suffix, {})
    write = {"": export.saved_model, ".tflite": export.tflite, ".onnx": export.onnx}[suffix]
    # A TFLite file with operations that are not builtins is refused.
    path = write(generator, tmp_path / f"g{suffix}", **options)
    assert export.check(path, generator).largest < 2e-5


@pytest.mark.slow  # a fresh process that loads TensorFlow
def test_a_saved_model_loads_without_keras(tmp_path):
    path = floats(with_our_layers(), tmp_path / "m")
    program = (
        "import sys; sys.modules['keras'] = sys.modules['keras_gans'] = None\n"
        "import tensorflow as tf\n"
        f"loaded = tf.saved_model.load({str(path)!r})\n"
        "serve = loaded.signatures['serving_default']\n"
        "print(serve(images=tf.zeros((1, 16, 16, 3)))['images'].shape)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "(1, 16, 16, 3)"


def test_batch_normalisation_is_exported_for_inference(tmp_path):
    generator = convolutional()
    path = floats(generator, tmp_path / "m")
    serve = tf.saved_model.load(str(path)).signatures["serving_default"]
    latents = np.random.default_rng(1).normal(size=(4, 6)).astype("float32")
    together = serve(latents=tf.constant(latents))["images"]
    alone = serve(latents=tf.constant(latents[:1]))["images"]
    np.testing.assert_allclose(together[:1], alone, atol=1e-6)


# ---- the check can fail


@pytest.mark.parametrize(("write", "name"), [(floats, "m"), (export.tflite, "g.tflite")])
def test_another_generator_is_noticed(tmp_path, write, name):
    path = tmp_path / name
    write(convolutional(), path)
    other = convolutional()
    other.set_weights([w * 1.05 for w in other.get_weights()])
    with pytest.raises(ValueError, match="makes other images than Keras"):
        export.check(path, other)
    with pytest.raises(ValueError, match="takes other inputs than this generator"):
        export.check(path, networks.dcgan_generator((17, 30, 3), latent_dim=7))
    with pytest.raises(ValueError, match="makes other images than this generator"):
        export.check(path, networks.dcgan_generator((16, 16, 3), latent_dim=6))


@pytest.mark.parametrize("precision", ["saved_model", "float32"])
def test_a_small_difference_is_noticed_in_float32(tmp_path, precision):
    generator = convolutional()
    if precision == "saved_model":
        path = floats(generator, tmp_path / "m")
    else:
        path = export.tflite(generator, tmp_path / "g.tflite", precision=precision)
    generator.set_weights([w * 1.002 for w in generator.get_weights()])
    report = export.check(path, generator, tolerance=0.02)  # float16 could explain it
    assert report.largest > 0.001
    with pytest.raises(ValueError, match=r"at most 0\.001"):
        export.check(path, generator)


def test_other_names_are_noticed(tmp_path):
    serve = tf.function(lambda x: {"y": x}, input_signature=[tf.TensorSpec((None, 4))])
    module = tf.Module()
    module.serve = serve
    tf.saved_model.save(module, tmp_path / "none")
    tf.saved_model.save(module, tmp_path / "other", signatures=serve)
    for name in ("none", "other"):
        with pytest.raises(ValueError, match="other names"):
            export.check(tmp_path / name, calling(lambda x: x))
    path = export.tflite(with_our_layers(), tmp_path / "g.tflite")
    with pytest.raises(ValueError, match="other names"):
        export.check(path, convolutional())


@pytest.mark.parametrize("number", [0, -1, 2.0, True])
def test_no_examples_are_no_check(tmp_path, number):
    with pytest.raises(ValueError, match="`num_examples`"):
        export.check(tmp_path, convolutional(), num_examples=number)


def test_litert_is_preferred_to_the_interpreter_of_tensorflow(tmp_path, monkeypatch):
    generator = convolutional()
    path = export.tflite(generator, tmp_path / "g.tflite")
    made = []

    class Interpreter(tf.lite.Interpreter):
        def __init__(self, **kwargs):
            made.append(self)
            super().__init__(**kwargs)

    module = types.ModuleType("ai_edge_litert.interpreter")
    module.Interpreter = Interpreter
    monkeypatch.setitem(sys.modules, "ai_edge_litert", types.ModuleType("ai_edge_litert"))
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", module)
    assert export.check(path, generator) and len(made) == 1
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    assert export.check(path, generator) and len(made) == 1


@pytest.mark.parametrize(
    "file",
    [
        "saved_model.pb",
        "variables/variables.index",
        "variables/variables.data-00000-of-00001",
        "assets.extra/sha256.json",
    ],
)
def test_a_damaged_saved_model_is_named(tmp_path, file):
    generator = convolutional()
    path = floats(generator, tmp_path / "m")
    content = (path / file).read_bytes()
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 0x7F]) + content[middle + 1 :]
    for damaged in (content[:middle], b"", flipped):
        (path / file).write_bytes(damaged)
        with pytest.raises(ValueError, match="cannot be read"):
            export.check(path, generator)
    (path / file).unlink()
    if file == "assets.extra/sha256.json":  # as in what earlier releases wrote
        assert export.check(path, generator)
        return
    with pytest.raises(ValueError, match="cannot be read|Expected a SavedModel folder"):
        export.check(path, generator)


def test_damaged_and_missing_artefacts(tmp_path):
    generator = convolutional()
    with pytest.raises(ValueError, match="no file to check"):
        export.check(tmp_path / "none.tflite", generator)
    with pytest.raises(ValueError, match="Expected a SavedModel folder"):
        export.check(tmp_path, generator)
    path = export.tflite(generator, tmp_path / "g.tflite")
    for size in (path.stat().st_size // 2, 100, 3, 0):
        os.truncate(path, size)
        with pytest.raises(ValueError, match="no TFLite model"):
            export.check(path, generator)


# ---- bad input


def test_a_whole_gan_is_refused():
    class OwnGAN(keras.Model):
        def __init__(self):
            super().__init__()
            self.generator, self.discriminator = convolutional(), networks.mlp_discriminator((2,))

        def call(self, inputs):
            return self.generator(inputs)

    own = OwnGAN()
    for _ in range(2):  # before and after it is built
        for write in (export.saved_model, export.tflite):
            with pytest.raises(ValueError, match="GAN class of your own"):
                write(own, "never.tflite")
        own(np.zeros((1, 6), "float32"))
    with pytest.raises(ValueError, match="built `keras.Model`"):
        export.saved_model(keras.Sequential([layers.Dense(1)]), "never")
    with pytest.raises(ValueError, match="built `keras.Model`"):
        export.tflite("generator", "never.tflite")


def test_a_subclassed_generator_has_to_be_wrapped(tmp_path):
    class Subclassed(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3)

        def call(self, inputs):
            return self.dense(inputs)

    generator = Subclassed()
    generator(np.zeros((1, 4), "float32"))
    with pytest.raises(ValueError, match=r"wrap a subclassed one"):
        export.saved_model(generator, "never")
    inputs = keras.Input((4,))
    wrapped = keras.Model(inputs, generator(inputs))  # what the message says to do
    assert export.check(export.saved_model(wrapped, tmp_path / "m"), wrapped)


def test_two_inputs_of_latents_are_exported_by_their_names(tmp_path):
    two = [keras.Input((2,), name="shape"), keras.Input((2,), name="style")]
    model = keras.Model(two, layers.Add()(two))
    path = export.saved_model(model, tmp_path / "sum")
    assert export.check(path, model).largest == 0
    served = tf.saved_model.load(str(path)).signatures
    assert list(served) == ["serving_default"]
    assert set(served["serving_default"].structured_input_signature[1]) == {"shape", "style"}


def noise():
    return tf.random.normal((1, 4))


# Some converted in silence when only the outermost operations were looked at.
DRAWS = {
    "normal": lambda x: x + noise(),
    "truncated normal": lambda x: x + tf.random.truncated_normal((1, 4)),
    "categorical": lambda x: x + tf.cast(tf.random.categorical(tf.zeros((1, 5)), 4), "float32"),
    "dropout that stays on": lambda x: keras.random.dropout(x, 0.5),
    "inner function": lambda x: tf.function(lambda y: y + noise())(x),
    "branch": lambda x: tf.cond(tf.reduce_sum(x) > 0, lambda: x + noise(), lambda: x),
    "loop": lambda x: tf.while_loop(lambda i, _: i < 2, lambda i, y: (i + 1, y + noise()), (0, x))[
        1
    ],
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_random_numbers_in_use_are_refused_by_tflite(tmp_path, draw):
    with pytest.raises(ValueError, match="freeze one draw"):
        export.tflite(calling(draw), tmp_path / "g.tflite")
    assert not list(tmp_path.iterdir())


def test_dropout_that_is_off_is_no_draw(tmp_path):
    inputs = keras.Input((4,))
    generator = keras.Model(inputs, layers.Dropout(0.5)(inputs))
    assert export.check(export.tflite(generator, tmp_path / "g.tflite"), generator).largest == 0


def test_a_saved_model_may_draw_and_the_check_says_why_it_fails(tmp_path):
    class StaysOn(layers.Layer):
        def __init__(self):
            super().__init__()
            self.seed = keras.random.SeedGenerator(1)

        def call(self, inputs):
            return keras.random.dropout(inputs, 0.5, seed=self.seed)

    inputs = keras.Input((4,))
    noisy = keras.Model(inputs, StaysOn()(inputs))
    path = export.saved_model(noisy, tmp_path / "m")
    loaded = tf.saved_model.load(str(path))
    first, second = (
        loaded.signatures["serving_default"](latents=tf.ones((8, 4)))["images"] for _ in range(2)
    )
    assert np.abs(first - second).max() > 0
    noisy.predict(np.zeros((1, 4)), verbose=0)  # Keras is a draw ahead of what was written
    with pytest.raises(ValueError, match="no two runs can be compared"):
        export.check(path, noisy)


def test_an_operation_that_tflite_has_not_is_named_with_its_layer(tmp_path):
    inputs = keras.Input((4, 4))
    inverse = keras.Model(inputs, Calls(tf.linalg.inv, name="upside_down")(inputs))
    with pytest.raises(ValueError, match=r"builtin operations.*MatrixInverse in \S*upside_down"):
        export.tflite(inverse, tmp_path / "g.tflite")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("bad", [{"precision": "int4"}, {"batch_size": 0}, {"batch_size": None}])
def test_bad_arguments(bad):
    with pytest.raises(ValueError, match="Received"):
        export.tflite(convolutional(), "g.tflite", **bad)


def test_a_wrong_suffix_is_refused():
    with pytest.raises(ValueError, match="something.tflite"):
        export.tflite(convolutional(), "g.tfl")


def test_nothing_is_overwritten_unasked(tmp_path):
    generator = convolutional()
    for write, name in ((floats, "m"), (export.tflite, "g.tflite")):
        path = write(generator, tmp_path / name)
        with pytest.raises(FileExistsError, match="overwrite=True"):
            write(generator, tmp_path / name)
        write(generator, tmp_path / name, overwrite=True)
        assert export.check(path, generator)


def test_a_failure_leaves_nothing(tmp_path, monkeypatch):
    generator = convolutional()
    with monkeypatch.context() as patch:
        patch.setattr(tf.saved_model, "save", full_disk)
        with pytest.raises(OSError, match="No space left"):
            export.saved_model(generator, tmp_path / "m")

    def half(path, content):
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", half)
        with pytest.raises(OSError, match="No space left"):
            export.tflite(generator, tmp_path / "g.tflite")
    assert not list(tmp_path.iterdir())
