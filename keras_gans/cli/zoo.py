"""`keras-gans zoo`: what comes with the library."""

import argparse
import os
from pathlib import Path

from keras_gans.cli import options
from keras_gans.terminal import say

DESCRIPTION = "See what comes with the library."


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds the actions of the verb, each with its arguments."""
    actions = command.add_subparsers(dest="action", metavar="ACTION", required=True)
    _list_arguments(actions.add_parser("list", help="list the presets"))
    for name, description in (
        ("show", "show the card and the recipe of a preset"),
        ("verify", "check the files of a preset against their SHA-256"),
    ):
        actions.add_parser(name, help=description).add_argument("preset")

    push = actions.add_parser("push", help="upload a preset to a hub")
    push.add_argument("preset", help="name, or folder of your own")
    push.add_argument("address", help="hf://owner/name, or kaggle://owner/model/keras/variation")
    push.add_argument("--private", action="store_true", help="for a repository that is made")
    push.add_argument("--message", metavar="TEXT", help="what to say of it [its description]")
    _import_arguments(
        actions.add_parser(
            "import",
            help="make a preset of a file of another program, of which nothing is run",
            description="Make a preset of a file of another program. Nothing in the file is run.",
        )
    )

    gallery = actions.add_parser("gallery", help="write a page on which the generators run")
    gallery.add_argument("file", nargs="?", type=Path, default=Path("gallery.html"), metavar="FILE")
    gallery.add_argument(
        "--presets", type=options.names, metavar="NAMES", help="with commas [all trained]"
    )
    options.packages(gallery)
    options.overwrite(gallery)


def _list_arguments(listed):
    listed.add_argument("--architecture", metavar="NAME", help="only those, such as DCGAN")
    listed.add_argument("--data", metavar="NAME", help="only of that data set")
    listed.add_argument(
        "--size", type=options.integer(1), metavar="N", help="only of images of N x N pixels"
    )
    kinds = listed.add_mutually_exclusive_group()
    for flag, conditional, which in (
        ("--conditional", True, "with labels"),
        ("--unconditional", False, "without labels"),
    ):
        kinds.add_argument(
            flag, action="store_const", const=conditional, dest="conditional", help=f"only {which}"
        )
    listed.add_argument(
        "--trained", action="store_const", const=True, help="only those that come with weights"
    )
    listed.add_argument(
        "--origin",
        choices=["trained", "converted", "package", "recipe"],
        help="only those whose weights come from there",
    )
    listed.add_argument("--shelf", choices=["use", "learn", "compare"], help="only those for that")
    listed.add_argument("--licence", action="store_true", help="show licences of weights and data")


def _import_arguments(imported):
    imported.add_argument("file", type=Path, metavar="FILE", help="such as network.pkl")
    imported.add_argument(
        "--family",
        metavar="NAME",
        help="stylegan2 (.pkl, .pt) or biggan (a folder) [by the file's name]",
    )
    imported.add_argument(
        "--truncation", type=float, metavar="X", help="of BigGAN, whose statistics go with it [1]"
    )
    imported.add_argument("--licence", metavar="TEXT", help="of the weights, for the card")
    options.output(imported, help="folder of the preset to write [the file's name]")
    options.overwrite(imported)


def run(arguments: argparse.Namespace) -> int:
    """Runs the action that is named."""
    actions = {
        "list": _list,
        "show": _show,
        "verify": _verify,
        "push": _push,
        "import": _import,
        "gallery": _gallery,
    }
    return actions[arguments.action](arguments)


def _list(arguments: argparse.Namespace) -> int:
    from keras_gans.zoo import card, list_presets
    from keras_gans.zoo.catalog import presets

    filters = ("architecture", "data", "size", "conditional", "trained", "origin", "shelf")
    names = list_presets(**options.given(arguments, *filters))
    width = max(map(len, names), default=0)
    for preset in presets.by_shelf(map(card, names)):
        about = preset.description
        if arguments.licence:
            about = ", ".join(f"{of} {name}" for of, name in preset.licences.items()) or "not said"
        say(f"{preset.name:{width}}  {preset.shelf:7}  {preset.origin:9}  {about}")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    import json

    from keras_gans.zoo import card
    from keras_gans.zoo.inference.options import VERBS, options_of

    preset = card(arguments.preset)
    say(preset.text)
    for verb in VERBS:
        for option in options_of(arguments.preset, verb):
            say(f"keras-gans {verb} {option.flag}  {option.help}")
    file = "recipe.json" if preset.recipe else "origin.json"
    say(f"{file}:\n{json.dumps(preset.recipe or preset.published, indent=2)}")
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from keras_gans.zoo import verify

    files = verify(arguments.preset)
    say(f"{arguments.preset}: {len(files)} files are whole: {', '.join(files)}")
    return 0


def _push(arguments: argparse.Namespace) -> int:
    from keras_gans.zoo import push

    where = push(
        arguments.preset, arguments.address, private=arguments.private, message=arguments.message
    )
    say(f"{arguments.preset} is at {where}")
    return 0


def _import(arguments: argparse.Namespace) -> int:
    from keras_gans.zoo import importing

    folder = arguments.output or Path(arguments.file.stem)
    options.require_folder(folder)
    given = options.given(arguments, "family", "licence", "truncation")
    made = importing.import_file(arguments.file, folder, overwrite=arguments.overwrite, **given)
    say(f"{made}: the preset of {arguments.file}. Try `keras-gans generate {made}`")
    return 0


def _gallery(arguments: argparse.Namespace) -> int:
    from keras_gans.zoo import card, list_presets
    from keras_gans.zoo.catalog import presets

    trained = presets.by_shelf(map(card, list_presets(origin="trained")))
    names = arguments.presets or [preset.name for preset in trained]
    for name in names:
        card(name).require_recipe()  # upscalers of images of any size have no place there
    options.require_folder(arguments.file.parent, arguments.file.name)
    from keras_gans import export, gallery_entries

    export.signatures.file_to_write(arguments.file, ".html", "A gallery", arguments.overwrite)
    shown = [entry for name in names for entry in gallery_entries.of_preset(name)]
    path = export.gallery.write(
        arguments.file,
        shown,
        title="The trained presets of keras_gans",
        description="Each runs here, on this device, without a connection.",
        packages=arguments.packages,
        overwrite=arguments.overwrite,
    )
    folder = path.with_suffix("")
    size = sum(file.stat().st_size for file in (path, *folder.iterdir())) / 1e6
    say(
        f"{len(shown)} generators run in {path}, which opens as it is, with {folder}{os.sep} "
        f"beside it ({size:.1f} MB together)"
    )
    return 0
