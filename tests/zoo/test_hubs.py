import importlib.util
import inspect
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hub_stand_ins import COMMIT, FILES, SHIPPED, RefusedError, lay, names

from keras_gans import zoo
from keras_gans.zoo.catalog import addresses, presets


def test_addresses_are_told_from_names_and_paths():
    assert addresses.is_address("hf://a/b") and addresses.is_address("https://huggingface.co/a/b")
    for text in ("dcgan_digits_28", "runs/hf", Path("runs"), "C:\\runs", "C://runs", ""):
        assert not addresses.is_address(text), text


def test_only_the_files_of_a_preset_are_fetched(hugging_face, capsys):
    repository = lay(hugging_face.remote / "a/b", "train.py", "model.pkl", "critic.weights.h5")
    lay(repository / "other", "deep.py")
    folder = addresses.fetch("hf://a/b")
    assert names(folder) == sorted([*FILES, "critic.weights.h5"])
    assert not (folder / "other").exists()  # a star of the client's patterns spans folders
    assert hugging_face.patterns == list(addresses.KINDS)
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith(
        f"keras_gans: fetching hf://a/b from https://hub.example into {hugging_face.cache}"
    )
    assert f"this is hf://a/b@{COMMIT}" in said[1]


def test_what_is_fetched_passes_the_check_of_a_preset(hugging_face):
    lay(hugging_face.remote / "a/b/digits")
    folder = addresses.fetch("hf://a/b/digits@v1.0")
    assert folder.name == "digits" and names(folder) == FILES
    assert set(zoo.verify(folder)) == set(FILES) - {"metrics.json"}
    (folder / "generator.weights.h5").write_bytes(b"other weights")
    with pytest.raises(ValueError, match="damaged: its SHA-256 is another"):
        zoo.verify(folder)


@pytest.mark.parametrize("pin", ["v1.0", COMMIT])
def test_what_is_pinned_and_cached_needs_no_network(hugging_face, capsys, pin):
    lay(hugging_face.remote / "a/b")
    folder = addresses.fetch(f"hf://a/b@{pin}")
    assert len(hugging_face.asked) == 1 and capsys.readouterr().err.count("\n") == 1
    hugging_face.online = False
    assert addresses.fetch(f"hf://a/b@{pin}") == folder
    assert not capsys.readouterr().err


def test_a_cached_one_that_is_not_whole_is_fetched(hugging_face):
    lay(hugging_face.remote / "a/b")
    folder = addresses.fetch(f"hf://a/b@{COMMIT}")
    (folder / "generator.weights.h5").unlink()  # as after a kill
    assert names(addresses.fetch(f"hf://a/b@{COMMIT}")) == FILES and len(hugging_face.asked) == 2


def test_another_folder_of_a_cached_revision_is_fetched(hugging_face):
    for name in ("one", "two"):
        lay(hugging_face.remote / "a/b" / name)
    for name in ("one", "two", "one", "two"):
        assert names(addresses.fetch(f"hf://a/b/{name}@{COMMIT}")) == FILES
    assert len(hugging_face.asked) == 2


def test_without_a_pin_the_hub_is_asked_and_the_cache_stands_in(hugging_face, capsys):
    lay(hugging_face.remote / "a/b")
    folder = addresses.fetch("hf://a/b")
    assert addresses.fetch("hf://a/b") == folder and len(hugging_face.asked) == 2
    hugging_face.online = False
    capsys.readouterr()
    assert addresses.fetch("hf://a/b") == folder
    assert f"this is hf://a/b@{COMMIT}" in capsys.readouterr().err


def test_a_cache_of_ones_own(hugging_face, kaggle, tmp_path, monkeypatch):
    lay(hugging_face.remote / "a/b")
    lay(kaggle.remote / "a/b/keras/small/1")
    for address in ("hf://a/b@v1.0", "kaggle://a/b/keras/small/1"):
        assert addresses.fetch(address, tmp_path / "mine").is_relative_to(tmp_path / "mine")
    assert not hugging_face.cache.exists()
    assert sys.modules["kagglehub.config"].get_cache_folder() == str(kaggle.cache)  # as before
    monkeypatch.delenv("KAGGLEHUB_CACHE")
    addresses.fetch("kaggle://a/b/keras/small/1", tmp_path / "mine")
    with pytest.raises(KeyError):
        sys.modules["kagglehub.config"].get_cache_folder()


