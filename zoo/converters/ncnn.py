"""Networks of ncnn: a `.param`, which lists layers as text, and a `.bin` with their weights.

Nothing is taken on trust: counts of layers and blobs must be those that the text announces, each
blob must be made once and before it is used, and the weights must be as many bytes as the layers
need. Sizes are compared before anything is read.
"""

import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np

MAGIC = "7767517"
FLOAT32, FLOAT16 = 0, 0x01306B47  # what stands before a kernel

# Layers without weights, and those whose weights are read here. Of any other nobody could say how
# many bytes of the `.bin` are its.
_PLAIN = ("Input", "Split", "Concat", "Eltwise", "BinaryOp", "Interp", "PixelShuffle")
_WEIGHTED = ("Convolution", "PReLU")

# Options of a convolution, by their keys.
_FILTERS, _WIDTH, _BIAS, _WEIGHTS, _INT8, _HEIGHT = 0, 1, 5, 6, 8, 11
# Options of a convolution that say no more than another one does: height as width, and so on.
_AS_ANOTHER = {11: 1, 12: 2, 13: 3, 14: 4, 15: 4, 16: 4}
_ARRAYS = -23300  # minus the key, for an option that is an array
_MOST_TEXT = 2**22  # bytes; networks of a thousand layers have 120,000
_MOST_WEIGHTS = 2**31


class Layer(NamedTuple):
    """A line of a `.param`.

    Attributes:
        kind: as ncnn calls it, such as `"Convolution"`.
        name: of the layer.
        inputs: names of blobs.
        outputs: names of blobs.
        options: numbers by their keys, arrays as tuples; without those that are 0, which is what
            ncnn takes where nothing is said, and what else says nothing.
    """

    kind: str
    name: str
    inputs: tuple
    outputs: tuple
    options: dict


