"""Do the two images of a pair show the same (Liu 2016, CoGAN, section 4)?"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from keras_gans import checks


def pixel_agreement(first: ArrayLike, second: ArrayLike, threshold: float = 0.0) -> float:
    """Returns the share of pixels that are bright in both images of a pair, or dark in both.

    Liu 2016 (section 4) measures pairs of a CoGAN so: the image of the first domain is transformed
    as the training images of the second domain were, and compared with the image made there. What
    counts as one value is not said there; here it is one side of mid-grey.

    Pairs of which most pixels are background agree in most of them by chance: compare with pairs
    that were shuffled.

    >>> import numpy as np
    >>> black, white = -np.ones((1, 2, 2, 1)), np.ones((1, 2, 2, 1))
    >>> pixel_agreement(black, black), pixel_agreement(black, white)
    (1.0, 0.0)

    Args:
        first: images `(number, height, width, channels)`, floats in [-1, 1].
        second: as many images of the same shape.
        threshold: what is above is bright.

    Raises:
        ValueError: for images of different shapes, or none.
    """
    first, second = checks.floats("first", first), checks.floats("second", second)
    if first.shape != second.shape or first.ndim != 4 or not len(first):
        raise ValueError(
            "Pixels are compared in pairs of images. Expected two batches of one shape, (number, "
            f"height, width, channels). Received: shapes {first.shape} and {second.shape}"
        )
    return float(np.mean((first > threshold) == (second > threshold)))


def attribute_agreement(
    first: Mapping[str, ArrayLike], second: Mapping[str, ArrayLike]
) -> dict[str, float]:
    """Returns the share of pairs with the same value of each attribute, by name.

    >>> attribute_agreement({"hair": [0, 1, 2, 2]}, {"hair": [0, 1, 2, 0]})
    {'hair': 0.75}

    Args:
        first: names of attributes to the values in the first images of pairs, `(number,)`, such as
            the `values` of a `Reading`.
        second: the same of the second images.

    Raises:
        ValueError: for other attributes, or another number of values, than of the first images.
    """
    shares = {}
    for name in first:
        pair = [np.asarray(side.get(name)) for side in (first, second)]
        if set(first) != set(second) or pair[0].shape != pair[1].shape or not pair[0].size:
            raise ValueError(
                "Attributes are compared in pairs of images. Expected the same attributes of both, "
                f"with a value for each image. Received: {list(first)} and {list(second)}, of "
                f"{name!r} shapes {pair[0].shape} and {pair[1].shape}"
            )
        shares[name] = float(np.mean(pair[0] == pair[1]))
    return shares
