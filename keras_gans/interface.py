"""What a network takes and makes, as data: no TensorFlow, JSON both ways.

An `Interface` lists the inputs and the outputs of a network in order, each by what it means:

>>> from keras_gans.interface import Image, Interface, Label, Latents
>>> conditional = Interface([Latents(64), Label(10)], [Image(28, 28, 1)])
>>> conditional.labels[0].num_classes
10
>>> upscaler = Interface([Image(None, None, 3)], [Image(None, None, 3, scale=4)])
>>> upscaler.size_of_output(30, 20)
(120, 80)

What people call is derived from it: the options of `generate`, the columns of grids, the
signatures of exports, the fields of the browser page. `gan.interface(role)` returns the interface
of each network of a GAN. `of(network)` infers that of a network of your own, from the shapes and
types of its inputs and outputs; `state(network, interface)` says what shapes cannot tell.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from keras_gans import text as texts
from keras_gans.names import did_you_mean

__all__ = [
    "Array",
    "Codes",
    "Image",
    "Interface",
    "Label",
    "Latents",
    "Number",
    "Style",
    "Text",
    "is_stated",
    "of",
    "state",
]

Shape = tuple[int | None, ...]


# ---- the kinds of inputs and outputs


class Port:
    """One input or output of a network. Each kind is a frozen dataclass with a `name`."""

    dtype: ClassVar[str] = "float32"
    name: str

    @property
    def shape(self) -> Shape:
        """Its shape without the batch; `None` stands for any size."""
        raise NotImplementedError

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.isidentifier():
            raise ValueError(
                f"The name of {type(self).__name__} must be an identifier, such as 'images': "
                f"exports use it as the name of an input. Received: name={self.name!r}"
            )

    def _count(self, field: str, minimum: int = 1, none: bool = False) -> None:
        value = getattr(self, field)
        if none and value is None:
            return
        if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
            raise ValueError(
                f"`{field}` of {type(self).__name__} must be an integer of at least {minimum}"
                f"{', or None' if none else ''}. Received: {field}={value!r}"
            )

    def _texts(self, field: str) -> None:
        values = getattr(self, field)
        if values is None:
            return
        if isinstance(values, str) or not all(isinstance(value, str) for value in values):
            raise ValueError(
                f"`{field}` of {type(self).__name__} must be a list of texts. "
                f"Received: {field}={values!r}"
            )
        object.__setattr__(self, field, tuple(values))


@dataclasses.dataclass(frozen=True)
class Codes:
    """What the last coordinates of a latent mean (Chen 2016, InfoGAN); nothing by default.

    Attributes:
        categorical: number of classes of each categorical code, one-hot, in order.
        continuous: how many continuous codes in [-1, 1], after those.
    """

    categorical: Sequence[int] = ()
    continuous: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "categorical", tuple(self.categorical))
        counts = [("categorical", k, 2) for k in self.categorical]
        for name, value, minimum in [*counts, ("continuous", self.continuous, 0)]:
            if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
                raise ValueError(
                    f"`{name}` of Codes must be an integer of at least {minimum}. "
                    f"Received: {name}={value!r}"
                )

    @property
    def size(self) -> int:
        """How many coordinates of a latent they take."""
        return sum(self.categorical) + self.continuous


@dataclasses.dataclass(frozen=True)
class Latents(Port):
    """Standard normal latents, float32 `(batch, size)`.

    Attributes:
        size: length of a latent, codes included.
        codes: what its last coordinates mean.
        name: of the input.
        styles: how many style vectors a network makes of a latent first, one for each layer, and
            the length of one, `(layers, size)` (Karras 2019): they can be truncated by `psi`,
            mixed, and edited. `None` for a network without.
        random_state: are the latents of a seed NumPy's `RandomState(seed).randn`, as in the program
            that the network comes from, so that known seeds give the images that are known?
    """

    size: int
    codes: Codes = Codes()
    name: str = "latents"
    styles: tuple[int, int] | None = None
    random_state: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self._count("size")
        if self.styles is not None:
            object.__setattr__(self, "styles", _whole_pair(self.styles))
        if self.codes.size >= self.size:
            raise ValueError(
                "A latent holds its codes and at least one coordinate of noise. Expected "
                f"`size` above {self.codes.size}. Received: size={self.size}, {self.codes}"
            )

    @property
    def shape(self) -> Shape:
        return (self.size,)


def _whole_pair(styles: Any) -> Shape:
    """How many styles there are and their length, checked."""
    if not isinstance(styles, (list, tuple)) or len(styles) != 2:
        raise ValueError(
            "`styles` of Latents must be their number and their length, such as (14, 512). "
            f"Received: styles={styles!r}"
        )
    return Style(*styles).shape


@dataclasses.dataclass(frozen=True)
class Label(Port):
    """A class of each image, int32 `(batch,)` in [0, num_classes).

    Attributes:
        num_classes: how many classes there are.
        names: of the classes, in order; `None` where they are not known.
        name: of the input.
    """

    dtype: ClassVar[str] = "int32"
    num_classes: int
    names: Sequence[str] | None = None
    name: str = "labels"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._count("num_classes")
        self._texts("names")
        if self.names is not None and len(self.names) != self.num_classes:
            raise ValueError(
                "There must be a name for each class. "
                f"Received: {len(self.names)} names for {self.num_classes} classes"
            )

    @property
    def shape(self) -> Shape:
        return ()


@dataclasses.dataclass(frozen=True)
class Image(Port):
    """Images, float32 `(batch, height, width, channels)` in [-1, 1].

    Attributes:
        height: in pixels; `None` for any.
        width: in pixels; `None` for any.
        channels: 1 for grey, 3 for colours.
        name: of the input or output.
        scale: of an output: its height and width over those of the image that comes in.
    """

    height: int | None
    width: int | None
    channels: int
    name: str = "images"
    scale: float = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        self._count("height", none=True)
        self._count("width", none=True)
        self._count("channels")
        if isinstance(self.scale, bool) or not isinstance(self.scale, (int, float)):
            raise ValueError(f"`scale` of Image must be a number. Received: scale={self.scale!r}")
        if not 0 < self.scale < float("inf"):
            raise ValueError(
                f"`scale` of Image must be above 0 and finite. Received: scale={self.scale}"
            )

    @property
    def shape(self) -> Shape:
        return (self.height, self.width, self.channels)


@dataclasses.dataclass(frozen=True)
class Text(Port):
    """Texts as numbers of words, int32 `(batch, max_length)`, filled up with 0.

    >>> Text(4, ("hair", "long", "red")).encode("red hair")
    [3, 1, 0, 0]

    Attributes:
        max_length: the most words of a text.
        vocabulary: the words that the numbers 1, 2, ... stand for, in lower case.
        name: of the input.
        examples: texts, of which generators take some in turn where none is given.
    """

    dtype: ClassVar[str] = "int32"
    max_length: int
    vocabulary: Sequence[str]
    name: str = "text"
    examples: Sequence[str] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        self._count("max_length")
        self._texts("vocabulary")
        self._texts("examples")
        once = set()
        for word in self.vocabulary:
            if texts.words(word) != [word] or word in once:
                raise ValueError(
                    "A vocabulary has words in lower case, of letters and digits, and each once. "
                    f"Received: {word!r} in a vocabulary of {len(self.vocabulary)}"
                )
            once.add(word)
        for example in self.examples:
            self.encode(example)

    @property
    def shape(self) -> Shape:
        return (self.max_length,)

    def encode(self, text: str) -> list[int]:
        """Returns the numbers of the words of a text; see `keras_gans.text.encode`.

        Raises:
            ValueError: for a text without words or of too many, and for unknown words, which are
                named with the nearest known ones.
        """
        return texts.encode(text, self.vocabulary, self.max_length, self.name)


@dataclasses.dataclass(frozen=True)
class Number(Port):
    """A number for each example, float32 `(batch,)`, such as the `psi` of StyleGAN2.

    Attributes:
        name: of the input.
        default: what it is where it is not given; `None` if it must be.
        low: end of the slider that a page has for it.
        high: its other end.
    """

    name: str
    default: float | None = None
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for field in ("default", "low", "high"):
            value = getattr(self, field)
            real = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not (value is None and field == "default") and not (real and abs(value) < 1e38):
                raise ValueError(
                    f"`{field}` of Number must be a finite number. Received: {field}={value!r}"
                )
        if not self.low < self.high:
            raise ValueError(
                f"`low` of Number must be below `high`. Received: low={self.low}, high={self.high}"
            )

    @property
    def shape(self) -> Shape:
        return ()


# psi of StyleGAN2: 1 for no truncation.
PSI = Number("psi", 1.0)


@dataclasses.dataclass(frozen=True)
class Style(Port):
    """Style vectors, float32 `(batch, layers, size)` (Karras 2019, the w of StyleGAN).

    Attributes:
        layers: that each take a vector.
        size: length of a vector.
        name: of the input or output.
    """

    layers: int
    size: int
    name: str = "style"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._count("layers")
        self._count("size")

    @property
    def shape(self) -> Shape:
        return (self.layers, self.size)


@dataclasses.dataclass(frozen=True)
class Array(Port):
    """Floats of no other kind, such as logits, scores or points.

    Attributes:
        sizes: their shape without the batch; `None` for any size.
        name: of the input or output.
    """

    sizes: Shape
    name: str = "values"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "sizes", tuple(self.sizes))
        if any(
            s is not None and (isinstance(s, bool) or not isinstance(s, int)) for s in self.sizes
        ):
            raise ValueError(
                f"`sizes` of Array must be integers or None. Received: sizes={self.sizes}"
            )

    @property
    def shape(self) -> Shape:
        return self.sizes


_KINDS: dict[str, type[Port]] = {
    kind.__name__.lower(): kind for kind in (Array, Image, Label, Latents, Number, Style, Text)
}


# ---- a network's interface


@dataclasses.dataclass(frozen=True)
class Interface:
    """The inputs and the outputs of a network, in the order in which it takes and makes them.

    Attributes:
        inputs: `Latents`, `Label`, `Number`, `Image`, `Text`, `Style` or `Array`, each of another
            name.
        outputs: likewise.

    Raises:
        ValueError: for no input, no output, or two of one name.
    """

    inputs: Sequence[Port]
    outputs: Sequence[Port]

    def __post_init__(self) -> None:
        for side in ("inputs", "outputs"):
            ports = tuple(getattr(self, side))
            object.__setattr__(self, side, ports)
            names = [port.name for port in ports if isinstance(port, Port)]
            if not ports or len(names) != len(ports):
                raise ValueError(
                    f"`{side}` of an Interface must be at least one of "
                    f"{sorted(kind.__name__ for kind in _KINDS.values())}. Received: {ports}"
                )
            if len(set(names)) != len(names):
                raise ValueError(
                    f"Each of the {side} of an Interface needs a name of its own: pass `name=...`. "
                    f"Received: {names}"
                )

    # ---- what others ask

    def _of(self, kind: type[Port], ports: Sequence[Port]) -> tuple[Any, ...]:
        return tuple(port for port in ports if isinstance(port, kind))

    @property
    def latents(self) -> Latents | None:
        """The first input of latents; `None` if there is none."""
        return next(iter(self._of(Latents, self.inputs)), None)

    @property
    def labels(self) -> tuple[Label, ...]:
        """The inputs of labels."""
        return self._of(Label, self.inputs)

    @property
    def numbers(self) -> tuple[Number, ...]:
        """The inputs of numbers."""
        return self._of(Number, self.inputs)

    @property
    def texts(self) -> tuple[Text, ...]:
        """The inputs of texts."""
        return self._of(Text, self.inputs)

    @property
    def image(self) -> Image | None:
        """The first input of images; `None` if there is none."""
        return next(iter(self._of(Image, self.inputs)), None)

    @property
    def images(self) -> tuple[Image, ...]:
        """The outputs that are images which a file can hold: of 1, 3 or 4 channels."""
        return tuple(port for port in self._of(Image, self.outputs) if port.channels in (1, 3, 4))

    @property
    def codes(self) -> Codes:
        """The codes in its latents: of the first input of latents that has some."""
        found = (port.codes for port in self._of(Latents, self.inputs) if port.codes.size)
        return next(found, Codes())

    @property
    def latent_dim(self) -> int:
        """The length of its latents; of several inputs of latents, that of all in a row."""
        return len(self.noise)

    @property
    def noise(self) -> tuple[bool, ...]:
        """Of each coordinate of the latents: is it noise, and not part of a code?"""
        return tuple(
            place < port.size - port.codes.size
            for port in self._of(Latents, self.inputs)
            for place in range(port.size)
        )

    @property
    def options(self) -> tuple[str, ...]:
        """What can be chosen beside latents: codes, and the other inputs by their names.

        >>> Interface([Latents(9, Codes((5,))), Label(3)], [Image(8, 8, 1)]).options
        ('categorical', 'labels')
        """
        codes = [name for name in ("categorical", "continuous") if getattr(self.codes, name)]
        others = [port.name for port in self.inputs if not isinstance(port, Latents)]
        return (*codes, *others)

    @property
    def takes_latents(self) -> bool:
        """Does it make something from a seed alone, and what is chosen beside it?"""
        return self.latents is not None and self.image is None

    @property
    def takes_image(self) -> bool:
        """Does it make something of an image?"""
        return self.image is not None

    @property
    def scale(self) -> float:
        """Height and width of the first image that comes out over those of the one that goes in."""
        taken, made = self.image, next(iter(self.images), None)
        if taken is None or made is None:
            return 1
        if taken.height and made.height:
            return made.height / taken.height
        return made.scale

    def size_of_output(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of what it makes of an image of that size."""
        return round(height * self.scale), round(width * self.scale)

    def with_input(self, port: Port) -> "Interface":
        """Returns the same with another input in the place of the one of its name.

        >>> plain = Interface([Latents(64), Label(2)], [Image(28, 28, 1)])
        >>> plain.with_input(Label(2, ("cat", "dog"))).labels[0].names
        ('cat', 'dog')

        Raises:
            ValueError: if no input has that name.
        """
        names = [taken.name for taken in self.inputs]
        if port.name not in names:
            raise ValueError(
                f"There is no input of that name.{did_you_mean(port.name, names)} Expected one of "
                f"{names}. Received: {port}"
            )
        inputs = [port if taken.name == port.name else taken for taken in self.inputs]
        return dataclasses.replace(self, inputs=inputs)

    def require_fits(self, network: Any) -> None:
        """Raises ValueError, naming the difference, unless a network has this interface."""
        for side, ports in (("inputs", self.inputs), ("outputs", self.outputs)):
            tensors = getattr(network, side)
            shapes = [tuple(tensor.shape)[1:] for tensor in tensors]
            wanted = [port.shape for port in ports]
            if len(shapes) != len(wanted) or not all(map(agree, wanted, shapes)):
                raise ValueError(
                    f"The network {network.name!r} does not fit its interface. Expected {side} of "
                    f"shapes {wanted} without the batch, for "
                    f"{[port.name for port in ports]}. Received: {shapes}"
                )
            for port, tensor in zip(ports, tensors):
                if side == "inputs" and _is_whole(tensor) != (port.dtype == "int32"):
                    raise ValueError(
                        f"The network {network.name!r} does not fit its interface. Expected "
                        f"{port.dtype} for {port.name!r}. Received: {tensor.dtype}"
                    )

    # ---- JSON

    def to_json(self) -> dict[str, Any]:
        """Returns objects that `json.dumps` takes; what is at its default is left out."""
        return {side: [_dump(p) for p in getattr(self, side)] for side in ("inputs", "outputs")}

    @classmethod
    def from_json(cls, value: Any) -> "Interface":
        """Reads what `to_json` returns.

        Raises:
            ValueError: for an unknown kind or field, with the nearest names, or a missing one.
        """
        fields = _object(value, ("inputs", "outputs"), "an interface")
        if missing := {"inputs", "outputs"} - set(fields):
            raise ValueError(
                f"An interface has `inputs` and `outputs`. Received: no {sorted(missing)}"
            )
        sides = {}
        for side, ports in fields.items():
            if not isinstance(ports, list):
                raise ValueError(f"`{side}` of an interface must be a list. Received: {ports!r}")
            sides[side] = [_read(port) for port in ports]
        return cls(**sides)


