"""Training by recipe, in a folder that says everything about itself."""

import contextlib
import json
from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_gans import data, metrics
from keras_gans.callbacks import MetricsLog, Resume, SampleGrid, TrainingHealth
from keras_gans.callbacks.board import Curves
from keras_gans.callbacks.lock import locked
from keras_gans.callbacks.writer import is_chief
from keras_gans.files import atomic, free_name
from keras_gans.reading.text import read_json
from keras_gans.zoo.evaluating import conclude
from keras_gans.zoo.loading import backward_generator, input_roles, start_from
from keras_gans.zoo.runs import inputs
from keras_gans.zoo.runs.environment import ENVIRONMENT, describe
from keras_gans.zoo.runs.recipe import Recipe
from keras_gans.zoo.runs.report import HEALTH, write_report
from keras_gans.zoo.runs.strategies import strategy as by_name

_MINUTES = 5  # between two checkpoints, if epochs take longer


def train(
    recipe: Recipe | dict[str, Any] | Path | str,
    folder: Path | str | None = None,
    new: bool = False,
    verbose: int | str = "auto",
    strategy: str | tf.distribute.Strategy | None = None,
    **changes: Any,
) -> Path:
    """Trains a recipe; run again, goes on where it stopped.

    The folder then holds `config.json`, `environment.json`, `checkpoints/`, `samples/` (grids and
    an animation), `logs/` (TensorBoard), `metrics.jsonl` and `report.html`. Stopped at any moment,
    it loses at most the epoch it was in or about five minutes, whichever is less, and it ends with
    the same weights, bit for bit on one machine.

    >>> folder = keras_gans.zoo.train("dcgan_digits_28_quick", epochs=1)  # doctest: +SKIP

    Args:
        recipe: name of a preset, path of a JSON file, a dictionary, or a `Recipe`.
        folder: of the run; `None` for `runs/<name of the recipe>`.
        new: start afresh; an earlier run in the folder is kept under another name.
        verbose: of `fit`.
        strategy: `"mirrored"`, `"multi_worker"` or a `tf.distribute.Strategy`, to train on several
            devices or machines (docs/distributed.md). The batches of the recipe are those of all
            together, and batch normalisation is synchronised, so that the training means the same.
            Workers share the folder; the first writes.
        **changes: fields of the recipe to replace, such as `epochs`; `initial="dcgan_emoji_64"`
            starts from the weights of a preset or run instead of random ones.

    Returns:
        The `pathlib.Path` of the folder.

    Raises:
        ValueError: for a recipe that is not right, or another than the run's.
        BlockingIOError: if another process trains in the folder.
    """
    strategy = by_name(strategy)  # first: workers find each other before anything is computed
    chief = is_chief(strategy)
    recipe = Recipe.read(recipe, **changes)
    folder = Path(folder) if folder is not None else Path("runs", recipe.name)
    if new and isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        raise ValueError(
            "Workers cannot agree on when a folder is moved away. Give the new run another folder, "
            f"or remove the old one first. Received: new=True, {folder}"
        )
    if new and folder.exists():
        with locked(folder):  # nobody trains there
            pass
        folder.rename(free_name(folder))
    # The first of several workers locks for all.
    with locked(folder) if chief else contextlib.nullcontext():
        _train(recipe, folder, verbose, strategy, chief)
    return folder


def _train(recipe, folder, verbose, strategy, chief):
    """Begins or goes on, in a folder that is this training's own."""
    config = folder / "config.json"
    if config.exists():
        recipe.require_same(read_json(config), config)
    resume = Resume(folder / "checkpoints", minutes=_MINUTES)
    if resume.epoch < recipe.config["epochs"]:
        # Both may refuse, and neither has touched the folder.
        with strategy.scope():
            gan = recipe.build_model()
            if recipe.config["initial"] is not None and not resume.epoch:
                start_from(gan, recipe.config["initial"])
        dataset = recipe.load_data(first_epoch=resume.epoch)
        evaluate = recipe.build_evaluation(folder / "checkpoints", gan if chief else None)
        if chief:
            for path, content in ((config, recipe.config), (folder / ENVIRONMENT, describe())):
                with atomic(path) as partial:
                    partial.write_text(json.dumps(content, indent=2) + "\n")
            if not (folder / inputs.FILE).exists():
                inputs.write(folder / inputs.FILE, recipe, input_roles(gan))
        gan.fit(
            dataset,
            steps_per_epoch=data.steps_per_epoch(dataset),
            epochs=recipe.config["epochs"],
            verbose=verbose if chief else 0,
            callbacks=_callbacks(recipe, gan, folder, evaluate, resume),
        )
        if evaluate is not None and chief:
            last = evaluate.measured if evaluate.epoch == resume.epoch else None
            conclude(
                folder,
                evaluate.evaluation,
                gan,
                resume.epoch,
                recipe,
                last,
                backward_generator(gan),
                verbose=int(verbose != 0),
            )
    if chief:
        write_report(folder, recipe)


def _callbacks(recipe, gan, folder, evaluate, resume):
    """In the order in which they must run."""
    samples = SampleGrid(
        folder / "samples",
        recipe.config["samples"],
        log_dir=folder / "logs/samples",
        inputs=recipe.sample_pairs(),
    )
    health = TrainingHealth(
        log_dir=str(folder / "logs/health"), path=folder / HEALTH, **_classifier(recipe, gan)
    )
    return [
        health,  # first: what has broken is not saved
        *([] if evaluate is None else [evaluate]),  # before those that log, which have its numbers
        resume,
        MetricsLog(folder / "metrics.jsonl"),
        Curves(folder / "logs"),
        samples,
    ]


def _classifier(recipe, gan):
    """What counts the classes among samples, where the data have a classifier of their own."""
    name = metrics.usual_features(recipe.config["data"]["name"])
    network = None if name is None else metrics.features.load(name)
    shown = tuple(gan.inference_generator.outputs[0].shape)[1:]
    if network is None or shown != network.image_shape:
        return {}
    return {"classify": lambda x: network(x)[1], "num_classes": network.num_classes}
