"""What are the codes of encoders good for? Digits by their nearest neighbours, modes, clusters.

    python benchmarks/encoders.py codes      # 1-nearest-neighbour accuracy in code space
    python benchmarks/encoders.py grid       # modes of the grid of 25, beside those of a GAN
    python benchmarks/encoders.py clusters   # classes that an autoencoder finds without labels
    python benchmarks/encoders.py labels     # accuracy with 100 labels
    python benchmarks/encoders.py faces --run runs/faces  # copies beside those of a VAE

Of the 5,000 digits, 4,000 are trained on and 1,000 held out (`train[80%:]`).

- codes: a held-out digit gets the label of the digit trained on whose code is nearest. Beside the
  trained encoder stand the same network with random weights, and pixels in place of codes;
- grid: as in `mode_collapse.py`, with the same networks, steps, rates and samples, but latents of
  two numbers: points of a plane have no more, and with 64 the discriminator of a BiGAN would know
  the codes of points by the plane that they lie on. Copies are of points held out;
- clusters: each cluster gets the label of the held-out digit that has the highest probability of
  it (Makhzani 2015, section 6); the accuracy is that of all other held-out digits. Beside it
  K-means of as many clusters on pixels, with the labels of the digits nearest to the centres;
- faces: a VAE of the same encoder and decoder as the VAE-GAN of a run, trained for as many steps
  on the squared error of pixels. Of held-out faces: the error of the copies in pixels and in random
  features, and how far copies and new samples are from real faces (Frechet distance);
- labels: of the 4,000 digits 10 of each class have a label. Beside the semi-supervised
  autoencoder stands its encoder trained on the 100 labels alone, 200 epochs.
"""

import argparse

import keras
import mode_collapse
import numpy as np
import tensorflow as tf

import keras_gans
from keras_gans import data, metrics, networks
from keras_gans.models.encoded import StochasticallyEncoded

SHAPE = (28, 28, 1)


def digits(split, **options):
    """All images of a split of the digits, and their labels."""
    loaded = data.load("digits", split=split, batch_size=500, labels=True, shuffle=False, **options)
    images, labels = zip(*loaded.as_numpy_iterator())
    return np.concatenate(images), np.concatenate(labels)


# ---- codes


def nearest(codes, of):
    """Index of the nearest row of `codes` for each row of `of`, by the Euclidean distance."""
    squared = np.sum(codes**2, axis=1) - 2.0 * of @ codes.T
    return np.argmin(squared, axis=1)


def codes(options):
    images, labels = digits("train[:80%]")
    held_out, right = digits("train[80%:]")
    for preset in options.presets:
        trained = keras_gans.zoo.open_gan(preset)
        untrained = type(trained).from_preset(preset, load_weights=False)
        ways = {
            f"codes of {preset}": trained.encode,
            "codes of its encoder, untrained": untrained.encode,
            "pixels": lambda x: x.reshape(len(x), -1),
        }
        for name, encode in ways.items():
            found = labels[nearest(encode(images), encode(held_out))]
            print(f"{name:40}{100 * np.mean(found == right):8.1f} %")
        copies = trained.reconstruct(held_out)
        read = metrics.features.load("digits_cnn_v1")
        kept = np.mean(read(copies)[1].argmax(axis=-1) == right)
        real = np.mean(read(held_out)[1].argmax(axis=-1) == right)
        print(f"reconstructions that `digits_cnn_v1` reads as the digit: {100 * kept:.1f} %")
        print(f"originals that it reads as the digit: {100 * real:.1f} %")
        print(f"mean squared error of a pixel: {np.mean((copies - held_out) ** 2):.3f}, ", end="")
        print(f"of the mean image: {np.mean((images.mean(axis=0) - held_out) ** 2):.3f}")


# ---- the grid of 25


def pair_critic(latent_dim):
    """The MLP of the GAN's discriminator, on points and latents in a row."""
    points, latents = keras.Input((2,)), keras.Input((latent_dim,))
    row = keras.layers.Concatenate()([points, latents])
    critic = networks.mlp_discriminator((2 + latent_dim,), width=128)
    return keras.Model([points, latents], critic(row))


def bidirectional(kind, latent_dim, seed):
    return kind(
        networks.mlp_generator((2,), latent_dim=latent_dim, width=128),
        pair_critic(latent_dim),
        networks.mlp_encoder((2,), latent_dim, width=128, stochastic=kind is keras_gans.ALI),
        seed=seed,
    )


def plain(latent_dim, seed):
    generator = networks.mlp_generator((2,), latent_dim=latent_dim, width=128)
    return keras_gans.GAN(generator, networks.mlp_discriminator((2,), width=128), seed=seed)


