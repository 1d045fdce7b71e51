"""Files of safetensors: in the order of PyTorch, or refused before they are read."""

import json
import struct
import sys

import keras
import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from keras_gans.reading import pytorch, safetensors
from keras_gans.zoo.converters import pix2pix_cyclegan


def dense():
    inputs = keras.Input((8, 8, 1))
    return keras.Model(inputs, keras.layers.Conv2D(2, (1, 3))(inputs))


def file(path, header, data=b""):
    content = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(content)) + content + data)
    return path


def one(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"a": {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}}


@pytest.mark.parametrize("name", ["unet.pth", "resnet.pth", "resnet_old.pth", "patch.pth"])
def test_the_order_is_that_of_pytorch(tmp_path, request, name):
    reference = request.path.parents[1] / "reference" / f"cyclegan_pix2pix_{name}"
    with pytorch.opened(reference) as state:
        arrays = {key: np.ascontiguousarray(stored.read()) for key, stored in state.items()}
    save_file(arrays, tmp_path / "a.safetensors")
    with safetensors.opened(tmp_path / "a.safetensors") as found:
        kept = [key for key in arrays if "num_batches" not in key]
        assert [key for key in found if "num_batches" not in key] == kept
        for key, stored in found.items():
            assert (stored.name, stored.shape) == (key, arrays[key].shape)
            np.testing.assert_array_equal(stored.read(), arrays[key])


def test_a_converter_reads_it(tmp_path):
    weight = np.arange(6, dtype="float32").reshape(2, 1, 1, 3)  # (out, in, height, width)
    save_file({"0.bias": np.ones(2, "float16"), "0.weight": weight}, tmp_path / "a.safetensors")
    network = pix2pix_cyclegan.load_pytorch(tmp_path / "a.safetensors", dense())
    kernel, bias = network.get_weights()
    np.testing.assert_array_equal(kernel, weight.transpose(2, 3, 1, 0))
    np.testing.assert_array_equal(bias, [1.0, 1.0])
    save_file({"0.weight": weight}, tmp_path / "b.safetensors")
    with pytest.raises(ValueError, match="of another network.*Received: .*b.safetensors"):
        pix2pix_cyclegan.load_pytorch(tmp_path / "b.safetensors", network)


@pytest.mark.parametrize("dtype", ["float16", "float64", "int8", "uint32", "int64", "bool"])
def test_kinds_of_numbers(tmp_path, dtype):
    array = np.array([[0, 1, 3]]).astype(dtype)
    save_file({"a": array}, tmp_path / "a.safetensors")
    with safetensors.opened(tmp_path / "a.safetensors") as found:
        read = found["a"].read()
    assert read.dtype == dtype and found["a"].itemsize == array.itemsize
    np.testing.assert_array_equal(read, array)


def test_bfloat16(tmp_path):
    numbers = np.array([0.5, -2.0], ml_dtypes.bfloat16)
    path = file(tmp_path / "a.safetensors", one("BF16", (2,), (0, 4)), numbers.tobytes())
    with safetensors.opened(path) as found:
        assert found["a"].kind == "floats"
        np.testing.assert_array_equal(found["a"].read().astype("float32"), [0.5, -2.0])


@pytest.mark.parametrize(
    ("header", "data", "reason"),
    [
        (one(shape=(10**6, 10**6)), b"\0" * 8, "SafetensorError"),  # 4 TB in 8 bytes
        (one(offsets=(0, 4 * 10**12), shape=(10**12,)), b"\0" * 8, "SafetensorError"),
        (one() | {"b": one()["a"]}, b"\0" * 8, "SafetensorError"),  # one over the other
        (one(), b"\0" * 7, "SafetensorError"),
        (one("F8_E4M3", (8,)), b"\0" * 8, "a holds numbers of type F8_E4M3"),
        (b"{", b"", "SafetensorError"),
        (b"[" * 100_000, b"", "SafetensorError"),
        (b" " * (2**22 + 1), b"", "header claims 4,194,305 bytes"),
    ],
)
def test_what_is_no_such_file(tmp_path, header, data, reason):
    path = file(tmp_path / "a.safetensors", header, data)
    expected = f"not a whole file of safetensors.*save_file.*Received: .*{reason}"
    with pytest.raises(ValueError, match=expected), safetensors.opened(path):
        pass


def test_numbers_that_are_not_finite(tmp_path):
    save_file({"a": np.array([1.0, np.nan], "float32")}, tmp_path / "a.safetensors")
    with (
        safetensors.opened(tmp_path / "a.safetensors") as found,
        pytest.raises(ValueError, match="1 numbers that are not finite"),
    ):
        found["a"].read()


def test_other_paths(tmp_path):
    with pytest.raises(FileNotFoundError), safetensors.opened(tmp_path / "none.safetensors"):
        pass
    with pytest.raises(ValueError, match="a folder"), safetensors.opened(tmp_path):
        pass
    path = file(tmp_path / "a.safetensors", b"")
    path.write_bytes(b"\x01")
    with pytest.raises(ValueError, match="not a whole file"), safetensors.opened(path):
        pass


def test_without_the_library(tmp_path, monkeypatch):
    path = file(tmp_path / "a.safetensors", one(), b"\0" * 8)
    monkeypatch.setitem(sys.modules, "safetensors", None)
    expected = r"keras-gans\[safetensors\].*Received: .*a.safetensors"
    with pytest.raises(ImportError, match=expected), safetensors.opened(path):
        pass
