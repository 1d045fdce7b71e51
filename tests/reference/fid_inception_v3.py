"""Numbers of pytorch-fid's InceptionV3, which our network of FID is compared with.

pytorch-fid needs PyTorch, so this runs in an environment of its own, by hand:

    python3 -m venv torch
    torch/bin/pip install torch torchvision pytorch-fid
    torch/bin/python tests/reference/fid_inception_v3.py

It writes `fid_inception_v3.json` beside itself. The weights are drawn from seeds, so no download is
needed: what is compared is the architecture. Two tiny files that PyTorch wrote, in its old and its
new format, are in the JSON as well. The tests read that file, and call `drawn` for the weights.
"""

import base64
import io
import json
import pathlib

import numpy as np


def drawn(name, shape, seed):
    """The value of a weight."""
    rng = np.random.default_rng(seed)
    if len(shape) == 4:
        return rng.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape)
    if name.endswith("running_var"):
        return rng.uniform(0.5, 1.5, shape)
    return rng.normal(1.0 if name.endswith("bn.weight") else 0.0, 0.1, shape)


def tiny(torch, old):
    """A file of `torch.save`: two tensors on one storage, a transposed one, and a counter.

    In the kind of dictionary that a network's `state_dict()` is.
    """
    base = torch.arange(6, dtype=torch.float32)
    state = torch.nn.Module().state_dict()
    state["a"], state["b"] = base[:4].reshape(2, 2), base[3:]
    state["t"] = torch.nn.Parameter(torch.arange(6, dtype=torch.float32).reshape(2, 3).T)
    state["n"] = torch.tensor(7)
    file = io.BytesIO()
    torch.save(state, file, _use_new_zipfile_serialization=not old)
    return base64.b64encode(file.getvalue()).decode()


def main():
    import torch
    import torchvision
    from pytorch_fid import inception

    # The weights that the library downloads are replaced, and nothing else.
    network = torchvision.models.inception_v3(
        weights=None, num_classes=1008, aux_logits=False, init_weights=False
    )
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    state = {
        name: torch.tensor(drawn(name, shape, seed), dtype=torch.float32)
        if shape
        else torch.tensor(0)
        for seed, (name, shape) in enumerate(sorted(shapes.items()))
    }
    inception.load_state_dict_from_url = lambda *_, **__: state
    extractor = inception.InceptionV3(resize_input=False, normalize_input=False).eval()
    images = np.random.default_rng(0).uniform(-1, 1, (2, 107, 139, 3)).astype("float32")
    with torch.no_grad():
        (features,) = extractor(torch.tensor(images.transpose(0, 3, 1, 2)))
        features = features[:, :, 0, 0]
        logits = features @ state["fc.weight"].T
    result = {
        "torch": torch.__version__.split("+")[0],
        "pytorch_fid": "0.3.0",
        "shapes": shapes,
        "features": [[float(f"{v:.7g}") for v in row[::64]] for row in features.tolist()],
        "logits": [[float(f"{v:.7g}") for v in row[::63]] for row in logits.tolist()],
        "old_file": tiny(torch, old=True),
        "new_file": tiny(torch, old=False),
    }
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(result, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
