"""Building a corpus: everything is made in a folder beside, and takes its place in one step."""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import numpy as np

from datafactory.corpora.corpus import Corpus
from datafactory.corpora.drafting import Draft
from datafactory.corpora.joining import Array, Table, again, joined, parts, turned, write_table
from datafactory.corpora.place import PREFIX, folder, home, turn
from datafactory.corpora.spec import CorpusSpec, Unread
from datafactory.corpora.stored import ARRAYS, FORMAT, MANIFEST, REJECTS, Manifest, array, blob, file
from datafactory.errors import DataError, StorageError
from datafactory.types import digest_of
from datafactory.whole import sync

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_CHAIN = 5
"""Redirects that are followed one after another."""


def build(source: CorpusSpec, draft: Path, tell: Callable[[int], None]) -> Corpus:
    """Make a corpus in the folder `draft` and move it to where it belongs. Raises DataError where there is no page at
    all, StorageError where the disk runs full; whatever is raised, nothing is left."""
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        return _build(source, draft, tell)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        free = shutil.disk_usage(folder()).free
        raise StorageError(
            f"storing corpus {source.called()!r}: no room in {folder()} ({error.strerror}; {free / 1e9:.1f} GB are "
            "free); `datafactory corpora remove` makes some"
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _build(source: CorpusSpec, folder: Path, tell: Callable[[int], None]) -> Corpus:
    with Draft(folder, source.naming, source.passage_words) as made:
        made.take(source.pages(), source.limit, tell)
    if not made.pages:
        why = ", ".join(f"{count:,} {reason}" for reason, count in made.rejected.most_common(5))
        with (folder / REJECTS).open() as rejects:
            said = f": all were rejected ({why}); the first: {rejects.readline().strip()}" if why else ""
        raise DataError(f"corpus {source.called()!r} has no pages{said}")
    joining = _Joining(folder, made)
    counts = joining.run()
    for path in folder.glob("*.draft"):
        path.unlink()
    return _place(source, folder, counts)


class _Joining:
    """From the drafts of the first pass to the arrays of the corpus."""

    def __init__(self, folder: Path, made: Draft) -> None:
        self._folder, self._made = folder, made
        self._own = self._draft("own", "<u8")
        self._rows = self._draft("rows", "<i8", 5)
        self._numbers = np.empty(0, np.int64)
        """What number each page of the draft gets; -1 for one that is left out."""

    def run(self) -> dict[str, Any]:
        """Write all arrays; what the manifest says of them."""
        with (self._folder / REJECTS).open("ab") as rejects:
            self._numbers = self._without_doubles(rejects)
            pages, passages = self._keep_pages(), self._keep_passages()
            table = self._table(rejects)
        links = self._link(table)
        self._turn(pages)
        return {
            "pages": pages,
            "passages": passages,
            "aliases": len(table.marks) - pages,
            "links": links,
            "dropped_links": len(self._draft("links", "<u8", 2)) - links,
            "rejects": dict(self._made.rejected),
        }

    def _draft(self, name: str, kind: str, columns: int = 1) -> Array:
        return array(self._folder / f"{name}.draft", kind, columns)

    def _array(self, name: str) -> Array:
        return array(self._folder / file(name), *ARRAYS[name])

    def _new(self, name: str) -> IO[bytes]:
        return (self._folder / file(name)).open("wb")

    def _without_doubles(self, rejects: IO[bytes]) -> Array:
        kept = np.ones(len(self._own), dtype=bool)
        places = _Noted(self._folder, "places")
        with (self._folder / file("names")).open("rb") as names:
            for doubles, firsts in again(self._own):
                kept[doubles] = False
                for number, first in zip(doubles.tolist(), firsts.tolist(), strict=True):
                    _, _, start, end, _ = self._rows[number].tolist()
                    names.seek(start)
                    said = f"{names.read(end - start).decode()} was read before, in {places[first]}"
                    self._made.note(Unread(places[number], "double_url", said), rejects)
        numbers = np.cumsum(kept, dtype=np.int64) - 1
        numbers[~kept] = -1
        return numbers

    def _keep_pages(self) -> int:
        with self._new("pages") as to:
            for part in parts(len(self._rows)):
                to.write(self._rows[part][self._numbers[part] >= 0].tobytes())
        return int(self._numbers.max()) + 1

    def _keep_passages(self) -> int:
        cuts, count = self._draft("cuts", "<i8", 3), 0
        with self._new("passages") as to:
            for part in parts(len(cuts)):
                rows = np.array(cuts[part])
                rows[:, 0] = self._numbers[rows[:, 0]]
                rows = rows[rows[:, 0] >= 0]
                to.write(rows.tobytes())
                count += len(rows)
        return count

    def _table(self, rejects: IO[bytes]) -> Table:
        """Pages win over aliases, aliases over redirects, and what came first over what came later."""
        aliases = self._draft("aliases", "<u8", 2)
        numbers = self._numbers[aliases[:, 1].astype(np.int64)]
        kept, own = numbers >= 0, self._numbers >= 0
        self._write_table([self._own[own], aliases[kept, 0]], [self._numbers[own], numbers[kept]])
        redirects = self._draft("redirects", "<u8", 3)
        if len(redirects):
            marks, pages = self._follow(redirects, rejects)
            table = self._array("marks"), self._array("numbers")
            self._write_table([np.array(table[0]), marks], [np.array(table[1]), pages])
        return Table(self._array("marks"), self._array("numbers"))

    def _write_table(self, marks: list[Array], numbers: list[Array]) -> None:
        with self._new("marks") as marks_to, self._new("numbers") as numbers_to:
            write_table(np.concatenate(marks), np.concatenate(numbers), marks_to, numbers_to)

    def _follow(self, redirects: Array, rejects: IO[bytes]) -> tuple[Array, Array]:
        """Marks of the redirects that lead to a page, by way of others too, and the page of each."""
        table = Table(self._array("marks"), self._array("numbers"))
        pages = table.targets(redirects[:, 1:])
        for _ in range(_CHAIN):
            known = np.flatnonzero(pages >= 0)
            order = known[np.argsort(redirects[known, 0], kind="stable")]
            lost = np.flatnonzero(pages < 0)
            pages[lost] = Table(redirects[order, 0], pages[order]).targets(redirects[lost, 1:])
        leads = _Noted(self._folder, "leads")
        for number in np.flatnonzero(pages < 0).tolist():
            place, _, said = leads[number].partition("\n")
            self._made.note(Unread(place, "leads_nowhere", said), rejects)
        found = pages >= 0
        return redirects[found, 0], pages[found]

    def _link(self, table: Table) -> int:
        amounts = np.zeros(int(self._numbers.max()) + 2, dtype=np.int64)
        drafts = self._draft("links", "<u8", 2), self._draft("link_counts", "<i8")
        with self._new("links_to") as to:
            for sources, targets in joined(table, *drafts, self._numbers):
                to.write(targets.astype("<u4").tobytes())
                np.add.at(amounts, sources + 1, 1)
        return self._bounds("links_at", amounts)

    def _turn(self, pages: int) -> None:
        amounts = np.zeros(pages + 1, dtype=np.int64)
        with self._new("linked_from") as to:
            for targets, sources in turned(self._array("links_at"), self._array("links_to"), pages):
                to.write(sources.astype("<u4").tobytes())
                np.add.at(amounts, targets + 1, 1)
        self._bounds("linked_at", amounts)

    def _bounds(self, name: str, amounts: Array) -> int:
        ends = np.cumsum(amounts)
        with self._new(name) as to:
            to.write(ends.astype("<i8").tobytes())
        return int(ends[-1])


class _Noted:
    """Texts that the first pass noted, by number."""

    def __init__(self, folder: Path, name: str) -> None:
        self._text = blob(folder / f"{name}.draft")
        self._ends = array(folder / f"{name}_ends.draft", "<i8", 1)

    def __getitem__(self, number: int) -> str:
        return self._text[int(self._ends[number - 1]) if number else 0 : int(self._ends[number])].decode()


def _place(source: CorpusSpec, draft: Path, counts: dict[str, Any]) -> Corpus:
    files = {path.name: (path.stat().st_size, _digest(path)) for path in sorted(draft.iterdir())}
    told = {name: digest for name, (_, digest) in files.items() if name != REJECTS}
    digest = digest_of({"format": FORMAT, "naming": source.naming, "files": told}, length=64)
    name = f"{PREFIX}{source.called()}-{digest[:12]}"
    manifest = Manifest(
        name=name,
        title=source.title or source.called(),
        naming=source.naming,
        digest=digest,
        files=files,
        recipe=source.describe(),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        **counts,
    )
    (draft / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n")
    for path in (*draft.iterdir(), draft):
        sync(path)
    place = home(name)
    with turn(place.name):
        if not (place / MANIFEST).exists():
            shutil.rmtree(place, ignore_errors=True)
            draft.rename(place)
            sync(folder())
        return Corpus.open(place, name)


def _digest(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
