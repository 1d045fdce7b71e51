"""Loads the ESRGANs of UpscalerJS: folders with the `model.json` and shards of TensorFlow.js.

They were trained with idealo's program (github.com/idealo/image-super-resolution).
"""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from keras_gans import networks
from keras_gans.building import preserving_random_state
from keras_gans.networks import upscaling
from keras_gans.reading.text import is_folder, read_json, regular, require

FILE = "model.json"
_CONTENT = {
    "format": str,
    "modelTopology": {"model_config": {"config": {"layers": [dict], "output_layers": list}}},
    "weightsManifest": [{"paths": [str], "weights": [{"name": str, "shape": [int], "dtype": str}]}],
}
_LAYER = {"class_name": str, "name": str, "config": dict, "inbound_nodes": list}

# What each kind of layer is compared by: fields of its configuration.
_FIELDS = {
    "InputLayer": ("batch_input_shape",),
    "Conv2D": (
        *("filters", "kernel_size", "padding", "strides", "dilation_rate", "groups"),
        *("activation", "use_bias", "data_format"),
    ),
    "Activation": ("activation",),
    "Concatenate": ("axis",),
    "Add": (),
    "MultiplyBeta": (),  # UpscalerJS multiplies by 0.2 whatever the file says
    "UpSampling2D": ("size", "interpolation"),
}


class _Found(NamedTuple):
    """A network in a file: its function and arguments, and the layers that it must have."""

    kind: str
    options: dict
    channels: int
    graph: "_Graph"


def load(
    source: Path | str,
    image_shape: Sequence[int | None] = (None, None, 3),
    unit_range: bool = True,
) -> keras.Model:
    """Builds the network in a folder, with its weights.

    >>> from keras_gans.zoo.converters import upscalerjs  # doctest: +SKIP
    >>> upscaler = upscalerjs.load("package/models/x4")  # doctest: +SKIP
    >>> upscaler.predict(images)  # doctest: +SKIP

    Args:
        source: path of the folder, or of the `model.json` in it; as in the packages
            `@upscalerjs/esrgan-thick` and `@upscalerjs/esrgan-slim` of npm.
        image_shape: `(height, width, channels)` of the input images; `None` for any size.
        unit_range: as for `networks.rrdn_upscaler`; these weights expect `True`. Networks of the
            kind RDN compute in [0, 255] there, and here in [0, 1]: their biases are divided by 255.

    Returns:
        A `keras.Model` from images `(batch, *image_shape)` to larger ones, both RGB in [-1, 1];
        with `training=True` the output is not clipped.

    Raises:
        FileNotFoundError: if `model.json` or a shard is missing.
        ValueError: if a file is damaged, or contains another network.
    """
    path = Path(source) / FILE if is_folder(source) else Path(source)
    content = read_json(path, "Unpack the package again.", "The network")
    require(content, _CONTENT, path.name)
    listed = content["modelTopology"]["model_config"]["config"]["layers"]
    for number, layer in enumerate(listed):
        require(layer, _LAYER, f"layers[{number}]")
    shapes = _shapes(content, path)
    found = _guessed(shapes, path)
    _require_layers(content, listed, found, path)
    _require_shapes(shapes, found.graph.weights, path)
    if upscaling.image_shape(image_shape)[2] != found.channels:
        raise ValueError(
            f"The network takes images of {found.channels} channels. Received: "
            f"image_shape={image_shape}"
        )
    weights = _read(content["weightsManifest"], path)
    with preserving_random_state():
        network = getattr(networks, found.kind)(image_shape, unit_range=unit_range, **found.options)
    each = 255 if found.kind == "rdn_upscaler" else 1
    for layer in (layer for layer in network.layers if layer.weights):
        bias = weights[f"{layer.name}/bias"] / np.float32(each)
        layer.set_weights([weights[f"{layer.name}/kernel"], bias])
    return network


# ---- which network


