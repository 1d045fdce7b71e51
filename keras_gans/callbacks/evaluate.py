"""Measures a generator during training, and keeps the best checkpoint."""

import json
from pathlib import Path
from typing import Any

from keras_gans import checks
from keras_gans.callbacks.base import Callback
from keras_gans.callbacks.writer import writes
from keras_gans.files import atomic, free_name, in_memory, or_warn

WEIGHTS, NUMBERS = "best.weights.h5", "best.json"


class Evaluate(Callback):
    """Adds metrics to the logs of an epoch, and keeps the checkpoint with the best value.

    It measures the generator that `generate` uses: the moving average, if the model keeps one. The
    values are added to the logs under the names of their protocols. Put this callback before
    TensorBoard and `MetricsLog`, so that they write the values too.

    >>> evaluation = keras_gans.metrics.Evaluation("digits", num_images=100)
    >>> evaluate = keras_gans.callbacks.Evaluate(evaluation, every=5, directory="checkpoints")

    Args:
        evaluation: a `metrics.Evaluation` or `metrics.TranslationEvaluation`.
        every: epochs between two measurements. The last epoch is always measured.
        best: metric that selects the best checkpoint; `None` measures only.
        directory: folder of `best.weights.h5`, with all networks, optimizers and random states,
            and of `best.json` with its value; `None` keeps no checkpoint. A resumed training
            remembers the best value. The files of a later epoch or of another training are renamed
            to `best~1.weights.h5` and `best~1.json`.

    Attributes:
        measured: the last result of `evaluation.measure`; empty before the first.
        epoch: number of the epoch that was measured, from 1; 0 before the first.

    Raises:
        ValueError: for a number below 1, and, in `fit`, for a `best` that is not measured.
    """

    def __init__(
        self,
        evaluation: Any,
        every: int = 1,
        best: str | None = "frechet",
        directory: Path | str | None = None,
    ) -> None:
        super().__init__()
        self.evaluation, self.every = evaluation, checks.count("every", every)
        self.best = best
        self.directory = Path(directory) if directory is not None else None
        self.measured, self.epoch = {}, 0

    def begin(self, epoch: int) -> None:
        self._leader = self._earlier = None
        if self.directory is None or not writes(self.model):
            return
        kept = self._kept()
        if kept is None:
            return
        # A training that starts anew, or before the best epoch, has not made that checkpoint.
        if kept["epoch"] <= epoch:
            self._earlier = kept["measurement"]
        else:
            for path in (self.directory / WEIGHTS, self.directory / NUMBERS):
                if path.exists():
                    path.rename(free_name(path))

    def _kept(self):
        """Returns the content of `best.json`; `None` if there is none."""
        path = self.directory / NUMBERS
        if not path.exists():
            return None
        try:
            kept = json.loads(path.read_text())
            if isinstance(kept["epoch"], int) and isinstance(kept["measurement"], dict):
                return kept
        except (ValueError, TypeError, LookupError):
            pass
        raise ValueError(
            "The file with the value of the best checkpoint cannot be read. Expected JSON as "
            f"this callback writes it. Remove it to select a new best checkpoint. Received: {path}"
        )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        # Only Keras knows the last epoch.
        last = epoch + 1 == self.params.get("epochs")
        if (epoch + 1) % self.every and not last:
            return
        if not writes(self.model):
            return
        self.measured, self.epoch = self.evaluation.measure(self.model), epoch + 1
        if logs is not None:
            logs.update({name: float(found) for name, found in self.measured.items()})
        if self.best is None:
            return
        leader = self._found(self.best)
        if self._earlier is not None:
            self._leader, self._earlier = leader.from_json(self._earlier), None
        if self._leader is None or leader.better_than(self._leader):
            with or_warn(f"The best checkpoint, of epoch {epoch + 1},"):
                self._keep(leader)
                self._leader = leader  # only if it could be saved

    def _keep(self, leader):
        if self.directory is None:
            return
        with in_memory(self.directory / WEIGHTS) as memory:
            self.model.save_weights(memory)
        kept = {"epoch": self.epoch, "measurement": leader.to_json()}
        with atomic(self.directory / NUMBERS) as partial:
            partial.write_text(json.dumps(kept, indent=2) + "\n")

    def _found(self, metric):
        for found in self.measured.values():
            if found.protocol.metric == metric:
                return found
        raise ValueError(
            "The metric that selects the best checkpoint is not measured. Expected one of "
            f"{[found.protocol.metric for found in self.measured.values()]}. "
            f"Received: best={metric!r}"
        )
