import json
import math

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans
from contract import assert_same
from keras_gans import losses
from keras_gans.callbacks import Resume, TrainingHealth, symptoms

networks = keras_gans.networks
SGD, Adam = keras.optimizers.SGD, keras.optimizers.Adam
FROZEN = 0.0


def linear(scale=1.0, bias=0.0, latents_matter=True):
    """A generator of points of the plane: `scale * z + bias`, or `bias` alone."""
    latents = keras.Input((2,))
    dense = keras.layers.Dense(2)
    generator = keras.Model(latents, dense(latents))
    if not latents_matter:
        generator = keras.Model(latents, dense(0.0 * latents))
    dense.set_weights([scale * np.eye(2), np.full(2, bias)])
    return generator


def normal(number=64 * 20, mean=0.0, scale=1.0, seed=0):
    points = np.random.default_rng(seed).normal(size=(number, 2))
    return (mean + scale * points).astype("float32")


def make(generator=None, rates=(FROZEN, 0.05), model=keras_gans.GAN, **kwargs):
    gan = model(
        generator or networks.mlp_generator((2,), latent_dim=3, width=8),
        networks.mlp_discriminator((2,), width=16),
        seed=0,
        **kwargs,
    )
    gan.compile(SGD(rates[0]), SGD(rates[1]))
    return gan


def watched(gan, data, epochs=8, batch_size=64, **kwargs):
    kwargs = {"warmup": 0, "every": 20, **kwargs}
    health = TrainingHealth(**kwargs)
    gan.fit(data, batch_size=batch_size, epochs=epochs, callbacks=[health], verbose=0)
    return health


def kinds(health):
    return [message.kind for message in health.messages]


# ---- runs made to fail, each in one way


def test_a_discriminator_that_wins():
    gan = make(linear(bias=-4.0), rates=(FROZEN, 0.5))
    health = watched(gan, normal(mean=4.0))
    assert kinds(health) == ["discriminator_wins"]
    (message,) = health.messages
    assert message.value < message.threshold == 0.01
    assert "learning rate" in message.text and f"{message.value:.4f}" in message.text
    # Three checks of 20 steps at the earliest.
    assert message.step >= 60 and message.epoch == math.ceil(message.step / 20)


def test_it_wins_a_game_without_probabilities():
    gan = make(linear(bias=-4.0), rates=(FROZEN, 0.5), loss="hinge")
    health = watched(gan, normal(mean=4.0))
    assert kinds(health) == ["discriminator_wins"]
    assert 0.0 <= health.messages[0].value <= 0.01


def test_a_generator_whose_samples_ignore_the_latents():
    health = watched(make(linear(latents_matter=False), rates=(0.01, 0.01)), normal())
    assert kinds(health) == ["low_diversity"]
    assert health.messages[0].value == 0.0


def test_a_generator_of_two_modes_of_eight():
    latents = keras.Input((2,))
    scaled = keras.layers.Dense(2)
    generator = keras.Model(latents, 2.0 * keras.ops.tanh(scaled(latents)))
    scaled.set_weights([1e4 * np.array([[1.0, 0.0], [0.0, 0.0]]), np.zeros(2)])  # (+-2, 0)
    centers = keras_gans.data.ring_centers()
    ring = centers[np.arange(64 * 20) % 8]

    def nearest(points):
        return np.linalg.norm(points[:, None] - centers, axis=-1).argmin(axis=-1)

    def probabilities(points):
        return np.eye(8)[nearest(points)]

    gan = make(generator, rates=(FROZEN, FROZEN))
    for classify in (nearest, probabilities):
        health = watched(gan, ring, epochs=3, classify=classify, num_classes=8)
        assert kinds(health) == ["few_modes"]
        assert health.messages[0].value == health.statistics["modes"] == 2.0
    assert not watched(gan, ring, epochs=3, classify=nearest, num_classes=2).messages


