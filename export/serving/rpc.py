"""TF Serving's gRPC interface, for predictions; on its own message classes."""

import importlib.util
from concurrent import futures
from typing import Any

import tensorflow as tf
from google.protobuf import any_pb2

from keras_gans.export.serving import tensors
from keras_gans.export.serving.models import Models, RequestError

NEEDED = (
    "gRPC needs the packages `grpcio` and `tensorflow-serving-api`: "
    "pip install 'keras-gans[serving]'. REST works without."
)


def installed() -> bool:
    """Returns whether the packages of gRPC are there."""
    return importlib.util.find_spec("tensorflow_serving") is not None


def server(models: Models, port: int, max_bytes: int) -> tuple[Any, int]:
    """Returns a `grpc.Server` on loopback, and its port.

    Args:
        models: a `Models`.
        port: 0 for a free one.
        max_bytes: the largest request.

    Raises:
        ModuleNotFoundError: without the packages of the extra `serving`.
        OSError: if the port is taken.
    """
    try:
        import grpc
        from tensorflow_serving.apis import (
            get_model_metadata_pb2,
            get_model_status_pb2,
            model_service_pb2_grpc,
            predict_pb2,
            prediction_service_pb2_grpc,
        )
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(NEEDED) from error

    def answering(method):
        def call(self, request, context):
            try:
                return method(request)
            except RequestError as error:
                code, message = error.code, str(error)
            except Exception as error:  # an error of ours must still be a reply
                said = f"{type(error).__name__}: {error}"[:1000]
                code, message = "INTERNAL", f"The server failed, which is its fault: {said}"
            context.abort(grpc.StatusCode[code], message)

        return call

    def loaded(spec):
        if spec.HasField("version_label"):
            raise tensors.invalid("Version labels are not known here. Ask for a version by number.")
        return models.get(spec.name, spec.version.value if spec.HasField("version") else None)

    def predict(request):
        spec = request.model_spec
        model = loaded(spec)
        specs = model.specs(spec.signature_name)
        model.require_names(specs, request.inputs)
        inputs = {
            name: tensors.from_proto(name, request.inputs[name], specs[name], max_bytes)
            for name in specs
        }
        made = model.predict(spec.signature_name, inputs)
        wanted = list(request.output_filter) or list(made)
        unknown = sorted(set(wanted) - set(made))
        if unknown:
            raise tensors.invalid(f"output tensor alias not found in signature: {unknown[0]}")
        response = predict_pb2.PredictResponse()
        _answered(response.model_spec, spec, model)
        response.model_spec.signature_name = spec.signature_name or "serving_default"
        for name in wanted:
            response.outputs[name].CopyFrom(tf.make_tensor_proto(made[name]))
        return response

    def metadata(request):
        if list(request.metadata_field) != ["signature_def"]:
            raise tensors.invalid('Metadata field must be "signature_def"')
        model = loaded(request.model_spec)
        signatures = get_model_metadata_pb2.SignatureDefMap(signature_def=model.signature_defs)
        packed = any_pb2.Any()
        packed.Pack(signatures)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        _answered(response.model_spec, request.model_spec, model)
        response.metadata["signature_def"].CopyFrom(packed)
        return response

    def status(request):
        spec = request.model_spec
        version = spec.version.value if spec.HasField("version") else None
        response = get_model_status_pb2.GetModelStatusResponse()
        for number, state, code, message in models.status(spec.name, version):
            row = response.model_version_status.add(version=number, state=state)
            row.status.error_code = 0 if code == "OK" else 2
            row.status.error_message = message
        return response

    class Prediction(prediction_service_pb2_grpc.PredictionServiceServicer):
        Predict = answering(predict)
        GetModelMetadata = answering(metadata)

    class Model(model_service_pb2_grpc.ModelServiceServicer):
        GetModelStatus = answering(status)

    options = [
        ("grpc.max_receive_message_length", max_bytes),
        ("grpc.max_send_message_length", -1),
        ("grpc.so_reuseport", 0),
    ]
    pool = futures.ThreadPoolExecutor(8)
    made = grpc.server(pool, options=options, maximum_concurrent_rpcs=64)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Prediction(), made)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(Model(), made)
    try:
        port = made.add_insecure_port(f"127.0.0.1:{port}")
    except RuntimeError as error:
        raise OSError(f"The port cannot be listened on. Received: {port} ({error})") from error
    return made, port


def _answered(filled, asked, model):
    filled.name = asked.name
    filled.version.value = model.version
