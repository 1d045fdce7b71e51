"""What class-conditional GANs share, whatever their training step."""

from typing import Any

import numpy as np
import tensorflow as tf

from keras_gans import batches
from keras_gans import labels as class_labels
from keras_gans.typing import Callee


class Labelled:
    """Pairs `(images, labels)` to train on.

    For a GAN whose generator takes `[latents, labels]`: inherit from this, then from the GAN.
    """

    def images_and_labels(self, data: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the images and the int32 labels of a batch; a label out of range is an error."""
        shape, owner = self.generator.output_shape[1:], type(self).__name__
        images, labels = batches.labelled_images(data, shape, owner, self.num_classes)
        return images, batches.within(labels, 0, self.num_classes - 1)

    def check_data(self, batch: Any) -> None:
        images, labels = batches.labelled_images(
            batch, self.generator.output_shape[1:], type(self).__name__, self.num_classes
        )
        batches.check_range(images)
        class_labels.require_range(np.asarray(labels), self.num_classes)
        self.check_parts(images, self.discriminator_steps, "discriminator_steps")

    def drawn(self, labels: tf.Tensor) -> Callee:
        """Returns the generator with these labels, as a function of latents."""
        return lambda latents, training: self.generator([latents, labels], training=training)
