import json
import os
import resource
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tiny
from keras_gans import cli
from keras_gans.zoo import presets

COMMAND = Path(sysconfig.get_path("scripts"), "keras-gans")


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
    for _ in range(3):  # of processor time, and the fastest: a busy machine is not a slow program
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

    assert run("generate", "runs/tiny", "--seeds", "3,5-6", "--out", "made") == 0
    assert sorted(p.name for p in Path("made").iterdir()) == [
        "grid.png",
        "seed0003.png",
        "seed0005.png",
        "seed0006.png",
    ]
    with Image.open("made/seed0005.png") as image:
        assert image.size == (16, 16)
    first = Path("made/seed0005.png").read_bytes()
    run("generate", "runs/tiny", "--seeds", "5", "--out", "again")
    assert Path("again/seed0005.png").read_bytes() == first  # a seed is an image, in any company

    assert run("export", "runs/tiny", "--format", "saved_model", "--out", "out") == 0
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
        (["interpolate", "dcgan_digits_28", "--out", "a.png"], "ends in one of"),
        (["interpolate", "x", "--out", "a.gif", "--format", "mp4"], "another format than"),
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

    def write(path, exhibits, packages, overwrite, **texts):
        shown.update({exhibit.name: exhibit for exhibit in exhibits}, options=(packages, overwrite))
        path.write_text("page" * 1000)
        path.with_suffix("").mkdir()
        Path("a/runtime.js").write_text("held" * 1000)
        return path

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(export.gallery, "write", write)
    names = "dcgan_digits_28,infogan_digits_28,acgan_fashion_mnist_28,cyclegan_map_satellite_64"
    assert run("zoo", "gallery", "a.html", "--presets", names, "--overwrite") == 0
    told = capsys.readouterr().out
    assert f"{len(shown) - 1} generators draw in a.html, which opens as it is, with a/" in told
    assert "0.0 MB together" in told
    assert shown["options"] == (None, True)
    assert shown["infogan_digits_28"].categorical == [10]
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
    words = ["--seeds", "0-1", "--steps", 2, "--scale", 1, "--lerp", "--truncation", 2]
    assert run("interpolate", "dcgan_digits_28", *words, "--format", "webp") == 0
    assert "The walk is in interpolation.webp" in capsys.readouterr().out
    with Image.open("interpolation.webp") as walk:
        assert walk.n_frames == 4 and walk.size == (28, 28)
    assert run("interpolate", "conditional_gan_digits_28", *words, "--out", "a.gif") == 0
    with Image.open("a.gif") as walk:
        assert walk.size == (10 * 28 + 9 * 2, 28)
        walk.convert("RGB").crop((90, 0, 118, 28)).resize((70, 50)).save("three.png")
    words = ["--label", 3, "--steps", 3, "--starts", 2, "--out", "found"]
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
    words = ["--latents", "found/latent.npy", "--labels", 3, "--out", "made"]
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
    assert run("generate", "here", "--seeds", "3-4", "--labels", "0,7", "--out", "made") == 0
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


def test_no_word_of_a_command_is_taken_for_the_start_of_another(recipe):
    # In a process of its own: what the program `keras-gans` reads, absl's flags included.
    words = [COMMAND, "train", recipe, "--run", "elsewhere", "--epochs", "1"]
    subprocess.run(words, check=True, capture_output=True)
    assert Path("elsewhere/config.json").is_file()


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
    told = capsys.readouterr()
    assert "resized from 50x32" in told.out
    assert told.err.startswith("keras-gans: not translated: b.png (UnidentifiedImageError")
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
