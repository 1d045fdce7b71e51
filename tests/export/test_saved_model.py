import io
import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import keras_gans
from keras_gans import export, image
from keras_gans.export.saved_model import newest_version
from keras_gans.image import decode
from tiny import full_disk

networks = keras_gans.networks


def moved(generator):
    """With weights as large as trained ones: images that differ."""
    rng = np.random.default_rng(0)
    generator.set_weights(
        [w + 0.3 * np.abs(rng.normal(size=w.shape)) for w in generator.get_weights()]
    )
    return generator


def digits(channels=1):
    return moved(networks.dcgan_generator((16, 16, channels), latent_dim=6, width=4))


def maps():
    """From three channels to one, with dropout."""
    generator = networks.unet_generator((32, 32, 3), width=4, depth=5, out_channels=1)
    rng = np.random.default_rng(0)  # large enough for dropout to be seen
    generator.set_weights([w + 0.1 * rng.normal(size=w.shape) for w in generator.get_weights()])
    for layer in generator.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_variance.assign(keras.ops.ones_like(layer.moving_variance))
    return generator


def floats(generator, path, **options):
    """`serving_default` alone, where the question is what becomes of the folder."""
    return export.saved_model(generator, path, floats_only=True, **options)


class Exported:
    """A generator, what was written, and its signatures by name."""

    def __init__(self, generator, folder, gan=None, **options):
        self.generator, self.gan = generator, gan
        self.path = export.saved_model(generator, folder, **options)
        self.loaded = tf.saved_model.load(str(self.path))

    def __call__(self, signature, **inputs):
        run = self.loaded.signatures[signature]
        specs = run.structured_input_signature[1]
        tensors = {name: tf.constant(value, specs[name].dtype) for name, value in inputs.items()}
        (made,) = run(**tensors).values()
        return made.numpy()


@pytest.fixture(scope="module")
def generating(tmp_path_factory):
    generator = digits()
    gan = keras_gans.GAN(generator, networks.dcgan_discriminator((16, 16, 1), width=4))
    return Exported(generator, tmp_path_factory.mktemp("m") / "digits", gan, max_images=9)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    generator = moved(networks.conditional_dcgan_generator((16, 16, 1), 3, 6, width=4))
    critic = networks.conditional_dcgan_discriminator((16, 16, 1), 3, width=4)
    gan = keras_gans.ConditionalGAN(generator, critic)
    return Exported(generator, tmp_path_factory.mktemp("m") / "labelled", gan)


@pytest.fixture(scope="module")
def translating(tmp_path_factory):
    generator = maps()
    critic = networks.patch_discriminator(
        (32, 32, 1), condition_shape=(32, 32, 3), receptive_field=16, width=4
    )
    gan = keras_gans.Pix2Pix(generator, critic)
    folder = tmp_path_factory.mktemp("m") / "maps"
    limits = {"max_pixels": 10_000, "max_images": 3, "max_total_pixels": 20_000}
    return Exported(generator, folder, gan, **limits)


# ---- seeds to images


SEEDS = [0, 7, -3, 2**40 + 5, -(2**63), 2**63 - 1]


@pytest.mark.parametrize("truncation", [None, 0.7, 50.0])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_makes_the_images_it_makes_in_keras(generating, seed, truncation):
    made = generating("generate", seed=seed, num_images=5, truncation=truncation or 0.0)
    expected = generating.gan.generate(5, seed=seed, truncation=truncation)
    assert made.dtype == np.uint8 and len({x.tobytes() for x in made}) == 5
    np.testing.assert_array_equal(made, image.to_uint8(expected))
    fewer = generating("generate", seed=seed, num_images=2, truncation=truncation or 0.0)
    np.testing.assert_array_equal(fewer, made[:2])


@pytest.mark.parametrize("truncation", [0.0, 0.5, 29.0, 31.0, 1e9])
def test_latents_are_those_of_latent_sample_to_the_last_bit(truncation):
    draw = tf.function(export.graph.drawing.latents)
    for seed in SEEDS:
        numbers = (tf.constant(n, t) for n, t in ((40, "int32"), (seed, "int64")))
        number, seed64 = numbers
        made = draw(number, 33, seed64, tf.constant(truncation, "float64"))
        expected = keras_gans.latent.sample(40, 33, seed, truncation or None)
        np.testing.assert_array_equal(made, expected)


