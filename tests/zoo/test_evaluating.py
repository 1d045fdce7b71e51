import copy
import json
import shutil

import numpy as np
import pytest
from PIL import Image

import keras_gans
from keras_gans import cli, metrics, terminal, zoo
from keras_gans.zoo import evaluating, publishing
from keras_gans.zoo.runs.report import columns, write_report
from tiny import cyclegan_recipe, recipe

EVALUATION = {
    "every": 1,
    "num_images": 60,
    "split": "train[:100]",
    "reference_split": "train[100:200]",
}


pytestmark = pytest.mark.usefixtures("without_graphs")


@pytest.fixture(scope="module")
def counted():
    """Kinds of things that have been measured, in their order."""
    return []


@pytest.fixture(scope="module")
def run(tmp_path_factory, counted, without_graphs):
    """A run of two epochs on digits, that was measured as it trained."""
    folder = tmp_path_factory.mktemp("evaluated")
    measure = metrics.Evaluation.measure

    def counting(self, source):
        counted.append("generated" if hasattr(source, "generate") else "real")
        return measure(self, source)

    config = copy.deepcopy(recipe(folder / "data"))
    config["data"]["image_size"] = None
    for network in config["networks"].values():
        network["image_shape"] = [28, 28, 1]
    config["evaluation"] = EVALUATION
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_GANS_CACHE", str(folder / "cache"))
        patch.setattr(metrics.Evaluation, "measure", counting)
        made = zoo.train(config, folder / "run", verbose=0)
        patch.undo()
        patch.setenv("KERAS_GANS_CACHE", str(folder / "cache"))
        yield made


NAME = "frechet60_digits_cnn_v1_on_digits_train_100"


def test_a_recipe_that_evaluates_leaves_numbers_pictures_and_a_report(run):
    lines = [json.loads(x) for x in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 2]
    results = json.loads((run / "evaluation.json").read_text())
    last = results["measured"][NAME]["value"]
    assert lines[1][NAME] == lines[2]["evaluation"][NAME] == last  # of the moving average, both
    assert results["reference"][NAME]["value"] < last
    assert set(results["degradations"]) >= {"blurred, 3x3", "class 0 missing"}
    assert results["memorization"] is None and results["nearest"] > 0
    with Image.open(run / "neighbors.png") as picture:
        assert picture.size[0] > 12 * 28
    assert json.loads((run / "checkpoints" / "best.json").read_text())["epoch"] in (1, 2)
    page = (run / "report.html").read_text()
    for part in (NAME, "other real images", "blurred, 3x3", "Nearest training images"):
        assert part in page, part
    assert page.count("<svg") == 2 and "http" not in page


def test_the_last_epoch_is_measured_once(run, counted):
    # A few before the training, to see that it can be done; two epochs; then other real images
    # and five reference degradations.
    assert counted == ["generated"] * 3 + ["real"] * 6
    # It is what the checkpoint measures.
    again = zoo.evaluate(run, output=run.parent / "again").measured
    kept = json.loads((run / "evaluation.json").read_text())["measured"]
    assert again.keys() == kept.keys()
    assert float(again[NAME]) == pytest.approx(kept[NAME]["value"], rel=1e-6)


def test_a_measurement_of_another_epoch_is_made_again(run, tmp_path, monkeypatch):
    monkeypatch.setattr(
        keras_gans.callbacks.Evaluate, "on_epoch_end", lambda self, epoch, logs=None: None
    )
    config = json.loads((run / "config.json").read_text())
    folder = zoo.train({**config, "epochs": 1}, tmp_path / "run", verbose=0)
    assert json.loads((folder / "evaluation.json").read_text())["measured"][NAME]["value"] > 0


def weights(gan):
    return np.concatenate([np.ravel(w) for w in gan.inference_generator.get_weights()])


