import argparse
import json
import os
import resource
import signal
import struct
import subprocess
import sys
import sysconfig
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tiny
from keras_gans import cli, interface
from keras_gans.cli import options
from keras_gans.zoo.catalog import presets

COMMAND = Path(sysconfig.get_path("scripts"), "keras-gans")

pytestmark = pytest.mark.usefixtures("without_graphs")


def run(*words):
    return cli.main(cli.parse(["keras-gans", *map(str, words)]))


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(tiny.recipe(tmp_path)))
    return path


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["train", "--help"],
        ["project", "--help"],
        ["zoo", "list"],
        ["zoo", "list", "--trained"],
    ],
)
def test_help_and_lists_come_at_once(words):
    seconds = []
    # Of processor time, and the fastest: a busy machine is not a slow program.
    while len(seconds) < 3 and min(seconds, default=1) >= 0.5:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([COMMAND, *words], capture_output=True, text=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(seconds) < 0.5
    assert "train" in done.stdout or "IMAGE" in done.stdout
    assert not done.stderr


def test_a_dry_run_shows_the_plan_and_writes_nothing(recipe, capsys):
    before = set(recipe.parent.rglob("*.json")) | set(recipe.parent.glob("*"))
    assert run("train", recipe, "--dry-run") == 0
    shown = capsys.readouterr().out
    for part in ("* networks.generator.width = 4  (default 64)", "4 steps an epoch", "minutes"):
        assert part in shown
    assert "epochs 1 to 2: 8 steps" in shown and "Nothing was written" in shown
    assert not (recipe.parent / "runs").exists()
    assert recipe in before


def test_train_resume_new_generate_and_export(recipe, capsys):
    assert run("train", recipe, "--epochs", 1) == 0
    shown = capsys.readouterr().out
    assert "generator_loss" in shown and "report.html" in shown  # Keras' bar, and the way there
    assert run("train", recipe, "--export", "tflite") == 0  # goes on to its two epochs
    shown = capsys.readouterr().out
    assert "Epoch 2/2" in shown and "Epoch 1/2" not in shown
    assert "largest difference" in shown
    assert Path("runs/tiny/exported/tiny.tflite").is_file()

    assert run("generate", "runs/tiny", "--seeds", "3,5-6", "--output", "made") == 0
    assert sorted(p.name for p in Path("made").iterdir()) == [
        "grid.png",
        "seed0003.png",
        "seed0005.png",
        "seed0006.png",
    ]
    with Image.open("made/seed0005.png") as image:
        assert image.size == (16, 16)
    first = Path("made/seed0005.png").read_bytes()
    run("generate", "runs/tiny", "--seeds", "5", "--output", "again")
    assert Path("again/seed0005.png").read_bytes() == first  # a seed is an image, in any company

    assert run("export", "runs/tiny", "--format", "saved_model", "--output", "out") == 0
    assert Path("out/saved_model/tiny/1/saved_model.pb").is_file()
    assert run("train", recipe, "--epochs", 1, "--new") == 0
    assert Path("runs/tiny~1").is_dir()


def test_a_changed_recipe_is_one_line_on_stderr(recipe, capsys):
    run("train", recipe, "--epochs", 1)
    recipe.write_text(recipe.read_text().replace('"width": 4', '"width": 5'))
    assert run("train", recipe) == 1
    error = capsys.readouterr().err
    assert "networks.generator.width (was 4, now 5)" in error and "Traceback" not in error


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["generate", "nothing"], "no preset of that name"),
        (["zoo", "show", "dcgan_digit_28"], "Did you mean 'dcgan_digits_28'"),
        (["generate", "dcgan_digits_28_quick"], "no weights come with it"),
        (["train", "missing.json"], "no recipe at that path"),
        (["interpolate", "dcgan_digits_28", "--seeds", "3"], "two seeds or more"),
        (["interpolate", "dcgan_digits_28", "--output", "a.png"], "ends in one of"),
        (
            ["interpolate", "dcgan_digits_28", "--output", "a.gif", "--format", "mp4"],
            "another format than",
        ),
        (["project", "dcgan_digits_28", "missing.png"], "no such file"),
        (["generate", "dcgan_digits_28", "--latents", "missing.npy"], "missing.npy"),
        (["generate", "dcgan_digits_28", "--categorical", "3"], "has no codes"),
        (["generate", "pix2pix_map_to_satellite_128"], "Use `keras-gans translate`"),
        (["zoo", "list", "--size", "29"], "No preset has that size"),
    ],
)
def test_what_can_be_mended_is_said_in_a_line(words, message, capsys):
    assert run(*words) == 1
    error = capsys.readouterr().err
    assert error.startswith("keras-gans: ") and message in error


