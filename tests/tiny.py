"""Small things to train on: images, pairs, and a recipe with every part of a run in it."""

import contextlib
import functools
from pathlib import Path
from unittest import mock

import numpy as np
import tensorflow as tf
from PIL import Image

from keras_gans import adversarial

RECIPE = {
    "description": "<digits> & more",
    "epochs": 2,
    "data": {"name": "digits", "batch_size": 16, "num_examples": 64, "image_size": 16},
    "networks": {
        "generator": {"type": "dcgan_generator", "image_shape": [16, 16, 1], "width": 4},
        "discriminator": {"type": "dcgan_discriminator", "image_shape": [16, 16, 1], "width": 4},
    },
    "model": {"type": "DCGAN", "ema_decay": 0.9},
    "samples": 4,
}


def recipe(data_dir):
    """The recipe, with its data prepared in a folder that goes with the test."""
    return {**RECIPE, "data": {**RECIPE["data"], "data_dir": str(data_dir)}}


SHAPE = (16, 16, 1)


def images(number, size=8, seed=0):
    """So many batches of noise that could be images."""
    rng = np.random.default_rng(seed)
    return np.tanh(rng.normal(size=(number, size, *SHAPE))).astype("float32")


def pairs(number, size=8, seed=0):
    """Batches of images, and of labels of three classes."""
    labels = np.random.default_rng(seed).integers(3, size=(number, size), dtype="int32")
    return images(number, size, seed), labels


def folder_of_pairs(path, number, size=32):
    """Pairs side by side in `train` and `val`: grey blocks, and the same in red with noise."""
    rng = np.random.default_rng(0)
    for split in ("train", "val"):
        (path / split).mkdir(parents=True)
        for name in range(number):
            grey = rng.integers(40, 200, (8, 8, 1)).repeat(size // 8, 0).repeat(size // 8, 1)
            red = grey * [1, 0.5, 0.5] + rng.integers(0, 40, (size, size, 1))
            both = np.concatenate([grey.repeat(3, 2), red], axis=1).astype("uint8")
            Image.fromarray(both).save(path / split / f"{name}.png")
    return path


def cyclegan_recipe(path):
    """A CycleGAN on `folder_of_pairs(path / "pairs")`, 32x32."""
    shape = [32, 32, 3]
    generator = {"type": "resnet_generator", "image_shape": shape, "width": 2, "blocks": 1}
    discriminator = {
        "type": "patch_discriminator",
        "image_shape": shape,
        "receptive_field": 16,
        "width": 2,
    }
    return {
        "epochs": 1,
        "samples": 2,
        "data": {
            "type": "load_pairs",
            "name": str(folder_of_pairs(path / "pairs", number=3)),
            "image_size": 32,
            "batch_size": 2,
            "data_dir": str(path / "prepared"),
        },
        "networks": {
            "generator": generator,
            "backward_generator": generator,
            "discriminator": discriminator,
            "backward_discriminator": discriminator,
        },
        "model": {"type": "CycleGAN", "ema_decay": 0.9},
    }


@contextlib.contextmanager
def without_graphs():
    """GANs are compiled to run eagerly: a graph takes longer to trace than a few steps take.

    That each GAN trains as a graph, too, stands in the contract. Several replicas need a graph.
    """
    compile = adversarial.AdversarialModel.compile

    @functools.wraps(compile)
    def eagerly(self, *args, **options):
        if not options.get("jit_compile") and not tf.distribute.has_strategy():
            options.setdefault("run_eagerly", True)
        return compile(self, *args, **options)

    with mock.patch.object(adversarial.AdversarialModel, "compile", eagerly):
        yield


def full_disk(trackable, folder, *args, **kwargs):
    """Stands in for `tf.saved_model.save` where no space is left."""
    Path(folder).mkdir()
    raise OSError(28, "No space left on device")
