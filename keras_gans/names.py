"""What to say when a name is not known."""

import difflib


def did_you_mean(name, known):
    """The nearest of `known` as a sentence with a leading blank, or nothing.

    >>> did_you_mean("r1", ["r1_penalty", "gradient_penalty"])
    " Did you mean 'r1_penalty'?"
    """
    name, known = str(name).lower(), sorted(known)
    near = [k for k in known if k.startswith(name) or name.startswith(k)] if name else []
    near += [k for k in difflib.get_close_matches(name, known, n=3, cutoff=0.5) if k not in near]
    return f" Did you mean {' or '.join(map(repr, near[:3]))}?" if near else ""
