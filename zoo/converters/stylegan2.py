"""Loads networks of StyleGAN2 from the files of other programs into `keras_gans.networks`.

It reads NVIDIA's pickles (stylegan2, stylegan2-ada, stylegan2-ada-pytorch, and StyleGAN2 networks
of stylegan3) and files of rosinality's stylegan2-pytorch. None of these programs is needed, and no
code in a file is run. Tensors are matched by name: each must have a weight and each weight a
tensor. All files are first brought into the names of stylegan2-ada-pytorch.
"""

import dataclasses
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_gans import building, networks
from keras_gans.reading import pickles, pytorch
from keras_gans.reading.text import regular
from keras_gans.zoo.converters import matching

_OTHERS = {
    "StyleGAN3": (
        "Its networks are without aliasing and another architecture, which this library lacks: run "
        "the file with NVIDIA's stylegan3 program. Of many data sets there is a StyleGAN2 file, "
        "such as stylegan2-ffhq-256x256.pkl."
    ),
    "StyleGAN1": (
        "Its normalisation is another one, which this library lacks: run the file with NVIDIA's "
        "stylegan program, or take the StyleGAN2 file of the same data."
    ),
}
_MOST_MODULES = 10_000


@dataclasses.dataclass
class Tensors:
    """A network of a file, in the names of stylegan2-ada-pytorch.

    Attributes:
        arrays: float32, by name, in PyTorch's order of axes.
        clamp: largest absolute value of a feature map; `None` for no limit.
        noise: has the generator layers of noise?
        residual: has the discriminator shortcuts?
        group_size: of the discriminator's minibatch standard deviation.
        features: likewise.
    """

    arrays: dict[str, np.ndarray]
    clamp: float | None = None
    noise: bool = True
    residual: bool = True
    group_size: int | None = 4
    features: int = 1


def load_generator(path: Path | str, averaged: bool = True, psi: float | None = 1.0) -> keras.Model:
    """Loads the generator of a file.

    >>> generator = load_generator("ffhq.pkl", psi=0.7)  # doctest: +SKIP
    >>> images = generator(np.random.RandomState(85).randn(1, 512))  # doctest: +SKIP

    Args:
        path: a `.pkl` of NVIDIA's programs, or a `.pt` of rosinality's.
        averaged: take the moving average of the generator, as for all images of the papers? Files
            have the generator of the last step, too.
        psi: as of `networks.stylegan2_generator`; `None` makes it an input.

    Returns:
        A `networks.stylegan2_generator` with the file's weights, its average style for `psi`, and
        its noise. Where the file has no average style, it is that of 10,000 latents.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is cut off or damaged, names anything but what networks need, is of
            StyleGAN1 or StyleGAN3, or has an architecture that NVIDIA's recipes do not have.
    """
    tensors = _read(path, "G_ema" if averaged else "G")
    return _generator(tensors, {**generator_arguments(tensors, path), "psi": psi}, path)


def convert(path: Path | str) -> tuple[keras.Model, dict[str, Any]]:
    """Returns the generator in use of a file, with `psi` as an input, and what builds it.

    Args:
        path: as of `load_generator`.

    Returns:
        The network, and arguments of `networks.stylegan2_generator`, which JSON holds.

    Raises:
        FileNotFoundError, ValueError: as `load_generator`.
    """
    tensors = _read(path, "G_ema")
    arguments = {**generator_arguments(tensors, path), "psi": None}
    return _generator(tensors, arguments, path), arguments


def load_discriminator(path: Path | str) -> keras.Model:
    """Loads the discriminator of a file, as `load_generator` does its generator.

    Args:
        path: of the file.

    Returns:
        A `networks.stylegan2_discriminator`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: as `load_generator`, and for a file without a discriminator.
    """
    return _discriminator(_read(path, "D"), path)


# ---- files


