"""Pairs for super-resolution: `load_pairs(..., scale=...)`."""

import numpy as np
import pytest
from PIL import Image

from keras_gans import data, image

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("scaled")


@pytest.fixture(scope="module")
def pictures(home):
    """Photographs of two sizes, whose red and green say where a pixel lies."""
    for split, sizes in (("train", [(40, 64), (64, 40), (600, 50)]), ("test", [(80, 81)])):
        (home / "pictures" / split).mkdir(parents=True)
        for number, (height, width) in enumerate(sizes):
            y, x = np.mgrid[:height, :width]
            pixels = np.stack([y % 256, x * 4 % 256, 100 * np.ones_like(x)], -1).astype("uint8")
            Image.fromarray(pixels).save(home / "pictures" / split / f"{number}.png")
    return home / "pictures"


def load(name, home, **options):
    defaults = {"scale": 4, "image_size": 32, "batch_size": 2, "data_dir": str(home / "data")}
    return data.load_pairs(name, **{**defaults, **options})


def test_sources_are_their_targets_reduced(pictures, home):
    pairs = load(pictures, home)
    assert data.steps_per_epoch(pairs) == 2
    for source, target in pairs:
        assert source.shape == (2, 8, 8, 3) and target.shape == (2, 32, 32, 3)
        assert source.dtype == target.dtype == "float32"
        by_pillow = [
            np.asarray(Image.fromarray(x).resize((8, 8), Image.Resampling.BICUBIC), "int32")
            for x in image.to_uint8(target.numpy())
        ]
        assert np.abs(image.to_uint8(source.numpy()) - np.stack(by_pillow)).max() <= 1


def test_crops_are_at_the_resolution_of_the_picture_and_within_it(pictures, home):
    tops = set()
    for epoch in range(6):
        for _, target in load(pictures, home, first_epoch=epoch).take(2):
            pixels = image.to_uint8(target.numpy()).astype(int)
            assert (np.diff(pixels[..., 0], axis=1) % 256 == 1).all()  # each row is the next
            assert set(np.unique(np.diff(pixels[..., 1], axis=2) % 256)) <= {4, 252}  # flipped
            tops |= set(pixels[:, 0, 0, 0].tolist())
    assert len(tops) > 8


def test_large_pictures_are_cut_into_tiles_of_which_no_crop_is_left_out(pictures, home):
    # 600 rows are two tiles of 480; 64 and 40 rows one each.
    assert data.steps_per_epoch(load(pictures, home, batch_size=1)) == 4


def test_epochs_repeat_and_resume(pictures, home):
    whole = list(load(pictures, home, first_epoch=0, seed=3).take(4).as_numpy_iterator())
    later = list(load(pictures, home, first_epoch=1, seed=3).take(2).as_numpy_iterator())
    for a, b in zip(whole[2:], later):
        for x, y in zip(a, b):
            np.testing.assert_array_equal(x, y)
    assert np.abs(whole[0][1] - whole[2][1]).max() > 0


def test_held_out_pictures_are_cropped_about_their_centre(pictures, home):
    options = {"split": "test", "batch_size": 1, "drop_remainder": False}
    ((source, target),) = load(pictures, home, **options)
    top_left = image.to_uint8(target.numpy())[0, 0, 0]
    assert top_left.tolist() == [24, 4 * 24, 100]
    ((again, _),) = load(pictures, home, **options)
    np.testing.assert_array_equal(source, again)


def test_any_set_of_images_has_pairs(home):
    pairs = load("digits", home, image_size=24, channels=1, num_examples=4)
    source, target = next(iter(pairs))
    assert source.shape == (2, 6, 6, 1) and target.shape == (2, 24, 24, 1)


def test_of_two_domains_the_targets_are_enlarged(home):
    rng = np.random.default_rng(0)
    for side, colour in (("a", 0), ("b", 255)):
        (home / "domains" / side).mkdir(parents=True)
        pixels = np.full((16, 16, 3), colour) - rng.integers(0, 5, (16, 16, 3)) * (colour > 0)
        Image.fromarray(pixels.astype("uint8")).save(home / "domains" / side / "1.png")
    # A folder holds pictures, whatever their layout; only sets with a name have domains.
    pairs = load(home / "domains", home, image_size=16, batch_size=1)
    assert data.steps_per_epoch(pairs) == 2


def test_degraded_sources_repeat_and_differ_from_reduced_ones(pictures, home):
    options = {"image_size": 32, "augment": False, "first_epoch": 2}
    plain, degraded, again = (
        next(load(pictures, home, degrade=d, **options).as_numpy_iterator())
        for d in (False, True, True)
    )
    assert degraded[0].shape == plain[0].shape == (2, 8, 8, 3)
    np.testing.assert_array_equal(plain[1], degraded[1])
    np.testing.assert_array_equal(degraded[0], again[0])
    assert np.abs(plain[0] - degraded[0]).mean() > 0.01


@pytest.mark.parametrize(
    "options, message",
    [
        ({"scale": 3}, r"cannot be made 3 times smaller.*multiples of `scale`.*\(32, 32\)"),
        ({"scale": 0}, "`scale`.*0"),
        ({"scale": 1.5}, "`scale`.*1.5"),
        ({"paired": False}, "they are paired"),
        ({"image_size": 44}, r"(?s)smaller than the crops.*44x44.*40x64"),
        ({"scale": None, "degrade": True}, "Only the sources of super-resolution"),
        ({"degrade": {"blurr": 1}}, "no such setting of `degrade`"),
        ({"degrade": {"first_sinc": 2.0}}, "`first_sinc` does not fit.*a probability"),
        ({"degrade": 3}, "given by name.*degrade=3"),
    ],
)
def test_wrong_arguments(pictures, home, options, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        load(pictures, home, **options)


def test_pictures_smaller_than_a_crop_can_be_left_out(pictures, home, caplog):
    pairs = load(pictures, home, image_size=48, on_error="skip", batch_size=1)
    assert data.steps_per_epoch(pairs) == 2  # the tiles of the large one
    sizes = [target.shape for _, target in pairs]
    assert sizes == [(1, 48, 48, 3)] * 2


def test_points_and_images_that_are_too_small_are_refused(home):
    with pytest.raises(ValueError, match="not points.*name='ring'"):
        load("ring", home)
    with pytest.raises(ValueError, match=r"at most \(28, 28\).*\(32, 32\)"):
        load("digits", home, channels=1)
