"""What the callbacks here share: a beginning that is known, and an end that always comes."""

import contextlib
from collections.abc import Mapping
from typing import Any

import keras


class Callback(keras.callbacks.Callback):
    """A callback that knows where a training begins, and undoes what it did however it ends.

    Keras tells a callback neither: `Resume` may stand before or after it in the list, and an
    exception in `fit` ends it without `on_train_end`.

    Attributes:
        undo: a `contextlib.ExitStack` for what must be closed or put back. It is closed as `fit`
            ends, well or by an exception; of a model that is no `AdversarialModel`, only if well.
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
        """Called once in a `fit`, before the first step.

        Args:
            epoch: number of epochs that were done before, wherever they are said to be: by
                `initial_epoch`, `Resume`, or Keras' `BackupAndRestore`.
        """
