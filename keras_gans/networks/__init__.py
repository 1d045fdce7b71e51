"""Networks: numbers in, a built functional `keras.Model` out.

Generators map latents `(batch, latent_dim)` to images in [-1, 1]; discriminators map images to
logits `(batch, 1)`.
"""

from keras_gans.networks.dcgan import dcgan_discriminator, dcgan_generator
from keras_gans.networks.mlp import mlp_discriminator, mlp_generator

__all__ = ["dcgan_discriminator", "dcgan_generator", "mlp_discriminator", "mlp_generator"]
