import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans
from contract import GANContract, assert_same, sgd

networks = keras_gans.networks
SHAPE = (8, 8, 1)


def refiner(shape=SHAPE):
    return networks.refiner(shape, width=4, blocks=1)


def judge(shape=SHAPE):
    return networks.patch_discriminator(shape, receptive_field=1, width=4, normalization=None)


def domains(number=3, size=8, shape=SHAPE):
    """Dark synthetic images and bright real ones."""
    rng = np.random.default_rng(0)
    return tuple(
        np.tanh(rng.normal(mean, 1.0, size=(number, size, *shape))).astype("float32")
        for mean in (-1.0, 1.0)
    )


class TestSimGAN(GANContract):
    parts = 2  # half of what the discriminator sees is from the pool

    def make(self, **kwargs):
        keras.utils.set_random_seed(0)
        options = {"regularization_weight": 3.0, "refiner_steps": 1, "pool_size": 5, "seed": 0}
        options |= {"loss": "least_squares", **kwargs}
        return keras_gans.SimGAN(refiner(), judge(), **options)

    def batches(self, number=3, size=8):
        return domains(number, size)

    def generate(self, gan, seed=0):
        return gan.generate(domains(1, 3)[0][0])

    def test_generate_repeats_itself_from_a_seed(self):
        """It takes images and no seed: they are refined, each by itself."""
        gan = self.make(ema_decay=0.9)
        synthetic, real = (part[0] for part in domains(1, 3))
        refined = gan.generate(synthetic)
        assert refined.dtype == np.float32 and np.abs(refined).max() <= 1.0
        assert_same([refined], [gan.ema_generator(synthetic).numpy()])
        assert_same(gan.compare(synthetic, real), [synthetic, refined, real])


def test_a_step_is_that_of_algorithm_1():
    """By hand: K_g = 2 steps of the refiner, then one of the discriminator (equations 1 and 4)."""
    gan, twin = (
        TestSimGAN().make(loss="non_saturating", refiner_steps=2, pool_size=0) for _ in "ab"
    )
    gan.compile(sgd(), sgd(), run_eagerly=True)
    synthetic, real = (part[0] for part in domains(1, 4))
    logs = gan.train_on_batch(synthetic, real, return_dict=True)

    refine, judged = twin.generator, twin.discriminator

    def descend(network, loss, tape):
        variables = network.trainable_variables
        for variable, gradient in zip(variables, tape.gradient(loss, variables)):
            variable.assign_sub(0.05 * gradient)

    parts = []
    for x in (synthetic[:2], synthetic[2:]):
        with tf.GradientTape() as tape:
            # The paper's D is the probability of a refined image, so 1 - D is sigmoid(logit).
            fooled = -tf.reduce_mean(tf.math.log(tf.sigmoid(judged(refine(x)))))
            kept = 3.0 * tf.reduce_mean(tf.abs(refine(x) - x))
            loss = fooled + kept
        descend(refine, loss, tape)
        parts.append((float(fooled), float(kept)))
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(tf.math.log(1.0 - tf.sigmoid(judged(refine(synthetic)))))
        loss -= tf.reduce_mean(tf.math.log(tf.sigmoid(judged(real))))
    descend(judged, loss, tape)

    fooled, kept = np.mean(parts, axis=0)
    assert logs["generator_loss"] == pytest.approx(fooled, rel=1e-4)
    assert logs["regularization_loss"] == pytest.approx(kept, rel=1e-4)
    assert logs["discriminator_loss"] == pytest.approx(float(loss), rel=1e-4)
    for a, b in zip(gan.get_weights(), twin.get_weights()):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_half_of_what_the_discriminator_sees_is_of_earlier_steps():
    gan = TestSimGAN().make(pool_size=4)

    def shown(step):
        """What comes back of a batch of 8 whose image i is filled with step + i / 10."""
        values = step + np.arange(8, dtype="float32") / 10
        images = np.broadcast_to(values[:, None, None, None], (8, *SHAPE))
        made = gan.half_from_pool(tf.constant(images)).numpy()
        assert (made == made[:, :1, :1]).all()
        return np.rint(10 * made[:, 0, 0, 0]).astype(int).tolist()

    assert shown(0) == [0, 1, 2, 3, 4, 5, 6, 7]  # fills the pool
    assert gan.pool.count.numpy() == 4
    first = shown(1)
    assert first[:4] == [10, 11, 12, 13]
    pool = np.rint(10 * gan.pool.images.numpy()[:, 0, 0, 0]).astype(int)
    # One half is new; of the other, each image took the place of the one that came back for it.
    assert sorted([*first[4:], *pool]) == [4, 5, 6, 7, 14, 15, 16, 17]
    assert set(first[4:]) & {4, 5, 6, 7} and set(pool) & {14, 15, 16, 17}