def test_logits_that_drift_apart():
    gan = make(linear(bias=-1.0), rates=(FROZEN, 0.01))
    health = watched(gan, normal(mean=1.0), drift=1.0)
    assert kinds(health) == ["drifting_apart"]
    assert health.messages[0].value > 1.0


def test_a_generator_that_stands_still_while_its_loss_falls():
    gan = make(linear(), rates=(FROZEN, 0.01))
    gan.discriminator.layers[-1].bias.assign([-5.0])  # forgets slowly that all is generated
    health = watched(gan, normal())
    assert kinds(health) == ["generator_stuck"]
    assert health.messages[0].value == 0.0
    # One that moves may have a loss that falls.
    moving = make(linear(), rates=(0.05, 0.01))
    moving.discriminator.layers[-1].bias.assign([-5.0])
    assert "generator_stuck" not in kinds(watched(moving, normal()))


def test_gradients_that_are_large():
    gan = make(linear(scale=1e4), rates=(FROZEN, FROZEN))
    health = watched(gan, normal(scale=1e4), epochs=2)
    assert kinds(health) == ["large_gradients"]
    (message,) = health.messages
    assert message.value > message.threshold == 100.0 and "discriminator" in message.text


def test_a_huge_learning_rate_says_so_before_it_is_over():
    health = TrainingHealth(every=1)
    with pytest.raises(FloatingPointError):
        make(linear(), rates=(0.01, 1e4)).fit(normal(), callbacks=[health], verbose=0)
    assert kinds(health) == ["large_gradients"] and health.messages[0].step == 1


def test_each_problem_is_told_once_and_not_before_the_warm_up():
    gan = make(linear(latents_matter=False), rates=(FROZEN, FROZEN))
    health = watched(gan, normal(), warmup=100)
    assert kinds(health) == ["low_diversity"]
    assert health.messages[0].step == 140  # at 100, 120 and 140 steps
    assert not watched(gan, normal(), diversity=None).messages


# ---- healthy runs


@pytest.mark.parametrize("model", ["GAN", "WGANGP", "DCGAN"])
def test_healthy_runs_stay_silent(model):
    ring = keras_gans.data.ring_centers()[np.random.default_rng(0).integers(8, size=64 * 50)]
    ring = (ring + np.random.default_rng(1).normal(0, 0.1, ring.shape)).astype("float32")
    arguments = {"GAN": {}, "WGANGP": {"critic_steps": 2}, "DCGAN": {}}[model]
    if model == "DCGAN":
        gan = keras_gans.DCGAN(
            networks.dcgan_generator((16, 16, 1), latent_dim=8, width=8),
            networks.dcgan_discriminator((16, 16, 1), width=8),
            seed=0,
        )
        # Discs of random place and size.
        y, x = np.mgrid[-1:1:16j, -1:1:16j]
        place = np.random.default_rng(0).uniform(0.2, 0.6, (640, 3, 1, 1))
        away = np.hypot(y - place[:, 0] + 0.4, x - place[:, 1] + 0.4)
        data = np.tanh(8 * (place[:, 2] - away))[..., None].astype("float32")
    else:
        data = ring
        gan = getattr(keras_gans, model)(
            networks.mlp_generator((2,), latent_dim=8, width=64),
            networks.mlp_discriminator((2,), width=64),
            seed=0,
            **arguments,
        )
    gan.compile(Adam(1e-3, beta_1=0.5), Adam(1e-3, beta_1=0.5))
    health = watched(gan, data, epochs=12, batch_size=64, every=None, warmup=100)
    assert not health.messages, health.messages
    assert health.statistics["diversity"] > 0.3


def test_a_generator_that_learns_a_normal_distribution_stays_silent():
    gan = make(networks.mlp_generator((2,), latent_dim=4, width=32), rates=(0.05, 0.05))
    health = watched(gan, normal(mean=2.0, scale=0.5), epochs=30, warmup=100)
    assert not health.messages, health.messages


# ---- the training statistics


