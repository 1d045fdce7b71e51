"""Resumes a training that was stopped at any moment from its newest checkpoint."""

import re
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from keras_gans import checks
from keras_gans.callbacks import settings, states
from keras_gans.callbacks.base import Callback
from keras_gans.callbacks.lock import locked
from keras_gans.callbacks.writer import writes
from keras_gans.files import advice, in_memory, is_whole_hdf5


class Resume(Callback):
    """Saves checkpoints during training, and resumes from the newest one.

    A checkpoint is one file with all networks, optimizers, moving averages, random states and the
    means logged so far; its name has the epoch and step. It is written completely or not at all,
    whereas `keras.callbacks.BackupAndRestore` overwrites its only copy. If a checkpoint cannot be
    written, as on a full disk, there is a warning and the training continues; only for the last one
    it is an error. If a checkpoint is damaged, there is a warning and the one before it is used.

    A resumed training is exact, bit for bit on one machine, if the data come in the order of an
    uninterrupted one, which `first_epoch` ensures. Within an epoch, the batches that were already
    trained on are drawn again and skipped, which takes the time of the data:

    >>> resume = keras_gans.callbacks.Resume("checkpoints", minutes=10)
    >>> images = keras_gans.data.load("normal", first_epoch=resume.epoch)
    >>> history = gan.fit(images, steps_per_epoch=10, epochs=2, callbacks=[resume], verbose=0)
    >>> resume.epoch, resume.step
    (2, 0)

    A checkpoint holds the learning rates too. A model that was compiled with other learning rates,
    or with another loss, is refused unless `allow_changes`:

    >>> gan.compile(keras.optimizers.Adam(0.1), keras.optimizers.Adam(0.1))
    >>> gan.fit(images, steps_per_epoch=10, epochs=3, callbacks=[resume], verbose=0)
    Traceback (most recent call last):
        ...
    ValueError: This training was started with other settings, and the checkpoint would ...

    Args:
        directory: folder of the checkpoints; created if missing. Workers of one training share it;
            a second training at the same time is refused.
        every: epochs between two checkpoints. The last epoch is always saved.
        keep: how many checkpoints to keep.
        steps: steps between two checkpoints within an epoch; `None` for none.
        minutes: minutes between two checkpoints, at any step; `None` for none.
        allow_changes: whether to accept learning rates, other settings of the optimizers, and
            losses that differ from those of the checkpoint. The newly compiled ones are used.

    Raises:
        ValueError: for a number that is not positive, and, in `fit`, if no checkpoint can be read,
            or if the model is compiled with other settings.
        BlockingIOError: in `fit`, if another training writes to `directory`.
        OSError: in `fit`, if the last checkpoint cannot be written.
    """

    def __init__(
        self,
        directory: Path | str,
        every: int = 1,
        keep: int = 2,
        steps: int | None = None,
        minutes: float | None = None,
        allow_changes: bool = False,
    ) -> None:
        super().__init__()
        self.directory, self.allow_changes = Path(directory), allow_changes
        self.every, self.keep = checks.count("every", every), checks.count("keep", keep)
        self.steps = None if steps is None else checks.count("steps", steps)
        number = isinstance(minutes, (int, float)) and not isinstance(minutes, bool)
        if minutes is not None and not (number and minutes > 0):
            raise ValueError(f"`minutes` must be above 0, or None. Received: minutes={minutes!r}")
        self.minutes = minutes
        self._compiled = None

    def _numbered(self):
        """`(finished epochs, steps after them)` to path, oldest first."""
        numbered = {}
        for path in self.directory.glob("epoch-*.weights.h5"):
            if match := re.fullmatch(r"epoch-(\d+)(?:-step-(\d+))?\.weights\.h5", path.name):
                numbered[int(match[1]), int(match[2] or 0)] = path
        return dict(sorted(numbered.items()))

    def _whole(self):
        return {at: path for at, path in self._numbered().items() if is_whole_hdf5(path)}

    def checkpoints(self) -> list[Path]:
        """Returns the paths of the complete checkpoints, oldest first."""
        return list(self._whole().values())

    def _newest(self):
        return max(self._whole(), default=(0, 0))

    @property
    def epoch(self) -> int:
        """Number of finished epochs in the newest checkpoint; 0 if there is none."""
        return self._newest()[0]

    @property
    def step(self) -> int:
        """Number of steps after them in the newest checkpoint."""
        return self._newest()[1]

    def restore(self, model: keras.Model) -> tuple[int, int]:
        """Loads the newest complete checkpoint, if there is one, and returns its epoch and step."""
        files, whole = self._numbered(), self._whole()
        newest = max(whole, default=(0, 0))
        damaged = [path.name for at, path in files.items() if at > newest]
        if damaged and not whole:
            raise ValueError(
                "No checkpoint can be read: all are damaged. Remove them to start afresh. "
                f"Received: {', '.join(damaged)} in {self.directory}"
            )
        if damaged:
            warnings.warn(
                f"Damaged checkpoints are skipped: {', '.join(damaged)}. Resuming from "
                f"{whole[newest].name}.",
                stacklevel=2,
            )
        if whole:
            try:
                model.load_weights(whole[newest])
            except (OSError, KeyError, ValueError) as error:
                earlier = (
                    f"go on from {[*whole.values()][-2].name}" if len(whole) > 1 else "start afresh"
                )
                raise ValueError(
                    "A checkpoint cannot be read: it is damaged, or of another model. Expected "
                    f"what this model saved. Remove the file to {earlier}. "
                    f"Received: {whole[newest]} ({error})"
                ) from error
        return newest

    def save(self, epoch: int, step: int = 0) -> None:
        """Writes the checkpoint of this epoch and step, and removes the oldest."""
        name = f"epoch-{epoch:05d}" + (f"-step-{step:08d}" if step else "")
        found = states.of(self._stateful())  # before the weights: it settles the last step
        with in_memory(self.directory / f"{name}.weights.h5") as memory:
            self.model.save_weights(memory)
            states.write(memory, found)
            settings.write(memory, self.model, self._compiled or settings.of(self.model))
        kept = self.checkpoints()[-self.keep :]
        for path in self._numbered().values():
            if path not in kept:  # damaged ones too
                path.unlink(missing_ok=True)

    def _try_to_save(self, epoch, step=0):
        if writes(self.model):
            try:
                self.save(epoch, step)
            except OSError as error:
                warnings.warn(
                    f"Epoch {epoch}, step {step} could not be saved, and the training continues; "
                    f"if it stops now, it resumes from the checkpoint before. {advice(error)} "
                    f"Received: {error}, in {self.directory}",
                    stacklevel=2,
                )
        self._saved_at = time.monotonic()

    def _late(self):
        return self.minutes is not None and time.monotonic() > self._saved_at + 60 * self.minutes

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        if writes(self.model):
            self.undo.enter_context(locked(self.directory))
        self._compiled = settings.of(self.model)
        self._start = self._finished, self._step = self._restore()
        _require_one_start(self._start, self.model.distribute_strategy)
        # The attribute through which Keras' own BackupAndRestore moves the start of `fit`.
        self.model._initial_epoch = self._finished
        self.undo.callback(setattr, self.model, "_initial_epoch", None)
        self._saved_at = time.monotonic()
        if self._step:
            length = self.params.get("steps")
            if length is not None and length <= self._step:
                raise ValueError(_shorter(length, self._step))
            stand_in = _Skip(self.model, self._step)
            self.undo.callback(setattr, self.model, "train_function", stand_in.train)
            self.model.train_function = stand_in

    def _restore(self):
        """Loads the newest checkpoint, unless its settings differ."""
        path = self._whole().get(self._newest())
        saved = None if path is None else settings.read(path)
        changes = settings.differences(saved, self._compiled)
        if changes and not self.allow_changes:
            raise ValueError(
                "This training was started with other settings, and the checkpoint would restore "
                "the old learning rates. Expected what was compiled then. Undo the change, use "
                "the new ones with `Resume(..., allow_changes=True)`, or start in "
                f"another folder. Received: {settings.described(changes)}, in {path}"
            )
        with settings.kept(self.model, changes):
            start = self.restore(self.model)
        if saved is not None and not changes:
            self._compiled = saved["compiled"]
        if path is not None:
            states.load(path, self._stateful(), self.allow_changes)
        return start

    def _stateful(self):
        """The callbacks of this `fit` whose states belong to a checkpoint."""
        return getattr(getattr(self.model, "after_fit", None), "stateful", [])

    def begin(self, epoch: int) -> None:
        # If the checkpoint says 0, Keras uses `initial_epoch`.
        if self._start != (0, 0) and epoch != self._start[0]:
            raise ValueError(
                "The checkpoint and something else name different epochs to resume from. Leave out "
                "`initial_epoch` and Keras' BackupAndRestore. "
                f"Received: epoch {epoch}, and a checkpoint of epoch {self._start[0]} in "
                f"{self.directory}"
            )
        self._finished = epoch

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        before, self._step = self._step, max(self._step, batch + 1)
        if self._step == before or self._step == self.params.get("steps"):
            return  # skipped, or the epoch ends now
        if (self.steps and self._step // self.steps > before // self.steps) or self._late():
            self._try_to_save(self._finished, self._step)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._finished, self._step = epoch + 1, 0
        if self._finished % self.every == 0 or self._late():
            self._try_to_save(self._finished)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        if writes(self.model) and (self._finished, 0) > self._newest():
            self.save(self._finished)
        super().on_train_end(logs)


def _require_one_start(start, strategy):
    """Raises ValueError unless all workers resume from one checkpoint: they would never finish."""
    if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        replicas = strategy.num_replicas_in_sync
        everyones = tf.function(strategy.run, autograph=False)(lambda: tf.constant(start))
        total = strategy.reduce("SUM", everyones, axis=None)
        if total.numpy().tolist() != [replicas * value for value in start]:
            raise ValueError(
                "Workers do not see the same checkpoints. Give all of them one folder, on storage "
                f"that they share. Received: epoch {start[0]}, step {start[1]} on this worker, "
                f"{(total.numpy() / replicas).tolist()} on average"
            )


def _shorter(length, step):
    return (
        "A checkpoint was made within an epoch that was longer. Train with as many steps an epoch "
        f"as before. Received: {length} steps, checkpoint of step {step}"
    )


def is_skipping(model: keras.Model) -> bool:
    """Returns whether `Resume` skips the present step, which was already trained."""
    return isinstance(model.train_function, _Skip)


def will_skip(model: keras.Model) -> bool:
    """Returns whether `Resume` is going to skip the next step."""
    return is_skipping(model) and model.train_function.done < model.train_function.steps


class _Skip:
    """Replaces a model's training function while batches that were already trained are skipped.

    Keras counts its calls as steps, so the rest of the epoch is the same as without interruption.
    """

    def __init__(self, model, steps):
        self.model, self.steps, self.train = model, steps, model.train_function
        self.done = 0
        self.means = [variable.numpy() for variable in model.metrics_variables]
        self.logs = None

    def __call__(self, iterator):
        if self.logs is None:  # not before: Keras resets them at the start of the epoch
            for variable, value in zip(self.model.metrics_variables, self.means):
                variable.assign(value)
            self.logs = self.model.get_metrics_result()
        if self.done >= self.steps:
            self.model.train_function = self.train
            return self.train(iterator)
        for _ in range(self.model.steps_per_execution):
            try:
                next(iterator)
            except StopIteration:
                raise ValueError(_shorter(self.done, self.steps)) from None
            self.done += 1
        return self.logs
