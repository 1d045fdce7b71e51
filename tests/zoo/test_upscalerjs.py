"""UpscalerJS' networks from folders: what their layers make, and files of other networks."""

import json
import os
import pathlib
import random

import numpy as np
import pytest
from reference import upscalerjs as script

from keras_gans import zoo
from keras_gans.zoo.converters import upscalerjs

REFERENCE = np.load(pathlib.Path(script.__file__).with_suffix(".npz"))
PARAMETERS = {"thick": 7_260_740, "slim": 233_451}
# Folders of the unpacked packages, such as `thick/package/models/x4`.
FOLDERS = {name: os.environ.get(f"KERAS_GANS_UPSCALERJS_{name.upper()}") for name in PARAMETERS}


def difference(network, name):
    """The largest from what its layers make, in [0, 1] and not clipped."""
    expected = REFERENCE[name]
    image = REFERENCE["noise"][None, ..., : expected.shape[-1]]
    made = (network(2 * image - 1, training=True).numpy()[0] + 1) / 2
    clipped = (network(2 * image - 1).numpy()[0] + 1) / 2
    np.testing.assert_allclose(clipped, np.clip(made, 0, 1), atol=1e-6)
    return np.abs(made - expected).max()


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_networks_of_the_packages(name):
    if not FOLDERS[name]:
        pytest.skip(f"needs the package @upscalerjs/esrgan-{name} of npm, unpacked")
    network = upscalerjs.load(FOLDERS[name])
    assert network.count_params() == PARAMETERS[name]
    assert difference(network, name) <= 2e-5


def test_the_preset_makes_what_the_package_makes():
    network = zoo.load("esrgan_faithful_x4")
    assert network.count_params() == PARAMETERS["thick"]
    assert difference(network, "thick") < 2e-3  # float16: half a level of 255


@pytest.fixture
def folder(tmp_path):
    return script.write(script.rrdn(), tmp_path / "x4")


@pytest.mark.parametrize("name", script.SMALL)
def test_small_networks_make_what_their_layers_make(name, tmp_path):
    folder = script.write(script.SMALL[name](), tmp_path / name)
    state = random.getstate()
    channels = REFERENCE[name].shape[-1]
    network = upscalerjs.load(folder, (None, None, channels))
    assert random.getstate() == state
    assert difference(network, name) <= 2e-5
    fixed = upscalerjs.load(folder / "model.json", (4, 5, channels))
    for ours, theirs in zip(network.get_weights(), fixed.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def changed(folder, change):
    content = json.loads((folder / "model.json").read_text())
    change(content)
    (folder / "model.json").write_text(json.dumps(content))


def layer(content, name):
    layers = content["modelTopology"]["model_config"]["config"]["layers"]
    return next(layer for layer in layers if layer["name"] == name)


def config(name, **fields):
    return lambda content: layer(content, name)["config"].update(fields)


def node(name, *inputs):
    nodes = [[[x, 0, 0, {}] for x in inputs]]
    return lambda content: layer(content, name).update(inbound_nodes=nodes)


def weight(number, **fields):
    return lambda content: content["weightsManifest"][0]["weights"][number].update(fields)


def dropped(content):
    content["modelTopology"]["model_config"]["config"]["layers"].pop()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (config("F_1_1_1", strides=[2, 2]), "at layer 'F_1_1_1'"),
        (config("F_1_1_1", dilation_rate=[2, 2]), "at layer 'F_1_1_1'"),
        (config("F_1_1_1", activation="relu"), "at layer 'F_1_1_1'"),
        (config("F_1_1_1", use_bias=False), "at layer 'F_1_1_1'"),
        (config("F_1_1_1_Relu", activation="elu"), "at layer 'F_1_1_1_Relu'"),
        (config("RDB_Concat_1_1_1", axis=1), "at layer 'RDB_Concat_1_1_1'"),
        (node("RDB_Concat_1_1_1", "F_1_1_1_Relu", "Pre_blocks_conv"), "'RDB_Concat_1_1_1'"),
        (node("SR", "PreShuffle"), "at layer 'SR'"),
        (node("SR", "nowhere"), "at layer 'SR'.*None"),
        (lambda c: layer(c, "SR").update(inbound_nodes=[3, 4]), "at layer 'SR'"),
        (lambda c: layer(c, "SR").update(class_name="Lambda"), "at layer 'SR'.*Lambda"),
        (lambda c: layer(c, "GRL").update(name="LRL_1_1"), "at layer 'LRL_1_1'"),
        (dropped, "layers for"),
        (weight(0, shape=[3, 3, 5, 4]), "at layer 'F_1_1_1'"),
        (weight(0, shape=[2**40, 2**40, 5, 3]), "weights differ"),
        (weight(0, shape=[-3, -3, 5, 3]), "it has no convolution F_1_1_1"),
        (weight(0, name="F_9_9_9/kernel"), "it has no convolution F_1_1_1"),
        (weight(0, dtype="int32"), "not float32"),
        (weight(0, quantization={"dtype": "uint8"}), "not float32"),
        (weight(0, name="SR/bias"), "two weights have one name"),
        (lambda c: c.update(format="graph-model"), "graph-model"),
        (lambda c: c["weightsManifest"][0].update(paths=["../x4/secret.bin"]), "beside it"),
    ],
)
def test_another_network_is_named(folder, change, message):
    changed(folder, change)
    with pytest.raises(ValueError, match=f"(?s)not a supported.*({message}).*Received: .*json"):
        upscalerjs.load(folder)


def test_damaged_files_are_named(folder):
    second = folder / "group1-shard2of2.bin"
    content = second.read_bytes()
    for damaged in (content[:-1], content + b"1", b""):
        second.write_bytes(damaged)
        with pytest.raises(ValueError, match="shards.*damaged.*bytes, and the weights.*Unpack"):
            upscalerjs.load(folder)
    second.write_bytes(content[:-4] + np.float32(np.nan).tobytes())
    with pytest.raises(ValueError, match="damaged.*not finite"):
        upscalerjs.load(folder)
    second.unlink()
    with pytest.raises(FileNotFoundError, match="missing.*without group1-shard2of2.bin"):
        upscalerjs.load(folder)
    (folder / "model.json").write_text("{")
    with pytest.raises(ValueError, match="The network is damaged: it is not JSON.*Unpack"):
        upscalerjs.load(folder)
    (folder / "model.json").write_text("{}")
    with pytest.raises(ValueError, match="lacks 'format'"):
        upscalerjs.load(folder)
    with pytest.raises(FileNotFoundError):
        upscalerjs.load(folder / "nowhere")


def test_channels_that_the_network_does_not_take(folder):
    with pytest.raises(ValueError, match="images of 3 channels. Received: image_shape"):
        upscalerjs.load(folder, (None, None, 1))
