"""Files of safetensors: arrays by name, read by the library of that name.

The library checks that each array lies in the file, and none over another, before it reads one.
"""

import contextlib
import functools
from collections.abc import Iterator
from pathlib import Path

from keras_gans.reading.stored import Stored, explained
from keras_gans.reading.text import MOST_BYTES, regular

DAMAGED = (
    "The file is damaged, or not a whole file of safetensors. Download it, or save it, again: "
    "`safetensors.torch.save_file(network.state_dict(), path)`."
)

_KINDS = {  # and bytes of a number
    **{f"F{bits}": ("floats", bits // 8) for bits in (16, 32, 64)},
    **{f"{sign}{bits}": ("integers", bits // 8) for sign in "IU" for bits in (8, 16, 32, 64)},
    "BF16": ("floats", 2),
    "BOOL": ("booleans", 1),
}
# Parameters of a layer in PyTorch's order; others follow by name.
_ORDER = ("weight", "bias", "running_mean", "running_var")


@contextlib.contextmanager
def opened(path: Path | str) -> Iterator[dict[str, Stored]]:
    """Opens a file of safetensors.

    Files keep their arrays sorted by type and name. They are yielded in the order of a state dict
    of PyTorch: layers by number, 2 before 10, and in a layer weight, bias and moving statistics.

    Args:
        path: of the file.

    Yields:
        Names of tensors to `Stored`.

    Raises:
        FileNotFoundError: if nothing is there.
        ImportError: without the library.
        ValueError: if the file is damaged, or holds something else than real numbers.
    """
    explain = functools.partial(explained, path, DAMAGED)
    path, safe_open = regular(path), _library(path)
    with contextlib.ExitStack() as stack:
        with explain():
            _require_short_header(path)
            file = stack.enter_context(safe_open(path, framework="numpy"))
            found = {name: _stored(file, name, explain) for name in sorted(file.keys(), key=_place)}
        yield found


def _library(path):
    try:
        from safetensors import safe_open  # here: an optional dependency
    except ImportError as error:
        raise ImportError(
            "Files of safetensors are read by the library safetensors. Install it: "
            f"`pip install 'keras-gans[safetensors]'`. Received: {path}"
        ) from error
    return safe_open


def _require_short_header(path):
    """Raises ValueError for more text than names and shapes of a network need."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
    if length > MOST_BYTES:
        raise ValueError(f"its header claims {length:,} bytes, of at most {MOST_BYTES:,}")


def _stored(file, name, explain):
    about = file.get_slice(name)
    if about.get_dtype() not in _KINDS:
        raise ValueError(f"{name} holds numbers of type {about.get_dtype()}")
    kind, itemsize = _KINDS[about.get_dtype()]
    load = functools.partial(file.get_tensor, name)
    return Stored(name, tuple(about.get_shape()), kind, load, explain, itemsize)


def _place(name):
    """Where a tensor stands in a state dict."""
    *modules, part = name.split(".")
    numbered = [(0, int(m), "") if m.isdecimal() else (1, 0, m) for m in modules]
    return numbered, _ORDER.index(part) if part in _ORDER else len(_ORDER), part