def _read(path, role):
    """Returns the `Tensors` of a network: "G", "D" or "G_ema"."""
    with regular(path).open("rb") as file:
        begins = file.read(4)
    if begins == b"PK\x03\x04":
        return _of_rosinality(path, role)
    found = pickles.read(path)
    try:
        network = _of_pickle(found, role, path)
    except (TypeError, AttributeError, KeyError, IndexError) as error:  # of anyone's making
        reason = f"{type(error).__name__}: {error}"
        raise ValueError(f"{pickles.EXPECTED} Received: {path} ({reason})") from error
    if network is None:
        has = sorted(map(str, found)) if isinstance(found, dict) else type(found).__name__
        raise ValueError(f"The file has no network {role!r}. Received: {path} with {has}")
    return network


def _of_pickle(found, role, path):
    """The `Tensors` of a network in a pickle; `None` if it has no such network."""
    if isinstance(found, dict) and isinstance(found.get(role), pickles.Module):
        return _of_pytorch(found[role], path)
    if isinstance(found, tuple) and len(found) == 3:
        network = found[("G", "D", "G_ema").index(role)]
        if isinstance(network, pickles.Module):
            return _of_tensorflow(network, role, path)
    return None


def _other(kind, path):
    return ValueError(f"The file is one of {kind}. {_OTHERS[kind]} Received: {path}")


def _unlike(what, path):
    return ValueError(
        f"The network is not one that NVIDIA's recipes for StyleGAN2 make: {what}. Only those can "
        f"be loaded. Received: {path}"
    )


def _of_pytorch(root, path):
    modules = dict(_modules(root, path))
    if "synthesis.input" in modules:
        raise _other("StyleGAN3", path)
    states = {name: module.state for name, module in modules.items()}
    arrays = {}
    for name, state in states.items():
        for key, value in {**state.get("_parameters", {}), **state.get("_buffers", {})}.items():
            if isinstance(value, pickles.Array):
                arrays[f"{name}.{key}".lstrip(".")] = _array(value, path)
    clamps = _values(states, "conv_clamp", lambda name: not name.endswith("skip"))
    noises, architectures = _values(states, "use_noise"), _values(states, "architecture")
    generates = "synthesis.b4" in states
    known = [{"skip"}] if generates else [{"resnet"}, {"orig"}]
    for what, found, expected in (
        ("architecture", architectures, known),
        ("a limit of feature maps", clamps, [{clamp} for clamp in clamps]),
        ("noise", noises, [set(), {True}, {False}]),
        ("an activation", _values(states, "activation"), [{"lrelu", "linear"}, {"lrelu"}]),
        (
            "a learning rate multiplier",
            _values(states, "bias_gain", re.compile(r"mapping\.fc\d+$").match),
            [set(), {0.01}],
        ),
    ):
        if found not in expected:
            raise _unlike(f"{what} of {sorted(map(str, found))}", path)
    std_dev = states.get("b4.mbstd", {"group_size": None, "num_channels": 0})
    return Tensors(
        arrays,
        clamp=next(iter(clamps), None),
        noise=noises != {False},
        residual=architectures != {"orig"},
        group_size=std_dev["group_size"],
        features=std_dev["num_channels"],
    )


def _values(states, key, of=lambda name: True):
    """The values that an attribute of modules has."""
    return {state[key] for name, state in states.items() if key in state and of(name)}


def _modules(root, path) -> Iterator[tuple[str, pickles.Module]]:
    """A module and all within it, by names with dots; a file can repeat one without end."""
    waiting, count = [("", root)], 0
    while waiting:
        name, module = waiting.pop()
        count += 1
        if count > _MOST_MODULES:
            raise ValueError(f"The file has more modules than any network. Received: {path}")
        yield name, module
        for key, inner in module.state.get("_modules", {}).items():
            if isinstance(inner, pickles.Module):
                waiting.append((f"{name}.{key}".lstrip("."), inner))


def _array(value, path):
    try:
        return value.read()
    except (ValueError, TypeError, MemoryError) as error:
        raise ValueError(f"{pickles.EXPECTED} Received: {path} ({error})") from error


