import html.parser
import json
import os
import re
import shutil
import subprocess
import urllib.error
from pathlib import Path

import chromium
import keras
import numpy as np
import pytest
import web_pages
from keras import layers
from PIL import Image
from web_pages import DIGITS, LEVELS, browser_lacks, digits, largest, styled, translator, upscaler

import keras_gans
from keras_gans import image, latent
from keras_gans.directions import Direction, move
from keras_gans.export import litert_js
from keras_gans.export import pages as html_pages
from keras_gans.export.web import pictures, principal_directions, web
from keras_gans.files import sha256

ROOT = Path(__file__).parent.parent.parent
networks = keras_gans.networks


def about(folder):
    return json.loads((folder / "model.json").read_text())


# ---- what is written


def test_the_files_and_their_hashes(tmp_path, packages):
    folder = web(digits(), tmp_path / "page", packages=packages)
    written = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    runtime = {"index.js", "wasm_utils.js", "LICENSE.txt"}
    runtime |= {f"litert_wasm_{kind}.{suffix}" for kind in ("internal", "compat_internal")
                for suffix in ("js", "wasm")}  # fmt: skip
    page = {"index.html", "page.css", "page.js", "generator.js", "explore.js", "latent.js"}
    page |= {"translate.js", "pictures.js", "upscale.js", "worker.js", "generator.tflite"}
    assert written == page | {f"litert/{name}" for name in runtime} | {"model.json"}
    hashes = about(folder)["sha256"]
    assert hashes == {name: sha256(folder / name) for name in written - {"model.json"}}
    assert {p.name for p in tmp_path.iterdir()} == {"page", "packages"}


def test_what_the_page_is_told(tmp_path, packages):
    generator = networks.conditional_dcgan_generator((16, 20, 3), 2, latent_dim=3, width=4)
    stated = about(
        web(
            generator,
            tmp_path / "page",
            title="Cats & dogs",
            class_names=["cat", "dog"],
            directions={"older": [0, 0.5, 1]},
            packages=packages,
        )
    )
    stated.pop("sha256")
    assert stated == {
        "title": "Cats & dogs",
        "input": "latents",
        "input_name": "latents",
        "input_shape": [3],
        "outputs": [{"name": "images", "shape": [16, 20, 3]}],
        "image_shape": [16, 20, 3],
        "codes": None,
        "choices": [{"name": "labels", "classes": ["cat", "dog"]}],
        "random_state": False,
        "numbers": [],
        "directions": [{"name": "older", "vector": [0.0, 0.5, 1.0], "limit": 4}],
        "examples": [],
        "model": "generator.tflite",
        "runtime": "litert/",
        "litert_js": "2.5.3",
    }


def test_a_translator_with_examples(tmp_path, packages):
    Image.new("RGB", (5, 4), "red").save(tmp_path / "a picture.PNG")
    folder = web(
        translator(), tmp_path / "page", examples=[tmp_path / "a picture.PNG"], packages=packages
    )
    assert about(folder)["input"] == "images" and about(folder)["directions"] == []
    assert about(folder)["input_shape"] == [32, 64, 3]
    assert about(folder)["examples"] == ["example_0.png"]
    with Image.open(folder / "example_0.png") as copied:
        assert copied.size == (5, 4)


def test_examples_as_arrays_and_by_what_they_hold(tmp_path, packages):
    grey = np.random.default_rng(0).integers(0, 256, (5, 4, 1), dtype="uint8")
    Image.new("RGB", (5, 4), "red").save(tmp_path / "called.png", "jpeg")
    folder = web(
        translator(),
        tmp_path / "page",
        examples=[grey, tmp_path / "called.png"],
        packages=packages,
    )
    assert about(folder)["examples"] == ["example_0.png", "example_1.jpeg"]
    with Image.open(folder / "example_0.png") as written:
        np.testing.assert_array_equal(np.asarray(written), grey[..., 0])
    assert (folder / "example_1.jpeg").read_bytes() == (tmp_path / "called.png").read_bytes()
    assert [kind for kind, _ in pictures(translator(), grey)] == ["png"]  # one needs no list


def test_codes_are_classes_and_sliders(tmp_path, packages):
    codes = {"categorical": (3,), "continuous": 1, "directions": 0}
    stated = about(web(digits(), tmp_path / "page", packages=packages, **codes))
    assert stated["codes"] == 2
    assert stated["choices"] == [{"name": "categorical", "classes": ["0", "1", "2"], "place": 2}]
    assert stated["directions"] == [{"name": "Code 1", "vector": [0, 0, 0, 0, 0, 1], "limit": 2}]


