"""Do faces show what their texts name? Of seen and unseen combinations and wordings (Reed 2016).

    python benchmarks/text_to_image.py text_to_avatar_64 --captions 1000 --picture words.png
    python benchmarks/text_to_image.py runs/text_to_avatar_64 --variants 4

Captions are written of people that no training has seen, and say themselves what they name. A
generator makes a face of each, and the classifier of drawn faces reads it. The first row is what it
reads from the drawings of the people themselves. With `--variants N` the recipe is also trained for
N epochs each as it is, without GAN-CLS, without GAN-INT and with captions that belong to other
faces. The tables of docs/models/text_to_image.md are from here.
"""

import argparse

import numpy as np
import tensorflow as tf

from keras_gans import data, image, zoo
from keras_gans.data.sources.faces import avataaars, captions, people, sets
from keras_gans.metrics import attributes

# Combinations, and wordings, that a training has seen.
CONDITIONS = {
    "seen": (True, "seen"),
    "unseen combinations": (False, "seen"),
    "unseen wordings": (True, "held_out"),
    "both unseen": (False, "held_out"),
}
LOOK, TEST = avataaars.LOOK, 2  # the split `test`


def written(held_out, named, number, seen, wordings):
    """People and captions of them, which name a combination that is held out, or none of those.

    Args:
        held_out: a `people.HeldOut`.
        named: attributes that captions may name.
        number: how many.
        seen: whether the combinations are those of the training.
        wordings: of the captions.
    """
    found, key = [], 0
    while len(found) < number:
        draw = held_out.seen if seen or not held_out else held_out.unseen
        person, key = draw(7, TEST, key), key + 1
        caption = captions.write(person.attributes, "benchmark", key, name=named, wordings=wordings)
        new = any(c.items() <= caption.named.items() for c in held_out.combinations)
        if caption.named and (seen or new):
            found.append((person, caption))
    return found


def shown(values, pairs, named):
    """The share of named attributes that were read, of each attribute, and of whole captions."""
    right = {name: [] for name in named}
    whole = []
    for number, (_, caption) in enumerate(pairs):
        found = {
            name: LOOK.labels[name][values[name][number]] == value
            for name, value in caption.named.items()
        }
        for name, is_right in found.items():
            right[name].append(is_right)
        whole.append(all(found.values()))
    every = np.concatenate([rights for rights in right.values()])
    shares = {name: np.mean(rights) for name, rights in right.items() if rights}
    return {"all named": every.mean(), "whole captions": np.mean(whole), **shares}


def variety(reader, gan, number, named):
    """Faces that are named nothing of: how even their attributes are, 1 as those of the data."""
    values = reader.read(gan.generate(number, text="a face", seed=1)).values
    found = {}
    for name in named:
        shares = np.bincount(values[name], minlength=len(LOOK.labels[name])) / number
        found[name] = _entropy(shares) / _entropy(np.array(LOOK.shares_of(name)))
    return found


def _entropy(shares):
    shares = shares[shares > 0]
    return -(shares * np.log(shares)).sum()


def kept(reader, gan, pairs):
    """How much of what neither of two texts names is alike, with one latent and with two.

    The style transfer of the paper (section 4.4): the same latent with other words keeps the rest.
    """
    texts = [caption.text for _, caption in pairs]
    latents = gan.given_latents(len(pairs), seed=2)
    one = reader.read(gan.generate(latents=latents, text=texts)).values
    others = {
        "same latent": (latents, np.roll(np.arange(len(pairs)), 1)),
        "another latent": (np.roll(latents, 1, axis=0), np.roll(np.arange(len(pairs)), 1)),
    }
    found = {}
    for row, (with_latents, order) in others.items():
        two = gan.generate(latents=with_latents, text=[texts[k] for k in order])
        two = reader.read(two).values
        alike = [
            one[name][number] == two[name][number]
            for number, other in enumerate(order)
            for name in LOOK.labels
            if name not in {**pairs[number][1].named, **pairs[other][1].named}
        ]
        found[row] = np.mean(alike)
    return found


def measured(reader, gan, conditions, named):
    """Yields rows of numbers: of each condition, and of faces with the texts of others."""
    for row, pairs in conditions.items():
        made = gan.generate(text=[caption.text for _, caption in pairs], seed=0)
        values = reader.read(made).values
        yield row, shown(values, pairs, named)
        if row == "seen":
            yield "texts of other faces", shown(values, [*pairs[1:], pairs[0]], named)


def variants(recipe, epochs):
    """Yields the name and the GAN of each variant of a recipe, trained for so many epochs."""
    changes = {
        "GAN-CLS-INT": {},
        "without CLS": {"matching_aware": False},
        "without INT": {"interpolate": False},
        "neither": {"matching_aware": False, "interpolate": False},
        "shuffled captions": {},
    }
    for name, change in changes.items():
        model = {**recipe.config["model"], **change}
        changed = zoo.Recipe({**recipe.config, "model": model, "epochs": epochs})
        gan, faces = changed.build_model(), changed.load_data(first_epoch=0)
        steps = data.steps_per_epoch(faces)
        if name == "shuffled captions":
            faces = faces.map(lambda images, texts: (images, tf.roll(texts, 1, axis=0)))
        gan.fit(faces, steps_per_epoch=steps, epochs=epochs, verbose=2)
        yield name, gan


def say(rows):
    """Prints rows of numbers as a table."""
    rows = list(rows)
    columns = list(dict.fromkeys(name for _, numbers in rows for name in numbers))
    print("| | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for row, numbers in rows:
        cells = [f"{numbers[name]:.3f}" if name in numbers else "" for name in columns]
        print(f"| {row} | " + " | ".join(cells) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", help="preset, or folder of a run")
    parser.add_argument("--captions", type=int, default=500, help="of each condition")
    parser.add_argument("--variants", type=int, metavar="EPOCHS", help="train and measure them")
    parser.add_argument("--picture", help="file for one latent under the texts of the preset")
    arguments = parser.parse_args()
    gan = zoo.open_gan(arguments.source)
    recipe = zoo.Recipe(gan.recipe)
    options = recipe.config["data"]
    named = captions.ATTRIBUTES if options["captions"] is True else tuple(options["captions"])
    held_out = people.HeldOut(LOOK, options.get("hold_out"))
    reader = attributes.AttributeReader("avatars_cnn_v1")
    conditions = {
        row: written(held_out, named, arguments.captions, *condition)
        for row, condition in CONDITIONS.items()
        if held_out or condition[0]
    }
    drawn = [person for person, _ in conditions["seen"]]
    truth = reader.read(image.from_uint8(sets.painted("avataaars", drawn, reader.size)))
    print(f"{arguments.source}: {arguments.captions} captions of each kind\n")
    rows = [("the drawings themselves", shown(truth.values, conditions["seen"], named))]
    say([*rows, *measured(reader, gan, conditions, named)])
    print("\nVariety of faces that are named nothing of, 1 as in the data:\n")
    say([("a face", variety(reader, gan, arguments.captions, named))])
    print("\nAttributes that neither of two texts names, alike:\n")
    say([("share", kept(reader, gan, conditions["seen"]))])
    if arguments.picture:
        texts = list(gan.text.examples)
        latents = gan.given_latents(1, seed=0).repeat(len(texts), axis=0)
        strip = image.captioned(gan.generate(latents=latents, text=texts), texts)
        image.save(strip, arguments.picture, columns=8)
    if arguments.variants:
        for name, variant in variants(recipe, arguments.variants):
            print(f"\n{name}, {arguments.variants} epochs:\n")
            say(measured(reader, variant, conditions, named))


if __name__ == "__main__":
    main()
