"""Upsampling and downsampling with a low-pass filter."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import keras
import numpy as np
from keras import ops

from keras_gans import checks
from keras_gans.typing import Config, Shape, Tensor

# Taps of one axis, or of both.
Filter: TypeAlias = Sequence[float] | Sequence[Sequence[float]]
Padding: TypeAlias = tuple[tuple[int, int], tuple[int, int]]

BINOMIAL = (1, 3, 3, 1)  # of StyleGAN2


def normalized_filter(taps: Any) -> np.ndarray:
    """Returns float32 taps `(height, width)` with a sum of 1; of one axis, their outer product.

    >>> normalized_filter([1, 1]).tolist()
    [[0.25, 0.25], [0.25, 0.25]]

    Raises:
        ValueError: for taps that are no vector and no matrix, or have a sum of 0.
    """
    array = checks.floats("filter", taps)
    array = np.outer(array, array) if array.ndim == 1 else array
    if array.ndim != 2 or not array.size or not array.sum():
        raise ValueError(
            "`filter` must be a list of numbers such as (1, 3, 3, 1), for both axes, or a list of "
            f"rows, whose sum is not 0. Received: filter={taps!r}"
        )
    return array / array.sum()


def filtered(x: Tensor, taps: np.ndarray, padding: Padding, down: int = 1) -> Tensor:
    """Pads with zeros, convolves every channel with one filter, and keeps each `down`-th pixel.

    Args:
        x: `(batch, height, width, channels)`; the number of channels is known.
        taps: float32 `(height, width)`; convolved, that is, mirrored against a correlation.
        padding: `((top, bottom), (left, right))`; below 0 to crop.
        down: of both axes.
    """
    x = _padded(x, padding)
    kernel = np.repeat(taps[::-1, ::-1, None, None], x.shape[-1], axis=2)
    kernel = ops.cast(ops.convert_to_tensor(np.ascontiguousarray(kernel)), x.dtype)
    return ops.depthwise_conv(x, kernel, down, "valid", data_format="channels_last")


def _padded(x, padding):
    if any(side > 0 for pair in padding for side in pair):
        x = ops.pad(x, [(0, 0), *[(max(a, 0), max(b, 0)) for a, b in padding], (0, 0)])
    (top, bottom), (left, right) = [(max(-a, 0), max(-b, 0)) for a, b in padding]
    if top or bottom or left or right:
        height, width = ops.shape(x)[1:3]
        x = x[:, top : height - bottom, left : width - right]
    return x


def _spread(x, up):
    """Puts `up - 1` zeros after each pixel, of both axes.

    By concatenation, because mobile runtimes have no padding of six axes.
    """
    _, height, width, channels = ops.shape(x)
    zeros = [ops.zeros_like(x)] * (up - 1)
    x = ops.reshape(ops.concatenate([x, *zeros], axis=3), (-1, height, width * up * channels))
    zeros = [ops.zeros_like(x)] * (up - 1)
    x = ops.concatenate([x, *zeros], axis=2)
    return ops.reshape(x, (-1, height * up, width * up, channels))


@keras.saving.register_keras_serializable("keras_gans")
class FilteredResampling2D(keras.layers.Layer):
    """Upsampling by zeros between pixels, a low-pass filter, and downsampling by leaving out.

    Without the filter, upsampling leaves a grid and downsampling aliases (Zhang 2019, "Making
    Convolutional Networks Shift-Invariant Again"). The brightness stays; beyond the border there
    are zeros.

    >>> layer = keras_gans.layers.FilteredResampling2D(up=2)
    >>> layer(np.ones((1, 4, 6, 3))).shape
    TensorShape([1, 8, 12, 3])

    Args:
        filter: taps of both axes, such as `(1, 3, 3, 1)`, or rows of taps. Their sum is made 1.
        up: pixels of the output for each of the input, each side.
        down: pixels of the input for each of the output, each side.
        padding: `((top, bottom), (left, right))`, pixels after upsampling, below 0 to crop; `None`
            keeps the image in its place.
        gain: of the output.
        **kwargs: of `keras.layers.Layer`, such as `name` and `dtype`.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, height * up / down, width * up / down, channels)`, rounded up, where `padding` is
        `None`.

    Raises:
        ValueError: for a filter without a sum, or a factor below 1.

    References:
        Karras 2020, "Analyzing and Improving the Image Quality of StyleGAN", appendix B.
    """

    def __init__(
        self,
        filter: Filter = BINOMIAL,
        up: int = 1,
        down: int = 1,
        padding: Padding | None = None,
        gain: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.taps = normalized_filter(filter)
        self.filter = np.asarray(filter).tolist()
        self.up, self.down = checks.count("up", up), checks.count("down", down)
        self.padding = None if padding is None else _pairs(padding)
        self.gain = gain
        self.input_spec = keras.layers.InputSpec(ndim=4)

    @property
    def _used_padding(self) -> Padding:
        if self.padding is not None:
            return self.padding
        rows, columns = (
            ((size + self.up - self.down) // 2, (size - self.up - self.down + 1) // 2)
            for size in self.taps.shape
        )
        return rows, columns

    def call(self, inputs: Tensor) -> Tensor:
        x = _spread(inputs, self.up) if self.up > 1 else inputs
        taps = self.taps * np.float32(self.gain * self.up**2)
        return filtered(x, taps, self._used_padding, self.down)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        number, *sides, channels = input_shape
        sides = [
            None if side is None else (side * self.up + sum(pads) - taps) // self.down + 1
            for side, pads, taps in zip(sides, self._used_padding, self.taps.shape)
        ]
        return (number, *sides, channels)

    def get_config(self) -> Config:
        own = {
            "filter": self.filter,
            "up": self.up,
            "down": self.down,
            "padding": self.padding,
            "gain": self.gain,
        }
        return {**super().get_config(), **own}


def _pairs(padding: Any) -> Padding:
    (top, bottom), (left, right) = padding
    return (int(top), int(bottom)), (int(left), int(right))
