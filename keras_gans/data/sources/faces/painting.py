"""From drawings to pixels: the packages that hold the drawings and paint them."""

import functools
import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_gans.names import did_you_mean

_INSTALL = "`pip install 'keras-gans[faces]'`"


@functools.cache
def _packages():
    try:
        import dicebear
        import resvg_py
    except ImportError as error:
        raise ImportError(
            "Faces are drawn by packages that are not installed. Install `dicebear-core`, "
            f"`dicebear-styles` and `resvg-py` by {_INSTALL}. Received: {error}"
        ) from error
    return dicebear, resvg_py


def names_of_styles() -> list[str]:
    """Returns the names of all styles."""
    import importlib.resources

    _packages()
    try:
        folder = importlib.resources.files("dicebear_styles")
    except ImportError as error:
        raise ImportError(
            f"The styles of faces are not installed. Install `dicebear-styles` by {_INSTALL}. "
            f"Received: {error}"
        ) from error
    found = (item.name for item in folder.iterdir())
    return sorted(name.removesuffix(".json") for name in found if name.endswith(".json"))


@functools.cache
def _style(name):
    import importlib.resources

    dicebear, _ = _packages()
    known = names_of_styles()
    if name not in known:
        raise ValueError(
            f"There is no such style of faces.{did_you_mean(name, known)} Expected one of {known}. "
            f"Received: style={name!r}"
        )
    text = importlib.resources.files("dicebear_styles").joinpath(f"{name}.json").read_text("utf-8")
    definition = json.loads(text)
    return dicebear.Style(definition), definition["meta"]


def licence_of_style(name: str) -> str:
    """Returns the licence of a style, with its author, in a line."""
    meta = _style(name)[1]
    return f"{meta['license']['text']} ({meta['license']['url']})"


def drawing(style: str, options: Mapping[str, Any]) -> str:
    """Returns a drawing of a style, as SVG, without its description.

    Args:
        style: name of the style.
        options: of DiceBear, such as `{"seed": "7"}`.
    """
    dicebear, _ = _packages()
    text = str(dicebear.Avatar(_style(style)[0], dict(options)))
    start, end = text.find("<metadata"), text.find("</metadata>")
    return text if start < 0 else text[:start] + text[end + len("</metadata>") :]


def pixels(svg: str, size: int) -> np.ndarray:
    """Paints a drawing: returns a `uint8` array `(size, size, 3)`, on white."""
    from PIL import Image

    _, resvg = _packages()
    png = resvg.svg_to_bytes(
        svg_string=svg, width=size, height=size, background="#ffffff", skip_system_fonts=True
    )
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def versions() -> tuple[str, ...]:
    """Returns the versions of the packages: others may draw or paint otherwise."""
    import importlib.metadata

    _packages()
    packages = ("dicebear-core", "dicebear-styles", "resvg-py")
    return tuple(importlib.metadata.version(package) for package in packages)
