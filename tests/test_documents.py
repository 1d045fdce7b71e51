"""The documents: their links lead somewhere, their code is code, their commands are commands."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import snippets
from snippets import blocks

import keras_gans
from keras_gans import cli, image, zoo
from keras_gans.zoo import publishing
from keras_gans.zoo.catalog import cards

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted(
    path
    for pattern in (
        *("*.md", "docs/**/*.md", "benchmarks/*.md", "zoo/*.md", "zoo/presets/*/*.md"),
        "keras_gans/metrics/classifiers/*/*.md",
    )
    for path in ROOT.glob(pattern)
)
WITH_EXAMPLES = [str(p.relative_to(ROOT)) for p in DOCUMENTS if "```python\n" in p.read_text()]
TRAINED = {name: zoo.card(name) for name in zoo.list_presets(origin="trained")}


def anchors(text):
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere_and_code_compiles(path):
    text = path.read_text()
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if not target.startswith("http"):
            file, _, anchor = target.partition("#")
            linked = path.parent / file if file else path
            assert linked.exists(), target
            assert not anchor or anchor in anchors(linked.read_text()), target
    for code in blocks(text, "python"):
        compile(code, str(path), "exec")
    assert not re.search(r"\{[A-Z]+\}", text), "a number was to be filled in"


def test_the_first_two_bash_blocks_of_the_readme_are_one_command_each():
    first, second = blocks((ROOT / "README.md").read_text(), "bash")[:2]
    assert first.count("\n") == second.count("\n") == 1
    assert "keras-gans train" in first and "pytest" in second


@pytest.mark.slow  # a step at 64x64
def test_fine_tuning_a_preset_is_the_five_lines_that_the_page_shows(tmp_path, monkeypatch):
    text = (ROOT / "docs/presets.md").read_text()
    (code,) = blocks(text[text.index("## Fine-tune") :].split("\n## ")[0], "python")
    assert len(code.split("\n\n")[1].splitlines()) <= 5
    pictures = np.random.default_rng(0).uniform(-1, 1, (32, 64, 64, 3))
    for number, picture in enumerate(pictures):
        image.save(picture, tmp_path / f"pictures/{number}.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "data"))
    scope = {}
    exec(code.replace("path/to/pictures", "pictures").replace("epochs=20", "epochs=1"), scope)
    assert int(scope["gan"].generator_optimizer.iterations) == 1
    assert (tmp_path / "mine.png").exists() and list((tmp_path / "samples").iterdir())


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A place for data that examples prepare, shared by the pages."""
    return tmp_path_factory.mktemp("prepared")


@pytest.mark.parametrize("page", WITH_EXAMPLES)
def test_the_examples_of_a_page_run_in_order(page, prepared, tmp_path, monkeypatch):
    text = (ROOT / page).read_text()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TFDS_DATA_DIR", str(prepared / "data"))
    monkeypatch.setenv("KERAS_GANS_CACHE", str(prepared / "cache"))
    snippets.write_files(tmp_path, text)
    with snippets.short():
        snippets.run(page, text)


def commands():
    """Every `keras-gans` line of a block, and every one in the first column of a table."""
    for path in DOCUMENTS:
        text = path.read_text()
        inside = "\n".join(blocks(text, "bash")) + "\n"
        inside += "\n".join(re.findall(r"^    (keras-gans .*)$", text, re.MULTILINE))
        inside += "\n" + "\n".join(re.findall(r"^\| `(keras-gans [^`]*)`", text, re.MULTILINE))
        for line in inside.replace("\\\n", " ").splitlines():
            # What is in square brackets is left out, or stands for a value.
            found = re.search(r"keras-gans (.*)", re.sub(r"\[[^]]*\]", "", line))
            if found and "pip install" not in found[0]:
                yield found[0]


def test_the_commands_of_the_pages_can_be_read():
    found = set(commands())
    for command in found:
        assert cli.parse(shlex.split(command, comments=True)).do, command
    assert len(found) > 40


