"""Networks: functions that return a built functional `keras.Model`.

Generators map latents `(batch, latent_dim)` to images in [-1, 1]; discriminators map images to
logits `(batch, 1)`; encoders map images to latents. Conditional ones take labels `(batch,)` as
further inputs. Image-to-image generators map images to images, upscalers map images to larger
ones, and a `patch_discriminator` or `unet_discriminator` maps images to a map of logits.
"""

from keras_gans.networks.autoencoder import autoencoder_discriminator
from keras_gans.networks.biggan_deep import biggan_deep_generator
from keras_gans.networks.compact_upscaler import compact_upscaler
from keras_gans.networks.conditional import (
    conditional_batch_norm_generator,
    conditional_dcgan_discriminator,
    conditional_dcgan_generator,
    conditional_mlp_discriminator,
    conditional_mlp_generator,
    projection_discriminator,
)
from keras_gans.networks.coupled import coupled_dcgan_discriminator, coupled_dcgan_generator
from keras_gans.networks.dcgan import dcgan_discriminator, dcgan_generator
from keras_gans.networks.encoders import dcgan_encoder, mlp_encoder
from keras_gans.networks.heads import (
    acgan_discriminator,
    feature_discriminator,
    infogan_discriminator,
    semi_supervised_discriminator,
)
from keras_gans.networks.joint import joint_discriminator
from keras_gans.networks.laplacian import (
    laplacian_discriminator,
    laplacian_generator,
    laplacian_level_generator,
    laplacian_pyramid,
)
from keras_gans.networks.mlp import mlp_discriminator, mlp_generator
from keras_gans.networks.patch import patch_discriminator
from keras_gans.networks.r3gan import r3gan_discriminator, r3gan_generator
from keras_gans.networks.rdn_upscaler import rdn_upscaler
from keras_gans.networks.receptive_radius import receptive_radius
from keras_gans.networks.refiner import refiner
from keras_gans.networks.resnet import resnet_generator
from keras_gans.networks.rrdb_upscaler import rrdb_upscaler
from keras_gans.networks.rrdn_upscaler import rrdn_upscaler
from keras_gans.networks.srgan_discriminator import srgan_discriminator
from keras_gans.networks.srresnet import srresnet
from keras_gans.networks.stochastic import stochastic
from keras_gans.networks.stylegan2 import (
    stylegan2_discriminator,
    stylegan2_generator,
    truncated,
)
from keras_gans.networks.synchronized import synchronized
from keras_gans.networks.unet import unet_generator
from keras_gans.networks.unet_discriminator import unet_discriminator

__all__ = [
    "acgan_discriminator",
    "autoencoder_discriminator",
    "biggan_deep_generator",
    "compact_upscaler",
    "conditional_batch_norm_generator",
    "conditional_dcgan_discriminator",
    "conditional_dcgan_generator",
    "conditional_mlp_discriminator",
    "conditional_mlp_generator",
    "coupled_dcgan_discriminator",
    "coupled_dcgan_generator",
    "dcgan_discriminator",
    "dcgan_encoder",
    "dcgan_generator",
    "feature_discriminator",
    "infogan_discriminator",
    "joint_discriminator",
    "laplacian_discriminator",
    "laplacian_generator",
    "laplacian_level_generator",
    "laplacian_pyramid",
    "mlp_discriminator",
    "mlp_encoder",
    "mlp_generator",
    "patch_discriminator",
    "projection_discriminator",
    "r3gan_discriminator",
    "r3gan_generator",
    "rdn_upscaler",
    "receptive_radius",
    "refiner",
    "resnet_generator",
    "rrdb_upscaler",
    "rrdn_upscaler",
    "semi_supervised_discriminator",
    "srgan_discriminator",
    "srresnet",
    "stochastic",
    "stylegan2_discriminator",
    "stylegan2_generator",
    "synchronized",
    "truncated",
    "unet_discriminator",
    "unet_generator",
]
