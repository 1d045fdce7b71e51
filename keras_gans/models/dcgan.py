"""Deep Convolutional GAN, Radford et al. 2015 (arXiv:1511.06434)."""

from typing import Any

import keras
import tensorflow as tf

from keras_gans.losses import AdversarialLoss
from keras_gans.models.gan import GAN
from keras_gans.typing import Config, Penalties


@keras.saving.register_keras_serializable("keras_gans")
class DCGAN(GAN):
    """One generator pass for each step: the same generated images train both sides.

    The architecture, the paper's contribution, is in `networks.dcgan_generator` and
    `networks.dcgan_discriminator`, its optimizer in `default_optimizer`. Unlike in `GAN`,
    latents are drawn once for each step, as in the authors' Torch program: a quarter less work.
    Real and generated images are normalised in separate batches.

    >>> generator = keras_gans.networks.dcgan_generator((28, 28, 1))
    >>> discriminator = keras_gans.networks.dcgan_discriminator((28, 28, 1))
    >>> gan = keras_gans.DCGAN(generator, discriminator, ema_decay=0.999, seed=0)
    >>> gan.compile()

    Args:
        generator: latents `(batch, latent_dim)` to images.
        discriminator: images to logits `(batch, 1)`.
        loss: name of an adversarial loss, or a `losses.AdversarialLoss`.
        penalties: names of `keras_gans.penalties` to their weights.
        **kwargs: `ema_decay`, `seed`, `name`: see `AdversarialModel`.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        loss: str | AdversarialLoss = "non_saturating",
        penalties: Penalties | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(generator, discriminator, loss=loss, penalties=penalties, **kwargs)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        real = self.images(data)

        generator_tape = tf.GradientTape()
        with generator_tape:  # entered again below, after the discriminator has moved
            fake = self.generator(self.latents(real), training=True)

        with tf.GradientTape() as tape:
            discriminator_losses = self.discriminator_losses(real, fake)
        self.step("discriminator", tape, discriminator_losses)

        with generator_tape:
            generator_losses = self.generator_losses(real, fake)
        self.step("generator", generator_tape, generator_losses)
        self.update_averages()
        return self.get_metrics_result()

    def get_config(self) -> Config:
        config = super().get_config()
        del config["discriminator_steps"]  # one pass serves one step of each side
        return config
