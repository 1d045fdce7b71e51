"""Trained generators for TF Serving and phones, each compared with Keras."""

if __name__ != "keras_gans.export":
    raise ImportError(
        "The folder `export` is the source of the package `keras_gans.export`, and works under "
        f"that name only. Use `import keras_gans.export`. Received: import {__name__}"
    )

from keras_gans.export.checking import Report, check
from keras_gans.export.saved_model import saved_model
from keras_gans.export.tflite import tflite

__all__ = ["Report", "check", "saved_model", "tflite"]
