"""Each public function gets what it cannot take, and says so before anything is written."""

import os

import numpy as np
import pytest
from web_pages import digits, translator

import keras_gans
from keras_gans import export
from keras_gans.export.gallery import Entry

WRITERS = {"saved_model": "", "tflite": ".tflite", "onnx": ".onnx", "web": ""}
RECEIVED = "Received"


@pytest.fixture(scope="module")
def generator():
    return digits()


@pytest.fixture(scope="module")
def written(tmp_path_factory, generator):
    """A TFLite file."""
    return export.tflite(generator, tmp_path_factory.mktemp("written") / "digits.tflite")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty working directory; afterwards it is as empty."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("path", [None, 3, b"exported", "", ["a"]], ids=repr)
def test_what_is_no_path(place, generator, name, path):
    with pytest.raises(ValueError, match="Expected a path.*Received"):
        getattr(export, name)(generator, path)


@pytest.mark.parametrize("path", [None, 3, b"exported", ""], ids=repr)
def test_what_is_no_path_to_read(generator, path):
    for read in (export.metadata, lambda path: export.check(path, generator)):
        with pytest.raises(ValueError, match="Expected a path.*Received"):
            read(path)


@pytest.mark.parametrize(("name", "suffix"), WRITERS.items())
def test_a_file_where_a_folder_has_to_be(tmp_path, generator, name, suffix):
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(FileExistsError, match="file where a folder has to be.*notes"):
        getattr(export, name)(generator, tmp_path / "notes" / f"a{suffix}", overwrite=True)
    if not suffix:
        with pytest.raises(FileExistsError, match="something else"):
            getattr(export, name)(generator, tmp_path / "notes", overwrite=True)
    assert (tmp_path / "notes").read_text() == "mine"


@pytest.mark.parametrize("name", ["tflite", "onnx", "gallery"])
def test_a_folder_where_a_file_would_be(tmp_path, generator, name):
    folder = tmp_path / f"a{WRITERS.get(name, '.html')}"
    (folder / "inside").mkdir(parents=True)
    write = export.gallery.write if name == "gallery" else getattr(export, name)
    with pytest.raises(FileExistsError, match="There is a folder at that path"):
        write(generator, folder, overwrite=True) if name != "gallery" else write(
            folder, [Entry(name="a", generator=generator)], overwrite=True
        )
    assert (folder / "inside").is_dir()


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("given", [None, "generator", np.zeros(3), keras_gans.layers.PixelShuffle])
def test_what_is_no_generator(place, written, name, given):
    with pytest.raises(ValueError, match="Expected a generator.*Received"):
        getattr(export, name)(given, f"exported{WRITERS[name]}")
    with pytest.raises(ValueError, match="Expected a generator.*Received"):
        export.check(written, given)


ENDLESS = []
ENDLESS.append(ENDLESS)
ROWS_OF_UNLIKE_LENGTHS = [[1.0, 2.0], [3.0]]

ARGUMENTS = {
    "saved_model": [
        {"version": "1"},
        {"version": 1.0},
        {"categorical": 3},
        {"categorical": "ab"},
        {"categorical": [0.5]},
        {"continuous": "a"},
        {"max_images": "a"},
        {"max_pixels": 1.5},
    ],
    "tflite": [
        {"precision": ["float16"]},
        {"precision": None},
        {"precision": "FLOAT16"},
        {"batch_size": ()},
        {"batch_size": (1, 1)},
        {"batch_size": [1.5]},
        {"batch_size": 2**31},
        {"precision": "int8", "representative": ROWS_OF_UNLIKE_LENGTHS},
        {"precision": "int8", "representative": np.full((2, 6), np.nan, "float32")},
        {"precision": "int8", "representative": {"latents": 1}},
        {"metadata": {"a": float("nan")}},
        {"metadata": {"a": ENDLESS}},
        {"metadata": {(1, 2): 3}},
        {"metadata": {"precision": "mine"}},
        {"metadata": 3},
    ],
    "onnx": [{"metadata": 3}],
    "web": [
        {"directions": None},
        {"directions": {"older": "far"}},
        {"directions": {"older": ROWS_OF_UNLIKE_LENGTHS}},
        {"class_names": "abc"},
        {"class_names": 3},
        {"runtime": None},
        {"packages": 3},
        {"examples": 3},
    ],
}


@pytest.mark.parametrize(
    ("name", "options"), [(name, given) for name, table in ARGUMENTS.items() for given in table]
)
def test_arguments(place, generator, name, options):
    with pytest.raises(ValueError, match=RECEIVED):
        getattr(export, name)(generator, f"exported{WRITERS[name]}", **options)


def test_images_to_measure_ranges_on_have_the_range_of_images(place):
    levels = np.full((2, 32, 64, 3), 200.0, "float32")
    with pytest.raises(ValueError, match=r"outside \[-1, 1\]"):
        export.tflite(translator(), "a.tflite", precision="int8", representative=levels)


@pytest.mark.parametrize(
    "options",
    [
        {"tolerance": -1},
        {"tolerance": float("nan")},
        {"tolerance": "a"},
        {"seed": "a"},
        {"seed": 1.5},
        {"seed": 2**64},
        {"num_examples": 2.0},
        {"inputs": ROWS_OF_UNLIKE_LENGTHS},
        {"inputs": "latents"},
        {"inputs": np.full((2, 6), np.inf)},
    ],
    ids=repr,
)
def test_arguments_of_the_check(generator, written, options):
    with pytest.raises(ValueError, match=RECEIVED):
        export.check(written, generator, **options)


