"""`keras-gans export`: a generator for TF Serving, phones and browsers."""

import argparse
from pathlib import Path
from typing import Any

from keras_gans.cli import options
from keras_gans.terminal import say

_TILE = 128  # side of the images of a .tflite, of a generator that takes any

DESCRIPTION = "Write a generator for TF Serving, phones or browsers, and check it."


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds the arguments of the verb."""
    options.source(command)
    command.add_argument(
        "--format",
        type=options.formats,
        default=["saved_model", "tflite"],
        help=f"{options.FORMATS_HELP} [saved_model,tflite]",
    )
    options.output(command, "exported")
    options.overwrite(command)
    command.add_argument("--no-check", action="store_true", help="do not compare with Keras")
    command.add_argument(
        "--precision",
        choices=["float32", "float16", "dynamic", "int8"],
        default="float16",
        help="of a .tflite [float16]",
    )
    command.add_argument(
        "--image-size",
        type=options.integer(1),
        metavar="N",
        help="side of the images that a .tflite takes, of a generator that takes any [128]",
    )
    command.add_argument(
        "--for-gpu",
        action="store_true",
        help="a .tflite without layers that GPU delegates of phones refuse",
    )
    options.packages(command, ", for web")
    command.add_argument(
        "--examples",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="images for the web page of an image-to-image GAN [those of its samples]",
    )
    command.add_argument(
        "--model-version",
        type=options.version,
        default=1,
        metavar="N",
        help="folder of the SavedModel for TF Serving; next: one more than the newest [1]",
    )
    command.add_argument("--max-images", type=int, metavar="N", help="of one request to it")
    command.add_argument(
        "--max-pixels", type=int, default=2**22, metavar="N", help="of an image sent to it [2**22]"
    )
    command.add_argument(
        "--max-total-pixels",
        type=int,
        metavar="N",
        help="of all images of a request, sent or made [4 times --max-pixels]",
    )
    command.add_argument(
        "--floats-only", action="store_true", help="no signatures from seeds and of files"
    )


def run(arguments: argparse.Namespace) -> int:
    """Exports, into a folder that several models may share."""
    from keras_gans import export, gallery_entries, zoo

    options.require_folder(arguments.output)
    export.signatures.require_tensorflow()
    run = Path(arguments.source, "config.json")
    here = run.is_file()
    # Of weights that others trained there is no recipe, and no more than a generator.
    trained = here or bool(zoo.card(arguments.source).recipe)
    if trained:
        generator = zoo.open_gan(arguments.source).inference_generator
    else:
        generator = zoo.load(arguments.source)
    name = run.parent.resolve().name if here else zoo.card(arguments.source).name
    about = {"source": name} if here else {"preset": arguments.source}
    tflite: dict[str, Any] = {"precision": arguments.precision, "metadata": about}
    tflite |= {"for_gpu": arguments.for_gpu, "image_size": arguments.image_size}
    taken = export.signatures.interface_of(generator).image
    if taken and None in taken.shape and arguments.image_size is None:
        tflite["image_size"] = _TILE
    if trained and arguments.precision == "int8" and "tflite" in arguments.format:
        # What it is to be calibrated on: latents, or pictures of the recipe.
        pairs = zoo.Recipe.read(run if here else arguments.source).sample_pairs()
        tflite["representative"] = "latents" if pairs is None else pairs[0]
    page = gallery_entries.for_page(arguments.source) | options.given(
        arguments, "examples", "packages"
    )
    by_format = {
        "saved_model": {
            "version": arguments.model_version,
            "max_images": arguments.max_images,
            "max_pixels": arguments.max_pixels,
            "max_total_pixels": arguments.max_total_pixels,
            "floats_only": arguments.floats_only,
        },
        "tflite": tflite,
        "onnx": {"metadata": about},
        "web": page,
    }
    common = {"overwrite": arguments.overwrite, "check": not arguments.no_check}
    write(generator, name, arguments.format, arguments.output, by_format, **common)
    return 0


def write(
    gan: Any,
    name: str,
    formats: list[str],
    folder: Path,
    by_format: dict[str, dict[str, Any]],
    overwrite: bool,
    check: bool = True,
) -> None:
    """Exports a GAN's generator under a name, so that several models share a folder.

    Args:
        gan: the GAN, or a generator.
        name: of the model.
        formats: what to write.
        folder: to write to.
        by_format: options of each format's function, by its name.
        overwrite: replace what is there.
        check: compare each export with Keras.
    """
    from keras_gans import export

    say("\nExports, each compared with Keras on the same inputs:" if check else "\nExports:")
    generator = getattr(gan, "inference_generator", gan)
    written = export.write_all(generator, name, formats, folder, by_format, overwrite, check)
    for kind, path, report in written:
        said = f"/: python -m http.server --directory {path}" if kind == "web" else ""
        say(f"  {path}{said}" if report is None else f"  {path}: {report}")
