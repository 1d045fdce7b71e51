"""Numbers of the translators and patch discriminators in PyTorch, which ours are compared with.

It needs PyTorch, so this runs in an environment of its own, by hand:

    python3 -m venv torch
    torch/bin/pip install torch numpy
    torch/bin/python tests/reference/image_to_image_parameters.py

It builds the networks of Isola 2017 (appendix 6.1) and Zhu 2017 (appendix 7.2) in PyTorch's layers,
with the paddings, biases and defaults of the authors' PyTorch program, and writes
`image_to_image_parameters.json` beside itself: how many parameters large ones have, and what small
ones make of an image. Weights and images are drawn from seeds by `drawn` and `images`; the tests
read that file, and call `require_agreement`.
"""

import functools
import json
import pathlib

import numpy as np

COUNTED = [
    *({"kind": "unet", "depth": depth, "norm": "batch"} for depth in (5, 6, 7, 8)),
    {"kind": "unet", "depth": 5, "norm": "instance"},
    {"kind": "unet", "depth": 5, "norm": "batch", "channels": [1, 2]},
    *({"kind": "resnet", "blocks": blocks, "norm": "instance"} for blocks in (6, 9)),
    {"kind": "resnet", "blocks": 9, "norm": "batch", "channels": [3, 1]},
    *({"kind": "patch", "layers": n, "norm": "batch", "channels": [6]} for n in range(6)),
    *({"kind": "patch", "layers": n, "norm": "instance", "channels": [3]} for n in range(6)),
]
SMALL = [
    {"kind": "unet", "depth": 5, "norm": "batch", "channels": [3, 2], "sides": [32, 32]},
    {"kind": "unet", "depth": 5, "norm": "instance", "channels": [1, 3], "sides": [32, 64]},
    {"kind": "resnet", "blocks": 2, "norm": "instance", "channels": [3, 2], "sides": [16, 24]},
    {"kind": "resnet", "blocks": 1, "norm": "batch", "channels": [1, 3], "sides": [16, 16]},
    {"kind": "patch", "layers": 0, "norm": "batch", "channels": [5], "sides": [8, 9]},
    {"kind": "patch", "layers": 1, "norm": "instance", "channels": [2], "sides": [17, 20]},
    {"kind": "patch", "layers": 2, "norm": "batch", "channels": [4], "sides": [35, 42]},
    {"kind": "patch", "layers": 3, "norm": "batch", "channels": [3], "sides": [70, 75]},
]
WIDTH = 4  # of the small ones


def drawn(name, shape, seed):
    """The value of a weight; `RandomState` draws the same in every version of NumPy."""
    rng = np.random.RandomState(seed)
    if name.endswith("running_var"):
        return rng.uniform(0.5, 1.5, shape)
    if len(shape) == 4:
        return rng.normal(0.0, 1.5 / np.sqrt(np.prod(shape[1:])), shape)
    norm = name.endswith("weight")
    return rng.normal(1.0 if norm else 0.0, 0.2, shape)


def images(sides, channels):
    """Two images, `(2, height, width, channels)`."""
    return np.random.RandomState(1234).uniform(-1, 1, (2, *sides, channels)).astype("float32")


def keras_weights(case):
    """The weights of a small network as Keras has them: kernels `(height, width, ...)`."""
    arrays = [drawn(name, shape, seed) for seed, (name, shape) in enumerate(case["weights"])]
    # (out, in, height, width) of a convolution, (in, out, height, width) of a transposed one.
    return [array.transpose(2, 3, 1, 0) if array.ndim == 4 else array for array in arrays]


def require_agreement(model, case, inputs=lambda x: x):
    """Raises AssertionError unless a Keras model makes what PyTorch's did of the same weights."""
    model.set_weights(keras_weights(case))
    x = inputs(images(case["sides"], case["channels"][0]))
    batch, channels, height, width = case["shape"]
    for key, training in (("output", False), ("output_in_training", True)):
        made = np.asarray(model(x, training=training))
        assert made.shape == (batch, height, width, channels)
        np.testing.assert_allclose(made.ravel()[::5], case[key], atol=2e-5)
    # PyTorch's variances have another divisor in training, its means do not.
    means = [np.sum(w) for w in model.weights if w.name == "moving_mean"]
    np.testing.assert_allclose(means, case["running_means"], atol=2e-5)


