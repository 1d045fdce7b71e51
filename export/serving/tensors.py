"""What comes over the wire to arrays: type and size are looked at before anything is allocated."""

import base64
import itertools
import math
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gans.export.serving.models import RequestError

# Types of JSON that a number may have.
_NUMBERS = {"f": {int, float}, "i": {int}, "u": {int}, "b": {bool}}


def invalid(message: str) -> RequestError:
    """The error for a request that is wrong in itself."""
    return RequestError("INVALID_ARGUMENT", message)


def from_json(name: str, value: Any, spec: tf.TensorSpec) -> np.ndarray:
    """Nested lists of numbers, or of strings and bytes as `{"b64": "..."}`, as an array.

    Args:
        name: of the input.
        value: as `json.loads` returns it.
        spec: `tf.TensorSpec` that it has to fit.

    Raises:
        RequestError: if it does not.
    """
    shape, values = _flat(name, value, spec)
    wanted = np.dtype(spec.dtype.as_numpy_dtype)
    if wanted.kind == "O":
        array = np.empty(len(values), object)
        array[:] = [_bytes(item) for item in values]
        return array.reshape(shape)
    # Numbers only: NumPy would give each string of a list the room of the longest.
    other = set(map(type, values)) - _NUMBERS[wanted.kind]
    if other:
        raise _unlike(name, spec, f"a value of type {min(kind.__name__ for kind in other)}")
    try:
        array = np.array(values, "float64" if wanted.kind == "f" else wanted)
    except OverflowError:
        raise _unlike(name, spec, "a number that is too large for it") from None
    with np.errstate(over="ignore"):
        cast = array.astype(wanted)
    if wanted.kind == "f" and not np.array_equal(np.isfinite(cast), np.isfinite(array)):
        raise _unlike(name, spec, "a number that is too large for it")
    return cast.reshape(shape)


def from_proto(name: str, proto: Any, spec: tf.TensorSpec, max_bytes: int) -> np.ndarray:
    """A `TensorProto` as an array.

    A few values may stand for many, the last again and again: the shape that it claims is bounded
    as a message is that holds all.

    Args:
        name: of the input.
        proto: the message.
        spec: `tf.TensorSpec` that it has to fit.
        max_bytes: of the array.

    Raises:
        RequestError: if it does not fit, or is too large.
    """
    claimed = [dim.size for dim in proto.tensor_shape.dim]
    known = not proto.tensor_shape.unknown_rank and min(claimed, default=0) >= 0
    if (
        proto.dtype != spec.dtype.as_datatype_enum
        or not known
        or not spec.shape.is_compatible_with(claimed)
    ):
        raise _unfit(name, spec, f"a tensor of type {proto.dtype} and shape {claimed}")
    size = math.prod(claimed) * np.dtype(spec.dtype.as_numpy_dtype).itemsize
    if size > max_bytes:
        raise RequestError(
            "RESOURCE_EXHAUSTED",
            f"The input {name!r} is too large. Expected at most {max_bytes} bytes. "
            f"Received: {size}",
        )
    try:
        return tf.make_ndarray(proto)
    except (TypeError, ValueError, OverflowError) as error:
        raise invalid(
            f"The input {name!r} is no tensor: it holds other than the {math.prod(claimed)} values "
            "that its shape claims."
        ) from error


def _flat(name, value, spec):
    """Shape and values of nested lists, level by level."""
    shape, level = [], [value]
    for wanted in spec.shape:
        if any(type(item) is not list for item in level):
            raise _unfit(name, spec, f"lists nested {len(shape)} deep")
        lengths = {len(item) for item in level}
        if len(lengths) > 1:
            raise invalid(f"The input {name!r} is no tensor: its rows are not of one length.")
        length = lengths.pop() if lengths else wanted or 0
        if wanted not in (None, length):
            raise _unfit(name, spec, f"{length} for {wanted} along axis {len(shape)}")
        shape.append(length)
        level = list(itertools.chain.from_iterable(level))
    if any(type(item) is list for item in level):
        raise _unfit(name, spec, f"lists nested more than {len(shape)} deep")
    return shape, level


def _bytes(value):
    if isinstance(value, str):
        # What is half a character on its own stays what it is.
        return value.encode(errors="surrogatepass")
    if isinstance(value, dict) and value.keys() == {"b64"} and isinstance(value["b64"], str):
        try:
            return base64.b64decode(value["b64"], validate=True)
        except ValueError as error:
            raise invalid(f"Unable to base64 decode: {error}") from error
    raise invalid('Expected a string, or bytes as {"b64": "..."}.')


def _unlike(name, spec, received):
    return invalid(
        f"The input {name!r} is not of expected type: {spec.dtype.name}. Received: {received}"
    )


def _unfit(name, spec, received):
    return invalid(
        f"The input {name!r} does not fit: expected {spec.dtype.name} of shape {spec.shape}. "
        f"Received: {received}"
    )
