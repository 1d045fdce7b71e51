"""Imports only go down: the floors of CONTRIBUTING.md, read from the code."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = {
    **dict.fromkeys(["losses", "penalties", "latent", "image", "files", "names"], 0),
    **dict.fromkeys(["layers", "data", "batches"], 1),
    "networks": 2,
    "adversarial": 3,
    "models": 4,
    **dict.fromkeys(["metrics", "callbacks"], 5),
    **dict.fromkeys(["zoo", "export", "cli"], 6),
}
ROOMS = {"keras_gans": ROOT / "keras_gans", "keras_gans.zoo": ROOT / "zoo"}
ROOMS["keras_gans.export"] = ROOT / "export"
# What stands above all floors: the package's own front door.
FRONT = {"keras_gans", "keras_gans._version"}


def modules():
    """Dotted name to source, of every module."""
    found = {}
    for room, folder in ROOMS.items():
        for path in folder.rglob("*.py"):
            inner = path.relative_to(folder).with_suffix("").parts
            name = ".".join((room, *inner)).removesuffix(".__init__")
            found[name] = path.read_text()
    return found


def imports(source, at_module_level=False):
    """Dotted names of what a source imports, `from a import b` as `a.b`."""
    tree = ast.parse(source)
    for node in tree.body if at_module_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def floor(name):
    return FLOORS[name.split(".")[1]]


def room(name):
    return name.split(".")[1]


def wrong_imports(name, source):
    """What a module imports and must not."""
    if name in FRONT:
        return []
    wrong = []
    for target in imports(source):
        if not target.startswith("keras_gans."):
            continue
        if target.split(".")[1] not in FLOORS:
            # `from keras_gans import AdversarialModel` asks the front door, which has all floors.
            target = "keras_gans.adversarial"
            if name == "keras_gans.cli" or room(name) == "zoo":
                continue
        if room(target) == room(name):
            continue
        sideways = {room(name), room(target)} == {"zoo", "export"}
        above = floor(target) >= floor(name) and room(name) != "cli"
        # Floor 0 and floor 1 may lean on their own floor's pure functions.
        same_low = floor(target) == floor(name) == 0
        if sideways or (above and not same_low):
            wrong.append(target)
    if room(name) == "export":
        wrong += [
            t for t in imports(source) if t.startswith(("keras_gans.models", "keras_gans.adv"))
        ]
    return wrong


@pytest.mark.parametrize(("name", "source"), modules().items(), ids=list(modules()))
def test_imports_go_down(name, source):
    assert not wrong_imports(name, source)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("keras_gans.losses", "from keras_gans import networks"),
        ("keras_gans.layers.x", "import keras_gans.models.gan"),
        ("keras_gans.models.gan", "from keras_gans.callbacks import Resume"),
        ("keras_gans.adversarial", "def f():\n    from keras_gans import zoo"),
        ("keras_gans.zoo.x", "from keras_gans import export"),
        ("keras_gans.export.x", "from keras_gans.models import GAN"),
    ],
)
def test_the_test_would_notice(name, source):
    assert wrong_imports(name, source)


def test_every_room_has_a_floor():
    assert {name.split(".")[1] for name in modules() if name not in FRONT} <= set(FLOORS)


# Only training layers may need TensorFlow: a generator also runs on other backends.
TRAINING_LAYERS = {"keras_gans.layers.replay_pool"}


def test_losses_networks_and_generators_layers_need_no_tensorflow():
    for name, source in modules().items():
        if name not in FRONT and room(name) in ("losses", "networks", "layers"):
            needs = any(t.split(".")[0] == "tensorflow" for t in imports(source, True))
            assert needs == (name in TRAINING_LAYERS), name


def test_models_open_no_file_and_draw_nothing():
    for name, source in modules().items():
        if name.startswith("keras_gans.models."):
            used = {target.split(".")[0] for target in imports(source)}
            assert not used & {"PIL", "matplotlib", "pathlib", "os", "io", "json"}, name
            calls = {
                n.func.id
                for n in ast.walk(ast.parse(source))
                if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
            }
            assert "open" not in calls and "print" not in calls, name
