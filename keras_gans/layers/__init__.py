"""Layers that GANs need and Keras lacks, one in each file."""

from keras_gans.layers.adaptive_augment import AdaptiveAugment
from keras_gans.layers.conditional_batch_normalization import ConditionalBatchNormalization
from keras_gans.layers.diff_augment import DiffAugment
from keras_gans.layers.instance_noise import InstanceNoise
from keras_gans.layers.instance_normalization import InstanceNormalization
from keras_gans.layers.minibatch_discrimination import MinibatchDiscrimination
from keras_gans.layers.minibatch_std_dev import MinibatchStdDev
from keras_gans.layers.pixel_shuffle import PixelShuffle
from keras_gans.layers.reflection_padding_2d import ReflectionPadding2D
from keras_gans.layers.replay_pool import ReplayPool
from keras_gans.layers.seeded_dropout import SeededDropout
from keras_gans.layers.spectral_normalization import SpectralNormalization

__all__ = [
    "AdaptiveAugment",
    "ConditionalBatchNormalization",
    "DiffAugment",
    "InstanceNoise",
    "InstanceNormalization",
    "MinibatchDiscrimination",
    "MinibatchStdDev",
    "PixelShuffle",
    "ReflectionPadding2D",
    "ReplayPool",
    "SeededDropout",
    "SpectralNormalization",
]
