"""Bidirectional GANs: BiGAN, Donahue et al. 2016 (1605.09782), and ALI, Dumoulin 2016 (1606.00704).

Two papers of one month found the same game. They differ in the encoder: that of BiGAN is
deterministic, that of ALI (adversarially learned inference) draws a code from a normal.
"""

import math
from typing import Any

import keras
import tensorflow as tf

from keras_gans import latent
from keras_gans.adversarial import require_fit, require_inputs, require_logits
from keras_gans.losses import AdversarialLoss
from keras_gans.models.dcgan import DCGAN
from keras_gans.models.encoded import Encoded, StochasticallyEncoded
from keras_gans.typing import Penalties


@keras.saving.register_keras_serializable("keras_gans")
class BiGAN(Encoded, DCGAN):
    """D tells pairs (x, E(x)) from pairs (G(z), z); G and E exchange its labels (Donahue 2016).

    At the optimum both kinds of pairs have one distribution, and E inverts G (section 3.4),
    though neither ever sees what the other makes.

    >>> gan = keras_gans.BiGAN(
    ...     keras_gans.networks.dcgan_generator((28, 28, 1), latent_dim=32),
    ...     keras_gans.networks.joint_discriminator((28, 28, 1), latent_dim=32),
    ...     keras_gans.networks.dcgan_encoder((28, 28, 1), latent_dim=32),
    ... )
    >>> gan.compile()
    >>> digits = gan.generate(4, seed=0)
    >>> gan.encode(digits).shape, gan.reconstruct(digits).shape
    ((4, 32), (4, 28, 28, 1))

    Two sides, as in the paper: one optimizer moves G and E. A penalty of the discriminator is of
    its gradient at a whole pair, image and code.

    Args:
        generator: latents `(batch, latent_dim)` to images.
        discriminator: `[images, latents (batch, latent_dim)]` to logits `(batch, 1)`, such as
            `networks.joint_discriminator`.
        encoder: images to latents `(batch, latent_dim)`, such as `networks.dcgan_encoder`.
        loss: name of an adversarial loss, or a `losses.AdversarialLoss`. G and E minimize that of
            the discriminator with real and generated pairs exchanged (the paper's inverse
            objective, section 3.4), so that `"minimax"` and `"non_saturating"` are one.
        penalties: names of `keras_gans.penalties` to their weights.
        **kwargs: `ema_decay`, `seed`, `name`: see `AdversarialModel`.

    Raises:
        ValueError: for networks that do not fit each other, or unknown names.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        encoder: keras.Model,
        loss: str | AdversarialLoss = "non_saturating",
        penalties: Penalties | None = None,
        **kwargs: Any,
    ) -> None:
        sides = {
            "generator": {"generator": generator, "encoder": encoder},
            "discriminator": {"discriminator": discriminator},
        }
        super().__init__(generator, discriminator, loss, penalties, sides=sides, **kwargs)

    def check_networks(self) -> None:
        require_inputs(self.generator, "latents")
        require_inputs(self.discriminator, "images", "latents")
        require_fit(self.generator, self.discriminator)
        require_logits(self.discriminator)
        size, taken = latent.dim(self.generator), self.discriminator.inputs[1].shape[-1]
        if taken != size:
            raise ValueError(
                "The discriminator takes latents of another length than the generator. Build all "
                f"three networks with one `latent_dim`. Received: generator {size}, "
                f"discriminator {taken}"
            )
        self.require_encoder()

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        images = self.images(data)
        latents = self.latents(images)

        generator_tape = tf.GradientTape()
        with generator_tape:  # entered again below, after the discriminator has moved
            encoded = self.pairs(images, self.codes(images))
            generated = self.pairs(self.generator(latents, training=True), latents)

        with tf.GradientTape() as tape:
            losses = self.discriminator_losses(encoded, generated, self.pair_logits)
        self.step("discriminator", tape, losses)

        with generator_tape:
            real = self.pair_logits(generated, training=True)  # the labels are exchanged
            fake = self.pair_logits(encoded, training=True)
            loss = self.adversarial_loss.discriminator(real, fake, self.next_seed())
            losses = {"generator_loss": loss, **self.generator_penalties(images)}
        self.step("generator", generator_tape, losses)
        self.update_averages()
        return self.get_metrics_result()

    def pairs(self, images: tf.Tensor, codes: tf.Tensor) -> tf.Tensor:
        """Returns images and codes in a row, float32 `(batch, values + latent_dim)`.

        In this form losses and penalties take a pair as they take an image elsewhere.
        """
        return tf.concat([tf.reshape(images, (-1, self._values)), codes], axis=-1)

    def pair_logits(self, pairs: tf.Tensor, training: bool) -> tf.Tensor:
        """Returns what the discriminator makes of pairs, such as `pairs` returns."""
        values, codes = tf.split(pairs, [self._values, latent.dim(self.generator)], axis=-1)
        images = tf.reshape(values, (-1, *self.generator.output_shape[1:]))
        return self.discriminator([images, codes], training=training)

    @property
    def _values(self):
        return math.prod(self.generator.output_shape[1:])


@keras.saving.register_keras_serializable("keras_gans")
class ALI(StochasticallyEncoded, BiGAN):
    """`BiGAN` with a stochastic encoder: codes are drawn from q(z|x) (Dumoulin 2016, section 2).

    The encoder returns mean and logarithm of the variance of a normal (equation 4), from which a
    code is drawn so that gradients pass. `encode` returns the mean.

    >>> gan = keras_gans.ALI(
    ...     keras_gans.networks.dcgan_generator((28, 28, 1), latent_dim=32),
    ...     keras_gans.networks.joint_discriminator((28, 28, 1), latent_dim=32, dropout=0.2),
    ...     keras_gans.networks.dcgan_encoder((28, 28, 1), latent_dim=32, stochastic=True),
    ... )
    >>> gan.compile()

    Args:
        generator, discriminator, loss, penalties: see `BiGAN`.
        encoder: images to `[means, log_variances]`, both `(batch, latent_dim)`.
        **kwargs: `ema_decay`, `seed`, `name`: see `AdversarialModel`.

    Raises:
        ValueError: as for `BiGAN`.
    """

    def default_optimizer(self) -> keras.optimizers.Optimizer:
        """Returns a new optimizer: Adam(1e-4, beta_1=0.5) (the paper's tables of networks)."""
        return keras.optimizers.Adam(1e-4, beta_1=0.5)
