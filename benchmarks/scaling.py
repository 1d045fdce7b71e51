"""How well several GPUs should share a training, on paper: a model, nothing is measured.

    python benchmarks/scaling.py [--cases dcgan_64] [--step-ms 50] [--gbps 100 400] [--synchronized]

Each GPU keeps its batch, whatever their number (weak scaling). Efficiency is the time of a step on
one GPU over that on n: `compute / (compute + communication)` if the two wait for each other, and
`compute / max(compute, communication)` if one hides the other whole. See docs/distributed.md.

- compute: the convolutions and matrix products in the graph of a training step, counted, over what
  a GPU sustains; or `--step-ms`, as you measured it on one GPU with the case's batch.
- communication: a ring all-reduce of all gradients, `2 (n - 1) / n * bytes / bandwidth`, the images
  that every replay pool gets of every replica, and `2 (n - 1)` hops of `--latency-us` a message.
"""

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import image_to_image_step
import numpy as np
import tensorflow as tf

import keras_gans
from keras_gans import networks
from keras_gans.layers import ReplayPool

GPUS, MACHINES = 8, 8  # GPUs in a machine, and machines
LINKS = {"NVLink": 300.0, "PCIe 4": 32.0}  # within a machine: GB/s in one direction, of an A100
REACHED = 0.8  # share of a link's nominal rate that messages get: an assumption


def dcgan_64():
    shape = (64, 64, 3)
    generator = networks.dcgan_generator(shape, latent_dim=100, width=128, max_width=1024)
    discriminator = networks.dcgan_discriminator(shape, width=128, max_width=1024)
    return keras_gans.DCGAN(generator, discriminator), [shape]


def pix2pix_256():
    nets = image_to_image_step.pix2pix_networks(image_to_image_step.CASES["pix2pix_256"])
    return keras_gans.Pix2Pix(*nets), [(256, 256, 3)] * 2


def cyclegan_256():
    nets = image_to_image_step.cyclegan_networks(image_to_image_step.CASES["cyclegan_256"])
    return keras_gans.CycleGAN(*nets), [(256, 256, 3)] * 2


# Batches of a GPU: the papers', and larger ones. Messages of a step, counted in graphs of replicas:
# the gradients of each side, moving statistics or replay pools, and synchronised normalisation.
CASES = {
    "dcgan_64": {"make": dcgan_64, "batches": [128, 16], "messages": 3, "synchronized": 68},
    "pix2pix_256": {"make": pix2pix_256, "batches": [1, 16], "messages": 3, "synchronized": 113},
    "cyclegan_256": {"make": cyclegan_256, "batches": [1, 4], "messages": 6, "synchronized": 6},
}


def gigaflops(gan, shapes):
    """Of one training step for one example: two a multiplication, as it runs, backward passes too.

    What the tape wrote into the graph and nothing needs is left out, as TensorFlow leaves it out.
    """
    specs = [tf.TensorSpec((1, *shape)) for shape in shapes]
    step = tf.function(lambda *data: gan.train_step(data if len(data) > 1 else data[0]))
    graph = step.get_concrete_function(*specs).graph
    needed, found = set(), [x.op for x in graph.outputs] + list(graph.control_outputs)
    while found:
        op = found.pop()
        if op not in needed:
            needed.add(op)
            found += [x.op for x in op.inputs] + list(op.control_inputs)

    def products(op):
        if op.type == "MatMul":
            return op.outputs[0].shape.num_elements() * op.inputs[0].shape[_contracted(op)]
        # The map on the convolution's smaller side and the kernel, whichever way it is run.
        if op.type == "Conv2D":
            output, kernel = op.outputs[0], op.inputs[1]
        elif op.type == "Conv2DBackpropInput":
            output, kernel = op.inputs[2], op.inputs[1]
        elif op.type == "Conv2DBackpropFilter":
            output, kernel = op.inputs[2], op.outputs[0]
        else:
            return 0
        return output.shape[1:3].num_elements() * kernel.shape.num_elements()

    return 2e-9 * sum(products(op) for op in needed)


def _contracted(matmul):
    return 0 if matmul.get_attr("transpose_a") else 1


def efficiency(compute, reduced, gathered, messages, gpus, gigabytes, latency):
    """Lower and upper bound; bytes and times of one replica, a link in GB/s in one direction."""
    sent = 2 * (gpus - 1) / gpus * reduced + (gpus - 1) * gathered
    communication = messages * 2 * (gpus - 1) * latency + sent / (REACHED * gigabytes * 1e9)
    return compute / (compute + communication), compute / max(compute, communication)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--step-ms", type=float, help="a step on one GPU, as you measured it")
    parser.add_argument("--gbps", nargs="+", type=float, default=[100, 400], help="of a machine")
    parser.add_argument("--latency-us", type=float, default=5.0, help="of a hop")
    parser.add_argument("--teraflops", type=float, default=156.0, help="of a GPU, at most [TF32]")
    parser.add_argument("--sustained", type=float, default=0.15, help="the share that it keeps up")
    parser.add_argument("--synchronized", action="store_true", help="batch normalisation")
    arguments = parser.parse_args()

    setups = [(f"{GPUS}, {name}", GPUS, rate) for name, rate in LINKS.items()]
    setups += [
        (f"{GPUS * MACHINES}, {rate:g} Gb/s", GPUS * MACHINES, rate / 8) for rate in arguments.gbps
    ]
    heads = ["case", "batch", "GFLOP", "ms", "gradients, MB", *(name for name, *_ in setups)]
    print(" | ".join(["", *heads, ""]).strip(), "|---" * len(heads) + "|", sep="\n")
    for name in arguments.cases:
        case = CASES[name]
        gan, shapes = case["make"]()
        gan.compile()
        variables = gan.variables_of("generator") + gan.variables_of("discriminator")
        reduced = 4 * sum(int(np.prod(variable.shape)) for variable in variables)
        image = 4 * int(np.prod(shapes[0]))
        pools = sum(isinstance(layer, ReplayPool) for layer in gan.layers)
        each = gigaflops(gan, shapes)
        for batch in case["batches"][: 1 if arguments.step_ms else None]:
            compute = batch * each / (1e3 * arguments.teraflops * arguments.sustained)
            if arguments.step_ms:
                compute = arguments.step_ms / 1e3
            row = [name, batch, f"{batch * each:.0f}", f"{1e3 * compute:.1f}"]
            row.append(f"{reduced / 1e6:.0f}")
            for _, gpus, rate in setups:
                messages = case["synchronized" if arguments.synchronized else "messages"]
                if gpus > GPUS:  # of workers: is there another batch, and two for each log
                    messages += 1 + 2 * len(gan.tracked)
                gathered, latency = pools * batch * image, arguments.latency_us / 1e6
                lower, upper = efficiency(compute, reduced, gathered, messages, gpus, rate, latency)
                row.append(f"{lower:.0%} to {upper:.0%}")
            print(" | ".join(["", *map(str, row), ""]).strip())


if __name__ == "__main__":
    main()
