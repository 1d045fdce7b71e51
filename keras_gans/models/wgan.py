"""Wasserstein GAN, Arjovsky et al. 2017 (arXiv:1701.07875)."""

from typing import Any

import keras
import tensorflow as tf

from keras_gans import checks, losses
from keras_gans.adversarial import AdversarialModel, require_fit, require_inputs, require_logits
from keras_gans.typing import Config, Losses, Tensor

_SCORES = "A critic estimates a difference of scores, which have no bounds."


@keras.saving.register_keras_serializable("keras_gans")
class WGAN(AdversarialModel):
    """Algorithm 1: n critic steps with clipped weights, then one generator step.

    Each step has its own data and latents.

    >>> gan = keras_gans.WGAN(
    ...     keras_gans.networks.mlp_generator((2,)), keras_gans.networks.mlp_discriminator((2,))
    ... )
    >>> gan.compile()  # RMSprop(5e-5), as the paper
    >>> history = gan.fit(keras_gans.data.load("ring", batch_size=5 * 64), verbose=0)

    Minus `discriminator_loss` estimates the Wasserstein-1 distance, up to the critic's Lipschitz
    constant: it decreases as samples improve (section 4.2).

    Args:
        generator: latents `(batch, latent_dim)` to images.
        discriminator: the critic, images to a score `(batch, 1)`, linear at its end.
        critic_steps: the paper's n_critic. A batch is split into that many parts, one for each
            step: for the paper's 64 images in each step, load batches of `critic_steps * 64`.
        clip: the paper's c, the bound of every weight of the critic. `None` for no clipping,
            for a critic that is Lipschitz by itself: `layers.SpectralNormalization`.
        **kwargs: `ema_decay`, `seed`, `name`: see `AdversarialModel`.

    Raises:
        ValueError: for networks that do not fit each other, or a critic that is not linear at its
            end.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        critic_steps: int = 5,
        clip: float = 0.01,
        **kwargs: Any,
    ) -> None:
        super().__init__({"generator": generator}, {"discriminator": discriminator}, **kwargs)
        self.critic_steps = checks.count("critic_steps", critic_steps)
        self.adversarial_loss = losses.get("wasserstein")
        if clip is not None:
            why = "It is the largest size of a critic's weight; None is for no clipping."
            checks.positive("clip", clip, why)
        self.clip = clip
        for weight in self.variables_of("discriminator") if clip is not None else ():
            weight.constraint = Clip(clip)

    def check_networks(self) -> None:
        require_inputs(self.generator, "latents")
        require_inputs(self.discriminator, "images")
        require_fit(self.generator, self.discriminator)
        checks.linear_outputs(self.discriminator, self.discriminator.outputs, _SCORES)
        require_logits(self.discriminator)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        for real in self.split(self.images(data), self.critic_steps, "critic_steps"):
            fake = self.generator(self.latents(real), training=True)
            with tf.GradientTape() as tape:
                critic_losses = self.critic_losses(real, fake)
            self.step("discriminator", tape, critic_losses)  # which clips: see `Clip`

        latents = self.latents(real)
        with tf.GradientTape() as tape:
            fake_scores = self.discriminator(self.generator(latents, training=True), training=True)
            loss = self.adversarial_loss.generator(fake_scores)
        self.step("generator", tape, {"generator_loss": loss})
        self.update_averages()
        return self.get_metrics_result()

    def critic_losses(self, real: tf.Tensor, fake: tf.Tensor) -> Losses:
        """Returns the losses that the critic minimizes, by name: f(g(z)) - f(x) of each image."""
        real_scores = self.discriminator(real, training=True)
        fake_scores = self.discriminator(fake, training=True)
        self.observe(real_scores, fake_scores)
        return {"discriminator_loss": self.adversarial_loss.discriminator(real_scores, fake_scores)}

    def default_optimizer(self) -> keras.optimizers.Optimizer:
        """Returns RMSprop(5e-5), as in algorithm 1: a clipped critic is unstable with momentum."""
        return keras.optimizers.RMSprop(5e-5)

    def check_data(self, batch: Any) -> None:
        super().check_data(batch)
        self.check_parts(self.images(batch), self.critic_steps, "critic_steps")

    def get_config(self) -> Config:
        return {**super().get_config(), "critic_steps": self.critic_steps, "clip": self.clip}


@keras.saving.register_keras_serializable("keras_gans")
class Clip(keras.constraints.Constraint):
    """Keeps every weight in [-limit, limit]; the optimizer applies it after each of its steps."""

    def __init__(self, limit: float) -> None:
        self.limit = limit

    def __call__(self, weight: Tensor) -> Tensor:
        return keras.ops.clip(weight, -self.limit, self.limit)

    def get_config(self) -> Config:
        return {"limit": self.limit}
