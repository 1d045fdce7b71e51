"""Callbacks that log, save, evaluate, check and change a training. Keras' own work with them."""

from keras_gans.callbacks.evaluate import Evaluate
from keras_gans.callbacks.loss_threshold import LossThreshold
from keras_gans.callbacks.metrics_log import MetricsLog
from keras_gans.callbacks.past_networks import PastNetworks
from keras_gans.callbacks.resume import Resume
from keras_gans.callbacks.sample_grid import SampleGrid
from keras_gans.callbacks.training_health import TrainingHealth

__all__ = [
    "Evaluate",
    "LossThreshold",
    "MetricsLog",
    "PastNetworks",
    "Resume",
    "SampleGrid",
    "TrainingHealth",
]