def test_the_best_checkpoint_opens_by_name(run, tmp_path):
    folder = shutil.copytree(run, tmp_path / "run")
    first, newest = tmp_path / "first", zoo.restore(folder)
    config = json.loads((folder / "config.json").read_text())
    earlier = zoo.restore(zoo.train({**config, "epochs": 1, "evaluation": None}, first, verbose=0))
    assert not np.array_equal(weights(earlier), weights(newest))
    # As if the first epoch had been the best.
    best = folder / "checkpoints" / "best.weights.h5"
    earlier.save_weights(best)
    for opened in (zoo.open_gan(folder, best=True), zoo.restore(folder, best=True)):
        np.testing.assert_array_equal(weights(opened), weights(earlier))
    generator = zoo.load(folder, best=True)
    for found, expected in zip(generator.get_weights(), earlier.inference_generator.get_weights()):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(weights(zoo.open_gan(folder)), weights(newest))
    best.write_bytes(b"no weights")
    with pytest.raises(ValueError, match="best checkpoint cannot be read.*best.weights.h5"):
        zoo.open_gan(folder, best=True)


def test_runs_and_presets_without_a_best_checkpoint(run, tmp_path):
    folder = shutil.copytree(run, tmp_path / "run")
    (folder / "checkpoints" / "best.weights.h5").unlink()
    with pytest.raises(ValueError, match="kept no best.*`best=False`.*Received: no .*best.weights"):
        zoo.load(folder, best=True)
    for function in (zoo.load, zoo.open_gan):
        with pytest.raises(ValueError, match="Only a run keeps a best.*dcgan_digits_28.*best=True"):
            function("dcgan_digits_28", best=True)


def test_health_counts_the_classes_of_data_with_a_classifier(run, tmp_path, monkeypatch):
    made = []

    class Watching(keras_gans.callbacks.TrainingHealth):
        def __init__(self, **options):
            super().__init__(**options)
            made.append(self)

    monkeypatch.setattr("keras_gans.zoo.training.TrainingHealth", Watching)
    config = json.loads((run / "config.json").read_text())
    short = {**config, "epochs": 1, "evaluation": None}
    gan = zoo.restore(zoo.train(short, tmp_path / "a", verbose=0))
    (health,) = made
    shares = metrics.features.load("digits_cnn_v1")(gan.generate(64, seed=0))[1]
    assert health.statistics["modes"] == len(set(shares.argmax(axis=1)))
    assert health.num_classes == 10
    # Of images of another size than its network takes it counts nothing.
    zoo.train({**recipe(run.parent / "data"), "epochs": 1}, tmp_path / "b", verbose=0)
    assert "modes" not in made[1].statistics and "diversity" in made[1].statistics


def test_columns_of_a_table():
    degraded = {"blurred": {"l1": 3}}
    assert columns({"l1": 1}, {"l1": 2}, degraded) == {
        "measured": {"l1": 1},
        "other real images": {"l1": 2},
        "blurred": {"l1": 3},
    }
    assert list(columns({"l1": 1}, {}, degraded)) == ["measured", "blurred"]


def test_an_evaluation_may_change_between_two_runs_of_a_training(run):
    config = json.loads((run / "config.json").read_text())
    other = zoo.Recipe({**config, "evaluation": None})
    other.require_same(config, "here")
    zoo.Recipe(config).require_same(other.config, "here")
    with pytest.raises(ValueError, match="samples"):
        zoo.Recipe({**config, "samples": 5}).require_same(config, "here")


