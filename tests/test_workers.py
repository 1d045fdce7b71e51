"""MultiWorkerMirroredStrategy: two processes on this machine, which talk over loopback."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import workers

import tiny
from contract import assert_same
from keras_gans import zoo
from keras_gans.callbacks import Resume
from keras_gans.callbacks.metrics_log import read_metrics

FAMILIES = workers.families()

PATIENCE = 1800  # seconds; of which a machine that does nothing else needs less than a tenth


@contextlib.contextmanager
def two_workers(command, folder, number=0):
    """Starts a command twice; `{index}` in it is 0 or 1. What they print is in `folder`."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(2)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        addresses = [f"127.0.0.1:{probe.getsockname()[1]}" for probe in probes]
    processes = []
    try:
        for index in range(2):
            cluster = {"worker": addresses}
            config = {"cluster": cluster, "task": {"type": "worker", "index": index}}
            with (folder / f"printed-{number}-{index}.txt").open("w") as printed:
                processes.append(
                    subprocess.Popen(
                        [sys.executable, *(str(word).format(index=index) for word in command)],
                        env={**os.environ, "TF_CONFIG": json.dumps(config)},
                        stdout=printed,
                        stderr=subprocess.STDOUT,
                    )
                )
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def require_success(processes, folder, number=0):
    for index, process in enumerate(processes):
        status = process.wait(timeout=PATIENCE)
        printed = (folder / f"printed-{number}-{index}.txt").read_text()
        assert status == 0, f"worker {index}: {printed[-3000:]}"


# ---- every GAN, and batch normalisation


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Weights and logs of every training, of each worker, and what each wrote."""
    folder = tmp_path_factory.mktemp("workers")
    command = [workers.__file__, folder / "own-{index}", folder / "result-{index}.npz"]
    with two_workers(command, folder) as processes:
        require_success(processes, folder)
    return folder


def of_both(results, name):
    """The weights and the logs of one training, of both workers."""
    weights, logs = [], []
    for index in range(2):
        with np.load(results / f"result-{index}.npz") as file:
            weights.append([file[key] for key in file.files if key.startswith(f"{name}/")])
            logs.append(json.loads(str(file["logs"]))[name])
    return weights, logs


def require_one_training(results, name):
    """Checks that both workers have one GAN and one story of it, and that the first wrote it."""
    (first, second), logs = of_both(results, name)
    assert_same(first, second)
    assert logs[0] == logs[1] and all(len(values) == 2 for values in logs[0].values())
    own = results / "own-0" / name
    checkpoints = [path.name for path in Resume(own / "checkpoints").checkpoints()]
    assert checkpoints == ["epoch-00001.weights.h5", "epoch-00002.weights.h5"]
    assert [line["epoch"] for line in read_metrics(own / "metrics.jsonl")] == [1, 2]
    return first, logs[0]


def require_agreement(gan, logs, found, found_logs):
    assert_same(workers.own_weights(gan), found, atol=2e-5)
    assert sorted(logs) == sorted(found_logs)
    for name, values in logs.items():
        np.testing.assert_allclose(values, found_logs[name], rtol=1e-4, atol=1e-5)


@pytest.mark.by_hand  # two processes, each of which loads TensorFlow and traces every GAN
@pytest.mark.parametrize("name", FAMILIES)
def test_two_workers_train_a_gan_as_one_process_does(name, results, tmp_path):
    """Weights differed by 4e-6 at most, with conditional batch normalisation, and else by 1e-7."""
    found, found_logs = require_one_training(results, name)
    keras.utils.set_random_seed(0)
    start = FAMILIES[name].make(ema_decay=0.9, seed=1)
    if workers.is_random(start):
        return  # what dropout and noise draw is each replica's own
    gan, logs = workers.train(FAMILIES[name], tmp_path)
    require_agreement(gan, logs, found, found_logs)
    start = [variable.numpy() for variable in start.weights]
    assert max(np.abs(a - b).max() for a, b in zip(start, found)) > 1e-3


@pytest.mark.by_hand  # as above
def test_statistics_of_batch_normalisation_are_those_of_all_workers(results, tmp_path):
    """Their own batches' if not synchronised, so that one process has others; and yet the same."""
    gan, logs = workers.train(workers.batch_normalised(), tmp_path)
    assert any("moving_variance" in variable.path for variable in gan.weights)
    require_agreement(gan, logs, *require_one_training(results, "batch normalisation, True"))
    ordinary, _ = require_one_training(results, "batch normalisation, False")
    differences = [np.abs(a - b).max() for a, b in zip(workers.own_weights(gan), ordinary)]
    assert max(differences) > 1e-3


@pytest.mark.by_hand  # as above
def test_the_first_worker_writes_and_no_other(results):
    names = sorted(path.name for path in (results / "own-0").iterdir())
    assert len(names) == len(FAMILIES) + 2
    assert not (results / "own-1").exists()
    pictures = [path.name for path in (results / "own-0").glob("test_gan.TestGAN/samples/*")]
    expected = ["epoch_0000.png", "epoch_0001.png", "epoch_0002.png", "training.gif"]
    assert sorted(pictures) == expected


# ---- a worker that dies


@pytest.mark.slow  # the command line's training, of two processes, twice
def test_a_killed_worker_and_the_same_command_again(tmp_path):
    """Going on is exact; the largest difference of a weight to one process was 5e-8."""
    epochs = 10
    descent = {"type": "SGD", "learning_rate": 0.005}  # Adam makes much of rounding
    config = {**tiny.recipe(tmp_path / "data"), "epochs": epochs}
    config |= {"generator_optimizer": descent, "discriminator_optimizer": descent}
    recipe, run = tmp_path / "recipe.json", tmp_path / "run"
    recipe.write_text(json.dumps(config))
    train = ["-m", "keras_gans.cli", "train", recipe, "--strategy", "multi_worker", "--run", run]
    with two_workers(train, tmp_path) as (first, second):
        give_up = time.monotonic() + PATIENCE
        while Resume(run / "checkpoints").epoch < 2:
            assert time.monotonic() < give_up and first.poll() is None and second.poll() is None
            time.sleep(0.02)
        second.kill()
        # Its connection is gone, which TensorFlow notices: 14 and 18 seconds, on a busy machine.
        assert first.wait(timeout=PATIENCE) != 0
    stopped = Resume(run / "checkpoints").epoch
    assert 2 <= stopped < epochs
    with two_workers(train, tmp_path, number=1) as processes:
        require_success(processes, tmp_path, number=1)
    printed = (tmp_path / "printed-1-0.txt").read_text()
    shown = [f"Epoch {epoch}/{epochs}\n" in printed for epoch in (stopped, stopped + 1, epochs)]
    assert shown == [False, True, True]
    straight = zoo.train(config, tmp_path / "straight", verbose=0)
    gans = [zoo.restore(folder) for folder in (straight, run)]
    assert_same(*([v.numpy() for v in gan.weights] for gan in gans), atol=1e-5)
    start = zoo.Recipe(config).build_model()
    moved = [np.abs(a.numpy() - b.numpy()).max() for a, b in zip(start.weights, gans[0].weights)]
    assert max(moved) > 1e-3
    lines = [read_metrics(folder / "metrics.jsonl") for folder in (straight, run)]
    assert [[line["epoch"] for line in part] for part in lines] == [[*range(1, epochs + 1)]] * 2
    assert (run / "report.html").is_file()
