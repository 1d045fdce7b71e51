import copy
import inspect
import json
import os

import keras
import numpy as np
import pytest

import keras_gans
from keras_gans import data, zoo
from keras_gans.callbacks.lock import locked
from tiny import folder_of_pairs, recipe

pytestmark = pytest.mark.usefixtures("without_graphs")


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def tiny(data_dir):
    return recipe(data_dir)


# The same class and kinds of networks on other data: run by hand.
TWINS = {
    "acgan_fashion_mnist_28",
    "cogan_glasses_pixel_faces_16",
    "conditional_gan_avatars_64",
    "conditional_gan_digits_28",
    "conditional_gan_fashion_mnist_28",
    "cyclegan_emoji_style_64",
    "cyclegan_map_satellite_64",
    "dcgan_avatars_64",
    "dcgan_digits_28",
    "dcgan_digits_28_quick",
    "dcgan_emoji_64",
    "dcgan_pixel_faces_16",
    "pix2pix_map_to_satellite_128",
    "pix2pix_parts_to_avatar_64",
    "pix2pix_satellite_to_map_128",
    "wgan_fashion_mnist_28",
    "wgan_gp_fashion_mnist_28",
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=[pytest.mark.by_hand] * (n in TWINS))
        for n in zoo.list_presets()
        # Super-resolution is trained in tests/zoo/test_super_resolution.py, texts in test_text.py.
        if zoo.card(n).recipe and not {"scale", "captions"} & set(zoo.card(n).recipe["data"])
    ],
)
def test_every_recipe_trains_and_its_run_opens(name, tmp_path, data_dir):
    """On a few digits or pairs, with narrow networks."""
    config = copy.deepcopy(zoo.card(name).recipe)
    for network in config["networks"].values():
        network["width"] = 4
    if config["data"].get("type") == "load_pairs":
        return trains_on_pairs(config, tmp_path)
    *size, channels = shape = zoo.card(name).image_shape
    if "attributes" in config["data"]:  # which digits have not: these are painted
        config["data"] |= {"batch_size": 20, "faces": 40, "data_dir": str(data_dir)}
    else:
        config["data"] |= {"name": "digits", "batch_size": 20, "data_dir": str(data_dir)}
    if shape != (28, 28, 1):
        config["data"] |= {"image_size": size[0], "channels": channels}
    config.pop("evaluation", None)  # of pictures that these digits are not
    config["data"] |= {"num_examples": 40} if "labels_per_class" not in config["data"] else {}
    if "labels_per_class" in config["data"]:
        config["data"] |= {"split": "train[:80]", "labels_per_class": 1}
    run = zoo.train({**config, "epochs": 1, "samples": 10}, tmp_path / "run", verbose=0)
    line = json.loads((run / "metrics.jsonl").read_text().splitlines()[0])
    assert all(np.isfinite(value) for value in line.values())
    gan = zoo.open_gan(run)
    taken = gan.interface().takes_image
    made = gan.generate(np.zeros((3, *shape))) if taken else gan.generate(3, seed=0)
    for images in keras.tree.flatten(made):
        assert images.shape == (3, *shape) and np.abs(images).max() <= 1.0


def trains_on_pairs(config, tmp_path):
    size = config["data"]["image_size"]
    folder = folder_of_pairs(tmp_path / "pairs", number=4, size=size)
    known = inspect.signature(data.load_pairs).parameters
    if config["data"].pop("latitude", False):
        config["networks"]["generator"]["image_shape"][2] = 3
        config["networks"]["discriminator"]["condition_shape"][2] = 3
    config["data"] = {k: v for k, v in config["data"].items() if k in known or k == "type"}
    config["data"] |= {"name": str(folder), "data_dir": str(tmp_path / "data")}
    config["data"] |= {"num_examples": 4, "batch_size": 2}
    config["evaluation"] |= {"features": "random_cnn_v1"}  # of two: those without a package
    config["evaluation"] |= {"split": "validation", "num_images": 4}
    run = zoo.train({**config, "epochs": 1, "samples": 2}, tmp_path / "run", verbose=0)
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert any(name.startswith("frechet4_random_cnn_v1") for name in lines[0])
    found = json.loads((run / "evaluation.json").read_text())
    assert {"mean colour", "input copied"} == set(found["degradations"])
    page = (run / "report.html").read_text()
    assert "Nearest" not in page
    columns = {"Pix2Pix": "source, generated, target", "CycleGAN": "x, G(x), F(G(x)), y, F(y)"}
    assert f"Columns: {columns[config['model']['type']]}" in page
    made = zoo.open_gan(run).generate(np.zeros((1, size, size, 3)))
    assert made.shape == (1, size, size, 3) and np.abs(made).max() <= 1.0


