"""Callbacks that log, save, evaluate and check a training. Keras' own callbacks work with them."""

from keras_gans.callbacks.evaluate import Evaluate
from keras_gans.callbacks.metrics_log import MetricsLog
from keras_gans.callbacks.resume import Resume
from keras_gans.callbacks.sample_grid import SampleGrid
from keras_gans.callbacks.training_health import TrainingHealth

__all__ = ["Evaluate", "MetricsLog", "Resume", "SampleGrid", "TrainingHealth"]
