"""One page a run, in one file: what was trained, how it went, what came out."""

import base64
import html
import io
import json
from pathlib import Path

from keras_gans import models
from keras_gans.callbacks.metrics_log import read_metrics, totals
from keras_gans.files import atomic
from keras_gans.zoo.catalog import cards

RESULTS, NEIGHBORS, HEALTH = "evaluation.json", "neighbors.png", "health.jsonl"

# Grids that show the way from noise to the last epoch.
_GRIDS = 6
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
h1, h2 {{ overflow-wrap: anywhere }}
figure.wide {{ display: block; margin-right: 0 }}
figure.wide img {{ width: 100% }}
svg {{ width: 100%; height: auto }}
table {{ display: block; overflow-x: auto }}
td, th {{ padding: 0.1rem 1rem 0.1rem 0; text-align: left; vertical-align: top }}
tr.changed td {{ font-weight: 600 }}
table.numbers td + td, table.numbers th + th {{ text-align: right }}
@media (prefers-color-scheme: dark) {{
  body {{ background: #181a1c; color: #ddd }}
  figcaption, .note {{ color: #aaa }}
}}
</style>
<h1>{title}</h1>
<p>{description}</p>
<p>{summary}</p>
<h2>Samples</h2>
{legend}{samples}
{measured}
<h2>Losses</h2>
{curves}
<h2>Health</h2>
{health}
<h2>Configuration</h2>
<p class="note">In bold what differs from its default.</p>
<table><tr><th>field</th><th>value</th><th>default</th></tr>
{rows}
</table>
</html>
"""


def columns(measured, reference, degradations):
    """Heads of the columns of a table to what stands below; those that are empty are left out."""
    found = {"measured": measured, "other real images": reference, **degradations}
    return {head: values for head, values in found.items() if values}


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
    steps, seconds = totals(metrics)
    summary = (
        f"{len(metrics)} epochs, {steps:.0f} steps, {seconds / 60:.1f} minutes of training."
        if metrics
        else "No epoch has finished yet."
    )
    grids = sorted((folder / "samples").glob("epoch_*.png"))
    chosen = {round(i * (len(grids) - 1) / (_GRIDS - 1)) for i in range(_GRIDS)} if grids else ()
    shown = {f"epoch {int(grids[i].stem[6:])}": grids[i] for i in sorted(chosen)}
    if (animation := folder / "samples" / "training.gif").exists():
        shown["the training, from the same latents"] = animation
    page = _PAGE.format(
        title=html.escape(folder.resolve().name),
        description=html.escape(recipe.config["description"]),
        summary=summary,
        legend=_legend(recipe),
        samples="\n".join(_figure(path, caption) for caption, path in shown.items()),
        measured=_measured(folder, metrics),
        curves=_curves(metrics, _losses(metrics)),
        health=_health(folder / HEALTH),
        rows="\n".join(_row(*row) for row in recipe.rows()),
    )
    with atomic(folder / "report.html") as partial:
        partial.write_text(page, encoding="utf-8")
    return folder / "report.html"


def _legend(recipe):
    """What the columns of the samples are, where they are more than samples."""
    names = getattr(getattr(models, recipe.config["model"]["type"]), "compared", ())
    return f'<p class="note">Columns: {", ".join(names)}.</p>\n' if names else ""


def _row(field, value, default):
    # A field without a default is always one's own choice.
    changed = ' class="changed"' if default is ... or value != default else ""
    shown = "" if default is ... else html.escape(str(default))
    return f"<tr{changed}><td>{field}</td><td>{html.escape(str(value))}</td><td>{shown}</td></tr>"


def _figure(path, caption, style=""):
    kind = "gif" if path.suffix == ".gif" else "png"
    content = base64.b64encode(path.read_bytes()).decode()
    return (
        f'<figure class="{style}"><img alt="{caption}" src="data:image/{kind};base64,{content}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _losses(metrics):
    return [n for n in (metrics[0] if metrics else {}) if n.endswith(("loss", "penalty"))]


def _measured(folder, metrics):
    """What was measured while it trained, and at the end beside the reference values."""
    named = [name for line in metrics for name in line if name.startswith(("frechet", "fid"))]
    parts = []
    if named:
        lines = [line for line in metrics if named[0] in line]
        parts.append(f"<h2>{html.escape(named[0])}</h2>{_curves(lines, named[:1])}")
    path = folder / RESULTS
    if path.exists():
        results = cards.renamed(json.loads(path.read_text()))
        table = columns(results["measured"], results["reference"], results["degradations"])
        rows = "".join(
            f"<tr><td>{html.escape(name)}</td>"
            + "".join(_number(found.get(name)) for found in table.values())
            + "</tr>"
            for name in results["measured"]
        )
        heads = "".join(f"<th>{html.escape(head)}</th>" for head in table)
        parts.append(
            f'<h2>Measured after epoch {results["epoch"]}</h2><p class="note">The columns after '
            "the first are real images: others of them, and what becomes of a number when "
            "something is done to them.</p>"
            f'<table class="numbers"><tr><th>protocol</th>{heads}</tr>{rows}</table>'
        )
        if (folder / NEIGHBORS).exists():
            parts.append("<h2>Nearest training images</h2>")
            told = (
                f"Generated images; below each the training image that is nearest by its pixels, "
                f"and that nearest by features. Median difference from the nearest: "
                f"{results['nearest']:.3f} of a range of 2."
            )
            if score := results["memorization"]:
                told += (
                    f" {score['share']:.0%} of the samples are nearer to a training image than to "
                    f"any of {score['number']} images that were not trained on (half: no copies)."
                )
            parts.append(_figure(folder / NEIGHBORS, told, "wide"))
    return "\n".join(parts)


def _number(found):
    if found is None:
        return "<td>-</td>"
    interval = ""
    if found["low"] is not None:
        interval = f' title="{found["low"]:.4g} to {found["high"]:.4g}"'
    return f"<td{interval}>{found['value']:.4g}</td>"


def _health(path):
    if not path.exists():
        return '<p class="note">This run was not watched.</p>'
    lines = path.read_text().splitlines()
    if not lines:
        return '<p class="note">Nothing was noticed.</p>'
    told = [json.loads(line) for line in lines]
    items = "".join(f"<li>Epoch {m['epoch']}: {html.escape(m['text'])}</li>" for m in told)
    return f"<ul>{items}</ul>"


def _curves(metrics, names):
    """Values over the epochs as an SVG; every one can be read off a tooltip."""
    values = [line[name] for line in metrics for name in names]
    if len(metrics) < 2 or not values:
        return '<p class="note">Curves appear from the second value on.</p>'
    first, last = metrics[0]["epoch"], metrics[-1]["epoch"]
    low, high = min(0.0, *values), max(values)
    span = (high - low) or 1.0
    width, height, left, bottom = 800, 300, 50, 30

    def point(epoch, value):
        x = left + (epoch - first) / (last - first) * (width - left - 10)
        y = 10 + (high - value) / span * (height - bottom - 10)
        return x, y

    svg = io.StringIO()
    svg.write(f'<svg viewBox="0 0 {width} {height}" font-size="12" fill="#666" role="img">')
    for tick in range(5):
        value = low + span * tick / 4
        y = point(first, value)[1]
        svg.write(f'<line x1="{left}" x2="{width - 10}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        svg.write(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{value:.2f}</text>')
    svg.write(f'<text x="{left}" y="{height - 8}">epoch {first}</text>')
    svg.write(f'<text x="{width - 10}" y="{height - 8}" text-anchor="end">{last}</text>')
    for number, name in enumerate(names):
        color = _COLORS[number % len(_COLORS)]
        points = [point(line["epoch"], line[name]) for line in metrics]
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
