"""Base of layers with random numbers, different at every call and on every replica."""

from typing import Any

import keras
from keras import ops

from keras_gans.typing import Config, Shape, Tensor


class SeededLayer(keras.layers.Layer):
    """A layer with a seed and a count of its training calls, which resume exactly.

    Both are one weight, so that a loaded layer continues the random numbers of the saved one. Each
    replica has its own count, and all counts are equal.

    Args:
        seed: integer from which the numbers are drawn; `None` draws one.
        **kwargs: of `keras.layers.Layer`.

    Raises:
        ValueError: for a seed out of range.
    """

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if seed is None:  # drawn as Keras draws its own: `set_random_seed` repeats it
            seed = int(keras.random.randint((), 0, 2**31 - 1))
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**31:
            raise ValueError(
                f"`seed` must be an integer from 0 to 2**31 - 1, or None. Received: seed={seed!r}"
            )
        self.seed = seed

    def build(self, input_shape: Shape) -> None:
        self.seed_and_calls = self.add_weight(
            shape=(2,),
            initializer=lambda shape, dtype=None: ops.convert_to_tensor([self.seed, 0], dtype),
            dtype="int32",
            trainable=False,
            name="seed_and_calls",
        )

    def next_seed(self) -> tuple[Tensor, Tensor]:
        """Returns a stateless seed of this call and replica, and the number of earlier calls."""
        import tensorflow as tf  # here, so that a trained network runs without it

        seed = tf.convert_to_tensor(self.seed_and_calls)
        self.seed_and_calls.assign(tf.stack([seed[0], seed[1] + 1]))
        context = tf.distribute.get_replica_context()
        replica = 0 if context is None else context.replica_id_in_sync_group
        return tf.random.experimental.stateless_fold_in(seed, replica, alg="philox"), seed[1]

    def require_floats(self, images: Tensor) -> None:
        """Raises ValueError for images in integers, which a change of colours would not fit."""
        if not keras.backend.is_float_dtype(images.dtype):
            raise ValueError(
                "Images must be floats in [-1, 1]. Turn integers into them with "
                "`keras_gans.image.from_uint8`. Received: images of dtype "
                f"{keras.backend.standardize_dtype(images.dtype)}"
            )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> Config:
        return {**super().get_config(), "seed": self.seed}
