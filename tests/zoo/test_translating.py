import json
import os
import re

import keras
import numpy as np
import pytest
from PIL import Image

import keras_gans
import tiny
from keras_gans import image, networks, zoo
from keras_gans.metrics.strangeness import Familiar
from keras_gans.zoo.inference import page
from keras_gans.zoo.loading import input_roles
from keras_gans.zoo.runs import inputs

SHAPE = (32, 32, 3)


def scaled(factor, shape=SHAPE):
    """A generator whose images are known: those it is given, times a number."""
    inputs = keras.Input(shape)
    return keras.Model(inputs, keras.layers.Rescaling(factor)(inputs))


def judge(shape=SHAPE, condition_shape=None):
    return networks.patch_discriminator(
        shape, condition_shape=condition_shape, receptive_field=16, width=2
    )


def pix2pix(generator, shape=SHAPE):
    return keras_gans.Pix2Pix(generator, judge(shape, shape))


@pytest.fixture(scope="module")
def same():
    return pix2pix(scaled(1.0))


@pytest.fixture(scope="module")
def both_ways():
    """G(x) = -x, and F(y) = y / 2."""
    return keras_gans.CycleGAN(scaled(-1.0), scaled(0.5), judge(), judge())


def colors(width, height, channels=3):
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), "uint8")


