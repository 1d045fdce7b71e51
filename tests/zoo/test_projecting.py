import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from small_gans import SHAPE, labelled, plain, translator, with_codes

import keras_gans
from keras_gans import image, latent
from keras_gans.zoo.inference import project as projecting
from keras_gans.zoo.inference.project import project, shell_prior

QUICK = {"steps": 2, "candidates": 3, "starts": 2, "verbose": 0}


def test_a_generated_image_is_found_again():
    gan = plain()
    target = gan.generate(1, seed=5)[0]
    found = project(gan, target, steps=200, candidates=50, starts=4, prior_weight=0.0, verbose=0)
    assert len(found.losses["loss"]) == 201
    assert found.losses["loss"][-1] < 1e-3 < 0.01 < found.losses["loss"][0]
    assert found.distances["pixels"]["result"] < 0.1 * found.distances["pixels"]["start"]
    np.testing.assert_allclose(found.image, target, atol=0.02)
    np.testing.assert_array_equal(gan.generate(latents=found.latent)[0], found.image)
    assert found.latent.shape == (1, 6) and found.features == "random_cnn_v1"
    assert found.label is None and found.classes is None and found.same_class is None


def test_of_a_real_preset_the_class_is_kept_and_the_latent_is_of_the_shell():
    gan = keras_gans.zoo.open_gan("dcgan_digits_28")
    target = gan.generate(1, seed=11)[0]
    found = project("dcgan_digits_28", target, steps=80, candidates=200, starts=4, verbose=0)
    assert found.features == "digits_cnn_v1" and found.same_class
    assert found.classes["target"][0] == found.classes["result"][0]
    assert found.losses["loss"][-1] < 0.25 * found.losses["loss"][0]
    assert found.distances["features"]["result"] < found.distances["features"]["start"]
    assert 0.8 < found.radius < 1.2


def test_the_label_is_found_or_given():
    gan = labelled()
    target = gan.generate(1, labels=2, seed=5)[0]
    options = {"steps": 60, "candidates": 30, "starts": 6, "verbose": 0}
    found = project(gan, target, **options)
    assert found.label == 2
    np.testing.assert_array_equal(gan.generate(latents=found.latent, labels=2)[0], found.image)
    other = project(gan, target, label=0, **options)
    assert other.label == 0
    assert other.losses["loss"][-1] > found.losses["loss"][-1]


def test_starts_are_the_nearest_and_the_best_of_each_class_comes_first():
    gan = labelled()
    target = gan.generate(1, labels=1, seed=3)[0]
    network, _ = projecting._feature_network(None, gan, gan, SHAPE)
    search = projecting._Search(
        gan, network, target, {"pixels": 1.0, "features": 0.0, "prior": 0.0}
    )
    latents = np.concatenate([latent.sample(4, 6, seed=0), latent.sample(1, 6, seed=3)])
    chosen, labels = search.choose(latents, [0, 1, 2], 4)
    assert sorted(labels[:3]) == [0, 1, 2] and labels[0] == 1
    np.testing.assert_array_equal(chosen[0], latents[4])
    errors = [
        np.mean((gan.generate(latents=latents, labels=k) - target) ** 2, (1, 2, 3))
        for k in range(3)
    ]
    np.testing.assert_allclose(search.scales["pixels"], np.mean(errors), rtol=1e-5)
    for vector, label in zip(chosen[:3], labels[:3]):
        np.testing.assert_array_equal(vector, latents[np.argmin(errors[label])])


def test_codes_stay_codes():
    gan = with_codes()
    found = project(gan, gan.generate(1, seed=0, categorical=1)[0], **{**QUICK, "steps": 5})
    assert sorted(found.latent[0, 4:7]) == [0, 0, 1]
    drawn = gan.given_latents(3, seed=0)
    assert any((found.latent[0, 4:] == one[4:]).all() for one in drawn)
    assert not any((found.latent[0, :4] == one[:4]).all() for one in drawn)


