"""Discriminators with heads, the auto-encoder, and the residual pair."""

import keras
import numpy as np
import pytest
from keras import layers

import keras_gans
from keras_gans import networks
from keras_gans.layers import DiffAugment

SHAPES = [(16, 16, 1), (28, 28, 3), (33, 20, 1)]


def noise(shape, number=2):
    return np.random.default_rng(0).uniform(-1, 1, size=(number, *shape)).astype("float32")


@pytest.mark.parametrize("shape", SHAPES)
def test_heads_of_any_size(shape):
    heads = networks.acgan_discriminator(shape, 3, width=4)(noise(shape))
    assert [x.shape for x in heads] == [(2, 1), (2, 3)]
    heads = networks.infogan_discriminator(shape, (3, 4), 2, width=4)(noise(shape))
    assert [x.shape for x in heads] == [(2, 1), (2, 3), (2, 4), (2, 2)]
    heads = networks.infogan_discriminator(shape, (3,), 0, width=4)(noise(shape))
    assert [x.shape for x in heads] == [(2, 1), (2, 3)]
    classes, features = networks.semi_supervised_discriminator(shape, 3, width=4)(noise(shape))
    assert classes.shape == (2, 3) and len(features.shape) == 2


def test_features_are_what_the_classes_are_read_from():
    network = networks.semi_supervised_discriminator((16, 16, 1), 3, width=4)
    classes, features = network(noise((16, 16, 1)))
    kernel, bias = network.get_layer("class_logits").get_weights()
    np.testing.assert_allclose(classes, features @ kernel + bias, atol=1e-5)


def test_options_of_the_heads():
    def kinds(network):
        return [type(x).__name__ for x in network.layers]

    shape = (16, 16, 1)
    plain = networks.acgan_discriminator(shape, 3, width=4, batch_normalization=False, dropout=0.5)
    assert "BatchNormalization" not in kinds(plain) and "Dropout" in kinds(plain)
    plain = networks.infogan_discriminator(shape, width=4, batch_normalization=False)
    assert "BatchNormalization" not in kinds(plain)
    bare = networks.semi_supervised_discriminator(shape, 3, width=4, noise=0.0, dropout=0.0)
    assert not {"GaussianNoise", "Dropout"} & set(kinds(bare))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("batch_normalization", [True, False])
def test_the_auto_encoder_goes_through_its_code(shape, batch_normalization):
    network = networks.autoencoder_discriminator(
        shape, code_dim=6, width=4, batch_normalization=batch_normalization
    )
    copies, codes = network(noise(shape))
    assert copies.shape == (2, *shape) and codes.shape == (2, 6)
    assert np.abs(copies).max() <= 1.0
    # With its codes made equal, it copies all images alike.
    network.get_layer("codes").set_weights(
        [np.zeros_like(w) for w in network.get_layer("codes").get_weights()]
    )
    copies, _ = network(noise(shape))
    np.testing.assert_allclose(copies[0], copies[1], atol=1e-6)
    kinds = {type(x).__name__ for x in network.layers}
    assert ("BatchNormalization" in kinds) == batch_normalization


@pytest.mark.parametrize("shape", [*SHAPES, (64, 64, 3)])
@pytest.mark.parametrize("blocks", [1, 2])
def test_the_residual_pair(shape, blocks):
    generator = networks.r3gan_generator(shape, latent_dim=5, width=4, blocks=blocks)
    discriminator = networks.r3gan_discriminator(shape, width=4, blocks=blocks)
    z = np.random.default_rng(0).normal(size=(2, 5)).astype("float32")
    images = np.asarray(generator(z))
    assert images.shape == (2, *shape) and np.abs(images).max() <= 1.0
    assert discriminator(images).shape == (2, 1)
    for network in (generator, discriminator):
        assert not any(isinstance(x, layers.BatchNormalization) for x in network.layers)
        grids = {28: 3, 16: 3, 64: 5, 33: 3}[shape[0]]
        assert sum(isinstance(x, layers.Add) for x in network.layers) == grids * blocks


def test_a_residual_block_starts_as_the_identity_and_as_fixup_says():
    network = networks.r3gan_discriminator((32, 32, 1), width=32, max_width=32, expansion=2)
    add = next(x for x in network.layers if isinstance(x, layers.Add))
    shortcut, branch = (keras.Model(network.input, x) for x in add.input)
    x = noise((32, 32, 1))
    assert np.abs(branch(x)).max() == 0.0 and np.abs(shortcut(x)).max() > 0.0
    first = [x for x in network.layers if isinstance(x, layers.Conv2D) and x.filters == 64]
    blocks = 4  # 32, 16, 8 and 4 a side
    for convolution in first:
        kernel = convolution.kernel.numpy()
        fan_in = np.prod(kernel.shape[:3])
        expected = np.sqrt(2 / 1.04 / fan_in) * blocks**-0.25
        assert kernel.std() == pytest.approx(expected, rel=5 / np.sqrt(2 * kernel.size))
    assert len(first) == 2 * blocks


def test_groups_of_the_residual_pair():
    one, four = (networks.r3gan_discriminator((16, 16, 1), width=8, groups=n) for n in (1, 4))
    assert four.count_params() < one.count_params()
    assert np.isfinite(four(noise((16, 16, 1)))).all()


