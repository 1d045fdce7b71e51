"""Reflection padding, which avoids dark borders of translated images."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_gans.typing import Config, Shape, Tensor


@keras.saving.register_keras_serializable("keras_gans")
class ReflectionPadding2D(keras.layers.Layer):
    """Pads images with their reflection; the border pixels are not repeated.

    Zero padding is an edge to convolutions, and causes artefacts in their outputs.

    Example:

    >>> x = np.arange(3.0).reshape(1, 1, 3, 1)
    >>> layer = keras_gans.layers.ReflectionPadding2D((0, 2))
    >>> layer(x).numpy().ravel()
    array([2., 1., 0., 1., 2., 1., 0.], dtype=float32)

    Args:
        padding: pixels, as `keras.layers.ZeroPadding2D` takes them: one integer for all sides;
            `(height, width)`; or `((top, bottom), (left, right))`.
        **kwargs: of `keras.layers.Layer`, such as `name` and `dtype`.

    Input shape:
        `(batch, height, width, channels)`, each side longer than its padding.

    Output shape:
        `(batch, top + height + bottom, left + width + right, channels)`.

    Raises:
        ValueError: for a padding of another form, or as large as the image.

    References:
        Zhu 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
        Networks", section 7.2.
    """

    def __init__(
        self, padding: int | Sequence[int] | Sequence[Sequence[int]] = 1, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.padding = _pairs(padding)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        sides = []
        for size, pads in zip(input_shape[1:3], self.padding):
            if size is not None and max(pads) >= size:
                raise ValueError(
                    "Reflection needs an image that is larger than the padding on each side. Pad "
                    "less, or where the image is larger. "
                    f"Received: padding={self.padding}, shape {tuple(input_shape)}"
                )
            sides.append(None if size is None else pads[0] + size + pads[1])
        return (input_shape[0], *sides, input_shape[3])

    def build(self, input_shape: Shape) -> None:
        self.compute_output_shape(input_shape)  # raises for a wrong shape

    def call(self, inputs: Tensor) -> Tensor:
        return ops.pad(inputs, ((0, 0), *self.padding, (0, 0)), mode="reflect")

    def get_config(self) -> Config:
        return {**super().get_config(), "padding": self.padding}


def _pairs(padding):
    """Any form of padding as `((top, bottom), (left, right))`."""

    def count(value):
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0

    pairs = (padding, padding) if count(padding) else padding
    if isinstance(pairs, (tuple, list)) and len(pairs) == 2:
        pairs = tuple((p, p) if count(p) else p for p in pairs)
        if all(isinstance(p, (tuple, list)) and len(p) == 2 and all(map(count, p)) for p in pairs):
            return tuple(tuple(p) for p in pairs)
    raise ValueError(
        "`padding` must be an integer from 0, `(height, width)`, or "
        f"`((top, bottom), (left, right))`. Received: padding={padding!r}"
    )
