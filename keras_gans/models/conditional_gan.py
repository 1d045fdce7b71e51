"""Conditional Generative Adversarial Nets, Mirza & Osindero 2014 (arXiv:1411.1784)."""

from typing import Any

import keras
import tensorflow as tf

from keras_gans import checks
from keras_gans import labels as class_labels
from keras_gans.adversarial import require_fit, require_inputs, require_logits
from keras_gans.losses import AdversarialLoss
from keras_gans.models.gan import GAN
from keras_gans.models.labelled import Labelled
from keras_gans.names import deprecated
from keras_gans.typing import Callee, Config, Penalties


@keras.saving.register_keras_serializable("keras_gans")
class ConditionalGAN(Labelled, GAN):
    """Both networks are class-conditional (equation 2): G(z|y) and D(x|y).

    The networks decide how the label enters: as extra channels (`conditional_dcgan_generator`,
    `conditional_dcgan_discriminator`), by conditional batch normalisation
    (`conditional_batch_norm_generator`), or by a projection (`projection_discriminator`, Miyato
    2018; with `loss="hinge"`). Each generated image has the label of the real image at the same
    place in the batch. The generated images of the last discriminator step also train the
    generator, as in `DCGAN`.

    >>> gan = keras_gans.ConditionalGAN(
    ...     keras_gans.networks.conditional_dcgan_generator((28, 28, 1), num_classes=10),
    ...     keras_gans.networks.conditional_dcgan_discriminator((28, 28, 1), num_classes=10),
    ... )
    >>> gan.compile()
    >>> gan.generate(5, labels=[1, 1, 2, 3, 5], seed=0).shape
    (5, 28, 28, 1)

    Trained on pairs: `keras_gans.data.load("digits", labels=True)`, or `fit(images, labels)`.

    Args:
        generator: `[latents (batch, latent_dim), labels (batch,)]` to images.
        discriminator: `[images, labels (batch,)]` to logits `(batch, 1)`, or a map of logits.
        num_classes: number of classes; `None` reads it from the networks.
        discriminator_steps: a batch is split into that many parts, one for each step.
        loss: name of an adversarial loss, or a `losses.AdversarialLoss`.
        penalties: names of `keras_gans.penalties` to their weights.
        **kwargs: `ema_decay`, `seed`, `name`: see `AdversarialModel`.

    Raises:
        ValueError: for networks that do not fit each other, or take no labels.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        num_classes: int | None = None,
        discriminator_steps: int = 1,
        loss: str | AdversarialLoss = "non_saturating",
        penalties: Penalties | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(generator, discriminator, discriminator_steps, loss, penalties, **kwargs)
        if num_classes is None:
            num_classes = class_labels.num_classes(generator)
            if (other := class_labels.num_classes(discriminator)) != num_classes:
                raise ValueError(
                    "The networks have different numbers of classes. Build both with one "
                    f"`num_classes`. Received: a generator of {num_classes} classes, a "
                    f"discriminator of {other}"
                )
        self.num_classes = checks.count("num_classes", num_classes, 2)
        for network in (generator, discriminator):
            class_labels.require_room(network, num_classes)

    def check_networks(self) -> None:
        require_inputs(self.generator, "latents", "labels")
        require_inputs(self.discriminator, "images", "labels")
        require_fit(self.generator, self.discriminator)
        require_logits(self.discriminator)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        images, labels = self.images_and_labels(data)
        steps = "discriminator_steps"
        parts = (self.split(part, self.discriminator_steps, steps) for part in (images, labels))
        for real, y in zip(*parts):
            conditional = self.conditional_discriminator(y)
            generator_tape = tf.GradientTape()
            with generator_tape:  # entered again below, after the discriminator has moved
                fake = self.generator([self.latents(real), y], training=True)
            with tf.GradientTape() as tape:
                discriminator_losses = self.discriminator_losses(real, fake, conditional)
            self.step("discriminator", tape, discriminator_losses)

        with generator_tape:
            generator_losses = self.generator_losses(real, fake, conditional, self.drawn(y))
        self.step("generator", generator_tape, generator_losses)
        self.update_averages()
        return self.get_metrics_result()

    def conditional_discriminator(self, labels: tf.Tensor) -> Callee:
        """Returns the discriminator with these labels, as a function of images."""
        return lambda images, training: self.discriminator([images, labels], training=training)

    def told(self, labels: tf.Tensor) -> Callee:
        """The old name of `conditional_discriminator`."""
        deprecated("ConditionalGAN.told", "conditional_discriminator")
        return self.conditional_discriminator(labels)

    def get_config(self) -> Config:
        return {**super().get_config(), "num_classes": self.num_classes}
