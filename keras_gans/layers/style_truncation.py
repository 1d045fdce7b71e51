"""Truncation in the space of styles, and their average."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_gans import checks
from keras_gans.typing import Config, Shape, Tensor


@keras.saving.register_keras_serializable("keras_gans")
class StyleTruncation(keras.layers.Layer):
    """Gives every layer of a synthesis network its style vector, moved towards the average.

    `average + psi * (w - average)`: less than 1 gives more typical images and less variety, 0 the
    average image, and above 1 exaggerates. In training `psi` is 1.

    >>> layer = keras_gans.layers.StyleTruncation(num_styles=8, psi=0.7)
    >>> layer(np.ones((2, 16))).shape
    TensorShape([2, 8, 16])

    Args:
        num_styles: style vectors that the synthesis network takes.
        psi: at inference, a finite number.
        cutoff: how many of the first style vectors are truncated; `None` for all.
        **kwargs: of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: styles `(batch, size)`, one for all layers; or `(batch, num_styles, size)`.
        psi: a number, or a tensor `(batch,)`, in the place of the layer's own, also in training.
        cutoff: an integer in the place of the layer's own.

    Output shape:
        `(batch, num_styles, size)`.

    Raises:
        ValueError: for a `psi` that is no finite number, a `cutoff` outside of 0 to `num_styles`,
            or another number of style vectors.

    References:
        Karras 2019, "A Style-Based Generator Architecture for Generative Adversarial Networks",
        appendix B.
    """

    def __init__(
        self, num_styles: int, psi: float = 1.0, cutoff: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.num_styles = checks.count("num_styles", num_styles)
        self.psi = float(checks.floats("psi", psi))
        self.cutoff = self._require_cutoff(cutoff)

    def build(self, input_shape: Shape) -> None:
        if len(input_shape) == 3 and input_shape[1] != self.num_styles:
            raise ValueError(
                "There must be a style vector for each layer of the synthesis network. Expected "
                f"(batch, {self.num_styles}, size), or (batch, size) with one for all. "
                f"Received: shape {tuple(input_shape)}"
            )
        self.average = self.add_weight(
            shape=input_shape[-1:], initializer="zeros", trainable=False, name="average"
        )

    @property
    def style_shape(self) -> tuple[int, int]:
        """How many style vectors there are, and the length of one."""
        return self.num_styles, self.average.shape[0]

    def call(
        self,
        inputs: Tensor,
        psi: Tensor | float | None = None,
        cutoff: int | None = None,
        training: bool = False,
    ) -> Tensor:
        w = inputs
        if len(w.shape) == 2:
            w = ops.repeat(ops.expand_dims(w, 1), self.num_styles, axis=1)
        if psi is None:
            psi = 1.0 if training else self.psi
        cutoff = self.cutoff if cutoff is None else self._require_cutoff(cutoff)
        if isinstance(psi, (int, float)) and psi == 1.0:
            return w
        truncated = np.arange(self.num_styles) < (self.num_styles if cutoff is None else cutoff)
        psi = ops.reshape(ops.cast(psi, w.dtype), (-1, 1, 1))
        factor = 1.0 + (psi - 1.0) * ops.cast(truncated[None, :, None], w.dtype)
        return self.average + factor * (w - self.average)

    def update_average(self, w: Tensor, decay: float = 0.995) -> None:
        """Moves the average towards the mean of styles: once in each training step.

        Args:
            w: `(batch, size)`, as the mapping network made them.
            decay: share of the old average that stays; 0.995 is the authors'.
        """
        mean = ops.mean(ops.cast(w, self.average.dtype), axis=0)
        self.average.assign(decay * self.average + (1.0 - decay) * mean)

    def compute_output_shape(self, input_shape: Shape, *_: Any, **__: Any) -> Shape:
        return (input_shape[0], self.num_styles, input_shape[-1])

    def get_config(self) -> Config:
        own = {"num_styles": self.num_styles, "psi": self.psi, "cutoff": self.cutoff}
        return {**super().get_config(), **own}

    def _require_cutoff(self, cutoff):
        if cutoff is None or checks.count("cutoff", cutoff, 0) <= self.num_styles:
            return cutoff
        raise ValueError(
            f"`cutoff` counts the style vectors that are truncated. Expected 0 to "
            f"{self.num_styles}, or None. Received: cutoff={cutoff}"
        )
