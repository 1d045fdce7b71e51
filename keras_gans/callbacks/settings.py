"""The settings that a training was compiled with: numbers of optimizers and losses."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import keras

_ATTRIBUTE = "settings"
_LONGEST = 60_000  # what an attribute of HDF5 holds
_FREE = ("name", "seed")  # differ between two instances of the same model


def of(model: keras.Model) -> dict[str, Any]:
    """Returns the settings of a model, by dotted names.

    Args:
        model: an `AdversarialModel`; another model has none.

    Returns:
        Dictionary of numbers, strings and lists, as JSON has them.
    """
    networks = {name for names in _sides(model).values() for name in names}
    parts = {}
    with contextlib.suppress(NotImplementedError):  # networks without a configuration
        config = model.get_config() if networks else {}
        parts = {name: value for name, value in config.items() if name not in networks}
    # What JSON cannot hold is named by its class: its `repr` may be an address.
    settings = json.dumps(_flat(parts), default=lambda value: type(value).__name__)
    return {**json.loads(settings), **_of_optimizers(model)}


def _sides(model):
    return getattr(model, "sides", {})


def _of_optimizers(model):
    found = {f"{side}_optimizer": getattr(model, f"{side}_optimizer") for side in _sides(model)}
    dump = keras.saving.serialize_keras_object
    return json.loads(json.dumps(_flat({name: dump(part) for name, part in found.items()})))


def _flat(parts, prefix=""):
    """Nested settings under dotted names; of a Keras object its class, and its arguments."""
    found = {}
    for name, value in parts.items():
        if name in _FREE:
            continue
        if isinstance(value, dict) and {"class_name", "config"} <= value.keys():
            found[prefix + name] = value["class_name"]
            value = value["config"]
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def write(memory: BinaryIO, model: keras.Model, compiled: Mapping[str, Any]) -> None:
    """Adds the compiled settings and the present ones to a checkpoint in memory.

    They differ if something other than a schedule changes a learning rate during training.
    """
    text = json.dumps({"compiled": compiled, "now": {**compiled, **_of_optimizers(model)}})
    if len(text) < _LONGEST:
        with h5py.File(memory, "r+") as file:
            file.attrs[_ATTRIBUTE] = text


def read(path: Path | str) -> dict[str, Any] | None:
    """Returns what `write` added; `None` for a checkpoint of an earlier version, without it."""
    with h5py.File(path) as file:
        text = file.attrs.get(_ATTRIBUTE)
    try:
        saved = json.loads(text) if text is not None else None
    except (TypeError, ValueError):
        return None
    whole = isinstance(saved, dict) and all(
        isinstance(saved.get(part), dict) for part in ("compiled", "now")
    )
    return saved if whole else None


def differences(
    saved: Mapping[str, Any] | None, compiled: Mapping[str, Any]
) -> dict[str, tuple[Any, Any]]:
    """Returns the settings that were neither compiled for a checkpoint nor in force at its end.

    Args:
        saved: as `read` returns it.
        compiled: as `of` returns it.

    Returns:
        Dictionary of names to the earlier value and the new one. A setting that only one of them
        has comes from another version, and is left out.
    """
    was, now = (saved or {}).get("compiled", {}), (saved or {}).get("now", {})
    return {
        name: (was[name], compiled[name])
        for name in sorted(was.keys() & compiled.keys())
        if compiled[name] not in (was[name], now.get(name))
    }


def described(changes: Mapping[str, tuple[Any, Any]]) -> str:
    """Returns the differences as text."""
    return ", ".join(
        f"{n} (was {_short(was)}, now {_short(now)})" for n, (was, now) in changes.items()
    )


def _short(value):
    return f"{value:.6g}" if isinstance(value, float) else repr(value)


@contextlib.contextmanager
def kept(model: keras.Model, changes: Mapping[str, tuple[Any, Any]]) -> Iterator[None]:
    """Restores the learning rates in `changes` after the block has loaded weights."""
    changed = {n.split(".")[0] for n, (_, now) in changes.items() if _is_rate(n, now)}
    optimizers = [getattr(model, name) for name in changed]
    optimizers = [getattr(o, "inner_optimizer", o) for o in optimizers]
    rates = [float(optimizer.learning_rate) for optimizer in optimizers]
    yield
    for optimizer, rate in zip(optimizers, rates):
        optimizer.learning_rate = rate


def _is_rate(name, value):
    return name.endswith(".learning_rate") and isinstance(value, float)
