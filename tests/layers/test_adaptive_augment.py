"""Compared with the authors' program, NVlabs/stylegan2-ada-pytorch d72cc7d (PyTorch 1.7.1, CPU).

`ada_augmentation.npz` has what it makes of an image with every random number at one percentile,
of two rotations only the first; `affine_warp.npz` is PyTorch's bilinear `grid_sample`.
"""

import functools
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import erfinv

import keras_gans
from keras_gans import augmentation, networks
from keras_gans.layers import AdaptiveAugment
from keras_gans.layers.adaptive_augment import GROUPS, POLICIES

FOLDER = pathlib.Path(__file__).parents[1] / "reference"
BG = [*GROUPS["blitting"], *GROUPS["geometric"]]
BGC = [*BG, *GROUPS["color"]]
SETS = {name: [name] for name in [*BGC, "imgfilter", "cutout"]}
SETS |= {"bg": BG, "bgc": BGC, "bgcf_cutout": [*BGC, "imgfilter", "cutout"]}


@functools.cache
def reference(file="ada_augmentation"):
    with np.load(FOLDER / f"{file}.npz") as arrays:
        return {
            name: np.transpose(a, (0, 2, 3, 1)) if a.shape[1:2] in ((1,), (3,)) else a
            for name, a in arrays.items()
        }


def at_percentile(q, names):
    """The numbers of one image; the program leaves out the square root of 2 of a quantile."""
    normal = float(erfinv(2 * q - 1))
    numbers = {
        "xflip": np.floor(2 * q),
        "rotate90": np.floor(4 * q),
        "xint": [(2 * q - 1) * 0.125] * 2,
        "scale": normal * 0.2,
        "rotate": [(2 * q - 1) * np.pi, 0],
        "aniso": normal * 0.2,
        "xfrac": [normal * 0.125] * 2,
        "brightness": normal * 0.2,
        "contrast": normal * 0.5,
        "lumaflip": np.floor(2 * q),
        "hue": (2 * q - 1) * np.pi,
        "saturation": normal,
        "imgfilter": [normal] * 4,
        "cutout": [1, q, q],
    }
    return {name: tf.constant([numbers[name]], "float32") for name in names}


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("percentile", [0.3, 0.8])
def test_images_are_those_of_the_authors_program(name, percentile):
    images = tf.constant(reference()["images_square"])
    made = augmentation.apply(images, at_percentile(percentile, SETS[name]))
    np.testing.assert_allclose(made, reference()[f"{name}/{percentile}"], rtol=0, atol=3e-6)


def test_images_that_are_not_square_or_grey():
    numbers = at_percentile(0.3, [name for name in BGC if name != "rotate90"])
    made = augmentation.apply(tf.constant(reference()["images"]), numbers)
    np.testing.assert_allclose(made, reference()["bgc_not_square/0.3"], rtol=0, atol=3e-6)
    made = augmentation.apply(tf.constant(reference()["images_grey"]), at_percentile(0.8, BGC))
    np.testing.assert_allclose(made, reference()["bgc_grey/0.8"], rtol=0, atol=3e-6)


def test_filters_are_the_published_ones():
    np.testing.assert_allclose(augmentation._SYM6, reference()["Hz_geom"], atol=1e-7)
    with np.load(FOLDER / "ada_augmentation.npz") as arrays:
        bank = arrays["Hz_fbank"]
    np.testing.assert_allclose(augmentation._bands(64)[:, 32, 11:54], bank, atol=1e-7)


