"""Which GAN for how many minutes: what runs measured while they trained, in one picture.

    keras-gans train dcgan_fashion_mnist_28  # and the others
    python benchmarks/curves.py runs/*_fashion_mnist_28 --out docs/fashion_mnist.svg

Each run's recipe has an `evaluation`, whose values are in its `metrics.jsonl`. Minutes are of
training; those of the measuring itself are taken off, as the difference to the epochs without.
Also prints the table of docs/choosing.md: the checkpoint that `checkpoints/best.json` names.
"""

import argparse
import json
import statistics
from pathlib import Path

import matplotlib

from keras_gans.callbacks.metrics_log import read_metrics
from keras_gans.zoo.cards import metric_of

matplotlib.use("Agg")
from matplotlib import pyplot

SHOWN = {"frechet": "Frechet distance", "recall": "recall", "precision": "precision"}
COLUMNS = ("frechet", "precision", "recall", "coverage", "sure", "asked")


def read(run):
    """Minutes and values of the measured epochs, and what `evaluation.json` says."""
    lines = read_metrics(run / "metrics.jsonl")
    plain = [x["seconds"] for x in lines if not any(metric_of(n) == "frechet" for n in x)]
    usual, minutes, points = statistics.median(plain), 0.0, []
    for line in lines:
        found = {metric_of(name): value for name, value in line.items()}
        minutes += (usual if "frechet" in found else line["seconds"]) / 60
        if "frechet" in found:
            points.append({"minutes": minutes, **found})
    last = json.loads((run / "evaluation.json").read_text())
    steps = sum(x["seconds"] * x["steps_per_second"] for x in lines)
    return points, last, round(steps)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=Path("curves.svg"))
    arguments = parser.parse_args()
    figure, axes = pyplot.subplots(1, len(SHOWN), figsize=(13, 4), layout="constrained")
    print("| recipe | steps | minutes |", " | ".join(COLUMNS), "|")
    print("|" + "---|" * (3 + len(COLUMNS)))
    floor = {}
    for run in arguments.runs:
        points, last, steps = read(run)
        for axis, metric in zip(axes, SHOWN):
            x = [p["minutes"] for p in points]
            axis.plot(x, [p[metric] for p in points], marker="o", markersize=3, label=run.name)
        best = min(points, key=lambda p: p["frechet"])
        values = [f"{best[c]:.3g}" if c in best else "" for c in COLUMNS]
        row = (f"`{run.name}`", f"{steps:,}", f"{points[-1]['minutes']:.0f}", *values)
        print(f"| {' | '.join(row)} |")
        floor = {metric_of(name): found["value"] for name, found in last["floor"].items()}
    row = (
        "*other real images*",
        "",
        "",
        *(f"{floor[c]:.3g}" if c in floor else "" for c in COLUMNS),
    )
    print(f"| {' | '.join(row)} |")
    for axis, (metric, title) in zip(axes, SHOWN.items()):
        axis.axhline(floor[metric], color="grey", linestyle=":", label="other real images")
        axis.set(title=title, xlabel="minutes of training")
        axis.grid(alpha=0.3)
    axes[0].set_yscale("log")
    axes[0].legend(fontsize=7)
    figure.savefig(arguments.out, metadata={"Date": None})
    print(f"Written to {arguments.out}")


if __name__ == "__main__":
    main()