class _Graph:
    """Layers of a network as in a file: kind, numbers of the input layers, fields."""

    def __init__(self, channels):
        self.layers, self.names, self.width, self.weights = [], [], [], {}
        self.add("InputLayer", (), channels, [None, None, None, channels])

    def add(self, kind, inputs, width, *values, name=None):
        self.layers.append((kind, tuple(inputs), list(values)))
        self.names.append(name)
        self.width.append(width)
        return len(self.layers) - 1

    def convolution(self, x, name, filters, size=3, padding="same"):
        self.weights[f"{name}/kernel"] = (size, size, self.width[x], filters)
        self.weights[f"{name}/bias"] = (filters,)
        values = [filters, [size, size], padding, [1, 1], [1, 1], 1]
        values += ["linear", True, "channels_last"]
        return self.add("Conv2D", [x], filters, *values, name=name)

    def relu(self, x):
        return self.add("Activation", [x], self.width[x], "relu")

    def joined(self, *inputs):
        return self.add("Concatenate", inputs, sum(self.width[x] for x in inputs), 3)

    def added(self, x, y):
        return self.add("Add", [x, y], self.width[x])

    def beta(self, x):
        return self.add("MultiplyBeta", [x], self.width[x])

    def dense(self, x, name, convolutions, growth):
        """The convolutions of a dense block: all that it made, together."""
        for number in range(1, convolutions + 1):
            y = self.relu(self.convolution(x, f"F_{name}_{number}", growth))
            x = self.joined(x, y)
        return x


def _rrdn(channels, scale, width, blocks, dense_blocks, convolutions, growth):
    """The graph of an RRDN."""
    graph = _Graph(channels)
    first = x = graph.convolution(0, "Pre_blocks_conv", width)
    for block in range(1, blocks + 1):
        outer = x
        for part in range(1, dense_blocks + 1):
            name = f"{block}_{part}"
            y = graph.convolution(graph.dense(x, name, convolutions, growth), f"LFF_{name}", width)
            x = graph.added(x, graph.beta(y))
        x = graph.added(outer, graph.beta(x))
    x = graph.added(graph.convolution(x, "post_blocks_conv", width), first)
    x = graph.convolution(x, "PreShuffle", channels * scale**2)
    x = graph.add(f"PixelShuffle{scale}x", [x], channels)
    graph.convolution(x, "SR", channels)
    return graph


def _rdn(channels, scale, width, blocks, convolutions, growth):
    """The graph of an RDN."""
    graph = _Graph(channels)
    first = graph.convolution(0, "F_m1", width)
    x, made = graph.convolution(first, "F_0", width), []
    for block in range(1, blocks + 1):
        y = graph.dense(x, f"{block}", convolutions, growth)
        x = graph.added(graph.convolution(y, f"LFF_{block}", width, 1, "valid"), x)
        made.append(x)
    x = graph.convolution(graph.joined(*made), "GFF_1", width, 1)
    x = graph.added(graph.convolution(x, "GFF_2", width), first)
    for name, filters, size in (("UPN1", 64, 5), ("UPN2", 32, 3)):
        x = graph.relu(graph.convolution(x, name, filters, size))
    x = graph.convolution(x, "UPN3", channels * scale**2)
    x = graph.add("UpSampling2D", [x], graph.width[x], [scale, scale], "nearest")
    graph.convolution(x, "SR", channels)
    return graph


