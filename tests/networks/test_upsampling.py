"""Ways to upsample in the translators: what they share, and which leave a grid."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_gans import networks
from keras_gans.layers import Blur2D, PixelShuffle
from keras_gans.networks import translation

SHAPE = (32, 32, 3)
WAYS = translation.UPSAMPLINGS
FLAT = np.full((1, *SHAPE), 0.3, "float32")


def unet(upsampling, **options):
    # Without skips from shallow sizes nothing hides what a step up does.
    options = {"width": 4, "dropout": 0.0, "normalization": "instance", **options}
    return networks.unet_generator(SHAPE, upsampling=upsampling, **options)


def resnet(upsampling, **options):
    return networks.resnet_generator(SHAPE, width=4, blocks=1, upsampling=upsampling, **options)


def number(model, kind):
    return sum(isinstance(layer, kind) for layer in model.layers)


@pytest.mark.parametrize(("build", "steps"), [(unet, 5), (resnet, 2)])
@pytest.mark.parametrize("upsampling", WAYS)
def test_each_way_has_its_layers(build, steps, upsampling):
    model = build(upsampling)
    assert model.output_shape == (None, *SHAPE)
    found = [number(model, kind) for kind in (layers.Conv2DTranspose, Blur2D)]
    found += [number(model, kind) for kind in (layers.UpSampling2D, PixelShuffle)]
    expected = {
        "transposed": [steps, 0, 0, 0],
        "blurred": [steps, steps, 0, 0],
        "resize": [0, 0, steps, 0],
        "subpixel": [0, 0, 0, steps],
    }
    assert found == expected[upsampling]


@pytest.mark.parametrize("build", [unet, resnet])
def test_the_default_is_the_papers_and_its_weights_fit_the_blurred_network(build):
    paper, blurred = build("transposed"), build("blurred")
    default = networks.unet_generator if build is unet else networks.resnet_generator
    again = default(SHAPE, width=4)
    kinds = [type(layer) for layer in again.layers if "Transpose" in type(layer).__name__]
    assert kinds and Blur2D not in map(type, again.layers)
    assert [w.shape for w in paper.weights] == [w.shape for w in blurred.weights]


@pytest.mark.parametrize("upsampling", WAYS)
def test_only_transposed_convolutions_start_with_a_grid(upsampling):
    """One step up of a flat map: the four pixels of a block are equal, or they are not."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 6))
    transposed = translation.convolution(4, 4, 2, transposed=True, padding="same")
    made = translation.doubled(inputs, upsampling, transposed, 4)
    x = keras.Model(inputs, made)(np.ones((1, 8, 8, 6), "float32")).numpy()
    assert x.shape == (1, 16, 16, 4)
    inner = x[0, 4:-4, 4:-4]
    spread = np.ptp(inner, axis=(0, 1)).max() / np.abs(inner).mean()
    assert spread > 0.5 if upsampling == "transposed" else spread < 1e-5


@pytest.mark.parametrize("upsampling", WAYS)
def test_weights_start_from_the_papers_distribution(upsampling):
    keras.utils.set_random_seed(0)
    model = unet(upsampling, width=16)
    kernels = np.concatenate([w.numpy().ravel() for w in model.weights if w.ndim == 4])
    assert kernels.std() == pytest.approx(0.02, rel=0.02)


def test_a_network_with_a_pixel_shuffle_can_be_saved_and_loaded(tmp_path):
    model = resnet("subpixel")
    model.save(tmp_path / "model.keras")
    twin = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(model(FLAT), twin(FLAT))
    same = type(model).from_config(model.get_config())
    assert same.output_shape == model.output_shape


@pytest.mark.parametrize("upsampling", ["blurred", "resize", "subpixel"])
def test_sides_may_be_open_and_float16_stays_finite(upsampling):
    keras.config.set_dtype_policy("mixed_float16")
    model = networks.resnet_generator((None, None, 3), width=4, blocks=1, upsampling=upsampling)
    made = model(np.zeros((1, 16, 24, 3), "float32"))
    assert made.shape == (1, 16, 24, 3) and made.dtype == "float32"
    assert np.isfinite(made).all()


def test_the_receptive_radius_counts_the_blur():
    plain, blurred = (
        networks.receptive_radius(unet(way, normalization=None, depth=2))
        for way in ("transposed", "blurred")
    )
    assert plain < blurred <= plain + 4


@pytest.mark.parametrize("build", [unet, resnet])
@pytest.mark.parametrize(
    ("name", "message"),
    [("resized", "mean 'resize'"), (None, "Expected one of"), (2, "upsampling=2")],
)
def test_an_unknown_way_is_refused(build, name, message):
    with pytest.raises(ValueError, match=f"(?s)No upsampling of that name.*{message}|{message}"):
        build(name)
