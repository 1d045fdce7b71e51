"""A page that runs a generator in the browser: the `.tflite`, its runtime, and controls."""

import io
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import markupsafe
import numpy as np
import PIL.Image

from keras_gans import checks, image
from keras_gans.directions import Direction
from keras_gans.export import litert_js, pages, signatures
from keras_gans.export.graph import tiles
from keras_gans.export.tflite import tflite
from keras_gans.files import atomic_folder, hashes
from keras_gans.image.pixels import to_pillow
from keras_gans.interface import Image, Interface, Latents, Number, Port

PAGE, MODEL, ABOUT = "index.html", "generator.tflite", "model.json"

# The sources of the page. Of the controls there are three kinds, by what the generator takes; those
# of a gallery are the first two.
SCRIPTS = ("latent.js", "generator.js", "explore.js", "pictures.js", "translate.js")
STYLE = "page.css"
_FILES = (*SCRIPTS, "upscale.js", "worker.js", "page.js", STYLE)
_LOADING = markupsafe.Markup(
    "Loading. A page that is opened as a file stays like this: serve its\nfolder, for example with "
    "<code>python -m http.server</code>."
)

# Pictures that browsers read.
_FORMATS = ("png", "jpeg", "webp", "gif", "bmp")

# What a canvas can show.
_CHANNELS = (1, 3)

TILE = 192  # of a generator that enlarges images of any size

# How far sliders go from 0, either way: along a direction, and of a continuous code, which was
# trained on [-1, 1].
_DIRECTION_LIMIT, _CODE_LIMIT = 4, 2


