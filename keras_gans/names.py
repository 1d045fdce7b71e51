"""Names: suggestions for unknown ones, safe printing, and warnings for old ones."""

import difflib
import functools
import importlib
import unicodedata
import warnings
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

# They reverse the direction of the text after them.
_TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"


def printable(text: object) -> str:
    r"""Returns a text with its control characters escaped.

    For text from a file or a file's name: escape sequences can move the cursor of a terminal,
    change its title, or overwrite earlier lines. Line ends and tabs stay.

    >>> printable("caf\xe9\x1b[2J\n")
    'caf\xe9\\x1b[2J\n'
    """
    return "".join(c if _harmless(c) else c.encode("unicode_escape").decode() for c in str(text))


def _harmless(character):
    if character in "\n\t":
        return True
    # Control characters, surrogates, and other line ends.
    return unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp") and (
        character not in _TURNS
    )


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Returns the nearest of `known` as a sentence with a leading space, or an empty text.

    >>> did_you_mean("r1", ["r1_penalty", "gradient_penalty"])
    " Did you mean 'r1_penalty'?"
    """
    name, spelled = str(name).casefold(), {k.casefold(): k for k in sorted(known)}
    near = [k for k in spelled if k.startswith(name) or name.startswith(k)] if name else []
    near += difflib.get_close_matches(name, spelled, n=3, cutoff=0.5)
    near = [spelled[k] for k in dict.fromkeys(near)][:3]
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""


def deprecated(old: str, new: str, stacklevel: int = 3) -> None:
    """Warns that a public name is an old one.

    Args:
        old: the old name.
        new: the name to use in its place.
        stacklevel: 3 names the line that calls the caller of this function.
    """
    warnings.warn(f"`{old}` is now `{new}`.", DeprecationWarning, stacklevel=stacklevel)


def renamed(**names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorates a function whose arguments have new names: the old ones work, and warn.

    >>> import warnings
    >>> @renamed(out="output")
    ... def write(output="here"):
    ...     return output
    >>> with warnings.catch_warnings(record=True) as found:
    ...     warnings.simplefilter("always")
    ...     write(out="there"), str(found[0].message)
    ('there', '`write(out=...)` is now `write(output=...)`.')

    Args:
        **names: old names, to the new ones.
    """

    def decorate(function):
        @functools.wraps(function)
        def call(*args, **kwargs):
            for old, new in names.items():
                if old in kwargs:
                    name = function.__name__
                    if new in kwargs:
                        raise TypeError(
                            f"`{name}` got `{new}` twice, once by its old name `{old}`. Leave that "
                            f"out. Received: {old}={kwargs[old]!r}, {new}={kwargs[new]!r}"
                        )
                    deprecated(f"{name}({old}=...)", f"{name}({new}=...)")
                    kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return call

    return decorate


def moved_module(old: str, new: str) -> ModuleType:
    """Imports a renamed module, with a `DeprecationWarning` that names the new one.

    Args:
        old: dotted name that it had.
        new: dotted name that it has now.

    Returns:
        The module.
    """
    deprecated(old, new, stacklevel=4)
    return importlib.import_module(new)
