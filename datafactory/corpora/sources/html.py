"""Pages from a folder of HTML files: documentation by Sphinx or Doxygen, a mirrored site, any linked tree."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from datafactory.corpora.markup import outline, parsed, refreshed, split
from datafactory.corpora.sources.tree import Tree, TreeSpec
from datafactory.corpora.spec import Item, Redirect, Unread

_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]+)", re.IGNORECASE)
_HEAD = 2048
"""Bytes within which a page must name its encoding (HTML Standard, section 4.2.5.4, asks for 1024)."""
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class Html(TreeSpec):
    """A folder of HTML files, such as the documentation of Python in Debian's `python3-doc`."""

    use_name: ClassVar[str] = "html"
    endings: ClassVar[tuple[str, ...]] = (".html", ".htm", ".xhtml")
    indexes: ClassVar[tuple[str, ...]] = ("index.html", "index.htm", "index.xhtml")

    exclude: tuple[str, ...] = (
        *("genindex*", "*-modindex*", "search.html", "contents.html", "_modules/*"),
        *("*_source.html", "functions_*.html", "globals_*.html", "*-members.html"),
    )
    """Patterns of paths that are left out: unless said otherwise, the indexes and copies of sources that Sphinx and
    Doxygen make."""

    def read(self, data: bytes, path: str, tree: Tree) -> Iterator[Item]:
        """The pages of one file, or where it sends its readers."""
        place = str(self.folder / path)
        text, encoding = _decoded(data)
        if text is None:
            yield Unread(place, "not_text", f"not valid {encoding}")
            return
        parse = parsed(text)
        if (away := refreshed(parse)) and (target := tree.resolve(path, away)):
            yield Redirect(tree.url(path), target, place)
            return
        url = tree.url(path)
        base = parse.css_first("base[href]")
        stem = (base.attributes.get("href") or "") if base is not None else ""
        resolve = partial(tree.resolve, path, base=stem)
        pages = split(outline(parse), url, self.split, self.least_words, resolve, place)
        yield from tree.named(pages, path)


def _decoded(data: bytes) -> tuple[str | None, str]:
    """The text, and the encoding that was tried: of the byte order mark, as the page says, UTF-8, Windows-1252."""
    marked = [encoding for mark, encoding in _MARKS if data.startswith(mark)]
    said = _CHARSET.search(data, 0, _HEAD)
    named = [said[1].decode("ascii")] if said else ["utf-8", "cp1252"]
    for encoding in marked[:1] or named:
        try:
            # What browsers do (Encoding Standard, section 4.2): pages that claim Latin-1 mean Windows-1252.
            known = codecs.lookup(encoding).name
            known = "cp1252" if known in ("iso8859-1", "ascii") else known
            text, _ = codecs.lookup(known).decode(data)
            if isinstance(text, str):
                return text, known
        except (LookupError, UnicodeDecodeError):
            continue
    return None, " or ".join(marked[:1] or named)