def agree(wanted: Shape, found: Shape) -> bool:
    """Do two shapes agree, where `None` stands for any size?"""
    # An open size may be stated where a network is open, or fixed.
    return len(wanted) == len(found) and all(
        a is None or b is None or a == b for a, b in zip(wanted, found)
    )


def _dump(port: Port) -> dict[str, Any]:
    dumped: dict[str, Any] = {"type": type(port).__name__.lower()}
    for field in dataclasses.fields(port):  # type: ignore[arg-type]
        value = getattr(port, field.name)
        if value == field.default:
            continue
        if isinstance(value, Codes):
            value = {"categorical": list(value.categorical), "continuous": value.continuous}
        dumped[field.name] = list(value) if isinstance(value, tuple) else value
    return dumped


def _read(value: Any) -> Port:
    given = dict(value) if isinstance(value, Mapping) else {}
    kind = _KINDS.get(given.pop("type", None))
    if kind is None:
        asked = value.get("type") if isinstance(value, Mapping) else None
        raise ValueError(
            "Each input and output of an interface must be an object with a known `type`."
            f"{did_you_mean(asked, _KINDS) if asked else ''} Expected one of {sorted(_KINDS)}. "
            f"Received: {value!r}"
        )
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    given = _object(given, fields, f"a {kind.__name__} of an interface")
    missing = [n for n, f in fields.items() if f.default is dataclasses.MISSING and n not in given]
    if missing:
        raise ValueError(f"A {kind.__name__} of an interface lacks {missing}. Received: {value!r}")
    if "codes" in given:
        given["codes"] = Codes(**_object(given["codes"], ("categorical", "continuous"), "codes"))
    return kind(**given)


