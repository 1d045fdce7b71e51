"""The documents: their links lead somewhere, their code is code, their commands are commands."""

import re
from pathlib import Path

import numpy as np
import pytest

from keras_gans import image, zoo
from keras_gans.zoo.presets import weights_file

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "benchmarks/*.md", "zoo/*.md", "zoo/presets/*/*.md")
    for path in ROOT.glob(pattern)
)


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


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


@pytest.mark.parametrize("name", zoo.list_presets(trained=True))
def test_the_gallery_shows_each_preset_as_it_is(name):
    page, card = (ROOT / "docs/gallery.html").read_text(), zoo.card(name)
    sections = re.findall(rf'<section id="{name}(?:\.\w+)?".*?</section>', page, re.DOTALL)
    generators = [part for part in card.parts if part.endswith("generator")]
    assert len(sections) == len(generators)
    for section, part in zip(sections, generators):
        # Written of the weights that ship, and not of earlier ones.
        assert card.sha256[weights_file(part)] in section
    for protocol, found in card.numbers.items():
        shown = f"<dt>{protocol}</dt><dd>{found['value']:.3g}"
        # The numbers of a way stand with the generator of that way.
        assert [shown in section.replace("<wbr>", "") for section in sections].count(True) == 1


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
