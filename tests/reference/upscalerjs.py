"""What UpscalerJS' networks make, computed from their `model.json` with TensorFlow's operations.

`keras_gans.zoo.converters.upscalerjs` reads the same folders, and our networks must then make the
same images. `computed` follows the layers as the file lists them, and knows nothing of our
networks. Needs the packages `@upscalerjs/esrgan-thick` and `@upscalerjs/esrgan-slim` 1.0.0 of npm,
unpacked:

    python tests/reference/upscalerjs.py thick/package/models/x4 slim/package/models/x4

Written beside this script: `upscalerjs.npz`, with `noise`, `(height, width, 3)` in [0, 1], and what
each network makes of it, not clipped: `thick` and `slim`, and small ones with random weights, whose
folders `write` writes wherever they are needed. Networks of the kind RDN compute in [0, 255].
"""

import json
import pathlib
import sys
import tempfile

import numpy as np

HERE = pathlib.Path(__file__).parent


class Writer:
    """Layers as Keras 2 lists them; each method returns the name of its layer."""

    def __init__(self, channels, name, seed=0):
        self.rng = np.random.RandomState(seed)
        shape = {"batch_input_shape": [None, None, None, channels], "dtype": "float32"}
        self.layers, self.weights, self.width = [], {}, {}
        self.input = self.add("InputLayer", name, [], channels, shape)

    def add(self, kind, name, inputs, width, config):
        nodes = [[[x, 0, 0, {}] for x in inputs]] if inputs else []
        config = {"name": name, **config}
        layer = {"class_name": kind, "config": config, "name": name, "inbound_nodes": nodes}
        self.layers.append(layer)
        self.width[name] = width
        return name

    def convolution(self, x, name, filters, size=3, padding="same"):
        taken = self.width[x]
        spread = 1 / np.sqrt(size**2 * taken)
        kernel = self.rng.normal(0, spread, (size, size, taken, filters)).astype("<f4")
        self.weights[f"{name}/kernel"] = kernel
        self.weights[f"{name}/bias"] = self.rng.normal(0, 0.1, filters).astype("<f4")
        config = {
            "filters": filters,
            "kernel_size": [size, size],
            "strides": [1, 1],
            "padding": padding,
            "data_format": "channels_last",
            "dilation_rate": [1, 1],
            "groups": 1,
            "activation": "linear",
            "use_bias": True,
        }
        return self.add("Conv2D", name, [x], filters, config)

    def relu(self, x):
        return self.add("Activation", f"{x}_Relu", [x], self.width[x], {"activation": "relu"})

    def added(self, name, x, y):
        return self.add("Add", name, [x, y], self.width[x], {})

    def joined(self, name, *inputs):
        width = sum(self.width[x] for x in inputs)
        return self.add("Concatenate", name, inputs, width, {"axis": 3})

    def beta(self, x, number):
        name = f"multiply_beta_{number}" if number else "multiply_beta"
        return self.add("MultiplyBeta", name, [x], self.width[x], {"beta": 0.2})


def rrdn(channels=3, scale=4, width=5, blocks=2, parts=2, convolutions=2, growth=3):
    """A small RRDN."""
    net, betas = Writer(channels, "LR_input"), iter(range(1000))
    first = x = net.convolution(net.input, "Pre_blocks_conv", width)
    for t in range(1, blocks + 1):
        outer = x
        for d in range(1, parts + 1):
            seen = x
            for c in range(1, convolutions + 1):
                y = net.relu(net.convolution(seen, f"F_{t}_{d}_{c}", growth))
                seen = net.joined(f"RDB_Concat_{t}_{d}_{c}", seen, y)
            y = net.beta(net.convolution(seen, f"LFF_{t}_{d}", width), next(betas))
            x = net.added(f"LRL_{t}_{d}", x, y)
        x = net.added(f"RRDB_{t}_out", outer, net.beta(x, next(betas)))
    x = net.added("GRL", net.convolution(x, "post_blocks_conv", width), first)
    x = net.convolution(x, "PreShuffle", channels * scale**2)
    x = net.add(f"PixelShuffle{scale}x", "pixel_shuffle", [x], channels, {"scale": scale})
    net.convolution(x, "SR", channels)
    return net


def rdn(channels=3, scale=4, width=6, blocks=2, convolutions=2, growth=3):
    """A small RDN."""
    net = Writer(channels, "LR")
    first = net.convolution(net.input, "F_m1", width)
    x, made = net.convolution(first, "F_0", width), []
    for d in range(1, blocks + 1):
        seen = x
        for c in range(1, convolutions + 1):
            y = net.relu(net.convolution(seen, f"F_{d}_{c}", growth))
            seen = net.joined(f"RDB_Concat_{d}_{c}", seen, y)
        x = net.added(f"LRL_{d}", net.convolution(seen, f"LFF_{d}", width, 1, "valid"), x)
        made.append(x)
    x = net.convolution(net.joined("LRLs_Concat", *made), "GFF_1", width, 1)
    x = net.added("FDF", net.convolution(x, "GFF_2", width), first)
    for name, filters, size in (("UPN1", 64, 5), ("UPN2", 32, 3)):
        x = net.relu(net.convolution(x, name, filters, size))
    x = net.convolution(x, "UPN3", channels * scale**2)
    config = {"size": [scale, scale], "interpolation": "nearest"}
    net.convolution(net.add("UpSampling2D", "UPsample", [x], net.width[x], config), "SR", channels)
    return net


