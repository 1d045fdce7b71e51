"""Classes of a folder of images: by subfolders, by a CSV file, chosen, and divided into splits."""

import numpy as np
import pytest
from absl import logging
from PIL import Image

from keras_gans import data
from keras_gans.data.sources import folder


@pytest.fixture
def make(tmp_path):
    """Makes images, and returns their folder."""

    def make(*names):
        for number, name in enumerate(names):
            file = tmp_path / "photos" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (9, 9), 20 * number).save(file, "PNG")
        return tmp_path / "photos"

    return make


def classes(path, **options):
    """Names of classes, and for each split the class of each image by its name."""
    config = folder.config(path, (8, 8), 3, options.pop("on_error", "raise"), **options)
    named = {
        split: {name: label if label is None else config.classes[label] for name, label in files}
        for split, files in config.splits.items()
    }
    return config.classes, named, config.left_out


def test_a_class_keeps_its_number_whatever_its_files_are_called(make):
    path = make("bird/a.jfif", "cat/b.png", "dog/c.JPE")
    (path / "ant").mkdir()  # no images, but a class
    assert classes(path, labels=True)[0] == ("ant", "bird", "cat", "dog")


def test_links_are_classes(make, tmp_path):
    path = make("cat/a.png")
    (tmp_path / "more").mkdir()
    Image.new("L", (9, 9)).save(tmp_path / "more" / "b.png")
    (path / "dog").symlink_to(tmp_path / "more", target_is_directory=True)
    names, files, _ = classes(path, labels=True)
    assert names == ("cat", "dog") and files == {"train": {"cat/a.png": "cat", "dog/b.png": "dog"}}


@pytest.mark.parametrize(
    "files, expected",
    [
        (["train/cat/a.png", "test/dog/b.png"], {"train": "cat", "test": "dog"}),
        (["Training/cat/a.png", "valid/dog/b.png"], {"train": "cat", "validation": "dog"}),
        (["train/cat/deep/a.png", "val/dog/b.png"], {"train": "cat", "validation": "dog"}),
        (["train/a.png", "test/b.png"], {"train": None, "test": None}),
    ],
)
def test_splits_are_subfolders(make, files, expected):
    path = make(*files)
    (path / "annotations").mkdir()
    (path / "annotations" / "a.xml").write_text("no image")
    (path / files[0].split("/")[0] / "zebra").mkdir()
    names, found, _ = classes(path, labels=True)
    assert {split: next(iter(files.values())) for split, files in found.items()} == expected
    assert names == (("cat", "dog", "zebra") if "cat" in files[0] else ())


def test_folders_that_are_no_splits(make):
    # `train` is a class like others here, and so it is where no other split is.
    assert classes(make("train/a.png", "bus/b.png"), labels=True)[0] == ("bus", "train")


def test_chosen_classes(make):
    path = make("bird/a.png", "cat/b.png", "dog/c.png", "loose.png")
    names, files, left_out = classes(path, labels=True, class_names=["dog", "bird"])
    assert names == ("dog", "bird")
    assert files["train"] == {"bird/a.png": "bird", "dog/c.png": "dog"}
    assert left_out == {"of classes that were not chosen": ["cat/b.png", "loose.png"]}


@pytest.mark.parametrize(
    "class_names, message",
    [
        (["dogs"], "no such class. Did you mean 'dog'.*Received: 'dogs' in class_names"),
        ("dog", "Expected a list of names.*Received: class_names='dog'"),
        (["dog", "dog"], "each once"),
        ([], r"Received: class_names=\[\]"),
    ],
)
def test_misuse_of_class_names(make, class_names, message):
    with pytest.raises(ValueError, match=message):
        classes(make("cat/a.png", "dog/b.png"), labels=True, class_names=class_names)


CSV = {
    "plain": "file,label\na.png,cat\nsub/b.png,dog\n",
    "of a spreadsheet": "\ufeffFile;Label\r\na.png;cat\r\nsub/b.png;dog\r\n",
    "tabs and more columns": "id\tlabel\tfile\n1\tcat\t./a.png\n2\tdog\tsub/b.png\n",
    "quoted": '"file","label"\n"a.png","cat"\n"sub/b.png","dog"\n',
}


