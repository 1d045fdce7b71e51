"""Files and folders that are whole or not there."""

import contextlib
import errno
import hashlib
import io
import os
import secrets
import shutil
import warnings
from pathlib import Path

CACHE_VARIABLE = "KERAS_GANS_CACHE"

_SPACE = "Free some space there, or choose a folder on another disk"
_PERMISSION = "Choose a folder that this user may write to, or change its permissions"
_IN_THE_WAY = "Choose another path, or move away what is there"
_NO_FOLDER = "Is a disk or share not mounted, or was the folder removed meanwhile?"
_ADVICE = {
    errno.ENOSPC: f"The disk is full. {_SPACE}",
    errno.EDQUOT: f"The quota of this user is used up. {_SPACE}",
    errno.EFBIG: "The file is larger than the file system or `ulimit -f` allows. Raise the limit",
    errno.EACCES: f"This user may not write there. {_PERMISSION}",
    errno.EPERM: f"This user may not write there. {_PERMISSION}",
    errno.EROFS: "The file system is read-only. Choose a folder on another one",
    errno.ENOENT: f"There is no such folder. {_NO_FOLDER}",
    errno.ENOTDIR: f"A file is where a folder should be. {_IN_THE_WAY}",
    errno.EEXIST: f"Something else has that name. {_IN_THE_WAY}",
    errno.EISDIR: f"A folder has that name. {_IN_THE_WAY}",
    errno.ENAMETOOLONG: "The name is too long for the file system. Choose a shorter one",
    errno.EMFILE: "This process has too many files open. Raise `ulimit -n`, or close some",
    errno.ENFILE: "The system has too many files open. Close some programs",
    errno.EIO: "The disk reports a fault. Look at the system's log before you trust it",
    errno.ESTALE: f"The share went away. {_NO_FOLDER}",
}


def advice(error):
    """Says what an `OSError` of writing means, and what to do about it.

    >>> advice(OSError(errno.EROFS, "Read-only file system"))
    'The file system is read-only. Choose a folder on another one.'
    """
    known = _ADVICE.get(error.errno, "Mend what the system says")
    return known if known.endswith("?") else f"{known}."


@contextlib.contextmanager
def atomic(path):
    """Gives a path to write to, and moves it over `path` once the block has ended well.

    The previous file stays until the new one is complete and on the disk: a kill, an error or a
    full disk leaves it as it was. Missing parent folders are made.

    >>> with atomic("numbers.txt") as partial:
    ...     _ = partial.write_text("1 2 3")
    >>> Path("numbers.txt").read_text()
    '1 2 3'

    Libraries that write in pieces, such as HDF5, are given `in_memory` instead: they crash where a
    disk is full.

    Args:
        path: the file wanted.

    Yields:
        Path beside it, with the same suffixes: what is written picks its format by them.

    Raises:
        OSError: with a note that says what was left and what to do, if the file cannot be written.
    """
    path = Path(path)
    # No longer than the name wanted, if that is long: some file systems take 255 bytes.
    partial = path.parent / f".{secrets.token_hex(4)}-{path.name[-40:]}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        _explain(error, path, partial)
        raise
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def _explain(error, path, partial):
    """Adds to an error of writing what was left, and what to do if the writing was to blame."""
    there = os.path.exists(path)  # noqa: PTH110  `Path.exists` raises for a name that is too long
    left = "The previous file is whole." if there else "Nothing was left there."
    place = str(error.filename or path)  # of what was read meanwhile, it is another
    ours = str(path).startswith(place) or place.startswith(str(partial))
    error.add_note(f"Could not write {path}. {left}" + f" {advice(error)} Then run again." * ours)


@contextlib.contextmanager
def in_memory(path):
    """Gives memory to write to, and writes it over `path` once the block has ended well.

    As `atomic`, for libraries that cannot stand a full disk: HDF5 keeps the file open then, and may
    end the process. It takes as much memory as the file is large.

    >>> with in_memory("numbers.bin") as memory:
    ...     _ = memory.write(b"123")
    >>> Path("numbers.bin").read_bytes()
    b'123'

    Args:
        path: the file wanted.

    Yields:
        `io.BytesIO` whose `str` is `path`, as Keras, which picks a format by it, needs it.

    Raises:
        OSError: as `atomic`.
    """
    memory = _Memory(path)
    yield memory
    with atomic(path) as partial:
        partial.write_bytes(memory.getbuffer())


def target(path, whole):
    """What a library that picks a format by a path is given to write to.

    Args:
        path: a local path, or what the library itself makes something of: an address, a file.
        whole: whether it writes one file, which can be made in memory.

    Returns:
        Context manager, of `in_memory` or of `path` itself.
    """
    local = isinstance(path, (str, os.PathLike)) and "://" not in str(path)
    return in_memory(path) if whole and local else contextlib.nullcontext(path)


class _Memory(io.BytesIO):
    def __init__(self, path):
        super().__init__()
        self.path = str(path)

    def __str__(self):
        return self.path


def append(path, text):
    """Appends to a file, whole or not at all.

    Args:
        path: the file; made, with its folders, if missing.
        text: to write at its end.

    Raises:
        OSError: as `atomic`; the file is then as it was.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab", buffering=0) as file:
            size, content = file.tell(), text.encode()
            try:
                while content:  # a part that fits is written; the rest then says what is wrong
                    content = content[file.write(content) :]
                os.fsync(file.fileno())
            except OSError:
                with contextlib.suppress(OSError):
                    file.truncate(size)
                raise
    except OSError as error:
        _explain(error, path, path)
        raise


@contextlib.contextmanager
def or_warn(what):
    """Makes an `OSError` of the block a warning: a training is worth more than a file of it.

    Args:
        what: what is lost by it; the beginning of a sentence.
    """
    try:
        yield
    except OSError as error:
        warnings.warn(
            f"{what} could not be written, and the training continues. {advice(error)} "
            f"Received: {error}",
            stacklevel=4,
        )


def free_name(path):
    """The first of `name~1`, `name~2` and so on, before the suffixes, that nothing has.

    >>> free_name(Path("runs/metrics.jsonl")).as_posix()
    'runs/metrics~1.jsonl'
    """
    suffixes = "" if path.is_dir() else "".join(path.suffixes)
    stem, number = path.name.removesuffix(suffixes), 1
    while (name := path.with_name(f"{stem}~{number}{suffixes}")).exists():
        number += 1
    return name


@contextlib.contextmanager
def atomic_folder(path):
    """Gives a folder to write to, and moves it to `path` once the block has ended well.

    A folder that is at `path` already is replaced, and stays until the new one is complete.
    Missing parent folders are made.

    Args:
        path: the folder wanted.

    Yields:
        Path beside it, at which nothing is.

    Raises:
        OSError: as `atomic`.
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.partial")
    previous = path.with_name(f".{path.name}.previous")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
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
    except OSError as error:
        _explain(error, path, partial)
        raise
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

    with in_memory(path) as half, h5py.File(path) as source, h5py.File(half, "w") as target:

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
