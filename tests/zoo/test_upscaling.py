import json
import re
import shutil
import struct
import sys
import zlib
from fractions import Fraction

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageCms, features

from keras_gans import networks, zoo
from keras_gans.zoo.inference import films, pictures, shards, upscale, upscaler
from keras_gans.zoo.inference.page import BESIDE
from keras_gans.zoo.inference.resampling import resampled
from keras_gans.zoo.inference.tiles import cuts

PRESET = "realesrgan_animevideo_x4"


def shaken(network, by=0.15):
    """With weights that make something of every pixel that a network looks at."""
    rng = np.random.default_rng(0)
    network.set_weights([w + rng.normal(0, by, w.shape) for w in network.get_weights()])
    return network


@pytest.fixture(scope="module")
def network():
    return shaken(networks.compact_upscaler((None, None, 3), scale=2, width=4, depth=2))


def photo(height, width, channels=3, kind="uint8", seed=0):
    """Noise of several sizes."""
    rng = np.random.default_rng(seed)
    image = np.zeros((height, width, channels))
    for size in (1, 4, 16):
        small = rng.uniform(0, 1, (-(-height // size), -(-width // size), channels))
        image += np.kron(small, np.ones((size, size, 1)))[:height, :width] / 3
    return np.rint(image * np.iinfo(kind).max).astype(kind)


# ---- tiles


@pytest.mark.parametrize("tile", [24, 31, 64])
@pytest.mark.parametrize("length", [1, 23, 24, 25, 40, 41, 55, 100])
@pytest.mark.parametrize("margin", [0, 5, 11])
def test_cuts_cover_everything_once_and_keep_their_margins(length, tile, margin):
    found = cuts(length, tile, margin)
    assert [first for _, first, _ in found] == [0, *(last for *_, last in found[:-1])]
    assert found[-1][2] == length
    side = min(tile, length)
    for start, first, last in found:
        assert 0 <= start <= first < last <= start + side <= length
        assert start == 0 or first - start >= margin
        assert start + side == length or start + side - last >= margin


@pytest.mark.parametrize("shape", [(50, 70), (24, 90), (7, 41), (1, 1)])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_tiled_equals_untiled(network, shape, channels):
    image = photo(*shape, channels, "uint16")
    if channels in (2, 4):
        image[:, : shape[1] // 2, -1] = 0
    whole = zoo.upscale_image(network, image, tile=4096)
    tiled = zoo.upscale_image(network, image, tile=32)
    assert whole.shape == (2 * shape[0], 2 * shape[1], channels)
    # A level of 65,535 is 1.5e-5 of the range.
    assert np.abs(whole.astype(int) - tiled).max() <= 1


def test_a_smaller_margin_leaves_seams_and_is_not_called_exact(network):
    image = photo(50, 70)
    whole = zoo.upscale_image(network, image, tile=4096, keep_colours=False)
    small = upscaler.of_network(network, tile=24, margin=1, keep_colours=False)
    assert not small.exact and upscaler.of_network(network, keep_colours=False).exact
    made = np.concatenate(list(small.strips(pictures.Picture(image))))
    assert np.abs(whole.astype(int) - made).max() > 2


def test_a_network_that_unshuffles_pixels_takes_any_size():
    twice = shaken(networks.rrdb_upscaler((None, None, 3), 2, width=4, blocks=1, growth=2), 0.02)
    image = photo(37, 51)
    made = upscaler.of_network(twice, tile=48, margin=12)
    assert made.step == 2 and not made.exact
    whole = zoo.upscale_image(twice, image)
    assert whole.shape == (74, 102, 3)
    # The network looks up to 38 pixels far, at what is far away hardly.
    assert np.abs(zoo.upscale_image(twice, image, tile=48, margin=12).astype(int) - whole).max() < 9


@pytest.mark.parametrize(
    "build",
    [
        lambda: networks.compact_upscaler((None, None, 3), width=4, depth=3),
        lambda: networks.compact_upscaler((None, None, 3), width=4, depth=1, output_scale=2),
        lambda: networks.compact_upscaler((None, None, 3), width=4, depth=1, output_scale=3),
        lambda: networks.rrdb_upscaler((None, None, 3), width=4, blocks=1, growth=2),
        lambda: networks.rrdb_upscaler((None, None, 3), 2, width=4, blocks=1, growth=2),
        lambda: networks.srresnet((None, None, 3), 2, width=4, blocks=1),
    ],
)
def test_how_far_a_network_looks_is_what_a_changed_pixel_shows(build):
    network, side = shaken(build(), 0.1), 96
    (clip,) = (layer for layer in network.layers if type(layer).__name__ == "ClipAtInference")
    unclipped = keras.Model(network.inputs[0], clip.input)
    reach = networks.receptive_radius(network)
    image = np.random.default_rng(0).uniform(-0.3, 0.3, (1, side, side, 3)).astype("float32")
    found = 0
    for place in (side // 2, side // 2 + 1):
        changed = image.copy()
        changed[0, place, place] += 0.3
        seen = [unclipped(x, training=False)[0] for x in (image, changed)]
        rows = np.flatnonzero((np.abs(seen[0] - seen[1]) > 0).any(axis=(1, 2)))
        scale = seen[0].shape[0] // side
        found = max(found, place - rows.min() // scale, rows.max() // scale - place)
    # Rounded up where the size changes; what is added five times 0.2 fades before.
    assert 0.7 * reach <= found <= reach


def test_how_far_known_networks_look():
    for scale, reach in {None: 18, 2: 19, 3: 19}.items():
        compact = networks.compact_upscaler((None, None, 3), width=4, output_scale=scale)
        assert networks.receptive_radius(compact) == reach
    # It normalises over the whole image.
    assert (
        networks.receptive_radius(networks.resnet_generator((32, 32, 3), width=4, blocks=1)) is None
    )


def test_convolutions_in_bfloat16_are_near_and_leave_the_network_as_it_was(network):
    image = photo(20, 30, kind="uint16")
    whole = zoo.upscale_image(network, image, keep_colours=False).astype(int)
    coarse = zoo.upscale_image(network, image, keep_colours=False, precision="bfloat16")
    assert 0 < np.abs(coarse - whole).max() < 2**16 / 100
    assert {layer.dtype_policy.name for layer in network.layers} == {"float32"}
    again = zoo.upscale_image(network, image, keep_colours=False)
    np.testing.assert_array_equal(again, whole)
    with pytest.raises(ValueError, match="Did you mean 'bfloat16'.*precision='float16'"):
        zoo.upscale_image(network, image, precision="float16")


# ---- colours


def test_colours_are_kept():
    biased = networks.compact_upscaler((None, None, 3), scale=2, width=4, depth=1)
    weights = biased.get_weights()
    weights[-1] += np.tile([0.04, -0.03, 0.02], 4)  # of the last convolution
    biased.set_weights(weights)
    image = 60 + photo(80, 90) // 2
    for keep, least, most in ((True, 0, 0.15), (False, 4, 20)):
        made = zoo.upscale_image(biased, image, keep_colours=keep)
        shift = np.abs(made.mean(axis=(0, 1)) - image.mean(axis=(0, 1))).max()
        assert least <= shift <= most


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_grey_stays_grey(network, channels):
    image = np.repeat(photo(30, 40, 1), channels, axis=2)
    made = zoo.upscale_image(network, image)
    assert made.shape == (60, 80, channels)
    assert channels == 1 or (made[..., 0] == made[..., 1]).all()


def test_strength_mixes_with_bicubic(network):
    image = photo(30, 40)
    none, half, full = (
        zoo.upscale_image(network, image, strength=s, keep_colours=False).astype("float32")
        for s in (0, 0.5, 1)
    )
    assert np.abs(half - (none + full) / 2).max() <= 1
    # Keys' cubic with -0.5, as Pillow's; at the edges the two differ.
    plain = np.asarray(Image.fromarray(image).resize((80, 60), Image.Resampling.BICUBIC))
    assert np.abs(none - plain)[4:-4, 4:-4].max() <= 2


# ---- mixtures of weights


@pytest.fixture(scope="module")
def other(network):
    """What the network might be trained further to."""
    return shaken(keras.models.clone_model(network), 0.2)


def between(first, second, share):
    network = keras.models.clone_model(first)
    pairs = zip(first.get_weights(), second.get_weights())
    network.set_weights([(1 - share) * a + share * b for a, b in pairs])
    return network


def test_mixtures_are_linear_in_the_weights(network, other):
    image, before = photo(20, 24, kind="uint16"), network.get_weights()
    plain = {one: zoo.upscale_image(one, image) for one in (network, other)}
    for share in (0.25, 0.7):
        made = zoo.upscale_image(network, image, mix_with=(other, share))
        expected = zoo.upscale_image(between(network, other, share), image)
        assert np.abs(made.astype(int) - expected).max() <= 1
        images = (1 - share) * plain[network].astype(float) + share * plain[other]
        assert np.abs(made - images).max() > 100  # linear in the weights, not in the images
    for share, same in ((0, network), (0.0, network), (1, other), (1.0, other)):
        made = zoo.upscale_image(network, image, mix_with=(other, share))
        np.testing.assert_array_equal(made, plain[same])
    for a, b in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("scale", [None, 2])
def test_a_preset_is_mixed_with_one_trained_further(scale):
    image, further = photo(9, 14), shaken(zoo.load(PRESET), 0.01)
    made = zoo.upscale_image(PRESET, image, scale, mix_with=(further, 0.4))
    network = zoo.load(PRESET, scale=scale)
    weights = between(zoo.load(PRESET), further, 0.4).get_weights()
    network.set_weights(weights)
    assert np.abs(made.astype(int) - zoo.upscale_image(network, image)).max() <= 1


def test_a_mixture_is_what_a_folder_goes_on_with(network, other, folder, tmp_path):
    files = folder / "grey.png"
    done = zoo.upscale(network, files, tmp_path, mix_with=(other, 0.3), verbose=0)
    assert f"mixed with 0.3 of {other.name}" in done.page.read_text()
    assert zoo.upscale(network, files, tmp_path, mix_with=(other, 0.3), verbose=0).skipped
    for mixture, now in (((other, 0.4), "0.4"), (None, "None")):
        with pytest.raises(ValueError, match=rf"another way.*mix_with \(was 0.3, now {now}\)"):
            zoo.upscale(network, files, tmp_path, mix_with=mixture, verbose=0)
    with pytest.raises(ValueError, match=r"another way.*generator \(was"):
        zoo.upscale(other, files, tmp_path, mix_with=(network, 0.3), verbose=0)
    plain = zoo.upscale(network, files, tmp_path / "plain", verbose=0)
    # 0 is the one alone, 1 the other.
    again = zoo.upscale(network, files, tmp_path / "plain", mix_with=(other, 0), verbose=0)
    assert again.skipped == plain.written
    assert zoo.upscale(other, files, tmp_path / "plain", mix_with=(network, 1), verbose=0).skipped


@pytest.mark.parametrize(
    ("options", "difference"),
    [
        ({"width": 5}, r"in layer \d+ of Conv2D, filters is 4 in the first, 5 in the second"),
        ({"depth": 3}, r"in layer \d+ of Conv2D, filters is 12 in the first, 4 in the second"),
        ({"activation": "relu"}, r"type is 'PReLU' in the first, 'ReLU' in the second"),
        ({"scale": 3}, r"filters is 12 in the first, 27 in the second"),
        ({"unit_range": False}, "in layer 1, type is"),
    ],
)
def test_networks_that_cannot_be_mixed(network, folder, tmp_path, options, difference):
    options = {"scale": 2, "width": 4, "depth": 2} | options
    other = networks.compact_upscaler((None, None, 3), **options)
    with pytest.raises(ValueError, match=rf"architectures differ.*{difference}"):
        zoo.upscale(network, folder / "grey.png", tmp_path / "a", mix_with=(other, 0), verbose=0)
    assert not (tmp_path / "a").exists()


def test_connections_differ():
    def build(swapped):
        image = keras.Input((None, None, 3))
        a = keras.layers.Conv2D(3, 1)(image)
        b = keras.layers.Conv2D(3, 1)(image if swapped else a)
        return keras.Model(image, keras.layers.UpSampling2D(2)(a + b))

    with pytest.raises(ValueError, match="the layers it takes from is"):
        zoo.upscale_image(build(False), photo(4, 4), mix_with=(build(True), 0.5))


@pytest.mark.parametrize("mixture", [0.3, ("a",), ("a", 2), ("a", -0.1), ("a", True), ("a", "0")])
def test_mixtures_that_there_are_not(network, mixture):
    with pytest.raises(ValueError, match="another network and its share.*Received: mix_with"):
        zoo.upscale_image(network, photo(4, 4), mix_with=mixture)


def test_invisible_pixels_get_the_nearest_visible_colour():
    ndimage = pytest.importorskip("scipy.ndimage")
    rng = np.random.default_rng(1)
    alpha = np.where(rng.uniform(size=(40, 50)) < 0.01, 1.0, -1.0)
    alpha[5, 5] = -0.9  # hardly visible, yet it is
    places = np.stack(np.meshgrid(np.arange(40), np.arange(50), indexing="ij"), axis=-1)
    found = pictures.filled(places.astype("float32"), alpha, 30)
    distance = ndimage.distance_transform_edt(alpha == -1)
    near = distance < 20
    ours = np.linalg.norm(found - places, axis=-1)
    assert (ours[near] <= 1.1 * distance[near] + 0.5).all()
    np.testing.assert_array_equal(found[alpha > -1], places[alpha > -1])


def test_what_is_invisible_is_not_seen_at_edges(network):
    image = photo(40, 40, 4)
    image[..., 3] = 0
    image[10:30, 10:30, 3] = 255
    other = image.copy()
    other[image[..., 3] == 0] = 0
    a, b = (zoo.upscale_image(network, x) for x in (image, other))
    np.testing.assert_array_equal(a, b)


# ---- other scales


@pytest.mark.parametrize("kind", ["uint8", "uint16"])
@pytest.mark.parametrize("wanted", [(60, 45), (77, 31), (150, 140), (20, 100), (199, 99)])
@pytest.mark.parametrize("splits", [[7, 50, 51], [100], []])
def test_resampled_strips_equal_the_whole(kind, wanted, splits):
    image = photo(120, 80, 3, kind)
    (whole,) = resampled([image], image.shape[:2], wanted)
    parts = list(resampled(np.split(image, splits), image.shape[:2], wanted))
    assert whole.shape == (*wanted, 3)
    difference = np.abs(np.concatenate(parts).astype(int) - whole)
    assert difference.max() <= 1  # Pillow rounds coefficients to fixed points
    if kind == "uint8":
        by_pillow = Image.fromarray(image).resize(wanted[::-1], Image.Resampling.LANCZOS)
        assert np.abs(np.asarray(by_pillow).astype(int) - whole).max() <= 1


@pytest.mark.parametrize("scale", [1.5, 3, 5])
def test_any_scale(scale):
    made = zoo.upscale_image(PRESET, photo(9, 14), scale)
    assert made.shape == (round(9 * scale), round(14 * scale), 3)


# ---- files


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Images of every kind."""
    folder = tmp_path_factory.mktemp("images")
    image = Image.fromarray(photo(24, 30))
    notes = Image.Exif()
    notes[0x010F], notes[0x0112] = "a camera", 6  # turned
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image.save(folder / "photo.JPG", exif=notes, icc_profile=profile, quality=95)
    image.convert("L").save(folder / "grey.png", icc_profile=b"grey")
    image.convert("1").save(folder / "bits.png")
    image.convert("P").save(folder / "palette.png")
    image.convert("CMYK").save(folder / "inks.tif")
    image.save(folder / "plain.bmp")
    rgba = np.dstack(
        [photo(24, 30), np.repeat(np.repeat([[0, 255]], 24, 0), 15, 1).astype("uint8")]
    )
    Image.fromarray(rgba).save(folder / "alpha.webp", lossless=True)
    Image.fromarray(photo(24, 30, 1, "uint16")[..., 0]).save(folder / "deep_grey.png")
    (folder / "sub").mkdir()
    deep = tf.io.encode_png(photo(24, 30, 3, "uint16")).numpy()
    (folder / "sub/deep.png").write_bytes(deep)
    frames = [Image.fromarray(photo(24, 30, seed=n)) for n in range(3)]
    options = {"save_all": True, "append_images": frames[1:], "duration": [50, 100, 150]}
    for name in ("film.gif", "film.webp", "film.png"):
        frames[0].save(folder / name, loop=2, **options)
    frames[0].save(folder / "pages.tif", save_all=True, append_images=frames[1:])
    return folder


KINDS = {
    "photo.JPG": ("JPEG", "RGB", (48, 60)),
    "grey.png": ("PNG", "L", (60, 48)),
    "bits.png": ("PNG", "L", (60, 48)),
    "palette.png": ("PNG", "RGB", (60, 48)),
    "inks.tif": ("TIFF", "RGB", (60, 48)),
    "plain.png": ("PNG", "RGB", (60, 48)),
    "alpha.webp": ("WEBP", "RGBA", (60, 48)),
    "deep_grey.png": ("PNG", "I;16", (60, 48)),
    "sub/deep.png": ("PNG", "RGB", (60, 48)),
    "film.gif": ("GIF", "P", (60, 48)),
    "film.webp": ("WEBP", "RGBA", (60, 48)),
    "film.png": ("PNG", "RGB", (60, 48)),
    "pages.tif": ("TIFF", "RGB", (60, 48)),
}


@pytest.fixture(scope="module")
def done(network, folder, tmp_path_factory):
    output = tmp_path_factory.mktemp("made")
    return zoo.upscale(network, folder, output, verbose=0)


def test_files_of_every_kind(done, folder):
    assert not done.failed and not done.left_out
    output = done.page.parent
    assert {path.relative_to(output).as_posix() for path in done.written} == set(KINDS)
    for name, (format, mode, size) in KINDS.items():
        with Image.open(output / name) as image:
            image.load()
            modes = (mode, "RGB") if name.startswith("film") else (mode,)
            assert image.format == format and image.mode in modes, name
            assert image.size == size, name


def test_what_a_camera_and_a_printer_need_is_kept(done):
    output = done.page.parent
    with Image.open(output / "photo.JPG") as image:
        assert image.getexif().get(0x010F) == "a camera" and 0x0112 not in image.getexif()
        assert b"acsp" in image.info["icc_profile"]
    with Image.open(output / "grey.png") as image:
        assert image.info["icc_profile"] == b"grey"


def test_sixteen_bits_stay_sixteen(done, folder, network):
    made = tf.io.decode_png((done.page.parent / "sub/deep.png").read_bytes(), dtype=tf.uint16)
    given = tf.io.decode_png((folder / "sub/deep.png").read_bytes(), dtype=tf.uint16).numpy()
    np.testing.assert_array_equal(made.numpy(), zoo.upscale_image(network, given))
    assert len(np.unique(made.numpy() % 257)) > 100


def test_animations_keep_their_frames_and_times(done, network, folder):
    for name in ("film.gif", "film.webp", "film.png"):
        with Image.open(done.page.parent / name) as made, Image.open(folder / name) as given:
            assert made.n_frames == 3 and made.info["loop"] == 2
            expected = []
            for number in range(3):
                given.seek(number)
                expected.append(zoo.upscale_image(network, np.array(given.convert("RGB"))))
            for number, time in enumerate((50, 100, 150)):
                made.seek(number)
                pixels = np.asarray(made.convert("RGB")).astype(int)
                assert made.info["duration"] == time
                # 256 colours, or half of them, of noise: yet no other frame is as near.
                differences = [np.abs(pixels - frame).mean() for frame in expected]
                assert np.argmin(differences) == number, (name, differences)


def test_documents_keep_their_pages(done):
    with Image.open(done.page.parent / "pages.tif") as made:
        assert made.n_frames == 3


@pytest.mark.parametrize("format", upscale.FORMATS)
def test_every_format_takes_every_kind(network, folder, tmp_path, format):
    if format == "avif" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    names = ("photo.JPG", "film.gif", "pages.tif", "alpha.webp", "deep_grey.png")
    done = zoo.upscale(network, [folder / n for n in names], tmp_path, format=format, verbose=0)
    assert not done.failed
    for path in done.written:
        with Image.open(path) as image:
            moves = path.stem in ("film", "pages") and format != "jpeg"
            assert getattr(image, "n_frames", 1) == (3 if moves else 1)
            if path.stem == "photo" and format not in ("tiff", "gif"):
                assert image.getexif().get(0x010F) == "a camera"


def test_transparent_parts_stay_where_they_are(done):
    with Image.open(done.page.parent / "alpha.webp") as image:
        alpha = np.asarray(image)[..., 3]
    assert alpha[:, :24].mean() < 20 and alpha[:, 36:].mean() > 235


def test_the_page_has_a_slider_for_each_image(done):
    page = done.page.read_text()
    assert page.count('type="range"') == len(KINDS)
    for kind in ("befores", "afters"):
        found = {
            p.relative_to(done.page.parent / BESIDE / kind)
            for p in (done.page.parent / BESIDE / kind).rglob("*.png")
        }
        assert len(found) == len(KINDS)


def test_what_is_there_is_skipped_and_what_is_missing_is_made(network, folder, tmp_path, capsys):
    names = [folder / "grey.png", folder / "palette.png"]
    first = zoo.upscale(network, names, tmp_path)
    shown = capsys.readouterr().out
    assert "[2/2]" in shown and "2/2 tiles" in shown and "no seam" in shown
    times = [path.stat().st_mtime_ns for path in first.written]
    first.written[1].unlink()
    again = zoo.upscale(network, names, tmp_path, verbose=0)
    assert again.skipped == first.written[:1] and again.written == first.written[1:]
    assert first.written[0].stat().st_mtime_ns == times[0]
    with pytest.raises(ValueError, match=r"made in another way.*strength \(was 1.0, now 0.5\)"):
        zoo.upscale(network, names, tmp_path, strength=0.5, verbose=0)
    assert (
        len(zoo.upscale(network, names, tmp_path, strength=0.5, overwrite=True, verbose=0).written)
        == 2
    )


def test_parts_of_the_work_cover_it_once(network, folder, tmp_path):
    written = []
    for number in (1, 2, 3):
        done = zoo.upscale(network, folder, tmp_path, shard=(number, 3), verbose=0)
        assert not done.skipped
        written += [path.relative_to(tmp_path).as_posix() for path in done.written]
    assert sorted(written) == sorted(KINDS)
    assert done.page.read_text().count('type="range"') == len(KINDS)  # of all machines
    assert len(list((tmp_path / BESIDE).glob("done-*-of-3.jsonl"))) == 3


@pytest.mark.parametrize("shard", [(0, 3), (4, 3), (1,), "1/3", (1.0, 3), (True, 3), None])
def test_parts_that_there_are_not(shard):
    if shard is None:
        assert shards.take([1, 2], shard) == [1, 2]
        return
    with pytest.raises(ValueError, match="A shard is one of several parts"):
        shards.take([1, 2], shard)


@pytest.mark.parametrize(("format", "kind"), [("png", "PNG"), ("jpeg", "JPEG"), ("tiff", "TIFF")])
def test_another_format(network, folder, tmp_path, format, kind):
    done = zoo.upscale(network, folder / "alpha.webp", tmp_path, format=format, verbose=0)
    with Image.open(done.written[0]) as image:
        assert image.format == kind
        alpha = image.mode == "RGBA"
    assert alpha == (format != "jpeg")
    note = json.loads((tmp_path / BESIDE / "done.jsonl").read_text())["told"]
    assert ("on white, as JPEG has no alpha" in note) == (format == "jpeg")


# ---- films

# imageio-ffmpeg leaves the pipes of a process that has ended to Python.
of_films = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Three frames, in shades of red, green and blue, at 24000/1001 a second."""
    pytest.importorskip("imageio_ffmpeg", reason="the extra `video` is not installed")
    path = tmp_path_factory.mktemp("films") / "film.mkv"
    shade = np.linspace(60, 200, 18)[None, :, None] * np.ones((16, 1, 1))
    with films.writer(path, Fraction(24000, 1001), 16, 18) as write:
        for color in np.eye(3):
            write((shade * color).astype("uint8"))
    return path


@pytest.fixture(scope="module")
def plain():
    """Adds next to nothing to the image, enlarged."""
    return networks.compact_upscaler((None, None, 3), scale=2, width=4, depth=1)


@of_films
@pytest.mark.parametrize("scale", [2, 1.5])
def test_films(plain, film, tmp_path, capsys, scale):
    done = zoo.upscale(plain, film, tmp_path, scale=scale)
    assert [path.name for path in done.written] == ["film.mp4"] and not done.failed
    shown = capsys.readouterr().out
    assert "3 frames, 23.976 a second, without the sound" in shown and "3/3 tiles" in shown
    assert films.rate(done.written[0]) == Fraction(24000, 1001)
    given, made = (list(films.frames(path)) for path in (film, done.written[0]))
    width = round(18 * scale)
    assert len(made) == 3 and made[0].shape == (16 * scale, width + width % 2, 3)
    for before, after in zip(given, made, strict=True):
        expected = zoo.upscale_image(plain, before, scale).astype(int)
        # H.264 has half as many pixels of colour.
        assert np.abs(after[:, :width].astype(int) - expected).mean() < 4
    assert 'type="range"' in done.page.read_text()
    assert {p.name for p in tmp_path.iterdir()} == {"film.mp4", "index.html", BESIDE}
    assert zoo.upscale(plain, film, tmp_path, scale=scale, verbose=0).skipped == done.written


@of_films
def test_damaged_films_are_named_and_the_others_made(plain, film, tmp_path):
    content = film.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(content[:200])
    (tmp_path / "text.mov").write_text("no film, but text")
    (tmp_path / "empty.avi").touch()
    (tmp_path / "list.mp4").write_text("#EXTM3U\n#EXTINF:1,\nhttp://localhost:1/a.ts\n")
    damaged = sorted(tmp_path.iterdir())
    output = tmp_path / "made"
    done = zoo.upscale(plain, [*damaged, film], output, verbose=0)
    assert [path.name for path in done.written] == ["film.mp4"]
    assert sorted(done.failed) == damaged
    assert all("The film cannot be read" in reason for reason in done.failed.values())


@of_films
def test_films_that_would_be_too_large(plain, film, tmp_path):
    with pytest.raises(ValueError, match="36x32 pixels, more than `max_pixels` of 1,000"):
        zoo.upscale(plain, film, tmp_path / "made", max_pixels=1000, verbose=0)
    assert zoo.upscale(plain, film, tmp_path / "made", max_pixels=1152, verbose=0).written


@of_films
def test_films_that_cannot_be_written(film, tmp_path):
    pixels = np.zeros((64, 64, 3), "uint8")
    with (
        pytest.raises(OSError, match=r"ffmpeg could not write the film.*disk full"),
        films.writer(tmp_path / "missing" / "film.mp4", Fraction(25), 64, 64) as write,
    ):
        write(pixels)


def test_films_need_a_package(plain, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    (tmp_path / "film.mp4").write_bytes(b"film")
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'keras-gans\[video\]'"):
        zoo.upscale(plain, tmp_path / "film.mp4", tmp_path / "made", verbose=0)
    assert not (tmp_path / "made").exists()


# ---- what cannot be done


def header_of(width, height):
    """The beginning of a PNG that claims some size."""
    content = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + content
    chunk += struct.pack(">I", zlib.crc32(b"IHDR" + content))
    return b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\0IDAT" + bytes(4)


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b"", {}, "the file is empty"),
        (b"no image, but text", {}, "it is no image that Pillow reads"),
        (header_of(0, 5), {}, "damaged"),
        (header_of(100_000, 100_000), {}, "more than the"),
        (header_of(12_000, 12_000), {"max_pixels": 10**6}, "24000x24000 pixels, more than"),
        (header_of(9_000, 9_000), {"format": "jpeg"}, "too many for jpeg.*--format png"),
        (header_of(10_000, 1), {"format": "webp"}, "too many for webp: a side may have 16,383"),
        (header_of(20, 20), {}, "damaged"),
    ],
)
def test_images_that_cannot_be_made(network, folder, tmp_path, content, options, message):
    (tmp_path / "bad.png").write_bytes(content)
    files = [tmp_path / "bad.png", folder / "grey.png"]
    done = zoo.upscale(network, files, tmp_path / "made", verbose=0, **options)
    assert len(done.written) == 1  # the others are made
    ((path, reason),) = done.failed.items()
    assert path.name == "bad.png" and re.search(message, reason), reason
    assert not list((tmp_path / "made").glob("*bad*")) and "bad.png" in done.page.read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": 0}, "`scale` must be a number from 1 to 16"),
        ({"scale": 0.5}, "To make images smaller needs no network"),
        ({"scale": 17}, "Received: scale=17"),
        ({"scale": float("nan")}, "Received: scale=nan"),
        ({"scale": "2"}, "Received: scale='2'"),
        ({"format": "bmp"}, "cannot be written in that format.*'png'"),
        ({"strength": 2}, "`strength` must be from 0 to 1"),
        ({"tile": 20, "margin": 10}, "leave nothing of a tile. Expected a `tile` above 20"),
        ({"margin": -1}, "`margin` must be an integer of at least 0"),
        ({"max_pixels": 0}, "`max_pixels` must be an integer of at least 1"),
        ({"shard": (3, 2)}, "A shard is one of several parts"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_written(
    network, folder, tmp_path, options, message
):
    with pytest.raises(ValueError, match=message):
        zoo.upscale(network, folder / "grey.png", tmp_path / "made", verbose=0, **options)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("dcgan_digits_28", "cannot be enlarged by this generator.*translate"),
        ("pix2pix_drawing_to_avatar_64", "cannot be enlarged by this generator"),
        ("realesrgan_animevideo_x", "Did you mean 'realesrgan_animevideo_x4'"),
        (3, "named by text or a path"),
    ],
)
def test_what_enlarges_nothing(folder, tmp_path, source, message):
    with pytest.raises(ValueError, match=message):
        zoo.upscale(source, folder / "grey.png", tmp_path / "made", verbose=0)


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((4, 4), "uint8"), np.zeros((0, 4, 3), "uint8"), np.zeros((4, 4, 3)), "photo.png"],
)
def test_arrays_that_are_no_image(network, pixels):
    with pytest.raises(ValueError, match="That is no image.*Received"):
        zoo.upscale_image(network, pixels)


def test_no_room_for_the_output(network, folder, tmp_path, monkeypatch):
    full = shutil.disk_usage(tmp_path)._replace(free=10)
    monkeypatch.setattr(upscale.shutil, "disk_usage", lambda path: full)
    with pytest.raises(OSError, match="no room for what would be made.*Received: 0 MB free"):
        zoo.upscale(network, folder / "grey.png", tmp_path / "made", verbose=0)
    assert not (tmp_path / "made").exists()


def test_damage_in_the_middle_leaves_no_file(network, folder, tmp_path):
    content = (folder / "palette.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(content[:-300])
    done = zoo.upscale(network, tmp_path / "cut.png", tmp_path / "made", verbose=0)
    assert "damaged" in done.failed[tmp_path / "cut.png"]
    assert [p.name for p in (tmp_path / "made").iterdir()] == ["index.html"]


def test_the_shipped_picture_is_what_the_weights_make():
    """Columns: an image, with pixels repeated; bicubic interpolation; the network's image."""
    with Image.open(zoo.card(PRESET).folder / "samples.png") as file:
        pixels = np.asarray(file.convert("RGB"))
    width = (pixels.shape[1] - 4) // 3
    given, _, made = (pixels[:width, x : x + width] for x in range(0, pixels.shape[1], width + 2))
    small = np.ascontiguousarray(given[2::4, 2::4])
    assert (np.kron(small, np.ones((4, 4, 1), "uint8")) == given).all()
    difference = np.abs(zoo.upscale_image(PRESET, small).astype(int) - made)
    assert difference.mean() < 0.5
