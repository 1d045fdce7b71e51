"""State dicts that would take memory, crash Python, or are no weights of a network."""

import io
import os
import struct
import tracemalloc
import zipfile

import keras
import numpy as np
import pytest
from torch_files import DATA, FakeStorage, Pickler, Tensor, tensors, write

from keras_gans.metrics import inception_v3
from keras_gans.reading import npz, pytorch
from keras_gans.zoo.converters import pix2pix_cyclegan

ROOT = "net/"


def dense():
    inputs = keras.Input((8, 8, 1))
    return keras.Model(inputs, keras.layers.Conv2D(2, (1, 3))(inputs))


def pickled(state):
    stream = io.BytesIO()
    Pickler(stream, 2).dump(state)
    return stream.getvalue()


def legacy(path, state, data, **system):
    """A file in the format before PyTorch 1.6, of storages by key as `(claimed numbers, bytes)`."""
    about = {"little_endian": True, **system}
    parts = [pickled(x) for x in (0x1950A86A20F9469CFC6C, 1001, about)]
    # Its storages have a sixth part: what they are a view of.
    for tensor in state.values():
        tensor.arguments[0].pid = (*tensor.arguments[0].pid, None)
    parts += [pickled(state), pickled(list(data))]
    parts += [struct.pack("<q", count) + content for count, content in data.values()]
    path.write_bytes(b"".join(parts))
    return path


def of_kind(kind, values):
    state = {"c.weight": Tensor(FakeStorage("0", 6, kind), 0, (2, 1, 1, 3), (3, 3, 3, 1))}
    state["c.bias"] = tensors()["c.bias"]
    return state, {**DATA, "0": np.asarray(values).tobytes()}


def zip_bomb(path):
    """Zeros of 100 MB in 100 kB, where PyTorch never packs."""
    state = {"c.weight": Tensor(FakeStorage("0", 6), 0, (2, 1, 1, 3), (3, 3, 3, 1))}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(f"{ROOT}data.pkl"), pickled(state))
        archive.writestr(f"{ROOT}data/0", bytes(10**8))
    return path


def packed_pickle(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{ROOT}data.pkl", b"\x80\x02" + b"]" * 10**8)
    return path


def overlapping(path):
    """Entries that all are the same bytes of the file, so that they add up to 50 times of it."""
    names = [str(number) for number in range(50)]
    state = {f"c{n}.weight": Tensor(FakeStorage(n, 250_000), 0, (250_000,), (1,)) for n in names}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{ROOT}data.pkl", pickled(state))
        archive.writestr(f"{ROOT}data/0", bytes(10**6))
        first = archive.getinfo(f"{ROOT}data/0")
        for name in names[1:]:
            copy = zipfile.ZipInfo(f"{ROOT}data/{name}")
            for field in ("header_offset", "file_size", "compress_size", "CRC"):
                setattr(copy, field, getattr(first, field))
            archive.filelist.append(copy)
            archive.NameToInfo[copy.filename] = copy
    return path


def expanded(path):
    """One number that claims to be a terabyte, by strides of 0."""
    state = {"c.weight": Tensor(FakeStorage("0", 6), 0, (2**20, 2**20, 1, 1), (0, 0, 0, 0))}
    return write(path, state, DATA)


def long_storage(path):
    data = {"0": (2**40, DATA["0"]), "1": (2, DATA["1"])}
    return legacy(path, tensors(), data)


def raw(content):
    def make(path):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{ROOT}data.pkl", content)
        return path

    return make


