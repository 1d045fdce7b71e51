"""Attributes of faces, read by a classifier: shares, faces of nobody, and edits."""

import json

import numpy as np
import pytest

from keras_gans import image, metrics
from keras_gans.data.sources.faces import avataaars, painting, sets
from keras_gans.metrics import attribute_evaluation, attributes, classifiers, features
from keras_gans.metrics.classifiers import training

pytest.importorskip("dicebear")
pytest.importorskip("resvg_py")

NUMBER = 100


def paint(people):
    return np.stack([painting.pixels(avataaars.svg(person), 64) for person in people])


@pytest.fixture(scope="module")
def evaluation():
    return metrics.AttributeEvaluation("avatars", num_images=NUMBER)


@pytest.fixture(scope="module")
def people():
    return sets.people_of("avataaars", "test", faces=4 * NUMBER)


@pytest.fixture(scope="module")
def drawn(people):
    return image.from_uint8(paint(people))


@pytest.fixture(scope="module")
def faces(evaluation, drawn):
    return evaluation.read(drawn)


def test_the_recipe_knows_the_faces_that_are_drawn():
    recipe = json.loads((classifiers.folder("avatars_cnn_v1") / "recipe.json").read_text())
    look = avataaars.LOOK
    assert recipe["attributes"] == {
        name: {value: list(kinds) for value, kinds in values.items()}
        for name, values in look.attributes.items()
    }
    assert recipe["shares"] == {name: list(shares) for name, shares in look.shares.items()}
    assert recipe["hidden_by"] == {name: list(by) for name, by in avataaars.HIDDEN_BY.items()}
    assert recipe["style"] == avataaars.STYLE


def test_held_out_faces_are_read(faces, people):
    """96 of 100 is two standard errors below 99 %."""
    for name, values in avataaars.LOOK.labels.items():
        truth = np.array([values.index(person.attributes[name]) for person in people])
        seen = faces.reading.visible[name]
        assert (faces.reading.values[name] == truth)[seen].mean() >= 0.94, name
    sunglasses = np.array([person.attributes["glasses"] == "sunglasses" for person in people])
    np.testing.assert_array_equal(faces.reading.visible["eyes"], ~sunglasses)


def test_what_was_measured_of_the_shipped_weights():
    stored = json.loads((classifiers.folder("avatars_cnn_v1") / "metrics.json").read_text())
    found = stored["held_out"]["attributes"]
    assert stored["held_out"]["images"] == 5000 and set(found) == set(avataaars.LOOK.attributes)


def test_real_faces_are_drawn_again_and_broken_ones_are_found(evaluation, drawn, faces):
    assert (faces.strangeness > 1).mean() <= 0.05
    same = np.abs(faces.redrawn.astype(int) - faces.images).max(axis=(1, 2, 3)) == 0
    assert same.mean() > 0.5
    other = np.concatenate([drawn[:, :, :32], np.roll(drawn, 1, axis=0)[:, :, 32:]], axis=2)
    assert (evaluation.read(other).strangeness > 1).mean() > 0.95


def test_a_difference_by_hand():
    dark = np.zeros((2, 64, 64, 3), "uint8")
    other = dark.copy()
    other[1, 20:36, 20:36] = 200  # a square twice as large as the window
    np.testing.assert_allclose(attributes.difference(dark, other), [0, 200], rtol=1e-6)
    moved = np.roll(other, 1, axis=2)  # by the pixel that is allowed
    assert attributes.difference(other, moved).max() < 1e-9
    assert attributes.difference(other, np.roll(other, 4, axis=2))[1] > 50


def test_shares_beside_those_of_the_data(evaluation, faces, people):
    found = evaluation.measure(faces)
    counts = {
        (name, value): sum(person.attributes[name] == value for person in people) / NUMBER
        for name, values in avataaars.LOOK.labels.items()
        for value in values
        if name != "eyes"
    }
    expected = {
        key: dict(zip(avataaars.LOOK.labels[key[0]], avataaars.LOOK.shares_of(key[0])))[key[1]]
        for key in counts
    }
    largest = max(abs(counts[key] - expected[key]) for key in counts)
    value = float(found["share_difference100_avatars_cnn_v1"])
    assert value == pytest.approx(largest, abs=0.06)  # a few are misread
    alike = image.from_uint8(np.repeat(faces.images[:1], NUMBER, axis=0))
    same = evaluation.measure(alike)
    # Everybody has one value of the attribute whose rarest has a fifth.
    assert float(same["share_difference100_avatars_cnn_v1"]) >= 0.8 - 1e-6
    name = "pair_difference100_avatars_cnn_v1"
    assert float(found[name]) < 0.2 < float(same[name])


def test_an_edit(evaluation, people, drawn):
    few = people[:40]
    after = image.from_uint8(paint([p.but(glasses="round", hair="red") for p in few]))
    edits = evaluation.edited(drawn[:40], after, "glasses", "round")
    assert edits.changed > 0.9
    assert edits.kept["skin"] > 0.9 and edits.kept["hair"] < 0.5 and "glasses" not in edits.kept
    assert edits.kept_all < 0.5 < edits.kept_mean
    assert edits == evaluation.edited(drawn[:40], after, "glasses", 2)
    none = evaluation.edited(drawn[:40], drawn[:40], "glasses", "round")
    assert none.distance == 0 and none.kept_all == 1 and none.changed < 0.5
    beside = evaluation.reference_distances(20)
    assert 0 < beside["same person, another age"] < beside["another person"]


