"""`keras-gans edit`: attributes of generated images, or of an image."""

import argparse
import contextlib
import os
import re
from pathlib import Path
from typing import Any

from keras_gans.cli import options
from keras_gans.terminal import say

DESCRIPTION = "Change attributes of an image, or find the directions to do so."


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds the arguments of the verb."""
    options.source(command)
    command.add_argument(
        "what",
        nargs="?",
        metavar="SEEDS|IMAGE",
        help="seeds such as 0-5, or an image file; without it, the directions are listed",
    )
    command.add_argument(
        "--change",
        action="append",
        type=_change,
        metavar="NAME=VALUE",
        help="a value, glasses=round or beard=none, or a strength along a direction, glasses=1 or "
        "hair:red=0.5; may be given several times",
    )
    command.add_argument(
        "--strength", type=float, metavar="X", help="of all changes: 2 goes twice as far [1]"
    )
    command.add_argument(
        "--strengths",
        type=options.floats,
        metavar="NUMBERS",
        help="of the strip, as multiples of the changes [-1,-0.5,0,0.5,1,1.5]",
    )
    command.add_argument(
        "--directions", type=Path, metavar="FILE", help="that --find wrote [the source's own]"
    )
    options.labels(command)
    command.add_argument(
        "--steps", type=options.integer(1), metavar="N", help="to find an image's latent [500]"
    )
    finding = command.add_argument_group("to find directions")
    finding.add_argument(
        "--find", action="store_true", help="label generated images, and find directions"
    )
    finding.add_argument("--judge", metavar="NAME", help="classifier [the data's own]")
    finding.add_argument(
        "--attribute",
        type=options.names,
        metavar="NAMES",
        help="only those, such as glasses,hair:red [all with enough samples]",
    )
    finding.add_argument(
        "--samples", type=options.integer(40), metavar="N", help="images to label [10000]"
    )
    finding.add_argument(
        "--measured",
        type=options.integer(0),
        metavar="N",
        help="images to edit along each direction, to measure it [200]",
    )
    finding.add_argument(
        "--method", choices=["classifier", "means"], help="way to a direction [classifier]"
    )
    finding.add_argument(
        "--not-orthogonal",
        action="store_const",
        const=False,
        dest="orthogonal",
        help="leave in a direction what it has of the other attributes' directions",
    )
    options.output(
        command, help="folder to write to [edited; with --find, the folder of a run]", metavar="DIR"
    )
    options.best(command)


def run(arguments: argparse.Namespace) -> int:
    """Lists directions, finds some, or writes edited images."""
    if arguments.find:
        return _find(arguments)
    if arguments.what is None:
        return _list(arguments)
    return _edit(arguments)


def _find(arguments: argparse.Namespace) -> int:
    from keras_gans import directions, zoo
    from keras_gans.zoo.inference.directions import FILE
    from keras_gans.zoo.loading import is_run

    if arguments.what is not None or arguments.change:
        raise ValueError(
            "Directions are found of a generator, not of an image. Leave the image, the seeds and "
            f"--change out, or --find. Received: {arguments.what or ''} {arguments.change or ''}"
        )
    own = is_run(arguments.source)
    folder = arguments.output or (Path(arguments.source) if own else Path("edited"))
    options.require_folder(folder, FILE)
    given = options.given(arguments, "judge", "samples", "measured", "method", "orthogonal", "best")
    found = zoo.find_directions(arguments.source, names=arguments.attribute, **given)
    path = directions.write(folder / FILE, found)
    _table(found)
    kept = own and folder.resolve() == Path(arguments.source).resolve()
    use = "" if kept else f" --directions {path}"
    name, _, value = next(iter(found)).partition(":")
    change = f"{name}={value or 1}"
    say(f"Written to {path}. Try: keras-gans edit {arguments.source} 0-5 --change {change}{use}")
    return 0


def _list(arguments: argparse.Namespace) -> int:
    from keras_gans import directions, zoo

    if arguments.change:
        raise ValueError(
            "Nothing is said of what to change. Give seeds, such as 0-5, or an image file after "
            f"the source. Received: {arguments.source} --change ..."
        )
    named = arguments.directions
    found = zoo.directions(arguments.source) if named is None else directions.read(named)
    if not found:
        say(f"{arguments.source} has no directions. Find some: keras-gans edit SOURCE --find")
        return 0
    _table(found)
    return 0


def _edit(arguments: argparse.Namespace) -> int:
    from keras_gans import zoo

    if not arguments.change:
        raise ValueError(
            "Nothing is said of what to change. Expected --change NAME=VALUE, such as "
            f"--change glasses=1. `keras-gans edit {arguments.source}` lists the directions. "
            "Received: no --change"
        )
    folder = arguments.output or Path("edited")
    options.require_folder(folder)
    given: dict[str, Any] = options.given(
        arguments, "strength", "strengths", "directions", "steps", "best"
    )
    given |= options.given_labels(arguments)
    what = _what(arguments.what)
    made = zoo.edit(arguments.source, what, dict(arguments.change), **given)
    made.save(folder, source=str(arguments.source), what=str(arguments.what))
    say(
        f"Written to {folder}{os.sep}: edited.png (pairs before, after), strip.png (strengths "
        f"{', '.join(f'{s:g}' for s in made.strengths)}), latents.npy, edit.json"
    )
    return 0


def _what(text: str) -> Any:
    """Seeds, or the path of an image: a file that is there is no seed."""
    seeds = re.fullmatch(r"[\d,\s-]+", text) and not Path(text).exists()
    try:
        return options.numbers(text) if seeds else Path(text)
    except argparse.ArgumentTypeError as error:
        raise ValueError(f"Those are no seeds: {error}") from error


def _change(text: str) -> tuple[str, int | float | str]:
    name, given, value = text.rpartition("=")
    if not given or not name or not value:
        raise argparse.ArgumentTypeError(
            f"expected a name and a strength or value, such as glasses=1. Received: {text!r}"
        )
    for kind in (int, float):  # a class is an integer
        with contextlib.suppress(ValueError):
            return name, kind(value)
    return name, value


def _table(found: Any) -> None:
    width = max(map(len, found))
    say(f"{'direction':{width}}  samples without, with  accuracy  changed     kept")
    for name, one in found.items():
        without, given = one.samples
        shares = ("" if s is None else f"{s:.0%}" for s in (one.accuracy, one.changed, one.kept))
        columns = "  ".join(f"{share:>7}" for share in shares)
        say(f"{name:{width}}  {without:>14,}, {given:>6,}  {columns}")