def _object(value: Any, known: Any, owner: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"Expected an object for {owner}. Received: {value!r}")
    for field in value:
        if field not in known:
            raise ValueError(
                f"There is no field {field!r} in {owner}.{did_you_mean(field, known)} Expected one "
                f"of {sorted(known)}. Received: {field}={value[field]!r}"
            )
    return dict(value)


# ---- of a network


def state(network: Any, interface: Interface) -> Any:
    """Says what a network takes and makes, where its shapes do not tell: `of` returns it.

    Args:
        network: a built `keras.Model`.
        interface: an `Interface`.

    Returns:
        The network.

    Raises:
        ValueError: for an interface that the network does not fit.
    """
    if not isinstance(interface, Interface):
        raise ValueError(f"Expected a keras_gans.interface.Interface. Received: {interface!r}")
    interface.require_fits(network)
    network.__dict__["_keras_gans_interface"] = interface  # past Keras, which tracks attributes
    return network


def is_stated(network: Any) -> bool:
    """Was an interface stated of a network?"""
    return "_keras_gans_interface" in network.__dict__


def of(network: Any, num_classes: int | None = None, scores: bool = False) -> Interface:
    """Returns the interface of a network: what was stated of it, or what its shapes say.

    Floats `(batch, n)` that go in are latents, integers `(batch,)` are labels, floats `(batch,)`
    are numbers, and
    `(batch, height, width, channels)` are images. Several of one kind are told apart by the names
    of the network's input layers. Images that come out are those of 1, 3 or 4 channels.

    Args:
        network: a built functional or Sequential `keras.Model`.
        num_classes: of its labels; `None` reads it off the layers that look labels up.
        scores: is it a discriminator, so that what comes out are numbers and no images?

    Raises:
        ValueError: for a network that does not know its inputs, or an input of no known kind.
    """
    stated = network.__dict__.get("_keras_gans_interface")
    if stated is not None:
        return stated
    if not getattr(network, "inputs", None):
        raise ValueError(
            "Expected a built network that knows its inputs. Give it a `keras.Input`; wrap a "
            "subclassed one as `keras.Model(inputs, network(inputs))`. "
            f"Received: {network!r}"
        )
    alone = sum(_is_label(tensor) for tensor in network.inputs) == 1
    inputs = [_input(network, tensor, num_classes, alone) for tensor in network.inputs]
    made = [tuple(tensor.shape)[1:] for tensor in network.outputs]
    scale = _scale(network, inputs, made)
    outputs = [
        Image(*shape, scale=scale)
        if len(shape) == 3 and shape[-1] in (1, 3, 4) and not scores
        else Array(shape)
        for shape in made
    ]
    taken_from = [tensor.name for tensor in network.inputs]
    made_by = list(getattr(network, "output_names", ()))
    return Interface(_renamed(inputs, taken_from), _renamed(outputs, made_by))


