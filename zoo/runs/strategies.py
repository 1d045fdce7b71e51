"""Devices and machines that share a training, by name."""

import json
import os
import signal
import threading
from typing import NoReturn

import tensorflow as tf

from keras_gans.names import did_you_mean
from keras_gans.zoo.runs.rendezvous import wait_for_workers

STRATEGIES = ("mirrored", "multi_worker")


def strategy(name: str | tf.distribute.Strategy | None) -> tf.distribute.Strategy:
    """A `tf.distribute` strategy by name.

    Args:
        name: `"mirrored"`, all GPUs of this machine; `"multi_worker"`, all machines that the
            environment variable `TF_CONFIG` names; `None`, one device. A strategy is returned as
            it is.

    Returns:
        The strategy.

    Raises:
        ValueError: for another name, a `TF_CONFIG` that is missing or contradicts itself, or
            workers with different clusters.
        TimeoutError: for workers that have not started after ten minutes.
        RuntimeError: for several workers, once TensorFlow has computed anything.
    """
    if name is None:
        return tf.distribute.get_strategy()
    if isinstance(name, tf.distribute.Strategy):
        return name
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    if name == "multi_worker":
        wait_for_workers(*_cluster(os.environ.get("TF_CONFIG", "")))
        try:
            workers = tf.distribute.MultiWorkerMirroredStrategy()
        except RuntimeError as error:
            raise RuntimeError(
                "Workers must meet before TensorFlow computes anything. Ask for the strategy at "
                f"the start of the program, before data and networks. Received: {error}"
            ) from error
        if threading.current_thread() is threading.main_thread():
            # TensorFlow catches this signal and goes on: no scheduler could stop a worker.
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        return workers
    raise ValueError(
        f"No strategy of that name.{did_you_mean(str(name), STRATEGIES)} Expected one of "
        f"{STRATEGIES}, a `tf.distribute.Strategy`, or None for one device. Received: {name!r}"
    )


def _cluster(text: str) -> tuple[dict[str, list[str]], str, int]:
    """The cluster, job and index of `TF_CONFIG`. Raises ValueError if it contradicts itself."""
    example = (
        '{"cluster": {"worker": ["host0:12345", "host1:12345"]}, '
        '"task": {"type": "worker", "index": 0}}'
    )

    def refuse(what: str) -> NoReturn:
        raise ValueError(
            f"{what} Every machine needs the environment variable TF_CONFIG, all with the same "
            f"cluster and each with its own index, such as {example}. Received: TF_CONFIG={text!r}"
        )

    if not text:
        refuse("Several machines do not find each other.")
    try:
        config = json.loads(text)
        jobs, task = config["cluster"], config["task"]
        addresses = [address for job in jobs.values() for address in job]
        own = jobs[task["type"]]
        index = int(task["index"])
    except (KeyError, TypeError, ValueError, AttributeError):
        refuse("TF_CONFIG is not JSON of a cluster and a task in it.")
    if not 0 <= index < len(own):
        refuse(f"There is no {task['type']} of index {index} among {len(own)}.")
    if len(set(addresses)) < len(addresses):
        refuse("Two tasks have one address.")
    return jobs, task["type"], index
