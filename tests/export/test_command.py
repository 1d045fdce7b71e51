"""`keras-gans export`: files that carry the name of their model, and what their pages show."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_gans import cli, export, gallery_entries, zoo

HAS_ONNX = all(importlib.util.find_spec(n) for n in ("onnx", "tf2onnx", "onnxruntime"))
FIRST, SECOND = "dcgan_digits_28", "conditional_gan_fashion_mnist_28"
TRANSLATOR, BOTH_WAYS = "pix2pix_drawing_to_avatar_64", "cyclegan_map_satellite_64"


def run(*words):
    return cli.main(cli.parse(["keras-gans", *map(str, words)]))


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def content(folder):
    """Of every file, by its path."""
    return {p: p.read_bytes() for p in sorted(Path(folder).rglob("*")) if p.is_file()}


def test_several_models_share_a_folder(place, packages, capsys):
    formats = ["saved_model", "tflite", "web"] + ["onnx"] * HAS_ONNX
    words = ["--format", ",".join(formats), "--packages", packages, "--floats-only"]
    words.append("--no-check")
    expected = ["saved_model/{}/1/saved_model.pb", "{}.tflite", "web/{}/index.html"]
    expected += ["{}.onnx"] * HAS_ONNX
    written = {}
    for name in (FIRST, SECOND):
        assert run("export", name, *words) == 0, capsys.readouterr().err
        for path in expected:
            assert Path("exported", path.format(name)).is_file()
        written[name] = {p: c for p, c in content("exported").items() if name in str(p)}
    capsys.readouterr()
    assert run("export", SECOND, *words) == 1
    assert "overwrite" in capsys.readouterr().err
    assert run("export", SECOND, *words, "--overwrite") == 0
    after = content("exported")
    assert {p: after.get(p) for p in written[FIRST]} == written[FIRST]
    config = Path("exported/saved_model/models.config").read_text()
    assert FIRST in config and SECOND in config
    # It was trained, and is opened, in half precision; what is written computes in float32.
    generator = zoo.open_gan(SECOND).inference_generator
    given = export.signatures.examples(generator, 4, seed=0)
    with export.signatures.in_float32(generator):
        expected = generator(list(given.values()), training=False)
    assert np.abs(expected - generator(list(given.values()), training=False)).max() > 1e-3
    serve = tf.saved_model.load(f"exported/saved_model/{SECOND}/1").signatures["serving_default"]
    made = serve(**{name: tf.constant(value) for name, value in given.items()})["images"]
    np.testing.assert_allclose(made, expected, atol=1e-5)


def test_an_upscaler_that_others_trained(place, capsys):
    words = ["--format", "tflite", "--image-size", 16, "--for-gpu"]
    assert run("export", "realesrgan_animevideo_x4", *words) == 0, capsys.readouterr().err
    file = Path("exported/realesrgan_animevideo_x4.tflite")
    (taken,) = export.metadata(file)["interface"]["inputs"]
    assert (taken["height"], taken["width"]) == (16, 16)
    assert export.metadata(file)["preset"] == "realesrgan_animevideo_x4"


def test_the_page_of_a_translator_shows_what_the_samples_were_made_of(place, packages):
    assert run("export", TRANSLATOR, "--format", "web", "--packages", packages) == 0
    folder = Path("exported/web", TRANSLATOR)
    about = json.loads((folder / "model.json").read_text())
    with Image.open(zoo.card(TRANSLATOR).folder / "samples.png") as samples:
        pixels = np.asarray(samples.convert("RGB"))
    assert len(about["examples"]) == 6
    for row, name in enumerate(about["examples"]):
        top = row * (64 + 2)
        with Image.open(folder / name) as example:
            np.testing.assert_array_equal(np.asarray(example), pixels[top : top + 64, :64])


@pytest.fixture
def given(place, monkeypatch):
    """What the command hands to `export.web`, whose own tests say what becomes of it."""
    found = {}

    def web(generator, folder, **options):
        found.update(options, folder=folder)
        return folder

    monkeypatch.setattr(export.formats, "web", web)
    return found


def test_a_page_names_the_classes(given):
    assert run("export", SECOND, "--format", "web") == 0
    assert given["folder"] == Path("exported/web", SECOND)
    assert given["class_names"][0] == "top" and given["class_names"][9] == "boot"


def test_pictures_of_ones_own_are_shown_instead(given):
    words = ["--format", "web", "--examples", "a.png", "b.png"]
    assert run("export", TRANSLATOR, *words) == 0
    assert given["examples"] == [Path("a.png"), Path("b.png")]


def test_examples_are_faithful_or_none(tmp_path):
    """Of a run: those of its newest samples, if they are of images of its size."""
    card = zoo.card(BOTH_WAYS)
    (tmp_path / "config.json").write_text(json.dumps(card.recipe))
    assert gallery_entries.for_page(tmp_path) == {"class_names": None, "examples": []}
    (tmp_path / "samples").mkdir()
    shutil.copyfile(card.folder / "samples.png", tmp_path / "samples/epoch_0002.png")
    Image.new("RGB", (64, 64)).save(tmp_path / "samples/epoch_0001.png")
    with Image.open(card.folder / "samples.png") as samples:
        pixels = np.asarray(samples)
    shown = gallery_entries.for_page(tmp_path)["examples"]
    np.testing.assert_array_equal(shown[1], pixels[66:130, :64])
    Image.new("RGB", (100, 64)).save(tmp_path / "samples/epoch_0003.png")
    assert gallery_entries.for_page(tmp_path)["examples"] == []


def test_presets_without_classes_that_are_named():
    assert gallery_entries.for_page(FIRST) == {"class_names": None}
    assert gallery_entries.for_page("infogan_digits_28") == {"class_names": None}


# ---- other backends of Keras


def writers():
    generator = zoo.load(FIRST)
    return {
        "saved_model": lambda: export.saved_model(generator, "exported"),
        "tflite": lambda: export.tflite(generator, "exported.tflite"),
        "onnx": lambda: export.onnx(generator, "exported.onnx"),
        "web": lambda: export.web(generator, "exported"),
        "check": lambda: export.check("exported.tflite", generator),
        "gallery": lambda: export.gallery.write(
            "g.html", [export.gallery.Entry(name="a", generator=generator)]
        ),
    }


@pytest.mark.parametrize("name", writers())
def test_another_backend_is_an_error_that_says_what_to_do(place, name, monkeypatch):
    write = writers()[name]
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ValueError, match=r"Start Python with KERAS_BACKEND=tensorflow\..*jax"):
        write()
    assert not list(place.iterdir())


def test_the_command_says_so_too(place, monkeypatch, capsys):
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    assert run("export", FIRST) == 1
    assert capsys.readouterr().err.endswith("KERAS_BACKEND=tensorflow. Received: torch\n")
    assert not list(place.iterdir())


@pytest.mark.slow  # a fresh process that loads JAX and TensorFlow
def test_the_command_under_jax(place):
    pytest.importorskip("jax")
    done = subprocess.run(
        [sys.executable, "-m", "keras_gans.cli", "export", FIRST],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].endswith("KERAS_BACKEND=tensorflow. Received: jax")