def test_kaggle_versions(kaggle, capsys):
    for version in "12":
        lay(kaggle.remote / f"a/b/keras/small/{version}")
    folder = addresses.fetch("kaggle://a/b/keras/small/1")
    assert names(folder) == FILES and "from Kaggle into" in capsys.readouterr().err
    kaggle.online = False
    assert addresses.fetch("kaggle://a/b/keras/small/1") == folder
    assert not capsys.readouterr().err
    kaggle.online = True
    assert addresses.fetch("kaggle://a/b/keras/small").name == "2"
    assert "this is kaggle://a/b/keras/small/2" in capsys.readouterr().err
    shutil.rmtree(folder)  # its mark stays: what is fetched again is listed again
    addresses.fetch("kaggle://a/b/keras/small/1")
    assert "fetching kaggle://a/b/keras/small/1" in capsys.readouterr().err


def test_without_a_network_the_error_names_what_is_cached(hugging_face, kaggle):
    lay(hugging_face.remote / "a/b")
    lay(kaggle.remote / "a/b/keras/small/1")
    addresses.fetch("hf://a/b")
    addresses.fetch("kaggle://a/b/keras/small")
    hugging_face.online = kaggle.online = False
    for address, kept in {
        "hf://a/b@v2": f"hf://a/b@{COMMIT}",
        "kaggle://a/b/keras/small": "kaggle://a/b/keras/small/1",
        "kaggle://a/b/keras/small/2": "kaggle://a/b/keras/small/1",
    }.items():
        with pytest.raises(ConnectionError, match="Look at the network") as caught:
            addresses.fetch(address)
        assert f"In the cache are ['{kept}']" in str(caught.value)
        assert str(caught.value).count(address) and caught.value.__cause__ is not None
    with pytest.raises(ConnectionError) as caught:
        addresses.fetch("hf://a/never")
    assert "In the cache" not in str(caught.value)


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_what_the_hub_does_not_show(hugging_face, monkeypatch, status):
    def refuse(name):
        raise RefusedError(status)

    monkeypatch.setattr(hugging_face, "ask", refuse)
    kind = ConnectionError if status == 500 else ValueError
    with pytest.raises(kind, match="hf://a/b.*RefusedError: "):
        addresses.fetch("hf://a/b")


def test_a_name_that_the_client_refuses_is_no_failure_of_the_network(hugging_face, monkeypatch):
    def refuse(name):
        raise ValueError("Cannot have -- or .. in repo_id")

    monkeypatch.setattr(hugging_face, "ask", refuse)
    with pytest.raises(ValueError, match="Look at its spelling.*Cannot have --"):
        addresses.fetch("hf://a/b--c")


@pytest.mark.parametrize(
    "address",
    [
        "hf://b",
        "hf://a/b@",
        "hf://a/b@v1@v2",
        "hf://../b",
        "hf://a/b/../../c",
        "hf://a/b@../../c",
        "hf://a/b/*",
        "hf://a/b c",
        "hf://a/b/",
        "kaggle://a/b/keras",
        "kaggle://a/b/keras/small/latest",
        "kaggle://a/b/keras/small/0",
        "kaggle://a/b/keras/small/1/2",
        "kaggle://a/b/../small",
    ],
)
def test_malformed_addresses(address):
    scheme = address.partition(":")[0]
    with pytest.raises(ValueError, match=f"Expected {scheme}://") as caught:
        addresses.fetch(address)
    assert str(caught.value).endswith(f"Received: {address!r}")


def test_unknown_schemes():
    with pytest.raises(ValueError, match="Did you mean 'kaggle'"):
        addresses.fetch("kagle://a/b/keras/small")
    with pytest.raises(ValueError, match="Expected hf://.* or kaggle://"):
        addresses.fetch("https://huggingface.co/a/b")


@pytest.mark.parametrize(
    ("address", "package", "extra"),
    [("hf://a/b", "huggingface_hub", "hub"), ("kaggle://a/b/c/d", "kagglehub", "kaggle")],
)
def test_a_missing_client_is_named(monkeypatch, address, package, extra):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModuleNotFoundError, match=rf"pip install 'keras-gans\[{extra}\]'"):
        addresses.fetch(address)


