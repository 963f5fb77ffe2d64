"""Pages of a corpus, and what a search in it finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """One page: plain, since a corpus holds millions of them."""

    url: str
    """Its name in the corpus: an address, or a path from the corpus's root."""
    title: str
    text: str
    """The cleaned text, in paragraphs separated by an empty line."""
    links: tuple[str, ...] = ()
    """Urls of the pages of the same corpus that it links to, in order, each once, itself left out."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One passage that a search found."""

    url: str
    """The page that it was cut from."""
    title: str
    text: str
    """The passage."""
    score: float
    """The retriever's own; larger is nearer. Comparable within one answer only."""
