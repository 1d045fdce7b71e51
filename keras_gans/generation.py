"""From what is chosen of a generator's inputs to arrays, and from these to what it makes.

Which inputs there are is read from the generator's `Interface`, so that a new kind of generator
needs no line here.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gans import batches, checks, labels, latent
from keras_gans.interface import Image, Interface, Label, Latents, Number, Text
from keras_gans.names import did_you_mean
from keras_gans.text import decode

__all__ = [
    "choose",
    "choose_texts",
    "classes_left_out",
    "columns_of",
    "draw",
    "fill",
    "first_images",
    "images_of",
    "named",
    "number_of",
    "numbers",
    "require_options",
    "run",
    "same_size",
    "texts_left_out",
    "texts_shown",
    "translate",
]


def draw(
    interface: Interface,
    number: int,
    truncation: float | None = None,
    seed: int | None = None,
) -> np.ndarray:
    """Draws latents, the codes in them included.

    Args:
        interface: of the generator.
        number: how many.
        truncation: as for `latent.sample`; of the noise, not of the codes.
        seed: integer; fewer latents of one seed are the first of more. `None` draws anew.

    Returns:
        float32 array `(number, latent_dim)`; of several inputs of latents, those of all in a row.
    """
    if (first := interface.latents) is not None and first.random_state:
        return latent.random_state(number, interface.latent_dim, seed, truncation)
    drawn = latent.sample(number, interface.latent_dim, seed, truncation).copy()
    stop = 0
    for port in _latents(interface):
        stop += port.size
        if size := port.codes.size:
            given = port.codes.categorical, port.codes.continuous
            drawn[:, stop - size : stop] = latent.codes(number, *given, latent.halves(seed))
    return drawn


def require_options(interface: Interface, given: Mapping[str, Any], owner: str) -> None:
    """Raises ValueError for what a generator does not take.

    Args:
        interface: of the generator.
        given: names of options to values; `None` is not given.
        owner: name of the GAN's class, for the message.
    """
    known = interface.options
    for name, value in given.items():
        if value is None or name in known:
            continue
        received = f"Received: a {owner}, {name}={value!r}"
        if name == "labels" and not interface.labels:
            hint = " An InfoGAN has codes: `--categorical`, or `categorical=...`."
            raise ValueError(
                "This generator takes no labels. Leave `labels` out."
                f"{hint if interface.codes.size else ''} {received}"
            )
        if name in ("categorical", "continuous"):
            lacking = "codes" if not interface.codes.size else f"{name} codes"
            raise ValueError(
                f"This generator has no {lacking}. Leave `{name}` out, or take an InfoGAN, whose "
                f"latents end in codes. {received}"
            )
        if name == "psi":
            raise ValueError(
                "This generator has no styles to truncate, as StyleGAN2 has. Bound its latents "
                f"with `truncation` instead of `psi`. {received}"
            )
        raise ValueError(
            f"This generator has no input {name!r}.{did_you_mean(name, known)} Expected some of "
            f"{list(known)}. {received}"
        )


def choose(port: Label, given: Any, number: int | None = None) -> np.ndarray:
    """Returns checked labels for an input, chosen by number or by the name of the class.

    >>> hair = Label(3, ("black", "blonde", "red"), name="hair")
    >>> choose(hair, ["red", 0])
    array([2, 0], dtype=int32)
    >>> choose(hair, "blonde", number=2)
    array([1, 1], dtype=int32)

    Args:
        port: the input, whose `names` are those of the classes.
        given: an integer or a name, for all; or several, one for each image.
        number: number of labels expected; `None` for any.

    Raises:
        ValueError: for a name that no class has, with the nearest ones; and as `labels.require`.
    """
    if any(isinstance(one, str) for one in _listed(given)):
        numbers = [_number_of(port, one) for one in _listed(given)]
        given = numbers[0] if isinstance(given, str) else numbers
    return labels.require(given, port.num_classes, number, port.name)


def _listed(given: Any) -> Sequence[Any]:
    single = isinstance(given, str) or not np.iterable(given)
    return [given] if single else list(given)


def _number_of(port: Label, one: Any) -> Any:
    names = list(port.names or ())
    if isinstance(one, str) and not names:
        raise ValueError(
            "Labels are integers where the names of the classes are not known. Expected 0 to "
            f"{port.num_classes - 1}. Received: {port.name}={one!r}"
        )
    if isinstance(one, str) and one not in names:
        raise ValueError(
            f"There is no {'class' if port.name == 'labels' else port.name} of that name."
            f"{did_you_mean(one, names)} Expected one of {names}, or its number. "
            f"Received: {port.name}={one!r}"
        )
    return names.index(one) if isinstance(one, str) else one


def classes_left_out(interface: Interface, number: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Returns what labels are where they are not chosen, by the names of their inputs.

    >>> one = Interface([Latents(4), Label(3)], [Image(8, 8, 1)])
    >>> classes_left_out(one, 5)["labels"].tolist()
    [0, 1, 2, 0, 1]

    Args:
        interface: of the generator.
        number: how many.
        seed: of what is drawn.

    Returns:
        int32 arrays `(number,)`: all classes in turn; of several conditions, classes of each that
        are drawn evenly. Fewer of one seed are the first of more.
    """
    counts = [port.num_classes for port in interface.labels]
    if len(counts) == 1:
        found = [np.arange(number, dtype="int32") % counts[0]]
    else:
        found = [y.numpy() for y in latent.classes(number, counts, latent.halves(seed))]
    return {port.name: classes for port, classes in zip(interface.labels, found)}


