import hashlib
import importlib.metadata
import json
import subprocess

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import keras_gans
from keras_gans import export, image

networks = keras_gans.networks
checking = importlib.import_module("keras_gans.export.checking")


@pytest.fixture(scope="module")
def generator():
    """A DCGAN's, with weights as large as trained ones."""
    keras.utils.set_random_seed(0)
    made = networks.dcgan_generator((16, 16, 1), latent_dim=6, width=16)
    rng = np.random.default_rng(0)
    made.set_weights([w + 0.05 * np.abs(rng.normal(size=w.shape)) for w in made.get_weights()])
    return made


def translating(sides=(16, 16)):
    """Images to images, with instance normalisation."""
    inputs = keras.Input((*sides, 3))
    x = layers.Conv2D(16, 3, strides=2, padding="same")(inputs)
    x = layers.ReLU()(keras_gans.layers.InstanceNormalization()(x))
    x = layers.Conv2DTranspose(16, 4, strides=2, padding="same")(x)
    return keras.Model(inputs, layers.Conv2D(3, 3, padding="same", activation="tanh")(x))


def of_function(function, shape=(4, 4, 1)):
    inputs = keras.Input(shape)
    return keras.Model(inputs, layers.Lambda(function)(inputs))


def interpreter(path):
    made = checking._interpreter(path.read_bytes())
    made.allocate_tensors()
    return made


def images(number, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (number, 16, 16, 3)).astype("float32")


