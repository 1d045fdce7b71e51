import itertools

import keras
import numpy as np
import pytest

from keras_gans import interface, layers, networks

SHAPE = (16, 16, 1)
GENERATORS = [
    networks.conditional_mlp_generator,
    networks.conditional_dcgan_generator,
    networks.conditional_batch_norm_generator,
]
DISCRIMINATORS = [
    networks.conditional_mlp_discriminator,
    networks.conditional_dcgan_discriminator,
    networks.projection_discriminator,
]


@pytest.mark.parametrize("make", GENERATORS)
@pytest.mark.parametrize("shape", [(16, 16, 1), (28, 28, 3), (33, 20, 1)])
def test_generators_make_images_of_a_class(make, shape):
    generator = make(shape, 3, latent_dim=5, width=4)
    assert [x.name for x in generator.inputs] == ["latents", "labels"]
    z = np.random.default_rng(0).normal(size=(3, 5)).astype("float32")
    images = np.asarray(generator([z, np.array([0, 1, 1])]))
    assert images.shape == (3, *shape) and np.abs(images).max() <= 1.0
    if make is networks.conditional_batch_norm_generator:
        # All classes start alike: gains of 1, offsets of 0.
        for layer in generator.layers:
            if isinstance(layer, layers.ConditionalBatchNormalization):
                gamma = layer.trainable_variables[0]
                gamma.assign(gamma + np.arange(3)[:, None])
    # The same latents, another class: another image; the same class: the same.
    one, other, same = (np.asarray(generator([z, np.full(3, k)])) for k in (0, 2, 0))
    assert np.abs(one - other).max() > 1e-6
    np.testing.assert_array_equal(one, same)


@pytest.mark.parametrize("make", DISCRIMINATORS)
@pytest.mark.parametrize("shape", [(16, 16, 1), (28, 28, 3), (33, 20, 1)])
def test_discriminators_judge_an_image_by_its_class(make, shape):
    discriminator = make(shape, 3, width=4)
    assert [x.name for x in discriminator.inputs] == ["images", "labels"]
    images = np.random.default_rng(0).uniform(-1, 1, size=(2, *shape)).astype("float32")
    logits = [np.asarray(discriminator([images, np.full(2, k)])) for k in (0, 1, 0)]
    assert logits[0].shape == (2, 1)
    assert np.abs(logits[0] - logits[1]).max() > 0
    np.testing.assert_array_equal(logits[0], logits[2])


def test_the_projection_is_that_of_equation_3():
    """psi(phi) + v(y) . phi, with phi the sum over the grid of what the convolutions answer."""
    network = networks.projection_discriminator(SHAPE, 3, width=4, spectral_normalization=False)
    network.set_weights(
        [np.random.default_rng(i).normal(size=w.shape) for i, w in enumerate(network.get_weights())]
    )
    images = np.random.default_rng(0).uniform(-1, 1, size=(3, *SHAPE)).astype("float32")
    labels = np.array([2, 0, 2])
    last = [x for x in network.layers if isinstance(x, keras.layers.LeakyReLU)][-1]
    maps = np.asarray(keras.Model(network.inputs[0], last.output)(images))
    phi = maps.sum(axis=(1, 2))
    (dense,) = (x for x in network.layers if isinstance(x, keras.layers.Dense))
    (embedding,) = (x for x in network.layers if isinstance(x, keras.layers.Embedding))
    kernel, bias = dense.get_weights()
    v = embedding.get_weights()[0]
    expected = phi @ kernel + bias + (v[labels] * phi).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(network([images, labels]), expected, rtol=1e-4)


def test_every_layer_of_the_projection_is_normalised():
    network = networks.projection_discriminator(SHAPE, 3, width=4)
    wrapped = [x.layer for x in network.layers if isinstance(x, layers.SpectralNormalization)]
    kinds = [type(x).__name__ for x in wrapped]
    assert sorted(kinds) == ["Conv2D", "Conv2D", "Dense", "Embedding"]
    plain = {"Conv2D", "Dense", "Embedding", "BatchNormalization"}
    assert not plain & {type(x).__name__ for x in network.layers}


def test_labels_are_extra_channels_of_the_convolutional_pair():
    generator = networks.conditional_dcgan_generator(SHAPE, 3, width=4, label_channels=5)
    first = next(x for x in generator.layers if isinstance(x, keras.layers.Conv2DTranspose))
    assert first.input.shape == (None, 4, 4, 8 + 5)
    discriminator = networks.conditional_dcgan_discriminator(SHAPE, 3, width=4, label_channels=2)
    first = next(x for x in discriminator.layers if isinstance(x, keras.layers.Conv2D))
    assert first.input.shape == (None, 16, 16, 1 + 2)


def test_images_and_logits_are_float32_under_any_policy():
    keras.config.set_dtype_policy("mixed_float16")
    for make in GENERATORS + DISCRIMINATORS:
        assert make(SHAPE, 3, width=4).outputs[0].dtype == "float32"


def test_options():
    plain = networks.conditional_dcgan_discriminator(
        SHAPE, 3, width=4, batch_normalization=False, dropout=0.2
    )
    kinds = {type(x).__name__ for x in plain.layers}
    assert "BatchNormalization" not in kinds and "Dropout" in kinds