def test_one_seed_finds_one_latent():
    gan = plain()
    target = gan.generate(1, seed=1)[0]
    found = [project(gan, target, **QUICK, seed=seed).latent for seed in (0, 0, 1)]
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[0] != found[2]).any()


def test_how_strange_a_point_is_by_hand():
    rng = np.random.default_rng(0)
    drawn = rng.normal(size=(150, 3))
    target = np.array([4.0, 0.0, 0.0])
    apart = np.linalg.norm(drawn[:, None] - drawn[None], axis=-1)
    nearest = np.sort(apart, axis=1)[:, 1]  # the first is itself
    expected = np.linalg.norm(drawn - target, axis=1).min() / np.quantile(nearest, 0.99)
    assert projecting.strangeness(target, drawn) == pytest.approx(expected)
    assert projecting.strangeness(drawn[3], drawn) == 0
    # A rank: of points drawn alike about one in a hundred is above 1.
    fresh = [projecting.strangeness(point, drawn) for point in rng.normal(size=(1000, 3))]
    assert 0.002 < np.mean(np.array(fresh) > 1) < 0.05


def some(name, number, **options):
    batches = keras_gans.data.load(name, batch_size=number, shuffle=False, **options)
    return next(batches.take(1).as_numpy_iterator())


def test_images_unlike_those_that_a_generator_draws_are_strange():
    gan = keras_gans.zoo.open_gan("dcgan_digits_28")
    network, _ = projecting._feature_network(None, "dcgan_digits_28", gan, (28, 28, 1))
    digits = some("digits", 12)
    search = projecting._Search(
        gan, network, digits[0], {"pixels": 1.0, "features": 1.0, "prior": 0.0}
    )
    drawn = gan.generate(500, seed=0)
    features = search._features(drawn).numpy()

    def strange(images):
        above = 0
        for target, seen in zip(images, search._features(images).numpy()):
            by_pixels = projecting.strangeness(target.reshape(-1), drawn.reshape(500, -1))
            above += max(by_pixels, projecting.strangeness(seen, features)) > 1
        return above

    assert strange(digits) <= 2
    assert strange(-digits[:4]) == 4  # ink on paper
    assert strange(some("fashion_mnist", 6, split="test")) >= 5
    assert strange(np.random.default_rng(0).uniform(-1, 1, (2, 28, 28, 1)).astype("float32")) == 2


def test_a_strange_target_is_warned_of_before_the_search():
    ink = -keras_gans.zoo.open_gan("dcgan_digits_28").generate(1, seed=11)[0]
    options = {"steps": 1, "starts": 1, "verbose": 0}
    with pytest.warns(
        UserWarning, match=r"by its pixels it is \d\.\d times as far .* of 151 drawn"
    ):
        found = project("dcgan_digits_28", ink, candidates=150, **options)
    assert found.strangeness["pixels"] > 1.5
    # Of so few it is not known what 99 of 100 are like.
    assert project("dcgan_digits_28", ink, candidates=50, **options).strangeness is None


def test_the_prior_is_1_on_average_and_0_on_the_shell():
    drawn = latent.sample(20_000, 16, seed=0)
    values = shell_prior(tf.constant(drawn)).numpy()
    assert abs(values.mean() - 1) < 0.05
    # d / 2 * (4 - 1)**2 at twice the radius
    assert shell_prior(np.full((1, 16), 2.0, "float32")).numpy().tolist() == [72.0]


def test_the_prior_draws_a_latent_to_the_shell():
    gan = plain()
    target = gan.generate(latents=np.full((1, 6), 3.0))[0]  # three times too far out
    options = {"steps": 100, "candidates": 20, "starts": 2, "verbose": 0}
    free, held = (project(gan, target, prior_weight=w, **options).radius for w in (0.0, 10.0))
    assert abs(held - 1) < 0.1 < abs(free - 1)


