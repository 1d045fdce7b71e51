"""Digits drawn with fonts, as MNIST has its handwritten ones: 28x28, grey, with known classes."""

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_gans.data.sources.packages import fingerprint
from keras_gans.data.sources.registry import Examples, Request, Source

if TYPE_CHECKING:
    from PIL import ImageFont

    from keras_gans.data.sources.builders import Plan

# Of those that come with matplotlib; the others have no digits, or symbols in their place.
_STYLES = {
    "DejaVuSans": ("", "-Bold", "-Oblique", "-BoldOblique"),
    "DejaVuSansMono": ("", "-Bold", "-Oblique", "-BoldOblique"),
    "DejaVuSerif": ("", "-Bold", "-Italic", "-BoldItalic"),
    "STIXGeneral": ("", "Bol", "Italic", "BolIta"),
    "cm": ("r10", "b10", "ss10", "tt10", "ti10"),
}
_SIDE, _HEIGHT = 28, 20


def read(request: Request) -> Examples:
    """Returns the images of a `Request`, and the names of their classes."""
    from keras_gans.data import prepared
    from keras_gans.data.sources import builders

    options = {**SOURCE.options, **request.options}
    return prepared.images(builders.prepared(plan(**options), request.data_dir), request)


def plan(per_font: int = 25, source: Path | str | None = None) -> "Plan":
    """Returns what is prepared: `per_font` images of each digit in each font, in one split.

    Args:
        per_font: images of each digit, each turned and narrowed otherwise.
        source: folder of TrueType and OpenType fonts, searched with its subfolders; `None` for 21
            fonts that come with matplotlib.

    Raises:
        ValueError: for fewer than one image.
        FileNotFoundError: if the folder has no fonts.
    """
    from PIL import features

    from keras_gans import checks
    from keras_gans.data.sources.builders import Plan

    checks.count("per_font", per_font)
    fonts = find(source)
    # FreeType draws the digits, and its versions may differ by a grey level here and there.
    drawn_by = features.version("pil"), features.version("freetype2"), per_font
    return Plan(
        name="keras_gans_font_digits",
        description="Digits drawn with fonts, in MNIST's size.",
        features=lambda features: {
            "image": features.Image(shape=(_SIDE, _SIDE, 1)),
            "label": features.ClassLabel(num_classes=10),
        },
        examples=lambda: {"train": _examples(fonts, per_font)},
        key=fingerprint(*drawn_by, *(f.read_bytes() for f in fonts)),
    )


def find(source: Path | str | None = None) -> list[Path]:
    """Returns the files of fonts; see `plan`."""
    if source is None:
        import matplotlib

        folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
        return [folder / f"{f}{style}.ttf" for f, styles in _STYLES.items() for style in styles]
    folder = Path(source).expanduser()
    fonts = sorted([*folder.rglob("*.ttf"), *folder.rglob("*.otf")])
    if not fonts:
        raise FileNotFoundError(
            "There are no fonts. Expected a folder with files `.ttf` or `.otf`, or none for those "
            f"that come with matplotlib. Received: source={str(source)!r}"
        )
    return fonts


def _examples(fonts, per_font):
    for key, (image, label) in enumerate(draw(fonts, per_font, np.random.default_rng(0))):
        yield key, {"image": image[:, :, None], "label": label}


def draw(
    fonts: Iterable[Path], per_font: int, random: np.random.Generator
) -> Iterator[tuple[np.ndarray, int]]:
    """Draws digits of each font, turned by up to 12 degrees, and narrowed to no less than 0.75.

    Args:
        fonts: files.
        per_font: images of each digit.
        random: of the angles and widths.

    Yields:
        `uint8` images `(28, 28)`, white on black, and the digit; none of what a font lacks.
    """
    from PIL import ImageFont

    for path in fonts:
        font = ImageFont.truetype(str(path), 64)
        for digit, _ in itertools.product(range(10), range(per_font)):
            image = drawn(font, str(digit), random.uniform(-12, 12), random.uniform(0.75, 1))
            if image is not None:
                yield image, digit


def drawn(
    font: "ImageFont.FreeTypeFont", text: str, angle: float, width: float
) -> np.ndarray | None:
    """Draws a digit as MNIST has its own: 20 pixels high or wide, and centred by its mass.

    Args:
        font: of any size.
        text: the digit.
        angle: in degrees, counterclockwise.
        width: relative to that of the font.

    Returns:
        `uint8`, `(28, 28)`; `None` if the font has nothing there.
    """
    from PIL import Image, ImageDraw

    page = Image.new("L", (192, 192))
    ImageDraw.Draw(page).text((96, 96), text, 255, font, "mm")
    page = page.rotate(angle, Image.Resampling.BICUBIC)
    box = page.getbbox()
    if box is None:
        return None
    page = page.crop(box)
    scale = _HEIGHT / max(page.size)
    size = [max(round(side * scale * part), 1) for side, part in zip(page.size, (width, 1))]
    small = np.asarray(page.resize((size[0], size[1]), Image.Resampling.LANCZOS), "float64")
    if small.sum() < 255 * 8:
        return None
    masses = small.sum(axis=1), small.sum(axis=0)  # of rows, and of columns
    centres = [(mass @ np.arange(len(mass))) / mass.sum() for mass in masses]
    top, left = (
        int(np.clip(round(13.5 - centre), 0, _SIDE - side))
        for centre, side in zip(centres, small.shape)
    )
    cell = np.zeros((_SIDE, _SIDE))
    cell[top : top + small.shape[0], left : left + small.shape[1]] = small
    return cell.clip(0, 255).astype("uint8")


SOURCE = Source(
    name="font_digits",
    content="5,250 digits drawn with 21 fonts, turned and narrowed, 28x28x1",
    origin="fonts that come with matplotlib, or a folder of your own (`source=...`); drawn here",
    licence="DejaVu, STIX and Computer Modern fonts, under the licences that matplotlib carries",
    splits=("train",),
    read=read,
    options={"per_font": 25, "source": None},
    labels={"label": tuple(map(str, range(10)))},
)
