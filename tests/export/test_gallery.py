import base64
import gzip
import hashlib
import html.parser
import json
import re
import shutil

import numpy as np
import pytest
import web_pages
from PIL import Image
from web_pages import DIGITS, LEVELS, browser_lacks, digits, largest, translator

import keras_gans
from keras_gans import gallery_entries, image, latent
from keras_gans.export.gallery import Entry, write
from keras_gans.files import sha256
from keras_gans.zoo.catalog.presets import weights_file

networks = keras_gans.networks


def conditional():
    return networks.conditional_dcgan_generator((16, 16, 1), 3, latent_dim=6, width=4)


class Elements(html.parser.HTMLParser):
    """The tags of a page, and what scripts and styles hold, by their attributes."""

    def __init__(self, path):
        super().__init__()
        self.tags, self.texts, self.open = [], [], None
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.open = (tag, dict(attributes)) if tag in ("script", "style") else None

    def handle_endtag(self, tag):
        self.open = None

    def handle_data(self, data):
        if self.open:
            self.texts.append((*self.open, data))

    def text(self, name):
        (found,) = [text for _, attributes, text in self.texts if attributes.get("id") == name]
        return found

    def about(self):
        return json.loads(self.text("controls:about"))


def unpacked(path, part):
    """What a page finds in a script of its folder."""
    text = (path.parent / part["file"]).read_text()
    content = re.search(f'^held\\["{part["key"]}"\\] = "(.*)";$', text, re.MULTILINE)[1]
    assert len(content) == part["bytes"]
    packed = base64.b64decode(content, validate=True)
    assert hashlib.sha256(packed).hexdigest() == part["key"]
    return gzip.decompress(packed)


# ---- what is written


def test_what_the_page_holds(tmp_path, packages):
    entries = [
        Entry(name="a", generator=digits()),
        Entry(name="b", generator=conditional(), class_names=["x", "y", "</script>"]),
    ]
    path = write(tmp_path / "gallery.html", entries, packages=packages)
    assert path == tmp_path / "gallery.html"
    assert {p.name for p in tmp_path.iterdir()} == {"gallery.html", "gallery", "packages"}
    files = {p.name for p in (tmp_path / "gallery").iterdir()}
    assert files == {"runtime.js", "a.generator.js", "b.generator.js"}
    about = Elements(path).about()
    runtime = {name: unpacked(path, part) for name, part in about["runtime"].items()}
    # The runtime, as it is in the package: a test of litert_js.py says so of what that unpacks.
    assert runtime["wasm"].endswith(b"// wasm/litert_wasm_compat_internal.wasm")
    assert runtime["loader"].endswith(b"// wasm/litert_wasm_compat_internal.js")
    assert b'"./wasm_utils.js"' in runtime["index"]
    told = about["entries"]
    assert [(e["title"], e["kind"], e["choices"]) for e in told] == [
        ("a", "noise", []),
        ("b", "classes", [{"name": "labels", "classes": ["x", "y", "</script>"]}]),
    ]
    for entry, about in zip(entries, told):
        content = unpacked(path, about["model"])
        assert content[4:8] == b"TFL3"
        (tmp_path / "unpacked.tflite").write_bytes(content)
        report = keras_gans.export.check(tmp_path / "unpacked.tflite", entry.generator)
        assert report.format == "TFLite float16"


@pytest.mark.parametrize(
    "name", ["dcgan_digits_28", "acgan_fashion_mnist_28", "cyclegan_map_satellite_64"]
)
def test_entries_of_presets_say_what_their_cards_say(name):
    card, entries = keras_gans.zoo.card(name), gallery_entries.of_preset(name)
    assert len(entries) == 1 + name.startswith("cyclegan")
    assert [entry.name for entry in entries] == [name, f"{name}.backward_generator"][: len(entries)]
    for entry in entries:
        part = "generator" if entry.name == name else "backward_generator"
        assert dict(entry.facts)["SHA-256 of the weights"] == card.sha256[weights_file(part)]
        assert entry.picture == card.folder / "samples.png"
    for protocol, found in card.numbers.items():
        shown = [text for entry in entries for label, text in entry.measured if label == protocol]
        # The numbers of a direction stand with the generator of that direction.
        assert len(shown) == 1 and shown[0].startswith(f"{found['value']:.3g}")


