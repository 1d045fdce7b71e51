"""What to say when a name is not known, and how to show one that others chose."""

import difflib
import importlib
import unicodedata
import warnings

# They turn round the order in which what follows them is shown.
_TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"


def printable(text):
    """The text, with what would steer a terminal spelled out.

    For whatever comes from a file or its name: escape sequences can move the cursor, change the
    title, or write over what stands there already. Ends of lines and tabs stay.

    >>> printable("caf\xe9\x1b[2J\n")
    'caf\xe9\\x1b[2J\n'
    """
    return "".join(c if _harmless(c) else c.encode("unicode_escape").decode() for c in str(text))


def _harmless(character):
    if character in "\n\t":
        return True
    # Control characters, halves of pairs that no encoding has, and other ends of lines.
    return unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp") and (
        character not in _TURNS
    )


def did_you_mean(name, known):
    """The nearest of `known` as a sentence with a leading blank, or nothing.

    >>> did_you_mean("r1", ["r1_penalty", "gradient_penalty"])
    " Did you mean 'r1_penalty'?"
    """
    name, spelled = str(name).casefold(), {k.casefold(): k for k in sorted(known)}
    near = [k for k in spelled if k.startswith(name) or name.startswith(k)] if name else []
    near += difflib.get_close_matches(name, spelled, n=3, cutoff=0.5)
    near = [spelled[k] for k in dict.fromkeys(near)][:3]
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""


def deprecated(old, new, stacklevel=3):
    """Warns that a public name is an old one.

    Args:
        old: the old name.
        new: the name to use in its place.
        stacklevel: 3 names the line that calls the caller of this function.
    """
    warnings.warn(f"`{old}` is now `{new}`.", DeprecationWarning, stacklevel=stacklevel)


def moved_module(old, new):
    """Imports a module that had another name, with a `DeprecationWarning` that names the new one.

    Args:
        old: dotted name that was asked for.
        new: dotted name that it has now.

    Returns:
        The module.
    """
    deprecated(old, new, stacklevel=4)
    return importlib.import_module(new)
