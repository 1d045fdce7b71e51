"""From a trained generator to a preset: `python -m keras_gans.zoo.publishing RUN PRESET`.

`... publishing PRESET` measures the weights of a preset anew, without its run. Of a preset whose
weights others made, with an `origin.json`, it writes what is generated; for a package of npm with
the path of its file after it.
"""

import dataclasses
import json
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_gans import AdversarialModel, generation, image, interface
from keras_gans.building import preserving_random_state
from keras_gans.callbacks.metrics_log import read_metrics, totals
from keras_gans.files import atomic, atomic_folder, in_memory, sha256, to_float16
from keras_gans.interface import Interface
from keras_gans.reading.text import read_json
from keras_gans.zoo.catalog import cards, heads, origins, presets
from keras_gans.zoo.catalog.interfaces import with_class_names
from keras_gans.zoo.converters import real_esrgan, upscalerjs
from keras_gans.zoo.evaluating import evaluate
from keras_gans.zoo.loading import (
    build,
    fill,
    input_roles,
    makers,
    restore,
)
from keras_gans.zoo.runs import inputs
from keras_gans.zoo.runs.environment import ENVIRONMENT
from keras_gans.zoo.runs.recipe import Recipe
from keras_gans.zoo.runs.report import NEIGHBORS, RESULTS


def save_preset(
    generator: keras.Model,
    folder: str | Path,
    card: presets.Card | Mapping[str, Any],
    parts: Sequence[str] | None = None,
    overwrite: bool = False,
) -> Path:
    """Writes a folder that `load`, `card` and `verify` take as a preset: data, and no code.

    >>> generator = keras_gans.zoo.load("dcgan_digits_28")
    >>> card = keras_gans.zoo.card("dcgan_digits_28")
    >>> folder = keras_gans.zoo.save_preset(generator, "my_digits", card)
    >>> keras_gans.zoo.load("my_digits").name == generator.name
    True

    Weights are stored as float16. What the networks take and make is kept in `interface.json`:
    what was stated of them (`keras_gans.interface.state`), or what their shapes say, with the
    names of the data set's classes. The folder appears whole, or not at all.

    Args:
        generator: a built `keras.Model`, made as the recipe says; or a GAN of this library, of
            which the generators in use are taken.
        folder: to write; its name is that of the preset.
        card: a `Card`, or a dictionary with `recipe` (as of `Recipe`) and, if there are any,
            `text` (Markdown), `numbers` (protocols to `{"value", "reference", "degradations"}`, or
            to values) and `made` (`steps`, `minutes`, and what else `environment.describe` says).
        parts: of a GAN, names of the networks to store: `None` for all but its discriminators;
            add these for whoever is to train further.
        overwrite: replace the preset that is there. Otherwise that is an error.

    Returns:
        The `pathlib.Path` of the folder.

    Raises:
        ValueError: if the generator is another than the recipe makes, or a part is not there.
        FileExistsError: if something is there that may not be replaced.
    """
    folder = Path(folder)
    measured = None
    if isinstance(card, presets.Card):
        card.require_recipe()
        measured = card.metrics.get("measured", {})
        card = {name: getattr(card, name) for name in ("recipe", "text", "numbers", "made")}
    recipe = Recipe(card["recipe"], folder.name)
    require_free(folder, presets.RECIPE, overwrite)
    made = card.get("made") or {}
    if made and (missing := [field for field in cards.MADE if field not in made]):
        raise ValueError(
            "What is known of the training is not complete. Expected all of "
            f"{list(cards.MADE)}, as `zoo.environment.describe()` gives most, or no `made` at all. "
            f"Received: made={made}, without {missing}"
        )
    networks = _networks(generator, recipe, parts)
    with atomic_folder(folder.resolve()) as partial:
        partial.mkdir()
        (partial / presets.RECIPE).write_text(json.dumps(card["recipe"], indent=2) + "\n")
        about = {}
        for role, network in networks.items():
            about |= store_weights(network, partial, role)
        gan = fill(build(recipe), partial, networks)
        write_interfaces(partial, interfaces_of(gan, networks))
        _picture(gan, recipe, partial / presets.SAMPLES)
        inputs.write(partial / inputs.FILE, recipe, input_roles(gan))
        text = card.get("text") or f"# {folder.name}\n\n![Samples]({presets.SAMPLES})\n"
        write_card(partial, folder.name, text, card.get("numbers"), made, about, measured)
    return folder


