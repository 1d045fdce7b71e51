"""Packages that only some formats need, imported when they are used."""

import importlib
from types import ModuleType


def onnx_package(name: str) -> ModuleType:
    """Imports one of the packages that ONNX needs, or says how to get it.

    Args:
        name: `"onnx"`, `"tf2onnx"` or `"onnxruntime"`.

    Raises:
        ImportError: if it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            "ONNX needs the packages onnx, tf2onnx and onnxruntime. Install them with "
            f"`pip install 'keras-gans[onnx]'`. Received: {error}"
        ) from error
