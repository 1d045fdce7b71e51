import doctest
import io
import stat

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_gans import image


def test_documented_examples_run():
    assert doctest.testmod(image).failed == 0


def test_round_trip_of_all_levels_is_exact():
    levels = np.arange(256, dtype="uint8")
    floats = image.from_uint8(levels)
    assert floats.dtype == np.float32
    assert floats.min() == -1 and floats.max() == 1
    np.testing.assert_array_equal(image.to_uint8(floats), levels)
    # Half of the levels are lost to half precision, but none moves by more than one.
    moved = image.to_uint8(floats.astype("float16")).astype(int) - levels
    assert np.abs(moved).max() == 0


def test_to_uint8_rounds_to_the_nearest_level():
    level = 1 / 127.5
    values = np.array([-1, -1 + 0.4 * level, -1 + 0.6 * level, 1 - 0.4 * level, 1])
    assert image.to_uint8(values).tolist() == [0, 0, 1, 255, 255]


def test_tensors_and_bfloat16_are_taken():
    assert image.to_uint8(tf.constant([1.0])).tolist() == [255]
    assert image.to_uint8(tf.constant([-1.0, 1.0], tf.bfloat16)).tolist() == [0, 255]
    assert image.to_uint8(np.zeros((0, 2))).shape == (0, 2)
    # What half precision makes of tanh may step over the edge.
    assert image.to_uint8(np.array([1.0005])).tolist() == [255]


@pytest.mark.parametrize("value", [1.2, -3.0, 255.0, np.nan, np.inf])
def test_to_uint8_refuses_values_outside(value):
    with pytest.raises(ValueError, match=r"outside \[-1, 1\].*Received: values from"):
        image.to_uint8(np.array([0.0, value]))


def test_dtypes_are_checked():
    with pytest.raises(ValueError, match="Received: dtype=uint8"):
        image.to_uint8(np.zeros(3, "uint8"))
    with pytest.raises(ValueError, match="Received: dtype=float64"):
        image.from_uint8(np.zeros(3))


IN_HALF_THE_RANGE = {
    "grid": lambda images, path: image.grid(images),
    "save": lambda images, path: image.save(images, path / "a.png"),
}


@pytest.mark.parametrize("name", IN_HALF_THE_RANGE)
def test_images_between_0_and_1_get_a_warning(tmp_path, name):
    images = np.linspace(0, 1, 128).reshape(8, 4, 4, 1)
    with pytest.warns(UserWarning, match=r"images \* 2 - 1.*Received: values from 0 to 1"):
        IN_HALF_THE_RANGE[name](images, tmp_path)
    # Warnings are errors: these get none. A few images may all be bright.
    IN_HALF_THE_RANGE[name](images * 2 - 1, tmp_path)
    IN_HALF_THE_RANGE[name](images[:7], tmp_path)
    image.to_uint8(images)


def test_the_graph_of_an_export_has_the_same_formulas():
    from keras_gans.export.graph import pictures

    levels = np.arange(256, dtype="uint8")
    floats = image.from_uint8(levels)
    np.testing.assert_array_equal(pictures.from_uint8(levels), floats)
    between = np.linspace(-1, 1, 10_001, dtype="float32")
    np.testing.assert_array_equal(pictures.to_uint8(between), image.to_uint8(between))


# Every level of a colour under every alpha.
COLORS, ALPHA = (x[..., None].astype("uint8") for x in np.mgrid[:256, :256])


def test_on_white_is_what_pillow_composes():
    given = Image.fromarray(np.concatenate([COLORS, COLORS, COLORS, ALPHA], axis=-1))
    expected = Image.alpha_composite(Image.new("RGBA", given.size, "white"), given)
    np.testing.assert_array_equal(image.on_white(COLORS, ALPHA), np.asarray(expected)[..., :1])


def test_on_white_in_graphs_is_the_same():
    from keras_gans.data import preprocessing
    from keras_gans.export.graph.encoded import on_white

    colors = np.repeat(COLORS, 3, axis=-1)
    expected = image.on_white(colors, ALPHA)
    found = preprocessing.with_channels(tf.constant(np.concatenate([colors, ALPHA], -1)), 3)
    np.testing.assert_array_equal(found, expected)
    exported = on_white(tf.constant(colors, "int32"), tf.constant(ALPHA, "int32"))
    np.testing.assert_array_equal(exported, expected)


