"""What the networks of a preset take and make: `interface.json`, or what the recipe says.

No TensorFlow here, as in `presets`, unless an old preset leaves out what only the library's
functions know.
"""

import dataclasses
import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from keras_gans.interface import PSI, Codes, Image, Interface, Label, Latents, Text

FILE = "interface.json"


def read(content: Any, roles: Iterable[str]) -> dict[str, Interface]:
    """Reads what `interface.json` holds: names of networks to their interfaces.

    Args:
        content: of the file.
        roles: names of the networks that there are.

    Raises:
        ValueError: for anything else, with the name of the network.
    """
    if not isinstance(content, Mapping) or not content:
        raise ValueError(
            "Expected an object of names of networks to interfaces, such as "
            f"{{'generator': {{'inputs': [...], 'outputs': [...]}}}}. Received: {content!r}"
        )
    found = {}
    for role, value in content.items():
        if role not in roles:
            raise ValueError(f"there is no such network: {role!r}, among {list(roles)}")
        try:
            found[role] = Interface.from_json(value)
        except ValueError as error:
            raise ValueError(f"of {role!r}: {error}") from error
    return found


def of_recipe(recipe: Mapping[str, Any]) -> dict[str, Interface]:
    """The interfaces of a preset without `interface.json`, from the numbers of its recipe.

    >>> networks = {"generator": {"image_shape": [8, 8, 1], "latent_dim": 3, "num_classes": 2}}
    >>> of_recipe({"networks": networks, "model": {"type": "ACGAN"}})["generator"].options
    ('labels',)

    Args:
        recipe: as `recipe.json` has it, or with all defaults filled in.

    Returns:
        Names of the networks that make something, to their interfaces.
    """
    roles = (role for role in recipe["networks"] if "discriminator" not in role)
    # Of an autoencoder, the encoder says which part of a latent is a categorical code.
    classes = recipe["networks"].get("encoder", {}).get("categorical")
    model = {**({"categorical": [classes]} if classes else {}), **recipe["model"]}
    found = {role: _of_network(role, recipe["networks"][role], model) for role in roles}
    return {role: with_class_names(i, recipe.get("data", {})) for role, i in found.items()}


def with_class_names(described: Interface, data: Mapping[str, Any]) -> Interface:
    """Returns an interface with the names of a data set's classes, where they are not stated.

    >>> plain = Interface([Latents(3), Label(10)], [Image(8, 8, 1)])
    >>> with_class_names(plain, {"name": "fashion_mnist"}).labels[0].names[9]
    'boot'

    Args:
        described: the interface. An input of labels of the name of one of the data's attributes
            gets the names of its values.
        data: as a recipe has them.
    """
    known = _labels_of(data) if described.labels else {}
    for port in described.labels:
        names = known.get(port.name)
        if port.names is None and names is not None and len(names) == port.num_classes:
            described = described.with_input(dataclasses.replace(port, names=names))
    return described


def _labels_of(data):
    """Names of the labels of a data set to the names of their classes; `labels` are the usual."""
    from keras_gans.data import sources  # here: it imports NumPy

    name = data.get("name")
    if name not in sources.names():
        return {}
    source = sources.get(name)
    usual = data.get("attribute", source.options.get("attribute", "label"))
    found = {"labels": source.labels[usual]} if usual in source.labels else {}
    return {**source.labels, **found}


def _of_network(role, arguments, model):
    height, width, channels = arguments["image_shape"]
    made = arguments.get("out_channels") or channels
    latent_dim = arguments.get("latent_dim") or _default(arguments, "latent_dim")
    if latent_dim is None:
        scale = arguments.get("scale") or _default(arguments, "scale") or 1
        scale = arguments.get("output_scale") or scale
        sides = (side and round(side * scale) for side in (height, width))
        # `scale` says what sizes do not.
        about = {} if height and width else {"scale": scale}
        return Interface([Image(height, width, channels)], [Image(*sides, made, **about)])
    if role == "encoder":
        from keras_gans.networks import encoders  # here: it imports Keras

        heads = {n: arguments[n] for n in ("stochastic", "categorical") if n in arguments}
        return Interface([Image(height, width, channels)], encoders.outputs(latent_dim, **heads))
    codes = [model[n] for n in ("categorical", "continuous") if n in model]
    codes = Codes(model.get("categorical", ()), model.get("continuous", 0)) if codes else Codes()
    inputs = [Latents(latent_dim, codes, styles=_styles(arguments))]
    if classes := arguments.get("num_classes"):
        classes = classes if isinstance(classes, Mapping) else {"labels": classes}
        inputs += [Label(count, name=name) for name, count in classes.items()]
    if "psi" in arguments and arguments["psi"] is None:
        inputs.append(PSI)
    if words := arguments.get("vocabulary"):
        length = arguments.get("max_length") or _default(arguments, "max_length")
        inputs += [Text(length, words, examples=arguments.get("examples", ()))]
    domains = arguments.get("domains", ("images",))  # of a CoGAN, of which each has an output
    return Interface(inputs, [Image(height, width, made, name=name) for name in domains])


def _styles(arguments):
    """How many styles a network makes of a latent, and their length; `None` for one without."""
    if "style_dim" not in arguments:
        return None
    shorter = min(arguments["image_shape"][:2])
    return 2 * shorter.bit_length() - 4, arguments["style_dim"]


def _default(arguments, name):
    """The default that a network's function has for an argument; `None` if it takes none such."""
    from keras_gans import networks  # here: it imports Keras

    function = getattr(networks, str(arguments.get("type")), None)
    found = inspect.signature(function).parameters.get(name) if function else None
    return None if found is None or found.default is found.empty else found.default
