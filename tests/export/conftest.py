"""LiteRT.js in small, and a browser."""

import io
import tarfile

import chromium
import pytest
from web_pages import browser_lacks

from keras_gans.export import litert_js


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