# ---- TensorFlow

_TENSORFLOW = [
    (r"dlatent_avg", "mapping.w_avg"),
    (r"(?:mapping/)?LabelEmbed/(weight|bias)", r"mapping.embed.\1"),
    (r"mapping/Dense(\d+)/(weight|bias)", r"mapping.fc\1.\2"),
    (r"Mapping(\d+)/(weight|bias)", r"mapping.fc\1.\2"),
    (r"synthesis/4x4/Const/const", "synthesis.b4.const"),
    (r"synthesis/4x4/Conv/(\w+)", r"synthesis.b4.conv1.\1"),
    (r"synthesis/(\d+)x\d+/Conv0_up/(\w+)", r"synthesis.b\1.conv0.\2"),
    (r"synthesis/(\d+)x\d+/Conv1/(\w+)", r"synthesis.b\1.conv1.\2"),
    (r"synthesis/(\d+)x\d+/ToRGB/(\w+)", r"synthesis.b\1.torgb.\2"),
    (r"(\d+)x\d+/FromRGB/(weight|bias)", r"b\1.fromrgb.\2"),
    (r"(\d+)x\d+/Conv0/(weight|bias)", r"b\1.conv0.\2"),
    (r"(\d+)x\d+/Conv1_down/(weight|bias)", r"b\1.conv1.\2"),
    (r"(\d+)x\d+/Skip/(weight)", r"b\1.skip.\2"),
    (r"4x4/Conv/(weight|bias)", r"b4.conv.\1"),
    (r"4x4/Dense0/(weight|bias)", r"b4.fc.\1"),
    (r"Output/(weight|bias)", r"b4.out.\1"),
]


def _of_tensorflow(network, role, path):
    variables = dict(_variables(network, ""))
    made_by = str(network.state.get("build_func_name", ""))
    if made_by in ("G_style", "D_basic") or any("StyleMod" in name for name in variables):
        raise _other("StyleGAN1", path)
    options = network.state.get("static_kwargs", {})
    architecture = options.get("architecture", "resnet" if role == "D" else "skip")
    if architecture not in (("resnet", "orig") if role == "D" else ("skip",)):
        raise _unlike(f"architecture {architecture!r}", path)
    arrays = {}
    for name, value in variables.items():
        if name == "lod":
            continue
        value = np.float32(value) if isinstance(value, float) else _array(value, path)
        renamed, value = _from_tensorflow(name, value)
        if renamed is None:
            raise _unlike(f"it has a variable {name!r}", path)
        arrays[renamed] = value
    return Tensors(
        arrays,
        clamp=options.get("conv_clamp"),
        residual=architecture == "resnet",
        group_size=options.get("mbstd_group_size", 4),
        features=options.get("mbstd_num_features", 1),
    )


def _variables(network, path):
    for name, value in network.state.get("variables", ()):
        yield f"{path}{name}", value
    for name, inner in network.state.get("components", {}).items():
        if not path:
            yield from _variables(inner, f"{name}/")


def _from_tensorflow(variable, value):
    """The name and the numbers of a variable in PyTorch's order of axes; the name may be `None`."""
    if noise := re.fullmatch(r"synthesis/noise(\d+)", variable):
        return _noise_map(int(noise[1])), value.reshape(value.shape[-2:])
    matching = (
        re.sub(pattern, to, variable)
        for pattern, to in _TENSORFLOW
        if re.fullmatch(pattern, variable)
    )
    if (name := next(matching, None)) is None:
        return None, value
    name = name.replace("mod_weight", "affine.weight").replace("mod_bias", "affine.bias")
    if name.endswith("affine.bias"):
        return name, value + 1.0
    if name.endswith("const"):
        return name, value[0]
    if name.endswith("weight"):
        value = value[::-1, ::-1] if "Conv0_up" in variable and value.ndim == 4 else value
        return name, value.transpose((3, 2, 0, 1) if value.ndim == 4 else (1, 0))
    return name, value


