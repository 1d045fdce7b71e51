"""Reads pickles of NVIDIA's StyleGAN programs as data, without those programs, running nothing.

Such a pickle names classes and functions. Each of the few names that networks need stands for an
inert object here; any other name is refused before it is looked up. Source text in the file is
dropped unread.
"""

import dataclasses
import pickle
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from keras_gans.reading import pytorch
from keras_gans.reading.stored import explained
from keras_gans.reading.text import regular

EXPECTED = (
    "The file is cut off, damaged, or not a pickle of NVIDIA's StyleGAN programs. Expected one of "
    "stylegan2-ada-pytorch, stylegan3, stylegan2 or stylegan2-ada: download it again."
)

# Beside those of PyTorch files.
_INSTRUCTIONS = "BINBYTES SHORT_BINBYTES BINBYTES8 LONG4"
_MOST_AXES = 8
_NUMPY = ("numpy.core.multiarray", "numpy._core.multiarray")


@dataclasses.dataclass
class Module:
    """A module of PyTorch, or a network of NVIDIA's TensorFlow program.

    Attributes:
        kind: name of its class, such as `"SynthesisLayer"`.
        state: its attributes by name.
    """

    kind: str
    state: dict[str, Any] = dataclasses.field(default_factory=dict)

    def build(self, state: Any) -> None:
        """Sets its attributes, as the pickle says."""
        if not isinstance(state, dict):
            raise pickle.UnpicklingError(f"a {self.kind} has no attributes")
        self.state = state


@dataclasses.dataclass
class Dtype:
    """A type of numbers, in NumPy's code, such as `"<f4"`."""

    code: str

    def build(self, state: Any) -> None:
        """Sets the order of bytes."""
        if state[1] in ("<", ">"):
            self.code = state[1] + self.code


@dataclasses.dataclass
class Array:
    """An array whose numbers are not looked at yet.

    Attributes:
        dtype: a `Dtype`.
        shape: of the array.
        content: its bytes.
        stride: in numbers; `None` for rows in a row.
        offset: of the first number.
        fortran: are columns in a row?
    """

    dtype: Dtype
    shape: tuple[int, ...] = ()
    content: bytes = b""
    stride: tuple[int, ...] | None = None
    offset: int = 0
    fortran: bool = False

    def build(self, state: Any) -> None:
        """Sets what it holds, as NumPy writes it: version, shape, type, order, bytes."""
        _, self.shape, self.dtype, self.fortran, self.content = state

    def read(self) -> np.ndarray:
        """Returns the numbers as float32.

        Raises:
            ValueError: if they exceed their bytes, are no numbers, or are not finite.
        """
        if not isinstance(self.dtype, Dtype) or not isinstance(self.content, bytes):
            raise ValueError("an array without a type or without bytes")
        dtype = np.dtype(self.dtype.code)
        axes = [self.offset, *self.shape, *(self.stride or ())]
        if dtype.kind not in "fiub" or {type(n) for n in axes} > {int} or min(axes) < 0:
            raise ValueError(f"an array of {dtype}, shape {self.shape}")
        flat = np.frombuffer(self.content, dtype)
        if len(self.shape) > _MOST_AXES or np.prod(self.shape, dtype=object) > flat.size:
            raise ValueError(f"an array claims shape {self.shape}, and has {flat.size:,} numbers")
        if self.stride is None:
            array = flat.reshape(self.shape, order="F" if self.fortran else "C")
        else:
            array = self._strided(flat)
        with np.errstate(over="ignore"):
            array = array.astype("float32")
        if not np.isfinite(array).all():
            raise ValueError("numbers that are not finite: weights of a training that diverged")
        return array

    def _strided(self, flat):
        if self.stride is None or len(self.stride) != len(self.shape):
            raise ValueError(f"an array of shape {self.shape} has strides {self.stride}")
        last = self.offset + sum((n - 1) * step for n, step in zip(self.shape, self.stride))
        if 0 not in self.shape and last >= flat.size:
            raise ValueError(f"an array of shape {self.shape} exceeds its {flat.size:,} numbers")
        strides = [step * flat.itemsize for step in self.stride]
        view = np.lib.stride_tricks.as_strided
        return view(flat[self.offset :], self.shape, strides, writeable=False)


