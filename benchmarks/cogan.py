"""Do the two images that a CoGAN makes of one latent show the same, and does sharing do it?

    python benchmarks/cogan.py                                     # run again, it goes on
    python benchmarks/cogan.py --tasks edges --own all --steps 500

For each task a CoGAN and its control, whose networks share nothing, are trained alike; everything
else is that of the task's preset. Of 10,000 latents:

- digits, `edges` and `negative` (Liu 2016, section 4): the first image is transformed as the second
  domain's training images were, and its pixels are compared with those of the second image
  (`metrics.pixel_agreement`);
- faces of 16x16 pixels without and with glasses: a classifier of the attributes, trained here on
  real faces, reads both images of a pair.

"shuffled" are the same images in pairs that do not belong together: what chance gives. Where the
control is at chance, the sharing is what makes pairs.

Each result is a line of the results' file; what is there is not run again.
"""

import argparse
import json
import time
from pathlib import Path

import keras
import numpy as np

from keras_gans import data, image, metrics, zoo
from keras_gans.data import domains
from keras_gans.data.sources.faces import pixel_art
from keras_gans.metrics.classifiers import training
from keras_gans.networks.dcgan import Backbone

PRESETS = {
    "edges": "cogan_digits_edges_28",
    "negative": "cogan_digits_edges_28",
    "glasses": "cogan_glasses_pixel_faces_16",
}
PAIRS = 10_000


def recipe(task, own, seed):
    """The recipe of a task's preset; where `own` is "all", nothing is shared."""
    config = json.loads(json.dumps(zoo.Recipe.read(PRESETS[task]).config))
    config["seed"] = config["data"]["seed"] = config["model"]["seed"] = seed
    if task == "negative":
        config["data"]["transform"] = task
    if own == "all":
        for network in config["networks"].values():
            steps = Backbone(network["image_shape"], depth=network["depth"]).filters
            network["own_layers"] = 1 + len(steps) + (network.get("last_kernel") is not None)
    return zoo.Recipe(config)


def train(task, own, seed, steps):
    made = recipe(task, own, seed)
    gan, examples = made.build_model(), made.load_data(0)
    steps = steps or made.config["epochs"] * data.steps_per_epoch(examples)
    started = time.perf_counter()
    gan.fit(examples, steps_per_epoch=steps, epochs=1, verbose=0)
    return gan, time.perf_counter() - started


def measure(task, gan, judge):
    """Agreement of pairs, and of the same images shuffled."""
    first, second = gan.generate(PAIRS, seed=0, batch_size=500).values()
    if task != "glasses":
        first = domains.TRANSFORMS[task](first).numpy()
        found = {"pixels": metrics.pixel_agreement(first, second)}
        return found, {"pixels": metrics.pixel_agreement(first, np.roll(second, 1, axis=0))}
    read = [judge(images) for images in (first, second)]
    shuffled = {name: np.roll(values, 1) for name, values in read[1].items()}
    return metrics.attribute_agreement(*read), metrics.attribute_agreement(read[0], shuffled)


def judge_of_faces(epochs=2):
    """A function from faces to the values of their attributes, and its accuracy on held-out ones.

    Glasses are what the domains differ in, and are read too.
    """
    known = pixel_art.LOOK.labels
    shapes = {
        "image_shape": (16, 16, 3),
        "attributes": {n: {v: [v] for v in known[n]} for n in known},
    }
    network = {"filters": [[24, 24], [48]], "features": 64, "dropout": 0.1}
    judge = training.build({**shapes, "network": network})
    logits = keras.Model(judge.input, dict(zip(known, judge.outputs[1:])))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    logits.compile("adam", {name: loss for name in known})
    faces = data.load("pixel_faces", attributes=list(known), batch_size=100)
    logits.fit(faces, epochs=epochs, verbose=0)

    def values(images):
        found = logits.predict(images, batch_size=500, verbose=0)
        return {name: scores.argmax(axis=1) for name, scores in found.items()}

    held_out = data.load("pixel_faces", split="test", attributes=list(known), batch_size=1000)
    images, labels = zip(*held_out.as_numpy_iterator())
    labels = {name: np.concatenate([part[name] for part in labels]) for name in known}
    return values, metrics.attribute_agreement(values(np.concatenate(images)), labels)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", nargs="+", choices=PRESETS, default=list(PRESETS))
    parser.add_argument("--own", nargs="+", choices=("preset", "all"), default=["preset", "all"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--steps", type=int, help="else as many as the task's preset")
    parser.add_argument("--trained", action="store_true", help="measure the presets as they are")
    parser.add_argument("--results", type=Path, default=Path("cogan.jsonl"))
    options = parser.parse_args()
    judge, accuracy = judge_of_faces() if "glasses" in options.tasks else (None, {})
    if judge is not None:
        print("judge, on held-out faces:", rounded(accuracy), flush=True)
    lines = options.results.read_text().splitlines() if options.results.exists() else []
    done = {tuple(json.loads(line)["run"]) for line in lines}
    for task in options.tasks:
        for own in ["preset"] if options.trained else options.own:
            for seed in options.seeds:
                run = (task, own, seed, "trained" if options.trained else options.steps)
                if run in done:
                    continue
                if options.trained:
                    gan, seconds = zoo.open_gan(PRESETS[task]), 0.0
                else:
                    gan, seconds = train(task, own, seed, options.steps)
                found, shuffled = measure(task, gan, judge)
                result = {"run": run, "seconds": round(seconds), "pairs": rounded(found)}
                result |= {"shuffled": rounded(shuffled)}
                with options.results.open("a") as file:
                    file.write(json.dumps(result) + "\n")
                shown = list(gan.generate(32, seed=0).values())
                picture = options.results.with_name(f"cogan_{'_'.join(map(str, run))}.png")
                image.save(image.side_by_side(shown), picture, columns=8)
    for line in options.results.read_text().splitlines():
        print(line)


def rounded(shares):
    return {name: round(share, 3) for name, share in shares.items()}


if __name__ == "__main__":
    main()
