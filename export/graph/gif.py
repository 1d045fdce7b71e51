"""The first frame of a GIF, inside a TensorFlow graph.

TensorFlow unpacks all frames, paints transparent pixels black, and does not say which they are.
So it gets a file of the first frame alone, with a table in which colour k is grey k: what it
returns are indices, and the colours are looked up here.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from keras_gans.export.graph.encoded import color_table, require

# Steps through chains of blocks: a turn of a loop in the graph each.
_MAX_STEPS = 512
# Blocks of one length that a step goes over.
_AHEAD = 1024
_GREYS = np.repeat(np.arange(256, dtype="uint8"), 3)


@dataclasses.dataclass(frozen=True)
class _Frame:
    """Where the first frame is, and how it is drawn; int32 tensors.

    Attributes:
        left, top, width, height: of the frame on the screen, in pixels.
        screen: `[height, width]`, enlarged to hold the frame.
        interlaced: whether rows come in another order.
        table: `[place, bytes]` of the table of colours, which may have none.
        pixels: `[place, bytes]` of the chain of blocks.
        clear: the transparent colour, or -1.
    """

    left: tf.Tensor
    top: tf.Tensor
    width: tf.Tensor
    height: tf.Tensor
    screen: tf.Tensor
    interlaced: tf.Tensor
    table: tf.Tensor
    pixels: tf.Tensor
    clear: tf.Tensor


def size(encoded: tf.Tensor) -> tf.Tensor:
    """Returns height and width of the screen; what `decode` cannot read is refused."""
    frame = _first_frame(encoded)
    empty = tf.equal(frame.width * frame.height, 0)
    with tf.control_dependencies([require(~empty, "The GIF has a frame that has no pixels.")]):
        return tf.cast(frame.screen, "int64")


def decode(encoded: tf.Tensor) -> tf.Tensor:
    """uint8 pixels `(height, width, 3)`."""
    frame = _first_frame(encoded)
    sides = _two_bytes(frame.width) + _two_bytes(frame.height)
    flags = tf.where(frame.interlaced, b"\x40", b"\x00")
    pixels = tf.strings.substr(encoded, *tf.unstack(frame.pixels))
    descriptor = [b"\x2c\x00\x00\x00\x00", sides, flags]
    alone = [b"GIF89a", sides, b"\xf7\x00\x00", _GREYS.tobytes(), *descriptor, pixels, b"\x3b"]
    indices = tf.cast(tf.io.decode_gif(tf.strings.join(alone))[0, :, :, 0], "int32")
    # Around the frame, as Pillow has it: transparent, or the first colour.
    below = frame.screen[0] - frame.top - frame.height
    right = frame.screen[1] - frame.left - frame.width
    around = tf.maximum(frame.clear, 0)
    indices = tf.pad(indices, [[frame.top, below], [frame.left, right]], constant_values=around)
    table = color_table(tf.strings.substr(encoded, *tf.unstack(frame.table)), "RGB")
    table = tf.where(frame.table[1] > 0, table, _GREYS.reshape(256, 3))
    clear = tf.equal(tf.range(256), frame.clear)[:, None]
    return tf.gather(tf.where(clear, tf.constant(255, "uint8"), table), indices)


def _first_frame(encoded):
    # A header, a table of colours, extensions that are chains of blocks, then the frame: a
    # descriptor, a table of its own, the size of a code, and a chain of blocks.
    data = tf.io.decode_raw(encoded, tf.uint8)
    last = tf.size(data)
    data = tf.pad(data, [[0, 1]])  # a chain that is cut short ends there

    def at(place):
        return tf.cast(tf.gather(data, tf.minimum(place, last)), "int32")

    def pair(place):
        return at(place) + 256 * at(place + 1)

    def table_bytes(flags):
        return tf.where(flags >= 128, 3 * 2 ** (1 + flags % 8), 0)

    table = tf.stack([13, table_bytes(at(10))])
    place, steps, clear = tf.while_loop(
        lambda place, steps, _: tf.equal(at(place), 0x21) & (steps < _MAX_STEPS),
        lambda *state: _behind_extension(at, *state),
        (13 + table[1], tf.constant(0), tf.constant(-1)),
    )
    own = tf.stack([place + 10, table_bytes(at(place + 9))])
    pixels = place + 10 + own[1]
    end, steps = _behind_chain(at, pixels + 1, steps)
    few, found = steps < _MAX_STEPS, tf.equal(at(place), 0x2C)
    checks = [
        require(few, "The GIF has too many blocks. Save it as PNG."),
        require(found | ~few, "The GIF has no frame."),
    ]
    with tf.control_dependencies(checks):
        left, top, width, height = (tf.identity(pair(place + k)) for k in (1, 3, 5, 7))
    return _Frame(
        *(left, top, width, height),
        screen=tf.stack([tf.maximum(pair(8), top + height), tf.maximum(pair(6), left + width)]),
        interlaced=tf.bitwise.bitwise_and(at(place + 9), 0x40) > 0,
        table=tf.where(own[1] > 0, own, table),
        pixels=tf.stack([pixels, tf.minimum(end, last) - pixels]),
        clear=clear,
    )


def _behind_extension(at, place, steps, clear):
    # That of graphic control: flags, a delay, and the transparent colour.
    marks = tf.equal(at(place + 1), 0xF9) & tf.equal(at(place + 3) % 2, 1)
    place, steps, marked = *_behind_chain(at, place + 2, steps + 1), at(place + 6)
    return place, steps, tf.where(marks, marked, clear)


def _behind_chain(at, place, steps):
    """The place behind blocks that begin with their length, and an empty one; encoders write one
    length after the other."""

    def step(place, steps):
        stride = at(place) + 1
        lengths = at(place + stride * tf.range(_AHEAD))
        alike = tf.math.cumprod(tf.cast(tf.equal(lengths, stride - 1), "int32"))
        return place + stride * tf.reduce_sum(alike), steps + 1

    inside = lambda place, steps: (at(place) > 0) & (steps < _MAX_STEPS)  # noqa: E731
    place, steps = tf.while_loop(inside, step, (place, steps))
    return place + 1, steps


def _two_bytes(value):
    """An integer as a string of two bytes, the lower first."""
    characters = tf.constant([bytes([k]) for k in range(256)])
    return tf.gather(characters, value % 256) + tf.gather(characters, value // 256)