def web(
    generator: keras.Model,
    folder: Path | str,
    title: str | None = None,
    description: str = "",
    precision: str = "float16",
    directions: int | Mapping[str, Any] = 6,
    class_names: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    examples: Any = (),
    runtime: str = "litert",
    packages: Path | str | None = None,
    overwrite: bool = False,
    *,
    categorical: Sequence[int] = (),
    continuous: int = 0,
    tile_size: int = TILE,
    margin: int | None = None,
) -> Path:
    """Writes a folder that any static server can serve, with a page that runs the generator.

    Its controls follow from the generator's interface (`keras_gans.interface`). Latents: a grid of
    seeds, great circles between two of them, sliders along directions, truncation. A seed is what
    it is in `latent.sample`, so that the page shows what `gan.generate(1, seed=seed)` makes, of an
    InfoGAN with the codes that are chosen. Images: one that is chosen, dropped or pasted is
    translated. Labels and categorical codes: a menu each; numbers, such as the psi of StyleGAN2: a
    slider each. Several images that come out are shown
    side by side. A generator that enlarges images of any size gets tiles of one that is
    chosen, dropped or pasted, beside the page, which shows progress, can be stopped, and compares
    before and after by a slider. Everything runs on the visitor's device, from these files alone.

    >>> generator = keras_gans.zoo.load("dcgan_digits_28")
    >>> folder = keras_gans.export.web(generator, "exported/web/dcgan_digits_28")  # doctest: +SKIP

    Then `python -m http.server --directory exported/web/dcgan_digits_28`, and open http://localhost:8000.

    Args:
        generator: a built `keras.Model`; of a GAN, its `inference_generator` is taken, with a
            warning, and what it knows of its codes.
        folder: to write.
        title: of the page; `None` for the generator's name.
        description: a sentence below the title.
        precision: of the stored weights, as for `tflite`, which compares what it writes with Keras.
        directions: latent directions that get a slider: how many `principal_directions`, or names
            to vectors `(latent_dim,)`, or to `keras_gans.directions.Direction`s, along which
            latents keep their length.
        class_names: of the labels, or of the classes of a categorical code, in order; of several
            menus, lists by the names of the inputs (`"categorical_1"` of a code). `None` for the
            names in the interface, or else their numbers.
        examples: pictures to offer, for a generator that translates: paths, or `uint8` arrays
            `(height, width, 1 or 3)`. The first is shown. Without any, the page asks for one.
        runtime: folder of LiteRT.js, relative to `folder`. It is written there unless it is there:
            with `"../litert"` pages side by side share one.
        packages: folder of LiteRT.js's npm packages, see `litert_js.unpack`. `None` takes those in
            the cache, and fetches them at first use.
        overwrite: replace the page that is there. Otherwise that is an error.
        categorical: of an InfoGAN, the number of classes of each categorical code, `(10,)`, where
            the generator's interface does not say so.
        continuous: of an InfoGAN, how many continuous codes, likewise. They get sliders too.
        tile_size: of a generator that enlarges images of any size: the side of its tiles.
        margin: of the tiles: pixels at their edges that are not used, as for `saved_model`.

    Returns:
        The `pathlib.Path` of the folder.

    Raises:
        ValueError: if it is no generator of images of one size, leaves [-1, 1], an argument does
            not fit it, or TFLite can not express it.
        FileNotFoundError: if LiteRT.js is not there and can not be fetched, or an example is
            missing.
        FileExistsError: if something is there that may not be replaced.
    """
    folder = signatures.path_to_write(folder)
    relative = isinstance(runtime, str) and runtime[:1] != "/" and not set(runtime) & set(":\\")
    if not relative or not runtime.strip("./"):
        raise ValueError(
            "`runtime` is a folder relative to the page, such as 'litert' or '../litert'. "
            f"Received: runtime={runtime!r}"
        )
    generator = signatures.generator_of(generator)
    stated = signatures.with_codes(signatures.interface_of(generator), categorical, continuous)
    cut = tiles.of(generator, stated, tile_size, margin)
    if cut:
        generator = signatures.at_size(generator, cut.size)
        stated = signatures.interface_of(generator)
    about = describe(generator, stated, title, directions, class_names)
    if cut:
        about |= {"input": "upscale", "scale": cut.scale, "margin": cut.margin}
    offered = pictures(generator, examples)
    about |= {
        "examples": [f"example_{i}.{kind}" for i, (kind, _) in enumerate(offered)],
        "model": MODEL,
        "runtime": runtime.rstrip("/") + "/",
        "litert_js": litert_js.VERSION,
    }
    target = folder.resolve()
    there = target.exists() and not (target.is_dir() and not any(target.iterdir()))
    if there:
        signatures.require_replaceable(folder, ABOUT, "a page", overwrite)
    with atomic_folder(target) as partial:
        partial.mkdir()
        # Beside `folder` as beside `partial`: a shared runtime is found from either.
        litert_js.unpack(partial / runtime, packages)
        tflite(generator, partial / MODEL, precision=precision)
        for name, (_, content) in zip(about["examples"], offered):
            (partial / name).write_bytes(content)
        for name in _FILES:
            shutil.copyfile(pages.FOLDER / name, partial / name)
        shown = {key: about[key] for key in ("title", "runtime", "input")}
        shown |= {"description": description, "loading": _LOADING, "heading": "h2"}
        (partial / PAGE).write_text(pages.render("page", **shown), encoding="utf-8")
        about["sha256"] = hashes(partial)
        (partial / ABOUT).write_text(json.dumps(about, indent=1), encoding="utf-8")
    return folder


def principal_directions(generator: keras.Model, number: int) -> np.ndarray:
    """Returns latent directions of most effect (SeFa, Shen 2021, arXiv:2007.06600).

    The eigenvectors of `A A^T` of the largest eigenvalues, for the kernel A `(latent_dim, units)`
    of the first dense layer: nothing is trained or drawn. Of a layer that takes latents and an
    embedded label side by side, the rows of the latents count.

    >>> generator = keras_gans.networks.dcgan_generator((28, 28, 1), latent_dim=64)
    >>> principal_directions(generator, 6).shape
    (6, 64)

    Args:
        generator: a `keras.Model` that takes latents `(batch, latent_dim)`.
        number: how many directions; there are at most `latent_dim`.

    Returns:
        float32 numpy array `(number, latent_dim)`, of length 1 each, the largest coordinate
        positive. Empty if no dense layer takes the latents.
    """
    size = signatures.interface_of(generator).latents.size
    for layer in _in_order(generator):
        shape = getattr(getattr(layer, "kernel", None), "shape", ())
        if len(shape) == 2 and (
            shape[0] == size or (shape[0] > size and len(generator.inputs) > 1)
        ):
            kernel = np.asarray(layer.kernel, "float64")[:size]
            _, vectors = np.linalg.eigh(kernel @ kernel.T)  # eigenvalues upwards
            found = vectors.T[::-1][:number]
            largest = np.take_along_axis(found, np.abs(found).argmax(1, keepdims=True), 1)
            return (found * np.sign(largest)).astype("float32")
    return np.zeros((0, size), "float32")


