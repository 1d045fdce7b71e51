"""A server for trying an export on a laptop. Production is TF Serving."""

import contextlib
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from keras_gans.export.serving import rpc
from keras_gans.export.serving.models import Models
from keras_gans.export.serving.rest import RestServer

# The ports of TF Serving.
PORT, REST_PORT = 8500, 8501


class Server:
    """Answers TF Serving's REST and gRPC requests for predictions, on loopback only.

    The newest version of each model is served; a newer one is loaded as its folder appears, and the
    older is served until then.

    >>> generator = keras_gans.networks.dcgan_generator((16, 16, 1), width=4)
    >>> path = keras_gans.export.saved_model(generator, "models/digits")
    >>> with keras_gans.export.serving.Server("models", port=None, rest_port=0) as server:
    ...     client = keras_gans.export.serving.Client("digits", server.rest_address)
    ...     images = client.generate_png(seed=7, num_images=3)
    >>> len(images), images[0][:4]
    (3, b'\\x89PNG')

    Args:
        folder: of a model, with versions inside; or of several such folders.
        port: of gRPC, which needs the extra `serving`; 0 for a free one, `None` to do without.
        rest_port: of REST; 0 for a free one.
        max_bytes: the largest request.
        poll_seconds: how often to look for a new version.
        allow_hosts: names that a request's `Host` may give beside those of loopback, for a proxy
            in front of this server. A web page that has its own name point to this machine is so
            refused.

    Attributes:
        address: of gRPC, "host:port", or `None`.
        rest_address: of REST, "http://host:port".

    Raises:
        ValueError: if no model is there, or none of them can be loaded.
        OSError: if a port is taken.
        ModuleNotFoundError: for gRPC, without the extra.
    """

    def __init__(
        self,
        folder: Path | str,
        port: int | None = PORT,
        rest_port: int = REST_PORT,
        max_bytes: int = 32 * 2**20,
        poll_seconds: float = 1.0,
        allow_hosts: Sequence[str] = (),
    ) -> None:
        self.models = Models(folder)
        self.news = self.models.refresh()
        if not self.models.names():
            raise ValueError(
                "None of the models can be loaded. Export them again. "
                f"Received: {folder}, {self.news[0][2] if self.news else 'nothing'}"
            )
        self._grpc, self.address = None, None
        if port is not None:
            self._grpc, port = rpc.server(self.models, port, max_bytes)
            self.address = f"127.0.0.1:{port}"
        self._rest = RestServer(self.models, rest_port, max_bytes, allow_hosts)
        self.rest_address = f"http://127.0.0.1:{self._rest.server_port}"
        self._poll_seconds, self._stopped = poll_seconds, threading.Event()

    def __enter__(self) -> "Server":
        self._rest.start()
        if self._grpc:
            self._grpc.start()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped.set()
        self._rest.stop()
        if self._grpc:
            self._grpc.stop(grace=1).wait()
        self._watcher.join()

    def wait(self) -> None:
        """Returns when the server is stopped, by another thread or an interruption."""
        self._stopped.wait()

    def _watch(self):
        while not self._stopped.wait(self._poll_seconds):
            # A folder that cannot be read now may be there at the next look.
            with contextlib.suppress(OSError):
                self.say(self.models.refresh())

    def say(self, news: Iterable[tuple[str, int, Any]]) -> None:
        """Says what was loaded, and what could not be."""
        for name, version, error in news:
            _say(f"{name}: version {version} " + (f"fails: {error}" if error else "is served"))


def _say(text: str) -> None:
    # Nobody may be reading any more: the server goes on all the same.
    with contextlib.suppress(OSError, ValueError):
        print(text, flush=True)


def serve(
    folder: Path | str,
    port: int = PORT,
    rest_port: int = REST_PORT,
    allow_hosts: Sequence[str] = (),
) -> None:
    """`Server`, until it is interrupted, with a line for each address and model.

    Args:
        folder: as of `Server`.
        port: of gRPC. Without the extra `serving` there is REST alone, and that is said.
        rest_port: of REST.
        allow_hosts: as of `Server`.
    """
    if not rpc.installed():
        port = None
    with Server(folder, port, rest_port, allow_hosts=allow_hosts) as server:
        server.say(server.news)
        _say(f"REST  {server.rest_address}/v1/models/{server.models.names()[0]}")
        _say(f"gRPC  {server.address}" if server.address else rpc.NEEDED)
        _say("For trying an export on this machine; in production use TF Serving. Ctrl-C stops.")
        server.wait()