class Conditional:
    """Draws faces of the conditions that it is given, but for hair, which it draws red."""

    generator_role = "generator"

    def interface(self, role):
        from keras_gans.interface import Image, Interface, Label, Latents

        glasses = tuple(avataaars.LOOK.labels["glasses"])
        labels = Label(4, name="hair"), Label(4, glasses, name="kind")
        return Interface([Latents(2), *labels], [Image(64, 64, 3)])

    def given_latents(self, number, seed):
        return np.zeros((number, 2), "float32")

    def generate(self, latents, batch_size, hair, kind):
        kinds = avataaars.LOOK.labels["glasses"]
        persons = sets.people_of("avataaars", "test", faces=4 * len(latents))
        return image.from_uint8(
            paint([p.but(hair="red", glasses=kinds[k]) for p, k in zip(persons, kind)])
        )


def test_conditions_are_read_in_the_images():
    found = metrics.AttributeEvaluation("avatars", num_images=60).measure(Conditional())
    values = {m.protocol.metric: float(m) for m in found.values()}
    assert values["label_accuracy_glasses"] > 0.9
    assert values["label_accuracy_hair"] == pytest.approx(0.25, abs=0.17)  # three standard errors
    both = (values["label_accuracy_glasses"] + values["label_accuracy_hair"]) / 2
    assert values["label_accuracy"] == pytest.approx(both)


def test_images_of_another_size_are_resized_and_the_name_says_so(evaluation, drawn):
    large = np.repeat(np.repeat(drawn, 2, axis=1), 2, axis=2)
    found = evaluation.measure(large)
    assert "impossible100_avatars_cnn_v1_on_avatars_of_128_pixels" in found
    assert float(found["impossible100_avatars_cnn_v1_on_avatars_of_128_pixels"]) < 0.1


def test_the_strangest_are_shown_first(faces):
    picture = faces.picture(number=4, columns=2)
    assert picture.dtype == np.uint8 and picture.shape[1] == 2 * 256 + 8
    first = np.argmax(faces.strangeness)
    np.testing.assert_array_equal(picture[:128:2, :128:2], faces.images[first])
    np.testing.assert_array_equal(picture[:128:2, 128:256:2], faces.redrawn[first])
    assert (picture[128:200, :256] < 128).any()  # words


def test_without_the_packages_that_draw(monkeypatch, drawn, faces):
    def missing():
        raise ImportError("gone")

    monkeypatch.setattr(painting, "versions", missing)
    evaluation = metrics.AttributeEvaluation("avatars", num_images=20)
    read = evaluation.read(drawn)
    assert read.strangeness is None and read.picture(2).size
    metric_names = {m.protocol.metric for m in evaluation.measure(read).values()}
    assert metric_names == {"share_difference", "pair_difference"}


def test_features_of_faces(drawn):
    network = features.load("avatars_cnn_v1")
    found, shares = network(drawn[:10])
    assert found.shape == (10, network.num_features) and shares is None


@pytest.mark.parametrize(
    "wrong, said",
    [
        (lambda e, x: metrics.AttributeEvaluation("avatar"), "Did you mean 'avatars'"),
        (lambda e, x: metrics.AttributeReader("digits_cnn_v1"), "no attributes.*digits_cnn_v1"),
        (lambda e, x: e.read(x[:5]), "fewer images.*Received: 5"),
        (lambda e, x: e.reader.read(x[..., :1]), "colour.*Received: shape"),
        (lambda e, x: e.reader.read(image.to_uint8(x)), "from_uint8.*uint8"),
        (lambda e, x: e.reader.read(x * 127), "[-1, 1]"),
        (lambda e, x: e.edited(x, x, "glases", "round"), "Did you mean 'glasses'"),
        (lambda e, x: e.edited(x, x, "glasses", "rond"), "Did you mean 'round'"),
        (lambda e, x: e.edited(x, x, "glasses", 4), "from 0 to 3"),
        (lambda e, x: e.edited(x, x[:2], "glasses", 1), "as many faces.*Received: 100 and 2"),
    ],
)
def test_wrong_inputs(evaluation, drawn, wrong, said):
    with pytest.raises(ValueError, match=said):
        wrong(evaluation, drawn)


def test_training_of_several_heads(tmp_path, monkeypatch):
    recipe = json.loads((classifiers.folder("avatars_cnn_v1") / "recipe.json").read_text())
    tiny = {"fold": 2, "filters": [[2], [2], [2]], "features": 4, "dropout": 0.1}
    recipe |= {"network": tiny, "epochs": 1, "data": {**recipe["data"], "faces": 40}}
    recipe["attributes"] = {name: recipe["attributes"][name] for name in ("glasses", "eyes")}
    monkeypatch.setattr(classifiers, "FOLDER", tmp_path)
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "recipe.json").write_text(json.dumps(recipe))
    (folder / "README.md").write_text("# tiny\n")
    found = training.publish(folder, verbose=0)
    assert found["images"] == 10 and list(found["attributes"]) == ["glasses", "eyes"]
    for name in ("glasses", "eyes"):
        assert found["attributes"][name].keys() >= {"accuracy", "drawings"}
    network, _, _ = classifiers.load("tiny")
    assert [output.shape[1] for output in network.outputs] == [4, 6, 5]
    assert attribute_evaluation.usual_reader("digits") is None
