"""A page of several generators, which draws without a server and without a network."""

import base64
import dataclasses
import gzip
import hashlib
import html
import io
import json
import re
import tempfile
import urllib.parse
from collections.abc import Iterable, Sequence
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from keras_gans.export import litert_js, signatures
from keras_gans.export.saved_model import codes_of
from keras_gans.export.tflite import tflite
from keras_gans.export.web import (
    SCRIPTS,
    STYLE,
    TEMPLATES,
    describe,
    pictures,
    template,
)
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

# What the cards and sections are told apart by.
_KINDS = {
    "noise": "images of noise",
    "classes": "images of noise and a class",
    "translators": "images of images",
}

# Weights in bytes, as float16, above which they are stored in 8 bits.
_LARGE = 2 * 2**20
# Bytes above which a picture of samples is stored as WebP; the side of those on cards, in pixels.
_LARGE_PICTURE, _CARD = 2**16, 192


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Exhibit:
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
        class_names: of the labels, or of a categorical code; `None` for their numbers.
        examples: pictures to begin with, for a generator that translates: paths, or `uint8` arrays
            `(height, width, channels)`. The first is shown.
        directions: latent directions that get a slider, as for `web`.
        precision: of the stored weights, as for `tflite`; `None` for `"float16"` up to 2 MB of it
            and `"dynamic"`, in 8 bits, above.
        categorical: of an InfoGAN, the number of classes of its categorical code, `(10,)`.
        continuous: of an InfoGAN, how many continuous codes.
    """

    name: str
    generator: keras.Model
    title: str | None = None
    description: str = ""
    picture: Path | str | None = None
    facts: Sequence[tuple[str, str]] = ()
    measured: Sequence[tuple[str, str]] = ()
    class_names: Sequence[str] | None = None
    examples: Sequence[Path | str | np.ndarray] = ()
    directions: int | dict = 4
    precision: str | None = None
    categorical: Sequence[int] = ()
    continuous: int = 0


def write(path, exhibits, title="Gallery", description="", packages=None, overwrite=False):
    """Writes an HTML file in which each generator draws, on the visitor's device.

    It opens by a double click. At the top are cards that lead to sections; a section has the
    samples, the facts, and the controls of `web`. The generators and their runtime are in a folder
    beside the file, `gallery/` of `gallery.html`: a script for each, which is loaded when a section
    comes into view.

    >>> digits = Exhibit(
    ...     name="dcgan_digits_28",
    ...     generator=keras_gans.zoo.load("dcgan_digits_28"),
    ...     facts=[("Data", "5,000 MNIST digits")],
    ... )
    >>> path = keras_gans.export.gallery.write("gallery.html", [digits])  # doctest: +SKIP

    Args:
        path: file to write, ending in `.html`. Its folder goes where it goes.
        exhibits: `Exhibit`s, in the order of the page.
        title: of the page.
        description: a sentence below the title.
        packages: folder of LiteRT.js's npm packages, as for `web`.
        overwrite: replace what is there. Otherwise that is an error.

    Returns:
        The `pathlib.Path` of the file.

    Raises:
        ValueError: if there is no exhibit, a name is unsuitable or there twice, a generator is none
            or one that `web` would not show, or an argument does not fit it.
        FileNotFoundError: if LiteRT.js is not there and can not be fetched, or a picture is
            missing.
        FileExistsError: if the file or its folder exists.
    """
    path = signatures.file_to_write(path, ".html", "A gallery", overwrite)
    target = path.with_suffix("")
    exhibits = _exhibits(exhibits)
    if target.exists():
        signatures.require_replaceable(target, _RUNTIME_FILE, "a gallery's folder", overwrite)
    shown = [_described(exhibit) for exhibit in exhibits]
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
        for exhibit, about in zip(exhibits, shown):
            file = Path(temporary, f"{exhibit.name}.tflite")
            tflite(exhibit.generator, file, precision=about["precision"])
            about |= _held(folder / f"{exhibit.name}.generator.js", address, {"model": file})
    style = "".join(_source(name) for name in _STYLES)
    script = _as_one(_source(name) for name in _SCRIPTS)
    pairs = list(zip(exhibits, shown))
    page = template("gallery").substitute(
        title=html.escape(str(title)),
        description=html.escape(str(description)),
        kinds="\n".join(_choices({about["kind"] for about in shown})),
        cards="\n".join(_card(exhibit, about) for exhibit, about in pairs),
        sections="\n".join(_section(exhibit, about) for exhibit, about in pairs),
        latents=_controls("latents"),
        images=_controls("images"),
        licence=html.escape(licence),
        # Inside a script `<` could end it.
        about=json.dumps({"runtime": runtime, "exhibits": shown}).replace("<", "\\u003c"),
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
    )
    with atomic(path) as partial:
        partial.write_text(page, encoding="utf-8", newline="\n")
    return path


def _exhibits(given):
    """The exhibits as a list, each with a name of its own."""
    exhibits = [given] if isinstance(given, Exhibit) else given
    is_list = isinstance(exhibits, Iterable)
    exhibits = list(exhibits) if is_list else exhibits
    if not is_list or not exhibits or not all(isinstance(e, Exhibit) for e in exhibits):
        raise ValueError(
            "A gallery shows something: give a list of `gallery.Exhibit`s, one at least. "
            f"Received: {given!r}"
        )
    names = [exhibit.name for exhibit in exhibits]
    for name in names:
        if not isinstance(name, str) or not re.fullmatch(r"[\w.-]+", name, re.ASCII):
            raise ValueError(
                "An exhibit's name is part of an address. Expected letters, digits, `_`, `-` and "
                f"`.`; other words go into its `title`. Received: {name!r}"
            )
        if names.count(name) > 1:
            raise ValueError(
                f"Each exhibit needs a name of its own. Received: {name!r}, {names.count(name)} "
                "times"
            )
    return exhibits


def _described(exhibit):
    """What the scripts have to know of an exhibit, for JSON."""
    generator = exhibit.generator
    about = describe(
        generator,
        exhibit.title or exhibit.name,
        exhibit.directions,
        exhibit.class_names,
        codes_of(generator, exhibit.categorical, exhibit.continuous),
    )
    examples = pictures(generator, exhibit.examples)
    if exhibit.picture is not None:
        _require_picture(exhibit.picture)
    _require_pairs("facts", exhibit.facts)
    _require_pairs("measured", exhibit.measured)
    large = 2 * generator.count_params() > _LARGE
    kind = "classes" if about["class_names"] else "noise"
    kind = "translators" if about["input"] == "images" else kind
    return about | {
        "kind": kind,
        "examples": [_address(*example) for example in examples],
        "place": f"live:{exhibit.name}",
        "precision": exhibit.precision or ("dynamic" if large else "float16"),
    }


def _require_pairs(name, given):
    pairs = given if isinstance(given, (list, tuple)) else [given]
    if not all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in pairs):
        raise ValueError(
            f"`{name}` of an exhibit are pairs of a label and a text. Received: {given!r}"
        )


def _require_picture(path):
    path = signatures.to_path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no such picture. Received: {path}")
    try:
        with Image.open(path) as samples:
            samples.load()
    # Of Pillow's readers: OSError, SyntaxError, struct.error and others.
    except Exception as error:
        raise ValueError(
            f"The picture of an exhibit cannot be read. Received: {path} ({error})"
        ) from error


# ---- what stands in the page


def _source(name):
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _controls(kind):
    return template(kind).substitute(heading="h3", loading="Loading.")


def _as_one(modules):
    """Modules as one script: a page that is opened as a file can import none from beside it."""
    lines = re.compile(r'^import .* from "\./.*";\n|^export ', re.MULTILINE)
    return "".join(lines.sub("", text) for text in modules)


def _hash(text):
    """A script or style as the policy of a page names it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _held(path, address, files):
    """Writes files into a script, which a page that is opened as a file can load: see gallery.js.

    Returns:
        Where a page finds each: the script's address, the key in it, and how many bytes it takes.
    """
    lines, found = [], {}
    for part, file in files.items():
        # Without the time, so that the same exhibits make the same page.
        packed = gzip.compress(file.read_bytes(), mtime=0)
        # The key tells the file from one of another page, whatever its name.
        key = hashlib.sha256(packed).hexdigest()
        content = base64.b64encode(packed).decode()
        lines.append(f'held["{key}"] = "{content}";\n')
        found[part] = {"file": address + path.name, "key": key, "bytes": len(content)}
    path.write_text("".join(lines), encoding="utf-8", newline="\n")
    return found