def read_param(path):
    """Reads the layers of a `.param`.

    Args:
        path: of the file.

    Returns:
        List of `Layer`s in the order of the file.

    Raises:
        FileNotFoundError: if nothing is there.
        ValueError: if it is no such file, is cut off, or has a layer that is not read here.
    """
    path = _file(path)
    if path.stat().st_size > _MOST_TEXT:
        raise _damaged(path, f"it has more than {_MOST_TEXT:,} bytes")
    try:
        lines = [line.split() for line in path.read_text("ascii").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise _damaged(path, "it is no text; the `.bin` is the other file") from error
    if len(lines) < 2 or lines[0] != [MAGIC] or len(lines[1]) != 2:
        raise _damaged(path, f"its first line is not {MAGIC}, or two counts do not follow")
    try:
        num_layers, num_blobs = map(int, lines[1])
        layers = [_layer(words) for words in lines[2:]]
    except ValueError as error:
        raise _damaged(path, error) from error
    if (len(layers), sum(len(x.outputs) for x in layers)) != (num_layers, num_blobs):
        raise _damaged(
            path,
            f"it announces {num_layers} layers and {num_blobs} blobs, and has {len(layers)} "
            f"and {sum(len(x.outputs) for x in layers)}",
        )
    made = set()
    for layer in layers:
        missing, twice = set(layer.inputs) - made, made.intersection(layer.outputs)
        if missing or twice or len(set(layer.outputs)) < len(layer.outputs):
            raise _damaged(
                path, f"a blob of layer {layer.name} is made twice, or used before it is made"
            )
        made.update(layer.outputs)
    return layers


def read_bin(path, layers):
    """Reads the weights of layers.

    Args:
        path: of the `.bin`.
        layers: as `read_param` returns them.

    Returns:
        By name of layer, for those with weights: a list of float32 arrays. Of a convolution its
        kernel `(filters, inputs, height, width)` and, if it has one, its bias; of a PReLU its
        slopes.

    Raises:
        FileNotFoundError: if nothing is there.
        ValueError: if the file is longer or shorter than the weights, stores them in a form that
            is not read here, or holds some that are not finite.
    """
    path = _file(path)
    size = path.stat().st_size
    counts = {x.name: _counts(x) for x in layers if x.kind in _WEIGHTED}
    if len(counts) < sum(x.kind in _WEIGHTED for x in layers):
        raise ValueError(f"Two layers have one name. Received: {path}")
    numbers = sum(map(sum, counts.values()))
    convolutions = sum(x.kind == "Convolution" for x in layers)
    if numbers > _MOST_WEIGHTS or not 2 * numbers <= size <= 4 * (numbers + convolutions):
        raise _unlike(path, f"{numbers:,} weights do not make {size:,} bytes")
    found = {}
    with path.open("rb") as file:
        left = size

        def take(number, kind="<f4"):
            nonlocal left
            length = -(-number * np.dtype(kind).itemsize // 4) * 4  # padded to 4 bytes
            if length > left:
                raise _unlike(path, "the file ends before the weights do")
            left -= length
            return np.frombuffer(file.read(length), kind)[:number].astype("float32")

        for layer in layers:
            if layer.kind == "Convolution":
                kernel, *bias = counts[layer.name]
                arrays = [take(kernel, _stored_as(file.read(4), layer, path))]
                left -= 4
                arrays[0] = arrays[0].reshape(layer.options[_FILTERS], -1, *_kernel(layer))
                arrays += [take(number) for number in bias]
            elif layer.kind == "PReLU":
                arrays = [take(number) for number in counts[layer.name]]
            else:
                continue
            if not all(np.isfinite(array).all() for array in arrays):
                raise _unlike(path, f"weights of layer {layer.name} are not finite")
            found[layer.name] = arrays
    if left:
        raise _unlike(path, f"{left:,} bytes are left over")
    return found


def _file(path):
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(
            "There is no such file. A network of ncnn is a `.param` and a `.bin` of one name, in "
            f"one folder. Received: {path}"
        )
    if not path.is_file():
        raise ValueError(f"Expected a file. Received: {path}")
    return path


def _damaged(path, reason):
    return ValueError(
        f"The file is damaged, or no network of ncnn that can be read here: {reason}. Expected a "
        f"`.param` as ncnn's converters write it. Received: {path}"
    )


def _unlike(path, reason):
    return ValueError(
        f"The weights are not those of the layers, or the file is damaged: {reason}. Take the "
        f"`.bin` that came with the `.param`. Received: {path}"
    )


def _layer(words):
    """A line, taken apart."""
    kind, name, *counts = words[:4]
    if kind not in _PLAIN + _WEIGHTED:
        raise ValueError(f"layer {name} is of kind {kind}, and only {_PLAIN + _WEIGHTED} are known")
    num_inputs, num_outputs = map(int, counts)
    if min(num_inputs, num_outputs) < 0 or len(words) < 4 + num_inputs + num_outputs:
        raise ValueError(f"layer {name} has fewer blobs than it says")
    inputs, outputs = words[4 : 4 + num_inputs], words[4 + num_inputs :][:num_outputs]
    options = {}
    for word in words[4 + num_inputs + num_outputs :]:
        key, _, value = word.partition("=")
        key = int(key)
        if key <= _ARRAYS:
            key = _ARRAYS - key
            length, *values = value.split(",")
            if int(length) != len(values):
                raise ValueError(f"layer {name} has an array of another length than it says")
            value = tuple(map(_number, values))
        else:
            value = _number(value)
        if key < 0 or key in options:
            raise ValueError(f"layer {name} has option {key} twice, or a negative one")
        options[key] = value
    return Layer(kind, name, tuple(inputs), tuple(outputs), _told(kind, options))


def _number(word):
    number = float(word)
    if not np.isfinite(number):
        raise ValueError(f"an option is {word}")
    return number if set(word) & set(".eE") else int(word)


def _told(kind, options):
    """Options without those that say nothing."""
    if kind == "Convolution":
        other = {k: o for k, o in _AS_ANOTHER.items() if k in options}
        neutral = [k for k, o in other.items() if options[k] == options.get(o, int(o in (2, 3)))]
        neutral += [key for key in (2, 3) if options.get(key) == 1]  # dilation and stride
        options = {key: value for key, value in options.items() if key not in neutral}
    return {key: value for key, value in options.items() if value != 0}


def _kernel(layer):
    """Height and width of a convolution's kernel."""
    width = layer.options.get(_WIDTH, 0)
    return layer.options.get(_HEIGHT, width), width


def _counts(layer):
    """How many weights each array of a layer has."""
    filters = each = layer.options.get(_FILTERS, 0)
    counts = [filters]
    if layer.kind == "Convolution":
        height, width = _kernel(layer)
        each = filters * height * width
        counts = [layer.options.get(_WEIGHTS, 0)] + [filters] * (_BIAS in layer.options)
    whole = all(isinstance(number, int) and number > 0 for number in (each, *counts))
    if not whole or counts[0] % each or layer.options.get(_INT8):
        raise ValueError(
            "A layer's number of weights is no multiple of its filters and kernel, or they are of "
            f"8 bits. Expected weights in float32 or float16. Received: {layer}"
        )
    return counts


def _stored_as(flag, layer, path):
    known = {struct.pack("<I", FLOAT32): "<f4", struct.pack("<I", FLOAT16): "<f2"}
    if flag not in known:
        raise _unlike(
            path,
            f"the kernel of layer {layer.name} is stored in a form 0x{flag[::-1].hex()}, and "
            f"only float32 (0x{FLOAT32:08x}) and float16 (0x{FLOAT16:08x}) are read",
        )
    return known[flag]
