import doctest
import itertools

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from keras_gans import data
from keras_gans.data import pairs, prepared, sources
from keras_gans.data.sources import builders, registry, tfds_sets

IMAGE = tfds.features.Image(shape=(None, None, 3))


class Numbered(builders.QuietBuilder, skip_registration=True):
    """Pair i: a is filled with 10 * i, b with 10 * i + 5; 12 for training and 4 for testing."""

    name = "numbered"
    size = (4, 4)

    def _info(self):
        features = tfds.features.FeaturesDict({"a": IMAGE, "b": IMAGE})
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(12), "test": self._generate_examples(4)}

    def _generate_examples(self, count):
        for i in range(count):
            yield i, {"a": self.picture(10 * i), "b": self.picture(10 * i + 5)}

    def picture(self, level):
        return np.full((*self.size, 3), level, "uint8")


class Places(Numbered, skip_registration=True):
    """Every pixel tells its row and its column; b has them exchanged."""

    name = "places"
    size = (8, 9)  # 286 / 256 times (7, 8), rounded

    def picture(self, level):
        rows, columns = np.indices(self.size)
        a, b = (rows, columns) if level % 10 == 0 else (columns, rows)
        return np.stack([a, b, np.full(self.size, level)], axis=-1).astype("uint8")


class Apart(Numbered, skip_registration=True):
    """Unpaired: seven images 10 * i in domain A, three 10 * i + 5 in domain B."""

    name = "apart"

    def _info(self):
        features = tfds.features.FeaturesDict({"image": IMAGE})
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _split_generators(self, dl_manager):
        counts = {"trainA": (7, 0), "trainB": (3, 5), "testA": (2, 0), "testB": (2, 5)}
        return {split: self._generate_examples(*of) for split, of in counts.items()}

    def _generate_examples(self, count, more):
        for i in range(count):
            yield i, {"image": self.picture(10 * i + more)}


class WithoutDomains(Apart, skip_registration=True):
    """Images in one split."""

    name = "without_domains"

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(3, 0)}


def source(build):
    """A source "set" whose builder is made by a function of the request."""

    def read(request):
        return prepared.pairs(build(request), request)

    texts = {"content": "numbers", "origin": "these tests", "licence": "none"}
    return sources.Source("set", **texts, splits=("train", "test"), read=read, paired=True)


@pytest.fixture
def load(tmp_path, monkeypatch):
    """`load_pairs` of one of the builders above."""

    def load(builder=Numbered, **kwargs):
        with monkeypatch.context() as patch:
            built = builders.prepare(lambda: builder(data_dir=tmp_path))
            patch.setitem(registry._SOURCES, ("set", True), source(lambda request: built))
            return data.load_pairs("set", **{"image_size": 4, "augment": False, **kwargs})

    return load


def arrays(batches):
    """Sources and targets, as bytes."""
    sources, targets = map(np.concatenate, zip(*batches.as_numpy_iterator()))
    return [np.rint((images + 1) * 127.5).astype("uint8") for images in (sources, targets)]


def numbers(batches):
    """Sources and targets by the number that fills them."""
    return [images[:, 0, 0, 0].tolist() for images in arrays(batches)]


def test_documented_examples_run():
    assert doctest.testmod(pairs).failed == 0


def test_pairs(load):
    batches = load(batch_size=3)
    spec = tf.TensorSpec((3, 4, 4, 3), tf.float32)
    assert batches.element_spec == (spec, spec)
    assert data.steps_per_epoch(batches) == int(batches.cardinality()) == 4
    a, b = numbers(batches)
    assert sorted(a) == list(range(0, 120, 10)) != a
    assert b == [n + 5 for n in a]
    images, _ = next(iter(batches))  # 0 is -1, and 255 would be 1
    level = (images[0, 0, 0, 0] + 1.0) * 127.5
    assert float(level) == pytest.approx(round(float(level) / 10) * 10, abs=1e-4)


def test_direction(load):
    a, b = numbers(load())
    assert numbers(load(direction="b_to_a")) == [b, a]


def test_split_and_number_of_examples(load):
    assert sorted(numbers(load(split="test"))[0]) == [0, 10, 20, 30]
    whole = numbers(load(shuffle=False))[0]
    assert numbers(load(shuffle=False, split="train[:50%]"))[0] == whole[:6]
    assert numbers(load(shuffle=False, num_examples=5))[0] == whole[:5]


def test_remainder(load):
    assert len(numbers(load(batch_size=5))[0]) == 10
    last = load(batch_size=5, drop_remainder=False)
    assert len(numbers(last)[0]) == 12 and data.steps_per_epoch(last) == 3


