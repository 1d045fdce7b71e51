"""InfoGAN, Chen et al. 2016 (arXiv:1606.03657)."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gans import checks, interface, latent
from keras_gans.adversarial import require_fit, require_inputs, require_outputs
from keras_gans.losses import AdversarialLoss
from keras_gans.models.gan import GAN
from keras_gans.typing import Config, Losses, Penalties


@keras.saving.register_keras_serializable("keras_gans")
class InfoGAN(GAN):
    """G maximizes a lower bound on the mutual information I(c; G(z, c)) (equation 6).

    A latent is `[noise z | one-hot categorical codes | continuous codes]`: its last coordinates
    are the codes, so any generator with enough latents fits. Q, which predicts the codes from an
    image, is a head of the discriminator (section 6): a softmax for categorical codes, and for
    continuous ones the mean of a normal with standard deviation 1, as the authors fix it for
    MNIST. Both sides maximize the bound `L_I = E log Q(c|G(z, c)) + H(c)`, times its weight.

    >>> gan = keras_gans.InfoGAN(
    ...     keras_gans.networks.dcgan_generator((28, 28, 1), latent_dim=62 + 10 + 2),
    ...     keras_gans.networks.infogan_discriminator((28, 28, 1), categorical=(10,), continuous=2),
    ...     categorical=(10,),
    ...     continuous=2,
    ... )
    >>> gan.generate(3, categorical=7, continuous=[0.5, -1.0], seed=0).shape
    (3, 28, 28, 1)

    Args:
        generator: latents `(batch, latent_dim)` to images.
        discriminator: images to `[logits (batch, 1), class logits (batch, k) for each
            categorical code, means (batch, continuous)]`.
        categorical: number of classes of each categorical code, evenly drawn.
        continuous: how many continuous codes, drawn evenly from [-1, 1].
        categorical_weight: the paper's lambda for the categorical codes.
        continuous_weight: the same for the continuous ones, which it brings to the scale of the
            adversarial loss (section 6).
        loss: name of an adversarial loss, or a `losses.AdversarialLoss`.
        penalties: names of `keras_gans.penalties` to their weights.
        **kwargs: `ema_decay`, `seed`, `name`: see `AdversarialModel`.

    Raises:
        ValueError: for codes that do not fit the generator's latents or the discriminator's heads.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        categorical: Sequence[int] = (10,),
        continuous: int = 2,
        categorical_weight: float = 1.0,
        continuous_weight: float = 0.1,
        loss: str | AdversarialLoss = "non_saturating",
        penalties: Penalties | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(generator, discriminator, loss=loss, penalties=penalties, **kwargs)
        self.categorical = checks.counts("categorical", categorical, 2)
        self.continuous = checks.count("continuous", continuous, 0)
        self.noise_dim = latent.dim(generator) - sum(self.categorical) - self.continuous
        if self.noise_dim < 1 or not (self.categorical or self.continuous):
            raise ValueError(
                "A latent holds the codes and at least one coordinate of noise, and there must be "
                f"a code. Expected `latent_dim` above {sum(self.categorical) + self.continuous}. "
                f"Received: latent_dim={latent.dim(generator)}, categorical={categorical}, "
                f"continuous={continuous}"
            )
        codes = interface.Codes(self.categorical, self.continuous)
        self.state_input(interface.Latents(latent.dim(generator), codes))
        heads = {f"categorical_{i}": k for i, k in enumerate(self.categorical)}
        heads |= {"continuous": self.continuous} if self.continuous else {}
        require_outputs(discriminator, logits=1, **heads)
        self.categorical_weight = checks.weight("categorical_weight", categorical_weight)
        self.continuous_weight = checks.weight("continuous_weight", continuous_weight)
        names = ("categorical_loss",) * bool(self.categorical)
        self.code_names = names + ("continuous_loss",) * bool(self.continuous)
        self.tracked = ("discriminator_loss", *self.penalties, "generator_loss", *self.code_names)

    def check_networks(self) -> None:
        require_inputs(self.generator, "latents")
        require_inputs(self.discriminator, "images")
        require_fit(self.generator, self.discriminator)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        real = self.images(data)
        latents = self.latents(real)

        generator_tape = tf.GradientTape()
        with generator_tape:  # entered again below, after the discriminator has moved
            fake = self.generator(latents, training=True)

        with tf.GradientTape() as tape:
            real_logits, *_ = self.discriminator(real, training=True)
            fake_logits, *heads = self.discriminator(fake, training=True)
            self.observe(real_logits, fake_logits)
            loss = self.adversarial_loss.discriminator(real_logits, fake_logits, self.next_seed())
            losses = {"discriminator_loss": loss, **self.code_losses(latents, heads)}
            losses |= self.weighted_penalties(real, fake, self.source)
        self.step("discriminator", tape, losses)

        with generator_tape:
            fake_logits, *heads = self.discriminator(fake, training=True)
            loss = self.generator_loss(fake_logits, real, self.source)
            losses = {"generator_loss": loss, **self.code_losses(latents, heads)}
            losses |= self.generator_penalties(real)
        self.step("generator", generator_tape, losses)
        self.update_averages()
        return self.get_metrics_result()

    def code_losses(self, latents: tf.Tensor, heads: Sequence[tf.Tensor]) -> Losses:
        """Returns the losses of the codes by name: minus log Q(c|x) of each image, weighted."""
        *classes, means = tf.split(
            latents, [self.noise_dim, *self.categorical, self.continuous], axis=-1
        )
        losses = {}
        if self.categorical:
            terms = [
                tf.nn.softmax_cross_entropy_with_logits(code, tf.cast(logits, "float32"))
                for code, logits in zip(classes[1:], heads)
            ]
            losses["categorical_loss"] = self.categorical_weight * tf.add_n(terms)
        if self.continuous:
            # Minus the log-likelihood of a normal with standard deviation 1.
            squared = (means - tf.cast(heads[-1], "float32")) ** 2 + np.log(2 * np.pi)
            losses["continuous_loss"] = self.continuous_weight * 0.5 * tf.reduce_sum(squared, -1)
        return losses

    def source(self, images: tf.Tensor, training: bool) -> tf.Tensor:
        """Returns the first head of the discriminator, the logits of "real"."""
        return self.discriminator(images, training=training)[0]

    def draw_latents(self, number: int | tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Returns noise and codes `(number, latent_dim)`, drawn from a stateless seed."""
        size = latent.dim(self.generator)
        return latent.with_codes(number, size, self.categorical, self.continuous, seed)

    def get_config(self) -> Config:
        config = super().get_config()
        del config["discriminator_steps"]  # one pass serves one step of each side
        return {
            **config,
            "categorical": list(self.categorical),
            "continuous": self.continuous,
            "categorical_weight": self.categorical_weight,
            "continuous_weight": self.continuous_weight,
        }
