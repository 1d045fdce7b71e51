"""The transformations of adaptive discriminator augmentation (Karras 2020, appendix B), by numbers.

`apply` is deterministic and differentiable: it takes images, and by name of a transformation the
numbers of each image, of which 0 changes nothing. `layers.AdaptiveAugment` draws them. All that is
linear in the images is a few products with matrices and one gather of pixels, so that second
derivatives are as plain as first ones.
"""

import functools
import math
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

__all__ = ["apply", "draw", "warp"]

# Low-pass filters: symlet 6, and Daubechies' with two vanishing moments (Daubechies 1992, tables
# 6.3 and 6.1); their sums are 1 here.
_SYM6 = np.array(
    [
        0.015404109327027373,
        0.0034907120842174702,
        -0.11799011114819057,
        -0.048311742585633,
        0.4910559419267466,
        0.787641141030194,
        0.3379294217276218,
        -0.07263752278646252,
        -0.021060292512300564,
        0.04472490177066578,
        0.0017677118642428036,
        -0.007800708325034148,
    ]
) / math.sqrt(2.0)
_SYM2 = np.array([1 + 3**0.5, 3 + 3**0.5, 3 - 3**0.5, 1 - 3**0.5]) / 8.0

_EDGE = 3  # pixels by which the grid of a warp is larger than the image, for the filter


def apply(
    images: tf.Tensor, numbers: Mapping[str, tf.Tensor], seed: tf.Tensor | None = None
) -> tf.Tensor:
    """Transforms each image by its own numbers, in the order in which they are listed here.

    Args:
        images: float32 `(batch, height, width, channels)`, sizes known; colours need 1 or 3
            channels, of which one has no hue and no saturation.
        numbers: names of transformations to float32 tensors, `(batch,)` or `(batch, count)`:

            - `xflip`: 1 mirrors; `rotate90`: quarter turns; `xint`: shifts right and down, in
              sizes of the image, rounded to pixels;
            - `scale`: binary logarithm of the size; `rotate`: angles before and after `aniso`, in
              radians; `aniso`: binary logarithm of the width, and of the height with the other
              sign; `xfrac`: shifts in sizes of the image;
            - `brightness`: what is added; `contrast`: logarithm of a factor; `lumaflip`: 1 mirrors
              at the plane of colours without luma; `hue`: angle; `saturation`: logarithm of a
              factor;
            - `imgfilter`: logarithms of the amplitudes of four bands of frequencies, lowest first;
            - `noise`: standard deviation of what is added, drawn from `seed`;
            - `cutout`: 1 sets half of each side to 0, around a centre in parts of width and height.
        seed: stateless seed, two integers; only `noise` needs it.

    Returns:
        The images, of the same shape.
    """
    height, width = images.shape[1:3]
    if (inverse := _inverse_transform(numbers, height, width)) is not None:
        images = warp(images, inverse)
    if (colors := _color_transform(numbers, images.shape[3])) is not None:
        images = _recolor(images, colors)
    if "imgfilter" in numbers:
        images = _filter(images, numbers["imgfilter"])
    if "noise" in numbers:
        draw = tf.random.stateless_normal(tf.shape(images), seed, alg="philox")
        images += draw * numbers["noise"][:, None, None, None]
    if "cutout" in numbers:
        images *= _outside(numbers["cutout"], height, width)
    return images


# ---- where each pixel comes from


def _rows(*rows):
    """Returns matrices `(batch, rows, columns)` of entries that are numbers or `(batch,)`."""
    batch = next(tf.shape(x)[:1] for row in rows for x in row if tf.is_tensor(x))
    return tf.stack([tf.stack([tf.broadcast_to(x, batch) for x in r], -1) for r in rows], -2)


def _scaled(x, y):
    return _rows((x, 0.0, 0.0), (0.0, y, 0.0), (0.0, 0.0, tf.ones_like(x)))


def _turned(angle):
    sine, cosine = tf.sin(angle), tf.cos(angle)
    return _rows((cosine, -sine, 0.0), (sine, cosine, 0.0), (0.0, 0.0, 1.0))


def _moved(x, y):
    return _rows((1.0, 0.0, x), (0.0, 1.0, y), (0.0, 0.0, tf.ones_like(x)))


