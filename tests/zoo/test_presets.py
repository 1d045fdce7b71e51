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
import small_gans
from PIL import Image

import keras_gans
import tiny
from keras_gans import generation, interface, networks, zoo
from keras_gans.zoo import publishing
from keras_gans.zoo.catalog import addresses, cards, heads, interfaces, presets

TRAINED = zoo.list_presets(origin="trained")
RECIPES = [name for name in zoo.list_presets() if zoo.card(name).recipe]

pytestmark = pytest.mark.usefixtures("without_graphs")


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
    generator = zoo.load(name)
    assert isinstance(generator, keras.Model)
    assert interface.of(generator) == zoo.card(name).interface()
    if zoo.Recipe.read(name).translates:
        columns = cells(name)
        made = [(columns[-2], 0.5)]
        if len(columns) > 4:  # of a CycleGAN both ways, beside real images of that kind
            ways = [(1, 3), (4, 0)]
            made = [(columns[i], 0.85 * np.std(columns[j], axis=0).max()) for i, j in ways]
    else:
        gan = zoo.open_gan(name)
        outputs = generation.images_of(gan.interface(), gan.generate(100, seed=0))
        made = [(images, 0.5) for images in outputs.values()]
    for images, least in made:
        assert images.min() >= -1.0 and images.max() <= 1.0
        assert np.std(images, axis=0).max() > least  # not one image a hundred times
    assert heads.body(zoo.card(name).text).startswith(f"# {name}")
    files = {presets.weights_file(part) for part in zoo.card(name).parts}
    files |= {"README.md", "interface.json", "recipe.json", "samples.png"}
    files |= {"inputs.npz"} if zoo.card(name).translates else set()
    assert set(zoo.verify(name)) - {"neighbors.png", "directions.npz"} == files


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
        shown = dict(zip(gan.compared, cells(name)))
        source = next(iter(shown.values()))
        made = shown.get("generated", shown.get("G(x)"))
        if scale := zoo.Recipe.read(name).config["data"].get("scale"):
            source = source[:, ::scale, ::scale]  # shown with its pixels repeated
        # A step of 255 levels is 2 / 255. mixed_bfloat16 rounds at about one.
        assert np.abs(gan.generate(source) - made).mean() < 2 / 255
        return
    number = zoo.Recipe.read(name).config["samples"]
    images = list(generation.images_of(gan.interface(), gan.generate(number, seed=0)).values())
    columns = generation.columns_of(number, len(images))
    if texts := generation.texts_shown(gan.interface(), number):
        images = [keras_gans.image.captioned(column, texts) for column in images]
    expected = keras_gans.image.grid(keras_gans.image.side_by_side(images), columns)
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


@pytest.mark.parametrize(
    "file", ["generator.weights.h5", "recipe.json", "interface.json", "README.md"]
)
def test_a_damaged_file_is_named(copied, file):
    path = copied / TRAINED[0] / file
    content = bytearray(path.read_bytes())
    place = content.rindex(b"0") if file.endswith(".json") else len(content) // 2
    content[place] ^= 1
    path.write_bytes(content)
    loads = [zoo.load, zoo.open_gan, keras_gans.ACGAN.from_preset]
    # What an interface says is looked at first: one class more than names.
    found = "10 names for 11 classes" if file == "interface.json" else "SHA-256"
    for check in [zoo.verify, *(loads if file != "README.md" else [])]:
        with pytest.raises(ValueError, match=f"damaged.*{found}.*{file}"):
            check(TRAINED[0])


@pytest.mark.parametrize("file", ["README.md", "samples.png", "neighbors.png"])
def test_what_is_not_loaded_may_be_changed(copied, file):
    path = copied / TRAINED[0] / file
    path.write_bytes(path.read_bytes() + b"mine")
    assert zoo.load(TRAINED[0]).name == zoo.open_gan(TRAINED[0]).generator.name
    with pytest.raises(ValueError, match=f"damaged.*SHA-256.*{file}"):
        zoo.verify(TRAINED[0])


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
    path = Path(presets.__file__).parents[1] / "__init__.py"
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
    assert json.loads((preset / "metrics.json").read_text())["numbers"]["steps"]["value"] == 1
    (preset / "recipe.json").write_text(json.dumps({**config, "epochs": 2}))
    with pytest.raises(ValueError, match="another number of epochs"):
        zoo.publish(run, preset)
    (preset / "recipe.json").write_text(json.dumps({**config, "seed": 2}))
    with pytest.raises(ValueError, match="another configuration"):
        zoo.publish(run, preset)


