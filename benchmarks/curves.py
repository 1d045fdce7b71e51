"""Which GAN for how many minutes: what runs measured while they trained, in one picture.

    keras-gans train dcgan_fashion_mnist_28  # and the others
    python benchmarks/curves.py runs/*_fashion_mnist_28 --out docs/fashion_mnist.svg

Each run's recipe has an `evaluation`, whose values are in its `metrics.jsonl`. Minutes are of one
processor core: steps, times the processor time of a step, which is measured here with one thread,
so that what else the machine did while it trained does not count. Also prints a table of what
they measured at the end, as their `evaluation.json` has it: no epoch is chosen.
"""

import argparse
import json
import time
from pathlib import Path

import matplotlib
import numpy as np
import tensorflow as tf

from keras_gans import zoo
from keras_gans.callbacks.metrics_log import read_metrics
from keras_gans.zoo.catalog.cards import CALLED, metric_of, renamed

matplotlib.use("Agg")
from matplotlib import pyplot

SHOWN = {"frechet": "Frechet distance", "recall": "recall", "precision": "precision"}
COLUMNS = ("frechet", "precision", "recall", "coverage", "sure", "asked")


def seconds_of_a_step(recipe, steps=10):
    """Processor time of a step, on noise."""
    gan = recipe.build_model()
    dataset = recipe.load_data(first_epoch=0)
    spec = dataset.element_spec
    batch = [np.zeros(s.shape, s.dtype.as_numpy_dtype) for s in tf.nest.flatten(spec)]
    for _ in range(2):
        gan.train_on_batch(*batch)
    started = time.process_time()
    for _ in range(steps):
        gan.train_on_batch(*batch)
    return (time.process_time() - started) / steps


def read(run):
    """Returns minutes and values of each measured epoch, the reference values, and the steps."""
    recipe = zoo.Recipe(json.loads((run / "config.json").read_text()), run.name)
    seconds, steps, points = seconds_of_a_step(recipe), 0.0, []
    for line in read_metrics(run / "metrics.jsonl"):
        values = {metric_of(name): value for name, value in line.items()}
        steps += line["seconds"] * line["steps_per_second"]
        if "frechet" in values:
            points.append({"minutes": steps * seconds / 60, **values})
    found = renamed(json.loads((run / "evaluation.json").read_text()))
    last, reference = (
        {metric_of(name): one["value"] for name, one in found[part].items()}
        for part in ("measured", "reference")
    )
    if "frechet" not in values:  # at the end, it was measured after the last line
        points.append({"minutes": steps * seconds / 60, **last})
    return points, reference, round(steps)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=Path("curves.svg"))
    arguments = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    figure, axes = pyplot.subplots(1, len(SHOWN), figsize=(13, 4), layout="constrained")
    print("| recipe | steps | minutes |", " | ".join(CALLED[c] for c in COLUMNS), "|")
    print("|" + "---|" * (3 + len(COLUMNS)))
    for run in arguments.runs:
        points, reference, steps = read(run)
        for axis, metric in zip(axes, SHOWN):
            x = [p["minutes"] for p in points]
            axis.plot(x, [p[metric] for p in points], marker="o", markersize=3, label=run.name)
        values = [f"{points[-1][c]:.3g}" if c in points[-1] else "" for c in COLUMNS]
        row = (f"`{run.name}`", f"{steps:,}", f"{points[-1]['minutes']:.0f}", *values)
        print(f"| {' | '.join(row)} |")
    row = (
        "*other real images*",
        "",
        "",
        *(f"{reference[c]:.3g}" if c in reference else "" for c in COLUMNS),
    )
    print(f"| {' | '.join(row)} |")
    for axis, (metric, title) in zip(axes, SHOWN.items()):
        axis.axhline(reference[metric], color="grey", linestyle=":", label="other real images")
        axis.set(title=title, xlabel="minutes of one core")
        axis.grid(alpha=0.3)
    axes[0].set_yscale("log")
    axes[0].legend(fontsize=7)
    figure.savefig(arguments.out, metadata={"Date": None})
    print(f"Written to {arguments.out}")


if __name__ == "__main__":
    main()