def test_reading_between_pixels_is_bilinear_and_zero_outside():
    images = reference("affine_warp")["images"]
    grid = np.load(FOLDER / "affine_warp.npz")["grid"]
    x, y = (((grid[..., axis] + 1) * 24 - 1) / 2 for axis in (0, 1))
    made = augmentation._read(tf.repeat(images, 2 // len(images), axis=0), (x, y), 0, 0)
    np.testing.assert_allclose(made, reference("affine_warp")["warped"], atol=2e-6)


def test_numbers_of_0_change_nothing():
    images = tf.constant(reference()["images"])
    names = [name for names in GROUPS.values() for name in names]
    numbers = {
        name: 0.0 * tf.abs(value) for name, value in at_percentile(0.3, SETS["bgcf_cutout"]).items()
    }
    numbers["noise"] = tf.zeros(1)
    assert sorted(numbers) == sorted(names)
    made = augmentation.apply(images, numbers, seed=(0, 1))
    np.testing.assert_allclose(made, images, atol=3e-6)


def test_noise_has_the_standard_deviation_of_each_image():
    images = tf.zeros((2, 64, 64, 3))
    made = augmentation.apply(images, {"noise": tf.constant([0.1, 0.5])}, seed=(3, 4)).numpy()
    np.testing.assert_allclose(made.std((1, 2, 3)), [0.1, 0.5], rtol=0.03)


def test_each_image_is_changed_by_its_own_numbers_whatever_the_others_are():
    images = tf.constant(np.random.default_rng(0).uniform(-1, 1, (2, 8, 12, 3)), "float32")
    one, two = (at_percentile(q, SETS["bgcf_cutout"]) for q in (0.1, 0.9))
    both = {name: tf.concat([one[name], two[name]], axis=0) for name in one}
    made = augmentation.apply(images, both)
    alone = [augmentation.apply(images[i : i + 1], n) for i, n in enumerate((one, two))]
    np.testing.assert_allclose(made, tf.concat(alone, axis=0), atol=2e-6)


def test_gradients_are_those_of_a_linear_map_to_the_second_order():
    """For a linear map A, <A x, y> is <x, A'y>, and the gradient's gradient is A again."""
    shape = (2, 8, 8, 3)
    x, y = (tf.constant(np.random.default_rng(i).normal(size=shape), "float32") for i in (0, 1))
    numbers = at_percentile(0.8, [*BG, "hue", "imgfilter"])
    numbers = {name: tf.repeat(value, 2, axis=0) for name, value in numbers.items()}

    @tf.function(autograph=False)
    def both(x, y):
        with tf.GradientTape() as outer:
            outer.watch(y)
            with tf.GradientTape() as inner:
                inner.watch(x)
                made = augmentation.apply(x, numbers)
            back = inner.gradient(made, x, output_gradients=y)
        return made, back, outer.gradient(back, y, output_gradients=x)

    made, back, again = both(x, y)
    np.testing.assert_allclose(again, made, atol=1e-5)
    np.testing.assert_allclose(tf.reduce_sum(made * y), tf.reduce_sum(x * back), rtol=1e-5)


# ---- the layer

MANY = 4000


def numbers_of(policy, probability):
    """Draws of a layer: what it gives to `augmentation.apply`, as arrays."""
    names = AdaptiveAugment(policy).transformations
    return {
        name: augmentation.draw(name, MANY, tf.constant(probability), (5, i)).numpy()
        for i, name in enumerate(names)
    }


def test_transformations_are_applied_with_the_probability_and_drawn_as_in_the_paper():
    drawn = numbers_of("bgcfnc", 0.5)
    assert list(drawn) == [name for names in GROUPS.values() for name in names]
    seldom = 1 - 0.5**0.5  # that one of two rotations is applied has the probability 0.5
    coins = {"xflip": 0.25, "rotate90": 0.375, "lumaflip": 0.25, "rotate": seldom}
    for name, values in drawn.items():
        column = values if values.ndim == 1 else values[:, 0]
        share = np.mean(column != 0)
        assert abs(share - coins.get(name, 0.5)) < 4 * 0.5 / MANY**0.5, name
    normal = {"scale": 0.2, "aniso": 0.2, "xfrac": 0.125, "brightness": 0.2, "contrast": 0.5}
    for name, std in {**normal, "saturation": 1.0, "imgfilter": 1.0}.items():
        values = drawn[name][drawn[name] != 0]
        assert abs(values.mean()) < 4 * std / len(values) ** 0.5, name
        np.testing.assert_allclose(values.std(), std, rtol=0.1)
    assert drawn["noise"].min() == 0
    np.testing.assert_allclose((drawn["noise"] ** 2).mean() * 2, 0.01, rtol=0.1)
    for name, most in {"xint": 0.125, "rotate": np.pi, "hue": np.pi}.items():
        assert 0.98 * most < drawn[name].max() <= most and -most <= drawn[name].min() < -0.98 * most
    assert set(drawn["rotate90"]) == {0, 1, 2, 3} and set(drawn["xflip"]) == {0, 1}
    both = drawn["xfrac"] != 0  # two coordinates of one shift, and two rotations apart
    assert (both[:, 0] == both[:, 1]).all()
    assert (drawn["rotate"][:, 0] != 0).astype(int) @ (drawn["rotate"][:, 1] != 0) > 0
    assert all((values == 0).all() for n, values in numbers_of("bgcfn", 0.0).items())


def test_inference_and_probability_0_leave_images_alone():
    x = np.random.default_rng(0).uniform(-1, 1, (3, 16, 8, 1)).astype("float32")
    layer = AdaptiveAugment("bgc", seed=1)
    np.testing.assert_array_equal(layer(x), x)
    np.testing.assert_allclose(layer(x, training=True), x, atol=3e-6)
    layer.probability.assign(1.0)
    assert np.abs(layer(x, training=True) - x).max() > 0.1
    np.testing.assert_array_equal(layer(x), x)


def test_policies():
    assert [len(AdaptiveAugment(policy).transformations) for policy in POLICIES] == [
        3, 7, 12, 13, 14, 15,
    ]  # fmt: skip
    assert AdaptiveAugment(["color", "xflip"]).transformations[:2] == ["xflip", "brightness"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"policy": "bcg"}, "No augmentation of that name"),
        ({"policy": []}, "No augmentation of that name"),
        ({"policy": ["xflipp"]}, "xflip"),
        ({"probability": 1.5}, "`probability`"),
        ({"probability": True}, "`probability`"),
        ({"target": 1.0}, "`target`"),
        ({"every": 0}, "`every`"),
        ({"kimg": 0.0}, "`kimg`"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=f"(?s){message}.*Received"):
        AdaptiveAugment(**arguments)


@pytest.mark.parametrize("shape", [(3, 8, 8, 2), (3, 8, 3)])
def test_wrong_inputs(shape):
    with pytest.raises(ValueError, match=r"(?s)Only images.*Received"):
        AdaptiveAugment("bgc")(np.zeros(shape, "float32"))


# ---- its control


def test_the_probability_follows_the_signs_of_real_outputs():
    """Two calls of 3 images: 6 / 6000 of the way from 0 to 1; the mean sign decides alone."""
    layer = AdaptiveAugment("b", target=0.0, every=2, kimg=6.0)
    layer.build((None, 8, 8, 1))
    signs = {  # of two batches, and what p is after them, in thousandths
        "mostly positive, though far from it on average": ([[1, 1, -50], [1, 1, 1]], 1),
        "still": ([[1, 2, 3], [4, 5, 6]], 2),
        "mostly negative": ([[-1, -1, -1], [-1, 9, 9]], 1),
        "balanced": ([[-1, 1, -1], [1, -2, 9]], 1),
        "not a number counts as none": ([[np.nan, -1, np.nan], [np.inf, -1, -1]], 0),
        "not below 0": ([[-1, -1, -1], [-1, -1, -1]], 0),
    }
    for case, (batches, expected) in signs.items():
        before = layer.probability.numpy()
        layer.adapt(tf.constant(batches[0], "float32")[:, None])
        assert layer.probability.numpy() == before
        layer.adapt(tf.constant(batches[1], "float32")[:, None])
        np.testing.assert_allclose(layer.probability.numpy(), expected / 1000, atol=1e-7), case
    layer.probability.assign(0.9999)
    for _ in range(2):
        layer.adapt(tf.ones((3, 1)))
    assert layer.probability.numpy() == 1.0
    fixed = AdaptiveAugment("b", probability=0.3, target=None, every=1)
    fixed.build((None, 8, 8, 1))
    fixed.adapt(tf.ones((3, 1)))
    assert fixed.probability.numpy() == np.float32(0.3)


def test_a_gan_adapts_logs_and_shows_the_probability():
    augment = {"policy": ["xflip"], "every": 1, "kimg": 0.016, "target": -0.9}  # 8 images: a half
    gan = keras_gans.DCGAN(
        networks.dcgan_generator((16, 16, 1), latent_dim=2, width=2, depth=1),
        networks.dcgan_discriminator((16, 16, 1), width=2, depth=1, augment=augment),
    )
    gan.compile(run_eagerly=True)
    gan.discriminator.layers[-1].bias.assign([9.0])  # all outputs are positive
    images = tf.zeros((16, 16, 16, 1))
    health = keras_gans.callbacks.TrainingHealth(every=1)
    logs = gan.fit(images, batch_size=8, callbacks=[health], verbose=0).history
    assert gan.augmentations[0].probability.numpy() == 1.0
    assert logs["augment_probability"] == [0.75] and sorted(logs) == sorted(gan.tracked)
    assert health.statistics["augment_probability"] == 1.0  # since the check before


def test_where_a_discriminator_has_it():
    network = networks.dcgan_discriminator((16, 16, 3), width=2, depth=1, augment="bg")
    assert network.layers[1].policy == "bg" and network.layers[1].target == 0.6
