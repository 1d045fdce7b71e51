import doctest

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageFilter

from keras_gans import data
from keras_gans.data import domains, sources
from keras_gans.data.sources import registry

CLASSES = ("none", "round", "dark")


def read(request):
    """Image i is filled with i, of 20, and its glasses are i modulo 3."""
    numbers = np.arange(20 if request.num_examples is None else request.num_examples)
    images = np.broadcast_to(numbers[:, None, None, None], (len(numbers), 4, 4, 1)).astype("uint8")
    examples = tf.data.Dataset.from_tensor_slices((images, numbers.astype("int32") % 3))
    if request.attributes:
        (name,) = request.attributes
        return examples.map(lambda image, kind: (image, {name: kind})), {name: CLASSES}
    return examples.map(lambda image, kind: image), None


def read_fewer(request):
    """Six images, filled with 100 and more."""
    height = 2 if request.image_size is None else 4
    images = np.full((6, height, 4, 1), np.arange(100, 106)[:, None, None, None], "uint8")
    return tf.data.Dataset.from_tensor_slices(images[: request.num_examples]), None


@pytest.fixture(scope="module", autouse=True)
def numbered():
    texts = {"content": "numbers", "origin": "these tests", "licence": "none"}
    patch = pytest.MonkeyPatch()
    source = sources.Source("numbered", **texts, splits=("train",), read=read)
    patch.setitem(registry._SOURCES, ("numbered", False), source)
    fewer = sources.Source("fewer", **texts, splits=("train",), read=read_fewer)
    patch.setitem(registry._SOURCES, ("fewer", False), fewer)
    yield
    patch.undo()


def numbers(batches):
    """What fills the images of each domain, in order."""
    pairs = [np.concatenate(parts) for parts in zip(*batches.as_numpy_iterator())]
    return [np.rint((images[:, 0, 0, 0] + 1) * 127.5).astype(int).tolist() for images in pairs]


def test_documented_examples_run():
    assert doctest.testmod(domains).failed == 0


def test_a_transform_has_halves_with_no_example_in_common():
    batches = data.load_domains("numbered", transform="negative", batch_size=5)
    assert data.steps_per_epoch(batches) == int(batches.cardinality()) == 2
    assert batches.element_spec == (tf.TensorSpec((5, 4, 4, 1), tf.float32),) * 2
    first, second = numbers(batches)
    assert sorted(first) == list(range(10)) != first
    assert sorted(255 - n for n in second) == list(range(10, 20))
    # Neither is in the order of the other, nor of another epoch.
    assert [n + 10 for n in first] != [255 - n for n in second]
    again = data.load_domains("numbered", transform="negative", batch_size=5, first_epoch=1)
    assert numbers(again.take(2)) == numbers(batches) != [first, second]


@pytest.mark.parametrize(
    "values, first, second",
    [
        (None, {0}, {1, 2}),
        ((["dark"], ["none"]), {2}, {0}),
        ((["round", "none"], ["dark"]), {0, 1}, {2}),
    ],
)
def test_an_attribute_tells_the_domains_apart(values, first, second):
    batches = data.load_domains("numbered", attribute="glasses", values=values, batch_size=2)
    found = numbers(batches)
    for numbers_, kinds in zip(found, (first, second)):
        mine = {n for n in range(20) if n % 3 in kinds}
        assert {n % 3 for n in numbers_} == kinds and set(numbers_) <= mine
    # The larger domain is seen once, and the smaller again and again.
    longer = max(found, key=lambda numbers_: len(set(numbers_)))
    assert len(longer) == len(set(longer)) == 2 * data.steps_per_epoch(batches)


def test_two_sets_are_two_domains():
    batches = data.load_domains("numbered", second="fewer", image_size=4, batch_size=5)
    assert batches.element_spec == (tf.TensorSpec((5, 4, 4, 1), tf.float32),) * 2
    first, second = numbers(batches)
    assert sorted(first) == list(range(20)) != first
    assert set(second) == set(range(100, 106)) and len(second) == 20
    few = data.load_domains(
        "numbered", second="fewer", image_size=4, num_examples=2, batch_size=2, shuffle=False
    )
    assert numbers(few) == [[0, 1], [100, 101]]


def test_edges_are_what_a_dilation_adds():
    """Against Pillow's filter."""
    pixels = np.random.default_rng(0).integers(256, size=(5, 7), dtype="uint8")
    dilated = np.asarray(Image.fromarray(pixels).filter(ImageFilter.MaxFilter(3))).astype(int)
    found = domains.edges(pixels[None, :, :, None].astype("float32") / 127.5 - 1.0)
    inside = (slice(1, -1), slice(1, -1))  # Pillow leaves the border as it was
    expected = (dilated - pixels) / 127.5 - 1.0
    np.testing.assert_allclose(found[0, :, :, 0].numpy()[inside], expected[inside], atol=1e-6)
    assert found.numpy().min() >= -1.0 and found.numpy().max() <= 1.0


@pytest.mark.parametrize(
    "options, message",
    [
        ({}, "by a transform or by an attribute"),
        ({"second": "ring"}, "Only images have domains.*'ring'"),
        (
            {"second": "fewer"},
            r"different shapes.*'numbered' of \(4, 4, 1\), 'fewer' of \(2, 4, 1\)",
        ),
        ({"second": "numbere"}, "Did you mean 'numbered'"),
        ({"second": "numbered", "transform": "edges"}, "Expected one of.*second='numbered'"),
        ({"transform": "edges", "attribute": "glasses"}, "by a transform or by an attribute"),
        ({"transform": "edges", "values": (["a"], ["b"])}, "by a transform or by an attribute"),
        ({"transform": "edge"}, r"Did you mean 'edges'.*transform='edge'"),
        ({"attribute": 3}, "name of an attribute"),
        (
            {"attribute": "glasses", "values": (["none", "dark"], ["dark", "round"])},
            r"domains overlap.*Received: \['dark'\]",
        ),
        ({"attribute": "glasses", "values": (["nine"], ["dark"])}, "Did you mean 'none'"),
        ({"attribute": "glasses", "values": ("none", "dark")}, "two lists of names"),
        ({"attribute": "glasses", "values": (["none"],)}, "two lists of names"),
        ({"attribute": "glasses", "values": (["none"], [])}, "two lists of names"),
        (
            {"attribute": "glasses", "values": (["none"], ["dark"]), "num_examples": 2},
            r"domain has no example.*\['none', 'round'\].*glasses=\['dark'\]",
        ),
        ({"transform": "edges", "num_examples": 1}, "Each domain needs an example"),
        ({"transform": "edges", "batch_size": 11}, "larger than the data set.*at most 10"),
        ({"transform": "edges", "colour": 1}, "no option of that name"),
    ],
)
def test_domains_that_cannot_be_made(options, message):
    with pytest.raises(ValueError, match=message):
        data.load_domains("numbered", **options)


def test_points_are_not_transformed():
    with pytest.raises(ValueError, match="Only images have domains.*'ring'"):
        data.load_domains("ring", transform="negative")
