import importlib
import os
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import keras_gans
from keras_gans import export

standard = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")
pytest.importorskip("tf2onnx")

networks = keras_gans.networks


def told_apart():
    """Conditional batch normalisation, with another gain for each class."""
    made = networks.conditional_batch_norm_generator((16, 16, 1), 3, 6, width=4)
    for layer in made.layers:
        if hasattr(layer, "gamma") and len(layer.gamma.shape) == 2:
            layer.gamma.assign(layer.gamma + np.arange(3)[:, None])
    return made


def translating(sides=(16, 16)):
    """Images to images, through the layers that a translating generator contains."""
    ours = keras_gans.layers
    inputs = keras.Input((*sides, 3))
    x = ours.ReflectionPadding2D(1)(inputs)
    x = ours.SpectralNormalization(layers.Conv2D(16, 3, strides=2))(x)
    x = layers.ReLU()(ours.InstanceNormalization()(x))
    x = ours.PixelShuffle(2)(x)
    return keras.Model(inputs, layers.Conv2D(3, 3, padding="same", activation="tanh")(x))


GENERATORS = {
    "odd size": lambda: networks.dcgan_generator((17, 30, 3), latent_dim=6, width=8),
    "conditional": lambda: networks.conditional_dcgan_generator((16, 16, 1), 3, 6, width=4),
    "conditional_batch_norm": told_apart,
    "translating": translating,
    "unet": lambda: networks.unet_generator((32, 32, 3), width=4, depth=3),
    "resnet": lambda: networks.resnet_generator((16, 16, 3), width=4, blocks=1),
}


def of_function(function):
    inputs = keras.Input((4, 4))
    return keras.Model(inputs, layers.Lambda(function, name="upside_down")(inputs))


def session(path):
    return runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("make", GENERATORS.values(), ids=GENERATORS)
def test_onnx_makes_the_same_images(tmp_path, make):
    generator = make()
    path = export.onnx(generator, tmp_path / "g.onnx", check=False)
    standard.checker.check_model(str(path), full_check=True)
    report = export.check(path, generator)
    assert report.format == "ONNX" and report.largest < 2e-5 and report.batch_size == 16


def test_names_and_a_batch_of_any_size(tmp_path):
    for make, inputs, output in (
        (GENERATORS["conditional"], ["latents", "labels"], "images"),
        (translating, ["images"], "translated"),  # ONNX allows one use of a name
    ):
        run = session(export.onnx(make(), tmp_path / f"{output}.onnx"))
        assert [value.name for value in run.get_inputs()] == inputs
        assert [value.name for value in run.get_outputs()] == [output]
        for value in (*run.get_inputs(), *run.get_outputs()):
            assert value.shape[0] == "batch"
        for number in (1, 5):
            given = {
                v.name: np.ones((number, *v.shape[1:]), "int32" if "int" in v.type else "float32")
                for v in run.get_inputs()
            }
            (images,) = run.run(None, given)
            assert len(images) == number and images.dtype == np.float32


def test_a_size_left_open(tmp_path):
    generator = translating((None, None))
    run = session(export.onnx(generator, tmp_path / "g.onnx"))
    wide = np.random.default_rng(0).uniform(-1, 1, (1, 8, 20, 3)).astype("float32")
    (made,) = run.run(None, {"images": wide})
    np.testing.assert_allclose(made, generator.predict(wide, verbose=0), atol=2e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_is_written_in_float32(tmp_path, policy):
    keras.config.set_dtype_policy(policy)
    generator = translating()
    keras.config.set_dtype_policy("float32")
    path = export.onnx(generator, tmp_path / "g.onnx")
    single = translating()
    single.set_weights(generator.get_weights())
    assert export.check(path, single).largest < 2e-5
    kinds = {i.data_type for i in standard.load(path).graph.initializer}
    assert not kinds & {standard.TensorProto.FLOAT16, standard.TensorProto.BFLOAT16}


def test_a_file_says_what_it_is(tmp_path):
    generator = GENERATORS["conditional"]()
    path = export.onnx(generator, tmp_path / "g.onnx", metadata={"preset": "digits"})
    said = export.metadata(path)
    assert said["preset"] == "digits" and said["precision"] == "float32"
    tflite = export.tflite(generator, tmp_path / "g.tflite")
    assert said["weights_sha256"] == export.metadata(tflite)["weights_sha256"]
    assert standard.load(path).graph.name == generator.name


def test_another_generator_is_noticed(tmp_path):
    generator = GENERATORS["conditional"]()
    path = export.onnx(generator, tmp_path / "g.onnx")
    generator.set_weights([w * 1.5 for w in generator.get_weights()])
    with pytest.raises(ValueError, match=r"at most 0\.001"):
        export.check(path, generator)
    with pytest.raises(ValueError, match="other names"):
        export.check(path, translating())
    with pytest.raises(ValueError, match="takes other inputs"):
        export.check(path, networks.conditional_dcgan_generator((16, 16, 1), 3, 7, width=4))


def test_damaged_and_missing_files(tmp_path):
    generator = translating()
    path = export.onnx(generator, tmp_path / "g.onnx")
    with pytest.raises(ValueError, match="no file to check"):
        export.check(tmp_path / "none.onnx", generator)
    for size in (path.stat().st_size // 2, 100, 3, 0):
        os.truncate(path, size)
        with pytest.raises(ValueError, match="no ONNX model"):
            export.check(path, generator)
        with pytest.raises(ValueError, match="cannot be read|says nothing"):
            export.metadata(path)


def test_an_operation_that_onnx_has_not_is_named_with_its_layer(tmp_path):
    with pytest.raises(ValueError, match=r"standard operations.*MatrixInverse in \S*upside_down"):
        export.onnx(of_function(tf.linalg.inv), tmp_path / "g.onnx")
    assert not list(tmp_path.iterdir())


def test_random_numbers_in_use_are_refused(tmp_path):
    noisy = of_function(lambda x: x + tf.random.normal((4, 4)))
    with pytest.raises(ValueError, match="ONNX would draw what no seed repeats"):
        export.onnx(noisy, tmp_path / "g.onnx")


def test_bad_paths(tmp_path):
    generator = translating()
    with pytest.raises(ValueError, match=r"something\.onnx"):
        export.onnx(generator, tmp_path / "g.pb")
    path = export.onnx(generator, tmp_path / "g.onnx")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        export.onnx(generator, path)
    assert export.onnx(generator, path, overwrite=True) == path


def test_what_fails_the_check_is_not_written(tmp_path, monkeypatch):
    checking = importlib.import_module("keras_gans.export.checking")
    monkeypatch.setitem(checking.TOLERANCES, "float32", 1e-12)
    with pytest.raises(ValueError, match="makes other images than Keras"):
        export.onnx(translating(), tmp_path / "g.onnx")
    assert not list(tmp_path.iterdir())


def test_of_a_gan_the_generator_is_taken(tmp_path):
    gan = keras_gans.GAN(
        networks.dcgan_generator((16, 16, 1), 6, width=4),
        networks.dcgan_discriminator((16, 16, 1), width=4),
    )
    with pytest.warns(UserWarning, match="its `inference_generator` is exported"):
        export.onnx(gan, tmp_path / "g.onnx")


@pytest.mark.parametrize("package", ["onnx", "tf2onnx", "onnxruntime"])
def test_a_missing_package_is_an_error_that_names_the_extra(tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=r"pip install 'keras-gans\[onnx\]'.*" + package):
        export.onnx(translating(), tmp_path / "g.onnx")
    assert not list(tmp_path.iterdir())