def test_the_rate_rises_and_falls():
    rate = projecting._rate(100, 0.1)
    np.testing.assert_allclose([rate(i) for i in (0, 5, 100)], [0.0, 0.1, 0.0], atol=1e-7)
    np.testing.assert_allclose(projecting._rate(2, 0.1)(0), 0.1, rtol=1e-6)


def test_a_file_of_any_size_and_colour_and_what_is_written(tmp_path):
    pixels = np.zeros((40, 60, 3), "uint8")
    pixels[10:30, 25:35] = [255, 0, 0]
    Image.fromarray(pixels).save(tmp_path / "a.png")
    found = project(plain(), str(tmp_path / "a.png"), **QUICK)
    assert found.target.shape == SHAPE
    assert found.target[8, 8, 0] == pytest.approx(2 * 76 / 255 - 1, abs=0.02)  # red in grey: 0.299
    folder = found.save(tmp_path / "out", source="here")
    np.testing.assert_array_equal(np.load(folder / "latent.npy"), found.latent)
    with Image.open(folder / "projection.png") as picture:
        assert picture.size == (3 * 112 + 4, 112)
        shown = np.asarray(picture)[3, [3, 119, 235]]
    images = image.to_uint8(np.stack([found.target, found.start, found.image]))
    np.testing.assert_array_equal(shown, images[:, 0, 0, 0])
    report = json.loads((folder / "projection.json").read_text())
    assert report["source"] == "here" and report["same_class"] is None
    assert len(report["losses"]["prior"]) == 3 and report["distances"] == found.distances


def test_a_feature_network_of_ones_own():
    inputs = keras.Input(SHAPE)
    means = keras.layers.GlobalAveragePooling2D()(inputs)
    network = keras.Model(inputs, [means, keras.layers.Dense(2)(means)], name="means")
    gan = plain()
    found = project(gan, gan.generate(1, seed=0)[0], features=network, **QUICK)
    assert found.features == "means" and set(found.classes) == {"target", "start", "result"}


@pytest.mark.parametrize(
    ("gan", "target", "options", "message"),
    [
        (plain, np.zeros((16, 16, 3)), {}, r"Expected shape \(16, 16, 1\).*\(16, 16, 3\)"),
        (plain, np.zeros((1, 16, 16, 1)), {}, "one image"),
        (plain, np.zeros(SHAPE, "uint8"), {}, "from_uint8"),
        (plain, np.full(SHAPE, 2.0), {}, r"outside \[-1, 1\]"),
        (plain, np.zeros(SHAPE), {"label": 1}, "takes no labels"),
        (labelled, np.zeros(SHAPE), {"label": 3}, "Expected 0 to 2"),
        (plain, np.zeros(SHAPE), {"features": "digits_cnn_v2"}, "Did you mean 'digits_cnn_v1'"),
        (plain, np.zeros(SHAPE), {"features": "digits_cnn_v1"}, r"shape \(16, 16, 1\).*28, 28"),
        (plain, np.zeros(SHAPE), {"steps": 0}, "Received: steps=0"),
        (plain, np.zeros(SHAPE), {"starts": 0}, "Received: starts=0"),
        (plain, np.zeros(SHAPE), {"learning_rate": 0.0}, "above 0"),
        (plain, np.zeros(SHAPE), {"prior_weight": -1.0}, "prior_weight=-1.0"),
        (translator, np.zeros((32, 32, 3)), {}, "keras-gans translate"),
    ],
)
def test_what_does_not_fit_is_said(gan, target, options, message):
    with pytest.raises(ValueError, match=message):
        project(gan(), target, **{**QUICK, **options})


def test_files_that_are_no_images(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"cannot be read.*a\.png"):
        project(plain(), tmp_path / "a.png", **QUICK)
    with pytest.raises(FileNotFoundError, match=r"no such file.*b\.png"):
        project(plain(), tmp_path / "b.png", **QUICK)
