"""The registry of sources: what it says, who reads it, and that asking it loads nothing."""

import dataclasses
import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_gans import data
from keras_gans.data import sources
from keras_gans.data.sources import registry

ROOT = Path(__file__).parent.parent.parent
TEXTS = {"content": "bars", "origin": "these tests", "licence": "none", "splits": ("train",)}


def bars(request):
    """Eight black images with one white column; labelled by the column and by its half."""
    from keras_gans.data import prepared
    from keras_gans.data.sources import builders

    def examples():
        for column in range(8):
            image = np.zeros((8, 8, 1), "uint8")
            image[:, column] = 255
            yield column, {"image": image, "label": column, "half": column // 4}

    plan = builders.Plan(
        name="bars",
        description="Bars.",
        features=lambda features: {
            "image": features.Image(shape=(8, 8, 1)),
            "label": features.ClassLabel(num_classes=8),
            "half": features.ClassLabel(names=["left", "right"]),
        },
        examples=lambda: {"train": examples()},
    )
    return prepared.images(builders.prepared(plan, request.data_dir), request)


@pytest.fixture
def registered(monkeypatch):
    """A new source is a function and one registration."""
    monkeypatch.setattr(registry, "_SOURCES", dict(registry._SOURCES))
    labels = {"label": tuple("abcdefgh"), "half": ("left", "right")}
    return sources.register(sources.Source("bars", **TEXTS, read=bars, labels=labels))


def test_a_new_source_is_loaded_with_any_of_its_labels(registered, tmp_path):
    options = {"batch_size": 8, "data_dir": tmp_path, "shuffle": False}
    for labels, divisor in ((True, 1), ("half", 4)):
        batches = data.load("bars", labels=labels, **options)
        ((images, found),) = batches.as_numpy_iterator()
        np.testing.assert_array_equal(found, images[:, 0, :, 0].argmax(axis=-1) // divisor)
    assert data.class_names(batches) == ["left", "right"]
    assert data.class_names_of("bars") == tuple("abcdefgh")
    assert data.load("bars", image_size=4, channels=3, **options).element_spec.shape[1:] == (
        4,
        4,
        3,
    )


def test_a_new_source_is_known_to_the_errors(registered, tmp_path):
    with pytest.raises(ValueError, match="Did you mean 'bars'.*Expected one of .*'bars'"):
        data.load("barz")
    with pytest.raises(ValueError, match="Expected no options of its own. Received: width=3"):
        data.load("bars", width=3)
    with pytest.raises(ValueError, match="no classes of that name.*'half'.*labels='halff'"):
        data.load("bars", labels="halff", data_dir=tmp_path)


@pytest.mark.parametrize("name", sources.names())
def test_what_sources_say_is_documented(name):
    source = sources.get(name)
    pages = (ROOT / "docs" / "data.md").read_text()
    row = f'| `"{name}"` | {source.content} | {source.origin} | {source.licence} |'
    assert row in pages
    load = data.load_pairs if source.paired else data.load
    assert f'`"{name}"`' in load.__doc__
    assert all(option in inspect.getdoc(load) or option in pages for option in source.options)


def test_what_the_sources_say_of_their_options_is_what_loading_takes():
    for name in ("normal", "ring", "grid"):
        batches = data.load(name, num_examples=64, **sources.get(name).options)
        default = data.load(name, num_examples=64)
        np.testing.assert_array_equal(next(iter(batches)), next(iter(default)))


def test_class_names_and_licences_by_name():
    assert data.class_names_of("digits") == tuple("0123456789")
    assert data.class_names_of("stacked_digits")[123] == "123"
    assert len(set(data.class_names_of("fashion_mnist"))) == 10
    assert data.licence_of("emoji") == "Noto Emoji: Apache 2.0; Twemoji: CC BY 4.0"
    for other in ("ring", "cifar10", "./photographs", ROOT, 3, None, ["digits"]):
        assert data.class_names_of(other) is None
    for other in ("cifar10", "./photographs", ROOT, 3, None):
        assert data.licence_of(other) is None


WRONG = {
    "a name": ({"name": ""}, "name, content, origin and licence"),
    "a licence": ({"licence": None}, "name, content, origin and licence"),
    "splits": ({"splits": ()}, r"`splits` of the source 'x'.*Received: \(\)"),
    "splits as one text": ({"splits": "train"}, "`splits` of the source 'x'.*Received: 'train'"),
    "class names": ({"labels": {"label": [0, 1]}}, r"`labels\['label'\]`.*Received: \[0, 1\]"),
    "read": ({"read": "digits.read"}, "must be a function.*Received: read='digits.read'"),
}


@pytest.mark.parametrize("what", WRONG)
def test_sources_that_do_not_fit(what):
    changed, message = WRONG[what]
    with pytest.raises(ValueError, match=message):
        sources.Source(**{"name": "x", **TEXTS, "read": bars, **changed})


def test_names_are_given_once(registered):
    sources.register(registered)  # again: the same
    with pytest.raises(ValueError, match="already.*Received: name='bars'"):
        sources.register(dataclasses.replace(registered, content="others"))
    with pytest.raises(ValueError, match="no source.*Received: 'bars'"):
        sources.register("bars")


@pytest.mark.parametrize("name", ["digit", "cifar10", 3, None])
def test_names_that_are_not_registered(name):
    hint = "Did you mean 'digits'" if name == "digit" else "Expected one of"
    with pytest.raises(ValueError, match=f"no source of that name.*{hint}.*Received: name="):
        sources.get(name)


@pytest.mark.parametrize(
    "load, name, other", [(data.load, "earth", "load_pairs"), (data.load_pairs, "ring", "load")]
)
def test_the_other_function_is_named(load, name, other, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=f"'{name}' is one of `{other}`"):
        load(name)


def test_asking_the_registry_loads_no_tensorflow():
    program = (
        "import sys\n"
        "sys.argv = ['keras-gans']  # which imports no models of its own accord\n"
        "from keras_gans import data\n"
        "assert data.class_names_of('fashion_mnist')[9] == 'boot' and data.licence_of('earth')\n"
        "assert len(data.sources.names()) >= 10\n"
        "heavy = {'tensorflow', 'tensorflow_datasets', 'keras', 'PIL', 'mlxtend'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("name", ["earth", "emoji_styles", "folder", "paired_folder"])
def test_modules_keep_their_old_names(name):
    with pytest.warns(DeprecationWarning, match=f"keras_gans.data.sources.{name}"):
        assert getattr(data, name).__name__ == f"keras_gans.data.sources.{name}"
