import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from PIL import Image

import keras_gans
import tiny
from keras_gans import networks, zoo
from keras_gans.zoo import presets

TRAINED = [name for name in zoo.list_presets() if zoo.card(name).trained]


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """The presets in a folder that a test may damage."""
    shutil.copytree(presets.FOLDER, tmp_path / "presets")
    monkeypatch.setattr(presets, "FOLDER", tmp_path / "presets")
    return tmp_path / "presets"


def test_the_first_stone_is_there():
    assert "dcgan_digits_28" in TRAINED


@pytest.mark.parametrize("name", TRAINED)
def test_a_trained_preset_loads_and_makes_images(name):
    assert isinstance(zoo.load(name), keras.Model)
    if zoo.Recipe.read(name).translates:
        _, images = cells(name)[:2]
    else:
        images = zoo.open_gan(name).generate(100, seed=0)
    assert images.min() >= -1.0 and images.max() <= 1.0
    assert np.std(images, axis=0).max() > 0.5  # not one image a hundred times
    assert zoo.card(name).text.startswith(f"# {name}")
    assert set(zoo.verify(name)) == {
        "README.md",
        "generator.weights.h5",
        "recipe.json",
        "samples.png",
    }


def cells(name):
    """The columns of the picture on a translator's card, as images in [-1, 1]."""
    config = zoo.Recipe.read(name).config
    side, columns = config["data"]["image_size"], len(zoo.open_gan(name).compared)
    with Image.open(presets.FOLDER / name / "samples.png") as file:
        pixels = np.asarray(file)
    gap = (pixels.shape[1] - columns * side) // (columns - 1)
    starts = [range(0, length, side + gap) for length in pixels.shape[:2]]
    assert len(starts[0]) == config["samples"] and len(starts[1]) == columns
    return [
        keras_gans.image.from_uint8(
            np.stack([pixels[y : y + side, x : x + side] for y in starts[0]])
        )
        for x in starts[1]
    ]


@pytest.mark.parametrize("name", TRAINED)
def test_the_picture_on_the_card_is_what_the_weights_make(name):
    gan = zoo.open_gan(name)
    if zoo.Recipe.read(name).translates:
        source, made = cells(name)[:2]
        # A step of 255 levels is 2 / 255. mixed_bfloat16 rounds at about one.
        assert np.abs(gan.generate(source) - made).mean() < 2 / 255
        return
    images = gan.generate(zoo.Recipe.read(name).config["samples"], seed=0)
    expected = keras_gans.image.grid(images)
    with Image.open(presets.FOLDER / name / "samples.png") as file:
        shown = np.asarray(file).reshape(expected.shape)
    # Another processor rounds elsewhere; another generator differs by far more than this.
    assert np.abs(shown.astype(int) - expected.astype(int)).mean() < 1.0


def test_loading_a_generator_changes_nothing_else():
    keras.utils.set_random_seed(1)
    expected = float(keras.random.normal(()))
    keras.utils.set_random_seed(1)
    generator = zoo.load("dcgan_digits_28")
    assert float(keras.random.normal(())) == expected
    np.testing.assert_array_equal(
        generator.predict(keras_gans.latent.sample(3, 64, seed=5), verbose=0),
        zoo.open_gan("dcgan_digits_28").generate(3, seed=5),
    )


@pytest.mark.parametrize("file", ["generator.weights.h5", "recipe.json", "README.md"])
def test_a_damaged_file_is_named(copied, file):
    path = copied / TRAINED[0] / file
    content = bytearray(path.read_bytes())
    place = content.rindex(b"0") if file == "recipe.json" else len(content) // 2
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"damaged.*SHA-256.*{file}"):
        zoo.load(TRAINED[0])


def test_a_recipe_that_is_no_longer_json_is_named(copied):
    path = copied / TRAINED[0] / "recipe.json"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match="damaged: it is not JSON.*recipe.json"):
        zoo.load(TRAINED[0])


def test_missing_and_foreign_files_are_named(copied):
    (copied / TRAINED[0] / "extra.txt").write_text("x")
    with pytest.raises(ValueError, match=r"not listed.*extra.txt"):
        zoo.verify(TRAINED[0])
    (copied / TRAINED[0] / "extra.txt").unlink()
    (copied / TRAINED[0] / "generator.weights.h5").unlink()
    with pytest.raises(ValueError, match=r"is missing.*generator.weights.h5"):
        zoo.verify(TRAINED[0])


