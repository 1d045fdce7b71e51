"""Files of others: where those of packages are, and a fingerprint of their content."""

import hashlib
import os
from pathlib import Path

# Raised when images are decoded in another way, so that nobody reads what an old one prepared.
DECODER = 1

NODE_VARIABLE = "KERAS_GANS_NODE_MODULES"


def node_modules(source: Path | str | None = None) -> Path:
    """Returns npm's folder: `source`, else that of the variable, else of the working directory."""
    return Path(source or os.environ.get(NODE_VARIABLE) or "node_modules").expanduser()


def fingerprint(*parts: object) -> str:
    """Returns 16 hexadecimal digits that change with any of the parts (texts, numbers, bytes)."""
    digest = hashlib.sha256()
    for part in parts:
        # Names of files need not be text.
        part = part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogateescape")
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()[:16]
