"""Generative adversarial networks for Keras 3 on TensorFlow.

>>> import keras_gans
>>> generator = keras_gans.networks.dcgan_generator((28, 28, 1), latent_dim=64)
>>> discriminator = keras_gans.networks.dcgan_discriminator((28, 28, 1))
>>> gan = keras_gans.DCGAN(generator, discriminator)
>>> gan.compile()
>>> gan.generate(4, seed=0).shape
(4, 28, 28, 1)
"""

import importlib
import sys
from pathlib import Path

from keras_gans import rooms
from keras_gans._version import __version__

_MODELS: tuple[str, ...] = ("ACGAN", "DCGAN", "EBGAN", "GAN", "WGAN", "WGANGP", "AdversarialModel")
_MODELS += ("ConditionalGAN", "CycleGAN", "InfoGAN", "Pix2Pix", "SemiSupervisedGAN", "SRGAN")
_MODELS += ("AAE", "ALI", "AgeCGAN", "BiGAN", "CategoricalAAE", "CoGAN", "LAPGAN")
_MODELS += ("SemiSupervisedAAE", "SimGAN", "StyleGAN2", "TextToImageGAN", "UnrolledGAN", "VAEGAN")
_ROOMS: tuple[str, ...] = (
    "callbacks",
    "data",
    "image",
    "latent",
    "layers",
    "losses",
    "metrics",
    "models",
    "music",
)
_ROOMS += ("networks", "optimizers", "penalties", "perceptual", "schedules", "export", "zoo")

__all__ = ["__version__", *_MODELS, *_ROOMS]


def __getattr__(name):
    """Imports a public name when it is first asked for (PEP 562)."""
    if name in _ROOMS:
        return importlib.import_module(f"keras_gans.{name}")
    if name in _MODELS:
        home = "keras_gans.adversarial" if name == "AdversarialModel" else "keras_gans.models"
        return getattr(importlib.import_module(home), name)
    raise AttributeError(f"module 'keras_gans' has no attribute {name!r}")


rooms.open_by(__getattr__)  # for `from_preset`


def __dir__():
    return sorted(__all__)


# `keras.models.load_model` finds our classes only once they are registered, so an import
# registers them all. The command line alone asks for names as it needs them: `keras-gans --help`
# answers before TensorFlow has loaded.
if Path(sys.argv[0]).stem != "keras-gans":
    from keras_gans import layers, models, optimizers, schedules  # noqa: F401
