"""Converters for networks of other programs: a module for each family, and for each file format.

`matching` assigns tensors that have names.

No reader runs code from a file. A file that is not exactly what its reader expects is refused, with
the reason.
"""

import importlib

__all__ = ["biggan", "ncnn", "pix2pix_cyclegan", "real_esrgan", "stylegan2", "upscalerjs"]


def __getattr__(name):
    """Imports a converter at the first use (PEP 562)."""
    if name in __all__:
        return importlib.import_module(f"keras_gans.zoo.converters.{name}")
    raise AttributeError(f"module 'keras_gans.zoo.converters' has no attribute {name!r}")
