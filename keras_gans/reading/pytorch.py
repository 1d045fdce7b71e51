"""Reads state dicts of PyTorch, without PyTorch and without running code from the file.

A pickle can call any installed function, allocate unlimited memory, and crash Python by a key that
is nested too deeply. So this reader knows only the few instructions that `torch.save` writes, and
only the names that tensors need. Arrays are compared with a network before their numbers are read.
"""

import collections
import contextlib
import functools
import io
import math
import pickle
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from keras_gans.reading.stored import Stored, explained, kind_of
from keras_gans.reading.text import regular

DAMAGED = (
    "The file is damaged, or not a complete state dict of tensors. With PyTorch, save it again: "
    "`torch.save(network.state_dict(), path)`."
)

_STORAGES = {
    "HalfStorage": "<f2",
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "IntStorage": "<i4",
    "LongStorage": "<i8",
}
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C

# Names and shapes of a thousand tensors take about 100 kB. Each byte may become an object.
_MOST_PICKLED = 2**20
_MOST_AXES = 8

# Those of `torch.save`, in all versions, except for four that are defined below.
_INSTRUCTIONS = """
    PROTO FRAME STOP MARK GLOBAL STACK_GLOBAL REDUCE BINPERSID MEMOIZE BINPUT LONG_BINPUT BINGET
    LONG_BINGET NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT SHORT_BINSTRING
    BINSTRING SHORT_BINUNICODE BINUNICODE EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_LIST APPEND
    APPENDS EMPTY_DICT
"""


@contextlib.contextmanager
def opened(
    path: Path | str, within: Sequence[str] = (), nested: bool = False
) -> Iterator[dict[str, Stored]]:
    """Opens a file of `torch.save`: a zip, or the format before PyTorch 1.6.

    Args:
        path: of the file.
        within: keys of a dictionary that may contain the state dict; the first that exists is
            used. If none exists, the file must be the state dict itself.
        nested: yield the tensors of all dictionaries in the file instead, under their keys joined
            with dots, such as `"g_ema.conv1.weight"`, and leave out what is no tensor.

    Yields:
        Names of tensors to `Stored`, in the order of the file.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, or contains anything but tensors.
    """
    explain = functools.partial(explained, path, DAMAGED)
    path = regular(path)
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(path.open("rb"))
        with explain():
            size = path.stat().st_size
            if file.peek(4)[:4] == b"PK\x03\x04":
                archive = stack.enter_context(zipfile.ZipFile(file))
                state, storages = _of_zip(archive, size, within, nested)
            else:
                state, storages = _of_stream(file, size, within, nested)
            found = {
                name: _stored(name, tensor, storages[tensor.storage.key], explain)
                for name, tensor in state.items()
            }
        yield found


# ---- where the numbers are


class _Bytes(NamedTuple):
    """The bytes of a storage in the file."""

    size: int
    read: Callable


def _of_zip(archive, size, within, nested):
    """Returns tensors by name, and the bytes of storages by key."""
    (root,) = [n[: -len("data.pkl")] for n in archive.namelist() if n.endswith("/data.pkl")]
    left = size

    def entry(name):
        nonlocal left
        info = archive.getinfo(name)
        left -= info.file_size
        # PyTorch compresses nothing. And several entries may claim the same bytes.
        if info.compress_type != zipfile.ZIP_STORED or left < 0:
            raise ValueError(f"{name} claims a larger size than it has in the file")
        return _Bytes(info.file_size, functools.partial(archive.read, info))

    if f"{root}byteorder" in archive.namelist():
        order = entry(f"{root}byteorder").read()[:20]
        if order != b"little":
            raise ValueError(f"a byte order of {order!r}")
    state, _ = _tensors(io.BytesIO(entry(f"{root}data.pkl").read()), within, nested)
    keys = dict.fromkeys(tensor.storage.key for tensor in state.values())
    return state, {key: entry(f"{root}data/{key}") for key in keys}


def _of_stream(file, size, within, nested):
    """Reads the format before PyTorch 1.6: five pickles, then storages with their lengths."""
    magic, _, system = (_unpickled(file) for _ in range(3))
    if magic != _LEGACY_MAGIC or not isinstance(system, dict) or not system.get("little_endian"):
        raise ValueError("neither a zip nor the format before PyTorch 1.6, in little endian")
    state, dtypes = _tensors(file, within, nested)
    sizes = {key: np.dtype(dtype).itemsize for key, dtype in dtypes.items()}
    storages = {}

    def read(start, length):
        file.seek(start)
        return file.read(length)

    for key in _unpickled(file):
        length = int.from_bytes(file.read(8), "little") * sizes[key]
        start = file.tell()
        if start + length > size:
            raise ValueError(f"storage {key} claims {length:,} bytes, but the file ends before")
        storages[key] = _Bytes(length, functools.partial(read, start, length))
        file.seek(start + length)
    return state, storages


# ---- what a pickle may say


class _Storage(NamedTuple):
    dtype: str
    key: str


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    size: tuple
    stride: tuple


def _stored(name, tensor, storage, explain):
    (dtype, _), offset, size, stride = tensor
    dtype = np.dtype(dtype)
    axes = [offset, *size, *stride]
    if len(size) != len(stride) or len(size) > _MOST_AXES or {type(n) for n in axes} != {int}:
        raise ValueError(f"{name} has axes and strides that differ in number, or are not integers")
    last = offset + sum((n - 1) * step for n, step in zip(size, stride))
    room = storage.size // dtype.itemsize
    if min(axes) < 0 or (0 not in size and last >= room):
        raise ValueError(f"{name} exceeds its storage")
    if math.prod(size) > room:
        raise ValueError(f"{name} claims {math.prod(size):,} numbers of a storage of {room:,}")

    def load():
        flat = np.frombuffer(storage.read(), dtype)[offset:]
        strides = [step * dtype.itemsize for step in stride]
        return np.lib.stride_tricks.as_strided(flat, size, strides, writeable=False)

    return Stored(name, tuple(size), kind_of(dtype, name), load, explain, dtype.itemsize)


