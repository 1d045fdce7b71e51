"""Autoencoding beyond pixels using a learned similarity metric, Larsen 2016 (arXiv:1512.09300)."""

from typing import Any

import keras
import tensorflow as tf

from keras_gans import checks, losses
from keras_gans.adversarial import LOGITS, require_fit, require_inputs
from keras_gans.losses import AdversarialLoss
from keras_gans.models.encoded import StochasticallyEncoded
from keras_gans.typing import Config


@keras.saving.register_keras_serializable("keras_gans")
class VAEGAN(StochasticallyEncoded):
    """A variational autoencoder and a GAN with one decoder (algorithm 1).

    A copy is compared with its image in a layer of the discriminator, not pixel by pixel. Each side
    has its own losses: the encoder minimizes the divergence of its codes from the prior and the
    error of that layer, the decoder (`generator`) the weighted error and the GAN's loss, and the
    discriminator the GAN's loss alone. Copies and images of drawn latents are both generated to it.

    >>> gan = keras_gans.VAEGAN(
    ...     keras_gans.networks.dcgan_generator((32, 32, 3), latent_dim=64),
    ...     keras_gans.networks.feature_discriminator((32, 32, 3)),
    ...     keras_gans.networks.dcgan_encoder((32, 32, 3), latent_dim=64, stochastic=True),
    ... )
    >>> gan.compile()
    >>> gan.reconstruct(gan.generate(4, seed=0)).shape
    (4, 32, 32, 3)

    Args:
        generator: the decoder, latents `(batch, latent_dim)` to images.
        discriminator: images to `[logits (batch, 1), features (batch, ...)]`, such as
            `networks.feature_discriminator`.
        encoder: images to `[means, log_variances]`, both `(batch, latent_dim)`.
        similarity_weight: the paper's gamma, of the decoder's error in the features, which is a sum
            over them: the more features, the smaller it should be.
        loss: name of an adversarial loss, or a `losses.AdversarialLoss`.
        **kwargs: `ema_decay`, `seed`, `name`: see `AdversarialModel`.

    Raises:
        ValueError: for networks that do not fit each other, or a number out of range.
    """

    side_names: tuple[str, ...] = ("generator", "encoder", "discriminator")
    averaged_sides: tuple[str, ...] = ("generator", "encoder")
    tracked: tuple[str, ...] = (
        "discriminator_loss",
        "prior_loss",
        "similarity_loss",
        "generator_loss",
        "weighted_similarity_loss",
    )

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        encoder: keras.Model,
        similarity_weight: float = 1e-3,
        loss: str | AdversarialLoss = "non_saturating",
        **kwargs: Any,
    ) -> None:
        sides = {
            "generator": {"generator": generator},
            "encoder": {"encoder": encoder},
            "discriminator": {"discriminator": discriminator},
        }
        super().__init__(sides=sides, **kwargs)
        self.similarity_weight = checks.weight("similarity_weight", similarity_weight)
        self.adversarial_loss = losses.get(loss)

    def check_networks(self) -> None:
        require_inputs(self.generator, "latents")
        require_inputs(self.discriminator, "images")
        require_fit(self.generator, self.discriminator)
        outputs = self.discriminator.outputs
        if len(outputs) != 2 or tuple(outputs[0].shape) != (None, 1):
            raise ValueError(
                "The discriminator must return `[logits (batch, 1), features (batch, ...)]`, as "
                "`networks.feature_discriminator` does. "
                f"Received: outputs {[tuple(output.shape) for output in outputs]}"
            )
        checks.linear_outputs(self.discriminator, outputs[:1], LOGITS)
        self.require_encoder()

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        real = self.images(data)

        tape = tf.GradientTape(persistent=True)
        with tape:  # entered again below, after the discriminator has moved
            means, log_variances = self.posterior(real)
            copies = self.generator(self.draw(means, log_variances), training=True)
            drawn = self.generator(self.latents(real), training=True)

        with tf.GradientTape() as discriminator_tape:
            (real_logits, _), (fake_logits, _) = self.judged(real), self.judged(copies, drawn)
            self.observe(real_logits, fake_logits)
            loss = self.adversarial_loss.discriminator(real_logits, fake_logits, self.next_seed())
        self.step("discriminator", discriminator_tape, {"discriminator_loss": loss})

        real_logits, features = self.judged(real)
        with tape:
            fake_logits, copied = self.judged(copies, drawn)
            similarity = 0.5 * _sums(tf.square(copied - features))
            prior = 0.5 * _sums(means**2 + tf.exp(log_variances) - 1.0 - log_variances)
            encoder_losses = {"prior_loss": prior, "similarity_loss": similarity}
            generator_losses = {
                "generator_loss": self.adversarial_loss.generator(fake_logits, real_logits),
                "weighted_similarity_loss": self.similarity_weight * similarity,
            }
        self.step("encoder", tape, encoder_losses)
        self.step("generator", tape, generator_losses)
        self.update_averages()
        return self.get_metrics_result()

    def judged(self, *batches: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the logits of batches of images, and the features of the first, in training.

        Returns:
            float32 logits `(batch, number of batches)`, so that a loss takes the mean over both
            kinds of generated images; and float32 features.
        """
        found = [self.discriminator(images, training=True) for images in batches]
        logits = tf.concat([logits for logits, _ in found], axis=-1)
        return logits, tf.cast(found[0][1], "float32")

    def get_config(self) -> Config:
        loss = keras.saving.serialize_keras_object(self.adversarial_loss)
        return {**super().get_config(), "similarity_weight": self.similarity_weight, "loss": loss}


def _sums(values):
    """Returns the sum over every axis but the first."""
    return tf.reduce_sum(values, axis=list(range(1, len(values.shape))))