def test_publishing_a_run_of_images_of_images(tmp_path):
    folder = tiny.folder_of_pairs(tmp_path / "pairs", number=4)
    shutil.copytree(folder / "val", folder / "test")  # which has not chosen the checkpoint
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
    assert all("_on_pairs_test" in name for name in numbers)
    with Image.open(preset / "samples.png") as picture:
        assert picture.size == (3 * 32 + 2 * 2, 3 * 32 + 2 * 2)  # three rows of three
    # What was noted of the training is not lost by measuring the weights that ship.
    assert zoo.card(preset).made["steps"] > 0
    best, twin = zoo.load(run, best=True), networks.unet_generator(shape, width=2)
    twin.load_weights(preset / "generator.weights.h5")
    for a, b in zip(best.get_weights(), twin.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


def test_publishing_again_keeps_the_prose(copied):
    folder = copied / "dcgan_digits_28"
    text = (folder / "README.md").read_text().replace("# dcgan_digits_28", "# my digits", 1)
    (folder / "README.md").write_text(text)
    publishing.refresh(folder)
    assert zoo.verify("dcgan_digits_28") and zoo.card("dcgan_digits_28").text == text


def test_presets_are_found_by_what_they_are():
    digits = zoo.list_presets(architecture="DCGAN", data="digits", size=28)
    assert digits == ["dcgan_digits_28", "dcgan_digits_28_quick"]
    assert zoo.list_presets(architecture="DCGAN", data="digits", trained=True) == digits[:1]
    labelled = zoo.list_presets(conditional=True, data="digits", trained=True)
    assert labelled == ["conditional_gan_digits_28"]
    assert zoo.list_presets(size=(128, 128), conditional=False) == zoo.list_presets(size=128)
    assert zoo.list_presets(architecture="CycleGAN", size=28) == []
    with pytest.raises(ValueError, match="no preset|No preset.*Did you mean 'DCGAN'"):
        zoo.list_presets(architecture="DCGANN")
    with pytest.raises(ValueError, match=r"No preset has that size.*\(28, 28\).*size=\(27, 27\)"):
        zoo.list_presets(size=27)


def test_a_card_knows_what_its_files_say():
    card = zoo.card("pix2pix_satellite_to_map_128")
    assert (card.architecture, card.data, card.image_shape) == ("Pix2Pix", "earth", (128, 128, 3))
    assert card.translates and card.trained and not card.conditional
    assert card.parts == ("generator",)
    assert card.made["steps"] == 6000 and set(card.sha256) == set(zoo.verify(card.name))
    assert zoo.card("conditional_gan_digits_28").conditional


@pytest.mark.parametrize("name", TRAINED)
def test_a_card_says_what_its_user_must_know(name):
    card = zoo.card(name)
    for heading in ("How it was made", "What it cannot", "Intended use", "Data and licence"):
        assert f"## {heading}" in card.text, heading
    assert f'load("{name}")' in card.text and "(samples.png)" in card.text
    assert card.numbers and all("value" in found for found in card.numbers.values())
    for file, about in card.metrics["weights"].items():
        assert about["bytes"] == (card.folder / file).stat().st_size < 10e6
        network = zoo.load(name, part=file.removesuffix(".weights.h5"))
        assert about["parameters"] == network.count_params()


@pytest.mark.parametrize(
    "metrics, features, shown",
    [
        (["frechet10k_a_cnn_v1", "recall10k_a_cnn_v1"], "a_cnn_v1", [0, 1]),
        # Of two networks the trained one, and the first of both directions.
        (
            [f"frechet9_{n}_on_x_a_to_b_64" for n in ("random_cnn_v1", "net_v1")]
            + [f"{m}_net_v1_on_x_b_to_a_64" for m in ("perceptual9", "frechet9")],
            "net_v1",
            [1, 2],
        ),
        (["l1_9_pixels_on_x_a_to_b_64", "frechet9_random_cnn_v1_on_x_a"], "random_cnn_v1", [1]),
        (["psnr_y24_pixels_on_x_4_96", "perceptual24_net_v1_on_x_x4_96"], "net_v1", [1]),
        ([], "", []),
    ],
)
def test_the_table_of_presets_names_the_features_of_its_numbers(metrics, features, shown):
    found = cards._shown({name: index for index, name in enumerate(metrics)})
    assert found[0] == features and list(found[1].values()) == shown


def test_the_table_of_presets_is_of_these_presets():
    shown = (Path(__file__).parents[2] / "zoo/README.md").read_text()
    assert cards.overview(publishing.shown_presets()) in shown


def test_all_presets_are_small():
    total = sum(p.stat().st_size for p in presets.FOLDER.rglob("*") if p.is_file())
    assert total < 85e6


def test_a_card_that_says_other_numbers_is_found(copied):
    folder = copied / "dcgan_digits_28"
    metrics = json.loads((folder / "metrics.json").read_text())
    metrics["numbers"]["recall2500_digits_cnn_v1"]["value"] = 0.99
    (folder / "metrics.json").write_text(json.dumps(metrics))
    with pytest.raises(ValueError, match=r"says other numbers than metrics.json.*README.md"):
        zoo.verify("dcgan_digits_28")


def test_a_preset_of_a_newer_version_is_not_guessed_at(copied):
    folder = copied / "dcgan_digits_28"
    metrics = json.loads((folder / "metrics.json").read_text())
    (folder / "metrics.json").write_text(json.dumps({**metrics, "format": presets.FORMAT + 1}))
    with pytest.raises(ValueError, match=r"newer version.*pip install -U.*format=3"):
        zoo.load("dcgan_digits_28")


def test_a_folder_is_a_preset_like_those_of_the_library(tmp_path):
    shutil.copytree(presets.FOLDER / "dcgan_digits_28", tmp_path / "mine")
    assert zoo.card(tmp_path / "mine").name == "mine"
    ours, theirs = zoo.load("dcgan_digits_28"), zoo.load(tmp_path / "mine")
    for a, b in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_array_equal(a, b)
    (tmp_path / "mine/recipe.json").unlink()
    with pytest.raises(ValueError, match=r"no preset in that folder. Expected recipe.json"):
        zoo.load(tmp_path / "mine")


def test_an_address_is_fetched_and_then_checked(tmp_path, monkeypatch):
    shutil.copytree(presets.FOLDER / "dcgan_digits_28", tmp_path / "1a2b3c")
    monkeypatch.setattr(addresses, "fetch", lambda address: tmp_path / "1a2b3c")
    assert zoo.card("hf://me/my_digits@main").name == "my_digits"
    assert (
        zoo.load("hf://me/my_digits").count_params() == zoo.load("dcgan_digits_28").count_params()
    )
    (tmp_path / "1a2b3c/generator.weights.h5").write_bytes(b"")
    with pytest.raises(ValueError, match="damaged.*SHA-256"):
        zoo.load("hf://me/my_digits")


def test_parts_that_do_not_come_along():
    with pytest.raises(ValueError, match=r"without the weights of \['discriminator'\].*open_gan"):
        zoo.load("dcgan_digits_28", part="gan")
    with pytest.raises(ValueError, match="no such part.*Did you mean 'generator'"):
        zoo.load("dcgan_digits_28", part="generatr")
    with pytest.raises(ValueError, match="leave `best` out"):
        zoo.load("dcgan_digits_28", best=True)


def test_loading_without_weights():
    keras.utils.set_random_seed(0)
    fresh, trained = (zoo.load("dcgan_digits_28", weights=w) for w in (False, True))
    assert [w.shape for w in fresh.weights] == [w.shape for w in trained.weights]
    assert np.abs(fresh.get_weights()[0]).max() < np.abs(trained.get_weights()[0]).max()
    gan = zoo.load("dcgan_digits_28_quick", part="gan", weights=False)  # a recipe will do
    assert isinstance(gan, keras_gans.DCGAN) and gan.generator_optimizer is not None


@pytest.fixture
def small(tmp_path):
    """A recipe, and a GAN that has made a step by it."""
    config = tiny.recipe(tmp_path / "data")
    gan = zoo.Recipe(config).build_model()
    gan.fit(tiny.images(1)[0], batch_size=8, verbose=0)
    return config, gan


def test_saving_a_preset_of_ones_own(small, tmp_path):
    config, gan = small
    numbers = {"frechet100_mine": 3.5}
    card = {"recipe": config, "text": "# mine\n", "numbers": numbers}
    folder = zoo.save_preset(gan, tmp_path / "mine", card, parts=["generator", "discriminator"])
    assert zoo.card(folder).numbers["frechet100_mine"]["value"] == 3.5
    assert "| `frechet100_mine` | Frechet distance | 3.5 |" in zoo.card(folder).text
    again = zoo.load(folder, part="gan")
    for role in ("generator", "ema_generator", "discriminator"):
        source = gan.in_use("generator") if "generator" in role else gan.discriminator
        for a, b in zip(source.get_weights(), getattr(again, role).get_weights()):
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)
    again.fit(tiny.images(1)[0], batch_size=8, verbose=0)  # goes on training
    assert int(again.generator_optimizer.iterations) == 1
    with pytest.raises(FileExistsError, match="overwrite=True"):
        zoo.save_preset(gan, folder, card)
    zoo.save_preset(gan.inference_generator, folder, zoo.card(folder), overwrite=True)
    assert zoo.card(folder).parts == ("generator",)


