import json
import shutil
from pathlib import Path

import pytest
from hub_stand_ins import COMMIT, FILES, SHIPPED, names

from keras_gans import zoo
from keras_gans.zoo.catalog import heads, presets

ALL = [zoo.card(name) for name in zoo.list_presets()]


def test_every_preset_has_a_card_with_licences_and_a_shelf():
    for card in ALL:
        assert heads.body(card.text).startswith(f"# {card.name}\n"), card.name
        assert set(card.licences) == {"weights", "data"}, card.name
        assert card.shelf in heads.SHELVES, card.name
        assert card.text == heads.write(card), f"{card.name}: run publishing.refresh"
        assert not card.outdated, card.name


def test_heads_are_the_yaml_that_hubs_read():
    yaml = pytest.importorskip("yaml")
    for card in ALL:
        head = yaml.safe_load(card.text.split("---")[1])
        assert head["license"] == card.licences["weights"]
        assert head["library_name"] == "keras_gans"
        assert head["tags"][:2] == ["keras", "gan"]
    tasks = {card.name: yaml.safe_load(card.text.split("---")[1])["pipeline_tag"] for card in ALL}
    assert tasks["dcgan_digits_28"] == "unconditional-image-generation"
    assert tasks["cyclegan_map_satellite_64"] == tasks["realesrgan_x4"] == "image-to-image"


@pytest.mark.parametrize(
    "text, expected",
    [
        ("# no head\n", {}),
        ("---\nlicense: mit\nlanguage:\n- en\n---\n# x\n", {"license": "mit"}),
        ("---\nlicense: 'cc0-1.0'\ndata_license:\n---\n# x\n", {"license": "cc0-1.0"}),
        ('---\nshelf: "use"\n---\n\n# x\n\n---\nlicense: mit\n---\n', {"shelf": "use"}),
        ("---\nno end\n# x\n", {}),
    ],
)
def test_heads_as_people_write_them(text, expected):
    assert heads.read(text) == expected


def test_the_order_of_shelves():
    shelves = [card.shelf for card in presets.by_shelf(reversed(ALL))]
    assert shelves == sorted(shelves, key=list(heads.SHELVES).index)
    assert "srgan_satellite_x4" in zoo.list_presets(shelf="use")
    with pytest.raises(ValueError, match="No preset has that shelf.*Did you mean 'learn'"):
        zoo.list_presets(shelf="lern")


def test_a_shelf_that_there_is_not(mine):
    edit(mine, 'shelf: "learn"', 'shelf: "sell"')
    with pytest.raises(ValueError, match=r"damaged: 'shelf' must be one of .*'sell'"):
        zoo.card(mine)


@pytest.fixture
def mine(tmp_path):
    """A preset in a folder of one's own."""
    return Path(shutil.copytree(SHIPPED, tmp_path / "mine"))


def edit(folder, old, new):
    """Changes a card, and the hash that is kept of it."""
    text = (folder / "README.md").read_text()
    assert old in text
    (folder / "README.md").write_text(text.replace(old, new, 1))
    metrics = json.loads((folder / "metrics.json").read_text())
    metrics["sha256"]["README.md"] = presets.sha256(folder / "README.md")
    (folder / "metrics.json").write_text(json.dumps(metrics))


def test_what_is_pushed_loads_from_its_address(hugging_face, mine):
    (mine / "train.py").write_text("print(1)")
    (mine / ".notes").write_text("mine")
    with pytest.raises(ValueError, match="'train.py'|is not listed"):
        zoo.push(mine, "hf://me/digits")
    (mine / "train.py").unlink()
    assert zoo.push(mine, "hf://me/digits/first", private=True) == (
        f"hf://me/digits/first@{COMMIT}"
    )
    assert hugging_face.asked == [("me/digits", True)]
    found = zoo.card("hf://me/digits/first")
    assert names(found.folder) == FILES
    assert found.sha256 == zoo.card(SHIPPED).sha256


def test_on_kaggle_it_is_a_new_version(kaggle, mine):
    address = "kaggle://me/digits/keras/dcgan"
    for version in ("1", "2"):
        assert zoo.push(mine, address, message="better") == address
        assert kaggle.asked[-1] == ("me/digits/keras/dcgan", "Apache 2.0", "better")
        assert zoo.verify(f"{address}/{version}") == zoo.verify(SHIPPED)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda f: edit(f, 'license: "apache-2.0"\n', ""), r"`license: .*'mine' without license"),
        (lambda f: edit(f, "data_license", "data_x"), "without data_license"),
        (lambda f: (f / "README.md").unlink(), "has no card"),
        (lambda f: (f / "generator.weights.h5").write_bytes(b"x"), "is damaged"),
        (lambda f: (f / "generator.weights.h5").unlink(), "no weights in this preset's folder"),
    ],
)
def test_what_others_could_not_use_is_not_pushed(hugging_face, mine, change, message):
    change(mine)
    with pytest.raises(ValueError, match=message):
        zoo.push(mine, "hf://me/digits")
    assert not hugging_face.asked


def test_numbers_of_other_weights_are_not_pushed(hugging_face, mine):
    generator = zoo.load(mine)
    generator.trainable_weights[0].assign_add(0.1 + generator.trainable_weights[0] * 0.0)
    folder = zoo.save_preset(generator, mine, zoo.card(SHIPPED), overwrite=True)
    assert zoo.card(folder).outdated and not zoo.card(SHIPPED).outdated
    with pytest.raises(ValueError, match="numbers of this preset are older than its weights"):
        zoo.push(folder, "hf://me/digits")


@pytest.mark.parametrize(
    "address, error, message",
    [
        ("hf://me/digits@v1", ValueError, r"gets its name from the hub.*hf://owner/repository"),
        ("hf:/me/digits", ValueError, "No hub has that scheme"),
        ("hf://others/digits", ValueError, "does not take this preset.*Log in.*403"),
    ],
)
def test_addresses_that_cannot_be_pushed_to(hugging_face, mine, address, error, message):
    with pytest.raises(error, match=message):
        zoo.push(mine, address)


def test_without_a_network(hugging_face, mine):
    hugging_face.online = False
    with pytest.raises(ConnectionError, match="could not be uploaded.*Name or service not known"):
        zoo.push(mine, "hf://me/digits")


def test_what_is_on_a_hub_is_not_pushed(mine):
    with pytest.raises(ValueError, match="not pushed again"):
        zoo.push("hf://me/digits", "hf://me/copy")
