"""Where indexes lie: beside their corpus, each made once, whole or not at all, and made anew when it is damaged."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datafactory.corpora.place import turn
from datafactory.corpora.retrievers.retriever import Index, Retriever
from datafactory.errors import DataError, SearchError, boundary
from datafactory.types import Record, digest_of
from datafactory.whole import sync

if TYPE_CHECKING:
    from datafactory.corpora.corpus import Corpus

MANIFEST = "index.json"


class Manifest(Record):
    """What an index says of itself."""

    corpus: str
    """The name of its corpus."""
    recipe: dict[str, Any]
    files: dict[str, int]
    """Bytes of each."""


Tell = Callable[[str], None]


def aloud(line: str) -> None:
    """A line on standard error: what takes long, or went wrong and was mended."""
    print(line, file=sys.stderr, flush=True)


def opened(retriever: Retriever, corpus: Corpus, tell: Tell = aloud) -> Index:
    """The index of a corpus, built first where there is none. Two that ask for the same at once: the second waits and
    finds it. Raises SearchError, ConfigError, Missing."""
    if parts := retriever.parts():
        return retriever.joined(corpus, [opened(part, corpus, tell) for part in parts])
    place = home(retriever, corpus)
    with boundary(SearchError, f"opening the index {place.name} of {corpus.name}"):
        try:
            return _open(retriever, corpus, place)
        except FileNotFoundError:
            why = ""
        except (DataError, ValueError, OSError) as error:
            why = f"the index {place.name} of {corpus.name} is damaged ({error}); it is built anew"
        with turn(f"{corpus.folder.name}.{place.name}"):
            try:
                return _open(retriever, corpus, place)  # somebody was quicker
            except (DataError, ValueError, OSError):
                if why:
                    tell(why)
            return _built(retriever, corpus, place, tell)


def home(retriever: Retriever, corpus: Corpus) -> Path:
    """The folder of an index: its name says of what and how it is made."""
    told = digest_of({"corpus": corpus.digest, "recipe": retriever.recipe()}, length=12)
    return corpus.folder / "indexes" / f"{type(retriever).use_name or 'own'}-{told}"


def _open(retriever: Retriever, corpus: Corpus, place: Path) -> Index:
    for name, size in Manifest.model_validate_json((place / MANIFEST).read_bytes()).files.items():
        path = place / name
        there = path.stat().st_size if path.is_file() else None
        if there != size:
            raise DataError(f"{name} is missing" if there is None else f"{name} has {there:,} bytes, not {size:,}")
    return retriever.open(corpus, place)


def _built(retriever: Retriever, corpus: Corpus, place: Path, tell: Tell) -> Index:
    count = len(corpus.passages)
    if count > 200_000:
        tell(f"building the index {place.name} of {corpus.name}: {count:,} passages")
    draft = place.with_name(f".{place.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        retriever.build(corpus, draft)
        files = {str(path.relative_to(draft)): path.stat().st_size for path in draft.rglob("*") if path.is_file()}
        manifest = Manifest(corpus=corpus.name, recipe=retriever.recipe(), files=files)
        (draft / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n")
        for path in (*draft.rglob("*"), draft):
            sync(path)
        if place.exists():
            going = place.with_name(f".{place.name}.deleting")
            shutil.rmtree(going, ignore_errors=True)
            place.rename(going)
            shutil.rmtree(going)
        draft.rename(place)
        sync(place.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return _open(retriever, corpus, place)
