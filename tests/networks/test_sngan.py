import itertools

import keras
import numpy as np
import pytest

from keras_gans import interface, networks
from keras_gans.layers import SelfAttention2D, SpectralNormalization


def trainable(network):
    return sum(int(np.prod(w.shape)) for w in network.trainable_weights)


def conv(before, after, size=3, bias=True):
    return before * after * size**2 + after * bias


def attention(channels):  # f, g of an eighth, h of a half, o back, gamma
    return 2 * channels * (channels // 8) + 2 * channels * (channels // 2) + 1


def sagan(c, classes):
    """Trainable weights of the pair at 128x128, layer by layer (Zhang 2018: c is 64, z of 128)."""
    widths = [16 * c, 16 * c, 8 * c, 4 * c, 2 * c, c]
    generator = 129 * 16 * 16 * c + 2 * c + conv(c, 3) + attention(4 * c)
    for before, after in itertools.pairwise(widths):
        generator += 2 * classes * (before + after)
        generator += conv(before, after) + conv(after, after) + conv(before, after, 1)
    discriminator = conv(3, c) + conv(c, c) + conv(3, c, 1) + attention(2 * c)
    for before, after in itertools.pairwise([c, 2 * c, 4 * c, 8 * c, 16 * c]):
        discriminator += conv(before, before) + conv(before, after) + conv(before, after, 1)
    discriminator += 2 * conv(16 * c, 16 * c) + 16 * c + 1 + classes * 16 * c
    return generator, discriminator


def test_parameters_for_cifar_10():
    # Miyato 2018, table 4, layer by layer: the generator also has gamma and beta before its blocks.
    block = 2 * 2 * 256 + 2 * conv(256, 256) + conv(256, 256, 1)
    expected = 129 * 4 * 4 * 256 + 3 * block + 2 * 256 + conv(256, 3)
    assert trainable(networks.sngan_generator((32, 32, 3))) == expected
    first = conv(3, 128) + conv(128, 128) + conv(3, 128, 1)
    halved = 2 * conv(128, 128) + conv(128, 128, 1)
    expected = first + halved + 4 * conv(128, 128) + 129
    assert trainable(networks.sngan_discriminator((32, 32, 3))) == expected


def test_parameters_of_sagan():
    shape, classes, widths = (128, 128, 3), 10, {"width": 8, "max_width": 128}
    generator = networks.sagan_generator(shape, classes, **widths)
    discriminator = networks.sagan_discriminator(shape, classes, **widths)
    assert (trainable(generator), trainable(discriminator)) == sagan(8, classes)
    for network, size in ((generator, 32), (discriminator, 32)):
        (found,) = (x for x in network.layers if isinstance(x, SelfAttention2D))
        assert found.output.shape[1] == size


@pytest.mark.parametrize("classes", [None, 3, {"hair": 2, "glasses": 3}])
@pytest.mark.parametrize("shape", [(16, 16, 1), (28, 20, 3)])
def test_a_pair_of_any_size(shape, classes):
    options = {"width": 8, "max_width": 8, "attention": min(shape[:2]) // 2}
    generator = networks.sngan_generator(shape, classes, latent_dim=5, **options)
    discriminator = networks.sngan_discriminator(shape, classes, augment=["color"], **options)
    labels = [np.array([0, 1])] * (0 if classes is None else 1 if classes == 3 else 2)
    latents = np.ones((2, 5), "float32")
    images = np.array(generator([latents, *labels] if labels else latents))
    assert images.shape == (2, *shape) and np.abs(images).max() <= 1.0
    assert discriminator([images, *labels] if labels else images).shape == (2, 1)
    names = [port.name for port in interface.of(generator).labels]
    assert names == (["labels"] if classes == 3 else list(classes or ()))
    copy = keras.Model.from_config(generator.get_config())
    assert copy.count_params() == generator.count_params()


def test_every_layer_with_weights_of_the_discriminator_is_normalised():
    network = networks.sagan_discriminator((32, 32, 3), 2, width=8, max_width=8, attention=16)
    for layer in network.layers:
        if layer.weights:
            assert isinstance(layer, (SpectralNormalization, SelfAttention2D)), layer
    assert any(isinstance(layer, SelfAttention2D) for layer in network.layers)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: networks.sngan_generator((16, 16, 3), attention=12), r"\[16, 8\].*attention=12"),
        (lambda: networks.sagan_discriminator((32, 32, 3), attention=32), r"\[16, 8, 4\]"),
        (lambda: networks.sngan_discriminator((16, 16, 3), flat_blocks=-1), "flat_blocks"),
        (lambda: networks.sngan_generator((16, 16, 3), width=0), "width"),
        (lambda: networks.sngan_generator((16, 16, 3), num_classes=1), "num_classes"),
        (lambda: networks.sngan_generator((8, 8, 3)), "16"),
    ],
)
def test_what_cannot_be_built(make, message):
    with pytest.raises(ValueError, match=message):
        make()
