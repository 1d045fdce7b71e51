"""Semi-supervised learning with GANs, Salimans et al. 2016 (arXiv:1606.03498), section 5."""

from typing import Any

import keras
import tensorflow as tf

from keras_gans import checks
from keras_gans.adversarial import LOGITS, require_inputs
from keras_gans.models.labelled import FewLabels


@keras.saving.register_keras_serializable("keras_gans")
class SemiSupervisedGAN(FewLabels):
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
        with_label, without = self.mean_weights(labels >= 0), self.mean_weights(labels < 0)

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
        self.count_right(labels, classes)

        _, features = self.classes_and_features(real)
        with generator_tape:
            _, fake_features = self.classes_and_features(fake)
            real_mean = self._mean(without[:, None] * features)
            distance = tf.reduce_mean((self._mean(fake_features) - real_mean) ** 2)
        self.step("generator", generator_tape, {"generator_loss": distance})
        self.update_averages()
        return self.get_metrics_result()

    def class_logits(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Returns the logits of the classes, float32 `(batch, num_classes)`."""
        return tf.cast(self.discriminator(images, training=training)[0], "float32")

    def classes_and_features(self, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        classes, features = self.discriminator(images, training=True)
        return tf.cast(classes, "float32"), tf.cast(features, "float32")

    def default_optimizer(self) -> keras.optimizers.Optimizer:
        """Returns Adam(3e-4, beta_1=0.5). The authors use 3e-3 for dense networks on digits."""
        return keras.optimizers.Adam(3e-4, beta_1=0.5)

    def _mean(self, values):
        return self.mean_over_replicas(tf.reduce_mean(values, axis=0))
