import gzip

import numpy as np
import pytest

from keras_gans import data
from keras_gans.data.sources import fashion_mnist


def write(path, array):
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(header + array.tobytes()))


@pytest.fixture
def source(tmp_path, monkeypatch):
    """The four files, with 30 and 10 pictures: picture i is filled with i."""
    monkeypatch.delenv(fashion_mnist.SOURCE_VARIABLE, raising=False)
    path = tmp_path / "source"
    path.mkdir()
    for split, count in (("train", 30), ("test", 10)):
        images, labels = fashion_mnist._FILES[split]
        pixels = np.arange(count, dtype="uint8")[:, None, None] * np.ones((28, 28), "uint8")
        write(path / images, pixels)
        write(path / labels, np.arange(count, dtype="uint8") % 10)
    return path


@pytest.fixture
def load(tmp_path):
    return lambda **kwargs: data.load(
        "fashion_mnist", **{"batch_size": 10, "labels": True, "data_dir": tmp_path, **kwargs}
    )


def test_files_of_a_source(load, source):
    for split, count in (("train", 30), ("test", 10)):
        pairs = load(split=split, source=source)
        images, labels = map(np.concatenate, zip(*pairs.as_numpy_iterator()))
        assert images.shape == (count, 28, 28, 1)
        levels = np.rint((images[:, 0, 0, 0] + 1) * 127.5)
        assert sorted(levels) == list(range(count))
        np.testing.assert_array_equal(levels % 10, labels)


def test_source_from_the_environment(load, source, monkeypatch):
    monkeypatch.setenv(fashion_mnist.SOURCE_VARIABLE, str(source))
    assert int(load().cardinality()) == 3
    monkeypatch.setenv(fashion_mnist.SOURCE_VARIABLE, str(source / "nowhere"))
    with pytest.raises(FileNotFoundError, match=r"are missing: train-images.*nowhere"):
        load()


def test_source_of_the_debian_package(load, source, monkeypatch):
    monkeypatch.setattr(fashion_mnist, "_DEBIAN", source)
    assert int(load().cardinality()) == 3


def test_without_files_it_is_downloaded(load, source, monkeypatch):
    import tensorflow_datasets as tfds

    monkeypatch.setattr(fashion_mnist, "_DEBIAN", source / "nowhere")
    with tfds.testing.mock_data(num_examples=20):
        assert int(load().cardinality()) == 2


def test_other_files_are_prepared_anew(load, source):
    load(source=source)
    images, labels = fashion_mnist._FILES["train"]
    write(source / images, np.zeros((40, 28, 28), "uint8"))
    write(source / labels, np.zeros(40, "uint8"))
    assert int(load(source=source).cardinality()) == 4


def test_sizes_are_checked(load, source):
    write(source / fashion_mnist._FILES["train"][1], np.zeros(29, "uint8"))
    with pytest.raises(ValueError, match=r"do not hold Fashion-MNIST.*\(30, 28, 28\).*\(29,\)"):
        load(source=source)


@pytest.mark.parametrize(
    "content",
    [
        b"no gzip",
        gzip.compress(b"\0\0\x08\x03" + b"\0" * 100)[:-20],
        gzip.compress(b"short"),
        gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 3]) + b"\0\0\0"),
        gzip.compress(bytes([0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 28, 0, 0, 0, 28]) + b"\0" * 9),
    ],
    ids=["no gzip", "truncated", "short", "labels", "too few"],
)
def test_damaged_files_are_named(load, source, content):
    (source / fashion_mnist._FILES["train"][0]).write_bytes(content)
    with pytest.raises(ValueError, match=r"train-images.* is damaged or no IDX file.*Received"):
        load(source=source)
