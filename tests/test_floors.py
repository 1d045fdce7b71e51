"""Imports only go down: the levels of CONTRIBUTING.md, read from the code."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LEVELS = {
    **dict.fromkeys(["losses", "penalties", "latent", "labels", "image", "interface", "typing"], 0),
    "directions": 0,
    "augmentation": 0,
    "music": 0,
    **dict.fromkeys(["files", "names", "checks", "building", "replicas", "reading", "terminal"], 0),
    **dict.fromkeys(["rooms", "schedules", "optimizers", "text"], 0),
    **dict.fromkeys(["layers", "data"], 1),
    **dict.fromkeys(["networks", "batches", "fitting"], 2),
    "generation": 2.5,
    "perceptual": 0,
    "adversarial": 3,
    "models": 4,
    **dict.fromkeys(["metrics", "callbacks"], 5),
    **dict.fromkeys(["zoo", "export"], 6),
    **dict.fromkeys(["gallery_entries", "cli"], 7),
}
ROOMS = {"keras_gans": ROOT / "keras_gans", "keras_gans.zoo": ROOT / "zoo"}
ROOMS["keras_gans.export"] = ROOT / "export"
# What stands above all levels: the package's own front door.
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


def nodes(tree, at_module_level):
    """All of a tree; or what runs as the module is imported, which the bodies of functions do not.

    A `try`, an `if` or a class does run then, so `tree.body` alone would overlook imports.
    """
    for node in ast.iter_child_nodes(tree):
        if at_module_level and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        yield node
        yield from nodes(node, at_module_level)


def imports(source, at_module_level=False):
    """Dotted names of what a source imports, `from a import b` as `a.b`.

    A relative import keeps its dots, and `importlib.import_module("a.b")` counts as `import a.b`.
    """
    for node in nodes(ast.parse(source), at_module_level):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = "." * node.level + (f"{node.module}." if node.module else "")
            yield from (f"{origin}{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            first = node.args[0]
            constant = first.values[0] if isinstance(first, ast.JoinedStr) else first
            if isinstance(constant, ast.Constant):
                yield constant.value


def level(name):
    return LEVELS[name.split(".")[1]]


def room(name):
    return name.split(".")[1]


def wrong_imports(name, source):
    """What a module imports and must not."""
    if name in FRONT:
        # Its `__getattr__` opens the upper rooms when asked, `import keras_gans` does not.
        upper = ("keras_gans.zoo", "keras_gans.export", "keras_gans.cli")
        return [t for t in imports(source, True) if t.startswith((*upper, "."))]
    wrong = []
    for target in imports(source):
        # One spelling, so that no other one slips by; `zoo` and `export` alone are other modules.
        if target.startswith(".") or target.split(".")[0] in ("zoo", "export"):
            wrong.append(target)
        if target == "keras_gans.*":
            wrong.append(target)
        if target == "keras_gans" and room(name) not in ("zoo", "cli"):
            wrong.append(target)  # all levels at once: `keras_gans.models` would be an attribute
        if not target.startswith("keras_gans."):
            continue
        if target.split(".")[1] not in LEVELS:
            # `from keras_gans import AdversarialModel` asks the front door, which has all levels.
            target = "keras_gans.adversarial"
            if room(name) in ("cli", "zoo"):
                continue
            if room(name) == "export":
                wrong.append(target)
        if room(target) == room(name):
            continue
        sideways = {room(name), room(target)} == {"zoo", "export"}
        above = level(target) >= level(name) and room(name) != "cli"
        # Pure functions may lean on each other.
        same_low = level(target) == level(name) == 0
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
        ("keras_gans.export.x", "from keras_gans import GAN"),
        ("keras_gans.export.x", "from keras_gans import zoo"),
        ("keras_gans.networks.x", "from .. import models"),
        ("keras_gans.networks.x", "from ..models import gan"),
        ("keras_gans.losses", "import keras_gans"),
        ("keras_gans.models.gan", "import keras_gans as k"),
        ("keras_gans.models.gan", "from keras_gans import *"),
        ("keras_gans.losses", "import importlib\nimportlib.import_module('keras_gans.models')"),
        ("keras_gans.losses", "def f(name):\n    import_module(f'keras_gans.zoo.{name}')"),
        ("keras_gans.callbacks.x", "import zoo"),
        ("keras_gans.callbacks.x", "from export.tflite import tflite"),
        ("keras_gans", "from keras_gans import zoo"),
        ("keras_gans", "try:\n    import keras_gans.export\nexcept ImportError:\n    pass"),
    ],
)
def test_the_test_would_notice(name, source):
    assert wrong_imports(name, source)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("keras_gans.models.gan", "from keras_gans.adversarial import AdversarialModel"),
        ("keras_gans.models.gan", "import keras\nimport tensorflow as tf\nimport zoology"),
        ("keras_gans.networks.x", "from keras_gans.networks import checks"),
        ("keras_gans.cli", "def f():\n    from keras_gans import export, zoo"),
        ("keras_gans.zoo.x", "import keras_gans"),
        ("keras_gans", "def __getattr__(name):\n    import keras_gans.zoo"),
    ],
)
def test_the_test_lets_pass_what_it_should(name, source):
    assert not wrong_imports(name, source)


def test_a_bad_file_among_the_modules_is_noticed(tmp_path, monkeypatch):
    (tmp_path / "layers").mkdir()
    (tmp_path / "layers" / "bad.py").write_text("from keras_gans.models import GAN\n")
    (tmp_path / "layers" / "good.py").write_text("from keras_gans.names import did_you_mean\n")
    monkeypatch.setitem(ROOMS, "keras_gans", tmp_path)
    found = {n: wrong_imports(n, s) for n, s in modules().items() if ".layers." in n}
    assert found == {
        "keras_gans.layers.bad": ["keras_gans.models.GAN"],
        "keras_gans.layers.good": [],
    }


def test_every_room_has_a_floor():
    assert {name.split(".")[1] for name in modules() if name not in FRONT} <= set(LEVELS)


def files_imported(source, known, importer=""):
    """The modules among `known` that a source imports, inside functions too.

    `from a import b` is the module `a.b` if there is one, and otherwise `a`. The package that a
    module lies in does not count: Python imports it first in any case.
    """
    found = set()
    for target in imports(source):
        while target and target not in known:
            target = target.rpartition(".")[0]
        if target and not importer.startswith(f"{target}."):
            found.add(target)
    return found - {importer}


def cycles(graph):
    """Lists of modules that each import the next, the last one the first: one for each cycle."""
    found, done = [], set()

    def visit(name, path):
        if name in path:
            found.append(path[path.index(name) :])
        elif name not in done:
            for target in sorted(graph[name]):
                visit(target, [*path, name])
            done.add(name)

    for name in sorted(graph):
        visit(name, [])
    return found


def test_no_two_files_import_each_other():
    known = modules()
    graph = {
        # What the front door opens when it is asked, `import keras_gans` does not import.
        name: files_imported(source, set(known) - FRONT, name) if name not in FRONT else set()
        for name, source in known.items()
    }
    assert [" -> ".join([*cycle, cycle[0]]) for cycle in cycles(graph)] == []


@pytest.mark.parametrize(
    ("sources", "cycle"),
    [
        ({"a.x": "from a import y", "a.y": "def f():\n    from a.x import g"}, ["a.x", "a.y"]),
        ({"a.x": "import a.y", "a.y": "import a.z", "a.z": "import a.x"}, ["a.x", "a.y", "a.z"]),
        ({"a.x": "from a.y import g", "a.y": "import os"}, None),
        ({"a": "from a.x import g", "a.x": "from a import y", "a.y": "import os"}, None),
    ],
)
def test_the_search_for_cycles_would_notice(sources, cycle):
    graph = {name: files_imported(text, set(sources), name) for name, text in sources.items()}
    assert cycles(graph) == ([cycle] if cycle else [])


def test_what_goes_into_a_graph_needs_no_server():
    for name, source in modules().items():
        if name.startswith("keras_gans.export.graph"):
            wrong = [t for t in imports(source) if t.startswith("keras_gans.export.serving")]
            assert not wrong, name


# Only training layers may need TensorFlow: a generator also runs on other backends.
TRAINING_LAYERS = {"keras_gans.layers.replay_pool"}


def needs_tensorflow(source):
    return any(target.split(".")[0] == "tensorflow" for target in imports(source, True))


def test_losses_networks_and_generators_layers_need_no_tensorflow():
    for name, source in modules().items():
        if name not in FRONT and room(name) in ("losses", "networks", "layers"):
            assert needs_tensorflow(source) == (name in TRAINING_LAYERS), name


@pytest.mark.parametrize(
    ("source", "needs"),
    [
        ("import tensorflow as tf", True),
        ("from tensorflow.keras import layers", True),
        ("try:\n    import tensorflow\nexcept ImportError:\n    tensorflow = None", True),
        ("class Layer:\n    import tensorflow", True),
        ("def draw():\n    import tensorflow", False),
        ("class Layer:\n    def call(self):\n        import tensorflow", False),
        ("from keras import ops", False),
    ],
)
def test_the_search_for_tensorflow_would_notice(source, needs):
    assert needs_tensorflow(source) == needs


def files_and_pictures(source):
    """What a source uses to open files, to draw or to print."""
    libraries = {"PIL", "matplotlib", "pathlib", "os", "io", "json", "shutil", "tempfile"}
    used = {target.split(".")[0] for target in imports(source)} & libraries
    calls = {
        ast.unparse(node.func).split(".")[-1]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
    }
    files = {"open", "print", "write_text", "write_bytes", "read_text", "read_bytes", "GFile"}
    return used | calls & (files | {"savez", "write_file", "read_file", "savefig", "tofile"})


def test_models_open_no_file_and_draw_nothing():
    looked_at = [n for n in modules() if n not in FRONT and room(n) in ("models", "adversarial")]
    assert "keras_gans.models.gan" in looked_at
    for name in looked_at:
        assert not files_and_pictures(modules()[name]), name


@pytest.mark.parametrize(
    "source",
    [
        "def train_step(self):\n    open('losses.txt', 'a')",
        "from PIL import Image",
        "def f():\n    import matplotlib.pyplot as plt",
        "tf.io.gfile.GFile('x')",
        "import numpy as np\nnp.savez('x', a)",
        "path.write_text('x')",
        "print(loss)",
    ],
)
def test_the_search_for_files_would_notice(source):
    assert files_and_pictures(source)
