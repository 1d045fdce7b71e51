"""A page of several generators, which draws without a server and without a network."""

import base64
import dataclasses
import gzip
import hashlib
import io
import json
import re
import tempfile
import urllib.parse
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from PIL import Image

from keras_gans.export import litert_js, pages, signatures
from keras_gans.export.tflite import tflite
from keras_gans.export.web import SCRIPTS, STYLE, describe, pictures
from keras_gans.files import atomic, atomic_folder

# What a page loads of LiteRT.js. The pair of files that is called "compat" needs no relaxed SIMD,
# which not every browser has, and was as fast.
_RUNTIME = {
    "index": "index.js",
    "utilities": "wasm_utils.js",
    "loader": "litert_wasm_compat_internal.js",
    "wasm": "litert_wasm_compat_internal.wasm",
}
_RUNTIME_FILE = "runtime.js"
_STYLES = (STYLE, "gallery.css")
_SCRIPTS = (*SCRIPTS, "gallery.js")

# The kinds of generators that the cards and sections can be filtered by.
_KINDS = {
    "noise": "unconditional",
    "classes": "class-conditional",
    "translators": "image-to-image",
}

# Weights in bytes, as float16, above which they are stored in 8 bits.
_LARGE = 2 * 2**20
# Bytes above which a picture of samples is stored as WebP; the side of those on cards, in pixels.
_LARGE_PICTURE, _CARD = 2**16, 192


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Entry:
    """A generator of a gallery, and what the page says of it.

    Attributes:
        name: the section's address, `gallery.html#name`: letters, digits, `_`, `-` and `.`.
        generator: a built `keras.Model`, from latents, latents and labels, or images to images in
            [-1, 1], all of one size.
        title: heading of the section; `None` for the name.
        description: a sentence or two below it.
        picture: path of a picture of samples; its top is on the card too.
        facts: pairs of a label and a text, such as the data and their licence.
        measured: pairs of a protocol and its value, which the page folds away.
        class_names: of the labels, or of a categorical code, as for `web`; `None` for the names in
            the generator's interface, or else their numbers.
        examples: pictures to begin with, for a generator that translates: paths, or `uint8` arrays
            `(height, width, channels)`. The first is shown.
        directions: latent directions that get a slider, as for `web`.
        precision: of the stored weights, as for `tflite`; `None` for `"float16"` up to 2 MB of it
            and `"dynamic"`, in 8 bits, above.
        categorical: of an InfoGAN, the number of classes of each categorical code, `(10,)`, where
            the generator's interface does not say so.
        continuous: of an InfoGAN, how many continuous codes, likewise.
    """

    name: str
    generator: keras.Model
    title: str | None = None
    description: str = ""
    picture: Path | str | None = None
    facts: Sequence[tuple[str, str]] = ()
    measured: Sequence[tuple[str, str]] = ()
    class_names: Sequence[str] | Mapping[str, Sequence[str]] | None = None
    examples: Sequence[Path | str | np.ndarray] = ()
    directions: int | dict = 4
    precision: str | None = None
    categorical: Sequence[int] = ()
    continuous: int = 0


