"""Files that claim, link or hide what an array of a network never needs."""

import contextlib
import pathlib
import zlib

import h5py
import keras
import ml_dtypes
import numpy as np
import pytest

import tiny
from keras_gans import zoo
from keras_gans.callbacks import Resume
from keras_gans.reading import hdf5
from keras_gans.zoo.converters import pix2pix_cyclegan

KERNEL = "layers/dense/vars/0"
BIAS = "layers/dense/vars/1"
SHAPE = (50, 40)


@contextlib.contextmanager
def peak():
    """A list to which the peak of memory within the block is appended, in bytes above the start."""
    status = pathlib.Path("/proc/self/status")

    def read(field):
        (line,) = [x for x in status.read_text().splitlines() if x.startswith(field)]
        return 1024 * int(line.split()[1])

    try:
        pathlib.Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far
    except OSError:
        pytest.skip("the peak of memory cannot be measured here")
    before, found = read("VmRSS"), []
    yield found
    found.append(read("VmHWM") - before)


def network():
    return keras.Sequential([keras.Input(SHAPE[:1]), keras.layers.Dense(SHAPE[1], name="dense")])


def write(path, make):
    """A file of Keras 3 for `network`, with the kernel made by a function of file and path."""
    with h5py.File(path, "w") as file:
        make(file, KERNEL)
        file[BIAS] = np.zeros(SHAPE[1], "float32")
    return path


def values(dtype="float32"):
    return np.arange(np.prod(SHAPE)).reshape(SHAPE).astype(dtype)


def external(file, name):
    pathlib.Path(file.filename).with_name("secret").write_bytes(b"\1" * 8000)
    file.create_dataset(name, SHAPE, "float32", external=[("secret", 0, 8000)])


def virtual(file, name):
    layout = h5py.VirtualLayout(SHAPE, "float32")
    with h5py.File(pathlib.Path(file.filename).with_name("other.h5"), "w") as other:
        layout[:] = h5py.VirtualSource(other.create_dataset("x", data=values()))
    file.create_virtual_dataset(name, layout)


def linked(kind):
    def make(file, name):
        file["elsewhere"] = values()
        file[name] = kind("/elsewhere") if kind is h5py.SoftLink else kind("other.h5", "/x")

    return make


def cycle(file, name):
    file[name] = values()
    inner = file[name].parent
    inner["again"] = inner.parent


def twice(file, name):
    file[name] = values()
    file["again"] = file[name]


def chunk_that_unpacks(size):
    def make(file, name):
        data = file.create_dataset(name, SHAPE, "float32", chunks=SHAPE, compression="gzip")
        packer = zlib.compressobj()
        parts = [packer.compress(bytes(min(2**20, size - at))) for at in range(0, size, 2**20)]
        data.id.write_direct_chunk((0, 0), b"".join([*parts, packer.flush()]))

    return make


def large_chunk(file, name):
    options = {"maxshape": (None, None), "chunks": (2**12, 2**12), "compression": "gzip"}
    data = file.create_dataset(name, SHAPE, "float32", **options)
    data.id.write_direct_chunk((0, 0), zlib.compress(bytes(2**26)))


def stored(**options):
    options = {"data": values(), **options}
    return lambda file, name: file.create_dataset(name, **options)


def with_one(value, dtype="float32"):
    changed = values(dtype)
    changed[3, 4] = value
    return stored(data=changed)


FITTING = {
    "contiguous": stored(),
    "gzip": stored(compression="gzip", chunks=(7, 40), shuffle=True, fletcher32=True),
    "shuffle": stored(shuffle=True, chunks=(50, 3)),
    "float16": stored(data=np.ones(SHAPE, "float16")),
    "float64": stored(data=values("float64")),
    "big endian": stored(data=values(">f4")),
}

