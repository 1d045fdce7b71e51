"""The base class of callbacks that change a training, with a state that checkpoints hold."""

from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np

from keras_gans.callbacks.base import Callback
from keras_gans.callbacks.resume import is_skipping, will_skip


class StatefulCallback(Callback):
    """A callback that changes the sides of a GAN between steps, and resumes exactly.

    It acts in `before_step`, and takes back what must not last in `settle`. `Resume` keeps what
    `state` returns beside the weights, and passes it to `load_state`. The order of the callbacks
    does not matter: a state is of a step that is settled.
    """

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        if not hasattr(model, "sides"):
            raise ValueError(
                f"{type(self).__name__} changes the sides of a GAN. Expected an "
                f"`AdversarialModel`. Received: {model!r}"
            )
        if model.steps_per_execution > 1:
            raise ValueError(
                f"{type(self).__name__} acts between two steps, which several steps in one call do "
                "not allow. Compile without `steps_per_execution`. "
                f"Received: steps_per_execution={model.steps_per_execution}"
            )
        model.after_fit.stateful.append(self)

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        self.undo.callback(self.end_epoch)

    def begin(self, epoch: int) -> None:
        if not is_skipping(self.model):  # it resumes at the end of an epoch
            self.end_epoch()

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        if not will_skip(self.model):
            self.settle()
            self.before_step()

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        if not is_skipping(self.model):
            self.settle()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self.end_epoch()

    def before_step(self) -> None:
        """Called before each step that is trained."""

    def settle(self) -> None:
        """Takes back what the last step must not leave; called again, it does nothing."""

    def end_epoch(self) -> None:
        """Called at the end of an epoch and of `fit`; the model must be as it is to be used."""

    def state(self) -> dict[str, np.ndarray]:
        """Returns what the next steps depend on, as arrays by name, after the last step."""
        raise NotImplementedError

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Goes on from what `state` returned."""
        raise NotImplementedError


# ---- the variables of a side


def learned(model: keras.Model, side: str) -> list[keras.Variable]:
    """Returns the weights and statistics of a side's networks, without random states."""
    networks = [getattr(model, name) for name in model.sides[side]]
    found = {id(v): v for n in networks for v in n.variables if "float" in v.dtype}
    return list(found.values())


def everything(model: keras.Model, side: str) -> list[keras.Variable]:
    """Returns `learned`, and a side's moving averages and the state of its optimizer."""
    kept = model.ema_decay is not None and side in model.averaged_sides
    averages = [getattr(model, f"ema_{name}") for name in model.sides[side]] if kept else []
    optimizer = getattr(model, f"{side}_optimizer")
    return [
        *learned(model, side),
        *(v for network in averages for v in network.variables if "float" in v.dtype),
        *optimizer.variables,
    ]


def copied(variables: Iterable[keras.Variable]) -> list[np.ndarray]:
    """Returns the values of variables as arrays of their own."""
    # A variable's own array may be the memory that the next step writes to.
    return [np.array(v.numpy()) for v in variables]


def assign(variables: Iterable[keras.Variable], values: Iterable[np.ndarray]) -> None:
    """Sets variables to values."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
