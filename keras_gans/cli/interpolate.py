"""`keras-gans interpolate`: an animation from seed to seed."""

import argparse
import sys
from pathlib import Path
from typing import Any

from keras_gans.cli import options
from keras_gans.terminal import say

DESCRIPTION = "Animate the images between seeds, from the first to the last and back."


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds the arguments of the verb."""
    options.source(command)
    command.add_argument("--seeds", type=options.numbers, default="0-5", help="two or more [0-5]")
    options.labels(command)
    command.add_argument(
        "--steps",
        type=options.integer(1),
        default=20,
        metavar="N",
        help="frames from one seed to the next [20]",
    )
    command.add_argument(
        "--loops", type=options.integer(1), default=1, metavar="N", help="rows of animations [1]"
    )
    command.add_argument(
        "--interpolation",
        choices=["spherical", "linear"],
        default="spherical",
        help="along great circles, or along straight lines [spherical]",
    )
    command.add_argument("--lerp", action=_Lerp, nargs=0, help=argparse.SUPPRESS)
    options.truncation(command)
    options.psi(command)
    command.add_argument("--format", choices=["gif", "webp", "mp4"], help="[that of --output]")
    options.scale(command, "small images are enlarged")
    command.add_argument(
        "--duration",
        type=options.integer(10, 655_350),
        default=50,
        metavar="MS",
        help="milliseconds of a frame [50]",
    )
    options.output(command, help="file to write [interpolation.gif]", metavar="FILE")
    options.best(command)


class _Lerp(argparse.Action):
    """The old spelling of `--interpolation linear`."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        say("keras-gans: `--lerp` is now `--interpolation linear`.", file=sys.stderr)
        namespace.interpolation = "linear"


def run(arguments: argparse.Namespace) -> int:
    """Writes the animation."""
    from keras_gans import zoo

    output, wanted = arguments.output, arguments.format
    if output is None:
        output = Path(f"interpolation.{wanted or 'gif'}")
    elif wanted and output.suffix.lower() != f".{wanted}":
        raise ValueError(
            "The file's name says another format than `--format`. Leave one out, or let them "
            f"agree. Received: --format {wanted} --output {output}"
        )
    options.require_folder(output.parent, output.name)
    chosen = ("seeds", "steps", "loops", "truncation", "psi", "scale", "duration", "best")
    given = options.given(arguments, *chosen) | options.given_labels(arguments)
    path = zoo.interpolate(arguments.source, output, interpolation=arguments.interpolation, **given)
    say(f"The animation is in {path} ({path.stat().st_size / 1024:.0f} kB)")
    return 0
