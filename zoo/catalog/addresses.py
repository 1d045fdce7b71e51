"""Presets on a hub: from an address to a folder on this machine, with the hub's own client."""

import contextlib
import importlib
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from keras_gans.names import did_you_mean
from keras_gans.reading.text import read_json, require

# What a preset is made of: data alone, nothing that runs. Patterns as of `fnmatch`.
KINDS = ("recipe.json", "interface.json", "metrics.json", "README.md", "samples.png")
KINDS += ("neighbors.png", "inputs.npz", "directions.npz", "*.weights.h5")
KINDS += ("origin.json", "LICENSE.txt")
# An `origin.json` stands for the recipe where others made the weights.
_REQUIRED, _IN_PLACE = ("recipe.json", "metrics.json"), {"recipe.json": "origin.json"}

_PART = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"  # of a path; never `..`, never a pattern
_PATH = rf"{_PART}(?:/{_PART})*"


def is_address(text: object) -> bool:
    """Is this the address of something elsewhere, rather than a name or a path?

    >>> is_address("hf://someone/dcgan_digits_28"), is_address("dcgan_digits_28")
    (True, False)
    """
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", str(text)) is not None


def name_of(address: str) -> str:
    """What a preset at an address is called: its folder, repository or model.

    >>> name_of("hf://someone/dcgan_digits_28@v1"), name_of("kaggle://me/my_digits/keras/default/3")
    ('dcgan_digits_28', 'my_digits')
    """
    scheme, _, rest = str(address).partition("://")
    parts = rest.split("@")[0].split("/")
    return parts[1] if scheme == "kaggle" else parts[-1]


def fetch(address: str, cache: str | os.PathLike | None = None) -> Path:
    """A preset of a hub, as a folder on this machine.

    What is pinned (`@revision`, `/version`) and in the client's cache is taken from there, without
    a look at the network. Otherwise a line on standard error says what is fetched from where, and
    into which folder, before it starts; of an address that is not pinned, another one says which
    version it was. Nothing that was fetched is run. The files' SHA-256 are `zoo.verify`'s matter.

    >>> from keras_gans.zoo.catalog import addresses
    >>> folder = addresses.fetch("hf://owner/repository@v1.0")  # doctest: +SKIP

    Args:
        address: `hf://owner/repository[/folder][@revision]`, which needs the package
            `huggingface_hub`; or `kaggle://owner/model/framework/variation[/version]`, which needs
            `kagglehub`.
        cache: folder to keep what is fetched in; `None` for the client's own.

    Returns:
        `pathlib.Path` of the folder, with `recipe.json` and `metrics.json` in it.

    Raises:
        ValueError: for a malformed address, one that the hub does not know, or a folder that is no
            preset or holds other files than a preset's.
        ModuleNotFoundError: if the client is not installed.
        ConnectionError: if it could not be fetched: without a network, for example.
    """
    hub = _open(address, cache)
    root = hub.cached() if hub.pin else None
    if root is None:
        _say(f"fetching {address} from {hub.host} into {hub.cache}, where it is not there yet")
        try:
            root = hub.download()
        except Exception as error:  # of the client, or of the libraries that it stands on
            raise _failure(address, hub, error) from error
        if not hub.pin:
            _say(f"this is {hub.address(root.name)}; that address pins the version")
    return _preset(root / hub.folder, address)


def upload(folder: Path, address: str, *, licence: str, private: bool, message: str) -> str:
    """Uploads the files of a preset to a hub.

    Args:
        folder: of a preset.
        address: as for `fetch`, without a revision or version.
        licence: of the weights, as a card's head has it, such as `"apache-2.0"`.
        private: whether a repository that is made is private.
        message: what to say of this version.

    Returns:
        The address, with the revision where the client says it.

    Raises:
        ValueError: for a malformed address, one with a version, or one that the hub refuses.
        ModuleNotFoundError: if the client is not installed.
        ConnectionError: if it could not be uploaded.
    """
    hub = _open(address, None)
    if hub.pin:
        raise ValueError(
            "A new version gets its name from the hub. Expected an address without one, "
            f"{hub.form.partition('[@')[0].partition('[/v')[0]}. Received: {str(address)!r}"
        )
    try:
        return hub.upload(folder, licence, private, message)
    except Exception as error:  # of the client, or of the libraries that it stands on
        raise _refusal(address, hub, error) from error


