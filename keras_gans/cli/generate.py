"""`keras-gans generate`: images of seeds, or of latents."""

import argparse
from pathlib import Path

from keras_gans.cli import options
from keras_gans.terminal import say

DESCRIPTION = "Make images, one for each seed."


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds the arguments of the verb."""
    options.source(command)
    latents = command.add_mutually_exclusive_group()
    latents.add_argument("--seeds", type=options.numbers, help="such as 0-35 or 1,5,9 [0-35]")
    latents.add_argument(
        "--latents", type=Path, metavar="FILE", help=".npy file of latents, as `project` writes it"
    )
    options.labels(command)
    command.add_argument(
        "--categorical",
        type=options.numbers,
        metavar="CODES",
        help="classes of the categorical code of an InfoGAN: each in a column [drawn]",
    )
    command.add_argument(
        "--continuous",
        type=options.floats,
        metavar="CODES",
        help="continuous codes of an InfoGAN, the same for all images: --continuous=-1,0.5 [drawn]",
    )
    options.truncation(command)
    options.psi(command)
    options.scale(command, "1")
    options.output(command, "generated")
    options.shard(command)
    options.best(command)


def run(arguments: argparse.Namespace) -> int:
    """Writes the images and their grid."""
    from keras_gans.zoo.inference.generate import generate

    options.require_folder(arguments.output)
    chosen = ("seeds", "categorical", "continuous", "truncation", "psi", "scale", "best", "shard")
    given = options.given(arguments, *chosen) | options.given_labels(arguments)
    if arguments.latents is not None:
        given["latents"] = _read_latents(arguments.latents)
    made = generate(arguments.source, output=arguments.output, **given)
    say(f"{len(made.files)} images in {arguments.output}/, all of them in {made.grid}")
    return 0


def _read_latents(path: Path):
    import numpy as np

    if path.is_dir():
        raise ValueError(
            f"Latents are read from a file of `numpy.save`. Received: {path}, a folder"
        )
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(
            "Latents cannot be read from that file. Expected one that `numpy.save` wrote, such as "
            f"the latent.npy of `keras-gans project`. Received: {path} ({error})"
        ) from error