HOSTILE = {
    "external storage": (external, "has its numbers in another file"),
    "virtual": (virtual, "has its numbers in another file"),
    "soft link": (linked(h5py.SoftLink), "is a SoftLink"),
    "external link": (linked(h5py.ExternalLink), "is a ExternalLink"),
    "cycle": (cycle, "there twice"),
    "two names": (twice, "there twice"),
    "never written": (stored(data=None, shape=SHAPE, dtype="f4"), "claims 8,000 bytes, but 0 are"),
    "chunks never written": (
        stored(data=None, shape=SHAPE, dtype="f4", chunks=(10, 40), compression="gzip"),
        "claims 5 chunks, but 0 are",
    ),
    "terabytes": (
        stored(data=None, shape=(2**20, 2**20), dtype="f4", chunks=(2**10, 2**10)),
        "claims 1,048,576 chunks, but 0 are",
    ),
    "chunk bomb": (chunk_that_unpacks(2**27), "chunk that decompresses to another size"),
    "chunk too short": (chunk_that_unpacks(4000), "chunk that decompresses to another size"),
    "large chunk": (large_chunk, "has a chunk of 67,108,864 bytes"),
    "lzf": (stored(compression="lzf", chunks=(7, 40)), "other filters"),
    "scale and offset": (stored(data=values("int32"), scaleoffset=4), "other filters"),
    "complex": (stored(data=values("complex64")), "numbers of type complex64"),
    "texts": (stored(data=[["a"] * 40] * 50), "numbers of type object"),
    "records": (stored(data=np.zeros(SHAPE, "f4,f4")), "numbers of type"),
    "empty": (stored(data=h5py.Empty("f4")), "is empty"),
    "a type": (lambda file, name: file.__setitem__(name, np.dtype("f4")), "neither a group nor"),
    "NaN": (with_one(np.nan), "holds 1 numbers that are not finite"),
    "infinity": (with_one(-np.inf, "float16"), "holds 1 numbers that are not finite"),
    "too large for float32": (with_one(1e300, "float64"), "holds 1 numbers that are not finite"),
}

OTHERS = {
    "integers": stored(data=values("int32")),
    "booleans": stored(data=values("bool")),
    "transposed": stored(data=values().T),
    "scalar": stored(data=np.float32(1)),
    "none": stored(data=np.zeros((0, 40), "float32")),
    "one axis more": stored(data=values()[None]),
}


@pytest.mark.parametrize("name", FITTING)
def test_what_keras_writes_is_read(name, tmp_path):
    path = write(tmp_path / "a.weights.h5", FITTING[name])
    with h5py.File(path) as file:
        expected = file[KERNEL][()].astype("float32")
    found = hdf5.load(network(), path)
    np.testing.assert_array_equal(found.get_weights()[0], expected)


def test_bfloat16_is_read_as_keras_writes_it(tmp_path):
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(2, dtype=keras.DTypePolicy("bfloat16"))]
    )
    model.save_weights(tmp_path / "a.weights.h5")
    twin = keras.models.clone_model(model)
    hdf5.load(twin, tmp_path / "a.weights.h5")
    for a, b in zip(model.get_weights(), twin.get_weights()):
        assert a.dtype == ml_dtypes.bfloat16
        np.testing.assert_array_equal(a, b)
    with h5py.File(tmp_path / "a.weights.h5", "a") as file:
        kernel = np.full((3, 2), np.nan, ml_dtypes.bfloat16)
        file[KERNEL].write_direct(kernel.view("V2"))
    with pytest.raises(ValueError, match="holds 6 numbers that are not finite"):
        hdf5.load(twin, tmp_path / "a.weights.h5")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_and_cost_nothing(name, tmp_path):
    make, message = HOSTILE[name]
    path, model = write(tmp_path / "a.weights.h5", make), network()
    before = model.get_weights()
    with peak() as most, pytest.raises(ValueError, match=f"Received: .*a.weights.h5.*{message}"):
        hdf5.load(model, path)
    assert most[0] < 30e6  # the largest of them would take terabytes
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", OTHERS)
def test_weights_of_another_network_are_not_read(name, tmp_path):
    path = write(tmp_path / "a.weights.h5", OTHERS[name])
    with pytest.raises(
        ValueError, match=r"another network, and were not loaded.*\(50, 40\).*a.weights.h5"
    ):
        hdf5.load(network(), path)


def test_an_array_too_few_and_one_too_many(tmp_path):
    path = write(tmp_path / "a.weights.h5", stored())
    with h5py.File(path, "a") as file:
        file["more"] = np.zeros(3)
    with pytest.raises(ValueError, match=r"Expected no more where the file has.*\(3,\)"):
        hdf5.load(network(), path)
    with h5py.File(path, "a") as file:
        del file["more"], file[BIAS]
    with pytest.raises(ValueError, match=r"Expected .*\(40,\).*the file has no more"):
        hdf5.load(network(), path)


def test_small_files_of_constants_may_shrink_and_large_ones_may_not(tmp_path):
    path = tmp_path / "zeros.weights.h5"
    with h5py.File(path, "w") as file:
        options = {"dtype": "float32", "chunks": (2**20,), "compression": "gzip"}
        for number in range(17):
            data = file.create_dataset(str(number), (2**20,), **options)
            data.id.write_direct_chunk((0,), zlib.compress(bytes(2**22)))
    with pytest.raises(ValueError, match="claim 71,303,168 bytes, but the file has 111,678"):
        hdf5.size_of(path)
    with h5py.File(path, "a") as file:
        del file["0"]
    assert hdf5.size_of(path) == (16, 16 * 2**20)


