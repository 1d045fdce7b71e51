"""What a benchmark times must be the step that it says: tiny runs, not times."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import keras_gans

FOLDER = Path(__file__).parent.parent / "benchmarks" / "steps"
IMAGES = {"side": 16, "channels": 1, "latent_dim": 3, "batch_size": 4, "width": 2}
CLASSES = {"num_classes": 3, "label_channels": [2, 1]}
PATCHES = {"receptive_field": 16, "discriminator_width": 2, "batch_size": 1, "width": 2}
TINY = {
    "gan": IMAGES,
    "dcgan": {**IMAGES, "batch_norm": True},
    "wgan": {**IMAGES, "batch_norm": True},
    "wgan_gp": IMAGES,
    "conditional_gan": {**IMAGES, **CLASSES},
    "acgan": {**IMAGES, **CLASSES, "discriminator_width": 3},
    "pix2pix": {"side": 32, "depth": 5, "dropout": 0.0, "normalization": "instance", **PATCHES},
    "cyclegan": {"side": 16, "blocks": 1, **PATCHES},
}
TINY = {method: {"method": method, **case} for method, case in TINY.items()}


def load(path):
    spec = importlib.util.spec_from_file_location(f"steps_{path.stem.strip('_')}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def script():
    sys.path.insert(0, str(FOLDER))
    yield load(FOLDER / "__main__.py")
    sys.path.remove(str(FOLDER))


@pytest.fixture
def without_chance(script, monkeypatch):
    """All draw the same latents, and mix half and half."""

    def latents(number, size):
        return tf.linspace(tf.ones(size), -tf.ones(size), number)

    def given(self, number, seed):
        return latents(number, self.generator.inputs[0].shape[1])

    monkeypatch.setattr(keras_gans.AdversarialModel, "draw_latents", given)
    monkeypatch.setattr(script.plain, "normal", lambda shape: latents(*shape))
    monkeypatch.setattr(keras_gans.penalties, "_uniform", lambda shape, seed: tf.fill(shape, 0.5))
    monkeypatch.setattr(script.plain, "uniform", lambda shape: tf.fill(shape, 0.5))


@pytest.fixture
def moved(script, without_chance, monkeypatch):
    """The networks of a candidate after one step."""
    build, batches = script.cases.build, script.cases.batches

    def repeated(case):
        """The part of a batch that an example of WGAN takes again and again, for all."""
        if "wgan" not in case["method"]:
            return batches(case)
        half = case["batch_size"] // 2
        return batches(case).map(lambda images: (tf.tile(images[:half], (2, 1, 1, 1)),))

    monkeypatch.setattr(script.cases, "CRITIC_STEPS", 2)
    monkeypatch.setattr(script.cases, "batches", repeated)

    def moved(name, case):
        made = []
        monkeypatch.setattr(script.cases, "build", lambda case: made.append(build(case)) or made[0])
        script.start(name, case)(1)
        monkeypatch.setattr(script.cases, "build", build)
        return made[0]

    return moved


def kernels(network):
    """Of more than one axis; biases before a normalisation have no gradient but rounding."""
    return [w.numpy() for w in network.trainable_weights if w.ndim > 1]


def require_same_moves(before, ours, theirs, rate):
    """Each kernel moves the same way. Half a loss is the same to Adam, but for its epsilon."""
    for old, one, other in zip(*map(kernels, (before, ours, theirs))):
        one, other = (one - old).ravel(), (other - old).ravel()
        assert np.max(np.abs(one)) > rate / 10
        assert one @ other > 0.9 * np.linalg.norm(one) * np.linalg.norm(other)


ALL = (0, 1, 2, 3)
# Which networks move as ours do. One pass of both batches is two, where nothing is normalised over
# them. The tutorials' discriminators have not moved when generators learn from them.
SAME = {
    ("gan", "plain loop"): ALL,
    ("gan", "example"): ALL,
    ("dcgan", "plain loop"): ALL,
    ("dcgan", "example"): (),
    ("wgan", "plain loop"): ALL,
    ("wgan", "example"): ALL,
    ("wgan_gp", "plain loop"): ALL,
    ("wgan_gp", "example"): ALL,
    ("conditional_gan", "plain loop"): ALL,
    ("conditional_gan", "example"): ALL,
    ("acgan", "plain loop"): ALL,
    ("acgan", "example"): ALL,
    ("pix2pix", "plain loop"): ALL,
    ("pix2pix", "tutorial"): (1,),
    ("cyclegan", "plain loop"): ALL,
    ("cyclegan", "tutorial"): ALL,
    ("cyclegan", "example"): (2, 3),  # its generators learn from one cycle each
}


# Four steps of CycleGAN, each of six passes of a generator, take long to trace.
QUICK = ("gan", "wgan_gp")
SLOW = [pytest.param(m, marks=() if m in QUICK else pytest.mark.by_hand) for m in TINY]


@pytest.mark.parametrize("method", SLOW)
def test_candidates_move_as_ours_does(script, moved, method):
    case, rate = TINY[method], {"wgan": 5e-5, "wgan_gp": 1e-4}.get(method, 2e-4)
    before, ours = script.cases.build(case), moved("keras_gans", case)
    for name in script.names(case)[1:]:
        for number, triple in enumerate(zip(before, ours, moved(name, case))):
            if number in SAME[method, name]:
                require_same_moves(*triple, rate)
            else:
                for old, other in zip(kernels(triple[0]), kernels(triple[2])):
                    assert np.max(np.abs(other - old)) > rate / 10


def test_who_takes_part(script):
    assert script.names({"method": "dcgan"}) == ["keras_gans", "plain loop", "example"]
    assert script.names({"method": "pix2pix"}) == ["keras_gans", "plain loop", "tutorial"]
    assert script.names({"method": "cyclegan"}, "python")[3:] == ["tutorial", *script.TORCH]


@pytest.mark.parametrize(
    "case, preset",
    [
        ("pix2pix_128", "pix2pix_satellite_to_map_128"),
        ("cyclegan_64", "cyclegan_map_satellite_64"),
    ],
)
def test_cases_have_the_sizes_of_presets(script, case, preset):
    recipe = keras_gans.zoo.Recipe.read(preset).config
    case = script.cases.CASES[case]
    assert case["batch_size"] == recipe["data"]["batch_size"]
    for network, of_recipe in zip(script.cases.build(case), recipe["networks"].values()):
        made = getattr(keras_gans.networks, of_recipe.pop("type"))(**of_recipe)
        assert [w.shape for w in network.weights] == [w.shape for w in made.weights]
        assert [type(x) for x in network.layers] == [type(x) for x in made.layers]


def test_steps_of_a_round(script):
    # 1 s, and a quarter for each step: 1, 2 and 4 steps last 1.25, 1.5 and 2 s of the 4 wanted.
    asked = []
    run = lambda steps: asked.append(steps) or {"wall": 1.0 + steps / 4}  # noqa: E731
    assert script.steps_that_last(4.0, run) == 8
    assert asked == [1, 2, 4]


def test_networks_that_are_not_ours(script):
    script.require_same_networks({"wall": 1.0}, 12)  # says nothing: ours
    script.require_same_networks({"parameters": 12}, 12)
    with pytest.raises(ValueError, match="are not ours.*Expected 12 parameters. Received: 13"):
        script.require_same_networks({"parameters": 13}, 12)


def test_the_table(script):
    def answer(wall, processor):
        return {"wall": wall, "processor": processor}

    taken = {
        "keras_gans": [answer(2.0, 3.0), answer(4.0, 8.0), answer(3.0, 5.0)],
        "PyTorch": [answer(4.0, 3.0), answer(4.0, 4.0), answer(2.0, 5.0)],
    }
    alone = {"PyTorch": {"wall": 1.25, "peak": 900.4, "imported": 500.2}}
    lines = script.table("gan_28", {"batch_size": 4}, 10, taken, alone)
    assert lines[2:] == [
        "| keras_gans | 300 | 500 | 13.3 | 1 |  | 1 |  |  |",
        # Ratios of rounds: 2, 1 and 2/3; of processor time 1, 1/2 and 1.
        "| PyTorch | 400 | 400 | 10 | 1.00 | 0.67 to 2.00 | 1.00 | 1.2 s | 900 (500) |",
    ]
    assert {line.count("|") for line in lines} == {10}


def test_controls_of_chorales():
    script = load(FOLDER.parent / "chorales.py")
    notes = np.random.default_rng(0).integers(40, 80, (30, 16, 4))
    voices, steps = script.controls(notes, seed=0)
    for voice in range(4):
        kept = [sorted(bars[..., voice].tolist()) for bars in (notes, voices)]
        assert kept[0] == kept[1]
    assert not any((bar == voices).all(axis=(1, 2)).any() for bar in notes)
    for bar, shuffled in zip(notes.tolist(), steps.tolist()):
        assert bar != shuffled and sorted(bar) == sorted(shuffled)
    keys = script.without_key(np.array([notes[0], notes[0] + 5, notes[1]]))
    assert keys[0] == keys[1] != keys[2]
