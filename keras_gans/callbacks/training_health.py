"""Reports problems of a training, and stops or restores one that has broken."""

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from keras_gans import checks, generation, losses
from keras_gans.callbacks import symptoms
from keras_gans.callbacks.base import Callback
from keras_gans.callbacks.board import Board
from keras_gans.callbacks.metrics_log import read_metrics, rewind
from keras_gans.callbacks.resume import is_skipping
from keras_gans.callbacks.writer import writes
from keras_gans.files import append, or_warn
from keras_gans.names import deprecated


class TrainingHealth(Callback):
    """Reports each problem of a training once, in words; docs/health.md explains each kind.

    At every check it reads the model's training statistics (`AdversarialModel.observe`), makes the
    same samples from the same latents, and compares with thresholds. It does not change a healthy
    training: it uses none of the model's random numbers. If a loss or a weight is not finite, it
    stops the training or restores an earlier state.

    >>> health = keras_gans.callbacks.TrainingHealth(every=5)
    >>> points = keras_gans.data.load("normal", batch_size=64).take(10)
    >>> history = gan.fit(points, callbacks=[health], verbose=0)
    >>> sorted(health.statistics)[:2]
    ['change', 'discriminator_gradient_norm']
    >>> health.messages
    []

    `keras.callbacks.TerminateOnNaN` reads a log named `loss`, which a GAN does not have, and ends a
    broken training without an error. This callback raises one:

    >>> health.on_train_batch_end(7, {"generator_loss": float("nan")})
    Traceback (most recent call last):
        ...
    FloatingPointError: The training broke: a loss is no longer a finite number. ...

    `None` in place of a threshold turns its check off.

    Args:
        every: steps between two checks; `None` checks at the end of each epoch.
        log_dir: folder of TensorBoard's files, for statistics and messages; `None` for none.
        path: a `health.jsonl` with a line for each message; `None` for none. A resumed training
            does not repeat the earlier messages; if the file has later lines, a copy is kept as
            `health~1.jsonl`.
        on_nan: `"stop"`, or `"restore"`: all networks and optimizers return to their state at the
            last check without large gradients, except for learning rates and random states.
        max_restores: how often in one `fit` to restore, before it stops.
        real: real examples to measure diversity against; `None` takes them from the first batch
            that `fit` is given, except of Python generators, which can be read only once.
        classify: function of samples that returns classes `(number,)`, or their probabilities
            `(number, num_classes)`; `None` does not count modes.
        num_classes: of `classify`.
        num_samples: how many samples to make.
        seed: of their latents.
        warmup: steps before which only gradients and non-finite numbers are checked.
        patience: for how many checks a state must last.
        trend: over how many checks a number must rise, or fall, every time.
        discriminator_wins: distance of D(x) and D(G(z)) to their labels at which it has won; for
            losses without probabilities, the discriminator's loss. Wasserstein's is not judged.
        gradient_norm: of either side, a mean between two checks. `"auto"` is 100, and 1000 with
            Wasserstein's loss, whose critic has no scale.
        diversity: least mean distance of two samples, in mean distances of two real examples.
        modes: least fraction of the classes that as many real examples show on average.
        drift: largest gap between the mean logits of real and generated examples that may grow at
            each check of a trend. Only with cross-entropies.
        change: least change of samples between two checks, in mean distances of two real
            examples, at which a falling loss of the generator is progress.

    Attributes:
        messages: list of `symptoms.Message`, each problem once.
        statistics: dictionary of what the last check read.

    Raises:
        ValueError: for an argument out of range.
        FloatingPointError: in `fit`, at the end of the step whose loss is not finite.
    """

    def __init__(
        self,
        every: int | None = None,
        log_dir: Path | str | None = None,
        path: Path | str | None = None,
        on_nan: str = "stop",
        max_restores: int = 3,
        real: np.ndarray | None = None,
        classify: Callable[[np.ndarray], np.ndarray] | None = None,
        num_classes: int | None = None,
        num_samples: int = 64,
        seed: int = 0,
        warmup: int = 500,
        patience: int = 3,
        trend: int = 5,
        discriminator_wins: float | None = 0.01,
        gradient_norm: float | str | None = "auto",
        diversity: float | None = 0.25,
        modes: float | None = 0.5,
        drift: float | None = 6.0,
        change: float | None = 0.01,
    ) -> None:
        super().__init__()
        self.every = every if every is None else checks.count("every", every)
        if on_nan not in ("stop", "restore"):
            raise ValueError(
                "`on_nan` says what to do with a broken training: 'stop' or 'restore'. "
                f"Received: on_nan={on_nan!r}"
            )
        if (classify is None) != (num_classes is None):
            raise ValueError(
                "Modes are counted by a classifier of so many classes. Pass both `classify` and "
                f"`num_classes`, or neither. Received: classify={classify!r}, "
                f"num_classes={num_classes!r}"
            )
        self._board, self.path = Board(log_dir), None if path is None else Path(path)
        self.on_nan, self.max_restores = on_nan, checks.count("max_restores", max_restores)
        self.real, self.classify, self.seed = real, classify, seed
        if num_classes is not None:
            checks.count("num_classes", num_classes, 2)
        self.num_classes = num_classes
        self.num_samples = checks.count("num_samples", num_samples, 2)
        self.warmup = checks.count("warmup", warmup, 0)
        self.patience = checks.count("patience", patience)
        self.trend = checks.count("trend", trend, 2)
        self.thresholds = {
            "discriminator_wins": discriminator_wins,
            "gradient_norm": gradient_norm,
            "diversity": diversity,
            "modes": modes,
            "drift": drift,
            "change": change,
        }
        for name, value in self.thresholds.items():
            automatic = value is None or (name == "gradient_norm" and value == "auto")
            if not automatic and (isinstance(value, (bool, str)) or not value > 0):
                raise ValueError(
                    f"`{name}` is a threshold above 0, or None for no such check. "
                    f"Received: {name}={value!r}"
                )
        self.messages, self.statistics = [], {}
        self._epoch = None
        self._good = []

    # ---- Keras' side

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        self.undo.callback(self._forget)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._epoch = epoch
        super().on_epoch_begin(epoch, logs)
        self._batch = -1
        self._interval.restart()

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        if self._measure:
            self._before = {side: _values(self.model.variables_of(side)) for side in self._sides()}

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        logs = {name: float(np.ravel(value)[0]) for name, value in (logs or {}).items()}
        for name, value in logs.items():
            if not math.isfinite(value):
                where = f"{name}={value} at step {batch} of the epoch"
                return self._broken("a loss", where, value, batch)
        if self._epoch is None:  # called by hand
            return None
        steps, self._batch = batch - self._batch, batch
        if is_skipping(self.model):
            self._interval.pass_over(logs, steps)
            return None
        self._step += steps
        self._interval.update(logs, steps)
        if self._before is not None:
            self._measure, self._ratios = False, self._update_ratios()
        if self.every is not None and self._step - self._checked >= self.every:
            self._check()
        return None

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        if self.every is None:
            self._check()
        else:
            self._require_finite()  # before the epoch is saved

    def _forget(self):
        self._good, self._before, self._epoch = [], None, None
        self._board.close()

    @property
    def gauges(self) -> dict[str, float]:
        """The old name of `statistics`."""
        deprecated("TrainingHealth.gauges", "statistics")
        return self.statistics

    # ---- a check

    def begin(self, epoch: int) -> None:
        self._restores = 0
        self._step = self._checked = int(self.model.generator_optimizer.iterations.numpy())
        self._interval, self._readings, self._samples, self._batch = _Interval(), [], None, -1
        self._measure, self._before, self._ratios = True, None, {}
        self.model.statistics.read()  # forgets what an earlier training left
        self.messages = self._earlier_messages(epoch)
        self._real = self._real_examples()
        self._distance = symptoms.mean_distance(self._real) if self._real is not None else 0.0
        self._require_finite()

    def _check(self):
        if not self._require_finite():
            return
        self._checked = self._step
        reading = {**self.model.statistics.read(), **self._interval.means(), **self._ratios}
        reading |= self._look_at_samples()
        if not isinstance(self._loss(), losses.NonSaturating):  # a score is no logarithm of odds
            reading = {k: v for k, v in reading.items() if not k.endswith("_probability")}
        self.statistics, self._measure = reading, True
        self._readings.append(reading)
        del self._readings[: -max(self.patience, self.trend)]
        for found in self._judge():
            self._say(**found)
        if self._step < self.warmup:
            self._readings.clear()
        if writes(self.model):
            self._board.write(lambda: self._show(reading))

    def _show(self, reading):
        for name, value in reading.items():
            tf.summary.scalar(f"statistics/{name}", value, step=self._step)

    def _judge(self):
        """Returns the problems of the last readings; keeps the weights of a good check."""
        readings, loss = self._readings, self._loss()
        limits, found = self.thresholds, []
        if limits["gradient_norm"] is not None:
            heaviest, limit = self.model.largest_weight, limits["gradient_norm"]
            found.append(symptoms.large_gradients(readings, loss, limit, heaviest))
        if self.on_nan == "restore" and not any(found):
            self._good = _values(self._state())
        if self._step < self.warmup:
            return [f for f in found if f]
        wins = None
        if (limit := limits["discriminator_wins"]) is not None:
            wins = symptoms.discriminator_wins(readings, loss, limit, self.patience)
            found.append(wins)
        if limits["drift"] is not None and not wins:  # which is its end
            found.append(symptoms.drifting_apart(readings, loss, limits["drift"], self.trend))
        if limits["change"] is not None:
            found.append(symptoms.generator_stuck(readings, limits["change"], self.trend))
        if limits["diversity"] is not None:
            found.append(symptoms.low_diversity(readings, limits["diversity"], self.patience))
        if limits["modes"] is not None and self.classify is not None:
            expected = symptoms.expected_classes(self.num_samples, self.num_classes)
            found.append(symptoms.few_modes(readings, expected, limits["modes"], self.patience))
        return [f for f in found if f]

    def _loss(self):
        return getattr(self.model, "adversarial_loss", None)

    def _look_at_samples(self):
        """Returns diversity, change and modes of the samples of fixed latents, where defined."""
        described = self.model.interface(self.model.generator_role)
        if not described.takes_latents:
            return {}  # there are none to hold fixed
        made = self.model.generate(self.num_samples, seed=self.seed)
        samples = generation.first_images(described, made)
        reading, previous = {}, self._samples
        if self._distance > 0:
            reading["diversity"] = symptoms.mean_distance(samples) / self._distance
        scale = self._distance or symptoms.mean_distance(samples)
        if previous is not None and scale > 0:
            moved = (samples - previous).reshape(len(samples), -1).astype("float64")
            reading["change"] = float(np.linalg.norm(moved, axis=1).mean() / scale)
        self._samples = samples
        if self.classify is not None:
            classes = np.asarray(self.classify(samples))
            classes = classes.argmax(axis=-1) if classes.ndim == 2 else classes
            reading["modes"] = float(len(np.unique(classes)))
        return reading

    def _update_ratios(self):
        """Returns the length of one step of each side, divided by that of its weights."""
        ratios = {}
        for side, before in self._before.items():
            after = _values(self.model.variables_of(side))
            step = _length([a - b for a, b in zip(after, before)])
            if (size := _length(before)) > 0:
                ratios[f"{side}_update_ratio"] = step / size
        self._before = None
        return ratios

    def _real_examples(self):
        real, shape = self.real, tuple(self.model.inference_generator.outputs[0].shape)[1:]
        if real is None:  # the first part of a batch with the shape of a sample
            parts = tf.nest.flatten(self.model.statistics.first_batch)
            real = next((p for p in parts if p is not None and tuple(p.shape[1:]) == shape), None)
        elif np.shape(real)[1:] != shape or len(real) < 2:
            raise ValueError(
                "`real` must be two or more examples of the shape of the samples. "
                f"Expected (number, {', '.join(map(str, shape))}). "
                f"Received: shape {np.shape(real)}"
            )
        return None if real is None or len(real) < 2 else np.asarray(real[: self.num_samples])

    # ---- values that are not finite

    def _require_finite(self):
        """Returns whether all weights are finite; if not, stops or restores."""
        broken = [v.path for v in self.model.weights if not np.isfinite(v.numpy()).all()]
        if broken:
            where = f"{broken[0]} and {len(broken) - 1} more, after {self._step} steps"
            self._broken("a weight", where, math.nan, self._batch)
        elif self.on_nan == "restore" and not self._good:
            self._good = _values(self._state())
        return not broken

    def _broken(self, what, where, value, batch):
        advice = "Try a lower learning rate, another loss, or a penalty."
        if self.on_nan == "stop" or not self._good:
            raise FloatingPointError(
                f"The training broke: {what} is no longer a finite number. Checkpoints of "
                f"earlier epochs are not affected. {advice} Received: {where}"
            )
        if self._restores == self.max_restores:
            raise FloatingPointError(
                f"The training broke again: {what} is no longer a finite number, after "
                f"`max_restores={self.max_restores}` restores. Check the data, and what "
                f"happens before the break. {advice} Received: {where}"
            )
        self._restores += 1
        for variable, good in zip(self._state(), self._good):
            variable.assign(good)
        self._say(
            "not_finite",
            f"The training broke: {what} was no longer a finite number ({where}). All networks and "
            f"optimizers are restored to the last good check; this was restore {self._restores} of "
            f"{self.max_restores}. Learning rates are unchanged. {advice}",
            value,
            math.inf,
            again=True,
        )
        # The means of the epoch continue from the last finite ones.
        self.model.reset_metrics()
        for name, mean in self._interval.last.items():
            if tracker := self.model.trackers.get(name):
                tracker.total.assign(mean)
                tracker.count.assign(1.0)
        self._batch, self._samples = batch, None
        self._interval.restart()
        self._interval.means()
        self.model.statistics.read()
        self._readings.clear()
        self._measure, self._before = False, None
        return None

    def _state(self):
        optimizers = (getattr(self.model, f"{side}_optimizer") for side in self._sides())
        return [*self.model.weights, *(v for o in optimizers for v in o.variables)]

    def _sides(self):
        return tuple(self.model.sides)

    # ---- messages

    def _say(self, kind, text, value, threshold, again=False):
        """Reports a problem, unless it was reported before."""
        if not again and any(message.kind == kind for message in self.messages):
            return
        message = symptoms.Message(self._epoch + 1, self._step, kind, text, value, threshold)
        self.messages.append(message)
        if not writes(self.model):
            return
        logging.warning("Epoch %d, step %d: %s", message.epoch, message.step, text)
        if self.path is not None:
            with or_warn(f"A message of {self.path}"):
                append(self.path, _line(message))
        self._board.write(lambda: tf.summary.text(f"health/{kind}", text, step=self._step))

    def _earlier_messages(self, epoch):
        """Returns the messages of the epochs before the one to resume from."""
        if self.path is None:
            return []
        if writes(self.model):
            lines = rewind(self.path, epoch)
        else:
            lines = [line for line in read_metrics(self.path) if line["epoch"] <= epoch]
        try:
            return [symptoms.Message(**{k: _number(v) for k, v in line.items()}) for line in lines]
        except TypeError as error:
            raise ValueError(
                "There is another file at that path. Expected messages of an earlier "
                f"training, or no file. Give another path. Received: {self.path} ({error})"
            ) from error


