"""Arrays in a file, whose kind and shape are known and whose numbers are not read yet."""

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

# NumPy's kinds of types that weights and states of a network have. Complex numbers, texts,
# records and Python objects are refused.
KINDS = {"f": "floats", "i": "integers", "u": "integers", "b": "booleans"}

# Trained weights hardly compress. Those of untrained networks may, because many are constant.
_MOST_EXPANSION, _SMALL = 100, 2**26


@dataclasses.dataclass(frozen=True)
class Stored:
    """An array in a file.

    Attributes:
        name: in the file.
        shape: as claimed by the file.
        kind: `"floats"`, `"integers"` or `"booleans"`.
        load: function that returns the numbers; it may raise anything if the file is damaged.
        explain: returns a context that adds the file and advice to errors.
        itemsize: bytes of a number.
    """

    name: str
    shape: tuple
    kind: str
    load: Callable
    explain: Callable = contextlib.nullcontext
    itemsize: int = 4

    def transposed(self, axes: Sequence[int]) -> "Stored":
        """Returns the array with its axes in another order."""
        return dataclasses.replace(
            self,
            shape=tuple(self.shape[axis] for axis in axes),
            load=lambda: self.load().transpose(axes),
        )

    def read(self) -> np.ndarray:
        """Reads the array; floats must be finite, also as float32.

        Raises:
            ValueError: if the file is damaged, or the array contains NaN or infinity.
        """
        with self.explain():
            array = np.asarray(self.load())
            if array.shape != self.shape:
                raise ValueError(f"{self.name} has shape {array.shape}, but claims {self.shape}")
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
    """Returns the kind of a NumPy `dtype`. Raises ValueError for one that no network has."""
    if dtype.kind not in KINDS or dtype.itemsize > 8 or dtype.subdtype or dtype.names:
        raise ValueError(f"{name} holds numbers of type {dtype}; expected real numbers")
    return KINDS[dtype.kind]


def kind_of_weight(weight: Any) -> str:
    """Returns the kind of a Keras variable."""
    name = str(weight.dtype)
    return "floats" if "float" in name else "booleans" if name == "bool" else "integers"


def require_room(found: Iterable[Stored], size: int) -> None:
    """Raises ValueError for arrays that claim far more than a file of `size` bytes can contain."""
    claimed = sum(math.prod(one.shape) * one.itemsize for one in found)
    if claimed > max(_SMALL, _MOST_EXPANSION * size):
        raise ValueError(f"its arrays claim {claimed:,} bytes, but the file has {size:,}")


@contextlib.contextmanager
def explained(path: Path | str, expected: str) -> Iterator[None]:
    """Adds the file and what was expected to any error in the block."""
    try:
        yield
    except Exception as error:  # a damaged or malicious file may raise any
        raise ValueError(
            f"{expected} Received: {path} ({type(error).__name__}: {error})"
        ) from error
