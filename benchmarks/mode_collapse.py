"""Which GANs find all modes? The ring of 8, the grid of 25, and 1,000 stacked digits.

    python benchmarks/mode_collapse.py                 # ring and grid; run again, it goes on
    python benchmarks/mode_collapse.py --sets stacked_digits --seeds 0 --steps 3000 \\
        --methods gan minibatch_discrimination wgan_gp relativistic_r1_r2
    python benchmarks/mode_collapse.py --methods gan wgan_gp --seeds 0 --steps 2000

On a set, every method trains the same networks for as many generator steps:

- ring and grid: MLPs with two hidden layers of 128. 2,500 samples are compared with the centres: a
  sample is of high quality within 3 standard deviations of its nearest centre, and a mode is
  covered if one such sample is nearest to it (Srivastava 2017, VEEGAN, section 4). Points drawn
  evenly over the square that holds the centres are the row to beat;
- stacked digits: DCGAN's networks, 32 wide. The classifier `digits_cnn_v1` reads the three digits
  of each of 26,000 images; a mode is covered if one image is read as it. Beside it the
  Kullback-Leibler divergence of what was read from the uniform distribution.

Each result is a line of the results' file; what is there is not run again.
"""

import argparse
import json
import time
from pathlib import Path

import keras
import numpy as np

import keras_gans
from keras_gans import callbacks, data, metrics, networks

POINTS = {
    "ring": (data.ring_centers(), 0.02),
    "grid": (data.grid_centers(), 0.05),
}
SETS = (*POINTS, "stacked_digits")
CALL = 50  # steps on points in one call


def rates(initial, steps, critic_steps=1):
    """A rate for each side that falls to 0 as the training ends, however many steps it takes."""
    return [keras.optimizers.schedules.CosineDecay(initial, n * steps) for n in (1, critic_steps)]


def adams(name, steps, beta_1=0.5, critic_steps=1, kind=keras.optimizers.Adam):
    """An optimizer for each side: on points a rate of 1e-3 that falls to 0, on images 2e-4."""
    both = rates(1e-3, steps, critic_steps) if name in POINTS else (2e-4, 2e-4)
    return [kind(rate, beta_1=beta_1) for rate in both]


def pair(name, batch_normalization=True, minibatch_kernels=0, noise=0.0):
    """The two networks of a set."""
    if name in POINTS:
        generator = networks.mlp_generator((2,), latent_dim=64, width=128, noise=noise)
        critic = networks.mlp_discriminator((2,), width=128, minibatch_kernels=minibatch_kernels)
        return generator, critic
    generator = networks.dcgan_generator((28, 28, 3), latent_dim=64, width=32, noise=noise)
    if not minibatch_kernels:
        critic = networks.dcgan_discriminator(
            (28, 28, 3), width=32, batch_normalization=batch_normalization
        )
        return generator, critic
    # The same convolutions; their features meet those of the other images before the logit.
    body = networks.dcgan_discriminator((28, 28, 3), width=32)
    features = keras.layers.Dense(64)(body.layers[-2].output)
    beside = keras_gans.layers.MinibatchDiscrimination(minibatch_kernels)(features)
    return generator, keras.Model(body.input, keras.layers.Dense(1, dtype="float32")(beside))


def gan(name, seed, steps):
    model = keras_gans.GAN(*pair(name), seed=seed)
    model.compile(*adams(name, steps))
    return model


def optimistic_adam(name, seed, steps):
    model = keras_gans.GAN(*pair(name), seed=seed)
    # No momentum: with it, the game V = xy is not solved either (docs/game.md).
    optimizers = adams(name, steps, 0.0, kind=keras_gans.optimizers.OptimisticAdam)
    model.compile(*optimizers)
    return model


def without_momentum(name, seed, steps):
    model = keras_gans.GAN(*pair(name), seed=seed)
    model.compile(*adams(name, steps, 0.0))
    return model


def unrolled_gan(name, seed, steps):
    model = keras_gans.UnrolledGAN(*pair(name), unrolled_steps=5, seed=seed)
    model.compile(*adams(name, steps))
    return model


def minibatch_discrimination(name, seed, steps):
    model = keras_gans.GAN(*pair(name, minibatch_kernels=8), seed=seed)
    model.compile(*adams(name, steps))
    return model


def wgan(name, seed, steps):
    model = keras_gans.WGAN(*pair(name), seed=seed)
    if name in POINTS:  # ten times the paper's rate, and falling, as for the others
        model.compile(*map(keras.optimizers.RMSprop, rates(5e-4, steps, model.critic_steps)))
    else:
        model.compile()
    return model


def wgan_gp(name, seed, steps):
    # 0.1 is the authors' lambda for points of a plane, 10 the paper's for images.
    weight = 0.1 if name in POINTS else 10.0
    model = keras_gans.WGANGP(
        *pair(name, batch_normalization=False), penalty_weight=weight, seed=seed
    )
    optimizers = adams(name, steps, 0.0, model.critic_steps) if name in POINTS else ()
    model.compile(*optimizers)
    return model


