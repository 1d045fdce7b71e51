"""What TF Serving is started with: models.config, batching.config and compose.yaml."""

import json
from pathlib import Path

from keras_gans.export.graph.versions import LIMITS, versions
from keras_gans.files import atomic

# Of the tags of the image tensorflow/serving, the version that the exports are made with.
_TAG = "2.21.0"
_MARK = "# Written by keras-gans."


def write_configuration(folder: Path | str, overwrite: bool = False) -> list[Path]:
    """Writes files for TF Serving into a folder of models, for all models there.

    Run again after another export: what this function wrote is replaced.

    >>> generator = keras_gans.networks.dcgan_generator((16, 16, 1), width=4)
    >>> path = keras_gans.export.saved_model(generator, "served/digits")
    >>> [p.name for p in keras_gans.export.serving.write_configuration("served")]
    ['models.config', 'batching.config', 'compose.yaml']

    Args:
        folder: whose folders are models, each with versions.
        overwrite: replace files of these names that somebody else wrote, too.

    Returns:
        The paths written.

    Raises:
        ValueError: if there is no model.
        FileExistsError: if a file is there that this function has not written.
    """
    folder = Path(folder)
    inner = sorted(folder.iterdir()) if folder.is_dir() else []
    models = {path.name: versions(path) for path in inner}
    models = {name: found for name, found in models.items() if found}
    if not models:
        raise ValueError(
            "There is no model. Expected a folder of models, each with versions 1, 2, ... inside. "
            f"Received: {folder}"
        )
    texts = {
        "models.config": _models(models),
        "batching.config": _batching(models.values()),
        "compose.yaml": _COMPOSE.format(mark=_MARK, tag=_TAG),
    }
    for name in texts:
        path = folder / name
        if path.exists() and not overwrite and not path.read_text().startswith(_MARK):
            raise FileExistsError(
                "There is a file of that name that was written by somebody else. Move it, or pass "
                f"`overwrite=True` (`--overwrite` on the command line). Received: {path}"
            )
    for name, text in texts.items():
        with atomic(folder / name) as partial:
            partial.write_text(text)
    return [folder / name for name in texts]


def _models(names: list[str]) -> str:
    entries = "".join(
        f"  config {{\n    name: {json.dumps(name)}\n"
        f"    base_path: {json.dumps(f'/models/{name}')}\n"
        '    model_platform: "tensorflow"\n  }\n'
        for name in names
    )
    return f"{_MARK} The newest version of each is served.\nmodel_config_list {{\n{entries}}}\n"


def _batching(models):
    """No larger than what the strictest model takes, which would refuse the whole batch."""
    limits = [found[max(found)] / LIMITS for found in models]
    sizes = [json.loads(p.read_text())["max_images"] for p in limits if p.is_file()]
    return _BATCHING.format(mark=_MARK, size=min([*sizes, 32]))


_BATCHING = """\
{mark} For requests by rows only, with --enable_batching: see docs/serving.md.
max_batch_size {{ value: {size} }}
batch_timeout_micros {{ value: 5000 }}
max_enqueued_batches {{ value: 100 }}
num_batch_threads {{ value: 2 }}
"""

_COMPOSE = """\
{mark} Start with: docker compose up
services:
  serving:
    image: tensorflow/serving:{tag}
    command:
      - --model_config_file=/models/models.config
      - --model_config_file_poll_wait_seconds=60
      # Joins requests by rows; `generate` and `generate_png` then return an error.
      # - --enable_batching
      # - --batching_parameters_file=/models/batching.config
    ports:
      - "127.0.0.1:8500:8500" # gRPC
      - "127.0.0.1:8501:8501" # REST
    volumes:
      - .:/models:ro
    mem_limit: 4g
    restart: unless-stopped
"""
