import os
import pathlib
import pickle
import shutil
import tracemalloc
import zipfile

import h5py
import keras
import numpy as np
import pytest
from reference import cyclegan_pix2pix as script
from torch_files import DATA, Named, tensors, write

import keras_gans
from keras_gans.networks import patch_discriminator, resnet_generator, unet_generator
from keras_gans.zoo.converters import pix2pix_cyclegan as convert

SHAPE = (script.SIDE, script.SIDE, 3)
OUTPUTS = {
    **np.load(script.file("torch.npz")),
    **np.load(script.file("addons.npz")),
}


def unet(**options):
    return unet_generator(SHAPE, **{"width": 1, "max_width": 8, **options})


def resnet(**options):
    return resnet_generator(SHAPE, **{"width": script.WIDTH, "blocks": script.BLOCKS, **options})


def resnet_of_keras(**options):
    return resnet(**{"normalization": "instance_affine", "same_padding": True, **options})


def patch(condition_shape=None, **options):
    options = {"receptive_field": 34, "width": script.WIDTH, **options}
    return patch_discriminator((34, 34, 3), condition_shape, **options)


def reference(name):
    return script.file(name)


@pytest.mark.parametrize(
    ("name", "make"),
    [("unet.pth", unet), ("resnet.pth", resnet), ("resnet_old.pth", resnet)],
)
def test_generators_make_what_they_make_in_pytorch(name, make):
    network = make()
    assert convert.load_pytorch(reference(name), network) is network
    expected = OUTPUTS[name.replace("_old", "")]
    np.testing.assert_allclose(network(script.images()), expected, atol=1e-5)


def test_a_discriminator_judges_as_in_pytorch():
    network = convert.load_pytorch(reference("patch.pth"), patch((34, 34, 3)))
    pair = np.split(script.images(6, 34), 2, axis=-1)  # the condition comes first there, too
    np.testing.assert_allclose(network(pair), OUTPUTS["patch.pth"], atol=1e-5)


@pytest.mark.parametrize(
    ("name", "make", "side"),
    [
        ("resnet.h5", resnet_of_keras, 32),
        ("unet.h5", unet, 32),
        ("patch.h5", lambda: patch(normalization="instance_affine"), 34),
    ],
)
def test_networks_make_what_they_make_in_keras_2(name, make, side, tmp_path):
    network, x = make(), script.images(side=side)
    assert convert.load_keras_h5(reference(name), network) is network
    np.testing.assert_allclose(network(x), OUTPUTS[name], atol=1e-5)
    # A file of Keras 3 keeps the epsilon.
    network.save(tmp_path / "network.keras")
    again = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_allclose(again(x), OUTPUTS[name], atol=1e-5)
    # And it matters.
    other = convert.load_keras_h5(reference(name), network, epsilon=1e-5)
    assert np.abs(other(x) - OUTPUTS[name]).max() > 1e-3


def test_the_side_of_the_padding_matters():
    network = convert.load_keras_h5(reference("resnet.h5"), resnet_of_keras(same_padding=False))
    assert np.abs(network(script.images()) - OUTPUTS["resnet.h5"]).max() > 0.1


def test_pytorch_brings_its_epsilon():
    network = convert.load_keras_h5(reference("unet.h5"), unet())
    convert.load_pytorch(reference("unet.pth"), network)
    np.testing.assert_allclose(network(script.images()), OUTPUTS["unet.pth"], atol=1e-5)


def test_the_draws_of_dropout_are_not_weights_of_the_file():
    network = unet()
    before = [w.numpy() for w in network.weights if w.name == "seed_and_calls"]
    convert.load_pytorch(reference("unet.pth"), network)
    after = [w.numpy() for w in network.weights if w.name == "seed_and_calls"]
    np.testing.assert_array_equal(before, after)
    assert len(before) == 3


def test_a_whole_model_of_keras_2_is_read_and_long_lists_of_names_are_put_together(tmp_path):
    path = tmp_path / "model.h5"
    with h5py.File(reference("unet.h5")) as source, h5py.File(path, "w") as target:
        source.copy(source, target, "model_weights")
        group = target["model_weights"]
        names = group.attrs.pop("layer_names")
        for number, piece in enumerate(np.array_split(names, 3)):
            group.attrs[f"layer_names{number}"] = piece
    network = convert.load_keras_h5(path, unet())
    np.testing.assert_allclose(network(script.images()), OUTPUTS["unet.h5"], atol=1e-5)


def test_the_zoo_opens_it_when_asked():
    with pytest.warns(DeprecationWarning, match=r"now `keras_gans\.zoo\.converters\.pix2pix"):
        assert keras_gans.zoo.convert is convert
    assert keras_gans.zoo.converters.pix2pix_cyclegan is convert