def test_what_cannot_be_saved(small, tmp_path):
    config, gan = small
    wider = {**config["networks"]["generator"], "width": 6}
    other = {**config, "networks": {**config["networks"], "generator": wider}}
    with pytest.raises(ValueError, match="another than its recipe makes.*first that differs"):
        zoo.save_preset(gan, tmp_path / "other", {"recipe": other})
    with pytest.raises(ValueError, match=r"no such networks.*\['critic'\]"):
        zoo.save_preset(gan, tmp_path / "other", {"recipe": config}, parts=["critic"])
    with pytest.raises(ValueError, match="Give the GAN instead"):
        zoo.save_preset(gan.generator, tmp_path / "o", {"recipe": config}, parts=["discriminator"])
    with pytest.raises(ValueError, match=r"training is not complete.*without \['steps'"):
        zoo.save_preset(gan, tmp_path / "o", {"recipe": config, "made": {"cores": 2}})
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="something in that folder"):
        zoo.save_preset(gan, tmp_path / "full", {"recipe": config}, overwrite=True)
    assert not (tmp_path / "other").exists() and (tmp_path / "full/notes.txt").exists()


def test_fine_tuning_starts_from_a_presets_weights(small, tmp_path, caplog):
    config, gan = small
    card, both = {"recipe": config}, ["generator", "discriminator"]
    folder = zoo.save_preset(gan, tmp_path / "mine", card, parts=both)
    still = {"type": "SGD", "learning_rate": 0.0}
    tuned = {**config, "epochs": 1, "initial": str(folder), "model": {"type": "DCGAN"}}
    tuned |= {"generator_optimizer": still, "discriminator_optimizer": still}
    run = zoo.train(tuned, tmp_path / "tuned", verbose=0)
    after = zoo.restore(run)
    for role in both:
        before = zoo.load(folder, part=role).trainable_variables
        for a, b in zip(before, getattr(after, role).trainable_variables):
            np.testing.assert_array_equal(a, b)
    # A generator alone: its discriminator starts afresh, and the log says so.
    alone = zoo.save_preset(gan, tmp_path / "alone", card)
    with caplog.at_level("WARNING"):
        zoo.train({**tuned, "initial": str(alone)}, tmp_path / "again", verbose=0)
    assert "without its discriminator, which starts afresh" in caplog.text
    wider = {**config["networks"]["generator"], "width": 6}
    other = {**tuned, "networks": {**config["networks"], "generator": wider}}
    with pytest.raises(ValueError, match="generator is another than the one to start from"):
        zoo.train(other, tmp_path / "wider", verbose=0)
    assert not (tmp_path / "wider").exists()
    with pytest.raises(ValueError, match="no preset of that name"):
        zoo.train({**tuned, "initial": "dcgan_digits_29"}, tmp_path / "none", verbose=0)
    with pytest.raises(ValueError, match="'initial' must be the name"):
        zoo.Recipe({**tuned, "initial": 3})


