"""The folder of a model: its folders are versions, 1, 2, ..., as TF Serving looks for them."""

from pathlib import Path

# What the signatures of a version were built for, where TF Serving looks for nothing else.
LIMITS = "assets.extra/limits.json"
# What `export.metadata` says of the generator, names of classes included.
METADATA = "assets.extra/keras_gans.json"
# The SHA-256 of every other file of a version, in hexadecimal, by its path inside.
HASHES = "assets.extra/sha256.json"


def versions(path: Path | str) -> dict[int, Path]:
    """Returns the versions in the folder of a model, from integer to `pathlib.Path`, sorted.

    A version that cannot be looked into counts: whoever loads it says what is wrong.
    """
    path = Path(path)
    found = [p for p in path.iterdir() if is_version(p)] if path.is_dir() else []
    found = {int(p.name): p for p in found if _holds_model(p)}
    return dict(sorted(found.items()))


def newest_version(path: Path | str) -> Path:
    """Returns the SavedModel folder that a path means: itself, or the newest version inside.

    Raises:
        ValueError: if there is none.
    """
    path = Path(path)
    if (path / "saved_model.pb").is_file():
        return path
    found = versions(path)
    if not found:
        raise ValueError(
            "Expected a SavedModel folder: one with a `saved_model.pb`, or with versions 1, 2, "
            f"... that have one. Received: {path}"
        )
    return found[max(found)]


def _holds_model(path: Path) -> bool:
    try:
        return (path / "saved_model.pb").is_file()
    except PermissionError:
        return True


def is_version(path: Path) -> bool:
    """Returns whether a path is named as a version is."""
    return path.name.isdecimal() and path.name.isascii()
