"""Writes networks of StyleGAN2 in the files of other programs, so that no test needs these.

Tensors come by the names of stylegan2-ada-pytorch, with PyTorch's order of axes.
"""

import io
import pickle
import re

import numpy as np
from torch_files import FakeStorage, Named, Pickler, Tensor, write


class Call:
    """Pickled as the call of something that need not exist."""

    def __init__(self, module, name, *arguments, state=None):
        self.named, self.arguments, self.state = Named(module, name), arguments, state


class New(Call):
    """Pickled as an object of a class that need not exist."""


class Files(Pickler):
    """Pickles of NVIDIA's programs."""

    def save(self, obj, save_persistent_id=True):
        if isinstance(obj, Named) and self.proto >= 4:
            self.save(obj.module)
            self.save(obj.name)
            self.write(pickle.STACK_GLOBAL)
        elif isinstance(obj, Call):
            self.save(obj.named)
            self.save(obj.arguments)
            self.write(pickle.NEWOBJ if isinstance(obj, New) else pickle.REDUCE)
            if obj.state is not None:
                self.save(obj.state)
                self.write(pickle.BUILD)
        else:
            super().save(obj, save_persistent_id)


def pickled(found, protocol=4):
    stream = io.BytesIO()
    Files(stream, protocol).dump(found)
    return stream.getvalue()


# ---- PyTorch


def _storage(array):
    """The bytes of a storage alone, in the format before PyTorch 1.6."""
    stream = io.BytesIO()
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}
    for part in (0x1950A86A20F9469CFC6C, 1001, system):
        stream.write(pickle.dumps(part, 2))
    Pickler(stream, 2).dump(_View(array.size))
    stream.write(pickle.dumps(["0"], 2))
    return stream.getvalue() + array.size.to_bytes(8, "little") + array.tobytes()


class _View(FakeStorage):
    def __init__(self, count):
        super().__init__("0", count)
        self.pid = (*self.pid, None)


