"""A signature of a SavedModel, and what its outputs are called."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """A signature: a `tf.function` with named inputs, and inputs to try it with."""

    function: Callable
    example: dict[str, Any]


def encoded_name(name: str, images: Sequence[str]) -> str:
    """Returns what an output is called as a file: TF Serving sends `..._bytes` in base64.

    >>> encoded_name("images", ["images"]), encoded_name("first", ["first", "second"])
    ('png_bytes', 'first_png_bytes')
    """
    return "png_bytes" if len(images) == 1 else f"{name}_png_bytes"
