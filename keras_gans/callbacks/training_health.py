"""Stops a training that has broken, before it is saved."""

import math

import keras


class TrainingHealth(keras.callbacks.Callback):
    """Raises as soon as a loss is NaN or infinite.

    `keras.callbacks.TerminateOnNaN` looks at a log called `loss`, which a GAN has not, and ends a
    broken training as if it had been a good one.

    >>> health = keras_gans.callbacks.TrainingHealth()
    >>> health.on_train_batch_end(7, {"generator_loss": float("nan")})
    Traceback (most recent call last):
        ...
    FloatingPointError: The training broke: a loss is no longer a finite number. ...

    Raises:
        FloatingPointError: in `fit`, at the end of the step that broke.
    """

    def on_train_batch_end(self, batch, logs=None):
        for name, value in (logs or {}).items():
            if not math.isfinite(value):
                raise FloatingPointError(
                    "The training broke: a loss is no longer a finite number. Checkpoints hold "
                    "earlier epochs whole. Try a lower learning rate, another loss, or a penalty. "
                    f"Received: {name}={value} at step {batch} of the epoch"
                )