@pytest.mark.parametrize(
    "words",
    [
        ["generate", "x", "--seeds", "5-3"],
        ["generate", "x", "--seeds", "a"],
        ["generate", "x", "--seeds", "1", "--latents", "a.npy"],
        ["generate", "x", "--continuous=a"],
        ["interpolate", "x", "--format", "png"],
        ["project", "x"],
        ["zoo", "list", "--conditional", "--unconditional"],
        ["export", "x", "--format", "onxn"],
        ["trian", "x"],
        [],
    ],
)
def test_words_that_make_no_sense(words, capsys):
    with pytest.raises(SystemExit):
        run(*words)
    assert "usage" in capsys.readouterr().err


# What a user may get wrong, for every verb: a line or a usage, and no traceback.
D, C, I = "dcgan_digits_28", "conditional_gan_digits_28", "infogan_digits_28"  # noqa: E741
T, U = "cyclegan_emoji_style_64", "realesrgan_animevideo_x4"
MISTAKES = {
    # sources that are not there, or are something else
    "generate file.txt": "no preset of that name",
    "generate empty": "no preset in that folder",
    "interpolate nothing": "no preset of that name",
    "project empty p.png": "no preset in that folder",
    "translate file.txt p.png": "no preset of that name",
    "upscale file.txt p.png": "no preset of that name",
    f"upscale {D} p.png": "cannot be enlarged by this generator",
    "evaluate empty": "must be compared with real ones",
    "evaluate nothing": "no preset of that name",
    "train empty": "no preset in that folder",
    "train list.json": "contains a list, not an object",
    "train lacking.json": "lacks the field 'networks'",
    "train misspelt.json": "no field 'epoch'. Did you mean 'epochs'",
    "train quick --from nothing": "no preset of that name",
    "export file.txt": "no preset of that name",
    "zoo show file.txt": "no preset of that name",
    "zoo verify empty": "no preset in that folder",
    "zoo gallery g.html --presets nothing": "no preset of that name",
    # files that are not there, or are something else
    f"project {D} empty": "no such file",
    f"project {D} file.txt": "cannot be read",
    f"translate {T} missing.png": "does not exist",
    f"translate {T} empty": "no images to translate",
    f"upscale {U} missing.png": "does not exist",
    f"upscale {U} empty": "no images to upscale",
    f"upscale {U} file.txt": "not an image",
    f"upscale {U} huge.png": "more than the",
    f"upscale {U} wide.png --max-pixels 1000": "400000x4 pixels, more than `max_pixels`",
    f"upscale {U} wide.png --format webp": "a side may have 16,383",
    "evaluate empty --against digits": "no images in the folder",
    f"generate {D} --latents empty": "a folder",
    f"generate {D} --latents text.npy": "finite real numbers",
    f"generate {D} --latents nan.npy": "finite real numbers",
    # destinations
    f"generate {D} --output file.txt": "a file where a folder is to be",
    f"generate {D} --output file.txt/a": "a file where a folder is to be",
    f"generate {D} --output /proc/a": "cannot be written to",
    f"interpolate {D} --output a.gif": "a folder where the file is to be",
    f"interpolate {D} --output file.txt/b.gif": "a file where a folder is to be",
    f"interpolate {D} --output /proc/a.gif": "cannot be written to",
    f"project {D} p.png --output file.txt": "a file where a folder is to be",
    f"translate {T} p.png --output file.txt": "a file where a folder is to be",
    f"upscale {U} p.png --output file.txt": "a file where a folder is to be",
    f"upscale {U} p.png --output .": "written over one that is to be upscaled",
    f"evaluate {D} --output file.txt": "a file where a folder is to be",
    "train quick --run file.txt": "a file where a folder is to be",
    "train quick --run /proc/a --dry-run": "cannot be written to",
    # numbers: none, negative, absurd, no numbers
    f"generate {D} --seeds=": "expected numbers and ranges",
    f"generate {D} --seeds=-1": "expected numbers and ranges",
    f"generate {D} --seeds 5-3": "expected numbers and ranges",
    f"generate {D} --seeds 0-1000000000000": "at most 10,000 numbers",
    f"generate {D} --seeds 0-9999,1": "at most 10,000 numbers",
    f"generate {D} --seeds 99999999999999999999": "expected numbers and ranges",
    f"generate {D} --scale 0": "1 or more",
    f"generate {D} --scale 1000000": "too much to make at once",
    f"generate {D} --truncation nan": "above 0 and finite",
    f"generate {D} --truncation=-1": "above 0 and finite",
    f"generate {C} --labels 999999999999": "out of range",
    f"generate {I} --continuous=nan,0": "expected numbers such as",
    f"generate {I} --continuous=1": "do not fit",
    f"interpolate {D} --steps 1000000000": "too much to make at once",
    f"interpolate {D} --steps=-1": "1 or more",
    f"interpolate {D} --scale 1000000": "too much to make at once",
    f"interpolate {D} --loops 1000000000": "make no such loops",
    f"interpolate {D} --duration 1000000000": "up to 655350",
    f"project {D} p.png --steps 0": "1 or more",
    f"project {D} p.png --starts=-1": "1 or more",
    f"project {D} p.png --seed 99999999999999999999": "up to",
    f"project {C} p.png --label 10": "out of range",
    f"project {D} p.png --features nothing": "no such feature network",
    f"translate {T} p.png --overlap 1000000": "can share half of that",
    f"translate {T} p.png --batch-size 0": "1 or more",
    f"upscale {U} p.png --scale 0": "from 1 to 16",
    f"upscale {U} p.png --scale nan": "from 1 to 16",
    f"upscale {U} p.png --scale x": "invalid float value",
    f"upscale {U} p.png --mix-with {U}": "such as runs/mine:0.3",
    f"upscale {U} p.png --mix-with {U}:2": "share from 0 to 1",
    f"upscale {U} p.png --mix-with nothing:0.3": "no preset of that name",
    f"upscale {U} p.png --mix-with {D}:0.3": "architectures differ",
    f"upscale {U} p.png --strength 2": "from 0 to 1",
    f"upscale {U} p.png --tile 20": "above 54",
    f"upscale {U} p.png --tile 0": "1 or more",
    f"upscale {U} p.png --margin=-1": "0 or more",
    f"upscale {U} p.png --max-pixels 10": "more than `max_pixels`",
    f"upscale {U} p.png --format bmp": "invalid choice",
    f"upscale {U} p.png --shard 4/3": "such as 3/16",
    f"translate {T} p.png --shard 0/3": "such as 3/16",
    f"generate {D} --shard 3": "such as 3/16",
    f"generate {D} --seeds 1-2 --shard 3/3": "Nothing is left for this part",
    f"evaluate {D} --images 1000000000000": "fewer real images",
    f"evaluate {D} --images 0": "1 or more",
    f"evaluate {D} --split nothing": "no such split",
    f"evaluate {D} --features nothing": "no feature network of that name",
    "train quick --epochs 0": "1 or more",
    "zoo list --size 0": "1 or more",
    "zoo gallery g.html --presets=": "expected names",
    "zoo gallery g.txt": "is called something.html",
    "zoo gallery empty": "a folder where the file is to be",
    "zoo gallery /proc/g.html": "cannot be written to",
    f"export {D} --output file.txt": "a file where a folder is to be",
    # edits
    "edit nothing 1 --change a=1": "no preset of that name",
    f"edit {D} 1": "Nothing is said of what to change",
    f"edit {D} --change a=1": "Give seeds",
    f"edit {D} 1 --change a=1": "no directions of this generator yet",
    f"edit {D} 1 --change a": "such as glasses=1",
    f"edit {C} 3-1 --change labels=1": "no seeds",
    f"edit {C} missing.png --change labels=3": "no such file",
    f"edit {C} 1 --change labels=10": "out of range",
    f"edit {C} 1 --change labels=1 --strengths x": "expected numbers",
    f"edit {C} 1 --change labels=1 --output file.txt": "a file where a folder is to be",
    f"edit {D} 1 --change a=1 --directions empty": "a folder where a file was expected",
    f"edit {D} 1 --change a=1 --directions file.txt": "damaged, or not an `.npz`",
    f"edit {D} 1 --find": "not of an image",
    f"edit {D} --find --judge nothing": "no judge of that name",
    f"edit {D} --find --samples 5": "40 or more",
    f"edit {D} --find --output file.txt": "a file where a folder is to be",
    # labels of several inputs
    f"generate {C} --labels 1 --labels 2": "once for each input",
    f"generate {C} --labels shape=1 --labels shape=2": "once for each input",
    f"generate {C} --labels shape=1 --labels 2": "once for each input",
    f"generate {C} --labels =1": "name of an input",
    f"generate {C} --labels shape=a": "has no input 'shape'",
    f"generate {C} --labels tree": "no class of that name",
    f"generate {C} --labels 1,": "expected numbers and ranges",
    f"generate {C} --condition 3": "name of an input",
    f"generate {C} --condition labels=1 --labels 2": "once for each input",
    f"project {C} p.png --label 1,2": "expected one class",
    f"project {C} p.png --condition labels=1,2": "of one class of each condition",
}


