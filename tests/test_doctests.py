"""The examples in the docstrings, run under the names that users import."""

import doctest
import importlib

import keras
import numpy as np
import pytest

import keras_gans
from test_floors import modules


def names_in_examples(gan=None):
    return {"keras_gans": keras_gans, "keras": keras, "np": np, "gan": gan}


def small_gan(name):
    """`gan` in an example is a trained one: of images, or of points for the callbacks."""
    shape = (1,) if name.startswith("keras_gans.callbacks") else (28, 28, 1)
    gan = keras_gans.GAN(
        keras_gans.networks.mlp_generator(shape, latent_dim=4, width=8),
        keras_gans.networks.mlp_discriminator(shape, width=8),
    )
    gan.compile()
    return gan


@pytest.mark.parametrize("name", sorted(modules()))
def test_examples(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    needs_gan = ">>>" in (module.__doc__ or "") or any(
        "gan." in (test.docstring or "") for test in doctest.DocTestFinder().find(module)
    )
    globs = {**vars(module), **names_in_examples(small_gan(name) if needs_gan else None)}
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    failed, _ = doctest.testmod(module, extraglobs=globs, optionflags=flags)
    assert not failed
