"""Writes files as PyTorch does, so that no test needs it."""

import io
import pickle
import zipfile

import numpy as np


class FakeStorage:
    """A pickle's reference to numbers beside it."""

    def __init__(self, key, count, kind="FloatStorage"):
        self.pid = ("storage", Named("torch", kind), key, "cpu", count)


class Named:
    """Pickled as the name of something in a module, which need not exist."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class Tensor:
    """Pickled as PyTorch does it."""

    def __init__(self, storage, offset, size, stride):
        self.arguments = (storage, offset, size, stride, False, {})


class Pickler(pickle._Pickler):
    """Writes pickles that name what is not installed here, so that no test needs PyTorch."""

    def persistent_id(self, obj):
        return obj.pid if isinstance(obj, FakeStorage) else None

    def save(self, obj, save_persistent_id=True):
        if isinstance(obj, Named):
            self.write(f"c{obj.module}\n{obj.name}\n".encode())
        elif isinstance(obj, Tensor):
            self.save(Named("torch._utils", "_rebuild_tensor_v2"))
            self.save(obj.arguments)
            self.write(pickle.REDUCE)
        else:
            super().save(obj, save_persistent_id)


def write(path, state, data=None, **records):
    """A `.pth` of a state, and of storages by key."""
    stream = io.BytesIO()
    Pickler(stream, 2).dump(state)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", stream.getvalue())
        for key, content in {**(data or {}), **records}.items():
            folder = "net/" if key in records else "net/data/"
            archive.writestr(folder + key, content)
    return path


def tensors(size=(2, 1, 1, 3), stride=(3, 3, 3, 1), offset=0):
    kernel, bias = FakeStorage("0", 6), FakeStorage("1", 2)
    return {"c.weight": Tensor(kernel, offset, size, stride), "c.bias": Tensor(bias, 0, (2,), (1,))}


DATA = {"0": np.arange(6, dtype="<f4").tobytes(), "1": np.float32([7, 8]).tobytes()}
