"""Encoded images to floats and back, inside a TensorFlow graph.

Pillow is not there when TF Serving runs a model. What can be told from a file's first bytes is
told before it is decoded: a few kilobytes may unpack to gigabytes.
"""

import numpy as np
import tensorflow as tf

from keras_gans import image

# Pillow's weights of red, green and blue in grey, of 2**16.
_GREY = (19595, 38470, 7471)
# How a file of each kind begins.
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM")


def decode(encoded, channels, max_pixels):
    """Pixels of a JPEG, PNG, GIF (the first frame) or BMP image.

    What is transparent becomes white, colours become grey if one channel is asked for and grey
    becomes three equal channels, as in `keras-gans translate`. The orientation that a camera noted
    is not looked at.

    Args:
        encoded: string tensor, a scalar.
        channels: 1 or 3.
        max_pixels: the largest height times width. More is an error before anything is unpacked.

    Returns:
        uint8 tensor `(height, width, channels)`.
    """
    starts = [tf.equal(tf.strings.substr(encoded, 0, len(magic)), magic) for magic in _MAGIC]
    known = tf.reduce_any(starts)
    with tf.control_dependencies(
        [tf.debugging.Assert(known, ["Expected the bytes of a JPEG, PNG, GIF or BMP image."])]
    ):
        kind = tf.argmax(tf.cast(starts, "int32"), output_type="int32")
        encoded = tf.identity(encoded)
    sizes = [_jpeg_size, _png_size, _gif_size, _bmp_size]
    encoded, size = tf.switch_case(kind, [_bind(size, encoded) for size in sizes])
    area = tf.reduce_prod(size)
    checks = [
        tf.debugging.assert_positive(size, "The image has no pixels"),
        tf.debugging.assert_less_equal(
            area, tf.constant(max_pixels, "int64"), "The image has too many pixels."
        ),
    ]
    with tf.control_dependencies(checks):
        encoded = tf.identity(encoded)
    decoders = [_decode_jpeg, _decode_png, _decode_gif, _decode_bmp]
    colours = tf.switch_case(kind, [_bind(decoder, encoded) for decoder in decoders])
    colours.set_shape((None, None, 3))
    if channels == 3:
        return colours
    grey = tf.reduce_sum(tf.cast(colours, "int32") * _GREY, -1, keepdims=True)
    return tf.cast((grey + 2**15) // 2**16, "uint8")


def resize(pixels, size):
    """uint8 pixels at another `(height, width)`; bicubic, antialiased. Of that size already, as
    they are."""
    resized = tf.image.resize(tf.cast(pixels, "float32"), size, "bicubic", antialias=True)
    return tf.cast(tf.round(tf.clip_by_value(resized, 0.0, 255.0)), "uint8")


def from_uint8(pixels):
    """As `image.from_uint8`, to the last bit: a division may be rewritten as a product."""
    levels = tf.constant(image.from_uint8(np.arange(256, dtype="uint8")))
    return tf.gather(levels, tf.cast(pixels, "int32"))


def to_uint8(images):
    """As `image.to_uint8`, but what leaves [-1, 1] is clipped: a server cannot ask back."""
    return tf.cast(tf.round((tf.clip_by_value(images, -1.0, 1.0) + 1.0) * 127.5), "uint8")


def _bind(function, encoded):
    return lambda: function(encoded)


# ---- sizes: the bytes, perhaps fewer of them, and (height, width) as int64


def _jpeg_size(encoded):
    return encoded, tf.image.extract_jpeg_shape(encoded, "int64")[:2]


def _png_size(encoded):
    # Signature, length and name of the first chunk, then width and height.
    head = _bytes(encoded, 24)
    return encoded, tf.stack([_number(head[20:24][::-1]), _number(head[16:20][::-1])])


def _gif_size(encoded):
    # All frames would be unpacked: cut behind the first. A header, a table of colours, extensions
    # that are chains of blocks, then the frame, with a table of its own and a chain of blocks.
    data = tf.cast(tf.io.decode_raw(encoded, tf.uint8), "int32")
    end = tf.size(data)
    data = tf.pad(data, [[0, 16]])  # a chain that is cut short ends there

    def at(place):
        return data[tf.minimum(place, end + 15)]

    def behind_table(place, flags):
        return place + tf.where(flags >= 128, 3 * 2 ** (1 + flags % 8), 0)

    def behind_chain(place):
        walk = tf.while_loop(lambda p: at(p) > 0, lambda p: (p + at(p) + 1,), (place,))
        return walk[0] + 1

    place = behind_table(13, at(10))
    (place,) = tf.while_loop(
        lambda p: tf.equal(at(p), 0x21), lambda p: (behind_chain(p + 2),), (place,)
    )
    checked = tf.debugging.assert_equal(at(place), 0x2C, "The GIF has no frame.")
    with tf.control_dependencies([checked]):
        place = tf.minimum(place, end)
    size = [_number(data[p : p + 2]) for p in (place + 7, place + 5)]
    behind = behind_chain(behind_table(place + 10, at(place + 9)) + 1)
    return tf.strings.substr(encoded, 0, behind) + b"\x3b", tf.stack(size)


def _bmp_size(encoded):
    head = _bytes(encoded, 26)
    # A negative height says that rows come from the top.
    height = tf.cast(tf.bitcast(tf.cast(_number(head[22:26]), "uint32"), "int32"), "int64")
    return encoded, tf.stack([tf.abs(height), _number(head[18:22])])


def _bytes(encoded, number):
    return tf.io.decode_raw(encoded, tf.uint8, fixed_length=number)


def _number(little_endian):
    digits = tf.cast(little_endian, "int64")
    return tf.reduce_sum(digits * 256 ** tf.range(tf.size(digits, tf.int64)))


# ---- uint8 (height, width, 3)


def _decode_jpeg(encoded):
    return tf.io.decode_jpeg(encoded, 3)


def _decode_png(encoded):
    colours, alpha = tf.split(tf.cast(tf.io.decode_png(encoded, 4), "int32"), [3, 1], -1)
    return tf.cast((colours * alpha + 255 * (255 - alpha) + 127) // 255, "uint8")


def _decode_gif(encoded):
    return tf.io.decode_gif(encoded)[0]


def _decode_bmp(encoded):
    pixels = tf.io.decode_bmp(encoded)  # 1, 3 or 4 channels, as in the file
    grey = tf.equal(tf.shape(pixels)[2], 1)
    return tf.cond(grey, lambda: tf.repeat(pixels, 3, 2), lambda: pixels[..., :3])