def __getattr__(name: str) -> Any:
    if name == "Exhibit":
        warnings.warn("`gallery.Exhibit` is now `gallery.Entry`.", DeprecationWarning, stacklevel=2)
        return Entry
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def write(
    path: Path | str,
    entries: Entry | Iterable[Entry],
    title: str = "Gallery",
    description: str = "",
    packages: Path | str | None = None,
    overwrite: bool = False,
) -> Path:
    """Writes an HTML file in which each generator draws, on the visitor's device.

    It opens by a double click. At the top are cards that lead to sections; a section has the
    samples, the facts, and the controls of `web`. The generators and their runtime are in a folder
    beside the file, `gallery/` of `gallery.html`: a script for each, which is loaded when a section
    comes into view.

    >>> digits = Entry(
    ...     name="dcgan_digits_28",
    ...     generator=keras_gans.zoo.load("dcgan_digits_28"),
    ...     facts=[("Data", "5,000 MNIST digits")],
    ... )
    >>> path = keras_gans.export.gallery.write("gallery.html", [digits])  # doctest: +SKIP

    Args:
        path: file to write, ending in `.html`. Its folder goes where it goes.
        entries: `Entry`s, in the order of the page.
        title: of the page.
        description: a sentence below the title.
        packages: folder of LiteRT.js's npm packages, as for `web`.
        overwrite: replace what is there. Otherwise that is an error.

    Returns:
        The `pathlib.Path` of the file.

    Raises:
        ValueError: if there is no entry, a name is unsuitable or there twice, a generator is none
            or one that `web` would not show, or an argument does not fit it.
        FileNotFoundError: if LiteRT.js is not there and can not be fetched, or a picture is
            missing.
        FileExistsError: if the file or its folder exists.
    """
    path = signatures.file_to_write(path, ".html", "A gallery", overwrite)
    target = path.with_suffix("")
    entries = _entries(entries)
    if target.exists():
        signatures.require_replaceable(target, _RUNTIME_FILE, "a gallery's folder", overwrite)
    shown = [_described(entry) for entry in entries]
    with tempfile.TemporaryDirectory() as temporary, atomic_folder(target) as folder:
        folder.mkdir()
        address = urllib.parse.quote(target.name) + "/"
        litert_js.unpack(temporary, packages)
        licence = Path(temporary, litert_js.LICENSE).read_text(encoding="utf-8")
        runtime = _held(
            folder / _RUNTIME_FILE,
            address,
            {part: Path(temporary, file) for part, file in _RUNTIME.items()},
        )
        for entry, about in zip(entries, shown):
            file = Path(temporary, f"{entry.name}.tflite")
            tflite(entry.generator, file, precision=about["precision"])
            about |= _held(folder / f"{entry.name}.generator.js", address, {"model": file})
    kinds = {about["kind"] for about in shown}
    page = pages.render(
        "gallery",
        title=title,
        description=description,
        kinds=[("all", "all"), *((k, text) for k, text in _KINDS.items() if k in kinds)],
        entries=[_section(entry, about) for entry, about in zip(entries, shown)],
        licence=licence,
        # Inside a script `<` could end it.
        about=json.dumps({"runtime": runtime, "entries": shown}).replace("<", "\\u003c"),
        style="".join(map(pages.source, _STYLES)),
        script=_as_one(map(pages.source, _SCRIPTS)),
    )
    with atomic(path) as partial:
        partial.write_text(page, encoding="utf-8", newline="\n")
    return path


def _entries(given: Any) -> list[Entry]:
    """The entries as a list, each with a name of its own."""
    entries = [given] if isinstance(given, Entry) else given
    is_list = isinstance(entries, Iterable)
    entries = list(entries) if is_list else entries
    if not is_list or not entries or not all(isinstance(e, Entry) for e in entries):
        raise ValueError(
            "A gallery shows something: give a list of `gallery.Entry`s, one at least. "
            f"Received: {given!r}"
        )
    names = [entry.name for entry in entries]
    for name in names:
        if not isinstance(name, str) or not re.fullmatch(r"[\w.-]+", name, re.ASCII):
            raise ValueError(
                "An entry's name is part of an address. Expected letters, digits, `_`, `-` and "
                f"`.`; other words go into its `title`. Received: {name!r}"
            )
        if names.count(name) > 1:
            raise ValueError(
                f"Each entry needs a name of its own. Received: {name!r}, {names.count(name)} times"
            )
    return entries


def _described(entry: Entry) -> dict[str, Any]:
    """What the scripts have to know of an entry, for JSON."""
    generator = entry.generator
    stated = signatures.with_codes(
        signatures.interface_of(generator), entry.categorical, entry.continuous
    )
    about = describe(
        generator, stated, entry.title or entry.name, entry.directions, entry.class_names
    )
    examples = pictures(generator, entry.examples)
    if entry.picture is not None:
        _require_picture(entry.picture)
    _require_pairs("facts", entry.facts)
    _require_pairs("measured", entry.measured)
    large = 2 * generator.count_params() > _LARGE
    kind = "classes" if about["choices"] else "noise"
    return about | {
        "kind": "translators" if stated.takes_image else kind,
        "examples": [_address(*example) for example in examples],
        "place": f"live:{entry.name}",
        "precision": entry.precision or ("dynamic" if large else "float16"),
    }