def _inverse_transform(numbers, height, width):
    """Returns `(batch, 3, 3)`: from places in the result to those in the image; `None` for none."""
    size = tf.constant([width, height], "float32")
    inverse = {
        "xflip": lambda flip: _scaled(1.0 - 2.0 * flip, tf.ones_like(flip)),
        "rotate90": lambda turns: _turned(turns * (math.pi / 2)),
        "xint": lambda shift: _moved(*tf.unstack(-tf.round(shift * size), axis=1)),
        "scale": lambda power: _scaled(2.0**-power, 2.0**-power),
        "rotate": lambda angles: _turned(angles[:, 0]),
        "aniso": lambda power: _scaled(2.0**-power, 2.0**power),
        "rotate_again": lambda angles: _turned(angles[:, 1]),
        "xfrac": lambda shift: _moved(*tf.unstack(-shift * size, axis=1)),
    }
    given = {**numbers, "rotate_again": numbers.get("rotate")}
    matrices = [of(given[name]) for name, of in inverse.items() if given.get(name) is not None]
    return functools.reduce(tf.matmul, matrices) if matrices else None


def warp(images: tf.Tensor, inverse: tf.Tensor) -> tf.Tensor:
    """Takes each pixel of the result from another place of the image, without aliasing.

    The image is continued by reflection, doubled in size by a wavelet's low-pass filter, read
    bilinearly, and reduced by the same filter. What lies further off than its mirror image is 0.

    Args:
        images: float32 `(batch, height, width, channels)`, sizes known.
        inverse: float32 `(batch, 3, 3)`: from a place `(x, y, 1)` in the result to the place in
            the image that is shown there, both in pixels from the centre.

    Returns:
        float32, the shape of `images`.
    """
    height, width = images.shape[1:3]
    first, last = _margins(inverse, height, width)
    y, start_y = _doubling(height, first[:, 1], last[:, 1])
    x, start_x = _doubling(width, first[:, 0], last[:, 0])
    planes = tf.transpose(images, (0, 3, 1, 2))
    fine = y[:, None] @ planes @ tf.linalg.matrix_transpose(x)[:, None]
    read = _read(
        tf.transpose(fine, (0, 2, 3, 1)), _places(inverse, height, width), start_x, start_y
    )
    across = tf.einsum("oi,bjic->bjoc", tf.constant(_halving(width)), read)
    return tf.einsum("oj,bjxc->boxc", tf.constant(_halving(height)), across)


def _margins(inverse, height, width):
    """Returns by how many pixels, `(batch, 2)` of x and y, each image is continued on its sides.

    As far as its corners come from, and two widths of the filter; at most to its mirror image.
    """
    ends = np.array([width - 1, height - 1], "float32") / 2
    corners = np.array([[-1, 1, 1, -1], [-1, -1, 1, 1]], "float32") * ends[:, None]
    places = inverse[:, :2, :2] @ tf.constant(corners) + inverse[:, :2, 2:]
    reach = [tf.reduce_max(sign * places, axis=2) - ends + 2 * _EDGE for sign in (-1.0, 1.0)]
    return [tf.cast(tf.math.ceil(tf.clip_by_value(r, 0.0, 2 * ends)), "int32") for r in reach]


@functools.cache
def _doubling_parts(size):
    """Returns three matrices: of an image, and of its mirror images before and after it.

    Rows are half pixels, from the first of the mirror image before it, columns pixels.
    """
    rows = np.arange(2 * (3 * size - 2)) - 2 * (size - 1)
    pixels = np.arange(size)
    parts = []
    for places, kept in (
        (pixels, pixels >= 0),
        (-pixels, pixels > 0),
        (2 * (size - 1) - pixels, pixels < size - 1),
    ):
        tap = rows[:, None] + 5 - 2 * places
        inside = (tap >= 0) & (tap < 12) & kept
        parts.append(np.where(inside, 2.0 * _SYM6[np.clip(tap, 0, 11)], 0.0).astype("float32"))
    return parts


def _doubling(size, before, after):
    """Returns matrices `(batch, half pixels, pixels)`, and the place of the first half pixel.

    They double an axis that is continued by so many pixels, which differ between images.
    """
    start, end = -2 * tf.reduce_max(before), 2 * (size + tf.reduce_max(after))
    offset, pixels = 2 * (size - 1), tf.range(size)
    image, mirrored, mirrored_after = (
        tf.constant(part)[start + offset : end + offset] for part in _doubling_parts(size)
    )
    first = tf.cast(pixels <= before[:, None], "float32")[:, None]
    last = tf.cast(pixels >= size - 1 - after[:, None], "float32")[:, None]
    return image + first * mirrored + last * mirrored_after, start


