"""Workers find each other before TensorFlow waits without a word."""

import contextlib
import json
import socket
import socketserver
import threading
import time


def meet(cluster, job, index, seconds=600):
    """Waits until every worker of a cluster is there and names the same cluster.

    TensorFlow waits for one that does not come, or that was told of another number of workers, and
    then neither says so nor can be interrupted. Here each listens on its own address, which
    TensorFlow takes over, and asks all the others.

    Args:
        cluster: jobs to lists of addresses, as in `TF_CONFIG`.
        job: of this worker, such as `"worker"`.
        index: of this worker in its job.
        seconds: to wait.

    Raises:
        ValueError: for a worker that names another cluster.
        TimeoutError: for workers that have not answered in time.
        OSError: if this worker cannot listen on its own address.
    """
    own, everyone = cluster[job][index], {address for job in cluster.values() for address in job}
    said = {"from": own, "cluster": cluster}
    asked_by, answers = {own: said}, {own: said}

    class Answer(socketserver.StreamRequestHandler):
        def handle(self):
            self.request.settimeout(5)
            question = json.loads(self.rfile.readline())
            self.wfile.write(json.dumps(said).encode() + b"\n")
            asked_by[question["from"]] = question

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = daemon_threads = True

        def handle_error(self, request, address):
            """Nothing: what somebody else asks, or breaks off, is no question of a worker's."""

    def ask(address):
        host, port = address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=5) as peer:
            peer.sendall(json.dumps(said).encode() + b"\n")
            answers[address] = json.loads(peer.makefile().readline())

    give_up = time.monotonic() + seconds
    with Server(("", int(own.rsplit(":", 1)[1])), Answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
        try:
            while missing := everyone - (answers.keys() & asked_by.keys()):
                for address in missing - answers.keys():
                    with contextlib.suppress(OSError, ValueError):  # not there, or not a worker
                        ask(address)
                _require_one_cluster(cluster, [*answers.values(), *asked_by.values()])
                if time.monotonic() > give_up:
                    raise TimeoutError(
                        "Not all workers are there. Start the same command on every machine, and "
                        "see that they reach each other's ports. Received: no answer in "
                        f"{seconds} seconds from {sorted(missing)}"
                    )
                time.sleep(0.2)
        finally:
            server.shutdown()


def _require_one_cluster(cluster, others):
    for other in others:
        if other["cluster"] != cluster:
            raise ValueError(
                "Workers were told of different clusters. Give all of them the same in TF_CONFIG, "
                f"each with its own index. Received: {cluster} here, {other['cluster']} at "
                f"{other['from']}"
            )
