import numpy as np
import pytest

from keras_gans import data


@pytest.fixture(scope="module")
def digits():
    batches = data.load("digits", labels=True, batch_size=5000, shuffle=False)
    images, labels = next(batches.as_numpy_iterator())
    return {image.tobytes(): label for image, label in zip(images, labels)}


def read(dataset, number=None):
    return list((dataset.take(number) if number else dataset).as_numpy_iterator())


# ---- stacked digits


def test_channels_are_digits_and_the_label_reads_them(digits):
    stacked = data.load("stacked_digits", labels=True, batch_size=50, num_examples=100)
    assert data.steps_per_epoch(stacked) == 2
    for images, labels in read(stacked):
        assert images.shape == (50, 28, 28, 3) and labels.dtype == np.int32
        for image, label in zip(images, labels):
            channels = [digits[image[..., i : i + 1].tobytes()] for i in range(3)]
            assert label == 100 * channels[0] + 10 * channels[1] + channels[2]


def test_stacked_digits_are_independent_draws():
    _, labels = read(data.load("stacked_digits", labels=True, batch_size=20_000))[0]
    counts = np.bincount(labels, minlength=1000)
    assert counts.shape == (1000,) and counts.min() > 0
    # 20 of each on average, and Poisson about it: chi squared over 999 degrees of freedom.
    assert abs(((counts - 20) ** 2 / 20).sum() - 999) < 5 * np.sqrt(2 * 999)


def test_the_seed_fixes_the_stacks():
    def labels(seed):
        options = {"labels": True, "batch_size": 100, "num_examples": 100, "shuffle": False}
        return read(data.load("stacked_digits", seed=seed, **options))[0][1]

    np.testing.assert_array_equal(labels(1), labels(1))
    assert (labels(1) != labels(2)).any()


def test_a_split_holds_its_own_digits(digits):
    def used(split):
        options = {"batch_size": 400, "num_examples": 400, "split": split}
        images = read(data.load("stacked_digits", **options))[0]
        return {image[..., i : i + 1].tobytes() for image in images for i in range(3)}

    train, held_out = used("train[:80%]"), used("train[80%:]")
    assert train | held_out <= set(digits) and not train & held_out


@pytest.mark.parametrize("options", [{"image_size": 14}, {"channels": 1}])
def test_stacked_digits_stay_as_they_are(options):
    with pytest.raises(ValueError, match="28x28x3. Leave.*Received"):
        data.load("stacked_digits", **options)


# ---- few labels


def few(**options):
    return data.load("digits", labels=True, labels_per_class=3, batch_size=50, **options)


def test_every_second_example_has_a_label_and_they_are_few(digits):
    labelled, others = set(), []
    dataset = few()
    assert data.steps_per_epoch(dataset) == 200
    for images, labels in read(dataset):
        assert images.shape == (50, 28, 28, 1) and labels.shape == (50,)
        assert (labels[::2] >= 0).all() and (labels[1::2] == -1).all()
        keys = [image.tobytes() for image in images]
        for key, label in zip(keys[::2], labels[::2]):
            assert digits[key] == label
            labelled.add(key)
        others += keys[1::2]
    # All 30 come up, three of each class, and the whole set passes by once.
    assert sorted(digits[key] for key in labelled) == sorted(list(range(10)) * 3)
    assert len(others) == 5000 and set(others) == set(digits)
    # The first of each class, on disk.
    order = list(digits)
    firsts = {key for k in range(10) for key in [x for x in order if digits[x] == k][:3]}
    assert labelled == firsts


def test_an_epoch_depends_on_its_number_and_the_seed_alone():
    dataset = few(seed=4)
    epochs = [read(dataset, 2) for _ in range(3)]
    resumed = read(few(seed=4, first_epoch=2), 2)
    for a, b in zip(epochs[2], resumed):
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(a[1], b[1])
    assert (epochs[0][0][1] != epochs[1][0][1]).any()  # other labelled examples
    assert (epochs[0][0][1] != epochs[0][1][1]).any()
    assert (epochs[0][0][1] != read(few(seed=5), 1)[0][1]).any()
    assert (epochs[0][0][0][1::2] != epochs[1][0][0][1::2]).any()  # another order


def test_points_have_few_labels_too():
    ring = data.load("ring", labels=True, labels_per_class=2, batch_size=32, num_examples=400)
    points = np.concatenate([x[y >= 0] for x, y in read(ring)])
    assert len(np.unique(points, axis=0)) == 16


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": False}, "`labels=True`, an even `batch_size`.*Received: labels=False"),
        ({"batch_size": 5}, "even `batch_size`.*batch_size=5"),
        ({"batch_size": 10_002}, r"at most 10000\. Received: batch_size=10002"),
        ({"drop_remainder": False}, "drop_remainder=False"),
        ({"labels_per_class": 0}, "labels_per_class=0"),
        ({"labels_per_class": 501}, "at most 500. Received: labels_per_class=501, class 0 has 500"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(ValueError, match=message):
        data.load("digits", **{"labels": True, "labels_per_class": 3, "batch_size": 50, **options})
