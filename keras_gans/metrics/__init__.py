"""Metrics: arrays in, numbers out. NumPy alone."""

from keras_gans.metrics.frechet import frechet_distance
from keras_gans.metrics.modes import ModeCoverage, class_coverage, mode_coverage

__all__ = ["ModeCoverage", "class_coverage", "frechet_distance", "mode_coverage"]
