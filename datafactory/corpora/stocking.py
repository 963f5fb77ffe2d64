"""Stocking: a source is read once, and what was made of it is found again by whoever asks for the same."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from datafactory.corpora.corpus import Corpus
from datafactory.corpora.place import PREFIX, folder, home, turn
from datafactory.corpora.spec import CorpusSpec
from datafactory.corpora.stored import FORMAT
from datafactory.errors import ConfigError, DataError, StorageError, boundary
from datafactory.types import digest_of
from datafactory.whole import sync, whole

CLEANING = 1
"""Counts up when the same files give other pages, so that they are read again."""
_SETTLED = 1_100_000_000
"""Nanoseconds after which the time of a file tells that it changed: some file systems keep it in seconds."""


def stock(source: CorpusSpec, *, tell: Callable[[int], None] | None = None) -> Corpus:
    """The corpus of a source: the one that lies on this machine already, or else made now, whole or not at all.

    Two that ask for the same at once: the second waits and finds it. `tell` is called with the number of pages read so
    far, now and then. Raises ConfigError or DataError for a source that
    cannot be read or has no pages, StorageError.
    """
    if wrong := list(source.problems()):
        raise ConfigError([f"corpus {source.called()!r}: {problem}" for problem in wrong])
    quick = _quick_key(source)
    if quick and (made := _made(quick, source)):
        return made
    full = _full_key(source)
    with boundary(StorageError, f"storing corpus {source.called()!r}"), turn(full):
        if (made := _made(full, source)) is None:
            from datafactory.corpora.building import build

            made = build(source, folder() / f".{full[:24]}.part", tell or (lambda pages: None))
            _remember(full, made.name)
        if quick:
            _remember(quick, made.name)
    return made


def remove(name: str) -> bool:
    """Delete a corpus and the indexes beside it; False: there was none. Who has it open keeps it until they close it.
    Raises StorageError, ConfigError as `home`."""
    place = home(name)
    with boundary(StorageError, f"deleting {name}"), turn(place.name):
        going = folder() / f".{place.name}.deleting"
        shutil.rmtree(going, ignore_errors=True)
        if not place.exists():
            return False
        place.rename(going)
        sync(folder())
        shutil.rmtree(going)
    return True


def _made(key: str, source: CorpusSpec) -> Corpus | None:
    try:
        name = json.loads(_note(key).read_bytes())["name"]
        return Corpus.open(home(name), name) if name.startswith(f"{PREFIX}{source.called()}-") else None
    except (FileNotFoundError, ValueError, KeyError):
        return None


def _note(key: str) -> Path:
    return folder() / ".recipes" / f"{key}.json"


def _remember(key: str, name: str) -> None:
    with whole(_note(key)) as draft:
        draft.write_text(json.dumps({"name": name}))


def _key(source: CorpusSpec, files: list[Any]) -> str:
    told = {"recipe": source.recipe(), "called": source.called(), "title": source.title, "files": files}
    return digest_of({**told, "code": _code(source), "format": FORMAT, "cleaning": CLEANING}, length=32)


def _code(source: CorpusSpec) -> str:
    """Digest of a class of the user's own; ours count up `CLEANING`."""
    if type(source).__module__.partition(".")[0] == __package__.partition(".")[0]:
        return ""
    path = inspect.getsourcefile(type(source))
    return hashlib.sha256(Path(path).read_bytes()).hexdigest() if path else ""


def _quick_key(source: CorpusSpec) -> str:
    """By the size and time of each file; empty: one changed just now, so that its time proves nothing."""
    seen, newest = [], 0
    with _reading():
        for path in source.inputs():
            stat = path.stat()
            newest = max(newest, stat.st_mtime_ns, stat.st_ctime_ns)
            seen.append([str(path), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino])
    return "" if newest > time.time_ns() - _SETTLED else _key(source, seen)


def _full_key(source: CorpusSpec) -> str:
    """By the content of each file, in whatever folder they lie."""
    digests = []
    with _reading():
        paths = list(source.inputs())
        root = os.path.commonpath([path.parent for path in paths]) if paths else ""
        for path in paths:
            with path.open("rb") as file:
                digests.append([os.path.relpath(path, root), hashlib.file_digest(file, "sha256").hexdigest()])
    return _key(source, digests)


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(f"{error.filename}: cannot be read ({error.strerror})") from error
