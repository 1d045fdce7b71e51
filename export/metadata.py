"""What a written generator says of itself, inside its own file."""

import hashlib
import importlib.metadata
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from keras_gans.export import signatures
from keras_gans.export.graph.versions import METADATA, newest_version
from keras_gans.export.optional import onnx_package

# The entry of a TFLite file's metadata, and of an ONNX file's properties.
KEY = "keras_gans"


def metadata(path: Path | str) -> dict[str, Any]:
    """Returns what a `.tflite` or `.onnx` file, or a SavedModel, says of its generator.

    >>> generator = keras_gans.networks.dcgan_generator((28, 28, 1))
    >>> more = {"preset": "digits", "licence": "Apache-2.0", "labels": list("0123456789")}
    >>> path = keras_gans.export.tflite(generator, "exported/described.tflite", metadata=more)
    >>> said = keras_gans.export.metadata(path)
    >>> said["preset"], said["precision"], said["value_range"]
    ('digits', 'float16', [-1, 1])
    >>> said["interface"]["inputs"]
    [{'type': 'latents', 'size': 128}]

    Args:
        path: a file that `export.tflite` or `export.onnx` wrote, or a folder of
            `export.saved_model`; of one of versions, the newest is taken.

    Returns:
        A dict: `library` (with its version), `precision`, `value_range` of the images,
        `interface` of the generator (inputs and outputs by name, with classes and codes where they
        are known; `keras_gans.interface.Interface.from_json` reads it), `weights_sha256` of the
        Keras weights, and whatever was given as `metadata`.

    Raises:
        ValueError: if the file cannot be read, or says nothing.
    """
    path = signatures.to_path(path)
    readers = {".tflite": _of_tflite, ".onnx": _of_onnx}
    if path.is_dir():
        path = newest_version(path) / METADATA
        readers = {path.suffix: bytes.decode}
    if path.suffix not in readers or not path.is_file():
        raise ValueError(
            "Expected a .tflite or .onnx file, or the folder of a SavedModel, that "
            f"`keras_gans.export` wrote. Received: {path}"
        )
    try:
        found = readers[path.suffix](path.read_bytes())
        found = None if found is None else json.loads(found)
    except ImportError:  # of a package that reads ONNX
        raise
    # The readers meet damage in many ways: struct.error, TypeError, IndexError, DecodeError, ....
    except Exception as error:
        raise ValueError(
            "That file cannot be read: it is damaged, or of another kind than its name says. "
            f"Export it again. Received: {path}, {type(error).__name__}: {error}"
        ) from error
    if not isinstance(found, dict):
        raise ValueError(
            "That file says nothing of its generator: it was not written by `keras_gans.export`. "
            f"Received: {path}"
        )
    return found


def describe(generator: keras.Model, precision: str, value_range: Sequence[int], given: Any) -> str:
    """Returns the text that goes into a file.

    Args:
        generator: whose weights are written.
        precision: of the written numbers.
        value_range: smallest and largest value of its images.
        given: a dict to add, or `None`.

    Raises:
        ValueError: if that is no dict that JSON can hold.
    """
    said = {
        "library": f"keras_gans {importlib.metadata.version('keras-gans')}",
        "precision": precision,
        "value_range": value_range,
        "interface": signatures.interface_of(generator).to_json(),
        "weights_sha256": _hash(generator),
    }
    given = {} if given is None else given
    if own := said.keys() & (given if isinstance(given, dict) else {}):
        raise ValueError(
            "What the library says of a file itself cannot be given. Choose other names. "
            f"Received: metadata with {', '.join(sorted(own))}"
        )
    try:
        return json.dumps(said | given, allow_nan=False)
    # Besides types: numbers that are not finite, lists that hold themselves.
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(
            "`metadata` must be a dict of what JSON can hold, such as {'preset': 'digits', "
            f"'labels': ['0', '1']}}. Received: {given!r} ({error})"
        ) from error


def into_tflite(content: bytes, text: str) -> bytes:
    """Adds the text to the bytes of a TFLite model."""
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data = list(text.encode())
    entry.name, entry.buffer = KEY, len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [*(model.metadata or []), entry]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _of_tflite(content: bytes) -> bytes | None:
    # All of it, and not the entry alone, which stands before the weights: half a file is none.
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    for entry in model.metadata or []:
        if entry.name == KEY.encode():
            return bytes(model.buffers[entry.buffer].data)
    return None


def _of_onnx(content: bytes) -> str | None:
    model = onnx_package("onnx").load_from_string(content)
    return {entry.key: entry.value for entry in model.metadata_props}.get(KEY)


def _hash(generator: keras.Model) -> str:
    """SHA-256 of the weights, one after the other."""
    found = hashlib.sha256()
    for variable in generator.weights:
        found.update(variable.numpy().tobytes())
    return found.hexdigest()