@pytest.mark.parametrize("builder, paired", [(Numbered, True), (Numbered, False), (Apart, False)])
@pytest.mark.parametrize("cached", [True, False])
def test_resumed_is_uninterrupted(load, monkeypatch, builder, paired, cached):
    if not cached:
        monkeypatch.setattr("keras_gans.data.epochs._CACHE_BYTES", 0)
    kwargs = {"builder": builder, "paired": paired, "seed": 3, "augment": True}
    finite = load(**kwargs)
    epochs = [numbers(finite) for _ in range(3)]
    tf.random.set_seed(9)
    resumed = load(**kwargs, first_epoch=2)
    assert int(resumed.cardinality()) == tf.data.INFINITE_CARDINALITY
    steps = data.steps_per_epoch(resumed)
    assert numbers(resumed.take(steps)) == epochs[2]
    others = [*epochs, numbers(load(**{**kwargs, "seed": 4}))]
    assert all(one[0] != two[0] for one, two in itertools.combinations(others, 2))


def test_paired_data_unpaired(load):
    batches = load(paired=False)
    matches = []
    for _ in range(16):
        a, b = numbers(batches)
        assert sorted(a) == list(range(0, 120, 10)) and sorted(b) == list(range(5, 125, 10))
        matches.append(sum(y == x + 5 for x, y in zip(a, b)))
    # Two independent orders agree in one place on average, with a variance of one.
    assert abs(np.mean(matches) - 1) < 4 / np.sqrt(16)


def test_paired_data_unpaired_on_disk_order(load):
    a, b = numbers(load(paired=False, shuffle=False))
    assert b == [n + 5 for n in a[6:] + a[:6]]


def test_the_smaller_domain_goes_round_again(load):
    batches = load(Apart, paired=False)
    assert data.steps_per_epoch(batches) == 7
    orders = set()
    for _ in range(8):
        a, b = numbers(batches)
        assert sorted(a) == list(range(0, 70, 10))
        for start in (0, 3):
            assert sorted(b[start : start + 3]) == [5, 15, 25]
            orders.add(tuple(b[start : start + 3]))
        assert b[6] in (5, 15, 25)
    assert len(orders) >= 4  # of six
    a, b = numbers(load(Apart, paired=False, num_examples=2))
    assert len(a) == len(b) == 2


def test_splits_of_unpaired_sets(load):
    assert sorted(numbers(load(Apart, paired=False, split="test"))[0]) == [0, 10]
    both = numbers(load(Apart, paired=False, split="train+test"))
    assert len(both[0]) == 9
    part = numbers(load(Apart, paired=False, split="train[:1]", shuffle=False))
    assert len(part[0]) == len(part[1]) == 1


@pytest.mark.parametrize("paired", [True, False])
def test_crops_and_flips(load, paired):
    size = (7, 8)
    batches = load(Places, image_size=size, augment=True, paired=paired)
    seen = {}
    for _ in range(8):
        for images in zip(*arrays(batches)):
            found = []
            for image, exchanged in zip(images, (False, True)):
                rows, columns = np.moveaxis(image[..., :2], -1, 0)
                if exchanged:
                    rows, columns = columns, rows
                top, left, flip = rows[0, 0], columns[0].min(), columns[0, 0] > columns[0, -1]
                # A whole crop of the stored image, and nothing resized.
                expected = np.arange(left, left + 8)[:: -1 if flip else 1]
                np.testing.assert_array_equal(columns, np.tile(expected, (7, 1)))
                np.testing.assert_array_equal(rows.T, np.tile(np.arange(top, top + 7), (8, 1)))
                found.append((top, left, flip))
            seen[tuple(found)] = seen.get(tuple(found), 0) + 1
    places = {(t, l, f) for t in range(2) for l in range(2) for f in (False, True)}  # noqa: E741
    firsts = {first for first, _ in seen}
    alike = sum(n for (a, b), n in seen.items() if a == b) / (8 * 12)
    if paired:
        assert alike == 1
    else:
        assert 0 < alike < 0.35  # one of eight
    assert firsts == places


def test_the_size_at_which_training_images_are_stored(monkeypatch, tmp_path):
    asked = []

    def build(request):
        asked.append(request.stored_size)
        return builders.prepare(lambda: Numbered(data_dir=tmp_path))

    monkeypatch.setitem(registry._SOURCES, ("set", True), source(build))
    for kwargs in (
        {},
        {"image_size": (128, 64)},
        {"split": "train[:50%]"},
        {"split": "test"},
        {"augment": False},
    ):
        data.load_pairs("set", **kwargs)
    # 286 / 256 of 128 is 143, and of 64 is 71.5.
    assert asked == [(286, 286), (143, 72), (286, 286), (256, 256), (256, 256)]


def test_augmentation_differs_between_epochs(load):
    batches = load(Places, image_size=(7, 8), augment=True, shuffle=False)
    one, two = arrays(batches), arrays(batches)
    assert (one[0][..., 2] == two[0][..., 2]).all()  # the same examples
    changed = (one[0] != two[0]).any(axis=(1, 2, 3)).mean()
    assert changed > 0.5  # seven of eight


