"""What a person looks like, in words: a description, and captions that differ as people's do.

A caption is written by a small grammar from a person's attributes. It names some of them and leaves
others unsaid, in one of several orders, with synonyms. What it names is kept beside its text.
"""

import dataclasses
import random
from collections.abc import Callable, Collection, Mapping, Sequence

from keras_gans.data.sources.faces.people import Person
from keras_gans.names import did_you_mean
from keras_gans.text import words

_MOUTHS = {
    "smile": "smiling",
    "calm": "smiling a little",
    "happy": "smiling",
    "serious": "with a serious mouth",
    "sad": "with a sad mouth",
    "open": "with an open mouth",
}
_GLASSES = {
    "clear": "glasses",
    "round": "round glasses",
    "sunglasses": "sunglasses",
    "dark": "dark glasses",
}
_BEARDS = {"beard": "a beard", "moustache": "a moustache", "yes": "a beard"}


def describe(person: Person) -> str:
    """Returns a sentence on a person's hair, glasses, beard, mouth and, if it has one, age.

    >>> from keras_gans.data.sources.faces import avataaars
    >>> person = avataaars.LOOK.person(0, 0, 0).but(long_hair="no", hair="red", glasses="round")
    >>> describe(person.but(beard="none", mouth="smile", age="old"))
    'an old person with short red hair and round glasses, smiling'
    """
    has = person.attributes
    age = {"older": "an older ", "old": "an old ", "young": "a young "}.get(
        has.get("age", ""), "a "
    )
    length = "long" if has["long_hair"] == "yes" else "short"
    wears = [_GLASSES.get(has["glasses"]), _BEARDS.get(has["beard"])]
    things = [f"{length} {has['hair']} hair", *filter(None, wears)]
    return f"{age}person with {_listed(things)}, {_MOUTHS[has['mouth']]}"


# ---- captions


@dataclasses.dataclass(frozen=True)
class Caption:
    """A caption of a face.

    Attributes:
        text: at most `MOST_WORDS` words.
        named: the attributes that it names, with their values.
    """

    text: str
    named: Mapping[str, str]


MOST_WORDS = 16

# How captions are worded: as those of a training, or in ways that no training has seen.
WORDINGS = ("seen", "held_out")

# Of each value, what is said of a person: before a noun, after "with", or after "wearing". What
# stands behind `_HELD_OUT` is said in held-out wordings only, with words that others have too.
_HELD_OUT = "held out"
_BEFORE = {
    "mouth": {
        "smile": ["smiling", "happy"],
        "calm": ["calm"],
        "serious": ["serious"],
        "sad": ["sad", "unhappy"],
        "open": ["shouting"],
    },
    "age": {
        "young": ["young"],
        "adult": ["adult"],
        "older": ["older", "middle aged"],
        "old": ["old", "elderly"],
    },
    "beard": {"none": ["shaven", "clean shaven"], "beard": ["bearded"], "moustache": []},
    "eyes": {"wink": ["winking"]},
}
_WITH = {
    "glasses": {"none": ["no glasses"]},
    "beard": {
        "none": ["no beard"],
        "beard": ["a beard", "a full beard"],
        "moustache": ["a moustache", "a mustache", _HELD_OUT, "a full moustache"],
    },
    "mouth": {
        "smile": ["a smile", "a big smile", _HELD_OUT, "a smiling mouth"],
        "calm": ["a faint smile", "a slight smile", _HELD_OUT, "a calm smile"],
        "serious": ["a serious mouth", "a straight mouth", _HELD_OUT, "a serious face"],
        "sad": ["a sad mouth", "a sad face", _HELD_OUT, "an unhappy face"],
        "open": ["an open mouth", "a wide open mouth", _HELD_OUT, "a shouting face"],
    },
    "skin": {
        "pale": ["pale skin", "a pale face"],
        "light": ["light skin", "a light face"],
        "tan": ["tan skin", "tanned skin", _HELD_OUT, "a tanned face"],
        "brown": ["brown skin", "a brown face"],
        "dark": ["dark skin", "a dark face"],
    },
    "eyes": {
        "happy": ["happy eyes"],
        "closed": ["closed eyes", "eyes closed"],
        "surprised": ["surprised eyes", "wide open eyes"],
        "wink": ["a wink"],
    },
    "brows": {
        "level": ["level brows", "level eyebrows"],
        "raised": ["raised brows", "raised eyebrows"],
        "angry": ["angry brows", "angry eyebrows"],
        "worried": ["worried brows", "worried eyebrows"],
    },
    "background": {
        "blue": ["a blue background", "a light blue backdrop"],
        "yellow": ["a yellow background", "a light yellow backdrop"],
        "pink": ["a pink background", "a pink backdrop"],
        "green": ["a green background", "a light green backdrop"],
    },
}
_WEARING = {
    "glasses": {
        "clear": ["clear glasses", "plain glasses", _HELD_OUT, "clear spectacles"],
        "round": ["round glasses", "round spectacles"],
        "sunglasses": ["sunglasses", "dark glasses", "shades", _HELD_OUT, "dark spectacles"],
    },
}
_HAIR = {
    "black": ["black", "jet black"],
    "brown": ["brown", "chestnut"],
    "blonde": ["blonde", "blond"],
    "red": ["red", "ginger"],
}
_LENGTH = {"yes": "long", "no": "short"}
_CLOTHES = {
    "shirt": ["a {}shirt", "a {}t shirt"],
    "hoodie": ["a {}hoodie", "a {}hooded sweatshirt"],
    "collar": ["a {}sweater", "a {}pullover"],
    "overall": ["{}overalls", "{}dungarees"],
}
_COLOURS = ("blue", "red", "green", "black", "yellow")
_NOUNS = ("person", "face", "portrait", "somebody", "someone", "character")
# What stands for itself, without an article or a word before it.
_PRONOUNS = ("somebody", "someone")