class _Interval:
    """Means since the last check, from Keras' running means since the start of an epoch."""

    def __init__(self):
        self._carried, self._steps, self.last = {}, 0, {}
        self.restart()

    def restart(self):
        """Starts new running means."""
        self._previous, self._count = {}, 0

    def update(self, running, steps):
        """Adds the running means after so many more steps."""
        self._count += steps
        self._steps += steps
        totals = {name: mean * self._count for name, mean in running.items()}
        for name, total in totals.items():
            new = total - self._previous.get(name, 0.0)
            self._carried[name] = self._carried.get(name, 0.0) + new
        self._previous, self.last = totals, running

    def pass_over(self, running, steps):
        """Skips so many steps, which have these running means."""
        self._count += steps
        self._previous = {name: mean * self._count for name, mean in running.items()}

    def means(self):
        """Returns the means since the last call."""
        means = {name: total / self._steps for name, total in self._carried.items()}
        self._carried, self._steps = {}, 0
        return means


def _values(variables):
    # Copies: a variable's own array may be the memory that the next step writes to.
    return [np.array(v.numpy()) for v in variables]


def _length(arrays):
    return math.sqrt(sum(float(np.sum(np.square(a, dtype="float64"))) for a in arrays))


def _line(message):
    # JSON has no NaN and no infinity.
    values = dataclasses.asdict(message)
    values = {
        k: str(v) if isinstance(v, float) and not math.isfinite(v) else v for k, v in values.items()
    }
    return json.dumps(values) + "\n"


def _number(value):
    return float(value) if value in ("nan", "inf", "-inf") else value