def test_held_out_images_are_not_varied(load):
    plain = arrays(load(Places, image_size=(8, 9), split="test", augment=False))
    varied = arrays(load(Places, image_size=(8, 9), split="test", augment=True))
    np.testing.assert_array_equal(plain, varied)


def test_a_set_of_tensorflow_datasets(monkeypatch, tmp_path):
    asked = []

    def download(name, data_dir):
        asked.append((name, data_dir))
        builder = Apart if "cycle_gan" in name else WithoutDomains
        return builders.prepare(lambda: builder(data_dir=tmp_path))

    monkeypatch.setattr(tfds_sets, "download", download)
    batches = data.load_pairs(
        "cycle_gan/horse2zebra", paired=False, image_size=16, channels=1, data_dir=tmp_path
    )
    assert asked == [("cycle_gan/horse2zebra", str(tmp_path))]
    # Resized from 4x4, to grey.
    assert batches.element_spec == (tf.TensorSpec((1, 16, 16, 1), tf.float32),) * 2
    assert sorted(numbers(batches)[0]) == list(range(0, 70, 10))
    with pytest.raises(ValueError, match=r"not paired.*Expected `paired=False`"):
        data.load_pairs("cycle_gan/horse2zebra")
    with pytest.raises(ValueError, match=r"not hold images of two domains.*splits \['train'\]"):
        data.load_pairs("cifar10")


def test_the_two_that_others_prepare(monkeypatch, tmp_path):
    from keras_gans.data.sources import emoji_styles, paired_folder

    asked = []

    def builder(*args, **options):
        asked.append((args, options))
        return builders.prepare(lambda: Numbered(data_dir=tmp_path))

    monkeypatch.setattr(emoji_styles, "builder", builder)
    monkeypatch.setattr(paired_folder, "builder", builder)
    data.load_pairs("emoji_styles", image_size=32, augment=False, source="x", channels=1)
    data.load_pairs(tmp_path, image_size=32, augment=False, data_dir=tmp_path, on_error="skip")
    assert asked == [
        (((32, 32), 1, None), {"source": "x"}),
        ((tmp_path, (32, 32), 3, str(tmp_path), "skip"), {}),
    ]


@pytest.mark.parametrize(
    "kwargs, message",
    [
        ({"direction": "a2b"}, "Expected 'a_to_b' or 'b_to_a'. Received: direction='a2b'"),
        ({"split": "val"}, r"Expected one of \['train', 'test'\].*split='val'"),
        (
            {"builder": Apart, "paired": False, "split": "val"},
            r"Expected one of \['train', 'test'\] \(examples: .*'train': 7.*split='val'",
        ),
        ({"builder": Apart}, "not paired. Expected `paired=False`. Received: paired=True"),
        ({"batch_size": 13}, "at most 12, or `drop_remainder=False`. Received: batch_size=13"),
        ({"num_examples": 13}, "at most 12. Received: num_examples=13"),
        ({"builder": Apart, "paired": False, "num_examples": 4}, "at most 3.*num_examples=4"),
        ({"image_size": 0}, "1 or more, or a height.*Received: image_size=0"),
        ({"image_size": (8, 8, 3)}, r"Received: image_size=\(8, 8, 3\)"),
        ({"image_size": 8.5}, "Received: image_size=8.5"),
        ({"channels": None}, "Received: channels=None"),
        ({"channels": 4}, "Received: channels=4"),
        ({"seed": -1}, "Received: seed=-1"),
        ({"on_error": "ignore"}, "Received: on_error='ignore'"),
    ],
)
def test_misuse(load, kwargs, message):
    with pytest.raises(ValueError, match=message):
        load(**kwargs)


@pytest.mark.parametrize(
    "name, kwargs, message",
    [
        ("erth", {}, "Did you mean 'earth'.*Received: name='erth'"),
        ("emoji", {}, "Did you mean 'emoji_styles'"),
        ("", {}, "names no data set"),
        (3, {}, "Received: name=3"),
        ("emoji_styles", {"sourse": "x"}, "Did you mean 'source'.*Received: sourse='x'"),
        (".", {"max_scale": 2}, "no option of that name.*Received: max_scale=2"),
    ],
)
def test_misuse_of_names(name, kwargs, message):
    with pytest.raises(ValueError, match=message):
        data.load_pairs(name, **kwargs)


def test_replicas_share_a_batch(load, two_replicas):
    batches = load(batch_size=4, shuffle=False)
    expected = numbers(batches)[0]
    parts = two_replicas.experimental_distribute_dataset(load(batch_size=4, shuffle=False))
    got = []
    for source, _ in parts:
        for part in two_replicas.experimental_local_results(source):
            got += np.rint((part[:, 0, 0, 0].numpy() + 1) * 127.5).astype(int).tolist()
    assert got == expected
