"""Watch a generator learn, always from the same latents."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gans import checks, generation, image
from keras_gans.callbacks.base import Callback
from keras_gans.callbacks.board import Board
from keras_gans.callbacks.resume import is_skipping
from keras_gans.callbacks.writer import writes
from keras_gans.files import free_name, or_warn

_FRAMES = 100


class SampleGrid(Callback):
    """Writes a grid of samples as the training goes, and an animation of them at its end.

    The grids are `epoch_0000.png` (before the first step), `epoch_0001.png` and so on. All show
    the same latents: what changes is the generator. A training that goes on from an earlier epoch,
    by `Resume` or `initial_epoch`, adds to the grids that are there. Those of later epochs than
    that, or of another training, are moved into a folder `earlier~1` beside them.

    >>> samples = keras_gans.callbacks.SampleGrid("samples", num_images=36)

    What is shown follows from the generator's interface. Of an image-to-image GAN, each row begins
    with an image that it was given: `gan.compared` names the columns. Of a generator with several
    outputs, the images of one latent stand beside each other. Of a generator of texts, each image
    has its text below it.

    Args:
        directory: folder of the grids; made if missing.
        num_images: images in a grid; with `inputs`, rows; of several outputs, how many of each.
        every: epochs between two grids. The last epoch always gets one.
        seed: of the latents.
        log_dir: folder of TensorBoard's files, for the same grids there; `None` for none.
        animation: file name in `directory`, ending in `.gif` or `.webp`; `None` for none.
        inputs: for an image-to-image GAN: `(sources, targets)`, arrays of images in
            [-1, 1] that it is not trained on.
        **options: of the model's `generate`, such as `truncation`.

    Raises:
        ValueError: for a number below 1, an unknown kind of animation, or a generator that makes
            no images.
        OSError: in `fit`, if the first grid cannot be written. A later one is warned of.
    """

    def __init__(
        self,
        directory: str | Path,
        num_images: int = 64,
        every: int = 1,
        seed: int = 0,
        log_dir: str | Path | None = None,
        animation: str | None = "training.gif",
        inputs: Sequence[np.ndarray] | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        checks.count("num_images", num_images)
        checks.count("every", every)
        if animation is not None and Path(animation).suffix not in (".gif", ".webp"):
            raise ValueError(
                "`animation` is the name of a .gif or .webp file, or None. "
                f"Received: animation={animation!r}"
            )
        self.inputs = inputs
        self.directory, self._board, self.animation = Path(directory), Board(log_dir), animation
        self.num_images, self.every, self.seed, self.options = num_images, every, seed, options

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        self._epoch: int | None = None
        self._written: int | None = None
        self.undo.callback(self._board.close)
        described = self.model.interface(self.model.generator_role)
        if not described.images:
            raise ValueError(
                "SampleGrid shows images, and this generator makes none. Expected outputs "
                "(batch, height, width, 1, 3 or 4). "
                f"Received: {self.model.inference_generator.output_shape}"
            )
        if (self.inputs is None) == described.takes_image:
            raise ValueError(
                "SampleGrid needs `inputs=(sources, targets)` for an image-to-image GAN, and for "
                "no other. "
                f"Received: {type(self.model).__name__}, inputs={type(self.inputs).__name__}"
            )

    def begin(self, epoch: int) -> None:
        fresh = epoch == 0 and not is_skipping(self.model)
        if writes(self.model):
            self._move_away(-1 if fresh else epoch)
        self._epoch = self._written = epoch
        if fresh:
            self.write(0)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._epoch = epoch + 1
        if self._epoch % self.every == 0:
            self._try_to_write()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        if self._written != self._epoch:
            self._try_to_write()
        if self._epoch is not None and self.animation is not None and writes(self.model):
            frames = [path for number, path in self._grids() if number <= self._epoch]
            # Evenly thinned: a hundred frames tell as much as a thousand, in a tenth of the size.
            step = -(-len(frames) // _FRAMES)
            frames = frames[:-1:step] + frames[-1:]
            with or_warn("The animation of the samples"):
                image.animate(frames, self.directory / self.animation)
        super().on_train_end(logs)

    def _grids(self):
        """Number and path of the grids in the folder, in order."""
        paths = self.directory.glob("epoch_*.png")
        numbers = [(path.stem.removeprefix("epoch_"), path) for path in paths]
        return sorted((int(number), path) for number, path in numbers if number.isdecimal())

    def _move_away(self, epoch):
        """Moves grids of later epochs out of the way of this training's."""
        later = [path for number, path in self._grids() if number > epoch]
        if later:
            # Those of every epoch: another training's, and so is its animation.
            film = self.directory / (self.animation or "")
            folder = free_name(self.directory / "earlier")
            folder.mkdir()
            for path in [*later, *([film] if epoch < 0 and film.is_file() else [])]:
                path.rename(folder / path.name)

    def _try_to_write(self):
        with or_warn(f"The samples of epoch {self._epoch}"):
            self.write(self._epoch)

    def write(self, epoch: int) -> None:
        """Writes the grid of one epoch."""
        if not writes(self.model):
            return
        if self.inputs is None:
            made = self.model.generate(self.num_images, seed=self.seed, **self.options)
            described = self.model.interface(self.model.generator_role)
            columns = list(generation.images_of(described, made).values())
            if texts := generation.texts_shown(described, self.num_images, self.options):
                columns = [image.captioned(column, texts) for column in columns]
            wide = generation.columns_of(self.num_images, len(columns))
        else:
            columns = self.model.compare(*(part[: self.num_images] for part in self.inputs))
            wide = len(columns)
        beside = image.side_by_side(generation.same_size(columns))
        picture = image.grid(beside, columns=wide)
        image.save(picture, self.directory / f"epoch_{epoch:04d}.png")
        self._written = epoch
        self._board.write(lambda: tf.summary.image("samples", picture[None], step=epoch))