@functools.cache
def _halving(size):
    """Returns a matrix `(pixels, half pixels)`; the half pixels begin `_EDGE` pixels earlier."""
    tap = np.arange(2 * (size + 2 * _EDGE)) - 2 * np.arange(size)[:, None] - 1
    return np.where((tap >= 0) & (tap < 12), _SYM6[np.clip(tap, 0, 11)], 0.0).astype("float32")


def _places(inverse, height, width):
    """Returns x and y of where each half pixel of the result comes from, in half pixels."""
    lines = (np.arange(2 * (n + 2 * _EDGE)) / 2 - _EDGE - (n - 1) / 2 for n in (width, height))
    x, y = (line.astype("float32") for line in lines)
    rows = inverse[:, :2, :, None, None]
    places = rows[:, :, 0] * x + rows[:, :, 1] * y[:, None] + rows[:, :, 2]
    centre = np.array([width - 1, height - 1], "float32")
    return tf.unstack(2.0 * places + centre[:, None, None], axis=1)


def _read(fine, places, start_x, start_y):
    """Returns the values at places between half pixels, bilinear; 0 outside."""
    batch, height, width = tf.unstack(tf.shape(fine)[:3])
    flat = tf.reshape(fine, (-1, fine.shape[3]))
    image = tf.range(batch)[:, None, None] * (height * width)
    found = []
    for place, start, size in zip(places, (start_x, start_y), (width, height)):
        low = tf.floor(place)
        index = tf.cast(low, "int32") - start
        share = place - low
        ends = []
        for one, weight in ((index, 1.0 - share), (index + 1, share)):
            inside = tf.cast((one >= 0) & (one < size), "float32")
            ends.append((tf.clip_by_value(one, 0, size - 1), weight * inside))
        found.append(ends)
    total = 0.0
    for row, row_weight in found[1]:
        for column, column_weight in found[0]:
            pixels = tf.gather(flat, image + row * width + column)
            total += pixels * (row_weight * column_weight)[..., None]
    return total


# ---- colours

_LUMA = np.full(3, 3**-0.5, "float32")


def _color_transform(numbers, channels):
    """Returns `(batch, 4, 4)`, of colours `(red, green, blue, 1)`; `None` for none."""
    luma = np.zeros((4, 4), "float32")
    luma[:3, :3] = np.outer(_LUMA, _LUMA)
    eye = np.eye(4, dtype="float32")
    # The cross product with the direction of luma: a turn by a quarter around it.
    x, y, z = _LUMA
    quarter = np.zeros((4, 4), "float32")
    quarter[:3, :3] = [[0, -z, y], [z, 0, -x], [-y, x, 0]]
    one = np.diag([0, 0, 0, 1]).astype("float32")
    chroma = eye - luma - one
    shift = np.zeros((4, 4), "float32")
    shift[:3, 3] = 1.0
    sums = {
        "brightness": lambda b: eye + b * shift,
        "contrast": lambda power: one + 2.0**power * (eye - one),
        "lumaflip": lambda flip: eye - 2.0 * flip * luma,
        "hue": lambda angle: luma + one + tf.cos(angle) * chroma + tf.sin(angle) * quarter,
        "saturation": lambda power: luma + one + 2.0**power * chroma,
    }
    if channels == 1:
        del sums["hue"], sums["saturation"]
    matrices = [of(numbers[n][:, None, None]) for n, of in sums.items() if n in numbers]
    return functools.reduce(lambda one, two: two @ one, matrices) if matrices else None


def _recolor(images, matrices):
    if images.shape[3] == 1:
        row = tf.reduce_mean(matrices[:, :3], axis=1)
        factor, shift = tf.reduce_sum(row[:, :3], axis=1), row[:, 3]
        return images * factor[:, None, None, None] + shift[:, None, None, None]
    mixed = tf.einsum("byxc,boc->byxo", images, matrices[:, :3, :3])
    return mixed + matrices[:, None, None, :3, 3]


# ---- filters and corruptions


