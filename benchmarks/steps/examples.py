"""The order of operations of the official examples, on our networks.

keras.io, trained by `fit`:

- "DCGAN to generate face images" and the guide "Customizing what happens in `fit()`": real and
  generated images go through the discriminator as one batch, and the generator's step draws anew
  and passes again. `ConditionalGAN` there does the same, beside labels. No example of `ACGAN` is
  left; ours adds the class's loss to that order. Their noise on labels is left out.
- "WGAN-GP": five critic steps on one and the same batch, the generator's pass on the critic's
  tape. There is no example of `WGAN`; ours clips weights where that one has its penalty.
- "CycleGAN": one persistent tape over everything, four gradients, four optimizers, no pools, and
  each generator learns from the end of one cycle alone, which saves a backward pass through the
  other generator: less work, and another algorithm.

tensorflow.org, bare functions:

- "pix2pix": both gradients from one pass, before either side has moved. Another algorithm: its
  generator learns from the discriminator of the step before.
- "CycleGAN": as that of keras.io, but each generator learns from both cycles.
"""

import cases
import keras
import plain
import tensorflow as tf
from plain import adam, class_loss, cross_entropy, l1, latents, move, square, told_apart


class Example(keras.Model):
    """What the examples share: two networks, two optimizers, and a mean of each loss."""

    def __init__(self, generator, discriminator):
        super().__init__()
        self.generator, self.discriminator = generator, discriminator

    def compile(self, generator_optimizer, discriminator_optimizer):
        super().compile()
        self.g_optimizer, self.d_optimizer = generator_optimizer, discriminator_optimizer
        self.g_loss = keras.metrics.Mean(name="g_loss")
        self.d_loss = keras.metrics.Mean(name="d_loss")

    @property
    def metrics(self):
        return [self.d_loss, self.g_loss]

    def logs(self, d_loss, g_loss):
        self.d_loss.update_state(d_loss)
        self.g_loss.update_state(g_loss)
        return {"d_loss": self.d_loss.result(), "g_loss": self.g_loss.result()}


class DCGAN(Example):
    """Also of `GAN`: the networks differ, the order does not."""

    def train_step(self, real):
        (real,) = real
        number = tf.shape(real)[0]
        fake = self.generator(latents(real, self.generator), training=True)
        both = tf.concat([fake, real], axis=0)
        labels = tf.concat([tf.zeros((number, 1)), tf.ones((number, 1))], axis=0)
        with tf.GradientTape() as tape:
            d_loss = binary_cross_entropy(labels, self.discriminator(both, training=True))
        move(self.d_optimizer, tape, d_loss, self.discriminator.trainable_weights)

        new, misleading = latents(real, self.generator), tf.ones((number, 1))
        with tf.GradientTape() as tape:
            predictions = self.discriminator(self.generator(new, training=True), training=True)
            g_loss = binary_cross_entropy(misleading, predictions)
        move(self.g_optimizer, tape, g_loss, self.generator.trainable_weights)
        return self.logs(d_loss, g_loss)


class ConditionalGAN(Example):
    def train_step(self, data):
        real, classes = data
        number, twice = tf.shape(real)[0], tf.concat([classes, classes], axis=0)
        fake = self.generator([latents(real, self.generator), classes], training=True)
        both = tf.concat([fake, real], axis=0)
        labels = tf.concat([tf.zeros((number, 1)), tf.ones((number, 1))], axis=0)
        with tf.GradientTape() as tape:
            predictions = self.discriminator([both, twice], training=True)
            d_loss = binary_cross_entropy(labels, predictions)
        move(self.d_optimizer, tape, d_loss, self.discriminator.trainable_weights)

        new, misleading = latents(real, self.generator), tf.ones((number, 1))
        with tf.GradientTape() as tape:
            fake = self.generator([new, classes], training=True)
            predictions = self.discriminator([fake, classes], training=True)
            g_loss = binary_cross_entropy(misleading, predictions)
        move(self.g_optimizer, tape, g_loss, self.generator.trainable_weights)
        return self.logs(d_loss, g_loss)


class ACGAN(Example):
    def train_step(self, data):
        real, classes = data
        number, twice = tf.shape(real)[0], tf.concat([classes, classes], axis=0)
        fake = self.generator([latents(real, self.generator), classes], training=True)
        both = tf.concat([fake, real], axis=0)
        labels = tf.concat([tf.zeros((number, 1)), tf.ones((number, 1))], axis=0)
        with tf.GradientTape() as tape:
            predictions, class_logits = self.discriminator(both, training=True)
            # Of means over both batches; ours adds the means of each.
            d_loss = binary_cross_entropy(labels, predictions) + class_loss(twice, class_logits)
        move(self.d_optimizer, tape, d_loss, self.discriminator.trainable_weights)

        new, misleading = latents(real, self.generator), tf.ones((number, 1))
        with tf.GradientTape() as tape:
            fake = self.generator([new, classes], training=True)
            predictions, class_logits = self.discriminator(fake, training=True)
            g_loss = binary_cross_entropy(misleading, predictions)
            g_loss += class_loss(classes, class_logits)
        move(self.g_optimizer, tape, g_loss, self.generator.trainable_weights)
        return self.logs(d_loss, g_loss)


