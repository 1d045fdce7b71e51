"""Options that several verbs share, and the readers of their values."""

import argparse
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# The images of one list of seeds or classes are in memory together.
_MOST = 10_000

FORMATS = ("saved_model", "tflite", "onnx", "web")
FORMATS_HELP = "saved_model, tflite, onnx, web, or several with commas"


# ---- options


def source(command: argparse.ArgumentParser) -> None:
    """Adds the positional argument of what makes the images."""
    command.add_argument("source", help="name of a trained preset, or folder of a run")


def output(
    command: argparse.ArgumentParser,
    default: str | None = None,
    help: str | None = None,
    metavar: str = "DIR",
) -> None:
    """Adds `--output`, the destination of every verb; `--out` is its old spelling."""
    command.add_argument(
        "--output",
        type=Path,
        default=None if default is None else Path(default),
        metavar=metavar,
        help=help or f"folder to write to [{default}]",
    )
    command.add_argument(
        "--out", dest="output", type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS
    )


def overwrite(command: argparse.ArgumentParser, help: str = "replace what is there") -> None:
    """Adds `--overwrite`."""
    command.add_argument("--overwrite", action="store_true", help=help)


def best(command: argparse.ArgumentParser) -> None:
    """Adds `--best`."""
    command.add_argument(
        "--best", action="store_true", help="take the best checkpoint of a run, not the newest"
    )


def shard(command: argparse.ArgumentParser) -> None:
    """Adds `--shard`."""
    command.add_argument(
        "--shard",
        type=_shard,
        metavar="I/N",
        help="only the I-th of N parts, such as 3/16: each machine of a job array takes another",
    )


def labels(command: argparse.ArgumentParser) -> None:
    """Adds `--labels`, a list of classes, and `--condition`, a dictionary of one for each name."""
    command.add_argument(
        "--labels",
        action=_Labels,
        metavar="CLASSES",
        help="classes, such as 3, 0-9 or bag,boot: each in a column [all]",
    )
    condition(command, "labels", "such as hair=red,black: each in a column; for each condition")


def condition(command: argparse.ArgumentParser, dest: str, help: str) -> None:
    """Adds `--condition NAME=CLASSES`, which is given once for each of several conditions."""
    command.add_argument(
        "--condition", action=_Labels, dest=dest, metavar="NAME=CLASSES", help=help
    )


def truncation(command: argparse.ArgumentParser) -> None:
    """Adds `--truncation`."""
    command.add_argument(
        "--truncation", type=float, metavar="X", help="largest coordinate of a latent [none]"
    )


def psi(command: argparse.ArgumentParser) -> None:
    """Adds `--psi`."""
    command.add_argument(
        "--psi",
        type=float,
        metavar="X",
        help="of StyleGAN2: how far styles are from their average, such as 0.7 [1]",
    )


def scale(command: argparse.ArgumentParser, default: str) -> None:
    """Adds `--scale`."""
    command.add_argument(
        "--scale",
        type=integer(1),
        metavar="N",
        help=f"enlarge each pixel to N x N pixels [{default}]",
    )


def features(command: argparse.ArgumentParser) -> None:
    """Adds `--features`."""
    command.add_argument("--features", metavar="NAME", help="feature network [the data's own]")


def packages(command: argparse.ArgumentParser, help: str = "") -> None:
    """Adds `--packages`."""
    command.add_argument(
        "--packages",
        type=Path,
        metavar="DIR",
        help=f"npm packages of LiteRT.js{help} [downloaded]",
    )


class _Labels(argparse.Action):
    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        name, named, classes = str(values).rpartition("=")
        before = getattr(namespace, self.dest)
        if not name.isidentifier() if named else option_string == "--condition":
            raise argparse.ArgumentError(
                self, f"expected the name of an input before `=`. Received: {values!r}"
            )
        if before is not None and (not named or not isinstance(before, dict) or name in before):
            raise argparse.ArgumentError(
                self,
                "expected it once; or once for each input of labels, with its name: "
                f"--condition hair=0-2. Received: {values!r} after {before}",
            )
        try:
            found = classes_of(classes)
        except argparse.ArgumentTypeError as error:
            raise argparse.ArgumentError(self, str(error)) from error
        setattr(namespace, self.dest, {**(before or {}), name: found} if named else found)


