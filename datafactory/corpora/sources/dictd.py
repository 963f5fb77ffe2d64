"""Pages from a dictionary of the DICT server: an index of headwords, and a text, plain or as dictzip packs it."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, ClassVar, cast

from datafactory.corpora.sources.dictd_entry import parsed
from datafactory.corpora.sources.dictd_index import Entry, Index, read_index
from datafactory.corpora.spec import CorpusSpec, Item, RawPage, Unread
from datafactory.corpora.urls import Naming, key
from datafactory.errors import DataError

_ENDINGS = (".index", ".dict.dz", ".dict")


class Dict(CorpusSpec):
    """A dictionary in the format of dictd, such as FOLDOC in Debian's `dict-foldoc`: an entry is a page, its headwords
    are urls, and `{references in braces}` are links."""

    use_name: ClassVar[str] = "dict"
    place_key: ClassVar[str] = "dictionary"
    naming: ClassVar[Naming] = "headword"

    dictionary: Path
    """Its files without their endings, such as `/usr/share/dictd/foldoc`; or one of the files."""

    def problems(self) -> Iterable[str]:
        """Files that are not there."""
        stem = self._stem()
        if not Path(f"{stem}.index").is_file():
            yield f"dictionary: {stem}.index does not exist"
        if self._text() is None:
            yield f"dictionary: there is no {stem}.dict and no {stem}.dict.dz"

    def inputs(self) -> Iterable[Path]:
        """The index and the text."""
        text = self._text()
        return (Path(f"{self._stem()}.index"), *([text] if text else []))

    def origin(self) -> str:
        """The dictionary's name."""
        return Path(self._stem()).name

    def pages(self) -> Iterator[Item]:
        """A page for each entry, in the order of the text."""
        index = Path(f"{self._stem()}.index")
        path = self._text()
        try:
            entries = read_index(index.read_bytes(), str(index))
            yield from entries.broken
            if path is not None:
                with gzip.open(path) if path.suffix == ".dz" else path.open("rb") as file:
                    yield from _pages(entries, _Window(cast(IO[bytes], file)), str(path))
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{path or index}: cannot be read ({error})") from error

    def _stem(self) -> str:
        text = str(self.dictionary)
        return next((text.removesuffix(ending) for ending in _ENDINGS if text.endswith(ending)), text)

    def _text(self) -> Path | None:
        return next((path for ending in _ENDINGS[1:] if (path := Path(self._stem() + ending)).is_file()), None)


def _pages(index: Index, window: _Window, path: str) -> Iterator[Item]:
    taken: dict[str, int] = {}
    for entry in index.entries:
        place = f"{path}@{entry.start}"
        data = window.read(entry.start, entry.size)
        if len(data) < entry.size:
            yield Unread(place, "past_the_end", f"{entry.headwords[0]!r} has {entry.size} bytes, {len(data)} are there")
            continue
        yield _page(entry, _text(data), index, taken, place)


def _page(entry: Entry, text: str, index: Index, taken: dict[str, int], place: str) -> RawPage:
    made = parsed(text, entry.headwords, index.meant)
    title = made.headwords[0]
    count = taken[key(title, "headword")] = taken.get(key(title, "headword"), 0) + 1
    return RawPage(
        url=title if count == 1 else f"{title} ({count})",  # homographs
        title=title,
        text=made.text,
        links=made.links,
        aliases=tuple(word for word in dict.fromkeys((*made.headwords[1:], *entry.headwords)) if word != title),
        place=place,
    )


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:  # dictionaries from before 00-database-utf8
        return data.decode("latin-1")


class _Window:
    """A file that is read once, forwards; entries may overlap, as long as they come in the order of their starts."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._start, self._data = file, 0, b""

    def read(self, start: int, size: int) -> bytes:
        """`size` bytes from `start`; fewer where the file ends."""
        behind = start - self._start - len(self._data)
        if behind >= 0:
            while behind and (skipped := self._file.read(min(behind, 1 << 20))):
                behind -= len(skipped)
            self._data = b""
        else:
            self._data = self._data[start - self._start :]
        self._start = start
        if (missing := size - len(self._data)) > 0:
            self._data += self._file.read(missing)
        return self._data[:size]
