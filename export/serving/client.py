"""A client of TF Serving, and of `keras-gans serve`, that needs the standard library only.

The file can be copied: it imports nothing of this library. `GrpcClient` alone needs more, the
packages `grpcio` and `tensorflow-serving-api`.
"""

import base64
import contextlib
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["Client", "GrpcClient", "ServingError"]


class ServingError(Exception):
    """What a server returns instead of a prediction.

    Attributes:
        status: HTTP status, or the name of gRPC's code; `None` if nothing was asked, or no server
            replies.
    """

    def __init__(self, status: int | str | None, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Client:
    """What is asked of a generator, whatever the way."""

    def __init__(
        self, model: str, address: str, version: int | None = None, timeout: float = 60
    ) -> None:
        self.model, self.address = model, address
        self.version, self.timeout = version, timeout
        self._signatures = {}

    def _signature(self, name: str) -> Any:
        """What the server says of a signature, asked once."""
        if name not in self._signatures:
            known = self._all_signatures()
            if name not in known:
                names = sorted(key for key in known if not key.startswith("_"))
                raise ServingError(None, f"The model has no signature {name!r}, but {names}.")
            self._signatures[name] = known[name]
        return self._signatures[name]

    def generate(self, num_images: int = 1, *, seed: int, **given: Any) -> Any:
        """Makes images of a seed.

        Args:
            num_images: how many; fewer are the first of more.
            seed: integer of 64 bits.
            **given: `truncation`, and what the generator takes beside: `labels`, or conditions by
                their names, lists of one for each image or of one for all, as numbers (their names
                are in `keras_gans.export.metadata` of the SavedModel); `categorical`,
                `continuous`: lists of an InfoGAN's codes. What is left out is drawn, or in turn.

        Returns:
            uint8 images, `(num_images, height, width, channels)`: nested lists by REST, a NumPy
            array by gRPC. Of a generator that makes several, a dict of them by name.
        """
        return _alone(self._choose("generate", _drawn(num_images, seed), given))

    def generate_png(self, num_images: int = 1, *, seed: int, **given: Any) -> Any:
        """As `generate`, a list of PNG files as `bytes`."""
        made = self._choose("generate_png", _drawn(num_images, seed), given)
        return _alone({name: list(files) for name, files in made.items()})

    def _choose(
        self, signature: str, inputs: Mapping[str, Any], given: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Runs a signature on inputs and what is given beside; the rest is left to the server."""
        inputs = {**inputs, **given}
        # What it takes differs from generator to generator: the server says.
        known = self.inputs(signature)
        if not inputs.keys() <= set(known):
            raise ValueError(
                f"This generator takes nothing of that name. Expected {sorted(known)}. "
                f"Received: {sorted(inputs.keys() - set(known))}"
            )
        return self.predict({name: [] for name in known} | inputs, signature)

    def translate(self, images: Sequence[bytes], **given: Any) -> Any:
        """Translates images: a list of PNG, JPEG, GIF or BMP files as `bytes`, to PNG files.

        Args:
            images: the files.
            **given: `labels`, of a generator that takes some, as for `generate`.
        """
        made = self._choose("translate", {"image_bytes": _files(images)}, given)
        return _alone({name: list(files) for name, files in made.items()})

    def translate_stochastic(self, images: Sequence[bytes], seeds: Sequence[int]) -> Any:
        """As `translate`, with the noise of a seed for each image."""
        inputs = {"image_bytes": _files(images), "seed": list(seeds)}
        made = self.predict(inputs, "translate_stochastic")
        return _alone({name: list(files) for name, files in made.items()})


def _drawn(num_images: int, seed: int) -> dict[str, Any]:
    return {"seed": seed, "num_images": num_images, "truncation": 0.0}


def _alone(outputs: dict[str, Any]) -> Any:
    """The only output, or all of them by name."""
    return next(iter(outputs.values())) if len(outputs) == 1 else outputs


class Client(_Client):
    """Asks a server by REST.

    Args:
        model: name of the model.
        address: of the server.
        version: integer, or `None` for the newest.
        timeout: seconds to wait for a reply.
    """

    def __init__(
        self,
        model: str,
        address: str = "http://127.0.0.1:8501",
        version: int | None = None,
        timeout: float = 60,
    ) -> None:
        if not address.startswith(("http://", "https://")):
            raise ValueError(
                "Expected the address of a server, such as http://127.0.0.1:8501. "
                f"Received: {address!r}"
            )
        super().__init__(model, address.rstrip("/"), version, timeout)

    def predict(
        self, inputs: Mapping[str, Any], signature: str = "serving_default"
    ) -> dict[str, Any]:
        """Runs a signature on inputs by name; bytes are sent and returned as bytes.

        Returns:
            The outputs by name, numbers as nested lists.

        Raises:
            ServingError: for what the server refuses, or if there is none.
        """
        body = {"signature_name": signature, "inputs": _to_json(inputs)}
        outputs = self._ask(":predict", body, "outputs")
        with self._expected():
            outputs, names = _from_json(outputs), list(self._signature(signature)["outputs"])
            return {names[0]: outputs} if len(names) == 1 else outputs

    def predict_rows(
        self, rows: Sequence[Mapping[str, Any]], signature: str = "serving_default"
    ) -> list[Any]:
        """Runs a signature on a list of rows, each inputs by name, and returns a list of rows."""
        body = {"signature_name": signature, "instances": _to_json(rows)}
        rows = self._ask(":predict", body, "predictions")
        with self._expected():
            return _from_json(rows)

    def inputs(self, signature: str = "serving_default") -> list[str]:
        """Returns the names of what a signature takes."""
        with self._expected():
            return list(self._signature(signature)["inputs"])

    def metadata(self) -> dict[str, Any]:
        """Returns what the server says of the model's signatures."""
        return self._ask("/metadata")

    def status(self) -> dict[int, str]:
        """Returns the states of the model's versions, by integer: `"AVAILABLE"` is served."""
        rows = self._ask("", None, "model_version_status")
        with self._expected():
            return {int(row["version"]): row["state"] for row in rows}

    def _all_signatures(self) -> dict[str, Any]:
        found = self._ask("/metadata", None, "metadata")
        with self._expected():
            return found["signature_def"]["signature_def"]

    @contextlib.contextmanager
    def _expected(self) -> Iterator[None]:
        """Raises ServingError where an answer is not what a server of TF Serving's kind sends."""
        try:
            yield
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise ServingError(
                None,
                f"The answer from {self.address} is not TF Serving's. Is another program at that "
                f"address? Received: {type(error).__name__}: {error}"[:1000],
            ) from error

    def _ask(self, verb: str, body: Any = None, key: str | None = None) -> Any:
        version = "" if self.version is None else f"/versions/{self.version}"
        name = urllib.parse.quote(self.model, safe="")
        try:
            data = None if body is None else json.dumps(body).encode()
        except (TypeError, ValueError) as error:
            raise ValueError(
                "The inputs cannot be sent as JSON. Expected numbers, strings, bytes, lists and "
                f"arrays of them. Received: {error}"
            ) from error
        request = urllib.request.Request(
            f"{self.address}/v1/models/{name}{version}{verb}",
            data=data,
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode(errors="replace")
            with contextlib.suppress(ValueError, TypeError, KeyError):  # another server's page
                text = json.loads(text)["error"]
            raise ServingError(error.code, str(text)) from None
        except (OSError, http.client.HTTPException) as error:
            raise ServingError(None, f"No answer from {self.address}: {error}") from error
        with self._expected():
            answer = json.loads(text)
            return answer if key is None else answer[key]


class GrpcClient(_Client):
    """Asks a server by gRPC: the same methods, with NumPy arrays, and less to send.

    Args:
        model: name of the model.
        address: of the server, "host:port".
        version: integer, or `None` for the newest.
        timeout: seconds to wait for a reply.
    """

    def __init__(
        self,
        model: str,
        address: str = "127.0.0.1:8500",
        version: int | None = None,
        timeout: float = 60,
    ) -> None:
        import grpc
        from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

        super().__init__(model, address, version, timeout)
        unbounded = [("grpc.max_receive_message_length", -1)]
        self._channel = grpc.insecure_channel(address, options=unbounded)
        self._predictions = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)

    def close(self) -> None:
        """Ends the connection."""
        self._channel.close()

    def predict(
        self, inputs: Mapping[str, Any], signature: str = "serving_default"
    ) -> dict[str, Any]:
        """Runs a signature on inputs by name, and returns NumPy arrays by name.

        Raises:
            ServingError: for what the server refuses, or if there is none.
        """
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2

        request = self._filled(predict_pb2.PredictRequest())
        request.model_spec.signature_name = signature
        known = self._signature(signature).inputs
        for name, value in inputs.items():
            dtype = known[name].dtype if name in known else None
            try:
                request.inputs[name].CopyFrom(tf.make_tensor_proto(value, dtype))
            except (TypeError, ValueError, OverflowError) as error:
                wanted = "a tensor" if dtype is None else tf.dtypes.as_dtype(dtype).name
                raise ValueError(
                    f"The input {name!r} cannot be sent. Expected values of type {wanted}, in rows "
                    f"of one length. Received: {error}"
                ) from error
        outputs = self._call(self._predictions.Predict, request).outputs
        try:
            return {name: tf.make_ndarray(value) for name, value in outputs.items()}
        except (TypeError, ValueError) as error:
            raise ServingError(None, f"The answer holds no tensors: {error}") from error

    def inputs(self, signature: str = "serving_default") -> list[str]:
        """Returns the names of what a signature takes."""
        return list(self._signature(signature).inputs)

    def status(self) -> dict[int, str]:
        """Returns the states of the model's versions, by integer: `"AVAILABLE"` is served."""
        from tensorflow_serving.apis import get_model_status_pb2

        request = self._filled(get_model_status_pb2.GetModelStatusRequest())
        rows = self._call(self._models.GetModelStatus, request).model_version_status
        return {row.version: type(row).State.Name(row.state) for row in rows}

    def _all_signatures(self) -> dict[str, Any]:
        from tensorflow_serving.apis import get_model_metadata_pb2

        request = self._filled(get_model_metadata_pb2.GetModelMetadataRequest())
        request.metadata_field.append("signature_def")
        answer = self._call(self._predictions.GetModelMetadata, request)
        known = get_model_metadata_pb2.SignatureDefMap()
        answer.metadata["signature_def"].Unpack(known)
        return dict(known.signature_def)

    def _filled(self, request: Any) -> Any:
        request.model_spec.name = self.model
        if self.version is not None:
            request.model_spec.version.value = self.version
        return request

    def _call(self, method: Any, request: Any) -> Any:
        import grpc

        try:
            return method(request, timeout=self.timeout)
        except grpc.RpcError as error:
            raise ServingError(error.code().name, error.details()) from None


def _files(images: Any) -> list[bytes]:
    """A list of files, each its bytes."""
    images = [images] if isinstance(images, (bytes, str)) or hasattr(images, "open") else images
    images = list(images)
    if not images or not all(isinstance(image, bytes) for image in images):
        kinds = sorted({type(image).__name__ for image in images})
        raise ValueError(
            "Expected a list of image files as `bytes`, at least one: read a file by "
            f"`Path(name).read_bytes()`. Received: {', '.join(kinds) or 'an empty list'}"
        )
    return images


def _to_json(value: Any) -> Any:
    """Bytes as TF Serving wants them, in base64; arrays as lists."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {key: _to_json(item) for key, item in value.items()}
    return [_to_json(item) for item in value] if isinstance(value, (list, tuple)) else value


def _from_json(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"b64"}:
            return base64.b64decode(value["b64"])
        return {key: _from_json(item) for key, item in value.items()}
    return [_from_json(item) for item in value] if isinstance(value, list) else value
