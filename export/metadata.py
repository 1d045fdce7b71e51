"""What a written generator says of itself, inside its own file."""

import hashlib
import importlib.metadata
import json
from pathlib import Path

from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

# The entry of a TFLite file's metadata, and of an ONNX file's properties.
KEY = "keras_gans"


def metadata(path):
    """Reads what a `.tflite` or `.onnx` file says of its generator.

    >>> generator = keras_gans.networks.dcgan_generator((28, 28, 1))
    >>> more = {"preset": "digits", "licence": "Apache-2.0", "labels": list("0123456789")}
    >>> path = keras_gans.export.tflite(generator, "exported/described.tflite", metadata=more)
    >>> said = keras_gans.export.metadata(path)
    >>> said["preset"], said["precision"], said["value_range"]
    ('digits', 'float16', [-1, 1])

    Args:
        path: a file that `export.tflite` or `export.onnx` wrote.

    Returns:
        A dict: `library` (with its version), `precision`, `value_range` of the images,
        `weights_sha256` of the Keras weights, and whatever was given as `metadata`.

    Raises:
        ValueError: if the file cannot be read, or says nothing.
    """
    path = Path(path)
    if path.suffix not in (".tflite", ".onnx") or not path.is_file():
        raise ValueError(f"Expected a .tflite or .onnx file. Received: {path}")
    try:
        found = (_of_tflite if path.suffix == ".tflite" else _of_onnx)(path.read_bytes())
    # The readers meet damage in many ways: struct.error, TypeError, IndexError, DecodeError, ....
    except Exception as error:
        raise ValueError(f"That file cannot be read. Received: {path}, {error}") from error
    if found is None:
        raise ValueError(
            "That file says nothing of its generator: it was not written by `keras_gans.export`. "
            f"Received: {path}"
        )
    return json.loads(found)


def describe(generator, precision, value_range, given):
    """The text that goes into a file.

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
        "weights_sha256": _hash(generator),
    }
    try:
        return json.dumps(said | (given or {}))
    except TypeError as error:
        raise ValueError(
            "`metadata` must be a dict of what JSON can hold, such as {'preset': 'digits', "
            f"'labels': ['0', '1']}}. Received: {given!r} ({error})"
        ) from error


def into_tflite(content, text):
    """Adds the text to the bytes of a TFLite model."""
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data = list(text.encode())
    entry.name, entry.buffer = KEY, len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [*(model.metadata or []), entry]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _of_tflite(content):
    model = schema.Model.GetRootAsModel(content, 0)
    for index in range(model.MetadataLength()):
        entry = model.Metadata(index)
        if entry.Name() == KEY.encode():
            return model.Buffers(entry.Buffer()).DataAsNumpy().tobytes()
    return None


def _of_onnx(content):
    from keras_gans.export.onnx import require

    model = require("onnx").load_from_string(content)
    return {entry.key: entry.value for entry in model.metadata_props}.get(KEY)


def _hash(generator):
    """SHA-256 of the weights, one after the other."""
    found = hashlib.sha256()
    for variable in generator.weights:
        found.update(variable.numpy().tobytes())
    return found.hexdigest()
