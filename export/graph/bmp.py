"""BMP images inside a TensorFlow graph.

Nothing here is TensorFlow's own reading, which takes every file for one of 24 or 32 bits a pixel,
or of 256 greys.
"""

import dataclasses

import tensorflow as tf

from keras_gans.export.graph.encoded import (
    color_table,
    first_bytes,
    number,
    on_white,
    require,
)

_HEADERS = (12, 40, 52, 56, 64, 108, 124)


@dataclasses.dataclass(frozen=True)
class _Header:
    """What the first bytes of a file say, as int64 scalars.

    Attributes:
        head: the first 70 bytes.
        size: of the header behind that of the file. That of OS/2 has 12 bytes.
        height, width: in pixels.
        from_top: whether the first row is the highest.
        bits: of a pixel.
        compression: 0 for none, 3 for none with masks.
        start: of the pixels, in bytes.
    """

    head: tf.Tensor
    size: tf.Tensor
    height: tf.Tensor
    width: tf.Tensor
    from_top: tf.Tensor
    bits: tf.Tensor
    compression: tf.Tensor
    start: tf.Tensor

    @classmethod
    def of(cls, encoded):
        head = first_bytes(encoded, 70)
        size, small = number(head[14:18]), tf.equal(number(head[14:18]), 12)
        width = tf.where(small, number(head[18:20]), number(head[18:22]))
        height = tf.where(small, number(head[20:22]), number(head[22:26]))
        from_top = height >= 2**31  # as 32 bits have a negative number
        height = tf.where(from_top, 2**32 - height, height)
        bits = tf.where(small, number(head[24:26]), number(head[28:30]))
        compression = tf.where(small, tf.constant(0, "int64"), number(head[30:34]))
        return cls(head, size, height, width, from_top, bits, compression, number(head[10:14]))


def size(encoded: tf.Tensor) -> tf.Tensor:
    """Returns height and width; what `decode` cannot read is refused."""
    header = _Header.of(encoded)
    plain = tf.equal(header.compression, 0) & _among(header.bits, (1, 4, 8, 16, 24, 32))
    masked = tf.equal(header.compression, 3) & _among(header.bits, (16, 24, 32))
    checks = [
        require(_among(header.size, _HEADERS), "The BMP has an unknown header. Save it as PNG."),
        require(
            plain | masked,
            "The BMP is compressed, or has other than 1, 4, 8, 16, 24 or 32 bits a pixel. Save it "
            "as PNG.",
        ),
    ]
    with tf.control_dependencies(checks):
        return tf.stack([header.height, header.width])


def decode(encoded: tf.Tensor) -> tf.Tensor:
    """uint8 pixels `(height, width, 3)`."""
    header = _Header.of(encoded)
    stride = (header.width * header.bits + 31) // 32 * 4
    wanted, length = stride * header.height, tf.cast(tf.strings.length(encoded), "int64")
    whole = header.start + wanted <= length
    with tf.control_dependencies([require(whole, "The BMP ends before its last pixel.")]):
        body = tf.strings.substr(encoded, header.start, wanted)
    rows = tf.reshape(tf.io.decode_raw(body, tf.uint8), tf.stack([header.height, stride]))
    rows = tf.cond(header.from_top, lambda: rows, lambda: rows[::-1])
    return tf.cond(
        header.bits <= 8,
        lambda: _from_table(encoded, header, rows),
        lambda: _from_masks(header, rows),
    )


def _among(value, known):
    return tf.reduce_any(tf.equal(value, tf.constant(known, "int64")))


def _from_table(encoded, header, rows):
    bits = tf.cast(header.bits, "int32")
    shifts = tf.range(8 // bits)[::-1] * bits
    indices = tf.bitwise.right_shift(tf.cast(rows, "int32")[..., None], shifts) % 2**bits
    indices = tf.reshape(indices, tf.stack([header.height, -1]))[:, : header.width]
    place, most, stated = 14 + header.size, 2**header.bits, number(header.head[46:50])
    stated = tf.where(tf.equal(stated, 0), most, tf.minimum(stated, most))

    def table(order, entries):
        entries = tf.minimum(entries, (header.start - place) // len(order))
        return color_table(tf.strings.substr(encoded, place, len(order) * entries), order)

    old = tf.equal(header.size, 12)
    colours = tf.cond(old, lambda: table("BGR", most), lambda: table("BGR-", stated))
    return tf.gather(colours, indices)


def _from_masks(header, rows):
    """Pixels of 16, 24 or 32 bits: which of them are red, green, blue and alpha is said by masks,
    or usual."""
    count = header.bits // 8
    digits = tf.cast(rows[:, : header.width * count], "int64")
    digits = tf.reshape(digits, tf.stack([header.height, header.width, count]))
    values = tf.reduce_sum(digits * 256 ** tf.range(count), -1)
    given = [number(header.head[place : place + 4]) for place in (54, 58, 62, 66)]
    given[3] = tf.where(header.size >= 56, given[3], 0)
    usual = tf.where(
        tf.equal(header.bits, 16),
        tf.constant([0x7C00, 0x3E0, 0x1F, 0], "int64"),
        tf.constant([0xFF0000, 0xFF00, 0xFF, 0], "int64"),
    )
    masks = tf.unstack(tf.where(tf.equal(header.compression, 3), tf.stack(given), usual))
    *colours, alpha = [_levels(values, mask) for mask in masks]
    alpha = tf.where(tf.equal(masks[3], 0), tf.constant(255, "int64"), alpha)
    return on_white(tf.stack(colours, -1), alpha[..., None])


def _levels(values, mask):
    """The bits of a mask as 0 to 255."""
    lowest = tf.maximum(tf.bitwise.bitwise_and(mask, -mask), 1)
    most = mask // lowest
    gapless = tf.equal(tf.bitwise.bitwise_and(most, most + 1), 0)
    says = "The BMP has a mask of colour with gaps. Save it as PNG."
    with tf.control_dependencies([require(gapless, says)]):
        return tf.bitwise.bitwise_and(values, mask) // lowest * 255 // tf.maximum(most, 1)
