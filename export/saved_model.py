"""SavedModel, for TF Serving."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from keras_gans import checks
from keras_gans.export import metadata, signatures
from keras_gans.export.graph import endpoints, warm_up
from keras_gans.export.graph.versions import (
    HASHES,
    LIMITS,
    METADATA,
    is_version,
    newest_version,
    versions,
)
from keras_gans.files import atomic_folder, hashes

__all__ = ["newest_version", "saved_model"]


def saved_model(
    generator: keras.Model,
    path: Path | str,
    version: int | None = 1,
    overwrite: bool = False,
    *,
    max_images: int | None = None,
    max_pixels: int = 2**22,
    max_total_pixels: int | None = None,
    categorical: Sequence[int] = (),
    continuous: int = 0,
    floats_only: bool = False,
    tile_size: int = endpoints.TILE,
    margin: int | None = None,
) -> Path:
    """Writes a generator as a SavedModel for TF Serving: a version in the folder of a model.

    The signature `serving_default` has the inputs and outputs of the generator's interface
    (`keras_gans.interface`): `latents` or `images`, int32 `labels` of a class-conditional one, or
    an input for each of several conditions by its name, the numbers of words of texts, and float32
    `images` that come out. The
    names of classes are in what `keras_gans.export.metadata` returns of the folder. The signatures
    that a client can call without knowing the generator, `generate`, `translate` and related ones,
    are described in docs/serving.md. Nothing of Keras, and nothing of this library, is needed to
    load it.

    >>> generator = keras_gans.networks.dcgan_generator((28, 28, 1))
    >>> path = keras_gans.export.saved_model(generator, "exported/digits")
    >>> path.name
    '1'
    >>> print(keras_gans.export.check(path, generator))  # doctest: +ELLIPSIS
    SavedModel, largest difference ...

    Args:
        generator: a built `keras.Model`. Of a GAN its `inference_generator` is taken, with a
            warning that says so.
        path: folder of the model, whose name is the model's. It holds versions and nothing else.
        version: integer of at least 1, the folder inside; `None` for one more than the newest.
        overwrite: replace that version. Otherwise it is an error if it is there.
        max_images: the most images of one request. By default as many as make 2**20 pixels, at
            most 256.
        max_pixels: the most pixels, height times width, of an image sent to be translated.
        max_total_pixels: the most pixels of all images of a request together, sent or made,
            whichever are more. By default four times `max_pixels`.
        categorical: of an InfoGAN, the numbers of classes of its categorical codes, where the
            generator's interface does not say so.
        continuous: of an InfoGAN, how many continuous codes, likewise.
        floats_only: write `serving_default` alone.
        tile_size: of a network that enlarges images of any size: the side of the tiles that it
            computes one after another, so that memory does not grow with the image.
        margin: of the tiles: pixels at their edges that are not used. `None` for the network's
            receptive radius, with which tiles make what the whole image would, but at most a
            sixth of `tile_size`.

    Returns:
        The `pathlib.Path` of the version, `path/version`.

    Raises:
        ValueError: if it is no generator, an argument is out of range, or its images leave
            [-1, 1].
        FileExistsError: if something is there that may not be replaced.
    """
    base = signatures.path_to_write(path)
    generator = signatures.generator_of(generator)
    stated = signatures.with_codes(signatures.interface_of(generator), categorical, continuous)
    if version is None:
        version = max(versions(base), default=0) + 1
    folder = base / str(checks.count("version", version))
    limits = endpoints.limits(generator, max_images, max_pixels, max_total_pixels)
    _require_room(base.resolve())
    # Its functions are traced when they are made, called or written: all of it in float32.
    with signatures.in_float32(generator), _folder(folder.resolve(), overwrite) as partial:
        served = endpoints.endpoints(generator, limits, stated, floats_only, tile_size, margin)
        if not floats_only:
            endpoints.require_range(generator)
        _write(partial, {name: endpoint.function for name, endpoint in served.items()})
        tried = {name: endpoint.example for name, endpoint in served.items()}
        warm_up.write(partial, base.resolve().name, tried)
        stated = {
            "max_images": limits.images,
            "max_pixels": limits.pixels,
            "max_total_pixels": limits.total_pixels,
        }
        said = metadata.describe(generator, "float32", [-1, 1], None)
        (partial / METADATA).write_text(f"{said}\n")
        (partial / LIMITS).write_text(json.dumps(stated) + "\n")
        (partial / HASHES).write_text(json.dumps(hashes(partial), indent=1) + "\n")
    return folder


def _write(folder: Path, functions: dict[str, Any]) -> None:
    """Writes `tf.function`s as signatures, with the variables of the first, which are all.

    TensorFlow traces them as it writes them, even those that were traced before. So
    `keras.export.ExportArchive`, which traces what it is given, would trace everything twice.
    """
    module = tf.Module()
    module.all_variables = list(next(iter(functions.values())).get_concrete_function().variables)
    for name, function in functions.items():
        setattr(module, name, function)
    tf.saved_model.save(module, str(folder), signatures=functions)


def _require_room(base: Path) -> None:
    """Raises FileExistsError if a folder is not that of a model."""
    if not base.exists():
        return
    if (base / "saved_model.pb").is_file():
        raise FileExistsError(
            "There is a SavedModel at that path, where versions would be: give the folder above "
            f"it. Received: {base}"
        )
    unlike = [base] if not base.is_dir() else sorted(base.iterdir())
    # What begins with a dot is an unfinished export's, or the file system's.
    unlike = [p for p in unlike if not is_version(p) and not p.name.startswith(".")]
    if unlike:
        raise FileExistsError(
            "There is something else at that path than a model: a folder whose folders are "
            "versions, 1, 2, .... Choose another path. "
            f"Received: {base}, with {unlike[0].name!r}"
        )


@contextlib.contextmanager
def _folder(path: Path, overwrite: bool) -> Iterator[Path]:
    """A folder that appears at `path` when it is complete, or not at all."""
    empty = path.is_dir() and not any(path.iterdir())
    if path.exists() and not empty:
        signatures.require_replaceable(path, "saved_model.pb", "a SavedModel", overwrite)
    new = not path.parent.exists()
    try:
        with atomic_folder(path) as partial:
            yield partial
    finally:
        if new and not path.exists():
            with contextlib.suppress(OSError):
                path.parent.rmdir()  # the folder of a model that has no version
