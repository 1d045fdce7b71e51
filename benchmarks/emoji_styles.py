"""Do translated emoji look like the other style? Judges say, that have seen none of them.

    python benchmarks/emoji_styles.py cyclegan_emoji_style_64 runs/pix2pix_emoji

The judges are small classifiers of three seeds, trained here (some two minutes) to tell Noto's
emoji from Twemoji's by those motifs that the translators were trained on. Printed is which share of
the test motifs, which neither has seen, they take for the style asked for, as mean and range: of
the sources as they are, of the targets, and of what each preset or run makes of the sources.
"""

import argparse

import keras
import numpy as np

from keras_gans import data, image, zoo
from keras_gans.zoo.loading import backward_generator

WAYS = ("a_to_b", "b_to_a")
SIZE = 64


def images_of(split):
    """All images of a split, in both styles."""
    pairs = data.load_pairs(
        "emoji_styles", split=split, image_size=SIZE, batch_size=1, augment=False, shuffle=False
    )
    return [np.concatenate(style) for style in zip(*pairs.as_numpy_iterator())]


def train_judge(seed, a, b, epochs):
    """A classifier `(batch, 64, 64, 3)` to the probability of style b."""
    keras.utils.set_random_seed(seed)
    layers = [keras.Input((SIZE, SIZE, 3))]
    for width in (16, 32, 64):
        layers += [keras.layers.Conv2D(width, 3, 2, "same", activation="relu")]
    layers += [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1, "sigmoid")]
    judge = keras.Sequential(layers)
    judge.compile("adam", "binary_crossentropy")
    labels = np.repeat([0.0, 1.0], [len(a), len(b)])
    judge.fit(np.concatenate([a, b]), labels, batch_size=32, epochs=epochs, verbose=0)
    return judge


def taken_for(judges, images, way):
    """Shares of images that are taken for the style to which a way leads, as text."""
    seen = image.from_uint8(image.to_uint8(np.clip(images, -1, 1)))  # as they would be saved
    shares = [(judge.predict(seen, verbose=0) > 0.5).mean() for judge in judges]
    shares = [share if way == "a_to_b" else 1 - share for share in shares]
    return f"{np.mean(shares):6.1%} ({min(shares):.1%} to {max(shares):.1%})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sources", nargs="+", help="presets or runs")
    parser.add_argument("--epochs", type=int, default=30)
    arguments = parser.parse_args()
    known = images_of("train")
    judges = [train_judge(seed, *known, arguments.epochs) for seed in range(3)]
    held_out = dict(zip("ab", images_of("test")))
    gans = {source: zoo.open_gan(source) for source in arguments.sources}
    print(f"{len(held_out['a'])} pairs; share taken for the style asked for")
    for way in WAYS:
        for what, style in (("sources", way[0]), ("targets", way[-1])):
            print(f"{way}, {what:30}{taken_for(judges, held_out[style], way)}")
        for source, gan in gans.items():
            generator = gan.in_use("generator") if way == "a_to_b" else backward_generator(gan)
            if generator is not None:
                made = gan.translate(generator, held_out[way[0]])
                print(f"{way}, {source:30}{taken_for(judges, made, way)}", flush=True)


if __name__ == "__main__":
    main()