def test_the_page_of_a_preset(tmp_path, packages):
    (entry,) = gallery_entries.of_preset("dcgan_digits_28")
    text = write(tmp_path / "g.html", entry, packages=packages).read_text()
    (section,) = re.findall('<section id="dcgan_digits_28".*?</section>', text, re.DOTALL)
    shown = section.replace("<wbr>", "")
    for label, value in [*entry.facts, *entry.measured]:
        assert f"<dt>{label}</dt><dd>{value}</dd>" in shown


def test_the_same_entries_make_the_same_page(tmp_path, packages):
    entry = Entry(name="a", generator=digits())
    a, b = (write(tmp_path / n / "g.html", [entry], packages=packages) for n in "ab")
    assert sha256(a) == sha256(b)
    for name in ("runtime.js", "a.generator.js"):
        assert sha256(a.parent / "g" / name) == sha256(b.parent / "g" / name)


def test_no_name_is_in_the_way_of_another(tmp_path, packages):
    names = ["latents", "images", "entries", "runtime", "controls", "wasm"]
    entries = [Entry(name=name, generator=digits()) for name in names]
    found = Elements(write(tmp_path / "g.html", entries, packages=packages))
    # What is in a template is copied into trees of their own.
    inside, ids = False, []
    for tag, attributes in found.tags:
        inside = inside or tag == "template"
        inside = inside and tag != "script"
        if "id" in attributes and (tag == "template" or not inside):
            ids.append(attributes["id"])
    assert set(names) <= set(ids) and len(set(ids)) == len(ids)


def test_texts_are_escaped(tmp_path, packages):
    Image.new("L", (8, 8)).save(tmp_path / "samples.png")
    entry = Entry(
        name="a",
        generator=digits(),
        title='<b>"bold"',
        description="<i>",
        picture=tmp_path / "samples.png",
        facts=[("<dt>", "<dd>"), ("frechet_v1", 0.5)],
    )
    path = write(tmp_path / "g.html", [entry], title="</title>", description="&", packages=packages)
    text = path.read_text()
    assert "<title>&lt;/title&gt;</title>" in text and "<p>&amp;</p>" in text
    assert "<h2>&lt;b&gt;&#34;bold&#34;</h2>" in text and "<p>&lt;i&gt;</p>" in text
    assert "<dt>&lt;dt&gt;</dt><dd>&lt;dd&gt;</dd>" in text
    assert "<dt>frechet_<wbr>v1</dt><dd>0.5</dd>" in text
    found = Elements(path)
    assert not {tag for tag, _ in found.tags} & {"b", "i"}
    assert 'Samples of <b>"bold"' in [a.get("alt") for _, a in found.tags]


