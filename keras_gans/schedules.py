"""Learning rate schedules that Keras lacks."""

import keras
from keras import ops

from keras_gans import checks
from keras_gans.typing import Config, Tensor


@keras.saving.register_keras_serializable("keras_gans")
class LinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """A constant learning rate, then a linear decay to 0 (Zhu 2017, section 4).

    >>> rate = keras_gans.schedules.LinearDecay(2e-4, constant_steps=100, decay_steps=100)
    >>> [round(float(rate(step)), 6) for step in (0, 100, 150, 200, 300)]
    [0.0002, 0.0002, 0.0001, 0.0, 0.0]

    Args:
        initial_learning_rate: the rate of the first `constant_steps` steps.
        constant_steps: number of steps before the decay; in CycleGAN those of 100 epochs.
        decay_steps: number of steps of the decay; in CycleGAN those of 100 epochs.

    Raises:
        ValueError: for a rate that is not above 0, or numbers of steps that are no integers.
    """

    def __init__(self, initial_learning_rate: float, constant_steps: int, decay_steps: int) -> None:
        self.initial_learning_rate = checks.positive("initial_learning_rate", initial_learning_rate)
        self.constant_steps = checks.count("constant_steps", constant_steps, 0)
        self.decay_steps = checks.count("decay_steps", decay_steps)

    def __call__(self, step: Tensor) -> Tensor:
        decayed = (ops.cast(step, "float32") - self.constant_steps) / self.decay_steps
        return self.initial_learning_rate * (1.0 - ops.clip(decayed, 0.0, 1.0))

    def get_config(self) -> Config:
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "constant_steps": self.constant_steps,
            "decay_steps": self.decay_steps,
        }
