"""Faces in the style of Avataaars (Pablo Stanley), drawn by their attributes.

Attributes are drawn independently of each other, so some faces are unusual: long hair and a beard.
Ages are those of this library: hair greys and wrinkles come.
"""

import xml.etree.ElementTree as ElementTree

from keras_gans.data.sources.faces import painting
from keras_gans.data.sources.faces.people import Look, Person

STYLE = "avataaars"

# Of each attribute, its values; of each value, the variants or colours that stand for it. Left
# out is what is hard to tell apart, covers the hair, or is no everyday face.
LOOK = Look(
    {
        "long_hair": {
            "no": (
                "shortFlat",
                "shortRound",
                "shortWaved",
                "theCaesar",
                "theCaesarAndSidePart",
                "shortCurly",
                "sides",
                "dreads01",
                "frizzle",
            ),
            "yes": (
                "bob",
                "curly",
                "curvy",
                "longButNotTooLong",
                "miaWallace",
                "straight01",
                "straight02",
                "straightAndStrand",
                "bigHair",
            ),
        },
        "hair": {
            "black": ("#2c1b18",),
            "brown": ("#724133",),
            "blonde": ("#d6b370",),
            "red": ("#c93305",),
        },
        "skin": {
            "pale": ("#ffdbb4",),
            "light": ("#edb98a",),
            "tan": ("#d08b5b",),
            "brown": ("#ae5d29",),
            "dark": ("#614335",),
        },
        "glasses": {
            "none": ("",),
            "clear": ("prescription01", "prescription02"),
            "round": ("round",),
            "sunglasses": ("sunglasses", "wayfarers"),
        },
        "beard": {
            "none": ("",),
            "beard": ("beardLight", "beardMedium", "beardMajestic"),
            "moustache": ("moustacheFancy", "moustacheMagnum"),
        },
        "mouth": {
            "smile": ("smile",),
            "calm": ("twinkle",),
            "serious": ("serious",),
            "sad": ("sad",),
            "open": ("screamOpen",),
        },
        "eyes": {
            "open": ("default",),
            "happy": ("happy",),
            "closed": ("closed",),
            "surprised": ("surprised",),
            "wink": ("wink",),
        },
        "brows": {
            "level": ("defaultNatural",),
            "raised": ("raisedExcitedNatural",),
            "angry": ("angryNatural",),
            "worried": ("sadConcernedNatural",),
        },
        "clothes": {
            "shirt": ("shirtCrewNeck",),
            "hoodie": ("hoodie",),
            "collar": ("collarAndSweater",),
            "overall": ("overall",),
        },
        "clothes_colour": {
            "blue": ("#5199e4",),
            "red": ("#ff5c5c",),
            "green": ("#a7ffc4",),
            "black": ("#262e33",),
            "yellow": ("#ffffb1",),
        },
        "background": {
            "blue": ("#b6e3f4",),
            "yellow": ("#ffeeb0",),
            "pink": ("#ffd5dc",),
            "green": ("#c9efcf",),
        },
        "age": {"young": ("0",), "adult": ("1",), "older": ("2",), "old": ("3",)},
    },
    {"glasses": (0.4, 0.2, 0.2, 0.2), "beard": (0.5, 0.25, 0.25)},
)

# What cannot be seen where another attribute has that value.
HIDDEN_BY = {"eyes": ("glasses", "sunglasses")}

# Of what is dark in a line drawing, too: the frames of glasses are of the second.
_DARK = ("black", "#262e33")

_CANVAS = 'viewBox="0 0 280 280"'
_FACE = "42 26 196 196"

# How much of the hair is grey, by age.
_GREY, _GREYING = "#e8e6e4", (0.0, 0.15, 0.5, 0.8)

# Wrinkles, by age: bags and crow's feet of the eyes, folds beside the mouth, lines of the forehead.
_WRINKLES = (
    "",
    "M104 128q10 5 20 0M156 128q10 5 20 0",
    "M104 128q10 6 20 0M156 128q10 6 20 0M119 139q-7 8 -8 18M161 139q7 8 8 18M120 78q20 -6 40 0",
    "M103 128q11 7 22 0M103 132q11 6 20 1M155 128q11 7 22 0M157 133q11 5 20 -1"
    "M118 139q-8 9 -9 22M162 139q8 9 9 22M114 79q26 -8 52 0M118 72q22 -7 44 0"
    "M95 108l-7 -4M95 112l-8 1M95 116l-7 5M185 108l7 -4M185 112l8 1M185 116l7 5",
)
_WRINKLE_WIDTHS = (0.0, 2.2, 3.2, 3.6)

