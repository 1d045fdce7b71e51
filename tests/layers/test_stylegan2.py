"""The layers of StyleGAN2: against the authors' program, and where they can fail."""

import pathlib

import keras
import numpy as np
import pytest
from reference import stylegan2 as script

from keras_gans import layers

REFERENCE = np.load(pathlib.Path(script.__file__).with_suffix(".npz"))
FILTERS = {
    "1331": [1, 3, 3, 1],
    "125": REFERENCE["filter_125"].sum(axis=0) / REFERENCE["filter_125"].sum() ** 0.5,
    "2d": REFERENCE["filter_2d"],
}


def last(array):
    """Channels last."""
    return array.transpose(0, 2, 3, 1)


def kernel(array):
    return array.transpose(2, 3, 1, 0)


X = last(REFERENCE["x"])


@pytest.mark.parametrize(
    "name", [n for n in REFERENCE.files if n.startswith(("upsample", "downsample", "filter2d"))]
)
def test_resampling_is_that_of_the_authors(name):
    verb, taps = name.split("_")
    factors = {"upsample2d": {"up": 2}, "downsample2d": {"down": 2}}.get(verb, {})
    layer = layers.FilteredResampling2D(REFERENCE[f"filter_{taps}"].tolist(), **factors)
    made = layer(X)
    np.testing.assert_allclose(made, last(REFERENCE[name]), atol=2e-6)
    assert tuple(made.shape) == layer.compute_output_shape(X.shape)
    again = layers.FilteredResampling2D.from_config(layer.get_config())
    np.testing.assert_array_equal(again(X), made)


def test_resampling_with_padding_cropping_and_gain():
    name = "upfirdn2d_125_up3_down2_padx0_1_padx1_-1_pady0_2_pady1_0_gain_4"
    taps = REFERENCE["filter_125"].tolist()
    # Ours keeps the brightness by itself, for which the authors' program has the gain.
    layer = layers.FilteredResampling2D(taps, 3, 2, ((2, 0), (1, -1)), gain=4 / 9)
    np.testing.assert_allclose(layer(X), last(REFERENCE[name]), atol=3e-6)
    assert layer(X).shape == layer.compute_output_shape(X.shape)
    mirrored = layers.FilteredResampling2D(np.flip(taps).tolist(), padding=((0, 0), (0, 0)))
    expected = last(REFERENCE["upfirdn2d_125_flipped"])
    np.testing.assert_allclose(mirrored(X), expected, atol=2e-6)


def test_of_an_image_of_any_size():
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, layers.FilteredResampling2D(up=2)(inputs))
    assert model.output_shape == (None, None, None, 3)
    np.testing.assert_allclose(model(X), last(REFERENCE["upsample2d_1331"]), atol=2e-6)


@pytest.mark.parametrize("size", [1, 3])
def test_a_convolution_that_halves(size):
    layer = layers.EqualizedConv2D(5, size, down=2, use_bias=False)
    layer.build(X.shape)
    layer.kernel.assign(kernel(REFERENCE[f"kernel_{size}x{size}"]) * np.sqrt(size**2 * 3))
    name = {1: "conv_1x1_down2_as_in_discriminator_skip", 3: "conv_3x3_down2_as_in_discriminator"}
    np.testing.assert_allclose(layer(X), last(REFERENCE[name[size]]), atol=3e-6)
    assert layer(X).shape == layer.compute_output_shape(X.shape)


def test_a_modulated_convolution_that_doubles():
    layer = layers.ModulatedConv2D(5, up=2, demodulate=False)
    layer.build([X.shape, (2, 4)])
    # With styles of 0 the factors are the biases, 1; what is left is a plain convolution.
    layer.kernel.assign(kernel(REFERENCE["kernel_3x3"]) * np.sqrt(9 * 3))
    expected = last(REFERENCE["conv_3x3_up2_as_in_synthesis"])
    made = layer([X, np.zeros((2, 4), "float32")])
    np.testing.assert_allclose(made, expected, atol=3e-6)


@pytest.mark.parametrize("up", [1, 2])
def test_modulation_is_a_kernel_for_each_example(up):
    """Equations 1 to 3: the kernel is scaled, and each filter divided by its norm."""
    random = np.random.default_rng(0)
    w = random.normal(size=(2, 4)).astype("float32")
    layer, plain = layers.ModulatedConv2D(5, up=up), layers.ModulatedConv2D(5, 3, up, False)
    made = layer([X, w])
    plain.build([X.shape, w.shape])
    factors = np.asarray(layer.affine(w))
    for number in range(2):
        scaled = layer.kernel.numpy() * factors[number][None, None, :, None]
        scaled /= np.sqrt((scaled**2).sum(axis=(0, 1, 2)))
        plain.kernel.assign(scaled * np.sqrt(9 * 3))
        expected = plain([X[number : number + 1], np.zeros((1, 4), "float32")])
        np.testing.assert_allclose(made[number : number + 1], expected, atol=1e-5)