@pytest.fixture(scope="module")
def mistaken(tmp_path_factory):
    """A folder with one of everything that may be named by mistake."""
    folder = tmp_path_factory.mktemp("mistaken")
    (folder / "empty").mkdir()
    (folder / "a.gif").mkdir()
    (folder / "file.txt").write_text("no image, and no preset")
    (folder / "list.json").write_text("[1, 2]")
    recipe = tiny.recipe(folder)
    (folder / "misspelt.json").write_text(json.dumps({**recipe, "epoch": 3}))
    del recipe["networks"]
    (folder / "lacking.json").write_text(json.dumps(recipe))
    np.save(folder / "text.npy", np.array([["a"]]))
    np.save(folder / "nan.npy", np.full((1, 64), np.nan))
    Image.new("RGB", (28, 28)).save(folder / "p.png")
    for name, size in {"huge.png": (10**6, 10**6), "wide.png": (10**5, 1)}.items():
        Image.new("L", (1, 1)).save(folder / name)
        content = bytearray((folder / name).read_bytes())
        content[16:24] = struct.pack(">II", *size)  # the beginning says so
        content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("command", MISTAKES)
def test_a_mistake_is_a_line_and_no_traceback(command, mistaken, monkeypatch, capsys):
    monkeypatch.chdir(mistaken)
    before = sorted(mistaken.rglob("*"))
    words = command.replace("train quick", "train dcgan_digits_28_quick").split()
    try:
        assert run(*words) == 1
        error = capsys.readouterr().err
        assert error.startswith("keras-gans: ") and error.count("\n") == 1
    except SystemExit as ended:
        assert ended.code == 2
        error = capsys.readouterr().err
    assert MISTAKES[command] in error and "Traceback" not in error
    assert sorted(mistaken.rglob("*")) == before  # nothing was begun


