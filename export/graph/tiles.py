"""Images of any size through a network tile by tile, inside a TensorFlow graph."""

from collections.abc import Callable
from typing import NamedTuple

import keras
import tensorflow as tf

from keras_gans import checks
from keras_gans.interface import Image, Interface
from keras_gans.layers.pixel_unshuffle import PixelUnshuffle
from keras_gans.networks import receptive_radius

TILE = 256  # its side
_OF_A_TILE = 6  # a margin is at most this part of a tile


class Tiles(NamedTuple):
    """How an image is cut: see `in_tiles`."""

    size: int
    margin: int
    scale: int


def of(
    generator: keras.Model,
    stated: Interface,
    size: int = TILE,
    margin: int | None = None,
) -> Tiles | None:
    """Returns how images are cut for a network that enlarges them; `None` for any other.

    Only images of any size are cut, and only where each pixel of the output depends on a known
    neighbourhood: not where a network normalises over the whole image.

    Args:
        generator: a built `keras.Model`.
        stated: its interface.
        size: side of a tile.
        margin: pixels of its edges that are not used. `None` for the receptive radius of the
            network, at most a sixth of a tile.

    Raises:
        ValueError: for a margin that leaves a tile nothing of its own.
    """
    images = [port for port in stated.inputs if isinstance(port, Image)]
    scale = stated.outputs[0].scale if isinstance(stated.outputs[0], Image) else 1
    several = len(images) != 1 or len(stated.outputs) != 1
    if several or images[0].shape[:2] != (None, None) or scale <= 1 or scale != int(scale):
        return None
    if any(isinstance(layer, PixelUnshuffle) for layer in generator.layers):
        return None  # it takes sizes that are multiples, and not those of the last tile
    if margin is None:
        radius = receptive_radius(generator)
        if radius is None:
            return None
        margin = min(radius, checks.count("tile_size", size) // _OF_A_TILE)
    if 2 * checks.count("margin", margin, 0) >= checks.count("tile_size", size):
        raise ValueError(
            "A tile is larger than its two margins. Expected a `margin` of less than half of "
            f"{size}. Received: margin={margin}"
        )
    return Tiles(size, margin, int(scale))


def by_tiles(core: Callable, stated: Interface, tiles: Tiles) -> Callable:
    """Returns a generator as `signatures.function` does, which computes tile by tile."""
    place = next(i for i, port in enumerate(stated.inputs) if isinstance(port, Image))
    (name,) = [port.name for port in stated.outputs]

    def whole(*inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        def one(tile: tf.Tensor) -> tf.Tensor:
            return core(*inputs[:place], tile, *inputs[place + 1 :])[name]

        return {name: in_tiles(one, inputs[place], tiles)}

    return whole


def in_tiles(
    network: Callable[[tf.Tensor], tf.Tensor], images: tf.Tensor, tiles: Tiles
) -> tf.Tensor:
    """Returns what a network makes of images, computed tile by tile, so that memory is bounded.

    Tiles are cut and not blended: at a distance of the receptive radius from an edge of a tile the
    result is the same as of the whole image. All of them are inside of the image.

    Args:
        network: from images to images that are `scale` times larger.
        images: floats `(batch, height, width, channels)`.
        tiles: side of a tile, pixels of its edges that are not used, and the scale.
    """
    channels = images.shape[-1]

    def strip(row: tuple) -> tf.Tensor:
        return _joined(images, 2, tiles, channels, lambda column: piece(row, column))

    def piece(row: tuple, column: tuple) -> tf.Tensor:
        (top, *down), (left, *across) = row, column
        size = tiles.size
        made = network(images[:, top : top + size, left : left + size])
        (y, below), (x, right) = (
            [(end - start) * tiles.scale for end in ends]
            for start, ends in ((top, down), (left, across))
        )
        return made[:, y:below, x:right]

    return _joined(images, 1, tiles, channels, strip)


def _joined(images, axis, tiles, channels, part):
    """What is made of each place of tiles along an axis, one after another, side by side."""
    length, (size, margin, _) = tf.shape(images)[axis], tiles
    step = size - 2 * margin
    number = 1 + tf.maximum(-((size - length) // step), 0)

    def place(i):
        first, last = tf.equal(i, 0), tf.equal(i, number - 1)
        start = tf.maximum(tf.minimum(i * step, length - size), 0)
        begin = tf.where(first, 0, i * step + margin)
        return start, begin, tf.where(last, length, (i + 1) * step + margin)

    # Joined along the first axis, which alone may differ in size.
    order = [axis, *(n for n in range(4) if n != axis)]
    back = [order.index(n) for n in range(4)]

    def body(i, parts):
        return i + 1, parts.write(i, tf.transpose(part(place(i)), order))

    shape = tf.TensorShape([None, None, None, channels])
    parts = tf.TensorArray(tf.float32, number, infer_shape=False, element_shape=shape)
    _, parts = tf.while_loop(lambda i, _: i < number, body, (0, parts), parallel_iterations=1)
    return tf.transpose(parts.concat(), back)
