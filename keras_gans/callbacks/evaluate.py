"""Measures a generator while it learns, and keeps the best."""

import json
from pathlib import Path
from typing import Any

from keras_gans import checks
from keras_gans.callbacks.base import Callback
from keras_gans.callbacks.writer import writes
from keras_gans.files import atomic, free_name, in_memory, or_warn

WEIGHTS, NUMBERS = "best.weights.h5", "best.json"


class Evaluate(Callback):
    """Adds metrics to the logs of an epoch, and keeps the checkpoint with the best.

    What is measured is the generator in use: its moving average, if the model keeps one. The values
    get into the logs under the names of their protocols, so that `History`, TensorBoard and
    `MetricsLog` have them too: put this callback before those.

    >>> evaluation = keras_gans.metrics.Evaluation("digits", num_images=100)
    >>> evaluate = keras_gans.callbacks.Evaluate(evaluation, every=5, directory="checkpoints")

    Args:
        evaluation: a `metrics.Evaluation`.
        every: epochs between two measurements. The last epoch is always measured.
        best: metric to choose the best checkpoint by; `None` measures, and chooses none.
        directory: folder of `best.weights.h5`, with both sides, both optimizers and every random
            state, and of `best.json`, which says how good it is; `None` keeps none. A training that
            goes on knows the best so far; what a later epoch or another training kept stays as
            `best~1.weights.h5` and `best~1.json`.

    Attributes:
        measured: what `evaluation.measure` found last; empty before that.
        epoch: number of the epoch that was measured, from 1; 0 before that.

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
        # A training that starts afresh, or from before the best, has not made it.
        if kept["epoch"] <= epoch:
            self._earlier = kept["measurement"]
        else:
            for path in (self.directory / WEIGHTS, self.directory / NUMBERS):
                if path.exists():
                    path.rename(free_name(path))

    def _kept(self):
        """What an earlier training says of its best."""
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
            "The file that says how good the best checkpoint is cannot be read. Expected JSON as "
            f"this callback wrote it. Remove it, to choose a best one anew. Received: {path}"
        )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        # Keras alone knows the last epoch, by this name.
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
                self._leader = leader  # of those that could be kept

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
            "The best checkpoint is chosen by a metric that is not measured. Expected one of "
            f"{[found.protocol.metric for found in self.measured.values()]}. "
            f"Received: best={metric!r}"
        )
