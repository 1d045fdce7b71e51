"""Unrolled Generative Adversarial Networks, Metz et al. 2017 (arXiv:1611.02163)."""

from typing import Any

import keras
import tensorflow as tf

from keras_gans import checks
from keras_gans.losses import AdversarialLoss
from keras_gans.models.gan import GAN
from keras_gans.typing import Callee, Config, Optimizer, Penalties


@keras.saving.register_keras_serializable("keras_gans")
class UnrolledGAN(GAN):
    """The generator's loss uses the discriminator after K more steps (equations 9 and 10).

    These K steps use the discriminator's own optimizer, with its state, on the current batch, and
    the generator's gradient goes through all of them. They are then discarded: the discriminator
    takes one step as usual. Both sides are updated at the same time. The cost of a step grows
    with K.

    >>> gan = keras_gans.UnrolledGAN(
    ...     keras_gans.networks.mlp_generator((2,)),
    ...     keras_gans.networks.mlp_discriminator((2,)),
    ...     unrolled_steps=5,
    ... )
    >>> gan.compile()
    >>> history = gan.fit(keras_gans.data.load("ring").take(2), verbose=0)

    Args:
        generator: latents `(batch, latent_dim)` to images.
        discriminator: images to logits `(batch, 1)`.
        unrolled_steps: the paper's K. 0 is an ordinary GAN with simultaneous updates.
        loss: name of an adversarial loss, or a `losses.AdversarialLoss`.
        penalties: names of `keras_gans.penalties` to their weights.
        **kwargs: `ema_decay`, `seed`, `name`: see `AdversarialModel`.

    Raises:
        ValueError: for networks that do not fit each other, or a number of steps below 0. By
            `compile`, for a discriminator's optimizer other than plain SGD or Adam.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        unrolled_steps: int = 5,
        loss: str | AdversarialLoss = "non_saturating",
        penalties: Penalties | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(generator, discriminator, loss=loss, penalties=penalties, **kwargs)
        self.unrolled_steps = checks.count("unrolled_steps", unrolled_steps, 0)

    def compile(
        self,
        generator_optimizer: Optimizer | None = None,
        discriminator_optimizer: Optimizer | None = None,
        **kwargs: Any,
    ) -> None:
        super().compile(generator_optimizer, discriminator_optimizer, **kwargs)
        if self.unrolled_steps:
            _rule(self.discriminator_optimizer)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        real = self.images(data)
        with tf.GradientTape() as generator_tape:
            fake = self.generator(self.latents(real), training=True)
            later = self.unroll(real, fake)
            generator_losses = self.generator_losses(real, fake, later)
        with tf.GradientTape() as tape:
            discriminator_losses = self.discriminator_losses(real, fake)
        self.step("generator", generator_tape, generator_losses)
        self.step("discriminator", tape, discriminator_losses)
        self.update_averages()
        return self.get_metrics_result()

    def unroll(self, real: tf.Tensor, fake: tf.Tensor) -> Callee:
        """Returns the discriminator after K steps on these images, as a function of images."""
        weights = [tf.convert_to_tensor(v) for v in self.variables_of("discriminator")]
        move = _rule(self.discriminator_optimizer) if self.unrolled_steps else None
        for _ in range(self.unrolled_steps):
            with tf.GradientTape() as tape:
                tape.watch(weights)
                tried = self.discriminator_at(weights)
                losses = self.discriminator_losses(real, fake, tried, watch=False)
                loss = tf.add_n([tf.reduce_mean(value) for value in losses.values()])
            gradients = [self.mean_over_replicas(g) for g in tape.gradient(loss, weights)]
            weights = move(weights, gradients)
        return self.discriminator_at(weights)

    def discriminator_at(self, weights: list[tf.Tensor]) -> Callee:
        """Returns the discriminator with these tensors as trainable weights, as a function."""
        state = [v.value for v in self.discriminator.non_trainable_variables]

        def judge(images, training):
            return self.discriminator.stateless_call(weights, state, images, training=training)[0]

        return judge

    def get_config(self) -> Config:
        config = super().get_config()
        del config["discriminator_steps"]  # both sides are updated at the same time
        return {**config, "unrolled_steps": self.unrolled_steps}


def _rule(optimizer):
    """Returns an optimizer's step as a differentiable function, starting from its present state.

    The function takes weights and gradients, returns the new weights, and keeps the state.
    """
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    extras = ("weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "amsgrad", "use_ema")
    extras = [name for name in extras if getattr(optimizer, name, None)]
    rules = {keras.optimizers.SGD: _SGD, keras.optimizers.Adam: _Adam}
    if type(optimizer) not in rules or extras:
        raise ValueError(
            "Gradients go through the discriminator's optimizer, whose step must be known. "
            "Expected `keras.optimizers.SGD` or `Adam`, without clipping, decay of weights or "
            f"averages. Received: {type(optimizer).__name__} {extras or ''}".rstrip()
        )
    return rules[type(optimizer)](optimizer)


class _SGD:
    def __init__(self, optimizer):
        self.rate, self.momentum = optimizer.learning_rate, optimizer.momentum
        self.nesterov = optimizer.nesterov
        self.velocities = [v.value for v in optimizer.momentums] if self.momentum else None

    def __call__(self, weights, gradients):
        moves = [-self.rate * g for g in gradients]
        if self.momentum:
            pairs = zip(self.velocities, moves)
            self.velocities = [self.momentum * v + move for v, move in pairs]
            ahead = zip(self.velocities, moves)
            moves = [self.momentum * v + move if self.nesterov else v for v, move in ahead]
        return [w + move for w, move in zip(weights, moves)]


class _Adam:
    def __init__(self, optimizer):
        self.optimizer, self.step = optimizer, tf.cast(optimizer.iterations, "float32")
        self.means = [m.value for m in optimizer._momentums]
        self.squares = [v.value for v in optimizer._velocities]

    def __call__(self, weights, gradients):
        beta_1, beta_2, self.step = self.optimizer.beta_1, self.optimizer.beta_2, self.step + 1.0
        rate = self.optimizer.learning_rate
        rate *= tf.sqrt(1.0 - beta_2**self.step) / (1.0 - beta_1**self.step)
        self.means = [m + (g - m) * (1.0 - beta_1) for m, g in zip(self.means, gradients)]
        self.squares = [v + (g**2 - v) * (1.0 - beta_2) for v, g in zip(self.squares, gradients)]
        return [
            w - rate * m / (_root(v) + self.optimizer.epsilon)
            for w, m, v in zip(weights, self.means, self.squares)
        ]


def _root(x):
    # The slope of a square root at 0 is infinite, and 0 * inf is NaN.
    positive = x > 0.0
    return tf.where(positive, tf.sqrt(tf.where(positive, x, 1.0)), 0.0)
