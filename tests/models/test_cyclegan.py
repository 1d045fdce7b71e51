import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans
from contract import GANContract, assert_same, sgd

networks = keras_gans.networks
X, Y = (16, 16, 2), (16, 16, 2)


def images(shape, number, size, seed):
    rng = np.random.default_rng(seed)
    return np.tanh(rng.normal(size=(number, size, *shape))).astype("float32")


def domains(number=3, size=8, x=X, y=Y):
    return images(x, number, size, 0), images(y, number, size, 1)


def parts(x=X, y=Y, normalization="instance"):
    def translator(source, target):
        return networks.resnet_generator(
            source, target[-1], width=4, blocks=1, normalization=normalization
        )

    def judge(shape):
        return networks.patch_discriminator(
            shape, receptive_field=16, width=4, normalization=normalization
        )

    return translator(x, y), translator(y, x), judge(y), judge(x)


class TestCycleGAN(GANContract):
    normalization = "instance"

    def make(self, x=X, y=Y, **kwargs):
        keras.utils.set_random_seed(0)
        defaults = {"seed": 0, "cycle_weight": 7.0, "identity_weight": 2.0, "pool_size": 3}
        return keras_gans.CycleGAN(*parts(x, y, self.normalization), **{**defaults, **kwargs})

    def batches(self, number=3, size=8):
        return domains(number, size)

    def generate(self, gan, seed=0):
        return gan.generate(domains(1, 3)[0][0])

    def test_one_replica_and_two_agree(self, two_replicas, tmp_path):
        # Without normalization, which divides by standard deviations near 0 and so enlarges
        # rounding.
        Plain().test_one_replica_and_two_agree(two_replicas, tmp_path)

    def test_generate_repeats_itself_from_a_seed(self):
        gan = self.make(ema_decay=0.9)
        xs, ys = (part[0] for part in domains(1, 3))
        there, back = gan.generate(xs), gan.generate(ys, backward=True)
        assert there.shape == back.shape == (3, 16, 16, 2) and there.dtype == np.float32
        assert np.abs(there).max() <= 1.0
        assert_same([there], [gan.ema_generator(xs).numpy()])
        assert_same([back], [gan.ema_backward_generator(ys).numpy()])


class Plain(TestCycleGAN):
    normalization = None

    def test_one_replica_and_two_agree(self, two_replicas, tmp_path):
        GANContract.test_one_replica_and_two_agree(self, two_replicas, tmp_path)


def test_the_losses_are_those_of_the_paper():
    gan = TestCycleGAN().make(pool_size=0)
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
    x, y = (part[0] for part in domains(1, 4))
    logs = gan.train_on_batch(x, y, return_dict=True)

    g, f = (
        lambda v, n=n: n(v, training=True).numpy() for n in (gan.generator, gan.backward_generator)
    )
    d_y, d_x = (
        lambda v, n=n: n(v, training=True).numpy()
        for n in (gan.discriminator, gan.backward_discriminator)
    )
    expected = {
        # Zhu 2017, section 4: D's objective is halved, G's is not.
        "discriminator_loss": 0.5 * (((d_y(y) - 1) ** 2).mean() + (d_y(g(x)) ** 2).mean())
        + 0.5 * (((d_x(x) - 1) ** 2).mean() + (d_x(f(y)) ** 2).mean()),
        "generator_loss": ((d_y(g(x)) - 1) ** 2).mean() + ((d_x(f(y)) - 1) ** 2).mean(),
        "cycle_loss": 7.0 * (np.abs(f(g(x)) - x).mean() + np.abs(g(f(y)) - y).mean()),
        "identity_loss": 2.0 * (np.abs(g(y) - y).mean() + np.abs(f(x) - x).mean()),
    }
    assert set(logs) == set(expected)
    for name, value in expected.items():
        assert float(logs[name]) == pytest.approx(value, rel=1e-4), name