def dtypes(path, kind):
    """Of the first input of each operation of a kind, as stored: without XNNPACK."""
    runtime = importlib.import_module("keras_gans.export.mobile_benchmark").installed()
    made = importlib.import_module("keras_gans.export.mobile_benchmark")._interpreter(
        runtime,
        model_content=path.read_bytes(),
        experimental_op_resolver_type=runtime.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    made.allocate_tensors()
    tensors = {t["index"]: t["dtype"] for t in made.get_tensor_details()}
    found = [o for o in made._get_ops_details() if o["op_name"] == kind]
    assert found
    return {tensors[i] for o in found for i in o["inputs"][-1:] if i >= 0}


# ---- 8 bits


def test_eight_bit_weights_quarter_the_file(tmp_path):
    generator = networks.dcgan_generator((28, 28, 1), width=32)
    full, dynamic, small = (
        export.tflite(generator, tmp_path / f"{p}.tflite", precision=p, check=False, **options)
        for p, options in (
            ("float32", {}),
            ("dynamic", {}),
            ("int8", {"representative": "latents"}),
        )
    )
    weights = generator.count_params()
    for path in (dynamic, small):  # a byte each, and what is in every file: names, structure
        assert weights < path.stat().st_size < full.stat().st_size - 2.9 * weights
    report = export.check(dynamic, generator)
    assert report.format == "TFLite dynamic" and 35 < report.psnr < 100
    report = export.check(small, generator)
    assert report.format == "TFLite int8" and 28 < report.psnr < 100
    # Both take and give floats; int8 alone computes in 8 bits.
    run = interpreter(small).get_signature_runner("serving_default")
    assert run.get_input_details()["latents"]["dtype"] == np.float32
    assert run.get_output_details()["images"]["dtype"] == np.float32
    assert dtypes(small, "TANH") == {np.int8}
    assert dtypes(dynamic, "TANH") == {np.float32}


def test_int8_leaves_normalisation_in_float(tmp_path):
    made = translating()
    path = export.tflite(
        made, tmp_path / "g.tflite", precision="int8", representative=images(8), check=False
    )
    for kind in ("MEAN", "SQUARED_DIFFERENCE", "RSQRT"):
        assert np.int8 not in dtypes(path, kind)
    assert dtypes(path, "TANH") == {np.int8}
    assert export.check(path, made, inputs=images(4, seed=1)).psnr > 28


def test_int8_is_checked_on_the_representative_images(tmp_path, monkeypatch):
    seen = []
    module = importlib.import_module("keras_gans.export.tflite")
    monkeypatch.setattr(module, "check_file", lambda *args, inputs: seen.append(inputs))
    given = images(4)
    export.tflite(translating(), tmp_path / "g.tflite", 1, "int8", representative=given)
    assert (seen[0]["images"] == given).all()


def test_labels_and_int8(tmp_path):
    stated = networks.conditional_dcgan_generator((16, 16, 1), 3, 6, width=8)
    path = export.tflite(stated, tmp_path / "g.tflite", precision="int8", representative="latents")
    details = interpreter(path).get_signature_runner("serving_default").get_input_details()
    assert details["labels"]["dtype"] == np.int32


def test_int8_needs_examples_that_fit(tmp_path, generator):
    path, made = tmp_path / "g.tflite", translating()
    for options in ({}, {"representative": "images"}):
        with pytest.raises(ValueError, match="Received"):
            export.tflite(generator, path, precision="int8", **options)
    with pytest.raises(ValueError, match=r'representative="latents"` \(which draws some\)'):
        export.tflite(generator, path, precision="int8")
    for given in (None, "latents"):
        with pytest.raises(ValueError, match="100 images that it is to translate"):
            export.tflite(made, path, precision="int8", representative=given)
    for wrong in (
        np.zeros((4, 7), "float32"),
        np.zeros((0, 6), "float32"),
        np.zeros((4, 6), "int32"),
        1.0,
    ):
        with pytest.raises(ValueError, match=r"Expected `latents`.*\(None, 6\)"):
            export.tflite(generator, path, precision="int8", representative=wrong)
    with pytest.raises(ValueError, match="Only int8 measures"):
        export.tflite(generator, path, precision="dynamic", representative="latents")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("precision", ["dynamic", "int8"])
def test_another_generator_is_noticed_in_eight_bits(tmp_path, generator, precision):
    options = {"representative": "latents"} if precision == "int8" else {}
    path = export.tflite(
        generator, tmp_path / "g.tflite", precision=precision, check=False, **options
    )
    other = keras.models.clone_model(generator)
    other.set_weights([1.2 * w for w in generator.get_weights()])
    with pytest.raises(ValueError, match=rf"a PSNR of at least {checking.PSNR[precision]:.0f} dB"):
        export.check(path, other)


# ---- signatures


@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_batch_sizes_are_signatures_that_share_weights(tmp_path, precision):
    generator = networks.dcgan_generator((16, 16, 1), latent_dim=6, width=32)
    options = {"precision": precision}
    options |= {"representative": "latents"} if precision == "int8" else {}
    one = export.tflite(generator, tmp_path / "one.tflite", **options)
    both = export.tflite(generator, tmp_path / "both.tflite", batch_size=(1, 3), **options)
    assert both.stat().st_size < 1.3 * one.stat().st_size
    assert sorted(interpreter(both).get_signature_list()) == ["batch_3", "serving_default"]
    latents = keras_gans.latent.sample(3, 6, seed=4)
    run = interpreter(both)
    three = run.get_signature_runner("batch_3")(latents=latents)["images"]
    alone = run.get_signature_runner("serving_default")
    singly = np.concatenate([alone(latents=row[None])["images"] for row in latents])
    assert three.shape == (3, 16, 16, 1)
    np.testing.assert_allclose(three, singly, atol=1e-5 if precision == "float16" else 0.02)


def test_every_signature_is_checked(tmp_path, generator, monkeypatch):
    path = export.tflite(generator, tmp_path / "g.tflite", batch_size=(2, 1))
    assert export.check(path, generator).batch_size == 2
    opened = checking._tflite

    def second_is_broken(path, stated):
        first, second = opened(path, stated)
        black = lambda inputs: {"images": 0 * second.run(inputs)["images"]}  # noqa: E731
        return [first, checking._Written(second.format, black, 1)]

    monkeypatch.setattr(checking, "_tflite", second_is_broken)
    with pytest.raises(ValueError, match="makes other images than Keras"):
        export.check(path, generator)


@pytest.mark.parametrize("sizes", [(), (1, 1), (1, 0), (1, 2.0), "1"])
def test_bad_batch_sizes(tmp_path, generator, sizes):
    with pytest.raises(ValueError, match="`batch_size` must be"):
        export.tflite(generator, tmp_path / "g.tflite", batch_size=sizes)


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_uint8_images_are_rounded_in_the_file(tmp_path, generator, precision):
    options = {"precision": precision, "batch_size": 4, "output": "uint8"}
    options |= {"representative": "latents"} if precision == "int8" else {}
    path = export.tflite(generator, tmp_path / "g.tflite", **options)
    latents = keras_gans.latent.sample(4, 6, seed=5)
    made = interpreter(path).get_signature_runner("serving_default")(latents=latents)["images"]
    expected = image.to_uint8(generator.predict(latents, verbose=0))
    assert made.dtype == np.uint8 and made.std() > 5
    difference = np.abs(made.astype(int) - expected)
    if precision == "float32":
        # Rounding the other way, where the float is a half.
        assert difference.max() <= 1 and (difference == 1).mean() < 0.01
    assert difference.mean() < 5
    assert export.metadata(path)["value_range"] == [0, 255]


# ---- metadata


def test_a_file_says_what_it_is(tmp_path, generator):
    given = {"preset": "digits", "licence": "Apache-2.0", "labels": ["zero", "é"]}
    path = export.tflite(generator, tmp_path / "g.tflite", metadata=given)
    weights = b"".join(np.asarray(v).tobytes() for v in generator.get_weights())
    assert export.metadata(path) == {
        "library": f"keras_gans {importlib.metadata.version('keras-gans')}",
        "precision": "float16",
        "value_range": [-1, 1],
        "interface": {
            "inputs": [{"type": "latents", "size": 6}],
            "outputs": [{"type": "image", "height": 16, "width": 16, "channels": 1}],
        },
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        **given,
    }
    # It is an entry of the format's own list, which any reader of the schema finds.
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    (entry,) = [e for e in model.metadata if e.name == b"keras_gans"]
    assert json.loads(bytes(model.buffers[entry.buffer].data))["preset"] == "digits"


@pytest.mark.parametrize("bad", [{"a": {1, 2}}, ["preset"], "preset"])
def test_metadata_that_cannot_be_stored(tmp_path, generator, bad):
    with pytest.raises(ValueError, match="`metadata` must be a dict"):
        export.tflite(generator, tmp_path / "g.tflite", metadata=bad)


def test_metadata_that_cannot_be_read(tmp_path, generator):
    for path in (tmp_path / "none.tflite", tmp_path / "g.png"):
        with pytest.raises(ValueError, match=r"Expected a \.tflite or \.onnx file"):
            export.metadata(path)
    with pytest.raises(ValueError, match="Expected a SavedModel folder"):
        export.metadata(tmp_path)
    path = export.tflite(generator, tmp_path / "g.tflite")
    content = path.read_bytes()
    for damaged in (b"", content[:3], content[:100], b"\xff" * 400):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="cannot be read|says nothing"):
            export.metadata(path)