def verbs_with_a_destination():
    return [v for v in cli.VERBS if v not in ("train", "serve", "zoo", "doctor")]


REST = {"project": ["p.png"], "translate": ["p.png"], "upscale": ["p.png"]}


@pytest.mark.parametrize("verb", verbs_with_a_destination())
def test_every_destination_has_one_name_and_the_old_one_works(verb, capsys):
    for option in ("--output", "--out"):
        words = ["keras-gans", verb, "x", *REST.get(verb, []), option, "there"]
        assert cli.parse(words).output == Path("there")
    assert capsys.readouterr().err == ""
    with pytest.raises(SystemExit):
        cli.parse(["keras-gans", verb, "--help"])
    shown = capsys.readouterr().out
    assert "--output" in shown and "--out " not in shown


def test_an_old_option_says_its_new_name(capsys):
    words = ["keras-gans", "interpolate", "x"]
    assert cli.parse(words).interpolation == "spherical"
    assert cli.parse([*words, "--interpolation", "linear"]).interpolation == "linear"
    assert not capsys.readouterr().err
    assert cli.parse([*words, "--lerp"]).interpolation == "linear"
    assert capsys.readouterr().err == "keras-gans: `--lerp` is now `--interpolation linear`.\n"


def test_the_old_name_of_the_reference_split_works():
    for option in ("--reference-split", "--floor-split"):
        words = ["keras-gans", "evaluate", "x", option, "test"]
        assert cli.parse(words).reference_split == "test"


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ([], {}),
        (["--labels", "3,7-9"], {"labels": [3, 7, 8, 9]}),
        (["--labels", "shape=0-2", "--labels", "colour=1"], {"shape": [0, 1, 2], "colour": [1]}),
        (["--labels", "labels=4"], {"labels": [4]}),
        (["--labels", "bag, T-shirt,2-3"], {"labels": ["bag", "T-shirt", 2, 3]}),
        (
            ["--condition", "hair=blonde,red", "--condition", "age=0-1"],
            {"hair": ["blonde", "red"], "age": [0, 1]},
        ),
    ],
)
@pytest.mark.parametrize("verb", ["generate", "interpolate"])
def test_labels_of_one_input_and_of_several(verb, words, arguments):
    parsed = cli.parse(["keras-gans", verb, "x", *words])
    assert options.given_labels(parsed) == arguments


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (MemoryError(), 1, "not enough memory"),
        (OverflowError("int too large"), 1, "int too large"),
        (OSError(28, "No space left on device"), 1, "No space left"),
        (ValueError("\x1b[31mred"), 1, r"\x1b[31mred"),
        (KeyboardInterrupt(), 130, "stopped."),
    ],
)
def test_what_ends_a_command(raised, code, said, capsys):
    def do(arguments):
        raise raised

    assert cli.main(argparse.Namespace(verb="generate", do=do)) == code
    error = capsys.readouterr().err
    assert said in error and "go on" not in error


