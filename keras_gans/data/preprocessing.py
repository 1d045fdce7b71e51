"""What is done to each image in `tf.data`: ranges, channels, resizing and random crops.

`keras_gans.image` has the same for NumPy and Pillow; tests hold one to the other.

References:
    - Isola et al., 2017, "Image-to-Image Translation with Conditional Adversarial Networks",
      section 6.2 (random jitter and mirroring), arXiv:1611.07004.
"""

import tensorflow as tf

# Section 6.2 of Isola et al.: images of 256 pixels are cropped from 286.
_JITTER = 286 / 256


def to_float(images: tf.Tensor, *labels: tf.Tensor) -> tf.Tensor | tuple[tf.Tensor, ...]:
    """Scales `uint8` images to floats in [-1, 1]; anything else stays as it is."""
    if images.dtype == tf.uint8:
        images = tf.cast(images, tf.float32) / 127.5 - 1.0
    return (images, *labels) if labels else images


def to_8_bits(image: tf.Tensor) -> tf.Tensor:
    """Scales a `uint16` image to `uint8`; one of `uint8` stays as it is."""
    if image.dtype != tf.uint16:
        return image
    return tf.cast(tf.round(tf.cast(image, tf.float32) / 257.0), tf.uint8)


def with_channels(image: tf.Tensor, channels: int | None) -> tf.Tensor:
    """An image in grey (1) or RGB (3); None keeps what it has."""
    if channels is None or image.shape[-1] == channels:
        return image
    if image.shape[-1] == 4:  # composed on white
        alpha = tf.cast(image[..., 3:], tf.float32) / 255.0
        rgb = tf.cast(image[..., :3], tf.float32)
        image = tf.cast(tf.round(rgb * alpha + 255.0 * (1.0 - alpha)), tf.uint8)
    if image.shape[-1] == 3 and channels == 1:
        return tf.image.rgb_to_grayscale(image)
    return tf.repeat(image, channels, axis=-1) if image.shape[-1] == 1 else image


def resized(image: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """A `uint8` image at another `(height, width)`: bicubic, antialiased."""
    image = tf.image.resize(tf.cast(image, tf.float32), size, "bicubic", antialias=True)
    # Bicubic overshoots at edges.
    return tf.cast(tf.round(tf.clip_by_value(image, 0.0, 255.0)), tf.uint8)


def covering(image: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """A `uint8` image, resized until it covers `(height, width)` and cropped about the centre."""
    have = tf.cast(tf.shape(image)[:2], tf.float32)
    scale = tf.reduce_max(tf.constant(size, tf.float32) / have)
    target = tf.maximum(tf.cast(tf.round(have * scale), tf.int32), size)
    top, left = (target[0] - size[0]) // 2, (target[1] - size[1]) // 2
    return resized(image, target)[top : top + size[0], left : left + size[1]]


def central(image: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """A `uint8` image, cropped to `(height, width)` about the centre."""
    top, left = tf.unstack((tf.shape(image)[:2] - size) // 2)
    return tf.ensure_shape(image[top : top + size[0], left : left + size[1]], (*size, None))


def reduced(images: tf.Tensor, scale: int) -> tf.Tensor:
    """One `uint8` image, or a batch, `scale` times smaller: the low resolution of the papers.

    Bicubic (Keys' with -0.5) and antialiased, as MATLAB's `imresize`, by which papers on
    super-resolution make their pairs, but for how edges are continued.
    """
    height, width = images.shape[-3:-1]
    return resized(images, (height // scale, width // scale))


def stored_size(size: tuple[int, int], augment: bool) -> tuple[int, int]:
    """The `(height, width)` from which `jitter` cuts `size`; without augmentation, `size`."""
    return tuple(round(n * _JITTER) for n in size) if augment else size


def jitter(
    images: tuple[tf.Tensor, ...], size: tuple[int, int], seeds: tf.Tensor
) -> tuple[tf.Tensor, ...]:
    """One random crop and flip of all images of an example.

    Args:
        images: `uint8` images of one shape.
        size: Height and width of the crop.
        seeds: Two integers, on which the crop and the flip depend and on nothing else.

    Returns:
        Tuple of as many images.
    """
    joined = tf.concat(images, axis=-1)
    draws = tf.random.stateless_uniform([3], seeds, alg="philox")
    room = tf.cast(tf.shape(joined)[:2] - size + 1, tf.float32)
    top, left = tf.unstack(tf.cast(draws[:2] * room, tf.int32))
    joined = joined[top : top + size[0], left : left + size[1]]
    joined = tf.cond(draws[2] < 0.5, lambda: tf.reverse(joined, [1]), lambda: joined)
    joined = tf.ensure_shape(joined, (*size, images[0].shape[-1] * len(images)))
    return tuple(tf.split(joined, len(images), axis=-1))
