"""Which GANs find all modes? The ring of 8 and the grid of 25, several seeds.

    python benchmarks/mode_collapse.py                 # everything; run again, it goes on
    python benchmarks/mode_collapse.py --methods gan wgan_gp --seeds 0 --steps 2000

Every method trains the same MLPs (two hidden layers of 128) for as many generator steps, then 2,500
samples are held against the centres: a sample is of high quality within 3 standard deviations of
its nearest centre, and a mode is covered if one such sample is nearest to it (Srivastava 2017,
VEEGAN, section 4). Each result is a line of the results' file; what is there is not run again.
"""

import argparse
import json
import time
from pathlib import Path

import keras
import numpy as np

import keras_gans
from keras_gans import data, metrics, networks

SETS = {
    "ring": (data.ring_centers(), 0.02),
    "grid": (data.grid_centers(), 0.05),
}
BATCH = 128


def adam(rate=2e-4, beta_1=0.5, beta_2=0.999):
    return keras.optimizers.Adam(rate, beta_1=beta_1, beta_2=beta_2)


def pair(**discriminator):
    generator = networks.mlp_generator((2,), latent_dim=64, width=128)
    return generator, networks.mlp_discriminator((2,), width=128, **discriminator)


def gan(seed):
    model = keras_gans.GAN(*pair(), seed=seed)
    model.compile(adam(), adam())
    return model, BATCH


def unrolled_gan(seed):
    model = keras_gans.UnrolledGAN(*pair(), unrolled_steps=5, seed=seed)
    model.compile(adam(), adam())
    return model, BATCH


def minibatch_discrimination(seed):
    model = keras_gans.GAN(*pair(minibatch_kernels=8), seed=seed)
    model.compile(adam(), adam())
    return model, BATCH


def wgan(seed):
    model = keras_gans.WGAN(*pair(), seed=seed)
    model.compile()  # RMSprop(5e-5), clip 0.01: the paper's
    return model, BATCH * model.critic_steps


def wgan_gp(seed):
    # 0.1 is the authors' lambda for points of a plane.
    model = keras_gans.WGANGP(*pair(), penalty_weight=0.1, seed=seed)
    model.compile()
    return model, BATCH * model.critic_steps


def relativistic_r1_r2(seed):
    penalties = {"r1_penalty": 1.0, "r2_penalty": 1.0}
    model = keras_gans.GAN(*pair(), loss="relativistic_pairing", penalties=penalties, seed=seed)
    model.compile(adam(beta_1=0.0), adam(beta_1=0.0))
    return model, BATCH


METHODS = {
    f.__name__: f
    for f in (gan, unrolled_gan, minibatch_discrimination, wgan, wgan_gp, relativistic_r1_r2)
}


def run(method, name, seed, steps):
    keras.utils.set_random_seed(seed)
    model, batch_size = METHODS[method](seed)
    model.jit_compile = method in ("unrolled_gan", "wgan_gp", "minibatch_discrimination")
    points = data.load(name, batch_size=batch_size, first_epoch=0, seed=seed)
    started = time.perf_counter()
    model.fit(points, steps_per_epoch=steps, epochs=1, verbose=0)
    seconds = time.perf_counter() - started
    found = metrics.mode_coverage(model.generate(2500, seed=seed), *SETS[name])
    result = {"set": name, "method": method, "seed": seed, "steps": steps, "seconds": seconds}
    return {**result, "modes": found.modes, "high_quality": found.high_quality}


def table(results):
    """Mean and deviation over the seeds, a row a method."""
    print(f"\n{'':26}" + "".join(f"{name + ': modes':>16}{'high quality':>18}" for name in SETS))
    for method in METHODS:
        row = f"{method:26}"
        for name in SETS:
            mine = [r for r in results if (r["method"], r["set"]) == (method, name)]
            if not mine:
                row += f"{'-':>16}{'-':>18}"
                continue
            modes = np.array([r["modes"] for r in mine])
            share = 100 * np.array([r["high_quality"] for r in mine])
            row += f"{modes.mean():8.1f} +- {modes.std():4.1f}"
            row += f"{share.mean():10.1f} +- {share.std():4.1f}"
        print(row)
    for name, (centers, stddev) in SETS.items():
        runs = {r["seed"] for r in results if r["set"] == name}
        print(f"{name}: {len(centers)} modes of deviation {stddev}, {len(runs)} seeds")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
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
