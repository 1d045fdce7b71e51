"""One page a run, in one file: what was trained, how it went, what came out."""

import base64
import html
import io
from pathlib import Path

from keras_gans.callbacks.metrics_log import read_metrics
from keras_gans.files import atomic

_COLORS = ("#3b6fb6", "#c8553d", "#4a8f5a", "#8a5fa8", "#b58a2b")
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #222 }}
figure {{ display: inline-block; margin: 0 1rem 1rem 0; vertical-align: top }}
img {{ image-rendering: pixelated; max-width: 100%; min-width: 18rem }}
figcaption, .note {{ color: #666; font-size: 0.9rem }}
svg {{ width: 100%; height: auto }}
td, th {{ padding: 0.1rem 1rem 0.1rem 0; text-align: left; vertical-align: top }}
tr.changed td {{ font-weight: 600 }}
</style>
<h1>{title}</h1>
<p>{description}</p>
<p>{summary}</p>
<h2>Samples</h2>
{samples}
<h2>Losses</h2>
{curves}
<h2>Configuration</h2>
<p class="note">In bold what differs from its default.</p>
<table><tr><th>field</th><th>value</th><th>default</th></tr>
{rows}
</table>
</html>
"""


def write_report(folder, recipe):
    """Writes `report.html` from what a run's folder holds.

    Args:
        folder: of the run.
        recipe: its `Recipe`.

    Returns:
        The `pathlib.Path` of the page.
    """
    folder = Path(folder)
    metrics = read_metrics(folder / "metrics.jsonl")
    seconds = sum(line["seconds"] for line in metrics)
    steps = sum(line["seconds"] * line["steps_per_second"] for line in metrics)
    summary = (
        f"{len(metrics)} epochs, {steps:.0f} steps, {seconds / 60:.1f} minutes of training."
        if metrics
        else "No epoch has finished yet."
    )
    grids = sorted((folder / "samples").glob("epoch_*.png"))
    shown = {f"epoch {int(path.stem[6:])}": path for path in (grids[:1] + grids[-1:])}
    if (animation := folder / "samples" / "training.gif").exists():
        shown["the training, from the same latents"] = animation
    page = _PAGE.format(
        title=html.escape(folder.resolve().name),
        description=html.escape(recipe.config["description"]),
        summary=summary,
        samples="\n".join(_figure(path, caption) for caption, path in shown.items()),
        curves=_curves(metrics),
        rows="\n".join(_row(*row) for row in recipe.rows()),
    )
    with atomic(folder / "report.html") as partial:
        partial.write_text(page, encoding="utf-8")
    return folder / "report.html"


def _row(field, value, default):
    # A field without a default is always one's own choice.
    changed = ' class="changed"' if default is ... or value != default else ""
    shown = "" if default is ... else html.escape(str(default))
    return f"<tr{changed}><td>{field}</td><td>{html.escape(str(value))}</td><td>{shown}</td></tr>"


def _figure(path, caption):
    kind = "gif" if path.suffix == ".gif" else "png"
    content = base64.b64encode(path.read_bytes()).decode()
    return (
        f'<figure><img alt="{caption}" src="data:image/{kind};base64,{content}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _curves(metrics):
    """The losses over the epochs as an SVG; every value can be read off a tooltip."""
    names = [n for n in (metrics[0] if metrics else {}) if n.endswith(("loss", "penalty"))]
    values = [line[name] for line in metrics for name in names]
    if len(metrics) < 2 or not values:
        return '<p class="note">Curves appear from the second epoch on.</p>'
    low, high = min(0.0, *values), max(values)
    span = (high - low) or 1.0
    width, height, left, bottom = 800, 300, 50, 30

    def point(epoch, value):
        x = left + (epoch - 1) / (len(metrics) - 1) * (width - left - 10)
        y = 10 + (high - value) / span * (height - bottom - 10)
        return x, y

    svg = io.StringIO()
    svg.write(f'<svg viewBox="0 0 {width} {height}" font-size="12" fill="#666" role="img">')
    for tick in range(5):
        value = low + span * tick / 4
        y = point(1, value)[1]
        svg.write(f'<line x1="{left}" x2="{width - 10}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        svg.write(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{value:.2f}</text>')
    svg.write(f'<text x="{left}" y="{height - 8}">epoch 1</text>')
    svg.write(f'<text x="{width - 10}" y="{height - 8}" text-anchor="end">{len(metrics)}</text>')
    for number, name in enumerate(names):
        color = _COLORS[number % len(_COLORS)]
        points = [point(i + 1, line[name]) for i, line in enumerate(metrics)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        svg.write(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        for (x, y), line in zip(points, metrics):
            title = f"{name} {line[name]:.4f}, epoch {line['epoch']}"
            svg.write(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{color}" fill-opacity="0">'
                f"<title>{title}</title></circle>"
            )
        x = left + 120 + 200 * number
        svg.write(f'<text x="{x}" y="{height - 8}" fill="{color}">{name}</text>')
    svg.write("</svg>")
    return svg.getvalue()