@pytest.mark.parametrize("optimized", [False, True])
def test_a_file_of_another_exporter(tmp_path, generator, optimized):
    signatures = importlib.import_module("keras_gans.export.signatures")
    specs = signatures.signature(generator, 1)
    concrete = signatures.function(generator, specs).get_concrete_function()
    module = tf.Module()
    module.read = [variable.value for variable in generator.variables]
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], module)
    converter.optimizations = [tf.lite.Optimize.DEFAULT] * optimized
    path = tmp_path / "g.tflite"
    path.write_bytes(converter.convert())
    with pytest.raises(ValueError, match="says nothing"):
        export.metadata(path)
    report = export.check(path, generator)  # 8 bits are seen by what it stores
    assert report.format == "TFLite" and (report.largest > 1e-3) == optimized


# ---- the gate, and bad input


def test_what_fails_the_check_is_not_written(tmp_path, generator, monkeypatch):
    monkeypatch.setitem(checking.TOLERANCES, "float16", 1e-9)
    monkeypatch.setitem(checking.TOLERANCES, "float32", 1e-9)
    path = tmp_path / "g.tflite"
    with pytest.raises(ValueError, match="makes other images than Keras"):
        export.tflite(generator, path)
    assert not list(tmp_path.iterdir())
    assert export.tflite(generator, path, check=False).exists()