def _is_label(tensor: Any) -> bool:
    return tuple(tensor.shape)[1:] == () and _is_whole(tensor)


def _is_whole(tensor: Any) -> bool:
    return str(tensor.dtype).startswith(("int", "uint"))


def _input(network: Any, tensor: Any, num_classes: int | None, alone: bool) -> Port:
    from keras_gans import labels  # here: it imports Keras, which listing does without

    shape, whole = tuple(tensor.shape)[1:], _is_whole(tensor)
    if _is_label(tensor):
        if num_classes is None:  # of one input, all layers that look labels up are its own
            num_classes = labels.num_classes(network, None if alone else tensor)
        return Label(num_classes)
    if not whole and len(shape) == 1 and shape[0] is not None:
        return Latents(shape[0], styles=_styles(network))
    if not whole and len(shape) == 3 and shape[-1] is not None:
        return Image(*shape)
    if not whole and shape == () and tensor.name.isidentifier():
        return PSI if tensor.name == PSI.name else Number(tensor.name)
    if tensor.name == "styles" and len(shape) == 2 and None not in shape:
        return Style(*shape, name="styles")
    if not whole:
        return Array(shape)
    raise ValueError(
        f"What the input {tensor.name!r} of the network {network.name!r} means cannot be seen from "
        "its shape. Say it with `keras_gans.interface.state(network, Interface(...))`. "
        f"Received: {tensor.dtype} of shape {tuple(tensor.shape)}"
    )


