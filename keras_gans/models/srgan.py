"""Photo-Realistic Single Image Super-Resolution Using a GAN, Ledig 2017 (1609.04802)."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gans import batches, checks, losses
from keras_gans.adversarial import AdversarialModel, require_fit, require_logits
from keras_gans.losses import AdversarialLoss
from keras_gans.models.image_to_image import ImageToImage, require_images
from keras_gans.perceptual import PerceptualLoss
from keras_gans.typing import Config, Shape

_PIXEL_LOSSES = {"l1": tf.abs, "l2": tf.square}


@keras.saving.register_keras_serializable("keras_gans")
class SRGAN(ImageToImage, AdversarialModel):
    """The generator's loss is the sum of a pixel, a perceptual and an adversarial loss.

    First, for `pixel_steps` steps, the generator alone learns from the pixel loss (section 3.2: the
    SRGAN starts from a trained SRResNet); then both sides train. The two phases are one training,
    which is saved and resumed as any other.

    ESRGAN (Wang 2018, 1809.00219) is its relativistic form: `networks.rrdb_upscaler`,
    `loss="relativistic_average"`, `pixel_loss="l1"`, and the weights 1e-2, 1 and 5e-3 (eq. 3).
    Real-ESRGAN (Wang 2021, 2107.10833) has `networks.unet_discriminator`, the weights 1, 1 and 0.1,
    and degraded images: `data.load_pairs(..., scale=4, degrade=True)`.

    >>> gan = keras_gans.SRGAN(
    ...     keras_gans.networks.srresnet((None, None, 3), width=8, blocks=1),
    ...     keras_gans.networks.srgan_discriminator((32, 32, 3), width=8, units=8),
    ...     pixel_steps=1000,
    ... )
    >>> gan.compile()  # Adam(1e-4), as the paper
    >>> gan.generate(np.zeros((1, 8, 8, 3))).shape
    (1, 32, 32, 3)

    Trained on pairs `(source, target)` of images in [-1, 1], the targets `scale` times larger:
    `keras_gans.data.load_pairs(folder, scale=4)`.

    Args:
        generator: sources `(batch, height, width, channels)` to images, such as
            `networks.srresnet`, `compact_upscaler` and `rrdb_upscaler`.
        discriminator: images to a logit or a map of them, such as `networks.srgan_discriminator`
            and `unet_discriminator`.
        perceptual_loss: a `perceptual.PerceptualLoss`; `None` for the paper's SRGAN-MSE, whose
            content loss is that of pixels alone.
        pixel_weight: of the pixel loss once both sides train. The paper's SRGAN-VGG has 0.
        perceptual_weight: of the perceptual loss.
        adversarial_weight: of the generator's adversarial loss (eq. 3).
        pixel_loss: `"l2"`, mean squared differences as in the paper (eq. 4), or `"l1"`, absolute
            ones.
        loss: name of an adversarial loss, or a `losses.AdversarialLoss`.
        pixel_steps: steps of the generator alone, at the start; the paper's 10^6. With Keras'
            `steps_per_execution`, the phase ends with the execution in which they are reached.
        **kwargs: `ema_decay`, `seed`, `name`: see `AdversarialModel`.

    Raises:
        ValueError: for networks that do not fit each other or the perceptual loss, a pixel loss
            that is not known, or a negative weight or number.
    """

    tracked = ("discriminator_loss", "generator_loss", "pixel_loss", "perceptual_loss")
    compared = ("source", "bicubic", "generated", "target")
    train_function: Any  # Keras' own

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        perceptual_loss: PerceptualLoss | None = None,
        pixel_weight: float = 1.0,
        perceptual_weight: float = 1.0,
        adversarial_weight: float = 1e-3,
        pixel_loss: str = "l2",
        loss: str | AdversarialLoss = "non_saturating",
        pixel_steps: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__({"generator": generator}, {"discriminator": discriminator}, **kwargs)
        if pixel_loss not in _PIXEL_LOSSES:
            raise ValueError(
                f"`pixel_loss` must be one of {list(_PIXEL_LOSSES)}. "
                f"Received: pixel_loss={pixel_loss!r}"
            )
        if perceptual_loss is not None:
            if not isinstance(perceptual_loss, PerceptualLoss):
                raise ValueError(
                    "`perceptual_loss` must be a `keras_gans.perceptual.PerceptualLoss` of a "
                    f"network and its layers, or None. Received: {perceptual_loss!r}"
                )
            perceptual_loss.require_shape(tuple(discriminator.inputs[0].shape)[1:])
            # Tracked by Keras, so that a checkpoint has its weights.
            self.perceptual_network = perceptual_loss.network
        self.perceptual_loss = perceptual_loss
        self.pixel_weight = checks.weight("pixel_weight", pixel_weight)
        self.perceptual_weight = checks.weight("perceptual_weight", perceptual_weight)
        self.adversarial_weight = checks.weight("adversarial_weight", adversarial_weight)
        self.largest_weight = max(1.0, self.pixel_weight, self.perceptual_weight)
        self.pixel_loss, self.adversarial_loss = pixel_loss, losses.get(loss)
        self.pixel_steps = checks.count("pixel_steps", pixel_steps, 0)
        self.adversarial = not self.pixel_steps  # the phase: whether both sides train

    def check_networks(self) -> None:
        require_images(self.generator)
        require_logits(self.discriminator)
        _require_larger(self.generator, self.discriminator)

    def default_optimizer(self) -> keras.optimizers.Optimizer:
        """Returns a new optimizer: Adam(1e-4) (section 3.2)."""
        return keras.optimizers.Adam(1e-4)

    def pairs(self, data: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the sources and targets of a batch; the targets are `scale` times larger."""
        source, target = super().pairs(data)
        taken = self.discriminator.inputs[0].shape
        wanted = (None, *self._enlarged(source.shape[1:3]), taken[-1])
        if not (target.shape.is_compatible_with(wanted) and target.shape.is_compatible_with(taken)):
            raise ValueError(
                "The targets must have the size that the generator makes of the sources, and that "
                "the discriminator takes. Load pairs of the generator's scale, "
                "`keras_gans.data.load_pairs(..., scale=..., image_size=...)`. Received: sources "
                f"{tuple(source.shape)}, of which the generator makes {wanted}; targets "
                f"{tuple(target.shape)}; a discriminator of {tuple(taken)}"
            )
        return source, target

    def check_data(self, batch: Any) -> None:
        super().check_data(batch)
        if self.perceptual_loss is not None and self.perceptual_loss.missing:
            raise ImportError(self.perceptual_loss.missing)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        source, target = self.pairs(data)
        generator_tape = tf.GradientTape()
        with generator_tape:  # entered again below, after the discriminator has moved
            fake = self.generator(source, training=True)
            pixels = _PIXEL_LOSSES[self.pixel_loss](target - fake)

        if not self.adversarial:
            self.step("generator", generator_tape, {"pixel_loss": pixels})
            self.update_averages()
            return self.get_metrics_result()

        with tf.GradientTape() as tape:
            real_logits, fake_logits = batches.in_one_pass(self.discriminator, target, fake)
            self.observe(real_logits, fake_logits)
            loss = self.adversarial_loss.discriminator(real_logits, fake_logits, self.next_seed())
        self.step("discriminator", tape, {"discriminator_loss": loss})

        with generator_tape:
            relativistic = self.adversarial_loss.relativistic
            real_logits = self.discriminator(target, training=True) if relativistic else None
            fake_logits = self.discriminator(fake, training=True)
            fooled = self.adversarial_loss.generator(fake_logits, real_logits)
            generator_losses = {
                "generator_loss": self.adversarial_weight * fooled,
                "pixel_loss": self.pixel_weight * pixels,
            }
            if self.perceptual_loss is not None:
                content = self.perceptual_loss(target, fake)
                generator_losses["perceptual_loss"] = self.perceptual_weight * content
        self.step("generator", generator_tape, generator_losses)
        self.update_averages()
        return self.get_metrics_result()

    def make_train_function(self, force: bool = False) -> Any:
        """Returns Keras' train function; one for each phase, and what chooses between them.

        Not `tf.cond`, in which an optimizer fails on replicas.
        """
        if not self.pixel_steps or (self.train_function is not None and not force):
            return super().make_train_function(force)
        functions = []
        for _ in range(2):  # traced when called, in their own phase
            super().make_train_function(force=True)
            functions.append(self.train_function)

        def train_function(iterator):
            steps = int(self.generator_optimizer.iterations.numpy())
            self.adversarial = steps >= self.pixel_steps
            return functions[self.adversarial](iterator)

        self.train_function = train_function
        return train_function

    def compare(self, source: np.ndarray, target: np.ndarray) -> list[np.ndarray]:
        """Returns the columns of a grid of comparisons; `compared` has their names.

        The sources are smaller than the others: `generation.same_size` repeats their pixels.
        """
        source = np.asarray(source, "float32")
        size = self._enlarged(source.shape[1:3])
        enlarged = tf.image.resize(source, size, "bicubic").numpy().clip(-1.0, 1.0)
        return [source, enlarged, self.generate(source), target]

    def _enlarged(self, sides: Shape) -> Shape:
        """Height and width of what the generator makes of images of these."""
        channels = self.generator.inputs[0].shape[-1]
        return tuple(self.generator.compute_output_shape((None, *sides, channels)))[1:3]

    def get_config(self) -> Config:
        dump = keras.saving.serialize_keras_object
        content = self.perceptual_loss
        return {
            **super().get_config(),
            "perceptual_loss": None if content is None else dump(content),
            "pixel_weight": self.pixel_weight,
            "perceptual_weight": self.perceptual_weight,
            "adversarial_weight": self.adversarial_weight,
            "pixel_loss": self.pixel_loss,
            "loss": dump(self.adversarial_loss),
            "pixel_steps": self.pixel_steps,
        }


def _require_larger(generator, discriminator):
    """Raises ValueError unless the discriminator takes what the generator can make."""
    made, taken = generator.output_shape[1:], [tuple(x.shape)[1:] for x in discriminator.inputs]
    if len(taken) != 1:
        raise ValueError(
            "The discriminator of an SRGAN takes images alone. "
            f"Received: {discriminator.name!r} with {len(taken)} inputs, {taken}"
        )
    of_any_size = None in made[:2] and len(taken[0]) == 3 and taken[0][-1] == made[-1]
    if not of_any_size:
        require_fit(generator, discriminator)
