"""Weights that other programs trained, put into networks of `keras_gans.networks`.

Files of PyTorch and of Keras 2, as CycleGAN and Pix2Pix are trained there. Neither framework is
needed, and no code in a file is run. Tensors are matched by order, kind and shape, not by name: all
of them have a place, and all weights get a value, or nothing is changed.
"""

import collections
import io
import os
import pickle
import zipfile
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
from keras import layers

from keras_gans.layers import InstanceNormalization

_STORAGES = {
    "HalfStorage": "<f2",
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "IntStorage": "<i4",
    "LongStorage": "<i8",
}
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_NORMALIZED = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}


class _Found(NamedTuple):
    name: str
    part: str
    array: np.ndarray


def load_pytorch(path, network):
    """Loads a `.pth` of the CycleGAN and Pix2Pix authors' PyTorch program.

    >>> generator = keras_gans.networks.resnet_generator((256, 256, 3), blocks=9)
    >>> path = "latest_net_G_A.pth"
    >>> generator = keras_gans.zoo.convert.load_pytorch(path, generator)  # doctest: +SKIP

    Args:
        path: of a state dict, as `torch.save` writes it: a zip, or the format before PyTorch 1.6.
            Its pickle may name tensors and an `OrderedDict`; anything else is refused, not run.
        network: a built `resnet_generator`, `unet_generator` or `patch_discriminator`, of the
            width, depth and normalisation that the file's network has.

    Returns:
        The network, with the file's weights and PyTorch's epsilon of 1e-5.

    Raises:
        ValueError: if the file is damaged or holds more than tensors, or its tensors are another
            network's; the network is then as it was.
    """
    with Path(path).open("rb") as file:
        try:
            found = list(_of_pytorch(_state_dict(file)))
        except Exception as error:  # a pickle that is damaged, or meant to, may raise any
            raise ValueError(
                "The file is not a whole state dict of tensors. With PyTorch, save it again: "
                "`torch.save(network.state_dict(), path)`. "
                f"Received: {path} ({type(error).__name__}: {error})"
            ) from error
    return _assigned(found, network, path, 1e-5)


def load_keras_h5(path, network, epsilon=1e-3):
    """Loads an `.h5` of `save_weights` or `save`, as Keras 2 wrote it.

    >>> generator = keras_gans.networks.resnet_generator(
    ...     (256, 256, 3), normalization="instance_affine", same_padding=True
    ... )
    >>> path = "generator.h5"
    >>> generator = keras_gans.zoo.convert.load_keras_h5(path, generator)  # doctest: +SKIP

    Args:
        path: of the file.
        network: a built network, as for `load_pytorch`. TensorFlow Addons' instance normalisation
            learns a gamma and a beta: `normalization="instance_affine"`. Residual generators in
            Keras mostly pad by "same", on the other side: `same_padding=True`.
        epsilon: of the file's normalisations, which it does not tell: 1e-3 unless they were given
            another, in `BatchNormalization` and in TensorFlow Addons. The network's, which are
            1e-5 as in PyTorch, are set to it: load before the network first runs in a graph.

    Returns:
        The network, with the file's weights and epsilon.

    Raises:
        ValueError: if the file is damaged or of Keras 3, or its weights are another network's; the
            network is then as it was.
    """
    if isinstance(epsilon, bool) or not isinstance(epsilon, (int, float)) or not epsilon > 0:
        raise ValueError(f"`epsilon` must be a number above 0. Received: epsilon={epsilon!r}")
    with Path(path).open("rb") as file:
        try:
            with h5py.File(file) as stored:
                found = list(_of_keras(stored.get("model_weights", stored)))
        except (OSError, KeyError, RuntimeError, ValueError) as error:
            raise ValueError(
                "The file is damaged, or not one of Keras 2. With Keras 2, save it again: "
                '`network.save_weights("weights.h5")`; one of Keras 3 is read by '
                f"`network.load_weights`. Received: {path} ({error})"
            ) from error
    return _assigned(found, network, path, epsilon)


def _assigned(found, network, path, epsilon):
    # Integers are the seeds and counts of layers that draw: they are not of the weights.
    weights = [w for w in network.weights if "float" in w.dtype]
    for one, weight in zip_longest(found, weights):
        fits = one and weight is not None and one.part == weight.name
        if not fits or one.array.shape != tuple(weight.shape):
            wanted = "no more" if weight is None else f"{weight.path} {tuple(weight.shape)}"
            got = f"{one.name} ({one.part}) {one.array.shape}" if one else "no more"
            raise ValueError(
                f"The weights are of another network. The first that does not fit: expected "
                f"{wanted}, in Keras' order of axes, and the file has {got}. "
                f"{_reason([x.part for x in found], [x.name for x in weights])} "
                f"Received: {path} for {network.name!r}"
            )
    for one, weight in zip(found, weights):
        weight.assign(one.array)
    for layer in network.layers:
        if isinstance(layer, (layers.BatchNormalization, InstanceNormalization)):
            layer.epsilon = epsilon
    return network