def test_a_refined_image_stays_as_near_as_the_weight_says():
    distances = []
    for weight in (0.0, 100.0):
        gan = TestSimGAN().make(regularization_weight=weight, loss="non_saturating")
        gan.compile(*(keras.optimizers.Adam(0.01) for _ in "gd"))
        synthetic, real = domains(30, 8)
        gan.fit(*(x.reshape(-1, *SHAPE) for x in (synthetic, real)), batch_size=8, verbose=0)
        distances.append(np.abs(gan.generate(synthetic[0]) - synthetic[0]).mean())
    assert distances[1] < 0.5 * distances[0]


def enlarging():
    return networks.resnet_generator((16, 16, 1), 3, width=4, blocks=1)


@pytest.mark.parametrize(
    "parts, options, message",
    [
        (
            lambda: (networks.mlp_generator(SHAPE, 4), judge()),
            {},
            "refiner must be image-to-image",
        ),
        (lambda: (enlarging(), judge()), {}, r"one shape.*\(16, 16, 1\) to \(16, 16, 3\)"),
        (
            lambda: (refiner(), judge((16, 16, 1))),
            {},
            "takes images of another shape",
        ),
        (
            lambda: (
                refiner(),
                networks.patch_discriminator(SHAPE, SHAPE, receptive_field=1, width=4),
            ),
            {},
            "must take `images`",
        ),
        (None, {"regularization_weight": -1}, "regularization_weight=-1"),
        (None, {"refiner_steps": 0}, "refiner_steps=0"),
        (None, {"discriminator_steps": 1.5}, "discriminator_steps=1.5"),
        (None, {"pool_size": -1}, "size=-1"),
        (None, {"loss": "relativistic_pairing"}, "relativistic.*Expected a loss such as"),
    ],
)
def test_what_is_no_simgan(parts, options, message):
    with pytest.raises(ValueError, match=message):
        keras_gans.SimGAN(*(parts or (lambda: (refiner(), judge())))(), **options)


@pytest.mark.parametrize(
    "data, options, message",
    [
        (lambda: domains(1, 8)[:1], {}, r"pairs `\(source, target\)`.*load_domains"),
        (lambda: domains(1, 8), {"refiner_steps": 3}, "multiple of 3.*a batch of 8"),
        (lambda: domains(1, 8), {"discriminator_steps": 5}, "multiple of 5.*a batch of 8"),
        (lambda: [3 * part for part in domains(1, 8)], {}, "out of range"),
    ],
)
def test_data_that_cannot_be_trained_on(data, options, message):
    gan = TestSimGAN().make(**options)
    gan.compile()
    with pytest.raises(ValueError, match=message):
        gan.fit(*(part[0] for part in data()), batch_size=8, verbose=0)


def test_the_refiner_has_no_strides_and_sees_what_is_near():
    network = networks.refiner((None, None, 2), width=4, blocks=2)
    assert network(np.zeros((1, 9, 13, 2))).shape == (1, 9, 13, 2)
    assert networks.receptive_radius(network) == 5
    # 3x3 and 1x1 kernels with biases.
    assert network.count_params() == (9 * 2 + 1) * 4 + 4 * (9 * 4 + 1) * 4 + (4 + 1) * 2


@pytest.mark.parametrize("options", [{"width": 0}, {"blocks": 0}, {"image_shape": (8, None, 1)}])
def test_refiners_that_cannot_be_built(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        networks.refiner(**{"image_shape": SHAPE, **options})
