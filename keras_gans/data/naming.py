"""What a name means: a registered source, a set of TensorFlow Datasets, or a folder."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from absl import logging

from keras_gans.data import sources
from keras_gans.data.sources import folder, paired_folder, tfds_sets
from keras_gans.image.files import is_folder
from keras_gans.names import did_you_mean


def find(name: str | os.PathLike, paired: bool) -> sources.Source:
    """Returns the source that a name means.

    Args:
        name: Of a data set, or path of a folder.
        paired: Whether images of two domains are wanted.

    Raises:
        ValueError: If it means nothing, or two things.
        FileNotFoundError: If it is the path of a folder that does not exist.
    """
    path = meaning(name, sources.names(paired))
    if path is not None:
        return (paired_folder if paired else folder).source(path)
    if name in sources.names(paired):
        return sources.get(name, paired)
    return tfds_sets.source(name, paired)


def meaning(name: str | os.PathLike, ours: Sequence[str]) -> Path | None:
    """Returns the path of the folder that a name means, or None if it means a data set.

    Args:
        name: Text or path.
        ours: Names of the data sets that this library adds.

    Raises:
        ValueError: If it means nothing, or both a folder and a set that would be downloaded.
        FileNotFoundError: If it is the path of a folder that does not exist.
    """
    if not isinstance(name, str | os.PathLike) or not str(name):
        raise ValueError(
            f"That names no data set. Expected a name such as {ours[0]!r}, or the path of a "
            f"folder of images. Received: name={name!r}"
        )
    path = Path(name)
    with contextlib.suppress(RuntimeError):  # there is no such user
        path = path.expanduser()
    if not isinstance(name, str):
        return path
    if name in ours:
        if is_folder(path):
            logging.warning(
                "%r is read as the data set of that name, not as the folder: that is %r.",
                name,
                f"./{name}",
            )
        return None
    if tfds_sets.in_tfds(name):
        if not is_folder(path):
            return None
        version = "" if ":" in name else ":*.*.*"
        raise ValueError(
            f"There are a folder and a data set of TensorFlow Datasets of that name. Expected "
            f"'./{name}' for the folder, or '{name}{version}' for the data set. "
            f"Received: name={name!r}"
        )
    # A path from the root is none of a data set; `check_folder` says what is wrong with it.
    if not path.is_absolute() and not os.path.lexists(path):
        raise unknown(name, ours)
    return path


def unknown(name: str, ours: Sequence[str]) -> ValueError | FileNotFoundError:
    """Returns the error of a name that means nothing; `ours` are the names of sources."""
    known = [*ours, *tfds_sets.known()]
    folders = [entry.name for entry in os.scandir() if entry.is_dir()]
    kind = ValueError if Path(name).name == name else FileNotFoundError
    other = ""
    if name in sources.names():
        other = f" {name!r} is one of `{'load_pairs' if sources.get(name).paired else 'load'}`."
    return kind(
        f"There is no data set and no folder of that name."
        f"{did_you_mean(Path(name).parts[0], known + folders)}{other} "
        f"Expected one of {', '.join(map(repr, ours))}, an image data set of TensorFlow Datasets, "
        f"or the path of a folder of images. Received: name={name!r}"
    )
