"""A stored corpus, opened: pages, links and passages, read from disk as they are asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datafactory.corpora.place import PREFIX, folder, home
from datafactory.corpora.stored import ARRAYS, Manifest, array, blob, file, read_manifest
from datafactory.corpora.urls import marks
from datafactory.errors import ConfigError, DataError
from datafactory.types import Page

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


class Corpus:
    """Memory-mapped: cheap to open, safe for threads, and as large as the disk. What was opened stays readable when the
    corpus is removed meanwhile. Page numbers run from 0; another one raises IndexError."""

    def __init__(self, place: Path, manifest: Manifest) -> None:
        self.folder = place
        self.manifest = manifest
        self.name, self.digest, self.title = manifest.name, manifest.digest, manifest.title
        self._arrays = {name: array(place / file(name), *how) for name, how in ARRAYS.items()}
        self._text, self._names = blob(place / file("text")), blob(place / file("names"))
        self.passages = Passages(self, self._arrays["passages"], self._text)

    @classmethod
    def open(cls, place: Path, name: str) -> Corpus:
        """The corpus in a folder. Raises FileNotFoundError, DataError."""
        return cls(place, read_manifest(place, name))

    def __len__(self) -> int:
        """How many pages there are."""
        return len(self._arrays["pages"])

    def page(self, number: int) -> Page:
        """The page of a number."""
        start, end, name, title, last = self._row(number)
        return Page(
            url=self._names[name:title].decode(),
            title=self._names[title:last].decode(),
            text=self._text[start:end].decode(),
            links=tuple(self.url(to) for to in self.links(number)),
        )

    def pages(self) -> Iterator[Page]:
        """All of them, by number."""
        return (self.page(number) for number in range(len(self)))

    def url(self, number: int) -> str:
        """The url of a page."""
        _, _, name, title, _ = self._row(number)
        return self._names[name:title].decode()

    def title_of(self, number: int) -> str:
        """The title of a page."""
        _, _, _, title, last = self._row(number)
        return self._names[title:last].decode()

    def name_of(self, number: int) -> tuple[str, str]:
        """The url and the title of a page."""
        _, _, name, title, last = self._row(number)
        names = self._names[name:last]
        return names[: title - name].decode(), names[title - name :].decode()

    def number(self, url: str) -> int | None:
        """The page of a url or of an alias; of a url with a fragment that is no page, the page without it. None: there
        is none."""
        table, numbers = self._arrays["marks"], self._arrays["numbers"]
        for each in dict.fromkeys(marks(url, self.manifest.naming)):
            at = int(table.searchsorted(table.dtype.type(each)))
            if at < len(table) and int(table[at]) == each:
                return int(numbers[at])
        return None

    def links(self, number: int) -> Sequence[int]:
        """The pages that a page links to: in the order of the page, each once, itself left out."""
        return self._neighbours("links_at", "links_to", number)

    def linked_from(self, number: int) -> Sequence[int]:
        """The pages that link to a page, by number."""
        return self._neighbours("linked_at", "linked_from", number)

    def check(self) -> None:
        """Read every file, and compare it with the digest that it was stored with. Raises DataError."""
        for part, (_, digest) in self.manifest.files.items():
            with (self.folder / part).open("rb") as opened:
                found = hashlib.file_digest(opened, "sha256").hexdigest()
            if found != digest:
                again = f"`datafactory corpora remove {self.name}`, and build it again"
                raise DataError(f"{self.name} is damaged ({part} is not what was stored): {again}")

    def _row(self, number: int) -> list[int]:
        if not 0 <= number < len(self):
            raise IndexError(f"{self.name} has no page {number}")
        row: list[int] = self._arrays["pages"][number].tolist()
        return row

    def _neighbours(self, bounds: str, pages: str, number: int) -> list[int]:
        if not 0 <= number < len(self):
            raise IndexError(f"{self.name} has no page {number}")
        start, end = self._arrays[bounds][number : number + 2].tolist()
        found: list[int] = self._arrays[pages][start:end].tolist()
        return found


class Passages:
    """What a search finds: parts of pages, numbered from 0 in the order of the pages."""

    def __init__(self, corpus: Corpus, rows: Array, text: Any) -> None:
        self._corpus, self._rows, self._text = corpus, rows, text

    def __len__(self) -> int:
        """How many there are."""
        return len(self._rows)

    def page(self, number: int) -> int:
        """The number of the page that a passage was cut from."""
        return int(self._rows[self._within(number), 0])

    def part(self, number: int) -> str:
        """The passage alone."""
        _, start, end = self._rows[self._within(number)].tolist()
        passage: str = self._text[start:end].decode()
        return passage

    def shown(self, number: int) -> tuple[str, str, str]:
        """Url and title of the page, and the passage: what a search shows, in one reading."""
        page, start, end = self._rows[self._within(number)].tolist()
        return *self._corpus.name_of(page), self._text[start:end].decode()

    def text(self, number: int) -> str:
        """The passage as it is indexed: the page's title, and below it the passage."""
        return f"{self._corpus.title_of(self.page(number))}\n{self.part(number)}"

    def texts(self) -> Iterator[str]:
        """All of them as they are indexed, by number."""
        return (self.text(number) for number in range(len(self)))

    @cached_property
    def starts(self) -> Array:
        """For each page, and for one past the last, the number of its first passage; one 64-bit integer each."""
        import numpy as np

        return np.searchsorted(self._rows[:, 0], np.arange(len(self._corpus) + 1))

    def of(self, page: int) -> range:
        """The numbers of a page's passages."""
        return range(int(self.starts[page]), int(self.starts[page + 1]))

    def _within(self, number: int) -> int:
        if not 0 <= number < len(self):
            raise IndexError(f"{self._corpus.name} has no passage {number}")
        return number


def find(name: str) -> Corpus:
    """The corpus of that name on this machine. Raises ConfigError where there is none, DataError for a damaged one."""
    place = home(name)
    try:
        return Corpus.open(place, name)
    except FileNotFoundError as error:
        known = [each.rpartition("-")[0] for each in every()]
        same = name.rpartition("-")[0] in known
        why = " (one of that name is, with other pages: its digits differ)" if same else ""
        raise ConfigError(
            f"{name} is not on this machine{why}: `datafactory corpora build FILE` makes it, "
            "`datafactory corpora list` says which there are"
        ) from error


def every() -> list[str]:
    """Names of all that are stored on this machine, damaged ones too."""
    return sorted(f"{PREFIX}{path.parent.name}" for path in folder().glob("[!.]*/corpus.json"))
