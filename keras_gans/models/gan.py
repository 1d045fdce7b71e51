"""Generative Adversarial Nets, Goodfellow et al. 2014 (arXiv:1406.2661)."""

import functools
import types
from typing import Any

import keras
import tensorflow as tf

from keras_gans import checks, losses, penalties
from keras_gans.adversarial import AdversarialModel, require_fit, require_inputs, require_logits
from keras_gans.layers import AdaptiveAugment
from keras_gans.losses import AdversarialLoss
from keras_gans.typing import Callee, Config, Losses, Penalties


@keras.saving.register_keras_serializable("keras_gans")
class GAN(AdversarialModel):
    """Algorithm 1: k discriminator steps, then one generator step, each on fresh latents.

    >>> gan = keras_gans.GAN(
    ...     keras_gans.networks.mlp_generator((1,), latent_dim=4),
    ...     keras_gans.networks.mlp_discriminator((1,)),
    ...     discriminator_steps=2,
    ... )
    >>> gan.compile()
    >>> history = gan.fit(keras_gans.data.load("normal", batch_size=64), verbose=0)
    >>> sorted(history.history)
    ['discriminator_loss', 'generator_loss']

    Args:
        generator: latents `(batch, latent_dim)` to images.
        discriminator: images to logits `(batch, 1)`, or a map of logits.
        discriminator_steps: the paper's k. A batch is split into that many parts, one a step.
        loss: name of an adversarial loss, or a `losses.AdversarialLoss`. `"minimax"` is the
            game's own (saturating) loss, `"non_saturating"` the one that section 3 trains with.
        penalties: names of `keras_gans.penalties` to their weights. Each is added to the loss of
            its side and logged under its name. `{"weight": 5.0, "every": 16}` for a weight takes
            one at every 16th step of its side only, with 16 times the weight (lazy regularization,
            Karras 2020, appendix B).
        **kwargs: `ema_decay`, `seed`, `name`: see `AdversarialModel`.

    Raises:
        ValueError: for networks that do not fit each other, or unknown names.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        discriminator_steps: int = 1,
        loss: str | AdversarialLoss = "non_saturating",
        penalties: Penalties | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__({"generator": generator}, {"discriminator": discriminator}, **kwargs)
        self.discriminator_steps = checks.count("discriminator_steps", discriminator_steps)
        self.adversarial_loss = losses.get(loss)
        self.penalties, self.penalty_intervals = _checked(penalties or {})
        layers = self.discriminator._flatten_layers()
        self.augmentations = [x for x in layers if isinstance(x, AdaptiveAugment)]
        adaptive = ("augment_probability",) if self.augmentations else ()
        self.tracked = ("discriminator_loss", *self.penalties, "generator_loss", *adaptive)

    def check_networks(self) -> None:
        require_inputs(self.generator, "latents")
        require_inputs(self.discriminator, "images")
        require_fit(self.generator, self.discriminator)
        require_logits(self.discriminator)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        for real in self.split(self.images(data), self.discriminator_steps, "discriminator_steps"):
            fake = self.generator(self.latents(real), training=True)
            with tf.GradientTape() as tape:
                discriminator_losses = self.discriminator_losses(real, fake)
            self.step("discriminator", tape, discriminator_losses)

        latents = self.latents(real)
        with tf.GradientTape() as tape:
            fake = self.generator(latents, training=True)
            generator_losses = self.generator_losses(real, fake)
        self.step("generator", tape, generator_losses)
        self.update_averages()
        return self.get_metrics_result()

    def discriminator_losses(
        self,
        real: tf.Tensor,
        fake: tf.Tensor,
        discriminator: Callee | None = None,
        watch: bool = True,
    ) -> Losses:
        """Returns the losses that the discriminator minimizes, by name.

        Real and generated images are separate batches (Radford 2015).

        Args:
            real: images.
            fake: as many generated images.
            discriminator: a function, `discriminator(images, training=True)`, that returns logits,
                in place of the network: of a conditional one, with the labels fixed.
            watch: whether the logits count in the training statistics; not those of a trial step.
        """
        discriminator = discriminator or self.discriminator
        real_logits = discriminator(real, training=True)
        fake_logits = discriminator(fake, training=True)
        if watch:
            self.observe(real_logits, fake_logits)
        loss = self.adversarial_loss.discriminator(real_logits, fake_logits, self.next_seed())
        return {
            "discriminator_loss": loss,
            **self.weighted_penalties(real, fake, discriminator),
        }

    def observe(self, real: tf.Tensor, fake: tf.Tensor) -> None:
        """Adds logits to the training statistics, and adapts `layers.AdaptiveAugment` to them.

        Args:
            real: the discriminator's logits of real examples, of any shape.
            fake: the same of generated ones.
        """
        super().observe(real, fake)
        for layer in self.augmentations:
            layer.adapt(real)
            if self.compiled and "augment_probability" in self.trackers:
                self.trackers["augment_probability"].update_state(layer.probability)

    def weighted_penalties(
        self, real: tf.Tensor, fake: tf.Tensor, discriminator: Callee, **known: Callee
    ) -> Losses:
        """Returns the penalties of the discriminator by name, times their weights.

        Args:
            real: images.
            fake: as many generated images.
            discriminator: a function of images, as of `discriminator_losses`.
            **known: names of penalties to functions without arguments that return their values
                from passes that were made already.
        """
        return self._weighted("discriminator", real, discriminator, real, fake, known=known)

    def generator_penalties(self, real: tf.Tensor, generator: Callee | None = None) -> Losses:
        """Returns the penalties of the generator by name, times their weights, at new latents.

        Args:
            real: images; as many latents are drawn.
            generator: a function, `generator(latents, training=True)`, in place of the network: of
                a conditional one, with the labels fixed.
        """
        if not any(penalties.side(name) == "generator" for name in self.penalties):
            return {}
        return self._weighted("generator", real, generator or self.generator, self.latents(real))

    def _weighted(self, side, like, *arguments, known=types.MappingProxyType({})):
        """Returns the penalties of a side by name; zeros where none is due at this step."""
        found = {}
        for name, weight in self.penalties.items():
            if penalties.side(name) != side:
                continue
            every = self.penalty_intervals.get(name, 1)
            seed = self.next_seed()
            value = known.get(name) or functools.partial(penalties.get(name), *arguments, seed)
            found[name] = weight * every * self.lazily(side, every, value, like)
        return found

    def is_due(self, side: str, every: int) -> tf.Tensor:
        """Returns whether a step of a side is one of those that come every so many steps."""
        return getattr(self, f"{side}_optimizer").iterations % every == 0

    def lazily(self, side: str, every: int, value: Callee, like: tf.Tensor) -> tf.Tensor:
        """Returns `value()` at the steps that are due, and zeros between.

        Between, nothing of it is computed (lazy regularization, Karras 2020, appendix B).

        Args:
            side: whose steps count.
            every: how many of them for each time; 1 computes it always.
            value: function that returns float32 `(batch,)`. It is traced inside of a `tf.cond`.
            like: a tensor with as many examples.
        """
        if every == 1:
            return value()
        return tf.cond(self.is_due(side, every), value, lambda: tf.zeros(tf.shape(like)[:1]))

    def generator_losses(
        self,
        real: tf.Tensor,
        fake: tf.Tensor,
        discriminator: Callee | None = None,
        generator: Callee | None = None,
    ) -> Losses:
        """Returns the losses that the generator minimizes, by name.

        Arguments are those of `discriminator_losses`.

        `generator` is as of `generator_penalties`.
        """
        discriminator = discriminator or self.discriminator
        fake_logits = discriminator(fake, training=True)
        return {
            "generator_loss": self.generator_loss(fake_logits, real, discriminator),
            **self.generator_penalties(real, generator),
        }

    def generator_loss(
        self, fake_logits: tf.Tensor, real: tf.Tensor, discriminator: Callee
    ) -> tf.Tensor:
        """Returns the adversarial loss of the generator; only relativistic losses use `real`."""
        compares = self.adversarial_loss.relativistic
        real_logits = discriminator(real, training=True) if compares else None
        return self.adversarial_loss.generator(fake_logits, real_logits)

    def check_data(self, batch: Any) -> None:
        super().check_data(batch)
        self.check_parts(self.images(batch), self.discriminator_steps, "discriminator_steps")

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "discriminator_steps": self.discriminator_steps,
            "loss": keras.saving.serialize_keras_object(self.adversarial_loss),
            "penalties": {
                name: {"weight": weight, "every": self.penalty_intervals[name]}
                if name in self.penalty_intervals
                else weight
                for name, weight in self.penalties.items()
            },
        }


def _checked(given):
    """Returns the weights of penalties by name, and the intervals of lazy ones in steps."""
    if not isinstance(given, dict):
        raise ValueError(
            "`penalties` are names with their weights, such as `{'r1_penalty': 5.0}`. "
            f"Received: penalties={given!r}"
        )
    weights, intervals = {}, {}
    for name, value in given.items():
        penalties.get(name)
        lazy = value if isinstance(value, dict) else {"weight": value}
        if set(lazy) - {"weight", "every"} or "weight" not in lazy:
            raise ValueError(
                "A penalty has a `weight`, and optionally `every`, an interval in steps. "
                f"Received: {name}={value!r}"
            )
        why = "To train without it, leave the penalty out."
        weights[name] = checks.positive(name, lazy["weight"], why)
        every = checks.count("every", lazy.get("every", 1))
        if every > 1:
            intervals[name] = every
    return weights, intervals