# Files that do not fit.


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        (
            "unet.pth",
            lambda: unet(width=2),
            r"kernel \(4, 4, 3, 2\).*0.weight \(kernel\) \(4, 4, 3, 1\)",
        ),
        ("unet.pth", lambda: unet(width=2), "another `width`"),
        ("unet.pth", lambda: unet(out_channels=1), "number of channels"),
        ("unet.pth", lambda: unet(depth=4), "10 convolutions and the network 8: .*`depth`"),
        ("unet.pth", lambda: unet(normalization="instance"), "another `normalization`"),
        ("resnet.pth", lambda: resnet(normalization="batch"), "another `normalization`"),
        ("resnet.pth", resnet_of_keras, "another `normalization`"),
        ("resnet.pth", lambda: resnet(blocks=2), "8 convolutions and the network 10: .*`blocks`"),
        ("patch.pth", patch, r"\(4, 4, 3, 2\).*\(4, 4, 6, 2\).*number of channels"),
        ("patch.pth", lambda: patch((34, 34, 3), receptive_field=16), "`receptive_field`"),
        ("resnet.h5", resnet, "another `normalization`"),
        ("resnet.h5", lambda: resnet_of_keras(width=4), "another `width`"),
        ("unet.h5", resnet, "`blocks`"),
    ],
)
def test_weights_of_another_network(name, make, message):
    network, path = make(), reference(name)
    before = network.get_weights()
    load = convert.load_pytorch if path.suffix == ".pth" else convert.load_keras_h5
    with pytest.raises(ValueError, match=f"(?s)another network.*{message}.*Received: .*{name}"):
        load(path, network)
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def dense():
    inputs = keras.Input((8, 8, 1))
    return keras.Model(inputs, keras.layers.Conv2D(2, (1, 3))(inputs))


def test_a_tensor_is_a_view_of_its_storage(tmp_path):
    network = convert.load_pytorch(write(tmp_path / "a.pth", tensors(), DATA), dense())
    kernel, bias = network.get_weights()
    np.testing.assert_array_equal(kernel[0, :, 0], [[0, 3], [1, 4], [2, 5]])  # (width, out)
    np.testing.assert_array_equal(bias, [7, 8])
    state = tensors(stride=(1, 1, 1, 2))  # channels last
    network = convert.load_pytorch(write(tmp_path / "b.pth", state, DATA), dense())
    np.testing.assert_array_equal(network.get_weights()[0][0, :, 0], [[0, 1], [2, 3], [4, 5]])


def test_a_missing_tensor_and_one_too_many(tmp_path):
    state = tensors()
    more = {**state, "d.weight": state["c.bias"]}
    with pytest.raises(ValueError, match=r"expected no more.*d.weight \(gamma\) \(2,\)"):
        convert.load_pytorch(write(tmp_path / "a.pth", more, DATA), dense())
    del state["c.bias"]
    with pytest.raises(ValueError, match=r"bias \(2,\).*file has no more.*not complete"):
        convert.load_pytorch(write(tmp_path / "a.pth", state, DATA), dense())
    more = {**tensors(), "c.filt": state["c.weight"]}
    with pytest.raises(ValueError, match=r"expected no more.*c.filt"):
        convert.load_pytorch(write(tmp_path / "a.pth", more, DATA), dense())


# Files that are damaged, or dangerous.


class Command:
    def __reduce__(self):
        return os.mkdir, ("executed",)


def dangerous():
    """Pickles that would do something, and how the error names it."""
    asks = "asks for .*"
    yield pickle.dumps({"c.weight": Command()}), rf"{asks}(posix.mkdir|nt.mkdir)"
    yield b'cbuiltins\neval\n(S\'__import__("os").mkdir("executed")\'\ntR.', f"{asks}builtins.eval"
    # An instance, without REDUCE: an instruction that no state dict needs.
    yield b"(S'executed'\nios\nmkdir\n.", "instruction that `torch.save` never writes"
    yield b"\x80\x04\x8c\x02os\x8c\x05mkdir\x93\x8c\x08executed\x85R.", f"{asks}os.mkdir"
    yield (
        b"\x80\x04\x8c\x0bcollections\x8c\x17OrderedDict.fromkeys.__\x93.",
        f"{asks}.*OrderedDict.from",
    )
    yield b"ctorch\nload\n.", f"{asks}torch.load"
    yield b"ctorch._utils\n_rebuild_qtensor\n.", f"{asks}torch._utils._rebuild_qtensor"


