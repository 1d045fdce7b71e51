"""One line of JSON an epoch."""

import json
import time
from pathlib import Path

import keras

from keras_gans.callbacks.writer import writes
from keras_gans.files import atomic


class MetricsLog(keras.callbacks.Callback):
    """Writes `metrics.jsonl`: epoch, seconds, steps per second and every logged value.

    A training that goes on from an earlier epoch drops the lines after it first, so that the
    file tells one story.

    >>> log = keras_gans.callbacks.MetricsLog("metrics.jsonl")

    Args:
        path: the file; made if missing.
    """

    def __init__(self, path):
        super().__init__()
        self.path = Path(path)

    def on_train_begin(self, logs=None):
        if not writes(self.model):
            return
        start = self.model._initial_epoch or 0
        lines = [line for line in _lines(self.path) if (line["epoch"] or 0) <= start]
        with atomic(self.path) as partial:
            partial.write_text("".join(json.dumps(line) + "\n" for line in lines))

    def on_epoch_begin(self, epoch, logs=None):
        self._started, self._steps = time.perf_counter(), 0

    def on_train_batch_end(self, batch, logs=None):
        self._steps += 1

    def on_epoch_end(self, epoch, logs=None):
        if not writes(self.model):
            return
        seconds = time.perf_counter() - self._started
        line = {
            "epoch": epoch + 1,
            "seconds": round(seconds, 3),
            "steps_per_second": round(self._steps / seconds, 3),
            **{name: float(value) for name, value in (logs or {}).items()},
        }
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")


def read_metrics(path):
    """The epochs of a `metrics.jsonl` as dictionaries; a last line cut short by a kill is left out.

    Lines that `keras-gans evaluate` adds are no epochs, and left out too.

    Args:
        path: the file; a missing one has no lines.

    Returns:
        A list of dictionaries, in the order of the file.
    """
    return [line for line in _lines(path) if "evaluation" not in line]


def totals(lines):
    """Steps and seconds of epochs, as `read_metrics` gives them, in all.

    >>> totals(2 * [{"seconds": 2.0, "steps_per_second": 4.0}])
    (16.0, 4.0)
    """
    steps = sum(line["seconds"] * line["steps_per_second"] for line in lines)
    return steps, sum(line["seconds"] for line in lines)


def _lines(path):
    path, lines = Path(path), []
    for text in path.read_text().splitlines() if path.exists() else ():
        try:
            lines.append(json.loads(text))
        except json.JSONDecodeError:
            break
    return lines
