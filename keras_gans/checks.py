"""Checks of arguments and of networks, used everywhere."""

import math
import numbers
import reprlib
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np


def count(name: str, value: Any, minimum: int = 1) -> int:
    """Returns `value` if it is an integer of at least `minimum`."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < minimum:
        raise ValueError(
            f"`{name}` must be an integer of at least {minimum}. Received: {name}={value!r}"
        )
    return int(value)


def counts(name: str, values: Any, minimum: int = 1) -> tuple[int, ...]:
    """Returns `values` as a tuple if they are integers of at least `minimum`."""
    if not isinstance(values, (tuple, list)):
        raise ValueError(
            f"`{name}` must be a tuple of integers, one for each, such as `(10,)`. "
            f"Received: {name}={values!r}"
        )
    return tuple(count(name, value, minimum) for value in values)


def share(name: str, value: Any) -> float:
    """Returns `value` if it is a number of at least 0 and below 1, such as a dropout rate."""
    if not _is_number(value) or not 0 <= value < 1:
        raise ValueError(
            f"`{name}` must be a number of at least 0 and below 1. Received: {name}={value!r}"
        )
    return value


def weight(name: str, value: Any) -> float:
    """Returns `value` as a float if it is a finite number of 0 or more."""
    if not _is_number(value) or value < 0:
        raise ValueError(f"`{name}` must be a number of 0 or more. Received: {name}={value!r}")
    return float(value)


def positive(name: str, value: Any, why: str = "") -> float:
    """Returns `value` as a float if it is a finite number above 0; `why` explains it."""
    if not _is_number(value) or value <= 0:
        raise ValueError(
            f"`{name}` must be a number above 0.{' ' * bool(why)}{why} Received: {name}={value!r}"
        )
    return float(value)


def floats(name: str, value: Any) -> np.ndarray:
    """Returns `value` as a float32 array if it is made of finite real numbers."""
    try:
        array = np.asarray(value)
        with np.errstate(over="ignore"):
            found = array.astype("float32") if array.dtype.kind in "fiu" else None
    # What is ragged, or an object that cannot become an array, of any kind.
    except Exception as error:
        found, array = None, error
    if found is None or not np.isfinite(found).all():
        what = f"{array.dtype} array" if isinstance(array, np.ndarray) else f"{array}"
        raise ValueError(
            f"`{name}` must be an array of real numbers, all finite. "
            f"Received: {name}={reprlib.repr(value)} ({what})"
        )
    return found


def a_network(name: str, value: Any) -> None:
    """Raises ValueError unless `value` is a `keras.Model` whose inputs are known."""
    if not isinstance(value, keras.Model) or not getattr(value, "inputs", None):
        raise ValueError(
            f"`{name}` must be a functional or Sequential `keras.Model`, whose inputs can be read. "
            f"Received: {name}={value!r}"
        )


def _is_number(value):
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)


def image_shape(shape: Any, minimum: int = 1) -> tuple[int, int, int]:
    """Returns `(height, width, channels)` of an image at least `minimum` a side."""
    shape = tuple(shape) if isinstance(shape, (list, tuple)) else shape
    if not isinstance(shape, tuple) or len(shape) != 3:
        raise ValueError(
            "`image_shape` must be `(height, width, channels)`, channels last. "
            f"Received: image_shape={shape}"
        )
    for name, value in zip(("height", "width"), shape):
        count(f"image_shape ({name})", value, minimum)
    count("image_shape (channels)", shape[2])
    return shape


def network(role: str, network: Any, stated: bool = False) -> None:
    """Raises ValueError unless a GAN can train a network, whose inputs and outputs are known.

    Args:
        role: what to call it.
        network: to check.
        stated: whether an interface says what its inputs are: integers may then be texts.
    """
    if not isinstance(network, keras.Model) or not network.built:
        raise ValueError(
            f"`{role}` must be a `keras.Model` whose weights exist. Give it a `keras.Input` as its "
            f"first layer. Received: {network!r}"
        )
    if not getattr(network, "inputs", None):
        raise ValueError(
            f"`{role}` must be a functional or Sequential model, whose inputs and outputs can be "
            "read. Make one of a subclassed model: `inputs = keras.Input(shape)`, and then "
            f"`keras.Model(inputs, model(inputs))`. Received: {network!r}"
        )
    _plain_structure(role, network)
    for tensor in (*network.inputs, *network.outputs):
        labels = len(tensor.shape) == 1
        if not labels and not stated and not keras.backend.is_float_dtype(tensor.dtype):
            raise ValueError(
                f"`{role}` must compute on floats; only labels, `(batch,)`, are integers, and what "
                "an interface says to be texts. Give it `keras.Input(shape)`, and put a "
                "`keras.layers.Rescaling` first if it expects 0 to 255. "
                f"Received: {tensor.dtype} of shape {tuple(tensor.shape)}"
            )
        if tensor.shape[:1] != (None,):
            raise ValueError(
                f"`{role}` must take batches of any size. Give it a `keras.Input(shape)`, where a "
                "model that was built by a call keeps the size of that batch. "
                f"Received: shape {tuple(tensor.shape)}"
            )


def _plain_structure(role, network):
    """Raises ValueError for outputs in a dictionary or in a list of one."""
    inputs = network.inputs if len(network.inputs) > 1 else network.inputs[0]
    made = network.compute_output_spec(inputs)
    if isinstance(made, dict) or (isinstance(made, (list, tuple)) and len(made) == 1):
        raise ValueError(
            f"`{role}` must return a tensor, or a list of several: `keras.Model(inputs, logits)`. "
            f"Received: {network.name!r} with outputs in a {type(made).__name__} of {len(made)}"
        )


# The range of each activation, by its name in lower case without underscores.
_RANGES = {
    **dict.fromkeys(("sigmoid", "hardsigmoid", "softmax"), (0.0, 1.0)),
    **dict.fromkeys(("tanh", "hardtanh", "softsign"), (-1.0, 1.0)),
    **dict.fromkeys(("relu", "softplus", "squareplus", "exp", "exponential"), (0.0, math.inf)),
    **dict.fromkeys(("abs", "absolute", "square", "sparsemax"), (0.0, math.inf)),
    "relu6": (0.0, 6.0),
    **dict.fromkeys(("logsigmoid", "logsoftmax"), (-math.inf, 0.0)),
    **dict.fromkeys(("gelu", "silu", "swish", "hardsilu", "hardswish", "mish"), (-0.5, math.inf)),
    **dict.fromkeys(("elu", "celu"), (-1.0, math.inf)),
    "selu": (-1.7582, math.inf),
    **dict.fromkeys(("leakyrelu", "prelu", "clip"), (-math.inf, math.inf)),
}
# Operations that do not extend the range of values.
_KEEP_RANGE = (
    "flatten reshape permute transpose squeeze expanddims getitem cast identity stopgradient "
    "dropout spatialdropout2d activation averagepooling2d globalaveragepooling2d maxpooling2d "
    "globalmaxpooling2d mean max min amax amin cropping2d upsampling2d zeropadding2d"
)


def _plain(name):
    return name.lower().replace("_", "")


def _names(operation):
    """Yields the names of an operation's activation, its function, and its class."""
    operation = getattr(operation, "layer", operation)  # of a wrapper
    for attribute in ("activation", "function"):  # of a layer; of a `Lambda`
        found = getattr(operation, attribute, None)
        if found is not None:
            yield _plain(getattr(found, "__name__", type(found).__name__))
    yield _plain(type(operation).__name__)