def test_words_of_a_command_are_safe_to_print(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    strange = b"caf\xe9\x1b[31m".decode("utf-8", "surrogateescape")
    with pytest.raises(SystemExit):
        run("zoo", "list", "\x1b[31m")
    assert run("zoo", "show", strange) == 1
    assert run("generate", D, "--seeds", 0, "--output", strange) == 0
    assert (tmp_path / strange / "grid.png").is_file()
    shown = capsys.readouterr()
    assert "\x1b" not in shown.out + shown.err
    assert r"1 images in caf\udce9\x1b[31m/" in shown.out


def test_images_are_enlarged_without_a_change_of_their_pixels(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run("generate", D, "--seeds", "3", "--output", "small")
    run("generate", D, "--seeds", "3", "--scale", 3, "--output", "large")
    with Image.open("small/seed0003.png") as small, Image.open("large/seed0003.png") as large:
        assert large.size == (84, 84)
        assert large.tobytes() == small.resize((84, 84), Image.Resampling.NEAREST).tobytes()


def test_a_pipe_gets_nothing_but_words(tmp_path):
    done = subprocess.run(
        [COMMAND, "generate", D, "--seeds", "0"], cwd=tmp_path, capture_output=True, check=True
    )
    assert done.stdout == b"1 images in generated/, all of them in generated/grid.png\n"
    assert done.stderr == b""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("generate dcgan_digit_28", "Did you mean 'dcgan_digits_28'"),
        ("zoo gallery --presets dcgan_digit_28", "Did you mean 'dcgan_digits_28'"),
        ("train missing.json", "no recipe at that path"),
        ("train list.json", "contains a list"),
        ("train misspelt.json", "Did you mean 'epochs'"),
    ],
)
def test_a_mistake_in_a_name_is_said_at_once(words, message, mistaken):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    words = [COMMAND, *words.split()]
    done = subprocess.run(words, capture_output=True, text=True, cwd=mistaken)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 1 and message in done.stderr
    assert after.ru_utime - before.ru_utime < 1  # TensorFlow alone takes more