def test_rows_are_first_images_of_their_seeds_whatever_the_company(generating):
    seeds, bounds = [3, 4, 3], [0.0, 0.5, 0.0]
    made = generating("generate_rows", seed=seeds, truncation=bounds)
    for row, seed, bound in zip(made, seeds, bounds):
        expected = generating.gan.generate(1, seed=seed, truncation=bound or None)
        np.testing.assert_array_equal(row, image.to_uint8(expected)[0])
    files = generating("generate_png_rows", seed=seeds, truncation=bounds)
    for row, file in zip(made, files):
        np.testing.assert_array_equal(pixels(file), row[..., 0])


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_png_files_hold_the_pixels(tmp_path, channels):
    made = Exported(digits(channels), tmp_path / "m")
    given = {"seed": 1, "num_images": 2, "truncation": 0.0}
    images, files = made("generate", **given), made("generate_png", **given)
    for row, file in zip(images, files, strict=True):
        np.testing.assert_array_equal(pixels(file), row[..., 0] if channels == 1 else row)


def test_labels_for_each_for_all_and_in_turn(labelled):
    def expected(labels):
        return image.to_uint8(labelled.gan.generate(4, seed=5, labels=labels))

    for given, labels in (([], None), ([2], 2), ([2, 0, 0, 1], [2, 0, 0, 1])):
        made = labelled("generate", seed=5, num_images=4, truncation=0.0, labels=given)
        np.testing.assert_array_equal(made, expected(labels))
    row = labelled("generate_rows", seed=[5, 5], truncation=[0.0, 0.0], labels=[1, 2])
    for label, made in zip((1, 2), row):
        np.testing.assert_array_equal(made, expected(label)[0])
    assert (row[0] != row[1]).any()


def test_codes_of_an_infogan(tmp_path):
    generator = moved(networks.dcgan_generator((16, 16, 1), latent_dim=4 + 3 + 2 + 2, width=4))
    critic = networks.infogan_discriminator((16, 16, 1), categorical=(3, 2), continuous=2, width=4)
    gan = keras_gans.InfoGAN(generator, critic, categorical=(3, 2), continuous=2)
    with pytest.warns(UserWarning, match="InfoGAN was given"):
        made = Exported(gan, tmp_path / "m")
    given = {"seed": 8, "num_images": 3, "truncation": 0.5}
    for codes in ({}, {"categorical": [2, 1]}, {"continuous": [0.5, -1.5]}):
        images = made("generate", **given, **({"categorical": [], "continuous": []} | codes))
        asked = {name: np.tile(value, (3, 1)) for name, value in codes.items()}
        expected = gan.generate(3, seed=8, truncation=0.5, **asked)
        np.testing.assert_array_equal(images, image.to_uint8(expected))
    row = {"seed": [8], "truncation": [0.0], "categorical": [[2, 1]], "continuous": [[0.5, 1.0]]}
    expected = gan.generate(1, seed=8, categorical=[[2, 1]], continuous=[0.5, 1.0])
    np.testing.assert_array_equal(made("generate_rows", **row), image.to_uint8(expected))
    for wrong in ({"categorical": [3, 0]}, {"categorical": [0]}, {"continuous": [0.0]}):
        with pytest.raises(tf.errors.InvalidArgumentError, match="out of range|Expected 2"):
            made("generate", **given, **({"categorical": [], "continuous": []} | wrong))
    with pytest.raises(ValueError, match="do not fit the generator"):
        export.saved_model(generator, tmp_path / "n", categorical=(9, 2))


WRONG = {
    "no images": ({"num_images": 0}, "at least 1"),
    "too many": ({"num_images": 10}, "at most 9 images"),
    "negative truncation": ({"truncation": -0.5}, "`truncation` is 0"),
    "infinite": ({"truncation": np.inf}, "`truncation` is 0"),
    "not a number": ({"truncation": np.nan}, "`truncation` is 0"),
}


