"""What the sources share of TensorFlow Datasets: a quiet builder, and a safe way to prepare it.

A builder decodes a source once, writes it below the data folder as `uint8` images in an order
given by a hash of their keys, and reads it back by split. The hash is what makes a slice such as
`"train[:80%]"` a fair sample of a source that is sorted by class.

Imported only when a set is loaded: `import keras_gans` imports no data set library.
"""

import contextlib
import dataclasses
import random
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds
from absl import logging
from tensorflow_datasets.core.utils import tqdm_utils

_DAY = 24 * 60 * 60


class QuietBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """A builder that is not in the global registry and logs instead of printing.

    Not registered, because the names are ours: `tfds.load("digits")` should not depend on
    whether `keras_gans` was imported.
    """

    VERSION = tfds.core.Version("1.0.0")

    def _create_builder_config(self, builder_config, **kwargs):
        # The inherited one warns of every configuration that is not in a list of the class.
        if isinstance(builder_config, tfds.core.BuilderConfig):
            return builder_config
        return super()._create_builder_config(builder_config, **kwargs)

    def _log_download_bytes(self):
        logging.info("Preparing %s in %s", self.name, self.data_dir)

    def _log_download_done(self):
        logging.info("Prepared %s in %s", self.name, self.data_dir)

    def _split_generators(self, dl_manager):
        raise NotImplementedError

    def _generate_examples(self, *args):
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a source prepares.

    Attributes:
        name: Of its folder below the data folder.
        description: A sentence.
        features: Function of `tensorflow_datasets.features` to the features of an example.
        examples: Function without arguments to the examples of each split, by its name: pairs of
            a key that no other example of the split has, and a dictionary of features. Called only
            if the set is not prepared yet.
        key: Changes whenever the examples do; None if they never do.
        homepage: Address of the origin.
    """

    name: str
    description: str
    features: Callable[[Any], Mapping[str, Any]]
    examples: Callable[[], Mapping[str, Iterable[tuple[Any, Mapping[str, Any]]]]]
    key: str | None = None
    homepage: str | None = None


class Planned(QuietBuilder, skip_registration=True):
    """The builder of a `Plan`."""

    name = "keras_gans_planned"

    def __init__(self, plan: Plan, data_dir: str | Path | None = None):
        self.plan, self.name = plan, plan.name
        config = None if plan.key is None else tfds.core.BuilderConfig(name=plan.key)
        super().__init__(data_dir=data_dir, config=config)

    def _info(self):
        features = dict(self.plan.features(tfds.features))
        return tfds.core.DatasetInfo(
            builder=self,
            description=self.plan.description,
            features=tfds.features.FeaturesDict(features),
            supervised_keys=("image", "label") if "label" in features else None,
            homepage=self.plan.homepage,
        )

    def _split_generators(self, dl_manager):
        return dict(self.plan.examples())


def prepared(plan: Plan, data_dir: str | Path | None) -> Planned:
    """Returns the builder of a plan, prepared; see `prepare`."""
    return prepare(lambda: Planned(plan, data_dir))


def prepare(make_builder: Callable[[], QuietBuilder]) -> QuietBuilder:
    """Prepares a data set once, whatever happens at the same time.

    TensorFlow Datasets writes into a folder of its own and renames it at the end, so a killed
    preparation leaves nothing under the final name. Of two processes that prepare the same set,
    the second to finish cannot rename, and uses what the first has written.

    Args:
        make_builder: Function without arguments that returns a new builder.

    Returns:
        A builder whose data are there.
    """
    builder = make_builder()
    if is_prepared(builder):
        return builder
    try:
        with _private_random_state(), _no_progress_bars():
            builder.download_and_prepare()
    except OSError:
        builder = make_builder()
        if not is_prepared(builder):
            raise
    _remove_leftovers(Path(builder.data_dir))
    return builder


def is_prepared(builder: tfds.core.DatasetBuilder) -> bool:
    """Returns whether the builder's data folder is there, and so complete."""
    return Path(builder.data_dir).is_dir()


@contextlib.contextmanager
def _no_progress_bars():
    # Three nested bars for what takes seconds.
    shown = getattr(tqdm_utils, "_active", True)
    tfds.display_progress_bar(False)
    try:
        yield
    finally:
        tfds.display_progress_bar(shown)


@contextlib.contextmanager
def _private_random_state():
    # TensorFlow Datasets draws the name of its temporary folder from Python's global generator.
    # Two processes that were given the same seed would write into the same folder, and the run
    # that prepares the data would go on with other random numbers than the next ones.
    state = random.getstate()
    random.seed()
    try:
        yield
    finally:
        random.setstate(state)


def _remove_leftovers(data_dir):
    """Removes what killed preparations of this set have left, once nobody can be writing it."""
    for leftover in data_dir.parent.glob(f"incomplete.*_{data_dir.name}"):
        with contextlib.suppress(OSError):
            if time.time() - leftover.stat().st_mtime > _DAY:
                shutil.rmtree(leftover)