def test_a_saved_gan_opens_in_a_fresh_process_as_the_readme_says(tmp_path):
    text = (ROOT / "README.md").read_text()
    (example,) = [code for code in blocks(text, "python") if "load_model" in code]
    lines = example.split("gan.fit")[0] + "gan.generate(2, seed=0).tofile('images')"
    gan = keras_gans.DCGAN(
        keras_gans.networks.dcgan_generator((16, 16, 1), latent_dim=4, width=4),
        keras_gans.networks.dcgan_discriminator((16, 16, 1), width=4),
    )
    # Of our own kinds, which Keras knows once this library is imported.
    rate = keras_gans.schedules.LinearDecay(1e-3, 1, 1)
    gan.compile(keras_gans.optimizers.OptimisticAdam(rate), keras.optimizers.Adam())
    gan.save(tmp_path / "gan.keras")
    subprocess.run([sys.executable, "-c", lines], cwd=tmp_path, check=True, capture_output=True)
    made = np.fromfile(tmp_path / "images", "float32").reshape(2, 16, 16, 1)
    np.testing.assert_allclose(made, gan.generate(2, seed=0), atol=1e-6)
    keras.utils.clear_session()


# ---- numbers of presets, wherever they are named


def test_the_comparison_is_written_from_what_was_measured():
    page = (ROOT / "docs/choosing.md").read_text()
    assert cards.facts_in(page) == publishing.comparison()


def said_of(card, features=""):
    """What a page may say of a preset: the head of a column to the value, of those features."""
    values = {
        cards.metric_of(name): found["value"]
        for name, found in reversed(card.numbers.items())
        if features in ("", cards.features_of(name))
    }
    return {**values, "steps": card.made["steps"], "minutes": card.made["minutes"]}


def agrees(text, value):
    """Is a number what a value is, rounded to as many places?"""
    shown = float(re.search(r"[\d.]+", text.replace(",", ""))[0]) / (100 if "%" in text else 1)
    places = len(text.split("%")[0].strip().partition(".")[2].split()[0]) if "." in text else 0
    places += 2 * ("%" in text)
    return abs(shown - value) <= 0.5001 * 10**-places


def rows_of_presets():
    for path in DOCUMENTS:
        heads = []
        for line in path.read_text().splitlines():
            cells = [cell.strip() for cell in line.split("|")[1:-1]]
            heads = (heads or cells) if cells else []
            for name in TRAINED:
                if cells and re.search(rf"[`\[/]{name}[`\]/]", cells[0]) and "same" not in cells[0]:
                    yield path, name, dict(zip([h.lower() for h in heads], cells))


def test_rows_that_name_a_preset_say_what_was_measured():
    seen = 0
    for path, name, row in rows_of_presets():
        for head, value in said_of(TRAINED[name], row.get("features", "").strip("`")).items():
            text = row.get(head, "").split("(")[0]
            if re.search(r"\d", text):
                seen += 1
                assert agrees(text, value), (path, name, head, text, value)
    assert seen > 60


def test_paragraphs_about_a_preset_say_what_was_measured():
    seen = 0
    for path in DOCUMENTS:
        for part in re.split(r"\n\s*\n", path.read_text()):
            named = re.match(r"\[?`(\w+)`\]?(\([^)]*\))?:", part)
            if not named or named[1] not in TRAINED:
                continue
            values = said_of(TRAINED[named[1]])
            for pattern, of in {
                r"([\d,]+) (?:generator )?steps": "steps",
                r"(\d+) minutes": "minutes",
                r"Frechet distance (?:of )?([\d.]*\d)": "frechet",
                r"precision (?:of )?([\d.]*\d)": "precision",
                r"recall (?:of )?([\d.]*\d)": "recall",
            }.items():
                if found := re.search(pattern, part):
                    seen += 1
                    assert agrees(found[1], values[of]), (path, named[1], found[0], values[of])
    assert seen > 8


@pytest.mark.parametrize("name", TRAINED)
def test_the_prose_of_a_card_says_the_minutes_of_its_training(name):
    card = TRAINED[name]
    for said in re.findall(r"([\d.]+) minutes", card.text):
        assert agrees(said, card.made["minutes"])
