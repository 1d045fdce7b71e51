"""Makes the pictures and the numbers of docs/latent_space.md, of a preset or a run.

    python docs/latent_space/pictures.py dcgan_digits_28 walk line truncation arithmetic
    python docs/latent_space/pictures.py runs/held_out projection --split 'train[80%:]'

`arithmetic` needs digits: it reads classes by `digits_cnn_v1`, and stroke weight by the mean pixel.
"""

import argparse
import functools
import itertools
from pathlib import Path

import numpy as np

from keras_gans import data, image, latent, zoo
from keras_gans.metrics import features

HERE = Path(__file__).parent
DIGITS = "digits_cnn_v1"
# Of Noto's faces, and of its darker skins.
COLOURS = {"yellow": (250, 200, 60), "brown": (110, 75, 55)}
# Pairs of digits that the picture of the arithmetic shows.
SHOWN = ((3, 8), (7, 2), (0, 4), (9, 5))


def write(rows, path, columns):
    """Writes images as a grid, enlarged so that they can be seen."""
    images = image.to_uint8(np.concatenate(rows))
    scale = image.visible_scale(images.shape[1:], pixels=56)
    path = image.save(image.enlarge(images, scale), path, columns)
    print(f"{path}: {path.stat().st_size / 1024:.0f} kB")


def walk(source, name, _):
    """An animation: great circles through four seeds, and back."""
    classes = {"labels": [3, 7]} if takes_labels(zoo.open_gan(source)) else {}
    path = HERE / f"{name}_walk.webp"
    zoo.interpolate(source, path, seeds=range(4), steps=10, scale=None, duration=80, **classes)
    print(f"{path}: {path.stat().st_size / 1024:.0f} kB")


def line(source, name, _):
    """The same two seeds joined by a great circle (top) and by a straight line."""
    gan = zoo.open_gan(source)
    label = {"labels": 3} if takes_labels(gan) else {}
    start, end = (gan.given_latents(1, seed=seed)[0] for seed in (0, 1))
    ways = {way.__name__: way(start, end, 9) for way in (latent.slerp, latent.lerp)}
    write([gan.generate(latents=z, **label) for z in ways.values()], HERE / f"{name}_line.png", 9)
    radius = np.sqrt(len(start))
    for way, z in ways.items():
        print(f"  {way}: length in the middle {np.linalg.norm(z[4]) / radius:.2f} of the shell's")
    # How alike the images in the middle are, over many pairs.
    firsts, seconds = np.split(gan.given_latents(1000, seed=2), 2)
    for way in (latent.slerp, latent.lerp):
        middle = gan.generate(latents=way(firsts, seconds, 3)[1], **label)
        print(
            f"  {way.__name__}: standard deviation of a pixel in the middle {spread(middle):.3f}",
            end="",
        )
        print(f", confidence above 0.9 {confident(middle):.1%}" if is_digits(middle) else "")


def truncation(source, name, _):
    """The same seeds under smaller and smaller bounds, a row each."""
    gan = zoo.open_gan(source)
    bounds = [None, 1.0, 0.5, 0.2]
    rows = [gan.generate(10, seed=0, truncation=bound) for bound in bounds]
    write(rows, HERE / f"{name}_truncation.png", 10)
    for bound in bounds:
        many = gan.generate(1000, seed=1, truncation=bound)
        print(f"  truncation={bound}: standard deviation of a pixel {spread(many):.3f}", end="")
        print(f", confidence above 0.9 {confident(many):.1%}" if is_digits(many) else "")


def projection(source, name, options):
    """Real images (top), what the search started from, and what it found."""
    recipe = zoo.Recipe.read(Path(source, "config.json") if Path(source).is_dir() else source)
    known = {n: v for n, v in recipe.config["data"].items() if n not in ("type", "split", "labels")}
    known |= {"split": options.split, "batch_size": options.images, "shuffle": False}
    real = next(iter(data.load(**known))).numpy()
    found = [zoo.project(source, x, verbose=0, steps=options.steps) for x in real]
    rows = [real, np.stack([f.start for f in found]), np.stack([f.image for f in found])]
    write(rows, HERE / f"{name}_projection.png", len(real))
    for measure in ("pixels", "features"):
        values = {k: [f.distances[measure][k] for f in found] for k in ("start", "result")}
        print(f"  {measure}: " + ", ".join(f"{k} {np.mean(v):.3f}" for k, v in values.items()))
    radii, same = zip(*((f.radius, f.same_class) for f in found))
    print(f"  radius {min(radii):.2f} to {max(radii):.2f}; same class: {same}")


