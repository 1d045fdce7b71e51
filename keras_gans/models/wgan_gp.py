"""Improved Training of Wasserstein GANs, Gulrajani et al. 2017 (arXiv:1704.00028)."""

from typing import Any

import keras
import tensorflow as tf

from keras_gans import checks, penalties
from keras_gans.models.wgan import WGAN
from keras_gans.typing import Config, Losses


@keras.saving.register_keras_serializable("keras_gans")
class WGANGP(WGAN):
    """Algorithm 1: WGAN's step with a gradient penalty in place of clipping.

    The critic minimizes `f(g(z)) - f(x) + 10 (||grad f(x')|| - 1)^2`, with x' anywhere on the
    line between a real and a generated image.

    >>> gan = keras_gans.WGANGP(
    ...     keras_gans.networks.dcgan_generator((28, 28, 1)),
    ...     keras_gans.networks.dcgan_discriminator((28, 28, 1), batch_normalization=False),
    ... )
    >>> gan.compile()  # Adam(1e-4, beta_1=0, beta_2=0.9), as the paper

    Args:
        generator: latents `(batch, latent_dim)` to images.
        discriminator: the critic, images to a score `(batch, 1)`, linear at its end and without
            batch normalisation, which would make the score of an image depend on the others
            (section 4).
        critic_steps: the paper's n_critic; see `WGAN`.
        penalty_weight: the paper's lambda.
        **kwargs: `ema_decay`, `seed`, `name`: see `AdversarialModel`.

    Raises:
        ValueError: for networks that do not fit each other, or a critic that is not linear at its
            end or normalises over the batch.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        critic_steps: int = 5,
        penalty_weight: float = 10.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(generator, discriminator, critic_steps, clip=None, **kwargs)
        checks.no_batch_normalization(discriminator)
        why = "Without the penalty nothing keeps the critic Lipschitz."
        self.penalty_weight = checks.positive("penalty_weight", penalty_weight, why)
        self.tracked = ("discriminator_loss", "gradient_penalty", "generator_loss")

    def critic_losses(self, real: tf.Tensor, fake: tf.Tensor) -> Losses:
        penalty = penalties.gradient_penalty(self.discriminator, real, fake, self.next_seed())
        return {
            **super().critic_losses(real, fake),
            "gradient_penalty": self.penalty_weight * penalty,
        }

    def default_optimizer(self) -> keras.optimizers.Optimizer:
        """Returns Adam(1e-4, beta_1=0, beta_2=0.9), as in algorithm 1."""
        return keras.optimizers.Adam(1e-4, beta_1=0.0, beta_2=0.9)

    def get_config(self) -> Config:
        config = super().get_config()
        del config["clip"]
        return {**config, "penalty_weight": self.penalty_weight}
