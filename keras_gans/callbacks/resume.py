"""Stop a training at any moment, run it again, and lose at most an epoch."""

import re
from pathlib import Path

import keras

from keras_gans import checks
from keras_gans.callbacks.writer import writes
from keras_gans.files import atomic


class Resume(keras.callbacks.Callback):
    """Saves the whole training after an epoch, and goes on from what is saved.

    One file holds both sides, both optimizers, the moving averages and every random state, and
    its name the number of finished epochs. It is put in place whole or not at all, where
    `keras.callbacks.BackupAndRestore` writes over its only copy.

    Going on is exact if the data come in the order they would have come in, which
    `first_epoch` asks for:

    >>> resume = keras_gans.callbacks.Resume("checkpoints")
    >>> images = keras_gans.data.load("normal", first_epoch=resume.epoch)
    >>> history = gan.fit(images, steps_per_epoch=10, epochs=2, callbacks=[resume], verbose=0)
    >>> resume.epoch
    2

    Args:
        directory: folder of the checkpoints; made if missing.
        every: epochs between two checkpoints. The last epoch is always saved.
        keep: how many checkpoints stay.

    Raises:
        ValueError: for a number below 1, or a checkpoint that cannot be read.
    """

    def __init__(self, directory, every=1, keep=2):
        super().__init__()
        self.directory = Path(directory)
        self.every, self.keep = checks.count("every", every), checks.count("keep", keep)

    def _numbered(self):
        """Number of finished epochs to path, oldest first."""
        numbered = {}
        for path in self.directory.glob("epoch-*.weights.h5"):
            if match := re.fullmatch(r"epoch-(\d+)\.weights\.h5", path.name):
                numbered[int(match[1])] = path
        return dict(sorted(numbered.items()))

    def checkpoints(self):
        """Paths of the checkpoints, oldest first."""
        return list(self._numbered().values())

    @property
    def epoch(self):
        """Number of finished epochs in the newest checkpoint; 0 if there is none."""
        return max(self._numbered(), default=0)

    def restore(self, model):
        """Loads the newest checkpoint, if there is one, and returns the number of its epoch."""
        paths = self.checkpoints()
        if paths:
            try:
                model.load_weights(paths[-1])
            except (OSError, KeyError, ValueError) as error:
                earlier = f"go on from {paths[-2].name}" if len(paths) > 1 else "start afresh"
                raise ValueError(
                    "A checkpoint cannot be read: it is damaged, or of another model. Expected "
                    f"what this model saved. Remove the file to {earlier}. Received: {paths[-1]} "
                    f"({error})"
                ) from error
        return self.epoch

    def save(self, epoch):
        """Writes the checkpoint of a finished epoch, and removes the oldest."""
        with atomic(self.directory / f"epoch-{epoch:05d}.weights.h5") as partial:
            self.model.save_weights(partial)
        for path in self.checkpoints()[: -self.keep]:
            path.unlink()

    def on_train_begin(self, logs=None):
        # The attribute through which Keras' own BackupAndRestore moves the start of `fit`.
        self.model._initial_epoch = self._finished = self.restore(self.model)

    def on_epoch_end(self, epoch, logs=None):
        self._finished = epoch + 1
        if self._finished % self.every == 0 and writes(self.model):
            self.save(self._finished)

    def on_train_end(self, logs=None):
        if self._finished > self.epoch and writes(self.model):
            self.save(self._finished)
        self.model._initial_epoch = None  # the next `fit` starts where it is told to
