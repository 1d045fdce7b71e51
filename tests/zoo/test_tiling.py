import numpy as np
import pytest

from keras_gans.zoo import translate_image
from keras_gans.zoo.inference.tiles import tile_starts


def picture(height, width, channels=3):
    return np.random.default_rng(0).uniform(-1, 1, (height, width, channels)).astype("float32")


@pytest.mark.parametrize("overlap", [None, 0, 3, 8])
@pytest.mark.parametrize(
    "size", [(1, 1), (3, 5), (16, 24), (17, 24), (16, 25), (5, 70), (70, 5), (61, 83)]
)
def test_what_leaves_tiles_as_they_are_leaves_an_image_of_any_size_as_it_is(size, overlap):
    image = picture(*size)
    made = translate_image(lambda tiles: tiles, image, (16, 24), overlap)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, image, atol=1e-6, rtol=0)


def test_a_constant_stays_constant_and_channels_may_change():
    made = translate_image(
        lambda tiles: np.full((*tiles.shape[:3], 1), 0.3), picture(50, 41), (16, 16)
    )
    assert made.shape == (50, 41, 1)
    np.testing.assert_allclose(made, 0.3, atol=1e-6)


def test_one_tile_fades_into_the_next():
    # Two tiles of 32 share 16 pixels: their Hann windows are cos^2 and sin^2 there, which add up
    # to 1 before any scaling.
    def tell_apart(tiles):
        return np.arange(len(tiles), dtype="float32").reshape(-1, 1, 1, 1) + 0 * tiles

    made = translate_image(tell_apart, picture(32, 48, 1), (32, 32), overlap=16)
    fade = np.sin(np.pi * (np.arange(16) + 0.5) / 32) ** 2
    expected = np.concatenate([np.zeros(16), fade, np.ones(16)])
    np.testing.assert_allclose(made[..., 0], np.tile(expected, (32, 1)), atol=1e-6)


def test_tiles_are_spread_evenly_and_come_in_batches():
    seen = []

    def look(tiles):
        seen.extend(tiles[:, 0, 0, 0].tolist())
        batches.append(len(tiles))
        return tiles

    batches = []
    image = np.arange(37 * 20, dtype="float32").reshape(37, 20, 1) / 740
    translate_image(look, image, (16, 16), overlap=4, batch_size=4)
    # 37 - 16 = 21 pixels in two steps of at most 12, 20 - 16 = 4 in one: 10.5 is rounded to 10.
    expected = [image[y, x, 0] for y in (0, 10, 21) for x in (0, 4)]
    np.testing.assert_allclose(seen, expected)
    assert batches == [4, 2]


def test_a_small_image_is_mirrored_about_its_ends():
    seen = []
    image = np.array([0.0, 0.1, 0.2], "float32").reshape(1, 3, 1)
    translate_image(lambda tiles: seen.append(tiles) or tiles, image, (2, 8))
    row = [0.2, 0.1, 0.0, 0.1, 0.2, 0.1, 0.0, 0.1]  # 5 are lacking: 2 before, 3 after
    np.testing.assert_allclose(seen[0][0, ..., 0], [row, row])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image": np.zeros((4, 4))}, r"no image.*Received: shape \(4, 4\)"),
        ({"image": np.zeros((4, 0, 3))}, "no empty axis"),
        ({"overlap": 5}, "from 0 to 4. Received: overlap=5"),
        ({"overlap": -1}, "at least 0"),
        ({"tile_shape": (8, 0)}, "at least 1"),
        ({"tile_shape": 8}, "two sides.*Received: tile_shape=8"),
        ({"tile_shape": (8, 8, 3)}, "two sides"),
        ({"image": "abc"}, "no image.*Received: shape .*dtype <U3"),
        ({"translate": 3}, "a function or a network. Received: translate=3"),
        ({"batch_size": 0}, "batch_size"),
        ({"translate": lambda tiles: tiles[:, ::2]}, r"same height and width.*\(1, 4, 8, 3\)"),
    ],
)
def test_errors(options, message):
    given = {"translate": np.negative, "image": picture(8, 8), "tile_shape": (8, 8), **options}
    with pytest.raises(ValueError, match=message):
        translate_image(**given)


def test_tiles_that_share_all_do_not_move_on():
    with pytest.raises(ValueError, match="below 40. Received: overlap=40"):
        tile_starts(100, 40, 40)
