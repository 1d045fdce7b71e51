"""Untrained GANs of each kind, of 16x16 pixels, that start in a moment."""

import keras_gans
from keras_gans import networks

SHAPE = (16, 16, 1)


def plain():
    return keras_gans.GAN(
        networks.dcgan_generator(SHAPE, latent_dim=6, width=4),
        networks.dcgan_discriminator(SHAPE, width=4),
    )


def labelled(num_classes=3):
    options = {"num_classes": num_classes, "width": 4}
    return keras_gans.ConditionalGAN(
        networks.conditional_dcgan_generator(SHAPE, latent_dim=6, **options),
        networks.conditional_dcgan_discriminator(SHAPE, **options),
    )


def with_codes(categorical=(3,)):
    return keras_gans.InfoGAN(
        networks.dcgan_generator(SHAPE, latent_dim=4 + sum(categorical) + 2, width=4),
        networks.infogan_discriminator(SHAPE, categorical=categorical, continuous=2, width=4),
        categorical=categorical,
        continuous=2,
    )


def translator():
    return keras_gans.Pix2Pix(
        networks.unet_generator((32, 32, 3), width=2),
        networks.patch_discriminator(
            (32, 32, 3), condition_shape=(32, 32, 3), receptive_field=16, width=2
        ),
    )
