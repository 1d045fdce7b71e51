import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans
from contract import GANContract, assert_same, sgd

networks = keras_gans.networks
SOURCE, TARGET = (32, 32, 1), (32, 32, 2)


def images(shape, number, size, seed):
    rng = np.random.default_rng(seed)
    return np.tanh(rng.normal(size=(number, size, *shape))).astype("float32")


def pairs(number=3, size=8, seed=0):
    return images(SOURCE, number, size, seed), images(TARGET, number, size, seed + 1)


class TestPix2Pix(GANContract):
    """Without batch normalisation, whose statistics are each replica's own, and without dropout."""

    def make(self, normalization="instance", dropout=0.0, **kwargs):
        return keras_gans.Pix2Pix(
            networks.unet_generator(
                SOURCE, 2, width=4, max_width=8, dropout=dropout, normalization=normalization
            ),
            networks.patch_discriminator(
                TARGET, SOURCE, receptive_field=16, width=4, normalization=normalization
            ),
            l1_weight=20.0,
            loss=keras_gans.losses.get("least_squares", real_label=0.9),
            **{"seed": 0, **kwargs},
        )

    def batches(self, number=3, size=8):
        return pairs(number, size)

    def generate(self, gan, seed=0):
        return gan.generate(pairs(1, 3)[0][0])

    def test_generate_repeats_itself_from_a_seed(self):
        gan = self.make(ema_decay=0.9, dropout=0.5)
        sources = pairs(1, 3)[0][0]
        made = gan.generate(sources)
        assert made.shape == (3, *TARGET) and made.dtype == np.float32
        assert np.abs(made).max() <= 1.0
        assert_same([made], [gan.generate(sources)])

        noisy = [gan.generate(sources, stochastic=True, seed=seed) for seed in (7, 7, 8)]
        assert_same(noisy[:1], noisy[1:2])
        assert np.abs(noisy[0] - noisy[2]).max() > 1e-3
        assert np.abs(noisy[0] - made).max() > 1e-3
        assert np.abs(gan.generate(sources, stochastic=True) - noisy[0]).max() > 1e-3


def test_the_losses_are_those_of_the_paper():
    gan = TestPix2Pix().make(normalization=None)
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
    source, target = (part[0] for part in pairs(1, 4))
    logs = gan.train_on_batch(source, target, return_dict=True)

    fake = gan.generator(source, training=True).numpy()
    real_logits, fake_logits = (
        gan.discriminator([source, x], training=True).numpy() for x in (target, fake)
    )
    assert real_logits.shape[1] > 1  # a map
    half = 0.5 * 0.5 * (((real_logits - 0.9) ** 2).mean() + (fake_logits**2).mean())
    assert float(logs["discriminator_loss"]) == pytest.approx(half, rel=1e-5)
    fooled = 0.5 * ((fake_logits - 1) ** 2).mean()
    assert float(logs["generator_loss"]) == pytest.approx(fooled, rel=1e-5)
    assert float(logs["l1_loss"]) == pytest.approx(20 * np.abs(target - fake).mean(), rel=1e-5)


def test_one_generator_pass_serves_both_steps():
    gan = TestPix2Pix().make()
    gan.compile(run_eagerly=True)
    calls, call = {"generator": 0, "discriminator": 0}, {}
    for name in calls:
        network = getattr(gan, name)
        call[name] = network.call

        def counting(*args, name=name, **kwargs):
            calls[name] += 1
            return call[name](*args, **kwargs)

        network.call = counting
    gan.train_on_batch(*(part[0] for part in pairs(1, 2)))
    assert calls == {"generator": 1, "discriminator": 3}


def test_the_generator_learns_from_the_discriminator_after_its_step():
    """By hand: the same losses and the same two steps of gradient descent."""
    gan, twin = (TestPix2Pix().make() for _ in range(2))
    twin.set_weights(gan.get_weights())
    gan.compile(sgd(), sgd())
    source, target = (tf.constant(part[0]) for part in pairs(1, 4))
    gan.train_on_batch(source.numpy(), target.numpy())

    loss = keras_gans.losses.get("least_squares", real_label=0.9)
    with tf.GradientTape(persistent=True) as tape:
        fake = twin.generator(source, training=True)
        logits = [twin.discriminator([source, x], training=True) for x in (target, fake)]
        halved = 0.5 * tf.reduce_mean(loss.discriminator(*logits))
    for v, g in zip(
        twin.discriminator.trainable_variables,
        tape.gradient(halved, twin.discriminator.trainable_variables),
    ):
        v.assign_sub(0.05 * g)
    with tape:
        logits = twin.discriminator([source, fake], training=True)
        total = tf.reduce_mean(loss.generator(logits))
        total += 20.0 * tf.reduce_mean(tf.abs(target - fake))
    for v, g in zip(
        twin.generator.trainable_variables,
        tape.gradient(total, twin.generator.trainable_variables),
    ):
        v.assign_sub(0.05 * g)
    assert_same(gan.get_weights(), twin.get_weights(), atol=1e-5)


