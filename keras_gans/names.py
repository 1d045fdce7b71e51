"""What to say when a name is not known."""

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
