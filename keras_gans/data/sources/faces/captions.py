"""What a person looks like, in words."""

from keras_gans.data.sources.faces.people import Person

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
    listed = things[0] if len(things) == 1 else f"{', '.join(things[:-1])} and {things[-1]}"
    return f"{age}person with {listed}, {_MOUTHS[has['mouth']]}"
