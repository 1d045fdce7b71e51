"""OptimisticAdam: against the paper's algorithm in NumPy, and in all that a GAN does with it."""

import keras
import numpy as np
import pytest

import keras_gans
from keras_gans import networks, zoo
from keras_gans.optimizers import OptimisticAdam


def algorithm_1(start, gradients, rates, beta_1, beta_2, epsilon):
    """Daskalakis 2018, with Keras' place of epsilon: beside the root before it is unbiased."""
    weights, mean, square, before = start, 0.0, 0.0, 0.0
    for t, (gradient, rate) in enumerate(zip(gradients, rates), start=1):
        mean = beta_1 * mean + (1 - beta_1) * gradient
        square = beta_2 * square + (1 - beta_2) * gradient**2
        hidden = epsilon / np.sqrt(1 - beta_2**t)
        direction = mean / (1 - beta_1**t) / (np.sqrt(square / (1 - beta_2**t)) + hidden)
        weights = weights - 2 * rate * direction + rate * before
        before = direction
    return weights


@pytest.mark.parametrize(
    "options", [{}, {"beta_1": 0.5, "beta_2": 0.9}, {"beta_1": 0.0, "epsilon": 1e-2}]
)
def test_it_is_the_papers_algorithm(options):
    rng = np.random.default_rng(0)
    start, gradients = rng.normal(size=(3, 2)), rng.normal(size=(6, 3, 2))
    schedule = keras.optimizers.schedules.PolynomialDecay(0.1, 6, 0.0)
    optimizer, weights = OptimisticAdam(schedule, **options), keras.Variable(start)
    for gradient in gradients:
        optimizer.apply([gradient.astype("float32")], [weights])
    given = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, **options}
    rates = 0.1 * (1 - np.arange(6) / 6)
    np.testing.assert_allclose(weights, algorithm_1(start, gradients, rates, **given), atol=1e-5)


def test_amsgrad_divides_by_the_largest_square():
    optimizer, weights = OptimisticAdam(0.1, 0.0, 0.0, amsgrad=True), keras.Variable(0.0)
    for gradient in (4.0, 1.0):  # directions 1 and 1/4: 0 - 0.1 * 2, then - 0.1 * (1/2 - 1)
        optimizer.apply([np.float32(gradient)], [weights])
    np.testing.assert_allclose(weights, -0.2 + 0.05, rtol=1e-6)


def make(seed=0, run_eagerly=False, **options):
    keras.utils.set_random_seed(seed)
    gan = keras_gans.GAN(
        networks.mlp_generator((2,), latent_dim=3, width=8),
        networks.mlp_discriminator((2,), width=8),
        ema_decay=0.9,
        seed=seed,
    )
    optimizers = [OptimisticAdam(1e-2, **options) for _ in range(2)]
    gan.compile(*optimizers, run_eagerly=run_eagerly)
    return gan


POINTS = np.random.default_rng(0).normal(size=(32, 2)).astype("float32")


def train(gan, points=POINTS):
    gan.fit(points, batch_size=8, shuffle=False, verbose=0)
    return gan


def values(gan):
    optimizers = [getattr(gan, f"{side}_optimizer") for side in gan.sides]
    return [v.numpy() for owner in (gan, *optimizers) for v in owner.variables]


def test_a_saved_training_goes_on_bit_for_bit(tmp_path):
    gan = train(make(run_eagerly=True))
    gan.save(tmp_path / "gan.keras")
    twin = keras.saving.load_model(tmp_path / "gan.keras")  # tests/test_documents.py: elsewhere
    before = values(gan)
    for a, b in zip(values(train(gan)), values(train(twin)), strict=True):
        np.testing.assert_array_equal(a, b)
    assert any((a != b).any() for a, b in zip(before, values(gan)))


def test_half_precision_and_an_overflow():
    keras.config.set_dtype_policy("mixed_float16")
    gan = train(make())
    inner = gan.generator_optimizer.inner_optimizer
    assert isinstance(inner, OptimisticAdam) and inner.iterations.numpy() == 4
    assert all(np.isfinite(value).all() for value in values(gan))
    gan.generator_optimizer.dynamic_scale.assign(1e30)  # the step is skipped, directions as well
    before = [v.numpy() for v in inner.variables]
    gan.train_on_batch(POINTS[:8])
    for a, b in zip(before, inner.variables, strict=True):
        np.testing.assert_array_equal(a, b)


def test_one_replica_and_two_agree(two_replicas, tmp_path):
    alone = make(run_eagerly=True, epsilon=1e-2)  # or Adam turns rounding into steps of full length
    alone.save_weights(tmp_path / "start.weights.h5")
    with two_replicas.scope():
        shared = make(epsilon=1e-2)
    shared.load_weights(tmp_path / "start.weights.h5")
    for a, b in zip(values(train(alone)), values(train(shared)), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)


def test_a_recipe_names_it():
    recipe = {
        "epochs": 1,
        "data": {"name": "ring", "batch_size": 8},
        "networks": {
            "generator": {"type": "mlp_generator", "image_shape": [2], "width": 4},
            "discriminator": {"type": "mlp_discriminator", "image_shape": [2], "width": 4},
        },
        "model": {"type": "GAN"},
        "generator_optimizer": {"type": "OptimisticAdam", "learning_rate": 0.5, "beta_1": 0.25},
    }
    optimizer = zoo.Recipe(recipe).build_model().generator_optimizer
    assert type(optimizer) is OptimisticAdam
    assert (float(optimizer.learning_rate), optimizer.beta_1) == (0.5, 0.25)
    wrong = {**recipe["generator_optimizer"], "beta1": 0.0}
    with pytest.raises(ValueError, match="Did you mean 'beta_1'"):
        zoo.Recipe({**recipe, "generator_optimizer": wrong})
