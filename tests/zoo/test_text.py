"""Images of texts by recipe: trained, resumed, generated, kept as a preset."""

import json

import numpy as np
import pytest
from PIL import Image as Pillow

from keras_gans import cli, zoo
from keras_gans.data.sources.faces import captions
from keras_gans.interface import Interface

pytest.importorskip("dicebear")
pytest.importorskip("resvg_py")

NAMED = ["hair", "glasses"]
EXAMPLES = ["a face with red hair", "no glasses"]


def recipe(data_dir):
    return {
        "epochs": 1,
        "samples": 4,
        "data": {
            "name": "avatars", "captions": NAMED, "image_size": 16, "batch_size": 4, "faces": 8,
            "data_dir": str(data_dir),
        },
        "networks": {
            "generator": {
                "type": "text_dcgan_generator", "image_shape": [16, 16, 3], "width": 4,
                "vocabulary": captions.vocabulary(NAMED), "examples": EXAMPLES, "latent_dim": 4,
                "embedding_dim": 8, "encoder_width": 4, "text_dim": 4, "max_length": 12,
            },
            "discriminator": {
                "type": "text_dcgan_discriminator", "image_shape": [16, 16, 3], "width": 4,
                "embedding_dim": 8, "text_dim": 4,
            },
        },
        "model": {"type": "TextToImageGAN", "ema_decay": 0.9},
    }  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of one epoch that went on for another one."""
    folder = tmp_path_factory.mktemp("text")
    given = recipe(folder / "data")
    for epochs in (1, 2):
        zoo.train({**given, "epochs": epochs}, folder / "run", verbose=0)
    return folder / "run"


@pytest.fixture(scope="module")
def gan(run):
    return zoo.open_gan(run)


def test_the_recipe_knows_the_words_of_its_captions():
    card = zoo.card("text_to_avatar_64")
    data, words = card.recipe["data"], card.interface().texts[0].vocabulary
    assert list(words) == captions.vocabulary(data["captions"])
    assert card.interface() == zoo.Recipe.read("text_to_avatar_64").interface


def test_a_run_shows_its_samples_with_their_texts(run, gan):
    lines = (run / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines][-1] == 2
    assert {"embedding_loss", "interpolation_loss"} <= set(json.loads(lines[-1]))
    pictures = sorted((run / "samples").glob("epoch_*.png"))
    assert [path.stem for path in pictures] == ["epoch_0000", "epoch_0001", "epoch_0002"]
    with Pillow.open(pictures[-1]) as picture:
        assert picture.width == 2 * 128 + 2 and picture.height > 2 * 128 + 2  # the texts
    assert gan.text.examples == tuple(EXAMPLES)


def test_generate_makes_a_column_for_each_text(run, gan, tmp_path):
    texts = ["Red hair", "a face, wearing sunglasses"]
    made = zoo.generate(run, [3, 5], text=texts, output=tmp_path / "made")
    assert [path.stem for path in made.files] == [
        "seed0003_red-hair", "seed0003_a-face-wearing-sunglasses",
        "seed0005_red-hair", "seed0005_a-face-wearing-sunglasses",
    ]  # fmt: skip
    one = gan.generate(1, seed=5, text="red hair")
    with Pillow.open(made.files[2]) as picture:
        np.testing.assert_allclose(np.asarray(picture), (one[0] + 1) * 127.5, atol=1)
    plain = zoo.generate(gan, range(3), output=tmp_path / "plain")
    assert [path.stem.split("_")[1] for path in plain.files] == [
        "a-face-with-red-hair", "no-glasses", "a-face-with-red-hair"
    ]  # fmt: skip


def run_verb(arguments):
    return cli.main(cli.parse(["keras-gans", *arguments]))


def test_the_command_line_takes_texts(run, tmp_path, capsys):
    arguments = ["generate", str(run), "--seeds", "1", "--output", str(tmp_path)]
    assert run_verb([*arguments, "--text", "red hair", "--text", "black hair"]) == 0
    assert len(list(tmp_path.glob("seed0001_*.png"))) == 2
    film = ["interpolate", str(run), "--seeds", "0-1", "--steps", "1", "--text", "red hair"]
    assert run_verb([*film, "--output", str(tmp_path / "film.gif")]) == 0
    with Pillow.open(tmp_path / "film.gif") as opened:
        assert opened.n_frames == 2
    assert run_verb([*arguments, "--text", "purpel hair"]) != 0
    assert "'purpel'" in capsys.readouterr().err


def test_no_latent_is_searched_for_beside_a_text(gan):
    with pytest.raises(ValueError, match="what text an image would have.*takes 'text'"):
        zoo.project(gan, np.zeros((16, 16, 3), "float32"))


def test_a_preset_keeps_the_vocabulary(run, gan, tmp_path):
    folder = gan.save_to_preset(tmp_path / "by_text")
    stated = json.loads((folder / "interface.json").read_text())["generator"]
    port = Interface.from_json(stated).texts[0]
    assert list(port.vocabulary) == captions.vocabulary(NAMED)
    twin = zoo.open_gan(folder)
    np.testing.assert_allclose(
        twin.generate(text=["red hair"], seed=0), gan.generate(text=["red hair"], seed=0), atol=1e-5
    )
    alone = zoo.load(folder)
    numbers = np.array([port.encode("red hair")], "int32")
    latents = np.zeros((1, 4), "float32")
    np.testing.assert_allclose(
        alone.predict([latents, numbers], verbose=0),
        gan.generate(latents=latents, text="red hair"),
        atol=1e-5,
    )
