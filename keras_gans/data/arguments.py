"""The arguments that `load` and `load_pairs` have in common: checks, and errors in words."""

import contextlib
import errno
import inspect
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import numpy as np

from keras_gans.names import did_you_mean

# Errors of a disk, by what can be done about them.
OF_DISKS = {
    errno.ENOSPC: "free some space, or name another disk by `data_dir`",
    errno.EDQUOT: "free some of your quota, or name another disk by `data_dir`",
    errno.EROFS: "name a folder that can be written to by `data_dir`",
    errno.EACCES: "ask for the right to it or, to write elsewhere, name a folder by `data_dir`",
    errno.EMFILE: "close some files, or raise the limit by `ulimit -n`",
}


def check_common(
    batch_size: int,
    seed: int,
    first_epoch: int | None,
    num_examples: int | None,
    channels: int | None,
    on_error: str,
    known_channels: tuple[int | None, ...] = (1, 3),
) -> None:
    """Checks the arguments that `load` and `load_pairs` have in common.

    Raises:
        ValueError: If one does not fit.
    """
    check_whole(batch_size=batch_size, least=1)
    check_whole(seed=seed, least=0)
    if first_epoch is not None:
        check_whole(first_epoch=first_epoch, least=0)
    if num_examples is not None:
        check_whole(num_examples=num_examples, least=1)
    if channels not in known_channels:
        raise ValueError(
            f"Images cannot be given that many channels. Expected `channels` to be one of "
            f"{known_channels}: 1 is grey, 3 is RGB. Received: channels={channels!r}"
        )
    if on_error not in ("raise", "skip"):
        raise ValueError(
            f"`on_error` is unknown. Expected 'raise' or 'skip'. Received: on_error={on_error!r}"
        )


def sides(image_size: int | tuple[int, int]) -> tuple[int, int]:
    """Returns `(height, width)` in pixels, given these or one integer for a square.

    Raises:
        ValueError: If it is neither.
    """
    found = tuple(image_size) if isinstance(image_size, tuple | list) else (image_size, image_size)
    whole = all(isinstance(n, int | np.integer) and not isinstance(n, bool) for n in found)
    if len(found) != 2 or not whole or min(found) < 1:
        raise ValueError(
            f"`image_size` does not fit. Expected a number of pixels, 1 or more, or a height and a "
            f"width. Received: image_size={image_size!r}"
        )
    return tuple(int(n) for n in found)


def check_flags(**flags: bool) -> None:
    """Raises ValueError unless all are booleans: the text "no" would mean yes."""
    for name, value in flags.items():
        if not isinstance(value, bool | np.bool_ | int) or value not in (0, 1):
            raise ValueError(
                f"`{name}` does not fit. Expected True or False. Received: {name}={value!r}"
            )


def too_large(batch_size: int, most: str) -> ValueError:
    """Returns the error of a batch that the data set cannot fill."""
    return ValueError(
        f"A batch is larger than the data set, so there is not one full batch. Expected "
        f"`batch_size` of at most {most}. Received: batch_size={batch_size}"
    )


def check_whole(*, least: int, **argument: int) -> None:
    """Raises ValueError unless the argument is a whole number of at least `least`."""
    ((name, value),) = argument.items()
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < least:
        raise ValueError(
            f"`{name}` does not fit. Expected a whole number, {least} or more. "
            f"Received: {name}={value!r}"
        )


def check_options(
    name: str | os.PathLike,
    options: Mapping[str, Any],
    known: Collection[str],
    function: Callable,
) -> None:
    """Checks that a data set has the options it is given.

    Args:
        name: The name of the set.
        options: Dictionary of what was given.
        known: Names of the options of this set.
        function: The function that was called: its own arguments may have been meant.

    Raises:
        ValueError: If an option is not known.
    """
    for option in options:
        if option not in known:
            hint = did_you_mean(option, {*known, *inspect.signature(function).parameters})
            raise ValueError(
                f"The data set {str(name)!r} has no option of that name.{hint} Expected "
                f"{', '.join(f'`{k}`' for k in known) or 'no options of its own'}. "
                f"Received: {option}={options[option]!r}"
            )


def folder_of(data_dir: str | os.PathLike | None) -> str | None:
    """Returns `data_dir` as text; None stays None."""
    if not isinstance(data_dir, str | os.PathLike | None):
        raise ValueError(
            f"`data_dir` does not fit. Expected the path of a folder, or None. "
            f"Received: data_dir={data_dir!r}"
        )
    return None if data_dir is None else os.fspath(data_dir)


@contextlib.contextmanager
def readable(name: str | os.PathLike) -> Iterator[None]:
    """Adds to an error of the disk, or of the network behind it, what happened to a data set."""
    try:
        yield
    except OSError as error:
        if not error.errno or error.errno not in errno.errorcode:
            raise  # in words of ours, or of a package that reads from the network
        do = OF_DISKS.get(error.errno, "look after the disk or the network that holds it")
        # With the number, Python picks the kind of OSError.
        raise OSError(
            error.errno,
            f"The data set {os.fspath(name)!r} could not be read or prepared "
            f"({error.strerror or error}). What was complete before is whole; {do}. "
            f"Received: {error.filename or name!r}",
        ) from error
