"""The data sets that the library knows by name: one source a file, and a registry of them.

>>> from keras_gans.data import sources
>>> sources.get("digits").splits
('train',)

To add one: a file with a `Source`, and its registration here. Sets of TensorFlow Datasets
(`tfds_sets`) and folders (`folder`, `paired_folder`) need no registration.
"""

from keras_gans.data.sources import (
    chorales,
    digits,
    earth,
    emoji_styles,
    fashion_mnist,
    font_digits,
    stacked_digits,
    synthetic,
)
from keras_gans.data.sources.faces import sets as faces
from keras_gans.data.sources.registry import (
    Request,
    Source,
    class_names_of,
    get,
    licence_of,
    names,
    register,
)

__all__ = ["Request", "Source", "class_names_of", "get", "licence_of", "names", "register"]

for _source in (
    digits.SOURCE,
    fashion_mnist.SOURCE,
    stacked_digits.SOURCE,
    font_digits.SOURCE,
    emoji_styles.SOURCE,
    chorales.SOURCE,
    synthetic.NORMAL,
    synthetic.RING,
    synthetic.GRID,
    earth.EARTH,
    earth.DAY_NIGHT,
    emoji_styles.PAIRS,
    faces.AVATARS,
    faces.PIXEL_FACES,
    faces.PAIRS,
):
    register(_source)
