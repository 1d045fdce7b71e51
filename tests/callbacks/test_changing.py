"""Callbacks that change a training: what they do at each step, and that it resumes bit for bit."""

import keras
import numpy as np
import pytest

import keras_gans
from keras_gans import networks
from keras_gans.callbacks import LossThreshold, PastNetworks, Resume
from keras_gans.callbacks.stateful import copied, everything, learned

LENGTH, EPOCHS = 4, 3
RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(8 * LENGTH, 2)).astype("float32")


def make(seed=0, **options):
    keras.utils.set_random_seed(seed)
    gan = keras_gans.GAN(
        networks.mlp_generator((2,), latent_dim=3, width=4, noise=0.1),
        networks.mlp_discriminator((2,), width=4),
        ema_decay=0.9,
        seed=seed,
    )
    options.setdefault("run_eagerly", True)
    gan.compile(keras.optimizers.Adam(0.05), keras.optimizers.Adam(0.05), **options)
    return gan


class Watch(keras.callbacks.Callback):
    """What each side is before and after each step, in numbers; stops the process after some."""

    def __init__(self, kill=None):
        super().__init__()
        self.kill, self.before, self.after, self.losses = kill, [], [], []

    def seen(self):
        gan = self.model
        return {side: copied(everything(gan, side)) for side in gan.sides}

    def on_train_batch_begin(self, batch, logs=None):
        self.before.append(self.seen())
        self.sums = [float(t.total.numpy()) for t in self.model.trackers.values()]

    def on_train_batch_end(self, batch, logs=None):
        now = [float(t.total.numpy()) for t in self.model.trackers.values()]
        # One mean of eight examples a step.
        parts = [float(t.count.numpy()) / (batch + 1) for t in self.model.trackers.values()]
        new = [(a - b) / part for a, b, part in zip(now, self.sums, parts)]
        self.losses.append(dict(zip(self.model.trackers, new)))
        self.after.append(self.seen())
        if self.kill is not None and len(self.after) == self.kill:
            raise KeyboardInterrupt


def fit(gan, callbacks, epochs=EPOCHS):
    data = {"batch_size": 8, "shuffle": False, "verbose": 0}
    gan.fit(POINTS, epochs=epochs, callbacks=callbacks, **data)
    return gan


def values(gan):
    optimizers = [getattr(gan, f"{side}_optimizer") for side in gan.sides]
    return [v.numpy() for owner in (gan, *optimizers) for v in owner.variables]


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def past():
    return PastNetworks(every=3, steps=2, size=2)


def threshold():
    return LossThreshold({"generator": 0.7, "discriminator": 1.4})


def test_a_side_is_its_past_for_a_few_steps_and_then_itself_again():
    watch, callback = Watch(), past()
    gan = make()
    fit(gan, [callback, watch])
    number = {side: len(learned(gan, side)) for side in gan.sides}
    # Copies are kept at steps 3, 6 and 9. The generator is replaced at 6 and 7, where an epoch
    # ends, the discriminator at 9 and 10.
    for side, copies, begin, end, other in (
        ("generator", (3,), 6, 8, "discriminator"),
        ("discriminator", (3, 6), 9, 11, "generator"),
    ):
        kept = [watch.after[step - 1][side][: number[side]] for step in copies]
        old = watch.before[begin][side][: number[side]]
        assert sum(same(old, copy) for copy in kept) == 1
        assert same(watch.after[begin - 1][side], watch.before[end][side])  # optimizer as well
        assert not same(watch.before[begin][other], watch.before[end][other])
    assert callback.number_kept == 2
    for step in (1, 2, 3, 4, 5, 7, 10):  # nothing happens before these steps
        for side in gan.sides:
            assert same(watch.after[step - 1][side], watch.before[step][side]), step


def test_a_side_takes_a_step_only_after_a_loss_above_its_threshold():
    watch, callback = Watch(), threshold()
    fit(make(), [callback, watch])
    taken = {"generator": 0, "discriminator": 0}
    for step, (before, after) in enumerate(zip(watch.before, watch.after)):
        last = watch.losses[step - 1] if step else {}
        low = {s for s, t in callback.thresholds.items() if last.get(f"{s}_loss", np.inf) <= t}
        low = set() if len(low) == 2 else low
        for side in taken:
            assert same(before[side], after[side]) == (side in low), (step, side)
            taken[side] += side not in low
    assert callback.steps_taken == taken
    assert 0 < min(taken.values()) < 12  # or nothing was seen


