import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import keras_gans
from keras_gans import export

networks = keras_gans.networks


def convolutional(policy="float32"):
    """Odd sizes, transposed convolutions, batch normalisation whose statistics are not 0 and 1."""
    keras.config.set_dtype_policy(policy)
    generator = networks.dcgan_generator((17, 30, 3), latent_dim=6, width=8)
    rng = np.random.default_rng(0)
    generator.set_weights(
        [w + 0.3 * np.abs(rng.normal(size=w.shape)) for w in generator.get_weights()]
    )
    keras.config.set_dtype_policy("float32")
    return generator


def with_our_layers():
    """Images to images, through the layers that a translating generator contains."""
    ours = keras_gans.layers
    inputs = keras.Input((16, 16, 3))
    x = ours.ReflectionPadding2D(1)(inputs)
    x = ours.SpectralNormalization(layers.Conv2D(16, 3, strides=2))(x)
    x = layers.ReLU()(ours.InstanceNormalization()(x))
    x = ours.PixelShuffle(2)(x)
    return keras.Model(inputs, layers.Conv2D(3, 3, padding="same", activation="tanh")(x))


GENERATORS = {"convolutional": convolutional, "with our layers": with_our_layers}


def size_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("make", GENERATORS.values(), ids=GENERATORS)
def test_a_saved_model_makes_the_same_images(tmp_path, make):
    generator = make()
    report = export.check(export.saved_model(generator, tmp_path / "m"), generator)
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


def test_a_saved_model_holds_every_variable_once(tmp_path):
    generator = networks.dcgan_generator((28, 28, 1), width=32)
    path = export.saved_model(generator, tmp_path / "m")
    weights = 4 * generator.count_params()
    assert weights < size_of(path) < weights + 200_000
    twice = tmp_path / "twice"
    generator.export(twice, verbose=False)
    assert size_of(twice) > 1.8 * weights  # what `keras.Model.export` makes of it


def test_the_signature_is_named_and_takes_any_batch(tmp_path):
    generator = convolutional()
    loaded = tf.saved_model.load(str(export.saved_model(generator, tmp_path / "m")))
    serve = loaded.signatures["serving_default"]
    assert serve.structured_input_signature[1]["latents"].shape.as_list() == [None, 6]
    for number in (1, 5):
        images = serve(latents=tf.zeros((number, 6)))["images"]
        assert images.shape == (number, 17, 30, 3) and images.dtype == tf.float32
    translating = tf.saved_model.load(str(export.saved_model(with_our_layers(), tmp_path / "t")))
    assert "images" in translating.signatures["serving_default"].structured_input_signature[1]


def test_a_half_precision_generator_exports_float32_images(tmp_path):
    generator = convolutional("mixed_float16")
    path = export.saved_model(generator, tmp_path / "m")
    assert export.check(path, generator).largest < 0.01
    images = tf.saved_model.load(str(path)).signatures["serving_default"](latents=tf.zeros((2, 6)))
    assert images["images"].dtype == tf.float32


@pytest.mark.slow  # a fresh process that loads TensorFlow
def test_a_saved_model_loads_without_keras(tmp_path):
    path = export.saved_model(with_our_layers(), tmp_path / "m")
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
    path = export.saved_model(generator, tmp_path / "m")
    serve = tf.saved_model.load(str(path)).signatures["serving_default"]
    latents = np.random.default_rng(1).normal(size=(4, 6)).astype("float32")
    together = serve(latents=tf.constant(latents))["images"]
    alone = serve(latents=tf.constant(latents[:1]))["images"]
    np.testing.assert_allclose(together[:1], alone, atol=1e-6)


# ---- the check can fail


@pytest.mark.parametrize("write", ["saved_model", "tflite"])
def test_another_generator_is_noticed(tmp_path, write):
    path = tmp_path / ("g.tflite" if write == "tflite" else "m")
    getattr(export, write)(convolutional(), path)
    other = convolutional()
    other.set_weights([w * 1.05 for w in other.get_weights()])
    with pytest.raises(ValueError, match="makes other images than Keras"):
        export.check(path, other)
    with pytest.raises(ValueError, match="takes other inputs than this generator"):
        export.check(path, networks.dcgan_generator((17, 30, 3), latent_dim=7))
    with pytest.raises(ValueError, match="makes other images than this generator"):
        export.check(path, networks.dcgan_generator((16, 16, 3), latent_dim=6))


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
    gan = keras_gans.GAN(networks.mlp_generator((2,)), networks.mlp_discriminator((2,)))
    with pytest.raises(ValueError, match=r"gan.inference_generator"):
        export.saved_model(gan, "never")
    with pytest.raises(ValueError, match="built `keras.Model`"):
        export.saved_model(keras.Sequential([layers.Dense(1)]), "never")
    with pytest.raises(ValueError, match="built `keras.Model`"):
        export.tflite("generator", "never.tflite")


def test_several_inputs_are_refused():
    two = [keras.Input((2,)), keras.Input((2,))]
    with pytest.raises(ValueError, match="Received: 2 inputs"):
        export.saved_model(keras.Model(two, layers.Add()(two)), "never")


def test_random_numbers_in_use_are_refused_by_tflite(tmp_path):
    class Noisy(layers.Layer):
        def call(self, inputs):
            return inputs + tf.random.normal(tf.shape(inputs))

    inputs = keras.Input((4,))
    noisy = keras.Model(inputs, Noisy()(inputs))
    with pytest.raises(ValueError, match="freeze one draw"):
        export.tflite(noisy, tmp_path / "g.tflite")


def test_an_operation_that_tflite_has_not_is_named(tmp_path):
    class Inverse(layers.Layer):
        def call(self, inputs):
            return tf.linalg.inv(inputs)

    inputs = keras.Input((4, 4))
    with pytest.raises(ValueError, match=r"builtin operations.*[\s\S]*MatrixInverse"):
        export.tflite(keras.Model(inputs, Inverse()(inputs)), tmp_path / "g.tflite")


@pytest.mark.parametrize("bad", [{"precision": "int4"}, {"batch_size": 0}, {"batch_size": None}])
def test_bad_arguments(bad):
    with pytest.raises(ValueError, match="Received"):
        export.tflite(convolutional(), "g.tflite", **bad)


def test_a_wrong_suffix_is_refused():
    with pytest.raises(ValueError, match="something.tflite"):
        export.tflite(convolutional(), "g.tfl")


def test_nothing_is_overwritten_unasked(tmp_path):
    generator = convolutional()
    for write, name in ((export.saved_model, "m"), (export.tflite, "g.tflite")):
        path = write(generator, tmp_path / name)
        with pytest.raises(FileExistsError, match="overwrite=True"):
            write(generator, path)
        write(generator, path, overwrite=True)
        assert export.check(path, generator)


def test_a_failure_leaves_what_was_there(tmp_path, monkeypatch):
    generator = convolutional()
    path = export.saved_model(generator, tmp_path / "m")

    def full(trackable, folder, *args, **kwargs):
        Path(folder).mkdir()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tf.saved_model, "save", full)
    with pytest.raises(OSError, match="No space left"):
        export.saved_model(generator, path, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["m"]
    assert export.check(path, generator)