def _styles(network: Any) -> tuple[int, int] | None:
    """Of a network that makes styles of its latents first: how many, and their length."""
    found = (getattr(layer, "style_shape", None) for layer in network.layers)
    return next(filter(None, found), None)


def _scale(network: Any, inputs: list[Port], made: list[Shape]) -> float:
    """Of images of open size, by how much the network enlarges them."""
    taken = next((port for port in inputs if isinstance(port, Image)), None)
    if taken is None or taken.height is not None or len(inputs) > 1 or len(made[0]) != 3:
        return 1
    side = 64
    shape = network.compute_output_shape((1, side, taken.width or side, taken.channels))
    shape = shape if isinstance(shape[0], (int, type(None))) else shape[0]
    return 1 if shape[1] is None else _whole(shape[1] / side)


def _whole(number: float) -> float:
    return int(number) if number == int(number) else number


def _renamed(ports: Sequence[Port], names: list[str]) -> list[Port]:
    """The ports, those of a kind that comes more than once under the names of their layers."""
    kinds = [type(port) for port in ports]
    renamed = []
    for number, (port, name) in enumerate(zip(ports, [*names, *[""] * len(ports)]), start=1):
        if kinds.count(type(port)) > 1:
            # A layer that two networks share makes two outputs of one name.
            usable = name.isidentifier() and names.count(name) == 1
            name = name if usable else f"{port.name}_{number}"
            port = dataclasses.replace(port, name=name)  # type: ignore[type-var]
        renamed.append(port)
    return renamed