def parameter(array, trained=True):
    array = np.array(array, "<f4", order="C")
    stride = tuple(step // 4 for step in array.strides)
    stored = Call("torch.storage", "_load_from_bytes", _storage(array))
    hooks = Call("collections", "OrderedDict")
    tensor = Call(
        "torch._utils", "_rebuild_tensor_v2", stored, 0, array.shape, stride, False, hooks
    )
    return Call("torch._utils", "_rebuild_parameter", tensor, trained, hooks) if trained else tensor


def _module(kind, tensors, attributes, path=""):
    """A module, and those within it, of the tensors whose names begin with its path."""
    own = {n: a for n, a in tensors.items() if n.startswith(path)}
    rest = {n[len(path) :]: a for n, a in own.items()}
    buffers = {n: a for n, a in rest.items() if re.fullmatch("w_avg|noise_const|noise_filter", n)}
    inner = dict.fromkeys(n.partition(".")[0] for n in rest if "." in n)
    if "conv.weight" in rest:  # of a discriminator's last block, without tensors
        inner["mbstd"] = None
    state = {
        "training": False,
        "_parameters": {
            n: parameter(a) for n, a in rest.items() if "." not in n and n not in buffers
        },
        "_buffers": {n: parameter(a, False) for n, a in buffers.items()},
        "_non_persistent_buffers_set": set(),
        "_modules": {n: _module(n, tensors, attributes, f"{path}{n}.") for n in inner},
        **attributes(path.rstrip(".")),
    }
    meta = {"type": "class", "version": 6, "module_src": "", "class_name": kind, "state": state}
    return Call("torch_utils.persistence", "_reconstruct_persistent_obj", meta)


def attributes_of(clamp, architecture, **others):
    """What modules say of themselves, by their names."""

    def attributes(path):
        found = dict(others.get(path.replace(".", "_"), {}))
        if re.search(r"(conv\d?|torgb|fromrgb|skip)$", path):
            found |= {"conv_clamp": None if path.endswith("skip") else clamp}
        if re.search(r"conv\d?$", path):
            found |= {"activation": "lrelu"}
        if re.fullmatch(r"(synthesis\.)?b\d+", path):
            found |= {"architecture": architecture}
        if re.search(r"mapping\.fc\d+$", path):
            found |= {"bias_gain": 0.01}
        return found

    return attributes


def pytorch(generator, discriminator=None, clamp=None, protocol=4, **changed):
    """A pickle of stylegan2-ada-pytorch; `changed` replaces what it holds."""
    made = _module("Generator", generator, attributes_of(clamp, "skip"))
    size = {"group_size": 4, "num_channels": 1}
    judge = (
        _module(
            "Discriminator",
            discriminator,
            attributes_of(clamp, "resnet", b4_mbstd=size),
        )
        if discriminator
        else None
    )
    found = {"G": made, "D": judge, "G_ema": made, "augment_pipe": None}
    found["training_set_kwargs"] = New("dnnlib.util", "EasyDict")
    return pickled({**found, **changed}, protocol)


# ---- TensorFlow


def _array(array):
    array = np.array(array, "<f4", order="C")
    kind = Call("numpy", "dtype", "f4", False, True, state=(3, "<", None, None, None, -1, -1, 0))
    state = (1, array.shape, kind, False, array.tobytes())
    name = Named("numpy", "ndarray")
    return Call("numpy.core.multiarray", "_reconstruct", name, (0,), b"b", state=state)


def tensorflow(generator, **options):
    """A pickle of NVIDIA's TensorFlow programs with a generator, three times."""
    parts = {"synthesis": [], "mapping": []}
    own = [("lod", 0.0), ("dlatent_avg", _array(generator["mapping.w_avg"]))]
    for name, array in generator.items():
        part, *rest = name.split(".")
        renamed, array = _in_tensorflow(part, rest, array)
        if renamed:
            parts[part].append((renamed, _array(array)))

    def network(name, function, variables, components):
        state = {
            "version": 4,
            "name": name,
            "static_kwargs": options,
            "components": components,
            "build_module_src": "",
            "build_func_name": function,
            "variables": variables,
        }
        return New("dnnlib.tflib.network", "Network", state=state)

    inner = {n: network(n, f"G_{n}", found, {}) for n, found in parts.items()}
    return pickled(tuple(network(n, "G_main", own, inner) for n in ("G", "D", "Gs")))


def _in_tensorflow(part, rest, array):
    last = rest[-1]
    if part == "mapping":
        if rest == ["w_avg"]:
            return None, array
        return f"Dense{rest[0][2:]}/{last}", array.T if last == "weight" else array
    size = int(rest[0][1:])
    if rest[1:] == ["const"]:
        return "4x4/Const/const", array[None]
    layers = {"torgb": "ToRGB", "conv0": "Conv0_up", "conv1": "Conv" if size == 4 else "Conv1"}
    layer = f"{size}x{size}/{layers[rest[1]]}"
    if last == "noise_const":
        number = max(2 * int(np.log2(size)) - 5 + (rest[1] == "conv1"), 0)
        return f"noise{number}", array[None, None]
    if rest[2] == "affine":
        weight = last == "weight"
        return f"{layer}/mod_{last}", array.T if weight else array - 1.0
    if last == "weight":
        array = array.transpose(2, 3, 1, 0)
        return f"{layer}/weight", array[::-1, ::-1] if rest[1] == "conv0" else array
    return f"{layer}/{last}", array


# ---- rosinality


def rosinality(path, generator, **others):
    """A `.pt` of rosinality's program with a moving average."""
    found, data = {}, {}
    for name, array in generator.items():
        if name != "mapping.w_avg":
            array, key = np.array(array, "<f4", order="C"), str(len(data))
            renamed, shape = _in_rosinality(name.split("."), array)
            data[key] = array.tobytes()
            stride = tuple(np.zeros(shape, "<f4").strides[i] // 4 for i in range(len(shape)))
            found[renamed] = Tensor(FakeStorage(key, array.size), 0, shape, stride)
    state = {"g_ema": found, **others}
    if "mapping.w_avg" in generator:
        average = np.array(generator["mapping.w_avg"], "<f4", order="C")
        data["average"] = average.tobytes()
        state["latent_avg"] = Tensor(FakeStorage("average", average.size), 0, average.shape, (1,))
    return write(path, state, data)


def _in_rosinality(parts, array):
    part, *rest = parts
    if part == "mapping":
        return f"style.{int(rest[0][2:]) + 1}.{rest[1]}", array.shape
    if rest[1:] == ["const"]:
        return "input.input", (1, *array.shape)
    size, layer, last = int(rest[0][1:]), rest[1], ".".join(rest[2:])
    level = int(np.log2(size)) - 3
    if layer == "torgb":
        owner = "to_rgb1" if size == 4 else f"to_rgbs.{level}"
    else:
        owner = "conv1" if size == 4 else f"convs.{2 * level + (layer == 'conv1')}"
    if last == "noise_const":
        number = 0 if size == 4 else 2 * level + 1 + (layer == "conv1")
        return f"noises.noise_{number}", (1, 1, *array.shape)
    if last == "bias":
        name = "bias" if layer == "torgb" else "activate.bias"
        return f"{owner}.{name}", (1, 3, 1, 1) if layer == "torgb" else array.shape
    names = {
        "weight": "conv.weight",
        "affine.weight": "conv.modulation.weight",
        "affine.bias": "conv.modulation.bias",
        "noise_strength": "noise.weight",
    }
    shape = {"weight": (1, *array.shape), "noise_strength": (1,)}.get(last, array.shape)
    return f"{owner}.{names[last]}", shape
