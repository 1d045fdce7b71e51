"""SavedModel, for TF Serving."""

import contextlib
import shutil
from pathlib import Path

import keras

from keras_gans.export import serving


def saved_model(generator, path, overwrite=False):
    """Writes a generator as a SavedModel, for batches of any size.

    The signature `serving_default` takes `latents` (or `images`, for a generator that
    translates) and answers `images`, all float32. Nothing of Keras, and nothing of this library,
    is needed to load it.

    >>> generator = keras_gans.networks.dcgan_generator((28, 28, 1))
    >>> path = keras_gans.export.saved_model(generator, "exported/saved_model")
    >>> print(keras_gans.export.check(path, generator))  # doctest: +ELLIPSIS
    SavedModel, largest difference ...

    Args:
        generator: a built `keras.Model`; of a GAN, its `inference_generator`.
        path: folder to write.
        overwrite: replace what is there. Otherwise that is an error.

    Returns:
        The `pathlib.Path` of the folder.

    Raises:
        ValueError: if it is no generator.
        FileExistsError: if the folder exists.
    """
    path = Path(path)
    serve = serving.function(generator, serving.signature(generator))
    with _folder(path, overwrite) as partial:
        # Without `track`, which would store every variable a second time.
        archive = keras.export.ExportArchive()
        archive.add_endpoint("serving_default", serve)
        archive.write_out(str(partial), verbose=False)
    return path


@contextlib.contextmanager
def _folder(path, overwrite):
    """A folder that appears at `path` when it is complete, or not at all."""
    if path.exists() and not overwrite:
        raise FileExistsError(
            "There is something at that path already. Choose another, or pass `overwrite=True` "
            f"(`--overwrite` on the command line). Received: {path}"
        )
    partial = path.with_name(f".{path.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield partial
        if path.is_dir():
            shutil.rmtree(path)
        partial.replace(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