def _guessed(shapes, path):
    """Infers the network from names and shapes of its weights."""

    def of(name):
        shape = shapes.get(f"{name}/kernel", ())
        if len(shape) != 4 or min(shape) < 1:
            raise _another(path, f"it has no convolution {name} among {len(shapes)} weights")
        return shape

    def count(pattern):
        return sum(re.fullmatch(pattern, name) is not None for name in shapes)

    if "Pre_blocks_conv/kernel" in shapes:
        kind, build, first, last = "rrdn_upscaler", _rrdn, "Pre_blocks_conv", "PreShuffle"
        sizes = {
            "blocks": count("F_[0-9]+_1_1/kernel"),
            "dense_blocks": count("F_1_[0-9]+_1/kernel"),
            "convolutions": count("F_1_1_[0-9]+/kernel"),
            "growth": of("F_1_1_1")[3],
        }
    else:
        kind, build, first, last = "rdn_upscaler", _rdn, "F_m1", "UPN3"
        sizes = {
            "blocks": count("F_[0-9]+_1/kernel"),
            "convolutions": count("F_1_[0-9]+/kernel"),
            "growth": of("F_1_1")[3],
        }
    channels, width = of(first)[2:]
    scale = math.isqrt(of(last)[3] // channels)
    # No more layers than there are weights: the numbers may be anything.
    if min(sizes.values()) < 1 or scale < 1 or math.prod([*sizes.values()][:-1]) > len(shapes):
        raise _another(path, f"its weights are those of {sizes}, at scale {scale}")
    options = {"scale": scale, "width": width, **sizes}
    return _Found(kind, options, channels, build(channels, **options))


def _require_layers(content, listed, found, path):
    """Raises ValueError unless the file has exactly the layers of the graph."""
    number_of, graph = {}, found.graph
    for number, layer in enumerate(listed):
        kind, name, config = layer["class_name"], layer["name"], layer["config"]
        values = [config.get(field) for field in _FIELDS.get(kind, ())]
        got = (kind, _inputs(layer["inbound_nodes"], number_of), values)
        wanted = graph.layers[number] if number < len(graph.layers) else None
        if got != wanted or graph.names[number] not in (None, name) or name in number_of:
            raise _another(
                path,
                f"at layer {name!r} a {found.kind} of its size has {wanted or 'nothing'}, and the "
                f"file {got}",
            )
        number_of[name] = number
    outputs = content["modelTopology"]["model_config"]["config"]["output_layers"]
    if len(listed) != len(graph.layers) or outputs != [["SR", 0, 0]]:
        raise _another(
            path,
            f"it has {len(listed)} layers for {len(graph.layers)}, and the outputs {outputs}",
        )


def _inputs(nodes, number_of):
    """Numbers of the layers that a layer takes; `None` for anything unusual."""
    if not nodes:
        return ()
    try:
        (node,) = nodes
        plain = all(rest == [0, 0, {}] for _, *rest in node)
        return tuple(number_of[name] for name, *_ in node) if plain else None
    except (KeyError, TypeError, ValueError):
        return None


def _another(path, reason):
    return ValueError(
        f"This is not a supported network of UpscalerJS: {reason}. Expected an RRDN or RDN as "
        f"idealo's program builds it. Received: {path}"
    )


# ---- weights


def _shapes(content, path):
    """Shapes of the weights by their names."""
    weights = [weight for group in content["weightsManifest"] for weight in group["weights"]]
    odd = [w for w in weights if w["dtype"] != "float32" or "quantization" in w]
    if content["format"] != "layers-model" or odd:
        raise _another(
            path,
            f"its format is {content['format']!r}, with {len(odd)} weights that are not float32",
        )
    shapes = {weight["name"]: tuple(weight["shape"]) for weight in weights}
    if len(shapes) < len(weights):
        raise _another(path, "two weights have one name")
    return shapes


def _require_shapes(shapes, wanted, path):
    if differing := sorted(n for n in {*shapes, *wanted} if shapes.get(n) != wanted.get(n)):
        name = differing[0]
        raise _another(
            path,
            f"{len(differing)} weights differ, such as {name!r}, which must have the shape "
            f"{wanted.get(name)}, and has {shapes.get(name)}",
        )


def _read(manifest: list[dict[str, Any]], path: Path) -> dict[str, np.ndarray]:
    """The arrays of a manifest, whose shapes were compared already."""
    found = {}
    for group in manifest:
        sizes = [math.prod(weight["shape"]) for weight in group["weights"]]
        numbers = np.frombuffer(_bytes(group["paths"], 4 * sum(sizes), path), "<f4")
        if not np.isfinite(numbers).all():
            raise _damaged(path, "weights are not finite")
        for weight, part in zip(group["weights"], np.split(numbers, np.cumsum(sizes)[:-1])):
            found[weight["name"]] = part.reshape(weight["shape"])
    return found


def _bytes(names, length, path):
    """What the shards beside `model.json` hold together, after a check of their sizes."""
    if any(name != Path(name).name or name in ("", "..") for name in names):
        raise _another(path, f"its shards must be files beside it, and are {names}")
    shards = [path.parent / name for name in names]
    if missing := [shard.name for shard in shards if not shard.exists()]:
        raise FileNotFoundError(
            f"Shards of the weights are missing. Expected {len(names)} beside {FILE}. Unpack the "
            f"package again. Received: {path.parent}, without {', '.join(missing)}"
        )
    size = sum(regular(shard).stat().st_size for shard in shards)
    if size != length:
        raise _damaged(path, f"they have {size:,} bytes, and the weights {length:,}")
    return b"".join(shard.read_bytes() for shard in shards)


def _damaged(path, reason):
    return ValueError(
        f"The shards of the weights are damaged, or those of another network: {reason}. Unpack the "
        f"package again. Received: {path.parent}"
    )