def test_the_page_is_under_a_policy_and_keeps_to_it(tmp_path, packages):
    path = write(tmp_path / "g.html", [Entry(name="a", generator=digits())], packages=packages)
    found = Elements(path)
    (policy,) = [a["content"] for _, a in found.tags if a.get("http-equiv")]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    hashes = {}
    for tag, attributes, text in found.texts:
        if tag == "style" or attributes.get("type") == "module":
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            hashes[tag] = f"'sha256-{digest}'"
    assert rules == {
        "default-src": "'none'",
        "script-src": f"{hashes['script']} 'self' blob: 'wasm-unsafe-eval'",
        "style-src": hashes["style"],
        "img-src": "blob: data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    for _, attributes in found.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("src", "href"):
            assert not attributes.get(name) or attributes[name].startswith(("data:", "#"))
    (script,) = [text for _, attributes, text in found.texts if attributes.get("type") == "module"]
    assert not re.search(r"https?://|innerHTML|\beval\b|^import |^export ", script, re.MULTILINE)


def test_cards_and_sections(tmp_path, packages):
    samples = np.zeros((40, 16, 3), "uint8")
    samples[:16] = 200
    Image.fromarray(samples).save(tmp_path / "samples.png")
    entries = [
        Entry(name="a.b-c_d", generator=digits(), picture=tmp_path / "samples.png"),
        Entry(name="t", generator=translator(), examples=[samples, tmp_path / "samples.png"]),
    ]
    path = write(tmp_path / "g.html", entries, packages=packages)
    found = Elements(path)
    links = [a["href"] for tag, a in found.tags if tag == "a"]
    assert links == ["#a.b-c_d", "#t"]
    sections = [a for tag, a in found.tags if tag == "section" and "data-kind" in a]
    assert [(a["id"], a["data-kind"]) for a in sections] == [
        ("a.b-c_d", "noise"),
        ("t", "translators"),
    ]
    choices = [a["value"] for _, a in found.tags if a.get("name") == "kind"]
    assert choices == ["all", "noise", "translators"]
    card, shown = [a for tag, a in found.tags if tag == "img"]
    assert (card["width"], card["height"]) == ("16", "16")  # the top of the samples
    assert (shown["width"], shown["height"]) == ("16", "40")
    about = found.about()["entries"][1]
    for address in about["examples"]:
        kind, _, content = address.partition(",")
        assert kind == "data:image/png;base64"
        (tmp_path / "example.png").write_bytes(base64.b64decode(content))
        with Image.open(tmp_path / "example.png") as example:
            np.testing.assert_array_equal(np.asarray(example), samples)


def test_what_was_measured_is_folded_away(tmp_path, packages):
    entries = [
        Entry(
            name="a",
            generator=digits(),
            facts=[("GAN", "DCGAN")],
            measured=[("frechet2500_<cnn>", "0.5"), ("recall", "0.7")],
        ),
        Entry(name="b", generator=digits()),
    ]
    text = write(tmp_path / "g.html", entries, packages=packages).read_text()
    a, b = re.findall(r'<section id="\w".*?</section>', text, re.DOTALL)
    (folded,) = re.findall(r"<details>\n<summary>Measured</summary>(.*?)</details>", a, re.DOTALL)
    assert "<dt>frechet2500_<wbr>&lt;cnn&gt;</dt><dd>0.5</dd>" in folded and "recall" in folded
    assert "DCGAN" not in folded and "DCGAN" in a and "<details" not in b


def test_large_pictures_of_samples_are_packed_tighter(tmp_path, packages):
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype="uint8")
    Image.fromarray(noise).save(tmp_path / "samples.png")
    entry = Entry(name="a", generator=digits(), picture=tmp_path / "samples.png")
    found = Elements(write(tmp_path / "g.html", [entry], packages=packages))
    shown = [a["src"] for tag, a in found.tags if tag == "img"][1]
    assert shown.startswith("data:image/webp;base64,")
    assert len(shown) < (tmp_path / "samples.png").stat().st_size


def test_large_generators_are_stored_in_8_bits(tmp_path, packages, monkeypatch):
    monkeypatch.setattr("keras_gans.export.gallery._LARGE", 10)
    entries = [
        Entry(name="large", generator=digits()),
        Entry(name="told", generator=digits(), precision="float32"),
    ]
    path = write(tmp_path / "g.html", entries, packages=packages)
    told = Elements(path).about()["entries"]
    assert [about["precision"] for about in told] == ["dynamic", "float32"]
    assert "MB, 8-bit weights" in path.read_text() and "MB, float32 weights" in path.read_text()


def test_the_old_name_of_an_entry():
    with pytest.warns(DeprecationWarning, match=r"gallery\.Entry"):
        assert keras_gans.export.gallery.Exhibit is Entry