def _refusal(address, hub, error):
    """What the user reads where a client has failed to upload."""
    said = " ".join(f"{type(error).__name__}: {error}".split())
    received = f"Received: {str(address)!r}, and {said}"
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (400, 401, 403, 404, 409, 422):
        return ValueError(
            f"{hub.host} does not take this preset. Log in with the hub's own client, "
            f"`{hub.package}`, as someone who may write there, and look at what it says. {received}"
        )
    return ConnectionError(
        "This preset could not be uploaded. Look at the network and push again: what has arrived "
        f"is not sent twice. {received}"
    )


def _say(line):
    print(f"keras_gans: {line}", file=sys.stderr, flush=True)


def _open(address, cache):
    """The hub of an address, with the address taken apart and its client imported."""
    scheme, _, rest = str(address).partition("://")
    if scheme not in _HUBS:
        raise ValueError(
            f"No hub has that scheme.{did_you_mean(scheme, _HUBS)} Expected "
            f"{' or '.join(h.form for h in _HUBS.values())}. Received: {str(address)!r}"
        )
    hub = _HUBS[scheme]
    match = re.fullmatch(hub.pattern, rest)
    if match is None:
        raise ValueError(
            f"This address cannot be read. Expected {hub.form}, of letters, digits, `_`, `-` and "
            f"`.`. Received: {str(address)!r}"
        )
    try:
        client = importlib.import_module(hub.package)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{scheme}:// addresses are fetched with the package `{hub.package}`. Install it with "
            f"`pip install 'keras-gans[{hub.extra}]'`. Received: {str(address)!r}, and {error}",
            name=error.name,
        ) from error
    return hub(client, cache, **match.groupdict())


class _HuggingFace:
    form = "hf://owner/repository[/folder][@revision]"
    pattern = rf"(?P<repository>{_PART}/{_PART})(?:/(?P<folder>{_PATH}))?(?:@(?P<pin>{_PATH}))?"
    package, extra = "huggingface_hub", "hub"

    def __init__(self, client, cache, repository, folder, pin):
        self.repository, self.folder, self.pin = repository, folder or "", pin
        self._client, self._download = client, client.snapshot_download
        constants = importlib.import_module("huggingface_hub.constants")
        self.host, self.cache = constants.ENDPOINT, Path(cache or constants.HF_HUB_CACHE)

    def cached(self):
        try:
            root = self.download(local_files_only=True)
        except FileNotFoundError:  # the client's `LocalEntryNotFoundError` is one
            return None
        # Other folders of this revision may be in the cache, or half of this one.
        return None if _lacking(root / self.folder) else root

    def download(self, **options):
        inside = f"{self.folder}/" if self.folder else ""
        root = self._download(
            repo_id=self.repository,
            revision=self.pin,
            cache_dir=self.cache,
            # Nothing else is fetched; a star of `fnmatch` spans folders, so those within are not.
            allow_patterns=[inside + kind for kind in KINDS],
            ignore_patterns=[f"{inside}*/*"],
            **options,
        )
        return Path(root)

    def upload(self, folder, licence, private, message):
        api = self._client.HfApi()
        api.create_repo(self.repository, private=private, exist_ok=True)
        commit = api.upload_folder(
            repo_id=self.repository,
            folder_path=folder,
            path_in_repo=self.folder or None,
            allow_patterns=list(KINDS),
            commit_message=message,
        )
        return self.address(commit.oid)

    def versions(self):
        """Those in the cache, in the layout that the client documents for it."""
        snapshots = self.cache / f"models--{self.repository.replace('/', '--')}" / "snapshots"
        return [p.name for p in snapshots.glob("*") if not _lacking(p / self.folder)]

    def address(self, version):
        return f"hf://{'/'.join(filter(None, (self.repository, self.folder)))}@{version}"


