import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans
from contract import GANContract, sgd
from tiny import SHAPE, images

networks = keras_gans.networks
CODES = {"categorical": (3, 4), "continuous": 2}


def make(**kwargs):
    return keras_gans.InfoGAN(
        networks.mlp_generator(SHAPE, latent_dim=5 + 3 + 4 + 2, width=12),
        networks.infogan_discriminator(
            SHAPE, **CODES, width=4, code_units=6, batch_normalization=False
        ),
        **CODES,
        **kwargs,
    )


class TestInfoGAN(GANContract):
    def make(self, **kwargs):
        options = {"loss": "hinge", "penalties": {"r1_penalty": 0.5}}
        options |= {"categorical_weight": 0.5, "continuous_weight": 0.2}
        return make(**options, **{"seed": 0, **kwargs})

    def batches(self, number=3, size=8):
        return images(number, size)


def test_latents_are_noise_and_codes():
    gan = make(seed=0)
    gan.compile()
    z = gan.latents(tf.zeros((4000, 1))).numpy()
    noise, first, second, continuous = np.split(z, [5, 8, 12], axis=1)
    assert z.shape == (4000, 14)
    np.testing.assert_allclose([noise.mean(), noise.std()], [0.0, 1.0], atol=0.02)
    for codes, k in ((first, 3), (second, 4)):
        assert set(np.unique(codes)) == {0.0, 1.0}
        assert (codes.sum(axis=1) == 1).all()
        np.testing.assert_allclose(codes.mean(axis=0), 1 / k, atol=0.03)
    assert -1 <= continuous.min() < -0.99 and 0.99 < continuous.max() <= 1
    np.testing.assert_allclose(continuous.var(), 1 / 3, atol=0.02)
    # Independent of each other.
    correlations = np.corrcoef(np.hstack([noise, first[:, :1], second[:, :1], continuous]).T)
    assert np.abs(correlations - np.eye(9)).max() < 0.06


def test_the_losses_of_the_codes_worked_out_by_hand():
    gan = make(categorical_weight=0.5, continuous_weight=0.2)
    rng = np.random.default_rng(0)
    z = np.zeros((2, 14), "float32")
    z[0, [5 + 1, 8 + 3]], z[1, [5 + 0, 8 + 2]] = 1, 1
    z[:, 12:] = [[0.5, -1.0], [0.25, 0.75]]
    heads = [rng.normal(size=(2, n)).astype("float32") for n in (3, 4, 2)]
    losses = gan.code_losses(tf.constant(z), [tf.constant(h) for h in heads])

    def minus_log_softmax(row, chosen):
        return np.log(np.exp(row).sum()) - row[chosen]

    for i, (a, b) in enumerate([(1, 3), (0, 2)]):
        right = minus_log_softmax(heads[0][i], a) + minus_log_softmax(heads[1][i], b)
        np.testing.assert_allclose(losses["categorical_loss"][i], 0.5 * right, rtol=1e-5)
        density = np.exp(-0.5 * (z[i, 12:] - heads[2][i]) ** 2) / np.sqrt(2 * np.pi)
        expected = -0.2 * np.log(density).sum()
        np.testing.assert_allclose(losses["continuous_loss"][i], expected, rtol=1e-5)


def test_both_sides_go_down_the_losses_of_the_codes():
    gan = make(seed=0)
    gan.compile(sgd(), sgd(), run_eagerly=True)
    seen, step = {}, gan.step
    gan.step = lambda side, tape, losses: (
        seen.update({side: set(losses)}) or step(side, tape, losses)
    )
    gan.train_on_batch(images(1)[0])
    codes = {"categorical_loss", "continuous_loss"}
    assert seen["discriminator"] == {"discriminator_loss"} | codes
    assert seen["generator"] == {"generator_loss"} | codes


@pytest.mark.parametrize(
    ("codes", "latent_dim", "name"),
    [
        ({"categorical": (3,), "continuous": 0}, 4, "categorical_loss"),
        ({"categorical": (), "continuous": 2}, 3, "continuous_loss"),
    ],
)
def test_one_kind_of_code_alone(codes, latent_dim, name):
    gan = keras_gans.InfoGAN(
        networks.mlp_generator(SHAPE, latent_dim=latent_dim, width=12),
        networks.infogan_discriminator(SHAPE, **codes, width=4),
        **codes,
    )
    gan.compile()
    logs = gan.train_on_batch(images(1)[0], return_dict=True)
    assert set(logs) == {"discriminator_loss", "generator_loss", name}
    assert gan.generate(3, seed=0).shape == (3, *SHAPE)