class Tags(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.inline, self.inside = [], "", None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.inside = tag

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        self.inline += data.strip() if self.inside in ("script", "style") else ""


@pytest.mark.parametrize(
    ("make", "scripts"),
    [
        (digits, ("explore.js", "generator.js")),
        (translator, ("translate.js", "pictures.js", "generator.js")),
        (upscaler, ("upscale.js", "pictures.js")),
    ],
)
def test_the_page_is_under_a_policy_and_keeps_to_it(make, scripts, tmp_path, packages):
    folder = web(make(), tmp_path / "page", title="<b>", description='"&', packages=packages)
    text = (folder / "index.html").read_text()
    assert "<h1>&lt;b&gt;</h1>" in text and "<p>&#34;&amp;</p>" in text and "$" not in text
    found = Tags(text)
    (policy,) = [a["content"] for _, a in found.tags if a.get("http-equiv")]
    assert dict(rule.split(" ", 1) for rule in policy.split("; ")) == {
        "default-src": "'none'",
        "script-src": "'self' 'wasm-unsafe-eval'",
        "style-src": "'self'",
        "img-src": "'self' blob: data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert not found.inline
    for _, attributes in found.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("src", "href"):
            address = attributes.get(name, "")
            assert address.startswith("data:") or not address or (folder / address).exists()
    # Every element that a script of this kind asks for by name is there.
    wanted = set()
    for path in folder.glob("*.js"):
        if path.name in scripts:
            wanted |= set(re.findall(r'\$\("(\w+)"\)', path.read_text()))
        assert not re.search(r"https?://|innerHTML|\beval\b", path.read_text()), path
    ids = {a["id"] for _, a in found.tags if "id" in a}
    assert len(wanted) > 5 and wanted <= ids
    labelled = {a["for"] for tag, a in found.tags if tag == "label" and "for" in a}
    controls = {a["id"] for tag, a in found.tags if tag in ("input", "select")}
    assert controls - labelled <= {"file"}  # inside its label


def test_pages_side_by_side_share_a_runtime(tmp_path, packages):
    for name in ("a", "b"):
        folder = web(digits(), tmp_path / "pages" / name, runtime="../litert", packages=packages)
        assert about(folder)["runtime"] == "../litert/"
        assert not (folder / "litert").exists()
        (tmp_path / "pages" / "litert" / "kept").touch()  # not written again
    runtime = tmp_path / "pages" / "litert"
    assert (runtime / "kept").exists()
    assert 'href="../litert/LICENSE.txt"' in (folder / "index.html").read_text()
    index = (runtime / "index.js").read_text()
    assert index.startswith("// Changed by keras_gans")
    assert '"./wasm_utils.js"' in index and "@litertjs" not in index
    licence = (runtime / "LICENSE.txt").read_text()
    assert "LiteRT.js 2.5.3" in licence and (ROOT / "LICENSE").read_text() in licence


def test_overwriting(tmp_path, packages):
    folder = web(digits(), tmp_path / "page", packages=packages)
    (folder / "old").touch()
    with pytest.raises(FileExistsError, match="overwrite=True"):
        web(digits(), folder, packages=packages)
    web(digits(), folder, packages=packages, overwrite=True)
    assert not (folder / "old").exists()
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter_1").touch()
    with pytest.raises(FileExistsError, match="something else than a page"):
        web(digits(), tmp_path / "thesis", packages=packages, overwrite=True)
    shutil.copytree(folder, tmp_path / "pages")
    shutil.copytree(folder, tmp_path / "pages" / "another")
    with pytest.raises(FileExistsError, match="something else than a page"):
        web(digits(), tmp_path / "pages", packages=packages, overwrite=True)
    assert (tmp_path / "pages" / "another" / "index.html").exists()
    (tmp_path / "empty").mkdir()
    web(digits(), tmp_path / "empty", packages=packages)
    assert (tmp_path / "empty" / "index.html").exists()


def test_of_a_gan_its_codes_are_taken(tmp_path, packages):
    discriminator = networks.infogan_discriminator(
        (16, 16, 1), width=4, categorical=(2,), continuous=1
    )
    gan = keras_gans.InfoGAN(digits(), discriminator, categorical=(2,), continuous=1)
    with pytest.warns(UserWarning, match="`inference_generator` is exported"):
        folder = web(gan, tmp_path / "page", packages=packages)
    assert about(folder)["codes"] == 3
    assert about(folder)["choices"][0]["classes"] == ["0", "1"]


def test_of_a_gan_the_generator_is_taken(tmp_path, packages):
    gan = keras_gans.GAN(digits(), networks.dcgan_discriminator((16, 16, 1), width=4))
    with pytest.warns(UserWarning, match="`inference_generator` is exported"):
        folder = web(gan, tmp_path / "page", packages=packages)
    assert about(folder)["input_shape"] == [6]


# ---- directions


def test_named_directions_are_told_in_few_digits(tmp_path, packages):
    vector = np.float32([1 / 3, 2 / 3, 2 / 3, 0, 0, 0])
    given = {"long_hair:yes": Direction(vector, 1.7, (9, 9), 0.9), "plain": vector}
    stated = about(web(digits(), tmp_path / "page", directions=given, packages=packages))
    named, plain = stated["directions"]
    assert named.pop("vector") == [0.567, 1.134, 1.134, 0, 0, 0]  # of strength 1, float16
    assert named == {"name": "long hair: yes", "limit": 4, "keeps_length": True}
    assert "keeps_length" not in plain and plain["vector"][0] == 0.33333334


def left_singular(kernel, number):
    return np.linalg.svd(kernel)[0][:, :number].T


def test_directions_are_the_first_layers_singular_vectors():
    generator = digits(latent_dim=8)
    found = principal_directions(generator, 3)
    expected = left_singular(generator.get_weights()[0], 3)
    np.testing.assert_allclose(np.abs(np.sum(found * expected, axis=1)), 1, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)
    assert (found.max(1) == np.abs(found).max(1)).all()


def test_directions_beside_an_embedded_label():
    generator = networks.conditional_mlp_generator((8, 8, 1), 3, latent_dim=5, embedding_dim=4)
    (kernel,) = [w for w in generator.get_weights() if w.shape[0] == 5 + 4]
    found = principal_directions(generator, 2)
    expected = left_singular(kernel[:5], 2)
    np.testing.assert_allclose(np.abs(np.sum(found * expected, axis=1)), 1, rtol=1e-5)


def test_without_a_dense_layer_there_are_no_directions(tmp_path, packages):
    inputs = keras.Input((4,))
    x = layers.Conv2DTranspose(1, 8, activation="tanh")(layers.Reshape((1, 1, 4))(inputs))
    generator = keras.Model(inputs, x)
    assert principal_directions(generator, 3).shape == (0, 4)
    assert about(web(generator, tmp_path / "page", packages=packages))["directions"] == []


# ---- what is refused


def points():
    return networks.mlp_generator((2,), latent_dim=4)


def any_size():
    return networks.resnet_generator((None, None, 3), width=4, blocks=1)


def four_channels():
    return networks.dcgan_generator((16, 16, 4), latent_dim=4, width=4)


def too_bright():
    inputs = keras.Input((4,))
    x = layers.Dense(64, bias_initializer=keras.initializers.Constant(3.0))(inputs)
    return keras.Model(inputs, layers.Reshape((8, 8, 1))(layers.ReLU()(x)))


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (points, {}, r"one that makes \(2,\)"),
        (four_channels, {}, r"grey or RGB.*makes \(16, 16, 4\)"),
        (any_size, {}, "one `image_shape`"),
        (too_bright, {}, r"outside \[-1, 1\]"),
        (digits, {"class_names": ["a"]}, "Expected 0 for"),
        (digits, {"directions": -1}, "at least 0"),
        (digits, {"directions": {"older": [1, 2]}}, r"Expected shape \(6,\).*'older'"),
        (digits, {"directions": {"older": [np.nan] * 6}}, "finite"),
        (digits, {"precision": "int4"}, "precision"),
        (digits, {"runtime": "/litert"}, "relative"),
        (digits, {"runtime": "https://example.org/litert"}, "relative"),
        (digits, {"runtime": ".."}, "relative"),
        (digits, {"examples": ["a.png"]}, "Leave `examples` out"),
        (digits, {"categorical": (4,), "continuous": 2}, "Expected 7 latents or more"),
        (digits, {"categorical": (1,)}, "at least 2"),
        (translator, {"continuous": 2}, "Codes are the last coordinates of latents"),
    ],
)
def test_refused(make, options, message, tmp_path, packages):
    with pytest.raises(ValueError, match=message):
        web(make(), tmp_path / "page", packages=packages, **options)
    assert {p.name for p in tmp_path.iterdir()} == {"packages"}


