import os
import time

import numpy as np
import pytest
from absl import logging
from PIL import Image

from keras_gans import data
from keras_gans.data.sources import builders, folder
from keras_gans.image import read


@pytest.fixture
def load(tmp_path):
    def load(path, **kwargs):
        kwargs = {"image_size": 8, "batch_size": 1, "drop_remainder": False, **kwargs}
        return data.load(path, data_dir=tmp_path / "data", **kwargs)

    return load


@pytest.fixture
def photos(tmp_path):
    """Two classes, subfolders, mixed sizes; a text and a hidden file beside."""
    path = tmp_path / "photos"
    for number, name in enumerate(["cat/a.png", "cat/old/b.JPG", "dog/c.webp", "dog/d.bmp"]):
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.full((10 + number, 16, 3), 40 * number, "uint8")
        Image.fromarray(pixels).save(file)
    (path / "notes.txt").write_text("no image")
    (path / "cat" / "._a.png").write_bytes(b"left by macOS")
    return path


def levels(dataset):
    return sorted(round((float(x.numpy().mean()) + 1) * 127.5) for x in dataset)


def test_mixed_sizes_and_subfolders(load, photos):
    dataset = load(photos)
    assert dataset.element_spec.shape.as_list() == [None, 8, 8, 3]
    assert levels(dataset) == [0, 40, 80, 120]
    assert levels(load(str(photos), channels=1)) == [0, 40, 80, 120]


def test_classes_are_subfolders(load, photos):
    pairs = [(float(x.numpy().mean()), int(y[0])) for x, y in load(photos, labels=True)]
    assert [label for _, label in sorted(pairs)] == [0, 0, 1, 1]
    Image.new("RGB", (8, 8)).save(photos / "neither.png")
    with pytest.raises(ValueError, match="has no classes"):
        load(photos, labels=True)


def test_a_changed_folder_is_prepared_anew(load, photos):
    load(photos)
    Image.new("RGB", (9, 9), (200, 200, 200)).save(photos / "dog" / "e.png")
    assert levels(load(photos)) == [0, 40, 80, 120, 200]
    file = photos / "cat" / "a.png"
    stat = file.stat()
    Image.new("RGB", (16, 10), (10, 10, 10)).save(file)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert levels(load(photos)) == [10, 40, 80, 120, 200]


def test_an_unchanged_folder_is_decoded_once(load, photos, monkeypatch):
    load(photos)
    monkeypatch.setattr(folder, "read", None)
    assert levels(load(photos)) == [0, 40, 80, 120]
    with pytest.raises(TypeError):
        load(photos, image_size=9)


@pytest.fixture
def save(tmp_path):
    def save(image, name="image.png", **kwargs):
        image.save(tmp_path / name, **kwargs)
        return tmp_path / name

    return save


def test_crop_is_central_and_antialiased(save):
    pixels = np.zeros((8, 24), "uint8")
    pixels[:, 8:16] = np.indices((8, 8)).sum(axis=0) % 2 * 255
    image = read(save(Image.fromarray(pixels)), (2, 2), 1)
    # A checkerboard becomes grey: without antialiasing it would be black or white.
    assert np.abs(image.astype(int) - 127).max() < 40


def test_transparency_becomes_white(save):
    for mode in ("RGBA", "LA"):
        assert (read(save(Image.new(mode, (4, 4))), (4, 4), 3) == 255).all()
    palette = Image.new("P", (4, 4))
    palette.putpalette([255, 0, 0, 0, 255, 0])
    assert read(save(palette), (4, 4), 3)[0, 0].tolist() == [255, 0, 0]
    assert read(save(palette, transparency=0), (4, 4), 3)[0, 0].tolist() == [255, 255, 255]


def test_16_bits_are_scaled(save):
    pixels = np.array([[0, 257 * 100], [257 * 200, 65535]], "uint16")
    image = read(save(Image.fromarray(pixels)), (2, 2), 1)
    assert image[..., 0].tolist() == [[0, 100], [200, 255]]


@pytest.mark.parametrize("mode", ["1", "L", "CMYK"])
def test_other_modes(save, mode):
    image = Image.new("L", (4, 4), 255).convert(mode)
    assert (read(save(image, "image.tif"), (4, 4), 3) == 255).all()


def test_orientation_is_applied(save):
    pixels = np.zeros((4, 4, 3), "uint8")
    pixels[:2] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise: what is up goes to the right
    image = read(save(Image.fromarray(pixels), exif=exif), (4, 4), 1)[..., 0]
    assert (image[:, 2:] == 255).all() and (image[:, :2] == 0).all()


def test_first_frame_of_an_animation(save):
    frames = [Image.new("L", (4, 4), level) for level in (50, 100)]
    path = save(frames[0], "image.gif", save_all=True, append_images=frames[1:])
    assert (read(path, (4, 4), 1) == 50).all()


@pytest.fixture
def damaged(photos):
    whole = (photos / "cat/old/b.JPG").read_bytes()
    (photos / "dog" / "half.jpg").write_bytes(whole[: len(whole) // 2])
    return photos


def test_a_damaged_image_is_named(load, damaged):
    with pytest.raises(ValueError, match=r"on_error='skip'.*Received: '.*half.jpg'"):
        load(damaged)
    # And leaves nothing behind.
    with pytest.raises(ValueError, match=r"half.jpg"):
        load(damaged)


def test_damaged_images_are_skipped_and_counted(load, damaged, monkeypatch):
    said = []
    monkeypatch.setattr(logging, "warning", lambda text, *args: said.append(text % args))
    assert levels(load(damaged, on_error="skip")) == [0, 40, 80, 120]
    expected = "2 of 6 files were left out: 1 not images (notes.txt), 1 damaged (dog/half.jpg)"
    assert said == [f"{damaged}: {expected}"]
    load(damaged, on_error="skip")  # from what was prepared before
    assert said == 2 * [f"{damaged}: {expected}"]


def test_nothing_but_damaged_images(load, tmp_path):
    path = tmp_path / "photos"
    path.mkdir()
    (path / "a.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"Not one image.*with 1 files"):
        load(path, on_error="skip")


def test_folders_without_images(load, tmp_path):
    path = tmp_path / "photos"
    with pytest.raises(FileNotFoundError, match=r"does not exist.*Received: .*photos"):
        load(path)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        load(str(path))
    path.mkdir()
    with pytest.raises(ValueError, match=r"no images in the folder.*Received: .*photos"):
        load(path)
    (path / "notes.txt").write_text("no image")
    with pytest.raises(ValueError, match="no images in the folder"):
        load(path)
    with pytest.raises(NotADirectoryError, match="That is a file"):
        load(path / "notes.txt")


def test_a_folder_needs_image_size(load, photos):
    with pytest.raises(ValueError, match=r"needs `image_size`.*image_size=None"):
        load(photos, image_size=None)


def test_a_killed_preparation_does_not_matter(load, photos, tmp_path):
    load(photos)
    (version,) = (tmp_path / "data" / "keras_gans_folder").glob("*/*")
    kill = version.with_name(f"incomplete.OLD123_{version.name}")
    running = version.with_name(f"incomplete.NEW123_{version.name}")
    version.rename(kill)
    running.mkdir()
    os.utime(kill, (time.time() - 2 * builders._DAY,) * 2)
    assert levels(load(photos)) == [0, 40, 80, 120]
    assert running.exists() and not kill.exists()