def choose_texts(port: Text, given: Any, number: int | None = None) -> np.ndarray:
    """Returns checked numbers of words for an input of texts.

    >>> port = Text(3, ("hair", "long", "red"))
    >>> choose_texts(port, ["red hair", "Long hair"])
    array([[3, 1, 0],
           [2, 1, 0]], dtype=int32)

    Args:
        port: the input.
        given: a text for all, several texts, or the numbers of their words `(number, max_length)`.
        number: of texts expected; `None` for as many as there are.

    Raises:
        ValueError: as `Text.encode`; and for another number of texts.
    """
    array = np.asarray(given)
    if array.dtype.kind in "iu" and array.ndim == 2:
        array = _other(port, array, len(array) if number is None else number)
        if array.min() < 0 or array.max() > len(port.vocabulary):
            raise ValueError(
                f"There are no words of these numbers. Expected 0 to {len(port.vocabulary)}. "
                f"Received: {port.name} from {array.min()} to {array.max()}"
            )
        return array
    texts = [given] if isinstance(given, str) else list(array.ravel()) if array.ndim else [given]
    found = np.array([port.encode(_decoded(one)) for one in texts], "int32")
    if isinstance(given, str) and number is not None:
        return np.repeat(found, number, axis=0)
    if number is not None and len(found) != number:
        raise ValueError(
            f"Expected one text for all images, or {number}, one for each. "
            f"Received: {len(found)} texts"
        )
    return found.reshape(-1, port.max_length)


def _decoded(one: Any) -> Any:
    return one.decode() if isinstance(one, bytes) else str(one) if isinstance(one, str) else one


def texts_left_out(interface: Interface, number: int) -> dict[str, list[str]]:
    """Returns what texts are where they are not given, by the names of their inputs.

    Args:
        interface: of the generator.
        number: how many.

    Returns:
        Examples of each input in turn; an input without examples is left out.
    """
    return {
        port.name: [port.examples[n % len(port.examples)] for n in range(number)]
        for port in interface.texts
        if port.examples
    }


def texts_shown(
    interface: Interface, number: int, given: Mapping[str, Any] | None = None
) -> list[str] | None:
    """Returns what to write below each image that a generator makes of texts.

    Args:
        interface: of the generator.
        number: of images.
        given: options of `generate`; texts that are not among them are `texts_left_out`.

    Returns:
        A text for each image; `None` for a generator without texts.
    """
    used, found = {**texts_left_out(interface, number), **(given or {})}, []
    for port in interface.texts:
        numbers = choose_texts(port, used[port.name], number)
        found.append([decode(row, port.vocabulary) for row in numbers.tolist()])
    return [" / ".join(texts) for texts in zip(*found)] or None


def number_of(interface: Interface, given: Mapping[str, Any], usual: int = 16) -> int:
    """Returns how many images are meant: one for each of several texts, or the usual number."""
    for port in interface.texts:
        array = given.get(port.name)
        if array is not None and not isinstance(array, str):
            return len(array)
    return usual


