"""Digits drawn with fonts."""

import shutil

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from keras_gans import data
from keras_gans.data.sources import font_digits


@pytest.fixture(scope="module")
def two_fonts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fonts")
    (folder / "inner").mkdir()
    sans, *_, typewriter, _ = font_digits.find()
    shutil.copy(sans, folder / "a.ttf")
    shutil.copy(typewriter, folder / "inner" / "b.ttf")
    return folder


def test_a_digit_lies_where_those_of_mnist_do():
    """20 pixels high, and its centre of mass within a pixel of the middle (LeCun's page)."""
    images, labels = zip(*font_digits.draw(font_digits.find(), 1, np.random.default_rng(0)))
    assert labels == tuple(range(10)) * 21
    rows, columns = np.mgrid[:28, :28]
    for image in images:
        mass = image.astype("float64")
        centre = [(mass * axis).sum() / mass.sum() for axis in (rows, columns)]
        assert np.abs(np.array(centre) - 13.5).max() <= 1.0
        seen = np.flatnonzero(image.max(axis=1))
        assert 18 <= seen[-1] - seen[0] + 1 <= 20
        assert image.max() > 200


def test_an_upright_digit_is_what_pillow_draws():
    font = ImageFont.truetype(str(font_digits.find()[0]), 64)
    page = Image.new("L", (100, 100))
    ImageDraw.Draw(page).text((20, 10), "3", 255, font)
    page = page.crop(page.getbbox())
    expected = np.asarray(page.resize((round(20 * page.width / page.height), 20), 1), "int")
    found = font_digits.drawn(font, "3", 0.0, 1.0)
    top, left = (np.flatnonzero(found.max(axis=axis))[0] for axis in (1, 0))
    found = found[top : top + 20, left : left + expected.shape[1]].astype("int")
    assert np.abs(found - expected).mean() < 8  # of 255


def test_fonts_of_a_folder(two_fonts, tmp_path):
    options = {"labels": True, "batch_size": 40, "data_dir": tmp_path, "shuffle": False}
    batches = data.load("font_digits", per_font=2, source=two_fonts, **options)
    ((images, labels),) = batches.as_numpy_iterator()
    assert images.shape == (40, 28, 28, 1)
    np.testing.assert_array_equal(np.bincount(labels), [4] * 10)
    assert len({image.tobytes() for image in images}) == 40  # each turned otherwise
    (again,) = data.load("font_digits", per_font=2, source=two_fonts, **options).as_numpy_iterator()
    np.testing.assert_array_equal(again[0], images)


def test_a_font_without_digits_adds_none():
    font = font_digits.find()[0].parent / "cmsy10.ttf"
    blank = font_digits.drawn(ImageFont.truetype(str(font), 64), " ", 0.0, 1.0)
    assert blank is None


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"per_font": 0}, ValueError, "per_font=0"),
        ({"source": "nowhere"}, FileNotFoundError, "no fonts.*'nowhere'"),
        ({"font": 1}, ValueError, "no option of that name"),
    ],
)
def test_digits_that_cannot_be_drawn(options, error, message):
    with pytest.raises(error, match=message):
        data.load("font_digits", **options)
