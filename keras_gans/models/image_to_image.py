"""What image-to-image GANs share, whatever their training step."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_gans import batches


class ImageToImage:
    """Pairs `(source, target)` to train on, and `generate(images)`.

    For a GAN whose generator takes images: inherit from this, then from `AdversarialModel`.
    """

    def pairs(self, data: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the sources and targets of a batch, float32, checked against the networks."""
        made, taken = self.generator.output_shape[1:], tuple(self.generator.inputs[0].shape)[1:]
        return batches.image_pairs(data, taken, made, type(self).__name__)

    def check_data(self, batch: Any) -> None:
        for images in self.pairs(batch):
            batches.check_range(images)

    def translate(
        self,
        generator: keras.Model,
        images: ArrayLike,
        batch_size: int = 8,
        seed: ArrayLike | None = None,
    ) -> np.ndarray:
        """Returns a generator's outputs for images `(number, *image_shape)`, a NumPy array.

        `seed`, two integers, is for a generator that takes `[images, seed]`:
        `networks.stochastic`.
        """
        images = np.asarray(images)
        shape = tuple(generator.inputs[0].shape)[1:]
        if images.ndim != 4 or not len(images) or not _fits(images.shape[1:], shape):
            raise ValueError(
                "These images do not fit the generator. Expected a batch of shape (number, "
                f"{', '.join(map(str, shape))}). Received: shape {images.shape}"
            )
        if images.dtype.kind != "f":
            raise ValueError(
                "Images must be floats in [-1, 1]. Convert them with "
                f"`keras_gans.image.from_uint8`. Received: {images.dtype}"
            )
        batches.require_range(images)

        def call(start, part):
            if seed is not None:  # different noise for each part
                part += [tf.random.experimental.stateless_fold_in(seed, start, alg="philox")]
            return generator(part if len(part) > 1 else part[0], training=False)

        return batches.in_parts(call, [images.astype("float32")], batch_size)


def _fits(shape, expected):
    return len(shape) == len(expected) and all(b in (None, a) for a, b in zip(shape, expected))


def require_images(generator: keras.Model, name: str = "generator") -> None:
    """Raises ValueError unless the generator is image-to-image."""
    shapes = [tuple(x.shape) for x in generator.inputs]
    made = [len(x.shape) for x in generator.outputs]
    if len(shapes) != 1 or len(shapes[0]) != 4 or made != [4]:
        raise ValueError(
            f"The {name} must be image-to-image, as `keras_gans.networks.unet_generator` and "
            f"`resnet_generator` do. Received: {generator.name!r} from {shapes} to "
            f"{generator.output_shape}"
        )
