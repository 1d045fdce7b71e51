"""A lock that allows one training at a time in a folder."""

import contextlib
import datetime
import errno
import os
import socket
import warnings
from collections.abc import Iterator
from pathlib import Path

from keras_gans.files import advice

_NAME = ".lock"
_TAKEN = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)
_UNKNOWN = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL)


@contextlib.contextmanager
def locked(folder: Path | str) -> Iterator[None]:
    """Locks a folder against other processes while the block runs.

    It is a lock of the operating system on a file in the folder, which names the holder. The lock
    ends with the process, even if that is killed. On shared file systems with locks, such as NFS,
    it holds on all machines; for one without locks there is a warning.

    Args:
        folder: to lock. It is created if missing, with those above it. What was created is removed
            at the end where it is still empty.

    Raises:
        BlockingIOError: if another process, or another training of this one, holds the lock.
        OSError: if the folder cannot be written to.
    """
    path = Path(folder) / _NAME
    made = [above for above in path.parents if not above.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = _open(path)
    except BlockingIOError:
        raise
    except OSError as error:
        error.add_note(f"Could not write to {folder}. {advice(error)}")
        raise
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # Windows cannot remove an open file: it stays, unlocked
            if _is_at(file, path):
                path.unlink()
        file.close()
        with contextlib.suppress(OSError):  # one that is not empty stays, and those above it
            for above in made:
                above.rmdir()


def _open(path):
    """Opens and locks the file of the lock."""
    while True:
        file = path.open("a+b", buffering=0)
        try:
            _lock(file)
        except OSError as error:
            if error.errno in _TAKEN:
                holder = _holder(file)
                file.close()
                raise BlockingIOError(
                    f"Another training runs in this folder: {holder}. Two would write over each "
                    "other's files. Wait for it, stop it, or give this training another folder. "
                    f"Received: {path.parent}"
                ) from error
            if error.errno not in _UNKNOWN:
                file.close()
                raise
            warnings.warn(
                "This file system has no locks, so nothing keeps a second process out of the "
                f"folder. Start only one. Received: {path.parent} ({error})",
                stacklevel=6,
            )
        if _is_at(file, path):
            break
        file.close()  # its holder has removed it since it was opened
    now = datetime.datetime.now().astimezone().isoformat(" ", "seconds")
    with contextlib.suppress(OSError):  # on a full disk it is locked but does not name the holder
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}, since {now}".encode())
    return file


def _lock(file):
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        # Far behind the text, because others cannot read what is locked.
        file.seek(1 << 30)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _holder(file):
    file.seek(0)
    text = file.read(200).decode(errors="replace")
    return "".join(c for c in text if c.isprintable()) or "one that does not say which"


def _is_at(file, path):
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
