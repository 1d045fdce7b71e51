"""JSON and text that are damaged, endless, or no files at all."""

import json
import os
import shutil

import pytest

from keras_gans import cli, zoo
from keras_gans.metrics import classifiers
from keras_gans.names import printable
from keras_gans.reading import text
from keras_gans.zoo.catalog import addresses, presets

DAMAGED = {
    "empty": (b"", "not JSON"),
    "html": (b"<html>", "not JSON"),
    "half": (b'{"model": {', "not JSON"),
    "not UTF-8": (b'{"a": "\xff"}', "not text in UTF-8"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), "not text in UTF-8"),
    "list": (b"[1, 2]", "contains a list, not an object"),
    "number": (b"3", "contains a int"),
    "null": (b"null", "contains a NoneType"),
    "NaN": (b'{"a": NaN}', "NaN is not a number of JSON"),
    "infinity": (b'{"a": -Infinity}', "-Infinity is not a number"),
    "too large a float": (b'{"a": 1e999}', "1e999 is larger than any float"),
    "too long an integer": (b'{"a": 1' + b"0" * 5000 + b"}", "Exceeds the limit"),
    "nested": (b'{"a": ' + b"[" * 60 + b"]" * 60 + b"}", "nested too deeply"),
    "nested without end": (b'{"a":' * 100_000, "nested too deeply"),
    "too long": (b'{"a": "' + b"x" * 2**22 + b'"}', "too large for its purpose"),
}


@pytest.mark.parametrize("name", DAMAGED)
@pytest.mark.parametrize("file", ["recipe.json", "metrics.json"])
def test_a_damaged_file_of_a_preset_or_run_is_named(name, file, tmp_path):
    content, message = DAMAGED[name]
    folder = tmp_path / "mine"
    shutil.copytree(presets.FOLDER / "dcgan_digits_28", folder)
    (folder / file).write_bytes(content)
    for call in (zoo.card, zoo.verify, zoo.load):
        with pytest.raises(ValueError, match=f"{message}(?s:.*)Received: .*{file}"):
            call(folder)
    assert addresses._lacking(folder) == []  # what is wrong with it is for `card` to say
    if file == "recipe.json":
        (folder / "config.json").write_bytes(content)
        for call in (zoo.load, zoo.open_gan, zoo.evaluate):
            with pytest.raises(ValueError, match=f"{message}(?s:.*)Received: .*config.json"):
                call(folder)
        with pytest.raises(ValueError, match=f"{message}(?s:.*)Received: .*recipe.json"):
            zoo.Recipe.read(folder / "recipe.json")


def changed(path, keys, value):
    content = json.loads(path.read_text())
    place = content
    for key in keys[:-1]:
        place = place[key]
    if value is ...:
        del place[keys[-1]]
    else:
        place[keys[-1]] = value
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("file", "keys", "value", "message"),
    [
        ("recipe.json", ["model"], ..., "lacks 'model'"),
        ("recipe.json", ["model"], "DCGAN", "'recipe.json.model' must be an object"),
        ("recipe.json", ["model", "type"], ["DCGAN"], "'recipe.json.model.type' must be text"),
        ("recipe.json", ["data"], {}, "'recipe.json.data' lacks 'name'"),
        ("recipe.json", ["description"], 3, "'recipe.json.description' must be text"),
        ("recipe.json", ["dtype_policy"], None, "'recipe.json.dtype_policy' must be text"),
        ("recipe.json", ["networks"], [], "'recipe.json.networks' must be an object"),
        ("recipe.json", ["networks", "discriminator"], 3, "networks.discriminator' must be an obj"),
        (
            "recipe.json",
            ["networks", "generator", "image_shape"],
            28,
            "image_shape' must be a list",
        ),
        (
            "recipe.json",
            ["networks", "generator", "image_shape"],
            [28.5, 28, 1],
            r"image_shape\[0\]' must be an integer",
        ),
        (
            "recipe.json",
            ["networks", "generator", "image_shape"],
            [],
            "image_shape' must be three integers",
        ),
        ("metrics.json", ["format"], "1", "'metrics.json.format' must be an integer"),
        ("metrics.json", ["format"], True, "'metrics.json.format' must be an integer"),
        ("metrics.json", ["made"], [], "'metrics.json.made' must be an object"),
        ("metrics.json", ["made", "cores"], "2", "'metrics.json.made.cores' must be an integer"),
        ("metrics.json", ["made", "steps"], ..., "'metrics.json.made' lacks 'steps'"),
        ("metrics.json", ["made", "steps"], 10**30, "made.steps' must be an integer"),
        ("metrics.json", ["made", "minutes"], None, "made.minutes' must be a finite number"),
        ("metrics.json", ["numbers"], [], "'metrics.json.numbers' must be an object"),
        ("metrics.json", ["numbers", "x"], 3, "'metrics.json.numbers.x' must be an object"),
        ("metrics.json", ["numbers", "x"], {"value": 1}, "lacks 'reference'"),
        (
            "metrics.json",
            ["numbers", "x"],
            {"value": "1", "reference": None, "degradations": {}},
            "numbers.x.value' must be a finite number",
        ),
        (
            "metrics.json",
            ["numbers", "x"],
            {"value": 10**400, "reference": None, "degradations": {}},
            "numbers.x.value' must be a finite number",
        ),
        ("metrics.json", ["weights"], ..., "lacks 'weights'"),
        ("metrics.json", ["weights", "x"], {"parameters": 3}, "lacks 'bytes'"),
        ("metrics.json", ["sha256"], "x", "'metrics.json.sha256' must be an object"),
        ("metrics.json", ["sha256", "README.md"], None, "README.md' must be text"),
    ],
)
def test_a_field_of_another_kind_is_named(file, keys, value, message, tmp_path):
    folder = tmp_path / "mine"
    shutil.copytree(presets.FOLDER / "dcgan_digits_28", folder)
    changed(folder / file, keys, value)
    for call in (zoo.card, zoo.verify, zoo.load):
        with pytest.raises(ValueError, match=f"damaged: .*{message}.*Received: .*{file}"):
            call(folder)


