"""One page a run, in one file: what was trained, how it went, what came out."""

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from keras_gans import models
from keras_gans.callbacks.metrics_log import read_metrics, totals
from keras_gans.files import atomic
from keras_gans.zoo.catalog import cards
from keras_gans.zoo.runs.curves import curves
from keras_gans.zoo.runs.recipe import Recipe

RESULTS, NEIGHBORS, HEALTH = "evaluation.json", "neighbors.png", "health.jsonl"

# Grids that show the training from noise to the last epoch.
_GRIDS = 6


def columns(
    measured: Mapping[str, Any], reference: Mapping[str, Any], degradations: Mapping[str, Any]
) -> dict[str, Mapping[str, Any]]:
    """Heads of the columns of a table to what stands below; those that are empty are left out."""
    found = {"measured": measured, cards.reference_head(reference): reference, **degradations}
    return {head: values for head, values in found.items() if values}


def write_report(folder: Path | str, recipe: Recipe) -> Path:
    """Writes `report.html` from what a run's folder holds.

    Args:
        folder: of the run.
        recipe: its `Recipe`.

    Returns:
        The `pathlib.Path` of the page.
    """
    import jinja2  # here: only a report needs it

    folder = Path(folder)
    metrics = read_metrics(folder / "metrics.jsonl")
    steps, seconds = totals(metrics)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    takes_images = recipe.translates
    page = environment.get_template("report.html.jinja").render(
        title=folder.resolve().name,
        description=recipe.config["description"],
        epochs=len(metrics),
        steps=steps,
        minutes=seconds / 60,
        columns=getattr(models, recipe.config["model"]["type"]).compared if takes_images else (),
        samples={caption: _picture(path) for caption, path in _samples(folder).items()},
        loss_curves=_curves(metrics, _losses(metrics)),
        health=_health(folder / HEALTH),
        rows=[_row(*row) for row in recipe.rows()],
        **_measured(folder, metrics),
    )
    with atomic(folder / "report.html") as partial:
        partial.write_text(page, encoding="utf-8")
    return folder / "report.html"


def _samples(folder: Path) -> dict[str, Path]:
    """Captions to some of the grids, from the first to the last, and to the animation."""
    grids = sorted((folder / "samples").glob("epoch_*.png"))
    chosen = {round(i * (len(grids) - 1) / (_GRIDS - 1)) for i in range(_GRIDS)} if grids else ()
    shown = {f"epoch {int(grids[i].stem[6:])}": grids[i] for i in sorted(chosen)}
    if (animation := folder / "samples" / "training.gif").exists():
        shown["the training, from the same latents"] = animation
    return shown


def _picture(path: Path) -> str:
    """A picture as an address that holds its content."""
    content = base64.b64encode(path.read_bytes()).decode()
    return f"data:image/{path.suffix.removeprefix('.')};base64,{content}"


def _row(field: str, value: Any, default: Any) -> tuple[str, Any, Any, bool]:
    # A field without a default is always chosen.
    return field, value, "" if default is ... else default, default is ... or value != default


def _losses(metrics: Sequence[Mapping[str, float]]) -> list[str]:
    return [n for n in (metrics[0] if metrics else {}) if n.endswith(("loss", "penalty"))]


def _measured(folder: Path, metrics: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """What was measured during the training, and after it beside real images."""
    named = [name for line in metrics for name in line if name.startswith(("frechet", "fid"))]
    watched = named[0] if named else None
    found: dict[str, Any] = {"watched": watched, "measured_curve": None}
    if watched:
        lines = [line for line in metrics if watched in line]
        found["measured_curve"] = _curves(lines, [watched])
    found |= {"results": None, "table": {}, "neighbors": None}
    if (path := folder / RESULTS).exists():
        results = cards.renamed(json.loads(path.read_text()))
        found["results"] = results
        found["table"] = columns(results["measured"], results["reference"], results["degradations"])
        if (picture := folder / NEIGHBORS).exists():
            found["neighbors"] = _picture(picture)
    return found


def _health(path: Path) -> list[dict[str, Any]] | None:
    """The messages of the health check; `None` for a run without one."""
    if not path.exists():
        return None
    return [json.loads(line) for line in path.read_text().splitlines()]


def _curves(metrics: Sequence[Mapping[str, float]], names: Sequence[str]) -> Any:
    """Values over the epochs as SVG; `None` for fewer than two values."""
    from markupsafe import Markup

    if len(metrics) < 2 or not names:
        return None
    return Markup(curves(metrics, names))  # of matplotlib and ElementTree, which escape
