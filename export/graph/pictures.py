"""Encoded images to floats and back, inside a TensorFlow graph.

Pillow is not there when TF Serving runs a model, and TensorFlow's decoders read only part of what
is in use: here they are held to what Pillow makes of a file, or the file is refused. What a file's
first bytes say is checked before it is decoded: a few kilobytes may unpack to
gigabytes.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from keras_gans import image
from keras_gans.export.graph import bmp, gif
from keras_gans.export.graph.encoded import first_bytes, number, on_white, require

# Pillow's weights of red, green and blue in grey, of 2**16.
_GREY = (19595, 38470, 7471)
# How a file of each kind begins.
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM")
# Each scan of a progressive JPEG goes over all pixels, and takes 16 bytes. Encoders write about 10.
_MAX_SCANS = 100


def size(encoded: tf.Tensor, max_pixels: int) -> tf.Tensor:
    """Returns height and width of an encoded image, read from its header.

    Args:
        encoded: string tensor, a scalar.
        max_pixels: the largest height times width. More is an error, as is what is no image.

    Returns:
        int64 tensor `(2,)`.
    """
    sides = _of_its_kind(encoded, [_jpeg_size, _png_size, gif.size, bmp.size])
    # The sides first: their product may be too large for 64 bits.
    most, says = tf.constant(max_pixels, "int64"), "The image has too many pixels."
    checks = [
        tf.debugging.assert_positive(sides, "The image has no pixels"),
        tf.debugging.assert_less_equal(sides, most, says),
        tf.debugging.assert_less_equal(tf.reduce_prod(sides), most, says),
    ]
    with tf.control_dependencies(checks):
        return tf.identity(sides)


def decode(encoded: tf.Tensor, channels: int) -> tf.Tensor:
    """Returns the pixels of a JPEG, PNG, GIF (the first frame) or BMP image.

    What is transparent becomes white, colours become grey if one channel is asked for and grey
    becomes three equal channels, as in `keras-gans translate`. The orientation that a camera noted
    is not looked at.

    Args:
        encoded: string tensor, a scalar. Ask its `size` first: nothing is bounded here.
        channels: 1 or 3.

    Returns:
        uint8 tensor `(height, width, channels)`.
    """
    colours = _of_its_kind(encoded, [_decode_jpeg, _decode_png, gif.decode, bmp.decode])
    colours.set_shape((None, None, 3))
    if channels == 3:
        return colours
    grey = tf.reduce_sum(tf.cast(colours, "int32") * _GREY, -1, keepdims=True)
    return tf.cast((grey + 2**15) // 2**16, "uint8")


def resize(pixels: tf.Tensor, size: Any) -> tf.Tensor:
    """Returns uint8 pixels at another `(height, width)`; bicubic, antialiased.

    Of that size already, they stay as they are.
    """
    resized = tf.image.resize(tf.cast(pixels, "float32"), size, "bicubic", antialias=True)
    return tf.cast(tf.round(tf.clip_by_value(resized, 0.0, 255.0)), "uint8")


def from_uint8(pixels: tf.Tensor) -> tf.Tensor:
    """As `image.from_uint8`, to the last bit: a division may be rewritten as a product."""
    levels = tf.constant(image.from_uint8(np.arange(256, dtype="uint8")))
    return tf.gather(levels, tf.cast(pixels, "int32"))


def to_uint8(images: tf.Tensor) -> tf.Tensor:
    """As `image.to_uint8`, but what leaves [-1, 1] is clipped: a server cannot ask back."""
    return tf.cast(tf.round((tf.clip_by_value(images, -1.0, 1.0) + 1.0) * 127.5), "uint8")


def _of_its_kind(encoded, functions):
    """What the function for JPEG, PNG, GIF or BMP makes of an image, whichever it is."""
    starts = [tf.equal(tf.strings.substr(encoded, 0, len(magic)), magic) for magic in _MAGIC]
    known = require(tf.reduce_any(starts), "Expected the bytes of a JPEG, PNG, GIF or BMP image.")
    with tf.control_dependencies([known]):
        kind = tf.argmax(tf.cast(starts, "int32"), output_type="int32")
    return tf.switch_case(kind, [lambda f=f: f(encoded) for f in functions])


# ---- JPEG


def _jpeg_size(encoded):
    shape = tf.image.extract_jpeg_shape(encoded, "int64")
    # How a scan begins: its length, and how many components it has, are two bytes apart.
    data = tf.pad(tf.io.decode_raw(encoded, tf.uint8), [[0, 4]])
    parts = [data[k : tf.size(data) - 4 + k] for k in range(5)]
    starts = tf.equal(parts[0], 0xFF) & tf.equal(parts[1], 0xDA) & tf.equal(parts[2], 0)
    starts &= tf.equal(parts[3], 2 * parts[4] + 6)
    scans = tf.reduce_sum(tf.cast(starts, "int32"))
    # Whether ink is counted from 0 or from 255 is said by Adobe's marker alone.
    said = tf.strings.regex_full_match(encoded, r"\C*Adobe\C*")
    checks = [
        require(scans <= _MAX_SCANS, f"The JPEG has more than {_MAX_SCANS} scans."),
        require(
            said | tf.not_equal(shape[2], 4),
            "The JPEG has CMYK colours without Adobe's marker: they can be read in two ways. Save "
            "it as RGB.",
        ),
    ]
    with tf.control_dependencies(checks):
        return shape[:2]


def _decode_jpeg(encoded):
    # As Pillow's decoder does it, to the last bit.
    return tf.io.decode_jpeg(encoded, 3, dct_method="INTEGER_ACCURATE")


# ---- PNG


def _png_size(encoded):
    # Signature, length and name of the first chunk, then width and height.
    head = first_bytes(encoded, 24)
    return tf.stack([number(head[20:24][::-1]), number(head[16:20][::-1])])


def _decode_png(encoded):
    depth, kind = tf.unstack(first_bytes(encoded, 26)[24:])

    def deep():
        # Pillow takes the upper half of 16 bits; this library rounds where all is grey.
        pixels = tf.cast(tf.io.decode_png(encoded, 4, tf.uint16), "int32")
        return tf.where(tf.equal(kind, 0), (pixels + 128) // 257, pixels // 256)

    def palette():
        # Of its own accord it makes four channels where some colours are transparent, or three.
        pixels = tf.cast(tf.io.decode_png(encoded, 0), "int32")
        return tf.pad(pixels, [[0, 0], [0, 0], [0, 1]], constant_values=255)[..., :4]

    def plain():
        # Below 8 bits, what it fills in as opaque is 1, 3 or 15.
        pixels = tf.cast(tf.io.decode_png(encoded, 4), "int32")
        opaque = 2 ** tf.cast(depth, "int32") - 1
        alpha = tf.where(tf.equal(pixels[..., 3:], opaque), 255, pixels[..., 3:])
        return tf.concat([pixels[..., :3], alpha], -1)

    shallow = lambda: tf.cond(tf.equal(kind, 3), palette, plain)  # noqa: E731
    colours, alpha = tf.split(tf.cond(tf.equal(depth, 16), deep, shallow), [3, 1], -1)
    return on_white(colours, alpha)