def test_two_low_losses_stop_no_side():
    callback = LossThreshold({"generator": 1e3, "discriminator": 1e3})
    assert fit(make(), [callback], 1) and callback.steps_taken == dict.fromkeys(make().sides, 4)


@pytest.fixture(scope="module")
def without():
    return values(fit(make(), []))


@pytest.mark.parametrize("kind", [past, threshold])
def test_killed_at_any_step_it_ends_bit_for_bit_where_it_would_have(tmp_path, kind, without):
    straight = values(fit(make(), [kind()]))
    assert not same(straight, without)  # it does something
    # Within an epoch and a replacement; the order of the callbacks does not matter.
    for kill, order in ((7, slice(None)), (10, slice(None, None, -1))):
        folder = tmp_path / str(kill)
        with pytest.raises(KeyboardInterrupt):
            fit(make(), [*[Resume(folder, steps=1), kind()][order], Watch(kill)])
        resumed = fit(make(seed=9), [Resume(folder, steps=1), kind()][order])
        for a, b in zip(straight, values(resumed), strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_checkpoint_does_not_go_on_without_what_changed_the_training(tmp_path):
    fit(make(), [Resume(tmp_path), past()], 1)
    with pytest.raises(ValueError, match="had callbacks that change it.*Received: no PastNetworks"):
        fit(make(), [Resume(tmp_path)])
    fit(make(), [Resume(tmp_path, allow_changes=True)])


def test_on_two_replicas_they_do_the_same(two_replicas, tmp_path):
    alone = make()
    alone.generator.layers[2].stddev = 0.0  # each replica draws its own noise
    alone.generator.layers[4].stddev = 0.0
    alone.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1), run_eagerly=True)
    alone.save_weights(tmp_path / "start.weights.h5")
    with two_replicas.scope():
        shared = make(run_eagerly=False)
        shared.generator.layers[2].stddev = shared.generator.layers[4].stddev = 0.0
        shared.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))
    shared.load_weights(tmp_path / "start.weights.h5")
    for gan in (alone, shared):
        callbacks = [past(), LossThreshold({"discriminator": 1.37})]
        fit(gan, callbacks)
        taken = callbacks[1].steps_taken
        assert 0 < taken["discriminator"] < 12
    for a, b in zip(values(alone), values(shared), strict=True):
        if a.dtype == "float32":
            np.testing.assert_allclose(a, b, atol=2e-5)


WRONG = [
    (lambda: PastNetworks(every=0), "every"),
    (lambda: PastNetworks(every=5, steps=5), "Expected `steps` below `every`"),
    (lambda: PastNetworks(size=0), "size"),
    (lambda: PastNetworks(sides=()), "must name one side or more"),
    (lambda: fit(make(), [PastNetworks(sides=("generater",))]), "Did you mean 'generator'"),
    (lambda: LossThreshold({}), "thresholds"),
    (lambda: LossThreshold(0.5), "thresholds=0.5"),
    (lambda: LossThreshold({"generator": float("nan")}), "nan"),
    (lambda: LossThreshold({"generator": True}), "True"),
    (lambda: fit(make(), [LossThreshold({"critic": 1.0})]), "no side of that name"),
    (lambda: fit(make(steps_per_execution=2), [past()]), "steps_per_execution=2"),
    (
        lambda: past().set_model(networks.mlp_generator((2,))),
        "Expected an `AdversarialModel`",
    ),
    (lambda: networks.mlp_generator((2,), noise=-1.0), "noise"),
    (lambda: networks.dcgan_generator((16, 16, 1), noise="much"), "noise"),
]


@pytest.mark.parametrize(("wrong", "message"), WRONG, ids=[message for _, message in WRONG])
def test_what_they_refuse(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()


def test_noise_in_every_layer_of_a_generator():
    for network, number in (
        (networks.mlp_generator((2,), noise=0.5, depth=3), 3),
        (networks.dcgan_generator((16, 16, 1), width=2, noise=0.5), 2),
    ):
        found = [x for x in network.layers if isinstance(x, keras_gans.layers.InstanceNoise)]
        assert [layer.stddev for layer in found] == [0.5] * number
        latents = keras_gans.latent.sample(2, network.input_shape[1], seed=0)
        calm = [network(latents).numpy() for _ in range(2)]
        wild = [network(latents, training=True).numpy() for _ in range(2)]
        assert np.array_equal(*calm) and not np.array_equal(*wild)
