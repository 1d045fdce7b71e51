"""The algorithms, one in each file."""

from keras_gans.models.aae import AAE, CategoricalAAE, SemiSupervisedAAE
from keras_gans.models.acgan import ACGAN
from keras_gans.models.age_cgan import AgeCGAN
from keras_gans.models.bigan import ALI, BiGAN
from keras_gans.models.cogan import CoGAN
from keras_gans.models.conditional_gan import ConditionalGAN
from keras_gans.models.cyclegan import CycleGAN
from keras_gans.models.dcgan import DCGAN
from keras_gans.models.ebgan import EBGAN
from keras_gans.models.gan import GAN
from keras_gans.models.infogan import InfoGAN
from keras_gans.models.lapgan import LAPGAN
from keras_gans.models.pix2pix import Pix2Pix
from keras_gans.models.semi_supervised_gan import SemiSupervisedGAN
from keras_gans.models.simgan import SimGAN
from keras_gans.models.srgan import SRGAN
from keras_gans.models.stylegan2 import StyleGAN2
from keras_gans.models.text_to_image_gan import TextToImageGAN
from keras_gans.models.unrolled_gan import UnrolledGAN
from keras_gans.models.vae_gan import VAEGAN
from keras_gans.models.wgan import WGAN
from keras_gans.models.wgan_gp import WGANGP

__all__ = [
    "AAE",
    "ACGAN",
    "ALI",
    "DCGAN",
    "EBGAN",
    "GAN",
    "LAPGAN",
    "SRGAN",
    "VAEGAN",
    "WGAN",
    "WGANGP",
    "AgeCGAN",
    "BiGAN",
    "CategoricalAAE",
    "CoGAN",
    "ConditionalGAN",
    "CycleGAN",
    "InfoGAN",
    "Pix2Pix",
    "SemiSupervisedAAE",
    "SemiSupervisedGAN",
    "SimGAN",
    "StyleGAN2",
    "TextToImageGAN",
    "UnrolledGAN",
]
