"""States of callbacks in a checkpoint, beside the weights."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np

_GROUP = "callbacks"


def _named(callbacks):
    """The callbacks by class, and by their place where there are several of one."""
    found = {}
    for callback in callbacks:
        kind = type(callback).__name__
        found[f"{kind}_{sum(name.startswith(f'{kind}_') for name in found)}"] = callback
    return found


def of(callbacks: Iterable[Any]) -> dict[str, dict[str, np.ndarray]]:
    """Returns the states of the callbacks of a `fit`, by name, after their last step."""
    return {name: callback.state() for name, callback in _named(callbacks).items()}


def write(memory: BinaryIO, found: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    """Adds states to a checkpoint in memory."""
    if found:
        with h5py.File(memory, "r+") as file:
            for name, state in found.items():
                group = file.create_group(f"{_GROUP}/{name}")
                for key, value in state.items():
                    group[key] = value


def load(path: Path, callbacks: Iterable[Any], allow_changes: bool) -> None:
    """Passes the states of a checkpoint to the callbacks of a `fit`.

    Raises:
        ValueError: if the checkpoint has the state of a callback that is missing, unless
            `allow_changes`.
    """
    named = _named(callbacks)
    with h5py.File(path) as file:
        stored = file.get(_GROUP, {})
        if (missing := sorted(set(stored) - set(named))) and not allow_changes:
            raise ValueError(
                "This training had callbacks that change it, and would go on without them. Pass "
                "them to `fit` again, or leave them out with `Resume(..., allow_changes=True)`. "
                f"Received: no {', '.join(n.rpartition('_')[0] for n in missing)}, in {path}"
            )
        for name in set(stored) & set(named):
            state: dict[str, np.ndarray] = {}
            stored[name].visititems(
                lambda key, value, state=state: state.update(
                    {key: value[()]} if isinstance(value, h5py.Dataset) else {}
                )
            )
            named[name].load_state(state)
