"""Faces in DiceBear's style Pixel Art (CC0), 16x16 pixels, drawn by their attributes."""

from keras_gans.data.sources.faces import painting
from keras_gans.data.sources.faces.people import Look, Person

STYLE = "pixel-art"


def _numbered(name, *numbers):
    return tuple(f"{name}{number:02}" for number in numbers)


LOOK = Look(
    {
        "long_hair": {
            "no": _numbered("short", 1, 2, 3, 6, 8, 9, 14, 15, 16, 17, 18, 22),
            "yes": _numbered("long", 1, 2, 3, 4, 7, 8, 9, 12, 13, 16, 17, 20),
        },
        "hair": {
            "black": ("#28150a",),
            "brown": ("#83623b",),
            "blonde": ("#dcc48f",),
            "red": ("#bd1700",),
            "blue": ("#009bbd",),
        },
        "skin": {
            "pale": ("#ffdbac",),
            "light": ("#e0b687",),
            "tan": ("#b68655",),
            "dark": ("#8d5524",),
        },
        "glasses": {
            "none": ("",),
            "clear": _numbered("light", 5, 6, 7),
            "dark": _numbered("dark", 5, 6, 7),
        },
        "beard": {"no": ("",), "yes": _numbered("variant", 3, 5, 8)},
        "mouth": {"happy": _numbered("happy", 6, 7, 9, 10), "sad": _numbered("sad", 1, 2, 3, 6)},
        "eyes": {"any": _numbered("variant", 1, 3, 5, 8)},
        "clothes": {"any": _numbered("variant", 1, 3, 4, 12)},
        "clothes_colour": {
            "blue": ("#428bca",),
            "green": ("#00b159",),
            "red": ("#d11141",),
            "yellow": ("#ffc425",),
        },
        "background": {
            "blue": ("#b6e3f4",),
            "yellow": ("#ffeeb0",),
            "pink": ("#ffd5dc",),
            "green": ("#c9efcf",),
        },
    },
    {"glasses": (0.4, 0.3, 0.3)},
)

HIDDEN_BY: dict[str, tuple[str, str]] = {}


def svg(person: Person) -> str:
    """Returns the face of a person as a drawing."""
    options = {
        "seed": "0",
        "skinColor": [person.drawing("skin")],
        "hairColor": [person.drawing("hair")],
        "hairVariant": [person.drawing("long_hair")],
        "eyesVariant": [person.drawing("eyes")],
        "eyesColor": ["#76778b"],
        "mouthVariant": [person.drawing("mouth")],
        "mouthColor": ["#c98276"],
        "clothesVariant": [person.drawing("clothes")],
        "clothingColor": [person.drawing("clothes_colour")],
        "glassesColor": ["#191919"],
        "glassesProbability": 0,
        "beardProbability": 0,
        "hatProbability": 0,
        "accessoriesProbability": 0,
        "backgroundColor": [person.drawing("background")],
    }
    for attribute in ("glasses", "beard"):
        if variant := person.drawing(attribute):
            options[f"{attribute}Variant"] = [variant]
            options[f"{attribute}Probability"] = 100
    return painting.drawing(STYLE, options)