@pytest.mark.parametrize("missing", ["recipe.json", "metrics.json"])
def test_a_folder_without_a_preset(hugging_face, missing):
    lay(hugging_face.remote / "a/b", without=[missing])
    with pytest.raises(ValueError, match=f"no preset at this address: {missing} missing") as caught:
        addresses.fetch("hf://a/b")
    assert "generator.weights.h5" in str(caught.value)  # what was found


def test_an_empty_place_on_a_hub(hugging_face):
    lay(hugging_face.remote / "a/b")
    with pytest.raises(ValueError, match="recipe.json and metrics.json missing.*no such file"):
        addresses.fetch("hf://a/b/elsewhere")


@pytest.mark.parametrize("alien", ["layers.py", "model.pkl", "model.keras", "config.yaml", "run"])
def test_a_model_with_other_files_is_refused(kaggle, alien):
    lay(kaggle.remote / "a/b/keras/small/1", alien)
    for _ in range(2):  # fetched, and from the cache
        with pytest.raises(ValueError, match="holds data alone") as caught:
            addresses.fetch("kaggle://a/b/keras/small/1")
        assert repr([alien]) in str(caught.value)


def test_other_files_in_the_cache_are_refused(hugging_face):
    lay(hugging_face.remote / "a/b")
    folder = addresses.fetch("hf://a/b@v1.0")
    (folder / ".gitattributes").touch()  # of every repository, once somebody fetched all of it
    assert addresses.fetch("hf://a/b@v1.0") == folder
    (folder / "layers.py").touch()
    with pytest.raises(ValueError, match=r"with \['layers.py'\]"):
        addresses.fetch("hf://a/b@v1.0")


def test_a_damaged_list_of_files_is_left_to_the_card(hugging_face):
    repository = lay(hugging_face.remote / "a/b")
    (repository / "metrics.json").write_text("{")
    for _ in range(2):
        folder = addresses.fetch("hf://a/b@v1.0")
    with pytest.raises(ValueError, match="not JSON"):
        zoo.card(folder)


def test_hubs_are_read_without_tensorflow():
    program = (
        "import sys; sys.argv[0] = 'keras-gans'\n"
        "from keras_gans.zoo.catalog import addresses\n"
        "try: addresses.fetch('hg://a/b')\n"
        "except ValueError: pass\n"
        "heavy = {'tensorflow', 'keras', 'numpy', 'huggingface_hub', 'kagglehub'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_every_file_of_a_shipped_preset_is_of_the_kinds_that_are_fetched():
    for path in presets.FOLDER.glob("*/*"):
        assert any(path.match(kind) for kind in addresses.KINDS), path
    assert set(json.loads((SHIPPED / "metrics.json").read_text())["sha256"]) < set(FILES)


HUGGING_FACES = ["repo_id", "revision", "cache_dir", "allow_patterns", "ignore_patterns"]


@pytest.mark.parametrize(
    ("package", "function", "options"),
    [
        ("huggingface_hub", "snapshot_download", [*HUGGING_FACES, "local_files_only"]),
        ("kagglehub", "model_download", ["handle"]),
    ],
)
def test_the_real_clients_take_what_they_are_asked(package, function, options):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is an extra, and not installed")
    client = importlib.import_module(package)
    inspect.signature(getattr(client, function)).bind(**dict.fromkeys(options))
    if package == "kagglehub":
        from kagglehub import config
        from kagglehub.cache import get_cached_path
        from kagglehub.handle import parse_model_handle

        assert config.CACHE_FOLDER_ENV_VAR_NAME == "KAGGLEHUB_CACHE"
        path = get_cached_path(parse_model_handle("a/b/keras/small/3"))
        assert Path(path) == Path(config.get_cache_folder(), "models/a/b/keras/small/3")
    else:
        from huggingface_hub import constants, errors
        from huggingface_hub.file_download import repo_folder_name

        assert constants.ENDPOINT.startswith("http") and constants.HF_HUB_CACHE
        assert repo_folder_name(repo_id="a/b", repo_type="model") == "models--a--b"
        assert issubclass(errors.LocalEntryNotFoundError, FileNotFoundError)
