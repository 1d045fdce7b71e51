import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans
from keras_gans.callbacks import MetricsLog, Resume, TrainingHealth
from keras_gans.callbacks import resume as resume_module
from keras_gans.callbacks.lock import locked

networks = keras_gans.networks


def make(seed=0, **options):
    """Trained without a graph, whose trace takes longer than the steps, unless `options` say so."""
    keras.utils.set_random_seed(seed)
    gan = keras_gans.GAN(
        networks.mlp_generator((2,), latent_dim=3, width=8),
        networks.mlp_discriminator((2,), width=8, dropout=0.2),
        ema_decay=0.9,
        seed=seed,
    )
    gan.compile(**{"run_eagerly": True, **options})
    return gan


class Kill(keras.callbacks.Callback):
    """Stops a training as if the process were gone: nothing that comes after is run."""

    def __init__(self, step):
        super().__init__()
        self.step, self.iterations = step, None

    def on_train_batch_end(self, batch, logs=None):
        if self.model.generator_optimizer.iterations.numpy() == self.step:
            raise KeyboardInterrupt


def train(gan, folder, epochs, kill=None, more=(), length=4, **kwargs):
    resume = Resume(folder, **kwargs)
    data = keras_gans.data.load("ring", batch_size=16, num_examples=64, first_epoch=resume.epoch)
    callbacks = [resume, *more, *([] if kill is None else [Kill(kill)])]
    with contextlib.nullcontext() if kill is None else pytest.raises(KeyboardInterrupt):
        gan.fit(data, steps_per_epoch=length, epochs=epochs, callbacks=callbacks, verbose=0)
    return gan


def values(gan):
    return [v.numpy() for v in gan.variables] + [
        v.numpy() for side in gan.sides for v in getattr(gan, f"{side}_optimizer").variables
    ]


def test_stopped_and_run_again_it_ends_bit_for_bit_where_it_would_have(tmp_path):
    graph = {"run_eagerly": False}
    straight = train(make(**graph), tmp_path / "a", 5)
    train(make(**graph), tmp_path / "b", 2)
    resumed = train(
        make(seed=9, **graph), tmp_path / "b", 5
    )  # another start: all comes from the file
    for a, b in zip(values(straight), values(resumed)):
        np.testing.assert_array_equal(a, b)
    assert Resume(tmp_path / "b").epoch == 5


