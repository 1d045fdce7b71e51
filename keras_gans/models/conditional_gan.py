"""Conditional Generative Adversarial Nets, Mirza & Osindero 2014 (arXiv:1411.1784)."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from keras_gans import checks, interface
from keras_gans import labels as class_labels
from keras_gans.adversarial import require_fit, require_inputs, require_logits
from keras_gans.interface import Interface, Label
from keras_gans.losses import AdversarialLoss
from keras_gans.models.gan import GAN
from keras_gans.models.labelled import Labelled
from keras_gans.names import deprecated
from keras_gans.typing import Callee, Classes, Config, Penalties


@keras.saving.register_keras_serializable("keras_gans")
class ConditionalGAN(Labelled, GAN):
    """Both networks are class-conditional (equation 2): G(z|y) and D(x|y).

    The networks decide how the label enters: as extra channels (`conditional_dcgan_generator`,
    `conditional_dcgan_discriminator`), by conditional batch normalisation
    (`conditional_batch_norm_generator`), or by a projection (`projection_discriminator`, Miyato
    2018; with `loss="hinge"`). Each generated image has the label of the real image at the same
    place in the batch. The generated images of the last discriminator step also train the
    generator, as in `DCGAN`.

    >>> gan = keras_gans.ConditionalGAN(
    ...     keras_gans.networks.conditional_dcgan_generator((28, 28, 1), num_classes=10),
    ...     keras_gans.networks.conditional_dcgan_discriminator((28, 28, 1), num_classes=10),
    ... )
    >>> gan.compile()
    >>> gan.generate(5, labels=[1, 1, 2, 3, 5], seed=0).shape
    (5, 28, 28, 1)

    Trained on pairs: `keras_gans.data.load("digits", labels=True)`, or `fit(images, labels)`.

    There may be several conditions, each with a name. The labels to train on are then a dictionary:
    `fit(images, {"hair": hair, "glasses": glasses})`.

    >>> num_classes = {"hair": 5, "glasses": 4}
    >>> faces = keras_gans.ConditionalGAN(
    ...     keras_gans.networks.conditional_dcgan_generator((16, 16, 3), num_classes),
    ...     keras_gans.networks.conditional_dcgan_discriminator((16, 16, 3), num_classes),
    ... )
    >>> faces.generate(2, hair=3, glasses=[0, 2], seed=0).shape
    (2, 16, 16, 3)

    Args:
        generator: `[latents (batch, latent_dim), labels (batch,)]` to images; with several inputs
            of labels for several conditions.
        discriminator: `[images, labels (batch,)]` to logits `(batch, 1)`, or a map of logits; with
            the same inputs of labels, in the same order.
        num_classes: number of classes, or a mapping of names of conditions to their numbers;
            `None` reads it from the networks.
        discriminator_steps: a batch is split into that many parts, one for each step.
        loss: name of an adversarial loss, or a `losses.AdversarialLoss`.
        penalties: names of `keras_gans.penalties` to their weights.
        **kwargs: `ema_decay`, `seed`, `name`: see `AdversarialModel`.

    Raises:
        ValueError: for networks that do not fit each other, take no labels, or other conditions
            than each other or `num_classes`.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        num_classes: Classes | None = None,
        discriminator_steps: int = 1,
        loss: str | AdversarialLoss = "non_saturating",
        penalties: Penalties | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(generator, discriminator, discriminator_steps, loss, penalties, **kwargs)
        ports, others = (_ports(n, num_classes) for n in (generator, discriminator))
        found, other = ({p.name: p.num_classes for p in of} for of in (ports, others))
        if list(found.items()) != list(other.items()):
            raise ValueError(
                "The networks have different numbers of classes, or other conditions. Build both "
                f"with one `num_classes`. Received: a generator of {_said(found)}, a discriminator "
                f"of {_said(other)}"
            )
        self.num_classes = found["labels"] if list(found) == ["labels"] else found or None
        if isinstance(self.num_classes, Mapping):
            self._state_conditions(ports)

    def check_networks(self) -> None:
        labels = ["labels"] * max(1, sum(x.shape == (None,) for x in self.generator.inputs))
        require_inputs(self.generator, "latents", *labels)
        require_inputs(self.discriminator, "images", *labels)
        require_fit(self.generator, self.discriminator)
        require_logits(self.discriminator)

    def _state_conditions(self, ports):
        """States the names of the conditions, which the shapes of networks do not say."""
        for role in ("generator", "discriminator"):
            described = self.interface(role)
            first = next(port for port in described.inputs if not isinstance(port, Label))
            stated = Interface([first, *ports], described.outputs)
            for network in (getattr(self, role), self.in_use(role)):
                interface.state(network, stated)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        images, *labels = self.images_and_labels(data)
        steps = "discriminator_steps"
        parts = (self.split(part, self.discriminator_steps, steps) for part in (images, *labels))
        for real, *y in zip(*parts):
            conditional = self.conditional_discriminator(*y)
            generator_tape = tf.GradientTape()
            with generator_tape:  # entered again below, after the discriminator has moved
                fake = self.generator([self.latents(real), *y], training=True)
            with tf.GradientTape() as tape:
                discriminator_losses = self.discriminator_losses(real, fake, conditional)
            self.step("discriminator", tape, discriminator_losses)

        with generator_tape:
            generator_losses = self.generator_losses(real, fake, conditional, self.drawn(*y))
        self.step("generator", generator_tape, generator_losses)
        self.update_averages()
        return self.get_metrics_result()

    def conditional_discriminator(self, *labels: tf.Tensor) -> Callee:
        """Returns the discriminator with these labels, as a function of images."""
        return lambda images, training: self.discriminator([images, *labels], training=training)

    def told(self, labels: tf.Tensor) -> Callee:
        """The old name of `conditional_discriminator`."""
        deprecated("ConditionalGAN.told", "conditional_discriminator")
        return self.conditional_discriminator(labels)

    def get_config(self) -> Config:
        classes = self.num_classes
        classes = dict(classes) if isinstance(classes, Mapping) else classes
        return {**super().get_config(), "num_classes": classes}


def _ports(network, num_classes):
    """Returns a network's inputs of labels, named and of as many classes as was said."""
    given = num_classes if isinstance(num_classes, Mapping) else {}
    for name, count in given.items():
        checks.count(f"num_classes ({name})", count, 2)
    count = max(given.values()) if given else num_classes
    found = interface.of(network, count, scores=True).labels
    if given and len(given) == len(found) == 1:  # a single input may have any name
        found = [dataclasses.replace(found[0], name=next(iter(given)))]
    names = [port.name for port in found]
    if given and set(given) != set(names):
        raise ValueError(
            f"The network {network.name!r} has other conditions than `num_classes`. Expected "
            f"{names}: the names of its inputs. Received: num_classes={dict(given)}"
        )
    sizes = given or (dict.fromkeys(names, num_classes) if num_classes is not None else {})
    for port, tensor in zip(found, network.inputs[1:]):
        size = checks.count("num_classes", sizes.get(port.name, port.num_classes), 2)
        class_labels.require_room(network, size, tensor if len(found) > 1 else None)
    return [dataclasses.replace(p, num_classes=sizes.get(p.name, p.num_classes)) for p in found]


def _said(classes):
    """Conditions in words."""
    plain = list(classes) == ["labels"]
    return f"{classes['labels']} classes" if plain else f"the conditions {classes}"
