"""Deep Generative Image Models using a Laplacian Pyramid, Denton et al. 2015 (arXiv:1506.05751)."""

import dataclasses
import itertools
from typing import Any

import keras
import tensorflow as tf

from keras_gans.adversarial import require_inputs, require_logits
from keras_gans.losses import AdversarialLoss
from keras_gans.models.gan import GAN
from keras_gans.networks import laplacian
from keras_gans.typing import Config, Losses, Penalties


@keras.saving.register_keras_serializable("keras_gans")
class LAPGAN(GAN):
    """A conditional GAN for each level of a Laplacian pyramid (section 3.1).

    The coarsest level is a GAN of small images. Each other level is given an image of the level
    before, upsampled: its generator adds to it what is finer, and its discriminator compares the
    sum, or the real image, with what was given. In training that is the real image, without its
    fine parts, so no level waits for another one: they learn independently, each from its own
    losses alone. To sample, `generate` goes from coarse to fine.

    >>> gan = keras_gans.LAPGAN(
    ...     keras_gans.networks.laplacian_generator((64, 64, 3), levels=3, latent_dim=192),
    ...     keras_gans.networks.laplacian_discriminator((64, 64, 3), levels=3),
    ... )
    >>> gan.compile()
    >>> gan.generate(2, seed=0).shape
    (2, 64, 64, 3)

    One optimizer of each side moves all of its levels, as Adam and others move each weight by its
    own gradient; what looks at all gradients together, `global_clipnorm`, would join them.

    Args:
        generator: latents `(batch, latent_dim)` to images, joined of a network for each
            level: `networks.laplacian_generator`, or `networks.laplacian_pyramid` of your own.
        discriminator: the same number of levels: `networks.laplacian_discriminator`.
        loss: name of an adversarial loss, or a `losses.AdversarialLoss`, for all levels.
        penalties: names of `keras_gans.penalties` of the discriminator to their weights, for all
            levels.
        **kwargs: `ema_decay`, `seed`, `name`: see `AdversarialModel`.

    Raises:
        ValueError: for networks without levels, with levels out of order, or of other levels than
            the other network's.
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
        names = self.tracked
        sizes = [level.output_shape[1] for level in laplacian.levels_of(generator)]
        self.tracked = tuple(f"{name}_{size}" for size in sizes for name in names)

    def check_networks(self) -> None:
        require_inputs(self.generator, "latents")
        made, judged = (
            laplacian.levels_of(network) for network in (self.generator, self.discriminator)
        )
        shapes = [tuple(level.outputs[0].shape)[1:] for level in made]
        wanted = [[shape] * (1 + (number > 0)) for number, shape in enumerate(shapes)]
        found = [[tuple(t.shape)[1:] for t in level.inputs] for level in judged]
        heights = [shape[0] for shape in shapes]
        ordered = all(2 * low == high for low, high in itertools.pairwise(heights))
        if not made or not ordered or found != wanted:
            raise ValueError(
                "Both networks of a LAPGAN are joined of the same levels, the coarsest first, each "
                "twice as large as the one before. Build them with "
                "`networks.laplacian_generator` and `laplacian_discriminator` of one "
                "`image_shape` and number of `levels`. Received: a generator with levels of "
                f"{shapes}, and a discriminator whose levels take {found}"
            )
        for level in judged:
            require_logits(level)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        levels = self.levels(self.images(data))

        latents, losses = self.latents(levels[-1].real), {}
        fakes = [level.generate(latents) for level in levels]
        with tf.GradientTape() as tape:
            for level, fake in zip(levels, fakes):
                found = self.discriminator_losses(level.real, fake, level.judge, level.finest)
                losses |= level.named(found)
        self.step("discriminator", tape, losses)

        latents, losses = self.latents(levels[-1].real), {}
        with tf.GradientTape() as tape:
            for level in levels:
                fake = level.generate(latents)
                found = self.generator_losses(level.real, fake, level.judge, level.generate)
                losses |= level.named(found)
        self.step("generator", tape, losses)
        self.update_averages()
        return self.get_metrics_result()

    def levels(self, images: tf.Tensor) -> list["Level"]:
        """Returns the levels of real images and their networks, the coarsest first."""
        generators = laplacian.levels_of(self.generator)
        discriminators = laplacian.levels_of(self.discriminator)
        reals = [images]
        for _ in generators[1:]:
            reals.insert(0, laplacian.downsampled(reals[0]))
        lows = [None, *map(laplacian.upsampled, reals[:-1])]
        count = len(reals)
        return [
            Level(number, count, *of_level)
            for number, of_level in enumerate(zip(reals, lows, generators, discriminators))
        ]

    def get_config(self) -> Config:
        config = super().get_config()
        del config["discriminator_steps"]  # one of each side
        return config


@dataclasses.dataclass(frozen=True)
class Level:
    """One level in a step: real images, what its generator is given, and its networks.

    Args:
        number: of the level, from 0, the coarsest.
        count: of all levels.
        real: images `(batch, height, width, channels)`.
        low: the real images of the level before, upsampled; `None` at the coarsest.
        generator: see `networks.laplacian_pyramid`.
        discriminator: see `networks.laplacian_discriminator`.
    """

    number: int
    count: int
    real: tf.Tensor
    low: tf.Tensor | None
    generator: keras.Model
    discriminator: keras.Model

    @property
    def finest(self) -> bool:
        """Is it the last level?"""
        return self.number == self.count - 1

    def generate(self, latents: tf.Tensor, training: bool = True) -> tf.Tensor:
        """Returns images of this level, of its own part of the latents and of `low`."""
        own = tf.split(latents, self.count, axis=-1)[self.number]
        if self.low is None:
            return self.generator(own, training=training)
        return self.low + self.generator([own, self.low], training=training)

    def judge(self, images: tf.Tensor, training: bool = True) -> tf.Tensor:
        """Returns logits of images, beside `low`."""
        given = images if self.low is None else [images, self.low]
        return self.discriminator(given, training=training)

    def named(self, losses: Losses) -> Losses:
        """Returns the losses under the names of this level."""
        return {f"{name}_{self.real.shape[1]}": loss for name, loss in losses.items()}