def logged(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """A training of four epochs that nothing stops: where it was after each, and its log."""
    folder, after = tmp_path_factory.mktemp("straight"), []

    class Remember(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            after.append(values(self.model))

    train(make(), folder / "a", 4, more=[MetricsLog(folder / "a.jsonl"), Remember()])
    return after, logged(folder / "a.jsonl")


@pytest.mark.parametrize("killed", [3, 6, 8, 11])
def test_killed_within_an_epoch_it_ends_bit_for_bit_where_it_would_have(straight, tmp_path, killed):
    log = MetricsLog(tmp_path / "b.jsonl")
    train(make(), tmp_path / "b", 3, kill=killed, more=[log], steps=3)
    resume = Resume(tmp_path / "b")
    # After every third step of an epoch, and after the fourth, which is its last.
    assert (resume.epoch, resume.step) == {3: (0, 3), 6: (1, 0), 8: (1, 3), 11: (2, 3)}[killed]
    resumed = train(make(seed=9), tmp_path / "b", 3, more=[MetricsLog(tmp_path / "b.jsonl")])
    after, lines = straight
    for a, b in zip(after[2], values(resumed), strict=True):
        np.testing.assert_array_equal(a, b)
    # The means of an epoch are over all its steps, on both sides of the kill.
    for a, b in zip(lines[:3], logged(tmp_path / "b.jsonl"), strict=True):
        names = ("epoch", "generator_loss", "discriminator_loss")
        assert [a[n] for n in names] == [b[n] for n in names]


class Readings(TrainingHealth):
    """Its readings by step."""

    def __init__(self):
        super().__init__(every=1)
        self.readings = {}

    def _check(self):
        super()._check()
        # Samples change from one look to the next, and the first has none before it.
        self.readings[self._step] = {k: v for k, v in self.statistics.items() if k != "change"}


def test_what_watches_a_training_sees_no_step_that_was_let_by(tmp_path):
    straight, resumed = Readings(), Readings()
    train(make(), tmp_path / "a", 2, more=[straight])
    train(make(), tmp_path / "b", 2, kill=4, steps=3)
    assert Resume(tmp_path / "b").step == 3
    train(make(seed=9), tmp_path / "b", 2, more=[resumed])
    assert sorted(straight.readings) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert sorted(resumed.readings) == [4, 5, 6, 7, 8]
    for step, reading in resumed.readings.items():
        assert reading == pytest.approx(straight.readings[step], rel=1e-5)


def test_several_steps_a_call_resume_alike(tmp_path):
    gans = [make(), make(), make(seed=9)]
    for gan in gans:
        gan.compile(steps_per_execution=2)
    train(gans[0], tmp_path / "a", 2, length=8)
    train(gans[1], tmp_path / "b", 2, length=8, kill=6, steps=4)
    assert Resume(tmp_path / "b").step == 4
    train(gans[2], tmp_path / "b", 2, length=8)
    for a, b in zip(values(gans[0]), values(gans[2])):
        np.testing.assert_array_equal(a, b)


def test_it_saves_by_minutes(tmp_path, monkeypatch):
    clock = iter(range(0, 10_000, 20))  # twenty seconds a look
    monkeypatch.setattr(resume_module.time, "monotonic", lambda: next(clock))
    train(make(), tmp_path, 1, length=20, minutes=2, keep=9, kill=18)
    steps = [int(p.name.split("-")[3].split(".")[0]) for p in Resume(tmp_path).checkpoints()]
    # Step 7 is looked at 140 s after the start, and saved at 160; step 8 at 180, step 14 at 300.
    assert steps == [7, 14]


def test_another_length_of_the_epoch_is_refused(tmp_path):
    train(make(), tmp_path, 2, kill=3, steps=3)
    with pytest.raises(ValueError, match="epoch that was longer.*Received: 2 steps.*step 3"):
        train(make(), tmp_path, 2, length=2)


def test_data_that_end_before_the_step_are_refused(tmp_path):
    train(make(), tmp_path, 2, kill=3, steps=3)
    short = keras_gans.data.load("ring", batch_size=16, num_examples=32)
    short = short.filter(lambda points: True)  # nobody knows its length
    with pytest.raises(ValueError, match="epoch that was longer.*Received: 2 steps.*step 3"):
        make().fit(short, callbacks=[Resume(tmp_path)], verbose=0)


def test_a_finished_training_trains_no_further(tmp_path):
    gan = train(make(), tmp_path, 2)
    before = values(gan)
    train(gan, tmp_path, 2)
    for a, b in zip(before, values(gan)):
        np.testing.assert_array_equal(a, b)


def test_a_later_fit_without_it_starts_at_its_own_first_epoch(tmp_path):
    gan = train(make(), tmp_path, 2)
    history = gan.fit(np.zeros((8, 2), "float32"), epochs=1, verbose=0)
    assert history.epoch == [0]


def test_it_keeps_the_newest_and_saves_the_last_epoch(tmp_path):
    train(make(), tmp_path, 5, every=2)
    names = [path.name for path in Resume(tmp_path).checkpoints()]
    assert names == ["epoch-00004.weights.h5", "epoch-00005.weights.h5"]
    assert sorted(p.name for p in tmp_path.iterdir()) == names


@pytest.fixture(scope="module")
def three_epochs(tmp_path_factory):
    """A training of three epochs."""
    folder = tmp_path_factory.mktemp("three_epochs")
    train(make(), folder, 3)
    return folder


@pytest.mark.parametrize("length", [0, 1000, -1])
def test_a_checkpoint_cut_short_is_passed_over_and_named(straight, three_epochs, tmp_path, length):
    shutil.copytree(three_epochs, tmp_path / "b")
    newest = tmp_path / "b" / "epoch-00003.weights.h5"
    os.truncate(newest, length if length >= 0 else newest.stat().st_size - 1)
    assert Resume(tmp_path / "b").epoch == 2
    message = "skipped: epoch-00003.weights.h5. Resuming from epoch-00002.weights.h5"
    with pytest.warns(UserWarning, match=message):
        resumed = train(make(seed=9), tmp_path / "b", 4)
    for a, b in zip(straight[0][3], values(resumed), strict=True):
        np.testing.assert_array_equal(a, b)
    names = [path.name for path in Resume(tmp_path / "b").checkpoints()]
    assert names == ["epoch-00003.weights.h5", "epoch-00004.weights.h5"]


def test_when_all_are_damaged_nothing_is_overwritten(tmp_path):
    train(make(), tmp_path, 2)
    for path in tmp_path.iterdir():
        os.truncate(path, 1000)
    with pytest.raises(ValueError, match=r"all are damaged.*Received: epoch-00001.*epoch-00002"):
        train(make(), tmp_path, 3)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_checkpoint_with_other_contents_is_named_and_changes_nothing(tmp_path):
    train(make(), tmp_path, 2)
    newest = tmp_path / "epoch-00002.weights.h5"
    with h5py.File(newest, "w") as file:
        file["x"] = [1]
    message = rf"damaged.*go on from epoch-00001.*Received: {re.escape(str(newest))}"
    with pytest.raises(ValueError, match=message):
        train(make(), tmp_path, 3)
    newest.unlink()
    train(make(), tmp_path, 3)
    assert Resume(tmp_path).epoch == 3


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    train(make(), tmp_path, 1)
    nets = networks.mlp_generator((2,), width=9), networks.mlp_discriminator((2,))
    other = keras_gans.GAN(*nets, ema_decay=0.9)
    other.compile(run_eagerly=True)
    with pytest.raises(ValueError, match="of another model"):
        train(other, tmp_path, 2)


@pytest.mark.parametrize("bad", [{"minutes": 0}, {"minutes": -1.0}])
def test_bad_minutes(bad):
    with pytest.raises(ValueError, match="above 0"):
        Resume("x", **bad)


@pytest.mark.parametrize("bad", [{"every": 0}, {"keep": 0}, {"every": 1.5}, {"steps": 0}])
def test_bad_numbers(bad):
    with pytest.raises(ValueError, match="at least 1"):
        Resume("x", **bad)


# ---- a `fit` that ends otherwise than well


class Fail(keras.callbacks.Callback):
    """Raises in one of Keras' hooks."""

    def __init__(self, hook, error=KeyboardInterrupt):
        super().__init__()

        def fail(*args, **kwargs):
            raise error("here")

        setattr(self, hook, fail)


HOOKS = ["on_train_begin", "on_epoch_begin", "on_train_batch_begin", "on_train_batch_end"]
HOOKS += ["on_epoch_end", "on_train_end"]


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A training that was stopped within its second epoch, at step 3 of 4."""
    folder = tmp_path_factory.mktemp("stopped")
    train(make(), folder, 3, kill=7, steps=3)
    assert (Resume(folder).epoch, Resume(folder).step) == (1, 3)
    return folder


@pytest.fixture
def part_way(stopped, tmp_path):
    """A copy of it, to go on with."""
    shutil.copytree(stopped, tmp_path, dirs_exist_ok=True)


@pytest.fixture(scope="module")
def one_epoch(tmp_path_factory):
    """A training of one epoch."""
    folder = tmp_path_factory.mktemp("one_epoch")
    train(make(), folder, 1)
    return folder


def ring(number=64):
    return keras_gans.data.load("ring", batch_size=16, num_examples=number)


@pytest.mark.parametrize(
    ("hook", "error"),
    [*((hook, RuntimeError) for hook in HOOKS), ("on_train_batch_end", KeyboardInterrupt)],
)
def test_a_fit_after_one_that_failed_is_as_any_other(part_way, tmp_path, hook, error):
    gan = make()
    callbacks = [TrainingHealth(), MetricsLog(tmp_path / "m.jsonl"), Resume(tmp_path)]
    with pytest.raises(error):
        fit = {"steps_per_epoch": 4, "epochs": 3, "verbose": 0}
        gan.fit(ring(), callbacks=[*callbacks, Fail(hook, error)], **fit)
    steps = int(gan.generator_optimizer.iterations.numpy())
    history = gan.fit(ring(), steps_per_epoch=4, epochs=2, verbose=0)
    assert history.epoch == [0, 1]
    assert gan.generator_optimizer.iterations.numpy() == steps + 8
    resumed = train(gan, tmp_path, 4)  # and the folder is free
    assert Resume(tmp_path).epoch == 4
    assert resumed._initial_epoch is None


@pytest.mark.parametrize("fails_at", [1, 2])  # as batches are skipped, and as they are trained on
def test_data_that_fail_leave_nothing_behind(part_way, tmp_path, fails_at):

    def batches():
        for number in range(9):
            if number == 2 * fails_at:
                raise OSError("the share is gone")
            yield np.full((16, 2), 0.5, "float32")

    def spec():
        return tf.TensorSpec((None, 2), "float32")

    gan = make()
    with pytest.raises(tf.errors.OpError, match="share is gone"):
        gan.fit(
            tf.data.Dataset.from_generator(batches, output_signature=spec()),
            steps_per_epoch=4,
            epochs=3,
            callbacks=[Resume(tmp_path)],
            verbose=0,
        )
    before = int(gan.generator_optimizer.iterations.numpy())
    assert gan.fit(ring(), epochs=1, verbose=0).epoch == [0]
    assert gan.generator_optimizer.iterations.numpy() == before + 4


def test_a_training_that_something_stops_leaves_nothing_behind(part_way, tmp_path):

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = True

    gan = make()
    fit = {"steps_per_epoch": 4, "epochs": 3, "verbose": 0}
    gan.fit(ring(), callbacks=[Resume(tmp_path), Stop()], **fit)
    before = int(gan.generator_optimizer.iterations.numpy())
    gan.fit(ring(), steps_per_epoch=4, epochs=1, verbose=0)
    assert gan.generator_optimizer.iterations.numpy() == before + 4


def test_what_keras_own_callback_leaves_behind_is_undone(tmp_path):
    gan, backup = make(), keras.callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
    gan.fit(ring(), epochs=2, callbacks=[backup], verbose=0)
    gan.fit(ring(), epochs=3, callbacks=[backup], verbose=0)
    assert gan.fit(ring(), epochs=1, verbose=0).epoch == [0]


def test_two_that_say_where_to_go_on_are_refused(tmp_path):
    gan = make()
    backup = keras.callbacks.BackupAndRestore(tmp_path / "k", delete_checkpoint=False)
    gan.fit(ring(), epochs=2, callbacks=[backup], verbose=0)
    train(make(), tmp_path / "r", 1)
    with pytest.raises(ValueError, match="different epochs to resume from.*epoch 2.*of epoch 1"):
        gan.fit(ring(), epochs=3, callbacks=[Resume(tmp_path / "r"), backup], verbose=0)


# ---- what was compiled, and what was saved


def compiled(gan, optimizer=keras.optimizers.Adam, generator=None, **options):
    gan.compile(optimizer(**(generator or options)), optimizer(**options), run_eagerly=True)
    return gan


def with_loss(loss, **options):
    return keras_gans.GAN(
        networks.mlp_generator((2,), latent_dim=3, width=8),
        networks.mlp_discriminator((2,), width=8, dropout=0.2),
        loss=loss,
        **{"ema_decay": 0.9, "seed": 0, **options},
    )


cosine = keras.optimizers.schedules.CosineDecay
CHANGES = [
    (
        {"generator": {"learning_rate": 2e-3}},
        r"generator_optimizer.learning_rate \(was 0.001, now 0.002",
    ),
    ({"learning_rate": 2e-3}, r"discriminator_optimizer.learning_rate \(was 0.001, now 0.002\)"),
    ({"beta_1": 0.5}, r"discriminator_optimizer.beta_1 \(was 0.9, now 0.5\)"),
    ({"clipnorm": 1.0}, r"generator_optimizer.clipnorm \(was None, now 1\)"),
    ({"learning_rate": cosine(1e-3, 9)}, r"learning_rate \(was 0.001, now 'CosineDecay'\)"),
    ({"optimizer": keras.optimizers.AdamW}, r"generator_optimizer \(was 'Adam', now 'AdamW'\)"),
]


@pytest.fixture(scope="module")
def compiled_once(tmp_path_factory):
    """A training of one epoch, whose optimizers were made by hand."""
    folder = tmp_path_factory.mktemp("compiled")
    train(compiled(make()), folder, 1)
    return folder


@pytest.mark.parametrize(("change", "message"), CHANGES)
def test_a_model_that_is_compiled_otherwise_is_refused_by_the_field(compiled_once, change, message):
    with pytest.raises(ValueError, match=f"other settings.*allow_changes.*{message}"):
        train(compiled(make(), **change), compiled_once, 2)
    assert Resume(compiled_once).epoch == 1


def test_a_model_that_is_compiled_as_before_goes_on(compiled_once, tmp_path):
    shutil.copytree(compiled_once, tmp_path, dirs_exist_ok=True)
    train(compiled(make()), tmp_path, 2)
    assert Resume(tmp_path).epoch == 2


def test_a_schedule_is_compared_by_its_numbers(tmp_path):
    train(compiled(make(), learning_rate=cosine(1e-3, 9)), tmp_path, 1)
    train(compiled(make(), learning_rate=cosine(1e-3, 9)), tmp_path, 2)
    with pytest.raises(ValueError, match=r"learning_rate.decay_steps \(was 9, now 8\)"):
        train(compiled(make(), learning_rate=cosine(1e-3, 8)), tmp_path, 3)


@pytest.mark.parametrize(
    ("loss", "options", "message"),
    [
        ("wasserstein", {}, r"loss \(was 'NonSaturating', now 'Wasserstein'\)"),
        (keras_gans.losses.get("non_saturating", real_label=0.9), {}, "real_label .was 1, now 0.9"),
        ("non_saturating", {"ema_decay": 0.8}, r"ema_decay \(was 0.9, now 0.8\)"),
    ],
)
def test_another_loss_is_refused(one_epoch, tmp_path, loss, options, message):
    shutil.copytree(one_epoch, tmp_path, dirs_exist_ok=True)
    other = with_loss(loss, **options)
    other.compile(run_eagerly=True)
    with pytest.raises(ValueError, match=message):
        train(other, tmp_path, 2)


def test_changes_that_are_asked_for_are_taken(tmp_path):
    train(compiled(make()), tmp_path, 1)
    gan = compiled(make(seed=9), generator={"learning_rate": 2e-3}, beta_1=0.5)
    train(gan, tmp_path, 2, allow_changes=True)
    assert float(gan.generator_optimizer.learning_rate) == pytest.approx(2e-3)
    assert float(gan.discriminator_optimizer.learning_rate) == pytest.approx(1e-3)
    assert gan.discriminator_optimizer.beta_1 == 0.5
    assert gan.generator_optimizer.iterations.numpy() == 8  # the rest is the checkpoint's
    again = compiled(make(), generator={"learning_rate": 2e-3}, beta_1=0.5)
    train(again, tmp_path, 3)  # and they are its own from now on


def test_a_rate_that_a_callback_has_changed_is_no_change(tmp_path):
    class Halve(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.generator_optimizer.learning_rate = 1e-3 / (1 + epoch)

    gan = train(compiled(make()), tmp_path, 2, more=[Halve()])
    train(gan, tmp_path, 3)  # the same, with the rate it had come to
    other = train(compiled(make()), tmp_path, 4)  # a new start of the script
    assert float(other.generator_optimizer.learning_rate) == pytest.approx(5e-4)


def test_checkpoints_that_do_not_say_go_on_as_before(tmp_path):
    train(compiled(make()), tmp_path, 1)
    with h5py.File(tmp_path / "epoch-00001.weights.h5", "r+") as file:
        del file.attrs["settings"]
    gan = train(compiled(make(), learning_rate=2e-3), tmp_path, 2)
    assert float(gan.generator_optimizer.learning_rate) == pytest.approx(1e-3)


# ---- two trainings in one folder


def test_a_second_process_is_told_who_trains_there(tmp_path):
    import fcntl

    holder = """
        import fcntl, sys
        file = open(sys.argv[1], "a+b", buffering=0)
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(b"process 4711 on node3, since 2026-01-01 00:00:00+00:00")
        print("locked", flush=True)
        sys.stdin.read()
    """
    train(make(), tmp_path, 1)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    command = [sys.executable, "-c", textwrap.dedent(holder), str(tmp_path / ".lock")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True) as process:
        assert process.stdout.readline() == "locked\n"
        message = "Another training runs.*process 4711 on node3, since 2026.*Received"
        with pytest.raises(BlockingIOError, match=message):
            train(make(), tmp_path, 2)
        assert all(path.read_bytes() == content for path, content in before.items())
        process.kill()  # the kernel lets go of the lock; the file stays
    assert (tmp_path / ".lock").exists()
    train(make(), tmp_path, 2)
    assert Resume(tmp_path).epoch == 2 and not (tmp_path / ".lock").exists()
    with (tmp_path / ".lock").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # free


def test_a_lock_says_its_process_and_is_removed(tmp_path):
    with locked(tmp_path / "new"):
        text = (tmp_path / "new" / ".lock").read_text()
        assert re.fullmatch(rf"process {os.getpid()} on \S+, since 2\d{{3}}-.*", text)
        with (
            pytest.raises(BlockingIOError, match=f"process {os.getpid()} on"),
            locked(tmp_path / "new"),
        ):
            pass
    assert not (tmp_path / "new").exists()