def read(path: Path | str) -> Any:
    """Reads a pickle of one of NVIDIA's StyleGAN programs.

    Args:
        path: of the file.

    Returns:
        What was pickled: dicts, lists, tuples, texts, numbers, `Module`s and `Array`s.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is cut off or damaged, or has any other name in it, which the error says.
    """
    path = regular(path)
    with explained(path, EXPECTED), path.open("rb") as file:
        return _Unpickler(_Exact(file, path.stat().st_size)).load()


class _Exact:
    """A file that ends with an error, instead of with fewer bytes than were asked for."""

    def __init__(self, file, size):
        self._file, self._size = file, size

    def read(self, size):
        left = self._size - self._file.tell()
        if size > left:
            raise pickle.UnpicklingError(f"it is cut off: {size:,} bytes are missing at its end")
        return self._file.read(size)

    def readline(self):
        return self._file.readline(1000)


def _module(meta):
    if not isinstance(meta, dict) or meta.get("type") != "class":
        raise pickle.UnpicklingError("a persistent object is not a class")
    module = Module(str(meta.get("class_name")))
    module.build(meta.get("state"))
    return module


def _tensor(storage, offset, size, stride, *_):
    if not isinstance(storage, tuple):
        raise pickle.UnpicklingError("a tensor without a storage")
    code, content = storage
    return Array(Dtype(code), tuple(size), content, tuple(stride), offset)


def _scalar(dtype, content=b""):
    found = Array(dtype, (), content).read()
    return float(found)


# New objects each time, because a pickle can set attributes of what it gets.
_NAMES = {
    ("dnnlib.util", "EasyDict"): lambda: {},
    ("dnnlib", "EasyDict"): lambda: {},
    ("collections", "OrderedDict"): lambda: {},
    ("builtins", "set"): lambda *_: [],
    ("torch_utils.persistence", "_reconstruct_persistent_obj"): _module,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor,
    ("torch.storage", "_load_from_bytes"): lambda content: pytorch.storage(content),
    ("dnnlib.tflib.network", "Network"): lambda: Module("Network"),
    ("numpy", "dtype"): lambda code, *_: Dtype(str(code)),
    ("numpy", "ndarray"): lambda *_: None,
    **{(module, "scalar"): _scalar for module in _NUMPY},
    **{(module, "_reconstruct"): lambda *_: Array(Dtype("f4")) for module in _NUMPY},
}


class _Unpickler(pytorch.Unpickler):
    """The unpickler of PyTorch files, with objects that are built and sets, which are left out."""

    def find_class(self, module, name):
        if (module, name) not in _NAMES:
            raise pickle.UnpicklingError(
                f"it asks for {module}.{name}, which no network of these programs needs, and which "
                "is not looked up"
            )
        found = _NAMES[module, name]
        return lambda *given: found(*given)

    def persistent_load(self, pid):
        raise pickle.UnpicklingError("it refers to what is not in the file")

    def load_build(self):
        state = self.stack.pop()
        if isinstance(self.stack[-1], (Module, Dtype, Array)):
            self.stack[-1].build(state)

    def load_empty_set(self):
        self.append([])

    def load_additems(self):
        self.pop_mark()

    dispatch: ClassVar[Any] = pytorch.Unpickler.dispatch.copy()
    dispatch.update(pytorch.known(_INSTRUCTIONS))
    dispatch[pickle.BUILD[0]] = load_build
    dispatch[pickle.EMPTY_SET[0]] = load_empty_set
    dispatch[pickle.ADDITEMS[0]] = load_additems
