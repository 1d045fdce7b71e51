import json
import runpy
import shutil
import sys

import keras
import numpy as np
import pytest

from keras_gans import files
from keras_gans.data.sources import fashion_mnist
from keras_gans.metrics import classifiers
from keras_gans.metrics.classifiers import training


def accuracy(name, split, number=None):
    network, _, _ = classifiers.load(name)
    recipe = json.loads((classifiers.folder(name) / "recipe.json").read_text())
    images, labels = training.read(recipe["data"]["name"], split)
    return training.measure(network, images[:number], labels[:number])


def test_digits_are_read():
    found = accuracy("digits_cnn_v1", "train[80%:]")
    stored = json.loads((classifiers.folder("digits_cnn_v1") / "metrics.json").read_text())
    assert found["images"] == 1000 and found["accuracy"] >= 0.985
    # Another processor may decide one image otherwise.
    assert found["accuracy"] == pytest.approx(stored["held_out"]["accuracy"], abs=0.0011)


@pytest.mark.skipif(fashion_mnist.find() is None, reason="no dataset-fashion-mnist here")
def test_clothes_are_recognised():
    # 2,000 of 10,000 images: its standard error is 0.006.
    assert accuracy("fashion_mnist_cnn_v1", "test[:20%]", 2000)["accuracy"] >= 0.91
    stored = json.loads((classifiers.folder("fashion_mnist_cnn_v1") / "metrics.json").read_text())
    assert stored["held_out"]["images"] == 10_000 and stored["held_out"]["accuracy"] >= 0.925


@pytest.mark.parametrize("name", classifiers.names())
def test_what_a_classifier_comes_with(name):
    folder = classifiers.folder(name)
    assert {path.name for path in folder.iterdir()} == {*classifiers.FILES, "metrics.json"}
    assert set(classifiers.verify(folder)) == set(classifiers.FILES)
    assert (folder / classifiers.WEIGHTS).stat().st_size < 2e6
    network, recipe, sha256 = classifiers.load(name)
    assert sha256 == files.sha256(folder / classifiers.WEIGHTS)
    assert network.name and recipe["network"]["features"] == network.output_shape[0][1]
    for weight in network.weights:
        value = weight.numpy()
        np.testing.assert_array_equal(value, value.astype("float16"), err_msg=weight.path)


@pytest.mark.parametrize("file", classifiers.FILES)
def test_a_damaged_file_is_named(tmp_path, monkeypatch, file):
    monkeypatch.setattr(classifiers, "FOLDER", tmp_path)
    folder = tmp_path / "digits_cnn_v1"
    shutil.copytree(FOLDER / "digits_cnn_v1", folder)
    content = bytearray((folder / file).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / file).write_bytes(content)
    loaded = file in (classifiers.RECIPE, classifiers.WEIGHTS)
    checks = [lambda: classifiers.verify(folder)]
    checks += [lambda: classifiers.load("digits_cnn_v1")] * loaded
    if not loaded:  # a card may be edited
        assert classifiers.load("digits_cnn_v1")[0].outputs
    for check in checks:
        with pytest.raises(ValueError, match=f"damaged.*Received: .*{file} with"):
            check()
    (folder / file).unlink()
    if file != classifiers.RECIPE:  # without it there is no such classifier
        for check in checks:
            with pytest.raises(ValueError, match=f"missing.*Received: .*{file}"):
                check()


FOLDER = classifiers.FOLDER
TINY = {
    "seed": 3,
    "data": {"name": "digits", "train": "train[:2%]", "held_out": "train[98%:]"},
    "image_shape": [28, 28, 1],
    "classes": 10,
    "network": {"filters": [[2], [3]], "features": 5, "dropout": 0.1},
    "augmentation": {"flip": True, "shift": 0.1, "turn": 0.05, "zoom": 0.1},
    "epochs": 1,
    "batch_size": 16,
    "learning_rate": 0.01,
    "weight_decay": 0.01,
    "ema_momentum": 0.5,
}


def test_training_by_a_recipe(tmp_path, monkeypatch):
    monkeypatch.setattr(classifiers, "FOLDER", tmp_path)
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "recipe.json").write_text(json.dumps(TINY))
    (folder / "README.md").write_text("# tiny\n")
    found = training.publish(folder, verbose=0)
    assert found["images"] == 100 and 0 <= found["accuracy"] <= 1
    assert len(found["most_confused"]) == 3
    network, recipe, _ = classifiers.load("tiny")
    assert recipe == TINY
    # What was measured is what was stored, float16 and all.
    assert training.measure(network, *training.read("digits", "train[98%:]")) == found
    (folder / "README.md").write_text("# tiny, said better\n")
    classifiers.load("tiny")  # what is loaded is whole; the card is for `verify`
    with pytest.raises(ValueError, match="damaged"):
        classifiers.verify(folder)
    assert training.record(folder) == found
    classifiers.load("tiny")


def test_training_learns():
    """Bright against dark: a few steps are enough, and the average of the weights follows."""
    rng = np.random.default_rng(0)
    labels = np.arange(320) % 2
    images = rng.normal(0, 0.1, (320, 8, 8, 1)) + (labels * 1.0 - 0.5)[:, None, None, None]
    recipe = {**TINY, "image_shape": [8, 8, 1], "classes": 2, "epochs": 8}
    network = training.train(recipe, images.astype("float32"), labels)
    assert training.measure(network, images, labels)["accuracy"] > 0.95


def test_features_are_normalised_before_the_relu():
    network = training.build({**TINY, "classes": 7})
    assert network.output_shape == [(None, 5), (None, 7)]
    layer = network.get_layer("features")
    assert isinstance(layer, keras.layers.BatchNormalization)
    assert network.outputs[0] is layer.output and not layer.center and not layer.scale


def test_shifts_do_not_blur():
    (shift,) = training.augmentation(shift=0.1)
    images = np.random.default_rng(0).choice([-1.0, 1.0], (64, 20, 20, 1)).astype("float32")
    moved = np.array(shift(images, training=True))
    assert set(np.unique(moved)) == {-1.0, 1.0} and (moved != images).any()


def test_augmentation_is_what_the_recipe_says():
    kinds = [type(layer).__name__ for layer in training.augmentation(**TINY["augmentation"])]
    assert kinds == ["RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation"]
    assert training.augmentation() == []


def test_confusions_are_counted():
    class Answers:
        def predict(self, images, **_):
            return None, np.eye(4)[images]

    answers = np.array([0, 0, 1, 1, 1, 2, 3, 3])
    labels = np.array([0, 1, 1, 0, 0, 2, 2, 3])
    assert training.measure(Answers(), answers, labels) == {
        "accuracy": 0.5,
        "images": 8,
        "most_confused": [
            {"label": 0, "answer": 1, "times": 2},
            {"label": 1, "answer": 0, "times": 1},
            {"label": 2, "answer": 3, "times": 1},
        ],
    }


def test_an_unknown_name():
    with pytest.raises(ValueError, match="Did you mean 'digits_cnn_v1'.*Received: 'digits'"):
        classifiers.load("digits")


@pytest.mark.parametrize(("arguments", "said"), [([], "Usage"), (["digits"], "Did you mean")])
def test_the_command(arguments, said, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["classifiers", *arguments])
    with pytest.raises(SystemExit, match=said):  # of a text: the code is 1
        runpy.run_module("keras_gans.metrics.classifiers", run_name="__main__")
