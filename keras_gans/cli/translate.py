"""`keras-gans translate`: from images to images."""

import argparse
import sys

from keras_gans.cli import options
from keras_gans.terminal import say

DESCRIPTION = "Translate images, of any size, with an image-to-image GAN."

_OPTIONS: tuple[str, ...] = (
    "files",
    "output",
    "format",
    "backward",
    "stochastic",
    "seed",
    "resized",
    "overlap",
)
_OPTIONS += ("batch_size", "best", "overwrite", "shard")


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds the arguments of the verb."""
    options.source(command)
    command.add_argument("files", nargs="+", help="images, or folders of images", metavar="PATH")
    options.output(command, "translated")
    command.add_argument("--format", choices=["png", "jpeg", "webp"], default="png", help="[png]")
    command.add_argument("--backward", action="store_true", help="of a CycleGAN, from Y to X")
    command.add_argument("--stochastic", action="store_true", help="with the noise of dropout")
    command.add_argument("--seed", type=options.integer(0), metavar="N", help="of that noise")
    command.add_argument(
        "--resize",
        action="store_true",
        dest="resized",
        help="resize each image to the generator's size and back, instead of cutting it into tiles",
    )
    command.add_argument(
        "--overlap",
        type=options.integer(0),
        metavar="N",
        help="pixels that tiles share [a quarter of a tile]",
    )
    command.add_argument(
        "--batch-size", type=options.integer(1), default=8, metavar="N", help="tiles at once [8]"
    )
    options.shard(command)
    options.best(command)
    options.overwrite(command, "translate again what is there")


def run(arguments: argparse.Namespace) -> int:
    """Writes the images, and a page that shows them."""
    from keras_gans import zoo

    options.require_folder(arguments.output)
    done = zoo.translate(arguments.source, **options.given(arguments, *_OPTIONS))
    there = f"; already there: {len(done.skipped)}" if done.skipped else ""
    say(f"Images written to {arguments.output}/: {len(done.written)}{there}. See {done.page}")
    for path, reason in done.failed.items():
        say(f"keras-gans: not translated: {path} ({reason})", file=sys.stderr)
    return 1 if done.failed else 0
