"""The rendezvous of workers, before TensorFlow waits for them without a message."""

import contextlib
import json
import socket
import socketserver
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def wait_for_workers(
    cluster: Mapping[str, Sequence[str]], job: str, index: int, seconds: float = 600
) -> None:
    """Waits until every worker of a cluster has started, with the same description of the cluster.

    TensorFlow waits for a worker that does not start, or that has another number of workers in its
    `TF_CONFIG`, without a message, and cannot be interrupted then. Here each listens on its own
    address, which TensorFlow takes over, and asks all the others.

    Args:
        cluster: jobs to lists of addresses, as in `TF_CONFIG`.
        job: of this worker, such as `"worker"`.
        index: of this worker in its job.
        seconds: to wait.

    Raises:
        ValueError: for a worker with another cluster.
        TimeoutError: for workers that have not replied in time.
        OSError: if this worker cannot listen on its own address.
    """
    own, everyone = cluster[job][index], {address for job in cluster.values() for address in job}
    said = {"from": own, "cluster": cluster}
    asked_by, replies = {own: said}, {own: said}

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            self.request.settimeout(5)
            question = json.loads(self.rfile.readline())
            self.wfile.write(json.dumps(said).encode() + b"\n")
            asked_by[question["from"]] = question

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = daemon_threads = True

        def handle_error(self, request, address):
            """Ignores requests of other programs, and those that break off."""

    def ask(address):
        host, port = address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=5) as peer:
            peer.sendall(json.dumps(said).encode() + b"\n")
            replies[address] = json.loads(peer.makefile().readline())

    give_up = time.monotonic() + seconds
    with Server(("", int(own.rsplit(":", 1)[1])), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
        try:
            while missing := everyone - (replies.keys() & asked_by.keys()):
                for address in missing - replies.keys():
                    with contextlib.suppress(OSError, ValueError):  # not started, or not a worker
                        ask(address)
                _require_one_cluster(cluster, [*replies.values(), *asked_by.values()])
                if time.monotonic() > give_up:
                    raise TimeoutError(
                        "Not all workers are there. Start the same command on every machine, and "
                        "see that they reach each other's ports. Received: no reply in "
                        f"{seconds} seconds from {sorted(missing)}"
                    )
                time.sleep(0.2)
        finally:
            server.shutdown()


def _require_one_cluster(
    cluster: Mapping[str, Sequence[str]], others: Iterable[Mapping[str, Any]]
) -> None:
    for other in others:
        if other["cluster"] != cluster:
            raise ValueError(
                "Workers have different clusters. Give all of them the same in TF_CONFIG, "
                f"each with its own index. Received: {cluster} here, {other['cluster']} at "
                f"{other['from']}"
            )