def _reason(found, expected):
    """What the network was probably built with, where its parts are not the file's."""
    theirs, ours = found.count("kernel"), expected.count("kernel")
    if theirs != ours:
        return (
            f"The file has {theirs} convolutions and the network {ours}: build it with another "
            "`image_shape` or `depth` (U-Net), `blocks` (ResNet) or `receptive_field`, or the file "
            "is not complete."
        )
    if found != expected:
        return (
            "Convolutions are as many, but not their biases and normalisations: build the network "
            "with another `normalization`, or the file is not complete."
        )
    return "Only shapes differ: build it with another `width`, `max_width` or number of channels."


def _of_pytorch(state):
    """The weights of a state dict, as Keras has them."""
    for key, array in state.items():
        module, _, part = key.rpartition(".")
        weight = state.get(f"{module}.weight")
        # Averages of an instance normalisation, from before PyTorch 0.4: the authors' program
        # throws them away, too.
        unused = weight is None and part.startswith("running_")
        if unused or part == "num_batches_tracked":
            continue
        if weight is not None and weight.ndim == 4:
            # (out, in, height, width), or of a transposed convolution (in, out, height, width).
            part = {"weight": "kernel"}.get(part, part)
            yield _Found(key, part, array.transpose(2, 3, 1, 0) if array.ndim == 4 else array)
        else:
            yield _Found(key, _NORMALIZED.get(part, part), array)


def _of_keras(group):
    for layer in _names(group, "layer_names"):
        names = _names(group[layer], "weight_names")
        owners = list(dict.fromkeys(name.rpartition("/")[0] for name in names))
        # A model in a model lists all that is trained, of all its layers, before all that is not.
        for name in sorted(names, key=lambda name: owners.index(name.rpartition("/")[0])):
            part = name.rpartition("/")[2].partition(":")[0]
            yield _Found(name, part, np.asarray(group[layer][name]))


def _names(group, attribute):
    """A list of names, which Keras 2 cuts in pieces where it is long."""
    pieces = [attribute] if attribute in group.attrs else []
    while not pieces or f"{attribute}{len(pieces)}" in group.attrs:
        pieces.append(f"{attribute}{len(pieces)}")
    names = [name for piece in pieces for name in group.attrs[piece]]
    return [name.decode() if isinstance(name, bytes) else name for name in names]


class _Storage(NamedTuple):
    dtype: str
    key: str


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    size: tuple
    stride: tuple

    def array(self, data):
        """The tensor, of its storage's bytes."""
        (dtype, _), offset, size, stride = self
        flat = np.frombuffer(data, dtype)
        last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
        if min((offset, *size, *stride)) < 0 or last >= len(flat):
            raise ValueError("a tensor reaches out of its storage")
        strides = [step * flat.itemsize for step in stride]
        return np.lib.stride_tricks.as_strided(flat[offset:], size, strides, writeable=False)


class _Unpickler(pickle._Unpickler):
    """Knows an ordered dict and tensors, and refuses every other name before it is looked up.

    It is the unpickler in Python: the one in C takes as much memory as a damaged file asks for.
    """

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if module == "torch._utils" and name in ("_rebuild_tensor", "_rebuild_tensor_v2"):
            # Made anew: a pickle can set attributes of what it has got.
            return lambda storage, offset, size, stride, *_: _Tensor(storage, offset, size, stride)
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        raise pickle.UnpicklingError(
            f"it asks for {module}.{name}, and only tensors of {', '.join(_STORAGES)} and "
            "collections.OrderedDict are let in"
        )

    def persistent_load(self, pid):
        _, dtype, key, _, _, *view = pid
        if any(view):
            raise pickle.UnpicklingError("a storage is a part of another one")
        return _Storage(dtype, key)


def _state_dict(file):
    """Names to arrays."""
    if file.peek(4)[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(file) as archive:
            (root,) = [n[: -len("data.pkl")] for n in archive.namelist() if n.endswith("/data.pkl")]
            if f"{root}byteorder" in archive.namelist():
                order = archive.read(f"{root}byteorder")
                if order != b"little":
                    raise ValueError(f"a byte order of {order!r}")
            state = _tensors(_Unpickler(io.BytesIO(archive.read(f"{root}data.pkl"))).load())
            keys = {tensor.storage.key for tensor in state.values()}
            data = {key: archive.read(f"{root}data/{key}") for key in keys}
    else:
        # Before PyTorch 1.6: five pickles, then each storage's length and numbers.
        magic, _, system = (_Unpickler(file).load() for _ in range(3))
        if magic != _LEGACY_MAGIC or not system.get("little_endian"):
            raise ValueError("neither a zip nor the format before PyTorch 1.6, in little endian")
        state = _tensors(_Unpickler(file).load())
        sizes = {t.storage.key: np.dtype(t.storage.dtype).itemsize for t in state.values()}
        data, most = {}, os.fstat(file.fileno()).st_size
        for key in _Unpickler(file).load():
            data[key] = file.read(min(int.from_bytes(file.read(8), "little") * sizes[key], most))
    return {name: tensor.array(data[tensor.storage.key]) for name, tensor in state.items()}


def _tensors(state):
    if not isinstance(state, dict) or not all(isinstance(t, _Tensor) for t in state.values()):
        raise ValueError("something else than a dict of tensors")
    return state
