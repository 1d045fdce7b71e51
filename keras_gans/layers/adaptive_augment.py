"""Adaptive discriminator augmentation, for training on few images without a choice of strength."""

import numbers
from collections.abc import Sequence
from typing import Any

import keras

from keras_gans import checks
from keras_gans.layers.seeded_layer import SeededLayer
from keras_gans.names import did_you_mean
from keras_gans.typing import Config, Shape, Tensor

# Names of the transformations by group, in the order in which they are applied.
GROUPS = {
    "blitting": ("xflip", "rotate90", "xint"),
    "geometric": ("scale", "rotate", "aniso", "xfrac"),
    "color": ("brightness", "contrast", "lumaflip", "hue", "saturation"),
    "filter": ("imgfilter",),
    "noise": ("noise",),
    "cutout": ("cutout",),
}
# The paper's names: the first letters of the groups.
POLICIES = {"bgcfnc"[:n]: list(GROUPS)[:n] for n in range(1, 7)}


@keras.saving.register_keras_serializable("keras_gans")
class AdaptiveAugment(SeededLayer):
    """Augments the inputs of a discriminator, each time with a probability that adapts itself.

    As the first layer of a discriminator it changes real and generated images alike, in the steps
    of both sides. Each transformation has the same probability to be applied to an image, and as
    long as that is not near 1, the generator does not learn to imitate it (section 2.2). The
    probability is a weight, which starts at 0 and is saved. `adapt` raises it while the
    discriminator's outputs for real images are positive too often, a sign that it remembers them
    (section 3.1); the GANs with a `loss` call it in every step, and log `augment_probability`.

    `augmentation.apply` has the transformations and what they mean. With probability p each
    is drawn: a mirror image or none; 0 to 3 quarter turns; whole pixels of up to an eighth of
    a side; factors `2^N(0, 0.2^2)` of size and of width against height; any angle; shifts
    `N(0, 0.125^2)` of a side; brightness plus `N(0, 0.2^2)`; contrast times `2^N(0, 0.5^2)`; a
    mirrored luma or not; any turn of the hue; saturation times `2^N(0, 1)`; each of four bands
    of frequencies times `2^N(0, 1)`; noise of the standard deviation `|N(0, 0.1^2)|`; a rectangle
    of half of each side set to 0.

    At inference the layer does nothing, on any backend of Keras. In training it runs with
    TensorFlow, in float32, and without XLA, which needs shapes that are known.

    Example:

    >>> layer = keras_gans.layers.AdaptiveAugment("bg", probability=1.0, seed=1)
    >>> x = np.ones((2, 16, 16, 3), "float32")
    >>> layer(x, training=True).shape
    TensorShape([2, 16, 16, 3])

    Args:
        policy: `"b"`, `"bg"`, `"bgc"`, `"bgcf"`, `"bgcfn"` or `"bgcfnc"`, the first letters of the
            groups blitting, geometric, color, filter, noise and cutout; or names of groups or of
            single transformations, such as `["xflip", "color"]`.
        probability: in [0, 1], to begin with.
        target: in (-1, 1), the mean sign of the outputs for real images at which the probability
            stays; `None` fixes the probability.
        every: steps between two changes of the probability.
        kimg: thousands of real images in which it can go from 0 to 1.
        seed: integer from which the numbers are drawn; `None` draws one.
        **kwargs: of `keras.layers.Layer`, such as `name`.

    Input shape:
        `(batch, height, width, channels)`, in [-1, 1], sizes known; for colours 1 or 3 channels.

    Output shape:
        The same. Values may leave [-1, 1].

    Raises:
        ValueError: for an unknown policy, a number out of range, or an input that is no image.

    References:
        Karras 2020, "Training Generative Adversarial Networks with Limited Data" (2006.06676),
        section 3.1 and appendix B. The paper does not bound p from above; here it is at most 1.
    """

    def __init__(
        self,
        policy: str | Sequence[str] = "bgc",
        probability: float = 0.0,
        target: float | None = 0.6,
        every: int = 4,
        kimg: float = 500.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.autocast = False
        self.policy, self.transformations = policy, _transformations(policy)
        if not _within(probability, 0.0, 1.0):
            raise ValueError(
                "`probability` is that of each transformation to begin with. Expected a number "
                f"from 0 to 1. Received: probability={probability!r}"
            )
        if target is not None and not (_within(target, -1.0, 1.0) and abs(target) < 1.0):
            raise ValueError(
                "`target` is the mean sign of the discriminator's outputs for real images at which "
                "the probability stays. Expected a number between -1 and 1, such as 0.6, or None "
                f"for a fixed probability. Received: target={target!r}"
            )
        self.initial_probability, self.target = float(probability), target
        self.every, self.kimg = checks.count("every", every), checks.positive("kimg", kimg)

    def build(self, input_shape: Shape) -> None:
        colors = any(name in GROUPS["color"] for name in self.transformations)
        fits = len(input_shape) == 4 and None not in input_shape[1:]
        if not fits or (colors and input_shape[3] not in (1, 3)):
            raise ValueError(
                "Only images are augmented, shape (batch, height, width, channels) with known "
                "sizes, and colours only of 1 or 3 channels. "
                f"Received: shape {tuple(input_shape)}, policy={self.policy!r}"
            )
        super().build(input_shape)
        options = {"dtype": "float32", "autocast": False, "trainable": False}
        start = keras.initializers.Constant(self.initial_probability)
        self.probability = self.add_weight((), start, name="probability", **options)
        # Since the last change: the sum of the signs, and how many images and steps there were.
        self.signs = self.add_weight((3,), "zeros", name="signs", **options)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        self.require_floats(inputs)
        if not training:
            return keras.ops.cast(inputs, self.compute_dtype)
        import tensorflow as tf  # here, so that a trained network runs without it

        from keras_gans import augmentation

        images, (seed, _) = tf.cast(inputs, "float32"), self.next_seed()
        *seeds, last = tf.unstack(
            tf.random.split(seed, len(self.transformations) + 1, alg="philox")
        )
        numbers_ = {
            name: augmentation.draw(
                name, tf.shape(images)[0], tf.convert_to_tensor(self.probability), one
            )
            for name, one in zip(self.transformations, seeds)
        }
        return tf.cast(augmentation.apply(images, numbers_, last), self.compute_dtype)

    def adapt(self, logits: Tensor) -> None:
        """Takes note of the outputs for a batch of real images; changes p at every `every`th call.

        Args:
            logits: of the discriminator, for real images that this layer has augmented, `(batch,
                ...)`; of each replica its own.
        """
        if self.target is None:
            return
        import tensorflow as tf

        from keras_gans import replicas

        # A logit that is not a number, after an overflow in float16, has no sign.
        signs = tf.cast(logits > 0, "float32") - tf.cast(logits < 0, "float32")
        images = tf.cast(tf.shape(logits)[0] * replicas.number(), "float32")
        mean = replicas.mean(tf.reduce_mean(signs))
        total = tf.convert_to_tensor(self.signs) + tf.stack([mean * images, images, 1.0])
        due = total[2] >= self.every
        step = tf.sign(total[0] / total[1] - self.target) * total[1] / (1000.0 * self.kimg)
        probability = tf.convert_to_tensor(self.probability)
        changed = tf.clip_by_value(probability + step, 0.0, 1.0)
        self.probability.assign(tf.where(due, changed, probability))
        self.signs.assign(tf.where(due, tf.zeros_like(total), total))

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "policy": self.policy,
            "probability": self.initial_probability,
            "target": self.target,
            "every": self.every,
            "kimg": self.kimg,
        }


def _within(value, low, high):
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return number and low <= value <= high


def _transformations(policy):
    """Returns the names of a policy's transformations, in the order in which they are applied."""
    single = [name for names in GROUPS.values() for name in names]
    words = POLICIES[policy] if isinstance(policy, str) and policy in POLICIES else policy
    words = [words] if isinstance(words, str) else list(words or ())
    for word in words or [None]:
        if word not in single and word not in GROUPS:
            known = [*POLICIES, *GROUPS, *single]
            raise ValueError(
                f"No augmentation of that name.{did_you_mean(word, known)} Expected one of "
                f"{list(POLICIES)}, or some of the groups {list(GROUPS)} or of {single}. "
                f"Received: policy={policy!r}"
            )
    chosen = {name for word in words for name in GROUPS.get(word, (word,))}
    return [name for name in single if name in chosen]