def fill(
    interface: Interface,
    number: int,
    latents: np.ndarray | None,
    given: Mapping[str, Any],
    seed: int = 0,
) -> list[np.ndarray]:
    """Returns an array for each input of a generator, in the order in which it takes them.

    Args:
        interface: of the generator.
        number: how many examples.
        latents: `(number, latent_dim)`; `None` for a generator without.
        given: options that `interface.options` names. Codes are written into the latents. Labels
            are `(number,)`, or one for all, as numbers or names of classes; those left out are
            `classes_left_out`. Texts are strings, one for each or one for all; those left out are
            `texts_left_out`. Numbers are `(number,)`, or one for all. Other inputs must be given,
            an array with one for each example.
        seed: of labels of several conditions that are left out.

    Raises:
        ValueError: for what does not fit the inputs, or is missing.
    """
    given = {name: value for name, value in given.items() if value is not None}
    if latents is not None:
        latents = _with_codes(interface, latents, given)
    given = {
        **classes_left_out(interface, number, seed),
        **texts_left_out(interface, number),
        **given,
    }
    arrays, start = [], 0
    for port in interface.inputs:
        if isinstance(port, Latents):
            arrays.append(latents[:, start : start + port.size])
            start += port.size
        elif isinstance(port, Label):
            arrays.append(choose(port, given[port.name], number))
        elif isinstance(port, Number):
            arrays.append(numbers(port, given.get(port.name), number))
        elif isinstance(port, Text) and port.name in given:
            arrays.append(choose_texts(port, given[port.name], number))
        else:
            arrays.append(_other(port, given.get(port.name), number))
    return arrays


def run(
    network: keras.Model,
    inputs: Sequence[np.ndarray],
    batch_size: int,
    seed: Sequence[int] | None = None,
) -> list[np.ndarray]:
    """Runs a network, not in training, on whole arrays.

    Args:
        network: to run.
        inputs: an array for each of its inputs, all of one length.
        batch_size: examples to run at once.
        seed: two integers, for a network whose last input is a seed: `networks.stochastic`.

    Returns:
        A list of float32 arrays, one for each output.
    """
    made = [[] for _ in network.outputs]
    for start in range(0, len(inputs[0]), checks.count("batch_size", batch_size)):
        part = [tf.convert_to_tensor(array[start : start + batch_size]) for array in inputs]
        if seed is not None:  # other noise for every part
            part.append(tf.random.experimental.stateless_fold_in(seed, start, alg="philox"))
        found = network(part if len(part) > 1 else part[0], training=False)
        for parts, output in zip(made, keras.tree.flatten(found)):
            parts.append(np.asarray(output))
    return [np.concatenate(parts).astype("float32") for parts in made]


def named(interface: Interface, made: Sequence[np.ndarray]) -> np.ndarray | dict[str, np.ndarray]:
    """What a generator made: the array of its one output, or a dict of outputs by their names."""
    if len(made) == 1:
        return made[0]
    return {port.name: array for port, array in zip(interface.outputs, made)}


