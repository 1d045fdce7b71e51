import keras
import numpy as np
import pytest

from keras_gans.networks import mlp_discriminator, mlp_generator


@pytest.mark.parametrize("shape", [(1,), (2,), (8, 8, 1), (5, 7, 3)])
def test_points_and_images(shape):
    generator = mlp_generator(shape, latent_dim=3, width=8)
    latents = 100.0 * np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    made = np.asarray(generator(latents))
    assert made.shape == (4, *shape)
    assert mlp_discriminator(shape, width=8)(made).shape == (4, 1)
    # Images lie in [-1, 1]; points lie anywhere.
    assert (np.abs(made).max() <= 1.0) == (len(shape) == 3)


def test_parameters_counted_by_hand():
    generator = mlp_generator((2,), latent_dim=3, width=5, depth=2)
    assert generator.count_params() == (3 * 5 + 5) + (5 * 5 + 5) + (5 * 2 + 2)
    discriminator = mlp_discriminator((2,), width=5, depth=1)
    assert discriminator.count_params() == (2 * 5 + 5) + (5 + 1)


def test_layers_of_both():
    def kinds(model):
        return [type(layer).__name__ for layer in model.layers]

    generator = mlp_generator((4, 4, 1), latent_dim=3, width=5, depth=2)
    assert kinds(generator) == ["InputLayer", "Dense", "Dense", "Dense", "Reshape", "Activation"]
    assert generator.layers[1].activation is keras.activations.relu
    assert generator.layers[-1].activation is keras.activations.tanh
    assert mlp_generator((2,)).layers[-1].activation is keras.activations.linear
    discriminator = mlp_discriminator((4, 4, 1), width=5, depth=2, dropout=0.3)
    hidden = ["Dense", "LeakyReLU", "Dropout"]
    assert kinds(discriminator) == ["InputLayer", "Flatten", *hidden, *hidden, "Dense"]
    assert discriminator.layers[3].negative_slope == pytest.approx(0.2)
    assert discriminator.layers[4].rate == 0.3
    assert discriminator.layers[-1].activation is keras.activations.linear  # logits


def test_layers_of_one_shape_start_apart():
    first, second = (mlp_generator((2,), width=8, depth=3).layers[n].get_weights() for n in (2, 3))
    assert (first[0] != second[0]).all()


def test_float32_outputs_under_any_policy():
    keras.config.set_dtype_policy("mixed_float16")
    assert mlp_generator((2,)).outputs[0].dtype == "float32"
    assert mlp_discriminator((2,)).outputs[0].dtype == "float32"


@pytest.mark.parametrize(
    "call",
    [
        lambda: mlp_generator((0,)),
        lambda: mlp_generator((2.5,)),
        lambda: mlp_generator(()),
        lambda: mlp_generator((True,)),
        lambda: mlp_generator((2,), depth=1.0),
        lambda: mlp_discriminator((2,), dropout=1.0),
        lambda: mlp_discriminator((2,), dropout=-0.1),
        lambda: mlp_generator((2,), latent_dim=0),
        lambda: mlp_generator((2,), width=-1),
        lambda: mlp_discriminator((2,), depth=0),
    ],
)
def test_bad_input(call):
    with pytest.raises(ValueError, match="Received"):
        call()
