"""A convolution whose input channels a style vector scales."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_gans import checks
from keras_gans.layers.equalized_conv_2d import require_odd, standard_kernel
from keras_gans.layers.equalized_dense import EqualizedDense
from keras_gans.layers.filtered_resampling_2d import BINOMIAL, Filter, filtered, normalized_filter
from keras_gans.typing import Config, Shape, Tensor


@keras.saving.register_keras_serializable("keras_gans")
class ModulatedConv2D(keras.layers.Layer):
    """A convolution with weight modulation and demodulation, of StyleGAN2.

    An equalized dense layer makes a factor for each input channel of the style vector. They scale
    the kernel, and demodulation then divides each filter by its norm. Here the same is done to
    feature maps: factors scale the input, one kernel serves the whole batch, and the output is
    divided by the norms. A kernel for each example, a grouped convolution, is 40 times slower on a
    CPU, and unknown to mobile runtimes.

    >>> layer = keras_gans.layers.ModulatedConv2D(4, up=2)
    >>> layer([np.ones((2, 8, 8, 3)), np.ones((2, 16))]).shape
    TensorShape([2, 16, 16, 4])

    Args:
        filters: channels of the output.
        kernel_size: height and width of the kernel, odd.
        up: 2 doubles the image: a transposed convolution, and then the filter.
        demodulate: divide by the norms? Otherwise, as for the image's own channels, by the square
            root of the number of inputs.
        filter: taps of the filter, as of `FilteredResampling2D`.
        **kwargs: of `keras.layers.Layer`, such as `name` and `dtype`.

    Input shape:
        `[(batch, height, width, channels), (batch, style_size)]`.

    Output shape:
        `(batch, height * up, width * up, filters)`. There is no bias: `BiasActivation` follows.

    Raises:
        ValueError: for an even kernel, or a number that cannot be built.

    References:
        Karras 2020, "Analyzing and Improving the Image Quality of StyleGAN", section 2.2,
        equations 1 to 3.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int = 3,
        up: int = 1,
        demodulate: bool = True,
        filter: Filter = BINOMIAL,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = checks.count("filters", filters)
        self.kernel_size = require_odd(kernel_size)
        self.up = checks.count("up", up)
        if self.up > self.kernel_size:
            raise ValueError(
                "A transposed convolution leaves no gaps if its kernel is as large as its stride. "
                f"Expected `up` of at most {kernel_size}. Received: up={up}"
            )
        self.demodulate = demodulate
        self.taps = normalized_filter(filter)
        self.filter = np.asarray(filter).tolist()

    def build(self, input_shape: Sequence[Shape]) -> None:
        image_shape, style_shape = input_shape
        channels = image_shape[-1]
        self.affine = EqualizedDense(channels, bias=1.0, dtype=self.dtype_policy, name="affine")
        self.affine.build(style_shape)
        self.kernel = standard_kernel(self, self.kernel_size, channels, self.filters)

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        x, w = inputs
        style = self.affine(w)
        # Before the norms are known this keeps float16 finite; `norm` has it, too.
        scale = 1.0 / math.sqrt(self.kernel_size**2 * self.kernel.shape[2])
        x = self._convolved(x * _of_channels(style), self.kernel * scale)
        if not self.demodulate:
            return x
        # The square of each filter's norm, in float32.
        norm = ops.sum(ops.square(ops.cast(self.kernel, "float32")), axis=(0, 1))
        norm = ops.matmul(ops.square(ops.cast(style, "float32")), norm)
        factor = ops.rsqrt(norm + 1e-8) * (1.0 / scale)
        return x * _of_channels(ops.cast(factor, x.dtype))

    def _convolved(self, x, kernel):
        if self.up == 1:
            return ops.conv(x, kernel, padding="same", data_format="channels_last")
        kernel = ops.transpose(kernel, (0, 1, 3, 2))
        x = ops.conv_transpose(x, kernel, self.up, "valid", data_format="channels_last")
        # So that the middle of the kernel and of the filter stay where the pixel was.
        middle = self.kernel_size // 2
        rows, columns = (
            (
                middle + (taps + self.up - 1) // 2 - (self.kernel_size - 1),
                middle + (taps - self.up) // 2 - (self.kernel_size - self.up),
            )
            for taps in self.taps.shape
        )
        return filtered(x, self.taps * np.float32(self.up**2), (rows, columns))

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        number, *sides, _ = input_shape[0]
        sides = [None if side is None else side * self.up for side in sides]
        return (number, *sides, self.filters)

    def get_config(self) -> Config:
        own = {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "up": self.up,
            "demodulate": self.demodulate,
            "filter": self.filter,
        }
        return {**super().get_config(), **own}


def _of_channels(factors):
    return ops.reshape(factors, (-1, 1, 1, factors.shape[-1]))