def _in_order(network: keras.Model) -> Iterator[Any]:
    """Layers from the inputs on, those of networks inside and of wrappers too.

    `_flatten_layers` goes through a network inside another from its end.
    """
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from _in_order(layer)
        else:
            yield getattr(layer, "layer", layer)


def describe(
    generator: keras.Model,
    stated: Interface,
    title: str | None,
    directions: int | Mapping[str, Any],
    class_names: Any,
) -> dict[str, Any]:
    """Returns what a page has to know of a generator, for JSON; see `web` for the arguments.

    Raises:
        ValueError: if an argument does not fit the generator, or it makes no images of one size in
            [-1, 1].
    """
    main = signatures.main_input(stated)
    _require_controls(stated, main)
    choices = _choices(stated, class_names)
    _require_range(generator, stated)
    sliders, codes = [], None
    if isinstance(main, Latents):
        sliders = _directions(generator, main.size, directions)
        axes = np.eye(main.size, dtype="float32")[main.size - stated.codes.continuous :]
        sliders[:0] = [_slider(f"Code {i}", axis, _CODE_LIMIT) for i, axis in enumerate(axes, 1)]
        codes = main.size - stated.codes.size if stated.codes.size else None
    shapes = [port.shape for port in stated.outputs]
    return {
        "title": generator.name if title is None else str(title),
        "input": "latents" if isinstance(main, Latents) else "images",
        "input_name": main.name,
        "input_shape": main.shape,
        "outputs": [{"name": port.name, "shape": port.shape} for port in stated.outputs],
        # Side by side.
        "image_shape": (max(s[0] for s in shapes), sum(s[1] for s in shapes), shapes[0][2]),
        "codes": codes,
        "choices": choices,
        # Are seeds those of NumPy's RandomState?
        "random_state": isinstance(main, Latents) and main.random_state,
        "numbers": [
            {"name": p.name, "low": p.low, "high": p.high, "value": _start(p)}
            for p in stated.numbers
        ],
        "directions": sliders,
    }


def _require_controls(stated: Interface, main: Port) -> None:
    """Raises ValueError for a generator that the controls and the canvas are not made for."""
    for side, ports in (("makes", stated.outputs), ("takes", stated.inputs)):
        for port in ports:
            if side == "takes" and not isinstance(port, Image):
                continue
            if len(port.shape) != 3 or None in port.shape or port.shape[2] not in _CHANNELS:
                raise ValueError(
                    "A page shows images `(height, width, channels)` of one size, grey or RGB, or "
                    "of any size where they are enlarged by a network that looks at each place's "
                    "surroundings alone. Build the generator for one `image_shape`. "
                    f"Received: one that {side} {port.shape}"
                )
    numbers = stated.numbers if isinstance(main, Latents) else ()
    known = (main, *stated.labels, *numbers)
    others = [port for port in stated.inputs if port not in known]
    if others or not isinstance(main, (Latents, Image)):
        raise ValueError(
            "A page has controls for latents or one image, for labels and numbers. Export the "
            "generator in another format, which all take every input. Received: inputs of "
            f"{[type(port).__name__ for port in stated.inputs]}"
        )


def _start(port: Number) -> float:
    """Where the slider of a number is at first."""
    return port.low if port.default is None else port.default


def _choices(stated: Interface, class_names: Any) -> list[dict[str, Any]]:
    """The menus of a page: of each input of labels, and of each categorical code.

    A code has a `place` among the latents, where its class is one-hot; labels are an input.
    """
    found = [
        {"name": port.name, "classes": port.names or range(port.num_classes)}
        for port in stated.labels
    ]
    codes = stated.codes
    place = stated.latents.size - codes.size if codes.size else 0
    for number, classes in enumerate(codes.categorical, 1):
        name = "categorical" + (f"_{number}" if len(codes.categorical) > 1 else "")
        found.append({"name": name, "classes": range(classes), "place": place})
        place += classes
    names = [choice["name"] for choice in found]
    if not isinstance(class_names, Mapping):
        class_names = (
            {} if class_names is None else {names[0] if len(names) == 1 else "": class_names}
        )
    sizes = {choice["name"]: len(choice["classes"]) for choice in found}
    for name, given in class_names.items():
        is_list = isinstance(given, Iterable) and not isinstance(given, str)
        given = list(given) if is_list else given
        if not is_list or len(given) != sizes.get(name, 0):
            expected = sizes.get(name, sizes if len(sizes) > 1 else 0)
            raise ValueError(
                f"There must be a name for each class. Expected {expected} for this generator. "
                f"Received: class_names={given}"
            )
    return [
        choice | {"classes": list(map(str, class_names.get(choice["name"], choice["classes"])))}
        for choice in found
    ]


