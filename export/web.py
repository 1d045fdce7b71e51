"""A page that runs a generator in the browser: the `.tflite`, its runtime, and controls."""

import html
import io
import json
import shutil
import string
from collections.abc import Iterable
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from keras_gans import checks, image, labels
from keras_gans.export import litert_js, signatures
from keras_gans.export.saved_model import codes_of
from keras_gans.export.tflite import tflite
from keras_gans.files import atomic_folder, sha256

PAGE, MODEL, ABOUT = "index.html", "generator.tflite", "model.json"

# The sources of the page. Of the controls there are two kinds, called by what the generator takes.
TEMPLATES = Path(__file__).parent / "web_page"
SCRIPTS = ("latent.js", "generator.js", "explore.js", "translate.js")
STYLE = "page.css"
_FILES = (*SCRIPTS, "page.js", STYLE)
_LOADING = """Loading. A page that is opened as a file stays like this: serve its
folder, for example with <code>python -m http.server</code>."""

# Pictures that browsers read.
_FORMATS = ("png", "jpeg", "webp", "gif", "bmp")

# What a canvas can show.
_CHANNELS = (1, 3)

# How far sliders go from 0, either way: along a direction, and of a continuous code, which was
# trained on [-1, 1].
_DIRECTION_LIMIT, _CODE_LIMIT = 4, 2


def web(
    generator,
    folder,
    title=None,
    description="",
    precision="float16",
    directions=6,
    class_names=None,
    examples=(),
    runtime="litert",
    packages=None,
    overwrite=False,
    *,
    categorical=(),
    continuous=0,
):
    """Writes a folder that any static server can serve, with a page that runs the generator.

    Latents: a grid of seeds, great circles between two of them, sliders along directions,
    truncation, classes. A seed is what it is in `latent.sample`, so that the page shows what
    `gan.generate(1, seed=seed)` makes, of an InfoGAN with the codes that are chosen. Images: one
    that is chosen, dropped or pasted is translated. Everything runs on the visitor's device, from
    these files alone.

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
            to vectors `(latent_dim,)`.
        class_names: of the labels, or of the classes of a categorical code, in order; `None` for
            their numbers.
        examples: pictures to offer, for a generator that translates: paths, or `uint8` arrays
            `(height, width, 1 or 3)`. The first is shown. Without any, the page asks for one.
        runtime: folder of LiteRT.js, relative to `folder`. It is written there unless it is there:
            with `"../litert"` pages side by side share one.
        packages: folder of LiteRT.js's npm packages, see `litert_js.unpack`. `None` takes those in
            the cache, and fetches them at first use.
        overwrite: replace the page that is there. Otherwise that is an error.
        categorical: of an InfoGAN, the number of classes of its categorical code, `(10,)`. A GAN
            that is given knows it.
        continuous: of an InfoGAN, how many continuous codes. They get sliders too.

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
    codes = codes_of(generator, categorical, continuous)
    generator = signatures.generator_of(generator)
    about = describe(generator, title, directions, class_names, codes)
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
            shutil.copyfile(TEMPLATES / name, partial / name)
        texts = {"title": about["title"], "description": description, "runtime": about["runtime"]}
        filled = template("page").substitute(
            {name: html.escape(str(text)) for name, text in texts.items()},
            content=template(about["input"]).substitute(loading=_LOADING, heading="h2"),
        )
        (partial / PAGE).write_text(filled, encoding="utf-8")
        about["sha256"] = {
            path.relative_to(partial).as_posix(): sha256(path)
            for path in sorted(partial.rglob("*"))
            if path.is_file()
        }
        (partial / ABOUT).write_text(json.dumps(about, indent=1), encoding="utf-8")
    return folder


def template(name):
    """A part of a page, with places to fill."""
    return string.Template((TEMPLATES / f"{name}.html").read_text(encoding="utf-8"))


def principal_directions(generator, number):
    """Directions along which the first layer answers most (SeFa, Shen 2021, arXiv:2007.06600).

    The eigenvectors of `A A^T` of the largest eigenvalues, for the kernel A `(latent_dim, units)`
    of the first dense layer: nothing is trained or drawn. Of a layer that takes latents and an
    embedded label side by side, the rows of the latents count.

    >>> generator = keras_gans.networks.dcgan_generator((28, 28, 1), latent_dim=64)
    >>> principal_directions(generator, 6).shape
    (6, 64)

    Args:
        generator: a `keras.Model` whose first input is latents `(batch, latent_dim)`.
        number: how many directions; there are at most `latent_dim`.

    Returns:
        float32 numpy array `(number, latent_dim)`, of length 1 each, the largest coordinate
        positive. Empty if no dense layer takes the latents.
    """
    size = generator.inputs[0].shape[-1]
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


def _in_order(network):
    """Layers from the inputs on, those of networks inside and of wrappers too.

    `_flatten_layers` goes through a network inside another from its end.
    """
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from _in_order(layer)
        else:
            yield getattr(layer, "layer", layer)


def describe(generator, title, directions, class_names, codes):
    """What a page has to know of a generator, as a dict for JSON; see `web` for the arguments.

    Raises:
        ValueError: if an argument does not fit the generator, or it makes no images of one size in
            [-1, 1].
    """
    first, *told = signatures.signature(generator)
    size, shape = tuple(first.shape[1:]), tuple(generator.outputs[0].shape[1:])
    for what, sides in (("makes", shape), *([("takes", size)] if first.name == "images" else [])):
        if len(sides) != 3 or None in sides or sides[2] not in _CHANNELS:
            raise ValueError(
                "A page shows images `(height, width, channels)` of one size, grey or RGB. Build "
                f"the generator for one `image_shape`. Received: one that {what} {sides}"
            )
    if codes.size and (told or first.name == "images" or codes.size >= size[0]):
        raise ValueError(
            "Codes are the last coordinates of latents, behind one of noise at least, and of a "
            f"generator that is told no class. Expected {codes.size + 1} latents or more. "
            f"Received: {codes} for {first.name} {size}{' and labels' if told else ''}"
        )
    if len(codes.categorical) > 1:
        raise ValueError(
            "A page lets choose one class. Expected at most one categorical code. "
            f"Received: categorical={codes.categorical}"
        )
    number = labels.num_classes(generator) if told else sum(codes.categorical)
    given = range(number) if class_names is None else class_names
    is_list = isinstance(given, Iterable) and not isinstance(given, str)
    class_names = list(map(str, given)) if is_list else given
    if not is_list or len(class_names) != number:
        raise ValueError(
            f"There must be a name for each class. Expected {number} for this generator. "
            f"Received: class_names={class_names}"
        )
    inputs = list(signatures.examples(generator, 4, seed=0).values())
    # It says so if the generator leaves [-1, 1]: a canvas would cut the rest off in silence.
    image.to_uint8(generator.predict(inputs if told else inputs[0], verbose=0))
    sliders = []
    if first.name == "latents":
        sliders = _directions(generator, directions)
        axes = np.eye(size[0], dtype="float32")[size[0] - codes.continuous :]
        sliders[:0] = [_slider(f"Code {i}", axis, _CODE_LIMIT) for i, axis in enumerate(axes, 1)]
    return {
        "title": generator.name if title is None else str(title),
        "input": first.name,
        "input_shape": size,
        "image_shape": shape,
        "labels": bool(told),
        "codes": size[0] - codes.size if codes.size else None,
        "class_names": class_names,
        "directions": sliders,
    }


def pictures(generator, examples):
    """The pictures that are to be offered to a generator: pairs of format and bytes.

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
    takes = signatures.signature(generator)[0].name
    if examples and takes == "latents":
        raise ValueError(
            "Only a generator that translates has a use for pictures. Leave `examples` out. "
            f"Received: {len(examples)} examples for {takes}"
        )
    return [
        ("png", _png(example)) if isinstance(example, np.ndarray) else _picture_file(example)
        for example in examples
    ]