def publish(
    run: str | Path,
    preset: str | Path,
    numbers: Mapping[str, Any] | None = None,
    parts: Sequence[str] | None = None,
) -> float:
    """Puts the networks of a finished run into a preset's folder, and measures what ships.

    The weights are those of the run's best checkpoint if its recipe's `evaluation` names a `best`,
    and else of its newest. Directions that were found of the run come along.
    The folder holds a `recipe.json` and the prose of a `README.md` already; the numbers between
    its marks are written here.

    Args:
        run: folder of a run that has trained all of its recipe's epochs.
        preset: folder of the preset, with its `recipe.json` and `README.md`.
        numbers: as for `save_preset`; `None` measures the stored weights as `evaluate` does, those
            that translate on the split `test`, which has not chosen the checkpoint.
        parts: as for `save_preset`.

    Returns:
        The largest difference, over the picture's images in [-1, 1], that float16 weights make.

    Raises:
        ValueError: if the run was made by another recipe, or is not finished.
    """
    run, preset = Path(run), Path(preset)
    recipe = Recipe.read(preset / presets.RECIPE)
    config = read_json(run / "config.json")
    recipe.require_same(config, run / "config.json")
    evaluation = recipe.config["evaluation"] or {}
    gan = restore(run, best=evaluation.get("best") is not None)
    if config["epochs"] != recipe.config["epochs"]:
        raise ValueError(
            "The run trained for another number of epochs than the recipe says. Expected "
            f"{recipe.config['epochs']}. Received: {config['epochs']}, "
            f"{int(gan.generator_optimizer.iterations)} steps"
        )
    before = presets.card(preset)
    card = {"recipe": before.recipe, "text": before.text, "numbers": numbers, "made": _made(run)}
    full = _samples(gan, recipe)
    save_preset(gan, preset, card, parts, overwrite=True)
    if (run / presets.DIRECTIONS).is_file():
        shutil.copyfile(run / presets.DIRECTIONS, preset / presets.DIRECTIONS)
        refresh(preset)
    if numbers is None:
        remeasure(preset)
    fill(gan, preset, presets.card(preset).parts)
    return max(float(np.abs(a - b).max()) for a, b in zip(full, _samples(gan, recipe)))


def remeasure(preset: str | Path) -> None:
    """Measures the stored weights of a preset as its recipe says, and writes the numbers.

    Its run is not needed: what was made and how stays as it was noted. Images from images are
    measured on the split `test`, which has not chosen the checkpoint.

    Args:
        preset: folder of a preset with weights and a recipe.

    Raises:
        ValueError: for a preset without a recipe, or without weights.
        ImportError: if the package with the weights of a feature network is not installed.
    """
    card = presets.card(preset)
    recipe = Recipe(card.require_recipe(), card.name)
    presets.verify_files(card, list(card.metrics.get("weights", ())))
    refresh(preset)  # the recipe may say since how to measure
    with tempfile.TemporaryDirectory() as folder:
        evaluate(preset, output=folder, **({"split": "test"} if recipe.translates else {}))
        if (neighbors := Path(folder, NEIGHBORS)).exists():
            shutil.copyfile(neighbors, card.folder / NEIGHBORS)
        refresh(preset, Path(folder, RESULTS))