SMALL = {
    "small_rrdn": lambda: rrdn(),
    "small_rrdn_x2_grey": lambda: rrdn(channels=1, scale=2, blocks=1, parts=3, convolutions=1),
    "small_rdn": lambda: rdn(),
    "small_rdn_x3": lambda: rdn(scale=3, blocks=3, convolutions=1),
}


def write(net, folder, shards=2):
    """Writes `model.json` and its shards, and returns the folder."""
    names = sorted(net.weights, key=lambda name: (name.split("/")[0], name.endswith("bias")))
    content = b"".join(net.weights[name].tobytes() for name in names)
    paths = [f"group1-shard{number + 1}of{shards}.bin" for number in range(shards)]
    length = -(-len(content) // shards) + 1  # not a multiple of 4
    folder.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(paths):
        (folder / path).write_bytes(content[number * length : (number + 1) * length])
    listed = [
        {"name": name, "shape": list(net.weights[name].shape), "dtype": "float32"} for name in names
    ]
    config = {
        "name": "generator",
        "layers": net.layers,
        "input_layers": [[net.input, 0, 0]],
        "output_layers": [["SR", 0, 0]],
    }
    model = {"class_name": "Functional", "config": config}
    topology = {"keras_version": "2.10.0", "backend": "tensorflow", "model_config": model}
    manifest = [{"paths": paths, "weights": listed}]
    described = {"format": "layers-model", "modelTopology": topology, "weightsManifest": manifest}
    (folder / "model.json").write_text(json.dumps(described))
    return folder


def computed(folder, image):
    """What the network in a folder makes of an image, layer by layer."""
    import tensorflow as tf

    described = json.loads((folder / "model.json").read_text())
    weights = {}
    for group in described["weightsManifest"]:
        content = b"".join((folder / path).read_bytes() for path in group["paths"])
        numbers = np.frombuffer(content, "<f4")
        for weight in group["weights"]:
            size = int(np.prod(weight["shape"]))
            weights[weight["name"]] = numbers[:size].reshape(weight["shape"])
            numbers = numbers[size:]
    found = {}
    for layer in described["modelTopology"]["model_config"]["config"]["layers"]:
        name, config, kind = layer["name"], layer["config"], layer["class_name"]
        x = [found[node[0]] for node in layer["inbound_nodes"][0]] if layer["inbound_nodes"] else []
        if kind == "InputLayer":
            y = tf.constant(image[None])
        elif kind == "Conv2D":
            y = tf.nn.conv2d(x[0], weights[f"{name}/kernel"], 1, config["padding"].upper())
            y = y + weights[f"{name}/bias"]
        elif kind == "Activation":
            y = tf.nn.relu(x[0])
        elif kind == "Concatenate":
            y = tf.concat(x, config["axis"])
        elif kind == "Add":
            y = tf.add_n(x)
        elif kind == "MultiplyBeta":
            y = x[0] * config["beta"]
        elif kind.startswith("PixelShuffle"):
            y = tf.nn.depth_to_space(x[0], config["scale"])
        else:
            y = tf.repeat(tf.repeat(x[0], config["size"][0], 1), config["size"][1], 2)
        found[name] = y
    return y[0].numpy()


def made(folder, name, image):
    """As `computed`, of images in [0, 1]."""
    if "rrdn" in name or name == "thick":
        return computed(folder, image)
    return computed(folder, 255 * image) / np.float32(255)


def main():
    import tensorflow as tf

    noise = np.random.RandomState(1234).uniform(0.2, 0.8, (9, 7, 3)).astype("float32")
    found = {"noise": noise}
    with tempfile.TemporaryDirectory() as temporary:
        folders = dict(zip(("thick", "slim"), map(pathlib.Path, sys.argv[1:])))
        for name, make in SMALL.items():
            folders[name] = write(make(), pathlib.Path(temporary, name))
        for name, folder in folders.items():
            found[name] = made(folder, name, noise[..., :1] if "grey" in name else noise)
            print(name, found[name].shape, f"{found[name].min():.3f} to {found[name].max():.3f}")
    np.savez_compressed(HERE / "upscalerjs.npz", versions=f"tensorflow {tf.__version__}", **found)


if __name__ == "__main__":
    main()
