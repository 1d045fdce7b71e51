"""Networks that other programs trained: a module for each family, and one for each file format.

No reader runs anything that a file says. A file that is not exactly what its reader knows is
refused, with what is wrong about it.
"""

import importlib

__all__ = ["ncnn", "pix2pix_cyclegan", "real_esrgan"]


def __getattr__(name):
    """Imports a converter when it is first asked for (PEP 562)."""
    if name in __all__:
        return importlib.import_module(f"keras_gans.zoo.converters.{name}")
    raise AttributeError(f"module 'keras_gans.zoo.converters' has no attribute {name!r}")
