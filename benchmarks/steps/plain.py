"""Each algorithm as a plain loop in TensorFlow: the order of our `train_step` and nothing else.

A bare `tf.function` on our networks, without Keras' loop, metrics, training statistics and checks:
the difference in time is what the library costs.
"""

import cases
import keras
import tensorflow as tf


def adam(network, rate=2e-4, beta_1=0.5, beta_2=0.999):
    return ready(keras.optimizers.Adam(rate, beta_1, beta_2), network.trainable_variables)


def rmsprop(network):
    return ready(keras.optimizers.RMSprop(5e-5), network.trainable_variables)


def ready(optimizer, variables):
    optimizer.build(variables)
    return optimizer


def latents(like, generator):
    return normal((tf.shape(like)[0], generator.inputs[0].shape[1]))


def normal(shape):
    return tf.random.normal(shape)


def uniform(shape):
    return tf.random.uniform(shape)


def move(optimizer, tape, loss, variables):
    optimizer.apply(tape.gradient(loss, variables), variables)


def cross_entropy(logits, label):
    labels = tf.fill(tf.shape(logits), label)
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits))


def told_apart(real_logits, fake_logits):
    return cross_entropy(real_logits, 1.0) + cross_entropy(fake_logits, 0.0)


def class_loss(labels, class_logits):
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=class_logits)
    )


def square(scores, label):
    return tf.reduce_mean((scores - label) ** 2)


def l1(first, second):
    return tf.reduce_mean(tf.abs(first - second))


def gan(generator, discriminator):
    generator_optimizer, discriminator_optimizer = adam(generator), adam(discriminator)

    def step(real):
        fake = generator(latents(real, generator), training=True)
        with tf.GradientTape() as tape:
            loss = told_apart(
                discriminator(real, training=True), discriminator(fake, training=True)
            )
        move(discriminator_optimizer, tape, loss, discriminator.trainable_variables)

        new = latents(real, generator)
        with tf.GradientTape() as tape:
            fake = generator(new, training=True)
            loss = cross_entropy(discriminator(fake, training=True), 1.0)
        move(generator_optimizer, tape, loss, generator.trainable_variables)

    return step


def dcgan(generator, discriminator):
    generator_optimizer, discriminator_optimizer = adam(generator), adam(discriminator)

    def step(real):
        generator_tape = tf.GradientTape()
        with generator_tape:
            fake = generator(latents(real, generator), training=True)
        with tf.GradientTape() as tape:
            loss = told_apart(
                discriminator(real, training=True), discriminator(fake, training=True)
            )
        move(discriminator_optimizer, tape, loss, discriminator.trainable_variables)
        with generator_tape:
            loss = cross_entropy(discriminator(fake, training=True), 1.0)
        move(generator_optimizer, generator_tape, loss, generator.trainable_variables)

    return step


def wgan(generator, critic):
    generator_optimizer, critic_optimizer = rmsprop(generator), rmsprop(critic)

    def step(batch):
        for real in tf.split(batch, cases.CRITIC_STEPS):
            fake = generator(latents(real, generator), training=True)
            with tf.GradientTape() as tape:
                scores = critic(real, training=True), critic(fake, training=True)
                loss = tf.reduce_mean(scores[1]) - tf.reduce_mean(scores[0])
            move(critic_optimizer, tape, loss, critic.trainable_variables)
            for weight in critic.trainable_variables:
                weight.assign(tf.clip_by_value(weight, -0.01, 0.01))
        new = latents(real, generator)
        with tf.GradientTape() as tape:
            loss = -tf.reduce_mean(critic(generator(new, training=True), training=True))
        move(generator_optimizer, tape, loss, generator.trainable_variables)

    return step


def wgan_gp(generator, critic):
    generator_optimizer, critic_optimizer = (
        adam(network, 1e-4, 0.0, 0.9) for network in (generator, critic)
    )

    def step(batch):
        for real in tf.split(batch, cases.CRITIC_STEPS):
            fake = generator(latents(real, generator), training=True)
            with tf.GradientTape() as tape:
                penalty = gradient_penalty(critic, real, fake)
                scores = critic(real, training=True), critic(fake, training=True)
                loss = tf.reduce_mean(scores[1]) - tf.reduce_mean(scores[0]) + 10.0 * penalty
            move(critic_optimizer, tape, loss, critic.trainable_variables)
        new = latents(real, generator)
        with tf.GradientTape() as tape:
            loss = -tf.reduce_mean(critic(generator(new, training=True), training=True))
        move(generator_optimizer, tape, loss, generator.trainable_variables)

    return step


def gradient_penalty(critic, real, fake):
    mix = uniform((tf.shape(real)[0], 1, 1, 1))
    between = mix * real + (1.0 - mix) * fake
    with tf.GradientTape() as tape:
        tape.watch(between)
        scores = critic(between, training=True)
    slopes = tape.gradient(scores, between)
    norms = tf.sqrt(tf.reduce_sum(slopes**2, axis=(1, 2, 3)) + 1e-12)
    return tf.reduce_mean((norms - 1.0) ** 2)