# What is said together: of hair and of clothes, both their kinds and their colours.
_TOPICS: tuple[tuple[str, ...], ...] = (
    ("long_hair", "hair"),
    ("glasses",),
    ("beard",),
    ("mouth",),
    ("clothes", "clothes_colour"),
    ("background",),
    ("skin",),
    ("age",),
    ("eyes",),
    ("brows",),
)
# How many topics a caption has: the share of 0, of 1, and so on.
_SHARES = (0.04, 0.12, 0.2, 0.24, 0.24, 0.16)

ATTRIBUTES: tuple[str, ...] = tuple(name for topic in _TOPICS for name in topic)


def write(
    attributes: Mapping[str, str],
    *key: int | str,
    name: Collection[str] = ATTRIBUTES,
    wordings: str = "seen",
) -> Caption:
    """Writes a caption of a face; the same key gives the same one, on every machine.

    >>> from keras_gans.data.sources.faces import avataaars
    >>> person = avataaars.LOOK.person(0, 0, 5)
    >>> caption = write(person.attributes, 0, 3)
    >>> caption.text
    'a bearded face with no glasses, angry eyebrows and a light yellow backdrop'
    >>> caption.named
    {'glasses': 'none', 'beard': 'beard', 'brows': 'angry', 'background': 'yellow'}

    Args:
        attributes: of a person in the style of Avataaars: names to values.
        *key: integers or words: a seed, and the number of the caption.
        name: the attributes that it may name.
        wordings: `"seen"`, or `"held_out"`: in an order that seen ones never have, and with
            phrases that they do not have, of the same words.

    Raises:
        ValueError: for an unknown attribute, or unknown wordings.
    """
    require(name, wordings)
    draw = _Draw(key)
    topics = [topic for topic in _TOPICS if set(topic) & set(name)]
    number = min(draw.share(_SHARES), len(topics))
    said: list[_Said] = []
    for topic in draw.some(topics, number):
        wanted = [one for one in topic if one in name and one in attributes]
        if len(wanted) == 2 and (kept := draw.share((0.5, 0.25, 0.25))):
            wanted = [wanted[kept - 1]]
        found = _phrase({one: attributes[one] for one in wanted}, draw, wordings, attributes)
        said += [found] if found else []
    while True:
        text = _arranged(said, draw, wordings)
        if len(words(text)) <= MOST_WORDS:
            break
        said.pop()
    return Caption(text, {k: v for one in said for k, v in one.named.items()})


def require(name: Collection[str], wordings: str) -> None:
    """Raises ValueError, with the nearest names, for what no caption can name, or be worded."""
    for one in [name] if isinstance(name, str) else name:
        if one not in ATTRIBUTES:
            raise ValueError(
                f"Captions name no such attribute.{did_you_mean(str(one), ATTRIBUTES)} Expected "
                f"some of {list(ATTRIBUTES)}, in a list. Received: {one!r}"
            )
    if isinstance(name, str) or not name:
        raise ValueError(
            "Captions name attributes of a list. Expected some of "
            f"{list(ATTRIBUTES)}. Received: {name!r}"
        )
    if wordings not in WORDINGS:
        raise ValueError(
            f"There are no such wordings.{did_you_mean(str(wordings), WORDINGS)} Expected one of "
            f"{list(WORDINGS)}. Received: wordings={wordings!r}"
        )