HOSTILE = {
    "packed storage": (zip_bomb, "claims a larger size than it has in the file"),
    "packed pickle": (packed_pickle, "claims a larger size than it has in the file"),
    "overlapping": (overlapping, "claims a larger size than it has in the file"),
    "expanded": (expanded, "c.weight claims 1,099,511,627,776 numbers of a storage of 6"),
    "long storage": (long_storage, "storage 0 claims 4,398,046,511,104 bytes"),
    "long pickle": (
        raw(b"\x80\x02X" + struct.pack("<i", 2**20) + bytes(2**20)),
        "too long for a list of tensors",
    ),
    "long text": (raw(b"\x80\x02X\xff\xff\xff\x7fa."), "too long for a list of tensors"),
    # Without an end to the depth, the hash of such a key overflows the stack of Python itself.
    "nested key": (raw(b"\x80\x02}(N" + b"\x85" * 100_000 + b"Nu."), "keys that are not texts"),
    "nested key, alone": (
        raw(b"\x80\x02}N" + b"\x85" * 100_000 + b"Ns."),
        "keys that are not texts",
    ),
    "set": (raw(b"\x80\x04\x8f(N" + b"\x85" * 100_000 + b"\x90."), "never writes"),
    "pairs": (
        raw(b"ccollections\nOrderedDict\n]N" + b"\x85" * 100_000 + b"a\x85R."),
        "TypeError",
    ),
    "a dict by its parts": (raw(b"(NNd."), "instruction that `torch.save` never writes"),
    "long integer": (raw(b"I" + b"9" * 5000 + b"\n."), "never writes"),
    "no end": (raw(b"\x80\x02}"), "not a complete state dict"),
    "many axes": (
        lambda path: write(path, {"w": Tensor(FakeStorage("0", 6), 0, (1,) * 40, (0,) * 40)}, DATA),
        "w has axes and strides",
    ),
    "huge axes": (
        lambda path: write(path, {"w": Tensor(FakeStorage("0", 6), 0, (2**70,), (2**70,))}, DATA),
        "exceeds its storage",
    ),
    "texts for axes": (
        lambda path: write(path, {"w": Tensor(FakeStorage("0", 6), 0, ("1",), (1,))}, DATA),
        "w has axes and strides",
    ),
    "a key that leads elsewhere": (
        lambda path: write(path, {"w": Tensor(FakeStorage("../0", 6), 0, (1,), (1,))}, DATA),
        "no item named.*data/../0",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_and_cost_little(name, tmp_path):
    make, message = HOSTILE[name]
    path, network = make(tmp_path / "a.pth"), dense()
    before = network.get_weights()
    tracemalloc.start()
    with pytest.raises(ValueError, match=message):
        pix2pix_cyclegan.load_pytorch(path, network)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 3e7
    for a, b in zip(before, network.get_weights()):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match=message):
        inception_v3.read_state_dict(path)


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        ("FloatStorage", np.float32([0, 1, np.nan, 3, 4, 5]), "c.weight holds 1 numbers that are"),
        ("HalfStorage", np.float16([0, 1, 2, np.inf, -np.inf, 5]), "holds 2 numbers that are not"),
        ("DoubleStorage", np.float64([0, 1, 2, 3, 4, 1e39]), "holds 1 numbers that are not finite"),
        ("LongStorage", np.arange(6), r"expected .*kernel \(1, 3, 1, 2\).*of integers"),
        ("IntStorage", np.arange(6, dtype="int32"), "the file has c.weight .* of integers"),
        ("BoolStorage", np.zeros(6, bool), "asks for torch.BoolStorage"),
        ("ComplexFloatStorage", np.zeros(6, "complex64"), "asks for torch.ComplexFloatStorage"),
    ],
)
def test_weights_are_finite_floats(kind, values, message, tmp_path):
    state, data = of_kind(kind, values)
    network = dense()
    before = network.get_weights()
    with pytest.raises(ValueError, match=message):
        pix2pix_cyclegan.load_pytorch(write(tmp_path / "a.pth", state, data), network)
    np.testing.assert_array_equal(before[0], network.get_weights()[0])


