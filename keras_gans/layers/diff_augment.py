"""Differentiable augmentation, for training a discriminator on few images."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_gans.layers.seeded_layer import SeededLayer
from keras_gans.names import did_you_mean
from keras_gans.typing import Config, Shape, Tensor


@keras.saving.register_keras_serializable("keras_gans")
class DiffAugment(SeededLayer):
    """Augments the inputs of a discriminator in training by differentiable operations.

    As the first layer of a discriminator it changes real and generated images alike, in the steps
    of both sides, so that the generator does not learn to imitate the changes. Each image has its
    own random numbers at every call:

    - `"color"`: brightness plus U[-0.5, 0.5], then saturation (the difference of each channel
      from their mean) times U[0, 2], then contrast (the difference of each value from the image's
      mean) times U[0.5, 1.5];
    - `"translation"`: shifted by up to an eighth of each side, in whole pixels, padded with 0;
    - `"cutout"`: a rectangle of half of each side, its centre anywhere, set to 0.

    They are applied in this order. At inference the layer does nothing, on any backend of Keras;
    random numbers are drawn with TensorFlow.

    Example:

    >>> x = np.ones((1, 4, 4, 1))
    >>> layer = keras_gans.layers.DiffAugment(["cutout"], seed=1)
    >>> float(layer(x).numpy().mean()), bool(layer(x, training=True).numpy().mean() < 1.0)
    (1.0, True)

    Args:
        policy: names of the augmentations, some of the three.
        seed: integer from which the numbers are drawn; `None` draws one.
        **kwargs: of `keras.layers.Layer`, such as `name` and `dtype`.

    Input shape:
        `(batch, height, width, channels)`, in [-1, 1], sizes known.

    Output shape:
        The same. Values may leave [-1, 1].

    Raises:
        ValueError: for an unknown policy, or an input that is not an image.

    References:
        Zhao 2020, "Differentiable Augmentation for Data-Efficient GAN Training" (arXiv:2006.10738).
    """

    def __init__(
        self,
        policy: str | Sequence[str] = ("color", "translation", "cutout"),
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        given = [policy] if isinstance(policy, str) else list(policy or ())
        for name in given or [None]:
            if name not in _POLICIES:
                raise ValueError(
                    f"No augmentation of that name.{did_you_mean(name, _POLICIES)} Expected some "
                    f"of {list(_POLICIES)}. Received: policy={policy!r}"
                )
        self.policy = [name for name in _POLICIES if name in given]

    def build(self, input_shape: Shape) -> None:
        if len(input_shape) != 4 or None in input_shape[1:]:
            raise ValueError(
                "Only images are augmented, shape (batch, height, width, channels) with known "
                f"sizes. Received: shape {tuple(input_shape)}"
            )
        super().build(input_shape)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        self.require_floats(inputs)
        if not training:
            return inputs
        import tensorflow as tf  # here, so that a trained network runs without it

        # Float32: half precision has too few values between one brightness and the next.
        images, (seed, _) = tf.cast(inputs, "float32"), self.next_seed()
        for name, one in zip(self.policy, tf.unstack(tf.random.split(seed, 3, alg="philox"))):
            # Three numbers from U[0, 1) for each image.
            shape = (3, tf.shape(images)[0], 1, 1, 1)
            images = _POLICIES[name](images, tf.random.stateless_uniform(shape, one, alg="philox"))
        return tf.cast(images, inputs.dtype)

    def get_config(self) -> Config:
        return {**super().get_config(), "policy": self.policy}


def _color(images, draws):
    ops = keras.ops
    images = images + (draws[0] - 0.5)
    grey = ops.mean(images, axis=3, keepdims=True)
    images = (images - grey) * (2.0 * draws[1]) + grey
    mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
    return (images - mean) * (draws[2] + 0.5) + mean


def _translation(images, draws):
    ops = keras.ops
    height, width, channels = images.shape[1:]
    places, inside = [], 1.0
    for size, draw in ((height, draws[0]), (width, draws[1])):
        most = int(size / 8 + 0.5)
        shift = ops.cast(ops.floor(draw[..., 0, 0] * (2 * most + 1)), "int32") - most  # (batch, 1)
        places.append(ops.expand_dims(ops.arange(size), 0) - shift)
    down, right = ops.expand_dims(places[0], 2), ops.expand_dims(places[1], 1)
    for place, size in ((down, height), (right, width)):
        inside = inside * ops.cast(ops.logical_and(place >= 0, place < size), "float32")
    # One gather of pixels, and 0 for those from outside: fewer operations than matrices of lines.
    first = ops.reshape(ops.arange(ops.shape(images)[0]), (-1, 1, 1)) * (height * width)
    pixels = first + ops.clip(down, 0, height - 1) * width + ops.clip(right, 0, width - 1)
    moved = ops.take(ops.reshape(images, (-1, channels)), pixels, axis=0)
    return moved * ops.expand_dims(inside, 3)


def _cutout(images, draws):
    ops = keras.ops
    inside = 1.0
    for axis, draw in ((1, draws[0]), (2, draws[1])):
        size = images.shape[axis]
        side = int(size / 2 + 0.5)
        start = ops.floor(draw * (size + 1 - side % 2)) - side // 2  # (batch, 1, 1, 1)
        line = ops.reshape(
            ops.arange(size, dtype="float32"), (1, size, 1, 1) if axis == 1 else (1, 1, size, 1)
        )
        covered = ops.logical_and(line >= start, line < start + side)
        inside = inside * ops.cast(covered, "float32")
    return images * (1.0 - inside)


_POLICIES = {"color": _color, "translation": _translation, "cutout": _cutout}
