"""What GANs with an encoder share, whatever their training step."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_gans import checks, generation, latent
from keras_gans.adversarial import AdversarialModel, require_fit, require_inputs

BOUNDED = "The codes of images have no bounds, as standard normal latents have none."


class Encoded(AdversarialModel):
    """An `encoder`, a network from images to the generator's latents: their codes.

    For a GAN that passes a network of that name: inherit from this, then from the GAN, and call
    `require_encoder` in `check_networks`.
    """

    generator: keras.Model
    encoder: keras.Model

    def encoder_heads(self) -> dict[str, int]:
        """Returns the outputs that the encoder must have, in order: names to lengths."""
        return {"latents": latent.dim(self.generator)}

    def require_encoder(self) -> None:
        """Raises ValueError unless the encoder takes the generator's images and returns codes."""
        require_inputs(self.encoder, "images")
        require_fit(self.generator, self.encoder, "encoder")
        heads = self.encoder_heads()
        made = [tuple(output.shape)[1:] for output in self.encoder.outputs]
        if made != [(size,) for size in heads.values()]:
            wanted = ", ".join(f"{name} (batch, {size})" for name, size in heads.items())
            raise ValueError(
                f"The codes of the encoder {self.encoder.name!r} do not fit the generator, or are "
                f"not such as {type(self).__name__} takes. Build both with one `latent_dim`; of an "
                "encoder of `keras_gans.networks` set `stochastic`, or `categorical`, as the GAN "
                f"needs it. Expected the outputs {wanted}. "
                f"Received: {[(None, *shape) for shape in made]}"
            )
        checks.linear_outputs(self.encoder, self.encoder.outputs, BOUNDED)

    def codes(self, images: tf.Tensor) -> tf.Tensor:
        """Returns the codes of images in training, float32 `(batch, latent_dim)`."""
        return tf.cast(self.encoder(images, training=True), "float32")

    def encode(self, images: ArrayLike, batch_size: int = 64) -> np.ndarray:
        """Returns the latent that the encoder finds for each image.

        Args:
            images: floats in [-1, 1], `(number, height, width, channels)`.
            batch_size: how many at once.

        Returns:
            float32 `(number, latent_dim)`. Of a stochastic encoder, the means.

        Raises:
            ValueError: for images of another shape, type or range than the generator's.
        """
        checked = generation.require_images(images, self.generator.output_shape[1:])
        return self.code_of(*generation.run(self.in_use("encoder"), [checked], batch_size))

    def code_of(self, first: np.ndarray, *others: np.ndarray) -> np.ndarray:
        """Returns the latents of what the encoder returns: its first output."""
        return first

    def reconstruct(
        self, images: ArrayLike, batch_size: int = 64, **inputs: Any
    ) -> np.ndarray | dict[str, np.ndarray]:
        """Returns what the generator makes of the codes of images.

        Args:
            images: floats in [-1, 1], `(number, height, width, channels)`.
            batch_size: how many at once.
            **inputs: what else the generator takes, as of `generate`: its conditions must be given.

        Returns:
            float32 array of as many images; of a generator of several outputs a dictionary of them.

        Raises:
            ValueError: for images as of `encode`, or a condition that is missing.
        """
        needed = [port.name for port in self.interface("generator").labels]
        if missing := [name for name in needed if inputs.get(name) is None]:
            raise ValueError(
                "A code does not hold the conditions of an image. Expected a value of each, such "
                f"as `reconstruct(images, {missing[0]}=0)`. Received: no {', '.join(missing)}"
            )
        codes = self.encode(images, batch_size)
        return self.generate(latents=codes, batch_size=batch_size, **inputs)


class StochasticallyEncoded(Encoded):
    """An encoder of two outputs: a code is drawn from a normal of this mean and variance."""

    def encoder_heads(self) -> dict[str, int]:
        size = latent.dim(self.generator)
        return {"means": size, "log_variances": size}

    def posterior(self, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns mean and logarithm of the variance of each code, float32, in training."""
        means, log_variances = self.encoder(images, training=True)
        return tf.cast(means, "float32"), tf.cast(log_variances, "float32")

    def draw(self, means: tf.Tensor, log_variances: tf.Tensor) -> tf.Tensor:
        """Returns a code of each normal; gradients pass to both arguments (Kingma 2014)."""
        return means + tf.exp(0.5 * log_variances) * self.latents(means)

    def codes(self, images: tf.Tensor) -> tf.Tensor:
        return self.draw(*self.posterior(images))
