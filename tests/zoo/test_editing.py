import functools
import json
import shutil

import keras
import numpy as np
import pytest
from PIL import Image
from small_gans import SHAPE, labelled, plain, translator, with_codes

import keras_gans
from keras_gans import directions, image, zoo
from keras_gans.cli import main, parse
from keras_gans.zoo import edit, find_directions, measure_edits, project


class Linear(keras.layers.Layer):
    """An image of 16x16 whose quarters are as light as the first coordinates of the latent."""

    def call(self, z):
        x = keras.ops.tanh(z[:, :4] / 4)
        x = keras.ops.reshape(x, (-1, 2, 2, 1))
        return keras.ops.repeat(keras.ops.repeat(x, 8, axis=1), 8, axis=2)


def linear():
    """A GAN whose generator is known: what a coordinate changes is seen in a quarter."""
    gan = plain()
    inputs = keras.Input((6,))
    generator = keras.Model(inputs, Linear()(inputs))
    return keras_gans.GAN(generator, gan.discriminator)


def judge(images):
    """Of a quarter each: left above, right above, and left below, which has three values."""
    corners = images[:, [0, 0, 15], [0, 15, 0], 0]
    kinds = np.digitize(corners[:, 2], [-0.1, 0.1])
    return {"lit": corners[:, 0] > 0, "hat": corners[:, 1] > 0, "hair": kinds}


VALUES = {"hair": ["none", "red", "blonde"]}
OPTIONS = {"values": VALUES, "samples": 3000, "verbose": 0}


@pytest.fixture(scope="module")
def gan():
    return linear()


@pytest.fixture(scope="module")
def found(gan):
    return find_directions(gan, judge, measured=100, **OPTIONS)


def test_directions_of_a_linear_generator_are_its_axes(found):
    assert list(found) == ["lit", "hat", "hair", "hair:red", "hair:blonde"]
    for place, name in enumerate(["lit", "hat", "hair"]):
        assert found[name].vector[place] > 0.99, name
        assert found[name].accuracy > 0.75
    # Red is between the others: no direction leads there, and the numbers say so.
    assert found["hair:red"].step < 0.3 and found["hair:red"].accuracy < 0.6
    assert all(one.changed > 0.95 and one.kept > 0.9 for one in found.values())


def test_what_edits_do_is_measured(gan, found):
    options = {"values": VALUES, "verbose": 0}
    lit = {"lit": found["lit"]}
    by_step = measure_edits(gan, lit, judge, strengths=(0, 1, 3), replace=False, **options)
    none, one, three = by_step["lit"]
    assert (none.images, none.changed, none.kept) == (200, 0, 1)
    # The distance of the means of a normal's halves is 1.6, and 89 % of a half lie nearer to 0.
    assert found["lit"].step == pytest.approx(1.6, abs=0.06)
    assert one.changed == pytest.approx(0.89, abs=0.06)
    assert three.changed == 1
    assert three.others.keys() == {"hat", "hair"} and three.others["hat"] < 0.05
    assert three.kept == pytest.approx(1 - np.mean(list(three.others.values())))
    # A value is reached by all, also the one between the others.
    by_value = measure_edits(gan, found, judge, **options)
    for name, (edits,) in by_value.items():
        assert edits.changed == 1 and edits.kept > 0.95, name


def test_what_was_labelled_by_hand_is_used(gan, found):
    latents = gan.given_latents(3000, seed=0)
    seen = judge(gan.generate(latents=latents))
    again = find_directions(gan, attributes=seen, latents=latents, values=VALUES)
    for name, one in found.items():
        np.testing.assert_array_equal(again[name].vector, one.vector)
        assert again[name].changed is None


def test_too_few_samples_are_said_or_an_error(gan):
    def rare(images):
        return {"lit": images[:, 0, 0, 0] > 0, "never": np.zeros(len(images), bool)}

    options = {"samples": 200, "measured": 0, "verbose": 0}
    with pytest.warns(UserWarning, match=r"too few samples .* Received: \['never'\]"):
        assert list(find_directions(gan, rare, **options)) == ["lit"]
    with pytest.raises(ValueError, match="too few labelled samples .* 'never'"):
        find_directions(gan, rare, names=["never"], **options)


# ---- edits