def ending(output: keras.KerasTensor) -> tuple[str, str, tuple[float, float]] | None:
    """Returns the activation at the end of a network, if it can be found, with its range.

    It skips layers that keep the range of values, and looks into nested models.

    >>> x = keras.Input((4,))
    >>> ending(keras.layers.Reshape((1, 1))(keras.layers.Dense(1, "sigmoid")(x)))[1:]
    ('sigmoid', (0.0, 1.0))
    >>> ending(keras.layers.Dense(1)(x)) is None
    True

    Args:
        output: symbolic output of a `keras.Model`.

    Returns:
        `(name of the operation, name of the activation, (lowest, highest value))`, or `None`.
    """
    while True:
        operation, node, index = output._keras_history
        if getattr(operation, "outputs", None):
            output = operation.outputs[index]
            continue
        names = list(_names(operation))
        if known := [name for name in names if name in _RANGES]:
            return operation.name, known[0], _RANGES[known[0]]
        if names[-1] not in _KEEP_RANGE.split() or names[0] not in (names[-1], "linear"):
            return None
        output = operation._inbound_nodes[node].input_tensors[0]


def linear_outputs(network: keras.Model, outputs: Sequence[keras.KerasTensor], why: str) -> None:
    """Raises ValueError if outputs that must be linear have an activation.

    Args:
        network: the one to check.
        outputs: those of its outputs that must be linear.
        why: sentence that gives the reason.
    """
    for output in outputs:
        if found := ending(output):
            name, activation, _ = found
            raise ValueError(
                f"{why} The network {network.name!r} must have a linear output: remove the "
                f"activation of its last layer. Received: {name!r} with {activation}"
            )


def image_outputs(network: keras.Model, outputs: Sequence[keras.KerasTensor]) -> None:
    """Raises ValueError if the images of a network cannot cover [-1, 1]."""
    for output in outputs:
        found = ending(output) if len(output.shape) == 4 else None
        if found and (found[2][0] > -1.0 or found[2][1] < 1.0):
            name, activation, (low, high) = found
            scale = ", or put `keras.layers.Rescaling(2.0, -1.0)` after it" if high == 1.0 else ""
            raise ValueError(
                f"Images lie in [-1, 1], which the network {network.name!r} cannot cover: its "
                f"values lie between {low:.4g} and {high:.4g}. End it in `tanh`{scale}. "
                f"Received: {name!r} with {activation}"
            )


def no_batch_normalization(critic: keras.Model) -> None:
    """Raises ValueError if a critic has batch normalisation, at any depth."""
    for layer in critic._flatten_layers(include_self=False, recursive=True):
        if isinstance(layer, keras.layers.BatchNormalization):
            raise ValueError(
                "The gradient penalty needs the gradient at one image, and batch normalisation "
                "makes the score of an image depend on the others (Gulrajani 2017, section 4). "
                "Build the critic with `batch_normalization=False`, or put "
                f"`keras.layers.LayerNormalization` in its place. Received: layer {layer.name!r} "
                f"in {critic.name!r}"
            )