def test_means_worked_out_by_hand():
    gan = make()
    assert gan.statistics.read() == {}
    gan.observe(tf.constant([[0.0], [2.0]]), tf.constant([[-1.0], [-3.0]]))
    gan.observe(tf.constant([[4.0]], "float16"), tf.constant([[1.0]], "float16"))
    gan.observe(tf.constant([[np.inf]]), tf.constant([[1.0]]))  # left out
    read = gan.statistics.read()
    sigmoid = lambda *x: np.mean(1 / (1 + np.exp(-np.array(x))))  # noqa: E731
    assert read == pytest.approx(
        {
            "real_logit": (1.0 + 4.0) / 2,
            "fake_logit": (-2.0 + 1.0) / 2,
            "real_probability": (sigmoid(0.0, 2.0) + sigmoid(4.0)) / 2,
            "fake_probability": (sigmoid(-1.0, -3.0) + sigmoid(1.0)) / 2,
        }
    )
    assert gan.statistics.read() == {}


def test_old_names_warn(tmp_path):
    gan, health = make(), TrainingHealth()
    for old, new in [(gan, "AdversarialModel"), (health, "TrainingHealth")]:
        with pytest.warns(DeprecationWarning, match=f"`{new}.gauges` is now `statistics`"):
            assert old.gauges is old.statistics
    gan.save(tmp_path / "gan.keras")  # warnings are errors: Keras must not meet the old name
    with pytest.raises(AttributeError, match="no attribute 'gauge'"):
        _ = gan.gauge


class Square(keras_gans.GAN):
    """Loss is half the squared length of all weights, so that the gradient is the weights."""

    def train_step(self, data):
        for side in self.sides:
            with tf.GradientTape() as tape:
                loss = tf.add_n([tf.nn.l2_loss(v.value) for v in self.variables_of(side)])
                loss *= tf.ones(tf.shape(data)[:1])
            self.step(side, tape, {f"{side}_loss": loss})
        return self.get_metrics_result()


def length(variables):
    return np.sqrt(sum(np.sum(np.square(v.numpy())) for v in variables))


@pytest.mark.parametrize("how", ["graph", "eager", "xla", "replicas", "float16"])
def test_gradient_norms_and_update_ratios_worked_out_by_hand(how, two_replicas):
    options = {"eager": {"run_eagerly": True}, "xla": {"jit_compile": True}}.get(how, {})
    if how == "float16":
        keras.config.set_dtype_policy("mixed_float16")
    with two_replicas.scope() if how == "replicas" else tf.device("CPU:0"):
        gan = make(model=Square)
        gan.compile(SGD(0.5), SGD(0.25), **options)
    lengths = {side: length(gan.variables_of(side)) for side in gan.sides}
    assert isinstance(gan.generator_optimizer, SGD) == (how != "float16")
    health = TrainingHealth(every=1, gradient_norm=None)
    gan.fit(normal(8), batch_size=8, callbacks=[health], verbose=0)
    for side, rate in (("generator", 0.5), ("discriminator", 0.25)):
        assert health.statistics[f"{side}_gradient_norm"] == pytest.approx(lengths[side], rel=1e-3)
        assert health.statistics[f"{side}_update_ratio"] == pytest.approx(rate, rel=1e-3)


MODELS = {
    "GAN": {"discriminator_steps": 2},
    "DCGAN": {},
    "UnrolledGAN": {"unrolled_steps": 2},
    "WGAN": {"critic_steps": 2, "clip": None},
    "WGANGP": {"critic_steps": 2},
}


@pytest.mark.parametrize("name", MODELS)
def test_what_the_discriminator_says_is_observed(name):
    gan = make(rates=(FROZEN, FROZEN), model=getattr(keras_gans, name), **MODELS[name])
    data = normal(32)
    health = watched(gan, data, epochs=1, batch_size=8, every=None)
    logits = gan.discriminator.predict(data, verbose=0)
    assert health.statistics["real_logit"] == pytest.approx(logits.mean(), abs=1e-5)
    made = gan.discriminator(gan.generate(2000, seed=0)).numpy()
    assert ("real_probability" in health.statistics) == (not name.startswith("WGAN"))
    error = made.std() / np.sqrt(32) + 1e-6
    assert abs(health.statistics["fake_logit"] - made.mean()) < 4 * error