def test_lists_and_cards_come_without_tensorflow():
    # In a fresh process that is the command line: see keras_gans/__init__.py.
    program = (
        "import sys; sys.argv[0] = 'keras-gans'\n"
        "from keras_gans import zoo\n"
        "zoo.card(zoo.list_presets()[0]); zoo.verify('dcgan_digits_28')\n"
        "assert not {'tensorflow', 'keras', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


# ---- interfaces


@pytest.mark.parametrize("name", RECIPES)
def test_a_preset_keeps_what_its_networks_take_and_make(name):
    card = zoo.card(name)
    assert card.stated, "written by `publishing.refresh`"
    # What a preset of an earlier version, and a run, is read by.
    assert interfaces.of_recipe(zoo.Recipe(card.recipe).config) == card.interfaces


def test_what_is_loaded_says_what_it_takes_and_makes():
    generator = zoo.load("infogan_digits_28")
    assert interface.of(generator).codes == interface.Codes((10,), 2)
    labelled = zoo.load("conditional_gan_fashion_mnist_28")
    assert interface.of(labelled).labels[0].names[9] == "boot"


def test_a_preset_of_an_earlier_version_is_read_as_before(copied):
    for name in ("conditional_gan_fashion_mnist_28", "infogan_digits_28"):
        folder = copied / name
        (folder / "interface.json").unlink()
        metrics = json.loads((folder / "metrics.json").read_text())
        del metrics["sha256"]["interface.json"]
        (folder / "metrics.json").write_text(json.dumps(metrics))
        assert zoo.card(name).stated is None and zoo.verify(name)
        assert zoo.card(name).image_shape == (28, 28, 1)
        assert zoo.open_gan(name).untrained == ("discriminator",)
        publishing.refresh(folder)
        assert "interface.json" in zoo.verify(name)
        assert (folder / "interface.json").read_bytes() == (
            ORIGINAL / name / "interface.json"
        ).read_bytes()
    assert zoo.card("conditional_gan_fashion_mnist_28").conditional


ORIGINAL = presets.FOLDER


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content["generator"]["inputs"][0].update(size=3), "does not fit"),
        (lambda content: content["generator"]["inputs"][0].update(sizes=3), "no field 'sizes'"),
        (lambda content: content.update(generator=3), "of 'generator'.*Received: 3"),
        (lambda content: content.clear(), "Expected an object of names of networks"),
        (lambda content: content.update(critic=content["generator"]), "no such network"),
    ],
)
def test_an_interface_that_is_wrong_is_refused(copied, change, message):
    path = copied / "dcgan_digits_28/interface.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    metrics = json.loads((path.parent / "metrics.json").read_text())
    metrics["sha256"]["interface.json"] = presets.sha256(path)
    (path.parent / "metrics.json").write_text(json.dumps(metrics))
    with pytest.raises(ValueError, match=message):
        zoo.open_gan("dcgan_digits_28")


