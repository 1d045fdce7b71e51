"""A step of StyleGAN2, and its terms held against the authors' program.

The reference is NVlabs/stylegan2-ada-pytorch d72cc7d (PyTorch 1.7.1, CPU): small networks with random
weights, and what its `StyleGAN2Loss` makes of them.
"""

import functools
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans
from contract import GANContract, sgd
from keras_gans import networks, penalties
from keras_gans.zoo.converters import stylegan2 as converter

FOLDER = pathlib.Path(__file__).parents[1] / "reference"
SHAPE = (8, 8, 1)


def small(num_classes=None, augment=(), noise="const", **kwargs):
    options = {"num_classes": num_classes, "width": 4, "mapping_layers": 1}
    return keras_gans.StyleGAN2(
        networks.stylegan2_generator(SHAPE, 4, 4, noise=noise, **options),
        networks.stylegan2_discriminator(SHAPE, augment=augment, **options),
        **{"seed": 0, **kwargs},
    )


class TestStyleGAN2(GANContract):
    """Conditional, with augmentation; each replica has noise and augmentations of its own."""

    def make(self, **kwargs):
        return small(
            num_classes=3,
            augment={"policy": "b", "every": 2, "kimg": 0.032},
            noise=None,
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
    found = {"b32.conv0.weight": layer("b32_conv0").kernel, "b4.fc.weight": None}
    del found["b4.fc.weight"]
    for name in ("b16.conv1", "b16.skip", "b4.conv"):
        found[f"{name}.weight"] = layer(name.replace(".", "_")).kernel
    for name, gradient in zip(found, tape.gradient(loss, list(found.values()))):
        expected = gradient_of(f"r1_gradient/{name}")
        np.testing.assert_allclose(
            gradient, expected, rtol=0, atol=1e-8 + 3e-6 * np.abs(expected).max(), err_msg=name
        )
