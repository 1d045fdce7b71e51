"""Trains a side only while its loss is above a threshold."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from keras_gans.callbacks import stateful
from keras_gans.callbacks.resume import is_skipping
from keras_gans.names import did_you_mean


class LossThreshold(stateful.StatefulCallback):
    """Trains each side only while its loss is above a threshold.

    After a step in which the loss of a side was at or below its threshold, that side takes no step:
    its weights, moving averages and optimizer stay as they are, and its loss is computed all the
    same, so that it goes on when the loss has risen. If all sides would stop at once, none does.

    A warning comes with this idea: collections of advice on GANs list it ("while the loss of D is
    above A, train D") under what *not* to do without a good reason. The losses of a game do not
    say how good its sides are, and balancing them by statistics has rarely saved a training. What
    it did here is measured in docs/mode_collapse.md.

    >>> callback = keras_gans.callbacks.LossThreshold({"discriminator": 1.0})
    >>> points = keras_gans.data.load("normal", batch_size=64).take(10)
    >>> history = gan.fit(points, callbacks=[callback], verbose=0)
    >>> callback.steps_taken["generator"]
    10

    Args:
        thresholds: names of sides to their thresholds, in units of the log `<side>_loss`. A side
            that is left out always trains.

    Attributes:
        steps_taken: dictionary of sides to how many steps they have taken with this callback.

    Raises:
        ValueError: for thresholds that are no finite numbers; in `fit`, for a side that the GAN
            does not have, or that logs no loss of its own.
    """

    def __init__(self, thresholds: Mapping[str, float]) -> None:
        super().__init__()
        finite = isinstance(thresholds, Mapping) and all(
            isinstance(value, (int, float)) and not isinstance(value, bool) and np.isfinite(value)
            for value in thresholds.values()
        )
        if not finite or not thresholds:
            raise ValueError(
                "`thresholds` are names of sides with a finite number each, such as "
                f"`{{'discriminator': 0.5}}`. Received: thresholds={thresholds!r}"
            )
        self.thresholds = dict(thresholds)
        self.steps_taken: dict[str, int] = {}
        self._losses = dict.fromkeys(self.thresholds, np.inf)  # of the last step
        self._seen = dict.fromkeys(self.thresholds, (0.0, 0.0))  # sums and counts of the logs
        self._held: dict[str, list[np.ndarray]] = {}

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        names = [side for side in model.sides if f"{side}_loss" in model.tracked]
        for side in self.thresholds:
            if side not in names:
                raise ValueError(
                    f"{type(model).__name__} has no side of that name with a loss that is logged."
                    f"{did_you_mean(side, names)} Expected some of {names}. Received: {side!r}"
                )
        self.steps_taken = {side: self.steps_taken.get(side, 0) for side in model.sides}

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        super().on_epoch_begin(epoch, logs)
        if not is_skipping(self.model):  # Keras has just started new means
            self._seen = dict.fromkeys(self.thresholds, (0.0, 0.0))

    def before_step(self) -> None:
        low = {s for s, limit in self.thresholds.items() if self._losses[s] <= limit}
        if low == set(self.model.sides):
            low = set()
        for side in self.model.sides:
            if side in low:
                self._held[side] = stateful.copied(stateful.everything(self.model, side))
            else:
                self.steps_taken[side] += 1

    def settle(self) -> None:
        for side, values in self._held.items():
            stateful.assign(stateful.everything(self.model, side), values)
        self._held = {}
        for side, (total, count) in self._seen.items():
            tracker = self.model.trackers[f"{side}_loss"]
            now = float(tracker.total.numpy()), float(tracker.count.numpy())
            if now[1] > count:
                self._losses[side] = (now[0] - total) / (now[1] - count)
                self._seen[side] = now

    def end_epoch(self) -> None:
        self.settle()

    def state(self) -> dict[str, np.ndarray]:
        self.settle()
        return {
            side: np.array([self._losses[side], *self._seen[side]], "float64")
            for side in self.thresholds
        } | {f"steps/{side}": np.array(taken) for side, taken in self.steps_taken.items()}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        for side in self.thresholds:
            if side in state:
                self._losses[side], *seen = state[side].tolist()
                self._seen[side] = (seen[0], seen[1])
        for side in self.steps_taken:
            self.steps_taken[side] = int(state.get(f"steps/{side}", 0))
