"""Writing files and folders atomically: complete, or not at all."""

import contextlib
import errno
import hashlib
import io
import os
import secrets
import shutil
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

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


def advice(error: OSError) -> str:
    """Returns what an `OSError` of writing means, and what to do about it.

    >>> advice(OSError(errno.EROFS, "Read-only file system"))
    'The file system is read-only. Choose a folder on another one.'
    """
    known = _ADVICE.get(error.errno, "Correct what the system reports")
    return known if known.endswith("?") else f"{known}."


@contextlib.contextmanager
def atomic(path: Path | str) -> Iterator[Path]:
    """Yields a temporary path, and moves it to `path` when the block ends without an error.

    The previous file stays until the new one is complete and on the disk: a killed process, an
    error or a full disk leaves it unchanged. Missing parent folders are created.

    >>> with atomic("numbers.txt") as partial:
    ...     _ = partial.write_text("1 2 3")
    >>> Path("numbers.txt").read_text()
    '1 2 3'

    For libraries that write in pieces and crash on a full disk, such as HDF5, use `in_memory`.

    Args:
        path: of the file.

    Yields:
        Path in the same folder with the same suffixes, by which libraries choose a format.

    Raises:
        OSError: if the file cannot be written, with a note on what is left and what to do.
    """
    path = Path(path)
    # Not longer than a long name: some file systems allow 255 bytes.
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
    """Adds a note to an error of writing: what is left, and what to do."""
    there = os.path.exists(path)  # noqa: PTH110  `Path.exists` raises for a name that is too long
    left = "The previous file is unchanged." if there else "Nothing was written."
    place = str(error.filename or path)  # another one if reading failed
    ours = str(path).startswith(place) or place.startswith(str(partial))
    error.add_note(f"Could not write {path}. {left}" + f" {advice(error)} Then run again." * ours)


@contextlib.contextmanager
def in_memory(path: Path | str) -> Iterator[io.BytesIO]:
    """Yields a buffer, and writes it to `path` when the block ends without an error.

    As `atomic`, for libraries that fail on a full disk: HDF5 then keeps the file open, and may end
    the process. It takes as much memory as the size of the file.

    >>> with in_memory("numbers.bin") as memory:
    ...     _ = memory.write(b"123")
    >>> Path("numbers.bin").read_bytes()
    b'123'

    Args:
        path: of the file.

    Yields:
        `io.BytesIO` whose `str` is `path`, as Keras chooses a format by it.

    Raises:
        OSError: as `atomic`.
    """
    memory = _Memory(path)
    yield memory
    with atomic(path) as partial:
        partial.write_bytes(memory.getbuffer())


def target(path: Any, whole: bool) -> AbstractContextManager:
    """Returns where a library that chooses a format by a path shall write to.

    Args:
        path: a local path, or what the library itself understands: an address, a file object.
        whole: whether it writes one file, which can be built in memory.

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


def append(path: Path | str, text: str) -> None:
    """Appends a text to a file completely, or not at all.

    Args:
        path: of the file; created, with its folders, if missing.
        text: to write at its end.

    Raises:
        OSError: as `atomic`; the file is then unchanged.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab", buffering=0) as file:
            size, content = file.tell(), text.encode()
            try:
                while content:  # a part may be written; the next call then raises the error
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
def or_warn(what: str) -> Iterator[None]:
    """Turns an `OSError` of the block into a warning, so that a training continues.

    Args:
        what: the file that is lost; the beginning of a sentence.
    """
    try:
        yield
    except OSError as error:
        warnings.warn(
            f"{what} could not be written, and the training continues. {advice(error)} "
            f"Received: {error}",
            stacklevel=4,
        )


def free_name(path: Path) -> Path:
    """Returns the first free name of `name~1`, `name~2` and so on, before the suffixes.

    >>> free_name(Path("runs/metrics.jsonl")).as_posix()
    'runs/metrics~1.jsonl'
    """
    suffixes = "" if path.is_dir() else "".join(path.suffixes)
    stem, number = path.name.removesuffix(suffixes), 1
    while (name := path.with_name(f"{stem}~{number}{suffixes}")).exists():
        number += 1
    return name


@contextlib.contextmanager
def atomic_folder(path: Path | str) -> Iterator[Path]:
    """Yields a path for a folder, and moves it to `path` when the block ends without an error.

    An existing folder at `path` is replaced when the new one is complete. Missing parent folders
    are created.

    Args:
        path: of the folder.

    Yields:
        Path in the same parent folder, where nothing exists yet.

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
        # A folder cannot be renamed to one with content. The old one is moved first and deleted
        # last, so that a killed process leaves one of the two complete.
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


def cache_folder() -> Path:
    """Returns the folder for downloads and other files that can be replaced.

    It is `~/.cache/keras_gans`, or that of the environment variable `KERAS_GANS_CACHE`.
    """
    return Path(os.environ.get(CACHE_VARIABLE) or Path.home() / ".cache/keras_gans")


@contextlib.contextmanager
def nothing_skipped() -> Iterator[None]:
    """Raises ValueError where Keras would warn of weights that it skips while loading."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        try:
            yield
        except UserWarning as warning:
            raise ValueError(
                "The file does not have the weights of this model: another model saved it. Build "
                f"the model that saved it. Received: {warning}"
            ) from warning


def is_whole_hdf5(path: Path | str) -> bool:
    """Returns whether this is a complete HDF5 file."""
    import h5py  # here: the command line lists presets without it

    try:
        with h5py.File(path):
            return True
    except OSError:
        return False


def hdf5_groups(path: Path | str) -> list[str]:
    """Returns the names of the top groups of an HDF5 file; none if it is no such file."""
    import h5py  # here: the command line lists presets without it

    try:
        with h5py.File(path) as file:
            return list(file)
    except OSError:
        return []


def sha256(path: Path | str) -> str:
    """Returns the SHA-256 of a file, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hashes(folder: Path | str) -> dict[str, str]:
    """Returns the SHA-256 of all files in a folder, by their paths inside it, with `/`."""
    found = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256(path) for path in found}


def to_float16(path: Path | str) -> None:
    """Rewrites an HDF5 file of weights with float16 in place of float32, compressed.

    Groups without arrays are left out. Keras writes two for each layer without weights, which take
    a kilobyte or two, and needs none of them.
    """
    import h5py  # here, and NumPy: the command line lists presets without either
    import numpy as np

    with in_memory(path) as half, h5py.File(path) as source, h5py.File(half, "w") as target:

        def copy(name, item):
            if isinstance(item, h5py.Group):
                if not _holds_arrays(item):
                    return
                made = target.require_group(name)
            else:
                small = item.dtype == np.float32
                # For small arrays the overhead is larger than what compression saves.
                packed = {"compression": "gzip", "shuffle": True} if item.size > 10_000 else {}
                made = target.create_dataset(
                    name, data=item[()], dtype=np.float16 if small else None, **packed
                )
            made.attrs.update(item.attrs)

        target.attrs.update(source.attrs)
        source.visititems(copy)


def _holds_arrays(group):
    """Is there an array in a group of HDF5, or in one inside it?"""
    return any(not hasattr(item, "values") or _holds_arrays(item) for item in group.values())
