"""What a benchmark times must be the step that it says: tiny runs, not times."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "image_to_image_step.py"
TINY = {"batch_size": 1, "receptive_field": 16, "discriminator_width": 2, "width": 2}
TINY = {
    "pix2pix": {"method": "pix2pix", "side": 32, "depth": 5, **TINY},
    "cyclegan": {"method": "cyclegan", "side": 16, "blocks": 1, **TINY},
}


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location(SCRIPT.stem, SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def kernels(network):
    """Of convolutions; biases before a normalisation have no gradient but rounding."""
    return [w.numpy() for w in network.trainable_weights if w.ndim == 4]


# What the orders have in common: no discriminator has moved before the gradients of these.
@pytest.mark.parametrize("method, same", [("pix2pix", [1]), ("cyclegan", [0, 1, 2, 3])])
def test_a_step_by_hand_moves_as_ours_does(script, monkeypatch, method, same):
    make, made = getattr(script, f"{method}_networks"), []
    monkeypatch.setattr(
        script, f"{method}_networks", lambda case: made.append(make(case)) or made[-1]
    )
    for start in script.candidates(TINY[method]).values():
        start()(1)
    ours, by_hand = made
    for number, before in enumerate(make(TINY[method])):  # of the same seed
        for old, one, other in zip(*map(kernels, (before, ours[number], by_hand[number]))):
            assert np.max(np.abs(one - old)) > 1e-4  # Adam's first step: the rate, 2e-4
            assert np.max(np.abs(other - old)) > 1e-4
            if number in same:
                assert np.mean(np.abs(one - other) < 1e-5) > 0.98


def test_the_table(script):
    def answer(wall, processor):
        return {"wall": wall, "processor": processor}

    taken = {
        "keras_gans": [answer(2.0, 3.0), answer(4.0, 8.0), answer(3.0, 5.0)],
        "PyTorch": [answer(4.0, 3.0), answer(4.0, 4.0), answer(2.0, 5.0)],
    }
    first = {name: answer(1.25, 0.0) for name in taken}
    lines = script.table({"batch_size": 4}, 10, first, taken, {"PyTorch": (900.4, 500.2)})
    assert lines[2:] == [
        "| keras_gans | 300 | 500 | 13.33 | 1 |  | 1 | 1.2 s |  |",
        # Ratios of rounds: 0.5, 1 and 1.5; of processor time 1, 2 and 1.
        "| PyTorch | 400 | 400 | 10.00 | 1.00 | 0.50 to 1.50 | 1.00 | 1.2 s | 900 (500) |",
    ]
    assert {line.count("|") for line in lines} == {10}
