"""Coupled Generative Adversarial Networks, Liu & Tuzel 2016 (arXiv:1606.07536)."""

from collections.abc import Iterable
from typing import Any

import keras
import tensorflow as tf

from keras_gans import batches
from keras_gans.adversarial import require_fit, require_inputs, require_logits
from keras_gans.models.gan import GAN
from keras_gans.typing import Callee, Losses

# A batch of each domain.
Pair = tuple[tf.Tensor, tf.Tensor]


@keras.saving.register_keras_serializable("keras_gans")
class CoGAN(GAN):
    """Two GANs of two domains that share layers (section 3, equation 4).

    From one latent the generators make a pair of images, such as a digit and its edges, although
    no pair is ever seen: each discriminator knows the images of its domain alone. The generators
    share their first layers, which decide what is on an image, the discriminators their last ones.
    What is shared exists once, in a network with two outputs: `generator.variables` has it once,
    and it is stored once.

    The loss is the sum of those of both GANs. (Algorithm 1 of the paper averages the gradients of
    shared layers; Adam does not see that factor.)

    >>> shape = (28, 28, 1)
    >>> gan = keras_gans.CoGAN(
    ...     keras_gans.networks.coupled_dcgan_generator(shape, domains=("digit", "edges")),
    ...     keras_gans.networks.coupled_dcgan_discriminator(shape),
    ... )
    >>> gan.compile()
    >>> pair = gan.generate(4, seed=0)
    >>> pair["digit"].shape, pair["edges"].shape
    ((4, 28, 28, 1), (4, 28, 28, 1))

    Trained on pairs `(first, second)` of images in [-1, 1] that have nothing to do with each other:
    `keras_gans.data.load_domains("digits", transform="edges")`, or `fit(firsts, seconds)`.

    Args:
        generator: latents `(batch, latent_dim)` to two outputs, images of each domain, such as
            `networks.coupled_dcgan_generator`.
        discriminator: images of each domain, as two inputs, to two outputs of logits `(batch, 1)`,
            or maps of logits, each of its own domain's images alone; such as
            `networks.coupled_dcgan_discriminator`.
        discriminator_steps, loss, penalties: see `GAN`; of both domains.
        **kwargs: `ema_decay`, `seed`, `name`: see `AdversarialModel`.

    Raises:
        ValueError: for networks that do not fit each other, are not of two domains, or judge images
            of one domain by those of the other.
    """

    def check_networks(self) -> None:
        require_inputs(self.generator, "latents")
        generators = _domains(self.generator, self.generator.inputs * 2)
        discriminators = _domains(self.discriminator, self.discriminator.inputs)
        for generator, discriminator in zip(generators, discriminators):
            require_inputs(discriminator, "images")
            require_fit(generator, discriminator)
            require_logits(discriminator)
        # Functions: a network in an attribute would be saved, and its layers twice.
        self.of_domains = tuple(zip(map(_function, generators), map(_function, discriminators)))

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        parts = (self.split(x, self.discriminator_steps) for x in self.pairs(data))
        for real in zip(*parts):
            fake = self.generator(self.latents(real[0]), training=True)
            with tf.GradientTape() as tape:
                discriminator_losses = self.discriminator_losses(real, fake)
            self.step("discriminator", tape, discriminator_losses)

        latents = self.latents(real[0])
        with tf.GradientTape() as tape:
            fake = self.generator(latents, training=True)  # one latent, an image of each domain
            generator_losses = self.generator_losses(real, fake)
        self.step("generator", tape, generator_losses)
        self.update_averages()
        return self.get_metrics_result()

    def discriminator_losses(
        self, real: Pair, fake: Pair, discriminator: Callee | None = None, watch: bool = True
    ) -> Losses:
        """Returns the losses that the discriminators minimize, by name: sums of both domains.

        Args:
            real: images of each domain.
            fake: as many generated pairs.
            discriminator: `None`; each domain has its own.
            watch: see `GAN`.
        """
        losses = super().discriminator_losses
        return _sums(losses(x, y, d, watch) for x, y, (_, d) in zip(real, fake, self.of_domains))

    def generator_losses(
        self,
        real: Pair,
        fake: Pair,
        discriminator: Callee | None = None,
        generator: Callee | None = None,
    ) -> Losses:
        """Returns the losses that the generators minimize, by name: sums of both domains.

        Arguments are those of `discriminator_losses`.

        `generator` is `None`, too.
        """
        losses = super().generator_losses
        return _sums(losses(x, y, d, g) for x, y, (g, d) in zip(real, fake, self.of_domains))

    def pairs(self, data: Any) -> Pair:
        """Returns a batch of each domain, float32, checked against the generators' outputs."""
        first, second = (tuple(made.shape)[1:] for made in self.generator.outputs)
        return batches.image_pairs(data, first, second, type(self).__name__, "load_domains")

    def check_data(self, batch: Any) -> None:
        for images in self.pairs(batch):
            batches.check_range(images)
            self.check_parts(images, self.discriminator_steps, "discriminator_steps")


def _domains(network, inputs):
    """Returns the two networks in one, each of its own input and output; checked to be two."""
    if len(inputs) != 2 or len(network.outputs) != 2:
        raise ValueError(
            "A CoGAN has two domains. Expected a generator from latents to two outputs of images, "
            "and a discriminator from two inputs of images to two outputs of logits, such as "
            "`networks.coupled_dcgan_generator` and `networks.coupled_dcgan_discriminator`. "
            f"Received: {network.name!r} with {len(network.inputs)} input(s) and "
            f"{len(network.outputs)} output(s)"
        )
    try:
        return [
            keras.Model(*ends, name=f"{network.name}_{number}")
            for number, ends in enumerate(zip(inputs, network.outputs), start=1)
        ]
    except ValueError as error:
        raise ValueError(
            "The logit of a domain must follow from the images of that domain alone, in the order "
            "of the inputs: the images of a batch have nothing to do with each other. Share layers "
            f"by calling them on each of the inputs. Received: {network.name!r} "
            f"({str(error).splitlines()[0]})"
        ) from error


def _function(network):
    return lambda inputs, training: network(inputs, training=training)


def _sums(losses: Iterable[Losses]) -> Losses:
    """Returns the sums of both domains' losses, by name."""
    first, second = losses
    return {name: first[name] + second[name] for name in first}
