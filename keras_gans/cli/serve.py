"""`keras-gans serve`: a small server, to try an export."""

import argparse
from pathlib import Path

DESCRIPTION = "Serve an export on this machine with TF Serving's protocol, to try it."


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds the arguments of the verb."""
    command.add_argument("folder", type=Path, help="exported/saved_model, or one model's folder")
    command.add_argument("--port", type=int, default=8500, metavar="N", help="of gRPC [8500]")
    command.add_argument("--rest-port", type=int, default=8501, metavar="N", help="of REST [8501]")
    command.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a `Host` that requests may give beside localhost, for a proxy; may be repeated",
    )


def run(arguments: argparse.Namespace) -> int:
    """Serves until it is stopped."""
    from keras_gans import export

    ports = arguments.port, arguments.rest_port
    export.serving.serve(arguments.folder, *ports, allow_hosts=arguments.allow_host)
    return 0