@pytest.mark.parametrize("content", [b"", b"<html>", b"\x89HDF\r\n\x1a\n"])
def test_what_is_no_such_file(content, tmp_path):
    path = tmp_path / "a.weights.h5"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged.*Received: .*a.weights.h5"):
        hdf5.load(network(), path)
    with pytest.raises(ValueError, match="a folder where a file was expected"):
        hdf5.load(network(), tmp_path)
    with pytest.raises(FileNotFoundError):
        hdf5.load(network(), tmp_path / "none.weights.h5")


def test_a_file_cut_short_anywhere(tmp_path):
    path = write(tmp_path / "a.weights.h5", FITTING["gzip"])
    whole = path.read_bytes()
    for length in range(0, len(whole), 331):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="damaged"):
            hdf5.load(network(), path)


# ---- the same reader, wherever weights are read


def keras_2(path, make):
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"dense"]
        file.create_group("dense").attrs["weight_names"] = [b"dense/kernel:0", b"dense/bias:0"]
        make(file, "dense/dense/kernel:0")
        file["dense/dense/bias:0"] = np.zeros(SHAPE[1], "float32")
    return path


@pytest.mark.parametrize("name", HOSTILE)
def test_converters_refuse_them(name, tmp_path):
    make, message = HOSTILE[name]
    path = keras_2(tmp_path / "a.h5", make)
    with peak() as most, pytest.raises(ValueError, match=f"Keras 2.*Received: .*a.h5.*{message}"):
        pix2pix_cyclegan.load_keras_h5(path, network())
    assert most[0] < 30e6


def test_converters_take_floats_alone(tmp_path):
    for name in ("integers", "booleans"):
        with pytest.raises(ValueError, match=rf"expected .*\(50, 40\).*the file has .* of {name}"):
            pix2pix_cyclegan.load_keras_h5(keras_2(tmp_path / "a.h5", OTHERS[name]), network())


def test_names_that_are_too_long_for_names(tmp_path, monkeypatch):
    path = keras_2(tmp_path / "a.h5", stored())
    with h5py.File(path, "a") as file:
        # In a file that is made for it, all of them may be the one place of the longest.
        file["dense"].attrs["weight_names"] = ["x" * 10_000] + ["y"] * 199
    monkeypatch.setattr(hdf5, "_MOST_TEXT", 1_900_000)
    with pytest.raises(ValueError, match="weight_names may have 200 texts that are too long"):
        pix2pix_cyclegan.load_keras_h5(path, network())
    monkeypatch.setattr(hdf5, "_MOST_TEXT", 4_000_000)
    with pytest.raises(ValueError, match="KeyError: .dense/x"):
        pix2pix_cyclegan.load_keras_h5(path, network())


@pytest.fixture(scope="module")
def gan(tmp_path_factory):
    return zoo.Recipe(tiny.recipe(tmp_path_factory.mktemp("data"))).build_model()


def test_a_gan_and_its_checkpoints_are_read_by_it(gan, tmp_path):
    path = tmp_path / "epoch-00001.weights.h5"
    gan.save_weights(path)
    gan.load_weights(path)
    whole = path.read_bytes()
    for make, message in (
        (external, "has its numbers in another file"),
        (linked(h5py.SoftLink), "is a SoftLink"),
        (stored(data=np.zeros((300, 300), "f4")), "larger than any of this model.*larger than"),
        (stored(data=np.zeros((300, 300), "f4")), r"of shape \(300, 300\)"),
        (chunk_that_unpacks(2**26), "chunk that decompresses"),
    ):
        path.write_bytes(whole)
        with h5py.File(path, "a") as file:
            make(file, "generator/layers/more")
        for load in (gan.load_weights, lambda _: Resume(tmp_path).restore(gan)):
            with pytest.raises(ValueError, match=message.split(".*")[0]):
                load(path)
    path.write_bytes(whole)
    with h5py.File(path, "a") as file:
        file["ema_generator/layers/dense/vars/0"][0, 0] = np.nan
        # A loss that float16 could not hold is part of a training's state, and no weight.
        (mean,) = [n for n in file["vars"] if n == "metric_0"]
        file["vars"][mean][()] = np.inf
    with pytest.raises(ValueError, match="ema_generator.*holds 1 numbers that are not finite"):
        gan.load_weights(path)
    with h5py.File(path, "a") as file:
        file["ema_generator/layers/dense/vars/0"][0, 0] = 0
    gan.load_weights(path)
