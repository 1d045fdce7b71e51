"""Generative Adversarial Nets, Goodfellow et al. 2014 (arXiv:1406.2661)."""

import functools

import keras
import tensorflow as tf

from keras_gans import checks, losses, penalties
from keras_gans.adversarial import AdversarialModel, require_fit, require_inputs, require_logits


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
        discriminator_steps: the paper's k. A batch is cut into that many parts, one a step.
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
        generator,
        discriminator,
        discriminator_steps=1,
        loss="non_saturating",
        penalties=None,
        **kwargs,
    ):
        super().__init__({"generator": generator}, {"discriminator": discriminator}, **kwargs)
        self.discriminator_steps = checks.count("discriminator_steps", discriminator_steps)
        self.adversarial_loss = losses.get(loss)
        self.penalties, self.penalty_intervals = _checked(penalties or {})
        self.tracked = ("discriminator_loss", *self.penalties, "generator_loss")

    def check_networks(self):
        require_inputs(self.generator, "latents")
        require_inputs(self.discriminator, "images")
        require_fit(self.generator, self.discriminator)
        require_logits(self.discriminator)

    def train_step(self, data):
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

    def discriminator_losses(self, real, fake, discriminator=None, watch=True):
        """What the discriminator goes down, by name.

        Real and generated images go through in batches of their own (Radford 2015).

        Args:
            real: images.
            fake: generated ones, as many.
            discriminator: what is called as `discriminator(images, training=True)` and answers
                logits, where that is more than the network: one that is told labels.
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

    def weighted_penalties(self, real, fake, discriminator):
        """Every penalty of the discriminator under its name, times its weight."""
        return self._weighted("discriminator", real, discriminator, real, fake)

    def generator_penalties(self, real, generator=None):
        """Every penalty of the generator under its name, times its weight, at new latents.

        Args:
            real: images, as many as latents are drawn.
            generator: what is called as `generator(latents, training=True)`, where that is more
                than the network: one that is given labels.
        """
        if not any(penalties.side(name) == "generator" for name in self.penalties):
            return {}
        return self._weighted("generator", real, generator or self.generator, self.latents(real))

    def _weighted(self, side, like, *arguments):
        """The penalties of a side, those that are not due at this step as zeros."""
        found = {}
        for name, weight in self.penalties.items():
            if penalties.side(name) != side:
                continue
            every = self.penalty_intervals.get(name, 1)
            value = functools.partial(penalties.get(name), *arguments, self.next_seed())
            if every == 1:
                found[name] = weight * value()
                continue
            due = getattr(self, f"{side}_optimizer").iterations % every == 0
            found[name] = tf.cond(
                due,
                functools.partial(_times, weight * every, value),
                lambda: tf.zeros(tf.shape(like)[:1]),
            )
        return found

    def generator_losses(self, real, fake, discriminator=None, generator=None):
        """The losses that the generator minimizes, by name; arguments as of `discriminator_losses`.

        `generator` is as of `generator_penalties`.
        """
        discriminator = discriminator or self.discriminator
        fake_logits = discriminator(fake, training=True)
        return {
            "generator_loss": self.generator_loss(fake_logits, real, discriminator),
            **self.generator_penalties(real, generator),
        }

    def generator_loss(self, fake_logits, real, discriminator):
        """The generator's adversarial loss; asks for real logits only if it compares with them."""
        compares = self.adversarial_loss.relativistic
        real_logits = discriminator(real, training=True) if compares else None
        return self.adversarial_loss.generator(fake_logits, real_logits)

    def check_data(self, batch):
        super().check_data(batch)
        self.check_parts(self.images(batch), self.discriminator_steps, "discriminator_steps")

    def get_config(self):
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


def _times(factor, value):
    return factor * value()


def _checked(given):
    """The weights of penalties by name, and the steps from one to the next, where above 1."""
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
                "A penalty has a `weight`, and perhaps `every`, the steps from one to the next. "
                f"Received: {name}={value!r}"
            )
        why = "Leave the penalty out to do without."
        weights[name] = checks.positive(name, lazy["weight"], why)
        every = checks.count("every", lazy.get("every", 1))
        if every > 1:
            intervals[name] = every
    return weights, intervals
