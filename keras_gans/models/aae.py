"""Adversarial Autoencoders, Makhzani et al. 2015 (arXiv:1511.05644)."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gans import checks, interface, latent, losses
from keras_gans.adversarial import require_inputs, require_logits
from keras_gans.losses import AdversarialLoss
from keras_gans.models.encoded import Encoded
from keras_gans.models.labelled import FewLabels
from keras_gans.typing import Config, Losses


@keras.saving.register_keras_serializable("keras_gans")
class AAE(Encoded):
    """An autoencoder whose codes a discriminator brings to a standard normal (section 2).

    The discriminator sees codes, not images: those of the prior are real to it, and those of the
    encoder generated. Each batch is used twice. In the reconstruction phase encoder and decoder
    minimize the squared error of the copies, in the regularization phase the discriminator learns,
    and then the encoder deceives it. The decoder is the `generator`: of the prior's latents it
    makes images.

    >>> gan = keras_gans.AAE(
    ...     keras_gans.networks.mlp_generator((28, 28, 1), latent_dim=8),
    ...     keras_gans.networks.mlp_discriminator((8,)),
    ...     keras_gans.networks.mlp_encoder((28, 28, 1), latent_dim=8),
    ... )
    >>> gan.compile()
    >>> gan.reconstruct(gan.generate(4, seed=0)).shape
    (4, 28, 28, 1)

    Three sides, as encoder and decoder do not have all losses in common. The encoder's optimizer
    takes two steps for each batch, one a phase. Adam divides both by the size of the gradients of
    both: without `reconstruction_weight` those of the discriminators, which are larger, would
    decide alone, and clusters collapse.

    Args:
        generator: the decoder, latents `(batch, latent_dim)` to images.
        discriminator: latents `(batch, latent_dim)` to logits `(batch, 1)`, such as
            `networks.mlp_discriminator((latent_dim,))`.
        encoder: images to latents `(batch, latent_dim)`: the deterministic encoder of section 2.
        loss: name of an adversarial loss, or a `losses.AdversarialLoss`.
        reconstruction_weight: of the squared error, 0 or more.
        **kwargs: `ema_decay`, `seed`, `name`: see `AdversarialModel`.

    Raises:
        ValueError: for networks that do not fit each other, a negative weight, or an unknown loss.
    """

    side_names: tuple[str, ...] = ("generator", "encoder", "discriminator")
    averaged_sides: tuple[str, ...] = ("generator", "encoder")
    tracked: tuple[str, ...] = ("reconstruction_loss", "discriminator_loss", "encoder_loss")
    code_discriminators: tuple[str, ...] = ("discriminator",)  # of the parts of a code, in order

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        encoder: keras.Model,
        loss: str | AdversarialLoss = "non_saturating",
        reconstruction_weight: float = 20.0,
        **kwargs: Any,
    ) -> None:
        sides = {
            "generator": {"generator": generator},
            "encoder": {"encoder": encoder},
            "discriminator": {"discriminator": discriminator},
        }
        super().__init__(sides={**sides, **kwargs.pop("sides", {})}, **kwargs)
        self.adversarial_loss = losses.get(loss)
        self.reconstruction_weight = checks.weight("reconstruction_weight", reconstruction_weight)
        self.largest_weight = max(1.0, self.reconstruction_weight)

    def check_networks(self) -> None:
        require_inputs(self.generator, "latents")
        for name in self.code_discriminators:
            require_inputs(getattr(self, name), "latents")
            require_logits(getattr(self, name))
        size, taken = latent.dim(self.generator), sum(self.sizes())
        if taken != size:
            raise ValueError(
                "The discriminator takes codes of another length than the generator's latents. "
                f"Build all networks with one `latent_dim`. Received: generator {size}, "
                f"{' + '.join(self.code_discriminators)} {' + '.join(map(str, self.sizes()))}"
            )
        self.require_encoder()

    def sizes(self) -> list[int]:
        """Returns the lengths of the parts of a code, one for each of `code_discriminators`."""
        return [getattr(self, name).inputs[0].shape[-1] for name in self.code_discriminators]

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        images = self.images(data)
        self.reconstruction_phase(images)
        self.regularization_phase(images)
        self.update_averages()
        return self.get_metrics_result()

    def reconstruction_phase(self, images: tf.Tensor) -> None:
        """Updates decoder and encoder, which minimize the mean squared error of each copy."""
        with tf.GradientTape(persistent=True) as tape:
            copies = self.generator(self.codes(images), training=True)
            squared = tf.square(tf.cast(copies, "float32") - images)
            squared = self.reconstruction_weight * squared
            errors = {"reconstruction_loss": tf.reduce_mean(squared, range(1, len(images.shape)))}
        self.step("generator", tape, errors)
        self.step("encoder", tape, errors)

    def regularization_phase(self, images: tf.Tensor, others: Callable[[], Losses] = dict) -> None:
        """Updates the discriminator, and then the encoder, whose codes it is to take for drawn.

        Args:
            images: of the batch.
            others: returns further losses that the encoder minimizes in the same step, by name.
        """
        encoder_tape = tf.GradientTape()
        with encoder_tape:  # entered again below, after the discriminator has moved
            codes = self.codes(images)

        prior = self.latents(images)
        with tf.GradientTape() as tape:
            real, fake = self.code_logits(prior), self.code_logits(codes)
            self.observe(real[0], fake[0])
            seeds = [self.next_seed() for _ in self.code_discriminators]
            loss = sum(map(self.adversarial_loss.discriminator, real, fake, seeds))
        self.step("discriminator", tape, {"discriminator_loss": loss})

        compares = self.adversarial_loss.relativistic
        with encoder_tape:
            fake = self.code_logits(codes)
            real = self.code_logits(prior) if compares else [None] * len(fake)
            loss = sum(map(self.adversarial_loss.generator, fake, real))
            encoder_losses = {"encoder_loss": loss, **others()}
        self.step("encoder", encoder_tape, encoder_losses)

    def code_logits(self, codes: tf.Tensor) -> list[tf.Tensor]:
        """Returns the logits of each part of codes, in training."""
        parts = tf.split(codes, self.sizes(), axis=-1)
        return [
            getattr(self, name)(x, training=True)
            for name, x in zip(self.code_discriminators, parts)
        ]

    def get_config(self) -> Config:
        loss = keras.saving.serialize_keras_object(self.adversarial_loss)
        weight = self.reconstruction_weight
        return {**super().get_config(), "loss": loss, "reconstruction_weight": weight}


@keras.saving.register_keras_serializable("keras_gans")
class CategoricalAAE(AAE):
    """An `AAE` with a categorical code beside the Gaussian one: clusters (section 6).

    A latent is `[style | one-hot class]`. The encoder's softmax is the class, which a second
    discriminator compares with one-hot draws of even classes. Nobody says what the classes are:
    images of one class share what the style, which is equally distributed in all of them, cannot
    hold.

    >>> gan = keras_gans.CategoricalAAE(
    ...     keras_gans.networks.mlp_generator((28, 28, 1), latent_dim=5 + 16),
    ...     keras_gans.networks.mlp_discriminator((5,)),
    ...     keras_gans.networks.mlp_discriminator((16,)),
    ...     keras_gans.networks.mlp_encoder((28, 28, 1), latent_dim=5 + 16, categorical=16),
    ... )
    >>> images = gan.generate(4, categorical=3, seed=0)
    >>> gan.classify(images).shape, gan.reconstruct(images, categorical=7).shape
    ((4,), (4, 28, 28, 1))

    Args:
        generator: the decoder, latents `(batch, latent_dim)` to images.
        discriminator: of the Gaussian part, `(batch, latent_dim - k)` to logits `(batch, 1)`.
        class_discriminator: of the class, `(batch, k)` to logits `(batch, 1)`.
        encoder: images to `[latents (batch, latent_dim - k), class logits (batch, k)]`, such as
            `networks.mlp_encoder(..., categorical=k)`.
        loss, reconstruction_weight: see `AAE`.
        **kwargs: `ema_decay`, `seed`, `name`: see `AdversarialModel`.

    Raises:
        ValueError: for networks that do not fit each other, a negative weight, or an unknown loss.
    """

    code_discriminators = ("discriminator", "class_discriminator")
    num_classes: int

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        class_discriminator: keras.Model,
        encoder: keras.Model,
        loss: str | AdversarialLoss = "non_saturating",
        **kwargs: Any,
    ) -> None:
        both = dict(zip(self.code_discriminators, (discriminator, class_discriminator)))
        sides = {"discriminator": both}
        super().__init__(generator, discriminator, encoder, loss, sides=sides, **kwargs)
        self.num_classes = checks.count("num_classes", self.sizes()[1], 2)
        codes = interface.Codes((self.num_classes,))
        self.state_input(interface.Latents(latent.dim(generator), codes))

    def encoder_heads(self) -> dict[str, int]:
        return dict(zip(("latents", "class_logits"), self.sizes()))

    def codes(self, images: tf.Tensor) -> tf.Tensor:
        style, logits = self.encoder(images, training=True)
        return tf.concat([tf.cast(style, "float32"), tf.nn.softmax(tf.cast(logits, "float32"))], -1)

    def code_of(self, first: np.ndarray, *others: np.ndarray) -> np.ndarray:
        """Returns latents of the encoder's outputs: the style, and the softmax of the class."""
        return np.concatenate([first, keras.ops.softmax(others[0])], axis=-1)

    def draw_latents(self, number: int | tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Returns noise and a one-hot class `(number, latent_dim)`, drawn from a stateless seed."""
        return latent.with_codes(number, latent.dim(self.generator), (self.num_classes,), 0, seed)

    def class_logits(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Returns the logits of the classes, float32 `(batch, k)`."""
        network = self.encoder if training else self.in_use("encoder")
        return tf.cast(network(images, training=training)[1], "float32")

    # What the classes mean, nobody has said.
    classify = FewLabels.classify


@keras.saving.register_keras_serializable("keras_gans")
class SemiSupervisedAAE(FewLabels, CategoricalAAE):
    """A `CategoricalAAE` that knows the classes of a few images (section 5).

    The encoder also minimizes the cross-entropy of its classes on the images with a label: the
    paper's third phase, here in one step with the second one.

    >>> gan = keras_gans.SemiSupervisedAAE(
    ...     keras_gans.networks.mlp_generator((28, 28, 1), latent_dim=5 + 10),
    ...     keras_gans.networks.mlp_discriminator((5,)),
    ...     keras_gans.networks.mlp_discriminator((10,)),
    ...     keras_gans.networks.mlp_encoder((28, 28, 1), latent_dim=5 + 10, categorical=10),
    ... )
    >>> gan.compile()
    >>> few = keras_gans.data.load("digits", labels=True, labels_per_class=10, split="train[:80%]")
    >>> # gan.fit(few, epochs=100); gan.evaluate(held_out) returns the accuracy

    Trained on pairs `(images, labels)`, with the label -1 for an image that has none.

    Args:
        generator, discriminator, class_discriminator, encoder, loss, reconstruction_weight: see
            `CategoricalAAE`.
        **kwargs: `ema_decay`, `seed`, `name`: see `AdversarialModel`.
    """

    tracked: tuple[str, ...] = (*AAE.tracked, "supervised_loss", "accuracy")

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        images, labels = self.images_and_labels(data)
        self.reconstruction_phase(images)
        self.regularization_phase(images, lambda: self.supervised_losses(images, labels))
        self.update_averages()
        return self.get_metrics_result()

    def supervised_losses(self, images: tf.Tensor, labels: tf.Tensor) -> Losses:
        """Returns the cross-entropy of the images with a label, by name."""
        classes = self.class_logits(images, training=True)
        self.count_right(labels, classes)
        right = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(labels, 0), classes)
        return {"supervised_loss": self.mean_weights(labels >= 0) * right}
