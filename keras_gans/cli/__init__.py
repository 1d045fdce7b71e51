"""The command line: `keras-gans VERB`. Each verb is a file: what it takes, and what it calls.

A file of a verb has a `DESCRIPTION`, `add_arguments(command)` and `run(arguments)`. Nothing above
their functions imports TensorFlow, so that help and lists come at once.
"""

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from absl import app, logging
from absl.flags import argparse_flags

from keras_gans import terminal
from keras_gans.cli import (
    age,
    doctor,
    edit,
    evaluate,
    export,
    generate,
    interpolate,
    project,
    serve,
    train,
    translate,
    upscale,
    zoo,
)
from keras_gans.names import printable
from keras_gans.terminal import say

# In the order of the help.
VERBS = {
    "train": train,
    "generate": generate,
    "interpolate": interpolate,
    "project": project,
    "age": age,
    "edit": edit,
    "translate": translate,
    "upscale": upscale,
    "evaluate": evaluate,
    "export": export,
    "serve": serve,
    "zoo": zoo,
    "doctor": doctor,
}

# Verbs that go on where they were stopped.
_RESUMED = ("train", "translate", "upscale")


class _Parser(argparse_flags.ArgumentParser):
    """Repeats the words of a command only as they are safe to print."""

    def error(self, message: str) -> NoReturn:
        super().error(printable(message))


def run() -> None:
    """Entry point of the `keras-gans` command."""
    terminal.hide_notes()
    if sys.stdout is not None:  # a name of a file may hold what this terminal cannot show
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    warnings.formatwarning = lambda message, *where: f"keras-gans: {printable(message)}\n"
    try:
        app.run(main, flags_parser=parse)
    except KeyboardInterrupt:  # before `main`, or in its last words
        sys.exit(130)


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Reads the words of a command.

    >>> parse(["keras-gans", "generate", "dcgan_digits_28", "--seeds", "0-2,7"]).seeds
    [0, 1, 2, 7]

    Args:
        argv: the name of the program, then the words.

    Returns:
        The values by name, and as `do` the function to call with them.

    Raises:
        SystemExit: for words that no verb takes, after a line on standard error.
    """
    parser = _Parser(
        prog="keras-gans",
        description="Train, use and export generative adversarial networks.",
        allow_abbrev=False,  # or `--run` is taken for the start of absl's `--run_with_pdb`
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, verb in VERBS.items():
        command = verbs.add_parser(name, help=verb.DESCRIPTION, description=verb.DESCRIPTION)
        command.set_defaults(do=verb.run)
        verb.add_arguments(command)
    return parser.parse_args(argv[1:])


def main(arguments: argparse.Namespace) -> int:
    """Runs a verb. A mistake of the user is one line on standard error, not a traceback.

    Args:
        arguments: as `parse` returns them.

    Returns:
        The exit code.
    """
    logging.set_verbosity(logging.WARNING)  # TFDS logs every file that it opens
    try:
        _require_sources(arguments)
        status = arguments.do(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where an error still has a line
        return status
    except KeyboardInterrupt:
        again = " Run the same command again to go on." if arguments.verb in _RESUMED else ""
        say(f"\nkeras-gans: stopped.{again}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read the output has gone, as `| head` does. Python writes the rest at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141  # as a process that SIGPIPE ended
    except MemoryError as error:
        say(
            "keras-gans: There is not enough memory for that. Ask for fewer, or smaller, images. "
            f"Received: {error or 'no more memory'}",
            file=sys.stderr,
        )
        return 1
    except (ValueError, OSError, ImportError, FloatingPointError, OverflowError) as error:
        notes = " ".join(getattr(error, "__notes__", []))
        say(f"keras-gans: {error} {notes}".rstrip(), file=sys.stderr)
        return 1


def _require_sources(arguments: argparse.Namespace) -> None:
    """Refuses an unknown preset and an unreadable recipe before TensorFlow loads: seconds."""
    from keras_gans.zoo.catalog import addresses, presets
    from keras_gans.zoo.runs import fields

    for argument in ("recipe", "source", "initial"):
        source = getattr(arguments, argument, None)
        if source is None or addresses.is_address(source) or Path(source, "config.json").is_file():
            continue
        if argument == "recipe" and Path(source).suffix == ".json":
            fields.read(source)
        elif not (arguments.verb == "evaluate" and Path(source).is_dir()):
            presets.card(source)