# ---- what is refused


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "two words"}, "part of an address.*'two words'"),
        ({"name": ""}, "part of an address"),
        ({"generator": None}, "Expected a generator.*None"),
        ({"generator": "dcgan"}, "Expected a generator.*'dcgan'"),
        ({"class_names": ["a"]}, "Expected 0 for"),
        ({"examples": ["a.png"]}, "Leave `examples` out"),
        ({"precision": "int4"}, "precision"),
        ({"categorical": (4,), "continuous": 2}, "Expected 7 latents or more"),
    ],
)
def test_refused_entries(options, message, tmp_path, packages):
    entry = Entry(**{"name": "a", "generator": digits(), **options})
    with pytest.raises(ValueError, match=message):
        write(tmp_path / "g.html", [entry], packages=packages)
    assert {p.name for p in tmp_path.iterdir()} == {"packages"}


def test_an_example_that_is_none(tmp_path, packages):
    entry = Entry(name="a", generator=translator(), examples=[np.zeros((32, 64, 3))])
    with pytest.raises(ValueError, match=r"Received: float64 of shape \(32, 64, 3\)"):
        write(tmp_path / "g.html", [entry], packages=packages)


@pytest.mark.parametrize(
    ("make", "options"),
    [(digits, {"picture": "nowhere.png"}), (translator, {"examples": ["nowhere.png"]})],
)
def test_pictures_that_are_missing(make, options, tmp_path, packages):
    with pytest.raises(FileNotFoundError, match=r"no such picture.*nowhere\.png"):
        write(
            tmp_path / "g.html", [Entry(name="a", generator=make(), **options)], packages=packages
        )


def test_names_that_are_there_twice(tmp_path, packages):
    entries = [Entry(name=name, generator=digits()) for name in "aba"]
    with pytest.raises(ValueError, match="name of its own.*'a', 2 times"):
        write(tmp_path / "g.html", entries, packages=packages)


def test_no_entries(tmp_path, packages):
    with pytest.raises(ValueError, match=r"Received: \[\]"):
        write(tmp_path / "g.html", [], packages=packages)


def test_paths(tmp_path, packages):
    entry = Entry(name="a", generator=digits())
    with pytest.raises(ValueError, match=r"something\.html"):
        write(tmp_path / "gallery", [entry], packages=packages)
    (tmp_path / "g.html").write_text("mine")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        write(tmp_path / "g.html", [entry], packages=packages)
    assert (tmp_path / "g.html").read_text() == "mine"
    (tmp_path / "g").mkdir()
    (tmp_path / "g/mine.txt").write_text("mine")
    with pytest.raises(
        FileExistsError, match="something else than a gallery's folder at that path"
    ):
        write(tmp_path / "g.html", [entry], packages=packages, overwrite=True)
    assert (tmp_path / "g/mine.txt").read_text() == (tmp_path / "g.html").read_text() == "mine"
    (tmp_path / "g/mine.txt").unlink()
    (tmp_path / "g").rmdir()
    write(tmp_path / "g.html", [entry], packages=packages, overwrite=True)
    assert (tmp_path / "g.html").read_text() != "mine"
    write(tmp_path / "g.html", [entry], packages=packages, overwrite=True)
    (tmp_path / "g.html").unlink()
    with pytest.raises(FileExistsError, match="overwrite=True"):
        write(tmp_path / "g.html", [entry], packages=packages)


def test_a_runtime_that_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="npm pack"):
        write(tmp_path / "g.html", [Entry(name="a", generator=digits())], packages=tmp_path)
    assert not list(tmp_path.iterdir())


# ---- in a browser

in_browser = pytest.mark.slow  # starts a browser


