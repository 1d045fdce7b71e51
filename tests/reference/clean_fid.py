"""Numbers of clean-fid, which our distances and our resize are compared with.

It needs PyTorch, so this runs in an environment of its own, by hand:

    python3.11 -m venv clean
    clean/bin/pip install "clean-fid==0.1.35" "scipy<1.18"
    clean/bin/python tests/reference/clean_fid.py

It writes `clean_fid.json` beside itself: distances between the features of `torch_fidelity.py`, of
resized images every 23rd pixel and two sums over all, and the versions that made them. The tests
read that file. The legacy resize is inside a network that clean-fid downloads, and not compared.
"""

import json
import pathlib
import sys

import numpy as np

IMAGES = {
    # name: seed, height, width
    "small": (0, 32, 32),
    "landscape": (1, 375, 500),
}
STEP = 23


def picture(seed, height, width):
    """Noise whose contrast grows from left to right, `uint8`: sharp edges overshoot."""
    rng = np.random.RandomState(seed)
    contrast = np.linspace(0.0, 200.0, width)[:, None]
    return np.clip(127.5 + contrast * rng.standard_normal((height, width, 3)), 0, 255).astype("u1")


def main():
    import importlib.metadata

    import torch_fidelity as features  # the script beside this one, which comes first in the path
    from cleanfid import fid
    from cleanfid.resize import build_resizer

    distances = {}
    for name, arguments in features.CASES.items():
        real, generated, _ = features.arrays(*arguments)
        fits = [(x.mean(axis=0), np.cov(x, rowvar=False)) for x in (generated, real)]
        size = min(len(real), len(generated))
        np.random.seed(0)  # of the order of the examples, which is all that is left to chance
        whole = fid.kernel_distance(real[:size], generated[:size], 1, size)
        distances[name] = {
            "frechet": float(fid.frechet_distance(*fits[0], *fits[1])),
            "kernel_of_the_first": [size, whole],
        }
    resized = {}
    for name, arguments in IMAGES.items():
        made = build_resizer("clean")(picture(*arguments)).astype("float64")
        resized[name] = {
            "sum": made.sum(),
            "sum_of_squares": np.square(made).sum(),
            "pixels": made[::STEP, ::STEP].round(4).tolist(),
        }
    packages = ("clean-fid", "torch", "numpy", "scipy", "pillow")
    versions = {name: importlib.metadata.version(name) for name in packages}
    versions["python"] = sys.version.split()[0]
    path = pathlib.Path(__file__).with_suffix(".json")
    content = {"distances": distances, "resized": resized, "versions": versions}
    path.write_text(json.dumps(content) + "\n")
    print(f"{path.name}: {path.stat().st_size} bytes, {versions}")


if __name__ == "__main__":
    main()
