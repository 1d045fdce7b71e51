"""Evaluates a run, a preset or a folder of images."""

import contextlib
import dataclasses
import functools
import json
from pathlib import Path
from typing import Any

import keras

from keras_gans import data, generation, image, metrics
from keras_gans.callbacks import Resume
from keras_gans.files import atomic
from keras_gans.names import deprecated, renamed
from keras_gans.reading.text import read_json
from keras_gans.terminal import Progress
from keras_gans.zoo.catalog import presets
from keras_gans.zoo.loading import backward_generator, open_gan
from keras_gans.zoo.runs.recipe import Recipe
from keras_gans.zoo.runs.report import NEIGHBORS, RESULTS, columns, write_report


@dataclasses.dataclass(frozen=True)
class Results:
    """Result of `evaluate`.

    Attributes:
        folder: with `evaluation.json`, `neighbors.png` and `metrics.jsonl`.
        measured: names of protocols to `metrics.Measurement`s.
        reference: the same of other real images.
        degradations: names of reference degradations to the same of real images degraded so.
        memorization: a `metrics.Memorization`; `None` if there are no images to compare with.
        nearest: median root mean square difference to the nearest training image, of a range of 2;
            `None` if the training set is not known.
        shares: names of attributes to the share of each value; `None` where no classifier reads
            the attributes.
    """

    folder: Path
    measured: dict[str, metrics.Measurement]
    reference: dict[str, metrics.Measurement]
    degradations: dict[str, dict[str, metrics.Measurement]]
    memorization: metrics.Memorization | None
    nearest: float | None
    shares: dict[str, dict[str, float]] | None = None

    @property
    def floor(self) -> dict[str, metrics.Measurement]:
        """Deprecated: `reference`."""
        deprecated("Results.floor", "Results.reference")
        return self.reference

    @property
    def yardsticks(self) -> dict[str, dict[str, metrics.Measurement]]:
        """Deprecated: `degradations`."""
        deprecated("Results.yardsticks", "Results.degradations")
        return self.degradations

    def table(self) -> list[list[str]]:
        """Rows of text: each metric beside its reference values."""
        table = columns(self.measured, self.reference, self.degradations)
        return [["", *table]] + [
            [name, *(f"{float(c[name]):.4g}" if name in c else "-" for c in table.values())]
            for name in self.measured
        ]


# Either of them makes a folder a preset.
_OF_PRESETS = (presets.RECIPE, presets.ORIGIN)
STRANGEST = "strangest.png"
_FACES = 5_000  # read at most, which are as many as the held-out ones


@renamed(out="output", floor_split="reference_split")
def evaluate(
    source: Path | str,
    against: Path | str | None = None,
    output: Path | str | None = None,
    verbose: int = 1,
    attributes: str | None = None,
    **options: Any,
) -> Results:
    """Measures images, and writes the results; for a CycleGAN, in both directions.

    >>> results = keras_gans.zoo.evaluate("dcgan_digits_28", output="evaluated")  # doctest: +SKIP

    Args:
        source: folder of a run; a trained preset, as for `load`; or folder of images.
        against: name of a data set, or folder, of real images. `None` takes what a run or preset
            was trained on; a folder of images has no such default.
        output: folder to write to; `None` for the run's own, or `evaluated/<name>`.
        verbose: 1 shows progress, 0 nothing.
        attributes: name of a data set of faces, such as "avatars", whose attributes are read from
            the images (`metrics.AttributeEvaluation`); `None` for those of the real images, if
            there is a classifier of them.
        **options: of `metrics.Evaluation`: `features`, `split`, `reference_split`, `num_images`. A
            recipe with an `evaluation` has them already. A list of `features` measures by each.

    Returns:
        `Results`, also written: `evaluation.json`, `neighbors.png`, a line in `metrics.jsonl`, and
        in a run's `report.html`.

    Raises:
        ValueError: if there is no such source, or it has fewer images than the protocol takes.
        ImportError: if the package with the weights of the features is not installed.
    """
    folder = Path(source)
    is_run = (folder / "config.json").is_file()
    recipe, epoch, back = None, None, None
    if is_run:
        recipe = Recipe(read_json(folder / "config.json"), folder.name)
        epoch = Resume(folder / "checkpoints").epoch
    elif not folder.is_dir() or any((folder / n).is_file() for n in _OF_PRESETS):
        card = presets.card(source)  # says which presets there are
        recipe = Recipe(card.require_recipe(), card.name)
        epoch = recipe.config["epochs"]
    if recipe is not None:
        kept = dict(recipe.config["evaluation"] or {}) if against is None else {}
        fields = ("features", "split", "reference_split", "num_images")
        usual = {name: kept.get(name) for name in fields}
        evaluation = recipe.evaluation(against, **{**usual, **options})
        images = open_gan(source)
        back = backward_generator(images)
    elif against is None:
        raise ValueError(
            "A folder of images must be compared with real ones. Name their data set: "
            f"`against=...` (`--against`). Received: {folder}, against=None"
        )
    else:
        evaluation = metrics.Evaluations.of(metrics.Evaluation, against, **options)
        height, width, channels = evaluation.image_shape
        images = data.load(
            folder,
            image_size=(height, width),
            channels=channels if channels in (1, 3) else None,
            batch_size=100,
            shuffle=False,
            drop_remainder=False,
        )
    if output is None:
        output = folder if is_run else Path("evaluated", folder.name)
    output = Path(output)
    own = recipe if against is None else None
    results = conclude(
        output, evaluation, images, epoch, own, back=back, verbose=verbose, attributes=attributes
    )
    if is_run and output == folder:
        write_report(folder, recipe)
    return results


