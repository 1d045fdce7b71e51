import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_gans.data.sources import image_files
from keras_gans.image import decode, read

COLOR = (200, 40, 90)


def png(path, kind="PNG", **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), COLOR).save(path, kind, **options)
    return path


# Name and Pillow's format of files that are images, and content of those that are not.
IMAGES = {
    "a.jfif": "JPEG",
    "a.jpe": "JPEG",
    "UPPER.JPG": "JPEG",
    "b.avif": "AVIF",
    "c.jp2": "JPEG2000",
    "d.tga": "TGA",
    "e.ico": "ICO",
    "f.mpo": "JPEG",
    "no_suffix": "PNG",
    "download.php?id=3": "WEBP",
    "a b.png": "PNG",
    "größe.png": "PNG",
    "line\nbreak.png": "PNG",
    "back\\slash.png": "PNG",
    os.fsdecode(b"\xff\xfe.png"): "PNG",
    "one/two/three/deep.bmp": "BMP",
}
OTHERS = {
    "notes.txt": b"no image",
    "labels.csv": b"file,label\n",
    "page.pdf": b"%PDF-1.4\n",
    "drawing.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n",
    "film.mpg": b"\x00\x00\x01\xb3\x01\x00\x10\x12",
    "weights.h5": b"\x89HDF\r\n\x1a\n",
    "photo.heic": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
    "noise.bin": bytes(range(256)),
    "empty": b"",
}


def test_what_pillow_reads_is_found(tmp_path):
    for name, kind in IMAGES.items():
        png(tmp_path / name, kind)
    for name, content in OTHERS.items():
        (tmp_path / name).write_bytes(content)
    for hidden in ("._a.png", ".DS_Store", ".thumbnails/a.png"):
        png(tmp_path / hidden)
    os.mkfifo(tmp_path / "pipe.png")
    found = image_files.find(tmp_path)
    assert found.files == sorted(IMAGES)
    assert found.folders == ["one", "one/two", "one/two/three"]
    assert dict(found.left_out) == {"not images": sorted([*OTHERS, "pipe.png"])}
    for name in IMAGES:
        pixels = np.asarray(decode(tmp_path / name, 3))
        np.testing.assert_allclose(pixels, np.full_like(pixels, COLOR), atol=8)


def test_links_are_followed(tmp_path):
    png(tmp_path / "elsewhere" / "a.png")
    home = tmp_path / "photos"
    png(home / "cat" / "b.png")
    png(home / "dog" / "c.png")
    (home / "bird").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (home / "cat" / "linked.png").symlink_to(tmp_path / "elsewhere" / "a.png")
    (home / "cat" / "gone.png").symlink_to("nowhere.png")
    (home / "cat" / "up").symlink_to(home, target_is_directory=True)
    (home / "cat" / "self").symlink_to("self")
    # In two steps: neither leads above itself.
    (home / "dog" / "cats").symlink_to(home / "cat", target_is_directory=True)
    (home / "cat" / "dogs").symlink_to(home / "dog", target_is_directory=True)
    found = image_files.find(home)
    once = {"bird/a.png", "cat/b.png", "cat/linked.png", "dog/c.png"}
    assert once <= set(found.files) and len(found.files) == 7  # the cats and dogs by both ways
    assert "cat/up/" in found.left_out["links in a circle"]
    assert {"cat/gone.png", "cat/self"} <= set(found.left_out["links to nothing"])
    assert set(found.left_out) == {"links in a circle", "links to nothing"}


def test_a_folder_that_cannot_be_read():
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        home.chmod(0o755)
        png(home / "cat" / "a.png")
        png(home / "dog" / "b.png")
        (home / "dog").chmod(0)
        root = os.geteuid() == 0
        if root:  # who may read everything
            os.seteuid(65534)
        try:
            with pytest.raises(ValueError, match=r"folder cannot be read.*dog' \(PermissionError"):
                image_files.find(home)
            found = image_files.find(home, on_error="skip")
        finally:
            if root:
                os.seteuid(0)
            (home / "dog").chmod(0o755)
        assert found.files == ["cat/a.png"] and found.folders == ["cat", "dog"]
        assert dict(found.left_out) == {"not readable": ["dog/"]}


def test_a_summary_shows_a_few_names_that_can_be_printed():
    names = ["a\x1b[31m.txt", "b\n.txt", "c.txt", "d.txt"]
    assert image_files.summary({"not images": names, "damaged": ["a.jpg"]}, 120) == (
        "5 of 120 files were left out: 4 not images ('a\\x1b[31m.txt', 'b\\n.txt', c.txt, ...), "
        "1 damaged (a.jpg)"
    )
    assert image_files.summary({"damaged": []}, 3) == ""


def truncated(path):
    Image.effect_noise((64, 64), 50).save(path, "JPEG")
    path.write_bytes(path.read_bytes()[:-400])


def broken_header(path):
    png(path)
    path.write_bytes(path.read_bytes()[:30])


