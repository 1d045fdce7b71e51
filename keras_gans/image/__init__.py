"""Images at the edges of the library: floats inside, `uint8` and files outside.

Inside, images are floats in [-1, 1] of shape `(batch, height, width, channels)`. This package is
the one place where that range meets 0 to 255, and where an image meets a file.

>>> import numpy as np
>>> from keras_gans import image
>>> images = np.zeros((6, 28, 28, 1), "float32")
>>> image.grid(images).shape
(58, 88, 1)

`range` converts ranges and dtypes, `pixels` resizes and composes `uint8` images, `grids` lays
images out as one, `captions` writes a text below each, `files` reads and writes one file,
`animations` writes many frames as one file.
"""

from keras_gans.image.animations import ANIMATIONS, animate
from keras_gans.image.captions import captioned
from keras_gans.image.files import UnreadableImageError, decode, read, save
from keras_gans.image.grids import enlarge, grid, side_by_side, visible_scale
from keras_gans.image.pixels import fit, on_white, resize
from keras_gans.image.range import from_uint8, to_uint8

__all__ = [
    "ANIMATIONS",
    "UnreadableImageError",
    "animate",
    "captioned",
    "decode",
    "enlarge",
    "fit",
    "from_uint8",
    "grid",
    "on_white",
    "read",
    "resize",
    "save",
    "side_by_side",
    "to_uint8",
    "visible_scale",
]
