"""Times a step of `keras_gans.DCGAN` against loops written by hand in TensorFlow.

    python benchmarks/dcgan_step.py [--rounds 7] [--steps 40] [--width 64]

All train the same networks on the same images, one after the other in one process, round after
round, so that a machine whose speed drifts slows all of them. Ours is `model.fit`, with Keras'
loop, metrics and progress; theirs is a bare `tf.function` without any.

- alternating: the discriminator's step, then the generator's on a pass of its own, as most
  programs write it. The same algorithm as ours, one generator pass more.
- simultaneous: both gradients from one pass, before either side has moved. Less work, and
  another algorithm: the generator learns from the discriminator of the step before.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

import keras_gans

LATENT_DIM = 64


def networks(width):
    keras.utils.set_random_seed(0)
    shape = (28, 28, 1)
    return (
        keras_gans.networks.dcgan_generator(shape, LATENT_DIM, width),
        keras_gans.networks.dcgan_discriminator(shape, width),
    )


def adam(network):
    optimizer = keras.optimizers.Adam(2e-4, beta_1=0.5)
    optimizer.build(network.trainable_variables)
    return optimizer


def cross_entropy(logits, label):
    labels = tf.fill(tf.shape(logits), label)
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits))


def alternating(width):
    generator, discriminator = networks(width)
    generator_optimizer, discriminator_optimizer = adam(generator), adam(discriminator)

    @tf.function
    def step(real):
        fake = generator(tf.random.normal((tf.shape(real)[0], LATENT_DIM)), training=True)
        with tf.GradientTape() as tape:
            loss = cross_entropy(discriminator(real, training=True), 1.0)
            loss += cross_entropy(discriminator(fake, training=True), 0.0)
        variables = discriminator.trainable_variables
        discriminator_optimizer.apply(tape.gradient(loss, variables), variables)

        latents = tf.random.normal((tf.shape(real)[0], LATENT_DIM))
        with tf.GradientTape() as tape:
            fake = generator(latents, training=True)
            loss = cross_entropy(discriminator(fake, training=True), 1.0)
        variables = generator.trainable_variables
        generator_optimizer.apply(tape.gradient(loss, variables), variables)

    return step


def simultaneous(width):
    generator, discriminator = networks(width)
    generator_optimizer, discriminator_optimizer = adam(generator), adam(discriminator)

    @tf.function
    def step(real):
        latents = tf.random.normal((tf.shape(real)[0], LATENT_DIM))
        with tf.GradientTape() as generator_tape, tf.GradientTape() as discriminator_tape:
            fake = generator(latents, training=True)
            fake_logits = discriminator(fake, training=True)
            generator_loss = cross_entropy(fake_logits, 1.0)
            loss = cross_entropy(discriminator(real, training=True), 1.0)
            loss += cross_entropy(fake_logits, 0.0)
        for tape, value, network, optimizer in (
            (generator_tape, generator_loss, generator, generator_optimizer),
            (discriminator_tape, loss, discriminator, discriminator_optimizer),
        ):
            variables = network.trainable_variables
            optimizer.apply(tape.gradient(value, variables), variables)

    return step


def by_hand(make, width):
    step = make(width)

    def run(dataset):
        for real in dataset:
            step(real)

    return run


def ours(width, **compile_arguments):
    gan = keras_gans.DCGAN(*networks(width), seed=0)
    gan.compile(**compile_arguments)

    def run(dataset):
        gan.fit(dataset, verbose=0)

    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--xla", action="store_true", help="also ours with jit_compile=True")
    options = parser.parse_args()

    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (options.steps * options.batch_size, 28, 28, 1)).astype("float32")
    dataset = tf.data.Dataset.from_tensor_slices(images)
    dataset = dataset.batch(options.batch_size, drop_remainder=True).cache().prefetch(2)
    for _ in dataset:  # fills the cache
        pass

    runs, first = {}, {}
    candidates = {
        "keras_gans.DCGAN": lambda: ours(options.width),
        "alternating, by hand": lambda: by_hand(alternating, options.width),
        "simultaneous, by hand": lambda: by_hand(simultaneous, options.width),
    }
    if options.xla:
        candidates["keras_gans.DCGAN, XLA"] = lambda: ours(options.width, jit_compile=True)
    for name, make in candidates.items():
        started = time.perf_counter()
        runs[name] = make()
        runs[name](dataset.take(1))
        first[name] = time.perf_counter() - started
        runs[name](dataset)  # warm

    seconds = {name: [] for name in runs}
    for number in range(options.rounds):
        names = list(runs)
        for name in names[number % len(names) :] + names[: number % len(names)]:
            started = time.perf_counter()
            runs[name](dataset)
            seconds[name].append((time.perf_counter() - started) / options.steps)

    print(
        f"TensorFlow {tf.__version__}, Keras {keras.__version__}, {os.cpu_count()} cores; "
        f"batch {options.batch_size}, width {options.width}; medians of {options.rounds} rounds of "
        f"{options.steps} steps"
    )
    print(f"{'':24}{'ms/step':>9}{'images/s':>10}{'first step':>12}{'ours/this':>11}{'range':>13}")
    base = seconds["keras_gans.DCGAN"]
    for name, times in seconds.items():
        ratios = sorted(a / b for a, b in zip(base, times))
        middle = statistics.median(times)
        print(
            f"{name:24}{1000 * middle:9.1f}{options.batch_size / middle:10.0f}"
            f"{1000 * first[name]:9.0f} ms{statistics.median(ratios):11.3f}"
            f"   {ratios[0]:.2f}-{ratios[-1]:.2f}"
        )


if __name__ == "__main__":
    main()
