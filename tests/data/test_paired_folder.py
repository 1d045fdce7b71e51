import os

import numpy as np
import pytest
import tensorflow_datasets as tfds
from absl import logging
from PIL import Image

from keras_gans.data.sources import paired_folder

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "photos"


@pytest.fixture
def save(path):
    def save(name, color, size=(8, 6), **kwargs):
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, color).save(file, **kwargs)
        return file

    return save


@pytest.fixture
def build(path, tmp_path):
    def build(image_size=(4, 4), channels=3, on_error="raise"):
        return paired_folder.builder(path, image_size, channels, tmp_path / "data", on_error)

    return build


def colors(builder):
    """By split, the sorted colours of the examples; every image must have one colour only."""
    found = {}
    for split in builder.info.splits:
        found[split] = []
        for example in tfds.as_numpy(builder.as_dataset(split)):
            flat = {k: np.unique(x.reshape(-1, x.shape[-1]), axis=0) for k, x in example.items()}
            assert all(len(x) == 1 for x in flat.values())
            found[split].append({k: tuple(x[0].tolist()) for k, x in flat.items()})
        found[split].sort(key=str)
    return found


def pair(a, b):
    return {"a": a, "b": b}


def test_cyclegan_layout_paired(build, save):
    for name, a, b in (("train", RED, GREEN), ("val", GREEN, BLUE), ("test", BLUE, WHITE)):
        save(f"{name}A/1.png", a)
        save(f"{name}B/1.bmp", b)
    assert colors(build()) == {
        "train": [pair(RED, GREEN)],
        "validation": [pair(GREEN, BLUE)],
        "test": [pair(BLUE, WHITE)],
    }


def test_cyclegan_layout_unpaired(build, save):
    save("trainA/horse_1.png", RED)
    save("trainA/horse_2.png", GREEN, size=(20, 9))
    save("trainB/zebra_1.png", BLUE)
    save("testA/1.png", WHITE)
    save("testB/1.png", WHITE)  # agrees, but a split that does not decides
    builder = build()
    assert set(builder.info.features) == {"image"}
    assert colors(builder) == {
        "trainA": [{"image": GREEN}, {"image": RED}],
        "trainB": [{"image": BLUE}],
        "testA": [{"image": WHITE}],
        "testB": [{"image": WHITE}],
    }


def test_names_that_agree_in_part_are_unpaired_and_said(build, save, monkeypatch):
    said = []
    monkeypatch.setattr(logging, "warning", lambda text, *args: said.append(text % args))
    for name in ("A/1", "A/2", "B/1", "B/3"):
        save(f"train{name}.png", RED)
    assert set(build().info.splits) == {"trainA", "trainB"}
    assert any("1 names agree in A and B, 2 do not" in s for s in said)