def contents(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_run_describes_itself(tmp_path, tiny):
    folder = zoo.train(tiny, tmp_path / "run", verbose=0)
    assert contents(folder) == [
        "checkpoints",
        "config.json",
        "environment.json",
        "health.jsonl",
        "logs",
        "metrics.jsonl",
        "report.html",
        "samples",
    ]
    assert contents(folder / "samples") == [
        "epoch_0000.png",
        "epoch_0001.png",
        "epoch_0002.png",
        "training.gif",
    ]
    assert json.loads((folder / "config.json").read_text()) == zoo.Recipe(tiny).config
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2]
    page = (folder / "report.html").read_text()
    assert "Columns:" not in page
    assert "&lt;digits&gt; &amp; more" in page and "<svg" in page
    assert page.count("data:image/png;base64") == 3 and "http" not in page


def test_stopped_and_run_again_it_ends_where_it_would_have(tmp_path, tiny):
    straight = zoo.train({**tiny, "epochs": 3}, tmp_path / "a", verbose=0)
    zoo.train({**tiny, "epochs": 1}, tmp_path / "b", verbose=0)
    resumed = zoo.train({**tiny, "epochs": 3}, tmp_path / "b", verbose=0)
    first, second = zoo.restore(straight), zoo.restore(resumed)
    for a, b in zip(first.variables, second.variables):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    np.testing.assert_array_equal(first.generate(3, seed=1), second.generate(3, seed=1))
    assert len((resumed / "metrics.jsonl").read_text().splitlines()) == 3
    assert len(list((resumed / "samples").glob("*.png"))) == 4
    generator = zoo.load(resumed)
    latents = keras_gans.latent.sample(3, 128, seed=1)
    images = generator.predict(latents, verbose=0)
    np.testing.assert_allclose(images, second.generate(3, seed=1), atol=1e-6)


def test_a_changed_recipe_is_refused_by_the_name_of_the_field(tmp_path, tiny):
    folder = zoo.train({**tiny, "epochs": 1}, tmp_path / "run", verbose=0)
    before = (folder / "config.json").read_bytes()
    other = {**tiny, "model": {**tiny["model"], "ema_decay": 0.8}}
    message = r"--new.*model.ema_decay \(was 0.9, now 0.8\)"
    with pytest.raises(ValueError, match=message):
        zoo.train(other, folder, verbose=0)
    assert (folder / "config.json").read_bytes() == before
    zoo.train({**other, "epochs": 1}, folder, new=True, verbose=0)
    assert (tmp_path / "run~1" / "config.json").read_bytes() == before  # nothing is lost


def test_a_wrong_recipe_leaves_no_folder(tmp_path, tiny):
    large = {**tiny, "data": {**tiny["data"], "image_size": 32}}
    with pytest.raises(ValueError, match="do not have the shape"):
        zoo.train(large, tmp_path / "run", verbose=0)
    with pytest.raises(ValueError, match="Received"):
        zoo.train({**tiny, "data": {"name": "digitz"}}, tmp_path / "run2", verbose=0)
    assert not (tmp_path / "run2").exists()


def test_folders_without_a_run(tmp_path):
    with pytest.raises(ValueError, match="no run in that folder"):
        zoo.restore(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="has not finished an epoch"):
        zoo.load(tmp_path)


def test_two_trainings_of_one_folder_are_refused(tmp_path, tiny):
    with locked(tmp_path / "run"):
        for new in (False, True):
            with pytest.raises(
                BlockingIOError, match=f"runs in this folder: process {os.getpid()}"
            ):
                zoo.train(tiny, tmp_path / "run", verbose=0, new=new)
        assert contents(tmp_path / "run") == [".lock"]
    assert not (tmp_path / "run").exists()