def images_of(
    interface: Interface, made: np.ndarray | Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Returns the images in what `generate` returned, by the names of the outputs, in order."""
    if not isinstance(made, Mapping):
        made = {interface.outputs[0].name: made}
    return {port.name: made[port.name] for port in interface.images}


def first_images(interface: Interface, made: np.ndarray | Mapping[str, np.ndarray]) -> np.ndarray:
    """Returns the first images in what `generate` returned; where there are none, all of it."""
    return next(iter(images_of(interface, made).values()), made)


def columns_of(rows: int, beside: int) -> int | None:
    """Returns how many images stand in a row of a grid where so many each belong together.

    >>> columns_of(50, 2), columns_of(3, 2), columns_of(64, 1)
    (10, 2, None)

    Args:
        rows: how many times.
        beside: how many images belong together, and stand beside each other.

    Returns:
        A multiple of `beside`, that makes the grid nearly square; `None` leaves it to the grid.
    """
    side = math.sqrt(rows * beside)
    return beside * max(round(side / beside), 1) if beside > 1 else None


def same_size(columns: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Enlarges batches of images to the largest height and width among them, pixel by pixel.

    >>> small, large = same_size([np.zeros((1, 2, 2, 1)), np.zeros((1, 4, 6, 3))])
    >>> small.shape
    (1, 4, 6, 1)
    """
    columns = [np.asarray(column) for column in columns]
    sides = [max(column.shape[axis] for column in columns) for axis in (1, 2)]
    for axis, side in zip((1, 2), sides):
        columns = [
            c if c.shape[axis] == side else c.take(np.arange(side) * c.shape[axis] // side, axis)
            for c in columns
        ]
    return columns


def translate(
    generator: keras.Model,
    images: np.ndarray,
    batch_size: int = 8,
    seed: Sequence[int] | None = None,
) -> np.ndarray:
    """Returns what an image-to-image generator makes of images.

    Args:
        generator: from images to images; its first output counts.
        images: floats `(number, height, width, channels)` in [-1, 1].
        batch_size: how many to translate at once.
        seed: two integers, for a generator that takes `[images, seed]`: `networks.stochastic`.

    Returns:
        float32 array of as many images.

    Raises:
        ValueError: for images that do not fit the generator.
    """
    taken = tuple(generator.inputs[0].shape)[1:]
    return run(generator, [require_images(images, taken)], batch_size, seed)[0]


def require_images(images: Any, shape: Sequence[int | None]) -> np.ndarray:
    """Checks images that a generator is to take, of a shape, and returns them as float32."""
    images = np.asarray(images)
    if not images.ndim or not len(images) or not _fits(images.shape[1:], shape):
        raise ValueError(
            "These images do not fit the generator. Expected a batch of shape (number, "
            f"{', '.join(map(str, shape))}). Received: shape {images.shape}"
        )
    if images.dtype.kind != "f":
        raise ValueError(
            "Images must be floats in [-1, 1]. Convert them with "
            f"`keras_gans.image.from_uint8`. Received: {images.dtype}"
        )
    batches.require_range(images)
    return images.astype("float32")


def _latents(interface):
    return [port for port in interface.inputs if isinstance(port, Latents)]


def _fits(shape, expected):
    return len(shape) == len(expected) and all(b in (None, a) for a, b in zip(shape, expected))


def numbers(port: Number, given: Any, number: int) -> np.ndarray:
    """Returns checked numbers for an input.

    >>> numbers(Number("psi", 1.0), 0.5, 2)
    array([0.5, 0.5], dtype=float32)

    Args:
        port: the input.
        given: a number for all, or several, one for each example; `None` for its default.
        number: of examples.

    Raises:
        ValueError: for numbers that are not finite, or not as many.
    """
    given = port.default if given is None else given
    if given is None or np.ndim(given):
        return checks.floats(port.name, _other(port, given, number))
    return np.full(number, checks.floats(port.name, given))


def _other(port, given, number):
    """An input that is neither latents nor labels, with one row for each example."""
    if given is None and isinstance(port, Text):
        raise ValueError(
            f"This generator makes images of texts, and has no examples. Expected `{port.name}=` a "
            f"text, or a list of them. Received: {port.name}=None"
        )
    if given is None:
        raise ValueError(
            f"This generator takes {port.name!r}, which must be given: `{port.name}=...`. Expected "
            f"{port.dtype} of shape {(number, *port.shape)}. Received: {port.name}=None"
        )
    array = np.asarray(given)
    kinds = "iu" if port.dtype == "int32" else "fiu"
    fits = array.shape[:1] == (number,) and _fits(array.shape[1:], port.shape)
    if not fits or array.dtype.kind not in kinds:
        raise ValueError(
            f"What is given as {port.name!r} does not fit the generator. Expected {port.dtype} of "
            f"shape {(number, *port.shape)}. Received: {array.dtype} of shape {array.shape}"
        )
    if isinstance(port, Image):
        batches.require_range(array)
    return array.astype(port.dtype)


def _with_codes(interface, latents, given):
    """A copy of latents, with the codes that are given written into them."""
    latents, codes, stop = latents.copy(), interface.codes, 0
    for port in _latents(interface):
        stop += port.size
        if port.codes.size:
            break
    start = stop - codes.size
    if "categorical" in given:
        for column, k in zip(
            _categorical(codes, given["categorical"], len(latents)), codes.categorical
        ):
            latents[:, start : start + k] = np.eye(k)[labels.require(column, k, len(latents))]
            start += k
    if "continuous" in given:
        values = np.asarray(given["continuous"], "float32")
        if values.shape not in ((codes.continuous,), (len(latents), codes.continuous)):
            raise ValueError(
                "These continuous codes do not fit the model. Expected shape "
                f"({codes.continuous},), or ({len(latents)}, {codes.continuous}) with a row for "
                f"each image. Received: shape {values.shape}"
            )
        latents[:, stop - codes.continuous : stop] = values
    return latents


def _categorical(codes, given, number):
    """The classes of each categorical code."""
    array = np.asarray(given)
    rows = array.shape in ((number, 1), (number, *codes.categorical))
    if len(codes.categorical) == 1 and (array.ndim < 2 or rows):
        return [array]  # `labels.require` reads columns and one-hot rows
    if array.shape != (number, len(codes.categorical)):
        raise ValueError(
            "These categorical codes do not fit the model. Expected shape "
            f"({number}, {len(codes.categorical)}), a column for each code; for a single code "
            f"an integer will do. Received: shape {array.shape}"
        )
    return array.T