UNREADABLE = {
    "truncated.jpg": (truncated, "damaged", "it is damaged.*image file is truncated"),
    "header.png": (broken_header, "damaged", "it is damaged"),
    "empty.png": (lambda path: path.write_bytes(b""), "not images", "the file is empty"),
    "page.jpg": (lambda path: path.write_text("<html>"), "not images", "no image that Pillow"),
    "missing.png": (lambda path: None, "not readable", "cannot be opened"),
    "folder.png": (lambda path: path.mkdir(), "not readable", "cannot be opened"),
    "pipe.png": (os.mkfifo, "not readable", "cannot be opened"),
    "float.tif": (
        lambda path: Image.new("F", (4, 4), 0.5).save(path),
        "of an unknown range of values",
        "convert it",
    ),
    "signed.tif": (
        lambda path: Image.new("I", (4, 4), -5).save(path),
        "of an unknown range of values",
        "pixels from -5 to -5",
    ),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable_files_say_why(tmp_path, name):
    make, reason, message = UNREADABLE[name]
    make(tmp_path / name)
    with pytest.raises(ValueError, match=rf"cannot be read: .*{message}") as caught:
        decode(tmp_path / name, 3)
    assert caught.value.reason == reason and f"Received: '{tmp_path / name}'" in str(caught.value)


def test_more_pixels_than_pillow_reads(tmp_path, monkeypatch):
    path = png(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40)  # above it a warning, above twice an error
    assert decode(path, 3).size == (8, 8)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 31)
    with pytest.raises(ValueError, match="more than the 62 pixels.*MAX_IMAGE_PIXELS") as caught:
        decode(path, 3)
    assert caught.value.reason == "too large" and "complete" not in str(caught.value)
    # By content it is an image, too: not one that is left out for being none.
    path.rename(tmp_path / "a")
    assert image_files.find(tmp_path).files == ["a"]


# Mode of Pillow, colour in that mode, and the colour it has on white paper.
MODES = {
    "1": (1, (255, 255, 255)),
    "L": (77, (77, 77, 77)),
    "LA": ((0, 51), (204, 204, 204)),
    "P": (0, (1, 2, 3)),
    "RGB": (COLOR, COLOR),
    "RGBA": ((0, 0, 0, 51), (204, 204, 204)),
    "CMYK": ((255, 0, 0, 0), (0, 255, 255)),
    "I;16": (257 * 99, (99, 99, 99)),
    "LAB": ((255, 128, 128), (255, 255, 255)),
    "YCbCr": ((99, 128, 128), (99, 99, 99)),
}


@pytest.mark.parametrize("mode", MODES)
def test_modes(tmp_path, mode):
    color, expected = MODES[mode]
    image = Image.new(mode, (4, 3), color)
    if mode == "P":
        image.putpalette([1, 2, 3])
    image.save(tmp_path / "a.tif")
    pixels = read(tmp_path / "a.tif", (3, 4), 3)
    # Labs are divided by the profile: white is white up to rounding.
    np.testing.assert_allclose(pixels, np.full((3, 4, 3), expected), atol=1)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientations(tmp_path, orientation):
    # Where the first row and the first column are seen, by the EXIF standard (2.32, tag 274).
    row, column = {
        1: ("top", "left"),
        2: ("top", "right"),
        3: ("bottom", "right"),
        4: ("bottom", "left"),
        5: ("left", "top"),
        6: ("right", "top"),
        7: ("right", "bottom"),
        8: ("left", "bottom"),
    }[orientation]
    pixels = np.zeros((6, 4), "uint8")
    pixels[0], pixels[1:, 0] = 200, 100
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    seen = np.asarray(decode(tmp_path / "a.png", 1))
    edges = {"top": seen[0], "bottom": seen[-1], "left": seen[:, 0], "right": seen[:, -1]}
    assert (edges[row] == 200).all() and np.median(edges[column]) == 100


def test_rectangles_cover_and_crop_about_the_centre(tmp_path):
    pixels = np.zeros((40, 40), "uint8")
    pixels[10:30] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert (read(tmp_path / "a.png", (20, 40), 1) == 255).all()
    assert read(tmp_path / "a.png", (40, 20), 3).shape == (40, 20, 3)


def test_four_channels_are_those_of_the_file_or_an_error(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 5, 4), "uint8")
    for name, part in (("with", pixels), ("without", pixels[..., :3])):
        Image.fromarray(part).save(tmp_path / f"{name}.png")
    np.testing.assert_array_equal(np.asarray(decode(tmp_path / "with.png", 4)), pixels)
    with pytest.raises(ValueError, match="no fourth channel. Expected RGB and alpha.*mode is RGB"):
        decode(tmp_path / "without.png", 4)


def test_misuse(tmp_path):
    path = png(tmp_path / "photos" / "a.png")
    with pytest.raises(ValueError, match="`channels` to be 1, 3 or 4. Received: channels=2"):
        decode(path, 2)
    with pytest.raises(FileNotFoundError, match="Did you mean 'photos'.*Received: .*photo'"):
        image_files.check_folder(tmp_path / "photo")