def test_the_earlier_names_of_reference_values_keep_working(run, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_GANS_CACHE", str(tmp_path / "cache"))
    config = json.loads((run / "config.json").read_text())
    split = config["evaluation"].pop("reference_split")
    config["evaluation"]["floor_split"] = split
    before = zoo.Recipe(config)  # of a run that was begun before
    assert before.config["evaluation"]["reference_split"] == split
    assert "floor_split" not in before.config["evaluation"]
    before.require_same(config, "here")

    images = zoo.open_gan(run).generate(20, seed=0)
    for i, made in enumerate(images):
        keras_gans.image.save(made, tmp_path / "made" / f"{i:03d}.png")
    options = {"split": EVALUATION["split"], "num_images": 20, "output": tmp_path / "out"}
    with pytest.warns(DeprecationWarning, match=r"evaluate\(reference_split="):
        found = zoo.evaluate(tmp_path / "made", "digits", floor_split=split, **options)
    with pytest.warns(DeprecationWarning, match="now `Results.reference`"):
        assert found.floor == found.reference
    with pytest.warns(DeprecationWarning, match="now `Results.degradations`"):
        assert found.yardsticks == found.degradations

    # A report and a card read what an earlier version wrote.
    results = json.loads((run / "evaluation.json").read_text())
    numbers = publishing.numbers_of(results)
    results["floor"], results["yardsticks"] = results.pop("reference"), results.pop("degradations")
    assert publishing.numbers_of(results) == numbers
    page = write_report(run, zoo.Recipe(config)).read_text()
    (tmp_path / "old").mkdir()
    (tmp_path / "old/evaluation.json").write_text(json.dumps(results))
    old = write_report(tmp_path / "old", zoo.Recipe(config)).read_text()
    table = page[page.index('<table class="numbers">') :].split("</table>")[0]
    assert table in old


def test_a_folder_of_images_against_a_data_set(run, tmp_path):
    images = zoo.open_gan(run).generate(60, seed=0)
    for i, made in enumerate(images):
        keras_gans.image.save(made, tmp_path / "made" / f"{i:03d}.png")
    options = {key: EVALUATION[key] for key in ("num_images", "split", "reference_split")}
    found = zoo.evaluate(tmp_path / "made", "digits", output=tmp_path / "out", **options)
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
    with pytest.raises(ValueError, match="must be compared with real ones.*against=None"):
        zoo.evaluate(tmp_path)
    keras_gans.image.save(np.zeros((28, 28, 1)), tmp_path / "one.png")
    with pytest.raises(ValueError, match="fewer images than the protocol.*Received: 1"):
        zoo.evaluate(tmp_path, "digits", output=tmp_path / "out", num_images=20)


def test_the_command_line(run, tmp_path, capsys):
    def call(*words):
        return cli.main(cli.parse(["keras-gans", "evaluate", *map(str, words)]))

    out = tmp_path / "out"
    assert call(run, "--output", out) == 0
    shown = capsys.readouterr().out
    for part in (NAME, "2 other real images", "nearest training image", str(out)):
        assert part in shown, part
    assert (out / "neighbors.png").is_file() and (out / "evaluation.json").is_file()
    assert call(run, "--images", "70", "--split", "train[200:300]", "--output", out) == 0
    assert "frechet70_digits_cnn_v1_on_digits_train_200_300" in capsys.readouterr().out
    assert call(run, "--features", "digits_cnn_v2", "--output", out) == 1
    assert "Did you mean 'digits_cnn_v1'" in capsys.readouterr().err


def test_a_cyclegan_is_measured_both_ways(tmp_path):
    config = cyclegan_recipe(tmp_path)
    config["evaluation"] = {"every": 1, "best": "l1", "split": "validation"}
    run = zoo.train(config, tmp_path / "run", verbose=0)
    found = json.loads((run / "evaluation.json").read_text())
    names = [f"l1_3_pixels_on_pairs_validation_{way}_32" for way in ("a_to_b", "b_to_a")]
    gan = zoo.load(run, part="gan")
    evaluation = metrics.TranslationEvaluation(
        config["data"]["name"], image_size=32, data_dir=config["data"]["data_dir"]
    )
    source, target = next(evaluation.pairs())
    forth, back = gan.generate(source), gan.generate(target, backward=True)
    for name, (made, wanted) in zip(names, [(forth, target), (back, source)]):
        value = found["measured"][name]["value"]
        assert value == pytest.approx(metrics.l1(wanted, made).mean(), abs=1e-5)
        copied = found["degradations"]["input copied"][name]["value"]
        assert copied == pytest.approx(metrics.l1(source, target).mean(), abs=1e-5)
    assert names[1] in (run / "report.html").read_text()

    # What a preset comes without is not measured.
    one = zoo.save_preset(gan, tmp_path / "one", {"recipe": config}, parts=["generator"])
    measured = zoo.evaluate(one, output=tmp_path / "measured", split="validation").measured
    assert names[0] in measured and names[1] not in measured


def test_a_preset_is_measured_again_without_its_run(run, tmp_path, monkeypatch):
    config = json.loads((run / "config.json").read_text())
    preset = zoo.save_preset(zoo.open_gan(run), tmp_path / "preset", {"recipe": config})
    config["evaluation"]["features"] = ["digits_cnn_v1", "fashion_mnist_cnn_v1"]
    (preset / "recipe.json").write_text(json.dumps(config, indent=2))
    measured = []

    def measure(source, output, **options):
        measured.append((zoo.card(source).recipe["evaluation"], options))
        assert zoo.verify(source)  # the changed recipe is its own by now
        shutil.copy(run / "evaluation.json", output)  # as `evaluate` wrote it

    monkeypatch.setattr(publishing, "evaluate", measure)
    publishing.remeasure(preset)
    assert measured == [(config["evaluation"], {})]
    results = json.loads((run / "evaluation.json").read_text())
    assert zoo.card(preset).numbers == publishing.numbers_of(results)
    assert zoo.verify(preset) and NAME in (preset / "README.md").read_text()
    # Weights that are not those of the card are not measured.
    weights = preset / "generator.weights.h5"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ValueError, match="damaged.*generator.weights.h5"):
        publishing.remeasure(preset)
    assert len(measured) == 1