def _png(example):
    if example.dtype != "uint8" or example.ndim != 3 or example.shape[2] not in (1, 3):
        raise ValueError(
            "An example is the path of a picture, or `uint8` of shape (height, width, 1 or 3). "
            f"Received: {example.dtype} of shape {example.shape}"
        )
    file = io.BytesIO()
    Image.fromarray(example[..., 0] if example.shape[2] == 1 else example).save(
        file, "png", optimize=True
    )
    return file.getvalue()


def _picture_file(path):
    path = signatures.to_path(path)
    if not path.exists():
        raise FileNotFoundError(f"There is no such picture. Received: examples, {path}")
    content = path.read_bytes() if path.is_file() else b""
    try:
        with Image.open(io.BytesIO(content)) as opened:
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


def _directions(generator, directions):
    size = generator.inputs[0].shape[-1]
    if not isinstance(directions, dict):
        checks.count("directions", directions, 0)
        found = principal_directions(generator, directions)
        directions = {f"Direction {i}": vector for i, vector in enumerate(found, 1)}
    rows = []
    for name, vector in directions.items():
        try:
            vector = np.asarray(vector, "float32")
        except (TypeError, ValueError):  # words, or rows of unlike lengths
            vector = np.array(np.nan)
        if vector.shape != (size,) or not np.isfinite(vector).all():
            raise ValueError(
                f"A direction is a finite vector of the latents. Expected shape ({size},). "
                f"Received: {name!r} of shape {vector.shape}"
            )
        rows.append(_slider(name, vector, _DIRECTION_LIMIT))
    return rows


def _slider(name, vector, limit):
    # As short as tells the float32 again: there are many.
    vector = [float(str(value)) for value in vector]
    return {"name": str(name), "vector": vector, "limit": limit}
