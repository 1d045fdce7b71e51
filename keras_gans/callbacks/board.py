"""TensorBoard's files, which a training does without if they cannot be written."""

import contextlib
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_gans.callbacks.base import Callback
from keras_gans.callbacks.writer import writes


class Board:
    """A writer of TensorBoard's files, made at the first use.

    Args:
        log_dir: folder of the files; `None` for none, and nothing is written.
    """

    def __init__(self, log_dir: Path | str | None) -> None:
        self.log_dir, self._writer = log_dir, None

    def write(self, write: Callable[[], Any]) -> None:
        """Calls `write`, in which functions of `tf.summary` write to these files."""
        if self.log_dir is None:
            return
        with self._or_warn():
            if self._writer is None:
                self._writer = tf.summary.create_file_writer(str(self.log_dir))
                # A writer that fails as it stops being TensorFlow's default one stays it for good.
                self._writer.flush = self._or_warn()(self._writer.flush)
            with self._writer.as_default():
                write()

    def close(self) -> None:
        """Closes the files. A later `write` begins new ones."""
        writer, self._writer = self._writer, None
        if writer is not None:
            with self._or_warn():
                writer.close()

    @contextlib.contextmanager
    def _or_warn(self):
        """Makes TensorFlow's error of a file, which is no `OSError`, a warning."""
        try:
            yield
        except tf.errors.OpError as error:
            what = str(error.message).splitlines()[0].split("}} ")[-1]
            warnings.warn(
                "TensorBoard's files could not be written, and the training goes on. Is the disk "
                f"full? Received: {what}, in {self.log_dir}",
                stacklevel=5,
            )


class Curves(Callback):
    """Writes the logs of each epoch under the names that `keras.callbacks.TensorBoard` gives them.

    Keras' own ends a training on a full disk, and writes from every worker.

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