def _noise_map(number):
    """The name of a map of noise, which other programs number from the smallest on."""
    layer = number + 1
    return f"synthesis.b{4 << layer // 2}.conv{layer % 2}.noise_const"


# ---- rosinality

_PARTS = {
    "conv.weight": "weight",
    "conv.modulation.weight": "affine.weight",
    "conv.modulation.bias": "affine.bias",
    "noise.weight": "noise_strength",
    "activate.bias": "bias",
    "bias": "bias",
}
_PARTS_D = {
    "conv1.0.weight": "conv0.weight",
    "conv1.1.bias": "conv0.bias",
    "conv2.1.weight": "conv1.weight",
    "conv2.2.bias": "conv1.bias",
    "skip.1.weight": "skip.weight",
}
_LAST_D = {
    "final_conv.0.weight": "b4.conv.weight",
    "final_conv.1.bias": "b4.conv.bias",
    "final_linear.0.weight": "b4.fc.weight",
    "final_linear.0.bias": "b4.fc.bias",
    "final_linear.1.weight": "b4.out.weight",
    "final_linear.1.bias": "b4.out.bias",
    "convs.0.0.weight": "fromrgb.weight",
    "convs.0.1.bias": "fromrgb.bias",
}


def _of_rosinality(path, role):
    prefix = {"G": "g.", "D": "d.", "G_ema": "g_ema."}[role]
    with pytorch.opened(path, nested=True) as state:
        stored = {n.removeprefix(prefix): s for n, s in state.items() if n.startswith(prefix)}
        if not stored:
            raise ValueError(
                f"The file has no network {prefix[:-1]!r} of rosinality's stylegan2-pytorch. "
                f"Received: {path} with {sorted({name.partition('.')[0] for name in state})}"
            )
        renamed = _rosinality_d(stored) if role == "D" else dict(map(_rosinality_g, stored))
        arrays = {}
        for name, tensor in stored.items():
            if name.endswith(".kernel"):
                continue
            if renamed.get(name) is None:
                raise _unlike(f"it has a tensor {name!r}", path)
            arrays[renamed[name]] = _squeezed(renamed[name], tensor.read().astype("float32"))
        if role != "D" and "latent_avg" in state:
            arrays["mapping.w_avg"] = state["latent_avg"].read().reshape(-1)
    return Tensors(arrays)


def _rosinality_g(name):
    """Returns a name of rosinality's generator, and of stylegan2-ada-pytorch."""
    if found := re.fullmatch(r"style\.(\d+)\.(weight|bias)", name):
        return name, f"mapping.fc{int(found[1]) - 1}.{found[2]}"
    if name == "input.input":
        return name, "synthesis.b4.const"
    if found := re.fullmatch(r"noises\.noise_(\d+)", name):
        return name, _noise_map(int(found[1]))
    if found := re.fullmatch(r"(conv1|to_rgb1|convs|to_rgbs)\.(?:(\d+)\.)?(.+)", name):
        group, number, part = found[1], int(found[2] or 0), _PARTS.get(found[3])
        if part is None:
            return name, None
        layer = {
            "conv1": "b4.conv1",
            "to_rgb1": "b4.torgb",
            "convs": f"b{8 << number // 2}.conv{number % 2}",
            "to_rgbs": f"b{8 << number}.torgb",
        }[group]
        return name, f"synthesis.{layer}.{part}"
    return name, None


def _rosinality_d(stored):
    """Returns names of rosinality's discriminator to those of stylegan2-ada-pytorch."""
    blocks = max((int(m[1]) for n in stored if (m := re.match(r"convs\.(\d+)\.", n))), default=0)
    renamed = {}
    for name in stored:
        found = re.fullmatch(r"convs\.(\d+)\.(.+)", name)
        if name in _LAST_D:
            last = _LAST_D[name]
            renamed[name] = last if last.startswith("b4") else f"b{4 << blocks}.{last}"
        elif found and found[2] in _PARTS_D:
            renamed[name] = f"b{8 << blocks - int(found[1])}.{_PARTS_D[found[2]]}"
    return renamed


