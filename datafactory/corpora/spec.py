"""The root of every source of pages, and what a source gives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from datafactory.corpora.place import short
from datafactory.corpora.urls import Naming
from datafactory.spec import Spec


@dataclass(frozen=True, slots=True)
class RawPage:
    """One page as a source gives it: cleaned, its links not yet looked up."""

    url: str
    title: str
    text: str
    links: tuple[str, ...] = ()
    """Urls as they are in the corpus, with fragments where they had some; those of no page are dropped later."""
    aliases: tuple[str, ...] = ()
    """Other urls of the page."""
    place: str = ""
    """Where it was read: a file, or `file:line`."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """A url that leads to another one."""

    url: str
    target: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that should have been a page and is none."""

    place: str
    """A file, or `file:line`."""
    reason: str
    """A short word, such as `not_json`."""
    detail: str = ""


Item = RawPage | Redirect | Unread


class CorpusSpec(Spec):
    """The keys that every source has."""

    name: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    """What the corpus is called: a-z, 0-9, '.', '_' and '-'; left out: as its folder or file."""
    title: str | None = None
    """A name for people; left out: the same as `name`."""
    passage_words: int = Field(default=120, ge=20, le=2000)
    """About how many words a passage has, which is what a search finds; cut at paragraphs, never across pages."""
    limit: int | None = Field(default=None, ge=1)
    """Read no more than so many pages."""

    naming: ClassVar[Naming] = "address"
    """What makes two urls the same page."""
    place_key: ClassVar[str] = ""
    """The key that says where the files are: not part of what the corpus is."""

    def pages(self) -> Iterator[Item]:
        """All pages, one after another, in the same order each time. Raises DataError, ConfigError."""
        raise NotImplementedError

    def inputs(self) -> Iterable[Path]:
        """Every file that is read."""
        return ()

    def called(self) -> str:
        """What the corpus is called."""
        return self.name or short(self.origin()) or "corpus"

    def origin(self) -> str:
        """The last part of where it is read from."""
        return ""

    def recipe(self) -> dict[str, Any]:
        """What shapes the pages besides the content of the files."""
        return {key: value for key, value in self.describe().items() if key not in (self.place_key, "name", "title")}
