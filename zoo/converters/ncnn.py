"""Reads networks of ncnn: a `.param`, which lists layers as text, and a `.bin` with their weights.

Everything is checked: the numbers of layers and blobs must be those in the header, each blob must
be produced once and before it is used, and the weights must have as many bytes as the layers need.
Sizes are compared before anything is read.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_gans.reading.text import read_text, regular

MAGIC = "7767517"
# The tag before a kernel, and the type of its numbers.
_FORMS = {0: "<f4", 0x01306B47: "<f2"}

# Layers without weights, and those with. The number of bytes of other layers is unknown.
_PLAIN = ("Input", "Split", "Concat", "Eltwise", "BinaryOp", "Interp", "PixelShuffle")
_WEIGHTED = ("Convolution", "PReLU")

# Options of a convolution, by their keys.
_FILTERS, _WIDTH, _BIAS, _WEIGHTS, _INT8, _HEIGHT = 0, 1, 5, 6, 8, 11
# Options of a convolution whose default is another option: height as width, and so on.
_AS_ANOTHER = {11: 1, 12: 2, 13: 3, 14: 4, 15: 4, 16: 4}
_ARRAYS = -23300  # minus the key, for an option that is an array


class Layer(NamedTuple):
    """A line of a `.param`.

    Attributes:
        kind: as ncnn calls it, such as `"Convolution"`.
        name: of the layer.
        inputs: names of blobs.
        outputs: names of blobs.
        options: numbers by their keys, arrays as tuples; without those that equal ncnn's
            defaults, such as 0.
    """

    kind: str
    name: str
    inputs: tuple
    outputs: tuple
    options: dict


def read_param(path: Path | str) -> list[Layer]:
    """Reads the layers of a `.param`.

    Args:
        path: of the file.

    Returns:
        List of `Layer`s in the order of the file.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is another file, is truncated, or has an unsupported layer.
    """
    lines = [line.split() for line in read_text(path).splitlines() if line.strip()]
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
                path,
                f"a blob of layer {layer.name} is produced twice, or used before it is produced",
            )
        made.update(layer.outputs)
    return layers


def read_bin(path: Path | str, layers: Sequence[Layer]) -> dict[str, list[np.ndarray]]:
    """Reads the weights of layers.

    Args:
        path: of the `.bin`.
        layers: as `read_param` returns them.

    Returns:
        By name of layer, for those with weights: a list of float32 arrays. Of a convolution its
        kernel `(filters, inputs, height, width)` and, if it has one, its bias; of a PReLU its
        slopes.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is longer or shorter than the weights, stores them in an
            unsupported form, or contains numbers that are not finite.
    """
    path = regular(path)
    size = path.stat().st_size
    weighted = [layer for layer in layers if layer.kind in _WEIGHTED]
    counts = {layer.name: _counts(layer) for layer in weighted}
    if len(counts) < len(weighted):
        raise _unlike(path, "two layers have one name")
    numbers = sum(map(sum, counts.values()))
    if not 2 * numbers <= size <= 4 * (numbers + len(weighted)):
        raise _unlike(path, f"{numbers:,} weights do not take {size:,} bytes")
    found = {}
    with path.open("rb") as file:
        rest = _Rest(file, size, path)
        for layer in weighted:
            first, *bias = counts[layer.name]
            convolution = layer.kind == "Convolution"
            array = rest.array(first, rest.form(layer) if convolution else "<f4")
            if convolution:
                array = array.reshape(layer.options[_FILTERS], -1, *_kernel(layer))
            found[layer.name] = [array, *map(rest.array, bias)]
            if not all(np.isfinite(array).all() for array in found[layer.name]):
                raise _unlike(path, f"weights of layer {layer.name} are not finite")
    if rest.left:
        raise _unlike(path, f"{rest.left:,} bytes are left over")
    return found


class _Rest:
    """The rest of a `.bin`."""

    def __init__(self, file, size, path):
        self.file, self.left, self.path = file, size, path

    def array(self, number, form="<f4"):
        """Reads the next numbers, as float32. Their bytes are a multiple of 4."""
        stored = np.frombuffer(self._bytes(-(-number * np.dtype(form).itemsize // 4) * 4), form)
        return stored[:number].astype("float32")

    def form(self, layer):
        """Returns NumPy's name of the type of the next kernel."""
        flag = int.from_bytes(self._bytes(4), "little")
        if flag not in _FORMS:
            raise _unlike(
                self.path,
                f"the kernel of layer {layer.name} is stored in a form 0x{flag:08x}, and only "
                "float32 (0x00000000) and float16 (0x01306b47) are read",
            )
        return _FORMS[flag]

    def _bytes(self, length):
        if length > self.left:
            raise _unlike(self.path, "the file ends before the weights do")
        self.left -= length
        return self.file.read(length)


def _damaged(path, reason):
    return ValueError(
        f"The file is damaged, or not a supported network of ncnn: {reason}. Expected a "
        f"`.param` as ncnn's converters write it. Received: {path}"
    )


def _unlike(path, reason):
    return ValueError(
        f"The weights are not those of the layers, or the file is damaged: {reason}. Use the "
        f"`.bin` that belongs to the `.param`. Received: {path}"
    )


def _layer(words):
    """Parses a line."""
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
    return Layer(kind, name, tuple(inputs), tuple(outputs), _without_defaults(kind, options))


def _number(word):
    number = float(word)
    if not np.isfinite(number):
        raise ValueError(f"an option is {word}")
    return number if set(word) & set(".eE") else int(word)


def _without_defaults(kind, options):
    """Returns the options that differ from ncnn's defaults."""
    if kind == "Convolution":
        other = {k: o for k, o in _AS_ANOTHER.items() if k in options}
        neutral = [k for k, o in other.items() if options[k] == options.get(o, int(o in (2, 3)))]
        neutral += [key for key in (2, 3) if options.get(key) == 1]  # dilation and stride
        options = {key: value for key, value in options.items() if key not in neutral}
    return {key: value for key, value in options.items() if value != 0}


def _kernel(layer):
    """Returns height and width of a convolution's kernel."""
    width = layer.options.get(_WIDTH, 0)
    return layer.options.get(_HEIGHT, width), width


def _counts(layer):
    """Returns the number of weights of each array of a layer."""
    filters = each = layer.options.get(_FILTERS, 0)
    counts = [filters]
    if layer.kind == "Convolution":
        height, width = _kernel(layer)
        each = filters * height * width
        counts = [layer.options.get(_WEIGHTS, 0)] + [filters] * (_BIAS in layer.options)
    whole = all(isinstance(number, int) and number > 0 for number in (each, *counts))
    if not whole or counts[0] % each or layer.options.get(_INT8):
        raise ValueError(
            "A layer's number of weights is not a multiple of its filters and kernel, or they have "
            f"8 bits. Expected weights in float32 or float16. Received: {layer}"
        )
    return counts