def test_a_missing_example(tmp_path, packages):
    with pytest.raises(FileNotFoundError, match=r"no such picture.*nowhere\.png"):
        web(translator(), tmp_path / "page", examples=["nowhere.png"], packages=packages)


# ---- the runtime's packages


def test_a_package_that_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"`npm pack @litertjs/core@2\.5\.3`"):
        web(digits(), tmp_path / "page", packages=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_package_that_is_damaged(tmp_path, packages, monkeypatch):
    path = packages / "litertjs-core-2.5.3.tgz"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"damaged.*Expected sha512-.*Received: sha512-"):
        litert_js.unpack(tmp_path / "litert", packages)
    assert path.exists() and not (tmp_path / "litert").exists()
    # In the cache it is no longer in the way.
    monkeypatch.setattr(litert_js, "cache_folder", lambda: packages)
    with pytest.raises(ValueError, match="Run again"):
        litert_js.unpack(tmp_path / "litert")
    assert not path.exists()


def test_packages_are_fetched_once(tmp_path, packages, monkeypatch):
    calls = []

    def npm(command, **options):
        calls.append(command[1:3])
        name = litert_js.archive_name(command[2].rpartition("@")[0])
        Path(command[4], name).write_bytes((packages / name).read_bytes())

    monkeypatch.setenv("KERAS_GANS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(litert_js.shutil, "which", lambda name: name)
    monkeypatch.setattr(litert_js.subprocess, "run", npm)
    litert_js.unpack(tmp_path / "a")
    litert_js.unpack(tmp_path / "b")
    assert calls == [["pack", "@litertjs/core@2.5.3"], ["pack", "@litertjs/wasm-utils@2.5.3"]]
    names = {path.name for path in (tmp_path / "cache" / "litert_js").iterdir()}
    assert names == {"litertjs-core-2.5.3.tgz", "litertjs-wasm-utils-2.5.3.tgz"}


def test_without_npm_the_registry_is_asked(tmp_path, packages, monkeypatch):
    asked = []

    def urlopen(address, timeout):
        asked.append(address)
        name = "core" if "core" in address else "wasm-utils"
        return (packages / f"litertjs-{name}-2.5.3.tgz").open("rb")

    monkeypatch.setenv("KERAS_GANS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(litert_js.shutil, "which", lambda name: None)
    monkeypatch.setattr(litert_js.urllib.request, "urlopen", urlopen)
    litert_js.unpack(tmp_path / "a")
    assert (tmp_path / "a" / "LICENSE.txt").exists()
    assert asked == [
        "https://registry.npmjs.org/@litertjs/core/-/core-2.5.3.tgz",
        "https://registry.npmjs.org/@litertjs/wasm-utils/-/wasm-utils-2.5.3.tgz",
    ]


@pytest.mark.parametrize("npm", [None, "npm"])
def test_packages_that_cannot_be_fetched(npm, tmp_path, monkeypatch):
    def fail(*args, **options):
        if npm:
            raise subprocess.CalledProcessError(1, "npm", stderr="npm error code\nno network")
        raise urllib.error.URLError("no network")

    monkeypatch.setenv("KERAS_GANS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(litert_js.shutil, "which", lambda name: npm)
    monkeypatch.setattr(litert_js.subprocess, "run", fail)
    monkeypatch.setattr(litert_js.urllib.request, "urlopen", fail)
    with pytest.raises(FileNotFoundError, match=r"`packages`.*no network") as caught:
        web(digits(), tmp_path / "page")
    notes = " ".join(getattr(caught.value, "__notes__", []))
    assert "space" not in notes and "disk" not in notes  # it is no full disk
    assert not list(tmp_path.iterdir())


# ---- in a browser


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Where pages are written, and the address they are served under."""
    if reason := browser_lacks():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("pages")
    with chromium.served(folder) as address:
        yield folder, address


def pixels(page, canvas="image"):
    return web_pages.pixels(page, f"document.getElementById('{canvas}')")


def set_value(page, control, value, event="input"):
    web_pages.set_value(page, "document", control, value, event)


GENERATORS = {
    "digits": lambda: keras_gans.zoo.load("dcgan_digits_28"),
    "digits_float16": lambda: keras_gans.zoo.load("dcgan_digits_28"),
    "named": lambda: keras_gans.zoo.load("dcgan_digits_28"),
    "conditional": lambda: keras_gans.zoo.load("conditional_gan_digits_28"),
    "translator": translator,
    "upscaler": upscaler,
    "styled": styled,
}


@pytest.fixture
def see(page, pages):
    """Opens the page of a generator, which it answers."""
    folder, address = pages

    def opened(name, **options):
        generator = GENERATORS[name]()
        if not (folder / name).exists():
            web(generator, folder / name, runtime="../litert", **options)
        page.look(1280, 900)
        page.open(f"{address}/{name}/")
        assert page.complaints() == []
        hosts = {url.split("/")[2] for url in page.requests() if not url.startswith("data:")}
        assert hosts == {address.split("/")[2]}
        return generator

    return opened


in_browser = pytest.mark.slow  # starts a browser


@in_browser
def test_seeds_give_the_latents_of_keras(page, see):
    see("digits", precision="float32")
    for seed in (0, 7, 123456, 2**31 + 5, 2**40 + 3, 2**53 - 1):
        for truncation in (None, 0.2, 1.0, 3.9):
            for size in (64, 5):
                call = f"sample({size}, {seed}, {json.dumps(truncation)})"
                found = page.run(f"import('./latent.js').then((m) => Array.from(m.{call}))")
                expected = latent.sample(1, size, seed, truncation)[0]
                np.testing.assert_allclose(found, expected, rtol=0, atol=3e-7)


@in_browser
def test_great_circles_are_those_of_keras(page, see):
    see("digits", precision="float32")
    start, end = latent.sample(2, 5, seed=3)
    for a, b in ((start, end), (start, start), (start, 2 * start)):
        for way in (0, 0.3, 1):
            found = page.run(
                f"import('./latent.js').then((m) => Array.from(m.slerp({a.tolist()}, {b.tolist()}, "
                f"{way})))"
            )
            np.testing.assert_allclose(found, latent.slerp(a, b, [way])[0], atol=1e-6)


@in_browser
@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_the_canvas_shows_what_keras_makes(page, see, precision):
    name = "digits" if precision == "float32" else "digits_float16"
    generator = see(name, precision=precision)

    def sample(seed, truncation=None):
        return latent.sample(1, 64, seed, truncation)

    def differ(z):
        return largest(pixels(page), generator.predict(z, verbose=0)[0])

    assert differ(sample(0)) <= LEVELS[precision]
    set_value(page, "seed", 2**31 + 7)
    assert differ(sample(2**31 + 7)) <= LEVELS[precision]
    assert differ(sample(0)) > 50  # the measure tells two images apart
    set_value(page, "to", 5)
    set_value(page, "way", 0.25)
    walked = latent.slerp(sample(2**31 + 7)[0], sample(5)[0], [0.25])
    assert differ(walked) <= LEVELS[precision]
    direction = principal_directions(generator, 6)[1]
    set_value(page, "direction_1", -2.5)
    assert differ(walked - 2.5 * direction) <= LEVELS[precision]
    page.run("document.getElementById('reset').click()")
    page.until("document.getElementById('direction_1').value === '0'")
    set_value(page, "way", 0)
    set_value(page, "truncation", 0.5)
    assert differ(sample(2**31 + 7, 0.5)) <= LEVELS[precision]


@in_browser
def test_along_a_named_direction_latents_keep_their_length(page, see):
    found = {
        name: Direction(np.eye(64, dtype="float32")[place], 1.5, (9, 9), 0.9)
        for place, name in enumerate(["hat", "hair:red"])
    }
    generator = see("named", directions=found)
    labels = "[...document.querySelectorAll('#directions label')].map((e) => e.textContent)"
    assert page.run(labels) == ["hat", "hair: red"]
    set_value(page, "direction_0", 3)
    set_value(page, "direction_1", -2)
    moved = move(latent.sample(1, 64, seed=0), found, {"hat": 3, "hair:red": -2})
    made = generator.predict(moved, verbose=0)[0]
    assert largest(pixels(page), made) <= LEVELS["float16"]


@in_browser
def test_classes(page, see):
    generator = see("conditional", class_names=DIGITS)
    assert page.run("document.querySelector('#label').selectedOptions[0].text") == "zero"
    set_value(page, "label", 3, "input")
    made = generator.predict([latent.sample(1, 64, seed=0), np.array([3])], verbose=0)
    assert largest(pixels(page), made[0]) <= LEVELS["float16"]


@in_browser
def test_psi_and_the_seeds_of_other_programs(page, see):
    generator = see("styled", precision="float32")
    for seed, size in ((0, 5), (2**32 - 1, 8), (85, 700)):
        call = f"randomState({size}, {seed})"
        found = page.run(f"import('./latent.js').then((m) => Array.from(m.{call}))")
        np.testing.assert_allclose(found, latent.random_state(1, size, seed)[0], atol=1e-6)

    def differ(seed, label, psi):
        given = [latent.random_state(1, 12, seed), np.array([label]), np.float32([psi])]
        return largest(pixels(page), generator.predict(given, verbose=0)[0])

    assert differ(0, 0, 1.0) <= LEVELS["float32"]
    set_value(page, "seed", 85)
    set_value(page, "label", 1)
    set_value(page, "number_0", 0.3)
    assert differ(85, 1, 0.3) <= LEVELS["float32"]
    assert differ(85, 1, 1.0) > 5  # the measure tells two images apart
    assert page.run("document.getElementById('truncation').parentElement.hidden")


@in_browser
def test_the_grid_and_the_keyboard(page, see):
    generator = see("digits", precision="float32")
    tile = "[...document.querySelectorAll('#seeds canvas')].map((c) => c.width)"
    page.until(f"{tile}.every((width) => width === 28)")
    page.run("document.querySelectorAll('#seeds canvas')[9].id = 'ninth'")
    made = generator.predict(latent.sample(1, 64, seed=9), verbose=0)[0]
    assert largest(pixels(page, "ninth"), made) <= LEVELS["float32"]

    active = "document.activeElement.id || document.activeElement.name"
    reached = []
    for _ in range(30):
        page.press("Tab")
        reached.append(page.run(active))
    for control in ("download", "seed", "another", "truncation", "to", "play", "way", "reset"):
        assert control in reached
    assert reached.count("tile") == 1  # one stop; arrows go on from there
    page.run("document.querySelector('#seeds input').focus()")
    page.press("ArrowRight")
    page.press("ArrowRight")
    page.until("document.getElementById('seed').value === '2'")
    made = generator.predict(latent.sample(1, 64, seed=2), verbose=0)[0]
    page.until("document.getElementById('status').textContent.endsWith(' ms')")
    assert largest(pixels(page), made) <= LEVELS["float32"]
    page.run("document.getElementById('way').focus()")
    page.press("End")
    page.until("document.querySelector('output[for=way]').value === '100 %'")

    assert page.run("document.getElementById('earlier').disabled")
    page.run("document.getElementById('later').focus()")
    page.press("Enter")
    page.until("document.querySelector('#seeds span').textContent === '24'")


@in_browser
def test_playing_walks_on_from_seed_to_seed(page, see):
    see("digits", precision="float32")
    page.run("document.getElementById('play').click()")
    page.until("document.getElementById('seed').value === '1'")
    assert page.run("document.getElementById('to').value") == "2"
    page.run("document.getElementById('play').click()")
    assert page.run("document.getElementById('play').getAttribute('aria-pressed')") == "false"


@in_browser
def test_a_translated_picture(page, see, tmp_path):
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (32, 64, 3), dtype="uint8")
    Image.fromarray(picture).save(tmp_path / "noise.png")
    flat = Image.new("RGBA", (300, 200), (255, 0, 0, 0))  # transparent: white
    flat.save(tmp_path / "flat.png")
    generator = see("translator", precision="float32", examples=[tmp_path / "flat.png"])
    assert (pixels(page, "before") == 255).all()
    white = np.ones((1, 32, 64, 3), "float32")
    assert largest(pixels(page), generator.predict(white, verbose=0)[0]) <= LEVELS["float32"]

    page.choose_file("#file", tmp_path / "noise.png")
    page.until("document.getElementById('before').getContext('2d').getImageData(0, 0, 1, 1).data"
               f"[0] === {picture[0, 0, 0]}")  # fmt: skip
    page.until("document.getElementById('status').textContent.endsWith(' ms')")
    np.testing.assert_array_equal(pixels(page, "before"), picture)
    made = generator.predict(image.from_uint8(picture)[None], verbose=0)[0]
    page.until(f"document.getElementById('image').width === {made.shape[1]}")
    assert largest(pixels(page), made) <= LEVELS["float32"]

    (tmp_path / "words.png").write_text("no picture")
    page.choose_file("#file", tmp_path / "words.png")
    page.until("document.getElementById('status').textContent.includes('words.png is no picture')")


@in_browser
def test_the_download_is_the_image(page, see, tmp_path):
    see("digits", precision="float32")
    page.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    page.run("document.getElementById('download').click()")
    path = tmp_path / "dcgan_generator_0.png"
    page.until("true")
    for _ in range(200):
        if path.exists():
            break
        page.run("new Promise((resolve) => setTimeout(resolve, 50))")
    with Image.open(path) as saved:
        np.testing.assert_array_equal(np.asarray(saved.convert("RGB")), pixels(page))


@in_browser
def test_the_policy_is_enforced(page, see):
    see("digits", precision="float32")
    violated = page.run(
        "new Promise((resolve) => {"
        "  document.addEventListener('securitypolicyviolation', (e) => resolve(e.blockedURI));"
        "  const script = document.createElement('script');"
        "  script.textContent = 'window.ran = true';"
        "  document.body.append(script);"
        "})"
    )
    assert violated == "inline" and page.run("window.ran") is None
    assert page.run("fetch('http://127.0.0.2/').then(() => 'sent', () => 'refused')") == "refused"


# ---- a picture of any size, tile by tile

SIZES = [(50, 90), (16, 16), (9, 40)]  # several tiles both ways, one, and less than one


@in_browser
def test_a_picture_of_any_size_is_what_keras_makes_of_the_whole(page, see, tmp_path):
    generator = see("upscaler", precision="float32", tile_size=24)
    assert said(page) == (
        "Ready: choose, drop or paste a picture, and it becomes 2 times as large."
    )
    rng = np.random.default_rng(0)
    for height, width in SIZES:
        picture = rng.integers(0, 256, (height, width, 3), dtype="uint8")
        path = tmp_path / f"{height}x{width}.png"
        Image.fromarray(picture).save(path)
        page.choose_file("#file", path)
        sizes = f"{width}\u00d7{height} to {2 * width}\u00d7{2 * height}, "
        page.until(f"document.getElementById('status').textContent.startsWith('{sizes}')")
        np.testing.assert_array_equal(pixels(page, "before"), picture)
        made = generator.predict(image.from_uint8(picture)[None], verbose=0)[0]
        # Beyond a picture that is smaller than a tile its edges are repeated, and no zeros.
        inner = slice(None) if min(height, width) >= 24 else slice(0, -2 * 3)
        difference = np.abs(pixels(page).astype(int) - image.to_uint8(made))[inner, inner]
        assert difference.max() <= 1
    assert page.complaints() == []
    page.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    page.run("document.getElementById('download').click()")
    saved = tmp_path / f"9x40_{generator.name}.png"
    for _ in range(200):
        if saved.exists():
            break
        page.run("new Promise((resolve) => setTimeout(resolve, 50))")
    with Image.open(saved) as found:
        np.testing.assert_array_equal(np.asarray(found.convert("RGB")), pixels(page))


@in_browser
def test_upscaling_is_stopped_and_goes_on(page, see, tmp_path):
    generator = see("upscaler", precision="float32", tile_size=24)
    picture = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype="uint8")
    Image.fromarray(picture).save(tmp_path / "large.png")
    page.choose_file("#file", tmp_path / "large.png")
    page.until("document.getElementById('progress').value > 2")
    # The page works meanwhile, and no tile comes after the one that is being made.
    page.run("document.getElementById('stop').click()")
    assert said(page).startswith("Stopped: ") and said(page).endswith(
        " tiles of 300\u00d7300 to 600\u00d7600."
    )
    assert page.run("document.getElementById('download').disabled")
    page.run("new Promise((resolve) => setTimeout(resolve, 300))")
    done = page.run("document.getElementById('progress').value")
    page.run("new Promise((resolve) => setTimeout(resolve, 300))")
    assert page.run("document.getElementById('progress').value") == done < 256
    page.run("document.getElementById('stop').click()")
    page.until("!document.getElementById('download').disabled")
    made = generator.predict(image.from_uint8(picture)[None], verbose=0)[0]
    assert largest(pixels(page), made) <= 1
    web_pages.enter(page, "document", "split", 20)
    clip = "getComputedStyle(document.getElementById('image')).clipPath"
    assert page.run(clip) == "inset(0px 0px 0px 20%)"
    Image.new("RGB", (40000, 2)).save(tmp_path / "long.png")
    page.choose_file("#file", tmp_path / "long.png")
    page.until("document.getElementById('status').className === 'failed'")
    assert "becomes 80000\u00d74, and this browser draws none so large" in said(page)
    assert page.run("document.getElementById('download').disabled")
    assert page.complaints() == []


@in_browser
@pytest.mark.parametrize("name", ["digits", "translator", "upscaler"])
def test_wide_and_narrow_light_and_dark(page, see, name):
    see(name, precision="float32")
    backs = set()
    for width in (1280, 400):
        for dark in (False, True):
            page.look(width, 800, dark)
            assert page.run("document.documentElement.scrollWidth") <= width
            backs.add((dark, page.run("getComputedStyle(document.body).backgroundColor")))
    assert backs == {(False, "rgb(255, 255, 255)"), (True, "rgb(24, 26, 28)")}


CONTROLS = "[...document.querySelectorAll('input, select, button')]"
# Of a `fieldset` that is disabled everything inside is, whatever its own attribute says.
ALL_DISABLED = f"{CONTROLS}.length > 3 && {CONTROLS}.every((e) => e.matches(':disabled'))"


def said(page):
    return page.run("document.getElementById('status').textContent")


@pytest.mark.parametrize("name", ["latents", "images", "upscale"])
def test_controls_wait_for_the_generator(name):
    """Also where no script runs at all."""
    source = html_pages.source(f"{name}.html")
    tags = Tags(source).tags
    first = tags[0]
    assert first[0] == "fieldset" and "disabled" in first[1] and first[1]["id"] == "generator"
    closing = source.rstrip().endswith("</fieldset>")
    assert closing and len([1 for tag, _ in tags if tag in ("input", "select", "button")]) > 3


@in_browser
@pytest.mark.parametrize("make", [digits, translator])
def test_a_page_of_which_a_file_is_missing_says_so(page, pages, make):
    folder, address = pages
    name = make.__name__
    whole = web(make(), folder / "of" / name, runtime="../litert")
    lost = {"index.js": folder / "without_index.js" / "litert"}
    for file in ("index.js", "generator.tflite", "model.json"):
        shutil.copytree(folder / "of", folder / f"without_{file}", copy_function=os.link)
        (lost.get(file, folder / f"without_{file}" / whole.name) / file).unlink()
        page.open(f"{address}/without_{file}/{name}/")
        assert page.run("document.getElementById('status').className") == "failed"
        assert file in said(page) and (file == "index.js" or "is missing (404)" in said(page))
        assert page.run(ALL_DISABLED)
        shutil.rmtree(folder / f"without_{file}")
    shutil.rmtree(folder / "of")


@in_browser
def test_a_page_that_is_opened_as_a_file_says_what_to_do(page, see, pages):
    see("digits", precision="float32")
    page.call("Page.navigate", url=(pages[0] / "digits" / "index.html").as_uri())
    page.until("location.protocol === 'file:' && document.readyState === 'complete'")
    assert "opened as a file stays like this: serve its" in said(page)
    assert page.run(ALL_DISABLED)


@in_browser
def test_a_browser_without_webassembly(page, see, pages):
    see("digits", precision="float32")
    stated = page.call(
        "Page.addScriptToEvaluateOnNewDocument", source="delete globalThis.WebAssembly"
    )
    page.open(f"{pages[1]}/digits/")
    page.call("Page.removeScriptToEvaluateOnNewDocument", identifier=stated["identifier"])
    assert "no WebAssembly" in said(page) and page.run(ALL_DISABLED)


@in_browser
def test_controls_are_there_when_the_generator_is(page, see):
    see("digits", precision="float32")
    assert page.run(f"!{CONTROLS}.some((e) => e.id !== 'earlier' && e.matches(':disabled'))")


WRONG_SEEDS = ["0.5", "-1", "", "9007199254740992", "1e400", f"0.{'9' * 20}"]


@in_browser
@pytest.mark.parametrize("control", ["seed", "to"])
def test_a_seed_that_is_none_is_refused(page, see, control):
    see("digits", precision="float32")
    field = f"document.getElementById('{control}')"
    before = pixels(page)
    for wrong in WRONG_SEEDS:
        web_pages.enter(page, "document", control, wrong)
        page.until("document.getElementById('status').className === 'failed'")
        assert "a seed is a whole number from 0 to 9007199254740991" in said(page)
        assert page.run(f"{field}.getAttribute('aria-invalid')") == "true"
        assert page.run("document.getElementById('download').disabled")
        page.run("document.getElementById('play').click()")
        assert page.run("document.getElementById('play').getAttribute('aria-pressed')") == "false"
        set_value(page, control, 3)
        assert page.run("document.getElementById('status').className") == ""
        assert page.run(f"{field}.getAttribute('aria-invalid')") == "false"
        assert not page.run("document.getElementById('download').disabled")
    assert page.complaints() == []  # it is nobody's fault but the visitor's
    assert (pixels(page) == before).all() == (control == "to")


@in_browser
def test_playing_ends_at_the_last_seed(page, see):
    see("digits", precision="float32")
    set_value(page, "to", 2**53 - 1)
    set_value(page, "way", 0.99)
    page.run("document.getElementById('play').click()")
    page.until("document.getElementById('status').className === 'failed'")
    page.until("document.getElementById('play').getAttribute('aria-pressed') === 'false'")
    assert page.run("document.getElementById('seed').value") == str(2**53 - 1)


@in_browser
def test_a_translator_without_examples_asks_for_a_picture(page, pages, tmp_path):
    folder, address = pages
    web(translator(), folder / "no_examples", runtime="../litert")
    page.open(f"{address}/no_examples/")
    assert said(page) == (
        "Ready: choose, drop or paste a picture, and it appears here beside its translation."
    )
    seen = "document.getElementById('{}').checkVisibility()"
    assert not page.run(seen.format("before")) and page.run(seen.format("drop"))
    Image.new("RGB", (64, 32), "red").save(tmp_path / "red.png")
    page.choose_file("#file", tmp_path / "red.png")
    page.until("document.getElementById('status').textContent.endsWith(' ms')")
    assert page.run(seen.format("before")) and page.run(seen.format("image"))


@in_browser
def test_a_browser_without_relaxed_simd_takes_the_other_files(page, see):
    stated = page.call(
        "Page.addScriptToEvaluateOnNewDocument",
        # The 36 bytes are those that LiteRT.js tries the browser with.
        source="const whole = WebAssembly.instantiate; WebAssembly.instantiate = (bytes, ...rest)"
        " => bytes.length === 36 ? Promise.reject('no') : whole(bytes, ...rest)",
    )
    generator = see("digits", precision="float32")
    page.call("Page.removeScriptToEvaluateOnNewDocument", identifier=stated["identifier"])
    assert any(url.endswith("/litert_wasm_compat_internal.wasm") for url in page.requests())
    made = generator.predict(latent.sample(1, 64, seed=0), verbose=0)[0]
    assert largest(pixels(page), made) <= LEVELS["float32"]
