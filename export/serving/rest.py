"""TF Serving's REST interface, for predictions: tensorflow.org/tfx/serving/api_rest."""

import base64
import contextlib
import http.server
import json
import re
import socket
import threading
import urllib.parse
from collections.abc import Iterator, Sequence

from google.protobuf import json_format

from keras_gans.export.serving import tensors
from keras_gans.export.serving.models import Models, RequestError

_MODEL = r"/v1/models/(?P<name>[^/:]+)(?:/versions/(?P<version>[0-9]{1,18}))?"
_PREDICT = re.compile(_MODEL + r":predict")
_STATUS = re.compile(_MODEL + r"(?P<metadata>/metadata)?")
# Of gRPC's codes, as TF Serving translates them.
_HTTP = {
    "INVALID_ARGUMENT": 400,
    "NOT_FOUND": 404,
    "OUT_OF_RANGE": 400,
    "RESOURCE_EXHAUSTED": 503,
    "UNIMPLEMENTED": 501,
}
# Names of this machine. Another one is a web page's, which had its name point here.
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
# Numbers, strings and lists of a body.
_MAX_VALUES = 2**22


class RestServer(http.server.ThreadingHTTPServer):
    """Answers on loopback, a thread for each connection.

    Args:
        models: a `Models`.
        port: 0 for a free one.
        max_bytes: the largest request; of all that are answered at one time, four times as much.
        allow_hosts: what `Host` may say beside the names of loopback.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self, models: Models, port: int, max_bytes: int, allow_hosts: Sequence[str] = ()
    ) -> None:
        self.models, self.max_bytes = models, max_bytes
        self.hosts = {*_LOOPBACK, *(host.lower() for host in allow_hosts)}
        self._held, self._lock = 0, threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    @contextlib.contextmanager
    def room(self, number: int) -> Iterator[None]:
        """Holds so many bytes for a request, or refuses it."""
        with self._lock:
            if self._held + number > 4 * self.max_bytes:
                raise _HttpError(503, "The server is busy with other requests. Ask again later.")
            self._held += number
        try:
            yield
        finally:
            with self._lock:
                self._held -= number


class _HttpError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60  # of a connection on which nothing comes
    # Headers and body are two writes: the second would wait 40 ms for the first to be confirmed.
    disable_nagle_algorithm = True

    def do_GET(self):
        self._answer(self._get)

    def do_POST(self):
        self._answer(self._post)

    def _get(self):
        found = _STATUS.fullmatch(self._path())
        if not found:
            raise _HttpError(404, f"Malformed request: GET {self.path[:200]}")
        name, version = _model(found)
        models = self.server.models
        if not found["metadata"]:
            keys = ("version", "state", "error_code", "error_message")
            rows = [dict(zip(keys, row)) for row in models.status(name, version)]
            return {
                "model_version_status": [
                    {
                        "version": str(row["version"]),
                        "state": row["state"],
                        "status": {k: row[k] for k in keys[2:]},
                    }
                    for row in rows
                ]
            }
        loaded = models.get(name, version)
        options = {"preserving_proto_field_name": True}
        signatures = {
            key: json_format.MessageToDict(
                value, always_print_fields_with_no_presence=True, **options
            )
            for key, value in loaded.signature_defs.items()
        }
        spec = {"name": name, "signature_name": "", "version": str(loaded.version)}
        return {"model_spec": spec, "metadata": {"signature_def": {"signature_def": signatures}}}

    def _post(self):
        length = self._length()
        with self.server.room(length):
            return self._predict(self._body(length))

    def _predict(self, body):
        found = _PREDICT.fullmatch(self._path())
        if not found:
            raise _HttpError(404, f"Malformed request: POST {self.path[:200]}")
        loaded = self.server.models.get(*_model(found))
        request = _parsed(body)
        name = request.get("signature_name", "")
        if not isinstance(name, str):
            raise tensors.invalid("'signature_name' key must be a string value.")
        specs = loaded.specs(name)
        if ("instances" in request) == ("inputs" in request):
            raise tensors.invalid("Expected one of the keys 'instances' and 'inputs'.")
        if "inputs" in request:
            made = loaded.predict(name, _columns(request["inputs"], specs))
            made = {key: _plain(key, array) for key, array in made.items()}
            return {"outputs": _only(made)}
        made = loaded.predict(name, _rows(request["instances"], specs))
        sizes = {array.shape[:1] for array in made.values()}
        if sizes != {(len(request["instances"]),)}:
            raise tensors.invalid(
                "This signature does not work row by row. Ask it with 'inputs' for 'instances'."
            )
        made = {key: _plain(key, array) for key, array in made.items()}
        rows = [dict(zip(made, row)) for row in zip(*made.values())]
        return {"predictions": [_only(row) for row in rows]}

    def _path(self):
        return self.path.partition("?")[0]

    def _check_host(self):
        given = [host.lower() for host in self.headers.get_all("Host", [])]
        if len(given) != 1 or re.sub(r":[0-9]*\Z", "", given[0]) not in self.server.hosts:
            raise _HttpError(
                403,
                "Expected one `Host`, of this machine: localhost or 127.0.0.1, or what "
                f"`--allow-host` names. Received: {', '.join(given)[:200] or 'none'}",
            )

    def _length(self):
        """Bytes of the body, by headers that are as expected."""
        kind = self.headers.get_content_type() if "Content-Type" in self.headers else "no type"
        if kind != "application/json" or "Content-Encoding" in self.headers:
            raise _HttpError(
                415,
                "Expected a body of JSON, not compressed: `Content-Type: application/json`. "
                f"Received: {kind}, {self.headers.get('Content-Encoding', 'plain')}"[:400],
            )
        lengths = self.headers.get_all("Content-Length", [])
        if len(lengths) != 1 or not re.fullmatch("[0-9]{1,18}", lengths[0]) or self._chunked():
            raise _HttpError(
                411,
                f"Expected one `Content-Length`. Received: {', '.join(lengths)[:200] or 'none'}",
            )
        length = int(lengths[0])
        if length > self.server.max_bytes:
            raise _HttpError(
                413,
                f"The request is too large. Expected at most {self.server.max_bytes} bytes. "
                f"Received: {length}",
            )
        return length

    def _chunked(self):
        return "Transfer-Encoding" in self.headers

    def _body(self, length):
        body = self.rfile.read(length)
        if len(body) < length:
            raise _HttpError(400, f"The body ends after {len(body)} of {length} bytes.")
        self._taken = True
        return body

    def _answer(self, make):
        # A body that nobody expects is not taken either.
        bodiless = self.headers.get("Content-Length", "0") == "0" and not self._chunked()
        self._taken = self.command == "GET" and bodiless
        try:
            self._check_host()
            self._send(200, make())
        except _HttpError as error:
            self._send(error.status, {"error": str(error)})
        except RequestError as error:
            self._send(_HTTP.get(error.code, 500), {"error": str(error)})
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        except Exception as error:  # an error of ours must still be a reply
            said = f"{type(error).__name__}: {error}"[:1000]
            self._send(500, {"error": f"The server failed, which is its fault: {said}"})

    def _send(self, status, content):
        data = json.dumps(content).encode()
        # What was not read would be taken for the next request.
        self.close_connection = self.close_connection or not self._taken
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)
        if not self._taken:
            self._drain()

    def _drain(self):
        """Takes what still comes: closed upon it, the connection would lose the reply."""
        self.wfile.flush()
        self.connection.settimeout(1)
        left = max(4 * self.server.max_bytes, 2**26)
        try:
            self.connection.shutdown(socket.SHUT_WR)
            while left > 0 and (part := self.rfile.read1(2**16)):
                left -= len(part)
        except OSError:
            pass

    def send_error(self, code, message=None, explain=None):
        """What http.server itself has to refuse, as JSON too."""
        self._taken = False
        self.close_connection = True
        self._send(code, {"error": message or self.responses[code][0]})

    def log_message(self, *args):
        pass


def _model(found):
    version = found["version"]
    return urllib.parse.unquote(found["name"]), None if version is None else int(version)


def _parsed(body):
    # Each value costs about a hundred bytes once it is read, whatever it takes here.
    values = sum(body.count(mark) for mark in (b",", b"[", b"{"))
    if values > _MAX_VALUES:
        raise _HttpError(
            413, f"The request holds too many values. Expected {_MAX_VALUES}. Received: {values}"
        )
    try:
        request = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise tensors.invalid(f"JSON Parse error: {error}") from error
    if not isinstance(request, dict):
        raise tensors.invalid("Expected a JSON object.")
    return request


# ---- JSON to arrays


def _is_object(value):
    """An object that is no string in base64."""
    return isinstance(value, dict) and value.keys() != {"b64"}


def _columns(given, specs):
    if not _is_object(given):
        if len(specs) > 1:
            raise tensors.invalid(f"Expected an object with the inputs {sorted(specs)}.")
        given = {next(iter(specs)): given}
    missing = sorted(specs.keys() - given.keys())
    if missing:
        raise tensors.invalid(f"Missing named input: {', '.join(missing)} in 'inputs' object.")
    return {key: tensors.from_json(key, given[key], spec) for key, spec in specs.items()}


def _rows(given, specs):
    if not isinstance(given, list) or not given:
        raise tensors.invalid("Expected 'instances' to be a list of at least one row.")
    if not any(map(_is_object, given)) and len(specs) == 1:
        given = [{next(iter(specs)): row} for row in given]
    for number, row in enumerate(given):
        if not _is_object(row) or row.keys() != specs.keys():
            raise tensors.invalid(
                f"Failed to process element: {number} of 'instances' list. Keys must be equal to: "
                f"{','.join(sorted(specs))}"
            )
    return {
        key: tensors.from_json(key, [row[key] for row in given], spec)
        for key, spec in specs.items()
    }


# ---- arrays to JSON


def _plain(name, array):
    """As lists; strings under names that end in `_bytes` in base64."""
    if array.dtype != object:
        return array.tolist()

    def text(value):
        if isinstance(value, list):
            return [text(item) for item in value]
        return (
            {"b64": base64.b64encode(value).decode()}
            if name.endswith("_bytes")
            else value.decode(errors="replace")
        )

    return text(array.tolist())


def _only(made):
    """One output goes without its name."""
    return next(iter(made.values())) if len(made) == 1 else made
