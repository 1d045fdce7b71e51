"""Analyzing and Improving the Image Quality of StyleGAN, Karras et al. 2020 (arXiv:1912.04958)."""

from typing import Any

import keras
import tensorflow as tf

from keras_gans import checks
from keras_gans.adversarial import require_fit, require_inputs, require_logits
from keras_gans.losses import AdversarialLoss
from keras_gans.models.conditional_gan import ConditionalGAN
from keras_gans.networks.stylegan2 import parts
from keras_gans.penalties import path_lengths, squared_slopes
from keras_gans.typing import Callee, Classes, Config, Losses, Penalties


@keras.saving.register_keras_serializable("keras_gans")
class StyleGAN2(ConditionalGAN):
    """Styles draw an image; both sides are regularized lazily, and styles are mixed.

    The generator is `networks.stylegan2_generator`: a mapping network makes a style of a latent,
    and a synthesis network draws from a style for each of its layers. In training, images of
    mixed styles keep neighbouring layers apart (style mixing, Karras 2019, section 3.1), R1
    regularizes the discriminator, and path lengths the generator (section 3.2): both at some steps
    only, as many times as strong (appendix B). With classes, both networks take labels (Karras
    2020, "Training Generative Adversarial Networks with Limited Data", appendix D.1); with
    `augment="bgc"` of the discriminator this is StyleGAN2-ADA.

    >>> gan = keras_gans.StyleGAN2(
    ...     keras_gans.networks.stylegan2_generator((16, 16, 3), 64, 64, width=8, max_width=16),
    ...     keras_gans.networks.stylegan2_discriminator((16, 16, 3), width=8, max_width=16),
    ...     ema_decay=0.998,
    ... )
    >>> gan.compile()
    >>> gan.generate(2, seed=0).shape
    (2, 16, 16, 3)

    The authors' program makes new images for each side, and regularizes in optimizer steps of its
    own, n + 1 in n steps of the training, for which it multiplies learning rates and logarithms
    of betas by n / (n + 1). Here the same images serve both sides, as in `DCGAN`, and a
    regularization is added to the loss of the step in which it is due: n steps, so that rates and
    betas are the paper's as they are. Its `ema_decay` of a half-life of `kimg` thousands of images
    is `0.5 ** (batch_size / (1000 * kimg))`.

    Args:
        generator: latents `(batch, latent_dim)`, or `[latents, labels]`, to images:
            `networks.stylegan2_generator`.
        discriminator: images, or `[images, labels]`, to logits `(batch, 1)`.
        num_classes: number of classes; `None` reads it from the networks.
        loss: name of an adversarial loss, or a `losses.AdversarialLoss`.
        penalties: of the discriminator, names of `keras_gans.penalties` to their weights; `None`
            for the authors' R1 with a weight of 1, at every 16th step.
        path_length_weight: of the path length regularization; 0 for none.
        path_length_every: steps between two of its terms; each is for half a batch.
        path_length_decay: how fast the moving average of path lengths moves, above 0 and below 1.
        style_mixing: probability, in [0, 1], that the images of a step mix two styles.
        style_decay: decay of the average style, in [0, 1), to which `psi` truncates.
        **kwargs: `ema_decay`, `seed`, `name`: see `AdversarialModel`.

    Raises:
        ValueError: for networks that do not fit each other, a generator without styles, or a
            number out of range.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        num_classes: Classes | None = None,
        loss: str | AdversarialLoss = "non_saturating",
        penalties: Penalties | None = None,
        path_length_weight: float = 2.0,
        path_length_every: int = 4,
        path_length_decay: float = 0.01,
        style_mixing: float = 0.9,
        style_decay: float = 0.995,
        **kwargs: Any,
    ) -> None:
        penalties = {"r1_penalty": {"weight": 1.0, "every": 16}} if penalties is None else penalties
        super().__init__(
            generator, discriminator, num_classes, loss=loss, penalties=penalties, **kwargs
        )
        if num_classes is not None and self.num_classes is None:
            raise ValueError(
                "The networks take no labels, and there are classes. Build both with the same "
                f"`num_classes`, or leave it out. Received: num_classes={num_classes!r}"
            )
        self.path_length_weight = checks.weight("path_length_weight", path_length_weight)
        self.path_length_every = checks.count("path_length_every", path_length_every)
        self.path_length_decay = checks.share("path_length_decay", path_length_decay)
        self.style_mixing = checks.weight("style_mixing", style_mixing)
        if self.style_mixing > 1.0:
            raise ValueError(
                "`style_mixing` is the probability that a step mixes styles. Expected a number "
                f"from 0 to 1. Received: style_mixing={style_mixing!r}"
            )
        self.style_decay = checks.share("style_decay", style_decay)
        self.tracked += ("path_length_penalty",) if self.path_length_weight else ()
        options = {"trainable": False, "dtype": "float32", "autocast": False}
        self.path_length = self.add_weight((), "zeros", name="path_length", **options)

    def check_networks(self) -> None:
        mapping = parts(self.generator)[0]
        labels = ["labels"] * (len(mapping.inputs) - 1)
        require_inputs(mapping, "latents", *labels)
        require_inputs(self.discriminator, "images", *labels)
        require_fit(self.generator, self.discriminator)
        require_logits(self.discriminator)

    def default_optimizer(self) -> keras.optimizers.Optimizer:
        """Returns a new optimizer: Adam(2e-3, beta_1=0, beta_2=0.99), as of Karras 2019."""
        return keras.optimizers.Adam(2e-3, beta_1=0.0, beta_2=0.99, epsilon=1e-8)

    @property
    def mapping(self) -> keras.Model:
        """The network from latents to styles."""
        return parts(self.generator)[0]

    @property
    def truncation(self) -> keras.layers.Layer:
        """The layer that has the average style."""
        return parts(self.generator)[1]

    @property
    def synthesis(self) -> keras.Model:
        """The network from styles to images."""
        return parts(self.generator)[2]

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        real, *labels = self.images_and_labels(data)
        discriminator = self.conditional_discriminator(*labels)

        styles = self.drawn_styles(real)
        generator_tape = tf.GradientTape()
        with generator_tape:  # entered again below, after the discriminator has moved
            fake = self.synthesis(self.mixed_styles(*styles, *labels), training=True)

        def r1():  # if it is due, of logits that are there
            return 0.5 * squared_slopes(slopes, real_logits, real)

        with tf.GradientTape() as tape:
            with tf.GradientTape() as slopes:
                slopes.watch(real)
                real_logits = discriminator(real, training=True)
            fake_logits, seed = discriminator(fake, training=True), self.next_seed()
            losses = {
                "discriminator_loss": self.adversarial_loss.discriminator(
                    real_logits, fake_logits, seed
                ),
                **self.weighted_penalties(real, fake, discriminator, r1_penalty=r1),
            }
        self.step("discriminator", tape, losses)
        self.observe(real_logits, fake_logits)

        with generator_tape:
            losses = {
                **self.generator_losses(real, fake, discriminator),
                **self.path_length_penalty(real, *labels),
            }
        self.step("generator", generator_tape, losses)
        self.update_averages()
        return self.get_metrics_result()

    def drawn_styles(self, like: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Returns what `mixed_styles` mixes: latents, other latents, and where these begin.

        The place is one for the whole batch; with the probability `1 - style_mixing` it is behind
        the last layer.

        Args:
            like: a tensor with as many examples.
        """
        count, seed = self.truncation.num_styles, self.common_seed()
        coin, place = tf.unstack(tf.random.stateless_uniform((2,), seed, alg="philox"))
        place = 1 + tf.cast(place * (count - 1), "int32")
        start = tf.where(coin < self.style_mixing, place, count)
        return self.latents(like), self.latents(like), start

    def mixed_styles(
        self, latents: tf.Tensor, others: tf.Tensor, start: tf.Tensor, *labels: tf.Tensor
    ) -> tf.Tensor:
        """Returns the styles of latents, and from layer `start` on those of other latents.

        Args:
            latents: `(batch, latent_dim)`; their styles move the average style.
            others: of the same shape.
            start: int32, the first layer with a style of the others.
            *labels: int32 `(batch,)`, if the generator takes labels.

        Returns:
            float32 `(batch, num_styles, style_dim)`.
        """
        w, other = (
            self.mapping([z, *labels] if labels else z, training=True) for z in (latents, others)
        )
        self.truncation.update_average(tf.stop_gradient(w), self.style_decay)
        mixed = tf.range(self.truncation.num_styles)[:, None] >= start
        return tf.where(mixed, other[:, None], w[:, None])

    def path_length_penalty(self, real: tf.Tensor, *labels: tf.Tensor) -> Losses:
        """Returns the path length regularization of half a batch of new images (equation 4).

        Args:
            real: images; the term is for as many as are at every second place.
            *labels: of the images, if the generator takes labels.
        """
        if not self.path_length_weight:
            return {}
        half, labels = real[::2], [y[::2] for y in labels]
        every, drawn, noise = self.path_length_every, self.drawn_styles(half), self.noise(half)

        def lengths_now():
            return path_lengths(self.synthesis, self.mixed_styles(*drawn, *labels), noise)

        lengths = self.lazily("generator", every, lengths_now, half)
        before, due = tf.convert_to_tensor(self.path_length), self.is_due("generator", every)
        mean = self.mean_over_replicas(tf.reduce_mean(lengths))
        mean = before + self.path_length_decay * (mean - before)
        self.path_length.assign(tf.where(due, mean, before))
        penalty = tf.where(due, (lengths - mean) ** 2, 0.0)
        return {"path_length_penalty": self.path_length_weight * every * penalty}

    def conditional_discriminator(self, *labels: tf.Tensor) -> Callee:
        return super().conditional_discriminator(*labels) if labels else self.discriminator

    def get_config(self) -> Config:
        config = super().get_config()
        del config["discriminator_steps"]  # one pass serves one step of each side
        return {
            **config,
            "path_length_weight": self.path_length_weight,
            "path_length_every": self.path_length_every,
            "path_length_decay": self.path_length_decay,
            "style_mixing": self.style_mixing,
            "style_decay": self.style_decay,
        }
