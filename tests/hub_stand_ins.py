"""Stand-ins for the clients of hubs: the fixtures `hugging_face` and `kaggle` of every test."""

import os
import shutil
import sys
import types
from fnmatch import fnmatch
from pathlib import Path

import pytest

from keras_gans.zoo.catalog import presets

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SHIPPED = presets.FOLDER / "dcgan_digits_28"
FILES = sorted(path.name for path in SHIPPED.iterdir())


def lay(folder, *extra, without=()):
    """A preset as a repository or a model holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in set(FILES) - set(without):
        shutil.copy(SHIPPED / name, folder)
    for name in extra:
        (folder / name).write_text("raise SystemExit('run!')")
    return folder


class RefusedError(OSError):
    """As `requests.HTTPError` and `HfHubHTTPError`, which carry the answer."""

    def __init__(self, status):
        super().__init__(f"{status} Client Error")
        self.response = types.SimpleNamespace(status_code=status)


class NotCachedError(FileNotFoundError, ValueError):
    """As `LocalEntryNotFoundError` of huggingface_hub 0.30; later ones are no `ValueError`."""


class Hub:
    """What both stand-ins share: whether there is a network, and what was asked of it."""

    def __init__(self, folder):
        self.remote, self.cache = folder / "remote", folder / "cache"
        self.asked, self.online = [], True

    def ask(self, name):
        if not self.online:
            raise OSError("Name or service not known")
        self.asked.append(name)
        if not (self.remote / name).is_dir():
            raise RefusedError(404)


@pytest.fixture
def hugging_face(tmp_path, monkeypatch):
    """A stand-in for `huggingface_hub`, of its signatures, cache and exceptions."""
    hub = Hub(tmp_path)

    def snapshot_download(
        repo_id,
        *,
        revision=None,
        cache_dir=None,
        local_files_only=False,
        allow_patterns=None,
        ignore_patterns=None,
    ):
        kept = Path(cache_dir) / f"models--{repo_id.replace('/', '--')}"
        snapshot, ref = kept / "snapshots" / COMMIT, kept / "refs" / (revision or "main")
        if local_files_only or not hub.online:
            if snapshot.is_dir() and (revision == COMMIT or ref.is_file()):
                return str(snapshot)
            raise NotCachedError("Cannot find an appropriate cached snapshot folder")
        hub.ask(repo_id)
        if revision not in (None, "main", "v1.0", COMMIT):
            raise RefusedError(404)
        hub.patterns = allow_patterns
        for path in (p for p in (hub.remote / repo_id).rglob("*") if p.is_file()):
            name = path.relative_to(hub.remote / repo_id).as_posix()
            allowed = any(fnmatch(name, pattern) for pattern in allow_patterns)
            if allowed and not any(fnmatch(name, pattern) for pattern in ignore_patterns):
                (snapshot / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, snapshot / name)
        ref.parent.mkdir(parents=True, exist_ok=True)
        ref.write_text(COMMIT)
        return str(snapshot)

    class HfApi:
        def create_repo(self, repo_id, *, private=None, exist_ok=False):
            if not hub.online:
                raise OSError("Name or service not known")
            if repo_id.startswith("others/"):
                raise RefusedError(403)
            hub.asked.append((repo_id, private))
            (hub.remote / repo_id).mkdir(parents=True, exist_ok=exist_ok)

        def upload_folder(
            self, *, repo_id, folder_path, path_in_repo, commit_message, allow_patterns
        ):
            target = hub.remote / repo_id / (path_in_repo or "")
            target.mkdir(parents=True, exist_ok=True)
            for path in (p for p in Path(folder_path).rglob("*") if p.is_file()):
                if any(fnmatch(path.relative_to(folder_path), k) for k in allow_patterns):
                    shutil.copy(path, target)
            return types.SimpleNamespace(oid=COMMIT, message=commit_message)

    client = types.ModuleType("huggingface_hub")
    client.snapshot_download, client.HfApi = snapshot_download, HfApi
    constants = types.ModuleType("huggingface_hub.constants")
    constants.ENDPOINT, constants.HF_HUB_CACHE = "https://hub.example", str(hub.cache)
    monkeypatch.setitem(sys.modules, "huggingface_hub", client)
    monkeypatch.setitem(sys.modules, "huggingface_hub.constants", constants)
    return hub


@pytest.fixture
def kaggle(tmp_path, monkeypatch):
    """A stand-in for `kagglehub`, of its signatures, cache and exceptions."""
    hub = Hub(tmp_path)
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(hub.cache))

    def get_cache_folder():
        return os.environ["KAGGLEHUB_CACHE"]

    def model_download(handle, path=None, *, force_download=False, output_dir=None):
        model, version = handle, None
        if handle.count("/") == 4:
            model, _, version = handle.rpartition("/")
        else:
            hub.ask(handle)
            version = max(p.name for p in (hub.remote / handle).iterdir())
        target = Path(get_cache_folder()) / "models" / model / version
        if not target.is_dir():
            hub.ask(f"{model}/{version}")
            shutil.copytree(hub.remote / model / version, target)
            target.with_name(f"{version}.complete").touch()
        return str(target)

    def model_upload(handle, local_model_dir, license_name=None, version_notes=""):
        versions = [int(p.name) for p in (hub.remote / handle).glob("*")]
        shutil.copytree(local_model_dir, hub.remote / handle / str(max(versions, default=0) + 1))
        hub.asked.append((handle, license_name, version_notes))

    client = types.ModuleType("kagglehub")
    client.model_download, client.model_upload = model_download, model_upload
    config = types.ModuleType("kagglehub.config")
    config.CACHE_FOLDER_ENV_VAR_NAME = "KAGGLEHUB_CACHE"
    config.get_cache_folder = get_cache_folder
    monkeypatch.setitem(sys.modules, "kagglehub", client)
    monkeypatch.setitem(sys.modules, "kagglehub.config", config)
    return hub


def names(folder):
    return sorted(path.name for path in folder.iterdir() if path.is_file())