def write(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(path, **options)
    return path


def read(path):
    with Image.open(path) as file:
        return np.asarray(file)


def translate(source, files, output, **options):
    return zoo.translate(source, files, output, **{"verbose": 0, **options})


def remarks(output, name):
    return [page.Gallery(output).notes[name][x] for x in ("size", "told")]


# ---- sizes


def test_images_of_any_size_keep_it(same, tmp_path, capsys):
    sizes = {
        "whole": (32, 32, "whole"),
        "large": (100, 70, "tiled 4x3, overlap 8"),  # (100 - 8) / 24 = 3.8, (70 - 8) / 24 = 2.6
        "small": (5, 9, "padded from 5x9"),
        "long": (60, 9, "padded from 60x9, tiled 3x1, overlap 8"),
        "dot": (1, 1, "padded from 1x1"),
    }
    for name, (width, height, _) in sizes.items():
        write(tmp_path / "in" / f"{name}.png", colors(width, height))
    done = zoo.translate(same, tmp_path / "in", tmp_path / "out")
    said = capsys.readouterr().out
    page = done.page.read_text()
    for name, (width, height, how) in sizes.items():
        made = read(tmp_path / "out" / f"{name}.png")
        np.testing.assert_array_equal(made, colors(width, height))
        assert f"{name}.png: {how} (" in said and f"{width}x{height}, {how}<" in page
    assert done.written == [tmp_path / "out" / f"{name}.png" for name in sorted(sizes)]
    assert not done.skipped and not done.failed and "[5/5]" in said


def test_resized_as_a_whole(same, tmp_path):
    ramp = np.repeat(np.linspace(0, 255, 64).astype("uint8")[None, :, None], 48, 0).repeat(3, 2)
    path = write(tmp_path / "a.png", ramp)
    translate(same, path, tmp_path / "out", resized=True)
    assert remarks(tmp_path / "out", "a.png") == [[64, 48], ["resized from 64x48"]]
    with Image.fromarray(ramp) as picture:
        small = picture.resize((32, 32), Image.Resampling.BICUBIC)
        expected = np.asarray(small.resize((64, 48), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(read(tmp_path / "out" / "a.png"), expected)


def test_a_generator_of_any_size_gets_tiles_of_the_papers(tmp_path):
    gan = keras_gans.CycleGAN(*(scaled(1.0) for _ in "GF"), judge(), judge())
    gan.generator = scaled(1.0, (None, None, 3))
    translate(gan, write(tmp_path / "a.png", colors(300, 40)), tmp_path / "out")
    assert remarks(tmp_path / "out", "a.png")[1] == ["padded from 300x40, tiled 2x1, overlap 64"]


def test_untrained_networks_run(tmp_path):
    gan = pix2pix(networks.resnet_generator(SHAPE, width=2, blocks=1))
    translate(gan, write(tmp_path / "a.png", colors(40, 32)), tmp_path / "out", batch_size=1)
    source = image.from_uint8(colors(40, 32))
    first, second = gan.generate(np.stack([source[:, :32], source[:, 8:]]))
    made = image.from_uint8(read(tmp_path / "out" / "a.png"))
    np.testing.assert_allclose(made[:, :8], first[:, :8], atol=0.005)
    np.testing.assert_allclose(made[:, 32:], second[:, 24:], atol=0.005)


# ---- formats and colours


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "webp", "jpg"])
def test_formats_that_are_read(same, tmp_path, suffix):
    options = {"webp": {"lossless": True}, "jpg": {"quality": 100}}.get(suffix, {})
    path = write(tmp_path / f"a.{suffix}", np.full((20, 30, 3), 90, "uint8"), **options)
    translate(same, path, tmp_path / "out")
    np.testing.assert_allclose(read(tmp_path / "out" / "a.png"), 90, atol=1)


@pytest.mark.parametrize(
    ("format", "suffix", "kind"),
    [("png", ".png", "PNG"), ("jpeg", ".jpg", "JPEG"), ("webp", ".webp", "WEBP")],
)
def test_formats_that_are_written(same, tmp_path, format, suffix, kind):
    path = write(tmp_path / "a.b.png", np.full((20, 30, 3), 90, "uint8"))
    (written,) = translate(same, path, tmp_path / "out", format=format).written
    assert written.name == f"a.b{suffix}"
    with Image.open(written) as file:
        assert file.format == kind and file.size == (30, 20)
        np.testing.assert_allclose(np.asarray(file), 90, atol=2)


def test_grey_colours_and_sixteen_bits(same, tmp_path):
    write(tmp_path / "grey.png", colors(40, 20, 1))
    wide = np.array([[0, 257, 65535 - 257, 65535]], "uint16").repeat(4, 0)
    Image.fromarray(wide).save(tmp_path / "wide.png")
    translate(same, [tmp_path / "grey.png", tmp_path / "wide.png"], tmp_path / "out")
    made = read(tmp_path / "out" / "grey.png")
    np.testing.assert_array_equal(made, colors(40, 20, 1).repeat(3, 2))
    np.testing.assert_array_equal(read(tmp_path / "out" / "wide.png")[0, :, 0], [0, 1, 254, 255])

    grey = pix2pix(scaled(-1.0, (32, 32, 1)), (32, 32, 1))
    write(tmp_path / "red.png", np.full((20, 30, 3), (255, 0, 0), "uint8"))
    translate(grey, tmp_path / "red.png", tmp_path / "grey")
    made = read(tmp_path / "grey" / "red.png")
    assert made.shape == (20, 30)
    np.testing.assert_array_equal(made, 255 - 76)  # 0.299 of 255, and its negative


def test_transparency(both_ways, tmp_path):
    pixels = np.zeros((4, 4, 4), "uint8")
    pixels[..., 3] = [0, 51, 204, 255]
    path = write(tmp_path / "a.png", pixels)
    white = 255 - pixels[0, :, 3]  # black, laid on white
    for format in ("png", "webp", "jpeg"):
        translate(both_ways, path, tmp_path / format, format=format)
    made = read(tmp_path / "png" / "a.png")
    np.testing.assert_array_equal(made[..., 3], pixels[..., 3])
    np.testing.assert_array_equal(made[0, :, 0], 255 - white)  # the negative
    np.testing.assert_array_equal(read(tmp_path / "webp" / "a.webp")[..., 3], pixels[..., 3])
    assert remarks(tmp_path / "png", "a.png")[1][-1] == "alpha kept"
    made = read(tmp_path / "jpeg" / "a.jpg")
    assert made.shape == (4, 4, 3)
    share = pixels[0, :, 3] / 255
    np.testing.assert_allclose(made[0, :, 0], 255 * share**2 + 255 * (1 - share), atol=3)
    assert remarks(tmp_path / "jpeg", "a.jpg")[1][-1] == "on white, as JPEG has no alpha"


def test_a_fourth_channel_that_the_network_takes(tmp_path):
    inputs = keras.Input((32, 32, 4))
    fourth = keras.layers.Lambda(lambda x: keras.ops.repeat(x[..., 3:], 3, axis=-1))
    network = keras.Model(inputs, fourth(inputs))
    gan = keras_gans.Pix2Pix(network, judge(SHAPE, (32, 32, 4)))
    pixels = colors(64, 64, 4)
    pixels[..., 3] = 51
    write(tmp_path / "in/map.png", pixels)
    write(tmp_path / "in/none.png", pixels[..., :3])
    for resized in (True, False):
        done = zoo.translate(gan, tmp_path / "in", tmp_path / str(resized), resized=resized)
        assert (read(tmp_path / str(resized) / "map.png") == 51).all()
        (reason,) = done.failed.values()
        assert "no fourth channel. Expected RGB and alpha" in reason


def test_a_palette_and_grey_with_transparency(same, tmp_path):
    Image.new("P", (6, 6), 0).save(tmp_path / "palette.png", transparency=0)
    Image.new("LA", (6, 6), (10, 128)).save(tmp_path / "grey.png")
    translate(same, [tmp_path / "palette.png", tmp_path / "grey.png"], tmp_path / "out")
    assert (read(tmp_path / "out" / "palette.png")[..., 3] == 0).all()
    assert (read(tmp_path / "out" / "grey.png")[..., 3] == 128).all()


def test_a_turned_camera_and_a_film(same, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    pixels = np.zeros((20, 40, 3), "uint8")
    pixels[:, :20] = 200  # left becomes above
    write(tmp_path / "turned.jpg", pixels, exif=exif, quality=100)
    frames = [Image.new("RGB", (16, 16), color) for color in ("red", "lime")]
    frames[0].save(tmp_path / "film.gif", save_all=True, append_images=frames[1:])
    translate(same, tmp_path, tmp_path / "out")
    made = read(tmp_path / "out" / "turned.png")
    assert made.shape == (40, 20, 3) and made[:15].min() > 190 and made[25:].max() < 10
    assert (read(tmp_path / "out" / "film.png") == (255, 0, 0)).all()
    assert remarks(tmp_path / "out", "film.png")[1][-1] == "first of 2 frames"


# ---- what is asked of the generator


def test_backward_and_the_reconstruction(both_ways, tmp_path):
    path = write(tmp_path / "a.png", np.full((32, 32, 3), 255, "uint8"))
    page = translate(both_ways, path, tmp_path / "there").page
    assert (read(tmp_path / "there" / "a.png") == 0).all()
    back = read(tmp_path / "there" / "index_files" / "reconstructions" / "a.png")
    assert (back == 64).all()  # F(-1) = -0.5
    assert page.read_text().count("<figcaption>reconstruction") == 1
    translate(both_ways, path, tmp_path / "back", backward=True)
    assert (read(tmp_path / "back" / "a.png") == 191).all()  # F(1) = 0.5
    back = read(tmp_path / "back" / "index_files" / "reconstructions" / "a.png")
    assert (back == 64).all()  # G(0.498)


def test_noise_by_a_seed(tmp_path):
    gan = pix2pix(networks.unet_generator(SHAPE, width=4, normalization="instance"))
    for kernel in gan.generator.trainable_variables:
        kernel.assign(10 * kernel)  # so small at first that all images are grey
    for name in "ab":
        write(tmp_path / f"{name}.png", colors(60, 32))

    def made(output, files="a", **options):
        files = [tmp_path / f"{name}.png" for name in files]
        translate(gan, files, tmp_path / output, **options)
        return read(tmp_path / output / "a.png").astype(int)

    still, first = made("still"), made("first", stochastic=True, seed=1)
    assert np.abs(first - still).max() > 1
    # The same in other company, and another for another seed or none.
    np.testing.assert_array_equal(made("again", "ba", stochastic=True, seed=1), first)
    assert np.abs(made("other", stochastic=True, seed=2) - first).max() > 1
    assert np.abs(made("none", stochastic=True) - first).max() > 1
    assert re.fullmatch(r"seed \d+", remarks(tmp_path / "none", "a.png")[1][-1])


def test_a_run_and_a_preset(tmp_path, monkeypatch):
    recipe = tiny.cyclegan_recipe(tmp_path)
    run = tmp_path / "run"
    gan = zoo.Recipe(recipe).build_model()
    path = write(tmp_path / "a.png", colors(32, 32))
    one = zoo.save_preset(gan, tmp_path / "one", {"recipe": recipe}, parts=["generator"])
    assert "reconstruction" not in translate(one, path, tmp_path / "made").page.read_text()
    with pytest.raises(ValueError, match="preset comes without a backward generator.*CycleGAN"):
        translate(one, path, tmp_path / "made", backward=True)
    both = zoo.save_preset(gan, tmp_path / "both", {"recipe": recipe})
    assert zoo.card(both).parts == ("generator", "backward_generator")
    page = translate(both, path, tmp_path / "back", backward=True).page.read_text()
    assert "<figcaption>reconstruction" in page
    made = image.from_uint8(read(tmp_path / "back" / "a.png"))
    back = zoo.load(both, part="backward_generator")
    np.testing.assert_allclose(made, back(image.from_uint8(colors(32, 32))[None])[0], atol=0.005)
    monkeypatch.setattr("keras_gans.zoo.inference.translate.open_gan", lambda source, best: gan)
    run.mkdir()
    (run / "config.json").write_text(json.dumps(recipe))
    page = translate(run, path, tmp_path / "whole").page.read_text()
    assert "<figcaption>reconstruction" in page and "Translated by run" in page
    expected = gan.ema_generator(image.from_uint8(colors(32, 32))[None])[0]
    made = image.from_uint8(read(tmp_path / "whole" / "a.png"))
    np.testing.assert_allclose(made, expected, atol=0.005)


def test_what_is_unlike_the_training_images_is_said(both_ways, tmp_path, monkeypatch):
    recipe = tiny.cyclegan_recipe(tmp_path)
    recipe["data"] |= {"name": str(tiny.folder_of_pairs(tmp_path / "many", number=300))}
    assert inputs.write(tmp_path / inputs.FILE, zoo.Recipe(recipe), input_roles(both_ways))
    monkeypatch.setitem(vars(both_ways), "familiar", inputs.read(tmp_path / inputs.FILE))
    assert sorted(both_ways.familiar) == ["backward_generator", "generator"]
    grey = tmp_path / "many/val/7.png"  # held out, and its left half is what the first one takes
    with Image.open(grey) as both:
        both.crop((0, 0, 32, 32)).save(tmp_path / "grey.png")
        both.crop((32, 0, 64, 32)).save(tmp_path / "red.png")
    files = [tmp_path / "grey.png", write(tmp_path / "noise.png", colors(32, 32))]
    with pytest.warns(UserWarning, match=r"1 of 2 images are unlike.*Received.*: noise.png \(\d"):
        translate(both_ways, files, tmp_path / "out")
    assert remarks(tmp_path / "out", "grey.png")[1] == ["whole"]
    assert re.match(
        r"unlike the training images \(\d", remarks(tmp_path / "out", "noise.png")[1][1]
    )
    # Each direction has its own: what is red is strange to the first alone.
    with pytest.warns(UserWarning, match="red.png"):
        translate(both_ways, tmp_path / "red.png", tmp_path / "red")
    translate(both_ways, tmp_path / "red.png", tmp_path / "back", backward=True)


def test_presets_and_runs_keep_what_their_inputs_look_like(tmp_path):
    recipe = zoo.Recipe(tiny.cyclegan_recipe(tmp_path))
    few = tmp_path / inputs.FILE
    assert not inputs.write(few, recipe, ("generator", None)) and not few.exists()  # 3 images
    cards = map(zoo.card, zoo.list_presets(origin="trained"))
    for card in (card for card in cards if card.translates):
        taken = {r: i.image.channels for r, i in card.interfaces.items() if i.takes_image}
        found = inputs.read(card.folder / inputs.FILE)
        assert {r: len(one.mean) for r, one in found.items()} == {
            r: 23 * c for r, c in taken.items()
        }
        assert inputs.FILE in card.sha256


def test_a_damaged_description_of_inputs_is_refused(tmp_path):
    path = tmp_path / inputs.FILE
    features = np.random.default_rng(0).normal(size=(50, 4))
    arrays = {f"generator.{name}": a for name, a in Familiar.of(features).arrays().items()}
    np.savez(path, **arrays)
    assert list(inputs.read(path)) == ["generator"] and inputs.read(tmp_path / "none.npz") == {}
    np.savez(path, **{n: a for n, a in arrays.items() if "mean" not in n})
    with pytest.raises(ValueError, match="damaged.*generator.mean"):
        inputs.read(path)
    np.savez(path, **arrays | {"generator.covariance": np.ones((3, 4))})
    with pytest.raises(ValueError, match="damaged"):
        inputs.read(path)
    path.write_bytes(b"PK")
    with pytest.raises(ValueError, match="damaged"):
        inputs.read(path)


def test_what_generators_cannot_do(same, tmp_path):
    path = write(tmp_path / "a.png", colors(8, 8))
    odd = pix2pix(scaled(1.0, (32, 32, 5)), (32, 32, 5))
    for source, options, message in (
        ("dcgan_digits_28", {}, "images from latents.*`keras-gans generate`.*a DCGAN"),
        ("dcgan_digit_28", {}, "Did you mean 'dcgan_digits_28'"),
        (same, {"backward": True}, "It has none.*a Pix2Pix"),
        (same, {"stochastic": True}, "has no noise"),
        (same, {"seed": 1}, "nothing for a seed to fix.*seed=1"),
        (same, {"stochastic": True, "seed": -1}, "`seed` must be.*at least 0"),
        (same, {"format": "pgn"}, "Did you mean 'png'.*format='pgn'"),
        (same, {"batch_size": 0}, "batch_size"),
        (same, {"overlap": 17}, "from 0 to 16"),
        (3, {}, "nothing to translate by.*Received: source=3"),
        (same, {"files": None}, "no paths.*Received: files=None"),
        (same, {"files": [3]}, r"no paths.*Received: files=\[3\]"),
        (same, {"output": path}, "A file is where.*Received: output=.*a.png"),
        (odd, {}, r"1, 3 or 4 channels.*\(32, 32, 5\)"),
    ):
        with pytest.raises(ValueError, match=message):
            translate(source, **{"files": path, "output": tmp_path / "out", **options})
    assert not (tmp_path / "out").exists()


# ---- files


def test_subfolders_and_what_is_left_out(same, tmp_path):
    for name in ("a.png", "sub/deep/b.jpg", ".hidden/c.png", "._a.png", "index_files/inputs/d.png"):
        write(tmp_path / "in" / name, colors(8, 8))
    (tmp_path / "in" / "notes.txt").write_text("no image")
    output = tmp_path / "in" / "made"  # inside: not taken for input the next time
    assert translate(same, tmp_path / "in", output).written == [
        output / "a.png",
        output / "sub" / "deep" / "b.png",
    ]
    done = translate(same, tmp_path / "in", output)
    assert not done.written and len(done.skipped) == 2
    # Made images can be translated on, without the pictures of their page.
    assert len(translate(same, output, tmp_path / "twice").written) == 2


def test_no_image_is_written_over(same, tmp_path):
    a, b = write(tmp_path / "a.png", colors(8, 8)), write(tmp_path / "b.jpg", colors(8, 8))
    before = a.read_bytes()
    for files, output, options, message in (
        (
            [a, b],
            tmp_path,
            {"overwrite": True},
            "written over one.*a.png, to be written to .*a.png",
        ),
        (tmp_path, tmp_path, {}, "among those to be translated.*Choose another folder"),
    ):
        with pytest.raises(ValueError, match=message):
            translate(same, files, output, **options)
    write(tmp_path / "other" / "a.jpg", colors(8, 8))
    with pytest.raises(ValueError, match=r"to one file.*a.png and .*other/a.jpg, both for .*a.png"):
        translate(same, [a, tmp_path / "other"], tmp_path / "out")
    assert a.read_bytes() == before and sorted(p.name for p in tmp_path.iterdir()) == [
        "a.png",
        "b.jpg",
        "other",
    ]
    # Beside the input under another suffix is no harm, and twice the same file is one.
    assert translate(same, [b, b], tmp_path).written == [tmp_path / "b.png"]


def test_no_images(same, tmp_path):
    (tmp_path / "empty").mkdir()
    for files in (tmp_path / "empty", []):
        with pytest.raises(ValueError, match="no images to translate.*Received: .*(empty|nothing)"):
            translate(same, files, tmp_path / "out")
    with pytest.raises(FileNotFoundError, match="does not exist.*missing.png"):
        translate(same, tmp_path / "missing.png", tmp_path / "out")


def test_it_goes_on_where_it_was_stopped(same, tmp_path, monkeypatch):
    for name in "abc":
        write(tmp_path / "in" / f"{name}.png", colors(8, 8))
    save, saved = image.save, []

    def killed(pixels, path, **options):
        if path == tmp_path / "out" / "b.png":
            raise KeyboardInterrupt
        saved.append(path)
        return save(pixels, path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(image, "save", killed)
        with pytest.raises(KeyboardInterrupt):
            translate(same, tmp_path / "in", tmp_path / "out")
    with (tmp_path / "out" / "index_files" / "done.jsonl").open("a") as file:
        file.write('{"name": "b\n')  # and the last note is cut off
        file.write('[]\n3\n{"name": "b.png"}\n{"name": "b.png", "size": [8], "told": 1}\n')
    with (tmp_path / "out" / "index_files" / "done.jsonl").open("ab") as file:
        file.write(b"\xff\xfe\n")
    done = translate(same, tmp_path / "in", tmp_path / "out")
    assert [p.name for p in done.skipped] == ["a.png"]
    assert [p.name for p in done.written] == ["b.png", "c.png"]
    assert done.page.read_text().count("<section>") == 3
    again = translate(same, tmp_path / "in", tmp_path / "out", overwrite=True)
    assert len(again.written) == 3 and not again.skipped


def test_two_ways_are_not_mixed(same, both_ways, tmp_path):
    path = write(tmp_path / "a.png", colors(40, 40))
    translate(same, path, tmp_path / "out")
    for source, options, field in (
        (same, {"resized": True}, "resized .was False, now True"),
        (same, {"overlap": 4}, "overlap .was 8, now 4"),
        (pix2pix(networks.resnet_generator(SHAPE, width=2, blocks=1)), {}, "generator .was"),
    ):
        with pytest.raises(ValueError, match=f"made in another way.*overwrite.*a.png: {field}"):
            translate(source, path, tmp_path / "out", **options)
    translate(same, path, tmp_path / "out", resized=True, overwrite=True)
    assert remarks(tmp_path / "out", "a.png")[1] == ["resized from 40x40"]
    # One that this function did not write is left alone.
    write(tmp_path / "mine" / "a.png", colors(1, 1))
    assert translate(same, path, tmp_path / "mine").skipped == [tmp_path / "mine" / "a.png"]
    assert read(tmp_path / "mine" / "a.png").shape == (1, 1, 3)


def test_damaged_files_stop_no_other(same, tmp_path, capsys):
    for name in "ac":
        write(tmp_path / "in" / f"{name}.png", colors(8, 8))
    whole = (tmp_path / "in" / "a.png").read_bytes()
    (tmp_path / "in" / "b.png").write_bytes(whole[:60])
    (tmp_path / "in" / "d & e.png").write_bytes(b"no image")
    done = zoo.translate(same, tmp_path / "in", tmp_path / "out")
    assert [p.name for p in done.written] == ["a.png", "c.png"]
    assert [p.name for p in done.failed] == ["b.png", "d & e.png"]
    assert "UnidentifiedImageError" in done.failed[tmp_path / "in" / "d & e.png"]
    assert "d &amp; e.png: it is no image that Pillow reads" in done.page.read_text()
    assert "[4/4]" in capsys.readouterr().out
    # WebP has a largest side.
    write(tmp_path / "long.png", np.zeros((1, 16384, 3), "uint8"))
    done = translate(same, [tmp_path / "long.png"], tmp_path / "webp", format="webp", batch_size=64)
    assert len(done.failed) == 1 and not (tmp_path / "webp" / "long.webp").exists()


def test_a_full_disk_stops_all(same, tmp_path, monkeypatch):
    path = write(tmp_path / "a.png", colors(8, 8))

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(image, "save", full)
    with pytest.raises(OSError, match="No space left"):
        translate(same, path, tmp_path / "out")


def test_the_page(both_ways, tmp_path, monkeypatch):
    monkeypatch.setattr("keras_gans.zoo.inference.page.ROWS", 2)
    monkeypatch.setattr("keras_gans.zoo.inference.translate.ROWS", 2)
    for name in ("a #1 & <b>", "b", "c"):
        write(tmp_path / "in" / f"{name}.png", colors(900, 4))
    page = translate(both_ways, tmp_path / "in", tmp_path / "out").page.read_text()
    assert "3 images. The first 2 by name are shown" in page
    assert "a #1 &amp; &lt;b&gt;.png" in page and page.count("<section>") == 2
    links = re.findall(r'src="([^"]*)"', page)
    assert links[:3] == [
        "index_files/inputs/a%20%231%20%26%20%3Cb%3E.png",
        "a%20%231%20%26%20%3Cb%3E.png",
        "index_files/reconstructions/a%20%231%20%26%20%3Cb%3E.png",
    ]
    assert len(links) == 6 and "http" not in page
    assert not list((tmp_path / "out").glob("index_files/*/c.png"))  # nobody sees them
    with Image.open(tmp_path / "out" / "index_files" / "inputs" / "b.png") as preview:
        assert preview.size == (800, 4)
    assert "prefers-color-scheme: dark" in page and "width=device-width" in page


# What file systems take, and programs stumble over.
NAMES = ["a b.png", "größe.PNG", "line\nbreak.png", "\x1b[31mred.png", "%2e #?.png", "dots.1.2.png"]
NAMES += [os.fsdecode(b"\xff\xfe.png"), "no_suffix", "camera.jfif", "0" * 246 + ".png"]
NAMES += ["é" * 120 + ".png"]


@pytest.mark.parametrize("format", ["png", "webp"])
def test_names_of_files(same, tmp_path, capsys, format):
    for number, name in enumerate(NAMES):
        path = tmp_path / "in" / name
        path.parent.mkdir(exist_ok=True)
        kind = "JPEG" if name.endswith("jfif") else "PNG"
        Image.new("RGB", (8, 8), (number, 0, 0)).save(
            path, kind, **{"quality": 100} if kind == "JPEG" else {}
        )
    done = zoo.translate(same, tmp_path / "in", tmp_path / "out", format=format)
    assert not done.failed and len(done.written) == len(NAMES)
    names = {path.name for path in done.written}
    assert {f"a b.{format}", f"no_suffix.{format}", f"dots.1.2.{format}"} <= names
    assert max(len(os.fsencode(name)) for name in names) <= 240
    assert "\x1b" not in capsys.readouterr().out
    # Names that are cut are kept apart, and found again.
    again = translate(same, tmp_path / "in", tmp_path / "out", format=format)
    assert not again.written and len(again.skipped) == len(NAMES)


def test_long_names_that_differ_at_the_end(same, tmp_path):
    for end in "ab":
        write(tmp_path / "in" / f"{'0' * 249}{end}.png", colors(8, 8))
    assert len(translate(same, tmp_path / "in", tmp_path / "out").written) == 2


def test_one_failing_output_stops_no_other(same, tmp_path, monkeypatch, capsys):
    for name in ("a/1.png", "b/2.png", "c.png", "d.png"):
        write(tmp_path / "in" / name, colors(8, 8))
    (tmp_path / "out" / "c.png").mkdir(parents=True)  # a folder where an image should be
    (tmp_path / "out" / "b").write_text("a file where a folder should be")
    (tmp_path / "in" / "lost.png").symlink_to("nowhere")
    (tmp_path / "in" / "notes.txt").write_text("no image")
    os.mkfifo(tmp_path / "in" / "pipe.png")
    done = zoo.translate(same, tmp_path / "in", tmp_path / "out")
    assert [p.relative_to(tmp_path / "out").as_posix() for p in done.written] == [
        "a/1.png",
        "d.png",
    ]
    failed = {p.relative_to(tmp_path / "in").as_posix() for p in done.failed}
    assert failed == {"b/2.png", "c.png", "lost.png"}
    assert done.failed[tmp_path / "in" / "lost.png"] == "links to nothing"
    assert "2 of 6 files were left out: 2 not images" in capsys.readouterr().out

    def memory(*arguments):
        raise MemoryError("Unable to allocate 9 GiB")

    monkeypatch.setattr("keras_gans.zoo.inference.translate.translate_image", memory)
    done = translate(same, tmp_path / "in" / "d.png", tmp_path / "more")
    assert list(done.failed.values()) == ["MemoryError: Unable to allocate 9 GiB"]


def test_nothing_that_is_an_image(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("no image")
    os.mkfifo(tmp_path / "pipe")
    # Before the model is looked for: there is none of that name.
    for files, message in (
        ([], "Received: nothing"),
        (tmp_path, f"Received: {re.escape(str(tmp_path))}$"),
        (text, r"notes.txt \(not an image\)"),
        ([tmp_path / "pipe", text], r"pipe \(not an image\), .*notes.txt \(not an image\)"),
    ):
        with pytest.raises(ValueError, match=rf"no images to translate.*{message}"):
            translate("no_such_preset", files, tmp_path / "out")


def test_a_picture_over_the_limit_of_pixels_says_so(same, tmp_path, monkeypatch):
    path = write(tmp_path / "a.png", colors(20, 20))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 199)
    (reason,) = translate(same, path, tmp_path / "out").failed.values()
    assert "more than the 398 pixels that Pillow reads" in reason and "MAX_IMAGE_PIXELS" in reason
    assert "incomplete" not in reason and "complete image" not in reason


def test_parts_on_several_machines_are_the_whole(same, tmp_path):
    for number in range(5):
        write(tmp_path / f"in/{number}.png", colors(30, 20))
    parts = [
        translate(same, tmp_path / "in", tmp_path / "out", shard=(number, 2)) for number in (1, 2)
    ]
    names = [[path.name for path in part.written] for part in parts]
    assert names == [["0.png", "2.png", "4.png"], ["1.png", "3.png"]]
    assert all(f"{number}.png" in parts[1].page.read_text() for number in range(5))
