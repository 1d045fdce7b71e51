"""FID's InceptionV3 against pytorch-fid's, by numbers made in an environment of its own."""

import base64
import json
import os
import pathlib
import pickle
import zipfile

import h5py
import keras
import numpy as np
import pytest
from reference import fid_inception_v3 as script

from keras_gans.metrics import features, inception_v3, resizing

REFERENCE = json.loads(pathlib.Path(script.__file__).with_suffix(".json").read_text())


@pytest.fixture(scope="module")
def arrays():
    return {
        name: np.float32(script.drawn(name, shape, seed)) if shape else np.int64(0)
        for seed, (name, shape) in enumerate(sorted(REFERENCE["shapes"].items()))
    }


@pytest.fixture(scope="module")
def network():
    """Built once: it has 24 million weights. No test changes them but by `fill`."""
    return inception_v3.build((107, 139, 3))


def averages():
    """In the place of the network: it answers the means of what it is given."""
    inputs = keras.Input((299, 299, 3))
    features = keras.layers.GlobalAveragePooling2D(name="avg_pool")(inputs)
    return keras.Model(inputs, [features, keras.layers.Softmax()(features)])


def test_the_network_is_pytorch_fids(network, arrays):
    # All of PyTorch's 23,885,392 numbers but the bias of the logits.
    assert network.count_params() == 23_885_392 - 1008
    inception_v3.fill(network, arrays)
    images = np.random.default_rng(0).uniform(-1, 1, (2, 107, 139, 3)).astype("float32")
    found, probabilities = network(images, training=False)
    np.testing.assert_allclose(np.array(found)[:, ::64], REFERENCE["features"], rtol=2e-4)
    # Probabilities are the logits' differences; the logits themselves are not answered.
    logits = np.log(np.array(probabilities, "float64"))[:, ::63]
    expected = np.array(REFERENCE["logits"])
    gaps = [values - values[:, :1] for values in (logits, expected)]
    np.testing.assert_allclose(*gaps, atol=1e-3 * np.ptp(expected))


def test_a_file_fills_the_network(network, arrays, tmp_path, monkeypatch):
    monkeypatch.setattr(inception_v3, "build", lambda: network)
    network.get_layer("fc").set_weights([np.zeros((2048, 1008))])
    path = tmp_path / "inception.npz"
    np.savez(path, **arrays)
    filled = inception_v3.load(path)
    np.testing.assert_array_equal(filled.get_layer("fc").get_weights()[0], arrays["fc.weight"].T)


def test_names_say_which_resize_comes_before(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(inception_v3, "load", lambda path: asked.append(path) or averages())
    monkeypatch.setenv(features.INCEPTION_VARIABLE, "from the environment")
    clean = features.load("inception_v3")
    legacy = features.load("inception_v3_legacy", weights="given")
    assert asked == ["from the environment", "given"]
    assert (clean.name, clean.image_shape, clean.data) == ("inception_v3", (None, None, 3), None)
    images = np.random.default_rng(1).uniform(-1, 1, (3, 320, 310, 3)).astype("float32")
    for network, resize in ((clean, resizing.resize_clean), (legacy, resizing.resize_legacy)):
        expected = ((resize(images) - 128) / 128).mean(axis=(1, 2))
        np.testing.assert_allclose(network(images)[0], expected, atol=2e-6)
    assert np.abs(clean(images)[0] - legacy(images)[0]).max() > 1e-5
    # One channel is repeated; two or four are an error.
    grey = clean(images[..., :1])[0]
    np.testing.assert_allclose(grey, np.repeat(grey[:, :1], 3, axis=1))
    for channels in (2, 4):
        with pytest.raises(ValueError, match="takes images of shape .n, any, any, 3.*Received"):
            clean(np.zeros((1, 12, 16, channels), "float32"))


@pytest.mark.parametrize("kind", ["old_file", "new_file"])
def test_a_file_of_pytorch_is_read_without_it(tmp_path, kind):
    path = tmp_path / "tiny.pth"
    path.write_bytes(base64.b64decode(REFERENCE[kind]))
    state = inception_v3.read_state_dict(path)
    assert {name: value.tolist() for name, value in state.items()} == {
        "a": [[0, 1], [2, 3]],
        "b": [3, 4, 5],
        "t": [[0, 3], [1, 4], [2, 5]],
        "n": 7,
    }
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match="damaged.*Received"):
        inception_v3.read_state_dict(path)


class Harmful:
    def __reduce__(self):
        return os.mkdir, ("harm",)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_runs_nothing(tmp_path, monkeypatch, zipped):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "harmful.pth"
    pickled = pickle.dumps({"a": Harmful()})
    if zipped:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x/data.pkl", pickled)
    else:
        path.write_bytes(pickled)
    with pytest.raises(ValueError, match="asks for .*mkdir, and only tensors"):
        inception_v3.read_state_dict(path)
    assert not (tmp_path / "harm").exists()


