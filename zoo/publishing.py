"""From a finished run to a preset: `python -m keras_gans.zoo.publishing RUN PRESET`."""

import json
import sys
from pathlib import Path

import numpy as np

from keras_gans import image
from keras_gans.files import atomic, halve, sha256
from keras_gans.zoo import presets
from keras_gans.zoo.loading import restore
from keras_gans.zoo.recipe import Recipe
from keras_gans.zoo.report import RESULTS


def publish(run, preset, numbers=None):
    """Puts the generator of a finished run into a preset's folder.

    The weights are those of the run's best checkpoint if its recipe has an `evaluation`, and else
    of its newest. Writes `generator.weights.h5` (float16), `samples.png` and `metrics.json` with
    the SHA-256 of every file, the card's and the recipe's included: write those first, and publish
    again after changing them.

    Args:
        run: folder of a run that has trained all of its recipe's epochs.
        preset: folder of the preset, with its `recipe.json` and `README.md`.
        numbers: protocol names to measured values, for `metrics.json`; `None` takes those that
            `keras-gans evaluate RUN` found, or keeps those there.

    Returns:
        The largest difference, over the picture's images in [-1, 1], that float16 weights make.

    Raises:
        ValueError: if the run was made by another recipe, or is not finished.
    """
    run, preset = Path(run), Path(preset)
    recipe = Recipe.read(preset / "recipe.json")
    config = json.loads((run / "config.json").read_text())
    recipe.require_same(config, run / "config.json")
    gan = restore(run, best=recipe.config["evaluation"] is not None)
    finished = int(gan.generator_optimizer.iterations)
    if config["epochs"] != recipe.config["epochs"]:
        raise ValueError(
            "The run trained for another number of epochs than the recipe says. Expected "
            f"{recipe.config['epochs']}. Received: {config['epochs']}, {finished} steps"
        )
    generator = gan.inference_generator
    pairs = recipe.sample_pairs()

    def samples():
        if pairs is None:
            return [gan.generate(recipe.config["samples"], seed=0)]
        return gan.compare(*pairs)

    full = samples()
    with atomic(preset / presets.WEIGHTS) as partial:
        generator.save_weights(partial)
        halve(partial)
    generator.load_weights(preset / presets.WEIGHTS)
    half = samples()
    columns = None if pairs is None else len(half)
    image.save(image.side_by_side(half), preset / "samples.png", columns=columns)

    old = preset / "metrics.json"
    if numbers is None and (run / RESULTS).exists():
        numbers = numbers_of(json.loads((run / RESULTS).read_text()))
    if numbers is None:
        numbers = json.loads(old.read_text())["numbers"] if old.exists() else {}
    files = sorted(p.name for p in preset.iterdir() if p.name != "metrics.json")
    metrics = {
        "numbers": numbers,
        "sha256": {file: sha256(preset / file) for file in files},
    }
    with atomic(old) as partial:
        partial.write_text(json.dumps(metrics, indent=2) + "\n")
    return max(float(np.abs(a - b).max()) for a, b in zip(full, half))


def numbers_of(results):
    """Of an `evaluation.json`, each protocol's value and what other real images measure."""
    return {
        name: {"value": found["value"], "floor": results["floor"].get(name, {}).get("value")}
        for name, found in results["measured"].items()
    }


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("Usage: python -m keras_gans.zoo.publishing RUN PRESET_FOLDER")
    print(f"Largest difference that float16 makes: {publish(*sys.argv[1:]):.5f}")