@pytest.mark.parametrize("name", [n for n in REFERENCE.files if n.startswith("mbstd_group")])
def test_features_of_groups_are_those_of_the_authors(name):
    _, _, group, _, features = name.split("_")
    group = None if group == "None" else int(group)
    x = last(REFERENCE["mbstd_x"])
    made = layers.MinibatchStdDev(group, int(features))(x)
    assert made.shape == (*x.shape[:-1], 6 + int(features))
    expected = np.broadcast_to(REFERENCE[name][:, None, None], made[..., 6:].shape)
    np.testing.assert_allclose(made[..., 6:], expected, atol=1e-6)


def test_equalized_layers_by_hand():
    x = np.array([[1.0, -2.0, 3.0, 0.5]], "float32")
    layer = layers.EqualizedDense(2, "leaky_relu", lr_multiplier=0.5, bias=1.0)
    made = np.asarray(layer(x))
    linear = x @ layer.kernel.numpy() * 0.5 / 2.0 + 1.0
    assert np.allclose(layer.bias, 2.0)
    np.testing.assert_allclose(made, np.where(linear > 0, 1, 0.2) * linear * 2**0.5, rtol=1e-6)
    big = layers.EqualizedDense(500, lr_multiplier=0.01)
    big(np.ones((1, 100)))
    assert np.std(big.kernel) == pytest.approx(100.0, rel=0.02)
    embedding = layers.EqualizedEmbedding(4, 3)
    made = embedding(np.array([2, 0]))
    np.testing.assert_allclose(made, embedding.kernel.numpy()[[2, 0]] / 2.0, rtol=1e-6)


def test_noise_is_new_in_training_and_stored_at_inference():
    x = np.zeros((2, 4, 4, 3), "float32")
    made = {}
    for kind in ("const", "random", "none"):
        layer = layers.NoiseInjection(kind, seed=1)
        layer.build(x.shape)
        layer.strength.assign(0.5)
        layer.map.assign(np.arange(16.0).reshape(4, 4, 1))
        made[kind] = np.asarray(layer(x))
        in_training = [np.asarray(layer(x, training=True)) for _ in range(2)]
        assert np.ptp(in_training[0], axis=0).min() > 0.0  # of each example its own
        assert (in_training[0] != in_training[1]).all()
        assert np.ptp(in_training[0], axis=-1).max() == 0.0  # of all channels the same
    np.testing.assert_array_equal(made["const"][1, :, :, 2], np.arange(16.0).reshape(4, 4) / 2)
    assert not made["none"].any() and made["random"].std() == pytest.approx(0.5, rel=0.6)


def test_truncation_by_hand():
    layer = layers.StyleTruncation(3, psi=0.5, cutoff=2)
    w = np.array([[4.0, 0.0]], "float32")
    layer.build(w.shape)
    layer.average.assign([2.0, 2.0])
    np.testing.assert_allclose(layer(w)[0], [[3, 1], [3, 1], [4, 0]])
    np.testing.assert_allclose(layer(w, training=True)[0], [[4, 0]] * 3)
    np.testing.assert_allclose(layer(w, psi=0.0, cutoff=1)[0], [[2, 2], [4, 0], [4, 0]])
    two = np.repeat(w, 2, axis=0)
    by_tensor = layer(two, psi=np.array([0.0, 1.0], "float32"))
    np.testing.assert_allclose(by_tensor, [[[2, 2], [2, 2], [4, 0]], [[4, 0]] * 3])
    layer.update_average(np.array([[0.0, 0.0], [4.0, 2.0]], "float32"), decay=0.5)
    np.testing.assert_allclose(layer.average, [2.0, 1.5])


def test_the_limit_comes_before_the_gain():
    layer = layers.BiasActivation(None, clamp=2.0, gain=0.5)
    np.testing.assert_allclose(layer(np.array([[9.0, 1.0]])), [[1.0, 0.5]])


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.ModulatedConv2D(4, 2),
        lambda: layers.ModulatedConv2D(4, 1, up=2),
        lambda: layers.EqualizedConv2D(4, 4),
        lambda: layers.EqualizedDense(4, "relu"),
        lambda: layers.FilteredResampling2D([[[1.0]]]),
        lambda: layers.FilteredResampling2D([1.0, -1.0]),
        lambda: layers.NoiseInjection("constant"),
        lambda: layers.NoiseInjection()(keras.Input((None, 4, 3))),
        lambda: layers.StyleTruncation(4, cutoff=5),
        lambda: layers.StyleTruncation(4, psi=float("nan")),
        lambda: layers.StyleTruncation(4)(np.zeros((1, 3, 2))),
        lambda: layers.MinibatchStdDev(features=4)(np.zeros((2, 2, 2, 6))),
        lambda: layers.BiasActivation(clamp=0.0),
    ],
)
def test_bad_input(make):
    with pytest.raises(ValueError, match="Received"):
        make()
