import keras
import numpy as np
import pytest

from keras_gans.layers import SelfAttention2D


@pytest.mark.parametrize("shape", [(4, 4), (5, 7)])
def test_the_sum_worked_out_by_hand(shape):
    layer = SelfAttention2D(ratio=4, spectral_normalization=False)
    x = np.random.default_rng(0).normal(size=(2, *shape, 8)).astype("float32")
    np.testing.assert_array_equal(layer(x), x)  # gamma starts at 0
    layer.gamma.assign(0.5)
    kernels = {w.path.split("/")[-2]: w.numpy()[0, 0] for w in layer.weights if "kernel" in w.path}
    f, g, h, o = (kernels[name] for name in "fgho")

    def pooled(y):
        height, width = (side // 2 for side in shape)
        y = y[:, : 2 * height, : 2 * width].reshape(2, height, 2, width, 2, -1)
        return y.max(axis=(2, 4)).reshape(2, height * width, -1)

    query = (x @ f).reshape(2, -1, 2)
    weights = np.exp(np.einsum("bic,bjc->bij", query, pooled(x @ g)))
    weights /= weights.sum(axis=-1, keepdims=True)
    found = np.einsum("bij,bjc->bic", weights, pooled(x @ h)) @ o
    np.testing.assert_allclose(layer(x), x + 0.5 * found.reshape(x.shape), atol=2e-6)


def test_its_kernels_are_normalised_and_saved(tmp_path):
    inputs = keras.Input((4, 4, 16))
    layer = SelfAttention2D()
    network = keras.Model(inputs, layer(inputs))
    layer.gamma.assign(2.0)
    x = np.ones((1, 4, 4, 16), "float32")
    for _ in range(3):
        network(x, training=True)
    for convolution, channels in ((layer.query, 16), (layer.value, 16), (layer.back, 8)):
        # What a place of each channel alone becomes is a row of the kernel.
        rows = convolution(np.eye(channels, dtype="float32").reshape(1, 4, -1, channels))
        rows = np.reshape(rows, (channels, -1))
        np.testing.assert_allclose(np.linalg.norm(rows, 2), 1.0, atol=0.05)
    network.save(tmp_path / "attention.keras")
    opened = keras.models.load_model(tmp_path / "attention.keras")
    np.testing.assert_array_equal(network(x), opened(x))


@pytest.mark.parametrize(
    "shape, message", [((1, 4, 8), "feature map"), ((4, 1, 8), "feature map"), ((4, 4, 4), "ratio")]
)
def test_maps_that_do_not_fit(shape, message):
    with pytest.raises(ValueError, match=message):
        SelfAttention2D()(np.zeros((1, *shape), "float32"))
