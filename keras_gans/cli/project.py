"""`keras-gans project`: from an image to its latent."""

import argparse

from keras_gans.cli import options
from keras_gans.terminal import say

DESCRIPTION = "Find the latent of an image."


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds the arguments of the verb."""
    options.source(command)
    command.add_argument("image", help="image file, of any size", metavar="IMAGE")
    command.add_argument(
        "--label", type=options.one_class, metavar="CLASS", help="its class [the one that fits]"
    )
    options.condition(command, "label", "its class of a condition [those that fit]")
    options.features(command)
    command.add_argument(
        "--steps", type=options.integer(1), default=500, metavar="N", help="of the optimizer [500]"
    )
    command.add_argument(
        "--starts",
        type=options.integer(1),
        default=16,
        metavar="N",
        help="latents to start from, all at once [16]",
    )
    command.add_argument(
        "--seed", type=options.integer(0), default=0, metavar="N", help="of its random numbers [0]"
    )
    options.output(command, "projected")
    options.best(command)


def run(arguments: argparse.Namespace) -> int:
    """Writes the latent, and the images that show how near it is."""
    from keras_gans import zoo

    options.require_folder(arguments.output)
    given = options.given(arguments, "label", "features", "steps", "starts", "seed", "best")
    if isinstance(given.get("label"), dict):
        given["label"] = {name: _one(name, found) for name, found in given["label"].items()}
    found = zoo.project(arguments.source, arguments.image, **given)
    about = {n: getattr(arguments, n) for n in ("source", "image", "steps", "starts", "seed")}
    folder = found.save(arguments.output, **about)
    if found.label is not None:
        say(f"Label {found.label}")
    for name, distance in found.distances.items():
        say(f"Distance of {name}: {distance['start']:.4g} at the start, {distance['result']:.4g}")
    if found.classes is not None:
        (wanted, _), (got, share) = found.classes["target"], found.classes["result"]
        say(f"{found.features}: class {wanted} in the image, {got} ({share:.0%}) in the result")
    say(f"Written to {folder}/: latent.npy, projection.png (image, start, result), projection.json")
    return 0


def _one(name: str, classes: list[int | str]) -> int | str:
    if len(classes) != 1:
        raise ValueError(
            "An image is of one class of each condition. Give one, or leave the condition out. "
            f"Received: --condition {name}={','.join(map(str, classes))}"
        )
    return classes[0]
