"""Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks, Zhu 2017."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_gans import checks, losses
from keras_gans.adversarial import AdversarialModel, require_fit, require_inputs, require_logits
from keras_gans.batches import in_one_pass
from keras_gans.layers import ReplayPool
from keras_gans.models.image_to_image import ImageToImage, require_images
from keras_gans.typing import Config


@keras.saving.register_keras_serializable("keras_gans")
class CycleGAN(ImageToImage, AdversarialModel):
    """Two generators, each the inverse of the other, with a discriminator each (1703.10593, eq. 3).

    The paper's letters: domains X and Y, G from X to Y (`generator`), F from Y to X
    (`backward_generator`), D_Y (`discriminator`), D_X (`backward_discriminator`). The loss is
    least squares against 1 and 0, halved for the discriminators, which also see earlier generated
    images, from pools of 50 (section 4).

    >>> shape = (32, 32, 3)
    >>> gan = keras_gans.CycleGAN(
    ...     *(keras_gans.networks.resnet_generator(shape, width=8, blocks=2) for _ in "GF"),
    ...     *(
    ...         keras_gans.networks.patch_discriminator(
    ...             shape, receptive_field=16, width=8, normalization="instance"
    ...         )
    ...         for _ in "YX"
    ...     ),
    ... )
    >>> gan.compile()  # Adam(2e-4, beta_1=0.5); the paper's rate decays: `schedules.LinearDecay`

    Trained on unpaired `(x, y)` of images in [-1, 1]:
    `keras_gans.data.load_pairs("earth", paired=False)`, or `fit(xs, ys)`. The paper's batches hold
    one image of each domain.

    Args:
        generator: images of X to images of Y, such as `networks.resnet_generator`.
        backward_generator: images of Y to images of X.
        discriminator: images of Y to a map of scores, such as `networks.patch_discriminator`.
        backward_discriminator: images of X to a map of scores.
        cycle_weight: the paper's lambda, of both cycles; each cycle trains both generators.
        identity_weight: of |G(y) - y| and |F(x) - x| (section 5.2, "photo generation"; half of
            lambda there). 0 for none. It keeps colours: without it land and sea may be swapped,
            which the cycle loss cannot detect.
        pool_size: images in each pool; 0 for no pool.
        **kwargs: `ema_decay`, `seed`, `name`: see `AdversarialModel`.

    Raises:
        ValueError: for networks that do not fit each other, a negative weight, or an
            identity loss between domains of different shapes.
    """

    tracked = ("discriminator_loss", "generator_loss", "cycle_loss", "identity_loss")
    compared = ("x", "G(x)", "F(G(x))", "y", "F(y)", "G(F(y))")

    def __init__(
        self,
        generator: keras.Model,
        backward_generator: keras.Model,
        discriminator: keras.Model,
        backward_discriminator: keras.Model,
        cycle_weight: float = 10.0,
        identity_weight: float = 5.0,
        pool_size: int = 50,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            {"generator": generator, "backward_generator": backward_generator},
            {"discriminator": discriminator, "backward_discriminator": backward_discriminator},
            **kwargs,
        )
        _require_inverse(generator, backward_generator, identity_weight)
        self.cycle_weight = checks.weight("cycle_weight", cycle_weight)
        self.identity_weight = checks.weight("identity_weight", identity_weight)
        if not identity_weight:
            self.tracked = self.tracked[:-1]
        self.adversarial_loss = losses.get("least_squares")
        self.pool_size = pool_size
        self.pool_y, self.pool_x = ReplayPool(pool_size), ReplayPool(pool_size)
        self.pool_y.build(generator.output_shape)
        self.pool_x.build(backward_generator.output_shape)

    def check_networks(self) -> None:
        require_images(self.generator)
        require_images(self.backward_generator, "backward generator")
        for generator, discriminator in (
            (self.generator, self.discriminator),
            (self.backward_generator, self.backward_discriminator),
        ):
            require_inputs(discriminator, "images")
            require_fit(generator, discriminator)
            require_logits(discriminator)

    @property
    def largest_weight(self) -> float:
        """See `AdversarialModel`."""
        return max(1.0, self.cycle_weight, self.identity_weight)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        x, y = self.pairs(data)
        to_y, to_x = self.generator, self.backward_generator  # G, F

        with tf.GradientTape() as tape:
            if self.identity_weight:
                fake_y, same_y = in_one_pass(to_y, x, y)
                fake_x, same_x = in_one_pass(to_x, y, x)
            else:
                fake_y, fake_x = to_y(x, training=True), to_x(y, training=True)
            adversarial = self._generator_loss(self.discriminator, fake_y)
            adversarial += self._generator_loss(self.backward_discriminator, fake_x)
            cycled = _l1(to_x(fake_y, training=True), x) + _l1(to_y(fake_x, training=True), y)
            generator_losses = {
                "generator_loss": adversarial,
                "cycle_loss": self.cycle_weight * cycled,
            }
            if self.identity_weight:
                same = _l1(same_y, y) + _l1(same_x, x)
                generator_losses["identity_loss"] = self.identity_weight * same
        self.step("generator", tape, generator_losses)

        old_y, old_x = self.pool_y(fake_y, self.next_seed()), self.pool_x(fake_x, self.next_seed())
        with tf.GradientTape() as tape:
            loss = self._discriminator_loss(self.discriminator, y, old_y)
            loss += self._discriminator_loss(self.backward_discriminator, x, old_x)
            discriminator_losses = {"discriminator_loss": loss}
        self.step("discriminator", tape, discriminator_losses)
        self.update_averages()
        return self.get_metrics_result()

    def _generator_loss(self, discriminator, fake):
        """Returns (D(G(x)) - 1)^2; the factor 1/2 of Mao 2017 is not in this paper's equation."""
        return 2.0 * self.adversarial_loss.generator(discriminator(fake, training=True))

    def _discriminator_loss(self, discriminator, real, fake):
        """Returns half of (D(y) - 1)^2 + D(G(x))^2."""
        real_scores, fake_scores = in_one_pass(discriminator, real, fake)
        self.observe(real_scores, fake_scores)
        return self.adversarial_loss.discriminator(real_scores, fake_scores)

    def generate(
        self, images: ArrayLike, *, backward: bool = False, batch_size: int = 8
    ) -> np.ndarray:
        """Translates images from X to Y, or with the backward generator from Y to X.

        Args:
            images: floats in [-1, 1], `(number, height, width, channels)`.
            backward: whether to translate from Y to X.
            batch_size: how many to translate at once.

        Returns:
            float32 numpy array in [-1, 1], as many images.

        Raises:
            ValueError: for images that do not fit the generator.
        """
        generator = self.in_use("backward_generator" if backward else "generator")
        return self.translate(generator, images, batch_size)

    def compare(self, source: np.ndarray, target: np.ndarray) -> list[np.ndarray]:
        """Returns the columns of a grid of comparisons; `compared` has their names."""
        to_y, to_x = self.generate(source), self.generate(target, backward=True)
        back_to_x, back_to_y = self.generate(to_y, backward=True), self.generate(to_x)
        return [source, to_y, back_to_x, target, to_x, back_to_y]

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "cycle_weight": self.cycle_weight,
            "identity_weight": self.identity_weight,
            "pool_size": self.pool_size,
        }


def _l1(first, second):
    """Returns the mean absolute difference of each pair of images."""
    return tf.reduce_mean(tf.abs(first - second), axis=(1, 2, 3))


def _require_inverse(generator, backward_generator, identity_weight):
    taken, made = tuple(generator.inputs[0].shape), generator.output_shape
    back = tuple(backward_generator.inputs[0].shape), backward_generator.output_shape
    if back != (made, taken):
        raise ValueError(
            "The generators are not inverses: each must take the images that the other returns. "
            f"Received: {taken[1:]} to {made[1:]}, and {back[0][1:]} to {back[1][1:]}"
        )
    if identity_weight and taken != made:
        raise ValueError(
            "The identity loss gives images of one domain to the generator of the other, so both "
            "must have one shape. Set `identity_weight=0`. "
            f"Received: shapes {taken[1:]} and {made[1:]}, identity_weight={identity_weight}"
        )
