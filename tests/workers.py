"""Every GAN of the contract, trained by one process or shared by several.

As a program it is one of several workers, which `TF_CONFIG` tells apart: it trains all of them in
a folder of its own, and leaves the weights and the logs in a file.
"""

import importlib
import json
import sys
from pathlib import Path
from unittest import mock

import keras
import numpy as np
import tensorflow as tf

import keras_gans

TESTS = Path(__file__).parent
SIZE = 8  # of a batch


def families():
    """Name to contract of every GAN that tests/models has one for.

    A contract whose class is not named `Test...` stands in for its base, whose normalisation makes
    much of rounding.
    """
    from contract import GANContract

    sys.path.append(str(TESTS / "models"))
    found = {}
    for path in sorted((TESTS / "models").glob("test_*.py")):
        module = importlib.import_module(path.stem)
        classes = [value for value in vars(module).values() if isinstance(value, type)]
        classes = [c for c in classes if issubclass(c, GANContract) and c is not GANContract]
        replaced = [c.__base__ for c in classes if not c.__name__.startswith("Test")]
        found |= {f"{path.stem}.{c.__name__}": c() for c in classes if c not in replaced}
    sys.path.pop()
    return found


def batch_normalised():
    """The contract of a DCGAN with the networks of the paper."""
    families()
    return sys.modules["test_dcgan"].TestDCGAN()


def is_random(gan):
    """Has it layers such as dropout, whose draws are each replica's own?"""
    networks = (getattr(gan, name) for names in gan.sides.values() for name in names)
    return any("seed" in layer.get_config() for n in networks for layer in layers(n))


def layers(network):
    return [layer for layer in network._flatten_layers() if not isinstance(layer, keras.Model)]


def synchronized(gan):
    """The same GAN, with batch normalisation over the batch of all replicas."""
    config = keras.saving.deserialize_keras_object(gan.get_config())
    names = [name for names in gan.sides.values() for name in names]
    networks = {name: keras_gans.networks.synchronized(getattr(gan, name)) for name in names}
    return type(gan)(**{**config, **networks})


def train(family, folder, strategy=None, together=True):
    """Two epochs of two batches, with callbacks that write into `folder`.

    Args:
        family: the contract of a GAN.
        folder: of what the callbacks write.
        strategy: of the workers; `None` for one process, which is given the images in the order
            in which two workers see them.
        together: whether batch normalisation is over the batch of all.

    Returns:
        The GAN and its logs.
    """
    from contract import sgd

    strategy = strategy or tf.distribute.get_strategy()
    keras.utils.set_random_seed(0)
    with strategy.scope():
        gan = family.make(ema_decay=0.9, seed=1)
        if together:
            gan = synchronized(gan)
        gan.compile(sgd(), sgd())
    # As in the contract: each worker cuts its own half into parts.
    order = np.arange(SIZE)
    if strategy.num_replicas_in_sync == 1:
        order = order.reshape(2, family.parts, -1).swapaxes(0, 1).ravel()
    batches = tf.nest.map_structure(lambda a: np.asarray(a)[:, order], family.batches(2, SIZE))
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    callbacks = [
        keras_gans.callbacks.Resume(folder / "checkpoints"),
        keras_gans.callbacks.MetricsLog(folder / "metrics.jsonl"),
    ]
    if gan.inference_generator.output_shape[-1] != 2:  # channels that no picture has
        callbacks.append(keras_gans.callbacks.SampleGrid(folder / "samples", num_images=4))
    # Where on its line an example is looked at is each replica's own draw: all halfway here.
    with mock.patch.object(keras_gans.penalties, "_uniform", lambda s, seed: tf.fill(s, 0.5)):
        history = gan.fit(
            family.dataset(batches).with_options(options), epochs=2, callbacks=callbacks, verbose=0
        ).history
    logs = {name: np.ravel(values).tolist() for name, values in history.items()}
    return gan, logs


def own_weights(gan):
    """This process' own copies, where reading a statistic would take the mean over all."""
    local = gan.distribute_strategy.experimental_local_results
    return [local(variable.value)[0].numpy() for variable in gan.weights]


def main(folder, result):
    strategy = keras_gans.zoo.strategy("multi_worker")
    trainings = {name: (family, True) for name, family in families().items()}
    for together in (False, True):
        trainings[f"batch normalisation, {together}"] = (batch_normalised(), together)
    weights, logs = {}, {}
    for name, (family, together) in trainings.items():
        gan, logs[name] = train(family, folder / name, strategy, together)
        weights |= {f"{name}/{n:03d}": value for n, value in enumerate(own_weights(gan))}
    np.savez(result, **weights, logs=json.dumps(logs))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
