"""The brightness of colour images, as the metrics of the papers take it."""

import numpy as np
from numpy.typing import ArrayLike

from keras_gans.metrics.similarity import require_images

# Of ITU-R BT.601, for RGB from 0 to 1: luma from 16 to 235 of 255, as in MATLAB's `rgb2ycbcr`.
_LUMA = np.array([65.481, 128.553, 24.966])
_OFFSET = 16.0


def luma(images: ArrayLike) -> np.ndarray:
    """Returns the Y of YCbCr as images in [-1, 1], by the formula of MATLAB's `rgb2ycbcr`.

    >>> luma(np.ones((1, 1, 1, 3))).item() * 127.5 + 127.5
    235.0

    Args:
        images: floats in [-1, 1], `(batch, height, width, 3)`; grey ones, with 1 channel, are
            taken as RGB of equal values.

    Returns:
        Float64 `(batch, height, width, 1)`.

    Raises:
        ValueError: for other images.
    """
    images = require_images(images, "images")
    if images.shape[-1] not in (1, 3):
        raise ValueError(
            "Luma is of RGB images, or grey ones. Expected 1 or 3 channels. "
            f"Received: shape {images.shape}"
        )
    weights = _LUMA if images.shape[-1] == 3 else _LUMA.sum(keepdims=True)
    y = (images + 1.0) / 2.0 @ weights + _OFFSET
    return y[..., None] / 127.5 - 1.0
