"""An image of any size through an upscaler: in tiles, cut and not blended, from the top down."""

import dataclasses
import functools
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gans import checks, interface
from keras_gans.building import computing_in
from keras_gans.names import did_you_mean
from keras_gans.networks import receptive_radius
from keras_gans.zoo.inference.pictures import Picture, filled
from keras_gans.zoo.inference.tiles import cuts

# The blur of colour differences, two boxes of so many pixels, and what it looks at beside them.
_BOX = 9
_COLOR_MARGIN = _BOX  # 2 * (9 - 1) / 2 of the boxes, 1 of the enlargement
# Pixels around each tile where a network looks at many more, or it is not known at how many, and
# where it looks at more than `_FAR`: docs/upscale.md says what this makes different.
_MARGIN, _FAR_MARGIN, _FAR = 32, 48, 128
_TILES = (64, 512)  # the smallest and largest side of a tile, unless the network asks for another
_MEMORY = 2**30  # bytes that a tile may take
_COPIES = 4  # of the largest feature map that are in memory at once, measured

# What convolutions compute in.
PRECISIONS = ("float32", "bfloat16")

Report = Callable[[int], Any]


@dataclasses.dataclass(frozen=True)
class Upscaler:
    """A network that enlarges images, and how it is used.

    Attributes:
        network: a `keras.Model` from images to larger ones.
        scale: of the network.
        channels: that it takes, 1 or 3.
        tile: side of a tile.
        margin: pixels of a tile to every side that are cut off.
        exact: does the margin hold all that the network looks at?
        step: what the sides of a tile are multiples of.
        strength: share of the network's image; the rest is bicubic interpolation.
        keep_colours: add back the difference of colour, blurred.
        precision: `"bfloat16"` lets convolutions compute in it.
    """

    network: keras.Model
    scale: int
    channels: int
    tile: int
    margin: int
    exact: bool
    step: int
    strength: float
    keep_colours: bool
    precision: str = "float32"

    def tiles(self, shape: tuple[int, int]) -> int:
        """Returns how many tiles an image of `(height, width)` is cut into."""
        return math.prod(len(self._cuts(side)) for side in shape)

    def strips(self, picture: Picture, report: Report = int) -> Iterator[np.ndarray]:
        """Yields the rows of the enlarged image, a row of tiles at a time.

        Args:
            picture: an image.
            report: called after each tile, with the number of those done.

        Yields:
            `uint8` or `uint16` of shape `(rows, scale * width, channels)`.
        """
        height, width = picture.shape
        side, count = min(self.tile, self._padded(height)), itertools.count(1)
        for start, first, last in self._cuts(height):
            last = min(last, height)
            parts = list(self._parts(picture, start, start + side))
            sides = (last - first) * self.scale, width * self.scale
            kind = np.uint8 if picture.bits == 8 else np.uint16
            strip = np.empty((*sides, picture.channels), kind)
            for left, begin, end in self._cuts(width):
                end, place = min(end, width), 0
                for rows, call in parts:
                    made = call(self._tile(rows, left, side, min(self.tile, self._padded(width))))
                    made = made[(first - start) * self.scale :, (begin - left) * self.scale :]
                    made = made[: sides[0], : (end - begin) * self.scale]
                    columns = slice(begin * self.scale, end * self.scale)
                    channels = slice(place, place := place + rows.shape[-1])
                    strip[:, columns, channels] = _whole(made, picture.bits)
                report(next(count))
            yield strip

    def _parts(self, picture, start, end):
        """Rows of colours and of alpha, each with the function that enlarges tiles of it."""
        halo = self.margin if picture.alpha else 0
        top, bottom = max(start - halo, 0), min(end + halo, picture.shape[0])
        rows, asked = picture.rows(top, bottom), slice(start - top, end - top)
        grey = functools.partial(self._enlarged, grey=True)
        if not picture.alpha:
            yield rows, functools.partial(self._enlarged, grey=picture.grey)
            return
        colors = filled(rows[..., :-1], rows[..., -1], halo)[asked]
        yield colors, grey if picture.grey else self._enlarged
        yield rows[asked, :, -1:], grey

    def _enlarged(self, tile, grey=False):
        """What the network makes of floats `(height, width, 1 or 3)`; grey stays grey."""
        channels = tile.shape[-1]
        made = self._run(tf.constant(_as_channels(tile, self.channels)[None]))[0].numpy()
        return _as_channels(_as_channels(made, 1) if grey else made, channels)

    def _tile(self, rows, left, height, width):
        """A tile, filled up where the sides of the image are no multiples of `step`."""
        tile = rows[:, left : left + width]
        lacking = [(0, height - tile.shape[0]), (0, width - tile.shape[1]), (0, 0)]
        return np.pad(tile, lacking, mode="edge") if lacking[0][1] or lacking[1][1] else tile

    def _padded(self, length):
        return -(-length // self.step) * self.step

    def _cuts(self, length):
        return cuts(self._padded(length), self.tile, self.margin, self.step)

    def __post_init__(self) -> None:
        # Kept with the network, past Keras, which tracks attributes: tracing takes a second.
        kept = self.network.__dict__.setdefault("_keras_gans_enlarging", {})
        signature = [tf.TensorSpec((1, None, None, self.channels), tf.float32)]
        run = tf.function(self._graph, input_signature=signature)
        run = kept.setdefault((self.strength, self.keep_colours, self.precision), run)
        object.__setattr__(self, "_run", run)

    def _graph(self, images):
        # All else, such as the image that is enlarged beside them and added, stays in float32.
        layers = self.network._flatten_layers(include_self=False, recursive=True)
        low = [x for x in layers if isinstance(x, keras.layers.Conv2D)]
        with computing_in(f"mixed_{self.precision}", low if self.precision != "float32" else []):
            large = self.network(images, training=False)
        large = tf.clip_by_value(tf.cast(large, tf.float32), -1.0, 1.0)
        size = tf.shape(images)[1:3] * self.scale
        if self.strength < 1:
            plain = tf.image.resize(images, size, "bicubic")
            large = self.strength * large + (1 - self.strength) * plain
        if self.keep_colours:
            reduced = tf.nn.avg_pool2d(large, self.scale, self.scale, "VALID")
            lost = images - reduced
            for _ in range(2):
                lost = tf.nn.avg_pool2d(lost, _BOX, 1, "SAME")  # the mean of what is inside
            large += tf.image.resize(lost, size, "bilinear")
        return tf.clip_by_value(large, -1.0, 1.0)


def of_network(
    network: keras.Model,
    tile: int | None = None,
    margin: int | None = None,
    strength: float = 1.0,
    keep_colours: bool = True,
    precision: str = "float32",
) -> Upscaler:
    """Returns an `Upscaler` with a tile and a margin that fit the network.

    Args:
        network: from images of any size, with 1 or 3 channels, to images that are a whole number
            of times larger.
        tile: side of a tile in pixels; `None` for one that takes a gigabyte at most.
        margin: pixels of it that are cut off to every side. `None` for as many as the network
            looks at, if these are known and few, and else 32 or 48.
        strength: from 0 to 1.
        keep_colours: as for `Upscaler`.
        precision: one of `PRECISIONS`.

    Raises:
        ValueError: for a network that does not do that, or numbers that do not fit.
    """
    scale, channels = _require_upscaler(network)
    if (
        isinstance(strength, bool)
        or not isinstance(strength, (int, float))
        or not 0 <= strength <= 1
    ):
        raise ValueError(f"`strength` must be from 0 to 1. Received: strength={strength!r}")
    if precision not in PRECISIONS:
        raise ValueError(
            f"There is no such precision.{did_you_mean(str(precision), PRECISIONS)} Expected one "
            f"of {list(PRECISIONS)}. Received: precision={precision!r}"
        )
    step, reach = _divisor(network), receptive_radius(network)
    needed = None if reach is None else reach + _COLOR_MARGIN * keep_colours
    if margin is None:
        chosen = _FAR_MARGIN if needed is not None and needed > _FAR else _MARGIN
        margin = needed if needed is not None and needed <= 2 * _MARGIN else chosen
    margin = -(-checks.count("margin", margin, 0) // step) * step
    exact = needed is not None and margin >= needed
    if tile is None:
        side = math.isqrt(_MEMORY // (4 * _COPIES * _largest(network)))
        tile = max(min(side, _TILES[1]), _TILES[0], 4 * margin) // step * step
    if checks.count("tile", tile) % step or tile <= 2 * margin:
        raise ValueError(
            f"The margins leave nothing of a tile. Expected a `tile` above {2 * margin} (twice the "
            f"margin), and a multiple of {step}. Received: tile={tile}, margin={margin}"
        )
    return Upscaler(
        network, scale, channels, tile, margin, exact, step, strength, keep_colours, precision
    )


def scale_of(network: Any) -> int:
    """Returns how many times larger a network makes images.

    Raises:
        ValueError: for a network that does not do that.
    """
    scale, _ = _require_upscaler(network)
    return scale


def _require_upscaler(network: Any) -> tuple[int, int]:
    """Returns the scale of a network and the channels that it takes."""
    described = interface.of(network) if isinstance(network, keras.Model) else None
    taken = described and described.image
    if (
        not taken
        or len(described.inputs) > 1
        or (taken.height, taken.width) != (None, None)
        or taken.channels not in (1, 3)
        or not described.images
        or described.images[0].channels != taken.channels
        or described.scale != int(described.scale)
    ):
        found = network
        if described:
            found = f"{network.name!r} from {[x.shape for x in described.inputs]} to "
            found += f"{[x.shape for x in described.outputs]}, scale {described.scale}"
        raise ValueError(
            "Images cannot be enlarged by this generator. Expected one from images of any size, "
            "with 1 or 3 channels, to images of the same channels that are a whole number of times "
            "larger; `keras-gans translate` takes other image-to-image generators. "
            f"Received: {found}"
        )
    return int(described.scale), taken.channels


def _largest(network):
    """Numbers of the largest feature map, for each pixel of the input."""
    side = 8 * _divisor(network)
    maps = keras.Model(network.inputs, [layer.output for layer in network.layers])
    shapes = maps.compute_output_shape((1, side, side, network.inputs[0].shape[-1]))
    return math.ceil(max(math.prod(shape) for shape in shapes) / side**2)


def _as_channels(pixels, channels):
    """Grey as three equal channels, or three channels as grey (BT.601)."""
    if pixels.shape[-1] == channels:
        return pixels
    if channels == 3:
        return np.repeat(pixels, 3, axis=-1)
    return (pixels @ np.array([0.299, 0.587, 0.114], "float32"))[..., None]


def _whole(pixels, bits):
    """Floats in [-1, 1] as whole numbers."""
    largest = 2**bits - 1
    return np.rint((pixels + 1) * np.float32(largest / 2)).astype(f"uint{bits}")


def _divisor(network):
    """What the sides of an image must be multiples of: 1, unless pixels are unshuffled."""
    return math.prod(x.factor for x in network.layers if type(x).__name__ == "PixelUnshuffle")
