"""Layers that GANs need and Keras lacks, one in each file."""

from keras_gans.layers.adaptive_augment import AdaptiveAugment
from keras_gans.layers.bias_activation import BiasActivation
from keras_gans.layers.conditional_batch_normalization import ConditionalBatchNormalization
from keras_gans.layers.diff_augment import DiffAugment
from keras_gans.layers.equalized_conv_2d import EqualizedConv2D
from keras_gans.layers.equalized_dense import EqualizedDense
from keras_gans.layers.equalized_embedding import EqualizedEmbedding
from keras_gans.layers.filtered_resampling_2d import FilteredResampling2D
from keras_gans.layers.instance_noise import InstanceNoise
from keras_gans.layers.instance_normalization import InstanceNormalization
from keras_gans.layers.learned_constant import LearnedConstant
from keras_gans.layers.minibatch_discrimination import MinibatchDiscrimination
from keras_gans.layers.minibatch_std_dev import MinibatchStdDev
from keras_gans.layers.modulated_conv_2d import ModulatedConv2D
from keras_gans.layers.noise_injection import NoiseInjection
from keras_gans.layers.pixel_normalization import PixelNormalization
from keras_gans.layers.pixel_shuffle import PixelShuffle
from keras_gans.layers.reflection_padding_2d import ReflectionPadding2D
from keras_gans.layers.replay_pool import ReplayPool
from keras_gans.layers.seeded_dropout import SeededDropout
from keras_gans.layers.self_attention_2d import SelfAttention2D
from keras_gans.layers.spectral_normalization import SpectralNormalization
from keras_gans.layers.style_truncation import StyleTruncation
from keras_gans.layers.truncated_batch_normalization import TruncatedBatchNormalization

__all__ = [
    "AdaptiveAugment",
    "BiasActivation",
    "ConditionalBatchNormalization",
    "DiffAugment",
    "EqualizedConv2D",
    "EqualizedDense",
    "EqualizedEmbedding",
    "FilteredResampling2D",
    "InstanceNoise",
    "InstanceNormalization",
    "LearnedConstant",
    "MinibatchDiscrimination",
    "MinibatchStdDev",
    "ModulatedConv2D",
    "NoiseInjection",
    "PixelNormalization",
    "PixelShuffle",
    "ReflectionPadding2D",
    "ReplayPool",
    "SeededDropout",
    "SelfAttention2D",
    "SpectralNormalization",
    "StyleTruncation",
    "TruncatedBatchNormalization",
]
