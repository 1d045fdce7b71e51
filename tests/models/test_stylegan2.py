"""A step of StyleGAN2, and its terms compared with the authors' program.

The reference is NVlabs/stylegan2-ada-pytorch d72cc7d (PyTorch 1.7.1, CPU): small networks with
random weights, and what its `StyleGAN2Loss` makes of them.
"""

import functools
import pathlib

import numpy as np
import pytest
import tensorflow as tf

import keras_gans
from contract import GANContract
from keras_gans import networks, penalties
from keras_gans.zoo.converters import stylegan2 as converter

FOLDER = pathlib.Path(__file__).parents[1] / "reference"
SHAPE = (8, 8, 1)


def small(num_classes=None, augment=(), noise="const", features=1, **kwargs):
    options = {"num_classes": num_classes, "width": 4, "mapping_layers": 1}
    return keras_gans.StyleGAN2(
        networks.stylegan2_generator(SHAPE, 4, 4, noise=noise, **options),
        networks.stylegan2_discriminator(SHAPE, augment=augment, features=features, **options),
        **{"seed": 0, **kwargs},
    )


class TestStyleGAN2(GANContract):
    """Conditional, with augmentation; noise and groups of images are each replica's own."""

    def make(self, **kwargs):
        return small(
            num_classes=3,
            augment={"policy": "b", "every": 2, "kimg": 0.032},
            noise=None,
            features=0,
            penalties={"r1_penalty": {"weight": 0.5, "every": 2}},
            path_length_weight=1.0,
            path_length_every=2,
            path_length_decay=0.1,
            style_mixing=0.5,
            style_decay=0.9,
            **kwargs,
        )

    def batches(self, number=3, size=8):
        rng = np.random.default_rng(0)
        images = np.tanh(rng.normal(size=(number, size, *SHAPE))).astype("float32")
        return images, rng.integers(0, 3, (number, size)).astype("int32")

    @pytest.mark.by_hand  # its graphs take half a minute to build
    def test_one_replica_and_two_agree(self, two_replicas, tmp_path):
        super().test_one_replica_and_two_agree(two_replicas, tmp_path)

    @pytest.mark.by_hand
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
    def test_half_precision_stays_finite_and_trains(self, policy):
        super().test_half_precision_stays_finite_and_trains(policy)


# ---- the terms


@functools.cache
def reference():
    with np.load(FOLDER / "stylegan2_losses.npz") as arrays:
        return dict(arrays)


def nhwc(name):
    return tf.constant(np.transpose(reference()[name], (0, 2, 3, 1)))


def gradient_of(reference_name):
    """A stored gradient of a kernel or matrix, as Keras has it."""
    array = reference()[reference_name]
    return np.transpose(array, (2, 3, 1, 0)) if array.ndim == 4 else array.T


class Fixed(keras_gans.StyleGAN2):
    """The stored latents, the noise of the program, and no mixing."""

    synthesis = property(
        lambda gan: lambda w, training: networks.stylegan2.parts(gan.generator)[2](w)
    )

    def drawn_styles(self, like):
        return reference()["pl_z"], reference()["pl_z"], 8

    def noise(self, like):
        return nhwc("pl_noise_standard_normal")


@pytest.fixture(scope="module")
def read():
    file = FOLDER / "stylegan2_unconditional.pkl"
    generator = converter.load_generator(file, averaged=False)
    return generator, converter.load_discriminator(file)


def test_path_lengths_are_those_of_the_authors_program(read):
    gan = Fixed(*read, path_length_weight=2.0, path_length_every=1)
    gan.compile(run_eagerly=True)
    gan.path_length.assign(reference()["pl_mean_before"])
    np.testing.assert_allclose(gan.truncation.average, reference()["w_avg_before"])
    with tf.GradientTape() as tape:
        penalty = gan.path_length_penalty(tf.zeros((8, 32, 32, 3)))["path_length_penalty"]
        loss = tf.reduce_mean(penalty)
    np.testing.assert_allclose(penalty, 2 * reference()["pl_penalty"], rtol=2e-5)
    np.testing.assert_allclose(gan.path_length, reference()["pl_mean_after"], rtol=1e-6)
    np.testing.assert_allclose(gan.truncation.average, reference()["w_avg_after"], atol=1e-6)
    layers = gan.generator.get_layer("synthesis").get_layer
    found = {
        "synthesis.b8.conv0.weight": layers("b8_conv0").kernel,
        "synthesis.b32.conv1.affine.weight": layers("b32_conv1").affine.kernel,
        "synthesis.b16.torgb.weight": layers("b16_to_rgb").kernel,
        "mapping.fc1.weight": gan.mapping.get_layer("fc1").kernel,
    }
    gradients = tape.gradient(loss, list(found.values()))
    for name, gradient in zip(found, gradients):
        expected = gradient_of(f"pl_gradient/{name}")
        np.testing.assert_allclose(gradient, expected, rtol=0, atol=3e-6, err_msg=name)


