"""Trained generators for TF Serving, phones, browsers and ONNX, each compared with Keras."""

if __name__ != "keras_gans.export":
    raise ImportError(
        "The folder `export` is the source of the package `keras_gans.export`, and works under "
        f"that name only. Use `import keras_gans.export`. Received: import {__name__}"
    )

from keras_gans.export import gallery, serving
from keras_gans.export.checking import Report, check
from keras_gans.export.formats import write_all
from keras_gans.export.metadata import metadata
from keras_gans.export.onnx import onnx
from keras_gans.export.saved_model import saved_model
from keras_gans.export.tflite import tflite
from keras_gans.export.web import web

__all__ = [
    "Report",
    "check",
    "gallery",
    "metadata",
    "onnx",
    "saved_model",
    "serving",
    "tflite",
    "web",
    "write_all",
]