def test_how_far_a_measurement_is(run, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("KERAS_GANS_CACHE", str(tmp_path / "cache"))
    usual = terminal.Progress.__init__

    def often(self, total, unit, verbose=1, every=0.0):
        usual(self, total, unit, verbose, every=0.0)

    monkeypatch.setattr(terminal.Progress, "__init__", often)
    network = metrics.features.load("digits_cnn_v1")
    evaluation = metrics.Evaluation("digits", network, num_images=60)
    rng = np.random.default_rng(0)
    noise = rng.uniform(-1, 1, (60, 28, 28, 1)).astype("float32")

    first = evaluating.conclude(tmp_path / "first", evaluation, noise, None, verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert evaluation.features is network  # as it was
    for stage in ("generated images", "reference degradations", "other real images"):
        assert any(line.endswith(stage) for line in lines)
    seen = [int(line.split("/")[0].replace(",", "")) for line in lines]
    assert seen == sorted(seen) and all(" left" in line for line in lines[:-1])
    # Reference, generated, five degradations (one of them of fewer), other real images.
    assert lines[-1] == f"{seen[-1]:,}/{seen[-1]:,} images"
    assert 7 * 60 <= seen[-1] <= 8 * 60
    again = evaluating.conclude(tmp_path / "again", evaluation, noise, None, verbose=1)
    # What is kept is not seen again.
    assert capsys.readouterr().out.splitlines()[-1] == "60/60 images"
    assert first.measured == again.measured and first.degradations == again.degradations
    evaluating.conclude(tmp_path / "quiet", evaluation, noise, None)
    assert not capsys.readouterr().out


def test_attributes_of_faces_are_measured_and_the_strangest_shown(tmp_path, monkeypatch):
    for package in ("dicebear", "resvg_py"):
        pytest.importorskip(package)
    monkeypatch.setenv("KERAS_GANS_CACHE", str(tmp_path / "cache"))
    faces = metrics.AttributeEvaluation("avatars", num_images=20)
    for number, picture in enumerate(np.concatenate(list(faces._real()))):
        keras_gans.image.save(picture, tmp_path / f"faces/{number}.png")
    found = zoo.evaluate(
        tmp_path / "faces",
        against=tmp_path / "faces",
        output=tmp_path / "out",
        attributes="avatars",
        features="random_cnn_v1",
        image_size=64,
        num_images=10,
        verbose=0,
    )
    assert found.shares["glasses"].keys() == {"none", "clear", "round", "sunglasses"}
    name = "impossible10_avatars_cnn_v1"
    assert float(found.measured[name]) == float(found.reference[name]) < 0.3
    assert float(found.degradations["halves of two people"][name]) > 0.7
    stored = json.loads((tmp_path / "out/evaluation.json").read_text())
    assert stored["shares"] == found.shares and name in stored["measured"]
    with Image.open(tmp_path / "out/strangest.png") as picture:
        assert picture.size[0] > 6 * 256
    # The data that the images are compared with say by themselves whose attributes to read.
    evaluation = metrics.Evaluation.__new__(metrics.Evaluation)
    evaluation.data, evaluation.num_images, evaluation.seed = "avatars", 6000, 0
    assert evaluating._judge(evaluation, None).num_images == 5000
    several = metrics.Evaluations([evaluation, evaluation])
    assert evaluating._judge(several, None).num_images == 5000
    evaluation.data = "digits"
    assert evaluating._judge(evaluation, None) is None
