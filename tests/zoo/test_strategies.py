"""Strategies by name, and a recipe on two replicas; workers are in tests/test_workers.py."""

import json
import os
import re
import socket
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from keras_gans import zoo
from tiny import recipe

CLUSTER = {"worker": ["127.0.0.1:12345", "127.0.0.1:12346"]}


def config(cluster=CLUSTER, kind="worker", index=0):
    return json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})


def test_one_device():
    assert zoo.strategy(None) is tf.distribute.get_strategy()
    assert zoo.strategy(None).num_replicas_in_sync == 1


def test_a_strategy_is_its_own(two_replicas):
    assert zoo.strategy(two_replicas) is two_replicas


def test_mirrored_takes_all_gpus(monkeypatch):
    made = []
    monkeypatch.setattr(tf.distribute, "MirroredStrategy", lambda: made.append("it") or "mirrored")
    assert zoo.strategy("mirrored") == "mirrored" and made == ["it"]


@pytest.mark.parametrize(
    ("name", "meant"), [("mirror", "mirrored"), ("multi_workers", "multi_worker"), (2, None)]
)
def test_another_name(name, meant):
    hint = f" Did you mean '{meant}'" if meant else " Expected"
    message = rf"No strategy of that name\.{hint}.*Received: {name!r}$"
    with pytest.raises(ValueError, match=message):
        zoo.strategy(name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"do not find each other.*such as \{.*Received: TF_CONFIG=''$"),
        ("", "do not find each other"),
        ("host0:12345", "not JSON of a cluster.*Received: TF_CONFIG='host0:12345'"),
        ("[]", "not JSON of a cluster"),
        ('{"cluster": {}}', "not JSON of a cluster"),
        (config(kind="chief"), "not JSON of a cluster"),
        (config(cluster=["127.0.0.1:12345"]), "not JSON of a cluster"),
        (config(index="first"), "not JSON of a cluster"),
        (config(index=2), "no worker of index 2 among 2"),
        (config(index=-1), "no worker of index -1 among 2"),
        (config(cluster={"worker": ["127.0.0.1:12345"] * 2}), "Two tasks have one address"),
    ],
)
def test_a_tf_config_that_is_not_right(text, message, monkeypatch):
    monkeypatch.setattr(tf.distribute, "MultiWorkerMirroredStrategy", None)  # is not reached
    if text is None:
        monkeypatch.delenv("TF_CONFIG", raising=False)
    else:
        monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match=message):
        zoo.strategy("multi_worker")


def test_a_tf_config_that_is_right(monkeypatch):
    met = []
    monkeypatch.setattr(tf.distribute, "MultiWorkerMirroredStrategy", lambda: "workers")
    waited = "keras_gans.zoo.runs.strategies.wait_for_workers"
    monkeypatch.setattr(waited, lambda *given: met.append(given))
    for index in (0, 1, "1"):  # TensorFlow takes a string too
        monkeypatch.setenv("TF_CONFIG", config(index=index))
        assert zoo.strategy("multi_worker") == "workers"
    cluster = json.loads(config())["cluster"]
    assert met == [(cluster, "worker", index) for index in (0, 1, 1)]


LATE = """
import tensorflow as tf
from keras_gans import zoo
tf.zeros(1)
zoo.strategy("multi_worker")
"""


@pytest.mark.slow  # another process, which loads TensorFlow
def test_workers_after_tensorflow_has_computed_anything():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        workers = [f"127.0.0.1:{probe.getsockname()[1]}"]
    alone = json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": 0}})
    done = subprocess.run(
        [sys.executable, "-c", LATE],
        env={**os.environ, "TF_CONFIG": alone},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 1
    message = "RuntimeError: Workers must meet before .*start of the program.*Received: Collective"
    assert re.match(message, done.stderr.splitlines()[-1])


def test_new_is_not_for_workers(tmp_path, monkeypatch):
    class Workers(tf.distribute.MultiWorkerMirroredStrategy):
        cluster_resolver = None

        def __init__(self):
            """Meets nobody."""

    (tmp_path / "run").mkdir()
    with pytest.raises(ValueError, match=r"another folder.*Received: new=True, .*run"):
        zoo.train(recipe(tmp_path), tmp_path / "run", new=True, strategy=Workers())
    assert [path.name for path in tmp_path.iterdir()] == ["run"]  # and nothing is moved away


@pytest.mark.usefixtures("without_graphs")  # which replicas have
def test_two_replicas_train_what_one_device_would(tmp_path, two_replicas):
    """With batch normalisation, over the batch of both."""
    descent = {"type": "SGD", "learning_rate": 0.05}  # Adam makes much of rounding
    optimizers = {"generator_optimizer": descent, "discriminator_optimizer": descent}
    config = {**recipe(tmp_path / "data"), **optimizers}
    folders = [
        zoo.train(config, tmp_path / name, verbose=0, strategy=strategy)
        for name, strategy in {"alone": None, "shared": two_replicas}.items()
    ]
    alone, shared = (zoo.restore(folder) for folder in folders)
    assert any("moving_variance" in variable.path for variable in alone.weights)
    for a, b in zip(alone.weights, shared.weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=0, atol=1e-4)  # 6e-6 found
    start = zoo.Recipe(config).build_model()
    moved = [np.abs(a.numpy() - b.numpy()).max() for a, b in zip(start.weights, alone.weights)]
    assert max(moved) > 1e-3
    assert (folders[1] / "report.html").is_file()
    configs = [(folder / "config.json").read_text() for folder in folders]
    assert configs[0] == configs[1]