def side_by_side(file, left, right, size=(16, 8)):
    image = Image.new("RGB", size, right)
    image.paste(left, (0, 0, size[0] // 2, size[1]))
    file.parent.mkdir(parents=True, exist_ok=True)
    image.save(file)


def test_side_by_side(build, path):
    side_by_side(path / "train" / "1.png", RED, GREEN)
    side_by_side(path / "train" / "2.png", BLUE, WHITE, size=(10, 3))
    side_by_side(path / "val" / "1.png", GREEN, BLUE)
    side_by_side(path / "test" / "1.png", WHITE, RED)
    assert colors(build()) == {
        "train": [pair(BLUE, WHITE), pair(RED, GREEN)],
        "validation": [pair(GREEN, BLUE)],
        "test": [pair(WHITE, RED)],
    }


def test_side_by_side_without_subfolders(build, path):
    side_by_side(path / "1.png", RED, GREEN)
    (path / "notes").mkdir()
    assert colors(build()) == {"train": [pair(RED, GREEN)]}


def test_parallel_folders(build, save):
    save("maps/1.png", RED)
    save("maps/2.PNG", GREEN)
    save("satellite/1.webp", BLUE, lossless=True)
    save("satellite/2.bmp", WHITE)
    assert colors(build()) == {"train": [pair(GREEN, WHITE), pair(RED, BLUE)]}


def test_parallel_folders_without_a_common_name_are_unpaired(build, save):
    save("horses/h.png", RED)
    save("zebras/z.png", BLUE)
    assert colors(build()) == {"trainA": [{"image": RED}], "trainB": [{"image": BLUE}]}


def test_hidden_files_and_folders_and_texts_are_ignored(build, save, path):
    save("a/1.png", RED)
    save("b/1.png", BLUE)
    save(".thumbnails/1.png", GREEN)
    (path / "a" / "._1.png").write_bytes(b"left by macOS")
    (path / ".DS_Store").write_bytes(b"")
    (path / "b" / "notes.txt").write_text("no image")
    assert colors(build()) == {"train": [pair(RED, BLUE)]}


def test_both_are_cropped_alike_to_the_size(build, save, path):
    for name, border, middle in (("a", WHITE, RED), ("b", GREEN, BLUE)):
        image = Image.new("RGB", (24, 8), border)
        image.paste(middle, (4, 0, 20, 8))
        (path / name).mkdir(parents=True)
        image.save(path / name / "1.png")
    # 4 high and 8 wide from 8 high and 24 wide: halved to 4 x 12, of which 2 go on either side.
    assert build(image_size=(4, 8)).info.features["a"].shape == (4, 8, 3)
    (example,) = tfds.as_numpy(build(image_size=(4, 8)).as_dataset("train"))
    for key, middle in (("a", RED), ("b", BLUE)):
        # Bicubic weights reach 2 pixels of the result, and the border begins at its edge.
        assert (example[key][:, 2:-2] == middle).all()


def test_grey(build, save):
    save("a/1.png", WHITE)
    save("b/1.png", (10, 10, 10))
    assert colors(build(channels=1)) == {"train": [pair((255,), (10,))]}


def test_orientation_is_applied_before_sizes_are_compared(build, save):
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    save("a/1.png", RED, size=(8, 6), exif=exif)
    save("b/1.png", BLUE, size=(6, 8))
    assert colors(build()) == {"train": [pair(RED, BLUE)]}


def test_a_changed_file_is_prepared_anew(build, save):
    save("a/1.png", RED)
    file = save("b/1.png", BLUE)
    name = build().builder_config.name
    stat = file.stat()
    save("b/1.png", GREEN)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    builder = build()
    assert builder.builder_config.name != name
    assert colors(builder) == {"train": [pair(RED, GREEN)]}


def test_other_arguments_are_prepared_apart(build, save):
    save("a/1.png", RED)
    save("b/1.png", BLUE)
    built = [build(), build((4, 8)), build((8, 4)), build(channels=1), build(on_error="skip")]
    assert len({b.builder_config.name for b in built}) == 5


def test_an_unchanged_folder_is_decoded_once(build, save, monkeypatch):
    save("a/1.png", RED)
    save("b/1.png", BLUE)
    build()
    monkeypatch.setattr("keras_gans.image.decode", None)
    assert colors(build()) == {"train": [pair(RED, BLUE)]}


@pytest.fixture
def damaged(save, path):
    for name in "12":
        save(f"a/{name}.png", RED)
        save(f"b/{name}.png", BLUE)
    whole = (path / "b" / "2.png").read_bytes()
    (path / "b" / "2.png").write_bytes(whole[: len(whole) // 2])


def test_a_damaged_image_is_named(build, damaged):
    with pytest.raises(ValueError, match=r"cannot be read.*on_error='skip'.*b/2.png"):
        build()


def test_a_pair_with_a_damaged_image_is_skipped(build, damaged, monkeypatch):
    said = []
    monkeypatch.setattr(logging, "warning", lambda text, *args: said.append(text % args))
    assert colors(build(on_error="skip")) == {"train": [pair(RED, BLUE)]}
    (line,) = said
    assert line.endswith(
        "2 of 4 files were left out: 1 damaged (b/2.png), 1 partners of those (a/2.png)"
    )


def test_a_split_of_damaged_images_only(build, save, path):
    side_by_side(path / "train" / "1.png", RED, GREEN)
    (path / "test").mkdir()
    (path / "test" / "1.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"Not one image of the split 'test'.*with 1 pairs"):
        build(on_error="skip")


@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_sizes_of_a_pair(build, save, on_error):
    save("a/1.png", RED, size=(8, 6))
    save("b/1.jpg", BLUE, size=(9, 6))
    match = r"differ in size.*a/1.png', 8 wide and 6 high, and '.*b/1.jpg', 9 wide and 6 high"
    with pytest.raises(ValueError, match=match):
        build(on_error=on_error)


def test_odd_width(build, save):
    save("train/1.png", RED, size=(9, 4))
    with pytest.raises(ValueError, match=r"cannot be halved.*train/1.png', 9 wide and 4 high"):
        build()


def test_names_that_match_in_part(build, save):
    for name in ("a/1", "a/2", "a/3", "b/1", "b/4", "b/5"):
        save(f"{name}.png", RED)
    match = r"pairs that do not match: 1 do, and 4 .*'2' \(1 in a, 0 in b\), .*'4' \(0 in a, 1 in b"
    with pytest.raises(ValueError, match=match) as error:
        build()
    assert "'5'" not in str(error.value)


def test_a_name_twice_in_a_domain(build, save):
    for name in ("a/1.png", "a/2.png", "a/2.jpg", "b/1.png", "b/2.png"):
        save(name, RED)
    with pytest.raises(ValueError, match=r"do not match.*'2' \(2 in a, 1 in b\)"):
        build()


@pytest.mark.parametrize("names", [("trainA", "trainB"), ("a", "b")])
def test_a_domain_without_images(build, save, path, names):
    save(f"{names[0]}/1.png", RED)
    (path / names[1]).mkdir()
    match = rf"no images.*'{names[0]}' and '{names[1]}'.*with 1 and 0"
    with pytest.raises(ValueError, match=match):
        build()


def test_a_domain_without_folder(build, save):
    for name in ("trainA", "trainB", "testB"):
        save(f"{name}/1.png", RED)
    with pytest.raises(ValueError, match=r"no images.*'testA' and 'testB'.*with 0 and 1"):
        build()


@pytest.mark.parametrize(
    "names",
    [
        ["a/1.png"],
        ["a/1.png", "b/1.png", "c/1.png"],
        ["a/1.png", "b/1.png", "1.png"],
        ["train/a/1.png", "train/b/1.png"],
        ["notes/deeper/1.png"],
    ],
    ids=["one", "three", "images beside", "deeper", "no images"],
)
def test_no_layout(build, save, names):
    for name in names:
        save(name, RED)
    match = r"no layout.*\(1\).*trainA.*\(2\).*left.*\(3\).*two subfolders.*Received: '.*photos'"
    with pytest.raises(ValueError, match=match):
        build()


def test_no_folder(build, path):
    with pytest.raises(FileNotFoundError, match=r"does not exist.*Received: '.*photos'"):
        build()
    path.write_text("a file")
    with pytest.raises(NotADirectoryError, match=r"That is a file.*photos'"):
        build()


def test_what_is_left_out_of_pairs_is_said(build, save, path, monkeypatch):
    said = []
    monkeypatch.setattr(logging, "warning", lambda text, *args: said.append(text % args))
    for name, color in (("TrainA", RED), ("TrainB", BLUE)):
        save(f"{name}/1.jfif", color, quality=100, subsampling=0)
        save(f"{name}/\udcff\n.png", color)
        save(f"{name}/deep/2.png", color)
    (path / "TrainA" / "notes.txt").write_text("no image")
    (path / "beside.txt").write_text("of no split, and no business of theirs")
    builder = build()
    assert list(builder.info.splits) == ["train"] and builder.info.splits["train"].num_examples == 2
    assert said == [
        f"{path}: 3 of 7 files were left out: 1 not images (TrainA/notes.txt), "
        "2 in folders below (TrainA/deep/, TrainB/deep/)"
    ]