def _squeezed(name, array):
    """Without the axes of length 1 that rosinality's tensors have in front or behind."""
    shape = array.shape
    if name.endswith(("noise_const", "const")) or len(shape) == 5:
        return array.reshape(shape[2:] if name.endswith("noise_const") else shape[1:])
    if name.endswith(".bias"):
        return array.reshape(-1)
    return array.reshape(()) if name.endswith("noise_strength") else array


# ---- networks


def generator_arguments(tensors: Tensors, path: Path | str) -> dict[str, Any]:
    """Returns the arguments of `networks.stylegan2_generator` that fit tensors.

    Args:
        tensors: of a generator.
        path: of their file, for errors.

    Raises:
        ValueError: if tensors that say a size are missing.
    """
    arrays = tensors.arrays
    sizes = _sizes(arrays, r"synthesis\.b(\d+)\.conv1\.weight")
    depth, classes = _mapping_of(arrays)
    try:
        style_dim = arrays[f"mapping.fc{depth - 1}.weight"].shape[0]
        inputs = arrays["mapping.fc0.weight"].shape[1]
        filters = [arrays[f"synthesis.b{size}.conv1.weight"].shape[0] for size in sizes]
        smallest = arrays["synthesis.b4.const"].shape[1:]
        channels = arrays[f"synthesis.b{sizes[-1]}.torgb.weight"].shape[0]
    except (KeyError, IndexError) as error:
        raise _unlike(f"it lacks {error}", path) from error
    return {
        "image_shape": [*(side * sizes[-1] // 4 for side in smallest), channels],
        "latent_dim": inputs - (style_dim if classes else 0),
        "style_dim": style_dim,
        **({"num_classes": classes} if classes else {}),
        "width": filters[-1],
        "max_width": max(filters),
        "mapping_layers": depth,
        "noise": "const" if tensors.noise else None,
        "clamp": tensors.clamp,
    }


def _sizes(arrays, pattern):
    """The sizes in the names of tensors, upwards."""
    return sorted(int(found[1]) for name in arrays if (found := re.fullmatch(pattern, name)))


def _mapping_of(arrays):
    """How many dense layers a mapping network has, and classes; `None` without."""
    depth = sum(bool(re.fullmatch(r"mapping\.fc\d+\.weight", name)) for name in arrays)
    embedded = arrays.get("mapping.embed.weight")
    return depth, None if embedded is None else embedded.shape[1]


def _generator(tensors, arguments, path):
    arrays = tensors.arrays
    with building.preserving_random_state(policy="float32"):
        network = networks.stylegan2_generator(**arguments)
    mapping, truncation, synthesis = networks.stylegan2.parts(network)
    constant = synthesis.get_layer("constant").constant
    targets = {**_of_mapping(mapping), "synthesis.b4.const": constant}
    if averaged := "mapping.w_avg" in arrays:
        targets["mapping.w_avg"] = truncation.average
    for layer in synthesis.layers:
        targets |= _of_layer(layer, "synthesis.")
    _assign(targets, arrays, path)
    if not averaged:
        _set_average(mapping, truncation, arguments)
    return network


def _set_average(mapping, truncation, arguments):
    """The average style of 10,000 latents, for files without one."""
    drawn = np.random.RandomState(0)
    latents = drawn.randn(10_000, arguments["latent_dim"]).astype("float32")
    classes = arguments.get("num_classes")
    labels = drawn.randint(classes or 1, size=len(latents))
    given = [latents, labels] if classes else latents
    truncation.average.assign(mapping.predict(given, batch_size=1000, verbose=0).mean(axis=0))


def _discriminator(tensors, path):
    arrays = tensors.arrays
    sizes, (depth, classes) = _sizes(arrays, r"b(\d+)\.conv0\.weight"), _mapping_of(arrays)
    try:
        filters = [arrays["b4.conv.weight"].shape[0]]
        filters += [arrays[f"b{size}.conv0.weight"].shape[0] for size in sizes]
        channels = arrays[f"b{sizes[-1]}.fromrgb.weight"].shape[1]
        # Flattened here with the channels last, and with the channels first there.
        dense = arrays["b4.fc.weight"].reshape(-1, filters[0], 4, 4).transpose(0, 2, 3, 1)
    except (KeyError, IndexError, ValueError) as error:
        raise _unlike(f"it lacks {error}", path) from error
    with building.preserving_random_state(policy="float32"):
        network = networks.stylegan2_discriminator(
            (sizes[-1], sizes[-1], channels),
            num_classes=classes,
            width=filters[-1],
            max_width=max(filters),
            residual=tensors.residual,
            mapping_layers=depth or 8,
            group_size=tensors.group_size,
            features=tensors.features,
            clamp=tensors.clamp,
        )
    arrays = {**arrays, "b4.fc.weight": dense.reshape(len(dense), -1)}
    targets, first = {}, f"b{sizes[-1]}.fromrgb"
    for layer in network.layers:
        if layer.name == "mapping":
            targets |= _of_mapping(layer)
        elif layer.name == "from_rgb":
            targets[f"{first}.weight"] = layer.kernel
        elif layer.name == "from_rgb_bias":
            targets[f"{first}.bias"] = layer.bias
        elif layer.name == "logits" and layer.weights:
            targets |= {"b4.out.weight": layer.kernel, "b4.out.bias": layer.bias}
        else:
            targets |= _of_layer(layer, "")
    _assign(targets, arrays, path)
    return network


def _of_mapping(mapping):
    """The weights of a mapping network, by the names of their tensors."""
    found = {}
    for layer in mapping.layers:
        if layer.weights:
            name = f"mapping.{layer.name.replace('embedding', 'embed')}"
            found |= {f"{name}.weight": layer.kernel, f"{name}.bias": layer.bias}
    return found


def _of_layer(layer, prefix):
    """The weights of a layer, whose name begins with its block, by the names of their tensors."""
    name = re.fullmatch(r"(b\d+)_(conv\d?|to_rgb|skip|fc|out)(_noise|_bias)?", layer.name)
    if name is None:
        return {}
    tensor = f"{prefix}{name[1]}.{name[2].replace('to_rgb', 'torgb')}"
    if name[3] == "_noise":
        return {f"{tensor}.noise_strength": layer.strength, f"{tensor}.noise_const": layer.map}
    if name[3] == "_bias":
        return {f"{tensor}.bias": layer.bias}
    found = {f"{tensor}.weight": layer.kernel}
    if hasattr(layer, "affine"):
        found[f"{tensor}.affine.weight"] = layer.affine.kernel
        found[f"{tensor}.affine.bias"] = layer.affine.bias
    elif getattr(layer, "bias", None) is not None:
        found[f"{tensor}.bias"] = layer.bias
    return found


def _assign(targets: dict[str, Any], arrays: dict[str, np.ndarray], path: Path | str) -> None:
    """Assigns every tensor to its weight, after all have been compared, and the filters left."""
    filters = {n: a for n, a in arrays.items() if n.endswith("resample_filter")}
    expected = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64
    for name, found in filters.items():
        if found.shape != (4, 4) or not np.allclose(found, expected, atol=1e-6):
            raise _unlike(f"another filter than [1, 3, 3, 1], {name}", path)
    left = {name: array for name, array in arrays.items() if name not in filters}
    matching.assign(targets, left, _in_keras_order, functools.partial(_unlike, path=path))


def _in_keras_order(name, array, _):
    if name.endswith("b4.const"):
        return array.transpose(1, 2, 0)
    if name.endswith("noise_const"):
        return array[..., None]
    if array.ndim == 4:
        return array.transpose(2, 3, 1, 0)
    return array.T if array.ndim == 2 else array
