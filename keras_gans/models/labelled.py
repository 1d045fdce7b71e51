"""What class-conditional GANs share, whatever their training step."""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_gans import batches
from keras_gans import labels as class_labels
from keras_gans.typing import Callee


class Labelled:
    """Pairs `(images, labels)` to train on, and `generate(labels=...)`.

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

    def generate(
        self,
        num_images: int = 16,
        *,
        labels: ArrayLike | None = None,
        latents: ArrayLike | None = None,
        truncation: float | None = None,
        seed: int | None = None,
        batch_size: int = 64,
    ) -> np.ndarray:
        """Generates images of given classes, the same ones for the same seed.

        >>> digits = gan.generate(10, labels=7, seed=0)  # doctest: +SKIP

        Args:
            num_images: how many; ignored when `latents` are given.
            labels: integers `(num_images,)`, or one integer for all. `None` for 0, 1, 2, ... in
                turn, so that a grid of `num_classes` columns has a class in each.
            latents: float array `(num_images, latent_dim)` to use instead of drawing.
            truncation: largest size of a latent's coordinate (Brock 2019, section 3.1).
            seed: integer; fewer images are the first of more. `None` draws new ones at each call.
            batch_size: how many to generate at once.

        Returns:
            float32 numpy array `(num_images, *image_shape)`, in the generator's range: [-1, 1]
            for images.

        Raises:
            ValueError: for labels that are out of range or no integers, or not one for each image.
        """
        latents = self.given_latents(num_images, latents, truncation, seed)
        if labels is None:
            labels = np.arange(len(latents)) % self.num_classes
        labels = class_labels.require(labels, self.num_classes, len(latents))
        return self.run_generator(latents, labels, batch_size=batch_size)
