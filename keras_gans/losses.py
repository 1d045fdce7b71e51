"""Adversarial losses: functions of the discriminator's logits, one for each side.

Every loss is a pair. `discriminator(real, fake)` is the loss that the discriminator minimizes, and
`generator(fake, real=None)` the loss that the generator minimizes. Both take logits of any shape
`(batch, ...)` and return float32, one value for each example, the mean over the other axes: the
`(batch, height, width, 1)` of a patch discriminator becomes `(batch,)`. The training step takes
the mean over the batch.
"""

import inspect
import math
import numbers
from typing import Any

import keras
from keras import ops

from keras_gans.names import did_you_mean
from keras_gans.typing import Config, Tensor

__all__ = [
    "AdversarialLoss",
    "Hinge",
    "LeastSquares",
    "Minimax",
    "NonSaturating",
    "RelativisticAverage",
    "RelativisticPairing",
    "Wasserstein",
    "get",
    "joint_embedding",
    "names",
]


def _per_example(values):
    """Returns the mean over every axis but the first, in float32."""
    values = ops.cast(values, "float32")
    axes = tuple(range(1, len(values.shape)))
    return ops.mean(values, axis=axes) if axes else values


def _cross_entropy(logits, label):
    """Returns the sigmoid cross-entropy with any real `label`, stable for large logits."""
    return ops.softplus(logits) - label * logits


def _is_number(value):
    """A finite one; `True` is none, though Python counts with it."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)


@keras.saving.register_keras_serializable("keras_gans")
class AdversarialLoss:
    """A pair of losses of logits; the named losses are subclasses.

    Example:

    >>> loss = keras_gans.losses.get("hinge")
    >>> loss.discriminator([[2.0]], [[0.5]]).numpy()  # max(0, 1 - 2) + max(0, 1 + 0.5)
    array([1.5], dtype=float32)
    """

    relativistic = False  # whether the generator's loss uses real logits

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Returns the loss that the generator minimizes.

        Args:
            fake: logits of generated examples, shape `(batch, ...)`.
            real: logits of real examples, the same shape. Only relativistic losses use
                them.

        Returns:
            float32, shape `(batch,)`.
        """
        raise NotImplementedError(f"{type(self).__name__} has no generator loss.")

    def discriminator(self, real: Tensor, fake: Tensor, seed: Tensor | None = None) -> Tensor:
        """Returns the loss that the discriminator minimizes.

        Args:
            real: logits of real examples, shape `(batch, ...)`.
            fake: logits of generated examples, the same shape.
            seed: stateless seed, two integers. Needed by random labels only.

        Returns:
            float32, shape `(batch,)`.
        """
        raise NotImplementedError(f"{type(self).__name__} has no discriminator loss.")

    def get_config(self) -> Config:
        return {}

    @classmethod
    def from_config(cls, config: Config) -> "AdversarialLoss":
        return cls(**config)


class _LabelledLoss(AdversarialLoss):
    """A loss with target labels for real and for generated examples.

    Args:
        real_label: the discriminator's target for real examples. `0.9` is one-sided label
            smoothing (Salimans 2016, section 3.4; Goodfellow 2016, section 4.2). A pair
            `(low, high)` is a soft label: drawn uniformly between the two for each example.
        fake_label: the same for generated examples. Smoothing these too (`0.1`) rewards the
            discriminator's present mistakes; the sources above advise against it.
        flip: probability, in [0, 0.5), that the discriminator trains on an example with the
            other label.
    """

    def __init__(self, real_label=1.0, fake_label=0.0, flip=0.0):
        self.real_label = self._label(real_label, "real_label")
        self.fake_label = self._label(fake_label, "fake_label")
        if not _is_number(flip) or not 0.0 <= flip < 0.5:
            raise ValueError(
                "`flip` is the probability of a wrong label; at one half labels are random. "
                f"Expected 0 <= flip < 0.5. Received: flip={flip!r}"
            )
        self.flip = float(flip)

    @staticmethod
    def _label(label, name):
        if isinstance(label, (list, tuple)):
            if len(label) == 2 and all(map(_is_number, label)) and label[0] < label[1]:
                return tuple(float(end) for end in label)
        elif _is_number(label):
            return float(label)
        raise ValueError(
            f"`{name}` must be a number, or a pair `(low, high)` with low < high to draw it from. "
            f"Received: {name}={label!r}"
        )

    def _targets(self, logits, seed):
        """A label for each real and each generated example; broadcasts over the logits."""
        random = isinstance(self.real_label, tuple) or isinstance(self.fake_label, tuple)
        if not random and not self.flip:
            return self.real_label, self.fake_label
        if seed is None:
            raise ValueError(
                "Soft and flipped labels are drawn anew for each example, and need a seed to be "
                "drawn from. Pass `discriminator(real, fake, seed=(a, b))`; inside a GAN that is "
                "`seed=self.next_seed()`. Received: seed=None"
            )
        # Random labels are only ever drawn in training, which is TensorFlow's.
        import tensorflow as tf

        shape = (ops.shape(logits)[0],) + (1,) * (len(logits.shape) - 1)
        draws = tf.random.stateless_uniform((4, *shape), seed, alg="philox")
        labels = []
        for label, draw in zip((self.real_label, self.fake_label), draws[:2]):
            low, high = label if isinstance(label, tuple) else (label, label)
            labels.append(low + (high - low) * draw)
        real, fake = labels
        flipped_real, flipped_fake = draws[2] < self.flip, draws[3] < self.flip
        return ops.where(flipped_real, fake, real), ops.where(flipped_fake, real, fake)

    def _cross_entropies(self, real, fake, seed):
        """Returns the sum of the cross-entropies of real and generated examples."""
        real_label, fake_label = self._targets(real, seed)
        real, fake = _cross_entropy(real, real_label), _cross_entropy(fake, fake_label)
        return _per_example(real) + _per_example(fake)

    def get_config(self):
        return {"real_label": self.real_label, "fake_label": self.fake_label, "flip": self.flip}


