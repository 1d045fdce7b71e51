"""What image-to-image GANs share, whatever their training step."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_gans import batches, generation


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
        """Returns a generator's outputs for images: see `keras_gans.generation.translate`."""
        return generation.translate(generator, images, batch_size, seed)


def require_images(generator: keras.Model, name: str = "generator") -> None:
    """Raises ValueError unless the generator is image-to-image."""
    shapes = [tuple(x.shape) for x in generator.inputs]
    made = [len(x.shape) for x in generator.outputs]
    if len(shapes) != 1 or len(shapes[0]) != 4 or made != [4]:
        raise ValueError(
            f"The {name} must be image-to-image, as `keras_gans.networks.unet_generator` and "
            f"`resnet_generator` are. Received: {generator.name!r} from {shapes} to "
            f"{generator.output_shape}"
        )