def test_a_card_has_no_interface_of_a_discriminator():
    with pytest.raises(ValueError, match="Did you mean 'generator'.*role='generatr'"):
        zoo.card("dcgan_digits_28").interface("generatr")


# ---- as Keras' own models


def test_from_preset_and_back(tmp_path):
    gan = keras_gans.DCGAN.from_preset("dcgan_digits_28")
    assert type(gan) is keras_gans.DCGAN and gan.generator_optimizer is not None
    np.testing.assert_array_equal(
        gan.generate(2, seed=0), zoo.open_gan("dcgan_digits_28").generate(2, seed=0)
    )
    folder = gan.save_to_preset(tmp_path / "mine", parts=["generator", "discriminator"])
    again = keras_gans.AdversarialModel.from_preset(folder)
    assert type(again) is keras_gans.DCGAN and again.untrained == ()
    np.testing.assert_array_equal(again.generate(2, seed=0), gan.generate(2, seed=0))
    with pytest.raises(FileExistsError, match="overwrite=True"):
        gan.save_to_preset(folder)
    fresh = keras_gans.DCGAN.from_preset(folder, load_weights=False)
    assert np.abs(fresh.generate(2, seed=0) - gan.generate(2, seed=0)).max() > 0.1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: keras_gans.WGAN.from_preset("dcgan_digits_28"), "`keras_gans.DCGAN.from_preset"),
        (lambda: keras_gans.DCGAN.from_preset("dcgan_digit_28"), "Did you mean 'dcgan_digits_28'"),
        (lambda: keras_gans.DCGAN.from_preset("dcgan_digits_28_quick"), "keras-gans train"),
        (lambda: keras_gans.DCGAN.from_preset(3), "named by text or a path"),
        (lambda: small_gans.plain().save_to_preset("nowhere"), "`recipe={'networks'.*a GAN"),
    ],
)
def test_presets_that_do_not_fit_a_class(call, message):
    with pytest.raises(ValueError, match=message):
        call()
