"""The options of the command line that follow from what a preset's or run's networks take.

No TensorFlow here: `keras-gans zoo show` lists them before anything is loaded.
"""

import dataclasses
import os
from pathlib import Path

from keras_gans.interface import Interface
from keras_gans.reading.text import is_file, read_json
from keras_gans.zoo.catalog import addresses, interfaces, presets

VERBS = ("generate", "interpolate", "project", "translate")


@dataclasses.dataclass(frozen=True)
class Option:
    """An option of a verb.

    Attributes:
        flag: such as `"--labels"`; of a named condition, `"--condition NAME="`.
        name: of the argument of the verb's function.
        kind: `"classes"`, several such as 3 or 0-9; `"class"`, one; `"numbers"`, floats;
            `"number"`, one; or `"flag"`, without a value.
        help: what it is.
    """

    flag: str
    name: str
    kind: str
    help: str


def interfaces_of(source: str | os.PathLike) -> dict[str, Interface]:
    """Returns what the networks of a preset or a run take and make, by their names.

    >>> interfaces_of("conditional_gan_digits_28")["generator"].options
    ('labels',)

    Args:
        source: name of a preset, the folder of one or of a run, or an address on a hub.

    Raises:
        ValueError: if there is no such preset, or its files are damaged.
    """
    if not addresses.is_address(source) and is_file(Path(source) / "config.json"):
        return interfaces.of_recipe(read_json(Path(source) / "config.json"))
    return presets.card(source).interfaces


def options_of(source: str | os.PathLike, verb: str) -> list[Option]:
    """Returns the options that a verb has for a source, beside those that it always has.

    >>> [option.flag for option in options_of("infogan_digits_28", "generate")]
    ['--categorical', '--continuous']

    Args:
        source: as for `interfaces_of`.
        verb: one of `VERBS`. What it does not do with such a source, it has no options for.
    """
    found = interfaces_of(source)
    described = next(iter(found.values()))
    if verb == "translate":
        both = len(found) > 1
        return [Option("--backward", "backward", "flag", "from Y to X")] if both else []
    if not described.takes_latents:
        return []
    kind = "class" if verb == "project" else "classes"
    alone = len(described.labels) == 1
    options = [_of_label(port, kind, alone) for port in described.labels]
    codes = described.codes
    if len(codes.categorical) == 1 and verb != "project":
        about = f"codes, 0 to {codes.categorical[0] - 1}: each in a column [drawn]"
        options.append(Option("--categorical", "categorical", "classes", about))
    if codes.continuous and verb == "generate":
        about = f"{codes.continuous} numbers from -1 to 1, for all images [drawn]"
        options.append(Option("--continuous", "continuous", "numbers", about))
    if verb in ("generate", "interpolate"):
        options += [_of_number(port) for port in described.numbers]
    return options


def _of_number(port):
    default = "must be given" if port.default is None else f"{port.default:g}"
    about = f"a number, usually from {port.low:g} to {port.high:g} [{default}]"
    return Option(f"--{port.name}", port.name, "number", about)


def _of_label(port, kind, alone):
    names = f" ({', '.join(port.names)})" if port.names else ""
    one = kind == "class"
    about = f"its class, 0 to {port.num_classes - 1}{names} [the one that fits]"
    if not one:
        left_out = "all" if alone else "drawn"
        about = f"classes, 0 to {port.num_classes - 1}{names}: each in a column [{left_out}]"
    if port.name == "labels":
        name = "label" if one else "labels"
        return Option(f"--{name}", name, kind, about)
    return Option(f"--condition {port.name}=", port.name, kind, about)