class _Kaggle:
    form = "kaggle://owner/model/framework/variation[/version]"
    pattern = rf"(?P<model>{_PART}(?:/{_PART}){{3}})(?:/(?P<pin>[1-9][0-9]*))?"
    package, extra = "kagglehub", "kaggle"
    host, folder = "Kaggle", ""
    licences = {"apache-2.0": "Apache 2.0", "mit": "MIT"}  # others are chosen on its page

    def __init__(self, client, cache, model, pin):
        self.model, self.pin, self._download = model, pin, client.model_download
        self._client = client
        config = importlib.import_module("kagglehub.config")
        self._variable = config.CACHE_FOLDER_ENV_VAR_NAME
        self.cache = Path(cache or config.get_cache_folder())

    def cached(self):
        # The client looks into its cache by itself, before it asks the network for a version.
        return self.download() if self.pin in self.versions() else None

    def download(self):
        with _environment(self._variable, str(self.cache)):  # it takes its cache from nowhere else
            return Path(self._download("/".join(filter(None, (self.model, self.pin)))))

    def upload(self, folder, licence, private, message):
        # The client sends a folder as it is; only what a preset is made of may go.
        with tempfile.TemporaryDirectory() as copied:
            for name in _files(folder):
                if any(Path(name).match(kind) for kind in KINDS):
                    shutil.copyfile(folder / name, Path(copied, name))
            called = self.licences.get(licence)
            self._client.model_upload(self.model, copied, called, version_notes=message)
        return f"kaggle://{self.model}"

    def versions(self):
        """Those in the cache: the client marks what it has fetched wholly."""
        marks = (self.cache / "models" / self.model).glob("*.complete")
        return [mark.stem for mark in marks if mark.with_suffix("").is_dir()]

    def address(self, version):
        return f"kaggle://{self.model}/{version}"


_HUBS = {"hf": _HuggingFace, "kaggle": _Kaggle}


def _failure(address, hub, error):
    """What the user reads where a client has failed."""
    kept = [hub.address(version) for version in sorted(hub.versions())]
    beside = f" In the cache are {kept}, which need no network." if kept else ""
    said = " ".join(f"{type(error).__name__}: {error}".split())
    received = f"Received: {str(address)!r}, and {said}"
    status = getattr(getattr(error, "response", None), "status_code", None)
    # What is no name to the client, such as `a--b`. Errors of its cache may be of both kinds.
    misnamed = isinstance(error, ValueError) and not isinstance(error, OSError)
    if misnamed or status in (401, 403, 404):
        return ValueError(
            f"{hub.host} shows nothing at this address: it is not there, or it is private. Look at "
            f"its spelling and its revision or version; for what is private, log in with the "
            f"hub's own client, `{hub.package}`.{beside} {received}"
        )
    return ConnectionError(
        "This preset could not be fetched. Look at the network and run again; what is in the "
        "cache, and pinned by its revision or version, loads without one."
        f"{beside} {received}"
    )


def _preset(folder, address):
    """The folder, if it holds a preset and nothing else."""
    found = _files(folder)
    if missing := _missing(_REQUIRED, found):
        raise ValueError(
            f"There is no preset at this address: {' and '.join(missing)} missing. Expected the "
            f"files that `keras_gans.zoo.save_preset` writes. Received: {str(address)!r} with "
            f"{found or 'no such file'} in {folder}"
        )
    alien = [name for name in found if not any(Path(name).match(kind) for kind in KINDS)]
    if alien:
        raise ValueError(
            f"A preset holds data alone, and this folder holds other files. Expected {KINDS}. None "
            "of it was read or run: have them taken out, or use another preset. Received: "
            f"{str(address)!r} with {alien} in {folder}"
        )
    return folder


def _files(folder):
    """Names of the files in a folder. Those that start with a dot are a hub's or a system's own."""
    paths = folder.iterdir() if folder.is_dir() else ()
    return sorted(p.name for p in paths if p.is_file() and not p.name.startswith("."))


def _lacking(folder):
    """What a folder lacks to be a whole preset, by what its own `metrics.json` lists."""
    try:
        metrics = read_json(folder / "metrics.json")
        require(metrics, {"sha256": dict}, "metrics.json")
        listed = metrics["sha256"]
    except (OSError, ValueError):
        listed = ()  # `zoo.card` says what is wrong with it
    return _missing(sorted({*_REQUIRED, *listed}), _files(folder))


def _missing(wanted, found):
    return [n for n in wanted if n not in found and _IN_PLACE.get(n) not in found]


@contextlib.contextmanager
def _environment(name, value):
    """A variable of the environment, set for the length of a block."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