def test_a_seed_of_images_is_checked_too(tmp_path, written):
    for seed in ("a", 1.5):
        with pytest.raises(ValueError, match="`seed` must be an integer"):
            export.signatures.examples(translator(), 1, seed)
    assert export.signatures.examples(translator(), 1, -1)["images"].shape == (1, 32, 64, 3)


@pytest.mark.parametrize(
    "entries", [3, None, [3], "ab", {"a": 1}, [{"name": "a"}]], ids=lambda given: repr(given)
)
def test_what_is_no_entry(place, entries):
    with pytest.raises(ValueError, match=r"gallery\.Entry.*Received"):
        export.gallery.write("g.html", entries)


@pytest.mark.parametrize(
    "options",
    [
        {"name": 3},
        {"facts": 3},
        {"facts": "ab"},
        {"facts": [("a",)]},
        {"measured": ["ab"]},
        {"picture": 3},
        {"picture": __file__},
        {"categorical": 3},
        {"generator": 3},
    ],
    ids=repr,
)
def test_fields_of_an_entry(place, generator, options):
    with pytest.raises(ValueError, match=RECEIVED):
        export.gallery.write("g.html", [Entry(**{"name": "a", "generator": generator, **options})])


# ---- pictures to translate


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        (3, "Expected a path"),
        ([3], "Expected a path"),
        (__file__, "no picture"),
        (os.curdir, "no picture"),
        (np.zeros((3, 3)), "uint8"),
        ([np.zeros((3, 3, 4), "uint8")], "uint8"),
    ],
    ids=["number", "list of a number", "program", "folder", "floats", "four channels"],
)
def test_what_is_no_example(place, examples, message):
    with pytest.raises(ValueError, match=f"{message}.*Received"):
        export.web(translator(), "page", examples=examples)


def test_half_a_picture_and_one_that_browsers_do_not_read(tmp_path):
    from PIL import Image

    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype="uint8")
    Image.fromarray(noise).save(tmp_path / "whole.png")
    Image.fromarray(noise).save(tmp_path / "other.tiff")
    content = (tmp_path / "whole.png").read_bytes()
    (tmp_path / "half.png").write_bytes(content[: len(content) // 2])
    for name, message in (("half.png", "damaged"), ("other.tiff", "Not every browser.*tiff")):
        with pytest.raises(ValueError, match=f"{message}.*{name}|{name}"):
            export.web(translator(), tmp_path / "page", examples=tmp_path / name)


# ---- what a file says of itself


def cut(path, folder, size, name="cut.tflite"):
    cut = folder / name
    cut.write_bytes(path.read_bytes()[:size])
    return cut


@pytest.mark.parametrize("share", [0, 0.01, 0.1, 0.5, 0.9, 0.99, 1 - 1e-9])
def test_a_truncated_file_says_nothing(tmp_path, written, share):
    """Also where the entry itself is whole: what it says is of weights that are not there."""
    with pytest.raises(ValueError, match=r"cannot be read.*cut\.tflite"):
        export.metadata(cut(written, tmp_path, int(share * written.stat().st_size)))


def test_files_of_another_kind_say_nothing(tmp_path, written):
    (tmp_path / "picture.tflite").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(1000))
    (tmp_path / "folder.tflite").mkdir()
    for name in ("picture.tflite", "folder.tflite"):
        with pytest.raises(ValueError, match=name):
            export.metadata(tmp_path / name)
    pytest.importorskip("onnx")
    with pytest.raises(ValueError, match="cannot be read|says nothing"):
        export.metadata(cut(written, tmp_path, None, "renamed.onnx"))


@pytest.mark.parametrize("text", [b'{"library', b"[1, 2]", b"\xff\xfe"])
def test_an_entry_that_is_no_description(tmp_path, generator, written, text):
    content = written.read_bytes()
    start = content.index(b'{"library"')
    end = content.index(b"}", start) + 1
    path = tmp_path / "changed.tflite"
    path.write_bytes(content[:start] + text.ljust(end - start) + content[end:])
    with pytest.raises(ValueError, match=r"(cannot be read|says nothing).*changed\.tflite"):
        export.metadata(path)
    assert export.check(path, generator).format == "TFLite"  # as of another exporter


# ---- files of another model


@pytest.mark.parametrize("suffix", ["", ".tflite", ".onnx"])
def test_a_file_of_another_model(tmp_path, suffix):
    if suffix == ".onnx":
        pytest.importorskip("onnxruntime")
    write = {"": export.saved_model, ".tflite": export.tflite, ".onnx": export.onnx}[suffix]
    made = keras_gans.zoo.load("dcgan_digits_28")
    options = {"check": False} if suffix else {"floats_only": True}
    path = write(made, tmp_path / f"digits{suffix}", **options)
    for other, message in (
        ("gan_digits_28", "other (images|inputs)"),  # the same shapes, or other latents
        ("conditional_gan_digits_28", "other names"),
        ("dcgan_emoji_64", "other (images|inputs)"),
    ):
        with pytest.raises(ValueError, match=f"{message}.*Received"):
            export.check(path, keras_gans.zoo.load(other))