def given(arguments: argparse.Namespace, *names: str) -> dict[str, Any]:
    """The options that were given, by name; the others are left to the function's default."""
    values = {name: getattr(arguments, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def given_labels(arguments: argparse.Namespace) -> dict[str, Any]:
    """The argument `labels` of a function; of several inputs, an argument for each by its name."""
    found = arguments.labels
    return found if isinstance(found, dict) else given(arguments, "labels")


def require_folder(folder: Path, name: str | None = None) -> None:
    """Refuses a destination that cannot be written to, before there is anything to lose.

    Args:
        folder: to write to; it need not exist yet.
        name: of a file in it.

    Raises:
        OSError: if there is a file in the place of the folder, a folder in the place of the file,
            or the folder cannot be written to.
    """
    import tempfile  # here: it costs a tenth of the time of `--help`

    if name is not None and Path(folder, name).is_dir():
        raise IsADirectoryError(
            f"There is a folder where the file is to be. Received: {Path(folder, name)}"
        )
    # A broken link exists, too, though `exists` looks for what it leads to.
    there = next(p for p in (folder, *folder.absolute().parents) if p.exists() or p.is_symlink())
    if not there.is_dir():
        raise NotADirectoryError(
            f"There is a file where a folder is to be. Name another folder. Received: {folder}"
            + (f", with {there}" if there != folder else "")
        )
    try:
        with tempfile.TemporaryFile(dir=there):  # permissions alone do not decide it: try
            pass
    except OSError as error:
        raise PermissionError(
            "This folder cannot be written to. Name another one, or mend what is wrong with it. "
            f"Received: {folder} ({error.strerror})"
        ) from error


# ---- words to values


def formats(text: str) -> list[str]:
    """Reads formats of an export, with commas between them."""
    found = text.split(",")
    for name in found:
        if name not in FORMATS:
            raise argparse.ArgumentTypeError(f"expected {FORMATS_HELP}. Received: {name!r}")
    return found


def names(text: str) -> list[str]:
    """Reads names with commas between them."""
    if not all(found := text.split(",")):
        raise argparse.ArgumentTypeError(f"expected names with commas. Received: {text!r}")
    return found


def floats(text: str) -> list[float]:
    """Reads finite numbers with commas between them.

    >>> floats("-1,0.5")
    [-1.0, 0.5]
    """
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if not values or not all(map(math.isfinite, values)):
        raise argparse.ArgumentTypeError(f"expected numbers such as -1,0.5. Received: {text!r}")
    return values


def _shard(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
    found = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= found[0] <= found[1]:
        raise argparse.ArgumentTypeError(
            f"expected one of several parts, such as 3/16, counted from 1. Received: {text!r}"
        )
    return found


def classes_of(text: str) -> list[int | str]:
    """Reads classes with commas between them: integers, ranges of them, and names.

    >>> classes_of("0-2,blonde")
    [0, 1, 2, 'blonde']
    """
    found: list[int | str] = []
    for part in map(str.strip, text.split(",")):
        number = re.fullmatch(r"[\d\s-]*", part)  # nothing, too: no class is called that
        found += numbers(part) if number else [part]
    return found


def one_class(text: str) -> int | str:
    """Reads a single class: an integer or a name."""
    found = classes_of(text)
    if len(found) != 1:
        raise argparse.ArgumentTypeError(f"expected one class. Received: {text!r}")
    return found[0]


def version(text: str) -> int | None:
    """Reads the version of a SavedModel: an integer, or `next` as `None`."""
    return None if text == "next" else int(text)


def integer(minimum: int, maximum: int = 2**63 - 1) -> Callable[[str], int]:
    """Returns a reader of integers from `minimum` to `maximum`, both included."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = minimum - 1
        if not minimum <= value <= maximum:
            limits = f"of {minimum} or more" if value < minimum else f"up to {maximum}"
            raise argparse.ArgumentTypeError(f"expected an integer {limits}. Received: {text!r}")
        return value

    return read


def numbers(text: str) -> Sequence[int]:
    """Reads integers and ranges of them, both ends included.

    >>> numbers("3,5-7")
    [3, 5, 6, 7]
    """
    found: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d{1,18})(?:-(\d{1,18}))?", part.strip())
        if not match or (match[2] and int(match[2]) < int(match[1])):
            raise argparse.ArgumentTypeError(
                f"expected numbers and ranges such as 0-35 or 1,5,9. Received: {part!r}"
            )
        first, last = int(match[1]), int(match[2] or match[1])
        if len(found) + last - first >= _MOST:
            raise argparse.ArgumentTypeError(
                f"expected at most {_MOST:,} numbers at once; make the others with another "
                f"command. Received: {part!r}"
            )
        found += range(first, last + 1)
    return found