def test_an_edit_changes_what_is_asked_and_keeps_the_length(gan, found):
    made = edit(gan, range(40), {"lit": 3}, directions=found)
    assert (judge(made.after)["lit"]).all() and not judge(made.before)["lit"].all()
    np.testing.assert_array_equal(made.before, gan.generate(latents=made.latents))
    np.testing.assert_array_equal(made.after, gan.generate(latents=made.moved))
    np.testing.assert_array_equal(made.before[3], gan.generate(1, seed=3)[0])
    lengths = [np.linalg.norm(z, axis=1) for z in (made.latents, made.moved)]
    np.testing.assert_allclose(*lengths, rtol=1e-5)
    # The strip: nothing at 0, the change at 1.
    assert made.strip.shape == (40, 6, *SHAPE)
    np.testing.assert_array_equal(made.strip[:, 2], made.before)
    np.testing.assert_array_equal(made.strip[:, 4], made.after)
    assert made.changes == {"lit": 3}
    # By value: all are lit then, as much as those that were.
    made = edit(gan, range(40), {"lit": True}, directions=found)
    assert (judge(made.after)["lit"]).all()
    twice = edit(gan, range(40), {"lit": True}, directions=found, strength=2, strengths=[0.5])
    np.testing.assert_array_equal(twice.strip[:, 0], made.after)


def test_seeds_latents_and_values_name_the_same_edit(gan, found):
    first = edit(gan, [5], {"hair": "none"}, directions=found)
    assert judge(first.after)["hair"] == 0
    for what in (5, np.int64(5), first.latents, first.latents[0]):
        again = edit(gan, what, {"hair": False}, directions=found)
        np.testing.assert_array_equal(again.after, first.after)
    for number, value in enumerate(["red", "blonde"], 1):
        made = edit(gan, range(20), {"hair": value}, directions=found, strengths=[2])
        assert (judge(made.after)["hair"] == number).all() and made.strip.shape[:2] == (20, 1)


def test_an_image_is_projected_first(gan, found, tmp_path, monkeypatch):
    quick = functools.partial(project, candidates=100, starts=1)
    monkeypatch.setattr("keras_gans.zoo.inference.edit.project", quick)
    noise = np.random.default_rng(0).integers(0, 256, SHAPE, dtype="uint8")
    path = image.save(noise, tmp_path / "p.png")
    with pytest.warns(UserWarning, match="unlike what the generator draws"):
        made = edit(gan, path, {"hat": 2}, directions=found, steps=1, verbose=0)
    np.testing.assert_array_equal(made.latents, made.projection.latent)
    np.testing.assert_array_equal(made.before[0], made.projection.image)
    np.testing.assert_array_equal(made.projection.target, image.from_uint8(noise))
    assert made.after.shape == (1, *SHAPE) and (made.after != made.before).any()
    written = json.loads((made.save(tmp_path / "made") / "edit.json").read_text())
    assert written["strangeness"]["pixels"] > 1 and "features" in written["distances"]


def test_another_condition_of_the_same_latent():
    gan = labelled()
    made = edit(gan, [4, 5], {"labels": 2}, labels=0, strengths=[-1, 0, 1])
    np.testing.assert_array_equal(made.latents, made.moved)
    np.testing.assert_array_equal(made.before, gan.generate(latents=made.latents, labels=0))
    np.testing.assert_array_equal(made.after, gan.generate(latents=made.latents, labels=2))
    for place, expected in enumerate([made.before, made.before, made.after]):
        np.testing.assert_array_equal(made.strip[:, place], expected)
    with pytest.raises(ValueError, match=r"no directions .* change its conditions, \['labels'\]"):
        edit(gan, 4, {"glasses": 1})


def test_an_edit_leaves_codes_alone():
    gan = with_codes()
    found = find_directions(gan, judge, measured=0, **{**OPTIONS, "samples": 300}, names=["lit"])
    made = edit(gan, 3, {"lit": 2}, directions=found)
    np.testing.assert_array_equal(made.moved[:, 4:], made.latents[:, 4:])
    assert (made.moved[:, :4] != made.latents[:, :4]).all()


def test_conditions_of_a_measured_edit_stay(monkeypatch):
    gan, drawn = labelled(), []
    monkeypatch.setattr(gan, "generate", lambda **given: drawn.append(given) or np.zeros((9, 1)))
    monkeypatch.setattr("keras_gans.generation.first_images", lambda _, made: made)
    known = {"lit": directions.Direction(np.eye(6, dtype="float32")[0], 1.0, (9, 9), 1.0)}

    def seen(images):
        number = len(drawn[-1]["latents"])
        return {"lit": np.arange(number) % 2 == 0}

    measure_edits(gan, known, seen, images=20, verbose=0)
    before, after = drawn
    np.testing.assert_array_equal(after["labels"], before["labels"][1:41:2])


