"""`keras-gans train`: a recipe, in a folder of its own."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from keras_gans import terminal
from keras_gans.cli import options
from keras_gans.terminal import say

if TYPE_CHECKING:
    from keras_gans.zoo import Recipe

DESCRIPTION = "Train a recipe or preset; run again to go on where it stopped."

# What a run holds, for its last words.
_CONTENTS = {
    "report": "report.html",
    "samples": "samples/",
    "animation": "samples/training.gif",
    "checkpoints": "checkpoints/",
    "metrics": "metrics.jsonl",
    "TensorBoard": "logs/",
}


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds the arguments of the verb."""
    command.add_argument("recipe", help="name of a preset, or path of a recipe.json")
    command.add_argument(
        "--run", type=Path, help="folder of the run [runs/<recipe>]", metavar="DIR"
    )
    command.add_argument("--epochs", type=options.integer(1), help="epochs in all", metavar="N")
    command.add_argument(
        "--from",
        dest="initial",
        metavar="SOURCE",
        help="start from the weights of a preset or run instead of random ones",
    )
    command.add_argument("--new", action="store_true", help="start afresh; keeps the earlier run")
    command.add_argument(
        "--strategy",
        choices=["mirrored", "multi_worker"],
        help="train on all GPUs of this machine, or on all machines of TF_CONFIG",
    )
    command.add_argument("--dry-run", action="store_true", help="show the plan, and do nothing")
    command.add_argument(
        "--export",
        type=options.formats,
        default=[],
        metavar="FORMATS",
        help=f"then export: {options.FORMATS_HELP}",
    )


def run(arguments: argparse.Namespace) -> int:
    """Trains, and exports if that is asked for."""
    from keras_gans import zoo
    from keras_gans.callbacks import Resume
    from keras_gans.callbacks.writer import is_chief

    changes = options.given(arguments, "epochs", "initial")
    recipe = zoo.Recipe.read(arguments.recipe, **changes)
    folder = arguments.run or Path("runs", recipe.name)
    _say_configuration(recipe)
    options.require_folder(folder)
    if arguments.dry_run:
        return _dry_run(recipe, folder)
    strategy = zoo.strategy(arguments.strategy)
    finished = 0 if arguments.new else Resume(folder / "checkpoints").epoch
    # A bar moves on a terminal; elsewhere Keras writes a line for each epoch.
    verbose = "auto" if terminal.is_watched() else 2
    zoo.train(recipe, folder, new=arguments.new, strategy=strategy, verbose=verbose)
    if not is_chief(strategy):
        return 0
    if finished >= recipe.config["epochs"]:
        say(
            f"\nNothing was trained: this run has finished its {finished} epochs. Train it further "
            f"with `--epochs {2 * finished}` (epochs in all), or start afresh with `--new`."
        )
    say(f"\nThe run is in {folder}/")
    for what, path in _CONTENTS.items():
        if (folder / path).exists():
            say(f"  {what:12} {folder / path}")
    if arguments.export:
        _export(arguments.export, folder)
    return 0


def _say_configuration(recipe: "Recipe") -> None:
    say(f"Recipe {recipe.name}: * marks what differs from its default.")
    for field, value, default in recipe.rows():
        changed = default is ... or value != default
        was = f"  (default {default})" if changed and default is not ... else ""
        say(f"  {'*' if changed else ' '} {field} = {value}{was}")


def _dry_run(recipe: "Recipe", folder: Path) -> int:
    from keras_gans.zoo.runs.plan import plan

    planned = plan(recipe, folder)
    say("\nPlan:")
    for network, parameters in planned.parameters.items():
        say(f"  {network}, {parameters:,} parameters")
    say(f"  {planned.steps_per_epoch} steps an epoch, batches of {planned.batch_shape}")
    say(f"  epochs {planned.first_epoch} to {planned.last_epoch}: {planned.steps:,} steps")
    seconds = planned.seconds_per_step
    say(f"  about {planned.steps * seconds / 60:.1f} minutes (10 steps: {seconds:.3f} s each)")
    say(f"  a checkpoint of about {planned.checkpoint_bytes / 2**20:.1f} MB, two kept")
    say(f"  memory about {planned.memory_bytes / 2**20:.0f} MB (this process after those steps)")
    say(f"  into {folder}/")
    say("Nothing was written: this is a dry run.")
    return 0


def _export(formats: list[str], folder: Path) -> None:
    from keras_gans import gallery_entries, zoo
    from keras_gans.cli.export import write

    gan, name = zoo.open_gan(folder), folder.resolve().name
    write(
        gan,
        name,
        formats,
        folder / "exported",
        {"web": gallery_entries.for_page(folder)},
        overwrite=True,
    )
