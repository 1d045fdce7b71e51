"""Files and folders that are whole or not there."""

import contextlib
import hashlib
import os
import secrets
import shutil
import warnings
from pathlib import Path

CACHE_VARIABLE = "KERAS_GANS_CACHE"


@contextlib.contextmanager
def atomic(path):
    """Gives a path to write to, and moves it over `path` once the block has ended well.

    The previous file stays until the new one is complete and on the disk: a kill, an error or a
    full disk leaves it as it was. Missing parent folders are made.

    >>> with atomic("numbers.txt") as partial:
    ...     _ = partial.write_text("1 2 3")
    >>> Path("numbers.txt").read_text()
    '1 2 3'

    Args:
        path: the file wanted.

    Yields:
        Path beside it, with the same suffixes: what is written picks its format by them.

    Raises:
        OSError: with a note that says what was left, if the file cannot be written.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.parent / f".{secrets.token_hex(4)}-{path.name}"
    try:
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        state = "The previous file is whole." if path.exists() else "Nothing was left there."
        error.add_note(f"Could not write {path}. {state} Free some space, and run again.")
        raise
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path):
    """Gives a folder to write to, and moves it to `path` once the block has ended well.

    A folder that is at `path` already is replaced, and stays until the new one is complete.
    Missing parent folders are made.

    Args:
        path: the folder wanted.

    Yields:
        Path beside it, at which nothing is.
    """
    path = Path(path)
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


def cache_folder():
    """Where what can be made or fetched again is kept: `~/.cache/keras_gans`.

    The environment variable `KERAS_GANS_CACHE` names another folder.
    """
    return Path(os.environ.get(CACHE_VARIABLE) or Path.home() / ".cache/keras_gans")


@contextlib.contextmanager
def nothing_skipped():
    """Raises ValueError where Keras, loading weights, would warn of a part it skips and go on."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        try:
            yield
        except UserWarning as warning:
            raise ValueError(
                "The file does not hold what this model needs: it was saved by another model. Make "
                f"the model that saved it. Received: {warning}"
            ) from warning


def is_whole_hdf5(path):
    """Is this an HDF5 file of the length that it says it has?"""
    import h5py  # here: the command line lists presets without it

    try:
        with h5py.File(path):
            return True
    except OSError:
        return False


def hdf5_groups(path):
    """Names of the outermost groups of an HDF5 file; none if it cannot be read as one."""
    import h5py  # here: the command line lists presets without it

    try:
        with h5py.File(path) as file:
            return list(file)
    except OSError:
        return []


def sha256(path):
    """SHA-256 of a file, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def halve(path):
    """Rewrites an HDF5 file of weights with float16 for float32, packed."""
    import h5py  # here, and NumPy: the command line lists presets without either
    import numpy as np

    with atomic(path) as half, h5py.File(path) as source, h5py.File(half, "w") as target:

        def copy(name, item):
            if isinstance(item, h5py.Group):
                made = target.require_group(name)
            else:
                small = item.dtype == np.float32
                # Of small ones the bookkeeping is more than what it saves.
                packed = {"compression": "gzip", "shuffle": True} if item.size > 10_000 else {}
                made = target.create_dataset(
                    name, data=item[()], dtype=np.float16 if small else None, **packed
                )
            made.attrs.update(item.attrs)

        target.attrs.update(source.attrs)
        source.visititems(copy)
