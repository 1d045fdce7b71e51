"""The upper rooms of the package, for the classes below them that open presets.

Imports go down, so no class imports the zoo. The package's front door, which opens every room when
it is asked for, says here how.
"""

from collections.abc import Callable
from types import ModuleType

_doors: list[Callable[[str], ModuleType]] = []


def open_by(door: Callable[[str], ModuleType]) -> None:
    """Says how a room is opened: by a function from its name to its module."""
    _doors[:] = [door]


def room(name: str) -> ModuleType:
    """Returns a room of the package by its name, such as `"zoo"`."""
    (door,) = _doors
    return door(name)