def grid(options):
    kinds = {
        "GAN": plain,
        "BiGAN": lambda *args: bidirectional(keras_gans.BiGAN, *args),
        "ALI": lambda *args: bidirectional(keras_gans.ALI, *args),
    }
    points = next(iter(data.load("grid", batch_size=2500, seed=1000)))
    for name in options.kinds:
        build, rows = kinds[name], []
        for seed in options.seeds:
            keras.utils.set_random_seed(seed)
            gan = build(options.latent_dim, seed)
            gan.compile(*mode_collapse.adams("grid", options.steps), steps_per_execution=100)
            examples = data.load("grid", batch_size=128, first_epoch=0, seed=seed)
            gan.fit(examples, steps_per_epoch=options.steps, epochs=1, verbose=0)
            made = gan.generate(2500, seed=seed)
            found = metrics.mode_coverage(made, *mode_collapse.POINTS["grid"])
            error = np.nan
            if name != "GAN":
                error = np.mean(np.linalg.norm(gan.reconstruct(points) - points, axis=1))
            rows.append((found.modes, 100 * found.high_quality, error))
            print(name, seed, *rows[-1], flush=True)
        mean, spread = np.mean(rows, axis=0), np.std(rows, axis=0)
        shown = [f"{m:.2f} +- {s:.2f}" for m, s in zip(mean, spread)]
        print(f"{name:8} modes {shown[0]}, high quality {shown[1]} %, copies off by {shown[2]}")


# ---- autoencoders


def autoencoder(kind, style, classes, seed, width=300):
    keras.utils.set_random_seed(seed)
    size = style + classes
    judge = networks.mlp_discriminator((style,), width=width)
    # One-hot draws are corners, which no softmax reaches: noise makes both overlap.
    of_class = keras.Sequential(
        [
            keras.Input((classes,)),
            keras_gans.layers.InstanceNoise(0.3, seed=seed),
            networks.mlp_discriminator((classes,), width=width),
        ]
    )
    gan = kind(
        networks.mlp_generator(SHAPE, size, width=width),
        judge,
        of_class,
        networks.mlp_encoder(SHAPE, size, width=width, categorical=classes),
        seed=seed,
    )
    return gan


def rates(options):
    """An optimizer for each side; the discriminators of codes are slower than what they judge."""
    adam = keras.optimizers.Adam
    return {
        "generator_optimizer": adam(options.rate, beta_1=0.5),
        "discriminator_optimizer": adam(0.3 * options.rate, beta_1=0.5),
        "encoder_optimizer": adam(options.rate, beta_1=0.5),
    }


def by_best(labels, probabilities):
    """Accuracy if each cluster has the label of its most certain image, which does not count."""
    best = probabilities.argmax(axis=0)
    others = np.setdiff1d(np.arange(len(labels)), best)
    found = labels[best][probabilities.argmax(axis=1)]
    return np.mean(found[others] == labels[others])


def clusters(options):
    images, _ = digits("train[:80%]")
    held_out, right = digits("train[80%:]")
    for number in options.clusters:
        rows = []
        for seed in options.seeds:
            gan = autoencoder(keras_gans.CategoricalAAE, options.style, number, seed)
            gan.compile(**rates(options))
            gan.fit(images, batch_size=100, epochs=options.epochs, verbose=0)
            found = gan.encode(held_out)[:, options.style :]
            rows.append(100 * by_best(right, found))
            print(number, seed, rows[-1], "clusters in use:", len(set(found.argmax(axis=1))))
        flat = images.reshape(len(images), -1), held_out.reshape(len(held_out), -1)
        control = []
        for seed in options.seeds:
            centres = k_means(flat[0], number, seed)
            distances = np.linalg.norm(flat[1][:, None] - centres[None], axis=-1)
            control.append(100 * by_best(right, -distances))
        print(f"{number} clusters: autoencoder {np.mean(rows):.1f} +- {np.std(rows):.1f} %", end="")
        print(f", K-means of pixels {np.mean(control):.1f} +- {np.std(control):.1f} %", flush=True)


def k_means(points, number, seed, steps=30):
    """Lloyd's algorithm, from points drawn at random."""
    random = np.random.default_rng(seed)
    centres = points[random.choice(len(points), number, replace=False)]
    for _ in range(steps):
        squared = np.sum(centres**2, axis=1) - 2.0 * points @ centres.T
        mine = np.argmin(squared, axis=1)
        centres = np.stack(
            [
                points[mine == k].mean(axis=0) if (mine == k).any() else centres[k]
                for k in range(number)
            ]
        )
    return centres


def labels(options):
    held_out, right = digits("train[80%:]")
    rows, control = [], []
    for seed in options.seeds:
        few = {"split": "train[:80%]", "labels_per_class": 10, "seed": seed}
        gan = autoencoder(keras_gans.SemiSupervisedAAE, options.style, 10, seed)
        gan.compile(**rates(options))
        examples = data.load("digits", batch_size=100, labels=True, **few)
        gan.fit(examples, epochs=options.epochs, verbose=0)
        rows.append(100 * np.mean(gan.classify(held_out) == right))
        found, classes = digits(**few)
        _, first = np.unique(found[classes >= 0], axis=0, return_index=True)
        alone = found[classes >= 0][first], classes[classes >= 0][first]
        control.append(100 * supervised(*alone, held_out, right, seed))
        print(seed, rows[-1], "labels alone:", control[-1], flush=True)
    print(f"100 labels: autoencoder {np.mean(rows):.1f} +- {np.std(rows):.1f} %", end="")
    print(f", its encoder on them alone {np.mean(control):.1f} +- {np.std(control):.1f} %")