def test_a_tensor_does_not_reach_beyond_its_storage(tmp_path):
    content = base64.b64decode(REFERENCE["old_file"])
    # 2 and 2, the sizes of "a", as the pickle writes them, become 2 and 9.
    assert content.count(b"K\x02K\x02\x86") == 1
    path = tmp_path / "long.pth"
    path.write_bytes(content.replace(b"K\x02K\x02\x86", b"K\x02K\x09\x86"))
    with pytest.raises(ValueError, match="a exceeds its storage"):
        inception_v3.read_state_dict(path)


def test_a_name_with_a_hash_is_held_to_it(tmp_path):
    path = tmp_path / "pt_inception-2015-12-05-6726825d.pth"
    path.write_bytes(base64.b64decode(REFERENCE["new_file"]))
    with pytest.raises(ValueError, match="begins with 6726825d.*Received"):
        inception_v3.load(path)


def test_other_weights_are_refused(network, arrays):
    with pytest.raises(ValueError, match="Expected 'Conv2d_1a_3x3.conv.weight'.*Received"):
        inception_v3.fill(network, {"a": np.zeros(3)})
    with pytest.raises(ValueError, match="more than it has.*AuxLogits"):
        inception_v3.fill(network, {**arrays, "AuxLogits.fc.weight": np.zeros(3)})
    with pytest.raises(ValueError, match="'Conv2d_1a_3x3.conv.weight'.*shape .3, 32"):
        name = "Conv2d_1a_3x3.conv.weight"
        inception_v3.fill(network, {**arrays, name: arrays[name].swapaxes(0, 1)})


@pytest.mark.parametrize("name", ["inception_v3", "inception_v3_legacy"])
def test_missing_weights(monkeypatch, name):
    monkeypatch.delenv(features.INCEPTION_VARIABLE, raising=False)
    with pytest.raises(FileNotFoundError, match="pytorch-fid.*KERAS_GANS_INCEPTION_V3.*no path"):
        features.load(name)
    monkeypatch.setenv(features.INCEPTION_VARIABLE, "nowhere.pth")
    with pytest.raises(FileNotFoundError, match="Received: 'nowhere.pth'"):
        features.load(name)


def test_keras_own_network(monkeypatch, tmp_path):
    asked = []

    def offline(weights):
        asked.append(weights)
        if weights == "imagenet":
            raise Exception("URL fetch failure")
        inputs = keras.Input((299, 299, 3))
        x = keras.layers.GlobalAveragePooling2D(name="avg_pool")(inputs)
        return keras.Model(inputs, keras.layers.Dense(3, activation="softmax", name="top")(x))

    def write(values, name="weights.h5"):
        """As Keras 2 writes it."""
        with h5py.File(tmp_path / name, "w") as file:
            file.attrs["layer_names"] = [b"avg_pool", b"top"]
            file.create_group("avg_pool").attrs["weight_names"] = np.zeros(0)
            file.create_group("top").attrs["weight_names"] = [b"top/kernel:0", b"top/bias:0"]
            file["top/top/kernel:0"], file["top/top/bias:0"] = values, np.zeros(3, "float32")
        return tmp_path / name

    monkeypatch.setattr(keras.applications, "InceptionV3", offline)
    with pytest.raises(FileNotFoundError, match="copy .*Received: Exception: URL fetch failure"):
        features.load("inception_v3_keras")
    with pytest.raises(FileNotFoundError, match="Received: 'nowhere.h5'"):
        features.load("inception_v3_keras", weights="nowhere.h5")
    path = write(5 * np.eye(3, dtype="float32"))
    network = features.load("inception_v3_keras", weights=path)
    assert asked == ["imagenet", None]
    # Scaled by pixels / 127.5 - 1, a constant comes back; (pixels - 128) / 128 would be 0.195.
    found, probabilities = network(np.full((1, 8, 8, 3), 0.2, "float32"))
    np.testing.assert_allclose(found, [[0.2, 0.2, 0.2]], atol=1e-3)
    np.testing.assert_allclose(probabilities, [[1 / 3] * 3], atol=1e-5)
    red = network(np.full((1, 8, 8, 3), [1, -1, -1], "float32"))[1]
    np.testing.assert_allclose(red[0, 0], 1 / (1 + 2 * np.exp(-10)), atol=1e-5)
    with pytest.raises(ValueError, match="bad.h5.*top/kernel:0 holds 9 numbers that are not fin"):
        features.load("inception_v3_keras", weights=write(np.full((3, 3), np.nan), "bad.h5"))
    with pytest.raises(ValueError, match="of another network.*large.h5"):
        features.load("inception_v3_keras", weights=write(np.zeros((3, 1000)), "large.h5"))
