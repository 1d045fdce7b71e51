"""Reads archives of `numpy.savez`."""

import contextlib
import functools
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from keras_gans.reading.stored import Stored, explained, kind_of, require_room
from keras_gans.reading.text import regular

DAMAGED = "The file is damaged, or not an `.npz` of numbers. Save it again with `numpy.savez`."


@contextlib.contextmanager
def opened(path: Path | str) -> Iterator[dict[str, Stored]]:
    """Opens a file, and reads the headers of its arrays.

    Args:
        path: of the file.

    Yields:
        Names of arrays to `Stored`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, or contains anything but numbers.
    """
    explain = functools.partial(explained, path, DAMAGED)
    with contextlib.ExitStack() as stack:
        path = regular(path)
        file = stack.enter_context(path.open("rb"))
        with explain():
            archive = stack.enter_context(zipfile.ZipFile(file))
            found = {
                entry.filename.removesuffix(".npy"): _stored(archive, entry, explain)
                for entry in archive.infolist()
            }
            require_room(found.values(), path.stat().st_size)
        yield found


def _stored(archive, entry, explain):
    with archive.open(entry) as head:
        # Headers of later versions, for records with long names, may claim to have gigabytes.
        if np.lib.format.read_magic(head) != (1, 0):
            raise ValueError(f"{entry.filename} is not an array of plain numbers")
        shape, _, dtype = np.lib.format.read_array_header_1_0(head)

    def load():
        with archive.open(entry) as content:
            return np.lib.format.read_array(content, allow_pickle=False)

    name = entry.filename.removesuffix(".npy")
    return Stored(name, shape, kind_of(dtype, name), load, explain, dtype.itemsize)
