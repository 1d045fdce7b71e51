"""A constraint on transposed convolutions, which keeps flat feature maps flat."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_gans import checks
from keras_gans.typing import Config, Tensor


@keras.saving.register_keras_serializable("keras_gans")
class BalancedKernel(keras.constraints.Constraint):
    """Gives the pixels of each block that a transposed convolution writes one sum of weights.

    Of a stride of 2, each of the four pixels of a block is written by other weights of the kernel.
    Where their sums differ, a flat feature map becomes a grid of period 2. After each step of the
    optimizer the difference is taken evenly from the weights of each pixel. It costs nothing at
    inference, and the layer stays what it is.

    >>> kernel = np.array([[1.0, 0.0], [3.0, 0.0]]).reshape(2, 2, 1, 1)
    >>> np.squeeze(BalancedKernel()(kernel)).tolist()
    [[1.0, 1.0], [1.0, 1.0]]

    Args:
        strides: of the transposed convolution, in both directions.

    Raises:
        ValueError: when called, for a kernel that is smaller than its stride.
    """

    def __init__(self, strides: int = 2) -> None:
        self.strides = checks.count("strides", strides)

    def __call__(self, w: Tensor) -> Tensor:
        if min(w.shape[:2]) < self.strides:
            raise ValueError(
                "Some pixels would be written by no weight of the kernel. Expected a kernel of at "
                f"least {self.strides} pixels a side. Received: a kernel of shape {tuple(w.shape)}"
            )
        # Which phase each row and each column of the kernel belongs to, as ones and zeros.
        phases = [
            np.eye(self.strides, dtype="float32")[np.arange(side) % self.strides]
            for side in w.shape[:2]
        ]
        rows, columns = (ops.cast(phase, w.dtype) for phase in phases)
        numbers = np.multiply.outer(*(phase.sum(axis=0) for phase in phases))[..., None, None]
        sums = ops.einsum("hwab,hs,wt->stab", w, rows, columns)
        missing = (ops.mean(sums, axis=(0, 1), keepdims=True) - sums) / ops.cast(numbers, w.dtype)
        return w + ops.einsum("stab,hs,wt->hwab", missing, rows, columns)

    def get_config(self) -> Config:
        return {"strides": self.strides}


@keras.saving.register_keras_serializable("keras_gans")
def balanced_normal(shape: Any, dtype: Any = None) -> Tensor:
    """Draws a kernel from N(0, 0.02), and balances it for a stride of 2."""
    return BalancedKernel()(keras.initializers.RandomNormal(stddev=0.02)(shape, dtype=dtype))
