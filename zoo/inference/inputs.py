"""Which image files are worked on, and what the images made of them are called."""

import dataclasses
import errno
import hashlib
import os
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_gans.data.sources import image_files
from keras_gans.image.files import NOT_IMAGES, is_folder, mode, suffixes, why_not
from keras_gans.names import printable
from keras_gans.zoo.inference.page import BESIDE
from keras_gans.zoo.inference.shards import Shard, take

# Bytes of a file name. File systems take 255, and a file that is being written has a longer name.
_LONGEST = 240

# Errors after which no other image would fare better.
_OF_DISKS = {getattr(errno, n) for n in ("ENOSPC", "EDQUOT", "EROFS", "EIO", "EACCES", "EPERM")}


@dataclasses.dataclass(frozen=True)
class Found:
    """What `find` found.

    Attributes:
        targets: names in the output folder, to the paths of the images they are made of.
        failed: paths that cannot be read, to the reason.
        left_out: reasons to what else was left out of folders.
    """

    targets: dict[str, Path]
    failed: dict[Path, str]
    left_out: dict[str, list[str]]

    def shard(self, shard: Shard | None) -> dict[str, Path]:
        """Returns the targets of one part; of `None`, all."""
        return dict(take(list(self.targets.items()), shard))


def find(
    files: Any,
    output: Path,
    suffix: Callable[[Path], str],
    verb: str,
    also: Collection[str] = (),
) -> Found:
    """Finds the images to work on, and says what is made of each.

    Args:
        files: path of an image or of a folder of images, or several of either.
        output: folder to write to.
        suffix: takes the path of an image, returns the suffix of what is made of it.
        verb: what is done, for errors: `"translate"`.
        also: suffixes of what is no image, and taken where a file of it is named.

    Raises:
        ValueError: if there are no images, two would be written to one file, or one would be
            written over an input.
        FileNotFoundError: if a path does not exist.
    """
    one = isinstance(files, (str, os.PathLike)) or not isinstance(files, Iterable)
    given = [files] if one else list(files)
    if not all(isinstance(path, (str, os.PathLike)) for path in given):
        raise ValueError(
            "Those are no paths. Expected the path of an image or of a folder of images, or a list "
            f"of such. Received: files={files!r}"
        )
    known, targets, failed, left_out = suffixes().union(also), {}, {}, {}
    for path in map(Path, given):
        if not mode(path):
            raise FileNotFoundError(
                "That file does not exist. Expected paths of images, or of folders of images. "
                f"Received: {str(path)!r}"
            )
        home, found = _in(path, output, known, verb)
        for reason, names in found.left_out.items():
            if reason in (NOT_IMAGES, image_files.CIRCLES):
                left_out.setdefault(reason, []).extend(str(home / name) for name in names)
            else:
                failed |= {home / name: reason for name in names}
        for name in found.files:
            file = home / name
            name = _made(Path(name), suffix(file), known)
            other = targets.setdefault(name, file)
            if other.resolve() != file.resolve():
                raise ValueError(
                    f"Two images would be written to one file. Rename one, or {verb} them into "
                    f"two folders. Received: {other} and {file}, both for {output / name}"
                )
    if not targets:
        reasons = [f"{printable(path)} ({reason})" for path, reason in failed.items()]
        raise ValueError(
            f"There are no images to {verb}. Expected files that Pillow reads, such as .jpg, "
            ".png or .webp, or folders of such. "
            f"Received: {', '.join(map(str, given)) or 'nothing'}"
            f"{': ' if reasons else ''}{', '.join(reasons[:3])}"
        )
    inputs = {file.resolve() for file in targets.values()}
    for name, file in targets.items():
        if (output / name).resolve() in inputs:
            raise ValueError(
                f"An image would be written over one that is to be {verb}d. Choose another "
                f"folder with `output`. Received: {file}, to be written to {output / name}"
            )
    return Found(dict(sorted(targets.items())), failed, left_out)


def require_folder(output: Path) -> None:
    """Raises ValueError if a file is where images would be written to."""
    if mode(output) and not is_folder(output):
        raise ValueError(
            "A file is where the images would be written to. Expected a folder, or a name that is "
            f"free, as `output`. Received: output={str(output)!r}"
        )


def attempt(make: Callable[[], str]) -> tuple[str, bool]:
    """Makes an image of a file, whose failure does not stop the others.

    Args:
        make: writes the image, and returns in words what was done.

    Returns:
        What was done, or the reason why it failed; and whether it was made.

    Raises:
        OSError: after which no other image would fare better, as of a full disk.
    """
    try:
        return make(), True
    except (ValueError, OSError, MemoryError, tf.errors.ResourceExhaustedError) as error:
        if getattr(error, "errno", None) in _OF_DISKS:
            raise
        return getattr(error, "advice", "") or f"{type(error).__name__}: {error}", False


def _in(path, output, known, verb):
    """A folder, and what `image_files.find` finds there; not what this function wrote."""
    if not is_folder(path):
        if why_not(path, known):  # who names a file takes it for an image
            return path.parent, image_files.Found(left_out={"not an image": [path.name]})
        return path.parent, image_files.Found([path.name])
    if path.resolve() == output.resolve():
        raise ValueError(
            f"The images would be written among those to be {verb}d, and taken for such the next "
            f"time. Choose another folder with `output`. Received: {path}, output={output}"
        )

    def ours(folder):
        return folder.name == BESIDE or folder.resolve() == output.resolve()

    return path, image_files.find(path, on_error="skip", skip=ours)


def _made(name, suffix, known):
    """The name of the image made of one of another name; cut, if it would be too long."""
    stem = name.stem if name.suffix.lower() in known else name.name
    if len(os.fsencode(stem + suffix)) > _LONGEST:
        # The digits keep apart what differs in the end that is cut off.
        digits = hashlib.sha256(os.fsencode(stem)).hexdigest()[:8]
        while len(os.fsencode(f"{stem}-{digits}{suffix}")) > _LONGEST:
            stem = stem[:-1]
        stem = f"{stem}-{digits}"
    return name.with_name(stem + suffix).as_posix()
