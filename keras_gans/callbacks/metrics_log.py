"""A log with one line of JSON for each epoch."""

import json
import shutil
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from keras_gans.callbacks.base import Callback
from keras_gans.callbacks.writer import writes
from keras_gans.files import append, atomic, free_name, or_warn


class MetricsLog(Callback):
    """Writes `metrics.jsonl`: epoch, seconds, steps per second and every logged value.

    A training that is resumed by `Resume` or `initial_epoch` appends to the file. If the file has
    lines of later epochs, or of another training, a copy with them is kept as `metrics~1.jsonl`, so
    that each file holds one training. On a full disk, lines are written later.

    >>> log = keras_gans.callbacks.MetricsLog("metrics.jsonl")

    Args:
        path: the file; created if missing.

    Raises:
        ValueError: in `fit`, if the file at `path` is no such log.
        OSError: in `fit`, before the first step, if it cannot be written.
    """

    def __init__(self, path: Path | str) -> None:
        super().__init__()
        self.path = Path(path)

    def begin(self, epoch: int) -> None:
        self._pending = ""
        if writes(self.model):
            rewind(self.path, epoch)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        super().on_epoch_begin(epoch, logs)
        self._started, self._steps = time.perf_counter(), 0

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._steps += 1

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        if not writes(self.model):
            return
        seconds = time.perf_counter() - self._started
        line = {
            "epoch": epoch + 1,
            "seconds": round(seconds, 3),
            "steps_per_second": round(self._steps / seconds, 3),
            **{name: float(value) for name, value in (logs or {}).items()},
        }
        self._pending += json.dumps(line) + "\n"
        with or_warn(f"The log of epoch {epoch + 1}"):
            append(self.path, self._pending)
            self._pending = ""


def rewind(path: Path | str, epoch: int) -> list[dict[str, Any]]:
    """Truncates a file of JSON lines after an epoch, and keeps a copy with the later lines.

    Args:
        path: the file; created empty if missing.
        epoch: the last epoch to keep. A line without an epoch is kept as well.

    Returns:
        List of the lines that are kept, as dictionaries.

    Raises:
        ValueError: if the file holds anything else.
    """
    path = Path(path)
    content = path.read_bytes() if path.exists() else b""
    kept, lines, later = b"", [], False
    for raw in content.splitlines(keepends=True):
        try:
            line = json.loads(raw)
            stays = (line["epoch"] or 0) <= epoch
        except (ValueError, TypeError, LookupError) as error:
            if raw.startswith(b"{") and not raw.endswith(b"\n"):
                break  # truncated when the process was killed
            raise ValueError(
                "There is another file at that path. Expected lines of JSON with an `epoch` each, "
                "from an earlier training, or no file. Give another path, or move the "
                f"file away. Received: {path}, with {raw[:40]!r}"
            ) from error
        later = later or not stays
        if stays:
            kept, lines = kept + raw.rstrip(b"\r\n") + b"\n", [*lines, line]
    if later:
        shutil.copy2(path, free_name(path))
    if kept != content or not path.exists():
        with atomic(path) as partial:
            partial.write_bytes(kept)
    return lines


def read_metrics(path: Path | str) -> list[dict[str, Any]]:
    """Reads the epochs of a `metrics.jsonl`.

    A last line that is truncated is left out, and so are the lines that `keras-gans evaluate` adds.

    Args:
        path: the file; a missing one has no lines.

    Returns:
        A list of dictionaries, in the order of the file.
    """
    return [line for line in _lines(path) if "evaluation" not in line]


def totals(lines: Iterable[Mapping[str, float]]) -> tuple[float, float]:
    """Returns the total steps and seconds of epochs from `read_metrics`.

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
