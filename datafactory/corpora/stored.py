"""A corpus on disk: which files it has, what is in each, and what it says of itself."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from datafactory.corpora.urls import Naming
from datafactory.errors import DataError
from datafactory.types import Record

if TYPE_CHECKING:
    import numpy as np

FORMAT = 2
"""Counts up when what is stored changes: an older corpus is refused, and built anew."""
MANIFEST = "corpus.json"
REJECTS = "rejects.jsonl"

ARRAYS: dict[str, tuple[str, int]] = {
    "pages": ("<i8", 5),
    "passages": ("<i8", 3),
    "marks": ("<u8", 1),
    "numbers": ("<u4", 1),
    "links_at": ("<i8", 1),
    "links_to": ("<u4", 1),
    "linked_at": ("<i8", 1),
    "linked_from": ("<u4", 1),
}
"""Little-endian arrays without a header: type, and columns.

`pages`: start and end of the text in `text.bin`, start of the url, of the title and end of the title in `names.bin`.
`passages`: number of the page, start and end of the passage in `text.bin`. `marks` (sorted) and `numbers`: every url
and alias by its mark (`urls.mark`), and the page that it names. `links_at` (pages + 1) and `links_to`: the pages that
page n links to are `links_to[links_at[n]:links_at[n + 1]]`; `linked_at` and `linked_from`: the same the other way.
"""
BLOBS = ("text", "names")
"""UTF-8: the text of the pages; their urls and titles."""


class Manifest(Record):
    """What a stored corpus says of itself."""

    format: int = FORMAT
    name: str
    """`corpus/<name>-<12 hex>`."""
    title: str
    naming: Naming
    digest: str
    """SHA-256 over the digests of all its files: corpora of one digest have the same pages, links and passages."""
    files: dict[str, tuple[int, str]]
    """Bytes and SHA-256 of each file."""
    recipe: dict[str, Any]
    """The source as it was given."""
    pages: int
    passages: int
    links: int
    aliases: int
    dropped_links: int
    """Links that named no page of the corpus, the page that they are on, or one that was linked before."""
    rejects: dict[str, int] = {}
    """What is no page of it, counted by reason; each is in `rejects.jsonl`."""
    made: str
    """ISO 8601, UTC."""


def file(name: str) -> str:
    """The file of an array or of a text."""
    return f"{name}.bin"


def read_manifest(folder: Path, name: str) -> Manifest:
    """Raises FileNotFoundError where there is none; DataError for one of another format, or one that is damaged."""
    data = (folder / MANIFEST).read_bytes()
    again = f"`datafactory corpora remove {name}`, and build it again"
    try:
        made = Manifest.model_validate_json(data)
    except ValidationError as error:
        if (found := _format(data)) not in (None, FORMAT):
            raise DataError(f"{name} was stored in format {found}, and this version reads {FORMAT}: {again}") from error
        raise DataError(f"{name} is damaged ({str(error).replace(chr(10), '; ')}): {again}") from error
    if made.format != FORMAT:
        raise DataError(f"{name} was stored in format {made.format}, and this version reads {FORMAT}: {again}")
    for part, (size, _) in made.files.items():
        path = folder / part
        there = path.stat().st_size if path.is_file() else None
        if there != size:
            said = "is missing" if there is None else f"has {there:,} bytes, not {size:,}"
            raise DataError(f"{name} is damaged ({part} {said}): {again}")
    return made


def _format(data: bytes) -> Any:
    import json

    try:
        value = json.loads(data)
    except ValueError:
        return None
    return value.get("format") if isinstance(value, dict) else None


def array(path: Path, kind: str, columns: int) -> np.ndarray[Any, Any]:
    """A file as a memory-mapped array for reading; an empty one is an array of no rows."""
    import numpy as np

    shape: tuple[int, ...] = (-1,) if columns == 1 else (-1, columns)
    if not path.stat().st_size:
        return np.empty(0, dtype=kind).reshape((0, *shape[1:]))
    return np.memmap(path, dtype=kind, mode="r").reshape(shape)


def blob(path: Path) -> mmap.mmap | bytes:
    """A file's bytes, memory-mapped."""
    if not path.stat().st_size:
        return b""
    with path.open("rb") as opened:
        return mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