def test_replicas_read_what_one_reads(two_replicas, tmp_path):
    data = normal(64, mean=1.0)
    alone = make(linear(), rates=(0.1, 0.1))
    alone.save_weights(tmp_path / "start.weights.h5")
    with two_replicas.scope():
        shared = make(linear(), rates=(0.1, 0.1))
    shared.load_weights(tmp_path / "start.weights.h5")
    readings = []
    for gan in (alone, shared):
        tensors = tf.data.Dataset.from_tensor_slices(data).batch(16)
        health = TrainingHealth(every=2, patience=1, warmup=0, diversity=2.0)
        gan.fit(tensors, callbacks=[health], verbose=0)
        assert kinds(health) == ["low_diversity"]
        readings.append(health.statistics)
    one, two = readings
    assert sorted(one) == sorted(two)
    for name in one:
        # The norm is that of each replica's own part: no all-reduce is spent on a statistic.
        tolerance = 0.3 if "gradient" in name else 1e-4
        assert two[name] == pytest.approx(one[name], rel=tolerance, abs=1e-5), name


def test_images_and_labels():
    gan = keras_gans.ConditionalGAN(
        networks.conditional_mlp_generator((2,), num_classes=3, latent_dim=2, width=8),
        networks.conditional_mlp_discriminator((2,), num_classes=3, width=8),
        seed=0,
    )
    gan.compile()
    pairs = tf.data.Dataset.from_tensor_slices((normal(32), np.arange(32) % 3)).batch(8)
    health = watched(gan, pairs, epochs=1, every=None)
    assert {"diversity", "real_logit", "generator_gradient_norm"} <= set(health.statistics)
    once = (batch for batch in pairs.repeat())  # can be read once: its first batch is given back
    health = TrainingHealth()
    gan.fit(once, steps_per_epoch=3, callbacks=[health], verbose=0, shuffle=False)
    assert "diversity" in health.statistics


def test_nothing_of_it_is_saved_logged_or_changes_the_training(tmp_path):
    runs = []
    for callbacks in ([], [TrainingHealth(every=1)]):
        keras.utils.set_random_seed(1)
        gan = make(rates=(0.1, 0.1))
        history = gan.fit(normal(64), batch_size=8, callbacks=callbacks, verbose=0, shuffle=False)
        assert list(history.history) == ["discriminator_loss", "generator_loss"]
        runs.append([v.numpy() for v in gan.variables])
    assert_same(*runs)
    gan.save_weights(tmp_path / "gan.weights.h5")
    names = []
    with h5py.File(tmp_path / "gan.weights.h5") as file:
        file.visit(names.append)
    assert len(names) > 10 and not [name for name in names if "statistic" in name or "sums" in name]
    assert len(gan.metrics) == 2


# ---- what is no longer a number


def with_nan(*broken, number=12):
    """Batches, some of which hold no numbers."""
    batches = normal(number * 8).reshape(number, 8, 2).copy()
    batches[list(broken), 0] = np.nan
    return tf.data.Dataset.from_tensor_slices(batches)


class States(keras.callbacks.Callback):
    """Every variable after each step."""

    def on_train_begin(self, logs=None):
        self.states = []

    def on_train_batch_end(self, batch, logs=None):
        optimizers = (self.model.generator_optimizer, self.model.discriminator_optimizer)
        variables = [*self.model.weights, *(v for o in optimizers for v in o.variables)]
        self.states.append([v.numpy().copy() for v in variables])


