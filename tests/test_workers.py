"""MultiWorkerMirroredStrategy: two processes on this machine."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import hashlib, json, sys
import numpy as np, tensorflow as tf
strategy = tf.distribute.MultiWorkerMirroredStrategy()
import keras, keras_gans
folder = sys.argv[1]
keras.utils.set_random_seed(0)
with strategy.scope():
    gan = keras_gans.DCGAN(
        keras_gans.networks.dcgan_generator((16, 16, 1), latent_dim=4, width=4),
        keras_gans.networks.dcgan_discriminator((16, 16, 1), width=4),
        ema_decay=0.9, seed=0,
    )
    gan.compile()
x = np.random.default_rng(0).uniform(-1, 1, (32, 16, 16, 1)).astype("float32")
options = tf.data.Options()
options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
data = tf.data.Dataset.from_tensor_slices(x).batch(8, drop_remainder=True).with_options(options)
callbacks = [
    keras_gans.callbacks.SampleGrid(folder + "/samples", num_images=4),
    keras_gans.callbacks.Resume(folder + "/checkpoints"),
    keras_gans.callbacks.MetricsLog(folder + "/metrics.jsonl"),
    keras_gans.callbacks.TrainingHealth(),
]
logs = gan.fit(data, epochs=2, callbacks=callbacks, verbose=0).history
# Statistics of batch normalisation are each worker's own, as Keras keeps them; the first saves.
learned = gan.variables_of("generator") + gan.variables_of("discriminator")
learned += [v for v in gan.ema_generator.weights if "moving" not in v.path]
digest = hashlib.sha256(b"".join(v.numpy().tobytes() for v in learned)).hexdigest()
steps = int(gan.generator_optimizer.iterations.numpy())
logs = {name: np.ravel(value).tolist() for name, value in logs.items()}
print(json.dumps({"digest": digest, "steps": steps, "logs": logs}))
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.slow  # two processes, each of which loads TensorFlow and waits for the other
def test_two_workers_train_one_gan(tmp_path):
    workers = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    processes = []
    for index in range(2):
        cluster = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
        processes.append(
            subprocess.Popen(
                [sys.executable, "-c", PROGRAM, str(tmp_path)],
                env={**os.environ, "TF_CONFIG": json.dumps(cluster)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    try:
        outputs = [process.communicate(timeout=240) for process in processes]
    finally:
        for process in processes:
            process.kill()
    for process, (_, errors) in zip(processes, outputs):
        assert process.returncode == 0, errors[-3000:]
    first, second = (json.loads(out.splitlines()[-1]) for out, _ in outputs)
    assert first["digest"] == second["digest"] and first["steps"] == 8
    assert first["logs"] == second["logs"]
    assert len(first["logs"]["generator_loss"]) == 2
    assert sorted(p.name for p in Path(tmp_path, "samples").iterdir())[-1] == "training.gif"
    assert len(list(Path(tmp_path, "checkpoints").iterdir())) == 2
    assert len(Path(tmp_path, "metrics.jsonl").read_text().splitlines()) == 2