@pytest.mark.parametrize(
    ("codes", "guess", "bound"),
    [
        ({"categorical": (3, 4), "continuous": 0}, np.log(12), 0.3),
        # The mean 0 as an answer leaves half the variance, 1/6; the constant is the density's.
        ({"categorical": (), "continuous": 1}, 1 / 6 + 0.5 * np.log(2 * np.pi), 0.98),
    ],
)
def test_codes_are_learned(codes, guess, bound):
    """Of images that say nothing: only the codes are left to agree on, and G and Q do."""
    keras.utils.set_random_seed(0)
    gan = keras_gans.InfoGAN(
        networks.mlp_generator(SHAPE, latent_dim=12, width=12),
        networks.infogan_discriminator(
            SHAPE, **codes, width=4, code_units=6, batch_normalization=False
        ),
        **codes,
        categorical_weight=5.0,
        continuous_weight=5.0,
        seed=0,
    )
    gan.compile(*[keras.optimizers.Adam(2e-3, beta_1=0.5) for _ in range(2)])
    logs = gan.fit(images(1, 512)[0], batch_size=64, epochs=60, verbose=0).history
    (losses,) = (logs[name] for name in gan.code_names)
    assert losses[0] / 5 > guess - 0.3
    assert losses[-1] / 5 < bound


# ---- generate


def test_codes_of_generate():
    gan = make(ema_decay=0.9, seed=0)
    chosen = gan.given_latents(3, seed=4)
    assert (chosen[:, 5:8].sum(axis=1) == 1).all() and (np.abs(chosen[:, 12:]) <= 1).all()
    np.testing.assert_array_equal(gan.generate(3, seed=4), gan.generate(latents=chosen))
    np.testing.assert_array_equal(gan.given_latents(2, seed=4), chosen[:2])
    chosen[:, 5:12] = np.hstack([np.eye(3)[[2, 0, 1]], np.eye(4)[[3, 3, 0]]])
    chosen[:, 12:] = [0.5, -0.5]
    made = gan.generate(3, categorical=[[2, 3], [0, 3], [1, 0]], continuous=[0.5, -0.5], seed=4)
    np.testing.assert_array_equal(made, gan.generate(latents=chosen))
    rows = np.tile([0.5, -0.5], (3, 1))
    again = gan.generate(3, categorical=[[2, 3], [0, 3], [1, 0]], continuous=rows, seed=4)
    np.testing.assert_array_equal(made, again)
    bounded = gan.given_latents(100, truncation=0.5, seed=0)
    assert np.abs(bounded[:, :5]).max() <= 0.5 < np.abs(bounded[:, 12:]).max()


def test_a_single_code_is_an_integer():
    codes = {"categorical": (3,), "continuous": 0}
    gan = keras_gans.InfoGAN(
        networks.mlp_generator(SHAPE, latent_dim=5, width=12),
        networks.infogan_discriminator(SHAPE, **codes, width=4),
        **codes,
    )
    one, many = gan.generate(2, categorical=1, seed=0), gan.generate(2, categorical=[1, 1], seed=0)
    np.testing.assert_array_equal(one, many)
    with pytest.raises(ValueError, match="out of range. Expected 0 to 2"):
        gan.generate(2, categorical=3)


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        ({"categorical": [[0, 4]] * 3}, "out of range. Expected 0 to 3.*Received: 4"),
        ({"categorical": [[0.0, 1.0]] * 3}, "Labels are integers"),
        ({"categorical": 1}, r"categorical codes do not fit.*\(3, 2\).*Received: shape \(\)"),
        ({"categorical": [[0, 1]] * 2}, r"categorical codes do not fit.*Received: shape \(2, 2\)"),
        ({"continuous": [0.1]}, r"continuous codes do not fit.*\(2,\).*Received: shape \(1,\)"),
        ({"continuous": [[0.1, 0.2]]}, r"continuous codes do not fit.*Received: shape \(1, 2\)"),
    ],
)
def test_codes_that_generate_refuses(codes, message):
    with pytest.raises(ValueError, match=message):
        make().generate(3, **codes)


# ---- bad input


@pytest.mark.parametrize("latent_dim", [2, 9])
def test_codes_that_do_not_fit_the_generator(latent_dim):
    message = rf"`latent_dim` above 9. Received: latent_dim={latent_dim}"
    with pytest.raises(ValueError, match=message):
        keras_gans.InfoGAN(
            networks.mlp_generator(SHAPE, latent_dim=latent_dim),
            networks.infogan_discriminator(SHAPE, **CODES, width=4),
            **CODES,
        )


def test_codes_that_do_not_fit_the_discriminator():
    generator = networks.mlp_generator(SHAPE, latent_dim=20)
    for wrong in (
        networks.mlp_discriminator(SHAPE),
        networks.infogan_discriminator(SHAPE, (3, 5), 2, width=4),
        networks.infogan_discriminator(SHAPE, (3, 4), 3, width=4),
    ):
        with pytest.raises(ValueError, match="does not have the heads.*Received"):
            keras_gans.InfoGAN(generator, wrong, **CODES)


@pytest.mark.parametrize(
    "codes", [{"categorical": (1,)}, {"continuous": -1}, {"categorical": (), "continuous": 0}]
)
def test_codes_that_are_none(codes):
    with pytest.raises(ValueError, match="Received"):
        keras_gans.InfoGAN(
            networks.mlp_generator(SHAPE, latent_dim=20),
            networks.infogan_discriminator(SHAPE, **CODES, width=4),
            **{**CODES, **codes},
        )
