"""`keras-gans age`: a face at another age."""

import argparse
from pathlib import Path

from keras_gans.cli import options
from keras_gans.terminal import say

DESCRIPTION = "Make the person on a picture older or younger."


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds the arguments of the verb."""
    command.add_argument("image", help="image file of a face, of any size", metavar="IMAGE")
    command.add_argument(
        "--to",
        action="append",
        metavar="AGE",
        help="age that is wanted, by name; again for more [all]",
    )
    command.add_argument(
        "--age", metavar="AGE", help="age of the person on the picture [the one that fits best]"
    )
    command.add_argument(
        "--source",
        default="age_cgan_avatars_64",
        metavar="PRESET|RUN",
        help="a trained AgeCGAN [age_cgan_avatars_64]",
    )
    command.add_argument(
        "--method",
        default="identity",
        metavar="initial|pixels|identity",
        help="how the person's latent is found [identity]",
    )
    command.add_argument(
        "--steps", type=options.integer(1), default=300, metavar="N", help="of the optimizer [300]"
    )
    command.add_argument(
        "--seed", type=options.integer(0), default=0, metavar="N", help="of its random numbers [0]"
    )
    options.output(command, "aged.png", "picture to write [aged.png]", "FILE")
    options.best(command)


def run(arguments: argparse.Namespace) -> int:
    """Writes the face, what the latent gives at its age, and the ages that are wanted."""
    from keras_gans import zoo

    given = options.given(arguments, "to", "age", "method", "steps", "seed", "best")
    found = zoo.age(arguments.source, arguments.image, **given)
    path = found.save(Path(arguments.output))
    ages = ", ".join(map(str, found.images))
    say(f"Written to {path}: the image, the face that was found ({found.age}); {ages}")
    return 0
