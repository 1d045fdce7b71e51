"""Reads text and JSON of bounded size, from regular files only."""

import contextlib
import json
import math
import numbers
import stat
from pathlib import Path
from typing import Any

# Recipes, cards and measurements have a few kB.
MOST_BYTES = 2**22

_DEEPEST = 50


def regular(path: Path | str) -> Path:
    """Returns the `Path` of a regular file, or of a link to one.

    Reading a named pipe would block, and a device may never end.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: for a folder, a pipe, a device or a socket.
    """
    path = Path(path)
    if not stat.S_ISREG(path.stat().st_mode):
        kind = "a folder" if path.is_dir() else "a pipe, device or socket"
        raise ValueError(
            f"There is {kind} where a file was expected. Give the path of a regular file. "
            f"Received: {path}"
        )
    return path


def is_file(path: Path | str) -> bool:
    """Returns whether this is a regular file; False for any invalid path."""
    return stat.S_ISREG(_mode(path))


def is_folder(path: Path | str) -> bool:
    """Returns whether this is a folder; False for any invalid path."""
    return stat.S_ISDIR(_mode(path))


def _mode(path):
    try:
        return Path(path).stat().st_mode
    except (OSError, ValueError):
        return 0


def read_text(path: Path | str) -> str:
    """Reads a file of text in UTF-8.

    Args:
        path: of a regular file of at most 4 MiB.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is too large, or not such text.
    """
    with regular(path).open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(
            f"The file is too large for its purpose. Expected at most {MOST_BYTES:,} bytes "
            f"of text. Received: {path}"
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"The file is damaged: it is not text in UTF-8. Received: {path}, {error}"
        ) from error


def read_json(
    path: Path | str, todo: str = "Restore the file, or remove it.", what: str = "A file"
) -> dict[str, Any]:
    """Reads the object in a JSON file.

    >>> _ = Path("numbers.json").write_text('{"steps": 3}')
    >>> read_json("numbers.json")
    {'steps': 3}

    Args:
        path: of a file with one JSON object: no NaN or infinity, nested at most 50 deep.
        todo: advice in the error about a damaged file.
        what: name of the file in the error.

    Returns:
        A dictionary.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged or contains something else.
    """
    content = read_text(path)
    try:
        found = json.loads(content, parse_constant=_refuse_constant, parse_float=_finite)
        if not isinstance(found, dict):
            raise ValueError(
                f"it contains a {type(found).__name__}, not an object of names to values"
            )
        _require_shallow(found)
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else error
        is_json = "it is not JSON: " if isinstance(error, json.JSONDecodeError) else ""
        raise ValueError(f"{what} is damaged: {is_json}{why}. {todo} Received: {path}") from error
    return found


def require(value: Any, kind: Any, where: str) -> None:
    """Raises ValueError, with the place, unless JSON has the expected kinds.

    >>> require({"steps": "3"}, {"steps": int}, "made")
    Traceback (most recent call last):
        ...
    ValueError: 'made.steps' must be an integer. Received: '3'

    Args:
        value: as `json.loads` returns it.
        kind: `int`, `float` (any finite number), `str`, `bool`, `dict`, `list`; `None` for null; a
            tuple of alternatives; a dictionary of names to kinds, where a name that ends in `?`
            may be missing, `...` stands for all other names, and names that are not listed may
            have any value; a list with one kind, for lists of that kind.
        where: dotted name of the value.
    """
    if isinstance(kind, dict):
        require(value, dict, where)
        for name, inner in kind.items():
            if name is ...:
                others = value.keys() - {str(n).removesuffix("?") for n in kind if n is not ...}
                names = [n for n in value if n in others]
            else:
                names = [n for n in (name.removesuffix("?"),) if n in value or n == name]
            for key in names:
                if key not in value:
                    raise ValueError(f"{where!r} lacks {key!r}. Received: {_short(value)}")
                require(value[key], inner, f"{where}.{key}")
    elif isinstance(kind, list):
        require(value, list, where)
        for number, item in enumerate(value):
            require(item, kind[0], f"{where}[{number}]")
    elif not any(_is(value, one) for one in (kind if isinstance(kind, tuple) else (kind,))):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        raise ValueError(
            f"{where!r} must be {' or '.join(_CALLED[one] for one in kinds)}. "
            f"Received: {_short(value)}"
        )


_CALLED = {
    int: "an integer",
    float: "a finite number",
    str: "text",
    bool: "true or false",
    dict: "an object of names to values",
    list: "a list",
    None: "null",
}


def _is(value, kind):
    if kind is None or isinstance(value, bool):
        return value is kind or kind is bool
    if kind is float:
        return isinstance(value, numbers.Real) and _is_finite(value)
    # Larger numbers are no valid size or count.
    return isinstance(value, kind) and (kind is not int or abs(value) < 2**63)


def _is_finite(value):
    with contextlib.suppress(OverflowError):
        return math.isfinite(value)
    return False


def _short(value):
    shown = repr(value)
    return shown if len(shown) <= 200 else f"{shown[:200]}..."


def _refuse_constant(name):
    raise ValueError(f"{name} is not a number of JSON")


def _finite(text):
    if not math.isfinite(value := float(text)):
        raise ValueError(f"{text[:40]} is larger than any float")
    return value


def _require_shallow(value, depth=0):
    if depth > _DEEPEST:
        raise RecursionError
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            _require_shallow(inner, depth + 1)
