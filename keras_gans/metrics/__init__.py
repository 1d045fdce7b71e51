"""Metrics: functions from arrays to numbers. NumPy, and `tf.image` for structural similarity."""

from keras_gans.metrics.agreement import attribute_agreement, pixel_agreement
from keras_gans.metrics.attribute_evaluation import (
    AttributeEvaluation,
    Edits,
    Faces,
    usual_reader,
)
from keras_gans.metrics.attributes import AttributeReader
from keras_gans.metrics.bootstrap import Interval, bootstrap, bootstrap_mean
from keras_gans.metrics.evaluation import Evaluation, NearestImages, usual_features
from keras_gans.metrics.evaluations import Evaluations
from keras_gans.metrics.features import FeatureNetwork
from keras_gans.metrics.frechet import frechet_distance
from keras_gans.metrics.grid import grid_ratio
from keras_gans.metrics.inception_score import InceptionScore, ScoreStatistics, inception_score
from keras_gans.metrics.kernel import KernelDistance, kernel_distance, mmd
from keras_gans.metrics.manifold import (
    DensityCoverage,
    PrecisionRecall,
    density_coverage,
    precision_recall,
)
from keras_gans.metrics.modes import ModeCoverage, class_coverage, mode_coverage
from keras_gans.metrics.neighbors import Memorization, memorization_score, nearest_neighbors
from keras_gans.metrics.part_writing import PartWriting, part_writing
from keras_gans.metrics.perceptual import PerceptualDistance, perceptual_distance
from keras_gans.metrics.protocol import Measurement, Protocol
from keras_gans.metrics.readings import Reading
from keras_gans.metrics.resizing import resize_clean, resize_legacy
from keras_gans.metrics.similarity import (
    gradient_energy,
    l1,
    ms_ssim,
    ms_ssim_diversity,
    psnr,
    ssim,
)
from keras_gans.metrics.statistics import FeatureStatistics
from keras_gans.metrics.super_resolution import (
    SuperResolutionEvaluation,
    colour_shift,
    psnr_y,
    ssim_y,
)
from keras_gans.metrics.translation import TranslationEvaluation

__all__ = [
    "AttributeEvaluation",
    "AttributeReader",
    "DensityCoverage",
    "Edits",
    "Evaluation",
    "Evaluations",
    "Faces",
    "FeatureNetwork",
    "FeatureStatistics",
    "InceptionScore",
    "Interval",
    "KernelDistance",
    "Measurement",
    "Memorization",
    "ModeCoverage",
    "NearestImages",
    "PartWriting",
    "PerceptualDistance",
    "PrecisionRecall",
    "Protocol",
    "Reading",
    "ScoreStatistics",
    "SuperResolutionEvaluation",
    "TranslationEvaluation",
    "attribute_agreement",
    "bootstrap",
    "bootstrap_mean",
    "class_coverage",
    "colour_shift",
    "density_coverage",
    "frechet_distance",
    "gradient_energy",
    "grid_ratio",
    "inception_score",
    "kernel_distance",
    "l1",
    "memorization_score",
    "mmd",
    "mode_coverage",
    "ms_ssim",
    "ms_ssim_diversity",
    "nearest_neighbors",
    "part_writing",
    "perceptual_distance",
    "pixel_agreement",
    "precision_recall",
    "psnr",
    "psnr_y",
    "resize_clean",
    "resize_legacy",
    "ssim",
    "ssim_y",
    "usual_features",
    "usual_reader",
]
