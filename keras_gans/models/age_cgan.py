"""Face Aging with Conditional Generative Adversarial Networks, Antipov 2017 (1702.01983)."""

from typing import Any

import keras
import tensorflow as tf

from keras_gans.losses import AdversarialLoss
from keras_gans.models.conditional_gan import ConditionalGAN
from keras_gans.models.encoded import Encoded
from keras_gans.typing import Classes, Penalties


@keras.saving.register_keras_serializable("keras_gans")
class AgeCGAN(Encoded, ConditionalGAN):
    """A conditional GAN, and an encoder that finds the latent of an image (section 2).

    The latent holds who is on a picture, and the condition how old: the same latent with another
    condition is the same person at another age. The encoder learns from pairs of a latent and what
    the generator makes of it. The paper trains it afterwards on 100,000 such pairs (section 2.3);
    here it learns beside the other two, from new pairs of the generator in use at every step.

    What the encoder finds is a first guess; `keras_gans.zoo.age` improves on it (section 2.3.1).

    >>> gan = keras_gans.AgeCGAN(
    ...     keras_gans.networks.conditional_dcgan_generator((32, 32, 3), {"age": 4}, 64),
    ...     keras_gans.networks.conditional_dcgan_discriminator((32, 32, 3), {"age": 4}),
    ...     keras_gans.networks.dcgan_encoder((32, 32, 3), 64),
    ... )
    >>> gan.compile()
    >>> young = gan.generate(2, age=0, seed=0)
    >>> gan.generate(latents=gan.encode(young), age=3).shape
    (2, 32, 32, 3)

    Trained on `(images, labels)`: `keras_gans.data.load("avatars", attributes=["age"])`.

    Args:
        generator: `[latents (batch, latent_dim), ages (batch,)]` to images.
        discriminator: `[images, ages (batch,)]` to logits `(batch, 1)`, or a map of logits.
        encoder: images to latents `(batch, latent_dim)`, such as `networks.dcgan_encoder`.
        num_classes, discriminator_steps, loss, penalties: see `ConditionalGAN`.
        **kwargs: `ema_decay`, `seed`, `name`: see `AdversarialModel`.

    Raises:
        ValueError: for networks that do not fit each other, or take no labels.
    """

    side_names: tuple[str, ...] = ("generator", "discriminator", "encoder")
    averaged_sides: tuple[str, ...] = ("generator", "encoder")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        encoder: keras.Model,
        num_classes: Classes | None = None,
        discriminator_steps: int = 1,
        loss: str | AdversarialLoss = "non_saturating",
        penalties: Penalties | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            generator,
            discriminator,
            num_classes,
            discriminator_steps,
            loss,
            penalties,
            sides={
                "generator": {"generator": generator},
                "discriminator": {"discriminator": discriminator},
                "encoder": {"encoder": encoder},
            },
            **kwargs,
        )
        self.tracked = (*self.tracked, "encoder_loss")

    def check_networks(self) -> None:
        super().check_networks()
        self.require_encoder()

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        images, *labels = self.images_and_labels(data)
        latents = self.latents(images)
        made = self.in_use("generator")([latents, *labels], training=False)
        with tf.GradientTape() as tape:
            distance = tf.reduce_mean(tf.square(self.codes(made) - latents), axis=-1)
        self.step("encoder", tape, {"encoder_loss": distance})
        return super().train_step(data)
