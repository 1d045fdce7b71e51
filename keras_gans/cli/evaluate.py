"""`keras-gans evaluate`: metrics of images beside real ones."""

import argparse

from keras_gans.cli import options
from keras_gans.terminal import say

DESCRIPTION = "Measure images against real ones."


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds the arguments of the verb."""
    command.add_argument("source", help="name of a trained preset, folder of a run, or of images")
    command.add_argument(
        "--against", metavar="DATA", help="data set or folder of real images [the training's]"
    )
    command.add_argument(
        "--features",
        type=options.names,
        metavar="NAMES",
        help="feature networks, with commas [the recipe's, or the data's own]",
    )
    command.add_argument("--split", help="split of the real images")
    command.add_argument("--reference-split", metavar="SPLIT", help="split of other real images")
    command.add_argument("--floor-split", dest="reference_split", help=argparse.SUPPRESS)
    command.add_argument(
        "--images",
        dest="num_images",
        type=options.integer(1),
        metavar="N",
        help="images of each kind [10000]",
    )
    command.add_argument(
        "--attributes",
        metavar="DATA",
        help="faces whose attributes are read from the images, such as avatars",
    )
    options.output(command, help="folder to write to [the run's, or evaluated/<name>]")


def run(arguments: argparse.Namespace) -> int:
    """Writes what is measured, and shows it as a table."""
    from keras_gans import zoo

    if arguments.output is not None:
        options.require_folder(arguments.output)
    chosen = ("against", "output", "features", "split", "reference_split", "num_images")
    chosen += ("attributes",)
    results = zoo.evaluate(arguments.source, **options.given(arguments, *chosen))
    heads, *rows = results.table()
    for number, head in enumerate(heads[1:], 1):
        say(f"{'' if number > 1 else 'Columns:':9}{number} {head}")
    for name, *values in rows:
        say(f"{name:52}" + "".join(f" {value:>10}" for value in values))
    if results.nearest is not None:
        say(f"Median distance to the nearest training image: {results.nearest:.3f} of 2")
    if results.memorization is not None:
        say(f"Nearer to a training image than to a held-out one: {results.memorization.share:.0%}")
    files = ["evaluation.json", "metrics.jsonl"]
    files += ["neighbors.png"] * (results.nearest is not None)
    files += ["strangest.png"] * (results.shares is not None)
    say(f"Written to {results.folder}/: {', '.join(files)}")
    return 0
