"""What GANs that take labels share, whatever their training step."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_gans import batches
from keras_gans import labels as class_labels
from keras_gans.adversarial import AdversarialModel
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
        if not self.conditions:  # of a GAN that may have them
            return (batches.real_images(data, shape, owner),)
        return batches.labelled_images(data, shape, owner, self.conditions)

    def drawn(self, *labels: tf.Tensor) -> Callee:
        """Returns the generator with these labels, as a function of latents."""
        return lambda latents, training: self.generator([latents, *labels], training=training)


class FewLabels(AdversarialModel):
    """Pairs `(images, labels)` to train on, with the label -1 for an image that has none.

    For a GAN that is also a classifier: inherit from this, then from the GAN, set `num_classes`,
    track `"accuracy"`, and define
    `class_logits(images, training=False)`, float32 `(batch, num_classes)`.
    """

    generator: keras.Model
    num_classes: int
    class_logits: Callee

    def images_and_labels(self, data: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the images of a batch, and their int32 labels: -1 where there is none."""
        images, labels = self._of_batch(data)
        return images, batches.within(labels, -1, self.num_classes - 1)

    def check_data(self, batch: Any) -> None:
        images, labels = self._of_batch(batch)
        batches.check_range(images)
        labels = np.asarray(labels)
        class_labels.require_range(labels[labels != -1], self.num_classes)

    def mean_weights(self, chosen: tf.Tensor) -> tf.Tensor:
        """Returns weights that turn a mean over the batch into one over the chosen images.

        Args:
            chosen: bool `(batch,)`.

        Returns:
            float32 `(batch,)`; zeros if none is chosen, on any replica.
        """
        mask = tf.cast(chosen, "float32")
        return tf.math.divide_no_nan(mask, self.mean_over_replicas(tf.reduce_mean(mask)))

    def count_right(self, labels: tf.Tensor, classes: tf.Tensor) -> None:
        """Adds the images with a label to the accuracy."""
        right = tf.cast(tf.argmax(classes, axis=-1, output_type="int32") == labels, "float32")
        self.trackers["accuracy"].update_state(right, tf.cast(labels >= 0, "float32"))

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Returns the accuracy of the classifier on held-out images."""
        images, labels = self.images_and_labels(data)
        self.count_right(labels, self.class_logits(images))
        return {"accuracy": self.get_metrics_result()["accuracy"]}

    def classify(self, images: ArrayLike, batch_size: int = 256) -> np.ndarray:
        """Returns the most likely class of each image, an int array `(num_images,)`."""
        found = batches.in_parts(
            lambda _, part: self.class_logits(part[0]),
            [np.asarray(images, "float32")],
            batch_size,
        )
        return np.argmax(found, axis=-1)

    def _of_batch(self, data):
        shape, owner = self.generator.output_shape[1:], type(self).__name__
        return batches.labelled_images(data, shape, owner, self.num_classes)