@functools.cache
def _bands(size):
    """Returns `(4, size, size)`: what each band of frequencies keeps of an axis, reflected."""
    high = _SYM2 * [1.0, -1.0, 1.0, -1.0]
    low, high = (np.convolve(f, f[::-1]) for f in (_SYM2, high))
    bank = np.ones((4, 1))
    bank[1:] = 0.0
    for i in range(1, 4):
        spread = np.zeros((4, 2 * bank.shape[1] - 1))
        spread[:, ::2] = bank
        bank = np.stack([np.convolve(row, low) for row in spread])
        middle = bank.shape[1] // 2
        bank[i, middle - 3 : middle + 4] += high
    reach = bank.shape[1] // 2
    matrices = np.zeros((4, size, size), "float32")
    period = max(1, 2 * (size - 1))
    for tap in range(-reach, reach + 1):
        place = (np.arange(size) + tap) % period
        place = np.where(place < size, place, period - place)
        np.add.at(
            matrices,
            (slice(None), np.arange(size), place),
            np.broadcast_to(bank[:, reach + tap, None], (4, size)),
        )
    return matrices


def _filter(images, powers):
    """Amplifies bands of frequencies; their power as in natural images is kept together."""
    expected = np.array([10.0, 1.0, 1.0, 1.0], "float32") / 13.0
    gains = 1.0
    for band in range(4):
        own = tf.where(tf.range(4) == band, 2.0**powers, 1.0)
        power = tf.reduce_sum(expected * own**2, axis=1, keepdims=True)
        gains = gains * own / tf.sqrt(power)
    y, x = (tf.einsum("bf,fij->bij", gains, tf.constant(_bands(n))) for n in images.shape[1:3])
    return tf.einsum("bij,bjxc->bixc", y, tf.einsum("bij,byjc->byic", x, images))


def _outside(cutout, height, width):
    """Returns 0 within each image's rectangle and 1 elsewhere, `(batch, height, width, 1)`."""
    inside = cutout[:, 0, None, None, None]
    for axis, size, centre in ((2, width, cutout[:, 1]), (1, height, cutout[:, 2])):
        line = (np.arange(size, dtype="float32") + 0.5) / size
        line = tf.reshape(line, [size if a == axis else 1 for a in range(4)])
        near = tf.abs(line - centre[:, None, None, None]) < 0.25
        inside = inside * tf.cast(near, "float32")
    return 1.0 - inside


# ---- random numbers

# How a transformation's numbers are drawn: how many there are, and of what.
_NORMAL = {
    "scale": (1, 0.2),
    "aniso": (1, 0.2),
    "xfrac": (2, 0.125),
    "brightness": (1, 0.2),
    "contrast": (1, 0.5),
    "saturation": (1, 1.0),
    "imgfilter": (4, 1.0),
    "noise": (1, 0.1),
}
_UNIFORM = {"xint": (2, 0.125), "rotate": (2, math.pi), "hue": (1, math.pi)}
_CASES = {"xflip": 2, "rotate90": 4, "lumaflip": 2}
_OWN_CHANCE = ("rotate", "imgfilter")  # each of their numbers is drawn or not by itself


def draw(name: str, batch: int | tf.Tensor, probability: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Returns random numbers of a transformation for each image; 0 where it is not applied.

    Args:
        name: of the transformation.
        batch: number of images.
        probability: with which it is applied to an image, in [0, 1].
        seed: stateless seed, two integers.

    Returns:
        float32, `(batch,)` or `(batch, count)`, as `apply` takes them.
    """
    chance, seed = tf.unstack(tf.random.split(seed, 2, alg="philox"))
    if name == "cutout":
        values = tf.random.stateless_uniform((batch, 3), seed, alg="philox")
        values *= [0.0, 1.0, 1.0]
        values += [1.0, 0.0, 0.0]
    elif name in _CASES:
        values = tf.floor(
            _CASES[name] * tf.random.stateless_uniform((batch, 1), seed, alg="philox")
        )
    elif name in _UNIFORM:
        count, most = _UNIFORM[name]
        values = most * tf.random.stateless_uniform(
            (batch, count), seed, minval=-1.0, maxval=1.0, alg="philox"
        )
    else:
        count, std = _NORMAL[name]
        values = std * tf.random.stateless_normal((batch, count), seed, alg="philox")
    if name == "noise":
        values = tf.abs(values)
    if name == "rotate":  # that one of the two is applied has the probability p
        probability = 1.0 - tf.sqrt(tf.maximum(0.0, 1.0 - probability))
    several = values.shape[1] if name in _OWN_CHANCE else 1
    applied = tf.random.stateless_uniform((batch, several), chance, alg="philox") < probability
    values = tf.where(applied, values, 0.0)
    return values[:, 0] if values.shape[1] == 1 else values