def test_a_broken_training_is_stopped_before_it_is_saved(tmp_path):
    gan = make()
    gan.discriminator.layers[-1].bias.assign([np.nan])
    resume = Resume(tmp_path)
    with pytest.raises(FloatingPointError, match="no longer a finite number"):
        gan.fit(normal(32), callbacks=[TrainingHealth(), resume], verbose=0)
    assert resume.epoch == 0


@pytest.mark.parametrize("every", [None, 5])
def test_weights_that_broke_at_the_last_step_are_not_saved(tmp_path, every):
    gan = make(rates=(np.inf, 0.1))  # the losses were finite, and what came of them is not
    resume = Resume(tmp_path)
    with pytest.raises(FloatingPointError, match="a weight is no longer a finite number"):
        gan.fit(normal(32), batch_size=32, callbacks=[TrainingHealth(every), resume], verbose=0)
    assert resume.epoch == 0


@pytest.mark.parametrize("replicas", [False, True])
def test_a_broken_training_goes_back_to_its_last_good_weights(replicas, two_replicas):
    with two_replicas.scope() if replicas else tf.device("CPU:0"):
        gan = make(rates=(0.1, 0.1))
        gan.compile(Adam(0.01), Adam(0.01))
    states = States()
    health = TrainingHealth(every=2, on_nan="restore")
    history = gan.fit(with_nan(5, number=12), callbacks=[health, states], verbose=0)
    assert kinds(health) == ["not_finite"]
    (message,) = health.messages
    assert math.isnan(message.value) and "1 of 3" in message.text and message.step == 5
    assert_same(states.states[3], states.states[5])  # both sides, moments, numbers of steps
    assert any((a != b).any() for a, b in zip(states.states[3], states.states[4]))
    assert any((a != b).any() for a, b in zip(states.states[5], states.states[6]))
    assert all(np.isfinite(values).all() for values in history.history.values())
    assert all(np.isfinite(value).all() for value in states.states[-1])


def test_the_last_step_of_an_epoch_may_break():
    gan = make(rates=(0.1, 0.1))
    health = TrainingHealth(on_nan="restore")
    logs = gan.fit(with_nan(7, number=8), epochs=2, callbacks=[health], verbose=0).history
    assert kinds(health) == ["not_finite"] * 2
    assert all(np.isfinite(v).all() and np.min(v) > 0.1 for v in logs.values())


def test_it_gives_up():
    health = TrainingHealth(on_nan="restore", max_restores=2)
    with pytest.raises(FloatingPointError, match="broke again.*max_restores=2"):
        make().fit(with_nan(3, 5, 7), callbacks=[health], verbose=0)
    assert kinds(health) == ["not_finite"] * 2


# ---- where it is written


def test_messages_and_statistics_are_written_and_go_on(tmp_path):
    path, logs = tmp_path / "health.jsonl", tmp_path / "logs"
    options = {"path": path, "log_dir": logs, "warmup": 0, "patience": 2}
    gan = make(linear(latents_matter=False), rates=(FROZEN, FROZEN))
    resume = Resume(tmp_path / "checkpoints")
    callbacks = [TrainingHealth(**options), resume]
    gan.fit(normal(64), batch_size=8, epochs=3, callbacks=callbacks, verbose=0)
    (line,) = [json.loads(text) for text in path.read_text().splitlines()]
    assert (line["epoch"], line["step"], line["kind"]) == (2, 16, "low_diversity")
    assert (line["value"], line["threshold"]) == (0.0, 0.25)
    events = [
        value
        for file in logs.iterdir()
        for event in tf.compat.v1.train.summary_iterator(str(file))
        for value in event.summary.value
    ]
    tags = [event.tag for event in events]
    assert tags.count("health/low_diversity") == 1
    for name in ("real_logit", "fake_probability", "generator_gradient_norm", "diversity"):
        assert tags.count(f"statistics/{name}") == 3

    again = TrainingHealth(**options)
    fit = {"batch_size": 8, "epochs": 5, "verbose": 0}
    gan.fit(normal(64), callbacks=[again, Resume(tmp_path / "checkpoints")], **fit)
    assert len(path.read_text().splitlines()) == 1  # the same problem, reported in epoch 2
    assert kinds(again) == ["low_diversity"] and again.messages[0].epoch == 2
    afresh = TrainingHealth(**options)
    gan.fit(normal(64), callbacks=[afresh], batch_size=8, epochs=1, verbose=0)
    assert path.read_text() == ""


