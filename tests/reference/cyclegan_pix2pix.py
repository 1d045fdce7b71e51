"""Weight files of CycleGAN and Pix2Pix networks of PyTorch and of Keras 2, and what these make.

`keras_gans.zoo.converters.pix2pix_cyclegan` reads the files, and our networks must then make the
same images. Each framework needs an environment of its own, on Python 3.11 for the second:

    python3 -m venv torch
    torch/bin/pip install torch numpy
    torch/bin/python tests/reference/cyclegan_pix2pix.py torch

    python3.11 -m venv addons
    addons/bin/pip install "tensorflow-cpu==2.15.*" "tensorflow-addons==0.23.*" "numpy<2"
    addons/bin/python tests/reference/cyclegan_pix2pix.py addons

The modules of PyTorch are nested, named and ordered as those of the authors' program
(pytorch-CycleGAN-and-pix2pix), so that their state dicts have its keys. The networks of Keras 2
are as CycleGANs are written there: TensorFlow Addons' instance normalisation with its defaults, no
bias before it, and "same" for a padding. Written beside this script: the weight files, and
`cyclegan_pix2pix_<framework>.npz` with each network's output, channels last, by file name. The
inputs are drawn by `images`.
"""

import functools
import itertools
import pathlib
import sys

import numpy as np

HERE = pathlib.Path(__file__).parent
WIDTH, BLOCKS, SIDE = 2, 1, 32
FILTERS = [1, 2, 4, 8, 8]  # of the U-Nets, which are the largest


def images(channels=3, side=SIDE):
    """One image, `(1, side, side, channels)`; `RandomState` draws the same in every NumPy."""
    return np.random.RandomState(1234).uniform(-1, 1, (1, side, side, channels)).astype("float32")


def drawn(kind, shape, fan_in, seed):
    """The value of a weight: large enough for each to be seen in the output."""
    rng = np.random.RandomState(seed)
    if kind == "kernel":
        return rng.normal(0.0, 1.5 / np.sqrt(fan_in), shape)
    if kind == "variance":
        return rng.uniform(0.5, 1.5, shape)
    return rng.normal(1.0 if kind == "gamma" else 0.0, 0.2, shape)


def file(name):
    return HERE / f"cyclegan_pix2pix_{name}"


def pytorch():
    import torch
    from torch import nn

    class UNetLevel(nn.Module):
        """A size of the image, around the smaller ones."""

        def __init__(self, outside, filters, inside=None, taken=None):
            super().__init__()
            convolution = functools.partial(nn.Conv2d, kernel_size=4, stride=2, padding=1)
            transposed = functools.partial(nn.ConvTranspose2d, kernel_size=4, stride=2, padding=1)
            twice = filters if inside is None else 2 * filters
            self.outermost = taken is not None
            if self.outermost:
                steps = [convolution(taken, filters, bias=False), inside, nn.ReLU()]
                steps += [transposed(twice, outside), nn.Tanh()]
            else:
                steps = [nn.LeakyReLU(0.2), convolution(outside, filters, bias=False)]
                if inside is not None:
                    steps += [nn.BatchNorm2d(filters), inside]
                steps += [nn.ReLU(), transposed(twice, outside, bias=False)]
                steps += [nn.BatchNorm2d(outside)]
            self.model = nn.Sequential(*steps)

        def forward(self, x):
            return self.model(x) if self.outermost else torch.cat([x, self.model(x)], 1)

    class Named(nn.Module):
        """All three networks keep their modules in `model`."""

        def __init__(self, model):
            super().__init__()
            self.model = model

        def forward(self, x):
            return self.model(x)

    def unet():
        level = None
        for outside, inside in reversed(list(itertools.pairwise(FILTERS))):
            level = UNetLevel(outside, inside, level)
        return Named(UNetLevel(3, FILTERS[0], level, taken=3))

    class Block(nn.Module):
        def __init__(self, filters, norm):
            super().__init__()
            half = [nn.ReflectionPad2d(1), nn.Conv2d(filters, filters, 3), norm(filters)]
            other = [nn.ReflectionPad2d(1), nn.Conv2d(filters, filters, 3), norm(filters)]
            self.conv_block = nn.Sequential(*half, nn.ReLU(), *other)

        def forward(self, x):
            return x + self.conv_block(x)

    def resnet(norm=nn.InstanceNorm2d):
        steps = [nn.ReflectionPad2d(3), nn.Conv2d(3, WIDTH, 7), norm(WIDTH), nn.ReLU()]
        for before in (WIDTH, 2 * WIDTH):
            steps += [nn.Conv2d(before, 2 * before, 3, 2, 1), norm(2 * before), nn.ReLU()]
        steps += [Block(4 * WIDTH, norm) for _ in range(BLOCKS)]
        for after in (2 * WIDTH, WIDTH):
            steps.append(nn.ConvTranspose2d(2 * after, after, 3, 2, 1, output_padding=1))
            steps += [norm(after), nn.ReLU()]
        return Named(
            nn.Sequential(*steps, nn.ReflectionPad2d(3), nn.Conv2d(WIDTH, 3, 7), nn.Tanh())
        )

    def patch():
        """Of 34 pixels, and with a condition."""
        steps = [nn.Conv2d(6, WIDTH, 4, 2, 1), nn.LeakyReLU(0.2)]
        for before, strides in ((WIDTH, 2), (2 * WIDTH, 1)):
            steps += [nn.Conv2d(before, 2 * before, 4, strides, 1, bias=False)]
            steps += [nn.BatchNorm2d(2 * before), nn.LeakyReLU(0.2)]
        return Named(nn.Sequential(*steps, nn.Conv2d(4 * WIDTH, 1, 4, 1, 1)))

    def filled(network):
        kinds = {"bias": "beta", "running_mean": "beta", "running_var": "variance"}
        for seed, (key, tensor) in enumerate(network.state_dict().items()):
            if tensor.ndim:
                kind = kinds.get(key.rpartition(".")[2], "gamma")
                kind = "kernel" if tensor.ndim == 4 else kind
                fan_in = np.prod(tensor.shape[1:])
                tensor.copy_(torch.tensor(drawn(kind, tensor.shape, fan_in, seed)))
        return network.eval()

    outputs = {}

    def write(name, network, state, channels=3, side=SIDE):
        torch.save(state, file(name))
        made = network(torch.tensor(images(channels, side).transpose(0, 3, 1, 2)))
        outputs[name] = made.detach().numpy().transpose(0, 2, 3, 1)

    network = filled(unet())
    write("unet.pth", network, network.state_dict())
    network = filled(resnet())
    write("resnet.pth", network, network.state_dict())
    # As the authors' own files are: in the format before PyTorch 1.6, and with averages that
    # instance normalisation kept before PyTorch 0.4, and that their program throws away: the
    # output is the same.
    old = filled(resnet(functools.partial(nn.InstanceNorm2d, track_running_stats=True)))
    old.load_state_dict(network.state_dict(), strict=False)
    torch.save(old.state_dict(), file("resnet_old.pth"), _use_new_zipfile_serialization=False)
    # Trained on several devices, and stored in half precision.
    network = filled(nn.DataParallel(patch()).half()).float()
    halves = {k: v.half() if v.is_floating_point() else v for k, v in network.state_dict().items()}
    write("patch.pth", network.module, halves, 6, side=34)
    return outputs, torch.__version__


