"""Names as they are shown, and what to say when one is not known."""

import difflib


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


def printable(text):
    r"""Text that does nothing to a terminal: what is not printable is written as an escape.

    Names of files and what stands in files of others may hold control characters, which move the
    cursor, colour the rest of the screen, or hide a line. Line breaks and tabs stay.

    >>> printable("a\x1b[31mb")
    'a\\x1b[31mb'

    Args:
        text: a string, or what has one, such as a path or an error.
    """
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode()
        for c in str(text)
    )
