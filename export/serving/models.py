"""The models that the local server serves: the newest version of each, loaded anew as it
appears."""

import dataclasses
import stat
import threading
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from keras_gans.export.graph.versions import versions


class RequestError(Exception):
    """What is wrong with a request.

    Attributes:
        code: one of gRPC's, such as `"NOT_FOUND"`.
    """

    def __init__(self, code: str, message: str) -> None:
        # It may quote the request; gRPC sends it in a header, which has little room.
        super().__init__(message[:1000])
        self.code = code


@dataclasses.dataclass(frozen=True)
class Loaded:
    """A version that can be asked."""

    version: int
    module: object  # lets go of the variables where it is let go of
    signature_defs: dict

    @classmethod
    def read(cls, version: int, path: Path) -> "Loaded":
        graph = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
        module = tf.saved_model.load(str(path))
        return cls(version, module, dict(graph.meta_graphs[0].signature_def))

    def specs(self, name: str) -> dict[str, tf.TensorSpec]:
        """Returns the inputs of a signature, `tf.TensorSpec`s by name."""
        name = name or "serving_default"
        if name not in self.module.signatures:
            raise RequestError(
                "INVALID_ARGUMENT",
                f'Serving signature name: "{name}" not found in signature def. This model has '
                f"{', '.join(self.module.signatures)}",
            )
        return self.module.signatures[name].structured_input_signature[1]

    @staticmethod
    def require_names(specs: dict[str, Any], inputs: dict[str, Any]) -> None:
        """Raises RequestError unless the inputs, by name, are those of a signature."""
        if set(inputs) != set(specs):
            raise RequestError(
                "INVALID_ARGUMENT",
                f"Expected the inputs {sorted(specs)}. Received: {sorted(inputs)}",
            )

    def predict(self, name: str, inputs: dict[str, Any]) -> dict[str, np.ndarray]:
        """Runs a signature on arrays by name, and returns arrays by name.

        Raises:
            RequestError: for what does not fit the signature, or is refused inside the graph.
        """
        specs = self.specs(name)
        self.require_names(specs, inputs)
        tensors = {}
        for key, spec in specs.items():
            array = np.asarray(inputs[key])
            wanted = spec.dtype.as_numpy_dtype
            if array.dtype != wanted or not spec.shape.is_compatible_with(array.shape):
                raise RequestError(
                    "INVALID_ARGUMENT",
                    f"The input {key!r} does not fit: expected {spec.dtype.name} of shape "
                    f"{spec.shape}. Received: {array.dtype} of shape {array.shape}",
                )
            tensors[key] = tf.constant(array, spec.dtype)
        try:
            made = self.module.signatures[name or "serving_default"](**tensors)
        except tf.errors.OpError as error:
            raise RequestError(_CODES.get(type(error), "INTERNAL"), _short(error)) from error
        return {key: value.numpy() for key, value in made.items()}


_CODES = {
    tf.errors.InvalidArgumentError: "INVALID_ARGUMENT",
    tf.errors.NotFoundError: "NOT_FOUND",
    tf.errors.ResourceExhaustedError: "RESOURCE_EXHAUSTED",
    tf.errors.UnimplementedError: "UNIMPLEMENTED",
    tf.errors.OutOfRangeError: "OUT_OF_RANGE",
}


def _short(error: tf.errors.OpError) -> str:
    """What TensorFlow says, without where in the program."""
    lines = [line.strip() for line in error.message.splitlines()]
    kept = [line for line in lines if line and not line.startswith(("Graph execution", "Detected"))]
    kept = [line for line in kept if "stack traces" not in line and "{{node" not in line]
    return " ".join(kept) or error.message


def _stamp(path: Path) -> tuple:
    """What changes with anything in a folder: sizes and times of all its files."""
    return tuple(
        (str(file), state.st_size, state.st_mtime_ns)
        for file in sorted(path.rglob("*"))
        for state in [file.stat()]
        if not stat.S_ISDIR(state.st_mode)
    )