def publish_converted(
    preset: str | Path,
    numbers: Mapping[str, Any] | None = None,
    downloaded: str | Path | None = None,
) -> None:
    """Makes the preset of weights that others published, from the package that holds them.

    The folder holds an `origin.json`, the prose of a `README.md`, `samples.png` and the licence
    already. Where the origin is `"converted"`, the weights are stored in float16.

    Args:
        preset: folder of the preset.
        numbers: as for `save_preset`; `None` keeps those there.
        downloaded: path of the package's file, for a package of npm.

    Raises:
        ModuleNotFoundError: if the package is not installed.
        ValueError: if `downloaded` is another file than the preset was made of.
    """
    card = presets.card(preset)
    (role,) = card.networks
    path = origins.locate(card.published, downloaded)
    network = _of_npm(path) if downloaded else real_esrgan.load(path)
    write_interfaces(card.folder, {role: interface.of(network)})
    if card.origin == origins.CONVERTED:
        about = store_weights(network, card.folder, role)
    else:
        about = {path.name: _about(network, path)}
    measured = None if numbers is not None else card.metrics.get("measured")
    numbers = card.numbers if numbers is None else numbers
    write_card(card.folder, card.name, card.text, numbers, {}, about, measured)


def _of_npm(path):
    """The network of scale 4 in a package of UpscalerJS, whose SHA-256 was compared."""
    within = "package/models/x4/"
    with tempfile.TemporaryDirectory() as folder, tarfile.open(path) as package:
        members = [member for member in package if member.name.startswith(within)]
        package.extractall(folder, members, filter="data")
        return upscalerjs.load(Path(folder, within))


def interfaces_of(
    gan: AdversarialModel, networks: Mapping[str, keras.Model] | None = None
) -> dict[str, Interface]:
    """Returns what the networks of a GAN that make something take and make, by their names.

    Args:
        gan: as `loading.build` makes it, whose labels have names.
        networks: of the same roles, what was stated of which comes first.
    """
    found = {}
    for role in makers(gan):
        described, given = gan.interface(role), (networks or {}).get(role)
        if given is not None and interface.is_stated(given):
            described = with_class_names(interface.of(given), gan.recipe["data"])
        found[role] = described
    return found


def refresh(preset: str | Path, results: str | Path | None = None) -> None:
    """Writes anew what is generated of a preset: part of its card, interfaces, and hashes.

    For a preset whose prose was changed, or that an earlier version wrote. Of a recipe without
    weights only `interface.json` and the head of its card are written.

    Args:
        preset: folder of a preset.
        results: path of the `evaluation.json` that `keras-gans evaluate PRESET` wrote, to take its
            numbers; `None` keeps those there.
    """
    before = presets.card(preset)
    if before.stated is None and before.recipe:
        recipe = Recipe(before.recipe, before.name)
        write_interfaces(before.folder, interfaces_of(build(recipe)))
    if not before.metrics:
        _write_text(before)
        return
    numbers, measured = before.numbers, before.metrics.get("measured")
    if results is not None:
        numbers, measured = numbers_of(json.loads(Path(results).read_text())), None
    about = before.metrics["weights"]
    write_card(before.folder, before.name, before.text, numbers, before.made, about, measured)


# The presets that docs/choosing.md compares, and what of them.
COMPARED = ("dcgan", "r3gan", "wgan_gp", "wgan", "acgan", "conditional_gan")
_COLUMNS = ("frechet", "precision", "recall", "coverage", "sure", "asked")


