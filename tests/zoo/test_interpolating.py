import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageSequence
from small_gans import labelled, plain, translator, with_codes

from keras_gans import image, latent
from keras_gans.zoo.inference.interpolate import interpolate, walk


def frames(path):
    with Image.open(path) as file:
        return [np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(file)]


def test_a_walk_meets_every_latent_and_returns_on_great_circles():
    latents = latent.sample(3, 5, seed=0)
    path = walk(latents, steps=4)
    assert path.shape == (12, 5)
    np.testing.assert_allclose(path[::4], latents, rtol=1e-6)
    np.testing.assert_allclose(path[2], latent.slerp(latents[0], latents[1], 3)[1], rtol=1e-5)
    back = latent.slerp(latents[2], latents[0], 5)
    np.testing.assert_allclose(path[8:], back[:-1], rtol=1e-5)
    straight = walk(latents, steps=2, linear=True)
    np.testing.assert_allclose(straight[1], (latents[0] + latents[1]) / 2, rtol=1e-6)


def test_codes_change_evenly():
    latents = np.array([[3.0, 0.0, 1.0, 0.0], [0.0, 3.0, 0.0, 1.0]], "float32")
    middle = walk(latents, steps=2, noise_dim=2)[1]
    np.testing.assert_allclose(middle, [3 / 2**0.5, 3 / 2**0.5, 0.5, 0.5], rtol=1e-6)


def test_frames_are_the_images_of_the_walk_enlarged(tmp_path):
    gan = plain()
    path = interpolate(gan, tmp_path / "a.webp", seeds=[4, 9], steps=3, scale=2, truncation=0.7)
    found = frames(path)
    drawn = np.concatenate([latent.sample(1, 6, seed, 0.7) for seed in (4, 9)])
    expected = image.to_uint8(gan.generate(latents=walk(drawn, 3)))[..., 0]
    assert len(found) == 6
    for shown, wanted in zip(found, expected):
        np.testing.assert_array_equal(shown, wanted.repeat(2, 0).repeat(2, 1))
    with Image.open(path) as file:
        assert file.info["loop"] == 0


def test_loops_are_rows_and_labels_columns(tmp_path):
    gan = labelled()
    path = interpolate(gan, tmp_path / "a.webp", seeds=range(4), loops=2, steps=1, scale=1)
    first, second = frames(path)
    assert first.shape == (2 * 16 + 2, 3 * 16 + 4)
    for frame, seeds in ((first, (0, 2)), (second, (1, 3))):
        for row, seed in enumerate(seeds):
            for label in range(3):
                alone = image.to_uint8(gan.generate(1, seed=seed, labels=label))[0, ..., 0]
                cell = frame[18 * row : 18 * row + 16, 18 * label : 18 * label + 16]
                np.testing.assert_array_equal(cell, alone)
    one = interpolate(gan, tmp_path / "b.webp", seeds=[0, 1], labels=[2], steps=1)
    assert frames(one)[0].shape == (7 * 16, 7 * 16)  # 112 pixels


def test_gif_and_codes(tmp_path):
    path = interpolate(with_codes(), tmp_path / "a.gif", seeds=[0, 1], steps=2, duration=70)
    with Image.open(path) as file:
        assert file.n_frames == 4 and file.info["duration"] == 70


@pytest.mark.parametrize(
    ("gan", "options", "message"),
    [
        (plain, {"output": "a.png"}, "Expected a file that ends in one of"),
        (plain, {"output": "a.gfi"}, "Did you mean 'gif'"),
        (plain, {"seeds": [3]}, "1 seeds for 1 loop"),
        (plain, {"seeds": range(5), "loops": 2}, "5 seeds for 2 loop"),
        (plain, {"steps": 0}, "Received: steps=0"),
        (plain, {"scale": 0}, "Received: scale=0"),
        (plain, {"duration": 1}, "Received: duration=1"),
        (plain, {"labels": [1]}, "takes no labels"),
        (labelled, {"labels": [7]}, "Expected 0 to 2"),
        (translator, {}, "keras-gans translate"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(gan, options, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        interpolate(gan(), **{"output": "a.gif", "steps": 2, **options})
    assert not list(tmp_path.iterdir())


def test_mp4_names_the_extra_that_it_needs(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(ImportError, match=r"pip install 'keras-gans\[video\]'"):
        interpolate(plain(), tmp_path / "a.mp4", seeds=[0, 1], steps=2)
    assert not list(tmp_path.iterdir())


def test_mp4_has_all_frames(tmp_path):
    pytest.importorskip("imageio", reason="the extra `video` is not installed")
    ffmpeg = pytest.importorskip("imageio_ffmpeg", reason="the extra `video` is not installed")
    flat = [np.full((9, 11, 1), value, "uint8") for value in (0, 120, 240)]
    path = image.animate(flat, tmp_path / "a.mp4", duration=100, hold=300)
    words = [ffmpeg.get_ffmpeg_exe(), "-i", path, "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    done = subprocess.run(words, capture_output=True, check=True)
    assert b"12x10" in done.stderr and b"10 fps" in done.stderr and b"yuv420p" in done.stderr
    shown = np.frombuffer(done.stdout, "uint8").reshape(-1, 10, 12)
    assert len(shown) == 5  # the last is held
    for frame, value in zip(shown, (0, 120, 240, 240, 240)):
        assert abs(frame[2:6, 2:6].astype(int) - value).max() < 12


def test_frames_larger_than_a_format_holds(tmp_path):
    with pytest.raises(ValueError, match="at most 16,383 pixels a side in .webp"):
        interpolate(plain(), tmp_path / "a.webp", seeds=[0, 1], steps=1, scale=1100)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("duration", [9, 0, -1, 655_351, 10**9, 1.5])
def test_durations_that_no_frame_has(duration, tmp_path):
    with pytest.raises(ValueError, match="`duration` must be"):
        interpolate(plain(), tmp_path / "a.gif", duration=duration)
