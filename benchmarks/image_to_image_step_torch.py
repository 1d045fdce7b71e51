"""PyTorch's part in `image_to_image_step.py`, which runs this in an environment of its own.

    python benchmarks/image_to_image_step_torch.py CASE

`CASE` is JSON, as in `image_to_image_step.CASES`. Each line of input asks for so many steps; each
line of output says, as JSON, how long they took. Whatever is made is made at the first.

The steps go in the order of the authors' PyTorch program, eagerly, with its defaults: Pix2Pix moves
its discriminator, then its generator against the moved one; CycleGAN moves both generators, then
both discriminators on what its pools hand back.
"""

import itertools
import json
import pathlib
import random
import sys
import time

import torch
from torch import nn

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from reference.image_to_image_parameters import torch_networks  # noqa: E402

LAYERS = {34: 2, 70: 3}  # convolutions of stride 2 by receptive field


def drawn(network):
    """The same network with weights from N(0, 0.02), as both papers start."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network


def adam(*networks):
    parameters = itertools.chain(*(network.parameters() for network in networks))
    return torch.optim.Adam(parameters, lr=2e-4, betas=(0.5, 0.999))


def freeze(*networks, frozen=True):
    for network in networks:
        network.requires_grad_(not frozen)


def pix2pix(case):
    kinds = torch_networks()
    field, width = case["receptive_field"], case["discriminator_width"]
    generator = drawn(kinds["unet"]([3, 3], case["depth"], "batch", case["width"], dropout=0.5))
    discriminator = drawn(kinds["patch"]([6], LAYERS[field], "batch", width))
    generator_optimizer, discriminator_optimizer = adam(generator), adam(discriminator)

    def cross_entropy(logits, label):
        labels = torch.full_like(logits, label)
        return nn.functional.binary_cross_entropy_with_logits(logits, labels)

    def step(source, target):
        fake = generator(source)

        freeze(discriminator, frozen=False)
        discriminator_optimizer.zero_grad()
        fake_logits = discriminator(torch.cat([source, fake.detach()], 1))
        real_logits = discriminator(torch.cat([source, target], 1))
        (0.5 * (cross_entropy(fake_logits, 0.0) + cross_entropy(real_logits, 1.0))).backward()
        discriminator_optimizer.step()

        freeze(discriminator)
        generator_optimizer.zero_grad()
        loss = cross_entropy(discriminator(torch.cat([source, fake], 1)), 1.0)
        (loss + 100.0 * nn.functional.l1_loss(fake, target)).backward()
        generator_optimizer.step()

    return step


class Pool:
    """The last 50 images made; a coin decides whether a new one or an old one is shown."""

    def __init__(self, size=50):
        self.size, self.images = size, []

    def __call__(self, fresh):
        shown = []
        for image in fresh.detach():
            if len(self.images) < self.size:
                self.images.append(image)
            elif random.random() < 0.5:
                place = random.randrange(self.size)
                self.images[place], image = image, self.images[place]
            shown.append(image)
        return torch.stack(shown)


def cyclegan(case):
    kinds = torch_networks()
    field, width = case["receptive_field"], case["discriminator_width"]
    to_y, to_x = (
        drawn(kinds["resnet"]([3, 3], case["blocks"], "instance", case["width"])) for _ in "GF"
    )
    judge_y, judge_x = (drawn(kinds["patch"]([3], LAYERS[field], "instance", width)) for _ in "YX")
    generators, discriminators = adam(to_y, to_x), adam(judge_y, judge_x)
    pool_y, pool_x = Pool(), Pool()
    l1 = nn.functional.l1_loss

    def square(scores, label):
        return torch.mean((scores - label) ** 2)

    def step(x, y):
        fake_y, fake_x = to_y(x), to_x(y)
        freeze(judge_y, judge_x)
        generators.zero_grad()
        loss = square(judge_y(fake_y), 1.0) + square(judge_x(fake_x), 1.0)
        loss = loss + 10.0 * (l1(to_x(fake_y), x) + l1(to_y(fake_x), y))
        loss = loss + 5.0 * (l1(to_y(y), y) + l1(to_x(x), x))
        loss.backward()
        generators.step()

        freeze(judge_y, judge_x, frozen=False)
        discriminators.zero_grad()
        for judge, real, fake in ((judge_y, y, pool_y(fake_y)), (judge_x, x, pool_x(fake_x))):
            (0.5 * (square(judge(real), 1.0) + square(judge(fake), 0.0))).backward()
        discriminators.step()

    return step


def peak():
    """The most memory this process has held, in MB; `ru_maxrss` would begin with its parent's."""
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main():
    case = json.loads(sys.argv[1])
    shape = (case["batch_size"], 3, case["side"], case["side"])
    pairs = [torch.rand(2, *shape) * 2 - 1 for _ in range(4)]
    imported = peak()
    print(json.dumps({"version": f"PyTorch {torch.__version__}"}), flush=True)
    step = None
    for line in sys.stdin:
        wall, processor = time.perf_counter(), time.process_time()
        if step is None:
            step = {"pix2pix": pix2pix, "cyclegan": cyclegan}[case["method"]](case)
        for number in range(int(line)):
            step(*pairs[number % len(pairs)])
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        answer = {"wall": wall, "processor": processor, "peak": peak(), "imported": imported}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
