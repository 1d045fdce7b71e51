"""Which feature network sees what: real images, changed on purpose, compared with other real ones.

    python benchmarks/features.py avatars --number 1000 --real 1000 2000 5000
    python benchmarks/features.py emoji --number 600
    python benchmarks/features.py speed

Each row changes the same `--number` of images and compares them with as many others. "kernel" is
the kernel distance divided by the standard deviation that it has between two sets of real images,
so that values below 2 or 3 are chance. `--real` compares two sets of so many real images each. P,
R, D and C are precision, recall, density and coverage. The tables of docs/metrics.md are from here.
"""

import argparse
import io
import resource
import time

import numpy as np
from PIL import Image

from keras_gans import data, image, metrics
from keras_gans.metrics.evaluation import blurred

NETWORKS = ("random_cnn_v1", "efficientnet_lite0_v1")


def recoded(images, change):
    """Images after a change of Pillow's images."""
    made = [np.asarray(change(Image.fromarray(x))) for x in image.to_uint8(images)]
    return image.from_uint8(np.stack(made))


def jpeg(picture):
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=30)
    return Image.open(file)


def hue(picture):
    channels = np.array(picture.convert("HSV"))
    channels[..., 0] += 256 * 60 // 360  # of 8 bits: it goes round
    return Image.fromarray(channels, "HSV").convert("RGB")


def shifted(images):
    return np.pad(images, ((0, 0), (0, 0), (1, 0), (0, 0)), mode="edge")[:, :, :-1]


def changed(images):
    """Names of changes to the same images, changed."""
    rng = np.random.default_rng(0)
    half, tenth = images.shape[1] // 2, len(images) // 10
    yield "other real images", images
    yield "shifted by one pixel", shifted(images)
    yield "mirrored", images[:, :, ::-1]
    yield "normal noise of 0.1", np.clip(rng.normal(images, 0.1), -1, 1)
    yield "blurred, 3x3", blurred(images)
    yield "JPEG of quality 30", recoded(images, jpeg)
    yield "hues turned by 60 degrees", recoded(images, hue)
    yield "grey", np.repeat(images.mean(-1, keepdims=True), 3, -1)
    yield "upper and lower half exchanged", np.roll(images, half, 1)
    other = np.roll(images, 1, axis=0)
    yield "lower half of another image", np.concatenate([images[:, :half], other[:, half:]], 1)
    yield "a tenth of them, ten times", np.concatenate([images[:tenth]] * 10)


def without(images, attributes):
    """Names of what is missing to which images have it."""
    if attributes is None:  # emoji: no labels, but most faces and hands are yellow
        low = (images[..., 0] > 0.5) & (images[..., 1] > 0.2) & (images[..., 2] < 0)
        yield "yellow ones missing", low.mean(axis=(1, 2)) > 0.1
        return
    yield "black hair missing (a quarter)", attributes["hair"] == 0
    yield "sunglasses missing (a fifth)", attributes["glasses"] == 3
    yield "all glasses missing (60 %)", attributes["glasses"] > 0
    yield "beards and moustaches missing (half)", attributes["beard"] > 0
    yield "smiles missing (a fifth)", attributes["mouth"] == 0
    yield "old ones missing (a quarter)", attributes["age"] == 3


def load(name, number):
    options = {"shuffle": False, "drop_remainder": False}
    if name != "avatars":
        batches = data.load(name, split="train", **options).as_numpy_iterator()
        images = np.concatenate(list(batches))
        return images[np.random.default_rng(0).permutation(len(images))][:number], None
    batches = data.load(name, attributes=True, split=f"train[:{number}]", **options)
    images, attributes = zip(*batches.as_numpy_iterator())
    attributes = {n: np.concatenate([found[n] for found in attributes]) for n in attributes[0]}
    return np.concatenate(images), attributes


def values(real, made, chance=None):
    """What a row shows of two sets of features, and the chance of the kernel distance."""
    kernel = metrics.kernel_distance(real, made, subset_size=len(real) // 2, num_subsets=20)
    chance = chance or kernel.stddev
    near, cover = metrics.precision_recall(real, made), metrics.density_coverage(real, made)
    shown = [f"{metrics.frechet_distance(real, made):.3g}", f"{kernel.value / chance:.1f}"]
    found = (near.precision, near.recall, cover.density, cover.coverage)
    return [*shown, *(f"{value:.2f}" for value in found)], chance


def table(name, number, numbers):
    images, attributes = load(name, 10 * number)
    names = ("Frechet", "kernel", "P", "R", "D", "C")
    for network in map(metrics.features.load, NETWORKS):
        heads = [network.name, *names]
        print(f"\n{name}, {number} images of each kind; two sets of real images: by their number\n")
        print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
        seen = network(images)[0]
        middle = len(seen) // 2
        for few in numbers:
            row, _ = values(seen[:few], seen[middle : middle + few])
            print(f"| {few:,} other real images | " + " | ".join(row) + " |", flush=True)
        real, later = seen[:number], slice(number, None)
        sets = {
            case: network(np.ascontiguousarray(made, "float32"))[0]
            for case, made in changed(images[number : 2 * number])
        }
        rest = attributes and {n: x[later] for n, x in attributes.items()}
        for missing, gone in without(images[later], rest):
            sets[missing] = np.resize(seen[later][~gone][:number], real.shape)
        chance = None
        for case, made in sets.items():
            row, chance = values(real, made, chance)
            print(f"| {case} | " + " | ".join(row) + " |", flush=True)


def speed():
    images = np.random.default_rng(0).uniform(-1, 1, (512, 64, 64, 3)).astype("float32")
    for name in NETWORKS:
        network = metrics.features.load(name)
        for size in (16, 32, 64):
            network.batch_size = size
            network(images[:size])
            started = time.process_time()
            network(images)
            seconds = time.process_time() - started
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            rate = f"{len(images) / seconds:.0f} images a CPU second"
            print(f"{name} batch {size}: {rate}, {peak:.2f} GB", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name", help="avatars, emoji, or speed")
    parser.add_argument("--number", type=int, default=1000)
    parser.add_argument("--real", type=int, nargs="*", default=())
    arguments = parser.parse_args()
    if arguments.name == "speed":
        speed()
    else:
        table(arguments.name, arguments.number, arguments.real)
