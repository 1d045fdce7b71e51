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
    failed, tried = doctest.testmod(module, extraglobs=globs, optionflags=flags)
    assert not failed
    assert tried == prompts(modules()[name])


def prompts(source):
    """How many examples a file shows: one that the search misses is an example that never runs.

    Not those that say they are not run: `+SKIP`, for a training of minutes, and comments.
    """
    lines = [line.lstrip() for line in source.splitlines()]
    shown = [x for x in lines if x.startswith(">>> ") and not x.startswith(">>> #")]
    return sum("+SKIP" not in line for line in shown)


def test_a_wrong_example_fails():
    source = '"""Wrong.\n\n>>> keras_gans.latent.lerp([0.0], [2.0], [0.5]).tolist()\n[[2.0]]\n"""'
    examples = doctest.DocTestParser().get_doctest(source, names_in_examples(), "wrong", None, 0)
    said = []
    assert doctest.DocTestRunner().run(examples, out=said.append).failed == 1
    assert "[[1.0]]" in "".join(said)
