"""BigGAN-deep from files of `pytorch-pretrained-biggan`, and its layers by hand."""

import json
import os
import pathlib

import numpy as np
import pytest
import torch_files

from keras_gans import layers, networks, zoo
from keras_gans.zoo.converters import biggan

# The folder of the reference files of the original program, for whoever has them.
FOLDER = os.environ.get("KERAS_GANS_STYLEGAN2_FILES")
CONFIG = {
    "output_dim": 16,
    "z_dim": 5,
    "class_embed_dim": 4,
    "channel_width": 2,
    "num_classes": 3,
    "layers": [[False, 8, 8], [True, 8, 4], [True, 4, 4]],
    "attention_layer_position": 2,
    "eps": 1e-4,
    "n_stats": 51,
}
RANDOM = np.random.default_rng(0)


def test_statistics_between_two_truncations_by_hand():
    layer = layers.TruncatedBatchNormalization(0.435, conditional=False, epsilon=1e-4)
    x = RANDOM.normal(size=(2, 3, 3, 2)).astype("float32")
    layer.build(x.shape)
    means, variances = (RANDOM.uniform(0.5, 2.0, (51, 2)).astype("float32") for _ in range(2))
    layer.means.assign(means)
    layer.variances.assign(variances)
    # 0.435 / 0.02 is 21.75; the lower has the larger share, as in the program.
    mean, variance = (0.75 * s[21] + 0.25 * s[22] for s in (means, variances))
    np.testing.assert_allclose(
        layer(x), (x - mean) / np.sqrt(variance + 1e-4), rtol=1e-4, atol=1e-5
    )
    # 0.58 / 0.02 is a little less than 29 in floats, so that 28 counts instead.
    layer.truncation = 0.58
    expected = (x - means[28]) / np.sqrt(variances[28] + 1e-4)
    np.testing.assert_allclose(layer(x), expected, rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The files of a network with random weights, which were normalised by their spectrum."""
    path = tmp_path_factory.mktemp("biggan")
    (path / "config.json").write_text(json.dumps(CONFIG))
    arguments = biggan._arguments(path)
    network = networks.biggan_deep_generator(**arguments)
    state, data = {}, {}

    def store(name, array):
        array = np.array(array, "<f4", order="C")
        key = data.setdefault(str(len(data)), array.tobytes()) and str(len(data) - 1)
        stride = tuple(step // 4 for step in array.strides)
        storage = torch_files.FakeStorage(key, array.size)
        state[name] = torch_files.Tensor(storage, 0, array.shape, stride)

    for name, weight in biggan._targets(network, arguments).items():
        drawn = RANDOM.uniform(0.2, 1.0, weight.shape).astype("float32")
        weight.assign(drawn)
        array = drawn.transpose(3, 2, 0, 1) if drawn.ndim == 4 else drawn
        array = array.T if array.ndim == 2 and "running" not in name else array
        if name.endswith("conv_to_rgb.weight"):
            continue
        if name.endswith(".weight") and array.ndim > 1 and "embeddings" not in name:
            v = RANDOM.normal(size=array[0].size)
            u = array.reshape(len(array), -1) @ v
            store(f"{name}_orig", 3.0 * array)
            store(f"{name}_u", u / (u @ u))  # so that the norm is 3
            store(f"{name}_v", v)
        else:
            store(name, array)
    last = network.get_layer("to_rgb").kernel.numpy().transpose(3, 2, 0, 1)
    store("generator.conv_to_rgb.weight", np.concatenate([last, last[:1]]))  # one is not used
    torch_files.write(path / "pytorch_model.bin", state, data)
    return path, network


def test_a_file_gives_the_weights_that_act(folder):
    path, network = folder
    for found, expected in zip(
        biggan.load_generator(path).get_weights(), network.get_weights(), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=2e-5)


def test_an_imported_file_makes_images(folder, tmp_path):
    path, _ = folder
    made = zoo.import_file(path, tmp_path / "mine", truncation=0.5, licence="MIT")
    gan = zoo.open_gan(made)
    images = gan.generate(2, labels=1, truncation=2.0, seed=3)
    assert images.shape == (2, 16, 16, 3) and np.isfinite(images).all()
    card = zoo.card(made)
    assert card.licence == "MIT (the file)." and card.networks["generator"]["truncation"] == 0.5
    with pytest.raises(ValueError, match="no such kind|kind of these networks|takes no"):
        zoo.import_file(path / "x.pkl", tmp_path / "other", truncation=0.5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"layers": [[False, 8, 8], [True, 8, 4]]}, "double 4 pixels"),
        ({"channel_width": 4}, "shape"),
        ({"n_stats": "51"}, "must be an integer"),
        ({"layers": [[True, 8, 8], [True, 8, 4]], "attention_layer_position": 1}, "no counterpart"),
    ],
)
def test_another_configuration(folder, tmp_path, change, said):
    path, _ = folder
    (tmp_path / "pytorch_model.bin").write_bytes((path / "pytorch_model.bin").read_bytes())
    (tmp_path / "config.json").write_text(json.dumps({**CONFIG, **change}))
    with pytest.raises(ValueError, match=f"(?s){said}.*Received"):
        biggan.load_generator(tmp_path)


@pytest.mark.parametrize("shape", [(24, 24, 3), (16, 32, 3), (8, 8, 3)])
def test_sizes_that_cannot_be(shape):
    with pytest.raises(ValueError, match="Received"):
        networks.biggan_deep_generator(shape, 3, width=8)


@pytest.mark.by_hand
@pytest.mark.skipif(FOLDER is None, reason="KERAS_GANS_STYLEGAN2_FILES names no folder")
@pytest.mark.parametrize("truncation", [1.0, 0.5, 0.43, 0.3, 0.01])
def test_images_are_those_of_the_original_program(truncation):
    made = np.load(pathlib.Path(FOLDER) / "biggan_deep.npz")
    network = biggan.load_generator(pathlib.Path(FOLDER) / "biggan_deep", truncation)
    images = network([made["z_before_truncation"], made["labels"]]).numpy().transpose(0, 3, 1, 2)
    np.testing.assert_allclose(images, made[f"image_truncation_{truncation}"], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "family", "error", "said"),
    [
        ("weights", None, ValueError, "kind of these networks.*folder of a BigGAN.*weights"),
        (".", None, FileNotFoundError, "no BigGAN-deep in that folder.*config.json"),
        ("weights", "biggan", FileNotFoundError, "no BigGAN-deep in that folder"),
        ("weights", "bigan", ValueError, "Did you mean 'biggan'"),
    ],
)
def test_what_is_no_network(tmp_path, name, family, error, said):
    (tmp_path / "weights").write_bytes(b"x")
    with pytest.raises(error, match=said):
        zoo.import_file(tmp_path / name, tmp_path / "made", family)
    assert not (tmp_path / "made").exists()
