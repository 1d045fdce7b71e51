"""The image files of a folder; `keras_gans.image.files` reads each.

What is not read is never left out in silence: `find` notes it, with the reason.
"""

import collections
import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from keras_gans.image.files import NOT_READABLE, is_folder, mode, suffixes, why_not
from keras_gans.names import did_you_mean

# A reason to leave a folder out, beside those of `keras_gans.image.files` for files.
CIRCLES = "links in a circle"

# Names that a summary shows for each reason.
_SHOWN = 3


@dataclasses.dataclass
class Found:
    """What `find` found in a folder; all names are relative to it, with "/", and sorted.

    Attributes:
        files: names of the images.
        folders: names of the folders below, those without images, too.
        left_out: reasons to names of what was left out; those of folders end in "/".
    """

    files: list = dataclasses.field(default_factory=list)
    folders: list = dataclasses.field(default_factory=list)
    left_out: dict = dataclasses.field(default_factory=lambda: collections.defaultdict(list))


def find(
    path: Path,
    deep: bool = True,
    on_error: str = "raise",
    skip: Callable[[Path], bool] = lambda folder: False,
) -> Found:
    """Lists the images of a folder and of those below. Links are followed.

    Hidden files and folders are passed over: macOS leaves `._name.jpg` beside `name.jpg`, which is
    no image.

    Args:
        path: `pathlib.Path` of the folder.
        deep: Whether to look into the folders below.
        on_error: `"raise"`, or `"skip"` to note a folder that cannot be read among those left out.
        skip: Function of the `pathlib.Path` of a folder below: True to pass it over.

    Returns:
        A `Found`.

    Raises:
        ValueError: If a folder cannot be read.
    """
    found, known, waiting = Found(), suffixes(), [(Path(path), "", frozenset())]
    while waiting:
        folder, within, above = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                inside = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            if on_error == "raise":
                raise ValueError(
                    f"A folder cannot be read, and its images would be missing. Expected a folder "
                    f"that may be opened; or leave it out by `on_error='skip'`. "
                    f"Received: {str(folder)!r} ({type(error).__name__}: {error.strerror})"
                ) from error
            found.left_out[NOT_READABLE].append(within or "./")
            continue
        above = above | {os.path.realpath(folder)}
        for entry in inside:
            file, name = Path(entry.path), within + entry.name
            if not (is_folder(file) if entry.is_symlink() else entry.is_dir()):
                plain = entry.is_file(follow_symlinks=False) and file.suffix.lower() in known
                reason = None if plain else why_not(file, known)
                (found.left_out[reason] if reason else found.files).append(name)
            elif os.path.realpath(file) in above:
                found.left_out[CIRCLES].append(f"{name}/")
            elif not skip(file):
                found.folders.append(name)
                if deep:
                    waiting.append((file, f"{name}/", above))
    for names in (found.files, found.folders, *found.left_out.values()):
        names.sort()
    return found


def summary(left_out: Mapping[str, Sequence[str]], total: int) -> str:
    """One line that says what was left out.

    >>> summary({"not images": ["a.txt", "b.txt"], "damaged": ["c.jpg"]}, 120)
    '3 of 120 files were left out: 2 not images (a.txt, b.txt), 1 damaged (c.jpg)'

    Args:
        left_out: Reasons to names.
        total: How many files there are, these among them.

    Returns:
        The line; "" if nothing was left out.
    """
    parts = []
    for reason, names in left_out.items():
        shown = [name if name.isprintable() else repr(name) for name in names[:_SHOWN]]
        shown += ["..."] * (len(names) > _SHOWN)
        parts += [f"{len(names)} {reason} ({', '.join(shown)})"] * bool(names)
    number = sum(map(len, left_out.values()))
    return f"{number} of {total} files were left out: {', '.join(parts)}" if parts else ""


def check_folder(path: Path) -> None:
    """Raises an error unless `path`, a `pathlib.Path`, is a folder."""
    if not mode(path):
        near = [p.name for p in path.parent.iterdir()] if is_folder(path.parent) else []
        raise FileNotFoundError(
            f"The folder of images does not exist.{did_you_mean(path.name, near)} Expected the "
            f"path of a folder, or the name of a data set. Received: {str(path)!r}"
        )
    if not is_folder(path):
        raise NotADirectoryError(
            f"That is a file. Expected the path of a folder of images. Received: {str(path)!r}"
        )