@pytest.mark.parametrize("factor", [2.0, np.nan])
def test_images_that_leave_their_range(tmp_path, factor):
    wild = of_function(lambda x: factor * x)
    with pytest.raises(ValueError, match=r"leave \[-1, 1\].*values from"):
        export.tflite(wild, tmp_path / "g.tflite")
    assert not list(tmp_path.iterdir())


def test_an_open_size_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"images of one size.*\(1, None, None, 3\)"):
        export.tflite(translating((None, None)), tmp_path / "g.tflite")


def test_of_a_gan_the_generator_is_taken(tmp_path):
    gan = keras_gans.DCGAN(
        networks.dcgan_generator((16, 16, 1), 6, width=4),
        networks.dcgan_discriminator((16, 16, 1), width=4),
    )
    with pytest.warns(UserWarning, match="its `inference_generator` is exported"):
        path = export.tflite(gan, tmp_path / "g.tflite")
    assert export.check(path, gan.inference_generator)
    with pytest.warns(UserWarning, match="A DCGAN was given"):
        assert export.check(path, gan)


def test_what_keras_cannot_save_is_written(tmp_path):
    unserialisable = of_function(lambda x: tf.tanh(x))
    assert export.tflite(unserialisable, tmp_path / "g.tflite").exists()


def test_bad_output(tmp_path, generator):
    with pytest.raises(ValueError, match="`output` must be one of"):
        export.tflite(generator, tmp_path / "g.tflite", output="int8")


# ---- golden inputs, and those given


def test_drawn_latents_are_those_of_the_samples(generator):
    signatures = importlib.import_module("keras_gans.export.signatures")
    drawn = signatures.examples(generator, 4, seed=0)["latents"]
    assert (drawn == keras_gans.latent.sample(64, 6, seed=0)[:4]).all()


def test_given_inputs_are_what_is_compared(tmp_path, generator):
    path = export.tflite(generator, tmp_path / "g.tflite", precision="float32")
    with pytest.raises(ValueError, match="Expected `latents`"):
        export.check(path, generator, inputs=np.zeros((2, 5), "float32"))
    one, other = (
        export.check(path, generator, inputs=np.full((2, 6), value, "float32")).mean
        for value in (0.0, 1.0)
    )
    assert one != other


# ---- the benchmark


def test_the_mobile_benchmark(tmp_path, generator, capsys, monkeypatch):
    benchmark = importlib.import_module("keras_gans.export.mobile_benchmark")
    path = export.tflite(generator, tmp_path / "g.tflite", batch_size=2, precision="float32")
    found = benchmark.measure(path, threads=1, seconds=0)
    assert found["batch"] == 2 and 0 < found["median_ms"] <= found["p90_ms"]
    assert found["operators"]["TANH"] == 1 and "DELEGATE" not in found["operators"]
    assert found["peak_mb"] >= found["before_mb"] > 0

    asked, written = [], []

    def in_this_process(command, **options):
        asked.append(command[command.index("--threads") + 1])
        written.append(capsys.readouterr().out)
        benchmark.main(command[3:])
        return subprocess.CompletedProcess(command, 0, capsys.readouterr().out)

    monkeypatch.setattr(benchmark.subprocess, "run", in_this_process)
    benchmark.main([str(path), "--seconds", "0"])
    text = "".join(written) + capsys.readouterr().out
    assert asked == ["1", "2"]
    assert "  2 threads: " in text and "batch of 2" in text and "1 TANH" in text
    path.write_bytes(b"x" * 100)
    with pytest.raises(ValueError, match="no TFLite model"):
        benchmark.measure(path, 1)
    with pytest.raises(SystemExit):
        benchmark.main([str(tmp_path / "none.tflite")])