# Colours of a part map, by component.
PARTS = {
    "background": "#000000",
    "skin": "#ffb070",
    "clothes": "#3b6fd6",
    "mouth": "#d62728",
    "nose": "#ff7f0e",
    "eyes": "#17becf",
    "eyebrows": "#8c564b",
    "top": "#2ca02c",
    "facialHair": "#9467bd",
    "accessories": "#e7e018",
}


def svg(person: Person) -> str:
    """Returns the face of a person as a drawing."""
    text = painting.drawing(STYLE, _options(person))
    age = int(person.drawing("age"))
    wrinkles = (
        f'<path d="{_WRINKLES[age]}" fill="none" stroke="black" stroke-opacity=".38" '
        f'stroke-width="{_WRINKLE_WIDTHS[age]}" stroke-linecap="round"/>'
    )
    before_hair = text.rfind("<use", 0, text.rfind("#top-"))
    text = text[:before_hair] + wrinkles * bool(age) + text[before_hair:]
    return text.replace(_CANVAS, f'viewBox="{_FACE}"', 1)


def line_drawing(person: Person) -> str:
    """Returns the face of a person as black lines on white: outlines, eyes, brows and mouth."""
    root = ElementTree.fromstring(svg(person))
    for element in root.iter():
        fill = element.get("fill")
        if fill in (None, "none"):
            continue
        if fill in _DARK or fill.startswith("url("):
            # Shadows go; what is drawn in dark stays: eyes, brows, the mouth, glasses.
            shadow = float(element.get("fill-opacity", 1)) < 0.3
            element.set("fill", "black")
            element.set("fill-opacity", "0" if shadow else "1")
            element.attrib.pop("style", None)
        else:
            element.set("fill", "white")
            element.set("fill-opacity", "1")
            element.set("stroke", "black")
            element.set("stroke-width", "2")
    for element in root.iter():
        if element.get("stroke-opacity"):
            element.set("stroke-opacity", "1")
            element.set("stroke-width", "1.5")
    return ElementTree.tostring(root, encoding="unicode")


def part_map(person: Person) -> str:
    """Returns a drawing of which part of the face is where, in the colours of `PARTS`."""
    root = ElementTree.fromstring(svg(person.but(age="young")))
    space = "{http://www.w3.org/2000/svg}"
    for group in root.iter(f"{space}g"):
        component = (group.get("id") or "").split("-")[0]
        if component in PARTS:
            _paint(group, PARTS[component])
    colours = {
        person.drawing("skin"): PARTS["skin"],
        person.drawing("background"): PARTS["background"],
    }
    for element in root.iter():
        fill = (element.get("fill") or "").lower()
        if fill in colours:
            element.set("fill", colours[fill])
        if fill == "black" and element.get("fill-opacity"):
            element.set("fill-opacity", "0")
    root.set("shape-rendering", "crispEdges")
    return ElementTree.tostring(root, encoding="unicode")


def _paint(group, colour):
    for element in group.iter():
        for attribute in ("fill", "stroke"):
            if element.get(attribute, "none") != "none":
                element.set(attribute, colour)
        for attribute in ("fill-opacity", "opacity", "stroke-opacity", "style"):
            element.attrib.pop(attribute, None)


def _options(person):
    hair = _mixed(person.drawing("hair"), _GREY, _GREYING[int(person.drawing("age"))])
    options = {
        "seed": "0",
        "skinColor": [person.drawing("skin")],
        "hairColor": [hair],
        "facialHairColor": [hair],
        "topVariant": [person.drawing("long_hair")],
        "topProbability": 100,
        "accessoriesColor": ["#262e33"],
        "accessoriesProbability": 0,
        "facialHairProbability": 0,
        "mouthVariant": [person.drawing("mouth")],
        "eyesVariant": [person.drawing("eyes")],
        "eyebrowsVariant": [person.drawing("brows")],
        "clothesVariant": [person.drawing("clothes")],
        "clothesColor": [person.drawing("clothes_colour")],
        "backgroundColor": [person.drawing("background")],
    }
    for component, attribute in (("accessories", "glasses"), ("facialHair", "beard")):
        if variant := person.drawing(attribute):
            options[f"{component}Variant"] = [variant]
            options[f"{component}Probability"] = 100
    return options


def _mixed(colour, other, share):
    channels = zip(*(bytes.fromhex(code[1:]) for code in (colour, other)))
    return "#" + bytes(round((1 - share) * a + share * b) for a, b in channels).hex()
