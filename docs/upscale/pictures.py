"""Makes the pictures of the upscalers from the photographs that come with scikit-image.

    pip install scikit-image 'keras-gans[upscale]'
    python docs/upscale/pictures.py

They are parts of the cat Chelsea (Stefan van der Walt, CC0), the astronaut Eileen Collins (NASA,
public domain), a rocket (SpaceX, CC0) and a scanned page (CC0), none of which was made smaller.
"""

from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

from keras_gans import image, zoo

ROOT = Path(__file__).parent.parent.parent
PRESETS = ("realesrgan_animevideo_x4", "realesrgan_anime_x4", "realesrgan_x4")
SIDE = 40  # of a sample, before


def samples():
    """Parts of photographs, `uint8` `(SIDE, SIDE, 3)`."""
    page = np.repeat(skimage.data.page()[..., None], 3, axis=2)
    places = (
        (skimage.data.chelsea(), 104, 150),
        (skimage.data.astronaut(), 84, 204),
        (skimage.data.rocket(), 120, 312),
        (page, 40, 60),
    )
    return [x[top : top + SIDE, left : left + SIDE].copy() for x, top, left in places]


def columns(pixels, network):
    """An image with its pixels repeated, by bicubic interpolation, and by a network."""
    sides = [4 * side for side in pixels.shape[:2]]
    plain = image.resize(pixels, sides)
    repeated = np.kron(pixels, np.ones((4, 4, 1), "uint8"))
    return [repeated, plain, zoo.upscale_image(network, pixels)]


def of_preset(preset):
    """The picture on a preset's card."""
    network = zoo.load(preset)
    rows = np.stack([shown for pixels in samples() for shown in columns(pixels, network)])
    image.save(rows, zoo.card(preset).folder / "samples.png", columns=3)


def of_readme(path):
    """The eye of a cat, before and after."""
    eye = skimage.data.chelsea()[66:174, 104:212].copy()
    _, before, after = columns(eye, zoo.load("realesrgan_x4"))
    both = np.concatenate([before, np.full((before.shape[0], 4, 3), 255, "uint8"), after], axis=1)
    Image.fromarray(both).save(path, quality=88)


if __name__ == "__main__":
    for preset in PRESETS:
        of_preset(preset)
    of_readme(ROOT / "docs/upscale/before_after.jpg")
