"""Batch normalisation over the batch of all replicas."""

import keras

from keras_gans import interface
from keras_gans.layers import ConditionalBatchNormalization


def synchronized(network: keras.Model) -> keras.Model:
    """Returns a copy of a network with batch normalisation over the batch of all replicas.

    On one device the outputs are the same. On several, each replica normalises by the statistics
    of the whole batch instead of its own part, so that training is as on one device. It needs
    communication, which is worth it where the part is small. The layers are Keras', made with
    `synchronized=True`; networks of your own may have them from the start.

    >>> network = keras_gans.networks.dcgan_generator((28, 28, 1))
    >>> network = keras_gans.networks.synchronized(network)

    Args:
        network: a built `keras.Model` of the functional kind.

    Returns:
        A `keras.Model` with the same weights, and the same name.

    Raises:
        ValueError: for anything else than such a network.

    References:
        Ioffe 2015, "Batch Normalization", section 3; Zhang 2018, "Context Encoding for Semantic
        Segmentation", section 3.2, which synchronised it.
    """

    if not isinstance(network, keras.Model) or not getattr(network, "inputs", None):
        raise ValueError(
            "Layers can be replaced only in a functional or Sequential "
            "`keras.Model` with an input. In a subclassed one, make batch normalisation with "
            f"`synchronized=True`. Received: {network!r}"
        )

    def copied(layer):
        config = layer.get_config()
        if isinstance(layer, (keras.layers.BatchNormalization, ConditionalBatchNormalization)):
            config["synchronized"] = True
        return type(layer).from_config(config)

    copy = keras.models.clone_model(network, clone_function=copied, recursive=True)
    for new, old in zip(copy.variables, network.variables):  # states of random layers too
        new.assign(old)
    return interface.state(copy, interface.of(network)) if interface.is_stated(network) else copy