def torch_networks():
    """The networks in PyTorch, by kind; `benchmarks/steps` times them too."""
    import torch
    from torch import nn

    def normalization(norm, filters):
        return (nn.BatchNorm2d if norm == "batch" else nn.InstanceNorm2d)(filters)

    class UNet(nn.Module):
        def __init__(self, channels, depth, norm, width=64, dropout=0.0):
            super().__init__()
            biased = norm == "instance"
            filters = [min(width * 2**level, 8 * width) for level in range(depth)]
            self.down, self.up = nn.ModuleList(), nn.ModuleList()
            for level, (before, after) in enumerate(zip([channels[0], *filters], filters)):
                step = [nn.Conv2d(before, after, 4, 2, 1, bias=biased)]
                if 0 < level < depth - 1:
                    step.append(normalization(norm, after))
                self.down.append(nn.Sequential(*step))
            for level in range(depth - 1, 0, -1):
                before = filters[level] * (1 if level == depth - 1 else 2)  # with the skip
                step = [nn.ConvTranspose2d(before, filters[level - 1], 4, 2, 1, bias=biased)]
                step.append(normalization(norm, filters[level - 1]))
                if dropout and max(depth - 4, 1) <= level < depth - 1:
                    step.append(nn.Dropout(dropout))
                self.up.append(nn.Sequential(*step))
            self.up.append(nn.ConvTranspose2d(2 * filters[0], channels[1], 4, 2, 1))

        def forward(self, x):
            skips = []
            for down in self.down:
                x = down(nn.functional.leaky_relu(x, 0.2) if skips else x)
                skips.append(x)
            skips.pop()
            for up in self.up:
                x = up(torch.relu(x))
                if skips:
                    x = torch.cat([skips.pop(), x], 1)
            return torch.tanh(x)

    class Block(nn.Module):
        def __init__(self, filters, norm, biased):
            super().__init__()
            steps = []
            for _ in range(2):
                convolution = nn.Conv2d(filters, filters, 3, bias=biased)
                steps += [nn.ReflectionPad2d(1), convolution, normalization(norm, filters)]
                steps.append(nn.ReLU())
            self.steps = nn.Sequential(*steps[:-1])

        def forward(self, x):
            return x + self.steps(x)

    def resnet(channels, blocks, norm, width=64):
        biased = norm == "instance"
        steps = [nn.ReflectionPad2d(3), nn.Conv2d(channels[0], width, 7, bias=biased)]
        steps += [normalization(norm, width), nn.ReLU()]
        for before in (width, 2 * width):
            steps.append(nn.Conv2d(before, 2 * before, 3, 2, 1, bias=biased))
            steps += [normalization(norm, 2 * before), nn.ReLU()]
        steps += [Block(4 * width, norm, biased) for _ in range(blocks)]
        for after in (2 * width, width):
            steps.append(nn.ConvTranspose2d(2 * after, after, 3, 2, 1, 1, bias=biased))
            steps += [normalization(norm, after), nn.ReLU()]
        steps += [nn.ReflectionPad2d(3), nn.Conv2d(width, channels[1], 7), nn.Tanh()]
        return nn.Sequential(*steps)

    def patch(channels, layers, norm, width=64):
        biased = norm == "instance"
        leaky = functools.partial(nn.LeakyReLU, 0.2)
        if layers == 0:
            return nn.Sequential(
                *(nn.Conv2d(channels[0], width, 1), leaky()),
                *(nn.Conv2d(width, 2 * width, 1, bias=biased), normalization(norm, 2 * width)),
                *(leaky(), nn.Conv2d(2 * width, 1, 1, bias=biased)),
            )
        steps = [nn.Conv2d(channels[0], width, 4, 2, 1), leaky()]
        before = width
        for level in range(1, layers + 1):
            after = width * min(2**level, 8)
            strides = 2 if level < layers else 1
            steps.append(nn.Conv2d(before, after, 4, strides, 1, bias=biased))
            steps += [normalization(norm, after), leaky()]
            before = after
        return nn.Sequential(*steps, nn.Conv2d(before, 1, 4, 1, 1))

    return {"unet": UNet, "resnet": resnet, "patch": patch}


def main():
    import torch

    kinds = torch_networks()

    def network(case, **options):
        case = {"channels": [3, 3], **case, **options}
        return kinds[case.pop("kind")](**{k: v for k, v in case.items() if k != "sides"})

    def rounded(tensor):
        """Channels last, every fifth value."""
        values = tensor.detach().numpy().transpose(0, 2, 3, 1).ravel()[::5]
        return [float(f"{value:.7g}") for value in values]

    counted = []
    for case in COUNTED:
        parameters = sum(p.numel() for p in network(case).parameters())
        counted.append({**case, "parameters": parameters})
        print(counted[-1])
    small = []
    for case in SMALL:
        net = network(case, width=WIDTH).eval()
        shapes = {n: tuple(v.shape) for n, v in net.state_dict().items() if v.ndim}
        state = {n: torch.tensor(drawn(n, s, i)) for i, (n, s) in enumerate(shapes.items())}
        net.load_state_dict(state, strict=False)
        x = torch.tensor(images(case["sides"], case["channels"][0]).transpose(0, 3, 1, 2))
        made = net(x)
        result = {**case, "weights": list(shapes.items()), "shape": made.shape}
        result["output"] = rounded(made)
        net.train()
        result["output_in_training"] = rounded(net(x))
        means = [v for n, v in net.state_dict().items() if n.endswith("running_mean")]
        result["running_means"] = [float(v.double().sum()) for v in means]  # of each layer
        small.append(result)
        print(case, tuple(made.shape), made.std().item(), made.abs().max().item())
    result = {"torch": torch.__version__.split("+")[0], "counted": counted, "small": small}
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(result, separators=(",", ":")) + "\n")
    print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
