"""The report of a run: from files alone, without a training."""

import base64
import json
from xml.etree import ElementTree

import numpy as np
import pytest

import keras_gans
import tiny
from keras_gans import zoo
from keras_gans.zoo.runs.curves import curves
from keras_gans.zoo.runs.report import write_report

LINES = [
    {"epoch": 1, "generator_loss": 0.5, "discriminator_loss": -1.25},
    {"epoch": 2, "generator_loss": float("nan"), "discriminator_loss": 2.0},
    {"epoch": 3, "generator_loss": 1.5},
]
TIMES = {"seconds": 30.0, "steps_per_second": 0.5}
HOSTILE = "<script>alert(1)</script> & {{ 7 * 6 }}"


def titles(svg):
    return [title.text for title in ElementTree.fromstring(svg).iter("title")]


def test_every_value_of_a_curve_has_its_title():
    assert titles(curves(LINES, ["generator_loss", "discriminator_loss"])) == [
        "generator_loss 0.5, epoch 1",
        "generator_loss 1.5, epoch 3",
        "discriminator_loss -1.25, epoch 1",
        "discriminator_loss 2, epoch 2",
    ]


def test_curves_are_the_same_every_time_and_name_no_address():
    first = curves(LINES, ["generator_loss"])
    assert first == curves(LINES, ["generator_loss"]) != curves(LINES, ["discriminator_loss"])
    assert "http" not in first and "xmlns" not in first and "ns0" not in first
    svg = ElementTree.fromstring(first)
    referenced = {use.get("href") for use in svg.iter("use")}
    assert referenced and referenced <= {f"#{e.get('id')}" for e in svg.iter() if e.get("id")}


def test_curves_leave_the_programs_own_plots_alone():
    import matplotlib

    before = dict(matplotlib.rcParams)
    curves(LINES, ["generator_loss"])
    assert dict(matplotlib.rcParams) == before


def test_names_in_curves_are_escaped():
    svg = curves([{"epoch": 1, "<b>loss": 1.0}, {"epoch": 2, "<b>loss": 2.0}], ["<b>loss"])
    assert "<b>" not in svg and titles(svg)[0] == "<b>loss 1, epoch 1"


@pytest.fixture
def run(tmp_path):
    """A run's folder as three epochs and an evaluation leave it."""
    folder = tmp_path / "a <run>"
    (folder / "samples").mkdir(parents=True)
    for epoch in range(9):
        keras_gans.image.save(np.zeros((4, 4, 1)), folder / f"samples/epoch_{epoch:04d}.png")
    (folder / "metrics.jsonl").write_text(
        "".join(
            json.dumps(
                {
                    "epoch": n,
                    "seconds": 30.0,
                    "steps_per_second": 0.5,
                    "d_loss": n / 2,
                    "fid9": 3.0 - n,
                }
            )
            + "\n"
            for n in (1, 2, 3)
        )
    )
    (folder / "health.jsonl").write_text(json.dumps({"epoch": 2, "text": HOSTILE}) + "\n")
    number = {"value": 1.23456, "low": 1.0, "high": 2.0}
    results = {
        "epoch": 3,
        "measured": {"fid9": number, "kid9": {**number, "low": None, "high": None}},
        "floor": {"fid9": {**number, "value": 0.5}},
        "yardsticks": {HOSTILE: {"kid9": number}},
        "memorization": {"share": 0.375, "number": 9},
        "nearest": 0.25,
    }
    (folder / "evaluation.json").write_text(json.dumps(results))
    keras_gans.image.save(np.ones((4, 4, 1)), folder / "neighbors.png")
    return folder


def test_a_report_holds_all_that_the_folder_does_and_escapes_it(run):
    recipe = zoo.Recipe({**tiny.RECIPE, "description": HOSTILE})
    path = write_report(run, recipe)
    page = path.read_text()
    assert write_report(run, recipe).read_text() == page
    assert "<script>" not in page and "42" not in page.split("<h2>Samples")[0]
    assert "a &lt;run&gt;" in page and page.count("&lt;script&gt;") >= 4
    assert "3 epochs, 45 steps, 1.5 minutes" in page
    assert "http" not in page and page.count("<svg") == 2
    captions = [f"<figcaption>epoch {n}</figcaption>" for n in (0, 2, 3, 5, 6, 8)]
    assert all(caption in page for caption in captions)
    assert page.count("<figcaption>epoch") == 6
    row = '<tr><td>fid9</td><td title="1 to 2">1.235</td><td title="1 to 2">0.5</td><td>-</td></tr>'
    assert row in page and "<tr><td>kid9</td><td>1.235</td><td>-</td>" in page
    assert "0.250 of a range of 2" in page and "38% of the samples" in page
    neighbors = base64.b64encode((run / "neighbors.png").read_bytes()).decode()
    assert f"data:image/png;base64,{neighbors}" in page
    assert '<tr class="changed"><td>networks.generator.width</td><td>4</td><td>64</td></tr>' in page
    assert "<tr><td>seed</td><td>0</td><td>0</td></tr>" in page


def test_a_report_of_a_run_that_has_only_begun(tmp_path):
    page = write_report(tmp_path, zoo.Recipe(tiny.RECIPE)).read_text()
    assert "No epoch has finished yet." in page and "This run was not watched." in page
    assert "Curves appear from the second value on." in page and "<svg" not in page
    assert "Measured after" not in page and "Nearest" not in page
    (tmp_path / "health.jsonl").write_text("")
    assert "Nothing was noticed." in write_report(tmp_path, zoo.Recipe(tiny.RECIPE)).read_text()
