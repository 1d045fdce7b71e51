"""Bicubic reduction by a fraction, as one convolution with a constant kernel."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_gans import checks
from keras_gans.layers.pixel_shuffle import PixelShuffle
from keras_gans.typing import Config, Shape, Tensor

_SHARPNESS = -0.75  # of Keys' cubic: PyTorch's, OpenCV's and ncnn's


@keras.saving.register_keras_serializable("keras_gans")
class BicubicReduction(keras.layers.Layer):
    """Resizes images by the factor `numerator / denominator` with bicubic interpolation.

    As PyTorch's `interpolate(mode="bicubic", align_corners=False)`: Keys' cubic with -0.75,
    half-pixel centres, edge pixels repeated, no antialiasing. Each block of `denominator` pixels
    becomes `numerator` pixels with the same constants everywhere, so that it is a strided
    convolution and a pixel shuffle: operations that every runtime has. It has no weights.

    Example:

    >>> x = np.linspace(0, 1, 8).reshape(1, 1, 8, 1) * np.ones((1, 8, 1, 1))
    >>> BicubicReduction(1, 2)(x).numpy()[0, 1, :, 0].round(3)
    array([0.058, 0.357, 0.643, 0.942], dtype=float32)

    Args:
        numerator: of the fraction in lowest terms, 1 or more.
        denominator: of the fraction, larger than `numerator`.
        **kwargs: of `keras.layers.Layer`, such as `name` and `dtype`.

    Input shape:
        `(batch, denominator * rows, denominator * columns, channels)`.

    Output shape:
        `(batch, numerator * rows, numerator * columns, channels)`.

    Raises:
        ValueError: for another fraction, or an image whose sides are not multiples of the
            denominator.
    """

    def __init__(self, numerator: int, denominator: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.numerator = checks.count("numerator", numerator)
        self.denominator = checks.count("denominator", denominator)
        if numerator >= denominator or math.gcd(numerator, denominator) != 1:
            raise ValueError(
                "A reduction is a fraction below 1 in lowest terms, such as 1, 2 or 3, 4. "
                f"Received: numerator={numerator}, denominator={denominator}"
            )
        self.input_spec = keras.layers.InputSpec(ndim=4)
        self._shuffle = PixelShuffle(numerator, dtype=self.dtype_policy)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        number, *sides, channels = input_shape
        if channels is None or any(side is not None and side % self.denominator for side in sides):
            raise ValueError(
                f"The image cannot be split into blocks of pixels: both sides must be multiples of "
                f"{self.denominator}, and the channels known. "
                f"Received: denominator={self.denominator}, shape {tuple(input_shape)}"
            )
        ratio = self.numerator, self.denominator
        sides = (None if side is None else side * ratio[0] // ratio[1] for side in sides)
        return (number, *sides, channels)

    def build(self, input_shape: Shape) -> None:
        self.compute_output_shape(input_shape)  # raises for a wrong shape

    def call(self, inputs: Tensor) -> Tensor:
        self.compute_output_shape(tuple(inputs.shape))  # a size that was unknown may be known now
        taps = _taps(self.numerator, self.denominator)
        x = self._repeated(inputs)
        channels = inputs.shape[-1]
        # From each channel to itself, at each of `numerator ** 2` places: (rows, columns, in, out).
        kernel = np.einsum("aj,bk,cd->jkcabd", taps, taps, np.eye(channels))
        kernel = kernel.reshape(*taps.shape[1:] * 2, channels, -1)
        kernel = ops.convert_to_tensor(kernel.astype("float32"), dtype=x.dtype)
        return self._shuffle(ops.conv(x, kernel, strides=self.denominator))

    @staticmethod
    def _repeated(x: Tensor) -> Tensor:
        """Repeats the edge once: the cubic needs no more."""
        for axis in (1, 2):
            first, last = (
                ops.take(x, ops.expand_dims(place, 0), axis=axis)
                for place in (0, ops.shape(x)[axis] - 1)
            )
            x = ops.concatenate([first, x, last], axis=axis)
        return x

    def get_config(self) -> Config:
        ratio = {"numerator": self.numerator, "denominator": self.denominator}
        return {**super().get_config(), **ratio}


def _taps(numerator, denominator):
    """Returns the weights of a block's pixels, and of one on each side, for each output pixel."""
    taps = np.zeros((numerator, denominator + 2))
    for place in range(numerator):
        centre = (place + 0.5) * denominator / numerator - 0.5
        first = math.floor(centre) - 1
        for tap in range(first, first + 4):
            taps[place, tap + 1] = _cubic(abs(tap - centre))
    return taps


def _cubic(distance, a=_SHARPNESS):
    """Keys 1981, equation 15, with `a` in place of -1/2."""
    if distance <= 1:
        return (a + 2) * distance**3 - (a + 3) * distance**2 + 1
    return a * (distance**3 - 5 * distance**2 + 8 * distance - 4)
