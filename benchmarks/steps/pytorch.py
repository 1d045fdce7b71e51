"""PyTorch's part, which `__main__.py` runs in an environment of its own.

    python benchmarks/steps/pytorch.py KIND CASE

`KIND` is one of `KINDS`, `CASE` JSON, as in `cases.CASES`. Each line of input asks for so many
steps; each line of output says, as JSON, how long they took. All is made at the first.

The networks are ours layer by layer: `__main__.py` counts their parameters. So is the order of a
step, which for Pix2Pix and CycleGAN is that of the authors' PyTorch program. Compiled, each network
goes through `torch.compile`; but for the pass of WGAN-GP's penalty, whose gradient of a gradient it
does not support.
"""

import itertools
import json
import pathlib
import random
import sys
import time

import torch
from torch import nn
from torch.nn.functional import l1_loss

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from reference.image_to_image_parameters import torch_networks  # noqa: E402

KINDS = ("PyTorch", "PyTorch, compiled")
CRITIC_STEPS = 5
LAYERS = {16: 1, 34: 2, 70: 3}  # convolutions of stride 2 by receptive field


# ---- networks of 28x28


class GeneratorMLP(nn.Sequential):
    def __init__(self, case):
        width, shape = case["width"], (case["channels"], case["side"], case["side"])
        super().__init__(
            *(nn.Linear(case["latent_dim"], width), nn.ReLU()),
            *(nn.Linear(width, width), nn.ReLU()),
            *(nn.Linear(width, shape[0] * shape[1] * shape[2]), nn.Unflatten(1, shape)),
            nn.Tanh(),
        )


class DiscriminatorMLP(nn.Sequential):
    def __init__(self, case):
        width, pixels = case["width"], case["channels"] * case["side"] ** 2
        super().__init__(
            *(nn.Flatten(), nn.Linear(pixels, width), nn.LeakyReLU(0.2)),
            *(nn.Linear(width, width), nn.LeakyReLU(0.2)),
            nn.Linear(width, 1),
        )


class Generator(nn.Module):
    """DCGAN's generator; a class is an embedding, in extra channels of the smallest grid."""

    def __init__(self, case):
        super().__init__()
        side, width = case["side"] // 4, case["width"]
        maps = case["label_channels"][0] if "num_classes" in case else 0
        self.start = nn.Sequential(
            nn.Linear(case["latent_dim"], 2 * width * side**2, bias=False),
            nn.Unflatten(1, (2 * width, side, side)),
            *(nn.BatchNorm2d(2 * width), nn.ReLU()),
        )
        if maps:
            self.embed = label_maps(case["num_classes"], maps, side)
        self.end = nn.Sequential(
            nn.ConvTranspose2d(2 * width + maps, width, 4, 2, 1, bias=False),
            *(nn.BatchNorm2d(width), nn.ReLU()),
            nn.ConvTranspose2d(width, case["channels"], 4, 2, 1),
            nn.Tanh(),
        )

    def forward(self, latents, labels=None):
        x = self.start(latents)
        return self.end(x if labels is None else torch.cat([x, self.embed(labels)], 1))


