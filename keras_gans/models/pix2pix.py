"""Image-to-Image Translation with Conditional Adversarial Networks, Isola 2017 (1611.07004)."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_gans import checks, latent, losses, networks
from keras_gans.adversarial import AdversarialModel, require_logits
from keras_gans.losses import AdversarialLoss
from keras_gans.models.image_to_image import ImageToImage, require_images
from keras_gans.typing import Config


@keras.saving.register_keras_serializable("keras_gans")
class Pix2Pix(ImageToImage, AdversarialModel):
    """The discriminator is conditional on the source; the generator's loss adds L1 (eq. 4).

    The generator's only noise is its dropout (section 3.1). Both sides train on the same generated
    images, and the discriminator's loss is halved (section 3.3).

    >>> gan = keras_gans.Pix2Pix(
    ...     keras_gans.networks.unet_generator((64, 64, 3), width=8),
    ...     keras_gans.networks.patch_discriminator(
    ...         (64, 64, 3), condition_shape=(64, 64, 3), receptive_field=34, width=8
    ...     ),
    ... )
    >>> gan.compile()  # Adam(2e-4, beta_1=0.5), as the paper
    >>> gan.generate(np.zeros((1, 64, 64, 3))).shape
    (1, 64, 64, 3)

    Trained on pairs `(source, target)` of images in [-1, 1]: `keras_gans.data.load_pairs("earth")`,
    or `fit(sources, targets)`. The paper's batches hold one pair (appendix 6.2).

    Args:
        generator: sources `(batch, height, width, channels)` to images, such as
            `networks.unet_generator`.
        discriminator: `[sources, images]` to a map of logits, such as
            `networks.patch_discriminator` with a `condition_shape`.
        l1_weight: the paper's lambda.
        loss: name of an adversarial loss, or a `losses.AdversarialLoss`.
        **kwargs: `ema_decay`, `seed`, `name`: see `AdversarialModel`.

    Raises:
        ValueError: for networks that do not fit each other, or a negative weight.
    """

    tracked = ("discriminator_loss", "generator_loss", "l1_loss")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        l1_weight: float = 100.0,
        loss: str | AdversarialLoss = "non_saturating",
        **kwargs: Any,
    ) -> None:
        super().__init__({"generator": generator}, {"discriminator": discriminator}, **kwargs)
        self.l1_weight = checks.weight("l1_weight", l1_weight)
        self.adversarial_loss = losses.get(loss)

    def check_networks(self) -> None:
        require_images(self.generator)
        _require_fit(self.generator, self.discriminator)

    @property
    def largest_weight(self) -> float:
        """See `AdversarialModel`."""
        return max(1.0, self.l1_weight)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        source, target = self.pairs(data)

        def judge(images):
            return self.discriminator([source, images], training=True)

        generator_tape = tf.GradientTape()
        with generator_tape:  # entered again below, after the discriminator has moved
            fake = self.generator(source, training=True)

        with tf.GradientTape() as tape:  # separate batches: each has its own batch statistics
            real_logits, fake_logits = judge(target), judge(fake)
            self.observe(real_logits, fake_logits)
            loss = self.adversarial_loss.discriminator(real_logits, fake_logits, self.next_seed())
            discriminator_losses = {"discriminator_loss": 0.5 * loss}
        self.step("discriminator", tape, discriminator_losses)

        with generator_tape:
            real_logits = judge(target) if self.adversarial_loss.relativistic else None
            generator_losses = {
                "generator_loss": self.adversarial_loss.generator(judge(fake), real_logits),
                "l1_loss": self.l1_weight * tf.abs(target - fake),
            }
        self.step("generator", generator_tape, generator_losses)
        self.update_averages()
        return self.get_metrics_result()

    def generate(
        self,
        images: ArrayLike,
        *,
        stochastic: bool = False,
        seed: int | None = None,
        batch_size: int = 8,
    ) -> np.ndarray:
        """Translates images: deterministic unless `stochastic`.

        >>> gan.generate(sources, stochastic=True, seed=1)  # doctest: +SKIP

        Args:
            images: floats in [-1, 1], `(number, height, width, channels)`.
            stochastic: whether to apply dropout, the paper's noise (section 3.1). Batch
                normalisation still uses its moving statistics; the paper's program uses those of
                the batch.
            seed: integer from which the noise is drawn; `None` draws new noise at each call.
            batch_size: how many to translate at once.

        Returns:
            float32 numpy array in [-1, 1], as many images.

        Raises:
            ValueError: for images that do not fit the generator, a seed without `stochastic`, or
                `stochastic` with a generator that has no `layers.SeededDropout`.
        """
        generator = self.inference_generator
        if stochastic:
            twin = networks.stochastic(generator)
            return self.translate(twin, images, batch_size, latent.halves(seed))
        if seed is not None:
            raise ValueError(
                "Without noise a seed has no effect. Pass `stochastic=True` for noise, or leave "
                f"the seed out. Received: seed={seed}"
            )
        return self.translate(generator, images, batch_size)

    def compare(self, source: np.ndarray, target: np.ndarray) -> list[np.ndarray]:
        """Returns the columns of a grid of comparisons; `compared` has their names."""
        return [source, self.generate(source), target]

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "l1_weight": self.l1_weight,
            "loss": keras.saving.serialize_keras_object(self.adversarial_loss),
        }


def _require_fit(generator, discriminator):
    found = [tuple(x.shape)[1:] for x in discriminator.inputs]
    wanted = [tuple(generator.inputs[0].shape)[1:], generator.output_shape[1:]]
    if found != wanted:
        raise ValueError(
            "The networks do not fit: the discriminator must take `[sources, images]` of the "
            "generator's shapes. Build it with `patch_discriminator(image_shape, "
            f"condition_shape=...)`. Expected {wanted}. Received: {found}"
        )
    require_logits(discriminator)
