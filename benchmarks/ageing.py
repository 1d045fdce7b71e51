"""The paper's comparison of Antipov 2017 (table 2), where the truth is known.

    python benchmarks/ageing.py age_cgan_avatars_64 --people 48 --picture aged.png

Drawn people of the split `test` are made as old as each other age by `keras_gans.zoo.age`, with
each of its methods, and compared with the drawing of the same person at that age. The first three
rows are what any method lies between: the drawing itself, the picture as it was, and another person
of the right age. The table of docs/models/age_cgan.md is from here.
"""

import argparse
import itertools

import numpy as np

from keras_gans import image, zoo
from keras_gans.data.sources.faces import avataaars, sets
from keras_gans.metrics import attributes
from keras_gans.zoo.inference import age

AGES = avataaars.LOOK.labels["age"]


def compared(reader, truth, made, ages):
    """The numbers of a row: of made faces beside the true ones, at some ages."""
    one, two = reader.read(truth), reader.read(made)
    others = [name for name in one.values if name != "age"]
    seen = {name: one.visible[name] for name in others}
    same = {name: one.values[name] == two.values[name] for name in others}
    reached = np.array([AGES[k] for k in two.values["age"]]) == ages
    return {
        "age reached": reached.mean(),
        "all others kept": np.all([same[name] | ~seen[name] for name in others], axis=0).mean(),
        "others kept": np.mean([same[name][seen[name]].mean() for name in others]),
        "distance": np.linalg.norm(one.features - two.features, axis=1).mean(),
        "mean absolute difference": np.abs(truth - made).mean(),
    }


def painted(people, size):
    """The drawings of people, floats in [-1, 1]."""
    return image.from_uint8(sets.painted("avataaars", people, size))


def rows(source, drawn, pairs, size, steps):
    """Yields the name of each row, and its faces, one for each pair of a person and an age."""
    yield "as it was", painted([p for p, _ in pairs], size)
    next_ones = dict(zip(map(id, drawn), [*drawn[1:], drawn[0]]))
    others = [next_ones[id(p)].but(age=wanted) for p, wanted in pairs]
    yield "another person of that age", painted(others, size)
    gan = zoo.open_gan(source)
    identity = age.identity_features(source, gan, "age")
    for method in age.METHODS:
        made = []
        for number, (person, picture) in enumerate(zip(drawn, painted(drawn, size))):
            wanted = [name for p, name in pairs if p is person]
            found = zoo.age(
                gan, picture, to=wanted, method=method, identity=identity, steps=steps, verbose=0
            )
            made += [found.images[name] for name in wanted]
            print(f"\r{method}: {number + 1} of {len(drawn)}", end="", flush=True)
        yield method, np.stack(made)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", help="preset, or folder of a run")
    parser.add_argument("--people", type=int, default=48)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--picture", help="file for some of the faces")
    arguments = parser.parse_args()
    reader = attributes.AttributeReader("avatars_cnn_v1")
    drawn = sets.people_of("avataaars", "test", faces=4 * arguments.people)[: arguments.people]
    pairs = [(p, wanted) for p in drawn for wanted in AGES if wanted != p.attributes["age"]]
    ages = np.array([wanted for _, wanted in pairs])
    truth = painted([p.but(age=wanted) for p, wanted in pairs], reader.size)
    found = rows(arguments.source, drawn, pairs, reader.size, arguments.steps)
    shown = []
    print(f"{len(pairs)} faces of {len(drawn)} people, {arguments.steps} steps")
    for name, made in itertools.chain([("the drawing itself", truth)], found):
        numbers = compared(reader, truth, made, ages)
        print(f"\r| {name} | " + " | ".join(f"{value:.3f}" for value in numbers.values()) + " |")
        shown.append(made[:12])
    print("columns: " + ", ".join(numbers))
    if arguments.picture:
        image.save(np.concatenate(shown), arguments.picture, columns=12)


if __name__ == "__main__":
    main()
