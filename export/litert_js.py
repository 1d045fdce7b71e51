"""LiteRT.js, which runs a `.tflite` file in a browser: fetched once, checked, kept.

It comes from npm and is about 19 MB, mostly WebAssembly, so it is not part of this library.
"""

import base64
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
import urllib.request
from pathlib import Path

from keras_gans import files
from keras_gans.export import signatures
from keras_gans.files import atomic

VERSION = "2.5.3"

# npm packages, the `dist.integrity` that the registry gives for each, and the files wanted of it
# under the names they get. The runtime takes the pair of files without "compat" where the browser
# has relaxed SIMD.
PACKAGES = {
    "@litertjs/core": (
        "sha512-PlGmbMOq9WitX7FO0jhbdJw9GthatsyuCQXjTt/wJZo0FLaw48q4tz8IwqgqCIkviYGr9OFDL1kCnN4nzWoyJQ==",
        {
            "dist/index.js": "index.js",
            "wasm/litert_wasm_internal.js": "litert_wasm_internal.js",
            "wasm/litert_wasm_internal.wasm": "litert_wasm_internal.wasm",
            "wasm/litert_wasm_compat_internal.js": "litert_wasm_compat_internal.js",
            "wasm/litert_wasm_compat_internal.wasm": "litert_wasm_compat_internal.wasm",
        },
    ),
    "@litertjs/wasm-utils": (
        "sha512-4fJiw6tBQnIs+0jH/OQ16nYOiSl8/+zZnn5h2ul8aTKHi05sVqZW580Tmk78pC2kT39A9OYBVdFawteZ/sI1kQ==",
        {"dist/index.js": "wasm_utils.js"},
    ),
}
LICENSE = "LICENSE.txt"

_CHANGED = "// Changed by keras_gans: imports wasm_utils.js by its path.\n"
_NOTE = """LiteRT.js {version}: what a page needs of the npm packages @litertjs/core and
@litertjs/wasm-utils. Copyright Google LLC, under the Apache License 2.0, which follows.
https://github.com/google-ai-edge/LiteRT/tree/main/litert/js

Changed: index.js imports wasm_utils.js by its path. The other files are as they came.

"""


def cache_folder() -> Path:
    """Returns where the packages are kept: `litert_js/` in the library's cache, see `files`."""
    return files.cache_folder() / "litert_js"


def archive_name(package: str) -> str:
    """Returns the name under which `npm pack` saves a package.

    >>> archive_name("@litertjs/core")
    'litertjs-core-2.5.3.tgz'
    """
    return f"{package.removeprefix('@').replace('/', '-')}-{VERSION}.tgz"


def unpack(folder: Path | str, packages: Path | str | None = None) -> None:
    """Writes the runtime into a folder, unless it is there in this version.

    Args:
        folder: to write to.
        packages: folder of the npm packages, as `npm pack` saves them. `None` takes
            `cache_folder()`, and fetches there what is missing.

    Raises:
        FileNotFoundError: if a package is not in `packages`, or can not be fetched.
        ValueError: if one is damaged, or another version.
    """
    folder = Path(folder)
    packages = packages if packages is None else signatures.to_path(packages)
    terms = (Path(__file__).parent / "web_page" / "apache_2.0.txt").read_text(encoding="utf-8")
    terms = _NOTE.format(version=VERSION) + terms
    # The licence is written last and names the version.
    if (folder / LICENSE).is_file() and (folder / LICENSE).read_text(encoding="utf-8") == terms:
        return
    # All of them before the first file is written.
    archives = {package: _archive(package, packages) for package in PACKAGES}
    for package, path in archives.items():
        with tarfile.open(path) as archive:
            for member, name in PACKAGES[package][1].items():
                content = archive.extractfile(f"package/{member}").read()
                if name == "index.js":
                    content = content.replace(b'"@litertjs/wasm-utils"', b'"./wasm_utils.js"')
                    content = _CHANGED.encode() + content
                with atomic(folder / name) as partial:
                    partial.write_bytes(content)
    with atomic(folder / LICENSE) as partial:
        partial.write_text(terms, encoding="utf-8")


def _archive(package, packages):
    """Path of a package that is what the registry says it is."""
    path = Path(packages or cache_folder()) / archive_name(package)
    if not path.is_file():
        if packages is not None:
            raise FileNotFoundError(
                f"A package of LiteRT.js is missing. Get it with `npm pack {package}@{VERSION}` in "
                f"that folder. Received: no {path}"
            )
        content = _fetch(package)
        with atomic(path) as partial:
            partial.write_bytes(content)
    expected, found = PACKAGES[package][0], _integrity(path)
    if found != expected:
        if packages is None:
            path.unlink()  # so that the next call fetches it again
        raise ValueError(
            f"A package of LiteRT.js is damaged, or not version {VERSION} of {package}. Run again, "
            f"or get it with `npm pack {package}@{VERSION}`. Expected {expected}. "
            f"Received: {found} of {path}"
        )
    return path


def _fetch(package):
    """The bytes of a package, by npm where there is one: it knows the registry that is set up."""
    try:
        if npm := shutil.which("npm"):
            with tempfile.TemporaryDirectory() as folder:
                subprocess.run(
                    [npm, "pack", f"{package}@{VERSION}", "--pack-destination", folder],
                    check=True,
                    capture_output=True,
                    text=True,
                    timeout=600,
                )
                return Path(folder, archive_name(package)).read_bytes()
        name = f"{package.split('/')[-1]}-{VERSION}.tgz"
        address = f"https://registry.npmjs.org/{package}/-/{name}"
        with urllib.request.urlopen(address, timeout=60) as reply:
            return reply.read()
    except (OSError, subprocess.SubprocessError) as error:
        # Of a command that failed, its last words; npm's first ones are the command itself.
        said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()[-3:]
        raise FileNotFoundError(
            "LiteRT.js could not be fetched from npm. Run again with a network; or, where there is "
            f"one, run {_commands()}, and give that folder as `packages` (`--packages`). "
            f"Received: {' '.join(said)}"
        ) from error


def _commands():
    return " and ".join(f"`npm pack {package}@{VERSION}`" for package in PACKAGES)


def _integrity(path):
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha512").digest()
    return f"sha512-{base64.b64encode(digest).decode()}"