class WGAN(Example):
    """On the first of the parts that ours cuts a batch into: as many images for each step."""

    def train_step(self, batch):
        (batch,) = batch
        real = tf.split(batch, cases.CRITIC_STEPS)[0]
        for _ in range(cases.CRITIC_STEPS):
            new = latents(real, self.generator)
            with tf.GradientTape() as tape:
                fake = self.generator(new, training=True)
                fake_scores = self.discriminator(fake, training=True)
                real_scores = self.discriminator(real, training=True)
                d_loss = tf.reduce_mean(fake_scores) - tf.reduce_mean(real_scores)
                d_loss += self.penalty(real, fake)
            move(self.d_optimizer, tape, d_loss, self.discriminator.trainable_variables)
            self.clip()

        new = latents(real, self.generator)
        with tf.GradientTape() as tape:
            fake = self.generator(new, training=True)
            g_loss = -tf.reduce_mean(self.discriminator(fake, training=True))
        move(self.g_optimizer, tape, g_loss, self.generator.trainable_variables)
        return self.logs(d_loss, g_loss)

    def penalty(self, real, fake):
        return 0.0

    def clip(self):
        for weight in self.discriminator.trainable_variables:
            weight.assign(tf.clip_by_value(weight, -0.01, 0.01))


class WGANGP(WGAN):
    def penalty(self, real, fake):
        return 10.0 * plain.gradient_penalty(self.discriminator, real, fake)

    def clip(self):
        pass


def binary_cross_entropy(labels, logits):
    return keras.losses.BinaryCrossentropy(from_logits=True)(labels, logits)


class CycleGAN(keras.Model):
    def __init__(self, *networks):
        super().__init__()
        self.to_y, self.to_x, self.judge_y, self.judge_x = self.everyone = networks

    def compile(self):
        super().compile()
        self.optimizers = [adam(network) for network in self.everyone]

    def train_step(self, data):
        losses = cyclegan_step(*data, self.everyone, self.optimizers, both_cycles=False)
        return dict(zip(("G_loss", "F_loss", "D_Y_loss", "D_X_loss"), losses))


def cyclegan_step(x, y, everyone, optimizers, both_cycles):
    """One step of CycleGAN, of keras.io or of tensorflow.org."""
    to_y, to_x, judge_y, judge_x = everyone
    with tf.GradientTape(persistent=True) as tape:
        fake_y, fake_x = to_y(x, training=True), to_x(y, training=True)
        cycled_x, cycled_y = to_x(fake_y, training=True), to_y(fake_x, training=True)
        same_x, same_y = to_x(x, training=True), to_y(y, training=True)
        real_x_scores, fake_x_scores = judge_x(x, training=True), judge_x(fake_x, training=True)
        real_y_scores, fake_y_scores = judge_y(y, training=True), judge_y(fake_y, training=True)
        of_y, of_x = 10.0 * l1(cycled_y, y), 10.0 * l1(cycled_x, x)
        if both_cycles:
            of_y = of_x = of_y + of_x
        losses = [
            square(fake_y_scores, 1.0) + of_y + 5.0 * l1(same_y, y),
            square(fake_x_scores, 1.0) + of_x + 5.0 * l1(same_x, x),
            0.5 * (square(real_y_scores, 1.0) + square(fake_y_scores, 0.0)),
            0.5 * (square(real_x_scores, 1.0) + square(fake_x_scores, 0.0)),
        ]
    sides = [network.trainable_variables for network in everyone]
    gradients = [tape.gradient(loss, side) for loss, side in zip(losses, sides)]
    for optimizer, gradient, side in zip(optimizers, gradients, sides):
        optimizer.apply(gradient, side)
    return losses


def tutorial_pix2pix(generator, discriminator):
    generator_optimizer, discriminator_optimizer = adam(generator), adam(discriminator)

    def step(source, target):
        with tf.GradientTape() as generator_tape, tf.GradientTape() as discriminator_tape:
            fake = generator(source, training=True)
            real_logits = discriminator([source, target], training=True)
            fake_logits = discriminator([source, fake], training=True)
            loss = cross_entropy(fake_logits, 1.0) + 100.0 * l1(target, fake)
            judged = 0.5 * told_apart(real_logits, fake_logits)
        variables, judging = generator.trainable_variables, discriminator.trainable_variables
        gradients = generator_tape.gradient(loss, variables)
        judging_gradients = discriminator_tape.gradient(judged, judging)
        generator_optimizer.apply(gradients, variables)
        discriminator_optimizer.apply(judging_gradients, judging)

    return step


def tutorial_cyclegan(*everyone):
    optimizers = [adam(network) for network in everyone]

    def step(x, y):
        cyclegan_step(x, y, everyone, optimizers, both_cycles=True)

    return step


TUTORIALS = {"pix2pix": tutorial_pix2pix, "cyclegan": tutorial_cyclegan}
EXAMPLES = {"gan": DCGAN, "dcgan": DCGAN, "wgan": WGAN, "wgan_gp": WGANGP}
EXAMPLES |= {"conditional_gan": ConditionalGAN, "acgan": ACGAN, "cyclegan": CycleGAN}
RATES = {"wgan_gp": (1e-4, 0.0, 0.9)}


def tutorial(case):
    return plain.loop(case, TUTORIALS)


def example(case):
    """Trained by `fit`."""
    method, everyone = case["method"], cases.build(case)
    model = EXAMPLES[method](*everyone)
    if method == "cyclegan":
        model.compile()
    elif method == "wgan":
        model.compile(*(plain.rmsprop(network) for network in everyone))
    else:
        model.compile(*(adam(network, *RATES.get(method, ())) for network in everyone))
    return lambda dataset: model.fit(dataset, shuffle=False, verbose=0)
