import copy
import json

import numpy as np
import pytest
from PIL import Image

import keras_gans
from keras_gans import cli, zoo
from keras_gans.zoo.report import write_report
from tiny import recipe

EVALUATION = {"every": 1, "num_images": 60, "split": "train[:100]", "floor_split": "train[100:200]"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of two epochs on digits, that was measured as it trained."""
    folder = tmp_path_factory.mktemp("evaluated")
    config = copy.deepcopy(recipe(folder / "data"))
    config["data"]["image_size"] = None
    for network in config["networks"].values():
        network["image_shape"] = [28, 28, 1]
    config["evaluation"] = EVALUATION
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_GANS_CACHE", str(folder / "cache"))
        yield zoo.train(config, folder / "run", verbose=0)


NAME = "frechet60_digits_cnn_v1_on_digits_train_100"


def test_a_recipe_that_evaluates_leaves_numbers_pictures_and_a_report(run):
    lines = [json.loads(x) for x in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 2]
    results = json.loads((run / "evaluation.json").read_text())
    last = results["measured"][NAME]["value"]
    assert lines[1][NAME] == lines[2]["evaluation"][NAME] == last  # of the moving average, both
    assert results["floor"][NAME]["value"] < last
    assert set(results["yardsticks"]) >= {"blurred, 3x3", "class 0 missing"}
    assert results["memorization"] is None and results["nearest"] > 0
    with Image.open(run / "neighbors.png") as picture:
        assert picture.size[0] > 12 * 28
    assert json.loads((run / "checkpoints" / "best.json").read_text())["epoch"] in (1, 2)
    page = (run / "report.html").read_text()
    for part in (NAME, "other real images", "blurred, 3x3", "Nearest training images"):
        assert part in page, part
    assert page.count("<svg") == 2 and "http" not in page


def test_an_evaluation_may_change_between_two_runs_of_a_training(run):
    config = json.loads((run / "config.json").read_text())
    other = zoo.Recipe({**config, "evaluation": None})
    other.require_same(config, "here")
    zoo.Recipe(config).require_same(other.config, "here")
    with pytest.raises(ValueError, match="samples"):
        zoo.Recipe({**config, "samples": 5}).require_same(config, "here")


def test_a_folder_of_images_against_a_data_set(run, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_GANS_CACHE", str(tmp_path / "cache"))
    images = zoo.open_gan(run).generate(60, seed=0)
    for i, made in enumerate(images):
        keras_gans.image.save(made, tmp_path / "made" / f"{i:03d}.png")
    options = {key: EVALUATION[key] for key in ("num_images", "split", "floor_split")}
    found = zoo.evaluate(tmp_path / "made", "digits", out=tmp_path / "out", **options)
    direct = keras_gans.metrics.Evaluation("digits", **options).measure(
        keras_gans.image.from_uint8(keras_gans.image.to_uint8(images))
    )
    assert float(found.measured[NAME]) == pytest.approx(float(direct[NAME]), rel=1e-4)
    assert found.nearest is None and not (tmp_path / "out" / "neighbors.png").exists()
    heads, first, *_ = found.table()
    assert heads[:3] == ["", "measured", "other real images"]
    assert first[:2] == [NAME, f"{float(found.measured[NAME]):.4g}"] and len(first) == len(heads)


def test_health_messages_are_on_the_page(run, tmp_path):
    (tmp_path / "health.jsonl").write_text(json.dumps({"epoch": 3, "text": "D has <won>"}) + "\n")
    page = write_report(tmp_path, zoo.Recipe.read("dcgan_digits_28")).read_text()
    assert "Epoch 3: D has &lt;won&gt;" in page
    assert "Nothing was noticed" in (run / "report.html").read_text()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"evaluation": 5}, "'evaluation' must be an object.*Received: 5"),
        ({"evaluation": {"evry": 5}}, "no field 'evaluation.evry'.*Did you mean 'every'"),
    ],
)
def test_recipes_that_evaluate_wrongly(run, change, message):
    config = json.loads((run / "config.json").read_text())
    with pytest.raises(ValueError, match=message):
        zoo.Recipe({**config, **change})


def test_sources_that_cannot_be_evaluated(tmp_path):
    with pytest.raises(ValueError, match="There is no preset of that name"):
        zoo.evaluate("dcgan_digit")
    with pytest.raises(ValueError, match="must be held against real ones.*against=None"):
        zoo.evaluate(tmp_path)
    keras_gans.image.save(np.zeros((28, 28, 1)), tmp_path / "one.png")
    with pytest.raises(ValueError, match="fewer images than the protocol.*Received: 1"):
        zoo.evaluate(tmp_path, "digits", out=tmp_path / "out", num_images=20)


def test_the_command_line(run, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("KERAS_GANS_CACHE", str(tmp_path / "cache"))

    def call(*words):
        return cli.main(cli.parse(["keras-gans", "evaluate", *map(str, words)]))

    out = tmp_path / "out"
    assert call(run, "--out", out) == 0
    shown = capsys.readouterr().out
    for part in (NAME, "2 other real images", "nearest training image", str(out)):
        assert part in shown, part
    assert (out / "neighbors.png").is_file() and (out / "evaluation.json").is_file()
    assert call(run, "--images", "70", "--split", "train[200:300]", "--out", out) == 0
    assert "frechet70_digits_cnn_v1_on_digits_train_200_300" in capsys.readouterr().out
    assert call(run, "--features", "digits_cnn_v2", "--out", out) == 1
    assert "Did you mean 'digits_cnn_v1'?" in capsys.readouterr().err