def _require_range(generator: keras.Model, stated: Interface) -> None:
    """Raises ValueError if the generator leaves [-1, 1]: a canvas would cut the rest off."""
    made = signatures.outputs_of(generator, signatures.examples(generator, 4, seed=0).values())
    for port in stated.outputs:
        image.to_uint8(made[port.name])


def pictures(generator: keras.Model, examples: Any) -> list[tuple[str, bytes]]:
    """Returns the pictures that are to be offered to a generator: pairs of format and bytes.

    Args:
        generator: that is to translate them.
        examples: paths, whose files are taken as they are, or `uint8` arrays `(height, width, 1 or
            3)`; one or several.

    Raises:
        ValueError: if the generator takes none, or one is no picture that browsers read.
        FileNotFoundError: if one is missing.
    """
    several = isinstance(examples, Iterable) and not isinstance(examples, (str, np.ndarray))
    examples = list(examples) if several else [examples]
    stated = signatures.interface_of(generator)
    if examples and not stated.takes_image:
        raise ValueError(
            "Only a generator that translates has a use for pictures. Leave `examples` out. "
            f"Received: {len(examples)} examples for {signatures.main_input(stated).name}"
        )
    return [
        ("png", _png(example)) if isinstance(example, np.ndarray) else _picture_file(example)
        for example in examples
    ]


def _png(example: np.ndarray) -> bytes:
    if example.dtype != "uint8" or example.ndim != 3 or example.shape[2] not in (1, 3):
        raise ValueError(
            "An example is the path of a picture, or `uint8` of shape (height, width, 1 or 3). "
            f"Received: {example.dtype} of shape {example.shape}"
        )
    file = io.BytesIO()
    to_pillow(example).save(file, "png", optimize=True)
    return file.getvalue()


def _picture_file(path: Path | str) -> tuple[str, bytes]:
    path = signatures.to_path(path)
    if not path.exists():
        raise FileNotFoundError(f"There is no such picture. Received: examples, {path}")
    content = path.read_bytes() if path.is_file() else b""
    try:
        with PIL.Image.open(io.BytesIO(content)) as opened:
            kind = opened.format.lower()
            opened.load()
    # Of Pillow's readers: OSError, SyntaxError, struct.error and others.
    except Exception as error:
        raise ValueError(
            f"An example is no picture, or a damaged one. Received: {path} ({error})"
        ) from error
    if kind not in _FORMATS:
        raise ValueError(
            f"Not every browser reads pictures of that format. Expected one of {_FORMATS}. "
            f"Received: {path}, {kind}"
        )
    return kind, content


def _directions(
    generator: keras.Model, size: int, directions: int | Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Sliders along latent directions, see `web`."""
    if not isinstance(directions, Mapping):
        checks.count("directions", directions, 0)
        found = principal_directions(generator, directions)
        directions = {f"Direction {i}": vector for i, vector in enumerate(found, 1)}
    rows = []
    for name, given in directions.items():
        named = isinstance(given, Direction)
        try:
            vector = np.asarray(given.shift if named else given, "float32")
        except (TypeError, ValueError):  # words, or rows of unlike lengths
            vector = np.array(np.nan)
        if vector.shape != (size,) or not np.isfinite(vector).all():
            raise ValueError(
                f"A direction is a finite vector of the latents. Expected shape ({size},). "
                f"Received: {name!r} of shape {vector.shape}"
            )
        if named:
            # There are many, and what is measured needs no seven digits.
            shown = name.replace("_", " ").replace(":", ": ")
            row = _slider(shown, vector.astype("float16"), _DIRECTION_LIMIT)
            rows.append(row | {"keeps_length": True})
        else:
            rows.append(_slider(name, vector, _DIRECTION_LIMIT))
    return rows


def _slider(name: Any, vector: np.ndarray, limit: float) -> dict[str, Any]:
    # As short as gives the same number again: there are many.
    vector = [float(str(value)) for value in vector]
    return {"name": str(name), "vector": vector, "limit": limit}