@pytest.mark.parametrize("file", ["recipe.json", "metrics.json", "README.md"])
@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_what_is_no_file_is_not_waited_for(file, kind, tmp_path):
    folder = tmp_path / "mine"
    shutil.copytree(presets.FOLDER / "dcgan_digits_28", folder)
    (folder / file).unlink()
    (os.mkfifo if kind == "pipe" else os.mkdir)(folder / file)
    for call in (zoo.card, zoo.verify):
        with pytest.raises(ValueError, match=f"{kind}.*file was expected|no preset in that fo"):
            call(folder)


@pytest.mark.parametrize("name", ["empty", "list", "not UTF-8", "nested without end"])
def test_a_damaged_classifier(name, tmp_path, monkeypatch):
    content, message = DAMAGED[name]
    monkeypatch.setattr(classifiers, "FOLDER", tmp_path)
    shutil.copytree(
        presets.FOLDER.parents[1] / "keras_gans/metrics/classifiers/digits_cnn_v1",
        tmp_path / "digits_cnn_v1",
    )
    (tmp_path / "digits_cnn_v1/metrics.json").write_bytes(content)
    with pytest.raises(ValueError, match=f"Install the library again.*metrics.json.*{message}"):
        classifiers.load("digits_cnn_v1")
    (tmp_path / "digits_cnn_v1/metrics.json").write_text('{"sha256": []}')
    with pytest.raises(ValueError, match="'metrics.json.sha256' must be an object"):
        classifiers.load("digits_cnn_v1")


def test_kinds():
    kinds = {"a": int, "b?": [float], "c?": (str, None), ...: bool}
    text.require({"a": 1, "b": [1, 2.5], "c": None, "d": True}, kinds, "x")
    for value, message in (
        ({}, "'x' lacks 'a'"),
        ({"a": True}, "'x.a' must be an integer. Received: True"),
        ({"a": 1, "b": [None]}, r"'x.b\[0\]' must be a finite number. Received: None"),
        ({"a": 1, "c": 3}, "'x.c' must be text or null"),
        ({"a": 1, "d": 0}, "'x.d' must be true or false"),
        ([], "'x' must be an object of names to values"),
    ):
        with pytest.raises(ValueError, match=message):
            text.require(value, kinds, "x")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("plain, caf\xe9, \u7b11\u8138, \U0001f600\n\tnext", None),
        ("\x1b[31mred\x1b]0;title\x07", r"\x1b[31mred\x1b]0;title\x07"),
        ("\r\x08\x7f\x9b\x00", r"\r\x08\x7f\x9b\x00"),
        ("a\u202egpj.exe\u2066", r"a\u202egpj.exe\u2066"),
        ("\udcff\u2028\u2029", r"\udcff\u2028\u2029"),
    ],
)
def test_what_a_terminal_is_shown(given, shown):
    assert printable(given) == (shown or given)
    printable(given).encode()


def test_the_command_line_shows_nothing_that_steers_a_terminal(tmp_path, capsys):
    folder = tmp_path / "mine\x1b[2J"
    shutil.copytree(presets.FOLDER / "dcgan_digits_28", folder)
    changed(folder / "recipe.json", ["description"], "\x7f\x9b31m")
    with (folder / "README.md").open("a") as file:
        file.write("\x1b]0;pwned\x07\x1b[31m\n")

    def run(*words):
        state = cli.main(cli.parse(["keras-gans", *words]))
        out, err = capsys.readouterr()
        assert not set(out + err) & set("\x1b\x07\x7f\x9b")
        return state, out, err

    state, shown, _ = run("zoo", "show", str(folder))
    assert state == 0 and r"\x1b]0;pwned\x07\x1b[31m" in shown
    state, _, failed = run("zoo", "verify", str(folder))
    assert state == 1 and r"mine\x1b[2J" in failed
    (folder / "metrics.json").unlink()
    os.mkfifo(folder / "metrics.json")
    state, _, failed = run("zoo", "show", str(folder))
    assert state == 1 and "a pipe, device or socket" in failed