def coded():
    """An InfoGAN with weights as large as trained ones."""
    generator, rng = digits(), np.random.default_rng(0)
    generator.set_weights(
        [0.5 * rng.normal(size=w.shape) if w.ndim > 1 else w for w in generator.get_weights()]
    )
    discriminator = networks.infogan_discriminator(
        (16, 16, 1), width=4, categorical=(2,), continuous=1
    )
    return keras_gans.InfoGAN(generator, discriminator, categorical=(2,), continuous=1)


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """A gallery, and its generators by name."""
    if reason := browser_lacks():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("gallery")
    picture = np.random.default_rng(0).integers(0, 256, (32, 64, 3), dtype="uint8")
    generators = {
        "told": keras_gans.zoo.load("conditional_gan_digits_28"),
        "coded": coded().inference_generator,
        "translator": translator(),
    }
    more = {
        "told": {"class_names": DIGITS},
        "coded": {"categorical": (2,), "continuous": 1},
        "translator": {"examples": [picture]},
    }
    path = write(
        folder / "gallery.html",
        [Entry(name=n, generator=g, **more[n]) for n, g in generators.items()],
    )
    return path, generators, picture


@pytest.fixture
def opened(page, shown):
    """The gallery, opened as a file."""
    path, generators, picture = shown
    page.look(1280, 900)
    page.events.clear()
    page.call("Page.navigate", url="about:blank")  # the same address again would only scroll
    page.call("Page.navigate", url=path.as_uri())
    page.until("location.protocol === 'file:' && document.readyState === 'complete'")
    yield page, generators, picture
    assert page.complaints() == []
    others = [url for url in page.requests() if not url.startswith(("blob:", "data:", "about:"))]
    folder = path.with_suffix("").as_uri()
    assert others[0] == path.as_uri() and all(url.startswith(f"{folder}/") for url in others[1:])


def tree(name):
    return f"document.getElementById('live:{name}').shadowRoot"


def element(name, inside):
    return f"{tree(name)}.getElementById('{inside}')"


def settled(page, name):
    page.until(f"/ ms$|^This did not/.test({element(name, 'status')}.textContent)")


def visit(page, name):
    page.run(f"document.getElementById('live:{name}').scrollIntoView()")
    settled(page, name)


def set_value(page, name, control, value):
    web_pages.set_value(page, tree(name), control, value)


def pixels(page, name, canvas="image"):
    return web_pages.pixels(page, element(name, canvas))


@in_browser
def test_nothing_is_unpacked_before_it_is_seen(opened):
    page, *_ = opened
    page.run("new Promise((resolve) => setTimeout(resolve, 300))")
    assert not [url for url in page.requests() if "translator" in url]
    assert page.run(f"{element('translator', 'status')}.textContent") == "Loading."
    assert page.run(f"{element('translator', 'image')}.width") == 64  # the place is kept
    assert page.run(f"{element('translator', 'file')}.matches(':disabled')")
    visit(page, "translator")
    assert not page.run(f"{element('translator', 'file')}.matches(':disabled')")


@in_browser
def test_a_folder_that_is_missing_or_of_another_page(page, shown, tmp_path):
    path, *_ = shown
    moved = tmp_path / "gallery.html"
    disabled = f"{element('translator', 'file')}.matches(':disabled')"
    moved.write_bytes(path.read_bytes())

    def told():
        page.call("Page.navigate", url="about:blank")
        page.call("Page.navigate", url=moved.as_uri())
        page.until("location.protocol === 'file:' && document.readyState === 'complete'")
        visit(page, "translator")
        return page.run(f"{element('translator', 'status')}.textContent")

    assert "gallery/runtime.js could not be loaded. Keep the folder beside" in told()
    assert page.run(disabled)
    shutil.copytree(path.with_suffix(""), tmp_path / "gallery")
    other = tmp_path / "gallery/translator.generator.js"
    other.write_text(re.sub(r'\["\w+"\]', '["0"]', other.read_text()))
    assert "translator.generator.js is of another page" in told()
    page.events.clear()