def comparison() -> str:
    """The table of docs/choosing.md: presets of Fashion-MNIST, from their `metrics.json`.

    >>> comparison().splitlines()[0].split(" | ")[3:6]
    ['Frechet distance', 'precision', 'recall']
    """
    found = [presets.card(f"{name}_fashion_mnist_28") for name in COMPARED]
    heads = ["preset", "steps", "minutes", *(cards.CALLED[name] for name in _COLUMNS)]
    rows = [heads, ["---"] * len(heads)]
    for card in found:
        values = {cards.metric_of(name): number["value"] for name, number in card.numbers.items()}
        made = f"{card.made['steps']:,}", f"{card.made['minutes']:.0f}"
        rows.append([f"`{card.name}`", *made, *(_rounded(values.get(c)) for c in _COLUMNS)])
    real = {cards.metric_of(name): number["reference"] for name, number in found[0].numbers.items()}
    rows.append(["*other real images*", "", "", *(_rounded(real.get(c)) for c in _COLUMNS)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _rounded(value):
    return "" if value is None else f"{value:.3g}"


def write_table() -> None:
    """Writes what is generated of the documents, from the cards of the trained presets.

    That is the table in the `README.md` beside their folder and, in a clone of the repository, the
    comparison in `docs/choosing.md`.
    """
    choosing = presets.FOLDER.parents[1] / "docs/choosing.md"
    if choosing.is_file():
        text = choosing.read_text(encoding="utf-8")
        with atomic(choosing) as partial:
            partial.write_text(cards.with_facts(text, comparison()), encoding="utf-8")
    path = presets.FOLDER.parent / presets.TEXT
    prose = path.read_text(encoding="utf-8").partition(
        f"## {next(iter(heads.SHELVES.values()))}\n"
    )[0]
    table = cards.overview(shown_presets())
    with atomic(path) as partial:
        partial.write_text(f"{prose}{table}\n", encoding="utf-8")


def shown_presets() -> list[presets.Card]:
    """Returns the cards of the presets that `zoo/README.md` shows: all that can be loaded."""
    found = map(presets.card, presets.list_presets())
    return [card for card in found if card.origin != origins.RECIPE]


def numbers_of(results: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Each protocol's value and reference values, from the content of an `evaluation.json`."""
    results = cards.renamed(results)

    def value_in(found, name):
        return found[name]["value"] if name in found else None

    return {
        name: {
            "value": found["value"],
            "reference": value_in(results["reference"], name),
            "degradations": {
                degradation: value_in(measured, name)
                for degradation, measured in results["degradations"].items()
                if name in measured
            },
        }
        for name, found in results["measured"].items()
    }


def _made(run):
    """How long a run was trained, and on what."""
    steps, seconds = totals(read_metrics(run / "metrics.jsonl"))
    environment = json.loads((run / ENVIRONMENT).read_text())
    return {"steps": round(steps), "minutes": round(seconds / 60, 1), **environment}


def _networks(generator, recipe, parts):
    """Returns roles and networks in use, each compared with the network of the recipe."""
    networks = {next(iter(recipe.config["networks"])): generator}
    if isinstance(generator, AdversarialModel):
        roles = [role for side in generator.sides.values() for role in side]
        parts = makers(generator) if parts is None else list(parts)
        if missing := [role for role in parts if role not in roles]:
            raise ValueError(
                f"This GAN has no such networks. Expected `parts` among {roles}. "
                f"Received: {missing}"
            )
        networks = {role: generator.in_use(role) for role in roles if role in parts}
    elif parts is not None and tuple(parts) != tuple(networks):
        raise ValueError(
            "One generator was given, and other parts were asked for. Give the GAN instead. "
            f"Received: parts={parts}"
        )
    for role, network in networks.items():
        with preserving_random_state("float32"):
            made = recipe.build_network(role)
        shapes = [[tuple(w.shape) for w in n.weights] for n in (network, made)]
        if shapes[0] != shapes[1]:
            where = next(
                (i for i, (a, b) in enumerate(zip(*shapes)) if a != b), min(map(len, shapes))
            )
            raise ValueError(
                f"The {role} is another than its recipe makes, so it could not be loaded. "
                f"Expected the weights of {recipe.config['networks'][role]}. Received: "
                f"{network.name!r} with {len(shapes[0])} weights for {len(shapes[1])}, the first "
                f"that differs is number {where}"
            )
    return networks


def _samples(gan, recipe):
    """What the card shows: batches of images, beside each other."""
    described = gan.interface(gan.generator_role)
    if described.takes_image:
        return gan.compare(*recipe.sample_pairs())
    made = gan.generate(recipe.config["samples"], seed=0)
    return list(generation.images_of(described, made).values())


def _picture(gan, recipe, path):
    described = gan.interface(gan.generator_role)
    shown, rows = generation.same_size(_samples(gan, recipe)), described.takes_image
    if texts := generation.texts_shown(described, recipe.config["samples"]):
        shown = [image.captioned(column, texts) for column in shown]
    columns = len(shown) if rows else generation.columns_of(len(shown[0]), len(shown))
    image.save(image.side_by_side(shown), path, columns=columns)


def require_free(folder: Path, mark: str, overwrite: bool) -> None:
    """Raises FileExistsError unless a preset can be written into a folder.

    Args:
        folder: to write.
        mark: a file of presets that may be replaced.
        overwrite: whether they are.
    """
    there = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    if there and not (overwrite and (folder / mark).is_file()):
        raise FileExistsError(
            "There is something in that folder. Expected a new folder, or `overwrite=True` "
            f"(`--overwrite`) for a preset with a {mark}. "
            f"Received: {folder}, overwrite={overwrite}"
        )


def store_weights(
    network: keras.Model, folder: Path, role: str, float16: bool = True
) -> dict[str, dict[str, int]]:
    """Writes the weights of a network into a preset's folder.

    Args:
        network: whose weights they are.
        folder: of the preset.
        role: the network's name in the preset.
        float16: whether to store half precision; otherwise as they are.

    Returns:
        The name of the file, to what `metrics.json` says of it: `parameters` and `bytes`.
    """
    path = folder / presets.weights_file(role)
    with in_memory(path) as memory:
        network.save_weights(memory)
    if float16:
        to_float16(path)
    return {path.name: _about(network, path)}


def _about(network, path):
    return {"parameters": network.count_params(), "bytes": path.stat().st_size}


def write_interfaces(folder: Path, interfaces: Mapping[str, Interface]) -> None:
    """Writes `interface.json` of a preset's folder, from interfaces by names of networks."""
    content = {role: described.to_json() for role, described in interfaces.items()}
    with atomic(folder / presets.INTERFACE) as partial:
        partial.write_text(json.dumps(content, indent=2) + "\n")


def _write_text(card):
    with atomic(card.folder / presets.TEXT) as partial:
        partial.write_text(heads.write(card), encoding="utf-8")


def write_card(
    folder: Path,
    name: str,
    text: str,
    numbers: Mapping[str, Any] | None,
    made: Mapping[str, Any],
    weights: Mapping[str, Any],
    measured: Mapping[str, str] | None = None,
) -> None:
    """Writes `README.md` and, last, `metrics.json` with the SHA-256 of every file.

    Args:
        folder: of the preset.
        name: of the preset.
        text: prose of the card.
        numbers: as for `save_preset`.
        made: as for `save_preset`.
        weights: names of files of weights to their `parameters` and `bytes`.
        measured: SHA-256 of the weights that the numbers are of; `None` for those here.
    """
    numbers = {
        protocol: cards.renamed(found) if isinstance(found, dict) else {"value": found}
        for protocol, found in (numbers or {}).items()
    }
    metrics = {
        "format": presets.FORMAT,
        "made": made,
        "numbers": {
            p: {"reference": None, "degradations": {}, **found} for p, found in numbers.items()
        },
        "weights": weights,
        "sha256": {},
    }

    def hashed():
        files = sorted(p.name for p in folder.iterdir() if p.name != presets.METRICS)
        metrics["sha256"] = {file: sha256(folder / file) for file in files}

    hashed()  # the card says those of the weights
    card = dataclasses.replace(presets.card(folder), name=name, text=text, metrics=metrics)
    _write_text(dataclasses.replace(card, text=cards.with_facts(text, cards.facts(card))))
    hashed()
    if measured is None:
        measured = {file: metrics["sha256"][file] for file in weights if file in metrics["sha256"]}
    if numbers:
        metrics["measured"] = dict(measured)
    with atomic(folder / presets.METRICS) as partial:
        partial.write_text(json.dumps(metrics, indent=2) + "\n")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3, 4):
        sys.exit("Usage: python -m keras_gans.zoo.publishing [RUN] PRESET_FOLDER [PARTS]")
    if Path(sys.argv[1], presets.ORIGIN).is_file():
        preset, *downloaded = sys.argv[1:]
        publish_converted(preset, downloaded=downloaded[0] if downloaded else None)
    elif len(sys.argv) == 2:
        (preset,) = sys.argv[1:]
        remeasure(preset)
    else:
        run, preset, *parts = sys.argv[1:]
        difference = publish(run, preset, parts=parts[0].split(",") if parts else None)
        print(f"Largest difference that float16 makes: {difference:.5f}")
    if Path(preset).resolve().parent == presets.FOLDER.resolve():
        write_table()