# ---- where they are kept


def test_a_run_and_a_preset_keep_directions(found, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "dcgan_digits_28"
    shutil.copytree(zoo.card("dcgan_digits_28").folder, folder)
    vector = np.zeros(64, "float32")
    vector[0] = 1
    known = {"bold": directions.Direction(vector, 2.0, (30, 30), 0.9, 0.8, 0.7)}
    zoo.save_directions(folder, known)
    assert "directions.npz" in zoo.verify(folder)
    assert zoo.directions(folder)["bold"].kept == pytest.approx(0.7)
    made = edit(folder, 1, {"bold": 1})
    assert np.abs(made.after - made.before).max() > 0.01
    (folder / "directions.npz").write_bytes(b"no zip")
    with pytest.raises(ValueError, match=r"is damaged: its SHA-256"):
        zoo.directions(folder)

    run = tmp_path / "run"
    run.mkdir()
    shutil.copy(folder / "recipe.json", run / "config.json")
    assert zoo.directions(run) == {}
    zoo.save_directions(run, known)
    assert list(zoo.directions(run)) == ["bold"]
    (run / "directions.npz").write_bytes(b"no zip")
    with pytest.raises(ValueError, match="damaged, or not an `.npz`"):
        zoo.directions(run)


def test_the_command_finds_lists_and_edits(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def command(*words):
        assert main(parse(["keras-gans", "edit", "dcgan_digits_28", *words])) == 0
        return capsys.readouterr().out

    assert "has no directions" in command()
    shown = command("--find", "--samples", "400", "--measured", "10", "--attribute", "class:3")
    assert "class:3" in shown and "--directions edited/directions.npz" in shown
    assert (
        shown.splitlines()[-2:-1]
        == command("--directions", "edited/directions.npz").splitlines()[1:]
    )
    words = ["0-2", "--change", "class=3", "--directions", "edited/directions.npz"]
    assert "Written to made" in command(*words, "--strengths=-1,1", "--output", "made")
    assert json.loads((tmp_path / "made/edit.json").read_text()) == {
        "source": "dcgan_digits_28",
        "what": "0-2",
        "changes": {"class": 3},
        "strengths": [-1.0, 1.0],
    }
    with Image.open("made/strip.png") as strip:
        assert strip.height > strip.width  # 3 rows of 2
    assert np.load("made/latents.npy").shape == (3, 64)


G = plain()
WRONG = [
    (lambda: edit(G, 1, {"glasses": 1}), "no directions of this generator yet.*--find"),
    (lambda: edit(G, 1, {}), "dictionary of names"),
    (lambda: edit(G, 1.5, {"labels": 1}, directions={}), "no direction|fit the generator"),
    (lambda: edit(labelled(), 1, {"labels": 9}), "out of range"),
    (lambda: edit(labelled(), [[1]], {"labels": 1}), r"seed or several.*shape \(1, 1\)"),
    (lambda: edit(labelled(), [], {"labels": 1}), "seed or several"),
    (lambda: edit(labelled(), 1, {"labels": 1}, strengths=["a"]), "`strengths`"),
    (lambda: edit(labelled(), 1, {"labels": 1}, labels=7), "out of range"),
    (lambda: edit(labelled(), 1, {"labels": 1}, hair=7), "no input 'hair'"),
    (lambda: edit(translator(), 1, {"a": 1}), "makes images from images"),
    (lambda: find_directions(G), "no classifier of the data.*judge=None"),
    (lambda: find_directions(G, "digit_cnn_v1"), "Did you mean 'digits_cnn_v1'"),
    (lambda: find_directions(G, lambda images: images, samples=40, verbose=0), "ndarray"),
    (lambda: find_directions(G, judge, samples=3), "at least 40"),
    (lambda: find_directions(G, attributes={"a": [True]}), "attributes without latents"),
    (lambda: measure_edits(G, {"bald": None}, judge, images=1, verbose=0), "'bald'"),
    (lambda: zoo.directions("dcgan_digit_28"), "Did you mean 'dcgan_digits_28'"),
    (lambda: zoo.save_directions("dcgan_digits_28_quick", {}), "no weights come with it"),
]


@pytest.mark.parametrize(("call", "message"), WRONG)
def test_wrong_inputs(call, message):
    with pytest.raises(ValueError, match=f"(?s){message}") as error:
        call()
    assert "Received: " in str(error.value)