def conclude(
    output: Path,
    evaluation: metrics.Evaluation | metrics.TranslationEvaluation | metrics.Evaluations,
    images: Any,
    epoch: int | None,
    recipe: Recipe | None = None,
    measured: dict[str, metrics.Measurement] | None = None,
    back: keras.Model | None = None,
    verbose: int = 0,
    attributes: str | None = None,
) -> Results:
    """Puts what was measured beside the reference values and the training images.

    Args:
        output: folder to write to.
        evaluation: a `metrics.Evaluation`, a `metrics.TranslationEvaluation`, or several as
            `metrics.Evaluations`.
        images: as its `measure` takes them.
        epoch: that the images are of, or `None`.
        recipe: by which their generator was trained; `None` if that is not known.
        measured: what `evaluation.measure(images)` finds, where that is known already.
        back: of a CycleGAN, its backward generator, which is measured too.
        verbose: 1 shows progress.
        attributes: as for `evaluate`.

    Returns:
        `Results`, also written, but for the report.
    """
    judge = _judge(evaluation, attributes)
    watch = _Watch(evaluation, measured is None, back is not None, verbose)
    with watch.during("generated images"):
        measured = measured or evaluation.measure(images)
    with watch.during("reference degradations"):
        degradations = evaluation.degradations()
    with watch.during("other real images"):
        reference = evaluation.reference()
    if back is not None:
        with watch.during("the backward generator"):
            other = evaluation.backward()
            measured = measured | other.measure(functools.partial(generation.translate, back))
            found = other.degradations()
            degradations = {name: degradations[name] | found[name] for name in found}
            reference = reference | other.reference()
    shares = None
    if judge is not None:
        with watch.during("attributes"):
            faces = judge.read(images)
            measured, shares = measured | judge.measure(faces), faces.reading.shares
            image.save(faces.picture(), output / STRANGEST)
            reference = reference | judge.reference()
            degradations = degradations | judge.degradations()
    near = None
    if recipe is not None and not recipe.translates:
        with watch.during("nearest training images"):
            near = evaluation.memorization(images, recipe.config["data"]["split"])
        image.save(near.picture(), output / NEIGHBORS)
    watch.end()
    results = Results(
        output,
        measured,
        reference,
        degradations,
        None if near is None else near.score,
        None if near is None else float(sorted(near.rms)[len(near.rms) // 2]),
        shares,
    )
    _write(results, epoch)
    return results


def _judge(evaluation, attributes):
    """The evaluation of the attributes of the images; `None` if they have none."""
    if attributes is None:
        first = getattr(evaluation, "parts", [evaluation])[0]  # of several, all of the same images
        if not isinstance(first, metrics.Evaluation):
            return None
        if metrics.usual_reader(evaluation.data) is None:
            return None
        attributes = evaluation.data
    number = min(evaluation.num_images, _FACES)
    return metrics.AttributeEvaluation(attributes, num_images=number, seed=evaluation.seed)


def _write(results, epoch):
    def plain(measured):
        return {name: found.to_json() for name, found in measured.items()}

    score = results.memorization
    content = {
        "epoch": epoch,
        "measured": plain(results.measured),
        "reference": plain(results.reference),
        "degradations": {name: plain(found) for name, found in results.degradations.items()},
        "memorization": None if score is None else dataclasses.asdict(score),
        "nearest": results.nearest,
        "shares": results.shares,
    }
    with atomic(results.folder / RESULTS) as partial:
        partial.write_text(json.dumps(content, indent=2) + "\n")
    values = {name: float(found) for name, found in results.measured.items()}
    with (results.folder / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"epoch": epoch, "evaluation": values}) + "\n")


class _Watch:
    """Shows progress, by counting the images that feature networks see.

    Cached features are not computed again, so the time left is at most what it shows.
    """

    def __init__(self, evaluation, measures, both_ways, verbose):
        self._parts = getattr(evaluation, "parts", [evaluation])
        number = evaluation.num_images * len(self._parts)
        # Passes over so many images, including the real ones that they are compared with.
        passes = {"generated images": 1 + measures, "reference degradations": 5}
        passes |= {"the backward generator": 4 * both_ways, "other real images": 1}
        passes |= {"attributes": 0, "nearest training images": 3}  # read by another network
        self._left = {name: number * times for name, times in passes.items()}
        self._seen, self._stage = 0, ""
        self._progress = Progress(sum(self._left.values()), "images", verbose, every=15)

    def count(self, images):
        """Notes that a network saw so many images."""
        self._seen += images
        self._progress.update(min(self._seen, self._progress.total - 1), self._stage)

    @contextlib.contextmanager
    def during(self, stage):
        """Counts images in the block as one stage of the whole."""
        self._stage, networks = stage, [part.features for part in self._parts]
        for part, network in zip(self._parts, networks):
            part.features = _Counted(network, self.count)
        try:
            yield
        finally:
            for part, network in zip(self._parts, networks):
                part.features = network
        del self._left[stage]
        self._progress.total = self._seen + sum(self._left.values())

    def end(self):
        """Shows how many images were counted in all."""
        self._progress.total = self._seen
        self._progress.update(self._seen)


class _Counted:
    """A feature network whose images are counted."""

    def __init__(self, network, count):
        self.network, self._count = network, count

    def __getattr__(self, name):
        return getattr(self.network, name)

    def __call__(self, *images):
        found = self.network(*images)
        self._count(len(images[0]))
        return found
