"""Numbers of TensorFlow Addons, which our layers are compared with.

TensorFlow Addons 0.23 is the last release, and cannot be imported beside Keras 3, so this runs in
an environment of its own, by hand, on Python 3.11:

    python3.11 -m venv addons
    addons/bin/pip install "tensorflow-cpu==2.15.*" "tensorflow-addons==0.23.*" "numpy<2"
    addons/bin/python tests/reference/tensorflow_addons.py

It writes `tensorflow_addons.json` beside itself: for each case the arguments, inputs, weights and
outputs, and the versions that made them. The tests read only that file.
"""

import json
import pathlib
import sys

# A script's own folder comes first in the search path, and this file has the name of the package.
sys.path.pop(0)

import keras
import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa


def numbers(array):
    """As lists, in the shortest form that gives the same float32."""
    array = np.asarray(array, "float32")
    return np.reshape([float(str(value)) for value in array.ravel()], array.shape).tolist()


def instance_normalization(generator, shape, axis, epsilon, learned):
    layer = tfa.layers.InstanceNormalization(
        axis=axis, epsilon=epsilon, center=learned, scale=learned
    )
    x = generator.normal(1.0, 3.0, shape).astype("float32")
    layer.build(shape)
    weights = [generator.normal(1.0, 0.5, w.shape).astype("float32") for w in layer.weights]
    layer.set_weights(weights)
    return {
        "arguments": {"axis": axis, "epsilon": epsilon, "center": learned, "scale": learned},
        "input": numbers(x),
        "weights": [numbers(w) for w in weights],  # gamma, beta
        "output": numbers(layer(x)),
    }


def group_normalization(generator, shape, groups, epsilon):
    """With as many groups as channels it is instance normalisation, by other code."""
    layer = tfa.layers.GroupNormalization(groups=groups, epsilon=epsilon)
    x = generator.normal(1.0, 3.0, shape).astype("float32")
    return {
        "arguments": {"groups": groups, "epsilon": epsilon},
        "input": numbers(x),
        "output": numbers(layer(x)),
    }


def spectral_normalization(generator, kind, arguments, shape, power_iterations, calls):
    inner = getattr(tf.keras.layers, kind)(**arguments)
    layer = tfa.layers.SpectralNormalization(inner, power_iterations=power_iterations)
    x = generator.normal(0.0, 1.0, shape).astype("float32")
    layer.build(shape)
    kernel = generator.normal(0.0, 1.0, inner.kernel.shape).astype("float32")
    bias = generator.normal(0.0, 1.0, inner.bias.shape).astype("float32")
    u = generator.normal(0.0, 1.0, layer.u.shape).astype("float32")
    inner.set_weights([kernel, bias])
    layer.u.assign(u)
    steps = []
    for _ in range(calls):  # each overwrites the kernel, and divides what the last one left
        output = layer(x, training=True)
        steps.append(
            {
                "normalized_kernel": numbers(inner.kernel),
                "u": numbers(layer.u),
                "output": numbers(output),
            }
        )
    return {
        "layer": kind,
        "arguments": arguments,
        "power_iterations": power_iterations,
        "input": numbers(x),
        "kernel": numbers(kernel),
        "bias": numbers(bias),
        "u": numbers(u),
        "calls": [steps[0], steps[-1]],
        "number_of_calls": [1, calls],
    }


def main():
    generator = np.random.default_rng(0)
    same = {"padding": "same"}
    reference = {
        "versions": {
            "python": sys.version.split()[0],
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
            "tensorflow_addons": tfa.__version__,
            "numpy": np.__version__,
        },
        "instance_normalization": [
            instance_normalization(generator, (2, 5, 4, 3), -1, 1e-5, True),
            instance_normalization(generator, (2, 5, 4, 3), -1, 1e-3, False),
            instance_normalization(generator, (3, 7, 2), -1, 1e-3, True),
            instance_normalization(generator, (2, 3, 4, 5), 1, 1e-5, True),
        ],
        "group_normalization": [
            group_normalization(generator, (2, 4, 4, 6), 6, 1e-3),
        ],
        "spectral_normalization": [
            spectral_normalization(generator, "Dense", {"units": 5}, (4, 7), 1, 12),
            spectral_normalization(generator, "Dense", {"units": 3}, (2, 4), 3, 4),
            spectral_normalization(
                generator, "Conv2D", {"filters": 4, "kernel_size": 3, **same}, (2, 5, 5, 3), 1, 8
            ),
        ],
    }
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(reference, sort_keys=True) + "\n")
    print(f"{path.name}: {path.stat().st_size} bytes, {reference['versions']}")


if __name__ == "__main__":
    main()
