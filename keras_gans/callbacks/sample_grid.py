"""Watch a generator learn, always from the same latents."""

from pathlib import Path

import keras
import tensorflow as tf

from keras_gans import checks, image
from keras_gans.callbacks.writer import writes

_FRAMES = 100


class SampleGrid(keras.callbacks.Callback):
    """Writes a grid of samples as the training goes, and an animation of them at its end.

    The grids are `epoch_0000.png` (before the first step), `epoch_0001.png` and so on. All show
    the same latents: what changes is the generator.

    >>> samples = keras_gans.callbacks.SampleGrid("samples", num_images=36)

    Of a GAN that makes images of images, each row begins with an image that it was given: what
    the columns are, its `compare` says.

    Args:
        directory: folder of the grids; made if missing.
        num_images: images in a grid; with `inputs`, rows.
        every: epochs between two grids. The last epoch always gets one.
        seed: of the latents.
        log_dir: folder of TensorBoard's files, for the same grids there; `None` for none.
        animation: file name in `directory`, ending in `.gif` or `.webp`; `None` for none.
        inputs: for a GAN that makes images of images: `(sources, targets)`, arrays of images in
            [-1, 1] that it is not trained on.
        **options: of the model's `generate`, such as `truncation`.

    Raises:
        ValueError: for a number below 1, an unknown kind of animation, or a generator that makes
            no images.
    """

    def __init__(
        self,
        directory,
        num_images=64,
        every=1,
        seed=0,
        log_dir=None,
        animation="training.gif",
        inputs=None,
        **options,
    ):
        super().__init__()
        checks.count("num_images", num_images)
        checks.count("every", every)
        if animation is not None and Path(animation).suffix not in (".gif", ".webp"):
            raise ValueError(
                "`animation` is the name of a .gif or .webp file, or None. "
                f"Received: animation={animation!r}"
            )
        self.inputs = inputs
        self.directory, self.log_dir, self.animation = Path(directory), log_dir, animation
        self.num_images, self.every, self.seed, self.options = num_images, every, seed, options
        self._written = self._summary = None

    def on_train_begin(self, logs=None):
        shape = self.model.inference_generator.output_shape
        if len(shape) != 4 or shape[-1] not in (1, 3, 4):
            raise ValueError(
                "SampleGrid shows images, and this generator makes none. Expected outputs "
                f"(batch, height, width, 1, 3 or 4). Received: {shape}"
            )
        if (self.inputs is None) == hasattr(self.model, "compare"):
            raise ValueError(
                "SampleGrid needs `inputs=(sources, targets)` for a GAN that makes images of "
                "images, and for no other. "
                f"Received: {type(self.model).__name__}, inputs={type(self.inputs).__name__}"
            )
        self._epoch = self.model._initial_epoch or 0
        if self._epoch == 0:
            self.write(0)

    def on_epoch_end(self, epoch, logs=None):
        self._epoch = epoch + 1
        if self._epoch % self.every == 0:
            self.write(self._epoch)

    def on_train_end(self, logs=None):
        if self._written != self._epoch:
            self.write(self._epoch)
        if self._summary is not None:
            self._summary.close()
            self._summary = None
        if self.animation is not None and writes(self.model):
            frames = [
                path
                for path in sorted(self.directory.glob("epoch_*.png"))
                if int(path.stem[len("epoch_") :]) <= self._epoch
            ]
            # Evenly thinned: a hundred frames tell as much as a thousand, in a tenth of the size.
            step = -(-len(frames) // _FRAMES)
            frames = frames[:-1:step] + frames[-1:]
            image.animate(frames, self.directory / self.animation)

    def write(self, epoch):
        """Writes the grid of one epoch."""
        if not writes(self.model):
            return
        if self.inputs is None:
            images = self.model.generate(self.num_images, seed=self.seed, **self.options)
            picture = image.grid(images)
        else:
            columns = self.model.compare(*(part[: self.num_images] for part in self.inputs))
            picture = image.grid(image.side_by_side(columns), columns=len(columns))
        image.save(picture, self.directory / f"epoch_{epoch:04d}.png")
        self._written = epoch
        if self.log_dir is not None:
            self._summary = self._summary or tf.summary.create_file_writer(str(self.log_dir))
            with self._summary.as_default():
                tf.summary.image("samples", picture[None], step=epoch)