def arithmetic(source, name, _):
    """Heavy a - light a + light b, with latents averaged for each of the four concepts."""
    gan, classes = zoo.open_gan(source), np.arange(10)
    latents = gan.given_latents(4000, seed=0)

    def made(z, labels):
        given = {"labels": labels} if takes_labels(gan) else {}
        return gan.generate(latents=z, **given)

    asked = np.arange(len(latents)) % 10
    images = made(latents, asked)
    seen, shares = read(images)
    labels = asked if takes_labels(gan) else seen
    ink = images.mean(axis=(1, 2, 3))
    of_class = [np.flatnonzero((labels == k) & (shares > 0.9)) for k in classes]
    print(f"  latents of each class: {[len(found) for found in of_class]}")

    # A class from the mean of its latents.
    random = np.random.default_rng(0)
    for number in (1, 3, 10, 30):
        picks = [random.choice(found, (20, number)) for found in of_class]
        z = np.concatenate([latents[pick].mean(axis=1) for pick in picks])
        on_shell = z / np.linalg.norm(z, axis=-1, keepdims=True) * np.sqrt(z.shape[-1])
        wanted = classes.repeat(20)
        right = [np.mean(read(made(v, wanted))[0] == wanted) for v in (z, on_shell)]
        print(f"  mean of {number}: read as its class {right[0]:.0%}; on the shell {right[1]:.0%}")

    # The 10 heaviest and the 10 lightest of each class stand for the two concepts.
    by_ink = [found[np.argsort(ink[found])] for found in of_class]
    light, heavy = ([latents[o[part]] for o in by_ink] for part in (slice(10), slice(-10, None)))
    pairs = list(itertools.permutations(classes, 2))
    b = np.array([second for _, second in pairs])
    sums = [
        latent.combine([heavy[first], light[second]], [light[first]]) for first, second in pairs
    ]
    lights, heavies = (np.stack([latent.average(c) for c in group]) for group in (light, heavy))
    result = made(np.stack(sums), b)
    before, after, wanted = (
        x.mean(axis=(1, 2, 3)) for x in (made(lights[b], b), result, made(heavies[b], b))
    )
    print(f"  heavy a - light a + light b: read as b {np.mean(read(result)[0] == b):.0%}")
    moved = np.percentile((after - before) / (wanted - before), [25, 50, 75])
    print(f"  way from light b to heavy b: {' / '.join(f'{q:.2f}' for q in moved)} (quartiles)")
    rows = []
    for first, second in SHOWN:
        terms = np.stack([heavies[first], lights[first], lights[second]])
        rows += [made(terms, np.array([first, first, second]))]
        rows += [result[[pairs.index((first, second))]]]
    write(rows, HERE / f"{name}_arithmetic.png", 4)


def colour(source, name, _):
    """Of images on white: z + (what is yellow) - (what is brown), and the other way round."""
    gan = zoo.open_gan(source)
    latents = gan.given_latents(2000, seed=0)
    shown = (gan.generate(latents=latents) + 1) / 2
    drawn = shown.min(axis=-1) < 0.9
    share = drawn.mean(axis=(1, 2))
    mean = (shown * drawn[..., None]).sum(axis=(1, 2)) / np.maximum(drawn.sum((1, 2)), 1)[:, None]
    large = np.flatnonzero(share > 0.35)
    nearest = {}
    for what, rgb in COLOURS.items():
        distance = np.linalg.norm(mean[large] - np.array(rgb) / 255, axis=-1)
        nearest[what] = large[np.argsort(distance)[:10]]
    yellow, brown = (latent.average(latents[nearest[what]]) for what in COLOURS)
    # The first large ones that neither average was made of.
    others = [i for i in large if not any(i in used for used in nearest.values())]
    z = latents[others[:100]]
    moved = {"- direction": z - (yellow - brown), "as it is": z, "+ direction": z + yellow - brown}
    write([gan.generate(latents=m[:8]) for m in moved.values()], HERE / f"{name}_colour.png", 8)
    for what, m in moved.items():
        made = (gan.generate(latents=m) + 1) / 2
        ink = made.min(axis=-1) < 0.9
        light = [x[i].mean() if i.any() else 1.0 for x, i in zip(made, ink)]
        print(f"  {what}: mean lightness of what is drawn {np.mean(light):.3f}")


def takes_labels(gan):
    return hasattr(gan, "num_classes") and len(gan.generator.inputs) == 2


def is_digits(images):
    return images.shape[1:] == (28, 28, 1)


def read(images):
    """Classes of digits, and the probabilities of those."""
    probabilities = classifier()(images)[1]
    return probabilities.argmax(axis=1), probabilities.max(axis=1)


@functools.cache
def classifier():
    return features.load(DIGITS)


def confident(images):
    return np.mean(read(images)[1] > 0.9)


def spread(images):
    """How unlike images are: the root mean square deviation from their mean."""
    return float(np.sqrt(np.mean((images - images.mean(axis=0)) ** 2)))


SECTIONS = {f.__name__: f for f in (walk, line, truncation, projection, arithmetic, colour)}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", help="name of a trained preset, or folder of a run")
    parser.add_argument("sections", nargs="+", choices=SECTIONS)
    parser.add_argument("--split", default="train", help="of the images to project [train]")
    parser.add_argument("--images", type=int, default=10, help="images to project [10]")
    parser.add_argument("--steps", type=int, default=500, help="of a projection [500]")
    arguments = parser.parse_args()
    for section in arguments.sections:
        print(section)
        SECTIONS[section](arguments.source, Path(arguments.source).name, arguments)
