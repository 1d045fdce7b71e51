"""The head of a card, which hubs read: fields between two lines of `---`.

A field is a line, and its value JSON, which is YAML too. Whoever writes the card gives three of
them, `BY_HAND`; the others follow from the recipe and the interface. No TensorFlow here, as in
`presets`.
"""

import contextlib
import json
import re
from typing import Any

from keras_gans.zoo.catalog import origins

LICENSE, DATA_LICENSE, SHELF = "license", "data_license", "shelf"
BY_HAND = (LICENSE, DATA_LICENSE, SHELF)

# What a preset is for, to the title of its part of the table: the order of everything that lists.
SHELVES = {
    "use": "To use",
    "learn": "To learn",
    "compare": "To compare",
}

_HEAD = re.compile(r"---\n(.*?\n)---\n+", re.DOTALL)


def body(text: str) -> str:
    """Returns a card without its head.

    >>> body('---\\nlicense: "mit"\\n---\\n\\n# faces\\n')
    '# faces\\n'
    """
    return _HEAD.sub("", text, count=1) if _HEAD.match(text) else text


def read(text: str) -> dict[str, str]:
    """Returns the fields of a card's head that are given by hand, without those that are not there.

    Values may be plain words, as people and hubs write YAML.

    >>> read('---\\nlicense: mit\\nshelf: "use"\\n---\\n# faces\\n')
    {'license': 'mit', 'shelf': 'use'}
    """
    head = _HEAD.match(text)
    lines = re.findall(r"^(\w+):[ \t]+(.+)$", head[1], re.MULTILINE) if head else []
    found = {field: _value(value.strip()) for field, value in lines}
    return {field: found[field] for field in BY_HAND if found.get(field)}


def require_shelf(text: str) -> None:
    """Raises ValueError if the head of a card names a shelf that is none of `SHELVES`."""
    shelf = read(text).get(SHELF)
    if shelf is not None and shelf not in SHELVES:
        raise ValueError(f"'shelf' must be one of {list(SHELVES)}. Received: {shelf!r}")


def _value(text):
    with contextlib.suppress(json.JSONDecodeError):
        return str(json.loads(text))
    return text.strip("'")


def write(card: Any) -> str:
    """Returns the text of a card with the head that it should have.

    `license` is that of the weights; of weights that others made, their `origin.json` says it.

    Args:
        card: a `presets.Card`.
    """
    given = read(card.text)
    if card.published:
        name = card.published["licence"]["name"]
        given |= {} if name.startswith(origins.NOT_KNOWN) else {LICENSE: name.lower()}
    fields: dict[str, Any] = {field: given[field] for field in BY_HAND if field in given}
    made = card.interface()
    fields |= {
        "library_name": "keras_gans",
        "pipeline_tag": _task(made),
        "tags": ["keras", "gan", *map(_tag, [card.architecture, *card.data.split(", ")])]
        + ["conditional"] * card.conditional,
    }
    if card.parts:
        fields["widget"] = [{"text": "samples", "output": {"url": "samples.png"}}]
    lines = [f"{field}: {json.dumps(value)}" for field, value in fields.items()]
    return "\n".join(["---", *lines, "---", "", body(card.text)])


def _task(made):
    """The task of a hub that a generator does, by what it takes."""
    if made.texts:
        return "text-to-image"
    return "image-to-image" if made.takes_image else "unconditional-image-generation"


def _tag(text):
    return re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-")


def require_licences(card: Any) -> None:
    """Raises ValueError unless a card says the licences of its weights and of its data."""
    found = read(card.text)
    if missing := [field for field in (LICENSE, DATA_LICENSE) if field not in found]:
        raise ValueError(
            "Whoever downloads this preset must know what is allowed with it. Expected, in lines "
            'of `---` at the top of its README.md, `license: "..."` of the weights, such as '
            '"apache-2.0", and `data_license: "..."` of the images that it was trained on. '
            f"Received: {card.name!r} without {' and '.join(missing)}"
        )
