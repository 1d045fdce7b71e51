"""`push`: a preset onto a hub, as it is, with the hub's own client."""

import os
from pathlib import Path

from keras_gans.zoo.catalog import addresses, heads, presets


def push(
    name: str | os.PathLike, address: str, *, private: bool = False, message: str | None = None
) -> str:
    """Uploads a preset to a hub, where `load` finds it under its address.

    Its card has the head that the hub reads: licence, task, tags. Log in with the hub's own client
    first. On Hugging Face the repository is made if it is not there, and what it holds besides
    the preset's files is left as it is; on Kaggle this makes a new version of the model.

    >>> keras_gans.zoo.push("my_faces", "hf://me/my_faces", private=True)  # doctest: +SKIP
    'hf://me/my_faces@5b1c3f0d9b0c...'

    Args:
        name: name of a preset with weights, or its folder.
        address: `hf://owner/repository[/folder]`, which needs the package `huggingface_hub`; or
            `kaggle://owner/model/framework/variation`, which needs `kagglehub`.
        private: whether a repository that is made is private; Kaggle's client has no such choice.
        message: what to say of this version; `None` for the preset's description.

    Returns:
        The address of what was uploaded, with its version where the hub's client says it.

    Raises:
        ValueError: for a malformed address or one with a version; a preset without weights, licence
            or card; one whose files are damaged, or whose numbers are of other weights.
        ModuleNotFoundError: if the client is not installed.
        ConnectionError: if it could not be uploaded.
    """
    if addresses.is_address(name):
        raise ValueError(
            "What is on a hub is not pushed again. Expected the name of a preset, or its folder. "
            f"Received: {str(name)!r}"
        )
    card = presets.card(name)
    _require_ready(card)
    return addresses.upload(
        card.folder,
        address,
        licence=card.licences["weights"],
        private=private,
        message=message or card.description,
    )


def _require_ready(card: presets.Card) -> None:
    """Raises ValueError for what others could not use, or should not trust."""
    if not card.parts:
        raise ValueError(
            "There are no weights in this preset's folder, so nobody could load it. Expected a "
            "preset that `keras_gans.zoo.save_preset` wrote. Received: "
            f"{card.name!r}, of the origin {card.origin!r}"
        )
    if not heads.body(card.text).strip():
        raise ValueError(
            f"This preset has no card. Expected a {presets.TEXT} that says what it makes, how it "
            f"was made and what it cannot do. Received: {Path(card.folder, presets.TEXT)}"
        )
    heads.require_licences(card)
    presets.verify(card.folder)
    if card.outdated:
        raise ValueError(
            "The numbers of this preset are older than its weights. Measure them again with "
            "`python -m keras_gans.zoo.publishing FOLDER`. Received: "
            f"{card.folder}, measured with {card.metrics.get('measured', 'unknown weights')}"
        )
