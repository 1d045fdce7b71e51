"""PNG files written in strips, held to Pillow and TensorFlow."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_gans.image.strips import PngWriter


def written(pixels, strips, **options):
    file = io.BytesIO()
    height, width, channels = pixels.shape
    with PngWriter(file, width, height, channels, 8 * pixels.itemsize, **options) as writer:
        for part in np.split(pixels, strips):
            writer.write(part)
    return file.getvalue()


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", ["uint8", "uint16"])
@pytest.mark.parametrize("strips", [[], [1, 2, 70], [100]])
def test_every_kind_is_read_as_it_was_written(channels, kind, strips):
    rng = np.random.default_rng(channels)
    pixels = rng.integers(0, np.iinfo(kind).max, (131, 7, channels), kind, endpoint=True)
    pixels[:90] = np.cumsum(np.ones((90, 7, channels)), 0).astype(kind)  # what filters are for
    file = written(pixels, strips)
    np.testing.assert_array_equal(tf.io.decode_png(file, dtype=kind).numpy(), pixels)
    with Image.open(io.BytesIO(file)) as image:
        image.load()  # which checks the sums
        assert image.size == (7, 131)


def test_a_photograph_takes_no_more_than_by_pillow():
    x = np.linspace(0, 9, 200)
    pixels = np.stack([np.outer(np.sin(x + i), np.cos(x)) for i in range(3)], -1)
    pixels = (127 * pixels + 127 + np.random.default_rng(0).normal(0, 2, pixels.shape)).astype(
        "uint8"
    )
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    assert len(written(pixels, [100])) < 1.02 * len(file.getvalue())


def test_profile_and_notes_are_kept():
    notes = Image.Exif()
    notes[0x010F] = "a camera"
    exif = notes.tobytes().removeprefix(b"Exif\0\0")
    file = written(np.zeros((2, 3, 3), "uint8"), [], icc=b"a profile", exif=exif)
    with Image.open(io.BytesIO(file)) as image:
        assert image.info["icc_profile"] == b"a profile"
        assert image.getexif()[0x010F] == "a camera"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.zeros((1, 4, 3), "uint8"), r"shape \(number, 5, 3\), 2 rows at most"),
        (np.zeros((1, 5, 3), "uint16"), "Expected uint8"),
        (np.zeros((3, 5, 3), "uint8"), "2 rows at most"),
    ],
)
def test_rows_that_do_not_fit(rows, message):
    writer = PngWriter(io.BytesIO(), 5, 2, 3)
    with pytest.raises(ValueError, match=message):
        writer.write(rows)


def test_an_image_must_be_complete_and_have_sides():
    with pytest.raises(ValueError, match="not complete. Expected 2 rows. Received: 0"):
        PngWriter(io.BytesIO(), 5, 2, 3).close()
    with pytest.raises(ValueError, match="No PNG has such sides"):
        PngWriter(io.BytesIO(), 0, 2, 3)
