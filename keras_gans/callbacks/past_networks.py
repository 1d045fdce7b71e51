"""Trains each side against the other one's past now and then."""

from collections.abc import Mapping, Sequence

import keras
import numpy as np

from keras_gans import checks
from keras_gans.callbacks import stateful
from keras_gans.names import did_you_mean


class PastNetworks(stateful.StatefulCallback):
    """Replaces one side by its own past for a few steps, as experience replay does elsewhere.

    Every so many steps a copy of each side is kept, and one of the sides, in turn, is replaced by
    a copy that is drawn at random. For a few steps the other side then learns against what this
    one was; after them, or at the end of the epoch, the present networks return with their moving
    averages and their optimizer, as if these steps had not been. A generator that has moved from
    one mode to the next still meets the discriminator of the mode it has left. What it did is
    measured in docs/mode_collapse.md.

    >>> callback = keras_gans.callbacks.PastNetworks(every=4, steps=2)
    >>> points = keras_gans.data.load("normal", batch_size=64).take(10)
    >>> history = gan.fit(points, callbacks=[callback], verbose=0)
    >>> callback.number_kept
    2

    Place it before callbacks that look at or save the model at the end of an epoch.

    Args:
        every: steps between two copies, and two replacements.
        steps: for how many steps a past side stays; below `every`.
        size: how many copies to keep, the newest ones. Each needs the memory of the networks.
        sides: which sides to replace, in turn.
        seed: of which copy is taken.

    Raises:
        ValueError: for numbers out of range; in `fit`, for a side that the GAN does not have.
    """

    def __init__(
        self,
        every: int = 100,
        steps: int = 5,
        size: int = 10,
        sides: Sequence[str] = ("generator", "discriminator"),
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.every, self.steps = checks.count("every", every), checks.count("steps", steps)
        self.size, self.seed = checks.count("size", size), checks.count("seed", seed, 0)
        if self.steps >= self.every:
            raise ValueError(
                "A side must be itself for a while between two replacements. Expected `steps` "
                f"below `every`. Received: steps={steps}, every={every}"
            )
        self.sides = (sides,) if isinstance(sides, str) else tuple(sides)
        if not self.sides:
            raise ValueError(f"`sides` must name one side or more. Received: sides={sides!r}")
        self._step = 0  # steps that have begun
        self._past: dict[str, list[list[np.ndarray]]] = {side: [] for side in self.sides}
        self._replaced: str | None = None
        self._present: list[np.ndarray] = []

    @property
    def number_kept(self) -> int:
        """Number of copies of each side."""
        return len(self._past[self.sides[0]])

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        for side in self.sides:
            if side not in model.sides:
                raise ValueError(
                    f"{type(model).__name__} has no such side.{did_you_mean(side, model.sides)} "
                    f"Expected some of {list(model.sides)}. Received: sides={self.sides}"
                )

    def before_step(self) -> None:
        turn, since = divmod(self._step, self.every)
        if since == self.steps:
            self._return()
        if turn and not since:
            self._return()
            if self.number_kept:
                self._replace(self.sides[turn % len(self.sides)])
            self._keep()
        self._step += 1

    def _keep(self):
        for side, kept in self._past.items():
            now = stateful.copied(stateful.learned(self.model, side))
            if side == self._replaced:  # the present is what was put aside
                now = self._present[: len(now)]
            kept.append(now)
            del kept[: -self.size]

    def _replace(self, side):
        self._present = stateful.copied(stateful.everything(self.model, side))
        self._replaced, past = side, self._past[side]
        chosen = np.random.default_rng((self.seed, self._step)).integers(len(past))
        stateful.assign(stateful.learned(self.model, side), past[chosen])

    def _return(self):
        if self._replaced is not None:
            stateful.assign(stateful.everything(self.model, self._replaced), self._present)
        self._replaced, self._present = None, []

    def end_epoch(self) -> None:
        self._return()

    def state(self) -> dict[str, np.ndarray]:
        arrays = {"step": np.array(self._step)}
        for side, kept in self._past.items():
            for number, values in enumerate(kept):
                arrays |= {f"past/{side}/{number}/{i}": v for i, v in enumerate(values)}
        if self._replaced is not None:
            arrays |= {f"present/{self._replaced}/{i}": v for i, v in enumerate(self._present)}
        return arrays

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        self._step = int(state["step"])
        self._past = {side: [] for side in self.sides}
        for side, kept in self._past.items():
            while values := _list(state, f"past/{side}/{len(kept)}"):
                kept.append(values)
            if values := _list(state, f"present/{side}"):
                self._replaced, self._present = side, values


def _list(state, prefix):
    """The arrays that are numbered under a prefix."""
    number = sum(key.startswith(f"{prefix}/") for key in state)
    return [state[f"{prefix}/{i}"] for i in range(number)]
