"""Generative Adversarial Text to Image Synthesis, Reed et al. 2016 (arXiv:1605.05396)."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gans import batches, checks, generation, losses, replicas
from keras_gans.adversarial import LOGITS, require_fit
from keras_gans.interface import Text
from keras_gans.losses import AdversarialLoss
from keras_gans.models.dcgan import DCGAN
from keras_gans.typing import Callee, Config, Losses, Penalties


@keras.saving.register_keras_serializable("keras_gans")
class TextToImageGAN(DCGAN):
    """Algorithm 1, GAN-CLS, with the interpolation between texts of GAN-INT (section 4.3).

    The discriminator is matching-aware: beside generated images it learns to refuse real images
    with a wrong text, the text of another image, each at half the weight (GAN-CLS). The generator
    also has to satisfy it at the mean of two texts, of which there are no images (GAN-INT).

    The paper trains its text encoder beforehand, with an image encoder, so that an image is nearest
    to its own text. Here it learns at the same time, on the discriminator's side: by that joint
    embedding of images and texts, whose images are the discriminator's features, and by what the
    discriminator learns of matching. The generator uses it as it is.

    >>> words = ["a", "face", "with", "red", "black", "hair"]
    >>> gan = keras_gans.TextToImageGAN(
    ...     keras_gans.networks.text_dcgan_generator((16, 16, 3), words, max_length=6, width=8),
    ...     keras_gans.networks.text_dcgan_discriminator((16, 16, 3), width=8),
    ... )
    >>> gan.compile()
    >>> gan.generate(text=["red hair", "a face with black hair"], seed=0).shape
    (2, 16, 16, 3)

    Trained on pairs of images and strings: `keras_gans.data.load("avatars", captions=True)`, or
    `tf.data.Dataset.from_tensor_slices((images, texts)).batch(64)`.

    Args:
        generator: `[latents (batch, latent_dim), texts (batch, max_length)]` to images, of the
            parts that `networks.text_dcgan_generator` has.
        discriminator: `[images, embeddings (batch, size)]` to `[logits (batch, 1), image
            embeddings (batch, size)]`, of the parts that `networks.text_dcgan_discriminator` has.
        matching_aware: whether the discriminator sees real images with wrong texts (GAN-CLS).
        interpolate: whether the generator makes images of the means of two texts (GAN-INT).
        embedding_weight: of the loss of the joint embedding; 0 leaves it out.
        generator_embedding_weight: of the same loss of generated images and their texts, which the
            generator then minimizes, too. The paper does not have it; AttnGAN (Xu 2018, section
            3.2) does. It needs an `embedding_weight`.
        loss: name of an adversarial loss, or a `losses.AdversarialLoss`.
        penalties: names of `keras_gans.penalties` to their weights; of real images with their own
            texts.
        **kwargs: `ema_decay`, `seed`, `name`: see `AdversarialModel`.

    Raises:
        ValueError: for networks that do not fit each other, or lack a part.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        matching_aware: bool = True,
        interpolate: bool = True,
        embedding_weight: float = 1.0,
        generator_embedding_weight: float = 0.0,
        loss: str | AdversarialLoss = "non_saturating",
        penalties: Penalties | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(generator, discriminator, loss, penalties, **kwargs)
        self.state_input(self.text)  # of the moving average, too
        self.matching_aware, self.interpolate = bool(matching_aware), bool(interpolate)
        self.embedding_weight = checks.weight("embedding_weight", embedding_weight)
        self.generator_embedding_weight = checks.weight(
            "generator_embedding_weight", generator_embedding_weight
        )
        if self.generator_embedding_weight and not self.embedding_weight:
            raise ValueError(
                "The generator can go by a joint embedding that the discriminator learns. Expected "
                "`embedding_weight` above 0, or `generator_embedding_weight=0`. Received: "
                f"embedding_weight={embedding_weight}, "
                f"generator_embedding_weight={generator_embedding_weight}"
            )
        self.tracked = (
            *self.tracked,
            *["embedding_loss"] * bool(self.embedding_weight),
            *["generator_embedding_loss"] * bool(self.generator_embedding_weight),
            *["interpolation_loss"] * self.interpolate,
        )

    def check_networks(self) -> None:
        parts = {"text_encoder": 1, "image_generator": 2}
        _require_parts(self.generator, "generator", parts)
        parts = {"features": 1, "matching": 2, "image_embedding": 1}
        _require_parts(self.discriminator, "discriminator", parts)
        require_fit(self.generator, self.discriminator)
        sizes = [
            network.output_shape[-1]
            for network in (self.text_encoder, self._part("image_embedding"))
        ]
        taken = [
            self._image_generator.inputs[1].shape[-1],
            self._part("matching").inputs[1].shape[-1],
        ]
        if len({*sizes, *taken}) > 1:
            raise ValueError(
                "The networks have embeddings of different lengths. Build both with one "
                f"`embedding_dim`. Received: a generator of {taken[0]}, a discriminator of "
                f"{taken[1]}"
            )
        checks.linear_outputs(self.discriminator, self.discriminator.outputs[:1], LOGITS)

    @property
    def text_encoder(self) -> keras.Model:
        """The part of the generator from the numbers of words to embeddings."""
        return self.generator.get_layer("text_encoder")

    @property
    def _image_generator(self):
        return self.generator.get_layer("image_generator")

    def _part(self, name):
        return self.discriminator.get_layer(name)

    @property
    def text(self) -> Text:
        """The generator's input of texts."""
        return self.interface("generator").texts[0]

    def tokens(self, texts: str | Sequence[str] | np.ndarray) -> np.ndarray:
        """Returns the numbers of the words of texts, int32 `(number, max_length)`.

        Raises:
            ValueError: for unknown words, a text without words, or of too many.
        """
        return generation.choose_texts(self.text, texts)

    def variables_of(self, side: str) -> list[keras.Variable]:
        """Returns the trainable variables of a side; the text encoder's are the discriminator's."""
        encoder = self.text_encoder.trainable_variables
        left, added = (encoder, []) if side == "generator" else ([], encoder)
        if side == "discriminator" and not self.embedding_weight:
            left = self._part("image_embedding").trainable_variables  # nothing trains it
        left = {id(variable) for variable in left}
        return [v for v in (*super().variables_of(side), *added) if id(v) not in left]

    def images_and_texts(self, data: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the images and the numbers of the words of a batch, float32 and int32."""
        shape, owner = self.generator.output_shape[1:], type(self).__name__
        return batches.images_and_texts(data, shape, self.text, owner)

    def check_data(self, batch: Any) -> None:
        texts = batch[1] if isinstance(batch, (tuple, list)) and len(batch) == 2 else ()
        if np.asarray(texts).dtype.kind in "OSU" and np.ndim(texts) == 1 and len(texts):
            self.tokens(list(np.asarray(texts)))  # whose errors say more than those of a graph
        images, tokens = self.images_and_texts(batch)
        batches.check_range(images)
        self.tokens(np.asarray(tokens))
        share = len(images) // self.distribute_strategy.num_replicas_in_sync
        if share < 2:
            raise ValueError(
                "A wrong text is that of another image. Expected batches (of each replica) of 2 "
                f"or more. Received: {share}"
            )

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        real, tokens = self.images_and_texts(data)
        text = self.text_encoder(tokens, training=True)

        generator_tape = tf.GradientTape()
        with generator_tape:  # entered again below, after the discriminator has moved
            fake = self._image_generator([self.latents(real), text], training=True)

        with tf.GradientTape() as tape:
            text = self.text_encoder(tokens, training=True)
            discriminator_losses = self.text_losses(real, fake, text)
        self.step("discriminator", tape, discriminator_losses)

        text = self.text_encoder(tokens, training=True)  # which has moved
        with generator_tape:
            matched = self.matched(text)
            generator_losses = self.generator_losses(real, fake, matched)
            if weight := self.generator_embedding_weight:
                found = self.joint_embedding(self._part("features")(fake, training=True), text)
                generator_losses["generator_embedding_loss"] = weight * found
            if self.interpolate:
                generator_losses["interpolation_loss"] = self.interpolation_loss(real, text)
        self.step("generator", generator_tape, generator_losses)
        self.update_averages()
        return self.get_metrics_result()

    def matched(self, text: tf.Tensor) -> Callee:
        """Returns the discriminator with these embeddings, as a function of images to logits."""

        def matched(images: tf.Tensor, training: bool) -> tf.Tensor:
            seen = self._part("features")(images, training=training)
            return self._part("matching")([seen, text], training=training)

        return matched

    def text_losses(self, real: tf.Tensor, fake: tf.Tensor, text: tf.Tensor) -> Losses:
        """Returns the losses that the discriminator and the text encoder minimize, by name.

        With the logits s_r of real images with their texts, s_w with wrong ones and s_f of
        generated images: the mean of the loss of s_r and s_w and of that of s_r and s_f, which is
        log s_r + (log(1 - s_w) + log(1 - s_f)) / 2 of Algorithm 1.

        Args:
            real: images.
            fake: generated images of the same texts.
            text: embeddings of their texts.
        """
        seen = self._part("features")(real, training=True)
        right = self._part("matching")([seen, text], training=True)
        generated = self.matched(text)(fake, training=True)
        self.observe(right, generated)
        loss = self.adversarial_loss.discriminator(right, generated, self.next_seed())
        if self.matching_aware:
            wrong = self._part("matching")([seen, neighbours(text)], training=True)
            refused = self.adversarial_loss.discriminator(right, wrong, self.next_seed())
            loss = (loss + refused) / 2.0
        found = {
            "discriminator_loss": loss,
            **self.weighted_penalties(real, fake, self.matched(text)),
        }
        if self.embedding_weight:
            found["embedding_loss"] = self.embedding_weight * self.joint_embedding(seen, text)
        return found

    def joint_embedding(self, seen: tf.Tensor, text: tf.Tensor) -> tf.Tensor:
        """Returns the loss of the joint embedding, float32 `(batch,)`; see `losses`.

        Args:
            seen: feature maps of images, of the discriminator's part `"features"`.
            text: embeddings of their texts. Those of all replicas are compared.
        """
        images = self._part("image_embedding")(seen, training=True)
        every = losses.joint_embedding(replicas.gathered(images), replicas.gathered(text))
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        return every[replica * tf.shape(images)[0] :][: tf.shape(images)[0]]

    def interpolation_loss(self, real: tf.Tensor, text: tf.Tensor) -> tf.Tensor:
        """Returns the generator's loss at the means of two texts each (equation 5, beta = 1/2).

        Args:
            real: images, which relativistic losses compare with.
            text: embeddings of their texts.

        Returns:
            float32 `(batch // 2,)`.
        """
        stop = 2 * (tf.shape(text)[0] // 2)
        between = (text[0:stop:2] + text[1:stop:2]) / 2.0
        fake = self._image_generator([self.latents(between), between], training=True)
        matched = self.matched(between)
        return self.generator_loss(matched(fake, training=True), real[0:stop:2], matched)

    def get_config(self) -> Config:
        config = super().get_config()
        said = {"generator": self.interface("generator").to_json()}  # shapes say nothing of words
        return {
            **config,
            "interfaces": {**config.get("interfaces", {}), **said},
            "matching_aware": self.matching_aware,
            "interpolate": self.interpolate,
            "embedding_weight": self.embedding_weight,
            "generator_embedding_weight": self.generator_embedding_weight,
        }


def neighbours(batch: tf.Tensor) -> tf.Tensor:
    """Returns, for each example of a batch, another one: those of pairs change places.

    So it does not matter into how many parts, of an even number each, a batch is split. Of an odd
    number, the last one gets the first.
    """
    number = tf.shape(batch)[0]
    places = tf.range(number)
    return tf.gather(batch, tf.where(places % 2 == 0, places + 1, places - 1) % number)


def _require_parts(network, role, parts):
    """Raises ValueError unless a network is made of these parts, with so many inputs each."""
    found = {layer.name: layer for layer in network.layers if isinstance(layer, keras.Model)}
    if any(len(found[n].inputs) != k if n in found else True for n, k in parts.items()):
        raise ValueError(
            f"The {role} lacks a part. Expected models among its layers called {list(parts)}, as "
            f"those of `networks.text_dcgan_{role}` are. Received: {network.name!r} with "
            f"{list(found)}"
        )