@in_browser
def test_latents_and_classes_are_those_of_keras(opened):
    page, generators, _ = opened
    visit(page, "told")

    def differ(z, label):
        made = generators["told"].predict([z, np.array([label])], verbose=0)
        return largest(pixels(page, "told"), made[0])

    z = latent.sample(1, 64, seed=0)
    assert differ(z, 0) <= LEVELS["float16"]
    assert differ(z, 3) > 50  # the measure tells two images apart
    names = page.run(f"[...{element('told', 'label')}.options].map((option) => option.text)")
    assert names == DIGITS
    set_value(page, "told", "label", 3)
    assert differ(z, 3) <= LEVELS["float16"]
    set_value(page, "told", "seed", 7)
    set_value(page, "told", "truncation", 0.5)
    assert differ(latent.sample(1, 64, 7, 0.5), 3) <= LEVELS["float16"]
    set_value(page, "told", "to", 8)
    set_value(page, "told", "way", 0.25)
    ends = [latent.sample(1, 64, seed, 0.5)[0] for seed in (7, 8)]
    assert differ(latent.slerp(*ends, [0.25]), 3) <= LEVELS["float16"]


@in_browser
def test_codes_are_those_of_keras(opened):
    page, *_ = opened
    visit(page, "coded")
    set_value(page, "coded", "seed", 5)
    for label, code in ((1, -1.5), (0, 0.5)):
        set_value(page, "coded", "label", label)
        set_value(page, "coded", "direction_0", code)
        made = coded().generate(1, categorical=label, continuous=[code], seed=5)[0]
        assert largest(pixels(page, "coded"), made) <= LEVELS["float16"]
        other = coded().generate(1, categorical=1 - label, continuous=[code], seed=5)[0]
        assert largest(pixels(page, "coded"), other) > 50


@in_browser
def test_translations_are_those_of_keras(opened, tmp_path):
    page, generators, picture = opened
    visit(page, "translator")

    def expected(given):
        return generators["translator"].predict(image.from_uint8(given)[None], verbose=0)[0]

    np.testing.assert_array_equal(pixels(page, "translator", "before"), picture)
    assert largest(pixels(page, "translator"), expected(picture)) <= LEVELS["float16"]
    # Dropping one's own.
    other = picture[::-1]
    Image.fromarray(other).save(tmp_path / "other.png")
    content = base64.b64encode((tmp_path / "other.png").read_bytes()).decode()
    page.run(
        "(() => { const data = new DataTransfer();"
        f"const bytes = Uint8Array.from(atob('{content}'), (c) => c.charCodeAt(0));"
        "data.items.add(new File([bytes], 'other.png', {type: 'image/png'}));"
        f"{element('translator', 'status')}.textContent = '';"
        f"{element('translator', 'drop')}.dispatchEvent("
        "new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true})) })()"
    )
    settled(page, "translator")
    np.testing.assert_array_equal(pixels(page, "translator", "before"), other)
    assert largest(pixels(page, "translator"), expected(other)) <= LEVELS["float16"]


@in_browser
def test_cards_filter_and_keyboard(opened):
    page, *_ = opened
    page.run("document.querySelector('[value=translators]').click()")
    seen = "[...document.querySelectorAll('{}')].filter((e) => e.checkVisibility()).length"
    assert page.run(seen.format("main > section")) == 1
    assert page.run(seen.format(".cards li")) == 1
    page.run("document.querySelector('[value=all]').click()")
    assert page.run(seen.format("main > section")) == 3
    page.run("document.querySelector('.cards a[href=\"#coded\"]').focus()")
    page.press("Enter")
    page.until("location.hash === '#coded'")
    settled(page, "coded")
    reached = set()
    for _ in range(20):
        page.press("Tab")
        reached.add(page.run("document.activeElement.shadowRoot?.activeElement?.id"))
    assert {"download", "seed", "label", "truncation", "to", "play", "way", "reset"} <= reached


@in_browser
def test_wide_and_narrow_light_and_dark(opened):
    page, *_ = opened
    backs = set()
    for width in (1280, 500, 400):
        for dark in (False, True):
            page.look(width, 800, dark)
            assert page.run("document.documentElement.scrollWidth") <= width
            backs.add((dark, page.run("getComputedStyle(document.body).backgroundColor")))
    assert backs == {(False, "rgb(255, 255, 255)"), (True, "rgb(24, 26, 28)")}