@pytest.mark.parametrize(("content", "message"), list(dangerous()))
@pytest.mark.parametrize("legacy", [False, True])
def test_no_code_of_a_pickle_is_run(content, message, legacy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "bad.pth"
    if legacy:
        path.write_bytes(content)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("net/data.pkl", content)
    with pytest.raises(ValueError, match=rf"torch.save.*Received: .*bad.pth.*{message}"):
        convert.load_pytorch(path, dense())
    assert [x.name for x in tmp_path.iterdir()] == ["bad.pth"]


def test_the_dangerous_pickles_would_have_done_something(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for content, _ in list(dangerous())[:4]:
        pickle.loads(content)
        pathlib.Path("executed").rmdir()


def test_a_pickle_gets_no_more_memory_than_it_is_long(tmp_path):
    path = tmp_path / "a.pth"
    path.write_bytes(b"\x80\x02}r\x00\x00\x00\x01.")  # remembers a dict as number 2**24
    tracemalloc.start()
    with pytest.raises(ValueError, match="not a complete state dict"):
        convert.load_pytorch(path, dense())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 50e6  # a table of so many numbers has 134 MB


@pytest.mark.parametrize(
    ("state", "data", "message"),
    [
        (tensors(offset=1), DATA, "exceeds its storage"),
        (tensors(offset=-1), DATA, "exceeds its storage"),
        (tensors(stride=(4, 3, 3, 1)), DATA, "exceeds its storage"),
        (tensors(stride=(3, 3, 1)), DATA, "c.weight has axes and strides that differ"),
        (tensors(size=(2.0, 1, 1, 3)), DATA, "c.weight has axes and strides.*not integers"),
        (tensors(), {**DATA, "0": DATA["0"][:-4]}, "exceeds its storage"),
        (tensors(), {"0": DATA["0"]}, "no item named.*data/1"),
        ([1, 2], {}, "it is not a dict"),
        ({"epoch": 3}, {}, "it is not a dict"),
        ({"c.weight": Named("torch", "BFloat16Storage")}, {}, "torch.BFloat16Storage"),
    ],
)
def test_a_damaged_state(state, data, message, tmp_path):
    network = dense()
    before = network.get_weights()
    with pytest.raises(ValueError, match=f"not a complete state dict.*Received: .*{message}"):
        convert.load_pytorch(write(tmp_path / "a.pth", state, data), network)
    np.testing.assert_array_equal(before[0], network.get_weights()[0])


def test_numbers_in_big_endian(tmp_path):
    path = write(tmp_path / "a.pth", tensors(), DATA, byteorder=b"big")
    with pytest.raises(ValueError, match="byte order of b'big'"):
        convert.load_pytorch(path, dense())
    write(path, tensors(), DATA, byteorder=b"little")
    convert.load_pytorch(path, dense())


@pytest.mark.parametrize("name", ["resnet.pth", "resnet_old.pth", "resnet.h5"])
def test_a_damaged_file(name, tmp_path):
    path = tmp_path / name
    load = convert.load_keras_h5 if name.endswith("h5") else convert.load_pytorch
    network = resnet_of_keras() if name.endswith("h5") else resnet()
    whole = reference(name).read_bytes()
    # Cut in the middle, cut at the end, nothing, something else.
    for content in (whole[: len(whole) // 2], whole[:-20], b"", b"<html>Not found</html>"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"ave it again.*Received: .*{name}"):
            load(path, network)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none", network)


def test_a_zip_whose_numbers_have_changed(tmp_path):
    path = tmp_path / "a.pth"
    shutil.copy(reference("resnet.pth"), path)
    with zipfile.ZipFile(path) as archive:
        (record,) = [x for x in archive.infolist() if x.filename.endswith("/data/0")]
    content = bytearray(path.read_bytes())
    content[record.header_offset + 200] ^= 1  # after its header, and the padding there
    path.write_bytes(content)
    with pytest.raises(ValueError, match="Bad CRC-32"):
        convert.load_pytorch(path, resnet())


def test_a_file_of_keras_3(tmp_path):
    network = dense()
    network.save_weights(tmp_path / "a.weights.h5")
    with pytest.raises(
        ValueError, match=r"use `network.load_weights` for one of Keras 3.*a.weights.h5"
    ):
        convert.load_keras_h5(tmp_path / "a.weights.h5", network)


@pytest.mark.parametrize("epsilon", [0, -1e-3, float("nan"), True, "1e-3"])
def test_bad_epsilon(epsilon):
    with pytest.raises(ValueError, match=f"`epsilon`.*Received: epsilon={epsilon!r}"):
        convert.load_keras_h5(reference("resnet.h5"), resnet_of_keras(), epsilon)
