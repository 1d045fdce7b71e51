"""Ways to upsample in the translators: what they share, and which leave a grid."""

import keras
import numpy as np
import pytest
from keras import layers

import keras_gans
from keras_gans import networks
from keras_gans.layers import PixelShuffle
from keras_gans.networks import translation
from keras_gans.networks.balanced_kernel import BalancedKernel

SHAPE = (32, 32, 3)
WAYS = translation.UPSAMPLINGS
FLAT = np.full((1, *SHAPE), 0.3, "float32")


def unet(upsampling, **options):
    options = {"width": 4, "dropout": 0.0, "normalization": "instance", **options}
    return networks.unet_generator(SHAPE, upsampling=upsampling, **options)


def resnet(upsampling, **options):
    return networks.resnet_generator(SHAPE, width=4, blocks=1, upsampling=upsampling, **options)


def dcgan(upsampling, **options):
    return networks.dcgan_generator(SHAPE, 8, width=4, upsampling=upsampling, **options)


def number(model, kind):
    return sum(isinstance(layer, kind) for layer in model.layers)


def constraints(model):
    return [w.constraint for w in model.trainable_weights]


@pytest.mark.parametrize(("build", "steps"), [(unet, 5), (resnet, 2), (dcgan, 3)])
@pytest.mark.parametrize("upsampling", WAYS)
def test_each_way_has_its_layers(build, steps, upsampling):
    model = build(upsampling)
    assert model.output_shape == (None, *SHAPE)
    kinds = (layers.Conv2DTranspose, layers.UpSampling2D, PixelShuffle)
    expected = {"resize": [0, steps, 0], "subpixel": [0, 0, steps]}
    found = [number(model, kind) for kind in kinds]
    assert found == expected.get(upsampling, [steps, 0, 0])


@pytest.mark.parametrize("build", [unet, resnet])
def test_the_default_is_the_papers_and_its_weights_fit_the_balanced_network(build):
    paper, balanced = build("transposed"), build("balanced")
    assert [w.shape for w in paper.weights] == [w.shape for w in balanced.weights]
    assert not any(constraints(paper)) and any(constraints(balanced))
    default = networks.unet_generator if build is unet else networks.resnet_generator
    assert not any(constraints(default(SHAPE, width=4)))


@pytest.mark.parametrize("upsampling", WAYS)
def test_only_transposed_convolutions_start_with_a_grid(upsampling):
    """One step up of a flat map: the four pixels of a block are equal, or they are not."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 6))
    made = translation.doubled(inputs, upsampling, 4, 4)
    x = keras.Model(inputs, made)(np.ones((1, 8, 8, 6), "float32")).numpy()
    assert x.shape == (1, 16, 16, 4)
    inner = x[0, 4:-4, 4:-4]
    spread = np.ptp(inner, axis=(0, 1)).max() / np.abs(inner).mean()
    assert spread > 0.5 if upsampling == "transposed" else spread < 1e-5


@pytest.mark.parametrize("upsampling", WAYS)
def test_weights_start_from_the_papers_distribution(upsampling):
    keras.utils.set_random_seed(0)
    model = unet(upsampling, width=16)
    for kind in (layers.Conv2D, layers.Conv2DTranspose):
        kernels = [x.kernel.numpy().ravel() for x in model.layers if isinstance(x, kind)]
        # Of 16 weights 13 are free where the sums of the four pixels are equal.
        free = 13 / 16 if upsampling == "balanced" and kind is layers.Conv2DTranspose else 1.0
        if kernels:
            stddev = np.concatenate(kernels).std()
            assert stddev == pytest.approx(0.02 * np.sqrt(free), rel=0.02)


@pytest.mark.parametrize("upsampling", WAYS)
def test_a_network_can_be_saved_and_loaded(upsampling, tmp_path):
    model = resnet(upsampling)
    model.save(tmp_path / "model.keras")
    twin = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(model(FLAT), twin(FLAT))
    assert [type(c) for c in constraints(twin)] == [type(c) for c in constraints(model)]


@pytest.mark.parametrize("upsampling", ["balanced", "resize", "subpixel"])
def test_sides_may_be_open_and_float16_stays_finite(upsampling):
    keras.config.set_dtype_policy("mixed_float16")
    model = networks.resnet_generator((None, None, 3), width=4, blocks=1, upsampling=upsampling)
    made = model(np.zeros((1, 16, 24, 3), "float32"))
    assert made.shape == (1, 16, 24, 3) and made.dtype == "float32"
    assert np.isfinite(made).all()


@pytest.mark.parametrize("size", [2, 3, 4, 5])
@pytest.mark.parametrize("strides", [2, 3])
def test_a_balanced_kernel_keeps_a_flat_map_flat(size, strides):
    if size < strides:
        with pytest.raises(ValueError, match=f"at least {strides}.*Received: a kernel"):
            BalancedKernel(strides)(np.ones((size, size, 1, 1)))
        return
    kernel = np.random.default_rng(0).normal(size=(size, size, 3, 2)).astype("float32")
    balanced = BalancedKernel(strides)(kernel)
    np.testing.assert_allclose(BalancedKernel(strides)(balanced), balanced, atol=1e-6)
    np.testing.assert_allclose(balanced.numpy().sum((0, 1)), kernel.sum((0, 1)), atol=1e-5)
    for weights, flat in ((kernel, False), (balanced, True)):
        made = keras.ops.conv_transpose(np.ones((1, 9, 9, 2), "float32"), weights, strides)
        inner = made[0, 6:-6, 6:-6].numpy()
        assert (np.ptp(inner, axis=(0, 1)).max() < 1e-5) == flat


@pytest.mark.parametrize("build", [unet, resnet])
def test_training_keeps_kernels_balanced_and_so_does_the_average(build):
    gan = keras_gans.Pix2Pix(
        build("balanced"),
        networks.patch_discriminator(
            SHAPE, condition_shape=SHAPE, receptive_field=16, width=2, normalization=None
        ),
        ema_decay=0.9,
    )
    gan.compile()
    rng = np.random.default_rng(0)
    x, y = (rng.uniform(-1, 1, (4, *SHAPE)).astype("float32") for _ in "xy")
    before = [w.numpy() for w in gan.generator.trainable_weights]
    gan.fit(x, y, batch_size=2, epochs=1, verbose=0)
    assert any((w.numpy() != b).any() for w, b in zip(gan.generator.trainable_weights, before))
    for model in (gan.generator, gan.inference_generator):
        kernels = [x.kernel for x in model.layers if isinstance(x, layers.Conv2DTranspose)]
        for kernel in kernels:
            np.testing.assert_allclose(BalancedKernel()(kernel), kernel, atol=1e-6)


@pytest.mark.parametrize("build", [unet, resnet])
@pytest.mark.parametrize(
    ("name", "message"),
    [("resized", "mean 'resize'"), (None, "Expected one of"), (2, "upsampling=2")],
)
def test_an_unknown_way_is_refused(build, name, message):
    with pytest.raises(ValueError, match=f"(?s)No upsampling of that name.*{message}|{message}"):
        build(name)