@pytest.mark.parametrize("size", [(12, 20), (7, 5), (40, 64)])
def test_resizing_in_graphs_is_pillows_within_a_level(size):
    from keras_gans.data import preprocessing
    from keras_gans.export.graph import pictures

    smooth = np.add.outer(np.arange(24), 2 * np.arange(32))[..., None].repeat(3, -1)
    pixels = (120 + 100 * np.sin(smooth / 7)).astype("uint8")
    expected = image.resize(pixels, size)
    assert expected.shape == (*size, 3)
    direct = Image.fromarray(pixels).resize(size[::-1], Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(expected, direct)
    for found in (preprocessing.resized(pixels, size), pictures.resize(pixels, size)):
        np.testing.assert_allclose(found.numpy().astype(int), expected, atol=1)


def test_grid_puts_every_image_in_its_place():
    images = np.arange(5, dtype="uint8")[:, None, None, None] * np.ones((5, 2, 3, 1), "uint8")
    picture = image.grid(images, padding=1)
    assert picture.shape == (2 * 2 + 1, 3 * 3 + 2, 1)
    assert picture[0, ::4, 0].tolist() == [0, 1, 2]
    assert picture[3, ::4, 0].tolist() == [3, 4, 255]  # the last cell stays white
    assert (picture[2] == 255).all() and (picture[:, 3] == 255).all()
    assert image.grid(images, columns=5, padding=0).shape == (2, 15, 1)
    assert image.grid(images, columns=9, padding=0).shape == (2, 15, 1)


@pytest.mark.parametrize("count, shape", [(1, (1, 1)), (4, (2, 2)), (6, (2, 3)), (64, (8, 8))])
def test_grid_is_nearly_square(count, shape):
    assert image.grid(np.zeros((count, 1, 1, 3)), padding=0).shape[:2] == shape


@pytest.mark.parametrize("shape", [(4, 4, 1), (0, 4, 4, 1), (2, 4, 4, 2), (8, 2)])
def test_grid_refuses_other_shapes(shape):
    with pytest.raises(ValueError, match=r"no batch of images.*Received: shape="):
        image.grid(np.zeros(shape))


def test_grid_checks_its_numbers():
    images = np.zeros((2, 4, 4, 1))
    with pytest.raises(ValueError, match="Received: columns=0"):
        image.grid(images, columns=0)
    with pytest.raises(ValueError, match="Received: padding=-1"):
        image.grid(images, padding=-1)


@pytest.mark.parametrize("channels, mode", [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_save_keeps_pixels_and_mode(tmp_path, channels, mode):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, channels), "uint8")
    path = image.save(image.from_uint8(pixels), tmp_path / "new" / "one.png")
    with Image.open(path) as file:
        assert file.mode == mode
        np.testing.assert_array_equal(np.asarray(file).reshape(pixels.shape), pixels)


def test_save_writes_batches_as_grids_and_other_formats(tmp_path):
    for name in ("a.jpg", "a.webp", "a.PNG"):
        path = image.save(np.zeros((4, 8, 8, 3)), tmp_path / name, columns=4, padding=0)
        with Image.open(path) as file:
            assert file.size == (32, 8)


def test_save_is_atomic(tmp_path, monkeypatch):
    path = image.save(np.zeros((4, 4, 1)), tmp_path / "a.png")
    before = path.read_bytes()

    def broken(self, file, **kwargs):
        file.write(b"half a picture")
        raise OSError(28, "disk full")

    monkeypatch.setattr(Image.Image, "save", broken)
    with pytest.raises(OSError, match="disk full"):
        image.save(np.ones((4, 4, 1)), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_saved_files_have_usual_permissions(tmp_path):
    plain = tmp_path / "plain"
    plain.touch()
    path = image.save(np.zeros((4, 4, 1)), tmp_path / "a.png")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_save_says_what_is_wrong(tmp_path):
    with pytest.raises(ValueError, match=r"no image.*Received: shape="):
        image.save(np.zeros((4, 4)), tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"suffix.*Received: path="):
        image.save(np.zeros((4, 4, 1)), tmp_path / "a.picture")
    with pytest.raises(ValueError, match="alpha"):
        image.save(np.zeros((4, 4, 4)), tmp_path / "a.jpg")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_animate_holds_the_last_frame(tmp_path, suffix):
    frames = [np.full((8, 8, 3), value, "uint8") for value in (0, 100, 200)]
    frames[1] = image.save(frames[1], tmp_path / "frame.png")
    path = image.animate(frames, tmp_path / f"a{suffix}", duration=50, hold=700)
    with Image.open(path) as file:
        assert file.n_frames == 3 and file.info["loop"] == 0
        times, levels = [], []
        for number in range(3):
            file.seek(number)
            file.load()
            times.append(file.info["duration"])
            levels.append(file.convert("RGB").getpixel((0, 0))[0])
    assert levels == [0, 100, 200]
    # Pillow tells the WebP reader's time stamps of the end, in some versions as differences.
    assert times == [50, 50, 700]


def test_animate_takes_grey_floats_and_one_frame(tmp_path):
    path = image.animate([np.zeros((4, 4, 1))], tmp_path / "a.gif")
    with Image.open(path) as file:
        assert file.n_frames == 1


def test_animate_says_what_is_wrong(tmp_path):
    small, large = np.zeros((4, 4, 1)), np.zeros((5, 4, 1))
    with pytest.raises(ValueError, match="at least one frame"):
        image.animate([], tmp_path / "a.gif")
    with pytest.raises(ValueError, match=r"unlike sizes.*frame 1 of 4x5"):
        image.animate([small, large], tmp_path / "a.gif")
    with pytest.raises(ValueError, match=r"`.gif` or"):
        image.animate([small], tmp_path / "a.png")
    with pytest.raises(ValueError, match="duration=1,"):
        image.animate([small], tmp_path / "a.gif", duration=1)
    with pytest.raises(FileNotFoundError):
        image.animate([small, tmp_path / "missing.png"], tmp_path / "a.gif")
    assert not list(tmp_path.iterdir())


def test_side_by_side_goes_row_by_row():
    first, second = np.zeros((2, 4, 5, 1)), np.arange(120.0).reshape(2, 4, 5, 3) / 120
    found = image.side_by_side([first, second])
    assert found.shape == (4, 4, 5, 3)
    np.testing.assert_array_equal(found[[0, 2]], first.repeat(3, -1))
    np.testing.assert_array_equal(found[[1, 3]], second)
    with pytest.raises(ValueError, match="of one size.*5, 4, 5"):
        image.side_by_side([first, np.zeros((5, 4, 5, 1))])


UNSUITABLE = [
    (lambda path: image.grid(np.zeros((2, 4, 4, 1)), columns=2.5), "Received: columns=2.5"),
    (lambda path: image.grid(np.zeros((2, 4, 4, 1)), columns="2"), "Received: columns='2'"),
    (lambda path: image.grid(np.zeros((2, 4, 4, 1)), padding=1.5), "Received: padding=1.5"),
    (lambda path: image.grid(np.zeros((2, 4, 4, 1)), padding=None), "Received: padding=None"),
    (lambda path: image.enlarge(np.zeros(3), 2), r"no images.*Received: shape=\(3,\)"),
    (lambda path: image.enlarge(np.zeros((4, 4, 1)), True), "Received: scale=True"),
    (lambda path: image.visible_scale((None, None, 3)), r"image_shape=\(None, None, 3\)"),
    (lambda path: image.visible_scale((0, 0)), r"in pixels. Received: image_shape=\(0, 0\)"),
    (lambda path: image.visible_scale(28), "Received: image_shape=28"),
    (lambda path: image.side_by_side([]), r"no batches.*Received: shapes \[\]"),
    (lambda path: image.side_by_side([3]), r"no batches.*Received: shapes \[\(\)\]"),
    (lambda path: image.save(np.zeros((1, 16384, 3)), path / "a.webp"), "WEBP.*16384x1 pixels"),
    (lambda path: image.save(np.zeros((1, 65501, 1)), path / "a.jpg"), "JPEG.*65501x1 pixels"),
    (lambda path: image.save(np.zeros((4, 4, 3)), path / "a.xbm"), "XBM.*4x4 pixels in mode RGB"),
    (lambda path: image.save(np.zeros((4, 4, 3)), path / "a.h5"), "cannot be written.*HDF5"),
    (lambda path: image.save(np.zeros((4, 4, 1)), None), "no path.*Received: path=None"),
    (lambda path: image.save(np.zeros((4, 4, 1)), b"a.png"), "no path.*path=b'a.png'"),
    (lambda path: image.save(None, path / "a.png"), "Received: dtype=object"),
    (lambda path: image.animate(None, path / "a.gif"), "no list.*Received: frames=None"),
    (lambda path: image.animate([None], path / "a.gif"), "Received: dtype=object"),
    (lambda path: image.animate([np.zeros((4, 4, 1))], None), "no path.*Received: path=None"),
    (lambda path: image.resize(np.zeros((4, 4), "uint8"), (2, 2)), r"no image.*shape=\(4, 4\)"),
    (lambda path: image.decode(3, 1), "no path.*Received: 3"),
    (lambda path: image.decode(io.BytesIO(b"text"), 1), "no image that Pillow reads"),
    (lambda path: image.decode(io.BytesIO(), 1), "the file is empty"),
    (lambda path: image.animate("a.png", path / "a.gif"), "one path.*Received: frames='a.png'"),
    (lambda path: image.animate([np.zeros((1, 16384, 3))], path / "a.webp"), "at most 16383"),
    (lambda path: image.animate([np.zeros((4, 4, 3))], path / "a.gif", "fast"), "duration='fast'"),
    (lambda path: image.animate([np.zeros((4, 4, 3))], path / "a.gif", np.nan), "duration=nan"),
]


@pytest.mark.parametrize("number", range(len(UNSUITABLE)))
def test_what_does_not_fit_is_said(tmp_path, number):
    call, message = UNSUITABLE[number]
    with pytest.raises(ValueError, match=message):
        call(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["", "folder.png", "folder.gif"])
def test_a_folder_is_not_written_over(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    images = np.zeros((1, 4, 4, 1))
    for write in (image.save, image.animate):
        with pytest.raises(IsADirectoryError, match=r"is a folder. Expected.*samples\..*Received:"):
            write(images, folder)
    assert not list(folder.iterdir())


def test_a_file_in_memory_is_read():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), "uint8")
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    np.testing.assert_array_equal(image.decode(file, 3), pixels)


def test_integers_of_numpy_are_integers():
    assert image.enlarge(np.zeros((4, 4, 1)), np.int64(2)).shape == (8, 8, 1)
    assert image.visible_scale(tuple(np.array([28, 28]))) == 4
