"""What a page says of its subject, in a form that can be searched and asked about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact: plain, since a corpus states millions of them."""

    relation: str
    """A key of `relations` in phrases.yaml."""
    value: str
    """As it is shown: a name, a year, a version; of a link the title of the page that it leads to."""
    key: str
    """As it is compared: two facts of one relation and key say the same."""
    quote: str
    """The sentence, or the line, that states it; it is in the page's text, but for breaks of lines."""
    how: str = ""
    """The verb, of relations that have one: `designed`."""
    target: int | None = None
    """The number of the page that it leads to; None: the value is no page."""
    asked: bool = True
    """Whether a question may ask for the value; False where others may be as right."""