def test_r1_is_that_of_the_authors_program(read):
    _, discriminator = read
    images = nhwc("r1_images")
    with tf.GradientTape() as tape:
        with tf.GradientTape() as slopes:
            slopes.watch(images)
            logits = discriminator(images, training=True)
        squared = penalties.squared_slopes(slopes, logits, images)
        loss = tf.reduce_mean(5.0 * squared)
    np.testing.assert_allclose(logits, reference()["r1_logits"], atol=2e-6)
    np.testing.assert_allclose(squared, reference()["r1_squared_slope"], rtol=2e-5)
    np.testing.assert_allclose(penalties.r1_penalty(discriminator, images), squared / 2, rtol=1e-5)
    layer = discriminator.get_layer
    names = ("b32.conv0", "b16.conv1", "b16.skip", "b4.conv")
    found = {f"{name}.weight": layer(name.replace(".", "_")).kernel for name in names}
    for name, gradient in zip(found, tape.gradient(loss, list(found.values()))):
        expected = gradient_of(f"r1_gradient/{name}")
        np.testing.assert_allclose(gradient, expected, rtol=0, atol=5e-9, err_msg=name)


# ---- the step


def test_styles_are_mixed_from_a_place_on_that_is_one_for_the_batch(read):
    gan = keras_gans.StyleGAN2(*read, style_mixing=0.9, seed=3)
    first, second = tf.ones((3, 12)), tf.random.stateless_normal((3, 12), (1, 2))
    before = gan.truncation.average.numpy()
    w, other = gan.mapping(first).numpy(), gan.mapping(second).numpy()
    for start in (1, 5, 8):
        mixed = gan.mixed_styles(first, second, tf.constant(start)).numpy()
        np.testing.assert_array_equal(mixed[:, :start], w[:, None].repeat(start, 1))
        np.testing.assert_array_equal(mixed[:, start:], other[:, None].repeat(8 - start, 1))
    after = w.mean(0) + 0.995**3 * (before - w.mean(0))  # the others do not move it
    np.testing.assert_allclose(gan.truncation.average, after, atol=1e-6)
    starts = [int(gan.drawn_styles(tf.zeros((2, 1)))[2]) for _ in range(80)]
    assert set(starts) == set(range(1, 9))
    assert abs(np.mean([start == 8 for start in starts]) - 0.1) < 4 * 0.3 / 80**0.5
    gan.style_mixing = 0.0
    assert {int(gan.drawn_styles(tf.zeros((2, 1)))[2]) for _ in range(9)} == {8}


def test_lazy_terms_are_taken_when_due_and_nothing_of_them_is_computed_between():
    gan = small(penalties={"r1_penalty": {"weight": 2.0, "every": 3}}, path_length_every=2)
    gan.compile(run_eagerly=True)
    passes, call = [], gan.discriminator.call
    gan.discriminator.call = lambda *args, **kwargs: passes.append(1) or call(*args, **kwargs)
    images = tf.random.stateless_uniform((4, *SHAPE), (1, 2), -1.0, 1.0)
    logs = []
    for _ in range(4):
        gan.reset_metrics()
        logs.append(gan.train_on_batch(images, return_dict=True))
    assert [log["r1_penalty"] > 0 for log in logs] == [True, False, False, True]
    assert [log["path_length_penalty"] > 0 for log in logs] == [True, False, True, False]
    assert len(passes) == 4 * 3  # real, generated, and generated for the generator
    assert gan.path_length.numpy() > 0


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"style_mixing": 1.5}, "`style_mixing`"),
        ({"style_mixing": -0.5}, "`style_mixing`"),
        ({"style_decay": 1.0}, "`style_decay`"),
        ({"path_length_weight": -1.0}, "`path_length_weight`"),
        ({"path_length_every": 0}, "`path_length_every`"),
        ({"path_length_decay": 1.0}, "`path_length_decay`"),
    ],
)
def test_wrong_arguments(read, arguments, message):
    with pytest.raises(ValueError, match=f"(?s){message}.*Received"):
        keras_gans.StyleGAN2(*read, **arguments)


def test_wrong_networks(read):
    plain = networks.dcgan_generator((32, 32, 3), latent_dim=4, width=2)
    with pytest.raises(ValueError, match="Only a generator with styles"):
        keras_gans.StyleGAN2(plain, read[1])
    labelled = networks.conditional_dcgan_discriminator((32, 32, 3), num_classes=3, width=2)
    with pytest.raises(ValueError, match="must take `images`"):
        keras_gans.StyleGAN2(read[0], labelled)
    with pytest.raises(ValueError, match=r"num_classes.*Received"):
        keras_gans.StyleGAN2(*read, num_classes=3)
