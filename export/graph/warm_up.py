"""Requests that TF Serving runs before it says that a model is ready.

A file of `PredictionLog` records in `assets.extra`, in TF Serving's own messages.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

# Where TF Serving looks, at most 1,000 records.
FILE = "assets.extra/tf_serving_warmup_requests"


def write(folder: Path, name: str, examples: Mapping[str, Mapping[str, Any]]) -> Path:
    """Writes one request for each signature.

    Args:
        folder: of the SavedModel.
        name: of the model.
        examples: signatures to inputs, arrays by name.

    Returns:
        The path of the file.
    """
    path = folder / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as file:
        for signature, inputs in examples.items():
            log = prediction_log_pb2.PredictionLog()
            request = log.predict_log.request
            request.model_spec.name, request.model_spec.signature_name = name, signature
            for key, value in inputs.items():
                request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
            file.write(log.SerializeToString())
    return path
