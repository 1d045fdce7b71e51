"""What class-conditional GANs share, whatever their training step."""

from typing import Any

import numpy as np
import tensorflow as tf

from keras_gans import batches
from keras_gans import labels as class_labels
from keras_gans.typing import Callee


class Labelled:
    """Pairs `(images, labels)` to train on, where labels may be those of several conditions.

    For a GAN whose generator takes `[latents, *labels]`: inherit from this, then from the GAN.
    """

    @property
    def conditions(self) -> dict[str, int]:
        """Numbers of classes by the names of the generator's inputs of labels, in order."""
        return {port.name: port.num_classes for port in self.interface("generator").labels}

    def images_and_labels(self, data: Any) -> tuple[tf.Tensor, ...]:
        """Returns the images and the int32 labels of a batch; a label out of range is an error.

        Labels of several conditions follow one another in the order of `conditions`.
        """
        images, *labels = self._of_batch(data)
        sizes = self.conditions.values()
        return images, *(batches.within(y, 0, size - 1) for y, size in zip(labels, sizes))

    def check_data(self, batch: Any) -> None:
        images, *labels = self._of_batch(batch)
        batches.check_range(images)
        for y, (name, size) in zip(labels, self.conditions.items()):
            class_labels.require_range(np.asarray(y), size, name)
        self.check_parts(images, self.discriminator_steps, "discriminator_steps")

    def _of_batch(self, data):
        shape, owner = self.generator.output_shape[1:], type(self).__name__
        return batches.labelled_images(data, shape, owner, self.conditions)

    def drawn(self, *labels: tf.Tensor) -> Callee:
        """Returns the generator with these labels, as a function of latents."""
        return lambda latents, training: self.generator([latents, *labels], training=training)