@pytest.mark.parametrize("kind", ["HalfStorage", "DoubleStorage"])
def test_other_floats_are_read(kind, tmp_path):
    dtype = {"HalfStorage": "float16", "DoubleStorage": "float64"}[kind]
    state, data = of_kind(kind, np.arange(6, dtype=dtype))
    network = pix2pix_cyclegan.load_pytorch(write(tmp_path / "a.pth", state, data), dense())
    np.testing.assert_array_equal(network.get_weights()[0][0, :, 0], [[0, 3], [1, 4], [2, 5]])


def test_the_format_before_pytorch_1_6_is_read(tmp_path):
    data = {"0": (6, DATA["0"]), "1": (2, DATA["1"])}
    network = pix2pix_cyclegan.load_pytorch(legacy(tmp_path / "a.pth", tensors(), data), dense())
    np.testing.assert_array_equal(network.get_weights()[0][0, :, 0], [[0, 3], [1, 4], [2, 5]])


def test_scalars_and_arrays_without_numbers(tmp_path):
    state = {
        "a": Tensor(FakeStorage("0", 6), 5, (), ()),
        "b": Tensor(FakeStorage("0", 6), 6, (0, 3), (3, 1)),
        "c": Tensor(FakeStorage("1", 2, "LongStorage"), 0, (1,), (1,)),
    }
    found = inception_v3.read_state_dict(write(tmp_path / "a.pth", state, DATA))
    assert {n: (v.shape, v.tolist()) for n, v in found.items()} == {
        "a": ((), 5.0),
        "b": ((0, 3), []),
        "c": ((1,), np.frombuffer(DATA["1"], "int64").tolist()),
    }


@pytest.mark.parametrize("read", [pytorch.opened, npz.opened])
def test_what_is_no_file(read, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name, kind in (("pipe", "a pipe"), ("", "a folder")):
        with (
            pytest.raises(ValueError, match=f"{kind}.*where a file was expected"),
            read(tmp_path / name),
        ):
            pass
    with pytest.raises(FileNotFoundError), read(tmp_path / "none"):
        pass


def test_archives_of_numpy(tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, a=np.arange(6.0).reshape(2, 3), b=np.zeros((1000, 5000)))
    with npz.opened(path) as arrays:
        # Whoever asks for its shape gets no more than that.
        assert {n: (x.shape, x.kind) for n, x in arrays.items()} == {
            "a": ((2, 3), "floats"),
            "b": ((1000, 5000), "floats"),
        }
        np.testing.assert_array_equal(arrays["a"].read(), [[0, 1, 2], [3, 4, 5]])
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="fc", use_bias=False)])
    np.savez_compressed(path, **{"fc.weight": np.zeros((1000, 5000))})
    tracemalloc.start()
    with npz.opened(path) as arrays, pytest.raises(ValueError, match=r"\(1000, 5000\)"):
        inception_v3.fill(model, arrays)
    assert tracemalloc.get_traced_memory()[1] < 2e7
    tracemalloc.stop()
    np.savez_compressed(path, a=np.zeros((5000, 5000)))
    with pytest.raises(ValueError, match="claim 200,000,000 bytes, but the file has"):
        inception_v3.read_state_dict(path)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([None]), "numbers of type object"),
        (np.zeros(3, "complex128"), "numbers of type complex128"),
        (np.zeros(3, "S3"), "numbers of type"),
        (np.zeros(3, "f4,f4"), "numbers of type"),
        (np.float32([np.nan]), "holds 1 numbers that are not finite"),
    ],
)
def test_archives_of_something_else(values, message, tmp_path):
    np.savez(tmp_path / "a.npz", a=values)
    with pytest.raises(ValueError, match=f"not an `.npz` of numbers.*a.npz.*{message}"):
        inception_v3.read_state_dict(tmp_path / "a.npz")


def test_an_archive_that_is_cut_short(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, a=np.arange(1000.0))
    whole = path.read_bytes()
    for length in (0, 10, 500, len(whole) - 30):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="damaged, or not an `.npz`"):
            inception_v3.read_state_dict(path)