@keras.saving.register_keras_serializable("keras_gans")
class NonSaturating(_LabelledLoss):
    """Cross-entropy; the generator maximizes log D(G(z)) (Goodfellow 2014, section 3).

    Where the discriminator is confident, the generator's gradient of `minimax` is near 0, and of
    this loss it is not. The fixed point of the game is the same.
    """

    def discriminator(self, real: Tensor, fake: Tensor, seed: Tensor | None = None) -> Tensor:
        real, fake = ops.cast(real, "float32"), ops.cast(fake, "float32")
        return self._cross_entropies(real, fake, seed)

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return _per_example(ops.softplus(-ops.cast(fake, "float32")))


@keras.saving.register_keras_serializable("keras_gans")
class Minimax(NonSaturating):
    """The value of the game; the generator minimizes log(1 - D(G(z))) (Goodfellow 2014, eq. 1).

    Also called saturating. The generator's loss is negative, from `-inf` to 0.
    """

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return _per_example(-ops.softplus(ops.cast(fake, "float32")))


@keras.saving.register_keras_serializable("keras_gans")
class LeastSquares(_LabelledLoss):
    """Half the squared distance from the labels (Mao 2017, eq. 2 and 9: b = c = 1, a = 0).

    `real_label` is the paper's b, `fake_label` its a. The generator's target c is 1.
    """

    def discriminator(self, real: Tensor, fake: Tensor, seed: Tensor | None = None) -> Tensor:
        real, fake = ops.cast(real, "float32"), ops.cast(fake, "float32")
        real_label, fake_label = self._targets(real, seed)
        return 0.5 * (
            _per_example((real - real_label) ** 2) + _per_example((fake - fake_label) ** 2)
        )

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return 0.5 * _per_example((ops.cast(fake, "float32") - 1.0) ** 2)


@keras.saving.register_keras_serializable("keras_gans")
class Hinge(AdversarialLoss):
    """Hinge at margin 1 (Lim & Ye 2017; Miyato 2018, eq. 16 and 17)."""

    def discriminator(self, real: Tensor, fake: Tensor, seed: Tensor | None = None) -> Tensor:
        real, fake = ops.cast(real, "float32"), ops.cast(fake, "float32")
        return _per_example(ops.relu(1.0 - real)) + _per_example(ops.relu(1.0 + fake))

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return _per_example(-ops.cast(fake, "float32"))


@keras.saving.register_keras_serializable("keras_gans")
class Wasserstein(AdversarialLoss):
    """The difference of mean scores, minus the Wasserstein-1 distance (Arjovsky 2017, eq. 2).

    It estimates the distance only if the critic is Lipschitz: by clipped weights, a gradient
    penalty or spectral normalisation.
    """

    def discriminator(self, real: Tensor, fake: Tensor, seed: Tensor | None = None) -> Tensor:
        return _per_example(fake) - _per_example(real)

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return -_per_example(fake)