@pytest.mark.parametrize(("wrong", "message"), WRONG.values(), ids=WRONG)
def test_limits_of_seeds(generating, wrong, message):
    given = {"seed": 1, "num_images": 9, "truncation": 0.0}
    assert len(generating("generate", **given)) == 9
    for signature in ("generate", "generate_png"):
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            generating(signature, **{**given, **wrong})


def test_limits_of_rows_and_of_floats(generating):
    nine = {"seed": [0] * 9, "truncation": [0.0] * 9}
    assert len(generating("generate_rows", **nine)) == 9
    with pytest.raises(tf.errors.InvalidArgumentError, match="at most 9 images"):
        generating("generate_rows", seed=[0] * 10, truncation=[0.0] * 10)
    with pytest.raises(tf.errors.InvalidArgumentError, match="`truncation` is 0"):
        generating("generate_rows", seed=[0, 1], truncation=[0.0, -1.0])
    assert len(generating("serving_default", latents=np.zeros((9, 6)))) == 9
    with pytest.raises(tf.errors.InvalidArgumentError, match="at most 9 images"):
        generating("serving_default", latents=np.zeros((10, 6)))


@pytest.mark.parametrize("labels", [[-1], [3], [0, 1, 2, 3]])
def test_labels_out_of_range(labelled, labels):
    rows = len(labels)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Expected 0 to 2"):
        labelled("generate", seed=0, num_images=rows, truncation=0.0, labels=labels)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Expected 0 to 2"):
        labelled("generate_rows", seed=[0] * rows, truncation=[0.0] * rows, labels=labels)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Expected 0 to 2"):
        labelled("serving_default", latents=np.zeros((rows, 6)), labels=labels)


def test_neither_one_label_nor_one_for_each(labelled):
    with pytest.raises(tf.errors.InvalidArgumentError, match="as many `labels` as images"):
        labelled("generate", seed=0, num_images=3, truncation=0.0, labels=[0, 1])


# ---- images to images


def encoded(array, kind, **options):
    file = io.BytesIO()
    Image.fromarray(array).save(file, kind, **options)
    return file.getvalue()


def pixels(file):
    with Image.open(io.BytesIO(file)) as picture:
        return np.asarray(picture)


def noise(height, width, channels=3):
    shape = (height, width) if channels == 1 else (height, width, channels)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def smooth(height, width):
    """What JPEG keeps: decoders may round the rest to either side."""
    ramp = np.linspace(0, 255, height)[:, None, None] * np.linspace(1, 0.3, width)[:, None]
    return (ramp * [1.0, 0.5, 0.8]).astype("uint8")


