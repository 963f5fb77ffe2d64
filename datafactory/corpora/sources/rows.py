"""From a row of a table to a page: what the sources whose pages are rows have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from datafactory.corpora.spec import CorpusSpec, Item, RawPage, Redirect, Unread
from datafactory.corpora.text import clean, line


class RowSpec(CorpusSpec):
    """Which column of a row is what."""

    url_field: str = "url"
    """The page's address or name."""
    title_field: str = "title"
    """Its title; a row without one takes the last part of the url."""
    text_field: tuple[str, ...] = Field(default=("contents", "text"), min_length=1)
    """Its text: the first of these columns that a row has."""
    links_field: str = "links"
    """Urls of the pages that it links to: a list of texts, or of mappings with `url`."""
    aliases_field: str = "aliases"
    """Other urls of the page: a list of texts."""
    redirect_field: str = "redirect"
    """A row with text here is no page: its url leads to that one."""

    def page(self, row: Any, place: str) -> Item:
        """What a row is."""
        if not isinstance(row, Mapping):
            return Unread(place, "no_mapping", f"{str(row)[:80]!r}")
        url = row.get(self.url_field)
        if not isinstance(url, str) or not url.strip():
            return Unread(place, "no_url", f"{self.url_field!r} is {str(url)[:80]!r}")
        target = row.get(self.redirect_field)
        if isinstance(target, str) and target.strip():
            return Redirect(url.strip(), target.strip(), place)
        text = next((found for key in self.text_field if (found := row.get(key)) is not None), None)
        if not isinstance(text, str):
            columns = " or ".join(repr(key) for key in self.text_field)
            return Unread(place, "no_text", f"{url}: no text in {columns}")
        lists = {}
        for key in (self.links_field, self.aliases_field):
            found = _urls(row.get(key))
            if found is None:
                return Unread(place, "bad_list", f"{url}: {key!r} is no list of urls")
            lists[key] = found
        title = row.get(self.title_field)
        return RawPage(
            url=url.strip(),
            title=line(title) if isinstance(title, str) and title.strip() else _named(url),
            text=clean(text),
            links=lists[self.links_field],
            aliases=lists[self.aliases_field],
            place=place,
        )


def _urls(value: Any) -> tuple[str, ...] | None:
    """None: it is something else than a list of urls."""
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        return None
    found: list[Any] = [item.get("url") if isinstance(item, Mapping) else item for item in value]
    if not all(isinstance(item, str) for item in found):
        return None
    return tuple(dict.fromkeys(item.strip() for item in found if item.strip()))


def _named(url: str) -> str:
    return line(url.rstrip("/").rpartition("/")[2].replace("_", " ")) or url
