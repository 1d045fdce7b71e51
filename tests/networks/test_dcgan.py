import itertools

import keras
import numpy as np
import pytest
from keras import layers

from keras_gans.networks import dcgan_discriminator, dcgan_generator

SIZES = [(16, 16), (17, 17), (28, 28), (30, 30), (32, 32), (33, 33), (45, 30), (64, 64), (96, 72)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size_from_16_up_grey_or_colour(size, channels):
    shape = (*size, channels)
    generator = dcgan_generator(shape, latent_dim=5, width=4)
    discriminator = dcgan_discriminator(shape, width=4)
    images = np.asarray(generator(np.random.default_rng(0).normal(size=(2, 5)).astype("float32")))
    assert images.shape == (2, *shape) and np.abs(images).max() <= 1.0
    assert discriminator(images).shape == (2, 1)


@pytest.mark.parametrize("size", SIZES)
def test_the_discriminator_goes_down_the_way_the_generator_comes_up(size):
    def grids(model, kinds):
        return [x.output.shape[1:3] for x in model.layers if isinstance(x, kinds)]

    up = dcgan_generator((*size, 1), width=4)
    down = dcgan_discriminator((*size, 1), width=4)
    # Where a row is cut, it is the cut that has the final size.
    sizes = grids(up, (layers.Conv2DTranspose, layers.Cropping2D))
    halves = grids(down, layers.Conv2D)
    assert set(halves[:-1]) <= set(sizes)
    assert size in sizes
    start = next(x for x in up.layers if isinstance(x, layers.Reshape)).output.shape[1:3]
    assert start == halves[-1] and min(start) in (4, 5, 6, 7)


def test_the_guidelines_of_radford_2015():
    generator = dcgan_generator((32, 32, 3), width=8)
    discriminator = dcgan_discriminator((32, 32, 3), width=8)
    names = [type(layer).__name__ for layer in generator.layers]
    up = ["Conv2DTranspose", "BatchNormalization", "ReLU"]
    assert names == [
        *("InputLayer", "Dense", "Reshape", "BatchNormalization", "ReLU"),
        *(*up, *up, "Conv2DTranspose", "Activation"),
    ]
    assert generator.layers[-1].activation is keras.activations.tanh
    names = [type(layer).__name__ for layer in discriminator.layers]
    down = ["Conv2D", "BatchNormalization", "LeakyReLU"]
    assert names == ["InputLayer", "Conv2D", "LeakyReLU", *down, *down, "Flatten", "Dense"]
    chain = [*generator.layers, *discriminator.layers]
    for layer, following in itertools.pairwise(chain):
        if isinstance(layer, (layers.Conv2D, layers.Conv2DTranspose)):
            assert layer.strides == (2, 2)
            # A bias before a normalisation would be subtracted again.
            assert layer.use_bias != isinstance(following, layers.BatchNormalization)
        if isinstance(layer, layers.LeakyReLU):
            assert layer.negative_slope == pytest.approx(0.2)
        if isinstance(layer, layers.BatchNormalization):
            assert (layer.momentum, layer.epsilon) == (0.9, 1e-5)


@pytest.mark.parametrize("make", [dcgan_generator, dcgan_discriminator])
def test_weights_start_from_a_normal_of_deviation_0_02_each_its_own(make):
    model = make((64, 64, 1), width=16, max_width=32)
    kernels = [layer.kernel.numpy() for layer in model.layers if hasattr(layer, "kernel")]
    assert len(kernels) == 5
    for kernel in kernels:
        # Five standard errors; few numbers vary more.
        assert kernel.std() == pytest.approx(0.02, rel=5 / np.sqrt(2 * kernel.size))
        assert abs(kernel.mean()) < 5 * 0.02 / np.sqrt(kernel.size)
    same = [kernel for kernel in kernels if kernel.shape == (4, 4, 32, 32)]
    assert len(same) == 2 and (same[0] != same[1]).all()
    again = make((64, 64, 1), width=16, max_width=32)
    assert (again.get_weights()[0] != model.get_weights()[0]).any()


def test_parameters_counted_by_hand():
    generator = dcgan_generator((28, 28, 1), latent_dim=10, width=4)
    # Dense to 7x7x8, its normalisation; 8 to 4 filters, its normalisation; 4 to 1 with a bias.
    assert generator.count_params() == 10 * 392 + 4 * 8 + 16 * 8 * 4 + 4 * 4 + 16 * 4 + 1
    discriminator = dcgan_discriminator((28, 28, 1), width=4)
    # 1 to 4 with a bias; 4 to 8, its normalisation; 7x7x8 values to a logit.
    assert discriminator.count_params() == 16 * 4 + 4 + 16 * 4 * 8 + 4 * 8 + 392 + 1


def test_options():
    plain = dcgan_discriminator((16, 16, 1), width=4, batch_normalization=False, dropout=0.3)
    kinds = [type(layer).__name__ for layer in plain.layers]
    assert "BatchNormalization" not in kinds and "Dropout" in kinds
    assert all(x.use_bias for x in plain.layers if isinstance(x, layers.Conv2D))
    widest = dcgan_generator((64, 64, 1), width=32, max_width=48)
    filters = [x.filters for x in widest.layers if isinstance(x, layers.Conv2DTranspose)]
    assert filters == [48, 48, 32, 1]


def test_images_and_logits_are_float32_under_any_policy():
    keras.config.set_dtype_policy("mixed_float16")
    assert dcgan_generator((16, 16, 1), width=4).outputs[0].dtype == "float32"
    assert dcgan_discriminator((16, 16, 1), width=4).outputs[0].dtype == "float32"


@pytest.mark.parametrize("make", [dcgan_generator, dcgan_discriminator])
@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((15, 28, 1), {}),
        ((28, 28), {}),
        (28, {}),
        ((28, 28, 0), {}),
        ((28.0, 28, 1), {}),
        ((28, 28, 1), {"width": 0}),
        ((28, 28, 1), {"width": True}),
        ((28, 28, 1), {"width": -4}),
        ((28, 28, 1), {"width": 4.0}),
        ((28, 28, 1), {"max_width": 0}),
        ((28, 28, 1), {"max_width": True}),
        ((28, 28, 1), {"max_width": 2.5}),
        ((28, 28, 1), {"kernel_size": 1}),
    ],
)
def test_bad_input(make, shape, options):
    with pytest.raises(ValueError, match="Received"):
        make(shape, **options)


@pytest.mark.parametrize("latent_dim", [0, -1, True, 2.0])
def test_bad_latent_dim(latent_dim):
    with pytest.raises(ValueError, match=f"`latent_dim`.*Received: latent_dim={latent_dim}"):
        dcgan_generator((28, 28, 1), latent_dim=latent_dim)


@pytest.mark.parametrize("dropout", [1.0, -0.1, float("nan"), True])
def test_bad_dropout(dropout):
    with pytest.raises(ValueError, match=f"`dropout`.*Received: dropout={dropout}"):
        dcgan_discriminator((28, 28, 1), dropout=dropout)
