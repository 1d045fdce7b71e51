"""Signatures say their types, and the types are right.

`python tests/test_types.py` prints the names for `unannotated.txt`, which is only to get shorter.
"""

import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LEFT = Path(__file__).with_name("unannotated.txt")


def as_installed(folder):
    """The packages under the names that they are imported by, as setup.cfg maps them."""
    (folder / "keras_gans").mkdir()
    for path in (*(ROOT / "keras_gans").iterdir(), ROOT / "zoo", ROOT / "export"):
        if path.name != "__pycache__":
            (folder / "keras_gans" / path.name).symlink_to(path)
    return folder


def check(folder, *words):
    config = ["--config-file", ROOT / "pyproject.toml", "--cache-dir", folder / "cache"]
    command = [sys.executable, "-m", "mypy", *config, *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.slow  # reads every file and what it imports: about 40 seconds without a cache
def test_the_types_are_right(tmp_path):
    done = check(as_installed(tmp_path), "-p", "keras_gans")
    assert done.returncode == 0, done.stdout + done.stderr


WRONG = {
    "value": "def f(size: int) -> str:\n    return size",
    "type": "def f(call: callable) -> None: ...",
    "call": "def f(size: int) -> None: ...\nf('a')",
    "method": "class A:\n    def f(self) -> int: ...\nclass B(A):\n    def f(self) -> str: ...",
}


def test_the_check_would_notice(tmp_path):
    for name, source in WRONG.items():
        (tmp_path / f"{name}.py").write_text(source)
    found = check(tmp_path, ".").stdout
    assert [name for name in WRONG if f"{name}.py:" not in found] == []


def rooms():
    """The modules whose names users write."""
    import keras_gans

    yield keras_gans
    for name in keras_gans.__all__:
        if inspect.ismodule(room := getattr(keras_gans, name)):
            yield room
    yield importlib.import_module("keras_gans.interface")


def functions(thing):
    """A function, or the public methods of a class; none of other libraries."""
    if inspect.isclass(thing):
        methods = {n: m for n, m in vars(thing).items() if n == "__init__" or not n.startswith("_")}
        found = [getattr(m, "__func__", getattr(m, "fget", m)) for m in methods.values()]
    else:
        found = [thing]
    return [f for f in found if inspect.isfunction(f) and f.__module__.startswith("keras_gans")]


def is_annotated(function):
    signature = inspect.signature(function)
    parameters = [p for n, p in signature.parameters.items() if n not in ("self", "cls")]
    known = all(p.annotation is not p.empty for p in parameters)
    made = function.__name__ == "__init__" or signature.return_annotation is not signature.empty
    return known and made


def unannotated():
    things = [getattr(room, name) for room in rooms() for name in getattr(room, "__all__", ())]
    found = {function for thing in things for function in functions(thing)}
    assert len(found) > 100
    return sorted(f"{f.__module__}.{f.__qualname__}" for f in found if not is_annotated(f))


def test_every_public_signature_says_its_types():
    left = LEFT.read_text().split()
    assert not set(unannotated()) - set(left), "annotate these"
    assert not set(left) - set(unannotated()), f"these are done: take them out of {LEFT.name}"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(a: int) -> int: ...", True),
        ("def f(a, b: int = 3) -> int: ...", False),
        ("def f(a: int): ...", False),
        ("def f(*a, **b: int) -> int: ...", False),
        ("def f(self, *, a: int) -> None: ...", True),
        ("def __init__(self, a: int): ...", True),
        ("def __init__(self, a): ...", False),
    ],
)
def test_what_counts_as_annotated(source, expected):
    names = {}
    exec(source, names)
    assert is_annotated(names.get("f") or names["__init__"]) == expected


if __name__ == "__main__":
    print("\n".join(unannotated()))