def _tensors(file, within, nested):
    """Returns the state dict of a pickle, and the types of all storages in it by their keys."""
    unpickler = Unpickler(_Bounded(file))
    found = unpickler.load()
    if nested:
        state = dict(_flat(found, "", set())) if isinstance(found, dict) else {}
        return state, unpickler.dtypes
    several = isinstance(found, dict) and any(key in found for key in within)
    state = next(found[key] for key in within if key in found) if several else found
    if not isinstance(state, dict) or not all(isinstance(t, _Tensor) for t in state.values()):
        raise ValueError("it is not a dict of tensors")
    return state, unpickler.dtypes


def _flat(found, path, seen):
    """Tensors of dictionaries in dictionaries; each is visited once, however often it is named."""
    seen.add(id(found))
    for key, value in found.items():
        if isinstance(value, _Tensor):
            yield f"{path}{key}", value
        elif isinstance(value, dict) and id(value) not in seen:
            yield from _flat(value, f"{path}{key}.", seen)


def storage(content: bytes) -> tuple[str, bytes]:
    """Returns NumPy's code and the bytes of a storage that was saved alone, before PyTorch 1.6.

    Raises:
        ValueError: if it is damaged, or not a storage.
    """
    file = io.BytesIO(content)
    magic, _, system, found, keys = (_unpickled(file) for _ in range(5))
    if magic != _LEGACY_MAGIC or not isinstance(system, dict) or not system.get("little_endian"):
        raise ValueError("a storage that is not in the format before PyTorch 1.6")
    if not isinstance(found, _Storage) or keys != [found.key]:
        raise ValueError("a storage without numbers")
    length = int.from_bytes(file.read(8), "little") * np.dtype(found.dtype).itemsize
    numbers = file.read()
    if len(numbers) != length:
        raise ValueError(f"a storage claims {length:,} bytes, and has {len(numbers):,}")
    return found.dtype, numbers


def _unpickled(file):
    return Unpickler(_Bounded(file)).load()


class _Bounded:
    """The next bytes of a file, up to the limit for a pickle of names and shapes."""

    def __init__(self, file):
        self._file, self._left = file, _MOST_PICKLED

    def _taken(self, content):
        self._left -= len(content)
        return content

    def read(self, size):
        if size > self._left:
            raise pickle.UnpicklingError("it is too long for a list of tensors")
        return self._taken(self._file.read(size))

    def readline(self):
        return self._taken(self._file.readline(self._left))


def known(instructions: str) -> dict[int, Callable]:
    """Returns what Python's unpickler does for instructions, by their codes."""
    codes = [getattr(pickle, name)[0] for name in instructions.split()]
    return {code: pickle._Unpickler.dispatch[code] for code in codes}


class Unpickler(pickle._Unpickler):
    """Knows dictionaries and tensors, and refuses every other name before it is looked up.

    It extends the unpickler in Python, because the one in C knows all instructions, and allocates
    as much memory as a file requests.

    Attributes:
        dtypes: NumPy's codes of the storages that the pickle refers to, by their keys.
    """

    def __init__(self, file: Any) -> None:
        super().__init__(file)
        self.dtypes: dict[str, str] = {}

    def find_class(self, module, name):
        # New functions each time, because a pickle can set attributes of what it gets.
        if (module, name) == ("collections", "OrderedDict"):
            return lambda: collections.OrderedDict()
        if module == "torch._utils" and name in ("_rebuild_tensor", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, stride, *_: _Tensor(storage, offset, size, stride)
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return lambda tensor, *_: tensor
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        if (module, name) == ("argparse", "Namespace"):  # the options of a training, left out
            return lambda: {}
        raise pickle.UnpicklingError(
            f"it asks for {module}.{name}, and only tensors of {', '.join(_STORAGES)} and "
            "collections.OrderedDict are allowed"
        )

    def persistent_load(self, pid):
        _, dtype, key, _, _, *view = pid
        if any(view):
            raise pickle.UnpicklingError("a storage is a view of another one")
        if not isinstance(key, str) or dtype not in _STORAGES.values():
            raise pickle.UnpicklingError("a storage without a name, or of another type")
        self.dtypes[key] = dtype
        return _Storage(dtype, key)

    def load_setitem(self):
        value, key = self.stack.pop(), self.stack.pop()
        self._set([key, value])

    def load_setitems(self):
        self._set(self.pop_mark())

    def _set(self, items):
        # The hash of deeply nested tuples would crash Python.
        if not isinstance(self.stack[-1], dict) or {type(k) for k in items[::2]} - {str, int}:
            raise pickle.UnpicklingError("a dictionary has keys that are not texts or integers")
        self.stack[-1].update(zip(items[::2], items[1::2]))

    def load_newobj(self):
        given, make = self.stack.pop(), self.stack.pop()
        self.append(make(*given))

    def load_build(self):
        self.stack.pop()  # the versions of modules, in a state dict

    def _refuse(self):
        raise pickle.UnpicklingError("it has an instruction that `torch.save` never writes")

    dispatch = collections.defaultdict(lambda: Unpickler._refuse)
    dispatch.update(known(_INSTRUCTIONS))
    dispatch[pickle.SETITEM[0]] = load_setitem
    dispatch[pickle.SETITEMS[0]] = load_setitems
    dispatch[pickle.NEWOBJ[0]] = load_newobj
    dispatch[pickle.BUILD[0]] = load_build