def test_a_line_with_no_number_is_json(tmp_path):
    path = tmp_path / "health.jsonl"
    health = TrainingHealth(on_nan="restore", path=path)
    make().fit(with_nan(3), callbacks=[health], verbose=0)
    line = json.loads(path.read_text(), parse_constant=pytest.fail)
    assert (line["kind"], line["value"], line["threshold"]) == ("not_finite", "nan", "inf")
    gan = make()
    gan._initial_epoch = 1
    again = TrainingHealth(path=path)
    gan.fit(normal(64), callbacks=[again], epochs=2, verbose=0)
    assert math.isnan(again.messages[0].value) and again.messages[0].threshold == math.inf


def test_means_of_an_interval_are_those_of_its_steps():
    steps = np.random.default_rng(0).normal(size=(2, 7))  # two epochs of seven steps
    found = []

    class Check(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            found.append(dict(health.statistics))

    class Given(keras_gans.GAN):
        def train_step(self, data):
            for name in self.tracked:
                self.trackers[name].update_state(data)
            return self.get_metrics_result()

    gan = make(model=Given)
    health = TrainingHealth(every=3, warmup=10**6)
    data = tf.data.Dataset.from_tensor_slices(steps.reshape(-1).astype("float32"))
    gan.check_data = lambda batch: None
    gan.fit(data, steps_per_epoch=7, epochs=2, callbacks=[health, Check()], verbose=0)
    flat = steps.ravel()
    for end in (3, 6, 9, 12):
        assert found[end - 1]["generator_loss"] == pytest.approx(
            flat[end - 3 : end].mean(), rel=1e-4
        )


# ---- verdicts, on numbers


def readings(**series):
    return [dict(zip(series, values)) for values in zip(*series.values())]


@pytest.mark.parametrize(
    ("loss", "real", "fake", "wins"),
    [
        ({}, 0.995, 0.005, True),
        ({}, 0.985, 0.005, False),
        ({}, 0.995, 0.015, False),
        ({"real_label": 0.9}, 0.895, 0.005, True),  # one-sided: 0.9 is all it is asked for
        ({"real_label": 0.9}, 0.885, 0.005, False),
        ({"real_label": (0.8, 1.0), "fake_label": 0.1}, 0.9, 0.1, True),
        ({"flip": 0.1}, 0.9, 0.1, True),  # a tenth of the labels is wrong
        ({"flip": 0.1}, 0.85, 0.1, False),
    ],
)
def test_a_win_is_measured_from_the_labels(loss, real, fake, wins):
    series = readings(real_probability=[real] * 3, fake_probability=[fake] * 3)
    loss = losses.get("non_saturating", **loss)
    assert bool(symptoms.discriminator_wins(series, loss, 0.01, 3)) == wins
    assert not symptoms.discriminator_wins(series[:2], loss, 0.01, 3)


@pytest.mark.parametrize("name", losses.names())
def test_every_loss_is_judged_by_what_it_means(name):
    series = readings(
        discriminator_loss=[-3.0] * 5 if name == "wasserstein" else [0.001] * 5,
        real_logit=[1.0, 3.0, 5.0, 7.0, 9.0],
        fake_logit=[-1.0, -3.0, -5.0, -7.0, -9.0],
        real_probability=[0.999] * 5,
        fake_probability=[0.001] * 5,
        discriminator_gradient_norm=[500.0] * 5,
    )
    loss = losses.get(name)
    assert bool(symptoms.discriminator_wins(series, loss, 0.01, 3)) == (name != "wasserstein")
    assert bool(symptoms.drifting_apart(series, loss, 6.0, 5)) == (
        name in ("minimax", "non_saturating", "relativistic_average", "relativistic_pairing")
    )
    assert bool(symptoms.large_gradients(series, loss, "auto")) == (name != "wasserstein")
    assert symptoms.large_gradients(series, loss, 400.0)["threshold"] == 400.0
    assert symptoms.large_gradients(series, loss, "auto", largest_weight=10.0) is None
    assert symptoms.large_gradients(series, loss, 400.0, largest_weight=10.0) is not None
    assert not symptoms.large_gradients(series, loss, 600.0)


def test_a_model_that_says_nothing_of_its_loss_is_not_judged_by_it():
    series = readings(discriminator_loss=[0.0] * 5, generator_loss=[1.0] * 5)
    assert symptoms.discriminator_wins(series, None, 0.01, 3) is None
    assert symptoms.drifting_apart(series, None, 6.0, 5) is None
    assert symptoms.large_gradients(series, None, "auto") is None


@pytest.mark.parametrize(
    ("gaps", "drifts"),
    [
        ([2, 4, 5, 6, 7], True),
        ([2, 4, 6, 5, 7], False),  # not at each check
        ([1, 2, 3, 4, 5], False),  # no more than the limit
        ([6.1, 6.2, 6.3, 6.4, 6.5], False),  # creeps
    ],
)
def test_a_drift_grows_at_each_check(gaps, drifts):
    series = readings(real_logit=gaps, fake_logit=[0.0] * 5)
    found = symptoms.drifting_apart(series, losses.get("minimax"), 6.0, 5)
    assert bool(found) == drifts and not symptoms.drifting_apart(series[1:], None, 6.0, 5)


@pytest.mark.parametrize(
    ("loss", "change", "stuck"),
    [
        ([5, 4, 3, 2], [0.0] * 4, True),
        ([5, 4, 3, 3.5], [0.0] * 4, False),
        ([5, 4, 3, 2], [0.0, 0.0, 0.02, 0.0], False),
        ([5, 4, 3, 2], [0.5, 0.0, 0.0, 0.0], True),  # the first change is from before
        ([1.0, 0.99, 0.98, 0.97], [0.0] * 4, False),  # by chance, perhaps
    ],
)
def test_a_generator_stands_still(loss, change, stuck):
    series = readings(generator_loss=loss, change=change)
    assert bool(symptoms.generator_stuck(series, 0.01, 4)) == stuck


def test_distances_and_classes_worked_out_by_hand():
    corners = np.array([[0, 0], [3, 0], [0, 4]])[:, None]
    assert symptoms.mean_distance(corners) == pytest.approx((3 + 4 + 5) / 3)
    draws = np.random.default_rng(0).integers(10, size=(20_000, 20))
    shown = np.mean([len(np.unique(row)) for row in draws])
    assert symptoms.expected_classes(20, 10) == pytest.approx(shown, rel=0.005)


@pytest.mark.parametrize(
    "arguments",
    [
        {"every": 0},
        {"on_nan": "ignore"},
        {"max_restores": 0},
        {"classify": np.argmax},
        {"num_classes": 3},
        {"classify": np.argmax, "num_classes": 1},
        {"num_samples": 1},
        {"warmup": -1},
        {"patience": 0},
        {"trend": 1},
        {"gradient_norm": "large"},
        {"diversity": 0.0},
        {"drift": True},
        {"modes": float("nan")},
    ],
)
def test_bad_arguments(arguments):
    with pytest.raises(ValueError, match="Received"):
        TrainingHealth(**arguments)


@pytest.mark.parametrize("real", [np.zeros((8, 3)), np.zeros((1, 2))])
def test_real_examples_that_do_not_fit(real):
    with pytest.raises(ValueError, match="Received: shape"):
        make().fit(normal(32), callbacks=[TrainingHealth(real=real)], verbose=0)