def vocabulary(name: Collection[str] = ATTRIBUTES) -> list[str]:
    """Returns every word of the captions that name some attributes, in alphabetical order.

    >>> vocabulary(["background"])[:6]
    ['a', 'an', 'and', 'backdrop', 'background', 'blue']

    Args:
        name: the attributes that captions may name.
    """
    tables = (_BEFORE, _WITH, _WEARING, {"hair": _HAIR, "clothes": _CLOTHES})
    phrases = [p for t in tables for n in name for v in t.get(n, {}).values() for p in v]
    phrases = [phrase for phrase in phrases if phrase != _HELD_OUT]
    phrases += [*_NOUNS, "a an and with who has"]
    phrases += [*_LENGTH.values()] * ("long_hair" in name)
    phrases += [*_COLOURS, "clothes"] * ("clothes_colour" in name)
    phrases += ["hair haired"] * bool({"hair", "long_hair"} & set(name))
    phrases += ["wearing wears"] * bool({"clothes", "clothes_colour", "glasses"} & set(name))
    return sorted({word for phrase in phrases for word in words(phrase)})


@dataclasses.dataclass(frozen=True)
class _Said:
    """A phrase: what it names, what it is, and where it stands."""

    named: Mapping[str, str]
    text: str
    place: str  # "before" a noun, after "with", or after "wearing"


class _Draw:
    """Random choices of a key."""

    def __init__(self, key):
        # Of Python's generators, `random()` alone is promised to stay the same.
        self.number: Callable[[], float] = random.Random("/".join(map(str, key))).random

    def one(self, choices):
        return choices[int(self.number() * len(choices))]

    def share(self, shares: Sequence[float]) -> int:
        number = self.number()
        for place, share in enumerate(shares):
            number -= share
            if number < 0:
                return place
        return len(shares) - 1  # shares that add up to a little less than 1

    def some(self, choices, number):
        left = list(choices)
        return [left.pop(int(self.number() * len(left))) for _ in range(number)]


def _phrase(values, draw, wordings, attributes):
    """What is said of a topic; `None` where nothing can be said, as of usual or hidden eyes."""
    if {"long_hair", "hair"} & set(values):
        return _of_hair(values, draw)
    if {"clothes", "clothes_colour"} & set(values):
        return _of_clothes(values, draw)
    ((name, value),) = values.items()
    if name == "eyes" and attributes.get("glasses") == "sunglasses":
        return None
    places = {"before": _BEFORE, "with": _WITH, "wearing": _WEARING}
    found = [
        _Said(values, phrase, place)
        for place, table in places.items()
        for phrase in _allowed(table.get(name, {}).get(value, ()), wordings)
    ]
    return draw.one(found) if found else None


def _allowed(phrases, wordings):
    """The phrases of these wordings; of held-out ones those alone, where there are some."""
    phrases = list(phrases)
    if _HELD_OUT not in phrases:
        return phrases
    mark = phrases.index(_HELD_OUT)
    return phrases[:mark] if wordings == "seen" else phrases[mark + 1 :]


def _of_hair(values, draw):
    parts = [_LENGTH[values["long_hair"]]] if "long_hair" in values else []
    parts += [draw.one(_HAIR[values["hair"]])] if "hair" in values else []
    if len(parts) == 1 and draw.number() < 0.3:
        return _Said(values, f"{parts[0]} haired", "before")
    return _Said(values, f"{' '.join(parts)} hair", "with")


def _of_clothes(values, draw):
    colour = values.get("clothes_colour")
    if "clothes" not in values:
        return _Said(values, f"{colour} clothes", "wearing")
    phrase = draw.one(_CLOTHES[values["clothes"]])
    return _Said(values, phrase.format(f"{colour} " if colour else ""), "wearing")


def _arranged(said, draw, wordings):
    """A caption of phrases, in an order of these wordings."""
    places = {"before": [], "with": [], "wearing": []}
    for one in said:
        places[one.place].append(one.text)
    before, has, wears = places.values()
    noun = draw.one(_NOUNS)
    noun = "person" if noun in _PRONOUNS and before else noun
    with_ = f"with {_listed(has)}" if has else ""
    wearing = f"wearing {_listed(wears)}" if wears else ""
    clauses = [f"has {_listed(has)}"] * bool(has) + [f"wears {_listed(wears)}"] * bool(wears)
    subject = _with_article([*before, noun])
    if wordings == "seen":
        return draw.one(
            [
                _joined(" ", subject, with_, wearing),
                _joined(" who ", subject, " and ".join(clauses)),
                _joined(", ", subject, wearing, with_),
                _joined(", ", *[one.text for one in said]) or subject,
            ]
        )
    if not clauses:
        return _joined(", ", _with_article([noun]), _listed(before))
    orders = [
        _joined(", ", _listed(has), wearing, subject),
        _joined(", ", wearing, with_, subject),
        _joined(" who ", subject, " and ".join(clauses[::-1])),
    ]
    return draw.one(orders if len(clauses) == 2 else orders[:2])


def _with_article(phrase):
    text = " ".join(phrase)
    if text in _PRONOUNS:
        return text
    return f"{'an' if text[0] in 'aeiou' else 'a'} {text}"


def _joined(between, *parts):
    return between.join(filter(None, parts))


def _listed(things):
    """Things with commas and `and` between them."""
    return _joined(" and ", ", ".join(things[:-1]), *things[-1:])
