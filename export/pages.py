"""The HTML pages, from the Jinja2 templates in `web_page/`; texts are escaped."""

import base64
import hashlib
from pathlib import Path
from typing import Any

import jinja2
import markupsafe

FOLDER = Path(__file__).parent / "web_page"


def render(name: str, **values: Any) -> str:
    """Returns a page, filled in.

    Args:
        name: of a template, without `.html`.
        **values: of its places; a place without one is an error.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters |= {"hash": content_hash, "breakable": _breakable}
    return environment.get_template(f"{name}.html").render(values)


def source(name: str) -> str:
    """Returns the text of a script or style in the folder of templates."""
    return (FOLDER / name).read_text(encoding="utf-8")


def content_hash(text: str) -> str:
    """Returns the hash of a script or style, as the policy of a page names it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _breakable(text: Any) -> markupsafe.Markup:
    """Text as HTML, in which a long name may go on in the next line."""
    return markupsafe.Markup(str(markupsafe.escape(str(text))).replace("_", "_<wbr>"))