def _choices(kinds):
    """Radio buttons for the kinds of generators that are there."""
    choices = {"all": "all", **{kind: text for kind, text in _KINDS.items() if kind in kinds}}
    for kind, text in choices.items():
        checked = " checked" if kind == "all" else ""
        yield (f'<label><input type="radio" name="kind" value="{kind}"{checked}> {text}</label>')


def _card(exhibit, about):
    picture = ""
    if exhibit.picture is not None:
        with Image.open(exhibit.picture) as samples:
            side = min(samples.size)
            top = samples.convert("RGB").crop((0, 0, side, side))
        top.thumbnail((_CARD, _CARD))
        picture = f'<img src="{_webp(top)}" alt="" width="{top.width}" height="{top.height}">'
    return (
        f'<li data-kind="{about["kind"]}"><a href="#{exhibit.name}">{picture}'
        f"<span>{_text(about['title'])}</span></a></li>"
    )


def _section(exhibit, about):
    height, width, channels = about["image_shape"]
    bits = about["precision"] if about["precision"] in ("float32", "float16") else "8-bit"
    facts = [
        *exhibit.facts,
        ("Makes", f"{width}x{height}, {'RGB' if channels == 3 else 'grey'}"),
        ("To load", f"{about['model']['bytes'] / 1e6:.1f} MB, {bits} weights"),
    ]
    folded = ""
    if exhibit.measured:
        folded = (
            f"<details>\n<summary>Measured</summary>\n{_listed(exhibit.measured)}\n</details>\n"
        )
    return f"""<section id="{exhibit.name}" data-kind="{about["kind"]}">
<h2>{_text(about["title"])}</h2>
<p>{_text(exhibit.description)}</p>
<div class="about">
{_samples(exhibit, about)}<div class="facts">
{_listed(facts)}
{folded}</div>
</div>
<div class="live" id="{about["place"]}"></div>
</section>"""


def _listed(pairs):
    rows = [f"<div><dt>{_text(label)}</dt><dd>{_text(text)}</dd></div>" for label, text in pairs]
    return "\n".join(["<dl>", *rows, "</dl>"])


def _text(text):
    """Text as HTML, in which a long name may go on in the next line."""
    return html.escape(str(text)).replace("_", "_<wbr>")


def _samples(exhibit, about):
    if exhibit.picture is None:
        return ""
    with Image.open(exhibit.picture) as samples:
        width, height = samples.size
        large = Path(exhibit.picture).stat().st_size > _LARGE_PICTURE
        source = _webp(samples) if large else _packed(samples, "png", optimize=True)
    # A tall one is scrolled, by the keyboard too.
    tall = ' tall" tabindex="0' if height > 1.2 * width else ""
    return (
        f'<figure class="samples{tall}"><img src="{source}" loading="lazy" width="{width}" '
        f'height="{height}" alt="Samples of {html.escape(about["title"])}"></figure>\n'
    )


def _webp(picture):
    return _packed(picture.convert("RGB"), "webp", quality=90, method=6)


def _packed(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return _address(kind, file.getvalue())


def _address(kind, content):
    """A picture as an address that holds it."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