def test_both_halves_of_the_cycle_train_both_generators():
    """By hand: one step of gradient descent on the sum of all losses."""
    gan, twin = (TestCycleGAN().make(identity_weight=0.0) for _ in range(2))
    assert gan.tracked == ("discriminator_loss", "generator_loss", "cycle_loss")
    gan.compile(sgd(), keras.optimizers.SGD(0.0))
    x, y = (tf.constant(part[0]) for part in domains(1, 4))
    gan.train_on_batch(x.numpy(), y.numpy())

    g, f = twin.generator, twin.backward_generator
    variables = g.trainable_variables + f.trainable_variables
    with tf.GradientTape() as tape:
        total = tf.reduce_mean((twin.discriminator(g(x)) - 1) ** 2)
        total += tf.reduce_mean((twin.backward_discriminator(f(y)) - 1) ** 2)
        total += 7.0 * tf.reduce_mean(tf.abs(f(g(x)) - x))
        total += 7.0 * tf.reduce_mean(tf.abs(g(f(y)) - y))
    for variable, gradient in zip(variables, tape.gradient(total, variables)):
        variable.assign_sub(0.05 * gradient)
    assert_same(
        [v.numpy() for v in gan.variables_of("generator")],
        [v.numpy() for v in variables],
        atol=1e-5,
    )


def test_the_discriminators_see_the_pool():
    gan = TestCycleGAN().make(pool_size=3)
    gan.compile()
    gan.fit(*(part.reshape(-1, *X) for part in domains(2, 2)), batch_size=2, verbose=0)
    assert gan.pool_y.count.numpy() == gan.pool_x.count.numpy() == 3
    assert np.abs(gan.pool_y.images.numpy()).max(axis=(1, 2, 3)).min() > 0
    assert np.abs(gan.pool_y.images.numpy() - gan.pool_x.images.numpy()).max() > 0


def test_domains_of_unlike_channels_do_without_the_identity():
    x, y = (16, 16, 1), (16, 16, 3)
    with pytest.raises(ValueError, match="identity_weight=0.*identity_weight=2.0"):
        TestCycleGAN().make(x, y)
    gan = TestCycleGAN().make(x, y, identity_weight=0)
    gan.compile()
    xs, ys = domains(1, 4, x, y)
    history = gan.fit(xs[0], ys[0], batch_size=2, verbose=0).history
    assert all(np.isfinite(v).all() for v in history.values())
    assert [c.shape[-1] for c in gan.compare(xs[0], ys[0])] == [1, 3, 1, 3, 1, 3]


def test_compare_shows_both_ways_round():
    gan = TestCycleGAN().make()
    xs, ys = (part[0] for part in domains(1, 2))
    columns = gan.compare(xs, ys)
    made, back = gan.generate(xs), gan.generate(ys, backward=True)
    assert_same(columns[:3], [xs, made, gan.generate(made, backward=True)], atol=1e-6)
    assert_same(columns[3:], [ys, back, gan.generate(back)], atol=1e-6)


def test_networks_that_do_not_fit_are_refused():
    forward, backward, judge_y, judge_x = parts((16, 16, 1), (16, 16, 3))
    with pytest.raises(ValueError, match="discriminator takes images of another shape"):
        keras_gans.CycleGAN(forward, backward, judge_x, judge_y, identity_weight=0)
    with pytest.raises(ValueError, match="are not inverses"):
        keras_gans.CycleGAN(forward, forward, judge_y, judge_y, identity_weight=0)
    for name in ("cycle_weight", "identity_weight"):
        with pytest.raises(ValueError, match=f"{name}=-1"):
            TestCycleGAN().make(**{name: -1})
    with pytest.raises(ValueError, match="size=-1"):
        TestCycleGAN().make(pool_size=-1)
    with pytest.raises(ValueError, match="backward generator must be image-to-image"):
        keras_gans.CycleGAN(
            forward, networks.dcgan_generator((16, 16, 1), width=2), judge_y, judge_x
        )


def test_one_domain_alone_is_refused():
    gan = TestCycleGAN().make()
    gan.compile()
    with pytest.raises(ValueError, match="pairs `\\(source, target\\)`"):
        gan.fit(domains(1, 4)[0][0], verbose=0)
