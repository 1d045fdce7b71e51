"""A convolution whose kernel is scaled as it runs, and that may filter and downsample."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_gans import checks
from keras_gans.layers.filtered_resampling_2d import BINOMIAL, Filter, filtered, normalized_filter
from keras_gans.typing import Config, Shape, Tensor


def standard_kernel(layer: keras.layers.Layer, size: int, inputs: int, filters: int) -> Any:
    """Adds the weight of a convolution whose numbers are drawn from the standard normal."""
    return layer.add_weight(
        shape=(size, size, inputs, filters),
        initializer=keras.initializers.RandomNormal(stddev=1.0),
        name="kernel",
    )


def require_odd(kernel_size: int) -> int:
    """Returns the size of a kernel. Raises ValueError for one without a middle."""
    if checks.count("kernel_size", kernel_size) % 2 == 0:
        raise ValueError(
            "`kernel_size` must be odd, so that the kernel has a middle. "
            f"Received: kernel_size={kernel_size}"
        )
    return kernel_size


@keras.saving.register_keras_serializable("keras_gans")
class EqualizedConv2D(keras.layers.Layer):
    """A convolution with equalized learning rate, padded by zeros; downsampling is filtered.

    The kernel is drawn from a standard normal, and divided by the square root of its inputs, with
    all of its pixels, as the layer runs: see `EqualizedDense`.

    >>> layer = keras_gans.layers.EqualizedConv2D(4, kernel_size=3, down=2)
    >>> layer(np.ones((2, 8, 6, 3))).shape
    TensorShape([2, 4, 3, 4])

    Args:
        filters: channels of the output.
        kernel_size: height and width of the kernel, odd.
        down: 2 halves the image: filter first, and then a strided convolution.
        filter: taps of the filter, as of `FilteredResampling2D`.
        use_bias: add a learned bias to each channel?
        gain: of the output, before the bias.
        **kwargs: of `keras.layers.Layer`, such as `name` and `dtype`.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, height / down, width / down, filters)`.

    Raises:
        ValueError: for an even kernel, or a number that cannot be built.

    References:
        Karras 2018, "Progressive Growing of GANs for Improved Quality, Stability, and Variation",
        section 4.1; the filter: Karras 2020, "Analyzing and Improving the Image Quality of
        StyleGAN", appendix B.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int = 3,
        down: int = 1,
        filter: Filter = BINOMIAL,
        use_bias: bool = True,
        gain: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = checks.count("filters", filters)
        self.kernel_size = require_odd(kernel_size)
        self.down = checks.count("down", down)
        self.taps = normalized_filter(filter)
        self.filter = np.asarray(filter).tolist()
        self.use_bias = use_bias
        self.gain = checks.positive("gain", gain)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape: Shape) -> None:
        channels = input_shape[-1]
        self.kernel = standard_kernel(self, self.kernel_size, channels, self.filters)
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def call(self, inputs: Tensor) -> Tensor:
        size = self.kernel_size
        kernel = self.kernel * (self.gain / math.sqrt(size**2 * self.kernel.shape[2]))
        x, stride, padding = inputs, self.down, "same"
        if self.down > 1:
            # Leaving out before a 1x1 convolution, and not after it, is the same and cheaper.
            alone = size == 1
            x = filtered(inputs, self.taps, self._padding, self.down if alone else 1)
            stride, padding = (1 if alone else self.down), "valid"
        x = ops.conv(x, kernel, stride, padding, data_format="channels_last")
        return x if self.bias is None else x + self.bias

    @property
    def _padding(self):
        rows, columns = (
            (
                self.kernel_size // 2 + (taps - self.down + 1) // 2,
                self.kernel_size // 2 + (taps - self.down) // 2,
            )
            for taps in self.taps.shape
        )
        return rows, columns

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        number, *sides, _ = input_shape
        if self.down > 1:  # what the padding leaves of an odd side
            lost = self.down - 1 + self.kernel_size % 2
            sides = [None if side is None else (side - lost) // self.down + 1 for side in sides]
        return (number, *sides, self.filters)

    def get_config(self) -> Config:
        own = {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "down": self.down,
            "filter": self.filter,
            "use_bias": self.use_bias,
            "gain": self.gain,
        }
        return {**super().get_config(), **own}