@pytest.mark.parametrize("make", GENERATORS + DISCRIMINATORS)
@pytest.mark.parametrize("num_classes", [1, 0, -3, 2.0, True])
def test_bad_numbers_of_classes(make, num_classes):
    with pytest.raises(ValueError, match=f"`num_classes`.*Received: num_classes={num_classes}"):
        make(SHAPE, num_classes)


@pytest.mark.parametrize(
    "make",
    [
        lambda: networks.conditional_dcgan_generator((15, 28, 1), 3),
        lambda: networks.conditional_dcgan_generator(SHAPE, 3, label_channels=0),
        lambda: networks.conditional_dcgan_generator(SHAPE, 3, latent_dim=0),
        lambda: networks.conditional_batch_norm_generator(SHAPE, 3, latent_dim=0),
        lambda: networks.conditional_mlp_generator(SHAPE, 3, embedding_dim=0),
        lambda: networks.conditional_mlp_discriminator(SHAPE, 3, embedding_dim=0),
        lambda: networks.conditional_dcgan_discriminator(SHAPE, 3, dropout=1.0),
        lambda: networks.projection_discriminator((28, 28), 3),
        lambda: networks.projection_discriminator(SHAPE, 3, width=0),
    ],
)
def test_bad_input(make):
    with pytest.raises(ValueError, match="Received"):
        make()


CONDITIONS = {"hair": 3, "glasses": 2}


@pytest.mark.parametrize("make", GENERATORS + DISCRIMINATORS)
def test_several_conditions_each_have_an_input(make):
    network = make(SHAPE, CONDITIONS, width=4)
    assert [x.name for x in network.inputs][1:] == ["hair", "glasses"]
    found = interface.of(network)
    assert {port.name: port.num_classes for port in found.labels} == CONDITIONS
    rng = np.random.default_rng(0)
    if make is networks.conditional_batch_norm_generator:  # all classes start alike
        network.set_weights([rng.normal(size=w.shape) ** 2 for w in network.get_weights()])
    first = rng.normal(size=(2, *network.inputs[0].shape[1:])).clip(-1, 1)
    made = {
        (hair, glasses): np.asarray(network([first, np.full(2, hair), np.full(2, glasses)]))
        for hair in range(3)
        for glasses in range(2)
    }
    for one, other in itertools.combinations(made, 2):
        assert np.abs(made[one] - made[other]).max() > 1e-7


@pytest.mark.parametrize("make", GENERATORS + DISCRIMINATORS)
def test_one_condition_has_the_weights_of_plain_labels(make):
    """A name changes neither layers nor weights."""
    networks_ = []
    for num_classes in (3, {"hair": 3}):
        keras.utils.clear_session()
        keras.utils.set_random_seed(1)
        networks_.append(make(SHAPE, num_classes, width=4))
    plain, named = networks_
    assert [w.path for w in plain.weights] == [w.path for w in named.weights]
    assert all((a == b).all() for a, b in zip(plain.get_weights(), named.get_weights()))
    assert not interface.is_stated(plain)
    assert [port.name for port in interface.of(named).labels] == ["hair"]
    copy = networks.synchronized(named)
    assert interface.of(copy) == interface.of(named)


def test_the_projections_of_several_conditions_add_up():
    network = networks.projection_discriminator(
        SHAPE, CONDITIONS, width=4, spectral_normalization=False
    )
    network.set_weights(
        [np.random.default_rng(i).normal(size=w.shape) for i, w in enumerate(network.get_weights())]
    )
    images = np.random.default_rng(0).uniform(-1, 1, size=(3, *SHAPE)).astype("float32")
    hair, glasses = np.array([2, 0, 2]), np.array([1, 1, 0])
    last = [x for x in network.layers if isinstance(x, keras.layers.LeakyReLU)][-1]
    phi = np.asarray(keras.Model(network.inputs[0], last.output)(images)).sum(axis=(1, 2))
    (dense,) = (x for x in network.layers if isinstance(x, keras.layers.Dense))
    kernel, bias = dense.get_weights()
    v = [x.get_weights()[0] for x in network.layers if isinstance(x, keras.layers.Embedding)]
    assert [len(table) for table in v] == [3, 2]
    both = v[0][hair] + v[1][glasses]
    expected = phi @ kernel + bias + (both * phi).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(network([images, hair, glasses]), expected, rtol=1e-4)


@pytest.mark.parametrize("make", [GENERATORS[0], DISCRIMINATORS[0]])
@pytest.mark.parametrize(
    ("num_classes", "message"),
    [
        ({}, "needs a condition"),
        ({"hair": 1}, r"`num_classes \(hair\)`"),
        ({"hair": "3"}, "integer of at least 2"),
        ({"hair colour": 3}, "must be an identifier"),
        ({"seed": 3}, "none that `generate` has"),
        ({"latents": 3}, "none that `generate` has"),
        ({3: 3}, "must be an identifier"),
    ],
)
def test_bad_conditions(make, num_classes, message):
    with pytest.raises(ValueError, match=f"{message}.*Received"):
        make(SHAPE, num_classes)
