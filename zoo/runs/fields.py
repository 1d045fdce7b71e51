"""The fields of a recipe, read and checked before TensorFlow has to load."""

from pathlib import Path
from typing import Any

from keras_gans.names import did_you_mean
from keras_gans.reading.text import is_file, read_json

# Every field of a recipe but the optimizers, with its default; `...` must be given.
FIELDS: dict[str, Any] = {
    "description": "",
    "seed": 0,
    "epochs": ...,
    "dtype_policy": "float32",
    "data": ...,
    "networks": ...,
    "model": ...,
    "samples": 64,
    "evaluation": None,
    "initial": None,
}

# Of a GAN whose class names no others.
SIDES = ("generator", "discriminator")


def optimizer(side: str) -> str:
    """The field of a side's optimizer.

    >>> optimizer("encoder")
    'encoder_optimizer'
    """
    return f"{side}_optimizer"


def read(path: Path | str, **changes: Any) -> dict[str, Any]:
    """Reads a recipe from a file.

    Args:
        path: of a JSON file.
        **changes: fields to replace.

    Returns:
        Its fields, of which none is missing. Which optimizers there may be, the GAN's class says.

    Raises:
        ValueError: if there is no such file, it holds no JSON object, or a field is missing or
            unknown.
    """
    if not is_file(path):
        raise ValueError(
            "There is no recipe at that path. Expected a JSON file, or the name of a preset. "
            f"Received: {path}"
        )
    config = {**read_json(path, "Correct it.", "The recipe"), **changes}
    sides = {name.removesuffix("_optimizer") for name in config if name.endswith("_optimizer")}
    require(config, {*SIDES, *sides})
    return config


def require(config: dict[str, Any], sides: Any) -> None:
    """Raises ValueError unless no field is missing, and all are known.

    Args:
        config: of a recipe.
        sides: names of the GAN's sides, each of which has an optimizer.
    """
    known = [*FIELDS, *map(optimizer, sides)]
    refuse_unknown(config, known, "")
    for field, default in FIELDS.items():
        if field not in config and default is ...:
            raise ValueError(
                f"The recipe lacks the field {field!r}. Expected {known}. "
                f"Received: {sorted(config)}"
            )


def refuse_unknown(part: dict[str, Any], known: Any, prefix: str) -> None:
    """Raises ValueError, with the nearest names, for a field that is not among those known.

    Args:
        part: of a recipe.
        known: names of fields; `type` is always one.
        prefix: dotted name of the part, with a dot at its end, or nothing.
    """
    for field in part:
        if field not in known and field != "type":
            raise ValueError(
                f"A recipe has no field {prefix + field!r}.{did_you_mean(field, known)} Expected "
                f"one of {sorted(known)}. Received: {prefix}{field}={part[field]!r}"
            )
