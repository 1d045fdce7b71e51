"""Draws `paths.png` by the code of docs/game.md, and prints the page's tables."""

from pathlib import Path

import keras
import matplotlib
import numpy as np

import keras_gans

matplotlib.use("Agg")
from matplotlib import pyplot

HERE = Path(__file__).parent
SHOWN = {
    "simultaneous": 60,
    "alternating": 200,
    "extragradient": 400,
    "optimistic": 400,
    "alternating, momentum -0.5": 800,
    "simultaneous, momentum -0.5": 800,
}


def code_of_the_page():
    """The names that the first two examples of the page define."""
    parts = (HERE.parent / "game.md").read_text().split("```python\n")[1:3]
    scope = {}
    for part in parts:
        exec(part.split("```")[0], scope)
    return scope


def draw(paths):
    figure, axes = pyplot.subplots(2, 4, figsize=(13, 6.6), layout="constrained")
    places = [axis for row in axes for axis in row[:3]]
    for axis, (name, steps) in zip(places, SHOWN.items()):
        x, y = paths[name][: steps + 1].T
        axis.plot(x, y, linewidth=0.8)
        axis.plot(x[0], y[0], "o", color="black", markersize=4)
        axis.plot(0, 0, "+", color="red", markersize=9)
        axis.set(title=f"{name}\n{steps} steps", aspect="equal", xlim=(-2, 2), ylim=(-2, 2))
        axis.title.set_fontsize(10)
    of_points, of_averages = axes[0][3], axes[1][3]
    for name, path in paths.items():
        if name != "alternating, momentum 0.5":
            count = np.arange(1, len(path) + 1)[:, None]
            of_points.semilogy(np.linalg.norm(path, axis=1), label=name, linewidth=0.9)
            means = np.linalg.norm(np.cumsum(path, axis=0) / count, axis=1)
            of_averages.semilogy(means, linewidth=0.9)
    of_points.set(title="distance from the solution", xlabel="steps")
    of_averages.set(title="distance of the average", xlabel="steps")
    figure.legend(*of_points.get_legend_handles_labels(), loc="outside lower center", ncols=6)
    figure.savefig(HERE / "paths.png", dpi=75)


def main():
    scope = code_of_the_page()
    draw(scope["paths"])
    for name in scope["rules"]:
        print(f"| {name} | {scope['norms'][name]:.4g} | {scope['averages'][name]:.4g} |")
    for kind in (keras.optimizers.Adam, keras_gans.optimizers.OptimisticAdam):
        found = [
            f"{scope['play_by'](kind, steps, beta_1=beta_1):.4f}"
            for beta_1 in (0.0, 0.5, 0.9)
            for steps in (100, 300)
        ]
        print(f"| {kind.__name__} | {' | '.join(found)} |", flush=True)


if __name__ == "__main__":
    main()
