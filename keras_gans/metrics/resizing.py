"""Two ways to resize images for a feature network. They give different Frechet distances.

References:
    - Parmar et al., 2022, "On Aliased Resizing and Surprising Subtleties in GAN Evaluation",
      arXiv:2104.11222, sections 3 and 4.
"""

import numpy as np

from keras_gans import checks, image


def resize_clean(images: np.ndarray, size: int = 299) -> np.ndarray:
    """Resizes as clean-fid does: bicubic with antialiasing, by Pillow, channel by channel.

    Floats are quantized to 256 levels first, as in a file. The result is not rounded. Values
    outside 0 to 255, which occur at sharp edges, are clipped.

    >>> float(resize_clean(np.full((1, 8, 8, 1), 7, "uint8"), size=3).max())
    7.0

    Args:
        images: `(n, height, width, channels)`, floats in [-1, 1] or `uint8`.
        size: of a side of the result.

    Returns:
        float32 of shape `(n, size, size, channels)`, from 0 to 255.

    Raises:
        ValueError: for arrays that are not images, or values outside [-1, 1].
    """
    from PIL import Image

    images = _quantised(images, size)
    resized = np.empty((len(images), size, size, images.shape[-1]), "float32")
    for source, target in zip(images, resized):
        for channel in range(source.shape[-1]):
            plane = Image.fromarray(source[..., channel].astype("float32"))  # mode "F"
            target[..., channel] = plane.resize((size, size), Image.Resampling.BICUBIC)
    return resized.clip(0.0, 255.0, out=resized)


def resize_legacy(images: np.ndarray, size: int = 299) -> np.ndarray:
    """Resizes as the FID of TensorFlow 1 did: bilinear, without antialiasing, corner to corner.

    Pixel i of the result is read at `i * old / new` of the source, from its two neighbours only. So
    the image shifts by up to half a pixel, and smaller images have aliasing.

    >>> resize_legacy(np.array([[[[0], [200]]]], "uint8"), size=4)[0, 0, :, 0].tolist()
    [0.0, 100.0, 200.0, 200.0]

    Args:
        images: `(n, height, width, channels)`, floats in [-1, 1], which are quantised to 256
            levels first, or `uint8`.
        size: of a side of the result.

    Returns:
        float32 of shape `(n, size, size, channels)`, from 0 to 255.

    Raises:
        ValueError: for arrays that are not images, or values outside [-1, 1].
    """
    import tensorflow as tf  # the operation itself

    images = _quantised(images, size)
    return tf.raw_ops.ResizeBilinear(
        images=images.astype("float32"),
        size=[size, size],
        align_corners=False,
        half_pixel_centers=False,
    ).numpy()


def _quantised(images, size):
    checks.count("size", size)
    images = np.asarray(images)
    if images.ndim != 4 or 0 in images.shape:
        raise ValueError(
            "Expected a batch of images, (n, height, width, channels), no axis of it empty. "
            f"Received: shape {images.shape}"
        )
    return images if images.dtype == np.uint8 else image.to_uint8(images)
