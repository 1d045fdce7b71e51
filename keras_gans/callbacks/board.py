"""TensorBoard's files. If they cannot be written, the training continues without them."""

import contextlib
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_gans.callbacks.base import Callback
from keras_gans.callbacks.writer import writes


class Board:
    """Writes TensorBoard's files, which are created at the first use.

    Args:
        log_dir: folder of the files; `None` writes nothing.
    """

    def __init__(self, log_dir: Path | str | None) -> None:
        self.log_dir, self._writer = log_dir, None

    def write(self, write: Callable[[], Any]) -> None:
        """Calls `write` with these files as the target of `tf.summary`."""
        if self.log_dir is None:
            return
        with self._or_warn():
            if self._writer is None:
                self._writer = tf.summary.create_file_writer(str(self.log_dir))
                # If flushing fails, TensorFlow would keep this writer as its default.
                self._writer.flush = self._or_warn()(self._writer.flush)
            with self._writer.as_default():
                write()

    def close(self) -> None:
        """Closes the files. A later `write` creates new ones."""
        writer, self._writer = self._writer, None
        if writer is not None:
            with self._or_warn():
                writer.close()

    @contextlib.contextmanager
    def _or_warn(self):
        """Turns TensorFlow's errors about files, which are no `OSError`, into a warning."""
        try:
            yield
        except tf.errors.OpError as error:
            what = str(error.message).splitlines()[0].split("}} ")[-1]
            warnings.warn(
                "TensorBoard's files could not be written, and the training continues. Is the disk "
                f"full? Received: {what}, in {self.log_dir}",
                stacklevel=5,
            )


class Curves(Callback):
    """Writes the logs of each epoch under the names that `keras.callbacks.TensorBoard` uses.

    Keras' callback stops the training when the disk is full, and writes from every worker.

    Args:
        log_dir: folder of the files.
    """

    def __init__(self, log_dir: Path | str) -> None:
        super().__init__()
        self._board = Board(Path(log_dir, "train"))

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        self.undo.callback(self._board.close)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        def write():
            for name, value in (logs or {}).items():
                tf.summary.scalar(f"epoch_{name}", value, step=epoch)

        if writes(self.model):
            self._board.write(write)
