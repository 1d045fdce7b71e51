"""A folder of translated images, and the page that shows them beside what they were made of."""

import contextlib
import html
import json
import os
import urllib.parse
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_gans import image
from keras_gans.files import atomic

PAGE = "index.html"

# Beside the page: the pictures that only it shows, and what was done to which image.
BESIDE, NOTES = "index_files", "done.jsonl"

# Images on the page, and the longer side of what is shown beside them.
ROWS, PREVIEW = 200, 800

_HTML = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem;
  color: #222; overflow-wrap: anywhere }}
section {{ margin-top: 2rem }}
section > div {{ display: grid; gap: 0.5rem 1rem; align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(min(10rem, 100%), 1fr)) }}
h2 {{ font-size: 1rem; margin: 0 }}
p {{ margin: 0 0 0.5rem }}
figure {{ margin: 0 }}
img {{ display: block; width: 100%; height: auto; max-height: 90vh; object-fit: contain;
  object-position: left top }}
.slider {{ position: relative; max-width: 40rem; --at: 50% }}
.slider img {{ object-fit: fill; max-height: none }}
.slider img.after {{ position: absolute; inset: 0; height: 100% }}
.slider img.after {{ clip-path: inset(0 0 0 var(--at)) }}
.slider + input {{ width: 100%; max-width: 40rem; margin: 0.25rem 0 0 }}
img.small {{ image-rendering: pixelated; max-width: 20rem }}
figcaption, .note {{ color: #666; font-size: 0.9rem }}
@media (prefers-color-scheme: dark) {{
  body {{ background: #181a1c; color: #ddd }}
  a {{ color: #8ab4f8 }}
  figcaption, .note {{ color: #aaa }}
}}
</style>
<h1>{title}</h1>
<p>{summary}</p>
{failed}
{rows}
</html>
"""


class Gallery:
    """Notes of what was made in a folder, kept there, and the page of them.

    Args:
        folder: `pathlib.Path`, made when the first note is.
        shard: `(3, 16)` of the third of sixteen processes that write into one folder: each keeps
            notes of its own, and the page shows all.

    Attributes:
        notes: names of images to what was noted of them.
    """

    def __init__(self, folder: Path, shard: tuple[int, int] | None = None) -> None:
        self.folder, self.notes = folder, {}
        self._file = NOTES if shard is None else NOTES.replace(".", f"-{shard[0]}-of-{shard[1]}.")
        self._read()

    def _read(self):
        """Takes up the notes of all processes."""
        stem, suffix = NOTES.split(".")
        for path in sorted((self.folder / BESIDE).glob(f"{stem}*.{suffix}")):
            for line in path.read_bytes().splitlines():
                with contextlib.suppress(ValueError):  # a kill has cut it off, before its image
                    note = json.loads(line)
                    if _is_note(note):
                        self.notes[note["name"]] = note  # the last one counts

    def require_same(self, settings: Mapping[str, Any], skipped: Iterable[str]) -> None:
        """Raises ValueError if an image that is there is known to be made in another way.

        Args:
            settings: of the images that are about to be made.
            skipped: names of those that are there.
        """
        for name in skipped:
            earlier = self.notes.get(name, {}).get("settings", settings)
            changed = [
                f"{field} (was {earlier.get(field)!r}, now {value!r})"
                for field, value in settings.items()
                if earlier.get(field) != value
            ]
            if changed:
                raise ValueError(
                    "The folder holds images that were made in another way, and going on would mix "
                    "the two. Choose another folder with `output`, or make all again with "
                    f"`overwrite`. Received for {name}: {', '.join(changed)}"
                )

    def note(
        self,
        name: str,
        source: str | Path,
        shape: Sequence[int],
        remarks: Sequence[str],
        shown: Mapping[str, np.ndarray],
        settings: Mapping[str, Any],
    ) -> None:
        """Notes that an image is about to be written.

        Args:
            name: of the image, relative to the folder.
            source: path it is made of.
            shape: `(height, width, ...)`.
            remarks: words for its row of the page.
            shown: captions to `uint8` pictures that the page shows beside it.
            settings: what else it depends on.
        """
        for kind, pixels in shown.items():
            image.save(pixels, self.folder / _beside(kind, name))
        self.notes[name] = {
            "name": name,
            "input": str(source),
            "size": [shape[1], shape[0]],
            "told": remarks,
            "shown": list(shown),
            "settings": settings,
        }
        path = self.folder / BESIDE / self._file
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(f"{json.dumps(self.notes[name])}\n")

    def write_page(self, title: str, failed: Mapping[Path, str], done: str = "translated") -> Path:
        """Writes the page of all that is noted and there.

        Args:
            title: of the page.
            failed: paths of images that could not be read, to the reason.
            done: what was to be done to them.

        Returns:
            The `pathlib.Path` of the page.
        """
        self._read()  # what other processes have noted meanwhile
        made = [n for _, n in sorted(self.notes.items()) if (self.folder / n["name"]).exists()]
        summary = "1 image." if len(made) == 1 else f"{len(made)} images."
        if len(made) > ROWS:
            summary += f" The first {ROWS} by name are shown; all are in this folder."
        reasons = "".join(
            f"<li>{_escaped(path)}: {_escaped(reason)}</li>" for path, reason in failed.items()
        )
        page = _HTML.format(
            title=_escaped(title),
            summary=summary,
            failed=f"<p>Not {done}:</p><ul>{reasons}</ul>" if reasons else "",
            rows="\n".join(_row(note) for note in made[:ROWS]),
        )
        with atomic(self.folder / PAGE) as partial:
            partial.write_text(page, encoding="utf-8")
        return self.folder / PAGE


def _is_note(note):
    """Whether this is what `Gallery.note` writes, and not what became of it in other hands."""
    kinds = {"name": str, "input": str, "size": list, "told": list, "shown": list, "settings": dict}
    return (
        isinstance(note, dict)
        and all(isinstance(note.get(field), kind) for field, kind in kinds.items())
        and [type(side) for side in note["size"]] == [int, int]
        and all(isinstance(text, str) for text in [*note["told"], *note["shown"]])
    )


def _beside(kind, name):
    # Images of one name may differ in their suffixes.
    return f"{BESIDE}/{kind}s/{name}" + ".png" * (Path(name).suffix != ".png")


def _row(note):
    name, (width, height) = note["name"], note["size"]
    if note["shown"] == ["before", "after"]:
        return _slider(note)
    pictures = {kind: _beside(kind, name) for kind in note["shown"]}
    first = {"input": pictures.pop("input")} if "input" in pictures else {}
    style = ' class="small"' if max(width, height) < 200 else ""
    figures = "".join(
        f'<figure><a href="{_address(path)}"><img{style} loading="lazy" width="{width}" '
        f'height="{height}" alt="{caption} of {_escaped(name)}" src="{_address(path)}"></a>'
        f"<figcaption>{caption}</figcaption></figure>"
        for caption, path in {**first, "output": name, **pictures}.items()
    )
    remarks = _escaped(", ".join([f"{width}x{height}", *note["told"]]))
    title = f'<h2>{_escaped(name)}</h2><p class="note">{remarks}</p>'
    return f"<section>{title}<div>{figures}</div></section>"


def _slider(note):
    """A part of an image before and after, with a slider between the two."""
    name, (width, height) = note["name"], note["size"]
    before, after = (_address(_beside(kind, name)) for kind in ("before", "after"))
    remarks = _escaped(", ".join([f"{width}x{height}", *note["told"]]))
    # The lower picture says the size; both are the same part of the image.
    pictures = (
        f'<img loading="lazy" alt="before, {_escaped(name)}" src="{before}">'
        f'<img class="after" loading="lazy" alt="after, {_escaped(name)}" src="{after}">'
    )
    moved = "this.previousElementSibling.style.setProperty('--at', this.value + '%')"
    return (
        f'<section><h2><a href="{_address(name)}">{_escaped(name)}</a></h2>'
        f'<p class="note">{remarks}</p><figure><div class="slider">{pictures}</div>'
        f'<input type="range" min="0" max="100" value="50" aria-label="before and after" '
        f'oninput="{moved}"></figure></section>'
    )


def _address(path):
    return urllib.parse.quote(os.fsencode(path))


def printable(path: str | Path) -> str:
    """A path as text that can be written: names of files may hold bytes that are none."""
    return os.fsencode(path).decode("utf-8", "replace")


def _escaped(text):
    return html.escape(printable(str(text)))
