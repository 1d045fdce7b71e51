"""Semi-supervised learning with GANs, Salimans et al. 2016 (arXiv:1606.03498), section 5."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_gans import batches, checks
from keras_gans import labels as class_labels
from keras_gans.adversarial import LOGITS, AdversarialModel, require_inputs


@keras.saving.register_keras_serializable("keras_gans")
class SemiSupervisedGAN(AdversarialModel):
    """The discriminator is a classifier of K classes and "generated", trained with few labels.

    The logit of "generated" is fixed at 0, so that `D(x) = Z / (Z + 1)`, where Z is the sum of the
    exponentials of the K class logits. D minimizes the cross-entropy of the labelled images plus
    the GAN's loss of the unlabelled and the generated ones. G matches features (section 3.1): it
    minimizes the squared distance between the mean features of generated and unlabelled images.

    >>> gan = keras_gans.SemiSupervisedGAN(
    ...     keras_gans.networks.dcgan_generator((28, 28, 1)),
    ...     keras_gans.networks.semi_supervised_discriminator((28, 28, 1), num_classes=10),
    ... )
    >>> gan.compile()
    >>> few = keras_gans.data.load("digits", labels=True, labels_per_class=10, split="train[:80%]")
    >>> # gan.fit(few, epochs=100); gan.evaluate(held_out) returns the accuracy

    Trained on pairs `(images, labels)`, with the label -1 for an image that has none.

    Args:
        generator: latents `(batch, latent_dim)` to images.
        discriminator: images to `[class logits (batch, K), features (batch, n)]`.
        **kwargs: `ema_decay`, `seed`, `name`: see `AdversarialModel`.

    Raises:
        ValueError: for networks that do not fit each other.
    """

    tracked = ("supervised_loss", "discriminator_loss", "generator_loss", "accuracy")
    num_classes: int

    def __init__(self, generator: keras.Model, discriminator: keras.Model, **kwargs: Any) -> None:
        super().__init__({"generator": generator}, {"discriminator": discriminator}, **kwargs)
        self.num_classes = checks.count("num_classes", discriminator.outputs[0].shape[-1], 2)

    def check_networks(self) -> None:
        require_inputs(self.generator, "latents")
        require_inputs(self.discriminator, "images")
        made, taken = self.generator.output_shape, tuple(self.discriminator.inputs[0].shape)
        ranks = [len(output.shape) for output in self.discriminator.outputs]
        if made != taken or ranks != [2, 2]:
            raise ValueError(
                "The discriminator must take the generator's images and return `[class logits "
                "(batch, K), features (batch, n)]`, as `networks.semi_supervised_discriminator` "
                f"does. Received: a generator of {made}, a discriminator from {taken} to "
                f"{[tuple(output.shape) for output in self.discriminator.outputs]}"
            )
        checks.linear_outputs(self.discriminator, self.discriminator.outputs[:1], LOGITS)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        real, labels = self.images_and_labels(data)
        labelled = tf.cast(labels >= 0, "float32")
        # Weights that turn a mean over the batch into one over the images with, or without, label.
        with_label = tf.math.divide_no_nan(labelled, self._share(labelled))
        without = tf.math.divide_no_nan(1.0 - labelled, self._share(1.0 - labelled))

        generator_tape = tf.GradientTape()
        with generator_tape:  # entered again below, after the discriminator has moved
            fake = self.generator(self.latents(real), training=True)

        with tf.GradientTape() as tape:
            classes, _ = self.classes_and_features(real)
            fake_classes, _ = self.classes_and_features(fake)
            right = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(labels, 0), classes)
            # -log D = softplus(-log Z), and -log(1 - D) = softplus(log Z).
            real_logits = tf.reduce_logsumexp(classes, axis=-1)
            fake_logits = tf.reduce_logsumexp(fake_classes, axis=-1)
            self.observe(real_logits, fake_logits)
            source = without * tf.nn.softplus(-real_logits) + tf.nn.softplus(fake_logits)
            losses = {"supervised_loss": with_label * right, "discriminator_loss": source}
        self.step("discriminator", tape, losses)
        self._count(labels, classes, labelled)

        _, features = self.classes_and_features(real)
        with generator_tape:
            _, fake_features = self.classes_and_features(fake)
            real_mean = self._mean(without[:, None] * features)
            distance = tf.reduce_mean((self._mean(fake_features) - real_mean) ** 2)
        self.step("generator", generator_tape, {"generator_loss": distance})
        self.update_averages()
        return self.get_metrics_result()

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Returns the accuracy of the classifier on held-out images."""
        images, labels = self.images_and_labels(data)
        classes, _ = self.discriminator(images, training=False)
        self._count(labels, classes, tf.cast(labels >= 0, "float32"))
        return {"accuracy": self.get_metrics_result()["accuracy"]}

    def classify(self, images: ArrayLike, batch_size: int = 256) -> np.ndarray:
        """Returns the most likely class of each image, an int array `(num_images,)`."""
        images, found = np.asarray(images, "float32"), []
        for start in range(0, len(images), checks.count("batch_size", batch_size)):
            classes, _ = self.discriminator(images[start : start + batch_size], training=False)
            found.append(np.argmax(classes, axis=-1))
        return np.concatenate(found)

    def images_and_labels(self, data: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the images of a batch, and their int32 labels: -1 where there is none."""
        shape, owner = self.generator.output_shape[1:], type(self).__name__
        images, labels = batches.labelled_images(data, shape, owner, self.num_classes)
        return images, batches.within(labels, -1, self.num_classes - 1)

    def check_data(self, batch: Any) -> None:
        shape, owner = self.generator.output_shape[1:], type(self).__name__
        images, labels = batches.labelled_images(batch, shape, owner, self.num_classes)
        batches.check_range(images)
        labels = np.asarray(labels)
        class_labels.require_range(labels[labels != -1], self.num_classes)

    def classes_and_features(self, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        classes, features = self.discriminator(images, training=True)
        return tf.cast(classes, "float32"), tf.cast(features, "float32")

    def default_optimizer(self) -> keras.optimizers.Optimizer:
        """Returns Adam(3e-4, beta_1=0.5). The authors use 3e-3 for dense networks on digits."""
        return keras.optimizers.Adam(3e-4, beta_1=0.5)

    def _mean(self, values):
        return self.mean_over_replicas(tf.reduce_mean(values, axis=0))

    def _share(self, mask):
        return self.mean_over_replicas(tf.reduce_mean(mask))

    def _count(self, labels, classes, weights):
        right = tf.cast(tf.argmax(classes, axis=-1, output_type="int32") == labels, "float32")
        self.trackers["accuracy"].update_state(right, weights)