def animation():
    frames = [Image.fromarray(noise(32, 32) // 8 * (8 - k)) for k in range(3)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], comment=b"x" * 700)
    return file.getvalue()


FILES = {
    "PNG": encoded(noise(32, 32), "PNG"),
    "BMP": encoded(noise(32, 32), "BMP"),
    "BMP of 32 bits": encoded(
        np.dstack([noise(32, 32), np.full((32, 32, 1), 255, "uint8")]), "BMP"
    ),
    "GIF": encoded(noise(32, 32), "GIF"),
    "animated GIF": animation(),
    "JPEG": encoded(smooth(32, 32), "JPEG", quality=95),
    "grey PNG": encoded(noise(32, 32, 1), "PNG"),
    "grey BMP": encoded(noise(32, 32, 1), "BMP"),
    "grey JPEG": encoded(smooth(32, 32)[..., 0], "JPEG", quality=95),
    "palette": encoded(noise(32, 32) // 64, "PNG"),
    "transparent": encoded(noise(32, 32, 4), "PNG"),
}


def test_files_are_translated_as_keras_translates_their_pixels(translating):
    """How every kind of file is decoded stands in test_pictures.py."""
    for name, file in FILES.items():
        source = np.asarray(decode(io.BytesIO(file), 3))  # Pillow's
        (made,) = translating("translate", image_bytes=[file])
        expected = translating.gan.generate(image.from_uint8(source)[None])
        expected = image.to_uint8(expected)[0, ..., 0]
        np.testing.assert_array_equal(pixels(made), expected, err_msg=name)


def test_other_sizes_are_resized_and_back(translating, tmp_path):
    large, small = noise(60, 90), noise(9, 5)
    made = translating("translate", image_bytes=[encoded(x, "PNG") for x in (large, small)])
    for source, file in zip((large, small), made):
        tile = Image.fromarray(source).resize((32, 32), Image.Resampling.BICUBIC)
        answer = translating.gan.generate(image.from_uint8(np.asarray(tile))[None])
        answer = Image.fromarray(image.to_uint8(answer)[0, ..., 0])
        answer = answer.resize(source.shape[1::-1], Image.Resampling.BICUBIC)
        difference = np.abs(pixels(file).astype(int) - np.asarray(answer))
        assert difference.max() <= 3 and difference.mean() < 0.3  # Pillow rounds between the axes


def test_an_image_is_the_same_alone_and_in_company(translating):
    files = [FILES["PNG"], FILES["grey BMP"], encoded(noise(50, 40), "PNG")]
    together = translating("translate", image_bytes=files)
    for file, made in zip(files, together):
        (alone,) = translating("translate", image_bytes=[file])
        assert np.abs(pixels(alone).astype(int) - pixels(made)).max() <= 1


def test_dropout_is_off_and_on_by_a_seed_for_each_row(translating):
    file, seeds = FILES["PNG"], [5, -6, 5]
    made = translating("translate_stochastic", image_bytes=[file] * 3, seed=seeds)
    (plain,) = translating("translate", image_bytes=[file])
    assert made[0] == made[2] and len({*made, plain}) == 3
    sources = image.from_uint8(noise(32, 32))[None]
    for seed, row in zip(seeds, made):
        expected = translating.gan.generate(sources, stochastic=True, seed=seed)
        np.testing.assert_array_equal(pixels(row), image.to_uint8(expected)[0, ..., 0])


def test_without_dropout_nothing_is_stochastic(tmp_path):
    generator = networks.unet_generator((32, 32, 3), width=4, dropout=0)
    made = Exported(generator, tmp_path / "m")
    assert sorted(made.loaded.signatures) == ["serving_default", "translate"]


def test_a_grey_generator_sees_colours_as_pillow_makes_them_grey(tmp_path):
    generator = networks.unet_generator((32, 32, 1), width=4, dropout=0)
    made = Exported(generator, tmp_path / "m")
    grey = np.asarray(Image.fromarray(noise(32, 32)).convert("L"))
    (file,) = made("translate", image_bytes=[FILES["PNG"]])
    expected = generator.predict(image.from_uint8(grey)[None, ..., None], verbose=0)
    np.testing.assert_array_equal(pixels(file), image.to_uint8(expected)[0, ..., 0])


def test_a_generator_of_any_size(tmp_path):
    generator = networks.resnet_generator((None, None, 3), width=4, blocks=1)
    made = Exported(generator, tmp_path / "m", max_pixels=5000)
    (file,) = made("translate", image_bytes=[encoded(noise(40, 60), "PNG")])
    assert pixels(file).shape == (40, 60, 3)
    assert made("serving_default", images=np.zeros((1, 60, 80, 3))).shape == (1, 60, 80, 3)
    with pytest.raises(tf.errors.InvalidArgumentError, match="at most 5000 pixels"):
        made("serving_default", images=np.zeros((1, 80, 80, 3)))
    with pytest.raises(tf.errors.InvalidArgumentError, match="at most 20000 pixels of all images"):
        made("serving_default", images=np.zeros((5, 60, 80, 3)))


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def bomb():
    """A PNG of a kilobyte that says it is 60,000 pixels a side: ten gigabytes."""
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def gif_bomb():
    """A small screen, and a frame of 60,000 pixels a side on it."""
    file = bytearray(FILES["GIF"])
    place = file.index(b"\x2c\0\0\0\0\x20\0\x20\0")
    file[place + 5 : place + 9] = struct.pack("<HH", 60_000, 60_000)
    return bytes(file)


REFUSED = {
    "PNG bomb": (bomb(), "too many pixels"),
    "GIF bomb": (gif_bomb(), "too many pixels"),
    "empty": (b"", "Expected the bytes"),
    "text": (b"no picture", "Expected the bytes"),
    "WebP": (encoded(noise(32, 32), "WEBP"), "Expected the bytes"),
    "GIF without a frame": (b"GIF89a" + bytes(20), "no frame"),
    "header alone": (FILES["PNG"][:12], "no pixels"),
}
for kind in ("PNG", "GIF", "BMP", "JPEG"):
    REFUSED[f"large {kind}"] = (encoded(noise(100, 101), kind), "too many pixels")
    whole = encoded(noise(32, 32), kind)
    REFUSED[f"half a {kind}"] = (whole[: len(whole) // 2], None)
    REFUSED[f"beginning of a {kind}"] = (whole[:9], None)


def test_files_that_are_refused(translating):
    for name, (file, message) in REFUSED.items():
        with pytest.raises(tf.errors.InvalidArgumentError, match=message) as caught:
            translating("translate", image_bytes=[FILES["PNG"], file])
        assert caught, name


def test_images_as_large_as_allowed_and_as_many(translating):
    large = encoded(noise(100, 100), "PNG")
    assert len(translating("translate", image_bytes=[large, large])) == 2
    for signature, more in (("translate", [{}] * 2), ("translate_stochastic", [[0] * 4, [0] * 3])):
        for files, seeds, message in (
            ([FILES["PNG"]] * 4, more[0], "at most 3 images"),
            # Headers alone: they are counted before anything is unpacked.
            ([large[:50]] * 3, more[1], "at most 20000 pixels of all images"),
        ):
            given = {"seed": seeds} if seeds else {}
            with pytest.raises(tf.errors.InvalidArgumentError, match=message):
                translating(signature, image_bytes=files, **given)


def test_no_images_at_all(generating, translating):
    for made, signature, given in (
        (translating, "translate", {"image_bytes": []}),
        (translating, "translate_stochastic", {"image_bytes": [], "seed": []}),
        (translating, "serving_default", {"images": np.zeros((0, 32, 32, 3))}),
        (generating, "serving_default", {"latents": np.zeros((0, 6))}),
        (generating, "generate_rows", {"seed": [], "truncation": []}),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match="at least one"):
            made(signature, **given)


# ---- three ways to load


def test_the_loader_of_tensorflow_1_runs_every_signature(generating, labelled, translating):
    """As TF Serving's C++ does: a session, and tensors by name."""
    given = {
        "generate": {"seed": 7, "num_images": 2, "truncation": 0.5, "labels": [2]},
        "generate_rows": {"seed": [7], "truncation": [0.5], "labels": [2]},
        "serving_default": {"latents": np.ones((2, 6)), "labels": [0, 1]},
        "translate": {"image_bytes": [FILES["PNG"]]},
        "translate_stochastic": {"image_bytes": [FILES["PNG"]], "seed": [3]},
    }
    given = {**given, **{k.replace("ate", "ate_png"): v for k, v in given.items() if "gen" in k}}
    for made in (generating, labelled, translating):
        answers = {}
        with tf.compat.v1.Session(graph=tf.Graph()) as session:
            graph = tf.compat.v1.saved_model.load(session, ["serve"], str(made.path))
            for name in made.loaded.signatures:
                signature = graph.signature_def[name]
                inputs = {**given.get(name, {}), "images": np.ones((1, 32, 32, 3))}
                inputs = {key: inputs[key] for key in signature.inputs}
                feed = {signature.inputs[key].name: value for key, value in inputs.items()}
                (info,) = signature.outputs.values()
                answers[name] = (inputs, session.run(info.name, feed))
            if made is generating:
                wrong = {"seed": 0, "num_images": 10, "truncation": 0.0}
                signature = graph.signature_def["generate"]
                feed = {info.name: wrong[key] for key, info in signature.inputs.items()}
                with pytest.raises(tf.errors.InvalidArgumentError, match="at most 9 images"):
                    session.run(signature.outputs["images"].name, feed)
        for name, (inputs, answer) in answers.items():
            np.testing.assert_array_equal(answer, made(name, **inputs))


@pytest.mark.slow  # a fresh process that loads TensorFlow
def test_saved_model_cli_runs_it(generating, tmp_path):
    program = Path(sys.executable).with_name("saved_model_cli")
    words = ["run", "--dir", generating.path, "--tag_set", "serve", "--signature_def", "generate"]
    words += ["--input_exprs", "seed=7;num_images=2;truncation=0.0"]
    words += ["--outdir", tmp_path]
    subprocess.run([program, *words], check=True, capture_output=True)
    expected = generating("generate", seed=7, num_images=2, truncation=0.0)
    np.testing.assert_array_equal(np.load(tmp_path / "images.npy"), expected)


def test_warm_up_requests_are_what_tf_serving_reads(generating, labelled, translating):
    from tensorflow_serving.apis import prediction_log_pb2 as logs

    for made, name in ((generating, "digits"), (labelled, "labelled"), (translating, "maps")):
        file = made.path / "assets.extra" / "tf_serving_warmup_requests"
        asked = set()
        for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator():
            request = logs.PredictionLog.FromString(record).predict_log.request
            assert request.model_spec.name == name
            run = made.loaded.signatures[request.model_spec.signature_name]
            inputs = {key: tf.make_ndarray(value) for key, value in request.inputs.items()}
            assert run(**{key: tf.constant(value) for key, value in inputs.items()})
            asked.add(request.model_spec.signature_name)
        assert asked == set(made.loaded.signatures)


# ---- what is written


def size_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_every_variable_is_stored_once(tmp_path):
    generator = networks.dcgan_generator((28, 28, 1), width=32)
    path = export.saved_model(generator, tmp_path / "m")
    weights = 4 * generator.count_params()
    assert weights < size_of(path / "variables") < weights + 10_000
    generator.export(tmp_path / "twice", verbose=False)
    assert size_of(tmp_path / "twice" / "variables") > 1.8 * weights  # what Keras makes of it


def test_the_twin_with_noise_stores_no_variable_again(translating):
    weights = 4 * translating.generator.count_params()
    assert weights < size_of(translating.path / "variables") < weights + 20_000


def test_nothing_draws_from_a_state(generating, labelled, translating):
    stateful = {"RandomStandardNormal", "RandomUniform", "RandomUniformInt", "StatefulUniform"}
    for made in (generating, labelled, translating):
        for signature in made.loaded.signatures.values():
            kinds = {kind for _, kind in export.signatures.operations(signature)}
            assert not kinds & stateful
            assert not any(kind.startswith("Stateful") and "Random" in kind for kind in kinds)


def test_a_gan_exports_its_generator_and_says_so(tmp_path, generating):
    with pytest.warns(UserWarning, match="A GAN was given: its `inference_generator`"):
        path = export.saved_model(generating.gan, tmp_path / "m")
    assert export.check(path, generating.generator).largest < 1e-5
    weights = 4 * generating.generator.count_params()
    assert size_of(path / "variables") < weights + 10_000


def test_points_are_no_pictures(tmp_path):
    made = Exported(networks.mlp_generator((2,), latent_dim=3, width=4), tmp_path / "m")
    assert list(made.loaded.signatures) == ["serving_default"]


def test_images_that_leave_the_range(tmp_path):
    inputs = keras.Input((4,))
    x = keras.layers.Reshape((2, 2, 1))(inputs)
    with pytest.raises(ValueError, match=r"leave \[-1, 1\].*floats_only=True"):
        export.saved_model(keras.Model(inputs, 9.0 * x), tmp_path / "m")
    assert not list(tmp_path.iterdir())
    made = Exported(keras.Model(inputs, 9.0 * x), tmp_path / "m", floats_only=True)
    assert list(made.loaded.signatures) == ["serving_default"]
    assert made("serving_default", latents=np.ones((1, 4))).max() == 9.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": 0},
        {"version": "1"},
        {"max_images": 0},
        {"max_pixels": 0},
        {"max_total_pixels": 2**22 - 1},
        {"categorical": (1,)},
        {"continuous": -1},
        {"continuous": 6},
    ],
)
def test_wrong_arguments(tmp_path, wrong):
    with pytest.raises(ValueError, match="Received"):
        export.saved_model(digits(), tmp_path / "m", **wrong)
    assert not list(tmp_path.iterdir())


def test_an_unbuilt_network(tmp_path):
    with pytest.raises(ValueError, match="built `keras.Model`"):
        export.saved_model(keras.Sequential([keras.layers.Dense(1)]), tmp_path / "m")


def test_default_limits_follow_the_size_of_the_images(generating, tmp_path):
    stated = json.loads((generating.path / "assets.extra" / "limits.json").read_text())
    assert stated == {"max_images": 9, "max_pixels": 2**22, "max_total_pixels": 2**24}
    limits = export.graph.endpoints.limits
    assert limits(networks.dcgan_generator((128, 128, 3), width=4)).images == 64  # 2**20 / 2**14
    assert limits(digits()).images == 256


# ---- versions and paths


def test_versions_are_folders_and_the_newest_is_found(tmp_path):
    generator = digits()
    first = floats(generator, tmp_path / "m")
    tenth = floats(generator, tmp_path / "m", version=10)
    second = floats(generator, tmp_path / "m", version=2)
    assert [p.name for p in (first, second, tenth)] == ["1", "2", "10"]
    assert newest_version(tmp_path / "m") == tenth == newest_version(tenth)
    assert export.check(tmp_path / "m", generator).largest < 1e-5
    assert floats(generator, tmp_path / "m", version=None).name == "11"
    assert floats(generator, tmp_path / "n", version=None).name == "1"
    with pytest.raises(ValueError, match="Expected a SavedModel folder"):
        newest_version(tmp_path)


def test_a_version_that_exists(tmp_path):
    generator = digits()
    path = floats(generator, tmp_path / "m")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        floats(generator, tmp_path / "m")
    before = (path / "fingerprint.pb").stat().st_mtime_ns
    floats(generator, tmp_path / "m", overwrite=True)
    assert (path / "fingerprint.pb").stat().st_mtime_ns > before
    assert [p.name for p in (tmp_path / "m").iterdir()] == ["1"]


def test_a_path_that_is_something_else(tmp_path):
    generator = digits()
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thesis.txt").write_text("three years")
    (tmp_path / "file").write_text("three years")
    (tmp_path / "m" / "1").mkdir(parents=True)
    (tmp_path / "m" / "1" / "thesis.txt").write_text("three years")
    floats(generator, tmp_path / "n")
    for name, message in (
        ("work", "something else at that path than a model.*'thesis.txt'"),
        ("file", "something else at that path than a model"),
        ("m", "overwriting would delete it"),
        ("n/1", "where versions would be"),
    ):
        with pytest.raises(FileExistsError, match=message):
            floats(generator, tmp_path / name, overwrite=True)
    assert (tmp_path / "work" / "thesis.txt").read_text() == "three years"
    assert (tmp_path / "m" / "1" / "thesis.txt").read_text() == "three years"
    (tmp_path / "empty" / "1").mkdir(parents=True)
    (tmp_path / "empty" / ".DS_Store").write_text("x")
    assert export.check(floats(generator, tmp_path / "empty"), generator)


def test_a_failure_leaves_what_was_there(tmp_path, monkeypatch):
    generator = digits()
    with monkeypatch.context() as patch:
        patch.setattr(tf.saved_model, "save", full_disk)
        with pytest.raises(OSError, match="No space left"):
            floats(generator, tmp_path / "m")
        assert not list(tmp_path.iterdir())
    path = floats(generator, tmp_path / "m")
    with monkeypatch.context() as patch:
        patch.setattr(tf.saved_model, "save", full_disk)
        with pytest.raises(OSError, match="No space left"):
            floats(generator, tmp_path / "m", overwrite=True)
    # The last moment: the old one is aside, and the new one cannot take its place.
    rename = Path.rename

    def stuck(self, target):
        if self.name.endswith(".partial"):
            raise OSError(5, "Input/output error")
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", stuck)
        with pytest.raises(OSError, match="Input/output"):
            floats(generator, tmp_path / "m", overwrite=True)
    assert [p.name for p in (tmp_path / "m").iterdir()] == ["1"]
    assert export.check(path, generator)


def test_what_a_killed_export_left_is_in_nobodys_way(tmp_path):
    generator = digits()
    for name in (".1.partial", ".1.previous"):
        (tmp_path / "m" / name).mkdir(parents=True)
        (tmp_path / "m" / name / "half").write_text("x")
    path = floats(generator, tmp_path / "m")
    assert export.check(path, generator)
    floats(generator, tmp_path / "m", overwrite=True)
    assert [p.name for p in (tmp_path / "m").iterdir()] == ["1"]
