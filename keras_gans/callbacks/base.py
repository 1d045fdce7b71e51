"""The base class of the callbacks: it knows the first epoch, and always cleans up."""

import contextlib
from collections.abc import Mapping
from typing import Any

import keras


class Callback(keras.callbacks.Callback):
    """A callback that knows the first epoch of a `fit`, and cleans up however `fit` ends.

    Keras offers neither: `Resume` may come before or after a callback in the list, and after an
    exception in `fit` Keras does not call `on_train_end`.

    Attributes:
        undo: a `contextlib.ExitStack` of what must be closed or restored. It is closed when `fit`
            ends, also by an exception; with a model that is no `AdversarialModel`, only when `fit`
            ends normally.
    """

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self._begun, self.undo = False, contextlib.ExitStack()
        if hasattr(self.model, "after_fit"):
            self.model.after_fit.push(self.undo)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        if not self._begun:
            self._begun = True
            self.begin(epoch)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        self.undo.close()

    def begin(self, epoch: int) -> None:
        """Called once in each `fit`, before the first step.

        Args:
            epoch: number of epochs that are already finished, according to `initial_epoch`,
                `Resume`, or Keras' `BackupAndRestore`.
        """
