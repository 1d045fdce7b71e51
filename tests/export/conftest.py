"""LiteRT.js in small, a browser, and generators of pages that are converted once."""

import contextlib
import hashlib
import importlib
import io
import tarfile
from unittest import mock

import chromium
import pytest
from web_pages import browser_lacks

from keras_gans import export, interface
from keras_gans.export import litert_js


def content(generator):
    """What a generator is, whatever its layers are called."""
    layers = [{**layer.get_config(), "name": type(layer).__name__} for layer in generator.layers]
    digest = hashlib.sha256(f"{interface.of(generator)} {layers}".encode())
    for weight in generator.get_weights():
        digest.update(weight.tobytes())
    return digest.hexdigest()


@pytest.fixture(scope="session", autouse=True)
def converted_once():
    """Pages get the file of a generator that was converted for another page before.

    They are of few generators, and what the conversion makes is tested in test_tflite.py.
    """
    kept = {}

    def tflite(generator, path, precision):
        key = (content(generator), precision)
        if key not in kept:
            kept[key] = export.tflite(generator, path, precision=precision).read_bytes()
        path.write_bytes(kept[key])
        return path

    with contextlib.ExitStack() as stack:
        for name in ("web", "gallery"):
            module = importlib.import_module(f"keras_gans.export.{name}")
            stack.enter_context(mock.patch.object(module, "tflite", tflite))
        yield


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """A folder of packages with the files of LiteRT.js, a few bytes each."""
    folder, small = tmp_path / "packages", {}
    folder.mkdir()
    for package, (_, files) in litert_js.PACKAGES.items():
        path = folder / litert_js.archive_name(package)
        with tarfile.open(path, "w:gz") as archive:
            for member in files:
                content = f'import x from "@litertjs/wasm-utils"; // {member}'.encode()
                info = tarfile.TarInfo(f"package/{member}")
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        small[package] = (litert_js._integrity(path), files)
    monkeypatch.setattr(litert_js, "PACKAGES", small)
    return folder


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    if reason := browser_lacks():
        pytest.skip(reason)
    opened = chromium.Page(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()
