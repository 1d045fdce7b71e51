"""Auxiliary Classifier GAN, Odena et al. 2017 (arXiv:1610.09585)."""

from typing import Any

import keras
import tensorflow as tf

from keras_gans import checks
from keras_gans import labels as class_labels
from keras_gans.adversarial import require_fit, require_inputs, require_outputs
from keras_gans.losses import AdversarialLoss
from keras_gans.models.gan import GAN
from keras_gans.models.labelled import Labelled
from keras_gans.typing import Config, Penalties


@keras.saving.register_keras_serializable("keras_gans")
class ACGAN(Labelled, GAN):
    """The discriminator takes no label: it predicts the class with a second head (section 3).

    With L_S the log-likelihood of the right source and L_C that of the right class, D maximizes
    L_S + L_C on real and generated images, and G maximizes L_C - L_S. Each generated image has the
    label of the real image at the same place in the batch.

    >>> gan = keras_gans.ACGAN(
    ...     keras_gans.networks.conditional_dcgan_generator((28, 28, 1), num_classes=10),
    ...     keras_gans.networks.acgan_discriminator((28, 28, 1), num_classes=10),
    ... )
    >>> gan.tracked[:2]
    ('discriminator_loss', 'discriminator_class_loss')

    Args:
        generator: `[latents (batch, latent_dim), labels (batch,)]` to images.
        discriminator: images to `[logits (batch, 1), class logits (batch, num_classes)]`.
        class_weight: of L_C, on both sides.
        loss: name of an adversarial loss, or a `losses.AdversarialLoss`, in place of L_S.
        penalties: names of `keras_gans.penalties` to their weights.
        **kwargs: `ema_decay`, `seed`, `name`: see `AdversarialModel`.

    Raises:
        ValueError: for networks that do not fit each other.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        class_weight: float = 1.0,
        loss: str | AdversarialLoss = "non_saturating",
        penalties: Penalties | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(generator, discriminator, loss=loss, penalties=penalties, **kwargs)
        self.num_classes = class_labels.num_classes(generator)
        require_outputs(discriminator, logits=1, classes=self.num_classes)
        self.class_weight = checks.weight("class_weight", class_weight)
        self.tracked = ("discriminator_loss", "discriminator_class_loss", *self.penalties)
        self.tracked += ("generator_loss", "generator_class_loss")

    def check_networks(self) -> None:
        require_inputs(self.generator, "latents", "labels")
        require_inputs(self.discriminator, "images")
        require_fit(self.generator, self.discriminator)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        real, labels = self.images_and_labels(data)

        generator_tape = tf.GradientTape()
        with generator_tape:  # entered again below, after the discriminator has moved
            fake = self.generator([self.latents(real), labels], training=True)

        with tf.GradientTape() as tape:
            real_logits, real_classes = self.discriminator(real, training=True)
            fake_logits, fake_classes = self.discriminator(fake, training=True)
            self.observe(real_logits, fake_logits)
            source = self.adversarial_loss.discriminator(real_logits, fake_logits, self.next_seed())
            right = self.class_loss(labels, real_classes) + self.class_loss(labels, fake_classes)
            losses = {"discriminator_loss": source, "discriminator_class_loss": right}
            losses |= self.weighted_penalties(real, fake, self.source)
        self.step("discriminator", tape, losses)

        with generator_tape:
            fake_logits, fake_classes = self.discriminator(fake, training=True)
            losses = {
                "generator_loss": self.generator_loss(fake_logits, real, self.source),
                "generator_class_loss": self.class_loss(labels, fake_classes),
                **self.generator_penalties(real, self.drawn(labels)),
            }
        self.step("generator", generator_tape, losses)
        self.update_averages()
        return self.get_metrics_result()

    def class_loss(self, labels: tf.Tensor, class_logits: tf.Tensor) -> tf.Tensor:
        """Returns the class loss of each image: minus L_C, times its weight."""
        return self.class_weight * tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels, tf.cast(class_logits, "float32")
        )

    def source(self, images: tf.Tensor, training: bool) -> tf.Tensor:
        """Returns the first head of the discriminator, the logits of "real"."""
        return self.discriminator(images, training=training)[0]

    def get_config(self) -> Config:
        config = super().get_config()
        del config["discriminator_steps"]  # one pass serves one step of each side
        return {**config, "class_weight": self.class_weight}
