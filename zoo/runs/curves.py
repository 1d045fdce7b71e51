"""Curves of a training as SVG for a page: drawn by matplotlib, the same every time."""

import io
import math
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

# Readable on light and on dark pages.
_GREY = "#888888"
_COLORS = ("#3b6fb6", "#c8553d", "#4a8f5a", "#8a5fa8", "#b58a2b")
_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "keras_gans",  # identifiers depend on what is drawn alone
    "font.family": "sans-serif",
    "font.sans-serif": ["system-ui", "DejaVu Sans"],
    "text.color": _GREY,
    "axes.edgecolor": _GREY,
    "axes.labelcolor": _GREY,
    "xtick.color": _GREY,
    "ytick.color": _GREY,
}
_SIZE = (10.0, 3.75)  # inches of 72 points


def curves(lines: Sequence[Mapping[str, float]], names: Sequence[str]) -> str:
    """Draws values over the epochs.

    Args:
        lines: an epoch each, with its number as `epoch`; two or more.
        names: of the values to draw, a curve each. A value that a line lacks, or
            that is not finite, is left out.

    Returns:
        An `<svg>` element: no address, and no name that another page element could have. A pointer
        that rests on a value gets the name, the value and the epoch.
    """
    import matplotlib  # here: only a report needs it
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    titles: dict[str, list[str]] = {}
    style: Any = {**matplotlib.rcParamsDefault, **_STYLE, "backend": "svg"}
    with matplotlib.rc_context(style):
        figure = Figure(figsize=_SIZE, layout="constrained")
        axes = figure.add_subplot()
        for number, name in enumerate(names):
            shown = [line for line in lines if math.isfinite(line.get(name, math.nan))]
            epochs, values = [line["epoch"] for line in shown], [line[name] for line in shown]
            color = _COLORS[number % len(_COLORS)]
            axes.plot(epochs, values, color=color, linewidth=1.8, label=name)
            points = axes.scatter(epochs, values, s=30, color=color, alpha=0.0)
            points.set_gid(f"values_{number}")
            titles[f"values_{number}"] = [
                f"{name} {value:.4g}, epoch {epoch}" for epoch, value in zip(epochs, values)
            ]
        axes.axhline(0, color=_GREY, linewidth=0.6)  # always in sight: a curve alone exaggerates
        axes.grid(axis="y", color=_GREY, alpha=0.3, linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("epoch")
        if len(names) > 1:
            figure.legend(frameon=False, loc="outside upper left", ncols=len(names))
        else:
            axes.set_ylabel(names[0])
        file = io.BytesIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    return _inline(ElementTree.fromstring(file.getvalue()), titles)


def _inline(svg: ElementTree.Element, titles: Mapping[str, Sequence[str]]) -> str:
    """A file's SVG as an element of a page, with a title for each point."""
    for parent in list(svg.iter()):
        for child in list(parent):
            if child.tag.endswith("}metadata"):  # who drew it, with addresses
                parent.remove(child)
    for element in svg.iter():
        # In HTML names need no namespace, and `href` replaces `xlink:href`.
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = {name.rpartition("}")[2]: v for name, v in element.attrib.items()}
    for group in svg.iter("g"):
        uses = [use for use in group.iter("use")]
        for use, title in zip(uses, titles.get(group.get("id", ""), ())):
            ElementTree.SubElement(use, "title").text = title
    _keep_referenced_names(svg)
    for attribute in ("width", "height", "version"):
        svg.attrib.pop(attribute, None)
    svg.set("role", "img")
    return ElementTree.tostring(svg, encoding="unicode")


def _keep_referenced_names(svg: ElementTree.Element) -> None:
    """Drops identifiers that nothing refers to: several drawings on a page would share them."""
    referenced = "".join(
        value for element in svg.iter() for name, value in element.attrib.items() if name != "id"
    )
    for element in svg.iter():
        name = element.get("id")
        if name is not None and f"#{name}" not in referenced:
            del element.attrib["id"]
