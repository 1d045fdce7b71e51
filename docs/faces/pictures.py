"""Draws `attributes.png`: `python docs/faces/pictures.py`."""

from pathlib import Path

import numpy as np
from PIL import Image

from keras_gans.data.sources.faces import avataaars, painting

SIZE, NUMBERS = 64, (1, 2, 7, 9, 13, 14, 15, 23, 25, 31)

people = [avataaars.LOOK.person(0, 0, number) for number in NUMBERS]
rows = [
    [avataaars.svg(person) for person in people],
    *([avataaars.svg(person.but(age=age)) for person in people] for age in ("young", "old")),
    *([avataaars.svg(person.but(glasses=kind)) for person in people] for kind in ("none", "round")),
    [avataaars.line_drawing(person) for person in people],
    [avataaars.part_map(person) for person in people],
]
painted = [[painting.pixels(text, SIZE) for text in row] for row in rows]
whole = np.concatenate([np.concatenate(row, axis=1) for row in painted])
Image.fromarray(whole).save(Path(__file__).parent / "attributes.png", optimize=True)