class Discriminator(nn.Module):
    """DCGAN's discriminator; a class is given as extra channels, or predicted by another head."""

    def __init__(self, case):
        super().__init__()
        side, width = case["side"], case.get("discriminator_width", case["width"])
        conditional, normalize = case["method"] == "conditional_gan", case.get("batch_norm", False)
        maps = case["label_channels"][1] if conditional else 0
        if maps:
            self.embed = label_maps(case["num_classes"], maps, side)
        self.body = nn.Sequential(
            *(nn.Conv2d(case["channels"] + maps, width, 4, 2, 1), nn.LeakyReLU(0.2)),
            nn.Conv2d(width, 2 * width, 4, 2, 1, bias=not normalize),
            *([nn.BatchNorm2d(2 * width)] if normalize else []),
            *(nn.LeakyReLU(0.2), nn.Flatten()),
        )
        features = 2 * width * (side // 4) ** 2
        self.logit = nn.Linear(features, 1)
        if case["method"] == "acgan":
            self.classes = nn.Linear(features, case["num_classes"])

    def forward(self, images, labels=None):
        x = self.body(images if labels is None else torch.cat([images, self.embed(labels)], 1))
        return (self.logit(x), self.classes(x)) if hasattr(self, "classes") else self.logit(x)


def label_maps(num_classes, channels, side):
    size = channels * side**2
    return nn.Sequential(nn.Embedding(num_classes, size), nn.Unflatten(1, (channels, side, side)))


# ---- what the steps are written in


def drawn(network):
    """The same network with kernels from N(0, 0.02), as the papers start."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network


def adam(*networks, lr=2e-4, betas=(0.5, 0.999)):
    return torch.optim.Adam(parameters_of(networks), lr=lr, betas=betas)


def parameters_of(networks):
    return list(itertools.chain(*(network.parameters() for network in networks)))


def freeze(*networks, frozen=True):
    for network in networks:
        network.requires_grad_(not frozen)


def move(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def cross_entropy(logits, label):
    labels = torch.full_like(logits, label)
    return nn.functional.binary_cross_entropy_with_logits(logits, labels)


def told_apart(real_logits, fake_logits):
    return cross_entropy(real_logits, 1.0) + cross_entropy(fake_logits, 0.0)


def square(scores, label):
    return torch.mean((scores - label) ** 2)


# ---- the steps


def gan(case, prepared):
    generator, discriminator = prepared(GeneratorMLP(case)), prepared(DiscriminatorMLP(case))
    generator_optimizer, discriminator_optimizer = adam(generator), adam(discriminator)

    def step(real):
        with torch.no_grad():
            fake = generator(torch.randn(len(real), case["latent_dim"]))
        freeze(discriminator, frozen=False)
        move(discriminator_optimizer, told_apart(discriminator(real), discriminator(fake)))

        freeze(discriminator)
        fake = generator(torch.randn(len(real), case["latent_dim"]))
        move(generator_optimizer, cross_entropy(discriminator(fake), 1.0))

    return step


def dcgan(case, prepared):
    generator, discriminator = prepared(Generator(case)), prepared(Discriminator(case))
    generator_optimizer, discriminator_optimizer = adam(generator), adam(discriminator)
    kind = nn.functional.cross_entropy

    def dcgan_step(real):
        fake = generator(torch.randn(len(real), case["latent_dim"]))
        freeze(discriminator, frozen=False)
        loss = told_apart(discriminator(real), discriminator(fake.detach()))
        move(discriminator_optimizer, loss)
        freeze(discriminator)
        move(generator_optimizer, cross_entropy(discriminator(fake), 1.0))

    def conditional_gan_step(real, labels):
        fake = generator(torch.randn(len(real), case["latent_dim"]), labels)
        freeze(discriminator, frozen=False)
        loss = told_apart(discriminator(real, labels), discriminator(fake.detach(), labels))
        move(discriminator_optimizer, loss)
        freeze(discriminator)
        move(generator_optimizer, cross_entropy(discriminator(fake, labels), 1.0))

    def acgan_step(real, labels):
        fake = generator(torch.randn(len(real), case["latent_dim"]), labels)
        freeze(discriminator, frozen=False)
        real_logits, real_classes = discriminator(real)
        fake_logits, fake_classes = discriminator(fake.detach())
        loss = told_apart(real_logits, fake_logits)
        loss = loss + kind(real_classes, labels) + kind(fake_classes, labels)
        move(discriminator_optimizer, loss)
        freeze(discriminator)
        fake_logits, fake_classes = discriminator(fake)
        move(generator_optimizer, cross_entropy(fake_logits, 1.0) + kind(fake_classes, labels))

    steps = {"dcgan": dcgan_step, "conditional_gan": conditional_gan_step, "acgan": acgan_step}
    return steps[case["method"]]


def wgan(case, prepared):
    penalised = case["method"] == "wgan_gp"
    generator, plain_critic = prepared(Generator(case)), drawn(Discriminator(case))
    critic = prepared(plain_critic)
    if penalised:
        options = {"lr": 1e-4, "betas": (0.0, 0.9)}
        generator_optimizer, critic_optimizer = adam(generator, **options), adam(critic, **options)
    else:
        generator_optimizer, critic_optimizer = (
            torch.optim.RMSprop(network.parameters(), lr=5e-5, alpha=0.9, eps=1e-7)
            for network in (generator, critic)
        )

    def penalty(real, fake):
        mix = torch.rand(len(real), 1, 1, 1)
        between = (mix * real + (1 - mix) * fake).requires_grad_()
        scores = plain_critic(between).sum()
        (slopes,) = torch.autograd.grad(scores, between, create_graph=True)
        norms = torch.sqrt(slopes.square().sum((1, 2, 3)) + 1e-12)
        return torch.mean((norms - 1) ** 2)

    def step(batch):
        freeze(critic, frozen=False)
        for real in batch.chunk(CRITIC_STEPS):
            with torch.no_grad():
                fake = generator(torch.randn(len(real), case["latent_dim"]))
            loss = critic(fake).mean() - critic(real).mean()
            if penalised:
                loss = loss + 10.0 * penalty(real, fake)
            move(critic_optimizer, loss)
            if not penalised:
                with torch.no_grad():
                    for weight in critic.parameters():
                        weight.clamp_(-0.01, 0.01)
        freeze(critic)
        fake = generator(torch.randn(len(real), case["latent_dim"]))
        move(generator_optimizer, -critic(fake).mean())

    return step


def pix2pix(case, prepared):
    kinds, norm = torch_networks(), case["normalization"]
    field, width = case["receptive_field"], case["discriminator_width"]
    unet = kinds["unet"]([3, 3], case["depth"], norm, case["width"], dropout=case["dropout"])
    generator = prepared(unet)
    discriminator = prepared(kinds["patch"]([6], LAYERS[field], norm, width))
    generator_optimizer, discriminator_optimizer = adam(generator), adam(discriminator)

    def step(source, target):
        fake = generator(source)
        freeze(discriminator, frozen=False)
        real_logits = discriminator(torch.cat([source, target], 1))
        fake_logits = discriminator(torch.cat([source, fake.detach()], 1))
        move(discriminator_optimizer, 0.5 * told_apart(real_logits, fake_logits))
        freeze(discriminator)
        loss = cross_entropy(discriminator(torch.cat([source, fake], 1)), 1.0)
        move(generator_optimizer, loss + 100.0 * l1_loss(fake, target))

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


def cyclegan(case, prepared):
    kinds = torch_networks()
    field, width = case["receptive_field"], case["discriminator_width"]
    to_y, to_x = (
        prepared(kinds["resnet"]([3, 3], case["blocks"], "instance", case["width"])) for _ in "GF"
    )
    judge_y, judge_x = (
        prepared(kinds["patch"]([3], LAYERS[field], "instance", width)) for _ in "YX"
    )
    generator_optimizer, judge_optimizer = adam(to_y, to_x), adam(judge_y, judge_x)
    pool_y, pool_x = Pool(), Pool()

    def step(x, y):
        fake_y, fake_x = to_y(x), to_x(y)
        freeze(judge_y, judge_x)
        loss = square(judge_y(fake_y), 1.0) + square(judge_x(fake_x), 1.0)
        loss = loss + 10.0 * (l1_loss(to_x(fake_y), x) + l1_loss(to_y(fake_x), y))
        loss = loss + 5.0 * (l1_loss(to_y(y), y) + l1_loss(to_x(x), x))
        move(generator_optimizer, loss)

        freeze(judge_y, judge_x, frozen=False)
        loss = 0.0
        for judge, real, fake in ((judge_y, y, pool_y(fake_y)), (judge_x, x, pool_x(fake_x))):
            loss = loss + 0.5 * (square(judge(real), 1.0) + square(judge(fake), 0.0))
        move(judge_optimizer, loss)

    return step


STEPS = {"gan": gan, "dcgan": dcgan, "conditional_gan": dcgan, "acgan": dcgan}
STEPS |= {"wgan": wgan, "wgan_gp": wgan, "pix2pix": pix2pix, "cyclegan": cyclegan}


# ---- asked and answered


class Candidate:
    """A call takes steps, and says what they took."""

    def __init__(self, kind, case):
        self.kind, self.case, self.step, self.networks = kind, case, None, []
        channels, side = case.get("channels", 3), case["side"]
        shape = (case["batch_size"], channels, side, side)
        self.batches = []
        for _ in range(4):
            batch = [torch.rand(shape) * 2 - 1]
            if "num_classes" in case:
                batch.append(torch.randint(case["num_classes"], (case["batch_size"],)))
            elif "latent_dim" not in case:
                batch.append(torch.rand(shape) * 2 - 1)
            self.batches.append(batch)

    def prepared(self, network):
        self.networks.append(drawn(network))
        return network if self.kind == "PyTorch" else torch.compile(network)

    def __call__(self, steps):
        wall, processor = time.perf_counter(), time.process_time()
        if self.step is None:
            self.step = STEPS[self.case["method"]](self.case, self.prepared)
        for number in range(steps):
            self.step(*self.batches[number % len(self.batches)])
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        parameters = sum(p.numel() for p in parameters_of(self.networks))
        return {"wall": wall, "processor": processor, "peak": peak(), "parameters": parameters}


def peak():
    """The most memory this process has held, in MB; `ru_maxrss` would begin with its parent's."""
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main():
    kind, case = sys.argv[1], json.loads(sys.argv[2])
    imported, run = peak(), Candidate(kind, case)
    print(json.dumps({"version": f"PyTorch {torch.__version__}"}), flush=True)
    for line in sys.stdin:
        print(json.dumps({**run(int(line)), "imported": imported}), flush=True)


if __name__ == "__main__":
    main()