def relativistic_r1_r2(name, seed, steps):
    penalties = {"r1_penalty": 1.0, "r2_penalty": 1.0}
    model = keras_gans.GAN(
        *pair(name, batch_normalization=False),
        loss="relativistic_pairing",
        penalties=penalties,
        seed=seed,
    )
    model.compile(*adams(name, steps, beta_1=0.0))
    return model


def past_networks(name, seed, steps):
    return gan(name, seed, steps), callbacks.PastNetworks(every=100, steps=5)


def sgd_discriminator(name, seed, steps):
    model = keras_gans.GAN(*pair(name), seed=seed)
    rate = rates(0.1, steps)[0] if name in POINTS else 0.01
    model.compile(adams(name, steps)[0], keras.optimizers.SGD(rate))
    return model


def noisy_generator(name, seed, steps):
    model = keras_gans.GAN(*pair(name, noise=0.1), seed=seed)
    model.compile(*adams(name, steps))
    return model


def loss_threshold(name, seed, steps):
    # Both sides of a game in balance have these losses: 2 log 2, and log 2.
    limits = {"discriminator": 1.2, "generator": 0.6}
    return gan(name, seed, steps), callbacks.LossThreshold(limits)


METHODS = {
    f.__name__: f
    for f in (
        gan,
        without_momentum,
        optimistic_adam,
        unrolled_gan,
        minibatch_discrimination,
        wgan,
        wgan_gp,
        relativistic_r1_r2,
        past_networks,
        sgd_discriminator,
        noisy_generator,
        loss_threshold,
    )
}


def as_list(made):
    """A method returns a GAN, or a GAN and a callback."""
    return made if isinstance(made, tuple) else (made,)


def run(method, name, seed, steps):
    keras.utils.set_random_seed(seed)
    model, *watching = as_list(METHODS[method](name, seed, steps))
    model.jit_compile = name in POINTS and method in ("unrolled_gan", "wgan_gp")
    batch_size = (128 if name in POINTS else 64) * getattr(model, "critic_steps", 1)
    examples = data.load(name, batch_size=batch_size, first_epoch=0, seed=seed)
    if name in POINTS and steps % CALL == 0 and not watching:
        model.steps_per_execution = CALL  # the same steps, with fewer calls from Python
    started = time.perf_counter()
    model.fit(examples, steps_per_epoch=steps, epochs=1, callbacks=watching, verbose=0)
    seconds = time.perf_counter() - started
    if name in POINTS:
        found = metrics.mode_coverage(model.generate(2500, seed=seed), *POINTS[name])
    else:
        found = read_digits(model.generate(26_000, seed=seed, batch_size=500))
        model.save(f"{method}_{seed}.keras")
    result = {"set": name, "method": method, "seed": seed, "steps": steps, "seconds": seconds}
    return {**result, "modes": found.modes, "high_quality": found.high_quality, "kl": found.kl}


def read_digits(images):
    """Counts the modes among images of three digits each."""
    read = metrics.features.load("digits_cnn_v1")
    a, b, c = (read(images[..., i : i + 1])[1].argmax(axis=-1) for i in range(3))
    return metrics.class_coverage(100 * a + 10 * b + c, num_modes=1000)


def table(results):
    """Mean and standard deviation over the seeds, a row for each method."""
    sets = [name for name in SETS if any(r["set"] == name for r in results)]
    measures = {n: ("high_quality", 100) if n in POINTS else ("kl", 1) for n in sets}
    print(f"\n{'':26}" + "".join(f"{n + ': modes':>24}{measures[n][0]:>18}" for n in sets))
    row = f"{'even over the square':26}"
    for name in sets:
        row += f"{'-':>24}{'-':>18}" if name not in POINTS else ""
        if name in POINTS:
            low, high = POINTS[name][0].min(0), POINTS[name][0].max(0)
            points = np.random.default_rng(0).uniform(low, high, (2500, 2))
            found = metrics.mode_coverage(points, *POINTS[name])
            row += f"{found.modes:>24}{100 * found.high_quality:>18.2f}"
    print(row)
    for method in METHODS:
        row = f"{method:26}"
        for name in sets:
            measure, scale = measures[name]
            mine = [r for r in results if (r["method"], r["set"]) == (method, name)]
            for values in ([r["modes"] for r in mine], [scale * r[measure] for r in mine]):
                width = 24 if values == [r["modes"] for r in mine] else 18
                shown = f"{np.mean(values):.2f} +- {np.std(values):.2f}" if mine else "-"
                row += f"{shown:>{width}}"
        print(row)
    for name in sets:
        print(f"{name}: {len({r['seed'] for r in results if r['set'] == name})} seeds")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(POINTS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=10_000, help="generator steps")
    parser.add_argument("--results", type=Path, default=Path("mode_collapse.jsonl"))
    options = parser.parse_args()
    lines = options.results.read_text().splitlines() if options.results.exists() else []
    results = [r for r in map(json.loads, lines) if r["steps"] == options.steps]
    for seed in options.seeds:
        for method in options.methods:
            for name in options.sets:
                key = (method, name, seed)
                if key in {(r["method"], r["set"], r["seed"]) for r in results}:
                    continue
                results.append(run(method, name, seed, options.steps))
                with options.results.open("a") as file:
                    file.write(json.dumps(results[-1]) + "\n")
                print(results[-1], flush=True)
    table(results)


if __name__ == "__main__":
    main()