@keras.saving.register_keras_serializable("keras_gans")
class RelativisticAverage(_LabelledLoss):
    """Compares each example with the other kind's average (Jolicoeur-Martineau 2018, section 4).

    Cross-entropy of `real - mean(fake)` and `fake - mean(real)`. Both sides train on real *and*
    generated logits, so the generator's loss needs both. The averages run over the batch: on
    several replicas, over the batch of each, as batch normalisation's do.
    """

    relativistic = True

    @staticmethod
    def _relative(real, fake):
        real, fake = ops.cast(real, "float32"), ops.cast(fake, "float32")
        return real - ops.mean(fake, axis=0), fake - ops.mean(real, axis=0)

    def discriminator(self, real: Tensor, fake: Tensor, seed: Tensor | None = None) -> Tensor:
        real, fake = self._relative(real, fake)
        return self._cross_entropies(real, fake, seed)

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        real, fake = self._relative(_compared(real), fake)
        return _per_example(ops.softplus(real)) + _per_example(ops.softplus(-fake))


@keras.saving.register_keras_serializable("keras_gans")
class RelativisticPairing(AdversarialLoss):
    """Compares real and generated examples in pairs (Jolicoeur-Martineau 2018, RSGAN).

    `softplus(-(real - fake))` for the discriminator, `softplus(-(fake - real))` for the generator,
    for each pair. With `r1_penalty` and `r2_penalty` it is the objective of R3GAN (Huang 2024,
    section 2); without them it need not converge.
    """

    relativistic = True

    def discriminator(self, real: Tensor, fake: Tensor, seed: Tensor | None = None) -> Tensor:
        return self._pairs(real, fake)

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return self._pairs(fake, _compared(real))

    @staticmethod
    def _pairs(better, worse):
        gap = ops.cast(better, "float32") - ops.cast(worse, "float32")
        return _per_example(ops.softplus(-gap))


def _compared(real):
    """Returns `real`, which relativistic generator losses need."""
    if real is None:
        raise ValueError(
            "The relativistic generator loss compares generated examples with real ones, and "
            "there are none. Pass `generator(fake, real)`. Received: real=None"
        )
    return real


def joint_embedding(images: Tensor, texts: Tensor) -> Tensor:
    """The structured loss of a joint embedding of images and texts (Reed 2016, section 3.2).

    An image is to be nearer, by the inner product, to its own text than to any other, and a text
    to its own image, each by a margin of 1 (equations 3 and 4). As in the authors' program, all
    other examples of the batch count, not the worst alone.

    >>> keras_gans.losses.joint_embedding([[2.0], [0.0]], [[1.0], [0.0]]).numpy()
    array([0., 2.], dtype=float32)

    Args:
        images: embeddings `(batch, size)`.
        texts: of the text of each image, the same shape.

    Returns:
        float32, shape `(batch,)`: of each example, the mean over the others of the hinge from
        image to text and of that from text to image.
    """
    images, texts = ops.cast(images, "float32"), ops.cast(texts, "float32")
    products = images @ ops.transpose(texts)
    number = ops.shape(products)[0]
    others = 1.0 - ops.eye(number)
    own = ops.sum(products * ops.eye(number), axis=1, keepdims=True)
    hinges = ops.relu(1.0 + products - own) + ops.relu(1.0 + ops.transpose(products) - own)
    return ops.sum(hinges * others, axis=1) / ops.maximum(ops.cast(number, "float32") - 1.0, 1.0)


_LOSSES = {
    "hinge": Hinge,
    "least_squares": LeastSquares,
    "minimax": Minimax,
    "non_saturating": NonSaturating,
    "relativistic_average": RelativisticAverage,
    "relativistic_pairing": RelativisticPairing,
    "wasserstein": Wasserstein,
}


def names() -> list[str]:
    """Returns the names of the losses, sorted."""
    return sorted(_LOSSES)


def get(name: "str | AdversarialLoss", **arguments: Any) -> AdversarialLoss:
    """Returns an adversarial loss by name.

    >>> loss = keras_gans.losses.get("non_saturating", real_label=0.9)  # one-sided smoothing
    >>> loss.generator([0.0]).numpy().round(4)  # log 2
    array([0.6931], dtype=float32)

    Args:
        name: one of `names()`; or an `AdversarialLoss`, which is returned.
        **arguments: of the loss, such as `real_label`.

    Returns:
        An `AdversarialLoss`.

    Raises:
        ValueError: if no loss has that name, or the loss has no such argument.
    """
    if isinstance(name, AdversarialLoss) and not arguments:
        return name
    if not isinstance(name, str) or name not in _LOSSES:
        raise ValueError(
            f"No adversarial loss of that name.{did_you_mean(name, _LOSSES)} Expected one of "
            f"{names()}, or an `AdversarialLoss`. Received: {name!r}"
        )
    known = inspect.signature(_LOSSES[name]).parameters
    for argument in arguments:
        if argument not in known:
            raise ValueError(
                f"The loss {name!r} has no argument {argument!r}. Expected "
                f"{sorted(known) or 'none'}. Received: {arguments}"
            )
    return _LOSSES[name](**arguments)
