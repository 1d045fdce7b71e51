"""Requests that TF Serving runs before it says that a model is ready.

A file of `PredictionLog` records in `assets.extra`. The messages are few and nested only: written
out here, they need no package of TF Serving's, and a test reads them back with that package.
"""

import tensorflow as tf

# Where TF Serving looks, at most 1,000 records.
FILE = "assets.extra/tf_serving_warmup_requests"


def write(folder, name, examples):
    """Writes one request for each signature.

    Args:
        folder: `pathlib.Path` of the SavedModel.
        name: of the model.
        examples: signatures to inputs, arrays by name.

    Returns:
        The path of the file.
    """
    path = folder / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as file:
        for signature, inputs in examples.items():
            file.write(_prediction_log(name, signature, inputs))
    return path


def _prediction_log(name, signature, inputs):
    # PredictionLog.predict_log = 6, PredictLog.request = 1; PredictRequest.model_spec = 1 and
    # .inputs = 2, a map of key = 1 to value = 2; ModelSpec.name = 1 and .signature_name = 3.
    spec = _field(1, name.encode()) + _field(3, signature.encode())
    request = _field(1, spec)
    for key, value in inputs.items():
        tensor = tf.make_tensor_proto(value).SerializeToString()
        request += _field(2, _field(1, key.encode()) + _field(2, tensor))
    return _field(6, _field(1, request))


def _field(number, content):
    """A field of bytes, text or a message, as protocol buffers write it: wire type 2."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value):
    """Seven bits a byte, the lowest first; the eighth says that more follow.

    >>> _varint(300).hex()
    'ac02'
    """
    digits = bytearray()
    while value > 127:
        digits.append(value & 127 | 128)
        value >>= 7
    digits.append(value)
    return bytes(digits)