def supervised(images, classes, held_out, right, seed):
    keras.utils.set_random_seed(seed)
    body = networks.mlp_encoder(SHAPE, 10, width=512)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    body.compile(keras.optimizers.Adam(1e-3), loss)
    body.fit(images, classes, batch_size=50, epochs=200, verbose=0)
    return np.mean(body.predict(held_out, verbose=0).argmax(axis=1) == right)


# ---- faces


@keras.saving.register_keras_serializable("benchmarks")
class VAE(StochasticallyEncoded, keras_gans.AdversarialModel):
    """Kingma 2014: one side, the squared error of pixels, a normal of variance 1 for each."""

    side_names = ("generator",)
    tracked = ("prior_loss", "reconstruction_loss")

    def __init__(self, generator, encoder, **kwargs):
        sides = {"generator": {"generator": generator, "encoder": encoder}}
        super().__init__(sides=sides, **kwargs)

    def train_step(self, data):
        images = self.images(data)
        with tf.GradientTape() as tape:
            means, log_variances = self.posterior(images)
            copies = self.generator(self.draw(means, log_variances), training=True)
            prior = 0.5 * (means**2 + tf.exp(log_variances) - 1.0 - log_variances)
            error = 0.5 * tf.reduce_sum((copies - images) ** 2, axis=(1, 2, 3))
            losses = {"prior_loss": tf.reduce_sum(prior, axis=-1), "reconstruction_loss": error}
        self.step("generator", tape, losses)
        self.update_averages()
        return self.get_metrics_result()


def faces(options):
    gan = keras_gans.zoo.open_gan(options.run)
    recipe = gan.recipe["data"]
    steps = int(gan.generator_optimizer.iterations)
    built = [keras.models.clone_model(network) for network in (gan.generator, gan.encoder)]
    vae = VAE(*built, ema_decay=0.999, seed=0)
    rate = keras.optimizers.schedules.CosineDecay(5e-4, steps, alpha=0.05)
    vae.compile(keras.optimizers.Adam(rate, 0.5))
    loaded = {name: recipe[name] for name in ("name", "image_size") if recipe.get(name)}
    examples = data.load(**loaded, batch_size=recipe["batch_size"], first_epoch=0)
    vae.fit(examples, steps_per_epoch=steps, epochs=1, verbose=0)
    batches = data.load(**loaded, split="test", batch_size=500, shuffle=False).take(4)
    held_out = np.concatenate(list(batches.as_numpy_iterator()))
    read = metrics.features.load("random_cnn_v1")
    real = read(held_out)[0]
    for name, model in (("VAE-GAN", gan), ("VAE", vae)):
        copies, new = model.reconstruct(held_out), model.generate(len(held_out), seed=0)
        found = [np.mean((copies - held_out) ** 2), np.mean((read(copies)[0] - real) ** 2)]
        found += [metrics.frechet_distance(real, read(x)[0]) for x in (copies, new)]
        text = "pixels {:.4f}, features {:.4f}, Frechet of copies {:.3f}, of samples {:.3f}"
        print(f"{name:8}", text.format(*found), flush=True)
        both = [
            x
            for row in range(0, 24, 12)
            for x in (held_out[row : row + 12], copies[row : row + 12])
        ]
        keras_gans.image.save(np.concatenate(both), f"{name}_copies.png", columns=12)
        keras_gans.image.save(new[:48], f"{name}_samples.png", columns=12)


QUESTIONS = {f.__name__: f for f in (codes, grid, clusters, labels, faces)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("question", choices=QUESTIONS)
    parser.add_argument("--presets", nargs="+", default=["bigan_digits_28"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--kinds", nargs="+", default=["GAN", "BiGAN", "ALI"], help="on the grid")
    parser.add_argument("--steps", type=int, default=10_000, help="generator steps on the grid")
    parser.add_argument("--latent-dim", type=int, default=2, help="on the grid")
    parser.add_argument("--clusters", nargs="+", type=int, default=[16, 30])
    parser.add_argument("--style", type=int, default=5, help="length of the Gaussian part")
    parser.add_argument("--epochs", type=int, default=100, help="of the autoencoders")
    parser.add_argument("--run", help="folder of the run of a VAE-GAN")
    parser.add_argument("--rate", type=float, default=1e-3, help="of the autoencoders")
    options = parser.parse_args()
    QUESTIONS[options.question](options)


if __name__ == "__main__":
    main()
