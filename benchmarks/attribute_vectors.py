"""Attribute vectors in the codes of an encoder, read by the judge of faces (Larsen 2016).

    python benchmarks/attribute_vectors.py vae_gan_avatars_64 --picture vectors.png

The vector of a value, such as red hair, is the mean code of the training faces that have it minus
that of all others. It is added to the codes of held-out faces that lack the value. What the
classifier reads of the copy is compared with what it reads of the copy of the code as it was: how
many have the value afterwards, and how many of the other attributes are kept. Beside it stands a
vector of the same length in a random direction. The table of docs/models/vae_gan.md is from here.
"""

import argparse

import numpy as np

from keras_gans import data, image, zoo
from keras_gans.metrics.attribute_evaluation import AttributeEvaluation

VALUES = [
    ("glasses", "sunglasses"),
    ("hair", "red"),
    ("hair", "black"),
    ("mouth", "open"),
    ("beard", "beard"),
    ("skin", "brown"),
    ("long_hair", "yes"),
]


def faces(split, number, size):
    """Images of a split, and the numbers of their values."""
    loaded = data.load(
        "avatars",
        split=split,
        image_size=size,
        batch_size=250,
        shuffle=False,
        attributes=True,
        num_examples=number,
    )
    batches = list(loaded.as_numpy_iterator())
    images = np.concatenate([batch[0] for batch in batches])
    return images, {name: np.concatenate([b[1][name] for b in batches]) for name in batches[0][1]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", help="preset, or folder of a run, with an encoder")
    parser.add_argument("--train", type=int, default=10000, help="faces to take the means of")
    parser.add_argument("--held-out", type=int, default=400, help="faces to edit")
    parser.add_argument("--values", nargs="*", help="as attribute=value")
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--picture", help="file for some of the faces")
    options = parser.parse_args()
    gan = zoo.open_gan(options.source)
    size = gan.generator.output_shape[1]
    judge = AttributeEvaluation("avatars", num_images=options.held_out)
    images, known = faces("train", options.train, size)
    codes = gan.encode(images)
    held_out, truth = faces("test", options.held_out, size)
    plain = gan.encode(held_out)
    wanted = [tuple(v.split("=")) for v in options.values] if options.values else VALUES
    shown, random = [held_out[:8], gan.generate(latents=plain[:8])], np.random.default_rng(0)
    print("| value | faces | has it | others kept | at random: has it | others kept |")
    for attribute, value in wanted:
        number = judge.look.labels[attribute].index(value)
        has = known[attribute] == number
        vector = codes[has].mean(axis=0) - codes[~has].mean(axis=0)
        other = random.normal(size=vector.shape)
        other *= np.linalg.norm(vector) / np.linalg.norm(other)
        rows = np.flatnonzero(truth[attribute] != number)
        before = gan.generate(latents=plain[rows])
        cells = []
        for shift in (vector, other):
            after = gan.generate(latents=(plain[rows] + options.strength * shift).astype("float32"))
            edits = judge.edited(before, after, attribute, value)
            cells += [f"{edits.changed:.2f}", f"{edits.kept_mean:.2f}"]
            if shift is vector:
                shown.append(after[:8])
        print(f"| {attribute}={value} | {len(rows)} | {' | '.join(cells)} |", flush=True)
    if options.picture:
        image.save(np.concatenate([row[:8] for row in shown]), options.picture, columns=8)


if __name__ == "__main__":
    main()
