"""Batch normalisation with a gamma and a beta for each class."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_gans import checks
from keras_gans.typing import Config, Shape, Tensor


@keras.saving.register_keras_serializable("keras_gans")
class ConditionalBatchNormalization(keras.layers.Layer):
    """Normalises over the batch, then scales and shifts each example by its class.

    `gamma[y] * (x - mean) / sqrt(variance + epsilon) + beta[y]`: statistics are those of all
    classes together, gamma (initially 1) and beta (initially 0) are `(num_classes, channels)`.

    Example:

    >>> layer = keras_gans.layers.ConditionalBatchNormalization(2)
    >>> layer.build([(None, 1), (None,)])
    >>> _ = layer.beta.assign([[0.0], [10.0]])
    >>> layer([np.array([[-1.0], [1.0]]), np.array([0, 1])], training=True).numpy().round(2)
    array([[-1.],
           [11.]], dtype=float32)

    Args:
        num_classes: number of classes, 2 or more.
        momentum: of the moving statistics.
        epsilon: added to the variance.
        synchronized: whether statistics are those of the batch of all replicas.
        **kwargs: of `keras.layers.Layer`, such as `name` and `dtype`.

    Input shape:
        `[(batch, ..., channels), (batch,)]`: examples, and integer labels from 0 to
        `num_classes - 1`.

    Output shape:
        `(batch, ..., channels)`.

    Raises:
        ValueError: for fewer than two classes, or inputs that are not such a pair.

    References:
        Dumoulin 2017, "A Learned Representation for Artistic Style", equation 5; Miyato 2018,
        "cGANs with Projection Discriminator", section 4.
    """

    def __init__(
        self,
        num_classes: int,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_classes = checks.count("num_classes", num_classes, 2)
        self.momentum, self.epsilon, self.synchronized = momentum, epsilon, synchronized
        self.normalization = keras.layers.BatchNormalization(
            momentum=momentum,
            epsilon=epsilon,
            center=False,
            scale=False,
            synchronized=synchronized,
            dtype=self.dtype_policy,
        )

    def build(self, input_shape: Sequence[Shape]) -> None:
        pair = isinstance(input_shape, (list, tuple)) and len(input_shape) == 2
        shapes = [tuple(s) if isinstance(s, (list, tuple)) else s for s in input_shape]
        if not pair or not all(isinstance(s, tuple) for s in shapes) or len(shapes[1]) != 1:
            raise ValueError(
                "Conditional batch normalisation takes `[examples, labels]`, of the shapes "
                f"(batch, ..., channels) and (batch,). Received: shapes {shapes}"
            )
        if None not in (shapes[0][0], *shapes[1]) and shapes[0][0] != shapes[1][0]:
            raise ValueError(
                "Each example needs one label, so both batches must be of one size. Received: "
                f"shapes {shapes}"
            )
        self.normalization.build(shapes[0])
        size = (self.num_classes, shapes[0][-1])
        self.gamma = self.add_weight(shape=size, initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=size, initializer="zeros", name="beta")

    def call(self, inputs: Sequence[Tensor], training: bool = False) -> Tensor:
        examples, labels = inputs
        if "int" not in keras.backend.standardize_dtype(labels.dtype):
            raise ValueError(
                "Labels are integers, the numbers of the classes. Declare them as "
                f"`keras.Input((), dtype='int32')`. Received: {labels.dtype}"
            )
        normal = self.normalization(examples, training=training)
        ones = (1,) * (len(examples.shape) - 2)

        def chosen(weights):
            rows = ops.take(ops.cast(weights, normal.dtype), ops.cast(labels, "int32"), axis=0)
            return ops.reshape(rows, (-1, *ones, examples.shape[-1]))

        return chosen(self.gamma) * normal + chosen(self.beta)

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        return input_shape[0]

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "synchronized": self.synchronized,
        }