def test_whoever_stops_to_read_ends_a_command_without_a_word():
    with subprocess.Popen(
        [COMMAND, "zoo", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_a_training_that_is_stopped_says_how_to_go_on(recipe):
    words = [COMMAND, "train", recipe, "--epochs", "100000", "--run", "elsewhere"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # Where the tests run in the background, Ctrl-C is ignored, and children inherit that.
    pipes["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(words, cwd=recipe.parent, **pipes) as process:
        for line in process.stdout:
            if line.startswith("Epoch 2/"):
                break
        process.send_signal(signal.SIGINT)
        shown, error = process.communicate(timeout=120)
    assert process.returncode == 130
    assert error == "\nkeras-gans: stopped. Run the same command again to go on.\n"
    assert "\x1b" not in shown and "\b" not in shown and "\r" not in shown
    # What a process of its own reads, absl's flags included: no word is the start of another.
    assert Path("elsewhere/config.json").is_file()


def test_a_finished_run_says_that_nothing_is_left(recipe, capsys):
    run("train", recipe)
    assert "Nothing was trained" not in capsys.readouterr().out
    trained = Path("runs/tiny/metrics.jsonl").read_text()
    assert run("train", recipe) == 0
    shown = capsys.readouterr().out
    assert "this run has finished its 2 epochs" in shown and "--epochs 4" in shown
    assert "--new" in shown and "runs/tiny/report.html" in shown
    assert Path("runs/tiny/metrics.jsonl").read_text() == trained


def test_an_evaluation_that_cannot_be_done_is_refused_in_the_plan(recipe, capsys):
    config = {**json.loads(recipe.read_text()), "evaluation": {"every": 1}}
    recipe.write_text(json.dumps(config))  # digits_cnn_v1 takes 28x28, and these are 16x16
    for words in (["--dry-run"], []):
        assert run("train", recipe, *words) == 1
        assert "16" in capsys.readouterr().err
        assert not (recipe.parent / "runs").exists()


def test_zoo_show_and_verify(capsys):
    assert run("zoo", "show", "dcgan_digits_28") == 0
    assert '"type": "DCGAN"' in capsys.readouterr().out
    assert run("zoo", "verify", "dcgan_digits_28") == 0
    assert "generator.weights.h5" in capsys.readouterr().out


def test_zoo_list_shows_what_is_asked_for(capsys):
    names = {}
    for flags in ("", "--conditional", "--unconditional", "--data digits --architecture DCGAN"):
        assert run("zoo", "list", *flags.split()) == 0
        names[flags] = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert "dcgan_digits_28" in names["--data digits --architecture DCGAN"]
    assert "conditional_gan_digits_28" in names["--conditional"]
    assert not set(names["--conditional"]) & set(names["--unconditional"])
    assert {*names["--conditional"], *names["--unconditional"]} == set(names[""])
    assert run("zoo", "list", "--trained", "--size", 28) == 0
    assert "_64" not in capsys.readouterr().out


def test_zoo_gallery_shows_the_trained_presets(tmp_path, monkeypatch, capsys):
    from keras_gans import export

    shown = {}

    def write(path, entries, packages, overwrite, **texts):
        shown.update({entry.name: entry for entry in entries}, options=(packages, overwrite))
        path.write_text("page" * 1000)
        path.with_suffix("").mkdir()
        Path("a/runtime.js").write_text("held" * 1000)
        return path

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(export.gallery, "write", write)
    names = "dcgan_digits_28,infogan_digits_28,acgan_fashion_mnist_28,cyclegan_map_satellite_64"
    assert run("zoo", "gallery", "a.html", "--presets", names, "--overwrite") == 0
    said = capsys.readouterr().out
    assert f"{len(shown) - 1} generators run in a.html, which opens as it is, with a/" in said
    assert "0.0 MB together" in said
    assert shown["options"] == (None, True)
    assert interface.of(shown["infogan_digits_28"].generator).codes.categorical == (10,)
    assert shown["acgan_fashion_mnist_28"].class_names[9] == "boot"
    first = shown["cyclegan_map_satellite_64"].examples[0]
    with Image.open(presets.FOLDER / "cyclegan_map_satellite_64/samples.png") as samples:
        np.testing.assert_array_equal(first, np.asarray(samples)[:64, :64])
    digits = shown["dcgan_digits_28"]
    assert digits.generator.output_shape == (None, 28, 28, 1) and digits.picture.is_file()
    assert ("Data", "digits") in digits.facts and len(digits.facts) > 2


def test_train_from_the_weights_of_another(recipe, capsys):
    assert run("train", recipe, "--run", "first", "--epochs", 1) == 0
    assert run("train", recipe, "--run", "second", "--from", "first", "--epochs", 1) == 0
    assert "* initial = first" in capsys.readouterr().out
    assert json.loads(Path("second/config.json").read_text())["initial"] == "first"


def test_interpolate_and_project(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["--seeds", "0-1", "--steps", 2, "--scale", 1, "--truncation", 2]
    words += ["--interpolation", "linear"]
    assert run("interpolate", "dcgan_digits_28", *words, "--format", "webp") == 0
    assert "The animation is in interpolation.webp" in capsys.readouterr().out
    with Image.open("interpolation.webp") as walk:
        assert walk.n_frames == 4 and walk.size == (28, 28)
    assert run("interpolate", "conditional_gan_digits_28", *words, "--output", "a.gif") == 0
    with Image.open("a.gif") as walk:
        assert walk.size == (10 * 28 + 9 * 2, 28)
        walk.convert("RGB").crop((90, 0, 118, 28)).resize((56, 56)).save("three.png")
    words = ["--label", 3, "--steps", 3, "--starts", 2, "--output", "found"]
    assert run("project", "conditional_gan_digits_28", "three.png", *words) == 0
    shown = capsys.readouterr().out
    for part in ("Label 3", "3/3", "Distance of pixels", "digits_cnn_v1: class", "found/"):
        assert part in shown
    assert {p.name for p in Path("found").iterdir()} == {
        "latent.npy",
        "projection.json",
        "projection.png",
    }
    about = json.loads(Path("found/projection.json").read_text())
    assert about["image"] == "three.png" and about["label"] == 3 and about["steps"] == 3
    words = ["--latents", "found/latent.npy", "--labels", 3, "--output", "made"]
    assert run("generate", "conditional_gan_digits_28", *words) == 0
    with (
        Image.open("made/latent0000_label3.png") as made,
        Image.open("found/projection.png") as picture,
    ):
        large = made.resize((112, 112), Image.Resampling.NEAREST)
        assert picture.crop((228, 0, 340, 112)).tobytes() == large.tobytes()
    Path("text.npy").write_text("no latents")
    assert run("generate", "dcgan_digits_28", "--latents", "text.npy") == 1
    assert "Latents cannot be read" in capsys.readouterr().err


def test_doctor_finds_this_installation_well(capsys):
    assert run("doctor") == 0
    shown = capsys.readouterr().out
    assert "All is well" in shown and "weights of dcgan_digits_28" in shown


def test_a_run_of_labels(recipe, capsys):
    config = json.loads(recipe.read_text())
    for side in ("generator", "discriminator"):
        network = config["networks"][side]
        config["networks"][side] = {
            **network,
            "type": network["type"].replace("dcgan_", "conditional_dcgan_"),
            "num_classes": 10,
        }
    config["model"]["type"] = "ConditionalGAN"
    config["data"]["labels"] = True
    recipe.write_text(json.dumps(config))
    assert run("train", recipe, "--dry-run") == 0
    assert "(16, 16, 16, 1)" in capsys.readouterr().out
    assert run("train", recipe, "--run", "here", "--export", "saved_model,tflite") == 0
    assert capsys.readouterr().out.count("largest difference") == 2
    assert run("generate", "here", "--seeds", "3-4", "--labels", "0,7", "--output", "made") == 0
    assert sorted(p.name for p in Path("made").iterdir()) == [
        "grid.png",
        "seed0003_label0.png",
        "seed0003_label7.png",
        "seed0004_label0.png",
        "seed0004_label7.png",
    ]
    first, second = (Path(f"made/seed0003_label{k}.png").read_bytes() for k in (0, 7))
    assert first != second
    assert run("generate", "here", "--labels", "10") == 1
    assert "out of range. Expected 0 to 9" in capsys.readouterr().err
    assert run("generate", "dcgan_digits_28", "--labels", "3") == 1
    assert "takes no labels" in capsys.readouterr().err


@pytest.mark.slow  # two fresh processes, each of which loads TensorFlow
def test_killed_in_the_middle_it_goes_on(recipe):
    recipe.write_text(recipe.read_text().replace('"epochs": 2', '"epochs": 400'))
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "keras_gans.cli", "train", str(recipe)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    checkpoints = Path("runs/tiny/checkpoints")
    deadline = time.monotonic() + 120
    while len(list(checkpoints.glob("epoch-*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.wait()
    newest = max(int(p.name[6:11]) for p in checkpoints.glob("epoch-*"))
    assert 2 <= newest < 400
    assert run("train", recipe, "--epochs", newest + 1) == 0
    lines = Path("runs/tiny/metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == list(range(1, newest + 2))


def test_translate(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    config = {
        "epochs": 1,
        "samples": 1,
        "data": {
            "type": "load_pairs",
            "name": str(tiny.folder_of_pairs(tmp_path / "pairs", number=2, size=32)),
            "image_size": 32,
            "batch_size": 1,
            "data_dir": str(tmp_path / "prepared"),
        },
        "networks": {
            "generator": {"type": "unet_generator", "image_shape": [32, 32, 3], "width": 2},
            "discriminator": {
                "type": "patch_discriminator",
                "image_shape": [32, 32, 3],
                "condition_shape": [32, 32, 3],
                "receptive_field": 16,
                "width": 2,
            },
        },
        "model": {"type": "Pix2Pix"},
    }
    Path("recipe.json").write_text(json.dumps(config))
    assert run("train", "recipe.json", "--run", "run") == 0
    Image.new("RGB", (50, 32)).save("a.png")
    Path("b.png").write_bytes(b"no image")
    capsys.readouterr()
    assert run("translate", "run", "a.png", "--output", "made", "--stochastic", "--seed", 3) == 0
    shown = capsys.readouterr().out
    assert "[1/1] a.png: tiled 2x1, overlap 8 (" in shown
    assert "Images written to made/: 1. See made/index.html" in shown
    words = ["--format", "jpeg", "--resize", "--batch-size", 1]
    assert run("translate", "run", "a.png", "b.png", "--output", "made", *words) == 1
    shown = capsys.readouterr()
    assert "resized from 50x32" in shown.out
    assert shown.err.startswith("keras-gans: not translated: b.png (it is no image")
    with Image.open("made/a.jpg") as image:
        assert image.size == (50, 32)
    assert run("translate", "run", "a.png", "--output", "made", "--overlap", 4) == 1
    assert "made in another way" in capsys.readouterr().err
    assert run("translate", "run", "a.png", "--output", "made", "--overlap", 4, "--overwrite") == 0
    assert run("translate", "run", "a.png", "--output", "made", "--overlap", 4) == 0
    assert "Images written to made/: 0; already there: 1." in capsys.readouterr().out
    assert run("translate", "run", "a.png", "--output", "back", "--backward") == 1
    assert "no generator to translate backward with" in capsys.readouterr().err
    assert run("translate", "dcgan_digits_28", "a.png") == 1
    assert "use `keras-gans generate`" in capsys.readouterr().err


def test_translate_wants_files_and_a_known_format(capsys):
    for words in (["translate", "x"], ["translate", "x", "a.png", "--format", "gif"]):
        with pytest.raises(SystemExit):
            run(*words)
        assert "usage" in capsys.readouterr().err