def conditional_gan(generator, discriminator):
    generator_optimizer, discriminator_optimizer = adam(generator), adam(discriminator)

    def step(real, labels):
        generator_tape = tf.GradientTape()
        with generator_tape:
            fake = generator([latents(real, generator), labels], training=True)
        with tf.GradientTape() as tape:
            real_logits = discriminator([real, labels], training=True)
            fake_logits = discriminator([fake, labels], training=True)
            loss = told_apart(real_logits, fake_logits)
        move(discriminator_optimizer, tape, loss, discriminator.trainable_variables)
        with generator_tape:
            loss = cross_entropy(discriminator([fake, labels], training=True), 1.0)
        move(generator_optimizer, generator_tape, loss, generator.trainable_variables)

    return step


def acgan(generator, discriminator):
    generator_optimizer, discriminator_optimizer = adam(generator), adam(discriminator)

    def step(real, labels):
        generator_tape = tf.GradientTape()
        with generator_tape:
            fake = generator([latents(real, generator), labels], training=True)
        with tf.GradientTape() as tape:
            real_logits, real_classes = discriminator(real, training=True)
            fake_logits, fake_classes = discriminator(fake, training=True)
            loss = told_apart(real_logits, fake_logits)
            loss += class_loss(labels, real_classes) + class_loss(labels, fake_classes)
        move(discriminator_optimizer, tape, loss, discriminator.trainable_variables)
        with generator_tape:
            fake_logits, fake_classes = discriminator(fake, training=True)
            loss = cross_entropy(fake_logits, 1.0) + class_loss(labels, fake_classes)
        move(generator_optimizer, generator_tape, loss, generator.trainable_variables)

    return step


def pix2pix(generator, discriminator):
    generator_optimizer, discriminator_optimizer = adam(generator), adam(discriminator)

    def step(source, target):
        generator_tape = tf.GradientTape()
        with generator_tape:
            fake = generator(source, training=True)
        with tf.GradientTape() as tape:
            real_logits = discriminator([source, target], training=True)
            fake_logits = discriminator([source, fake], training=True)
            loss = 0.5 * told_apart(real_logits, fake_logits)
        move(discriminator_optimizer, tape, loss, discriminator.trainable_variables)
        with generator_tape:
            loss = cross_entropy(discriminator([source, fake], training=True), 1.0)
            loss += 100.0 * l1(target, fake)
        move(generator_optimizer, generator_tape, loss, generator.trainable_variables)

    return step


class Pool:
    """The last 50 images made; a coin decides whether a new one or an old one is shown."""

    def __init__(self, shape, size=50):
        self.images = tf.Variable(tf.zeros((size, *shape)), trainable=False)
        self.count = tf.Variable(0, trainable=False)

    def __call__(self, fresh):
        return tf.stack([self._one(image) for image in tf.unstack(fresh)])

    def _one(self, image):
        size = self.images.shape[0]
        filling = self.count < size
        drawn = tf.random.uniform((), 0, size, "int32")
        place = tf.minimum(tf.where(filling, self.count, drawn), size - 1)
        if not filling and tf.random.uniform(()) < 0.5:
            return image
        shown = tf.where(filling, image, self.images[place])
        self.images.scatter_nd_update([[place]], image[None])
        self.count.assign(tf.minimum(self.count + 1, size))
        return shown


def cyclegan(to_y, to_x, judge_y, judge_x):
    generators = to_y.trainable_variables + to_x.trainable_variables
    judges = judge_y.trainable_variables + judge_x.trainable_variables
    generator_optimizer, judge_optimizer = (
        ready(keras.optimizers.Adam(2e-4, 0.5), side) for side in (generators, judges)
    )
    pool_y, pool_x = Pool(to_y.output_shape[1:]), Pool(to_x.output_shape[1:])

    def step(x, y):
        with tf.GradientTape() as tape:
            fake_y, fake_x = to_y(x, training=True), to_x(y, training=True)
            loss = square(judge_y(fake_y, training=True), 1.0)
            loss += square(judge_x(fake_x, training=True), 1.0)
            cycled = l1(to_x(fake_y, training=True), x) + l1(to_y(fake_x, training=True), y)
            same = l1(to_y(y, training=True), y) + l1(to_x(x, training=True), x)
            loss += 10.0 * cycled + 5.0 * same
        move(generator_optimizer, tape, loss, generators)

        old_y, old_x = pool_y(fake_y), pool_x(fake_x)
        with tf.GradientTape() as tape:
            loss = 0.0
            for judge, real, old in ((judge_y, y, old_y), (judge_x, x, old_x)):
                loss += 0.5 * square(judge(real, training=True), 1.0)
                loss += 0.5 * square(judge(old, training=True), 0.0)
        move(judge_optimizer, tape, loss, judges)

    return step


STEPS = {f.__name__: f for f in (gan, dcgan, wgan, wgan_gp, conditional_gan, acgan)}
STEPS |= {f.__name__: f for f in (pix2pix, cyclegan)}


def loop(case, steps=STEPS):
    """A function that takes a step on every batch of a dataset."""
    step = tf.function(steps[case["method"]](*cases.build(case)))

    def run(dataset):
        for batch in dataset:
            step(*batch)

    return run
