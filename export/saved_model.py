"""SavedModel, for TF Serving."""

import contextlib
import shutil
from pathlib import Path

import keras

from keras_gans.export import signatures


def saved_model(generator, path, overwrite=False):
    """Writes a generator as a SavedModel, for batches of any size.

    The signature `serving_default` takes `latents` (or `images`, for a generator that
    translates), and int32 `labels` if the generator is told a class, and answers `images`,
    float32. Nothing of Keras, and nothing of this library, is needed to load it.

    >>> generator = keras_gans.networks.dcgan_generator((28, 28, 1))
    >>> path = keras_gans.export.saved_model(generator, "exported/saved_model")
    >>> print(keras_gans.export.check(path, generator))  # doctest: +ELLIPSIS
    SavedModel, largest difference ...

    Args:
        generator: a built `keras.Model`; of a GAN, its `inference_generator`.
        path: folder to write.
        overwrite: replace the SavedModel that is there. Otherwise that is an error. An empty
            folder may always be there, and anything else never: it is not deleted.

    Returns:
        The `pathlib.Path` of the folder.

    Raises:
        ValueError: if it is no generator.
        FileExistsError: if something is there that may not be replaced.
    """
    path = Path(path)
    serve = signatures.function(generator, signatures.signature(generator))
    with _folder(path.resolve(), overwrite) as partial:
        # Without `track`, which would store every variable a second time.
        archive = keras.export.ExportArchive()
        archive.add_endpoint("serving_default", serve)
        archive.write_out(str(partial), verbose=False)
    return path


@contextlib.contextmanager
def _folder(path, overwrite):
    """A folder that appears at `path` when it is complete, or not at all."""
    empty = path.is_dir() and not any(path.iterdir())
    if path.exists() and not empty and not overwrite:
        raise signatures.already_there(path)
    if path.exists() and not empty and not (path / "saved_model.pb").is_file():
        raise FileExistsError(
            "There is something else than a SavedModel at that path, and overwriting would delete "
            f"it. Choose another path, or remove it yourself. Received: {path}"
        )
    partial = path.with_name(f".{path.name}.partial")
    previous = path.with_name(f".{path.name}.previous")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield partial
        # A folder cannot be renamed over a full one. Moved aside, the old one is whole until the
        # new one is there; deleted first, a kill would leave half of it.
        if path.exists():
            shutil.rmtree(previous, ignore_errors=True)
            path.rename(previous)
        try:
            partial.rename(path)
        except OSError:
            if previous.exists():
                previous.rename(path)
            raise
        shutil.rmtree(previous, ignore_errors=True)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