@pytest.mark.parametrize("make", [networks.dcgan_discriminator, networks.r3gan_discriminator])
def test_augmentation_comes_first_and_only_in_training(make):
    network = make((16, 16, 1), width=4, augment=("translation",))
    assert isinstance(network.layers[1], DiffAugment)
    network = make((16, 16, 1), width=4, augment=["translation", "cutout"])  # as JSON has it
    x = noise((16, 16, 1))
    np.testing.assert_array_equal(network(x), network(x))
    assert np.abs(network(x, training=True) - network(x)).max() > 0
    assert not any(isinstance(x, DiffAugment) for x in make((16, 16, 1), width=4).layers)


@pytest.mark.parametrize(
    "make", [networks.conditional_dcgan_discriminator, networks.projection_discriminator]
)
def test_images_are_augmented_and_classes_are_not(make):
    network = make((16, 16, 3), {"hair": 2, "age": 3}, width=4, augment=["translation", "cutout"])
    (layer,) = [x for x in network.layers if isinstance(x, DiffAugment)]
    assert layer.output.shape == (None, 16, 16, 3)
    given = [noise((16, 16, 3)), *np.zeros((2, 2), "int32")]
    np.testing.assert_array_equal(network(given), network(given))
    assert np.abs(network(given, training=True) - network(given)).max() > 0


def test_heads_are_float32_under_any_policy():
    keras.config.set_dtype_policy("mixed_float16")
    shape = (16, 16, 1)
    for network in (
        networks.acgan_discriminator(shape, 3, width=4),
        networks.infogan_discriminator(shape, width=4),
        networks.semi_supervised_discriminator(shape, 3, width=4),
        networks.autoencoder_discriminator(shape, width=4),
        networks.r3gan_generator(shape, width=4),
        networks.r3gan_discriminator(shape, width=4),
    ):
        assert {x.dtype for x in network.outputs} == {"float32"}


@pytest.mark.parametrize(
    "make",
    [
        lambda: networks.acgan_discriminator((16, 16, 1), 1),
        lambda: networks.acgan_discriminator((15, 16, 1), 3),
        lambda: networks.infogan_discriminator((16, 16, 1), (1,)),
        lambda: networks.infogan_discriminator((16, 16, 1), continuous=-1),
        lambda: networks.infogan_discriminator((16, 16, 1), code_units=0),
        lambda: networks.semi_supervised_discriminator((16, 16, 1), 1),
        lambda: networks.semi_supervised_discriminator((16, 16, 1), 3, dropout=1.0),
        lambda: networks.semi_supervised_discriminator((16, 16, 1), 3, noise=-0.1),
        lambda: networks.autoencoder_discriminator((16, 16, 1), code_dim=0),
        lambda: networks.r3gan_generator((15, 16, 1)),
        lambda: networks.r3gan_generator((16, 16, 1), blocks=0),
        lambda: networks.r3gan_generator((16, 16, 1), expansion=0),
        lambda: networks.r3gan_discriminator((16, 16, 1), groups=0),
        lambda: networks.r3gan_discriminator((16, 16, 1), width=0),
        lambda: networks.mlp_discriminator((2,), minibatch_kernels=-1),
    ],
)
def test_bad_input(make):
    with pytest.raises(ValueError, match="Received|received"):
        make()


@pytest.mark.parametrize("stochastic, categorical", [(False, 0), (True, 0), (False, 3)])
@pytest.mark.parametrize("build", [networks.dcgan_encoder, networks.mlp_encoder])
def test_an_encoder_says_what_it_makes(build, stochastic, categorical):
    network = build((16, 16, 1), 5, width=4, stochastic=stochastic, categorical=categorical)
    sizes = [5, 5] if stochastic else [2, 3] if categorical else [5]
    assert [tuple(output.shape)[1:] for output in network.outputs] == [(size,) for size in sizes]
    described = keras_gans.interface.of(network)
    assert [port.shape for port in described.outputs] == [(size,) for size in sizes]
    assert described.image.shape == (16, 16, 1)


def test_a_joint_discriminator_looks_at_both_parts_of_a_pair():
    network = networks.joint_discriminator((16, 16, 1), 3, width=4, units=8, dropout=0.5)
    images, latents = noise((16, 16, 1)), np.ones((len(noise((16, 16, 1))), 3), "float32")
    first = network([images, latents])
    assert first.shape == (len(images), 1) and first.dtype == "float32"
    assert np.abs(first - network([images[::-1], latents])).max() > 0
    assert np.abs(first - network([images, 2 * latents])).max() > 0


@pytest.mark.parametrize(
    "build",
    [
        lambda: networks.dcgan_encoder((16, 16, 1), 0),
        lambda: networks.mlp_encoder((16, 16, 1), 3, categorical=3),
        lambda: networks.mlp_encoder((16, 16, 1), 3, categorical=1),
        lambda: networks.mlp_encoder((16, 16, 1), 5, categorical=2, stochastic=True),
        lambda: networks.joint_discriminator((16, 16, 1), 0),
        lambda: networks.joint_discriminator((16, 16, 1), 3, dropout=1.0),
        lambda: networks.joint_discriminator((16, 16, 1), 3, units=0),
    ],
)
def test_encoders_and_pairs_that_cannot_be_built(build):
    with pytest.raises(ValueError, match="Received"):
        build()
