"""`keras-gans upscale`: from images to larger ones."""

import argparse
import math
import sys

from keras_gans.cli import options
from keras_gans.terminal import say

DESCRIPTION = "Enlarge images and films, of any size, with a network for super-resolution."

_OPTIONS: tuple[str, ...] = ("files", "output", "scale", "mix_with", "format", "strength")
_OPTIONS += ("keep_colours", "tile", "margin", "precision", "max_pixels", "best")
_OPTIONS += ("overwrite", "shard")


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds the arguments of the verb."""
    options.source(command)
    command.add_argument(
        "files",
        nargs="+",
        help="images, films (MP4 and others), or folders of images",
        metavar="PATH",
    )
    options.output(command, "upscaled")
    command.add_argument(
        "--scale",
        type=float,
        metavar="X",
        help="how many times larger each side becomes, such as 2, 3, 4 or 1.5 [the network's own]",
    )
    command.add_argument(
        "--mix-with",
        type=_mixture,
        metavar="SOURCE:X",
        help="mix the weights with those of another preset or run of the same architecture, such "
        "as runs/mine:0.3 for 0.7 of the first and 0.3 of this one",
    )
    command.add_argument(
        "--format",
        choices=["png", "jpeg", "webp", "tiff", "gif", "avif"],
        help="of images [that of each]",
    )
    command.add_argument(
        "--strength",
        type=float,
        default=1.0,
        metavar="X",
        help="1: the network's image, 0: bicubic interpolation, or between [1]",
    )
    command.add_argument(
        "--keep-colours",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="correct the network's shift of colours [on]",
    )
    command.add_argument(
        "--tile", type=options.integer(1), metavar="N", help="side of a tile [by memory]"
    )
    command.add_argument(
        "--margin",
        type=options.integer(0),
        metavar="N",
        help="pixels of a tile that are cut off to every side [what it looks at, or 32 or 48]",
    )
    command.add_argument(
        "--precision",
        choices=["float32", "bfloat16"],
        default="float32",
        help="of convolutions; bfloat16 is faster where the processor has it [float32]",
    )
    command.add_argument(
        "--max-pixels",
        type=options.integer(1),
        default=2**31,
        metavar="N",
        help="refuse to make larger images [2**31]",
    )
    options.shard(command)
    options.best(command)
    options.overwrite(command, "enlarge again what is there")


def _mixture(text: str) -> tuple[str, float]:
    source, _, share = text.rpartition(":")
    try:
        found = float(share)
    except ValueError:
        found = math.nan
    if not source or not 0 <= found <= 1:
        raise argparse.ArgumentTypeError(
            "expected a preset or run, and its share from 0 to 1, such as runs/mine:0.3. "
            f"Received: {text!r}"
        )
    return source, found


def run(arguments: argparse.Namespace) -> int:
    """Writes the images, and a page that shows them before and after."""
    from keras_gans import zoo

    options.require_folder(arguments.output)
    given = options.given(arguments, *_OPTIONS)
    if arguments.scale is not None and arguments.scale.is_integer():
        given["scale"] = int(arguments.scale)
    done = zoo.upscale(arguments.source, **given)
    there = f"; already there: {len(done.skipped)}" if done.skipped else ""
    say(f"Images written to {arguments.output}/: {len(done.written)}{there}. See {done.page}")
    for path, reason in done.failed.items():
        say(f"keras-gans: not upscaled: {path} ({reason})", file=sys.stderr)
    return 1 if done.failed else 0