def test_it_learns_to_invert_images():
    keras.utils.set_random_seed(0)
    shape = (32, 32, 1)
    gan = keras_gans.Pix2Pix(
        networks.unet_generator(shape, width=8, max_width=16, dropout=0.0),
        networks.patch_discriminator(shape, shape, receptive_field=16, width=8),
        seed=0,
    )
    gan.compile(keras.optimizers.Adam(1e-2, beta_1=0.5))
    blocks = np.random.default_rng(0).uniform(-1, 1, (64, 4, 4, 1)).repeat(8, 1).repeat(8, 2)
    sources = blocks.astype("float32")
    before = np.abs(gan.generate(sources) + sources).mean()
    gan.fit(sources, -sources, batch_size=8, epochs=6, verbose=0)
    assert np.abs(gan.generate(sources) + sources).mean() < 0.35 * before


def test_its_largest_weight_is_that_of_the_l1_term():
    # A gradient of 105 in the first steps of a healthy training is none too large for it.
    gan = TestPix2Pix().make()
    assert gan.largest_weight == 20.0
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
    health = keras_gans.callbacks.TrainingHealth(every=1, warmup=0)
    source, target = (part[0] for part in pairs(1, 4))
    gan.fit(source, target, verbose=0, callbacks=[health])
    norm = health.statistics["generator_gradient_norm"]
    assert not health.messages and 0 < norm < 2000


def test_compare_shows_source_made_and_target():
    gan = TestPix2Pix().make()
    source, target = (part[0] for part in pairs(1, 3))
    columns = gan.compare(source, target)
    assert_same(columns, [source, gan.generate(source), target])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (lambda s, t: (s,), "pairs `\\(source, target\\)`.*1 element"),
        (lambda s, t: (t, s), "Expected \\(batch, 32, 32, 1\\).*32, 32, 2"),
        (lambda s, t: (s, t[:, :16]), "Expected \\(batch, 32, 32, 2\\)"),
        (lambda s, t: (s, (t * 127).astype("int32")), "floats in \\[-1, 1\\].*int32"),
        (lambda s, t: (s, 200 * t), "out of range"),
        (lambda s, t: (s / 0, t), "out of range"),
    ],
)
def test_data_that_do_not_fit_are_refused(arguments, message):
    gan = TestPix2Pix().make()
    gan.compile()
    with np.errstate(all="ignore"):
        given = arguments(*(part[0] for part in pairs(1, 4)))
    with pytest.raises(ValueError, match=message):
        gan.fit(*given, verbose=0)


@pytest.mark.parametrize(
    ("sources", "options", "message"),
    [
        (np.zeros((3, 32, 32, 2)), {}, "do not fit the generator.*\\(number, 32, 32, 1\\)"),
        (np.zeros((32, 32, 1)), {}, "do not fit the generator"),
        (np.zeros((0, 32, 32, 1)), {}, "do not fit the generator"),
        (np.zeros((1, 32, 32, 1), "uint8"), {}, "from_uint8.*uint8"),
        (np.full((1, 32, 32, 1), 255.0), {}, "out of range"),
        (np.zeros((1, 32, 32, 1)), {"seed": 3}, "stochastic=True.*seed=3"),
        (np.zeros((1, 32, 32, 1)), {"batch_size": 0}, "batch_size=0"),
    ],
)
def test_generate_refuses(sources, options, message):
    with pytest.raises(ValueError, match=message):
        TestPix2Pix().make().generate(sources, **options)


def test_a_generator_without_dropout_has_no_noise():
    with pytest.raises(ValueError, match="SeededDropout"):
        TestPix2Pix().make().generate(np.zeros((1, *SOURCE)), stochastic=True, seed=0)


def test_networks_that_do_not_fit_are_refused():
    generator = networks.unet_generator(SOURCE, 2, width=2, max_width=2)
    options = {"receptive_field": 16, "width": 2}
    fitting = networks.patch_discriminator(TARGET, SOURCE, **options)
    with pytest.raises(ValueError, match="must take `\\[sources, images\\]`.*condition_shape"):
        keras_gans.Pix2Pix(generator, networks.patch_discriminator(TARGET, **options))
    with pytest.raises(ValueError, match="must take `\\[sources, images\\]`"):
        keras_gans.Pix2Pix(generator, networks.patch_discriminator(TARGET, TARGET, **options))
    with pytest.raises(ValueError, match="must be image-to-image"):
        keras_gans.Pix2Pix(networks.dcgan_generator((32, 32, 2), width=2), fitting)
    with pytest.raises(ValueError, match="l1_weight=-1"):
        keras_gans.Pix2Pix(generator, fitting, l1_weight=-1)
