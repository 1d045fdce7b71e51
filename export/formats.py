"""One generator in several formats, side by side in a folder that several models may share."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from keras_gans.export import serving
from keras_gans.export.checking import Report
from keras_gans.export.checking import check as check_file
from keras_gans.export.onnx import onnx
from keras_gans.export.saved_model import saved_model
from keras_gans.export.tflite import tflite
from keras_gans.export.web import web

FORMATS = ("saved_model", "tflite", "onnx", "web")


def write_all(
    generator: keras.Model,
    name: str,
    formats: Sequence[str],
    folder: Path | str,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    overwrite: bool = False,
    check: bool = True,
) -> Iterator[tuple[str, Path, Report | None]]:
    """Writes a generator in several formats, under its name, and compares each with Keras.

    >>> generator = keras_gans.networks.dcgan_generator((28, 28, 1))
    >>> for kind, path, report in write_all(generator, "digits", ["tflite"], "exported/all"):
    ...     print(kind, path.name, report.format)
    tflite digits.tflite TFLite float16

    Args:
        generator: a built `keras.Model`.
        name: of the model: its files and folders are called by it.
        formats: some of `FORMATS`.
        folder: to write to.
        options: of each format's function, by its name.
        overwrite: replace what is there. Otherwise that is an error.
        check: compare each with Keras. A page is not compared: its `.tflite` is, as it is written.

    Yields:
        The format, the path, and the `Report` or `None`, as each is written.

    Raises:
        ValueError: for an unknown format, before anything is written; and as each function does.
    """
    if unknown := [kind for kind in formats if kind not in FORMATS]:
        raise ValueError(f"Expected some of the formats {FORMATS}. Received: {unknown}")
    return _written(generator, name, formats, Path(folder), options or {}, overwrite, check)


def _written(generator, name, formats, folder, options, overwrite, check):
    for kind in formats:
        given, inputs = options.get(kind, {}), None
        if kind == "saved_model":
            path = saved_model(
                generator, folder / "saved_model" / name, overwrite=overwrite, **given
            )
            serving.write_configuration(folder / "saved_model")
        elif kind == "web":
            given = {"title": name, **given}
            yield kind, web(generator, folder / "web" / name, overwrite=overwrite, **given), None
            continue
        else:
            write = {"tflite": tflite, "onnx": onnx}[kind]
            path = folder / f"{name}.{kind}"
            # A file that fails its check does not appear; the check below says how near it came.
            path = write(generator, path, overwrite=overwrite, check=check, **given)
            if not isinstance(given.get("representative", "latents"), str):
                inputs = given["representative"]
        yield kind, path, check_file(path, generator, inputs=inputs) if check else None
