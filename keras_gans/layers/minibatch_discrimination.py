"""Minibatch discrimination: similarity of the examples of a batch as features."""

from typing import Any

import keras
from keras import ops

from keras_gans import checks
from keras_gans.typing import Config, Shape, Tensor


@keras.saving.register_keras_serializable("keras_gans")
class MinibatchDiscrimination(keras.layers.Layer):
    """Appends to each example its similarity to the others of its batch.

    A collapsed generator returns batches of near copies, which a discriminator of single images
    cannot detect. Here each example `x_i` is mapped to `num_kernels` vectors
    `M_i,b = x_i T_b` of length `kernel_dim`, and gains the features

        o(x_i)_b = sum over j of exp(-||M_i,b - M_j,b||_1)

    The sum runs over the whole batch *with* j = i, as the paper writes it: an example's own term
    is 1, so the features lie in [1, batch].

    Real and generated examples must be separate batches, as in the paper, and all batches must
    have one size: the features grow with it. On several replicas the batch is that
    of each replica. Gradient penalties, which need one gradient for each example, do not work with
    this layer. Memory grows with `batch ** 2 * num_kernels * kernel_dim`.

    Example:

    >>> layer = keras_gans.layers.MinibatchDiscrimination(1, 1, kernel_initializer="ones")
    >>> x = np.array([[0.0], [0.0], [1.0]])
    >>> layer(x).numpy().round(4)  # 1 + 1 + 1/e twice, and 1/e + 1/e + 1
    array([[0.    , 2.3679],
           [0.    , 2.3679],
           [1.    , 1.7358]], dtype=float32)

    Args:
        num_kernels: number B of features to append.
        kernel_dim: length C of the vectors that are compared.
        kernel_initializer: of the tensor T, kept as a matrix `(features, B * C)`.
        **kwargs: of `keras.layers.Layer`, such as `name` and `dtype`.

    Input shape:
        `(batch, features)`.

    Output shape:
        `(batch, features + num_kernels)`.

    Raises:
        ValueError: for numbers below 1, or an input of another rank.

    References:
        Salimans 2016, "Improved Techniques for Training GANs", section 3.2.
    """

    def __init__(
        self,
        num_kernels: int = 100,
        kernel_dim: int = 5,
        kernel_initializer: str | keras.initializers.Initializer = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_kernels = checks.count("num_kernels", num_kernels)
        self.kernel_dim = checks.count("kernel_dim", kernel_dim)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape: Shape) -> None:
        if len(input_shape) != 2 or input_shape[-1] is None:
            raise ValueError(
                "Minibatch discrimination compares vectors of a known length, shape "
                "`(batch, features)`. Put a `keras.layers.Flatten` before it. Received: shape "
                f"{tuple(input_shape)}"
            )
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.num_kernels * self.kernel_dim),
            initializer=self.kernel_initializer,
            name="kernel",
        )
        self.input_spec = keras.layers.InputSpec(ndim=2, axes={-1: input_shape[-1]})

    def call(self, inputs: Tensor) -> Tensor:
        # Distances are sums of many terms, and their exponentials small: float32.
        vectors = ops.cast(ops.matmul(inputs, self.kernel), "float32")
        vectors = ops.reshape(vectors, (-1, self.num_kernels, self.kernel_dim))
        gaps = ops.expand_dims(vectors, 1) - ops.expand_dims(vectors, 0)
        distances = ops.sum(ops.abs(gaps), axis=-1)  # (batch, batch, num_kernels)
        closeness = ops.sum(ops.exp(-distances), axis=1)
        return ops.concatenate([inputs, ops.cast(closeness, inputs.dtype)], axis=-1)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], input_shape[-1] + self.num_kernels)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "num_kernels": self.num_kernels,
            "kernel_dim": self.kernel_dim,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