class Models:
    """All models of a folder, kept up to date.

    Args:
        folder: of one model, with versions; or of several such folders.

    Raises:
        ValueError: if there is none.
    """

    def __init__(self, folder: Path | str) -> None:
        folder = Path(folder)
        self._folder = folder.resolve()
        # By name: a stamp and a `Loaded`; and by version, a stamp and an error.
        self._loaded, self._failed = {}, {}
        self._lock = threading.Lock()
        if not self._look():
            raise ValueError(
                "There is nothing to serve. Expected the folder of a model, with versions 1, 2, "
                "..., or a folder of such folders, as `keras-gans export` writes them. "
                f"Received: {folder}"
            )

    def _look(self):
        """The versions of each model, by name, or `None` where they cannot be read just now."""
        if versions(self._folder):
            return {self._folder.name: versions(self._folder)}
        looked = {}
        for path in sorted(self._folder.iterdir()) if self._folder.is_dir() else []:
            try:
                looked[path.name] = versions(path)
            except FileNotFoundError:
                continue  # gone since it was listed
            except OSError:
                looked[path.name] = None
        return {name: found for name, found in looked.items() if found != {}}

    def refresh(self) -> list[tuple[str, int, Exception | None]]:
        """Loads what is new, and forgets what is gone; returns `(name, version, error)` of each.

        Of each model the newest version that can be loaded is served. One that cannot is tried
        again when anything in its folder has changed: files may arrive one after the other.
        """
        news = []
        with self._lock:
            looked = self._look()
            for name in (set(self._loaded) | set(self._failed)) - set(looked):
                self._loaded.pop(name, None)
                self._failed.pop(name, None)
            for name, found in looked.items():
                if found is not None:
                    news += [(name, *row) for row in self._refresh(name, found)]
        return news

    def _refresh(self, name, found):
        """Yields version and error of what was tried, from the newest version downwards."""
        failed = self._failed.setdefault(name, {})
        for version in set(failed) - set(found):
            del failed[version]
        stamp, current = self._loaded.get(name, (None, None))
        for version, path in reversed(found.items()):
            # Below what is loaded only if that is gone from the disk.
            if current and version < current.version and current.version in found:
                return
            now = None
            try:
                now = _stamp(path)
                if version in failed and failed[version][0] == now:
                    continue
                if current and version == current.version and stamp == now:
                    failed.pop(version, None)
                    return
                self._loaded[name] = (now, Loaded.read(version, path))
            # What a damaged, half-written or unreadable model raises has no end of kinds.
            except Exception as error:
                failed[version] = (now, error)
                yield version, error
                continue
            failed.pop(version, None)
            yield version, None
            return

    def names(self) -> list[str]:
        """Returns the names of the models that are served."""
        return sorted(self._loaded)

    def get(self, name: str, version: int | None = None) -> Loaded:
        """Returns the `Loaded` of a model.

        Raises:
            RequestError: if there is no such model, or another version is asked for.
        """
        current = self._loaded.get(name)
        if current is None or version not in (None, current[1].version):
            which = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise RequestError("NOT_FOUND", f"Servable not found for request: {which}")
        return current[1]

    def status(self, name: str, version: int | None = None) -> list[tuple[int, str, str, str]]:
        """Returns `(version, state, error code, message)` of each version, the newest first."""
        rows = [
            (failed, "END", "UNKNOWN", f"{type(error).__name__}: {error}")
            for failed, (_, error) in dict(self._failed.get(name, {})).items()
        ]
        if name in self._loaded:
            rows.append((self._loaded[name][1].version, "AVAILABLE", "OK", ""))
        rows = [row for row in rows if version in (None, row[0])]
        if not rows:
            asked = name if version is None else f"{name}, version {version}"
            raise RequestError("NOT_FOUND", f"Could not find any versions of model {asked}")
        return sorted(rows, reverse=True)