def addons():
    # A script's own folder comes first in the search path, and a file in it has the package's name.
    sys.path.pop(0)
    import tensorflow as tf
    import tensorflow_addons as tfa

    keras = tf.keras
    layers, norm = keras.layers, tfa.layers.InstanceNormalization
    convolution = functools.partial(layers.Conv2D, use_bias=False)
    transposed = functools.partial(layers.Conv2DTranspose, use_bias=False, padding="same")

    def reflected(x, by):
        return tf.pad(x, [[0, 0], [by, by], [by, by], [0, 0]], mode="REFLECT")

    def resnet():
        inputs = keras.Input((SIDE, SIDE, 3))
        x = layers.ReLU()(norm()(convolution(WIDTH, 7)(reflected(inputs, 3))))
        for filters in (2 * WIDTH, 4 * WIDTH):
            x = layers.ReLU()(norm()(convolution(filters, 3, 2, padding="same")(x)))
        for _ in range(BLOCKS):
            y = layers.ReLU()(norm()(convolution(4 * WIDTH, 3)(reflected(x, 1))))
            x = x + norm()(convolution(4 * WIDTH, 3)(reflected(y, 1)))
        for filters in (2 * WIDTH, WIDTH):
            x = layers.ReLU()(norm()(transposed(filters, 3, 2)(x)))
        return keras.Model(inputs, tf.tanh(layers.Conv2D(3, 7)(reflected(x, 3))))

    def unet():
        """Of nested models, and of batch normalisation with Keras' epsilon of 1e-3."""
        inputs = x = keras.Input((SIDE, SIDE, 3))
        skips = []
        for level, number in enumerate(FILTERS):
            steps = [layers.LeakyReLU(0.2)] if level else []
            steps.append(convolution(number, 4, 2, padding="same"))
            if 0 < level < 4:
                steps.append(layers.BatchNormalization())
            x = keras.Sequential(steps)(x)
            skips.append(x)
        skips.pop()
        for number in FILTERS[-2::-1]:
            steps = [layers.ReLU(), transposed(number, 4, 2), layers.BatchNormalization()]
            x = layers.Concatenate()([skips.pop(), keras.Sequential(steps)(x)])
        x = layers.Conv2DTranspose(3, 4, 2, padding="same", activation="tanh")(layers.ReLU()(x))
        return keras.Model(inputs, x)

    def patch():
        inputs = keras.Input((34, 34, 3))
        x = layers.Conv2D(WIDTH, 4, 2)(layers.ZeroPadding2D()(inputs))
        for filters, strides in ((2 * WIDTH, 2), (4 * WIDTH, 1)):
            x = layers.ZeroPadding2D()(layers.LeakyReLU(0.2)(x))
            x = norm()(convolution(filters, 4, strides)(x))
        x = layers.ZeroPadding2D()(layers.LeakyReLU(0.2)(x))
        return keras.Model(inputs, layers.Conv2D(1, 4)(x))

    outputs = {}
    for name, make, side in (("resnet", resnet, 32), ("unet", unet, 32), ("patch", patch, 34)):
        network = make()
        for seed, weight in enumerate(network.weights):
            kind = weight.name.rpartition("/")[2].removesuffix(":0")
            kinds = {"kernel": "kernel", "gamma": "gamma", "moving_variance": "variance"}
            fan_in = np.prod(weight.shape[:3])
            weight.assign(drawn(kinds.get(kind, "beta"), weight.shape, fan_in, seed))
        network.save_weights(file(f"{name}.h5"))
        outputs[f"{name}.h5"] = network(images(side=side)).numpy()
    return outputs, f"{tf.__version__}, {tfa.__version__}"


def main():
    framework = sys.argv[1]
    outputs, versions = {"torch": pytorch, "addons": addons}[framework]()
    np.savez_compressed(file(f"{framework}.npz"), versions=versions, **outputs)
    for name, output in outputs.items():
        print(name, output.shape, f"std {output.std():.3f} max {np.abs(output).max():.3f}")
    print({path.name: path.stat().st_size for path in sorted(HERE.glob("cyclegan_pix2pix*"))})


if __name__ == "__main__":
    main()