def _require_pairs(name: str, given: Any) -> None:
    pairs = given if isinstance(given, (list, tuple)) else [given]
    if not all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in pairs):
        raise ValueError(
            f"`{name}` of an entry are pairs of a label and a text. Received: {given!r}"
        )


def _require_picture(path: Path | str) -> None:
    path = signatures.to_path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no such picture. Received: {path}")
    try:
        with Image.open(path) as samples:
            samples.load()
    # Of Pillow's readers: OSError, SyntaxError, struct.error and others.
    except Exception as error:
        raise ValueError(
            f"The picture of an entry cannot be read. Received: {path} ({error})"
        ) from error


# ---- what stands in the page


def _as_one(modules: Iterable[str]) -> str:
    """Modules as one script: a page that is opened as a file can import none from beside it."""
    lines = re.compile(r'^import \{[^}]*\} from "\./.*";\n|^export ', re.MULTILINE)
    return "".join(lines.sub("", text) for text in modules)


def _held(path: Path, address: str, files: Mapping[str, Path]) -> dict[str, dict[str, Any]]:
    """Writes files into a script, which a page that is opened as a file can load: see gallery.js.

    Returns:
        Where a page finds each: the script's address, the key in it, and how many bytes it takes.
    """
    lines, found = [], {}
    for part, file in files.items():
        # Without the time, so that the same entries make the same page.
        packed = gzip.compress(file.read_bytes(), mtime=0)
        # The key tells the file from one of another page, whatever its name.
        key = hashlib.sha256(packed).hexdigest()
        content = base64.b64encode(packed).decode()
        lines.append(f'held["{key}"] = "{content}";\n')
        found[part] = {"file": address + path.name, "key": key, "bytes": len(content)}
    path.write_text("".join(lines), encoding="utf-8", newline="\n")
    return found


def _section(entry: Entry, about: dict[str, Any]) -> dict[str, Any]:
    """What the template shows of an entry, on its card and in its section."""
    bits = about["precision"] if about["precision"] in ("float32", "float16") else "8-bit"
    made = [
        "{1}x{0}, {2}".format(*shape[:2], "RGB" if shape[2] == 3 else "grey")
        for shape in (output["shape"] for output in about["outputs"])
    ]
    return {
        **{key: about[key] for key in ("kind", "title", "place")},
        "name": entry.name,
        "description": entry.description,
        "card": None if entry.picture is None else _card(entry.picture),
        "samples": None if entry.picture is None else _samples(entry.picture),
        "facts": [
            *entry.facts,
            ("Makes", " and ".join(made)),
            ("To load", f"{about['model']['bytes'] / 1e6:.1f} MB, {bits} weights"),
        ],
        "measured": entry.measured,
    }


def _card(path: Path | str) -> dict[str, Any]:
    """The top of a picture of samples, small."""
    with Image.open(path) as samples:
        side = min(samples.size)
        top = samples.convert("RGB").crop((0, 0, side, side))
    top.thumbnail((_CARD, _CARD))
    return {"address": _webp(top), "width": top.width, "height": top.height}


def _samples(path: Path | str) -> dict[str, Any]:
    with Image.open(path) as samples:
        width, height = samples.size
        large = Path(path).stat().st_size > _LARGE_PICTURE
        address = _webp(samples) if large else _packed(samples, "png", optimize=True)
    return {"address": address, "width": width, "height": height, "tall": height > 1.2 * width}


def _webp(picture: Image.Image) -> str:
    return _packed(picture.convert("RGB"), "webp", quality=90, method=6)


def _packed(picture: Image.Image, kind: str, **options: Any) -> str:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return _address(kind, file.getvalue())


def _address(kind: str, content: bytes) -> str:
    """A picture as an address that holds it."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
