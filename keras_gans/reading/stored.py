"""Arrays that stand in a file: what they are is known, their numbers are not read yet."""

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

# Of NumPy's kinds of types, those that weights and states of a network have. Complex numbers,
# texts, records and Python objects are none.
KINDS = {"f": "floats", "i": "integers", "u": "integers", "b": "booleans"}

# Weights hardly shrink. Much of a network that was not trained is constant, so small files may.
_MOST_EXPANSION, _SMALL = 100, 2**26


@dataclasses.dataclass(frozen=True)
class Stored:
    """An array of a file.

    Attributes:
        name: in the file.
        shape: as the file claims it.
        kind: `"floats"`, `"integers"` or `"booleans"`.
        load: returns the numbers; it may raise anything if the file is damaged.
        explain: returns a context that says of which file an error is, and what to do.
        itemsize: bytes of a number.
    """

    name: str
    shape: tuple
    kind: str
    load: Callable
    explain: Callable = contextlib.nullcontext
    itemsize: int = 4

    def transposed(self, axes: Sequence[int]) -> "Stored":
        """The same with its axes in another order."""
        return dataclasses.replace(
            self,
            shape=tuple(self.shape[axis] for axis in axes),
            load=lambda: self.load().transpose(axes),
        )

    def read(self) -> np.ndarray:
        """Reads the array; floats must be finite, also as float32.

        Raises:
            ValueError: if the file is damaged, or holds NaN or infinity here.
        """
        with self.explain():
            array = np.asarray(self.load())
            if array.shape != self.shape:
                raise ValueError(f"{self.name} has shape {array.shape}, and claims {self.shape}")
            if self.kind == "floats":
                with np.errstate(over="ignore"):
                    bad = np.count_nonzero(~np.isfinite(array.astype("float32", copy=False)))
                if bad:
                    raise ValueError(
                        f"{self.name} holds {bad} numbers that are not finite in float32: weights "
                        "of a training that diverged"
                    )
        return array


def kind_of(dtype: np.dtype, name: str) -> str:
    """What an array of a NumPy `dtype` holds. Raises ValueError for what no network has."""
    if dtype.kind not in KINDS or dtype.itemsize > 8 or dtype.subdtype or dtype.names:
        raise ValueError(f"{name} holds numbers of type {dtype}; expected real numbers")
    return KINDS[dtype.kind]


def kind_of_weight(weight: Any) -> str:
    """What a Keras variable holds."""
    name = str(weight.dtype)
    return "floats" if "float" in name else "booleans" if name == "bool" else "integers"


def require_room(found: Iterable[Stored], size: int) -> None:
    """Raises ValueError for arrays that claim far more than a file of `size` bytes can hold."""
    claimed = sum(math.prod(one.shape) * one.itemsize for one in found)
    if claimed > max(_SMALL, _MOST_EXPANSION * size):
        raise ValueError(f"its arrays claim {claimed:,} bytes, and the file has {size:,}")


@contextlib.contextmanager
def explained(path: Path | str, expected: str) -> Iterator[None]:
    """Says of any error which file it is of, and what was expected of that."""
    try:
        yield
    except Exception as error:  # a file that is damaged, or meant to, may raise any
        raise ValueError(
            f"{expected} Received: {path} ({type(error).__name__}: {error})"
        ) from error
