import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import keras_gans
from keras_gans import image
from keras_gans.callbacks import SampleGrid

networks = keras_gans.networks

pytestmark = pytest.mark.usefixtures("without_graphs")


def make(channels=1):
    gan = keras_gans.GAN(
        networks.mlp_generator((16, 16, channels), latent_dim=3, width=8),
        networks.mlp_discriminator((16, 16, channels), width=8),
        seed=0,
    )
    gan.compile()
    return gan


def images(channels=1):
    return np.random.default_rng(0).uniform(-1, 1, (16, 16, 16, channels)).astype("float32")


@pytest.mark.parametrize(("channels", "animation"), [(1, "training.gif"), (3, "training.webp")])
def test_grids_and_an_animation_of_the_same_latents(tmp_path, channels, animation):
    gan = make(channels)
    samples = SampleGrid(tmp_path, num_images=6, every=2, animation=animation)
    gan.fit(images(channels), batch_size=8, epochs=5, callbacks=[samples], verbose=0)
    names = sorted(path.name for path in tmp_path.glob("*.png"))
    assert names == [f"epoch_{n:04d}.png" for n in (0, 2, 4, 5)]
    with Image.open(tmp_path / animation) as film:
        assert film.n_frames == 4
    expected = keras_gans.image.grid(gan.generate(6, seed=0))
    with Image.open(tmp_path / "epoch_0005.png") as last:
        shown = np.asarray(last).reshape(expected.shape)
    np.testing.assert_array_equal(shown, expected)


def test_tensorboard_gets_the_same_grids(tmp_path):
    samples = SampleGrid(tmp_path / "s", num_images=4, log_dir=tmp_path / "logs")
    make().fit(images(), batch_size=8, epochs=2, callbacks=[samples], verbose=0)
    (file,) = (tmp_path / "logs").iterdir()
    events = [
        (event.step, value.tag)
        for event in tf.compat.v1.train.summary_iterator(str(file))
        for value in event.summary.value
    ]
    assert events == [(0, "samples"), (1, "samples"), (2, "samples")]


def test_watching_does_not_change_the_training(tmp_path):
    watched, alone = make(), make()
    alone.set_weights(watched.get_weights())
    watched.fit(images(), batch_size=8, shuffle=False, callbacks=[SampleGrid(tmp_path)], verbose=0)
    alone.fit(images(), batch_size=8, shuffle=False, verbose=0)
    for a, b in zip(watched.get_weights(), alone.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_a_generator_of_points_is_refused(tmp_path):
    gan = keras_gans.GAN(networks.mlp_generator((2,)), networks.mlp_discriminator((2,)))
    gan.compile()
    with pytest.raises(ValueError, match="makes none"):
        gan.fit(np.zeros((8, 2), "float32"), callbacks=[SampleGrid(tmp_path)], verbose=0)


@pytest.mark.parametrize("bad", [{"num_images": 0}, {"every": 0}, {"animation": "film.mp4"}])
def test_bad_arguments(bad):
    with pytest.raises(ValueError, match="Received"):
        SampleGrid("x", **bad)


class TestImagesOfImages:
    shape = (32, 32, 3)

    def make(self):
        gan = keras_gans.Pix2Pix(
            networks.unet_generator(self.shape, width=2, max_width=4),
            networks.patch_discriminator(self.shape, self.shape, receptive_field=16, width=2),
            seed=0,
        )
        gan.compile()
        return gan

    def pairs(self, number=3):
        rng = np.random.default_rng(0)
        return tuple(rng.uniform(-1, 1, (number, *self.shape)).astype("float32") for _ in "ab")

    def test_rows_are_source_made_and_target(self, tmp_path):
        gan, (source, target) = self.make(), self.pairs()
        grid = SampleGrid(tmp_path, num_images=2, animation=None, inputs=(source, target))
        gan.fit(source, target, batch_size=3, verbose=0, callbacks=[grid])
        picture = np.asarray(Image.open(tmp_path / "epoch_0001.png"))
        assert picture.shape == (2 * 32 + 2, 3 * 32 + 2 * 2, 3)
        made = image.to_uint8(gan.generate(source[:2]))
        np.testing.assert_array_equal(picture[:32, :32], image.to_uint8(source[0]))
        np.testing.assert_array_equal(picture[34:, 34:66], made[1])
        np.testing.assert_array_equal(picture[34:, 68:], image.to_uint8(target[1]))

    def test_inputs_are_for_such_gans_and_no_others(self, tmp_path):
        with pytest.raises(ValueError, match="needs `inputs=\\(sources, targets\\)`.*Pix2Pix"):
            gan = self.make()
            gan.fit(*self.pairs(), verbose=0, callbacks=[SampleGrid(tmp_path)])
