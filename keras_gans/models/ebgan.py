"""Energy-based Generative Adversarial Network, Zhao et al. 2016 (arXiv:1609.03126)."""

from typing import Any

import keras
import tensorflow as tf

from keras_gans import checks
from keras_gans.adversarial import AdversarialModel, require_inputs
from keras_gans.typing import Config


@keras.saving.register_keras_serializable("keras_gans")
class EBGAN(AdversarialModel):
    """The discriminator is an auto-encoder, and the energy of an image its reconstruction error.

    D minimizes `D(x) + max(0, m - D(G(z)))`, and G minimizes `D(G(z))` plus the pull-away term of
    the codes of its images (equations 1, 2 and 4; section 2.4: EBGAN-PT).

    >>> gan = keras_gans.EBGAN(
    ...     keras_gans.networks.dcgan_generator((28, 28, 1)),
    ...     keras_gans.networks.autoencoder_discriminator((28, 28, 1)),
    ... )
    >>> gan.tracked
    ('discriminator_loss', 'generator_loss', 'pull_away')

    Args:
        generator: latents `(batch, latent_dim)` to images.
        discriminator: images to `[reconstructions, codes (batch, code_dim)]`.
        margin: the paper's m, in units of the energy: the mean square of a pixel's error, of
            images in [-1, 1]. Energies of generated images above it have no gradient for D.
        pull_away_weight: of the pull-away term; 0 is plain EBGAN.
        **kwargs: `ema_decay`, `seed`, `name`: see `AdversarialModel`.

    Raises:
        ValueError: for a discriminator that is no auto-encoder of the generator's images, or a
            number out of range.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        margin: float = 1.0,
        pull_away_weight: float = 0.1,
        **kwargs: Any,
    ) -> None:
        super().__init__({"generator": generator}, {"discriminator": discriminator}, **kwargs)
        self.margin = checks.positive("margin", margin)
        self.pull_away_weight = checks.weight("pull_away_weight", pull_away_weight)
        self.tracked = ("discriminator_loss", "generator_loss")
        self.tracked += ("pull_away",) if pull_away_weight else ()

    def check_networks(self) -> None:
        require_inputs(self.generator, "latents")
        require_inputs(self.discriminator, "images")
        shapes = [tuple(output.shape) for output in self.discriminator.outputs]
        made, taken = self.generator.output_shape, tuple(self.discriminator.inputs[0].shape)
        if made != taken or shapes[:1] != [made] or [len(s) for s in shapes[1:]] != [2]:
            raise ValueError(
                "The discriminator must be an auto-encoder of the generator's images, with outputs "
                "`[reconstructions, codes (batch, code_dim)]`, as "
                "`networks.autoencoder_discriminator` builds it. Received: a generator of "
                f"{made}, a discriminator from {taken} to {shapes}"
            )
        checks.image_outputs(self.discriminator, self.discriminator.outputs[:1])

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        real = self.images(data)

        generator_tape = tf.GradientTape()
        with generator_tape:  # entered again below, after the discriminator has moved
            fake = self.generator(self.latents(real), training=True)

        with tf.GradientTape() as tape:
            real_energy, fake_energy = self.energy(real)[0], self.energy(fake)[0]
            self.observe(real_energy, fake_energy)
            loss = real_energy + tf.nn.relu(self.margin - fake_energy)
        self.step("discriminator", tape, {"discriminator_loss": loss})

        with generator_tape:
            energy, codes = self.energy(fake)
            losses = {"generator_loss": energy}
            if self.pull_away_weight:
                losses["pull_away"] = self.pull_away_weight * self.pull_away(codes)
        self.step("generator", generator_tape, losses)
        self.update_averages()
        return self.get_metrics_result()

    def energy(self, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the energy of each image, float32 `(batch,)`, and its code."""
        reconstructions, codes = self.discriminator(images, training=True)
        squared = (tf.cast(reconstructions, "float32") - images) ** 2
        return tf.reduce_mean(squared, axis=list(range(1, len(squared.shape)))), codes

    def pull_away(self, codes: tf.Tensor) -> tf.Tensor:
        """Returns the mean squared cosine between codes of two different images (equation 4).

        The sum over all pairs of `(s_i . s_j)^2` is the squared size of the matrix
        `sum_i s_i s_i'`, and that is a mean over any number of replicas.
        """
        codes = tf.math.l2_normalize(tf.cast(codes, "float32"), axis=-1)
        number = tf.cast(tf.shape(codes)[0], "float32")
        moments = self.mean_over_replicas(tf.matmul(codes, codes, transpose_a=True) / number)
        number *= tf.distribute.get_strategy().num_replicas_in_sync
        # The last batch of an epoch may hold one image, which has no pair: 0, not 0 / 0.
        return (number * tf.reduce_sum(moments**2) - 1.0) / tf.maximum(number - 1.0, 1.0)

    def check_data(self, batch: Any) -> None:
        super().check_data(batch)
        if self.pull_away_weight and len(self.images(batch)) < 2:
            raise ValueError(
                "The pull-away term compares images of a batch with each other. Expected batches "
                "of at least 2, or `pull_away_weight=0`. Received: a batch of 1"
            )

    def get_config(self) -> Config:
        config = {"margin": self.margin, "pull_away_weight": self.pull_away_weight}
        return {**super().get_config(), **config}
