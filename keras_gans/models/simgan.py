"""Learning from Simulated and Unsupervised Images, Shrivastava 2017 (arXiv:1612.07828)."""

from typing import Any

import keras
import tensorflow as tf

from keras_gans import batches, checks, losses
from keras_gans.adversarial import AdversarialModel, require_fit, require_inputs, require_logits
from keras_gans.layers import ReplayPool
from keras_gans.losses import AdversarialLoss
from keras_gans.models.image_to_image import ImageToImage, require_images
from keras_gans.typing import Config


@keras.saving.register_keras_serializable("keras_gans")
class SimGAN(ImageToImage, AdversarialModel):
    """A refiner makes synthetic images look real, and keeps what they show (section 2).

    What they show has labels, since the images were drawn: so a classifier of real images can be
    trained on refined ones, without labels of real images. The refiner is the generator. It takes
    several steps for one of the discriminator (algorithm 1), and stays near the synthetic image:
    the L1 distance to it is part of its loss. The discriminator's loss is local, a mean over
    patches, and half of the refined images that it sees are of earlier steps (section 2.3).

    >>> gan = keras_gans.SimGAN(
    ...     keras_gans.networks.refiner((28, 28, 1), width=8),
    ...     keras_gans.networks.patch_discriminator(
    ...         (28, 28, 1), receptive_field=16, width=8, normalization=None
    ...     ),
    ... )
    >>> gan.compile()
    >>> gan.generate(np.zeros((2, 28, 28, 1))).shape
    (2, 28, 28, 1)

    Trained on unpaired `(synthetic, real)` images in [-1, 1]:
    `keras_gans.data.load_domains("font_digits", second="digits")`, or `fit(synthetic, real)`.

    Args:
        generator: the paper's refiner, images to images of the same shape, such as
            `networks.refiner`.
        discriminator: images to a map of logits, such as `networks.patch_discriminator`, or to
            one logit.
        regularization_weight: the paper's lambda, of the mean of |R(x) - x| over all pixels.
        refiner_steps: the paper's K_g. The synthetic images of a batch are split into that many
            parts, one for each step.
        discriminator_steps: the paper's K_d. After the refiner's steps the batch is split into
            that many parts, and its synthetic images are refined anew.
        pool_size: refined images of earlier steps that are kept; 0 for none.
        loss: name of an adversarial loss, or a `losses.AdversarialLoss`. The paper's is
            `"non_saturating"`.
        **kwargs: `ema_decay`, `seed`, `name`: see `AdversarialModel`.

    Raises:
        ValueError: for networks that do not fit each other, a refiner that changes the shape of
            images, a negative weight, or no steps.
    """

    tracked = ("discriminator_loss", "generator_loss", "regularization_loss")
    compared = ("synthetic", "refined", "real")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        regularization_weight: float = 1.0,
        refiner_steps: int = 2,
        discriminator_steps: int = 1,
        pool_size: int = 256,
        loss: str | AdversarialLoss = "non_saturating",
        **kwargs: Any,
    ) -> None:
        super().__init__({"generator": generator}, {"discriminator": discriminator}, **kwargs)
        self.regularization_weight = checks.weight("regularization_weight", regularization_weight)
        self.largest_weight = max(1.0, self.regularization_weight)
        self.refiner_steps = checks.count("refiner_steps", refiner_steps)
        self.discriminator_steps = checks.count("discriminator_steps", discriminator_steps)
        self.adversarial_loss = losses.get(loss)
        if self.adversarial_loss.relativistic:
            raise ValueError(
                "The refiner's steps see synthetic images alone, and a relativistic loss compares "
                "them with real ones. Expected a loss such as 'non_saturating', 'least_squares' or "
                f"'hinge'. Received: loss={loss!r}"
            )
        self.pool_size = pool_size
        self.pool = ReplayPool(pool_size, probability=1.0)
        self.pool.build(generator.output_shape)

    def check_networks(self) -> None:
        require_images(self.generator, "refiner")
        taken, made = tuple(self.generator.inputs[0].shape), self.generator.output_shape
        if taken != made:
            raise ValueError(
                "The refiner's images are compared with the synthetic ones, pixel by pixel, so "
                f"both must have one shape. Received: {taken[1:]} to {made[1:]}"
            )
        require_inputs(self.discriminator, "images")
        require_fit(self.generator, self.discriminator)
        require_logits(self.discriminator)

    def pairs(self, data: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the synthetic and the real images of a batch, float32, checked."""
        shape = self.generator.output_shape[1:]
        return batches.image_pairs(data, shape, shape, type(self).__name__, "load_domains")

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        synthetic, real = self.pairs(data)

        for x in self.split(synthetic, self.refiner_steps, "refiner_steps"):
            with tf.GradientTape() as tape:
                refined = self.generator(x, training=True)
                logits = self.discriminator(refined, training=True)
                refiner_losses = {
                    "generator_loss": self.adversarial_loss.generator(logits),
                    "regularization_loss": self.regularization_weight * tf.abs(refined - x),
                }
            self.step("generator", tape, refiner_losses)

        steps = self.discriminator_steps, "discriminator_steps"
        for x, y in zip(self.split(synthetic, *steps), self.split(real, *steps)):
            refined = self.half_from_pool(self.generator(x, training=True))
            with tf.GradientTape() as tape:
                real_logits, logits = batches.in_one_pass(self.discriminator, y, refined)
                self.observe(real_logits, logits)
                seed = self.next_seed()
                loss = self.adversarial_loss.discriminator(real_logits, logits, seed)
            self.step("discriminator", tape, {"discriminator_loss": loss})
        self.update_averages()
        return self.get_metrics_result()

    def half_from_pool(self, refined: tf.Tensor) -> tf.Tensor:
        """Returns half of a batch of refined images, and as many of earlier steps (section 2.3).

        The other half of the batch replaces those in the pool.
        """
        half = tf.shape(refined)[0] // 2
        earlier = self.pool(refined[half:], self.next_seed())
        return tf.ensure_shape(tf.concat([refined[:half], earlier], axis=0), refined.shape)

    def check_data(self, batch: Any) -> None:
        super().check_data(batch)
        synthetic, real = self.pairs(batch)
        self.check_parts(synthetic, self.refiner_steps, "refiner_steps")
        self.check_parts(real, self.discriminator_steps, "discriminator_steps")

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "regularization_weight": self.regularization_weight,
            "refiner_steps": self.refiner_steps,
            "discriminator_steps": self.discriminator_steps,
            "pool_size": self.pool_size,
            "loss": keras.saving.serialize_keras_object(self.adversarial_loss),
        }