@pytest.mark.parametrize("kind", CSV)
def test_labels_of_a_csv_file(make, kind):
    path = make("a.png", "sub/b.png", "c.png")
    (path / "labels.csv").write_text(CSV[kind], encoding="utf-8", newline="")
    for labels in ("labels.csv", path / "labels.csv"):
        names, files, left_out = classes(path, labels=labels)
        assert names == ("cat", "dog") and files["train"] == {"a.png": "cat", "sub/b.png": "dog"}
        assert left_out["not in the file of labels"] == ["c.png"]
        assert "labels.csv" not in str(left_out)


def test_labels_that_are_numbers_are_in_their_order(make):
    path = make("a.png", "b.png", "c.png")
    (path / "labels.csv").write_text("file,label\na.png,10\nb.png,9\nc.png,2\n")
    assert classes(path, labels="labels.csv")[0] == ("2", "9", "10")


@pytest.mark.parametrize(
    "content, message",
    [
        (b"name,class\na.png,cat\n", r"Expected a first line.*columns \['name', 'class'\]"),
        (b"", r"lacks a column.*columns \[\]"),
        (b"file,label\na.png\n", "Received: file='a.png', label='', line 1"),
        (b"file,label\na.png,cat\na.png,dog\n", "one label. Received.*label='dog', line 2"),
        (b"file,label\nA.png,cat\n", "not there. Expected paths.*'a.png'.*Received: 'A.png'"),
        ("file,label\na.png,größe\n".encode("latin-1"), "save it as 'CSV UTF-8'"),
        (b"file,label\n\0,cat\n", "labels"),
    ],
)
def test_csv_files_that_do_not_fit(make, content, message):
    path = make("a.png")
    (path / "labels.csv").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        classes(path, labels="labels.csv")


def test_a_csv_file_names_more_than_there_is(make):
    path = make("a.png")
    (path / "labels.csv").write_text("file,label\na.png,cat\nb.png,dog\n")
    names, files, left_out = classes(path, labels="labels.csv", on_error="skip")
    assert names == ("cat", "dog") and files == {"train": {"a.png": "cat"}}
    assert left_out["in the file of labels only"] == ["b.png"]
    with pytest.raises(FileNotFoundError, match=r"does not exist.*Received: .*photos/label.csv'"):
        classes(path, labels="label.csv")


def test_batches_of_a_divided_folder(make, tmp_path, monkeypatch):
    """All of it at once: splits, names of classes, rectangles, and what is left out is said."""
    said = []
    monkeypatch.setattr(logging, "warning", lambda text, *args: said.append(text % args))
    path = make("train/a\nb/\udcff.png", "train/dog/1.png", "train/dog/2.png", "test/dog/3.png")
    (path / "train" / "dog" / "page.png").write_text("no image")
    (path / "train" / "cat").mkdir()
    options = {"data_dir": tmp_path / "data", "batch_size": 1, "on_error": "skip"}
    options |= {"image_size": (6, 10), "drop_remainder": False}
    images = data.load(path, labels=True, **options)
    assert data.class_names(images) == ["a\nb", "cat", "dog"]
    levels = {round((float(x.numpy().mean()) + 1) * 127.5): int(y[0]) for x, y in images}
    assert levels == {0: 0, 20: 2, 40: 2}
    assert images.element_spec[0].shape.as_list() == [None, 6, 10, 3]
    said_of = f"{path}: 1 of 5 files were left out: 1 not images (train/dog/page.png)"
    assert said == [said_of, f"{path}: no images of the classes ['cat']"]
    held_out = data.load(path, split="test", labels=True, **options)
    assert [int(y[0]) for _, y in held_out] == [2]
    with pytest.raises(ValueError, match=r"Expected one of \['test', 'train'\].*'validation'"):
        data.load(path, split="validation", **options)
    with pytest.raises(ValueError, match=r"are not known.*`labels=True`.*Received: <_"):
        data.class_names(data.load(path, **options))
    np.testing.assert_array_equal(next(iter(held_out))[0].numpy().shape, (1, 6, 10, 3))