def test_weights_that_lack_a_part_are_refused(copied):
    folder = copied / TRAINED[0]
    with h5py.File(folder / "generator.weights.h5", "a") as file:
        del file["layers"]["dense"]["vars"]["0"]
    metrics = json.loads((folder / "metrics.json").read_text())
    digest = presets.sha256(folder / "generator.weights.h5")
    metrics["sha256"]["generator.weights.h5"] = digest
    (folder / "metrics.json").write_text(json.dumps(metrics))
    with pytest.raises((ValueError, KeyError)):
        zoo.load(TRAINED[0])


def test_a_recipe_without_weights_says_how_to_get_them():
    with pytest.raises(ValueError, match="keras-gans train dcgan_digits_28_quick"):
        zoo.load("dcgan_digits_28_quick")


def test_unknown_presets():
    with pytest.raises(ValueError, match="Did you mean 'dcgan_digits_28'"):
        zoo.load("dcgan_digits_28x")


def test_the_folder_is_no_package_of_its_own():
    path = Path(presets.__file__).with_name("__init__.py")
    spec = importlib.util.spec_from_file_location("zoo", path)
    with pytest.raises(ImportError, match="works under that name only"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


def test_publishing_a_run(tmp_path):
    config = {**tiny.recipe(tmp_path), "epochs": 1}
    preset = tmp_path / "preset"
    preset.mkdir()
    (preset / "recipe.json").write_text(json.dumps(config))
    (preset / "README.md").write_text("# preset\n")
    run = zoo.train(config, tmp_path / "run", verbose=0)
    difference = zoo.publish(run, preset, numbers={"steps": 1})
    assert 0.0 < difference < 0.02
    full, half = ((tmp_path / p) for p in ("full.weights.h5", "preset/generator.weights.h5"))
    zoo.load(run).save_weights(full)
    assert half.stat().st_size < 0.75 * full.stat().st_size
    assert json.loads((preset / "metrics.json").read_text())["numbers"] == {"steps": 1}
    (preset / "recipe.json").write_text(json.dumps({**config, "epochs": 2}))
    with pytest.raises(ValueError, match="another number of epochs"):
        zoo.publish(run, preset)
    (preset / "recipe.json").write_text(json.dumps({**config, "seed": 2}))
    with pytest.raises(ValueError, match="another configuration"):
        zoo.publish(run, preset)


def test_publishing_a_run_of_images_of_images(tmp_path):
    folder = tiny.folder_of_pairs(tmp_path / "pairs", number=4)
    shape = [32, 32, 3]
    config = {
        "epochs": 2,
        "samples": 3,
        "data": {
            "type": "load_pairs",
            "name": str(folder),
            "image_size": 32,
            "data_dir": str(tmp_path / "data"),
        },
        "networks": {
            "generator": {"type": "unet_generator", "image_shape": shape, "width": 2},
            "discriminator": {
                "type": "patch_discriminator",
                "image_shape": shape,
                "condition_shape": shape,
                "receptive_field": 16,
                "width": 2,
            },
        },
        "model": {"type": "Pix2Pix"},
        "evaluation": {"every": 1, "best": "l1", "split": "validation"},
    }
    preset = tmp_path / "preset"
    preset.mkdir()
    (preset / "recipe.json").write_text(json.dumps(config))
    run = zoo.train(config, tmp_path / "run", verbose=0)
    assert zoo.publish(run, preset) < 0.02
    numbers = json.loads((preset / "metrics.json").read_text())["numbers"]
    assert {name.split("4")[0].rstrip("_") for name in numbers} >= {"l1", "sharpness", "frechet"}
    with Image.open(preset / "samples.png") as picture:
        assert picture.size == (3 * 32 + 2 * 2, 3 * 32 + 2 * 2)  # three rows of three
    best, twin = zoo.load(run, best=True), networks.unet_generator(shape, width=2)
    twin.load_weights(preset / "generator.weights.h5")
    for a, b in zip(best.get_weights(), twin.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


def test_lists_and_cards_come_without_tensorflow():
    # In a fresh process that is the command line: see keras_gans/__init__.py.
    program = (
        "import sys; sys.argv[0] = 'keras-gans'\n"
        "from keras_gans import zoo\n"
        "zoo.card(zoo.list_presets()[0]); zoo.verify('dcgan_digits_28')\n"
        "assert not {'tensorflow', 'keras', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
