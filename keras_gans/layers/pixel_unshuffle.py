"""Space to depth: turns pixels into channels."""

from typing import Any

import keras
from keras import ops

from keras_gans import checks
from keras_gans.typing import Config, Shape, Tensor


@keras.saving.register_keras_serializable("keras_gans")
class PixelUnshuffle(keras.layers.Layer):
    """Turns each block of `factor` times `factor` pixels into the channels of one.

    The inverse of `PixelShuffle`, with its order of channels: channel c of the pixel at row dy and
    column dx of a block becomes channel `(dy * factor + dx) * channels + c`, as in
    `tf.nn.space_to_depth`. PyTorch's order is another: `layers.pixel_shuffle.pytorch_channels`.

    Example:

    >>> x = np.arange(4.0).reshape(1, 2, 2, 1)
    >>> PixelUnshuffle(2)(x).numpy().tolist()
    [[[[0.0, 1.0, 2.0, 3.0]]]]

    Args:
        factor: how many times smaller each side becomes, 1 or more.
        **kwargs: of `keras.layers.Layer`, such as `name` and `dtype`.

    Input shape:
        `(batch, factor * height, factor * width, channels)`.

    Output shape:
        `(batch, height, width, factor ** 2 * channels)`.

    Raises:
        ValueError: for a factor below 1, or an image whose sides are not multiples of it.

    References:
        Wang 2021, "Real-ESRGAN: Training Real-World Blind Super-Resolution with Pure Synthetic
        Data", section 3.3.
    """

    def __init__(self, factor: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = checks.count("factor", factor)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        number, *sides, channels = input_shape
        if any(side is not None and side % self.factor for side in sides):
            raise ValueError(
                f"The image cannot be split into blocks of pixels: both sides must be multiples of "
                f"{self.factor}. Pad it, and crop the output. "
                f"Received: factor={self.factor}, shape {tuple(input_shape)}"
            )
        sides = (None if side is None else side // self.factor for side in sides)
        return (number, *sides, channels * self.factor**2)

    def build(self, input_shape: Shape) -> None:
        self.compute_output_shape(input_shape)  # raises for a wrong shape

    def call(self, inputs: Tensor) -> Tensor:
        self.compute_output_shape(tuple(inputs.shape))  # a size that was unknown may be known now
        # One transposition of four axes, as in `PixelShuffle`.
        height, width = (side // self.factor for side in ops.shape(inputs)[1:3])
        factor, channels = self.factor, inputs.shape[-1]
        x = ops.reshape(inputs, (-1, factor, width, factor * channels))
        x = ops.transpose(x, (0, 2, 1, 3))
        return ops.reshape(x, (-1, height, width, factor**2 * channels))

    def get_config(self) -> Config:
        return {**super().get_config(), "factor": self.factor}
